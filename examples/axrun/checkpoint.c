/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "checkpoint.h"

#include <errno.h>
#include <string.h>

#include "message.h"
#include "run.h"
#include "saved.h"
#include "signals.h"
#include "state.h"

void checkpoint_init(struct checkpoint *checkpoint, const struct options *options)
{
	*checkpoint = (struct checkpoint){ .options = options };
}

void checkpoint_close(struct checkpoint *checkpoint)
{
	axvm_checkpoint_free(checkpoint->start);
	checkpoint->start = NULL;
}

/* --- the device ------------------------------------------------------------------------------- */

/* Whether a write to the doorbell stops the vCPUs. */
static bool listens(const struct checkpoint *checkpoint)
{
	const struct options *options = checkpoint->options;

	return options->save_at_doorbell || (options->repeat && !checkpoint->repeated);
}

static int checkpoint_read(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
			   uint64_t *value)
{
	const struct run *run = ctx;

	(void)vcpu;
	if (offset == GUEST_CHECKPOINT_RESTORED && width == 4)
		*value = run->checkpoint.restored;
	return AXVM_HANDLED;
}

static int checkpoint_write(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
			    uint64_t value)
{
	struct run *run = ctx;

	(void)vcpu;
	(void)value;
	if (offset == GUEST_CHECKPOINT_DOORBELL && width == 4 && listens(&run->checkpoint))
		atomic_store(&run->checkpoint.rung, true);
	return AXVM_HANDLED;
}

/* The state: how often it was restored, and the statistics. */
static void put_state(struct state *state, void *ctx)
{
	const struct run *run = ctx;
	uint32_t i;

	state_put(state, 4, run->checkpoint.restored);
	state_put(state, 8, stats_elapsed_ns(&run->stats));
	state_put(state, 4, run->cpus.n);
	for (i = 0; i < run->cpus.n; i++) {
		struct stats stats = run->cpu_stats[i];

		stats_add(&stats, &run->cpus.cpu[i].stats);
		stats_put_state(state, &stats);
	}
}

static int checkpoint_save(void *ctx, void *buf, size_t len)
{
	return state_save(buf, len, put_state, ctx);
}

/* A machine from a file continues to count; after a reset of --repeat all rounds count. */
static int checkpoint_put_back(void *ctx, uint32_t version, const void *buf, size_t len)
{
	struct run *run = ctx;
	struct state state = state_open(buf, len);
	uint32_t restored = (uint32_t)state_get(&state, 4);
	uint64_t elapsed_ns = state_get(&state, 8);
	struct stats stats[GUEST_CPUS_MAX] = { 0 };
	uint32_t i, n = (uint32_t)state_get(&state, 4);
	int err = n == run->cpus.n ? 0 : -EINVAL;

	(void)version;
	for (i = 0; !err && i < n; i++)
		err = stats_get_state(&state, &stats[i]);
	if (!err)
		err = state_close(&state);
	if (err)
		return err;
	run->checkpoint.restored = restored;
	if (!run->checkpoint.from_file)
		return 0;
	run->checkpoint.elapsed_ns = elapsed_ns;
	memcpy(run->cpu_stats, stats, sizeof(stats));
	return 0;
}

int checkpoint_attach(struct run *run, const struct platform *platform)
{
	return device_add(run->machine.vm,
			  AXVCPU_WITH(axvm_device_config, .name = "checkpoint", .ctx = run,
				      .read = checkpoint_read, .write = checkpoint_write,
				      .save = checkpoint_save, .restore = checkpoint_put_back),
			  platform->checkpoint, GUEST_CHECKPOINT_SIZE);
}

/* --- the main thread -------------------------------------------------------------------------- */

bool checkpoint_rung(const struct checkpoint *checkpoint)
{
	return atomic_load(&checkpoint->rung);
}

static int take(struct run *run, uint32_t flags, struct axvm_checkpoint **checkpoint)
{
	struct axvm *vm = run->machine.vm;

	if (axvm_quiesce(vm, NULL, 0) ||
	    axvm_checkpoint_new(vm, &AXVCPU_WITH(axvm_checkpoint_config, .flags = flags),
				checkpoint))
		return fail("cannot take a checkpoint: %s", axvcpu_last_error());
	return 0;
}

static int save(struct run *run)
{
	struct axvm_checkpoint *checkpoint;
	int err;

	if (take(run, 0, &checkpoint))
		return -1;
	err = saved_write(run->checkpoint.options->save_path, checkpoint);
	axvm_checkpoint_free(checkpoint);
	if (!err)
		outcome_set(&run->outcome, RUN_SAVED, STATUS_SAVED);
	return err;
}

static int reset(struct run *run)
{
	struct checkpoint *checkpoint = &run->checkpoint;
	uint64_t begin = stats_elapsed_ns(&run->stats);
	int64_t pages = axvm_checkpoint_restore(checkpoint->start, run->machine.vm, NULL);

	if (pages < 0)
		return fail("cannot reset the machine: %s", axvcpu_last_error());
	checkpoint->resets++;
	checkpoint->pages += (uint64_t)pages;
	checkpoint->reset_ns += stats_elapsed_ns(&run->stats) - begin;
	checkpoint->restored += (uint32_t)checkpoint->resets;
	return 0;
}

/* The guest wrote to the doorbell: a round begins, or has ended. */
static int repeat(struct run *run)
{
	struct checkpoint *checkpoint = &run->checkpoint;

	if (!checkpoint->start)
		return take(run, AXVM_CHECKPOINT_TRACK, &checkpoint->start);
	if (checkpoint->resets + 1 < checkpoint->options->repeat)
		return reset(run);
	checkpoint->repeated = true;
	axvm_checkpoint_free(checkpoint->start);
	checkpoint->start = NULL;
	return 0;
}

bool checkpoint_attend(struct run *run)
{
	bool rung = atomic_exchange(&run->checkpoint.rung, false);
	bool saves = signals_asked_to_save() || (rung && run->checkpoint.options->save_at_doorbell);

	if (!outcome_open(&run->outcome) || signals_stop() || (!rung && !saves))
		return false;
	if (saves ? save(run) : repeat(run))
		outcome_set(&run->outcome, RUN_ERROR, STATUS_ERROR);
	return outcome_open(&run->outcome);
}

void checkpoint_add_stats(struct run *run)
{
	uint32_t i;

	run->stats.start_ns -= run->checkpoint.elapsed_ns;
	for (i = 0; i < run->cpus.n; i++)
		stats_add(&run->stats, &run->cpu_stats[i]);
}
