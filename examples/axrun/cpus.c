/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "cpus.h"

#include <errno.h>
#include <string.h>

#include "message.h"

void cpus_make(struct cpus *cpus, const struct machine *machine, const struct platform *platform,
	       struct outcome *outcome)
{
	pthread_condattr_t attr;
	uint32_t i;

	*cpus = (struct cpus){
		.platform = platform,
		.outcome = outcome,
		.n = machine->ncpus,
	};
	pthread_mutex_init(&cpus->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&cpus->timers_changed, &attr);
	pthread_condattr_destroy(&attr);
	for (i = 0; i < cpus->n; i++) {
		struct cpu *cpu = &cpus->cpu[i];

		cpu->vcpu = machine->vcpus[i];
		cpu->state = axvcpu_power(cpu->vcpu) == AXVCPU_POWER_ON ? CPU_ON : CPU_OFF;
	}
}

/* --- requests --------------------------------------------------------------------------------- */

/* Whether the CPU will be off once its pending requests are handled. */
static bool is_off(const struct cpu *cpu)
{
	return (cpu->state == CPU_OFF || cpu->requests.init) && !cpu->requests.start;
}

static void deliver(struct cpu *from, struct cpu *to)
{
	atomic_store(&to->has_requests, true);
	/* The sender itself checks for requests after its exit. */
	if (to != from)
		axvcpu_kick(to->vcpu);
}

static void add_interrupt(struct cpu *from, struct cpu *to, uint8_t vector)
{
	if (is_off(to))
		return;
	to->requests.interrupts[vector / 64] |= UINT64_C(1) << vector % 64;
	deliver(from, to);
}

void cpus_interrupt(struct cpus *cpus, struct cpu *from, uint32_t to, uint8_t vector)
{
	pthread_mutex_lock(&cpus->lock);
	add_interrupt(from, &cpus->cpu[to], vector);
	pthread_mutex_unlock(&cpus->lock);
}

void cpus_add_interrupt(struct cpus *cpus, struct cpu *cpu, uint8_t vector)
{
	(void)cpus;
	add_interrupt(NULL, cpu, vector);
}

uint32_t cpus_take_interrupt(struct cpus *cpus, struct cpu *cpu)
{
	unsigned int word = CPU_INTERRUPTS / 64, bit;

	(void)cpus;
	while (word-- > 0) {
		if (!cpu->requests.interrupts[word])
			continue;
		bit = 63 - (unsigned int)__builtin_clzll(cpu->requests.interrupts[word]);
		cpu->requests.interrupts[word] &= ~(UINT64_C(1) << bit);
		/* The reader is that CPU itself, and its line may have to fall: no kick needed. */
		atomic_store(&cpu->has_requests, true);
		return word * 64 + bit;
	}
	return GUEST_TIMER_NOTHING;
}

void cpus_nmi(struct cpus *cpus, struct cpu *from, uint32_t to)
{
	struct cpu *cpu = &cpus->cpu[to];

	pthread_mutex_lock(&cpus->lock);
	if (!is_off(cpu)) {
		cpu->requests.nmi = true;
		deliver(from, cpu);
	}
	pthread_mutex_unlock(&cpus->lock);
}

void cpus_init(struct cpus *cpus, struct cpu *from, uint32_t to)
{
	struct cpu *cpu = &cpus->cpu[to];

	if (axvcpu_is_bsp(cpu->vcpu)) {
		outcome_set(cpus->outcome, RUN_RESET, STATUS_RESET);
		return;
	}
	pthread_mutex_lock(&cpus->lock);
	if (!is_off(cpu)) {
		cpu->requests = (struct cpu_requests){ .init = cpu->state != CPU_OFF };
		deliver(from, cpu);
	}
	pthread_mutex_unlock(&cpus->lock);
}

