/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "parse.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

/* More CPUs than any kernel supports. */
#define MAX_CPUS 65536u
#define NS_PER_SECOND UINT64_C(1000000000)

/* Reads digits of that base, at least one; moves `*text` past them. */
static bool take_digits(const char **text, unsigned int base, uint64_t *value)
{
	const char *start = *text;
	uint64_t sum = 0;

	for (;; (*text)++) {
		unsigned int c = (unsigned char)**text;
		unsigned int digit;

		if (c >= '0' && c <= '9')
			digit = c - '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			digit = (c | 0x20) - 'a' + 10;
		else
			break;
		if (digit >= base)
			break;
		if (sum > (UINT64_MAX - digit) / base)
			return false;
		sum = sum * base + digit;
	}
	*value = sum;
	return *text != start;
}

static bool take_number(const char **text, uint64_t *value)
{
	if ((*text)[0] == '0' && ((*text)[1] | 0x20) == 'x') {
		*text += 2;
		return take_digits(text, 16, value);
	}
	return take_digits(text, 10, value);
}

bool parse_number(const char *text, uint64_t *value)
{
	uint64_t number;

	if (!take_number(&text, &number) || *text)
		return false;
	*value = number;
	return true;
}

/*
 * Converts the digits of a decimal fraction to that fraction of 1 << shift, rounded down. Any
 * number of digits.
 */
static uint64_t part_of(const char *digits, size_t n, unsigned int shift)
{
	uint64_t part = 0;

	while (n-- > 0)
		part = (((uint64_t)(digits[n] - '0') << shift) + part) / 10;
	return part;
}

/* The exponent of a suffix K, M, G or T, also Ki or KiB; 0 without one. Moves `*text` past it. */
static unsigned int take_suffix(const char **text)
{
	static const char suffixes[] = "KkMmGgTt";
	const char *suffix = **text ? strchr(suffixes, **text) : NULL;

	if (!suffix)
		return 0;
	(*text)++;
	if (**text == 'i') {
		(*text)++;
		*text += **text == 'B';
	}
	return 10 * ((unsigned int)(suffix - suffixes) / 2 + 1);
}

bool parse_size(const char *text, uint64_t *bytes)
{
	bool hexadecimal = text[0] == '0' && (text[1] | 0x20) == 'x';
	const char *digits = text;
	unsigned int shift;
	size_t ndigits = 0;
	uint64_t number, part;

	if (!take_number(&text, &number))
		return false;
	if (*text == '.' && !hexadecimal) {
		digits = text + 1;
		ndigits = strspn(digits, "0123456789");
		text = digits + ndigits;
		if (!ndigits)
			return false;
	}
	shift = take_suffix(&text);
	/* Without a suffix there must be no fraction. */
	if (*text || (ndigits && !shift) || number > UINT64_MAX >> shift)
		return false;
	part = part_of(digits, ndigits, shift);
	*bytes = (number << shift) + part;
	return true;
}

bool parse_seconds(const char *text, uint64_t *ns)
{
	uint64_t seconds, fraction = 0, unit = NS_PER_SECOND;
	bool more = false;

	if (!take_digits(&text, 10, &seconds) || seconds >= UINT64_MAX / NS_PER_SECOND / 2)
		return false;
	if (*text == '.') {
		for (text++; *text >= '0' && *text <= '9'; text++) {
			unit /= 10;
			fraction += unit * (uint64_t)(*text - '0');
			more |= unit == 0 && *text != '0';
		}
		if (text[-1] == '.')
			return false;
	}
	if (*text)
		return false;
	*ns = seconds * NS_PER_SECOND + fraction + more;
	return true;
}

/* Reads one CPU or a range; moves `*text` past it. */
static bool take_cpus(const char **text, cpu_set_t *set, size_t size)
{
	uint64_t first, last, cpu;

	if (!take_digits(text, 10, &first))
		return false;
	last = first;
	if (**text == '-') {
		(*text)++;
		if (!take_digits(text, 10, &last))
			return false;
	}
	if (first > last || last >= MAX_CPUS)
		return false;
	for (cpu = first; cpu <= last; cpu++)
		CPU_SET_S((size_t)cpu, size, set);
	return true;
}

bool parse_cpu_list(const char *text, void **set, size_t *size)
{
	cpu_set_t *cpus = CPU_ALLOC(MAX_CPUS);

	if (!cpus)
		return false;
	CPU_ZERO_S(CPU_ALLOC_SIZE(MAX_CPUS), cpus);
	while (take_cpus(&text, cpus, CPU_ALLOC_SIZE(MAX_CPUS))) {
		if (!*text) {
			*set = cpus;
			*size = CPU_ALLOC_SIZE(MAX_CPUS);
			return true;
		}
		if (*text++ != ',')
			break;
	}
	CPU_FREE(cpus);
	return false;
}
