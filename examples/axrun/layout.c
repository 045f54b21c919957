/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "layout.h"

#include <inttypes.h>

#include <axvcpu/axvcpu.h>

#include "message.h"

#define GIB (UINT64_C(1) << 30)
/* No architecture has physical addresses of more than 52 bits. KVM checks the host's own limit. */
#define MEMORY_MAX (UINT64_C(1) << 52)
#define STACK_SIZE 0x2000u
/* In real mode the stack has 16-bit addresses. */
#define REAL_MODE_END 0x10000u
/*
 * Flat images get their boot area below this offset in memory: the oldest boot protocols look no
 * further for a device tree, and kernels with small initial page tables reach no further.
 */
#define FLAT_END (UINT64_C(512) << 20)

static int place_memory(struct layout *layout, const struct platform *platform, uint64_t memory)
{
	uint64_t low = platform->hole_gpa - platform->ram_gpa;

	if (memory > MEMORY_MAX)
		return fail("--memory: 0x%" PRIx64 " bytes exceed the physical address space",
			    memory);
	layout->ram[0].gpa = platform->ram_gpa;
	layout->ram[0].size = memory < low ? memory : low;
	layout->nranges = 1;
	if (memory <= low)
		return 0;
	layout->ram[1].gpa = platform->hole_end;
	layout->ram[1].size = memory - low;
	layout->nranges = 2;
	return 0;
}

bool layout_has(const struct layout *layout, uint64_t gpa, uint64_t len)
{
	uint32_t i;

	for (i = 0; i < layout->nranges; i++) {
		const struct guest_range *ram = &layout->ram[i];

		if (gpa >= ram->gpa && gpa - ram->gpa <= ram->size &&
		    len <= ram->size - (gpa - ram->gpa))
			return true;
	}
	return false;
}

static bool overlap(uint64_t gpa, uint64_t len, uint64_t other, uint64_t other_len)
{
	return gpa < other + other_len && other < gpa + len;
}

static int refuse_segment(const struct layout *layout, const struct image_segment *segment)
{
	const struct guest_range *last = &layout->ram[layout->nranges - 1];
	uint64_t end = segment->gpa + segment->memsz, memory_end = last->gpa + last->size;

	if (segment->gpa >= layout->ram[0].gpa && end > memory_end)
		return fail("the image does not fit: its 0x%" PRIx64 " bytes at 0x%" PRIx64
			    " end %" PRIu64 " KiB beyond guest memory; see --memory",
			    segment->memsz, segment->gpa, (end - memory_end + 1023) / 1024);
	return fail("the image does not fit: it needs 0x%" PRIx64 " bytes at 0x%" PRIx64
		    ", which is not guest memory",
		    segment->memsz, segment->gpa);
}

static int check_image(const struct layout *layout, const struct image *image)
{
	size_t i;

	for (i = 0; i < image->nsegments && !image->firmware; i++) {
		const struct image_segment *segment = &image->segments[i];

		if (!layout_has(layout, segment->gpa, segment->memsz))
			return refuse_segment(layout, segment);
		if (overlap(segment->gpa, segment->memsz, layout->hidden.gpa, layout->hidden.size))
			return fail("the kernel does not fit: it needs memory at 0x%" PRIx64
				    ", which a PC reserves",
				    segment->gpa);
	}
	/* In raw mode the entry is relative to a segment base that the hardware sets. */
	if (image->mode != AXVCPU_MODE_RAW && !layout_has(layout, image->entry, 1))
		return fail("the entry 0x%" PRIx64 " is not in guest memory", image->entry);
	return 0;
}

