/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "lib/text/text.h"

#include <stdarg.h>
#include <stdio.h>

void axv_text_add(struct axv_text *text, const char *fmt, ...)
{
	size_t at = text->used < text->len ? text->used : text->len;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text->len ? text->buf + at : NULL, text->len - at, fmt, args);
	va_end(args);
	if (n > 0)
		text->used += (size_t)n;
}
