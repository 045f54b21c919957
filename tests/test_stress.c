/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Everything at once, on real guests: VMs that come and go, their vCPUs on the runner or by hand,
 * and threads that kick, pause, inject, reset, remap and look meanwhile. Only documented errnos
 * come back, no thread is stuck, every guest goes on, and nothing is left behind.
 *
 * AXVCPU_TEST_LONG=1 makes it a minute, AXVCPU_TEST_SEED=n repeats the decisions of an earlier run,
 * though not their timing. Needs a working /dev/kvm.
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"
#include "resources.h"
#include "suite.h"

#define VMS 3
#define VCPUS 2
/* With two threads for every VM's vCPUs and one that makes and ends it, sixteen. */
#define DISTURBERS 7
#define THREADS (VMS + DISTURBERS)

#define SECONDS 8
#define SECONDS_LONG 60
/* So long may a thread be at one thing, on a machine that is slow and busy. */
#define STUCK_SECONDS suite_seconds(90)

#define NS_PER_MS 1000000

/* Bytes that the runs may leave behind in stacks that libc keeps for the next thread. */
#define CACHED_BYTES (UINT64_C(64) << 20)

/* --- the guest ------------------------------------------------------------------------------------- */

/* For the host's reads and writes: a page for each thread. */
#define SCRATCH(thread) (GUEST_BASE + 0x100000u + 0x1000u * (thread))

#define ANSWER 0x600d600du
#define WINDOW_ANSWER 0xa5a5a5a5u
#define WINDOW_PATTERN 0x57575757u
#define NO_ANSWER 0xffffffffu
/* Register 9 belongs to the requests alone. */
#define FREE_REG 9
#define FREE_REG_MARK UINT64_C(0xaa00)

/* --- threads and the watchdog ------------------------------------------------------------------------ */

struct thread {
	pthread_t id;
	unsigned int n;
	unsigned int seed;
	/* Its present step, and the number of steps begun. */
	_Atomic(const char *) doing;
	atomic_uint beats;
	atomic_bool ended;
};

static unsigned int seed;
static struct thread threads[THREADS];
static atomic_bool finish;
static atomic_uint lives;

#define must(condition, ...) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "stress: AXVCPU_TEST_SEED=%u: ", seed); \
			fprintf(stderr, __VA_ARGS__); \
			fprintf(stderr, "\n"); \
			ck_abort_msg("%s (AXVCPU_TEST_SEED=%u)", #condition, seed); \
		} \
	} while (0)

/* Only 0, a count, or one of these errnos: a list that ends with 0. */
static int only(const char *what, int ret, const int *errnos)
{
	bool known = ret >= 0;

	for (; !known && *errnos; errnos++)
		known = ret == -*errnos;
	must(known, "%s: %d (%s), %s", what, ret, axvcpu_error_name(ret), axvcpu_last_error());
	return ret;
}

#define NO_ERRNO 0
#define ONLY(call, ...) only(#call, (call), (const int[]){ __VA_ARGS__, 0 })
#define ALWAYS(call) ONLY(call, NO_ERRNO)

static void beat(struct thread *thread, const char *doing)
{
	atomic_store(&thread->doing, doing);
	atomic_fetch_add(&thread->beats, 1);
}

static unsigned int dice(struct thread *thread, unsigned int sides)
{
	thread->seed = thread->seed * 1103515245 + 12345;
	return (thread->seed >> 16) % sides;
}

static void sleep_us(struct thread *thread, unsigned int most)
{
	usleep(dice(thread, most) + 1);
}

/* --- a VM ------------------------------------------------------------------------------------------------- */

struct machine {
	/* Held for writing while the VM is made, checked and freed; for reading by who uses it. */
	pthread_rwlock_t lock;
	/* All of it exists, except 'runner' if the VM runs without one. */
	bool there;
	struct axvm *vm;
	struct axvcpu *vcpus[VCPUS];
	struct axvm_runner *runner;
	bool on_runner;
	bool kernel_irqchip;

