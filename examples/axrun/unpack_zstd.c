/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include <config.h>

#include "unpack.h"

#ifdef HAVE_LIBZSTD

#include <zstd.h>
#include <zstd_errors.h>

/*
 * Single-pass decompression: the output buffer is the window, so no further memory needs a limit.
 */
static enum unpack_result decompress(struct unpack_job *job)
{
	size_t frame = ZSTD_findFrameCompressedSize(job->in, job->in_len), len;

	len = ZSTD_isError(frame) ? frame : ZSTD_decompress(job->out, job->max, job->in, frame);
	if (!ZSTD_isError(len)) {
		job->out_len = len;
		return UNPACK_DONE;
	}
	switch (ZSTD_getErrorCode(len)) {
	case ZSTD_error_srcSize_wrong:
		return UNPACK_TRUNCATED;
	case ZSTD_error_dstSize_tooSmall:
		return UNPACK_TOO_LARGE;
	case ZSTD_error_memory_allocation:
		return UNPACK_NO_MEMORY;
	default:
		job->why = ZSTD_getErrorName(len);
		return UNPACK_DAMAGED;
	}
}

#else
#define decompress NULL
#endif

const struct unpack_format unpack_zstd = {
	.name = "zstd",
	.library = "libzstd",
	.magic = { 0x28, 0xb5, 0x2f, 0xfd },
	.magic_len = 4,
	.unpack = decompress,
};