/* The size that struct axvcpu_setup_config documents. */
static uint64_t tables_size(const struct layout *layout, const struct platform *platform,
			    uint32_t mode)
{
	const struct guest_range *last = &layout->ram[layout->nranges - 1];
	uint64_t gib = (last->gpa + last->size - 1) / GIB + 1;
	uint64_t pages = 7;

	if (!platform->boot_tables || mode == AXVCPU_MODE_16 || mode == AXVCPU_MODE_RAW)
		return 0;
	if (mode == AXVCPU_MODE_32)
		return GUEST_PAGE_SIZE;
	if (gib > 4)
		pages += gib - 4;
	return (pages + (gib - 1) / 512) * GUEST_PAGE_SIZE;
}

/* The segment that overlaps the range, or NULL. */
static const struct image_segment *segment_in(const struct image *image, uint64_t gpa, uint64_t len)
{
	size_t i;

	for (i = 0; i < image->nsegments; i++)
		if (overlap(gpa, len, image->segments[i].gpa, image->segments[i].memsz))
			return &image->segments[i];
	return NULL;
}

/* Whether a range overlaps something that is already placed, and the place of that. */
static bool obstacle(const struct layout *layout, const struct image *image, uint64_t gpa,
		     uint64_t len, struct guest_range *found)
{
	const struct image_segment *segment = segment_in(image, gpa, len);

	if (segment)
		*found = (struct guest_range){ segment->gpa, segment->memsz };
	else if (overlap(gpa, len, layout->hidden.gpa, layout->hidden.size))
		*found = layout->hidden;
	else if (overlap(gpa, len, layout->boot.gpa, layout->boot.size))
		*found = layout->boot;
	else
		return false;
	return true;
}

static uint64_t whole_pages(uint64_t len)
{
	return (len + GUEST_PAGE_SIZE - 1) & ~(uint64_t)(GUEST_PAGE_SIZE - 1);
}

/* A kernel with a device tree needs neither a parameter page nor a stack. */
static uint64_t start_size(const struct platform *platform, const struct image *image)
{
	if (image->kind == IMAGE_GUEST)
		return GUEST_PAGE_SIZE + STACK_SIZE;
	return platform->page_gpr ? 0 : 2 * GUEST_PAGE_SIZE;
}

/* --- the highest free place ------------------------------------------------------------------- */

static void look_at(struct guest_range *highest, uint64_t gpa, uint64_t size, uint64_t end)
{
	if (size && gpa < end && gpa >= highest->gpa)
		*highest = (struct guest_range){ gpa, size };
}

/* The range already placed that begins highest below `end`; of size 0 if there is none. */
static struct guest_range highest_below(const struct layout *layout, const struct image *image,
					uint64_t end)
{
	struct guest_range highest = { 0 };
	size_t i;

	for (i = 0; i < image->nsegments; i++)
		look_at(&highest, image->segments[i].gpa, image->segments[i].memsz, end);
	look_at(&highest, layout->hidden.gpa, layout->hidden.size, end);
	look_at(&highest, layout->boot.gpa, layout->boot.size, end);
	return highest;
}

/*
 * Finds the highest free place for `len` bytes, in whole pages, between two addresses of the first
 * range. If there is none, returns false, and `*most` is the size of the largest free place.
 */
static bool find_high(const struct layout *layout, const struct image *image, uint64_t from,
		      uint64_t end, uint64_t len, uint64_t *gpa, uint64_t *most)
{
	const uint64_t page_mask = ~(uint64_t)(GUEST_PAGE_SIZE - 1);

	*most = 0;
	for (end &= page_mask; end > from;) {
		struct guest_range below = highest_below(layout, image, end);
		uint64_t low = whole_pages(below.gpa + below.size);

		if (low < from)
			low = from;
		if (low < end && end - low > *most)
			*most = end - low;
		if (*most >= len) {
			*gpa = end - len;
			return true;
		}
		if (!below.size)
			break;
		end = below.gpa & page_mask;
	}
	return false;
}

/* --- the boot area and the initrd ------------------------------------------------------------- */

