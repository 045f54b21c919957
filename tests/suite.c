/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>

TCase *suite_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, SUITE_TIMEOUT);
	suite_add_tcase(suite, tcase);
	return tcase;
}

unsigned int suite_scale(unsigned int n)
{
	const char *given = getenv("AXVCPU_TEST_SCALE");
	unsigned long scale = given ? strtoul(given, NULL, 10) : 1;

	if (scale <= 1)
		return n;
	return n > scale ? (unsigned int)(n / scale) : 1;
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
