/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "message.h"

int report_open(struct report *report, const struct options *options)
{
	if (!options->json)
		return 0;
	if (!options->json_path) {
		report->file = stderr;
		return 0;
	}
	report->file = fopen(options->json_path, "we");
	if (!report->file)
		return fail("--json=%s: %s", options->json_path, strerror(errno));
	return 0;
}

static void print_stats(const struct run *run)
{
	uint32_t i;

	stats_print(&run->stats, stderr);
	for (i = 0; run->cpus.n > 1 && i < run->cpus.n; i++)
		stats_print_cpu(&run->cpu_stats[i], i, stderr);
}

static void write_stats(const struct run *run, struct json *json)
{
	char name[16];
	uint32_t i;

	json_object(json, "stats");
	stats_json(&run->stats, json);
	json_object(json, "by_vcpu");
	for (i = 0; i < run->cpus.n; i++) {
		snprintf(name, sizeof(name), "%" PRIu32, i);
		json_object(json, name);
		stats_json_cpu(&run->cpu_stats[i], json);
		json_end(json);
	}
	json_end(json);
	json_end(json);
}

static void print_resets(const struct checkpoint *checkpoint)
{
	double seconds = (double)checkpoint->reset_ns / 1e9;

	fprintf(stderr, "axrun: %" PRIu64 " resets in %.6f s, %" PRIu64 " pages written\n",
		checkpoint->resets, seconds, checkpoint->pages);
}

static void write_checkpoint(const struct options *options, const struct checkpoint *checkpoint,
			     struct json *json)
{
	json_object(json, "checkpoint");
	json_number(json, "restored", checkpoint->restored);
	if (options->repeat) {
		json_number(json, "resets", checkpoint->resets);
		json_real(json, "reset_seconds", (double)checkpoint->reset_ns / 1e9);
		json_number(json, "pages", checkpoint->pages);
	}
	json_end(json);
}

static void print_people(const struct options *options, const struct run *run)
{
	const struct outcome *outcome = &run->outcome;

	if (outcome->ending == RUN_CRASH)
		crash_print(&run->crash, stderr);
	if (outcome->ending == RUN_TIMEOUT) {
		fprintf(stderr, "axrun: the guest did not end within %g s\n",
			(double)options->timeout_ns / 1e9);
		where_print(&run->where, stderr);
	}
	if (options->stats && run->stats.start_ns)
		print_stats(run);
	if (options->stats && options->repeat)
		print_resets(&run->checkpoint);
}

static void print_json(const struct options *options, const struct run *run, FILE *file)
{
	const struct outcome *outcome = &run->outcome;
	struct json json;

	json_start(&json, file);
	json_string(&json, "guest", options->guest ? options->guest : options->restore_path);
	json_string(&json, "args", options->args);
	json_string(&json, "result", ending_name(outcome->ending));
	json_number(&json, "status", (uint64_t)outcome->status);
	if (outcome->ending == RUN_SIGNAL)
		json_number(&json, "signal", (uint64_t)outcome->signal);
	if (options->reboot)
		json_number(&json, "restarts", run->restarts);
	if (failure())
		json_string(&json, "message", failure());
	if (outcome->ending == RUN_CRASH)
		crash_json(&run->crash, &json);
	if (outcome->ending == RUN_TIMEOUT)
		where_json(&run->where, &json);
	if (options->save_path || options->restore_path || options->repeat)
		write_checkpoint(options, &run->checkpoint, &json);
	if (run->stats.start_ns)
		write_stats(run, &json);
	json_end(&json);
	fputc('\n', file);
}

/* Returns axrun's exit status; STATUS_ERROR if the report cannot be written. */
static int close_json(struct report *report, const struct options *options, const struct run *run)
{
	bool lost;

	/* For stderr: ignore earlier write errors, for example of the trace. */
	clearerr(report->file);
	print_json(options, run, report->file);
	lost = ferror(report->file);
	if (report->file == stderr)
		return fflush(stderr) || lost ? STATUS_ERROR : run->outcome.status;
	if (fclose(report->file) == EOF || lost) {
		fprintf(stderr, "axrun: --json=%s: write error\n", options->json_path);
		return STATUS_ERROR;
	}
	return run->outcome.status;
}

int report_close(struct report *report, const struct options *options, const struct run *run)
{
	if (failure() && report->file != stderr)
		fprintf(stderr, "axrun: %s\n", failure());
	if (report->file)
		return close_json(report, options, run);
	print_people(options, run);
	return run->outcome.status;
}