static bool place_low(const struct layout *layout, const struct image *image, uint64_t from,
		      uint64_t len, uint64_t *gpa)
{
	struct guest_range found;

	/* Each step passes one obstacle, so the loop ends. */
	for (*gpa = from; layout_has(layout, *gpa, len); *gpa = whole_pages(found.gpa + found.size))
		if (!obstacle(layout, image, *gpa, len, &found))
			return true;
	return false;
}

static int place_boot(struct layout *layout, const struct platform *platform,
		      const struct image *image, uint64_t tree_size)
{
	const struct guest_range *ram = &layout->ram[0];
	uint64_t tables = tables_size(layout, platform, image->mode);
	uint64_t tree = whole_pages(tree_size);
	uint64_t start = start_size(platform, image);
	uint64_t len = start + tables + tree;
	/* The first page stays unused: null pointers, and the interrupt table of real mode. */
	uint64_t from = ram->gpa + GUEST_PAGE_SIZE, gpa, most;
	uint64_t end = ram->gpa + (ram->size < FLAT_END ? ram->size : FLAT_END);
	bool real_mode = image->mode == AXVCPU_MODE_16, fits;

	/* Real mode reaches only 64 KiB. */
	if (image->flat && !real_mode)
		fits = find_high(layout, image, from, end, len, &gpa, &most);
	else
		fits = place_low(layout, image, from, len, &gpa);
	if (!fits || (real_mode && gpa + len > REAL_MODE_END))
		return fail("not enough low memory: besides the image, 0x%" PRIx64
			    " contiguous bytes are needed to start it%s; see --memory",
			    len, real_mode ? ", below 64 KiB" : "");
	layout->boot = (struct guest_range){ gpa, len };
	layout->page_gpa = gpa;
	layout->stack_top = gpa + start;
	layout->tables = (struct guest_range){ gpa + start, tables };
	layout->tree = (struct guest_range){ gpa + start + tables, tree };
	return 0;
}

/* Puts the initrd at the highest free place in the first range that the kernel supports. */
static int place_initrd(struct layout *layout, const struct image *image)
{
	const struct guest_range *ram = &layout->ram[0];
	uint64_t size = whole_pages(image->initrd.size);
	uint64_t ram_end = ram->gpa + ram->size;
	bool limited = image->initrd_end < ram_end;
	uint64_t gpa, most;

	if (!find_high(layout, image, ram->gpa, limited ? image->initrd_end : ram_end, size, &gpa,
		       &most)) {
		uint64_t lack = (size - most) / 1024;

		if (limited)
			return fail("%s: the initrd does not fit: its 0x%" PRIx64
				    " bytes are %" PRIu64 " KiB more than are free below 0x%" PRIx64
				    ", this kernel's limit",
				    image->initrd.name, (uint64_t)image->initrd.size, lack,
				    image->initrd_end);
		return fail("%s: the initrd does not fit: its 0x%" PRIx64 " bytes are %" PRIu64
			    " KiB more than the kernel leaves free; see --memory",
			    image->initrd.name, (uint64_t)image->initrd.size, lack);
	}
	layout->initrd = (struct guest_range){ gpa, image->initrd.size };
	return 0;
}

int layout_make(struct layout *layout, const struct platform *platform, uint64_t memory,
		const struct image *image, uint64_t tree_size)
{
	*layout = (struct layout){ 0 };
	if (image->kind == IMAGE_LINUX)
		layout->hidden = (struct guest_range){ platform->hidden_gpa,
						       platform->hidden_size };
	if (place_memory(layout, platform, memory) || check_image(layout, image))
		return -1;
	if (image->firmware) {
		uint64_t gpa = image->segments[0].gpa & ~(uint64_t)(GUEST_PAGE_SIZE - 1);

		layout->firmware = (struct guest_range){ gpa, platform->firmware_end - gpa };
	}
	if (place_boot(layout, platform, image, tree_size))
		return -1;
	if (image->initrd.size)
		return place_initrd(layout, image);
	return 0;
}