	/* By hand: who is at which vCPU, and whether to go on. */
	pthread_mutex_t seats[VCPUS];
	pthread_t owners[VCPUS];
	atomic_bool stop;
	/* WINDOW_PATTERN, for the window. */
	unsigned char *pattern;
	uint32_t pattern_size;
};

static struct machine machines[VMS];

static void make_vcpu(struct machine *m, uint32_t id, bool off)
{
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;
	struct axvcpu_setup_config setup = guest_setup_config(id);

	config.id = id;
	config.flags = off ? AXVCPU_F_START_OFF : 0;
	ALWAYS(axvcpu_new(m->vm, &config, &m->vcpus[id]));
	setup.arg = GUEST_CELL_OF(id);
	ALWAYS(axvcpu_setup(m->vcpus[id], GUEST_CODE, 0, &setup));
}

static int map_window(struct machine *m)
{
	struct axvm_region region = AXVM_REGION_INIT;

	region.gpa = GUEST_WINDOW;
	region.len = m->pattern_size;
	region.backing = AXVM_MEM_CALLER;
	region.flags = AXVM_MEM_READONLY;
	region.hva = m->pattern;
	return axvm_map(m->vm, &region);
}

static struct work_cell read_cell(struct machine *m, uint32_t id)
{
	struct work_cell cell = { 0 };

	ALWAYS(axvm_read(m->vm, GUEST_CELL_OF(id), &cell, sizeof(cell)));
	return cell;
}

/* --- its vCPUs, by hand or on the runner ------------------------------------------------------------- */

static void check_window_value(uint64_t value)
{
	/* Memory, or an answer to MMIO, or none where a flush came first. */
	must(value == WINDOW_PATTERN || value == WINDOW_ANSWER || value == NO_ANSWER,
	     "the guest saw %#llx through the window", (unsigned long long)value);
}

/* Another thread may be reading the registers, a short operation. */
#define PATIENTLY(ret, call) \
	while (((ret) = (call)) == -EBUSY) \
	sched_yield()

static void answer(struct axvcpu *vcpu, uint64_t value)
{
	int ret;

	PATIENTLY(ret, axvcpu_complete_value(vcpu, value));
	/* Or a flush has finished the exit since. */
	only("axvcpu_complete_value", ret, (const int[]){ EBADFD, 0 });
}

static void handle(struct axvcpu *vcpu, const struct axvcpu_exit *exit)
{
	char text[512];

	switch (exit->kind) {
	case AXVCPU_EXIT_NOTHING:
		break;
	case AXVCPU_EXIT_MMIO_WRITE:
		must(exit->u.mmio.addr == GUEST_WORK_TELL, "a write to %#llx",
		     (unsigned long long)exit->u.mmio.addr);
		check_window_value(exit->u.mmio.data);
		break;
	case AXVCPU_EXIT_MMIO_READ:
		must(exit->u.mmio.addr == GUEST_WINDOW || exit->u.mmio.addr == GUEST_WORK_ASK,
		     "a read of %#llx", (unsigned long long)exit->u.mmio.addr);
		answer(vcpu, exit->u.mmio.addr == GUEST_WINDOW ? WINDOW_ANSWER : ANSWER);
		break;
	case AXVCPU_EXIT_SHUTDOWN:
		/* x86: an NMI or an exception came before the guest had its table. It begins anew. */
		ALWAYS(axvcpu_reset(vcpu, GUEST_CODE, GUEST_CELL_OF(axvcpu_id(vcpu))));
		break;
	default:
		axvcpu_exit_describe(exit, text, sizeof(text));
		must(false, "vCPU %u: %s", axvcpu_id(vcpu), text);
	}
}

/* Now and then it sleeps, as a handler that waits for something does. */
static void maybe_block(struct axvcpu *vcpu, const struct axvcpu_exit *exit)
{
	int ret;

	if (exit->kind != AXVCPU_EXIT_MMIO_WRITE || rand() % 64)
		return;
	PATIENTLY(ret, axvcpu_block(vcpu, NS_PER_MS));
	only("axvcpu_block", ret, (const int[]){ ETIMEDOUT, EINTR, 0 });
}

