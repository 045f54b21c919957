/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The system calls that each phase of a VM's life makes, as listed in docs/threads.md: a seccomp
 * filter allows a thread these and no others. tests/docs.py compares that page with this table.
 * Needs seccomp filters; one test needs /dev/kvm and is skipped without it.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"
#include "mock.h"
#include "suite.h"

/* Report of a confined process. */
static struct findings {
	/* The system call that it may not make. */
	int call;
	/* Where something else went wrong. */
	int line;
	int result;
} * findings;

enum { DONE, FAILED, CAUGHT, NO_SECCOMP };

#define must(call) \
	do { \
		int ret_ = (call); \
		if (ret_ < 0) { \
			findings->line = __LINE__; \
			findings->result = ret_; \
			_exit(FAILED); \
		} \
	} while (0)
#define must_fail(call, err) must((call) == -(err) ? 0 : -EPROTO)

/* --- a VM, on KVM or the mock ------------------------------------------------------------------ */

static const struct axvcpu_arch_ops *arch;
static bool spins;
static struct axvm *vm;
static struct axvcpu *vcpu;
static struct axvcpu_exit exit_;
static cpu_set_t cpus;

static void map(uint64_t gpa, uint64_t len, uint32_t backing, uint32_t flags)
{
	struct axvm_region region = AXVM_REGION_INIT;

	region.gpa = gpa;
	region.len = len;
	region.backing = backing;
	region.flags = flags;
	must(axvm_map(vm, &region));
}

static void act_create(void)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvcpu_config vcpu_config = AXVCPU_CONFIG_INIT;
	struct axvcpu_setup_config setup = guest_setup_config(0);

	/* Without a boot area, setup does the most. */
	setup.boot_gpa = setup.boot_size = 0;
	config.arch = arch;
	vcpu_config.cpu_set = &cpus;
	vcpu_config.cpu_set_size = sizeof(cpus);
	must(axvm_new(&config, &vm));
	map(GUEST_BASE, GUEST_MEMORY, AXVM_MEM_ANONYMOUS, 0);
	must(spins ? axvm_write(vm, GUEST_CODE, PROGRAM(spin))
		   : axvm_write(vm, GUEST_CODE, PROGRAM(echo)));
	must(axvcpu_new(vm, &vcpu_config, &vcpu));
	must(axvcpu_setup(vcpu, GUEST_CODE, 0, &setup));
}

#define MORE (GUEST_BASE + 16 * GUEST_MEMORY)

static void act_map(void)
{
	map(MORE, 2 * GUEST_MEMORY, AXVM_MEM_ANONYMOUS, AXVM_MEM_THP);
	map(MORE + 2 * GUEST_MEMORY, GUEST_MEMORY, AXVM_MEM_MEMFD, 0);
	must(axvm_unmap(vm, MORE, 2 * GUEST_MEMORY));
	must(axvm_unmap(vm, MORE + 2 * GUEST_MEMORY, GUEST_MEMORY));
}

static void act_finalize(void)
{
	must(axvm_finalize(vm));
}

static void act_bind(void)
{
	must(axvcpu_bind(vcpu));
}

/* To an access that waits for its answer, and is the first. */
static void run_to_a_read(void)
{
	do
		must(axvcpu_run(vcpu, &exit_));
	while (exit_.kind != AXVCPU_EXIT_MMIO_READ);
}

static void act_run(void)
{
	for (int i = 0; i < 10; i++) {
		run_to_a_read();
		must(axvcpu_complete_value(vcpu, 1));
	}
}

static void act_deadline(void)
{
	struct timespec ts;
	int64_t now;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
	/* Some are reached, and some are not. */
	for (int i = 0; i < 100; i++) {
		must(axvcpu_run_until(vcpu, now, &exit_));
		must(axvcpu_run_for(vcpu, i * INT64_C(1000), &exit_));
	}
}