bool cpus_start(struct cpus *cpus, struct cpu *from, uint32_t to, uint64_t entry, uint64_t arg)
{
	struct cpu *cpu = &cpus->cpu[to];
	bool off;

	pthread_mutex_lock(&cpus->lock);
	off = is_off(cpu);
	if (off) {
		cpu->requests.start = true;
		cpu->requests.entry = entry;
		cpu->requests.arg = arg;
		deliver(from, cpu);
	}
	pthread_mutex_unlock(&cpus->lock);
	return off;
}

/* --- halt ------------------------------------------------------------------------------------- */

static bool has_interrupts(const struct cpu_requests *requests)
{
	return requests->interrupts[0] | requests->interrupts[1] | requests->interrupts[2] |
	       requests->interrupts[3];
}

/* Whether the CPU runs, or will run without help from another CPU. */
static bool can_go_on(const struct cpu *cpu)
{
	const struct cpu_requests *requests = &cpu->requests;

	if (requests->start)
		return true;
	if (cpu->state != CPU_HALTED)
		return cpu->state == CPU_ON;
	return requests->nmi || requests->init ||
	       (!cpu->deaf && (has_interrupts(requests) || cpu->timer.deadline_ns));
}

/* If no CPU runs and none can be woken, the run ends. */
static void look_for_the_end(struct cpus *cpus)
{
	bool halted = false;
	uint32_t i;

	for (i = 0; i < cpus->n; i++) {
		if (can_go_on(&cpus->cpu[i]))
			return;
		halted |= cpus->cpu[i].state == CPU_HALTED;
	}
	outcome_set(cpus->outcome, halted ? RUN_HALT : RUN_POWER_OFF, 0);
}

static void check(struct cpus *cpus, int err, const char *what)
{
	if (!err)
		return;
	fail("cannot %s: %s", what, axvcpu_last_error());
	outcome_set(cpus->outcome, RUN_ERROR, STATUS_ERROR);
}

void cpus_halt(struct cpus *cpus, struct cpu *cpu)
{
	const struct platform *platform = cpus->platform;
	uint64_t flags = platform->interrupts_on;

	check(cpus, axvcpu_get_reg(cpu->vcpu, AXVCPU_REG_FLAGS, &flags), "read a CPU's flags");
	/*
	 * The next run sleeps and returns on a kick; cpus_attend() then checks whether the kick was
	 * for this vCPU. With axvcpu_block(), a handler would not notice that the runner is
	 * stopping.
	 */
	check(cpus, axvcpu_pause(cpu->vcpu, 0), "put a CPU to sleep");
	pthread_mutex_lock(&cpus->lock);
	cpu->state = CPU_HALTED;
	cpu->deaf = !(flags & platform->interrupts_on);
	look_for_the_end(cpus);
	pthread_mutex_unlock(&cpus->lock);
}

void cpus_down(struct cpus *cpus, struct cpu *cpu)
{
	/* Marked off before the guest can see it: then another CPU may start this one at once. */
	pthread_mutex_lock(&cpus->lock);
	cpu->state = CPU_OFF;
	cpu->requests = (struct cpu_requests){ 0 };
	look_for_the_end(cpus);
	pthread_mutex_unlock(&cpus->lock);
	check(cpus, axvcpu_stop(cpu->vcpu), "switch a CPU off");
}

/* --- handling requests ------------------------------------------------------------------------ */

/* Takes the pending requests. Returns true if they wake the CPU from a halt. */
static bool take_requests(struct cpus *cpus, struct cpu *cpu, struct cpu_requests *requests)
{
	bool halted, awake;

	pthread_mutex_lock(&cpus->lock);
	halted = cpu->state == CPU_HALTED;
	*requests = cpu->requests;
	cpu->requests = (struct cpu_requests){ 0 };
	if (cpus->platform->line && !requests->init)
		memcpy(cpu->requests.interrupts, requests->interrupts,
		       sizeof(requests->interrupts));
	atomic_store(&cpu->has_requests, false);
	if (requests->init) {
		cpu->state = CPU_OFF;
		cpu->timer.deadline_ns = 0;
	}
	if (requests->start || (cpu->state == CPU_HALTED &&
				(requests->nmi || (has_interrupts(requests) && !cpu->deaf))))
		cpu->state = CPU_ON;
	look_for_the_end(cpus);
	awake = halted && cpu->state != CPU_HALTED;
	pthread_mutex_unlock(&cpus->lock);
	return awake;
}