static int on_exit_of_runner(struct axvcpu *vcpu, struct axvcpu_exit *exit, void *ctx)
{
	(void)ctx;
	handle(vcpu, exit);
	maybe_block(vcpu, exit);
	return AXVM_CONTINUE;
}

static void own_for_a_while(struct machine *m, struct axvcpu *vcpu, unsigned int rounds)
{
	struct axvcpu_exit exit;
	int ret;

	PATIENTLY(ret, axvcpu_bind(vcpu));
	only("axvcpu_bind", ret, (const int[]){ 0 });
	for (unsigned int i = 0; i < rounds && !atomic_load(&m->stop); i++) {
		PATIENTLY(ret, axvcpu_run(vcpu, &exit));
		only("axvcpu_run", ret, (const int[]){ 0 });
		handle(vcpu, &exit);
		maybe_block(vcpu, &exit);
	}
	PATIENTLY(ret, axvcpu_unbind(vcpu));
	only("axvcpu_unbind", ret, (const int[]){ 0 });
}

/* Owns now this one, now that one. */
static void *by_hand(void *arg)
{
	struct machine *m = arg;

	while (!atomic_load(&m->stop)) {
		int i = rand() % VCPUS;

		if (pthread_mutex_trylock(&m->seats[i])) {
			sched_yield();
			continue;
		}
		own_for_a_while(m, m->vcpus[i], 1 + (unsigned int)rand() % 200);
		pthread_mutex_unlock(&m->seats[i]);
	}
	return NULL;
}

static void go(struct machine *m)
{
	struct axvm_runner_config config = AXVM_RUNNER_CONFIG_INIT;

	atomic_store(&m->stop, false);
	if (!m->on_runner) {
		for (int i = 0; i < VCPUS; i++)
			must(!pthread_create(&m->owners[i], NULL, by_hand, m), "no thread");
		return;
	}
	config.handler = on_exit_of_runner;
	config.vcpus = m->vcpus;
	config.nvcpus = VCPUS;
	config.stack_size = 256 * 1024;
	ALWAYS(axvm_runner_start(m->vm, &config, &m->runner));
}

/* With the others still at it. */
static void halt(struct machine *m)
{
	if (m->on_runner) {
		ALWAYS(axvm_runner_stop(m->runner));
		ALWAYS(axvm_runner_join(m->runner, -1));
		return;
	}
	atomic_store(&m->stop, true);
	/* One is enough: it stays until a run has seen it. */
	for (int i = 0; i < VCPUS; i++)
		ALWAYS(axvcpu_kick(m->vcpus[i]));
	for (int i = 0; i < VCPUS; i++)
		pthread_join(m->owners[i], NULL);
}

/* --- those who make and end VMs -------------------------------------------------------------------- */

static void make(struct thread *thread, struct machine *m)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm_region memory = AXVM_REGION_INIT;

	beat(thread, "makes a VM");
	m->on_runner = dice(thread, 2);
	m->kernel_irqchip = !dice(thread, 4);
	config.id = thread->n;
	config.max_vcpus = VCPUS;
	config.irqchip = m->kernel_irqchip ? AXVM_IRQCHIP_KERNEL : AXVM_IRQCHIP_NONE;
	ALWAYS(axvm_new(&config, &m->vm));
	memory.gpa = GUEST_BASE;
	memory.len = GUEST_MEMORY;
	memory.backing = dice(thread, 2) ? AXVM_MEM_MEMFD : AXVM_MEM_ANONYMOUS;
	ALWAYS(axvm_map(m->vm, &memory));
	if (dice(thread, 2))
		ALWAYS(map_window(m));
	ALWAYS(axvm_write(m->vm, GUEST_CODE, PROGRAM(work)));
	guest_work_prepare(m->vm);
	/* Else the kernel keeps all but the first one waiting, on two of three architectures. */
	for (uint32_t i = 0; i < VCPUS; i++)
		make_vcpu(m, i, i || !dice(thread, 4));
	go(m);
	m->there = true;
}

