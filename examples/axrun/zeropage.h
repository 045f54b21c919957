/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The zero page (struct boot_params): what Linux's 64-bit entry finds at rsi. Its command line is in the
 * page behind it.
 */
#ifndef AXRUN_ZEROPAGE_H
#define AXRUN_ZEROPAGE_H

#include <stdint.h>

#include "image.h"
#include "layout.h"

/* Fills one page that lies at layout->page_gpa; `rsdp` is the address of the ACPI tables' root. */
void zeropage_fill(uint8_t page[GUEST_PAGE_SIZE], const struct image *image,
		   const struct layout *layout, uint64_t rsdp);

#endif
