/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "suggest.h"

#include <stdio.h>
#include <string.h>

#include "message.h"

/* No option has a longer name. */
#define NAME_MAX_LEN 32u

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The Levenshtein distance: characters to insert, delete or replace. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t row[NAME_MAX_LEN + 1], i, k;

	for (k = 0; k <= b_len; k++)
		row[k] = k;
	for (i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (k = 1; k <= b_len; k++) {
			size_t replaced = diagonal + (a[i - 1] != b[k - 1]);

			diagonal = row[k];
			row[k] = min(replaced, min(row[k], row[k - 1]) + 1);
		}
	}
	return row[b_len];
}

/* Returns NULL if no option is similar. */
static const char *nearest(const struct option *options, const char *text, size_t len)
{
	size_t best = 1 + len / 4;
	const char *found = NULL;

	for (; options->name && len <= NAME_MAX_LEN; options++) {
		size_t name_len = strlen(options->name), far;

		if (name_len > NAME_MAX_LEN)
			continue;
		far = distance(text, len, options->name, name_len);
		if (far < best || (far == best && !found)) {
			best = far;
			found = options->name;
		}
	}
	return found;
}

/* Lists all options that begin with `text`: "--cpu-list or --cpus". Returns their number. */
static size_t list_beginning(const struct option *options, const char *text, size_t len, char *list,
			     size_t size)
{
	size_t n = 0, used = 0;

	list[0] = '\0';
	for (; options->name; options++) {
		if (strncmp(options->name, text, len) != 0)
			continue;
		if (used < size)
			used += (size_t)snprintf(list + used, size - used, "%s--%s",
						 n ? " or " : "", options->name);
		n++;
		if (!options->name[len])
			return 1;
	}
	return n;
}

int suggest_option(const struct option *options, const char *arg)
{
	const char *text = arg + 2, *near;
	size_t len = strcspn(text, "=");
	char list[256];

	switch (list_beginning(options, text, len, list, sizeof(list))) {
	case 0:
		near = nearest(options, text, len);
		if (near)
			return fail("%s: no such option; is it --%s? See axrun --help", arg, near);
		return fail("%s: no such option; see axrun --help", arg);
	case 1:
		return fail("%s: the option takes no argument; see axrun --help", arg);
	default:
		return fail("%s: ambiguous: %s; see axrun --help", arg, list);
	}
}
