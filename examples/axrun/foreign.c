/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "foreign.h"

#include <stdbool.h>
#include <string.h>

#include "bytes.h"
#include "message.h"

#define PE_OFFSET 0x3cu

/* MAGIC(offset, string): includes embedded NULs, but not the final one. */
#define MAGIC(offset, text) offset, text, sizeof(text) - 1

static const struct {
	size_t offset;
	const char *magic;
	size_t len;
	const char *kind;
} magics[] = {
	{ MAGIC(0, "\x04\x22\x4d\x18"), "a file compressed with lz4" },
	{ MAGIC(0, "\x02\x21\x4c\x18"), "a file compressed with lz4" },
	{ MAGIC(0, "\x89LZO\0\r\n\x1a\n"), "a file compressed with lzop" },
	/* Follows "BZh" and a digit. */
	{ MAGIC(4, "1AY&SY"), "a file compressed with bzip2" },
	{ MAGIC(0, "PK\x03\x04"), "a zip archive" },
	{ MAGIC(0, "7z\xbc\xaf\x27\x1c"), "a 7z archive" },
	{ MAGIC(0, "!<arch>\n"), "an ar archive, such as a library or a Debian package" },
	{ MAGIC(0, "\xed\xab\xee\xdb"), "an RPM package" },
	{ MAGIC(257, "ustar"), "a tar archive" },
	{ MAGIC(0, "070701"), "a cpio archive, such as an initramfs" },
	{ MAGIC(0, "070702"), "a cpio archive, such as an initramfs" },
	{ MAGIC(0, "070707"), "a cpio archive, such as an initramfs" },
	{ MAGIC(0x8001, "CD001"), "an ISO 9660 image" },
	{ MAGIC(0, "hsqs"), "a SquashFS file system" },
	{ MAGIC(0, "QFI\xfb"), "a qcow2 disk image" },
	{ MAGIC(0, "\xd0\x0d\xfe\xed"), "a device tree" },
	{ MAGIC(0, "\x27\x05\x19\x56"), "a U-Boot image" },
	{ MAGIC(0, "#!"), "a script" },
};

/*
 * Streams of the lzma command: properties, a dictionary that is a multiple of 64 KiB, unknown
 * length.
 */
static bool is_lzma(const uint8_t *bytes, size_t size)
{
	return size >= 13 && !memcmp(bytes, "\x5d\0\0", 3) && bytes_get(bytes + 5, 8) == UINT64_MAX;
}

static bool is_pe(const uint8_t *bytes, size_t size)
{
	uint64_t header;

	if (size < PE_OFFSET + 4 || memcmp(bytes, "MZ", 2) != 0)
		return false;
	header = bytes_get(bytes + PE_OFFSET, 4);
	return header <= size - 4 && !memcmp(bytes + header, "PE\0\0", 4);
}

const char *foreign_kind(const uint8_t *bytes, size_t size)
{
	size_t i;

	for (i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (size >= magics[i].offset + magics[i].len &&
		    !memcmp(bytes + magics[i].offset, magics[i].magic, magics[i].len))
			return magics[i].kind;
	if (is_lzma(bytes, size))
		return "a file compressed with lzma";
	return is_pe(bytes, size) ? "a PE program (for EFI or Windows)" : NULL;
}

int foreign_refuse(const char *name, const char *kind)
{
	return fail("%s: %s is neither a guest program nor a Linux kernel that axrun knows", name,
		    kind);
}
