/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "guest.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#define MEMORY_SIZE 0x10000
#define CODE 0x1000
/* No memory is there, so that a store is an exit. */
#define NOWHERE 0x10000000

/* By their hardware numbers: rdx, x2, sp; and rcx, x1, ra. */
#define COUNTER AXVCPU_REG_GPR(2)
#define ADDRESS AXVCPU_REG_GPR(1)

/* Two loops of two instructions each, 8 bytes apart: one counts, one exits. */
#define EXIT_LOOP (CODE + 8)
#define INSTRUCTIONS_PER_COUNT 2

static const struct program {
	const char *arch;
	const char *exit_name;
	uint32_t code[4];
} programs[] = {
	/* 1: inc %rdx; jmp 1b; 2: out %al, $0x10; jmp 2b */
	{ "x86_64", "port_write", { 0xebc2ff48, 0x000000fb, 0xfceb10e6, 0x00000000 } },
	/* 1: add x2, x2, #1; b 1b; 2: str w0, [x1]; b 2b */
	{ "arm64", "mmio_write", { 0x91000442, 0x17ffffff, 0xb9000020, 0x17ffffff } },
	/* 1: addi x2, x2, 1; j 1b; 2: sw x0, 0(x1); j 2b */
	{ "riscv64", "mmio_write", { 0x00110113, 0xffdff06f, 0x0000a023, 0xffdff06f } },
};

static const struct program *find_program(void)
{
	const struct program *program = programs;

	while (strcmp(program->arch, axvcpu_host_arch()->name))
		program++;
	return program;
}

int guest_new(struct guest *guest, struct axvm *vm)
{
	const struct program *program = find_program();
	struct axvcpu_setup_config setup = AXVCPU_SETUP_CONFIG_INIT;
	struct axvm_region memory = AXVM_REGION_INIT;
	int ret;

	*guest = (struct guest){ .exit_name = program->exit_name };
	memory.len = MEMORY_SIZE;
	ret = axvm_map(vm, &memory);
	if (!ret)
		ret = axvm_write(vm, CODE, program->code, sizeof(program->code));
	if (!ret)
		ret = axvcpu_new(vm, NULL, &guest->vcpu);
	if (!ret)
		ret = axvcpu_setup(guest->vcpu, CODE, 0, &setup);
	if (!ret)
		ret = axvcpu_bind(guest->vcpu);
	if (!ret)
		ret = axvcpu_set_reg(guest->vcpu, ADDRESS, NOWHERE);
	return ret;
}

void guest_free(struct guest *guest)
{
	axvcpu_free(guest->vcpu);
}

/* --- time ------------------------------------------------------------------------------------- */

