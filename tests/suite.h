/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Shared by all test programs: main, the skip without KVM, and a few shorthands. */
#ifndef TESTS_SUITE_H
#define TESTS_SUITE_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <axvcpu/axvcpu.h>

/*
 * Whether this is a build with ThreadSanitizer, which delays signals: a handler runs when the
 * thread next calls a function that the sanitizer intercepts, and a bare system call is not one.
 */
#if defined(__SANITIZE_THREAD__)
#define SUITE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SUITE_TSAN 1
#endif
#endif
#ifndef SUITE_TSAN
#define SUITE_TSAN 0
#endif

/* Whether this is a build with AddressSanitizer. */
#if defined(__SANITIZE_ADDRESS__)
#define SUITE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SUITE_ASAN 1
#endif
#endif
#ifndef SUITE_ASAN
#define SUITE_ASAN 0
#endif

/*
 * A limit in seconds, multiplied by the environment's AXVCPU_TEST_PATIENCE, which scripts/check sets to
 * how much slower this machine is than an idle one. Limits end hangs: no result depends on them.
 */
unsigned int suite_seconds(unsigned int n);

/* How long one test may take. */
#define SUITE_TIMEOUT suite_seconds(300)

/*
 * Runs a suite, each test in its own process, and returns main()'s status. Writes TAP: a line
 * "ok N - CASE: TEST" or "not ok N - CASE: TEST" for each test, " # SKIP WHY" behind it if it was
 * skipped, and "1..N" at the end. A suite that is 'live' needs a /dev/kvm that works, and is skipped
 * without one.
 */
int suite_main(const char *name, bool live, void (*add_tests)(Suite *suite));

/* A test case with the time limit set, added to the suite. */
TCase *suite_case(Suite *suite, const char *name);

/* Flips 1 to 4 bits, chosen by the seed, which moves on. */
void suite_flip_bits(uint32_t *seed, unsigned char *bytes, size_t size);

/* The threads of this process, except those of KVM. */
unsigned int suite_count_threads(void);
/* Waits until there are as many: a thread that was joined may be on its last steps. */
void suite_expect_threads(unsigned int n);

/*
 * How often a long test repeats itself, of 'n' on real hardware: divided by the environment's
 * AXVCPU_TEST_SCALE, which emulated machines set, but at least 1.
 */
unsigned int suite_scale(unsigned int n);

/*
 * Whether a test whose repetitions wait for the host's scheduler has repeated itself often enough: 'n'
 * times, or at least 'few' times in half a minute, counted from the first call. On a busy machine, such a
 * repetition takes some time slices of the other processes, not the microseconds of an idle machine.
 */
bool suite_enough(unsigned int done, unsigned int few, unsigned int n);

/* Sends this process SIGALRM every second: one that arrives too early is not the last one. */
void suite_alarm(void);

/*
 * Opens a file of the source tree to read it, and in an emulated machine the copy of it. Returns -1
 * if there is none.
 */
int suite_open_source(const char *path);

/* Whether AXVCPU_TEST_LONG asks for the long runs. */
bool suite_long(void);

/* In a test, before it returns: it cannot run here. It is reported as skipped instead of passed. */
void suite_skip(const char *why);

/* In add_tests(): a test that cannot run here, and is not added. */
void suite_left_out(const char *test, const char *why);

/* For `return suite_skip_all(...)` in main(): no test can run here. */
int suite_skip_all(const char *why);

/* The call must succeed; its message is shown if it does not. */
#define ck_ok(call) \
	do { \
		int ck_ret_ = (call); \
		ck_assert_msg(ck_ret_ >= 0, "%s: %d, %s", #call, ck_ret_, axvcpu_last_error()); \
	} while (0)

/* The call must fail with this errno, and leave a message. */
#define ck_fails(call, err) \
	do { \
		int ck_ret_ = (call); \
		ck_assert_msg(ck_ret_ == -(err), "%s: %d (%s), not %s; %s", #call, ck_ret_, \
			      axvcpu_error_name(ck_ret_), #err, axvcpu_last_error()); \
		ck_assert_str_ne(axvcpu_last_error(), ""); \
		ck_assert_ptr_nonnull(strstr(axvcpu_last_error(), axvcpu_error_name(err))); \
	} while (0)

/* And the message must say this. */
#define ck_fails_saying(call, err, text) \
	do { \
		ck_fails(call, err); \
		ck_assert_msg(strstr(axvcpu_last_error(), (text)), "%s: the message is \"%s\"", \
			      #call, axvcpu_last_error()); \
	} while (0)

#endif
