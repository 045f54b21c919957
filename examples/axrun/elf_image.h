/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* ELF images, of 64 and 32 bits. */
#ifndef AXRUN_ELF_IMAGE_H
#define AXRUN_ELF_IMAGE_H

#include <stdbool.h>

#include "image.h"

/* Meaning of the header's entry. */
enum elf_entry {
	/* A virtual address, translated by the segment that contains it. */
	ELF_ENTRY_VIRTUAL,
	/* A physical address. */
	ELF_ENTRY_PHYSICAL,
	/* Not used: the entry comes from elsewhere. */
	ELF_ENTRY_IGNORED,
};

/* Whether the bytes begin as an ELF image does. */
bool elf_is(const uint8_t *bytes, size_t size);

/*
 * Fills in segments, entry and mode from the file; `name` is for messages. Returns 0, or -1 after
 * fail().
 */
int elf_parse(struct image *image, const struct platform *platform, const char *name,
	      enum elf_entry entry);

/*
 * Finds a note of that owner and type that holds a number of 4 or 8 bytes. Returns false if there
 * is none, the file is malformed, or its note segments are longer than the file.
 */
bool elf_find_note(const uint8_t *bytes, size_t size, const char *owner, uint32_t type,
		   uint64_t *value);

#endif