static void act_access(void)
{
	char bytes[64] = { 0 };
	void *ptr;

	must(axvm_write(vm, GUEST_BASE, bytes, sizeof(bytes)));
	must(axvm_read(vm, GUEST_BASE, bytes, sizeof(bytes)));
	must(axvm_set(vm, GUEST_BASE, 1, sizeof(bytes)));
	must(axvm_translate(vm, GUEST_BASE, 1, &ptr));
	must(axvm_regions(vm, 0, 0, NULL));
	must(axvm_mark_dirty(vm, GUEST_BASE, 1));
}

static void act_dirty(void)
{
	struct axvm_dirty_range range;
	uint64_t cursor = 0;

	must(axvm_set_readonly(vm, GUEST_BASE, GUEST_MEMORY, true));
	must(axvm_set_readonly(vm, GUEST_BASE, GUEST_MEMORY, false));
	/* The mock has no dirty tracking. */
	if (arch) {
		must_fail(axvm_set_dirty_log(vm, GUEST_BASE, GUEST_MEMORY, true), ENOTSUP);
		return;
	}
	must(axvm_set_dirty_log(vm, GUEST_BASE, GUEST_MEMORY, true));
	must(axvm_set(vm, GUEST_BASE, 1, 1));
	must(axvm_take_dirty(vm, &cursor, 1, &range) == 1 ? 0 : -EPROTO);
	must(axvm_set_dirty_log(vm, GUEST_BASE, GUEST_MEMORY, false));
}

static void act_reset(void)
{
	must(axvm_reset(vm, 0));
	run_to_a_read();
	must(axvm_reset(vm, AXVM_RESET_MEMORY));
}

static void act_save(void)
{
	static unsigned char state[0x40000];
	struct axvm_clock clock = AXVM_CLOCK_INIT;
	int size;

	must(axvcpu_complete_value(vcpu, 1));
	must(axvm_get_clock(vm, &clock));
	size = axvcpu_save(vcpu, state, sizeof(state));
	must(size);
	/* The counter of the mock has no frequency. */
	if (clock.counter_hz)
		must(axvm_set_clock(vm, &clock, AXVM_TIME_KEEP));
	must(axvcpu_load(vcpu, state, (size_t)size, NULL));
	size = axvm_save(vm, state, sizeof(state));
	must(size);
	must(axvm_load(vm, state, (size_t)size, NULL));
}

static void act_checkpoint(void)
{
	struct axvm_restore_config config = AXVM_RESTORE_CONFIG_INIT;
	struct axvm_checkpoint *checkpoint;

	must(axvcpu_complete_value(vcpu, 1));
	map(MORE, GUEST_MEMORY, AXVM_MEM_MEMFD, 0);
	must(axvm_set(vm, MORE, 1, 1));
	must(axvm_quiesce(vm, NULL, 0));
	must(axvm_checkpoint_new(vm, NULL, &checkpoint));
	must(axvm_set(vm, MORE, 1, GUEST_MEMORY));
	/* The counter of the mock has no frequency. */
	if (!arch)
		must((int)axvm_checkpoint_restore(checkpoint, vm, &config));
	must(axvm_checkpoint_free(checkpoint));
	must(axvm_unmap(vm, MORE, GUEST_MEMORY));
}

static struct axvm_checkpoint *taken;

static void take_checkpoint(void)
{
	/* The counter of the mock has no frequency. */
	if (arch)
		mock.clock.counter_hz = 1000000;
	run_to_a_read();
	must(axvcpu_complete_value(vcpu, 1));
	must(axvm_quiesce(vm, NULL, 0));
	must(axvm_checkpoint_new(vm, NULL, &taken));
}

static void act_clone(void)
{
	struct axvm_clone_config config = AXVM_CLONE_CONFIG_INIT;
	struct axvm *clone_vm;

	config.arch = arch;
	config.time_policy = AXVM_TIME_KEEP;
	must(axvm_checkpoint_clone(taken, &config, &clone_vm));
	must(axvcpu_free(axvm_vcpu(clone_vm, 0)));
	must(axvm_free(clone_vm));
}

static int file;

