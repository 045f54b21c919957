/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * dbcn [echo]: writes and reads by the SBI debug console, with valid and invalid addresses. Status
 * 3 if the host's KVM cannot forward it. "echo" writes back all input, until ^D.
 */
#include "arch.h"
#include "runtime/guest.h"
#include "sbi.h"

#define END_OF_INPUT 0x04

static struct guest_sbi call(uint64_t function, uint64_t bytes, const void *buf)
{
	return guest_sbi_call(SBI_DBCN, function, bytes, (uintptr_t)buf, 0);
}

/* A call may write less than requested. */
static bool write_all(const char *text, uint64_t left)
{
	while (left > 0) {
		struct guest_sbi result = call(SBI_CONSOLE_WRITE, left, text);

		if (result.error || result.value == 0 || result.value > left)
			return false;
		text += result.value;
		left -= result.value;
	}
	return true;
}

static bool writes(void)
{
	static const char line[] = "written by the firmware\n";
	static char dots[3000];
	size_t i;

	for (i = 0; i < sizeof(dots); i++)
		dots[i] = i + 1 < sizeof(dots) ? '.' : '\n';
	return write_all(line, sizeof(line) - 1) && write_all(dots, sizeof(dots)) &&
	       call(SBI_CONSOLE_WRITE_BYTE, '!', NULL).error == 0 &&
	       call(SBI_CONSOLE_WRITE_BYTE, '\n', NULL).error == 0;
}

static bool refused(uint64_t function, uint64_t bytes, uint64_t low, uint64_t high)
{
	return guest_sbi_call(SBI_DBCN, function, bytes, low, high).error == SBI_ERROR_INVALID;
}

/* An invalid buffer: nothing is printed, and no input is lost. */
static bool refuses(uint64_t function)
{
	const struct guest_range *memory;
	uint64_t end, here = (uintptr_t)&memory;

	guest_memory(&memory);
	end = memory->gpa + memory->size;
	return refused(function, 16, UINT64_MAX - 8, 0) && refused(function, 16, UINT64_MAX, 0) &&
	       refused(function, UINT64_MAX, here, 0) && refused(function, 16, here, 1) &&
	       refused(function, 16, 0, 0) && refused(function, 16, end, 0) &&
	       refused(function, 16, end - 8, 0) && refused(function, 8, GUEST_GPA_CONSOLE, 0);
}

static bool does_nothing_with_nothing(void)
{
	struct guest_sbi written = call(SBI_CONSOLE_WRITE, 0, NULL);
	struct guest_sbi read = call(SBI_CONSOLE_READ, 0, NULL);

	return !written.error && !written.value && !read.error && !read.value;
}

static int echo(void)
{
	static char buf[100];
	struct guest_sbi result;

	for (;;) {
		result = call(SBI_CONSOLE_READ, sizeof(buf), buf);
		if (result.error || result.value > sizeof(buf))
			return 1;
		if (result.value && buf[result.value - 1] == END_OF_INPUT)
			return write_all(buf, result.value - 1) ? 0 : 1;
		if (!write_all(buf, result.value))
			return 1;
	}
}

int guest_main(void)
{
	bool passed;

	if (!guest_sbi_call(SBI_BASE, SBI_PROBE_EXTENSION, SBI_DBCN, 0, 0).value) {
		guest_print("dbcn: this KVM has no debug console\n");
		return 3;
	}
	if (guest_word_is(0, "echo"))
		return echo();
	passed = guest_check("dbcn: write", writes());
	passed &= guest_check("dbcn: write, refused", refuses(SBI_CONSOLE_WRITE));
	passed &= guest_check("dbcn: read, refused", refuses(SBI_CONSOLE_READ));
	passed &= guest_check("dbcn: nothing", does_nothing_with_nothing());
	return passed ? 0 : 1;
}
