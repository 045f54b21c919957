/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Counts exits by kind, and their rate, for one vCPU or for several. */
#ifndef AXRUN_STATS_H
#define AXRUN_STATS_H

#include <stdint.h>
#include <stdio.h>

#include <axvcpu/axvcpu.h>

#include "json.h"
#include "state.h"

#define STATS_KINDS (AXVCPU_EXIT_SYSTEM_WAKEUP + 1)

struct stats {
	/* By kind; kinds unknown to this axrun count as unhandled. */
	uint64_t exits[STATS_KINDS];
	uint64_t start_ns;
	uint64_t run_ns;
};

void stats_start(struct stats *stats);
void stats_stop(struct stats *stats);

static inline void stats_count(struct stats *stats, uint32_t kind)
{
	stats->exits[kind < STATS_KINDS ? kind : AXVCPU_EXIT_UNHANDLED]++;
}

/* Adds one vCPU's exits to the totals. */
void stats_add(struct stats *all, const struct stats *one);

/* Seconds since the start, and nanoseconds. */
double stats_elapsed(const struct stats *stats);
uint64_t stats_elapsed_ns(const struct stats *stats);

/* The exits in a saved state. Reading returns 0, or -EINVAL. */
void stats_put_state(struct state *state, const struct stats *stats);
int stats_get_state(struct state *state, struct stats *stats);

/* Prints it as text. */
void stats_print(const struct stats *stats, FILE *file);

/* Prints one of several CPUs on one line. */
void stats_print_cpu(const struct stats *stats, uint32_t cpu, FILE *file);

/* As members of the current JSON object: the totals with times, a single CPU without. */
void stats_json(const struct stats *stats, struct json *json);
void stats_json_cpu(const struct stats *stats, struct json *json);

#endif
