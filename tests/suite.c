/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "suite.h"

#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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

int suite_open_source(const char *path)
{
	const char *top = getenv("top_srcdir");
	char full[4096];

	snprintf(full, sizeof(full), "%s/%s", top ? top : ".", path);
	return open(full, O_RDONLY | O_CLOEXEC);
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

/* --- TAP -------------------------------------------------------------------------------------- */

void suite_skip(const char *why)
{
	printf("# SKIP %s\n", why);
}

void suite_left_out(const char *test, const char *why)
{
	printf("ok - %s # SKIP %s\n", test, why);
}

int suite_skip_all(const char *why)
{
	printf("1..0 # SKIP %s\n", why);
	return EXIT_SUCCESS;
}

/*
 * Copies the lines of 'in' to stdout, up to Check's plan. Check's results are
 * "ok N - FILE:CASE:TEST: MESSAGE"; suite_skip() and suite_left_out() have written lines among them. All else
 * becomes a comment, so that no output of a test looks like a result.
 */
static void report(FILE *in)
{
	char *line = NULL, skip[256] = "", tcase[128], test[256];
	size_t size = 0;
	unsigned int n = 0, left_out = 0, planned;
	int message;

	while (getline(&line, &size, in) > 0) {
		const bool ok = !strncmp(line, "ok ", 3);

		if (sscanf(line, "%*[notk ]%*u - %*[^:]:%127[^:]:%255[^:]: %n", tcase, test,
			   &message) == 2) {
			printf("%sok %u - %s: %s%s\n", ok ? "" : "not ", ++n, tcase, test,
			       ok ? skip : "");
			if (!ok)
				printf("# %s", line + message);
			skip[0] = '\0';
		} else if (!strncmp(line, "ok - ", 5)) {
			printf("ok %u%s", ++n, line + 2);
			left_out++;
		} else if (!strncmp(line, "# SKIP ", 7)) {
			snprintf(skip, sizeof(skip), " %.*s", (int)strcspn(line, "\n"), line);
		} else if (sscanf(line, "1..%u", &planned) == 1) {
			/* More than 'n' if a test has printed an incomplete line before its result. */
			printf("1..%u\n", planned + left_out);
			break;
		} else {
			printf("# %s", line);
		}
	}
}

/*
 * Check writes TAP, but has no skipped tests. So its output and that of the tests goes, in one order,
 * through a pipe to a child process, which writes the report.
 */
static struct {
	pid_t pid;
	int out, err;
} reporter;

static void reporter_start(void)
{
	int fds[2];

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (pipe2(fds, O_CLOEXEC) || (reporter.pid = fork()) < 0)
		err(EXIT_FAILURE, "cannot start the reporter");
	if (!reporter.pid) {
		/* It ends at the end of the output, not with the tests. */
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		close(fds[1]);
		report(fdopen(fds[0], "r"));
		fflush(stdout);
		_exit(0);
	}
	reporter.out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	reporter.err = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	dup2(fds[1], STDOUT_FILENO);
	dup2(fds[1], STDERR_FILENO);
	close(fds[0]);
	close(fds[1]);
}

/* Restores stdout and stderr, to which a sanitizer may still write when this process ends. */
static void reporter_end(void)
{
	fflush(stdout);
	dup2(reporter.out, STDOUT_FILENO);
	dup2(reporter.err, STDERR_FILENO);
	close(reporter.out);
	close(reporter.err);
	waitpid(reporter.pid, NULL, 0);
}

/* --- main ------------------------------------------------------------------------------------- */

int suite_main(const char *name, bool live, void (*add_tests)(Suite *suite))
{
	struct axvm *vm;
	Suite *suite;
	SRunner *runner;
	int failed;

	if (live) {
		if (axvm_new(NULL, &vm))
			return suite_skip_all(axvcpu_last_error());
		axvm_free(vm);
	}
	reporter_start();
	suite = suite_create(name);
	add_tests(suite);
	runner = srunner_create(suite);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	reporter_end();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* --- threads ---------------------------------------------------------------------------------- */

/* A thread that KVM keeps in a process that has VMs. */
static bool is_kvms(const char *tid)
{
	char path[300], name[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%s/comm", tid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(name, sizeof(name), file))
		name[0] = '\0';
	fclose(file);
	return strncmp(name, "kvm-", 4) == 0;
}

unsigned int suite_count_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	const struct dirent *entry;
	unsigned int n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.' && !is_kvms(entry->d_name);
	closedir(dir);
	return n;
}

void suite_expect_threads(unsigned int n)
{
	for (unsigned int i = 0; i < suite_seconds(60) * 1000 && suite_count_threads() != n; i++)
		usleep(1000);
	ck_assert_uint_eq(suite_count_threads(), n);
}

/* --- damage ----------------------------------------------------------------------------------- */

static uint32_t random_below(uint32_t *seed, uint32_t n)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)(*seed >> 8) * n >> 24);
}

void suite_flip_bits(uint32_t *seed, unsigned char *bytes, size_t size)
{
	for (uint32_t i = 0; i <= random_below(seed, 4); i++)
		bytes[random_below(seed, (uint32_t)size)] ^=
			(unsigned char)(1u << random_below(seed, 8));
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
