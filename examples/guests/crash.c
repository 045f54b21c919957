/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * crash [KIND [CPU]]: crashes in an architecture-specific way. "list" prints the kinds; the first
 * is the default. Crashes the first CPU, or the given one while all the others run.
 */
#include "arch.h"
#include "runtime/guest.h"
#include "runtime/smp.h"

static const struct guest_crash *kind;
static uint64_t where;

static int list(void)
{
	size_t i;

	for (i = 0; i < guest_ncrashes; i++) {
		guest_print(guest_crashes[i].name);
		guest_print("\n");
	}
	return 0;
}

static void run(unsigned int cpu)
{
	if (cpu == where) {
		kind->crash();
		guest_print("crash: survived\n");
		guest_exit(1);
	}
	for (;;)
		guest_relax();
}

static bool find_kind(void)
{
	const char *word;
	size_t i;

	for (i = 0; i < guest_ncrashes && !kind; i++)
		if (guest_word(0, &word) == 0 || guest_word_is(0, guest_crashes[i].name))
			kind = &guest_crashes[i];
	return kind;
}

int guest_main(void)
{
	const char *word;

	if (guest_word_is(0, "list"))
		return list();
	if (!find_kind()) {
		guest_print("crash: no such kind; try: crash list\n");
		return 2;
	}
	if (guest_word(1, &word) && (!guest_word_number(1, &where) || where >= guest_cpus())) {
		guest_print("crash: no such CPU\n");
		return 2;
	}
	/* Without a CPU number, only the first CPU runs. */
	if (guest_word(1, &word))
		guest_cpus_start(run);
	run(0);
	return 1;
}
