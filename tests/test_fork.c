/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * A fork copies the library's objects but not KVM's: what the child may still do with them, and
 * that the parent does not notice.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"
#include "resources.h"
#include "suite.h"

static struct guest guest;

static void sleep_ms(long ms)
{
	const struct timespec ts = { .tv_nsec = ms * 1000000 };

	nanosleep(&ts, NULL);
}

/* --- children: what they find wrong is text, as Check's assertions are the parent's ----------- */

#define expect(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "child, line %d: %s; %s\n", __LINE__, #condition, \
				axvcpu_last_error()); \
			exit(1); \
		} \
	} while (0)

#define expect_eperm(call) \
	do { \
		expect((call) == -EPERM); \
		expect(strstr(axvcpu_last_error(), "belongs to process")); \
		expect(strstr(axvcpu_last_error(), "EPERM")); \
	} while (0)

static pid_t start_child(void (*fn)(void))
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		alarm(SUITE_TIMEOUT / 2);
		fn();
		/* Not _exit(): a sanitizer looks for leaks here. */
		exit(0);
	}
	return pid;
}

static void end_child(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && !WEXITSTATUS(status), "the child ends with %#x", status);
}

static void in_child(void (*fn)(void))
{
	end_child(start_child(fn));
}

/* --- the parent's objects in the child -------------------------------------------------------- */

static void start(void)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.max_vcpus = 2;
	guest_start_with(&guest, &config, AXVCPU_MODE_64, PROGRAM(echo));
	guest_expect_read(&guest, GUEST_MMIO);
}

/* The guest is where start() left it. */
static void finish(void)
{
	ck_ok(axvcpu_complete_value(guest.vcpu, 0x12));
	guest_expect_write(&guest, GUEST_MMIO, 0x12);
	ck_assert_uint_eq(guest.exit.kicked, 0);
	guest_expect_read(&guest, GUEST_MMIO);
	ck_ok(axvcpu_complete_value(guest.vcpu, 0x34));
	guest_expect_write(&guest, GUEST_MMIO, 0x34);
	guest_end(&guest);
}

static void use_all(void)
{
	struct axvm_region region = AXVM_REGION_INIT;
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;
	struct axvcpu *vcpu = NULL;
	struct axvcpu_regs regs;
	struct axvcpu_exit exit_;
	uint64_t value = 77;

	region.gpa = GUEST_BASE + 16 * GUEST_MEMORY;
	region.len = GUEST_MEMORY;
	config.id = 1;
	expect_eperm(axvm_map(guest.vm, &region));
	expect(axvm_regions(guest.vm, 0, 0, NULL) == 1);
	expect_eperm(axvm_unmap(guest.vm, GUEST_BASE, GUEST_MEMORY));
	expect(axvm_regions(guest.vm, 0, 0, NULL) == 1);
	expect_eperm(axvm_capability(guest.vm, 10));
	expect_eperm(axvcpu_run(guest.vcpu, &exit_));
	expect_eperm(axvcpu_complete_value(guest.vcpu, 0x99));
	expect_eperm(axvcpu_get_reg(guest.vcpu, AXVCPU_REG_PC, &value));
	expect(value == 77);
	expect_eperm(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_PC, 0));
	expect_eperm(axvcpu_set_gpr(guest.vcpu, 0, 0));
	expect_eperm(axvcpu_set_entry(guest.vcpu, 0));
	expect_eperm(axvcpu_set_return_value(guest.vcpu, 0));
	expect_eperm(axvcpu_get_regs(guest.vcpu, &regs));
	memset(&regs, 0, sizeof(regs));
	expect_eperm(axvcpu_set_regs(guest.vcpu, &regs));
	expect_eperm(axvcpu_flush(guest.vcpu));
	expect_eperm(axvcpu_block(guest.vcpu, 0));
	expect_eperm(axvcpu_unbind(guest.vcpu));
	expect_eperm(axvcpu_new(guest.vm, &config, &vcpu));
	expect(!vcpu);
	/* Nothing of it has changed anything, and what asks nobody still answers. */
	expect(axvcpu_state(guest.vcpu) == AXVCPU_READY);
	expect(axvcpu_id(guest.vcpu) == 0);
	expect(!axvcpu_current());
}

START_TEST(child_is_told_that_the_vm_is_not_its_own)
{
	start();
	in_child(use_all);
	finish();
}
END_TEST

