/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The failure message, as the rest of lib/ counts it. */
#ifndef LIB_TEXT_ERROR_H
#define LIB_TEXT_ERROR_H

/* Messages that axvcpu_fail() has left in this thread. */
extern _Thread_local unsigned int axv_error_count;

#endif
