/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Checkpoints of the machine: for the file of --save, and for the rounds of --repeat; and the device
 * by which a guest says where, described in guests/abi.h.
 *
 * A checkpoint is taken and restored by the main thread when all other threads have ended. Then
 * they are started again.
 */
#ifndef AXRUN_CHECKPOINT_H
#define AXRUN_CHECKPOINT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <axvcpu/axvcpu.h>

#include "options.h"
#include "platform.h"

struct run;

struct checkpoint {
	const struct options *options;
	/* The guest wrote to a doorbell that the vCPUs stop for. */
	atomic_bool rung;
	/* How often the machine's state was restored. */
	uint32_t restored;
	/* The machine is being restored from a file; how long it had run before it was saved. */
	bool from_file;
	uint64_t elapsed_ns;
	/* Where the rounds of --repeat begin; NULL outside of them. */
	struct axvm_checkpoint *start;
	/* The last round has ended. */
	bool repeated;
	/* Resets between rounds, the pages that they have written, and their duration. */
	uint64_t resets;
	uint64_t pages;
	uint64_t reset_ns;
};

/* Before any other function. */
void checkpoint_init(struct checkpoint *checkpoint, const struct options *options);

/* Frees the checkpoint of --repeat; before the VM is freed. */
void checkpoint_close(struct checkpoint *checkpoint);

/* Adds the device to the VM. Returns 0, or -1 after fail(). */
int checkpoint_attach(struct run *run, const struct platform *platform);

/* Whether the vCPUs must stop, as the guest wrote to the doorbell. */
bool checkpoint_rung(const struct checkpoint *checkpoint);

/* Adds what a restored machine has counted to the statistics, which have started. */
void checkpoint_add_stats(struct run *run);

/* The vCPUs have stopped: takes or restores a checkpoint. Returns whether they must run again. */
bool checkpoint_attend(struct run *run);

#endif
