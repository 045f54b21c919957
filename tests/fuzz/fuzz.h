/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Targets of libFuzzer, which scripts/fuzz builds and runs. tests/fuzz/NAME.c is one target; it defines
 * the two functions below, and its assertions are those of Check, whose failure is a finding.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "../suite.h"

/* Runs one input. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Passes valid inputs to fuzz_seed(), from which the fuzzer begins. */
void fuzz_seeds(void);

void fuzz_seed(const char *name, const void *data, size_t size);

#endif
