/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "unpack.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
/* Input is const. */
#define ZLIB_CONST
#include <zlib.h>

#include "bytes.h"
#include "message.h"

/* The header of a zboot image: where what it has packed begins, its length, how. */
#define ZBOOT_MAGIC "MZ\0\0zimg"
#define ZBOOT_HEADER_SIZE 56u
#define ZBOOT_PAYLOAD 8u
#define ZBOOT_PAYLOAD_SIZE 12u
#define ZBOOT_COMPRESSION 24u
#define ZBOOT_COMPRESSION_MAX 32u

static const uint8_t gzip_magic[] = { 0x1f, 0x8b, Z_DEFLATED };

static bool is_zboot(const uint8_t *bytes, size_t size)
{
	return size >= ZBOOT_HEADER_SIZE && !memcmp(bytes, ZBOOT_MAGIC, sizeof(ZBOOT_MAGIC) - 1);
}

static bool is_gzip(const uint8_t *bytes, size_t size)
{
	return size >= sizeof(gzip_magic) && !memcmp(bytes, gzip_magic, sizeof(gzip_magic));
}

bool unpack_is(const uint8_t *bytes, size_t size)
{
	return is_gzip(bytes, size) || is_zboot(bytes, size);
}

/* --- gzip ------------------------------------------------------------------------------------- */

static int explain(int err, const z_stream *stream, uint64_t max, const char *name)
{
	if (err == Z_BUF_ERROR && !stream->avail_out)
		return fail("%s: unpacks to more than 0x%" PRIx64
			    " bytes, and does not fit; see --memory",
			    name, max);
	if (err == Z_BUF_ERROR)
		return fail("%s: truncated: it ends within its compressed data", name);
	if (err == Z_MEM_ERROR)
		return fail("%s: no memory to unpack it", name);
	return fail("%s: its compressed data are damaged: %s", name,
		    stream->msg ? stream->msg : zError(err));
}

/* Returns 0 and in `*len` how much it is, or -1 after fail(). */
static int inflate_all(const struct image *image, uint8_t *to, size_t *len, const char *name)
{
	z_stream stream = {
		.next_in = image->bytes,
		.avail_in = (uInt)image->size,
		.next_out = to,
		.avail_out = (uInt)image->unpack_max,
	};
	/* The largest window, and a header and trailer of gzip. */
	int err = inflateInit2(&stream, 15 + 16);

	if (err != Z_OK)
		return explain(err, &stream, image->unpack_max, name);
	err = inflate(&stream, Z_FINISH);
	if (err != Z_STREAM_END)
		explain(err, &stream, image->unpack_max, name);
	*len = stream.total_out;
	inflateEnd(&stream);
	return err == Z_STREAM_END ? 0 : -1;
}

/* How long it will be is not known; what is not written takes no room, and is given back. */
static int unpack_gzip(struct image *image, const char *name)
{
	struct file *to = &image->unpacked;
	uint8_t *data;
	size_t len = 0;

	data = mmap(NULL, image->unpack_max, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (data == MAP_FAILED)
		return fail("%s: no memory to unpack it: %s", name, strerror(errno));
	*to = (struct file){ .name = name, .data = data, .size = image->unpack_max };
	if (inflate_all(image, data, &len, name))
		return -1;
	if (!len)
		return fail("%s: there is nothing in it", name);
	if (mremap(data, to->size, len, 0) == MAP_FAILED)
		return fail("%s: cannot unpack it: %s", name, strerror(errno));
	to->size = len;
	image->bytes = to->data;
	image->size = len;
	return 0;
}

/* --- zboot ------------------------------------------------------------------------------------ */

static int open_zboot(struct image *image, const char *name)
{
	const char *compression = (const char *)image->bytes + ZBOOT_COMPRESSION;
	uint64_t payload = bytes_get(image->bytes + ZBOOT_PAYLOAD, 4);
	uint64_t size = bytes_get(image->bytes + ZBOOT_PAYLOAD_SIZE, 4);

	if (strncmp(compression, "gzip", ZBOOT_COMPRESSION_MAX) != 0)
		return fail("%s: a kernel compressed by %.*s; axrun knows gzip only", name,
			    (int)ZBOOT_COMPRESSION_MAX, compression);
	if (payload > image->size || size > image->size - payload)
		return fail("%s: truncated: its compressed kernel is beyond the end of the file",
			    name);
	image->bytes += payload;
	image->size = size;
	if (!is_gzip(image->bytes, image->size))
		return fail("%s: what it says to be compressed by gzip is not", name);
	return 0;
}

int unpack(struct image *image, const char *name)
{
	if (is_zboot(image->bytes, image->size) && open_zboot(image, name))
		return -1;
	return unpack_gzip(image, name);
}
