/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The zero page (struct boot_params), which Linux's 64-bit entry expects at rsi. The command line
 * is in the next page.
 */
#ifndef AXRUN_ZEROPAGE_H
#define AXRUN_ZEROPAGE_H

#include <stdint.h>

#include "image.h"
#include "layout.h"

/* Fills the page at layout->page_gpa; `rsdp` is the address of the ACPI root pointer. */
void zeropage_fill(uint8_t page[GUEST_PAGE_SIZE], const struct image *image,
		   const struct layout *layout, uint64_t rsdp);

#endif