static void inject(struct cpus *cpus, struct cpu *cpu, const struct cpu_requests *requests)
{
	unsigned int vector;
	int err;

	for (vector = 0; vector < CPU_INTERRUPTS; vector++) {
		if (!(requests->interrupts[vector / 64] >> vector % 64 & 1))
			continue;
		err = axvcpu_inject_interrupt(cpu->vcpu, vector);
		/* The queue of a guest that does not take its interrupts is full: drop this one. */
		check(cpus, err == -ENOSPC ? 0 : err, "interrupt a CPU");
	}
	if (requests->nmi)
		check(cpus, axvcpu_inject_nmi(cpu->vcpu), "interrupt a CPU");
}

/* The guest reads the number from the timer device, which also takes the interrupt. */
static void set_line(struct cpus *cpus, struct cpu *cpu, const struct cpu_requests *requests)
{
	bool line = has_interrupts(requests) && !requests->init;

	if (line != cpu->line)
		check(cpus, axvcpu_set_irq_line(cpu->vcpu, 0, line), "set a CPU's interrupt line");
	cpu->line = line;
}

void cpus_attend(struct cpus *cpus, struct cpu *cpu)
{
	struct cpu_requests requests;
	bool awake;

	if (!atomic_load(&cpu->has_requests))
		return;
	awake = take_requests(cpus, cpu, &requests);
	if (requests.init)
		check(cpus, axvcpu_stop(cpu->vcpu), "switch a CPU off");
	if (requests.start)
		check(cpus, axvcpu_start(cpu->vcpu, requests.entry, requests.arg), "start a CPU");
	if (cpus->platform->line)
		set_line(cpus, cpu, &requests);
	else
		inject(cpus, cpu, &requests);
	if (awake)
		check(cpus, axvcpu_resume(cpu->vcpu), "wake a CPU");
}

/* --- saved states ----------------------------------------------------------------------------- */

void cpus_put_state(struct state *state, const struct cpu *cpu)
{
	const struct cpu_requests *requests = &cpu->requests;
	unsigned int word;

	state_put(state, 1, cpu->state);
	state_put(state, 1, cpu->deaf);
	for (word = 0; word < CPU_INTERRUPTS / 64; word++)
		state_put(state, 8, requests->interrupts[word]);
	state_put(state, 1, requests->nmi);
	state_put(state, 1, requests->init);
	state_put(state, 1, requests->start);
	state_put(state, 8, requests->entry);
	state_put(state, 8, requests->arg);
}

int cpus_get_state(struct state *state, struct cpu *cpu)
{
	struct cpu_requests *requests = &cpu->requests;
	uint64_t on = state_get(state, 1);
	unsigned int word;

	if (on > CPU_HALTED)
		return -EINVAL;
	cpu->state = (enum cpu_state)on;
	cpu->deaf = state_get(state, 1);
	for (word = 0; word < CPU_INTERRUPTS / 64; word++)
		requests->interrupts[word] = state_get(state, 8);
	requests->nmi = state_get(state, 1);
	requests->init = state_get(state, 1);
	requests->start = state_get(state, 1);
	requests->entry = state_get(state, 8);
	requests->arg = state_get(state, 8);
	return 0;
}

void cpus_restored(struct cpus *cpus, struct cpu *cpu)
{
	if (cpu->state == CPU_HALTED)
		check(cpus, axvcpu_pause(cpu->vcpu, 0), "put a CPU to sleep");
	else
		check(cpus, axvcpu_resume(cpu->vcpu), "wake a CPU");
	/* The vCPU's own state has the line; cpus_attend() sets it again. */
	cpu->line = !has_interrupts(&cpu->requests);
	deliver(NULL, cpu);
}
