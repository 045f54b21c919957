/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Suggestions for a mistyped option. */
#ifndef AXRUN_SUGGEST_H
#define AXRUN_SUGGEST_H

#include <getopt.h>

/* Calls fail() for a "--..." argument that getopt_long() refused. Returns -1. */
int suggest_option(const struct option *options, const char *arg);

#endif
