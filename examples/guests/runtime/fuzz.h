/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Inputs of a fuzzer: docs/fuzzing.md. A guest that uses them is in the list FUZZED_GUESTS of
 * examples/guests/local.mk, which compiles it with coverage.
 */
#ifndef GUEST_FUZZ_H
#define GUEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/*
 * Returns an input and its length; NULL if no fuzzer runs this guest. The fuzzer repeats the guest
 * from here for each input. guest_main() then returns 0, unless it has found an error.
 */
const uint8_t *guest_fuzz_input(size_t *len);

#endif
