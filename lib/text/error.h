/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Counts failure messages, to see whether a hook has left one. */
#ifndef LIB_TEXT_ERROR_H
#define LIB_TEXT_ERROR_H

/* Number of calls of axvcpu_fail() in this thread. */
extern _Thread_local unsigned int axv_error_count;

#endif
