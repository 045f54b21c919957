/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "lib/host/transfer.h"

#include <errno.h>

#include "lib/host/sys.h"

/* Linux transfers less than 2 GiB at a time. */
static size_t piece(uint64_t len)
{
	return len < INT32_MAX / 2 ? (size_t)len : INT32_MAX / 2;
}

int axv_read_at(int fd, void *buf, uint64_t len, uint64_t offset)
{
	unsigned char *at = buf;

	while (len) {
		const int ret = axv_sys_pread(fd, at, piece(len), offset);

		if (ret <= 0)
			return ret ? ret : -EIO;
		at += ret;
		offset += (uint64_t)ret;
		len -= (uint64_t)ret;
	}
	return 0;
}

int axv_write_at(int fd, const void *buf, uint64_t len, uint64_t offset)
{
	const unsigned char *at = buf;

	while (len) {
		const int ret = axv_sys_pwrite(fd, at, piece(len), offset);

		if (ret <= 0)
			return ret ? ret : -EIO;
		at += ret;
		offset += (uint64_t)ret;
		len -= (uint64_t)ret;
	}
	return 0;
}
