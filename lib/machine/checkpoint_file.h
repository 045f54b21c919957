/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The format of a checkpoint file, all numbers little-endian; docs/checkpoints.md describes it.
 *
 *    header    sections, to 8 bytes each    zeros to FILE_ALIGNMENT    memory
 */
#ifndef LIB_MACHINE_CHECKPOINT_FILE_H
#define LIB_MACHINE_CHECKPOINT_FILE_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "axvcpu/arch.h"
#include "lib/host/sys.h"
#include "lib/machine/checkpoint.h"

#define FILE_MAGIC "axvmckpt"
#define FILE_VERSION 1u
/* Of the memory: a multiple of the page size of every host. */
#define FILE_ALIGNMENT 0x10000u
/* The largest size of all sections. They have 16 bytes for each run of pages. */
#define FILE_SECTIONS_MAX 0x10000000u

struct axv_file_header {
	char magic[8];
	uint32_t version;
	/* Checksum of the header, with zero in this place. */
	uint32_t crc;
	/* Name of the backend. */
	char arch[AXVCPU_SAVED_NAME];
	/* Bytes of the file. */
	uint64_t size;
	/* Bytes of all sections. */
	uint64_t sections;
	/* Offset of the memory. */
	uint64_t memory;
	uint32_t page_size;
	uint32_t zero;
};

struct axv_file_section {
	char name[AXVCPU_SAVED_NAME];
	uint32_t version;
	/* AXVCPU_SECTION_* */
	uint32_t flags;
	/* Bytes that follow, without the padding. */
	uint32_t len;
	/* Checksum of the section and its padding, with zero in this place. */
	uint32_t crc;
};

/* The section "vm". */
struct axv_file_vm {
	uint32_t irqchip;
	/* The members of struct axvm_clock. */
	uint32_t clock_flags;
	uint64_t counter;
	uint64_t counter_hz;
	uint64_t counter_offset;
	uint64_t physical_counter;
	uint64_t kvmclock_ns;
	uint64_t realtime_ns;
};

/* A section "vcpu" begins with this, the saved state follows. */
struct axv_file_vcpu {
	uint32_t id;
	uint32_t zero;
};

/* A section "device" begins with this, the state follows. */
struct axv_file_device {
	char name[AXVM_DEVICE_NAME_SIZE];
	uint32_t version;
	uint32_t zero;
};

_Static_assert(sizeof(struct axv_file_header) == 64 && sizeof(struct axv_file_section) == 32 &&
		       sizeof(struct axv_file_vm) == 56 && sizeof(struct axv_file_device) == 72,
	       "no padding, and a multiple of 8");

/* The size of a section's content with its padding. */
static inline uint64_t axv_file_padded(uint64_t len)
{
	return (len + 7) & ~UINT64_C(7);
}

/* The offset of the memory. */
static inline uint64_t axv_file_memory(uint64_t sections)
{
	return (sizeof(struct axv_file_header) + sections + FILE_ALIGNMENT - 1) / FILE_ALIGNMENT *
	       FILE_ALIGNMENT;
}

/* Whether the name of a device is one, and can be shown on any terminal: printable ASCII. */
static inline bool axv_file_is_device_name(const char name[AXVM_DEVICE_NAME_SIZE])
{
	const size_t len = strnlen(name, AXVM_DEVICE_NAME_SIZE);

	if (!len || len == AXVM_DEVICE_NAME_SIZE)
		return false;
	for (size_t i = 0; i < len; i++)
		if (name[i] < 0x20 || name[i] > 0x7e)
			return false;
	return true;
}

/* Returns the facts about a descriptor, which must be of a file. */
static inline int axv_file_stat(int fd, struct stat *st)
{
	int ret = axv_sys_fstat(fd, st);

	if (ret)
		return axvcpu_fail(NULL, ret, "checkpoint: fstat of descriptor %d", fd);
	if (S_ISREG(st->st_mode))
		return 0;
	if (S_ISFIFO(st->st_mode) || S_ISSOCK(st->st_mode) || S_ISCHR(st->st_mode))
		ret = -ESPIPE;
	return axvcpu_fail(NULL, ret ? ret : -EINVAL,
			   "checkpoint: descriptor %d is not a regular file or a memfd", fd);
}

#endif
