/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The life of a VM, from new to free, in which every system call and every allocation of the
 * library fails in turn. A failed call has changed nothing, leaks nothing, names the call that
 * failed in its message, and succeeds when it is repeated: the guest then runs as if nothing had
 * happened.
 *
 * Memory leaks are found by AddressSanitizer, in a build with it. Needs a working /dev/kvm.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"
#include "injector.h"
#include "resources.h"
#include "suite.h"

/* --- a VM's life in steps --------------------------------------------------------------------- */

#define ANSWER 0x5au

struct life {
	struct axvm_config config;
	struct axvm *vm;
	struct axvcpu *vcpu;
	struct axvcpu_exit exit;
	int kvm_fd;
	int file_fd;
	void *own;
	uint64_t frame;
	cpu_set_t cpus;
	bool favor;
};

static int step_vm_new(struct life *life)
{
	return axvm_new(&life->config, &life->vm);
}

/* Each kind of backing at its own address; the tenth adds no kind but needs a larger table. */
static int map(struct life *life, enum axvm_backing backing, uint32_t flags, uint64_t gpa)
{
	struct axvm_region region = AXVM_REGION_INIT;

	region.gpa = gpa;
	region.len = GUEST_MEMORY;
	region.backing = backing;
	region.flags = flags;
	region.fd = life->file_fd;
	region.hva = life->own;
	return axvm_map(life->vm, &region);
}

#define AT(n) (GUEST_BASE + (uint64_t)(n)*GUEST_MEMORY)

static int step_map_anonymous(struct life *life)
{
	return map(life, AXVM_MEM_ANONYMOUS, 0, AT(0));
}

static int step_map_populated(struct life *life)
{
	return map(life, AXVM_MEM_ANONYMOUS, AXVM_MEM_POPULATE | AXVM_MEM_THP, AT(1));
}

static int step_map_memfd(struct life *life)
{
	return map(life, AXVM_MEM_MEMFD, 0, AT(2));
}

static int step_map_file(struct life *life)
{
	return map(life, AXVM_MEM_FILE, AXVM_MEM_SHARED | AXVM_MEM_THP, AT(3));
}

/* The fifth: the index of regions grows. */
static int step_map_caller(struct life *life)
{
	return map(life, AXVM_MEM_CALLER, AXVM_MEM_READONLY, AT(4));
}

static int step_write(struct life *life)
{
	return axvm_write(life->vm, GUEST_CODE, PROGRAM(life));
}

/* Which can be truncated, so that the kernel copies. */
static int step_write_file(struct life *life)
{
	return axvm_write(life->vm, AT(3), "x", 1);
}

static int step_set_file(struct life *life)
{
	return axvm_set(life->vm, AT(3), 'x', 8192);
}

static int step_read_file(struct life *life)
{
	char byte = 0;
	int ret = axvm_read(life->vm, AT(3), &byte, 1);

	ck_assert_int_eq(byte, ret ? 0 : 'x');
	return ret;
}

static int step_vcpu_new(struct life *life)
{
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;

	config.cpu_set = &life->cpus;
	config.cpu_set_size = sizeof(life->cpus);
	if (life->favor) {
		config.flags = AXVCPU_F_FAVOR_CPU;
		while (!CPU_ISSET(config.favor_cpu, &life->cpus))
			config.favor_cpu++;
	}
	return axvcpu_new(life->vm, &config, &life->vcpu);
}

static int step_setup(struct life *life)
{
	const struct axvcpu_setup_config setup = guest_setup_config(0);

	return axvcpu_setup(life->vcpu, GUEST_CODE, 0, &setup);
}

static int step_bind(struct life *life)
{
	return axvcpu_bind(life->vcpu);
}

static int step_finalize(struct life *life)
{
	return axvm_finalize(life->vm);
}

static int step_run(struct life *life)
{
	return axvcpu_run(life->vcpu, &life->exit);
}

static int step_complete(struct life *life)
{
	return axvcpu_complete_value(life->vcpu, ANSWER);
}

static int step_flush(struct life *life)
{
	return axvcpu_flush(life->vcpu);
}

static int step_unbind(struct life *life)
{
	return axvcpu_unbind(life->vcpu);
}

/* All that are read by another way, until one fails. */
static int step_get_reg(struct life *life)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < guest_register_nways; i++) {
		uint64_t value = UINT64_C(0x7777777777777777);

		ret = axvcpu_get_reg(life->vcpu, guest_register_ways[i], &value);
		ck_assert((value == UINT64_C(0x7777777777777777)) == !!ret);
	}
	return ret;
}

static int step_set_reg(struct life *life)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < guest_register_nways; i++)
		ret = axvcpu_set_reg(life->vcpu, guest_register_ways[i], 0x1000);
	return ret;
}