/* No other operation interferes now: the vCPUs hold still when they are paused, */
static void check_stillness(struct thread *thread, struct machine *m)
{
	uint32_t before[VCPUS];

	beat(thread, "holds its vCPUs");
	for (uint32_t i = 0; i < VCPUS; i++)
		ALWAYS(axvcpu_pause(m->vcpus[i], -1));
	for (uint32_t i = 0; i < VCPUS; i++)
		before[i] = read_cell(m, i).rounds;
	usleep(2000);
	for (uint32_t i = 0; i < VCPUS; i++) {
		uint32_t now = read_cell(m, i).rounds;

		must(now == before[i], "vCPU %u went on from %u to %u", i, before[i], now);
	}
}

/* In the kernel, LAPICs keep all but the first vCPU waiting for another one to start them. */
static void start(struct machine *m, uint32_t id)
{
	struct axvcpu_request reset = { .kind = AXVCPU_REQUEST_RESET,
					.u.start = { GUEST_CODE, GUEST_CELL_OF(id) } };

	if (m->kernel_irqchip)
		ALWAYS(axvcpu_send_request(m->vcpus[id], &reset, -1));
	else
		ONLY(axvcpu_start(m->vcpus[id], GUEST_CODE, GUEST_CELL_OF(id)), EALREADY);
}

/* and go on when they are resumed. */
static void check_progress(struct thread *thread, struct machine *m)
{
	for (uint32_t i = 0; i < VCPUS; i++) {
		uint32_t before = read_cell(m, i).rounds;

		/* First the requests in its queue: one may be a stop. */
		ALWAYS(axvcpu_pause(m->vcpus[i], -1));
		ALWAYS(axvcpu_resume(m->vcpus[i]));
		start(m, i);
		beat(thread, "waits for its guest to go on");
		/* The watchdog ends this. */
		while (read_cell(m, i).rounds - before < 3)
			usleep(200);
		check_window_value(read_cell(m, i).seen);
	}
}

static void end(struct thread *thread, struct machine *m)
{
	beat(thread, "ends its VM");
	m->there = false;
	if (m->on_runner)
		ALWAYS(axvm_runner_free(m->runner));
	m->runner = NULL;
	for (int i = 0; i < VCPUS; i++) {
		must(axvcpu_state(m->vcpus[i]) == AXVCPU_FREE, "vCPU %d is %s", i,
		     axvcpu_state_name(axvcpu_state(m->vcpus[i])));
		ALWAYS(axvcpu_free(m->vcpus[i]));
		m->vcpus[i] = NULL;
	}
	ALWAYS(axvm_free(m->vm));
	m->vm = NULL;
	atomic_fetch_add(&lives, 1);
}

static void *manage(void *arg)
{
	struct thread *thread = arg;
	struct machine *m = &machines[thread->n];

	while (!atomic_load(&finish)) {
		pthread_rwlock_wrlock(&m->lock);
		make(thread, m);
		pthread_rwlock_unlock(&m->lock);

		beat(thread, "lets it live");
		sleep_us(thread, 300000);
		beat(thread, "waits for the others");
		pthread_rwlock_wrlock(&m->lock);
		if (dice(thread, 2))
			check_stillness(thread, m);
		check_progress(thread, m);
		pthread_rwlock_unlock(&m->lock);
		sleep_us(thread, 20000);

		beat(thread, "stops its vCPUs");
		halt(m);
		beat(thread, "waits for the others to leave");
		pthread_rwlock_wrlock(&m->lock);
		end(thread, m);
		pthread_rwlock_unlock(&m->lock);
	}
	atomic_store(&thread->ended, true);
	return NULL;
}

/* --- those who disturb ---------------------------------------------------------------------------------- */

/* Not at all, a little, long, or forever: either a thread runs the vCPU or it has no owner. */
static int64_t patience(struct thread *thread)
{
	static const int64_t choices[] = { 0, 0, 10000, NS_PER_MS, 50 * NS_PER_MS, -1 };

	return choices[dice(thread, sizeof(choices) / sizeof(choices[0]))];
}

