/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "json.h"

#include <inttypes.h>

/*
 * Decodes one UTF-8 character and moves `*text` past it, by at least one byte. Returns U+FFFD for
 * malformed or overlong sequences, surrogates and values that are too large.
 */
static uint32_t take_utf8(const unsigned char **text)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = *text;
	uint32_t c = *p++;
	unsigned int more, i;

	*text = p;
	if (c < 0x80)
		return c;
	if (c < 0xc0 || c >= 0xf8)
		return 0xfffd;
	more = 1;
	if (c >= 0xe0)
		more = 2;
	if (c >= 0xf0)
		more = 3;
	c &= 0x3fu >> more;
	for (i = 0; i < more; i++, p++) {
		if ((*p & 0xc0) != 0x80)
			return 0xfffd;
		c = c << 6 | (*p & 0x3f);
	}
	if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0xfffd;
	*text = p;
	return c;
}

static void write_text(struct json *json, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	fputc('"', json->file);
	while (*p) {
		uint32_t c = take_utf8(&p);

		if (c == '"' || c == '\\')
			fprintf(json->file, "\\%c", (int)c);
		else if (c >= ' ' && c < 0x7f)
			fputc((int)c, json->file);
		else if (c < 0x10000)
			fprintf(json->file, "\\u%04" PRIx32, c);
		else
			fprintf(json->file, "\\u%04" PRIx32 "\\u%04" PRIx32,
				0xd800 + ((c - 0x10000) >> 10), 0xdc00 + (c & 0x3ff));
	}
	fputc('"', json->file);
}

static void write_name(struct json *json, const char *name)
{
	if (json->comma)
		fputs(", ", json->file);
	json->comma = true;
	write_text(json, name);
	fputs(": ", json->file);
}

void json_start(struct json *json, FILE *file)
{
	*json = (struct json){ .file = file };
	fputc('{', file);
}

void json_object(struct json *json, const char *name)
{
	write_name(json, name);
	fputc('{', json->file);
	json->comma = false;
}

void json_end(struct json *json)
{
	fputc('}', json->file);
	json->comma = true;
}

void json_bool(struct json *json, const char *name, bool value)
{
	write_name(json, name);
	fputs(value ? "true" : "false", json->file);
}

void json_number(struct json *json, const char *name, uint64_t value)
{
	write_name(json, name);
	fprintf(json->file, "%" PRIu64, value);
}

void json_real(struct json *json, const char *name, double value)
{
	write_name(json, name);
	fprintf(json->file, "%.6f", value);
}

void json_hex(struct json *json, const char *name, uint64_t value)
{
	write_name(json, name);
	fprintf(json->file, "\"0x%" PRIx64 "\"", value);
}

void json_string(struct json *json, const char *name, const char *value)
{
	write_name(json, name);
	write_text(json, value);
}
