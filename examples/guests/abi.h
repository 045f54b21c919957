/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * What axrun and its guests agree on: the boot page and the devices. docs/guests.md is the prose.
 *
 * The guest finds the guest-physical address of the boot page in its first argument register.
 * Everything is little-endian. A later version only appends fields; `size` tells which there are.
 */
#ifndef GUEST_ABI_H
#define GUEST_ABI_H

#include <stdint.h>

/* "axguest\0", as the bytes lie in memory. */
#define GUEST_BOOT_MAGIC UINT64_C(0x0074736575677861)
#define GUEST_BOOT_VERSION 1u

#define GUEST_PAGE_SIZE 4096u
#define GUEST_RANGES 4

struct guest_range {
	uint64_t gpa;
	uint64_t size;
};

struct guest_boot {
	uint64_t magic;
	uint32_t version;
	/* Bytes of this structure. */
	uint32_t size;
	/* The arguments, joined by blanks: where in this page, how long without the final NUL. */
	uint32_t args_offset;
	uint32_t args_len;
	/* Used elements of `memory`. */
	uint32_t nranges;
	uint32_t reserved;
	/* Where the test device has its MMIO registers. */
	uint64_t test_gpa;
	/* Memory not to be overwritten: this page, the first stack, the first page tables. */
	struct guest_range boot;
	/* All memory, ascending; the guest's own image and `boot` lie in it. */
	struct guest_range memory[GUEST_RANGES];
};

/* What is left of the page for the arguments, with their final NUL. */
#define GUEST_ARGS_MAX (GUEST_PAGE_SIZE - sizeof(struct guest_boot))

/* The I/O ports of an x86_64 machine: an 8250, the exit device, the test device. */
#define GUEST_PORT_CONSOLE 0x3f8u
#define GUEST_PORT_EXIT 0xf4u
#define GUEST_PORT_TEST 0x500u

/* The test device: 8 KiB by MMIO, of which the first 32 bytes are also ports. */
#define GUEST_TEST_SIZE 0x2000u
#define GUEST_TEST_PORTS 0x20u

/* Its registers, by offset. All widths and alignments are allowed; bytes are little-endian. */
#define GUEST_TEST_ID 0x00u /* 4 bytes, read-only: GUEST_TEST_MAGIC */
#define GUEST_TEST_WIDTH 0x04u /* 4 bytes, read-only: width of the latest write in bytes */
#define GUEST_TEST_WRITES 0x08u /* 8 bytes, read-only: how many writes there were, this one too */
#define GUEST_TEST_SCRATCH 0x10u /* from here to the end: keeps what is written */

#define GUEST_TEST_MAGIC 0x54535854u /* "TXST" */

#endif