static void ask(struct thread *thread, struct axvcpu *vcpu)
{
	struct axvcpu_request request = { 0 };
	/* In addition to the results of every request. */
	int own = 0;

	switch (dice(thread, 4)) {
	case 0:
		request.kind = AXVCPU_REQUEST_RESET;
		request.u.start.entry = GUEST_CODE;
		request.u.start.arg = GUEST_CELL_OF(axvcpu_id(vcpu));
		break;
	case 1:
		request.kind = AXVCPU_REQUEST_START;
		request.u.start.entry = GUEST_CODE;
		request.u.start.arg = GUEST_CELL_OF(axvcpu_id(vcpu));
		own = EALREADY;
		break;
	default:
		request.kind = AXVCPU_REQUEST_SET_REG;
		request.u.reg.id = AXVCPU_REG_GPR(FREE_REG);
		request.u.reg.value = FREE_REG_MARK | dice(thread, 256);
		break;
	}
	ONLY(axvcpu_send_request(vcpu, &request, patience(thread)), ETIMEDOUT, own);
}

/* A line is lowered again by the thread that raised it: the last request leaves it low. */
static void interrupt(struct thread *thread, struct machine *m, struct axvcpu *vcpu)
{
	struct axvcpu_request request = { 0 };
	int own = guest_work_interrupt(&request, dice(thread, 65536));

	if (request.kind != AXVCPU_REQUEST_IRQ_LINE) {
		ONLY(axvcpu_send_request(vcpu, &request, patience(thread)), ETIMEDOUT, own);
		return;
	}
	/* The controllers' now, not the CPU's. */
	if (m->kernel_irqchip)
		return;
	ALWAYS(axvcpu_send_request(vcpu, &request, 0));
	sleep_us(thread, 1000);
	request.u.line.level = 0;
	ALWAYS(axvcpu_send_request(vcpu, &request, 0));
}

static void pause_and_look(struct thread *thread, struct axvcpu *vcpu)
{
	const uint32_t id = axvcpu_id(vcpu);
	struct axvcpu_regs regs;
	uint64_t gpa;

	if (ONLY(axvcpu_pause(vcpu, patience(thread)), ETIMEDOUT))
		return;
	/* Others may have resumed it already. */
	if (!ONLY(axvcpu_get_regs(vcpu, &regs), EBUSY, EBADFD)) {
		must(regs.gpr[GUEST_ARG_REG] == GUEST_CELL_OF(id), "the argument is %#llx",
		     (unsigned long long)regs.gpr[GUEST_ARG_REG]);
		must(!regs.gpr[FREE_REG] || (regs.gpr[FREE_REG] & ~UINT64_C(0xff)) == FREE_REG_MARK,
		     "register 9 is %#llx", (unsigned long long)regs.gpr[FREE_REG]);
		must(regs.pc - GUEST_CODE < guest_work_size, "the program counter is %#llx",
		     (unsigned long long)regs.pc);
	}
	if (!ONLY(axvcpu_translate(vcpu, GUEST_CODE, &gpa), EBUSY, EBADFD))
		must(gpa == GUEST_CODE, "%#llx", (unsigned long long)gpa);
	if (!dice(thread, 4))
		ONLY(axvcpu_flush(vcpu), EBUSY, EBADFD);
	sleep_us(thread, 2000);
	ALWAYS(axvcpu_resume(vcpu));
}

static void switch_off_and_on(struct thread *thread, struct axvcpu *vcpu)
{
	ALWAYS(axvcpu_stop(vcpu));
	sleep_us(thread, 1000);
	/* Another thread may have, or the stop is still in the queue. */
	ONLY(axvcpu_start(vcpu, GUEST_CODE, GUEST_CELL_OF(axvcpu_id(vcpu))), EALREADY);
}

