/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * axrun's messages: the reason of a failure, and the log.
 *
 * Functions that fail call fail() and return -1; main() prints the message at the end.
 */
#ifndef AXRUN_MESSAGE_H
#define AXRUN_MESSAGE_H

#include <stdbool.h>

#include <axvcpu/axvcpu.h>

/* Records the reason of a failure, unless one is recorded already. Returns -1. Any thread. */
int fail(const char *fmt, ...) AXVCPU_PRINTF(1, 2);

/* The recorded reason, or NULL. Not while vCPUs run. */
const char *failure(void);

/* Replaces control characters, which could disturb a terminal or split a line. */
void make_printable(char *text);

/* Sets the lowest severity that is printed; 0: none. Returns the previous level. */
int log_set_level(int level);

/* Whether messages of that severity are printed. */
bool log_wants(enum axvcpu_log_level level);

/* Prints a message on stderr if its severity is enabled. */
void log_message(enum axvcpu_log_level level, const char *fmt, ...) AXVCPU_PRINTF(2, 3);

/* The library's log hook. */
void log_hook(void *ctx, enum axvcpu_log_level level, const char *message);

#endif
