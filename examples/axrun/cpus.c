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

/* --- mail ------------------------------------------------------------------------------------- */

/* Whether it is off when it has read its mail. */
static bool is_off(const struct cpu *cpu)
{
	return (cpu->state == CPU_OFF || cpu->mail.init) && !cpu->mail.start;
}

static void deliver(struct cpu *from, struct cpu *to)
{
	atomic_store(&to->has_mail, true);
	/* The sender itself looks when it is done with its exit. */
	if (to != from)
		axvcpu_kick(to->vcpu);
}

static void add_interrupt(struct cpu *from, struct cpu *to, uint8_t vector)
{
	if (is_off(to))
		return;
	to->mail.interrupts[vector / 64] |= UINT64_C(1) << vector % 64;
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
		if (!cpu->mail.interrupts[word])
			continue;
		bit = 63 - (unsigned int)__builtin_clzll(cpu->mail.interrupts[word]);
		cpu->mail.interrupts[word] &= ~(UINT64_C(1) << bit);
		/* Who takes it is that CPU, and its line may have to fall: no need for a kick. */
		atomic_store(&cpu->has_mail, true);
		return word * 64 + bit;
	}
	return GUEST_TIMER_NOTHING;
}

void cpus_nmi(struct cpus *cpus, struct cpu *from, uint32_t to)
{
	struct cpu *cpu = &cpus->cpu[to];

	pthread_mutex_lock(&cpus->lock);
	if (!is_off(cpu)) {
		cpu->mail.nmi = true;
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
		cpu->mail = (struct cpu_mail){ .init = cpu->state != CPU_OFF };
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
		cpu->mail.start = true;
		cpu->mail.entry = entry;
		cpu->mail.arg = arg;
		deliver(from, cpu);
	}
	pthread_mutex_unlock(&cpus->lock);
	return off;
}

/* --- sleep ------------------------------------------------------------------------------------ */

static bool has_interrupts(const struct cpu_mail *mail)
{
	return mail->interrupts[0] | mail->interrupts[1] | mail->interrupts[2] |
	       mail->interrupts[3];
}

/* Whether it runs, or will by itself. */
static bool can_go_on(const struct cpu *cpu)
{
	const struct cpu_mail *mail = &cpu->mail;

	if (mail->start)
		return true;
	if (cpu->state != CPU_HALTED)
		return cpu->state == CPU_ON;
	return mail->nmi || mail->init ||
	       (!cpu->deaf && (has_interrupts(mail) || cpu->timer.deadline_ns));
}

/* If nobody goes on, nobody can wake anybody: that is the end. */
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

	check(cpus, axvcpu_get_reg(cpu->vcpu, AXVCPU_REG_FLAGS, &flags), "look at a CPU's flags");
	/*
	 * Its next run sleeps, and comes back for a kick: then cpus_attend() sees whether the kick was
	 * for this vCPU. In axvcpu_block() a handler would not learn that the runner is to stop.
	 */
	check(cpus, axvcpu_pause(cpu->vcpu, 0), "let a CPU sleep");
	pthread_mutex_lock(&cpus->lock);
	cpu->state = CPU_HALTED;
	cpu->deaf = !(flags & platform->interrupts_on);
	look_for_the_end(cpus);
	pthread_mutex_unlock(&cpus->lock);
}

void cpus_down(struct cpus *cpus, struct cpu *cpu)
{
	/* Off here before the guest can see it: another CPU may start this one as soon as it does. */
	pthread_mutex_lock(&cpus->lock);
	cpu->state = CPU_OFF;
	cpu->mail = (struct cpu_mail){ 0 };
	look_for_the_end(cpus);
	pthread_mutex_unlock(&cpus->lock);
	check(cpus, axvcpu_stop(cpu->vcpu), "switch a CPU off");
}

/* --- reading it ------------------------------------------------------------------------------- */

/* Takes the mail; whether the CPU has halted and does no longer. */
static bool take_mail(struct cpus *cpus, struct cpu *cpu, struct cpu_mail *mail)
{
	bool halted, awake;

	pthread_mutex_lock(&cpus->lock);
	halted = cpu->state == CPU_HALTED;
	*mail = cpu->mail;
	cpu->mail = (struct cpu_mail){ 0 };
	if (cpus->platform->line && !mail->init)
		memcpy(cpu->mail.interrupts, mail->interrupts, sizeof(mail->interrupts));
	atomic_store(&cpu->has_mail, false);
	if (mail->init) {
		cpu->state = CPU_OFF;
		cpu->timer.deadline_ns = 0;
	}
	if (mail->start ||
	    (cpu->state == CPU_HALTED && (mail->nmi || (has_interrupts(mail) && !cpu->deaf))))
		cpu->state = CPU_ON;
	look_for_the_end(cpus);
	awake = halted && cpu->state != CPU_HALTED;
	pthread_mutex_unlock(&cpus->lock);
	return awake;
}

static void inject(struct cpus *cpus, struct cpu *cpu, const struct cpu_mail *mail)
{
	unsigned int vector;
	int err;

	for (vector = 0; vector < CPU_INTERRUPTS; vector++) {
		if (!(mail->interrupts[vector / 64] >> vector % 64 & 1))
			continue;
		err = axvcpu_inject_interrupt(cpu->vcpu, vector);
		/* A guest that takes none of so many: one more makes no difference. */
		check(cpus, err == -ENOSPC ? 0 : err, "interrupt a CPU");
	}
	if (mail->nmi)
		check(cpus, axvcpu_inject_nmi(cpu->vcpu), "interrupt a CPU");
}

/* The guest takes the number from the timer device, and that the interrupt. */
static void set_line(struct cpus *cpus, struct cpu *cpu, const struct cpu_mail *mail)
{
	bool line = has_interrupts(mail) && !mail->init;

	if (line != cpu->line)
		check(cpus, axvcpu_set_irq_line(cpu->vcpu, 0, line), "set a CPU's interrupt line");
	cpu->line = line;
}

void cpus_attend(struct cpus *cpus, struct cpu *cpu)
{
	struct cpu_mail mail;
	bool awake;

	if (!atomic_load(&cpu->has_mail))
		return;
	awake = take_mail(cpus, cpu, &mail);
	if (mail.init)
		check(cpus, axvcpu_stop(cpu->vcpu), "switch a CPU off");
	if (mail.start)
		check(cpus, axvcpu_start(cpu->vcpu, mail.entry, mail.arg), "start a CPU");
	if (cpus->platform->line)
		set_line(cpus, cpu, &mail);
	else
		inject(cpus, cpu, &mail);
	if (awake)
		check(cpus, axvcpu_resume(cpu->vcpu), "wake a CPU");
}
