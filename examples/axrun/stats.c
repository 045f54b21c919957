/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "stats.h"

#include <errno.h>
#include <inttypes.h>
#include <time.h>

#define NS_PER_SECOND UINT64_C(1000000000)

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_SECOND + (uint64_t)ts.tv_nsec;
}

void stats_start(struct stats *stats)
{
	*stats = (struct stats){ .start_ns = now() };
}

void stats_stop(struct stats *stats)
{
	stats->run_ns = now() - stats->start_ns;
}

void stats_add(struct stats *all, const struct stats *one)
{
	uint32_t kind;

	for (kind = 0; kind < STATS_KINDS; kind++)
		all->exits[kind] += one->exits[kind];
}

uint64_t stats_elapsed_ns(const struct stats *stats)
{
	return now() - stats->start_ns;
}

double stats_elapsed(const struct stats *stats)
{
	return (double)stats_elapsed_ns(stats) / 1e9;
}

void stats_put_state(struct state *state, const struct stats *stats)
{
	uint32_t kind;

	state_put(state, 4, STATS_KINDS);
	for (kind = 0; kind < STATS_KINDS; kind++)
		state_put(state, 8, stats->exits[kind]);
}

/* An earlier axrun knew fewer kinds. */
int stats_get_state(struct state *state, struct stats *stats)
{
	uint32_t kind, kinds = (uint32_t)state_get(state, 4);

	if (kinds > STATS_KINDS)
		return -EINVAL;
	for (kind = 0; kind < kinds; kind++)
		stats->exits[kind] = state_get(state, 8);
	return 0;
}

static uint64_t total(const struct stats *stats)
{
	uint64_t sum = 0;
	uint32_t kind;

	for (kind = 0; kind < STATS_KINDS; kind++)
		sum += stats->exits[kind];
	return sum;
}

static double seconds(const struct stats *stats)
{
	return (double)stats->run_ns / 1e9;
}

static double rate(const struct stats *stats)
{
	return stats->run_ns ? (double)total(stats) / seconds(stats) : 0.0;
}

void stats_print(const struct stats *stats, FILE *file)
{
	uint32_t kind;

	fprintf(file, "axrun: %" PRIu64 " exits in %.6f s, %.0f exits/s\n", total(stats),
		seconds(stats), rate(stats));
	for (kind = 0; kind < STATS_KINDS; kind++)
		if (stats->exits[kind])
			fprintf(file, "axrun: %10" PRIu64 " %s\n", stats->exits[kind],
				axvcpu_exit_name(kind));
}

void stats_print_cpu(const struct stats *stats, uint32_t cpu, FILE *file)
{
	uint32_t kind;

	fprintf(file, "axrun: vCPU %" PRIu32 ": %" PRIu64 " exits", cpu, total(stats));
	for (kind = 0; kind < STATS_KINDS; kind++)
		if (stats->exits[kind])
			fprintf(file, ", %" PRIu64 " %s", stats->exits[kind],
				axvcpu_exit_name(kind));
	fputc('\n', file);
}

void stats_json_cpu(const struct stats *stats, struct json *json)
{
	uint32_t kind;

	json_number(json, "exits", total(stats));
	json_object(json, "by_kind");
	for (kind = 0; kind < STATS_KINDS; kind++)
		if (stats->exits[kind])
			json_number(json, axvcpu_exit_name(kind), stats->exits[kind]);
	json_end(json);
}

void stats_json(const struct stats *stats, struct json *json)
{
	json_real(json, "seconds", seconds(stats));
	json_real(json, "exits_per_second", rate(stats));
	stats_json_cpu(stats, json);
}
