/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* riscv64: constants of mkelf's images. */
#ifndef TESTS_IMAGE_ARCH_H
#define TESTS_IMAGE_ARCH_H

#define IMAGE_MACHINE EM_RISCV

/* Where memory begins. */
#define IMAGE_RAM UINT64_C(0x80000000)

/* li a0, 42; lui a1, 0x10001; sb a0, 0(a1); j . */
#define IMAGE_CODE \
	0x13, 0x05, 0xa0, 0x02, 0xb7, 0x15, 0x00, 0x10, 0x23, 0x80, 0xa5, 0x00, 0x6f, 0x00, 0x00, \
		0x00

#endif