static void prepare_file(void)
{
	run_to_a_read();
	must(axvcpu_complete_value(vcpu, 1));
	must(axvm_quiesce(vm, NULL, 0));
	must(axvm_checkpoint_new(vm, NULL, &taken));
	must(file = memfd_create("test", MFD_CLOEXEC));
}

static void act_file(void)
{
	struct axvm_checkpoint *copy;

	must(axvm_checkpoint_write(taken, file));
	must(axvm_checkpoint_read(file, &copy));
	must(axvm_checkpoint_verify(copy));
	must(axvm_checkpoint_free(copy));
}

static void act_error(void)
{
	uint64_t value;

	must_fail(axvm_read(vm, MORE, &value, sizeof(value)), EFAULT);
	must_fail(axvm_unmap(vm, MORE, GUEST_MEMORY), ENOENT);
	must_fail(axvm_free(vm), EBUSY);
	must_fail(axvcpu_bind(vcpu), EBADFD);
	must_fail(axvcpu_complete_value(vcpu, 1), EBADFD);
	must_fail(axvcpu_set_gpr(vcpu, 77, 1), ENOENT);
	must_fail(axvcpu_adopt(vcpu), EBUSY);
}

static void act_unbind(void)
{
	must(axvcpu_unbind(vcpu));
}

static void act_free(void)
{
	must(axvcpu_free(vcpu));
	must(axvm_free(vm));
}

/* --- an owner beside -------------------------------------------------------------------------- */

static atomic_uint kicks, wakes;
static atomic_bool blocks;

static void confine(const char *phase);

static void wait_for_state(enum axvcpu_state state)
{
	while (axvcpu_state(vcpu) != state)
		;
}

static void wait_for(atomic_uint *count)
{
	while (!atomic_load(count))
		;
}

/* The signal of a kick that found the owner running may end its sleep. */
static void block(void)
{
	int ret = axvcpu_block(vcpu, -1);

	must(ret == -EINTR ? 0 : ret);
}

static void *own(void *arg)
{
	must(axvcpu_bind(vcpu));
	confine("run");
	for (;;) {
		must(axvcpu_run(vcpu, &exit_));
		if (!exit_.kicked)
			continue;
		if (atomic_load(&blocks)) {
			/* The kick ends the first one. */
			block();
			block();
			atomic_fetch_add(&wakes, 1);
		}
		atomic_fetch_add(&kicks, 1);
	}
	return arg;
}

static void start_owner(void)
{
	pthread_t thread;

	must(-pthread_create(&thread, NULL, own, NULL));
	wait_for_state(AXVCPU_RUNNING);
}

static void act_kick(void)
{
	must(axvcpu_kick(vcpu));
	wait_for(&kicks);
	atomic_store(&blocks, true);
	wait_for_state(AXVCPU_RUNNING);
	must(axvcpu_kick(vcpu));
	wait_for_state(AXVCPU_BLOCKED);
	/* The first of these may also be for the first block. */
	do {
		must(axvcpu_wake(vcpu));
		for (volatile int i = 0; i < 10000; i++)
			;
	} while (!atomic_load(&wakes));
}

static void act_request(void)
{
	const struct axvcpu_request request = { .kind = AXVCPU_REQUEST_SET_REG,
						.u.reg = { AXVCPU_REG_GPR(3), GUEST_VALUE } };

	must(axvcpu_pause(vcpu, -1));
	must(axvcpu_resume(vcpu));
	wait_for_state(AXVCPU_RUNNING);
	must(axvcpu_set_return_value(vcpu, 0) == -EBUSY ? 0 : -EPROTO);
	must(axvcpu_send_request(vcpu, &request, 0));
	must(axvcpu_send_request(vcpu, &request, -1));
	must(axvcpu_kick(vcpu));
	wait_for(&kicks);
}

/* --- the phases -------------------------------------------------------------------------------- */

/* malloc(), where a phase allocates or frees. */
#define ALLOCATES "brk mmap munmap mprotect madvise"

