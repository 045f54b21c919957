/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "message.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Guarded by `lock`. */
static char reason[1024];
static int log_level;

void make_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

/* Long text, for example with a long file name, is cut in the middle: its end has the reason. */
static AXVCPU_PRINTF(1, 0) void note(const char *fmt, va_list args)
{
	const size_t half = sizeof(reason) / 2;
	va_list again;
	char *whole;
	int len;

	va_copy(again, args);
	len = vsnprintf(reason, sizeof(reason), fmt, args);
	whole = len < (int)sizeof(reason) ? NULL : malloc((size_t)len + 1);
	if (whole) {
		vsnprintf(whole, (size_t)len + 1, fmt, again);
		memcpy(reason + half - 3, "...", 3);
		memcpy(reason + half, whole + (size_t)len + 1 - half, half);
		free(whole);
	}
	va_end(again);
	make_printable(reason);
}

int fail(const char *fmt, ...)
{
	va_list args;

	pthread_mutex_lock(&lock);
	if (!reason[0]) {
		va_start(args, fmt);
		note(fmt, args);
		va_end(args);
	}
	pthread_mutex_unlock(&lock);
	return -1;
}

const char *failure(void)
{
	return reason[0] ? reason : NULL;
}

int log_set_level(int level)
{
	int old = log_level;

	log_level = level;
	return old;
}

bool log_wants(enum axvcpu_log_level level)
{
	return (int)level <= log_level;
}

static const char *level_name(enum axvcpu_log_level level)
{
	switch (level) {
	case AXVCPU_LOG_ERROR:
		return "error";
	case AXVCPU_LOG_WARNING:
		return "warning";
	case AXVCPU_LOG_INFO:
		return "info";
	case AXVCPU_LOG_DEBUG:
		return "debug";
	}
	return "log";
}

void log_hook(void *ctx, enum axvcpu_log_level level, const char *message)
{
	(void)ctx;
	if (log_wants(level))
		fprintf(stderr, "axrun: %s: %s\n", level_name(level), message);
}

void log_message(enum axvcpu_log_level level, const char *fmt, ...)
{
	char text[512];
	va_list args;

	if (!log_wants(level))
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_hook(NULL, level, text);
}
