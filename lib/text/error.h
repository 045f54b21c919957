/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Failure messages: their number, to see whether a hook has left one; the latest one. */
#ifndef LIB_TEXT_ERROR_H
#define LIB_TEXT_ERROR_H

/* Number of calls of axvcpu_fail() in this thread. */
extern _Thread_local unsigned int axv_error_count;

/* Keeps the message of a failure, which undoing would replace if it fails, too. */
void axv_error_keep(char message[256]);

#endif
