/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Text that is put together in a caller's buffer, piece by piece. */
#ifndef LIB_TEXT_TEXT_H
#define LIB_TEXT_TEXT_H

#include <stddef.h>

#include "axvcpu/error.h"

/* 'used' also counts bytes that did not fit, as snprintf(). 'buf' may be NULL if 'len' is 0. */
struct axv_text {
	char *buf;
	size_t len;
	size_t used;
};

void axv_text_add(struct axv_text *text, const char *fmt, ...) AXVCPU_PRINTF(2, 3);

#endif
