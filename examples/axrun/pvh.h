/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * PVH: an ELF kernel with a note that names its 32-bit entry, which finds struct hvm_start_info at ebx.
 * Xen's include/public/arch-x86/hvm/start_info.h describes it.
 */
#ifndef AXRUN_PVH_H
#define AXRUN_PVH_H

#include <stdint.h>

#include "kernel.h"
#include "layout.h"

extern const struct kernel_format pvh_format;

/*
 * Fills one page that lies at layout->page_gpa, and has the start info at its begin; the command line is
 * in the page behind it, and `rsdp` the address of the ACPI tables' root.
 */
void pvh_fill(uint8_t page[GUEST_PAGE_SIZE], const struct layout *layout, uint64_t rsdp);

#endif
