/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "unpack.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "bytes.h"
#include "message.h"

/* Header of a zboot image: offset, size and compression of the payload. */
#define ZBOOT_MAGIC "MZ\0\0zimg"
#define ZBOOT_HEADER_SIZE 56u
#define ZBOOT_PAYLOAD 8u
#define ZBOOT_PAYLOAD_SIZE 12u
#define ZBOOT_COMPRESSION 24u
#define ZBOOT_COMPRESSION_MAX 32u

static const struct unpack_format *const formats[] = { &unpack_gzip, &unpack_zstd, &unpack_xz };

static bool is_zboot(const uint8_t *bytes, size_t size)
{
	return size >= ZBOOT_HEADER_SIZE && !memcmp(bytes, ZBOOT_MAGIC, sizeof(ZBOOT_MAGIC) - 1);
}

static const struct unpack_format *find(const uint8_t *bytes, size_t size)
{
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (size >= formats[i]->magic_len &&
		    !memcmp(bytes, formats[i]->magic, formats[i]->magic_len))
			return formats[i];
	return NULL;
}

bool unpack_is(const uint8_t *bytes, size_t size)
{
	return find(bytes, size) || is_zboot(bytes, size);
}

static int explain(enum unpack_result result, const struct unpack_job *job, const char *name)
{
	switch (result) {
	case UNPACK_DONE:
		if (!job->out_len)
			return fail("%s: its compressed data are empty", name);
		return 0;
	case UNPACK_TRUNCATED:
		return fail("%s: truncated: the file ends within the compressed data", name);
	case UNPACK_TOO_LARGE:
		return fail("%s: unpacks to more than 0x%zx bytes, which do not fit; see --memory",
			    name, job->max);
	case UNPACK_NO_MEMORY:
		return fail("%s: out of memory while unpacking", name);
	case UNPACK_DAMAGED:
		break;
	}
	return fail("%s: its compressed data are damaged: %s", name, job->why);
}

/*
 * The final length is unknown: reserve the maximum. Unused pages take no memory and are unmapped
 * afterwards.
 */
static int unpack_data(struct image *image, const struct unpack_format *format, const char *name)
{
	struct file *to = &image->unpacked;
	struct unpack_job job = {
		.in = image->bytes,
		.in_len = image->size,
		.max = image->unpack_max,
	};

	if (!format->unpack)
		return fail("%s: compressed with %s, but this axrun was built without %s", name,
			    format->name, format->library);
	job.out = mmap(NULL, job.max, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (job.out == MAP_FAILED)
		return fail("%s: out of memory while unpacking: %s", name, strerror(errno));
	*to = (struct file){ .name = name, .data = job.out, .size = job.max };
	if (explain(format->unpack(&job), &job, name))
		return -1;
	if (mremap(job.out, job.max, job.out_len, 0) == MAP_FAILED)
		return fail("%s: cannot unpack it: %s", name, strerror(errno));
	to->size = job.out_len;
	image->bytes = to->data;
	image->size = to->size;
	return 0;
}

/*
 * The compression in the header is used for messages only; the data are identified by their magic.
 */
static int open_zboot(struct image *image, const char *name)
{
	const char *compression = (const char *)image->bytes + ZBOOT_COMPRESSION;
	uint64_t payload = bytes_get(image->bytes + ZBOOT_PAYLOAD, 4);
	uint64_t size = bytes_get(image->bytes + ZBOOT_PAYLOAD_SIZE, 4);

	if (payload > image->size || size > image->size - payload)
		return fail("%s: truncated: its compressed kernel is beyond the end of the file",
			    name);
	image->bytes += payload;
	image->size = size;
	if (!find(image->bytes, image->size))
		return fail(
			"%s: the kernel is compressed with %.*s; axrun supports gzip, zstd and xz",
			name, (int)ZBOOT_COMPRESSION_MAX, compression);
	return 0;
}

int unpack(struct image *image, const char *name)
{
	if (is_zboot(image->bytes, image->size) && open_zboot(image, name))
		return -1;
	return unpack_data(image, find(image->bytes, image->size), name);
}
