/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* arm64: constants of mkelf's images. */
#ifndef TESTS_IMAGE_ARCH_H
#define TESTS_IMAGE_ARCH_H

#define IMAGE_MACHINE EM_AARCH64

/* Where memory begins. */
#define IMAGE_RAM UINT64_C(0x80000000)

/* mov w0, #42; mov w1, #0x10000000; orr w1, w1, #0x1000; strb w0, [x1]; b . */
#define IMAGE_CODE \
	0x40, 0x05, 0x80, 0x52, 0x01, 0x00, 0xa2, 0x52, 0x21, 0x00, 0x14, 0x32, 0x20, 0x00, 0x00, \
		0x39, 0x00, 0x00, 0x00, 0x14

#endif
