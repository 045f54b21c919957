/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Writes one JSON object on one line, in ASCII. */
#ifndef AXRUN_JSON_H
#define AXRUN_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *file;
	/* The next member needs a comma before it. */
	bool comma;
};

/* Begins the document, which is an object; json_end() ends it. */
void json_start(struct json *json, FILE *file);

/* Begins an object as a member; json_end() ends it. */
void json_object(struct json *json, const char *name);
void json_end(struct json *json);

void json_bool(struct json *json, const char *name, bool value);
void json_number(struct json *json, const char *name, uint64_t value);
void json_real(struct json *json, const char *name, double value);

/* Writes a string: JSON numbers are not wide enough for addresses and registers. */
void json_hex(struct json *json, const char *name, uint64_t value);

/* Expects UTF-8; malformed parts are replaced by U+FFFD. */
void json_string(struct json *json, const char *name, const char *value);

#endif
