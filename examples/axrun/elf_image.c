/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "elf_image.h"

#include <elf.h>
#include <inttypes.h>
#include <string.h>

#include <axvcpu/axvcpu.h>

#include "bytes.h"
#include "message.h"

/* The fields that are used, for both classes. */
struct elf_header {
	bool is64;
	uint16_t type;
	uint16_t machine;
	uint32_t version;
	uint64_t entry;
	uint64_t phoff;
	uint16_t phentsize;
	uint16_t phnum;
};

struct elf_segment {
	uint32_t type;
	uint64_t offset;
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t filesz;
	uint64_t memsz;
	uint64_t align;
};

bool elf_is(const uint8_t *bytes, size_t size)
{
	return size >= SELFMAG && !memcmp(bytes, ELFMAG, SELFMAG);
}

static bool in_file(const struct image *image, uint64_t offset, uint64_t len)
{
	return offset <= image->size && len <= image->size - offset;
}

/* Fields in a file may be unaligned, so they are copied. The caller has checked the bounds. */
#define READ_HEADER(bits) \
	do { \
		Elf##bits##_Ehdr raw; \
		memcpy(&raw, image->bytes, sizeof(raw)); \
		header->type = raw.e_type; \
		header->machine = raw.e_machine; \
		header->version = raw.e_version; \
		header->entry = raw.e_entry; \
		header->phoff = raw.e_phoff; \
		header->phentsize = raw.e_phentsize; \
		header->phnum = raw.e_phnum; \
	} while (0)

#define READ_SEGMENT(bits) \
	do { \
		Elf##bits##_Phdr raw; \
		memcpy(&raw, image->bytes + offset, sizeof(raw)); \
		segment->type = raw.p_type; \
		segment->offset = raw.p_offset; \
		segment->vaddr = raw.p_vaddr; \
		segment->paddr = raw.p_paddr; \
		segment->filesz = raw.p_filesz; \
		segment->memsz = raw.p_memsz; \
		segment->align = raw.p_align; \
	} while (0)

/*
 * Returns false if the file ends within the header. The caller has checked EI_NIDENT bytes and the
 * class.
 */
static bool read_fields(const struct image *image, struct elf_header *header)
{
	header->is64 = image->bytes[EI_CLASS] == ELFCLASS64;
	if (image->size < (header->is64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr)))
		return false;
	if (header->is64)
		READ_HEADER(64);
	else
		READ_HEADER(32);
	return true;
}

static int read_header(const struct image *image, struct elf_header *header, const char *name)
{
	const uint8_t *ident = image->bytes;

	if (image->size < EI_NIDENT)
		return fail("%s: truncated: it ends within the ELF header", name);
	if (ident[EI_CLASS] != ELFCLASS64 && ident[EI_CLASS] != ELFCLASS32)
		return fail("%s: ELF class %u is neither 32 nor 64 bits", name, ident[EI_CLASS]);
	if (ident[EI_DATA] != ELFDATA2LSB)
		return fail("%s: not a little-endian ELF image", name);
	if (!read_fields(image, header))
		return fail("%s: truncated: it ends within the ELF header", name);
	if (ident[EI_VERSION] != EV_CURRENT || header->version != EV_CURRENT)
		return fail("%s: ELF version %" PRIu32 " is unknown", name, header->version);
	return 0;
}

static int check_type(const struct elf_header *header, const char *name)
{
	switch (header->type) {
	case ET_EXEC:
		return 0;
	case ET_DYN:
		return fail("%s: position-independent or a shared library; link the guest with "
			    "-static -no-pie",
			    name);
	case ET_REL:
		return fail("%s: an object file; link it first", name);
	case ET_CORE:
		return fail("%s: a core dump, not a program", name);
	}
	return fail("%s: ELF type %u is not a program", name, header->type);
}

static size_t segment_size(const struct elf_header *header)
{
	return header->is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
}

static int check_header(const struct image *image, const struct elf_header *header,
			const struct platform *platform, const char *name)
{
	uint16_t machine = header->is64 ? platform->elf64_machine : platform->elf32_machine;
	size_t phentsize = segment_size(header);

	if (header->machine != machine)
		return fail("%s: for another machine: ELF machine %u, but this host (%s) needs %u "
			    "in a %d-bit image",
			    name, header->machine, platform->name, machine, header->is64 ? 64 : 32);
	if (check_type(header, name))
		return -1;
	if (header->phnum == 0)
		return fail("%s: no program headers, so there is nothing to load", name);
	if (header->phentsize != phentsize)
		return fail("%s: program headers of %u bytes instead of %zu", name,
			    header->phentsize, phentsize);
	if (!in_file(image, header->phoff, (uint64_t)header->phnum * phentsize))
		return fail("%s: truncated: its program headers are beyond the end of the file",
			    name);
	return 0;
}

static void read_segment(const struct image *image, const struct elf_header *header, unsigned int n,
			 struct elf_segment *segment)
{
	uint64_t offset = header->phoff + (uint64_t)n * header->phentsize;

	if (header->is64)
		READ_SEGMENT(64);
	else
		READ_SEGMENT(32);
}

static int check_overlap(const struct image *image, const struct elf_segment *segment,
			 unsigned int n, const char *name)
{
	size_t i;

	for (i = 0; i < image->nsegments; i++) {
		const struct image_segment *other = &image->segments[i];

		if (segment->paddr < other->gpa + other->memsz &&
		    other->gpa < segment->paddr + segment->memsz)
			return fail("%s: program header %u overlaps the segment at 0x%" PRIx64,
				    name, n, other->gpa);
	}
	return 0;
}

