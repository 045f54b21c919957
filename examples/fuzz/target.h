/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * A guest that is fuzzed. It runs up to its call of the fuzzer, where a checkpoint is taken, and
 * from there once for each input. Errors of the host end the program with status 2.
 */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include <axvcpu/axvcpu.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TARGET_COUNTERS_MAX 65536u
#define TARGET_INPUT_MAX 65536u

enum target_result {
	TARGET_OK,
	/* The guest did anything else than to end with status 0. */
	TARGET_CRASH,
	/* The time was up. */
	TARGET_HANG,
};

struct target {
	struct axvm *vm;
	struct axvcpu *vcpu;
	struct axvm_checkpoint *start;
	/* Longest time for an input. */
	int64_t limit_ns;
	/* The guest has run since the checkpoint or the latest restore. */
	bool used;
	/* It has written to the exit device. */
	bool ended;
	uint8_t status;
	/* Of the guest: the structure for inputs, and the longest input. */
	uint64_t input_gpa;
	size_t input_max;
	/* The coverage of the latest input. The number of counters is a multiple of 8. */
	const uint8_t *counters;
	size_t ncounters;
	/* Console output of the guest for the latest input, and the description of a crash. */
	char report[1024];
	size_t nreport;
};

void target_open(struct target *target, const char *guest, double limit_s);
enum target_result target_run(struct target *target, const void *input, size_t len);
void target_close(struct target *target);

/* Prints a message with the prefix "fuzz: ", and ends the program. */
_Noreturn void target_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
