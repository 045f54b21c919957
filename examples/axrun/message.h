/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * What axrun tells its user: why it gives up, and the log.
 *
 * Functions that fail call fail() and return -1; main() prints the one message at the end.
 */
#ifndef AXRUN_MESSAGE_H
#define AXRUN_MESSAGE_H

#include <stdbool.h>

#include <axvcpu/axvcpu.h>

/* Notes the reason of a failure, unless there is one already. Returns -1. Any thread. */
int fail(const char *fmt, ...) AXVCPU_PRINTF(1, 2);

/* The reason noted; NULL if none. Not while vCPUs run. */
const char *failure(void);

/* Replaces what could disturb a terminal or make two lines of one. */
void make_printable(char *text);

/* From which severity up messages are printed; 0: none. Returns what it was. */
int log_set_level(int level);

/* Whether messages of that severity are printed. */
bool log_wants(enum axvcpu_log_level level);

/* Prints a message on stderr if its severity is wanted. */
void log_message(enum axvcpu_log_level level, const char *fmt, ...) AXVCPU_PRINTF(2, 3);

/* The library's log hook. */
void log_hook(void *ctx, enum axvcpu_log_level level, const char *message);

#endif
