/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "unpack.h"

/* Declares next_in as const. */
#define ZLIB_CONST
#include <zlib.h>

static enum unpack_result result_of(int err, const z_stream *stream, struct unpack_job *job)
{
	switch (err) {
	case Z_STREAM_END:
		job->out_len = stream->total_out;
		return UNPACK_DONE;
	case Z_BUF_ERROR:
		return stream->avail_out ? UNPACK_TRUNCATED : UNPACK_TOO_LARGE;
	case Z_MEM_ERROR:
		return UNPACK_NO_MEMORY;
	}
	job->why = stream->msg ? stream->msg : zError(err);
	return UNPACK_DAMAGED;
}

/* A file has at most 1 GiB, and so do its contents: see file.h. */
static enum unpack_result inflate_all(struct unpack_job *job)
{
	z_stream stream = {
		.next_in = job->in,
		.avail_in = (uInt)job->in_len,
		.next_out = job->out,
		.avail_out = (uInt)job->max,
	};
	enum unpack_result result;
	/* The largest window, with a gzip header and trailer. */
	int err = inflateInit2(&stream, 15 + 16);

	if (err == Z_OK)
		err = inflate(&stream, Z_FINISH);
	result = result_of(err, &stream, job);
	inflateEnd(&stream);
	return result;
}

const struct unpack_format unpack_gzip = {
	.name = "gzip",
	.library = "zlib",
	.magic = { 0x1f, 0x8b, Z_DEFLATED },
	.magic_len = 3,
	.unpack = inflate_all,
};
