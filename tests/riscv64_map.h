/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* riscv64: addresses for the guests of the riscv64 suites, in C and in riscv64_programs.S. */
#ifndef TESTS_RISCV64_MAP_H
#define TESTS_RISCV64_MAP_H

/* A guest-virtual address that only tables lead to. */
#define GUEST_ALIAS 0xffffffc000012340

/* Kinds of commands of "aia". */
#define GUEST_AIA_READ 0
#define GUEST_AIA_WRITE 1
#define GUEST_AIA_GET 2
#define GUEST_AIA_SET 3

#endif