static void use_memory(struct thread *thread, struct machine *m)
{
	const uint64_t at = SCRATCH(thread->n);
	struct axvm_region regions[8];
	uint64_t written = thread->seed, read = 0, frame;
	void *ptr;
	int n;

	ALWAYS(axvm_write(m->vm, at, &written, sizeof(written)));
	ALWAYS(axvm_read(m->vm, at, &read, sizeof(read)));
	must(read == written, "wrote %llx, read %llx", (unsigned long long)written,
	     (unsigned long long)read);
	ALWAYS(axvm_translate(m->vm, at, 4096, &ptr));
	must(*(uint64_t *)ptr == written, "the pointer leads elsewhere");
	ALWAYS(axvm_set(m->vm, at, 0, 4096));
	regions[0].size = sizeof(regions[0]);
	n = ALWAYS(axvm_regions(m->vm, 0, 8, regions));
	for (int i = 1; i < n && i < 8; i++)
		must(regions[i].gpa > regions[i - 1].gpa, "the regions are out of order");
	if (dice(thread, 4))
		return;
	ALWAYS(axvm_alloc_frame(m->vm, &frame));
	must(axvm_phys_to_virt(m->vm, frame), "a frame that is not there");
	ALWAYS(axvm_free_frame(m->vm, frame));
}

static void remap(struct thread *thread, struct machine *m)
{
	uint32_t seen;

	if (dice(thread, 2))
		ONLY(axvm_unmap(m->vm, GUEST_WINDOW, m->pattern_size), ENOENT);
	else
		ONLY(map_window(m), EEXIST);
	if (!ONLY(axvm_read(m->vm, GUEST_WINDOW, &seen, sizeof(seen)), EFAULT))
		must(seen == WINDOW_PATTERN, "the window shows %#x", seen);
	ONLY(axvm_write(m->vm, GUEST_WINDOW, &seen, sizeof(seen)), EFAULT, EROFS);
}

static void look(struct axvcpu *vcpu)
{
	enum axvcpu_state state = axvcpu_state(vcpu);

	must(state >= AXVCPU_FREE && state <= AXVCPU_BLOCKED, "state %s", axvcpu_state_name(state));
	must(axvcpu_power(vcpu) <= AXVCPU_POWER_STARTING, "power %d", (int)axvcpu_power(vcpu));
	must(axvcpu_id(vcpu) < VCPUS, "id %u", axvcpu_id(vcpu));
}

static void disturb_runner(struct thread *thread, struct machine *m)
{
	if (!m->on_runner)
		return;
	if (dice(thread, 2)) {
		ONLY(axvm_runner_join(m->runner, dice(thread, NS_PER_MS)), ETIMEDOUT);
		return;
	}
	/* It may be stopping. */
	if (ONLY(axvm_runner_pause(m->runner, patience(thread)), ETIMEDOUT, EBADFD))
		return;
	sleep_us(thread, 2000);
	ONLY(axvm_runner_resume(m->runner), EBADFD);
}

static void disturb(struct thread *thread, struct machine *m)
{
	struct axvcpu *vcpu = m->vcpus[dice(thread, VCPUS)];

	switch (dice(thread, 12)) {
	case 0:
	case 1:
		beat(thread, "kicks");
		for (unsigned int i = dice(thread, 20); i; i--)
			ALWAYS(axvcpu_kick(vcpu));
		break;
	case 2:
		beat(thread, "wakes");
		ALWAYS(axvcpu_wake(vcpu));
		break;
	case 3:
	case 4:
		beat(thread, "pauses and looks");
		pause_and_look(thread, vcpu);
		break;
	case 5:
		beat(thread, "switches off and on");
		switch_off_and_on(thread, vcpu);
		break;
	case 6:
		beat(thread, "disturbs the runner");
		disturb_runner(thread, m);
		break;
	case 7:
		beat(thread, "remaps");
		remap(thread, m);
		break;
	case 8:
		beat(thread, "uses memory");
		use_memory(thread, m);
		break;
	case 9:
		beat(thread, "looks");
		look(vcpu);
		break;
	case 10:
		beat(thread, "interrupts");
		interrupt(thread, m, vcpu);
		break;
	default:
		beat(thread, "asks");
		ask(thread, vcpu);
		break;
	}
}

