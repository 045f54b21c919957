/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The CPUs among themselves, where no interrupt controller in the kernel does it: who is on, who
 * sleeps, and what they send each other.
 *
 * A CPU that sends leaves mail for another and kicks it; each CPU's own thread looks at its mail
 * after every exit, and does to its vCPU what it finds. So it knows at a HALT exit for certain
 * whether something is there for which the vCPU must go on: what has been injected already, and
 * taken by the guest before it halted, is not in the mail.
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
#include "stats.h"

enum cpu_state {
	CPU_OFF,
	CPU_ON,
	/* It waits for an interrupt. */
	CPU_HALTED,
};

/* Their numbers are less. */
#define CPU_INTERRUPTS 256

struct cpu_mail {
	/*
	 * By number: bit n % 64 of word n / 64. Where a CPU has a line they stay until the guest has
	 * taken them.
	 */
	uint64_t interrupts[CPU_INTERRUPTS / 64];
	bool nmi;
	/* To be switched off, and to be started, in this order. */
	bool init;
	bool start;
	uint64_t entry;
	uint64_t arg;
};

struct cpu_timer {
	uint8_t vector;
	/* When it expires, on the monotonic clock; 0: it does not run. */
	uint64_t deadline_ns;
	/* 0: once. */
	uint64_t period_ns;
};

struct cpu {
	struct axvcpu *vcpu;
	/* For its own thread, until that has ended. */
	struct stats stats;
	bool thread_started;
	/* Whether there is mail: a look without the lock. */
	atomic_bool has_mail;
	/* The rest is guarded by the lock of all. */
	enum cpu_state state;
	/* It has halted with interrupts off. */
	bool deaf;
	/* Its line, for its own thread. */
	bool line;
	struct cpu_mail mail;
	struct cpu_timer timer;
};

struct cpus {
	const struct platform *platform;
	struct outcome *outcome;
	pthread_mutex_t lock;
	/* A timer has been set, or the end has come. */
	pthread_cond_t timers_changed;
	bool timers_end;
	uint32_t n;
	struct cpu cpu[GUEST_CPUS_MAX];
};

/* For the vCPUs of that machine; before any of them runs. */
void cpus_make(struct cpus *cpus, const struct machine *machine, const struct platform *platform,
	       struct outcome *outcome);

/* `from` is the CPU in whose thread the caller is, or NULL; `to` is less than `n`. */
void cpus_interrupt(struct cpus *cpus, struct cpu *from, uint32_t to, uint8_t vector);
void cpus_nmi(struct cpus *cpus, struct cpu *from, uint32_t to);

/* Switches a CPU off, until it is started again. For the first one that is a reset. */
void cpus_init(struct cpus *cpus, struct cpu *from, uint32_t to);

/* Starts a CPU that is off; false if it is on. */
bool cpus_start(struct cpus *cpus, struct cpu *from, uint32_t to, uint64_t entry, uint64_t arg);

/* Delivers an interrupt to a CPU; from any thread, with the lock. */
void cpus_add_interrupt(struct cpus *cpus, struct cpu *cpu, uint8_t vector);

/*
 * Where a CPU has a line: takes the highest of its interrupts; GUEST_TIMER_NOTHING: there is none.
 * With the lock.
 */
uint32_t cpus_take_interrupt(struct cpus *cpus, struct cpu *cpu);

/* --- for a CPU's own thread ------------------------------------------------------------------- */

/* It has halted, or switched itself off. If nothing can wake any CPU then, the run ends. */
void cpus_halt(struct cpus *cpus, struct cpu *cpu);
void cpus_down(struct cpus *cpus, struct cpu *cpu);

/* Does what the others have asked for. After each exit. */
void cpus_attend(struct cpus *cpus, struct cpu *cpu);

#endif
