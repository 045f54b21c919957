/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* What is found out, for a person and for a program. */
#ifndef INFO_REPORT_H
#define INFO_REPORT_H

#include <stdio.h>

#include "info.h"

void report_text(const struct info *info, FILE *file);
/* One line. docs/info.md has the names. */
void report_json(const struct info *info, FILE *file);
/* The word on stdout; on stderr the reason if it is not "fast". */
void report_speed(const struct info *info);

#endif