static const struct phase {
	const char *name;
	/* The system calls that it may make; any thread may end, which this file makes it do. */
	const char *calls;
	/* And those of malloc(). */
	bool allocates;
	void (*act)(void);
	/* How many of create, finalize and bind come before. */
	unsigned int before;
	void (*prepare)(void);
} phases[] = {
	{ "create", "openat ioctl close mmap munmap madvise rt_sigaction getpid", true, act_create,
	  0, NULL },
	{ "map", "ioctl close mmap munmap madvise memfd_create ftruncate fcntl", true, act_map, 1,
	  NULL },
	{ "finalize", "ioctl", true, act_finalize, 1, NULL },
	{ "bind", "ioctl gettid rt_sigprocmask sched_getaffinity sched_setaffinity", true, act_bind,
	  2, NULL },
	{ "run", "ioctl futex rt_sigreturn rt_sigprocmask rt_sigtimedwait", false, act_run, 3,
	  NULL },
	{ "deadline",
	  "ioctl futex rt_sigreturn rt_sigprocmask rt_sigtimedwait gettid timer_create "
	  "timer_settime timer_delete",
	  false, act_deadline, 3, NULL },
	{ "access", "", false, act_access, 3, NULL },
	{ "dirty", "ioctl futex", true, act_dirty, 3, NULL },
	{ "kick", "tgkill futex", false, act_kick, 2, start_owner },
	{ "request", "tgkill futex ioctl", true, act_request, 2, start_owner },
	{ "reset", "ioctl madvise futex", true, act_reset, 3, run_to_a_read },
	{ "save", "ioctl futex", true, act_save, 3, run_to_a_read },
	{ "checkpoint",
	  "ioctl futex openat close memfd_create ftruncate fcntl mmap munmap madvise pread64 "
	  "pwrite64 lseek",
	  true, act_checkpoint, 3, run_to_a_read },
	{ "clone", "openat ioctl close mmap munmap madvise rt_sigaction getpid fcntl futex", true,
	  act_clone, 3, take_checkpoint },
	{ "file", "fstat newfstatat ftruncate fcntl lseek pread64 pwrite64 close", true, act_file,
	  3, prepare_file },
	{ "error", "", false, act_error, 3, NULL },
	{ "unbind", "ioctl rt_sigprocmask sched_setaffinity", true, act_unbind, 3, run_to_a_read },
	{ "free", "close munmap", true, act_free, 2, NULL },
};

#define PHASES (int)(sizeof(phases) / sizeof(phases[0]))

/* --- confinement ------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	unsigned int nr;
} numbers[] = {
#define CALL(name) \
	{ \
#name, SYS_##name \
	}
	CALL(brk),
	CALL(close),
	CALL(exit_group),
	CALL(fcntl),
	CALL(fstat),
	CALL(ftruncate),
	CALL(futex),
	CALL(getpid),
	CALL(gettid),
	CALL(ioctl),
	CALL(lseek),
	CALL(madvise),
	CALL(memfd_create),
	CALL(mmap),
	CALL(mprotect),
	CALL(munmap),
	CALL(newfstatat),
	CALL(openat),
	CALL(pread64),
	CALL(pwrite64),
	CALL(rt_sigaction),
	CALL(rt_sigprocmask),
	CALL(rt_sigreturn),
	CALL(rt_sigtimedwait),
	CALL(sched_getaffinity),
	CALL(sched_setaffinity),
	CALL(tgkill),
	CALL(timer_create),
	CALL(timer_delete),
	CALL(timer_settime),
};

#define CALLS (sizeof(numbers) / sizeof(numbers[0]))

static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	findings->call = info->si_syscall;
	_exit(CAUGHT);
}

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = words; (p = strstr(p, word)); p += len)
		if ((p == words || p[-1] == ' ') && (!p[len] || p[len] == ' '))
			return true;
	return false;
}

static const struct phase *find_phase(const char *name)
{
	const struct phase *phase = phases;

	while (strcmp(phase->name, name) != 0)
		phase++;
	return phase;
}

static void confine(const char *name)
{
	const struct phase *phase = find_phase(name);
	struct sock_filter filter[2 * CALLS + 2];
	struct sock_fprog program = { .filter = filter };
	unsigned short n = 0;

	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						   offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < CALLS; i++) {
		if (!has_word(phase->calls, numbers[i].name) &&
		    !has_word("exit_group", numbers[i].name) &&
		    !(phase->allocates && has_word(ALLOCATES, numbers[i].name)))
			continue;
		filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, numbers[i].nr,
							   0, 1);
		filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP);
	program.len = n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0))
		_exit(NO_SECCOMP);
}

/* A guest that spins, without the system calls of the mock's own. */
static void spin(enum mock_op op, void *ctx)
{
	(void)ctx;
	while (op == MOCK_RUN && spins && !atomic_load(&mock.kicked))
		;
}