static int add_segment(struct image *image, const struct elf_segment *segment, unsigned int n,
		       const char *name)
{
	if (segment->memsz == 0 && segment->filesz == 0)
		return 0;
	if (segment->filesz > segment->memsz)
		return fail("%s: program header %u has more bytes in the file than in memory", name,
			    n);
	if (!in_file(image, segment->offset, segment->filesz))
		return fail("%s: truncated: program header %u is beyond the end of the file", name,
			    n);
	if (segment->paddr > UINT64_MAX - segment->memsz ||
	    segment->vaddr > UINT64_MAX - segment->memsz)
		return fail("%s: program header %u wraps around the address space", name, n);
	if (check_overlap(image, segment, n, name))
		return -1;
	if (image->nsegments == IMAGE_SEGMENTS)
		return fail("%s: more than %d segments", name, IMAGE_SEGMENTS);
	image->segments[image->nsegments++] = (struct image_segment){
		.gpa = segment->paddr,
		.memsz = segment->memsz,
		.data = image->bytes + segment->offset,
		.filesz = segment->filesz,
	};
	return 0;
}

/* Returns false if the entry is not in that segment. */
static bool find_entry(const struct elf_header *header, const struct elf_segment *segment,
		       enum elf_entry kind, uint64_t *entry)
{
	uint64_t base = kind == ELF_ENTRY_PHYSICAL ? segment->paddr : segment->vaddr;

	if (header->entry < base || header->entry - base >= segment->memsz)
		return false;
	/* Paging is off at the entry: use the physical address. */
	*entry = header->entry - base + segment->paddr;
	return true;
}

int elf_parse(struct image *image, const struct platform *platform, const char *name,
	      enum elf_entry entry)
{
	struct elf_header header = { 0 };
	struct elf_segment segment;
	bool entry_found = entry == ELF_ENTRY_IGNORED;
	unsigned int n;

	if (read_header(image, &header, name) || check_header(image, &header, platform, name))
		return -1;
	for (n = 0; n < header.phnum; n++) {
		read_segment(image, &header, n, &segment);
		if (segment.type == PT_INTERP || segment.type == PT_DYNAMIC)
			return fail("%s: dynamically linked; link the guest with "
				    "-static -no-pie",
				    name);
		if (segment.type != PT_LOAD)
			continue;
		if (add_segment(image, &segment, n, name))
			return -1;
		entry_found |= find_entry(&header, &segment, entry, &image->entry);
	}
	if (image->nsegments == 0)
		return fail("%s: no loadable segment", name);
	if (!entry_found)
		return fail("%s: its entry 0x%" PRIx64 " is outside of its segments", name,
			    header.entry);
	image->mode = header.is64 ? AXVCPU_MODE_64 : AXVCPU_MODE_32;
	return 0;
}

/* --- notes ------------------------------------------------------------------------------------ */

/* Rounds up to the alignment of notes. The sum of two lengths in a file does not overflow. */
static uint64_t padded(uint64_t len, uint64_t align)
{
	return (len + align - 1) & ~(align - 1);
}

/* Searches a segment that lies within the file. */
static bool find_in_segment(const uint8_t *bytes, const struct elf_segment *segment, uint64_t align,
			    const char *owner, uint32_t type, uint64_t *value)
{
	const uint8_t *notes = bytes + segment->offset;
	uint64_t at = 0;

	while (segment->filesz - at >= sizeof(Elf32_Nhdr)) {
		uint64_t namesz = bytes_get(notes + at, 4);
		uint64_t descsz = bytes_get(notes + at + 4, 4);
		uint64_t name = at + sizeof(Elf32_Nhdr);
		uint64_t desc = padded(name + namesz, align);
		uint64_t next = padded(desc + descsz, align);

		/* The last note may lack its padding. */
		if (desc + descsz > segment->filesz)
			return false;
		if (bytes_get(notes + at + 8, 4) == type && namesz == strlen(owner) + 1 &&
		    !memcmp(notes + name, owner, namesz) && (descsz == 4 || descsz == 8)) {
			*value = bytes_get(notes + desc, (unsigned int)descsz);
			return true;
		}
		if (next > segment->filesz)
			return false;
		at = next;
	}
	return false;
}

/* Like check_header(), but without a message: an unreadable file is not an error here. */
static bool has_segments(const struct image *image, struct elf_header *header)
{
	const uint8_t *ident = image->bytes;

	return image->size >= EI_NIDENT &&
	       (ident[EI_CLASS] == ELFCLASS64 || ident[EI_CLASS] == ELFCLASS32) &&
	       ident[EI_DATA] == ELFDATA2LSB && read_fields(image, header) &&
	       header->phentsize == segment_size(header) &&
	       in_file(image, header->phoff, (uint64_t)header->phnum * header->phentsize);
}

bool elf_find_note(const uint8_t *bytes, size_t size, const char *owner, uint32_t type,
		   uint64_t *value)
{
	const struct image image = { .bytes = bytes, .size = size };
	struct elf_header header = { 0 };
	struct elf_segment segment;
	/*
	 * Limits the work: notes do not overlap, so together they are no longer than the file.
	 * Without a limit, tens of thousands of headers that name the same notes would take
	 * minutes.
	 */
	uint64_t left = size;
	unsigned int n;

	if (!has_segments(&image, &header))
		return false;
	for (n = 0; n < header.phnum; n++) {
		read_segment(&image, &header, n, &segment);
		if (segment.type != PT_NOTE || !in_file(&image, segment.offset, segment.filesz))
			continue;
		if (segment.filesz > left)
			return false;
		left -= segment.filesz;
		/* Most notes are padded to 4 bytes, even in a segment that is aligned to 8. */
		if ((segment.align == 8 &&
		     find_in_segment(bytes, &segment, 8, owner, type, value)) ||
		    find_in_segment(bytes, &segment, 4, owner, type, value))
			return true;
	}
	return false;
}
