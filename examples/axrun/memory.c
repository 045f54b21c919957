/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "memory.h"

#include "message.h"

static int map(struct axvm *vm, const struct guest_range *range, uint32_t flags)
{
	struct axvm_region region = AXVM_REGION_INIT;

	region.gpa = range->gpa;
	region.len = range->size;
	region.flags = flags;
	if (axvm_map(vm, &region))
		return fail("cannot map guest memory: %s", axvcpu_last_error());
	return 0;
}

/* The rest of each segment is zero already, as the memory is new. */
static int copy(struct axvm *vm, uint64_t gpa, const uint8_t *data, uint64_t len)
{
	if (!len)
		return 0;
	if (axvm_write(vm, gpa, data, len))
		return fail("cannot load the image: %s", axvcpu_last_error());
	return 0;
}

int memory_make(struct axvm *vm, const struct options *options, const struct image *image,
		const struct layout *layout)
{
	uint32_t flags = options->huge_pages ? AXVM_MEM_HUGETLB : AXVM_MEM_THP;
	size_t i;

	for (i = 0; i < layout->nranges; i++)
		if (map(vm, &layout->ram[i], flags))
			return -1;
	if (layout->firmware.size && map(vm, &layout->firmware, AXVM_MEM_READONLY))
		return -1;
	for (i = 0; i < image->nsegments; i++)
		if (copy(vm, image->segments[i].gpa, image->segments[i].data,
			 image->segments[i].filesz))
			return -1;
	return copy(vm, layout->initrd.gpa, image->initrd.data, image->initrd.size);
}
