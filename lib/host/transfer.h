/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Reads and writes of a file at an offset, of any length. */
#ifndef LIB_TRANSFER_H
#define LIB_TRANSFER_H

#include <stdint.h>

/* Return 0 or a negative errno; -EIO: the file ends before, or takes no more bytes. */
int axv_read_at(int fd, void *buf, uint64_t len, uint64_t offset);
int axv_write_at(int fd, const void *buf, uint64_t len, uint64_t offset);

#endif
