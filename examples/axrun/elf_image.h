/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* ELF images, of 64 and 32 bits. */
#ifndef AXRUN_ELF_IMAGE_H
#define AXRUN_ELF_IMAGE_H

#include <stdbool.h>

#include "image.h"

/* What the header's entry is. */
enum elf_entry {
	/* A virtual address: that of a segment says where it is. */
	ELF_ENTRY_VIRTUAL,
	/* A physical address. */
	ELF_ENTRY_PHYSICAL,
	/* Nothing that matters. */
	ELF_ENTRY_IGNORED,
};

/* Whether the bytes say that they are one. */
bool elf_is(const uint8_t *bytes, size_t size);

/*
 * Fills the segments, the entry and the mode from the file; name is for messages. Returns 0, or -1
 * after fail().
 */
int elf_parse(struct image *image, const struct platform *platform, const char *name,
	      enum elf_entry entry);

/*
 * Looks for a note of that owner and type with a number in it, of 4 or 8 bytes. False: there is none, or
 * the file is broken, or it names more bytes of notes than it has.
 */
bool elf_find_note(const uint8_t *bytes, size_t size, const char *owner, uint32_t type,
		   uint64_t *value);

#endif