static void *disturb_all(void *arg)
{
	struct thread *thread = arg;

	while (!atomic_load(&finish)) {
		struct machine *m = &machines[dice(thread, VMS)];

		pthread_rwlock_rdlock(&m->lock);
		if (m->there)
			disturb(thread, m);
		pthread_rwlock_unlock(&m->lock);
		sleep_us(thread, 2000);
	}
	atomic_store(&thread->ended, true);
	return NULL;
}

/* --- all of it ------------------------------------------------------------------------------------------ */

static void machines_init(void)
{
	pthread_rwlockattr_t attr;
	uint32_t page = (uint32_t)sysconf(_SC_PAGESIZE);

	pthread_rwlockattr_init(&attr);
	/* Else those who disturb never let those in who make and end. */
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	for (int i = 0; i < VMS; i++) {
		struct machine *m = &machines[i];

		pthread_rwlock_init(&m->lock, &attr);
		for (int j = 0; j < VCPUS; j++)
			pthread_mutex_init(&m->seats[j], NULL);
		m->pattern = aligned_alloc(page, page);
		ck_assert_ptr_nonnull(m->pattern);
		m->pattern_size = page;
		memset(m->pattern, WINDOW_PATTERN & 0xff, page);
	}
	pthread_rwlockattr_destroy(&attr);
}

/* Until all have ended. A thread that makes no progress fails the test. */
static void watch(unsigned int seconds)
{
	unsigned int beats[THREADS] = { 0 }, since[THREADS] = { 0 };
	unsigned int running = THREADS;

	for (unsigned int now = 0; running; now++) {
		usleep(100000);
		if (now >= seconds * 10)
			atomic_store(&finish, true);
		running = 0;
		for (int i = 0; i < THREADS; i++) {
			unsigned int n = atomic_load(&threads[i].beats);

			running += !atomic_load(&threads[i].ended);
			if (n != beats[i] || atomic_load(&threads[i].ended))
				since[i] = now;
			beats[i] = n;
			must(now - since[i] < STUCK_SECONDS * 10,
			     "thread %d %s, and does not get on", i,
			     atomic_load(&threads[i].doing));
		}
	}
}

START_TEST(everything_at_once)
{
	struct resources before, after;

	fprintf(stderr, "stress: AXVCPU_TEST_SEED=%u\n", seed);
	srand(seed);
	/* Else libc maps one for nearly every thread, and keeps it. */
	mallopt(M_ARENA_MAX, 1);
	machines_init();
	resources_read(&before);
	for (unsigned int i = 0; i < THREADS; i++) {
		threads[i].n = i;
		threads[i].seed = seed + i;
		atomic_store(&threads[i].doing, "begins");
		must(!pthread_create(&threads[i].id, NULL, i < VMS ? manage : disturb_all,
				     &threads[i]),
		     "no thread");
	}
	watch(suite_long() ? SECONDS_LONG : SECONDS);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i].id, NULL);
	must(atomic_load(&lives) >= VMS, "%u VMs have lived", atomic_load(&lives));

	resources_read(&after);
	must(after.nfds == before.nfds &&
		     !memcmp(after.fds, before.fds, before.nfds * sizeof(before.fds[0])),
	     "%zu descriptors, before %zu", after.nfds, before.nfds);
	must(after.file_maps == before.file_maps, "%zu mappings of files, before %zu",
	     after.file_maps, before.file_maps);
	must(after.anonymous <= before.anonymous + CACHED_BYTES, "%llu bytes mapped, before %llu",
	     (unsigned long long)after.anonymous, (unsigned long long)before.anonymous);
	printf("stress: %u VMs have lived\n", atomic_load(&lives));
	for (int i = 0; i < VMS; i++)
		free(machines[i].pattern);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *all = suite_case(suite, "all");
	const char *given = getenv("AXVCPU_TEST_SEED");

	seed = given ? (unsigned int)strtoul(given, NULL, 10)
		     : (unsigned int)time(NULL) ^ (unsigned int)getpid() << 16;
	tcase_set_timeout(all, SECONDS_LONG + 2 * STUCK_SECONDS);
	tcase_add_test(all, everything_at_once);
}

int main(void)
{
	return suite_main("stress", true, add_tests);
}