static double read_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Other programs that use the same CPU do not count. */
static double thread_ns(void)
{
	return read_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* A run that must end in one of two ways: the guest's own exits, or a kick. */
static int run(const struct guest *guest, bool *kicked)
{
	struct axvcpu_exit exit;
	char text[256];
	int ret = axvcpu_run(guest->vcpu, &exit);

	if (ret)
		return ret;
	*kicked = exit.kicked;
	switch (exit.kind) {
	case AXVCPU_EXIT_NOTHING:
	case AXVCPU_EXIT_IO_WRITE:
	case AXVCPU_EXIT_MMIO_WRITE:
		return 0;
	default:
		axvcpu_exit_describe(&exit, text, sizeof(text));
		return axvcpu_fail(NULL, -EIO, "the guest ended with %s", text);
	}
}

/* --- a thread that ends runs ------------------------------------------------------------------ */

#define POLL_NS 500000
/* Thirty seconds at least: a guest that has not had its time by then hangs. */
#define MAX_POLLS 60000

struct kicker {
	struct axvcpu *vcpu;
	/* Kicks once this clock has come this far. */
	clockid_t clock;
	double until;
	atomic_bool off;
	pthread_t thread;
};

static void *kick_in_time(void *arg)
{
	struct kicker *kicker = arg;
	const struct timespec poll = { .tv_nsec = POLL_NS };

	for (int i = 0; i < MAX_POLLS && !kicker->off && read_ns(kicker->clock) < kicker->until;
	     i++)
		nanosleep(&poll, NULL);
	if (!kicker->off)
		axvcpu_kick(kicker->vcpu);
	return NULL;
}

/* The time is CPU time of the calling thread. */
static int kicker_start(struct kicker *kicker, const struct guest *guest, double ns)
{
	int err = pthread_getcpuclockid(pthread_self(), &kicker->clock);

	kicker->vcpu = guest->vcpu;
	kicker->until = thread_ns() + ns;
	kicker->off = false;
	if (!err)
		err = pthread_create(&kicker->thread, NULL, kick_in_time, kicker);
	return err ? axvcpu_fail(NULL, -err, "a thread that ends the guest") : 0;
}

static void kicker_stop(struct kicker *kicker)
{
	kicker->off = true;
	pthread_join(kicker->thread, NULL);
}

/* --- instructions per second ------------------------------------------------------------------ */

#define COUNT_NS 2e6

static int run_until_kicked(const struct guest *guest)
{
	struct kicker kicker;
	bool kicked = false;
	int ret = kicker_start(&kicker, guest, COUNT_NS);

	if (ret)
		return ret;
	while (!ret && !kicked)
		ret = run(guest, &kicked);
	kicker_stop(&kicker);
	return ret;
}

static int count(const struct guest *guest, double *mips)
{
	uint64_t first, last;
	double ns;
	int ret = axvcpu_get_reg(guest->vcpu, COUNTER, &first);

	if (ret)
		return ret;
	ns = thread_ns();
	ret = run_until_kicked(guest);
	ns = thread_ns() - ns;
	if (!ret)
		ret = axvcpu_get_reg(guest->vcpu, COUNTER, &last);
	if (ret)
		return ret;
	*mips = (double)(last - first) * INSTRUCTIONS_PER_COUNT * 1e3 / ns;
	return 0;
}

#define TRIES 3

/*
 * On a host that is a virtual machine, CPU time includes the time for which its own host gave the
 * CPU to others. So a try is short, or each would have some of that; and more are made.
 */
#define MORE_TRIES 20

int guest_measure_mips(const struct guest *guest, double enough, double *mips)
{
	double best = 0, one = 0;
	int ret = axvcpu_set_entry(guest->vcpu, CODE);

	for (int i = 0; !ret && (i < TRIES || (best < enough && i < MORE_TRIES)); i++) {
		ret = count(guest, &one);
		if (!ret && one > best)
			best = one;
	}
	if (!ret && best <= 0)
		ret = axvcpu_fail(NULL, -EIO, "the guest executes nothing");
	if (!ret)
		*mips = best;
	return ret;
}

/* --- nanoseconds an exit ---------------------------------------------------------------------- */

/* So much at least, or a clock's steps and its own cost would show. */
#define EXITS_NS 2e6

static int run_exits(const struct guest *guest, unsigned int n, double *ns)
{
	double begin = thread_ns();
	bool kicked = false;
	int ret = 0;

	for (unsigned int i = 0; !ret && !kicked && i < n; i++)
		ret = run(guest, &kicked);
	*ns = thread_ns() - begin;
	if (!ret && kicked)
		ret = axvcpu_fail(NULL, -ETIMEDOUT, "the guest does not exit");
	return ret;
}

static int measure_exit(const struct guest *guest, double *ns)
{
	unsigned int n = 8;
	double best, one = 0;
	int ret = axvcpu_set_entry(guest->vcpu, EXIT_LOOP);

	while (!ret && one < EXITS_NS) {
		n *= 2;
		ret = run_exits(guest, n, &one);
	}
	best = one;
	for (int i = 1; !ret && i < TRIES; i++) {
		ret = run_exits(guest, n, &one);
		if (one < best)
			best = one;
	}
	if (!ret)
		*ns = best / n;
	return ret;
}

int guest_measure_exit(const struct guest *guest, double *ns)
{
	struct kicker kicker;
	/* No CPU time is too much, only all the time that a hang takes. */
	int ret = kicker_start(&kicker, guest, HUGE_VAL);

	if (ret)
		return ret;
	ret = measure_exit(guest, ns);
	kicker_stop(&kicker);
	return ret;
}
