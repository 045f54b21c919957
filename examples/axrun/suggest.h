/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* What somebody may have meant who typed an option that there is not. */
#ifndef AXRUN_SUGGEST_H
#define AXRUN_SUGGEST_H

#include <getopt.h>

/* fail() for "--..." that getopt_long() has refused for these options. Returns -1. */
int suggest_option(const struct option *options, const char *arg);

#endif
