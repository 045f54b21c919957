/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * A fuzzer of guests, guided by their coverage: docs/fuzzing.md. It has a small engine; under
 * afl-fuzz, that is the engine.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "afl.h"
#include "mutate.h"
#include "target.h"

struct fuzzer {
	struct target target;
	struct corpus corpus;
	/* By counter: the magnitudes that it has had, as bits. The number of those that had any. */
	uint8_t seen[TARGET_COUNTERS_MAX];
	uint64_t reached;
	uint64_t cases;
	uint64_t findings;
	/* The bytes of the present input. */
	uint8_t bytes[TARGET_INPUT_MAX];
	/* Options. */
	uint64_t limit;
	const char *folder;
	/* When the first case began, and when the latest statistics were printed. */
	double began;
	double told;
};

static struct fuzzer fuzzer;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void tell(void)
{
	const double seconds = now() - fuzzer.began;

	fprintf(stderr,
		"fuzz: %" PRIu64 " cases, %.0f/s, %" PRIu64 " counters reached, %zu inputs kept\n",
		fuzzer.cases, seconds > 0 ? (double)fuzzer.cases / seconds : 0, fuzzer.reached,
		fuzzer.corpus.count);
	fuzzer.told = now();
}

/* --- coverage --------------------------------------------------------------------------------- */

/* One bit each for 1, 2, 3, 4 to 7, 8 to 15, 16 to 31, 32 to 127, and 128 or more. */
static uint8_t magnitude(uint8_t count)
{
	static const uint8_t least[] = { 2, 3, 4, 8, 16, 32, 128 };
	unsigned int bit = 0;

	while (bit < sizeof(least) && count >= least[bit])
		bit++;
	return (uint8_t)(1u << bit);
}

/* Whether the latest case has reached coverage that no earlier one had. Most counters are 0. */
static bool reached_more(void)
{
	const uint8_t *counters = fuzzer.target.counters;
	bool more = false;

	for (size_t i = 0; i < fuzzer.target.ncounters; i++) {
		uint64_t eight;

		memcpy(&eight, counters + i / 8 * 8, sizeof(eight));
		if (!eight) {
			i |= 7;
			continue;
		}
		if (!counters[i] || fuzzer.seen[i] & magnitude(counters[i]))
			continue;
		fuzzer.reached += !fuzzer.seen[i];
		fuzzer.seen[i] |= magnitude(counters[i]);
		more = true;
	}
	return more;
}

/* --- cases ------------------------------------------------------------------------------------ */

static const char *const result_names[] = {
	[TARGET_OK] = "ok",
	[TARGET_CRASH] = "crash",
	[TARGET_HANG] = "hang",
};

/* Saves an input of a crash or a hang, under a name by its contents. */
static void save(enum target_result result, const struct input *input)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	char path[4096];
	FILE *file;

	for (size_t i = 0; i < input->len; i++)
		hash = (hash ^ input->bytes[i]) * UINT64_C(0x100000001b3);
	snprintf(path, sizeof(path), "%s/%s-%016" PRIx64, fuzzer.folder, result_names[result],
		 hash);
	file = fopen(path, "wb");
	if (!file || fwrite(input->bytes, 1, input->len, file) != input->len || fclose(file))
		target_die("%s: %s", path, strerror(errno));
	fprintf(stderr, "fuzz: %s after %" PRIu64 " cases, saved as %s\n", result_names[result],
		fuzzer.cases, path);
	fprintf(stderr, "fuzz: %s\n", fuzzer.target.report);
}

/* Returns false if it is a finding. */
static bool run_case(const struct input *input)
{
	const enum target_result result = target_run(&fuzzer.target, input->bytes, input->len);

	fuzzer.cases++;
	fuzzer.findings += result != TARGET_OK;
	if (result != TARGET_OK) {
		save(result, input);
		return false;
	}
	if (reached_more())
		corpus_add(&fuzzer.corpus, input);
	if (now() - fuzzer.told >= 1)
		tell();
	return true;
}

/* --- files ------------------------------------------------------------------------------------ */

static struct input read_input(const char *path)
{
	struct input input = { .bytes = fuzzer.bytes };
	FILE *file = fopen(path, "rb");

	if (!file)
		target_die("%s: %s", path, strerror(errno));
	input.len = fread(input.bytes, 1, sizeof(fuzzer.bytes), file);
	if (ferror(file))
		target_die("%s: %s", path, strerror(errno));
	if (input.len > fuzzer.target.input_max || fgetc(file) != EOF)
		target_die("%s: the guest takes at most %zu bytes", path, fuzzer.target.input_max);
	fclose(file);
	return input;
}

