/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Splits the arguments into words. */
#include "guest.h"

size_t guest_word(unsigned int n, const char **word)
{
	const char *p = guest_args();
	size_t len;

	for (;;) {
		while (*p == ' ')
			p++;
		for (len = 0; p[len] && p[len] != ' '; len++)
			;
		if (n-- == 0 || len == 0)
			break;
		p += len;
	}
	*word = p;
	return len;
}

bool guest_word_is(unsigned int n, const char *text)
{
	const char *word;
	size_t len = guest_word(n, &word);
	size_t i;

	for (i = 0; i < len; i++)
		if (text[i] != word[i])
			return false;
	return text[len] == '\0';
}

bool guest_word_number(unsigned int n, uint64_t *value)
{
	const char *word;
	size_t len = guest_word(n, &word);
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		uint64_t digit = (uint64_t)word[i] - '0';

		if (digit > 9 || sum > (UINT64_MAX - digit) / 10)
			return false;
		sum = sum * 10 + digit;
	}
	if (len == 0)
		return false;
	*value = sum;
	return true;
}
