/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * PVH: an ELF kernel with a note that gives its 32-bit entry; ebx points to struct hvm_start_info.
 * See Xen's include/public/arch-x86/hvm/start_info.h.
 */
#ifndef AXRUN_PVH_H
#define AXRUN_PVH_H

#include <stdint.h>

#include "kernel.h"
#include "layout.h"

extern const struct kernel_format pvh_format;

/*
 * Fills the page at layout->page_gpa, which begins with the start info. The command line is in the
 * next page; `rsdp` is the address of the ACPI root pointer.
 */
void pvh_fill(uint8_t page[GUEST_PAGE_SIZE], const struct layout *layout, uint64_t rsdp);

#endif