static void set_up_in_child(void)
{
	expect_eperm(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, NULL));
	expect(axvcpu_state(guest.vcpu) == AXVCPU_CREATED);
}

START_TEST(child_cannot_set_up_a_vcpu)
{
	guest_create(&guest, NULL, PROGRAM(spin));
	in_child(set_up_in_child);
	guest_setup(&guest, AXVCPU_MODE_64);
	guest_end(&guest);
}
END_TEST

static void free_all(void)
{
	struct resources before, after;

	resources_read(&before);
	expect(!axvcpu_free(guest.vcpu));
	expect(!axvm_free(guest.vm));
	resources_read(&after);
	/* The VM, the vCPU and what both have mapped. */
	expect(after.nfds == before.nfds - 2);
	expect(after.file_maps == before.file_maps - 1);
}

START_TEST(child_frees_its_copy_and_the_parent_does_not_notice)
{
	start();
	in_child(free_all);
	finish();
}
END_TEST

static void wipe_memory(void)
{
	expect(!axvm_set(guest.vm, GUEST_BASE, 0xff, GUEST_MEMORY));
}

/* Private memory is the child's own from the fork on. */
START_TEST(child_writes_to_a_copy_of_anonymous_memory)
{
	start();
	in_child(wipe_memory);
	finish();
}
END_TEST

static void work_and_quit(void)
{
	struct axvcpu_exit exit_;

	axvcpu_kick(guest.vcpu);
	axvcpu_complete_value(guest.vcpu, 0x99);
	axvcpu_run(guest.vcpu, &exit_);
	axvcpu_kick(guest.vcpu);
	axvcpu_free(guest.vcpu);
	axvm_free(guest.vm);
}

START_TEST(no_kick_and_no_answer_of_a_child_reaches_the_parent)
{
	start();
	in_child(work_and_quit);
	finish();

	/* And not where the parent does not answer, either. */
	start();
	in_child(work_and_quit);
	guest_expect_write(&guest, GUEST_MMIO, 0xffffffff);
	guest_end(&guest);
}
END_TEST

/* --- signals ---------------------------------------------------------------------------------- */

static atomic_uint signals;

static void count_signal(int sig)
{
	(void)sig;
	atomic_fetch_add(&signals, 1);
}

static void *run_until_kicked(void *arg)
{
	struct axvcpu_exit *exit_ = arg;

	ck_ok(axvcpu_bind(guest.vcpu));
	do
		ck_ok(axvcpu_run(guest.vcpu, exit_));
	while (!exit_->kicked);
	ck_ok(axvcpu_unbind(guest.vcpu));
	return NULL;
}

static void kick_a_lot(void)
{
	for (int i = 0; i < 100; i++)
		axvcpu_kick(guest.vcpu);
	/* The thread that was inside is not here, and there is no way to say so but this. */
	expect_eperm(axvcpu_flush(guest.vcpu));
	/* Nor can a sanitizer look for leaks without it. */
	_exit(0);
}

START_TEST(kick_in_the_child_does_not_signal_the_parents_thread)
{
	const struct sigaction action = { .sa_handler = count_signal };
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvcpu_exit exit_;
	pthread_t thread;

	ck_assert_int_eq(sigaction(SIGUSR2, &action, NULL), 0);
	config.kick_signal = SIGUSR2;
	guest_create(&guest, &config, PROGRAM(spin));
	guest_setup(&guest, AXVCPU_MODE_64);
	ck_assert_int_eq(pthread_create(&thread, NULL, run_until_kicked, &exit_), 0);
	while (axvcpu_state(guest.vcpu) != AXVCPU_RUNNING)
		sleep_ms(1);
	sleep_ms(20);
	in_child(kick_a_lot);
	sleep_ms(50);
	ck_assert_uint_eq(atomic_load(&signals), 0);
	ck_assert_int_eq(axvcpu_state(guest.vcpu), AXVCPU_RUNNING);
	/* The parent's own kick still arrives. */
	ck_ok(axvcpu_kick(guest.vcpu));
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_ge(atomic_load(&signals), 1);
	guest_end(&guest);
}
END_TEST

/* --- a child with a VM of its own ------------------------------------------------------------- */

static void *kick_soon(void *arg)
{
	struct guest *own = arg;

	sleep_ms(50);
	axvcpu_kick(own->vcpu);
	return NULL;
}

