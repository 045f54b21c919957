/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * CPU states and requests between CPUs, where no in-kernel interrupt controller handles them: which
 * CPUs are on or asleep, and what they send each other.
 *
 * A sender leaves requests for another CPU and kicks it. Each CPU's thread handles its requests
 * after every exit. So at a HALT exit the pending requests tell reliably whether the vCPU must
 * continue: an interrupt that was injected and taken before the halt is no longer among them.
 */
#ifndef AXRUN_CPUS_H
#define AXRUN_CPUS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <axvcpu/axvcpu.h>

#include "../guests/abi.h"
#include "machine.h"
#include "outcome.h"
#include "platform.h"
#include "state.h"
#include "stats.h"

enum cpu_state {
	CPU_OFF,
	CPU_ON,
	/* Waiting for an interrupt. */
	CPU_HALTED,
};

/* Interrupt numbers are below this. */
#define CPU_INTERRUPTS 256

struct cpu_requests {
	/*
	 * Bit n % 64 of word n / 64 is interrupt n. On CPUs with an interrupt line, a bit stays set
	 * until the guest takes the interrupt.
	 */
	uint64_t interrupts[CPU_INTERRUPTS / 64];
	bool nmi;
	/* Switch off, and start; handled in this order. */
	bool init;
	bool start;
	uint64_t entry;
	uint64_t arg;
};

struct cpu_timer {
	uint8_t vector;
	/* Expiry time on CLOCK_MONOTONIC; 0 if stopped. */
	uint64_t deadline_ns;
	/* 0 for a one-shot timer. */
	uint64_t period_ns;
};

struct cpu {
	struct axvcpu *vcpu;
	/* Used by its own thread until that has ended. */
	struct stats stats;
	bool thread_started;
	/* Whether anything is pending; read without the lock. */
	atomic_bool has_requests;
	/* The rest is guarded by cpus->lock. */
	enum cpu_state state;
	/* Halted with interrupts disabled. */
	bool deaf;
	/* Level of its interrupt line; used by its own thread. */
	bool line;
	struct cpu_requests requests;
	struct cpu_timer timer;
};

struct cpus {
	const struct platform *platform;
	struct outcome *outcome;
	pthread_mutex_t lock;
	/* Signalled when a timer is set, and at the end. */
	pthread_cond_t timers_changed;
	bool timers_end;
	uint32_t n;
	struct cpu cpu[GUEST_CPUS_MAX];
};

/* For the vCPUs of `machine`, before any of them runs. */
void cpus_make(struct cpus *cpus, const struct machine *machine, const struct platform *platform,
	       struct outcome *outcome);

/* `from` is the CPU whose thread calls, or NULL; `to` is less than `n`. */
void cpus_interrupt(struct cpus *cpus, struct cpu *from, uint32_t to, uint8_t vector);
void cpus_nmi(struct cpus *cpus, struct cpu *from, uint32_t to);

/* Switches a CPU off until it is started again. For the first CPU this is a machine reset. */
void cpus_init(struct cpus *cpus, struct cpu *from, uint32_t to);

/* Starts a CPU that is off; returns false if it is on. */
bool cpus_start(struct cpus *cpus, struct cpu *from, uint32_t to, uint64_t entry, uint64_t arg);

/* Delivers an interrupt to a CPU. Any thread, with the lock held. */
void cpus_add_interrupt(struct cpus *cpus, struct cpu *cpu, uint8_t vector);

/*
 * For CPUs with an interrupt line: takes the interrupt with the highest number, or returns
 * GUEST_TIMER_NOTHING. With the lock held.
 */
uint32_t cpus_take_interrupt(struct cpus *cpus, struct cpu *cpu);

/* --- saved states: with the lock held, while no CPU runs --------------------------------------- */

/* Bytes of a CPU's state: what is pending for it, and whether it is on. */
#define CPU_STATE_SIZE 53u

void cpus_put_state(struct state *state, const struct cpu *cpu);

/* Returns 0, or -EINVAL. */
int cpus_get_state(struct state *state, struct cpu *cpu);

/* Lets the vCPU sleep or wake as its new state and its new timer need it. */
void cpus_restored(struct cpus *cpus, struct cpu *cpu);

/* --- called by a CPU's own thread ------------------------------------------------------------- */

/* The CPU halted, or switched itself off. The run ends if nothing can wake any CPU then. */
void cpus_halt(struct cpus *cpus, struct cpu *cpu);
void cpus_down(struct cpus *cpus, struct cpu *cpu);

/* Handles the pending requests. Call after each exit. */
void cpus_attend(struct cpus *cpus, struct cpu *cpu);

#endif