/* The guest has written this register; a failed call must not lose the value. */
static int step_see_value(struct life *life)
{
	uint64_t value = 0;
	int ret = axvcpu_get_reg(life->vcpu, GUEST_VALUE_REG, &value);

	ck_assert_uint_eq(value, ret ? 0 : GUEST_VALUE);
	return ret;
}

static int step_get_regs(struct life *life)
{
	struct axvcpu_regs regs;

	return axvcpu_get_regs(life->vcpu, &regs);
}

/* Twice the current value, so that nothing changes. */
static int step_set_regs(struct life *life)
{
	struct axvcpu_regs regs;
	bool armed = injector.armed;

	injector.armed = false;
	ck_ok(axvcpu_get_regs(life->vcpu, &regs));
	injector.armed = armed;
	return axvcpu_set_regs(life->vcpu, &regs);
}

static int step_set_entry(struct life *life)
{
	return axvcpu_set_entry(life->vcpu, GUEST_CODE);
}

/* Breakpoint instructions, of which the guest has none. */
static int step_set_debug(struct life *life)
{
	struct axvcpu_debug debug = AXVCPU_DEBUG_INIT;

	debug.flags = AXVCPU_DEBUG_SOFTWARE;
	return axvcpu_set_debug(life->vcpu, &debug);
}

static int step_translate(struct life *life)
{
	uint64_t gpa = 0;
	int ret = axvcpu_translate(life->vcpu, GUEST_CODE, &gpa);

	ck_assert_uint_eq(gpa, ret ? 0 : GUEST_CODE);
	return ret;
}

static int step_capability(struct life *life)
{
	return axvm_capability(life->vm, KVM_CAP_NR_MEMSLOTS);
}

static int step_alloc_frame(struct life *life)
{
	uint64_t gpa = 0;
	int ret = axvm_alloc_frame(life->vm, &gpa);

	ck_assert(ret ? !gpa : gpa);
	if (!ret)
		life->frame = gpa;
	return ret;
}

static int step_free_frame(struct life *life)
{
	return axvm_free_frame(life->vm, life->frame);
}

static int step_unmap_memfd(struct life *life)
{
	return axvm_unmap(life->vm, AT(2), GUEST_MEMORY);
}

static int step_vcpu_free(struct life *life)
{
	int ret = axvcpu_free(life->vcpu);

	if (!ret)
		life->vcpu = NULL;
	return ret;
}

static int step_vm_free(struct life *life)
{
	int ret = axvm_free(life->vm);

	if (!ret)
		life->vm = NULL;
	return ret;
}

