/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* A checkpoint as text: its kind, its clocks, and the size of each part. */
#include <inttypes.h>

#include "lib/machine/checkpoint.h"
#include "lib/machine/object.h"
#include "lib/memory/image.h"
#include "lib/text/text.h"

/* Adds the size of a saved state, and its sections. */
static void add_state(struct axv_text *text, const struct axv_blob *blob)
{
	struct axvcpu_saved_section section;

	axv_text_add(text, ": %zu bytes (", blob->size);
	for (unsigned int n = 0; !axvcpu_saved_get_section(blob->data, blob->size, n, &section);
	     n++)
		axv_text_add(text, "%s%s", n ? " " : "", section.name);
	axv_text_add(text, ")\n");
}

static void add_clock(struct axv_text *text, const struct axvm_clock *clock)
{
	axv_text_add(text,
		     "taken at %" PRId64 " ns of CLOCK_REALTIME; counter %" PRIu64 " at %" PRIu64
		     " Hz\n",
		     clock->realtime_ns, clock->counter, clock->counter_hz);
}

static void add_region(struct axv_text *text, const struct axv_image *image,
		       const struct axv_image_region *region)
{
	uint64_t pages = 0;

	for (uint64_t i = 0; i < (region->len / image->page_size + 63) / 64; i++)
		pages += (uint64_t)__builtin_popcountll(region->present[i]);
	axv_text_add(text,
		     "memory: %#" PRIx64 " +%#" PRIx64 ", %" PRIu64 " pages that are not zero\n",
		     region->gpa, region->len, pages);
}

int axvm_checkpoint_describe(const struct axvm_checkpoint *checkpoint, char *buf, size_t len)
{
	const struct axv_image *image = checkpoint->image;
	struct axv_text text = { buf, buf ? len : 0, 0 };

	axv_text_add(&text,
		     "checkpoint: %s, %s irqchip, %" PRIu32 " vCPUs, pages of %" PRIu64 " bytes\n",
		     checkpoint->arch, axv_irqchip_name(checkpoint->irqchip), checkpoint->nvcpus,
		     image->page_size);
	add_clock(&text, &checkpoint->clock);
	axv_text_add(&text, "controllers");
	add_state(&text, &checkpoint->controllers);
	for (uint32_t i = 0; i < checkpoint->nvcpus; i++) {
		axv_text_add(&text, "vCPU %" PRIu32, checkpoint->vcpus[i].id);
		add_state(&text, &checkpoint->vcpus[i].blob);
	}
	for (const struct axv_saved_device *d = checkpoint->devices; d; d = d->next)
		axv_text_add(&text, "device %s, version %" PRIu32 ": %zu bytes\n", d->name,
			     d->version, d->blob.size);
	for (size_t i = 0; i < image->count; i++)
		add_region(&text, image, &image->regions[i]);
	return (int)text.used;
}
