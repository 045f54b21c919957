/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* libFuzzer as the engine: its options, and the guest in the environment variable FUZZ_GUEST. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"

/* libFuzzer treats these as coverage, and clears them before each input. */
static uint8_t counters[TARGET_COUNTERS_MAX] __attribute__((section("__libfuzzer_extra_counters")));

static struct target target;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *guest = getenv("FUZZ_GUEST");

	(void)argc, (void)argv;
	if (!guest)
		target_die("FUZZ_GUEST is not set: it names the guest");
	target_open(&target, guest, 5);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const enum target_result result = target_run(&target, data, size);

	memcpy(counters, target.counters, target.ncounters);
	if (result != TARGET_OK) {
		fprintf(stderr, "fuzz: %s\n", target.report);
		abort();
	}
	return 0;
}