/* It runs in the one thread that came out of the fork, whose id is not what it was. */
static void own_vm(void)
{
	struct guest own = { 0 };
	struct axvm_region memory = AXVM_REGION_INIT;
	struct axvcpu_setup_config config = guest_setup_config(0);
	pthread_t thread;

	memory.gpa = GUEST_BASE;
	memory.len = GUEST_MEMORY;
	expect(!axvm_new(NULL, &own.vm));
	expect(!axvm_map(own.vm, &memory));
	expect(!axvm_write(own.vm, GUEST_CODE, PROGRAM(spin)));
	expect(!axvcpu_new(own.vm, NULL, &own.vcpu));
	expect(!axvcpu_setup(own.vcpu, GUEST_CODE, 0, &config));
	expect(!axvcpu_bind(own.vcpu));
	expect(!pthread_create(&thread, NULL, kick_soon, &own));
	do
		expect(!axvcpu_run(own.vcpu, &own.exit));
	while (!own.exit.kicked);
	pthread_join(thread, NULL);
	expect(!axvcpu_unbind(own.vcpu));
	expect(!axvcpu_free(own.vcpu));
	expect(!axvm_free(own.vm));
	free_all();
}

START_TEST(child_runs_a_vm_of_its_own_and_is_kicked)
{
	start();
	in_child(own_vm);
	finish();
}
END_TEST

/* --- exec ------------------------------------------------------------------------------------- */

/* A VM with every kind of descriptor that there is. */
static void with_all_descriptors(void)
{
	struct axvm_region memory = AXVM_REGION_INIT;

	start();
	memory.gpa = GUEST_BASE + GUEST_MEMORY;
	memory.len = GUEST_MEMORY;
	memory.backing = AXVM_MEM_MEMFD;
	ck_ok(axvm_map(guest.vm, &memory));
}

START_TEST(every_descriptor_is_closed_on_exec)
{
	struct resources before, now;
	unsigned int found = 0;

	resources_read(&before);
	with_all_descriptors();
	resources_read(&now);
	for (size_t i = 0; i < now.nfds; i++) {
		bool old = false;

		for (size_t j = 0; j < before.nfds; j++)
			old = old || before.fds[j] == now.fds[i];
		if (old)
			continue;
		found++;
		ck_assert_msg(fcntl(now.fds[i], F_GETFD) & FD_CLOEXEC, "descriptor %d", now.fds[i]);
	}
	/* VM, vCPU, memfd; /dev/kvm is closed. */
	ck_assert_uint_eq(found, 3);
	ck_assert(fcntl(axvm_fd(guest.vm), F_GETFD) & FD_CLOEXEC);
	ck_assert(fcntl(axvcpu_fd(guest.vcpu), F_GETFD) & FD_CLOEXEC);
	guest_end(&guest);
}
END_TEST

START_TEST(executed_program_sees_none_of_them)
{
	char line[256];
	FILE *ls;

	with_all_descriptors();
	ls = popen("ls -l /proc/self/fd", "re");
	ck_assert_ptr_nonnull(ls);
	while (fgets(line, sizeof(line), ls))
		ck_assert_msg(!strstr(line, "kvm") && !strstr(line, "memfd:axvm"), "%s", line);
	ck_assert_int_eq(pclose(ls), 0);
	finish();
}
END_TEST

/* ---------------------------------------------------------------------------------------------- */

static void add_tests(Suite *suite)
{
	TCase *child = suite_case(suite, "child");
	TCase *exec = suite_case(suite, "exec");

	tcase_add_test(child, child_is_told_that_the_vm_is_not_its_own);
	tcase_add_test(child, child_cannot_set_up_a_vcpu);
	tcase_add_test(child, child_frees_its_copy_and_the_parent_does_not_notice);
	tcase_add_test(child, child_writes_to_a_copy_of_anonymous_memory);
	tcase_add_test(child, no_kick_and_no_answer_of_a_child_reaches_the_parent);
	tcase_add_test(child, kick_in_the_child_does_not_signal_the_parents_thread);
	tcase_add_test(child, child_runs_a_vm_of_its_own_and_is_kicked);
	tcase_add_test(exec, every_descriptor_is_closed_on_exec);
	tcase_add_test(exec, executed_program_sees_none_of_them);
}

int main(void)
{
	return suite_main("fork", true, add_tests);
}
