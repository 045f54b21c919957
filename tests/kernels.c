/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "kernels.h"

#include "suite.h"

static bool overlap(uint64_t gpa, uint64_t len, uint64_t other, uint64_t other_len)
{
	return gpa < other + other_len && other < gpa + len;
}

static void check_segments(const struct image *image, const struct layout *layout)
{
	size_t i, k;

	for (i = 0; i < image->nsegments; i++) {
		const struct image_segment *segment = &image->segments[i];

		ck_assert(segment->filesz <= segment->memsz);
		ck_assert(segment->data >= image->bytes && segment->filesz <= image->size);
		ck_assert((size_t)(segment->data - image->bytes) <= image->size - segment->filesz);
		ck_assert(layout_has(layout, segment->gpa, segment->memsz));
		ck_assert(!overlap(segment->gpa, segment->memsz, layout->boot.gpa,
				   layout->boot.size));
		ck_assert(!overlap(segment->gpa, segment->memsz, layout->initrd.gpa,
				   layout->initrd.size));
		for (k = 0; k < i; k++)
			ck_assert(!overlap(segment->gpa, segment->memsz, image->segments[k].gpa,
					   image->segments[k].memsz));
	}
}

void kernels_check(const struct image *image, const struct layout *layout)
{
	check_segments(image, layout);
	ck_assert(layout_has(layout, image->entry, 1));
	ck_assert(layout_has(layout, layout->boot.gpa, layout->boot.size));
	ck_assert_uint_eq(layout->initrd.size, image->initrd.size);
	if (image->initrd.size) {
		ck_assert(layout_has(layout, layout->initrd.gpa, layout->initrd.size));
		ck_assert(layout->initrd.gpa + layout->initrd.size <= image->initrd_end);
		ck_assert(!overlap(layout->boot.gpa, layout->boot.size, layout->initrd.gpa,
				   layout->initrd.size));
	}
	kernels_start(image, layout);
}
