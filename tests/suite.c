/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "suite.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

/* Seconds after which few repetitions are enough. */
#define ENOUGH_SECONDS 30

/* The number that the environment has by this name, at least 1. */
static unsigned int from_environment(const char *name)
{
	const char *given = getenv(name);
	unsigned long n = given ? strtoul(given, NULL, 10) : 1;

	return n < 1 ? 1 : n > UINT16_MAX ? UINT16_MAX : (unsigned int)n;
}

unsigned int suite_seconds(unsigned int n)
{
	return n * from_environment("AXVCPU_TEST_PATIENCE");
}

TCase *suite_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, SUITE_TIMEOUT);
	suite_add_tcase(suite, tcase);
	return tcase;
}

unsigned int suite_scale(unsigned int n)
{
	const unsigned int scale = from_environment("AXVCPU_TEST_SCALE");

	return n > scale ? n / scale : 1;
}

static int64_t clock_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

bool suite_enough(unsigned int done, unsigned int few, unsigned int n)
{
	static _Atomic int64_t began = -1;
	int64_t none = -1;

	if (done >= n)
		return true;
	atomic_compare_exchange_strong(&began, &none, clock_seconds());
	return done >= few && clock_seconds() - atomic_load(&began) >= ENOUGH_SECONDS;
}

void suite_alarm(void)
{
	const struct itimerval second = { { 1, 0 }, { 1, 0 } };

	ck_assert_int_eq(setitimer(ITIMER_REAL, &second, NULL), 0);
}

bool suite_long(void)
{
	const char *given = getenv("AXVCPU_TEST_LONG");

	return given && strcmp(given, "1") == 0;
}

void suite_skipped(const char *test, const char *why)
{
	printf("skipped inside %s: %s\n", test, why);
	/* The process of a test ends without that. */
	fflush(stdout);
}

/* Whether a VM can be made here; says why not. */
static bool kvm_works(const char *name)
{
	struct axvm *vm;

	if (axvm_new(NULL, &vm)) {
		printf("%s: skipped: %s\n", name, axvcpu_last_error());
		return false;
	}
	axvm_free(vm);
	return true;
}

int suite_main(const char *name, bool live, void (*add_tests)(Suite *suite))
{
	Suite *suite;
	SRunner *runner;
	int failed;

	if (live && !kvm_works(name))
		return SUITE_SKIP;
	suite = suite_create(name);
	add_tests(suite);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* --- sanitizers ------------------------------------------------------------------------------- */

/*
 * AddressSanitizer asks for its defaults by this name. When a thread is cancelled, the marks that the frames it left
 * have on its stack stay, and with an alternate signal stack the sanitizer itself meets them at the thread's end.
 */
__attribute__((visibility("default"))) const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "use_sigaltstack=0";
}