static void run_phase(const struct phase *phase)
{
	static void (*const life[])(void) = { act_create, act_finalize, act_bind };
	const struct sigaction action = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };

	/* Not Check's handler, which would make further system calls. */
	signal(SIGALRM, SIG_DFL);
	alarm(SUITE_TIMEOUT / 2);
	sigaction(SIGSYS, &action, NULL);
	sched_getaffinity(0, sizeof(cpus), &cpus);
	spins = phase->prepare == start_owner;
	mock_reset();
	mock.hook = spin;
	if (!spins)
		mock.exit = (struct axvcpu_exit){ .kind = AXVCPU_EXIT_MMIO_READ, .answerable = 1 };
	for (unsigned int i = 0; i < phase->before; i++)
		life[i]();
	if (phase->prepare)
		phase->prepare();
	confine(phase->name);
	phase->act();
	_exit(DONE);
}

/* In a child: a filter stays. Returns DONE and so on. */
static int run_confined(const struct phase *phase)
{
	int status;
	pid_t pid;

	findings = mmap(NULL, sizeof(*findings), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	ck_assert_ptr_ne(findings, MAP_FAILED);
	fflush(NULL);
	pid = fork();
	if (!pid)
		run_phase(phase);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "%s ends with %#x", phase->name, (unsigned int)status);
	if (WEXITSTATUS(status) == NO_SECCOMP)
		suite_skip("this kernel has no seccomp filters");
	return WEXITSTATUS(status);
}

static void expect_no_other_call(const struct phase *phase)
{
	int ret = run_confined(phase);
	const char *name = "another";

	for (size_t i = 0; i < CALLS; i++)
		if ((int)numbers[i].nr == findings->call)
			name = numbers[i].name;
	ck_assert_msg(ret != CAUGHT, "%s makes system call %d (%s)", phase->name, findings->call,
		      name);
	ck_assert_msg(ret != FAILED, "%s: line %d: %s", phase->name, findings->line,
		      axvcpu_error_name(findings->result));
}

START_TEST(phase_makes_no_other_system_calls_on_the_mock)
{
	arch = &mock_ops;
	expect_no_other_call(&phases[_i]);
}
END_TEST

START_TEST(phase_makes_no_other_system_calls_on_kvm)
{
	struct axvm *probe;

	if (axvm_new(NULL, &probe)) {
		suite_skip(axvcpu_last_error());
		return;
	}
	ck_ok(axvm_free(probe));
	arch = NULL;
	expect_no_other_call(&phases[_i]);
}
END_TEST

/* The filter works. */
static void make_another_call(void)
{
	getppid();
}

START_TEST(another_call_is_caught)
{
	static const struct phase phase = { "run", "", false, make_another_call, 0, NULL };
	int ret = run_confined(&phase);

	if (ret == NO_SECCOMP)
		return;
	ck_assert_int_eq(ret, CAUGHT);
	ck_assert_int_eq(findings->call, SYS_getppid);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tcase = suite_case(suite, "sandbox");

	tcase_add_test(tcase, another_call_is_caught);
	tcase_add_loop_test(tcase, phase_makes_no_other_system_calls_on_the_mock, 0, PHASES);
	tcase_add_loop_test(tcase, phase_makes_no_other_system_calls_on_kvm, 0, PHASES);
}

int main(void)
{
	return suite_main("sandbox", false, add_tests);
}
