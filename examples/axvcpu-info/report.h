/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The report as text and as JSON. */
#ifndef INFO_REPORT_H
#define INFO_REPORT_H

#include <stdio.h>

#include "info.h"

void report_text(const struct info *info, FILE *file);
/* One line. docs/info.md describes the members. */
void report_json(const struct info *info, FILE *file);
/* Prints the word on stdout; if it is not "fast", the reason on stderr. */
void report_speed(const struct info *info);

#endif