/* Expected result of a successful step. */
static void saw_write(const struct life *life, uint64_t addr, uint64_t value)
{
	ck_assert_uint_eq(life->exit.kind, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(life->exit.u.mmio.addr, addr);
	ck_assert_uint_eq(life->exit.u.mmio.data, value);
}

static void saw_value(const struct life *life)
{
	saw_write(life, GUEST_MMIO, GUEST_VALUE);
}

static void saw_read(const struct life *life)
{
	ck_assert_uint_eq(life->exit.kind, AXVCPU_EXIT_MMIO_READ);
	ck_assert_uint_eq(life->exit.u.mmio.addr, GUEST_MMIO);
}

static void saw_answer(const struct life *life)
{
	saw_write(life, GUEST_MMIO + 8, ANSWER);
}

static void saw_answer_again(const struct life *life)
{
	saw_write(life, GUEST_MMIO, ANSWER);
}

static void saw_end(const struct life *life)
{
	saw_write(life, GUEST_END, ANSWER);
}

static const struct step {
	const char *name;
	int (*take)(struct life *life);
	void (*see)(const struct life *life);
	/* System calls and allocations that it makes at least; 0: none at all. */
	unsigned int calls;
	/* Or as many as the architecture has. */
	bool any_calls;
	/* A vCPU of KVM's own stays behind, to be used again. */
	bool parks;
	/* Frees: there is no way to fail. */
	bool frees;
} steps[] = {
	{ "vm_new", step_vm_new, .calls = 10 },
	{ "map anonymous", step_map_anonymous, .calls = 5 },
	{ "map populated", step_map_populated, .calls = 4 },
	{ "map memfd", step_map_memfd, .calls = 7 },
	{ "map file", step_map_file, .calls = 7 },
	{ "map caller", step_map_caller, .calls = 3 },
	{ "write", step_write, .calls = 0 },
	{ "write to the file", step_write_file, .calls = 1 },
	{ "set in the file", step_set_file, .calls = 2 },
	{ "read the file", step_read_file, .calls = 1 },
	{ "vcpu_new", step_vcpu_new, .calls = 5, .parks = true },
	{ "setup", step_setup, .calls = 3 },
	{ "bind", step_bind, .calls = 4 },
	{ "finalize", step_finalize, .any_calls = true },
	{ "capability", step_capability, .calls = 1 },
	{ "run, the first", step_run, saw_value, .calls = 1 },
	{ "see_value", step_see_value, .calls = 1 },
	{ "flush", step_flush, .calls = 1 },
	{ "set_reg", step_set_reg, .calls = 2 },
	{ "get_reg", step_get_reg, .calls = 2 },
	{ "set_debug", step_set_debug, .calls = 1 },
	{ "translate", step_translate, .calls = 1 },
	{ "get_regs", step_get_regs, .calls = 1 },
	{ "set_regs", step_set_regs, .calls = 1 },
	{ "set_entry", step_set_entry, .calls = 1 },
	{ "run, from the entry again", step_run, saw_value, .calls = 1 },
	{ "run to the read", step_run, saw_read, .calls = 1 },
	{ "complete", step_complete, .calls = 0 },
	{ "unbind with an open exit", step_unbind, .calls = 3 },
	{ "bind, again", step_bind, .calls = 4 },
	{ "run to the answer", step_run, saw_answer, .calls = 1 },
	{ "run to the answer again", step_run, saw_answer_again, .calls = 1 },
	{ "run to the end", step_run, saw_end, .calls = 1 },
	{ "alloc_frame", step_alloc_frame, .calls = 4 },
	{ "alloc_frame, of the same chunk", step_alloc_frame, .calls = 0 },
	{ "free_frame", step_free_frame, .calls = 0 },
	{ "unmap memfd", step_unmap_memfd, .calls = 3 },
	{ "vcpu_free, bound", step_vcpu_free, .calls = 3, .frees = true },
	{ "vm_free", step_vm_free, .calls = 4, .frees = true },
};

#define STEPS (int)(sizeof(steps) / sizeof(steps[0]))

/* --- state that must be unchanged ------------------------------------------------------------- */

struct snapshot {
	struct resources resources;
	uint64_t mapped;
	long opened;
	int regions;
	enum axvcpu_state state;
	cpu_set_t cpus;
	sigset_t signals;
};

static void snapshot(struct snapshot *s, const struct life *life)
{
	memset(s, 0, sizeof(*s));
	resources_read(&s->resources);
	s->mapped = injector.mapped;
	s->opened = injector.opened;
	s->regions = life->vm ? axvm_regions(life->vm, 0, 0, NULL) : 0;
	s->state = life->vcpu ? axvcpu_state(life->vcpu) : AXVCPU_INVALID;
	sched_getaffinity(0, sizeof(s->cpus), &s->cpus);
	sigprocmask(SIG_BLOCK, NULL, &s->signals);
}

static void expect_as_before(const struct snapshot *before, const struct life *life,
			     const char *when)
{
	struct snapshot now;

	resources_expect(&before->resources, when);
	snapshot(&now, life);
	ck_assert_msg(now.mapped == before->mapped, "%s: %" PRIu64 " bytes mapped, before %" PRIu64,
		      when, now.mapped, before->mapped);
	ck_assert_msg(now.opened == before->opened, "%s: %ld descriptors, before %ld", when,
		      now.opened, before->opened);
	ck_assert_msg(now.regions == before->regions, "%s: %d regions, before %d", when,
		      now.regions, before->regions);
	ck_assert_msg(now.state == before->state, "%s: state %s, before %s", when,
		      axvcpu_state_name(now.state), axvcpu_state_name(before->state));
	ck_assert_msg(CPU_EQUAL(&now.cpus, &before->cpus), "%s: the thread's CPU set", when);
	ck_assert_msg(!memcmp(&now.signals, &before->signals, sizeof(now.signals)),
		      "%s: the signal mask", when);
	ck_assert_msg(!axvcpu_current(), "%s: a vCPU is current", when);
}

/* --- the sweep -------------------------------------------------------------------------------- */

struct sweep {
	int step;
	unsigned int variant;
	bool persist;
};

static void take(struct life *life, const struct step *step)
{
	int ret = step->take(life);

	ck_assert_msg(ret >= 0, "%s: %d, %s", step->name, ret, axvcpu_last_error());
	if (step->see)
		step->see(life);
}

/* Takes the step with its n-th call failing, and again without. Returns whether it had so many. */
static bool take_failing(struct life *life, const struct sweep *sweep, unsigned int n)
{
	const struct step *step = &steps[sweep->step];
	struct snapshot before;
	char when[128];
	int ret;

	snapshot(&before, life);
	injector_arm(n, sweep->variant, sweep->persist);
	ret = step->take(life);
	injector_disarm();
	snprintf(when, sizeof(when), "%s, call %u (%s) failing%s", step->name, n,
		 injector.failed ? injector.failed : "none",
		 sweep->persist ? ", and all after" : "");
	if (injector.harmless || step->frees) {
		ck_assert_msg(ret >= 0, "%s: %d, %s", when, ret, axvcpu_last_error());
		if (step->see)
			step->see(life);
		if (!injector.failed && !step->any_calls)
			ck_assert_msg(step->calls ? injector.calls >= step->calls : !injector.calls,
				      "%s makes %u calls", step->name, injector.calls);
		return injector.failed;
	}
	ck_assert_msg(ret == injector.expected, "%s: %d (%s), not %s; %s", when, ret,
		      axvcpu_error_name(ret), axvcpu_error_name(injector.expected),
		      axvcpu_last_error());
	ck_assert_str_ne(axvcpu_last_error(), "");
	/* Where the roll-back fails too, not all can be as it was, and the message is of that. */
	if (!sweep->persist) {
		ck_assert_msg(strstr(axvcpu_last_error(), axvcpu_error_name(ret)), "%s: \"%s\"",
			      when, axvcpu_last_error());
		if (!step->parks)
			expect_as_before(&before, life, when);
	}
	take(life, step);
	return true;
}

/* As in a process that has had no VM yet, in a thread that lets no kick through. */
static void reset_signals(void)
{
	const struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t set;

	ck_assert_int_eq(sigaction(SIGRTMIN, &dfl, NULL), 0);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* A life with every option, or with none but that. */
static void life_begin(struct life *life, bool all)
{
	*life = (struct life){ .config = AXVM_CONFIG_INIT, .kvm_fd = -1, .favor = all };
	life->file_fd = memfd_create("file", MFD_CLOEXEC);
	ck_assert_int_ge(life->file_fd, 0);
	ck_assert_int_eq(ftruncate(life->file_fd, GUEST_MEMORY), 0);
	life->own = mmap(NULL, GUEST_MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	ck_assert_ptr_ne(life->own, MAP_FAILED);
	ck_assert_int_eq(sched_getaffinity(0, sizeof(life->cpus), &life->cpus), 0);
	reset_signals();
	if (!all) {
		guest_forward(&life->config);
		return;
	}
	life->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(life->kvm_fd, 0);
	life->config.flags = AXVM_F_KVM_FD;
	life->config.kvm_fd = life->kvm_fd;
	life->config.max_vcpus = 2;
	life->config.irqchip = AXVM_IRQCHIP_KERNEL;
	guest_forward(&life->config);
}

static void life_end(struct life *life)
{
	munmap(life->own, GUEST_MEMORY);
	close(life->file_fd);
	if (life->kvm_fd >= 0)
		close(life->kvm_fd);
}

/* Returns whether there was an n-th call. */
static bool live(const struct sweep *sweep, unsigned int n, bool all)
{
	struct snapshot before;
	struct life life;
	bool more = false;

	life_begin(&life, all);
	snapshot(&before, &life);
	for (int i = 0; i < STEPS; i++) {
		if (i == sweep->step)
			more = take_failing(&life, sweep, n);
		else
			take(&life, &steps[i]);
	}
	/* Restores the affinity of a thread that could not be restored. */
	if (sweep->persist || steps[sweep->step].frees) {
		sched_setaffinity(0, sizeof(before.cpus), &before.cpus);
		sigprocmask(SIG_SETMASK, &before.signals, NULL);
	}
	expect_as_before(&before, &life, steps[sweep->step].name);
	life_end(&life);
	return more;
}

static void sweep_step(int step, bool persist)
{
	for (unsigned int turn = 0; turn < suite_scale(INJECTOR_WAYS); turn++) {
		const unsigned int way = injector_way(step, turn);
		const struct sweep sweep = { step, way % INJECTOR_VARIANTS, persist };
		unsigned int n = 1;

		while (live(&sweep, n, way >= INJECTOR_VARIANTS))
			n++;
	}
}

START_TEST(each_call_fails_once)
{
	sweep_step(_i, false);
}
END_TEST

START_TEST(each_call_fails_and_all_after_it)
{
	sweep_step(_i, true);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *once = suite_case(suite, "once");
	TCase *on = suite_case(suite, "from_then_on");

	tcase_add_loop_test(once, each_call_fails_once, 0, STEPS);
	tcase_add_loop_test(on, each_call_fails_and_all_after_it, 0, STEPS);
}

int main(void)
{
	return suite_main("faults", true, add_tests);
}
