/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * A suite with every outcome, for tests/tap_test.py: 2 passed, 3 failed, 2 skipped. An argument adds "torn",
 * a test that prints an incomplete line, or "dies", after whose test the suite itself is killed.
 */
#include <signal.h>
#include <stdio.h>

#include "suite.h"

static const char *more = "";

START_TEST(passes)
{
	printf("ok 1 - output of the test\n");
}
END_TEST

START_TEST(fails)
{
	ck_abort_msg("two\nlines");
}
END_TEST

START_TEST(crashes)
{
	raise(SIGSEGV);
}
END_TEST

START_TEST(is_skipped)
{
	suite_skip("there is no KVM");
}
END_TEST

START_TEST(fails_once_in_a_loop)
{
	ck_assert_int_eq(_i, 0);
}
END_TEST

START_TEST(tears_its_result)
{
	printf("incomplete");
	fflush(stdout);
}
END_TEST

static void die(void)
{
	raise(SIGKILL);
}

static void add_tests(Suite *suite)
{
	TCase *first = suite_case(suite, "first"), *second = suite_case(suite, "second");

	suite_left_out("is_left_out", "there is no GIC");
	tcase_add_test(first, passes);
	tcase_add_test(first, fails);
	tcase_add_test(first, crashes);
	tcase_add_test(first, is_skipped);
	tcase_add_loop_test(first, fails_once_in_a_loop, 0, 2);
	if (strcmp(more, "torn") == 0)
		tcase_add_test(second, tears_its_result);
	if (strcmp(more, "dies") == 0) {
		tcase_add_unchecked_fixture(second, NULL, die);
		tcase_add_test(second, passes);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1)
		more = argv[1];
	return suite_main("example", false, add_tests);
}
