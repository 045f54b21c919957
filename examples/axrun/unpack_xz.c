/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include <config.h>

#include "unpack.h"

#ifdef HAVE_LIBLZMA

#include <lzma.h>

/* The file chooses the size of the dictionary. Kernels use 128 MiB. */
#define MEMORY_MAX (UINT64_C(256) << 20)

static enum unpack_result result_of(lzma_ret err, const lzma_stream *stream, struct unpack_job *job)
{
	switch (err) {
	case LZMA_STREAM_END:
		job->out_len = stream->total_out;
		return UNPACK_DONE;
	case LZMA_BUF_ERROR:
		return stream->avail_out ? UNPACK_TRUNCATED : UNPACK_TOO_LARGE;
	case LZMA_MEM_ERROR:
		return UNPACK_NO_MEMORY;
	case LZMA_MEMLIMIT_ERROR:
		job->why = "a dictionary of more than 256 MiB";
		return UNPACK_DAMAGED;
	case LZMA_OPTIONS_ERROR:
		job->why = "filters that this liblzma does not support";
		return UNPACK_DAMAGED;
	default:
		job->why = "not valid xz data";
		return UNPACK_DAMAGED;
	}
}

static enum unpack_result decode(struct unpack_job *job)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_ret err = lzma_stream_decoder(&stream, MEMORY_MAX, 0);
	enum unpack_result result;

	stream.next_in = job->in;
	stream.avail_in = job->in_len;
	stream.next_out = job->out;
	stream.avail_out = job->max;
	while (err == LZMA_OK)
		err = lzma_code(&stream, LZMA_FINISH);
	result = result_of(err, &stream, job);
	lzma_end(&stream);
	return result;
}

#else
#define decode NULL
#endif

const struct unpack_format unpack_xz = {
	.name = "xz",
	.library = "liblzma",
	.magic = { 0xfd, '7', 'z', 'X', 'Z', 0 },
	.magic_len = 6,
	.unpack = decode,
};
