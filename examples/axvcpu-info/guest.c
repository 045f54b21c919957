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
/* Unmapped, so that a store causes an exit. */
#define NOWHERE 0x10000000

/* Hardware register numbers: 2 is rdx, x2 or sp; 1 is rcx, x1 or ra. */
#define COUNTER AXVCPU_REG_GPR(2)
#define ADDRESS AXVCPU_REG_GPR(1)

/* Two loops of two instructions, at offsets 0 and 8: one counts, one exits. */
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
	if (ret)
		return ret;
	ret = axvm_write(vm, CODE, program->code, sizeof(program->code));
	if (ret)
		return ret;
	ret = axvcpu_new(vm, NULL, &guest->vcpu);
	if (ret)
		return ret;
	ret = axvcpu_setup(guest->vcpu, CODE, 0, &setup);
	if (ret)
		return ret;
	ret = axvcpu_bind(guest->vcpu);
	if (ret)
		return ret;
	return axvcpu_set_reg(guest->vcpu, ADDRESS, NOWHERE);
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

/* CPU time, so that other programs on the same CPU do not count. */
static double thread_ns(void)
{
	return read_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* Runs the guest once. Only its own exits and a kick are expected. */
static int run(const struct guest *guest, bool *kicked)
{
	struct axvcpu_exit ex;
	char text[256];
	int ret = axvcpu_run(guest->vcpu, &ex);

	if (ret)
		return ret;
	*kicked = ex.kicked;
	switch (ex.kind) {
	case AXVCPU_EXIT_NOTHING:
	case AXVCPU_EXIT_IO_WRITE:
	case AXVCPU_EXIT_MMIO_WRITE:
		return 0;
	default:
		axvcpu_exit_describe(&ex, text, sizeof(text));
		return axvcpu_fail(NULL, -EIO, "unexpected exit of the test guest: %s", text);
	}
}

/* --- a thread that kicks the vCPU ------------------------------------------------------------- */

#define POLL_NS 500000
/* At least thirty seconds: a guest that has not got its CPU time by then hangs. */
#define MAX_POLLS 60000

struct kicker {
	struct axvcpu *vcpu;
	/* Kicks when this clock reaches `until`. */
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

/* `ns` is CPU time of the calling thread. */
static int kicker_start(struct kicker *kicker, const struct guest *guest, double ns)
{
	int err = pthread_getcpuclockid(pthread_self(), &kicker->clock);

	kicker->vcpu = guest->vcpu;
	kicker->until = thread_ns() + ns;
	kicker->off = false;
	if (!err)
		err = pthread_create(&kicker->thread, NULL, kick_in_time, kicker);
	if (err)
		return axvcpu_fail(NULL, -err,
				   "cannot create the thread that kicks the test guest");
	return 0;
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
	if (ret)
		return ret;
	ret = axvcpu_get_reg(guest->vcpu, COUNTER, &last);
	if (ret)
		return ret;
	*mips = (double)(last - first) * INSTRUCTIONS_PER_COUNT * 1e3 / ns;
	return 0;
}

#define TRIES 3

/*
 * In a virtual machine, CPU time includes time in which the host runs something else. Tries are
 * short, so that some are undisturbed, and are repeated.
 */
#define MORE_TRIES 20

int guest_measure_mips(const struct guest *guest, double enough, double *mips)
{
	double best = 0, one = 0;
	int ret = axvcpu_set_entry(guest->vcpu, CODE);

	if (ret)
		return ret;
	for (int i = 0; i < TRIES || (best < enough && i < MORE_TRIES); i++) {
		ret = count(guest, &one);
		if (ret)
			return ret;
		if (one > best)
			best = one;
	}
	if (best <= 0)
		return axvcpu_fail(NULL, -EIO, "the test guest makes no progress");
	*mips = best;
	return 0;
}

/* --- nanoseconds per exit --------------------------------------------------------------------- */

/* Minimum duration, so that the clock's resolution and cost do not matter. */
#define EXITS_NS 2e6

static int run_exits(const struct guest *guest, unsigned int n, double *ns)
{
	double begin = thread_ns();
	bool kicked = false;
	int ret = 0;

	for (unsigned int i = 0; !ret && !kicked && i < n; i++)
		ret = run(guest, &kicked);
	*ns = thread_ns() - begin;
	if (ret)
		return ret;
	if (kicked)
		return axvcpu_fail(NULL, -ETIMEDOUT, "the test guest does not exit");
	return 0;
}

static int measure_exit(const struct guest *guest, double *ns)
{
	unsigned int n = 8;
	double best, one = 0;
	int ret = axvcpu_set_entry(guest->vcpu, EXIT_LOOP);

	if (ret)
		return ret;
	while (one < EXITS_NS) {
		n *= 2;
		ret = run_exits(guest, n, &one);
		if (ret)
			return ret;
	}
	best = one;
	for (int i = 1; i < TRIES; i++) {
		ret = run_exits(guest, n, &one);
		if (ret)
			return ret;
		if (one < best)
			best = one;
	}
	*ns = best / n;
	return 0;
}

int guest_measure_exit(const struct guest *guest, double *ns)
{
	struct kicker kicker;
	/* No limit on CPU time: kicks only after the time limit for hangs. */
	int ret = kicker_start(&kicker, guest, HUGE_VAL);

	if (ret)
		return ret;
	ret = measure_exit(guest, ns);
	kicker_stop(&kicker);
	return ret;
}
