/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* x86_64: constants of mkelf's images. */
#ifndef TESTS_IMAGE_ARCH_H
#define TESTS_IMAGE_ARCH_H

#define IMAGE_MACHINE EM_X86_64

/* Where memory begins. */
#define IMAGE_RAM UINT64_C(0)

/* mov al, 42; out 0xf4, al; hlt: the same bytes in every mode. */
#define IMAGE_CODE 0xb0, 0x2a, 0xe6, 0xf4, 0xf4

#endif