/* Calls `run` for a file, or for the files of a folder in the order of their names. */
static bool for_each(const char *path, bool (*run)(const char *path))
{
	struct dirent **entries;
	bool good = true;
	struct stat info;
	int count;

	if (stat(path, &info))
		target_die("%s: %s", path, strerror(errno));
	if (!S_ISDIR(info.st_mode))
		return run(path);
	count = scandir(path, &entries, NULL, alphasort);
	if (count < 0)
		target_die("%s: %s", path, strerror(errno));
	for (int i = 0; i < count; i++) {
		char name[4096];

		snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
		if (good && entries[i]->d_name[0] != '.' && !stat(name, &info) &&
		    S_ISREG(info.st_mode))
			good = run(name);
		free(entries[i]);
	}
	free(entries);
	return good;
}

static bool run_seed(const char *path)
{
	const struct input input = read_input(path);

	return run_case(&input);
}

/* Runs an input once, and prints its result. Continues after a crash. */
static bool repeat(const char *path)
{
	const struct input input = read_input(path);
	const enum target_result result = target_run(&fuzzer.target, input.bytes, input.len);

	printf("%s: %s%s%s\n", path, result_names[result], fuzzer.target.report[0] ? ": " : "",
	       fuzzer.target.report);
	fuzzer.findings += result != TARGET_OK;
	return true;
}

/* --- the program ------------------------------------------------------------------------------ */

/* Runs cases until a finding, or to their limit. */
static void fuzz(char *const *seeds)
{
	struct input input = { .bytes = fuzzer.bytes };

	fuzzer.began = fuzzer.told = now();
	for (; *seeds; seeds++)
		if (!for_each(*seeds, run_seed))
			return;
	if (!fuzzer.corpus.count && !run_case(&input))
		return;
	/* A guest without coverage is fuzzed blindly. */
	if (!fuzzer.corpus.count)
		corpus_add(&fuzzer.corpus, &input);
	do
		mutate(&fuzzer.corpus, &input, fuzzer.target.input_max);
	while ((!fuzzer.limit || fuzzer.cases < fuzzer.limit) && run_case(&input));
}

static void usage(FILE *to)
{
	fputs("usage: fuzz [OPTION]... GUEST [SEED]...\n"
	      "\n"
	      "Fuzzes a guest, from these files, or those in these folders. The status is 1 after a\n"
	      "finding, which is saved, 0 without one, 2 after an error. Under afl-fuzz, runs its "
	      "inputs.\n"
	      "\n"
	      "  -n CASES    stop after that many cases; the default is to continue until a finding\n"
	      "  -s NUMBER   seed of the random numbers (1): the same cases each time\n"
	      "  -t SECONDS  time after which a case hangs (5)\n"
	      "  -o FOLDER   where findings are saved (the current folder)\n"
	      "  -r          only run each file once, and print the result\n"
	      "  -h          print this text\n",
	      to);
}

static double number(const char *text, double least)
{
	char *end;
	const double value = strtod(text, &end);

	if (end == text || *end || !(value >= least && value <= 1e9))
		target_die("%s: it is not a number from %g to 1e9", text, least);
	return value;
}

int main(int argc, char **argv)
{
	bool only_repeat = false;
	double seconds = 5, seed = 1;
	int option;

	fuzzer.folder = ".";
	while ((option = getopt(argc, argv, "n:s:t:o:rh")) != -1)
		switch (option) {
		case 'n':
			fuzzer.limit = (uint64_t)number(optarg, 1);
			break;
		case 's':
			seed = number(optarg, 0);
			break;
		case 't':
			seconds = number(optarg, 0.001);
			break;
		case 'o':
			fuzzer.folder = optarg;
			break;
		case 'r':
			only_repeat = true;
			break;
		default:
			usage(option == 'h' ? stdout : stderr);
			return option == 'h' ? 0 : 2;
		}
	if (optind == argc) {
		usage(stderr);
		return 2;
	}
	corpus_seed(&fuzzer.corpus, (uint64_t)seed);
	target_open(&fuzzer.target, argv[optind], seconds);
	if (only_repeat) {
		for (argv += optind + 1; *argv; argv++)
			for_each(*argv, repeat);
	} else if (!afl_run(&fuzzer.target)) {
		fuzz(argv + optind + 1);
		tell();
	}
	corpus_free(&fuzzer.corpus);
	target_close(&fuzzer.target);
	return fuzzer.findings != 0;
}
