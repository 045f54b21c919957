/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Runs guest_main() on the first stack; accessors for the boot page. */
#include "guest.h"

/* From the linker script. */
extern const char guest_image_start[];
extern const char guest_image_end[];

static const struct guest_boot *boot_page;

_Noreturn void guest_start(const struct guest_boot *page)
{
	boot_page = page;
	if (page->magic != GUEST_BOOT_MAGIC || page->version < GUEST_BOOT_VERSION) {
		guest_print("guest: no boot page; axrun must start this program\n");
		guest_exit(1);
	}
	guest_exit((unsigned int)guest_main());
}

const struct guest_boot *guest_boot_page(void)
{
	return boot_page;
}

const char *guest_args(void)
{
	return (const char *)boot_page + boot_page->args_offset;
}

size_t guest_memory(const struct guest_range **ranges)
{
	*ranges = boot_page->memory;
	return boot_page->nranges;
}

static bool overlaps_page(uint64_t gpa, uint64_t start, uint64_t end)
{
	return gpa + GUEST_PAGE_SIZE > start && gpa < end;
}

bool guest_page_in_use(uint64_t gpa)
{
	const struct guest_range *boot = &boot_page->boot;

	return overlaps_page(gpa, boot->gpa, boot->gpa + boot->size) ||
	       overlaps_page(gpa, (uintptr_t)guest_image_start, (uintptr_t)guest_image_end);
}
