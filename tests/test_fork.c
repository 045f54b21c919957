/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * A fork copies the library's objects but not KVM's: the operations that remain possible in the
 * child, and that the parent is unaffected. Needs a working /dev/kvm.
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

#include "child.h"
#include "guest.h"
#include "resources.h"
#include "suite.h"

static struct guest guest;

static void sleep_ms(long ms)
{
	const struct timespec ts = { .tv_nsec = ms * 1000000 };

	nanosleep(&ts, NULL);
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
	child_calls_all(guest.vm, guest.vcpu, NULL);
}

START_TEST(calls_in_a_child_are_refused)
{
	start();
	child_run((enum child_way)_i, use_all);
	finish();
}
END_TEST

START_TEST(child_cannot_set_up_a_vcpu)
{
	guest_create(&guest, NULL, PROGRAM(spin));
	child_run(CHILD_FORK, use_all);
	guest_setup(&guest, AXVCPU_MODE_64);
	guest_end(&guest);
}
END_TEST

static void free_all(void)
{
	struct resources before, after;

	resources_read(&before);
	child_expect(!axvcpu_free(guest.vcpu));
	child_expect(!axvm_free(guest.vm));
	resources_read(&after);
	/* The VM, the vCPU and their mappings. */
	child_expect(after.nfds == before.nfds - 2);
	child_expect(after.file_maps == before.file_maps - 1);
}

START_TEST(child_frees_its_copy_and_the_parent_does_not_notice)
{
	start();
	child_run((enum child_way)_i, free_all);
	finish();
}
END_TEST

static void write_to_shared_memory(void)
{
	child_expect_eperm(axvm_set(guest.vm, GUEST_BASE + GUEST_MEMORY, 0xff, GUEST_MEMORY));
}

START_TEST(child_writes_to_no_memory_that_it_shares)
{
	struct axvm_region memory = AXVM_REGION_INIT;
	char byte = 1;

	start();
	memory.gpa = GUEST_BASE + GUEST_MEMORY;
	memory.len = GUEST_MEMORY;
	memory.backing = AXVM_MEM_MEMFD;
	ck_ok(axvm_map(guest.vm, &memory));
	child_run((enum child_way)_i, write_to_shared_memory);
	ck_ok(axvm_read(guest.vm, memory.gpa, &byte, 1));
	ck_assert_int_eq(byte, 0);
	finish();
}
END_TEST

static void work_and_quit(void)
{
	struct axvcpu_exit exit_;

	axvcpu_kick(guest.vcpu);
	axvcpu_complete_value(guest.vcpu, 0x99);
	axvcpu_inject_interrupt(guest.vcpu, 32);
	axvcpu_run(guest.vcpu, &exit_);
	axvcpu_flush(guest.vcpu);
	axvcpu_kick(guest.vcpu);
	axvcpu_free(guest.vcpu);
	axvm_free(guest.vm);
}

START_TEST(nothing_that_a_child_does_to_a_vcpu_reaches_the_parent)
{
	start();
	child_run((enum child_way)_i, work_and_quit);
	finish();

	/* And not where the parent does not answer, either. */
	start();
	child_run((enum child_way)_i, work_and_quit);
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

static void kick_a_lot_and_free(void)
{
	for (int i = 0; i < 100; i++)
		child_expect(axvcpu_kick(guest.vcpu) == -EPERM);
	child_expect_eperm(axvcpu_flush(guest.vcpu));
	/* The thread that was inside is not here. */
	free_all();
	/* Its record leaks. */
	_exit(0);
}

START_TEST(child_signals_no_running_vcpu_and_frees_its_copy)
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
	child_run((enum child_way)_i, kick_a_lot_and_free);
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

/* --- a child that makes a VM ------------------------------------------------------------------ */

static void *kick_soon(void *arg)
{
	struct guest *own = arg;

	sleep_ms(50);
	axvcpu_kick(own->vcpu);
	return NULL;
}

/* It runs in the only thread that survives the fork, whose id has changed. */
static void own_vm(void)
{
	struct guest own = { 0 };
	struct axvm_region memory = AXVM_REGION_INIT;
	struct axvcpu_setup_config config = guest_setup_config(0);
	pthread_t thread;

	memory.gpa = GUEST_BASE;
	memory.len = GUEST_MEMORY;
	child_expect(!axvm_new(NULL, &own.vm));
	child_expect(!axvm_map(own.vm, &memory));
	child_expect(!axvm_write(own.vm, GUEST_CODE, PROGRAM(spin)));
	child_expect(!axvcpu_new(own.vm, NULL, &own.vcpu));
	child_expect(!axvcpu_setup(own.vcpu, GUEST_CODE, 0, &config));
	child_expect(!axvcpu_bind(own.vcpu));
	child_expect(!pthread_create(&thread, NULL, kick_soon, &own));
	do
		child_expect(!axvcpu_run(own.vcpu, &own.exit));
	while (!own.exit.kicked);
	pthread_join(thread, NULL);
	child_expect(!axvcpu_unbind(own.vcpu));
	child_expect(!axvcpu_free(own.vcpu));
	child_expect(!axvm_free(own.vm));
	free_all();
}

START_TEST(child_runs_a_vm_of_its_own_and_is_kicked)
{
	start();
	child_run(CHILD_FORK, own_vm);
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

	tcase_add_loop_test(child, calls_in_a_child_are_refused, 0, CHILD_WAYS);
	tcase_add_test(child, child_cannot_set_up_a_vcpu);
	tcase_add_loop_test(child, child_frees_its_copy_and_the_parent_does_not_notice, 0,
			    CHILD_WAYS);
	tcase_add_loop_test(child, child_writes_to_no_memory_that_it_shares, 0, CHILD_WAYS);
	tcase_add_loop_test(child, nothing_that_a_child_does_to_a_vcpu_reaches_the_parent, 0,
			    CHILD_WAYS);
	tcase_add_loop_test(child, child_signals_no_running_vcpu_and_frees_its_copy, 0, CHILD_WAYS);
	tcase_add_test(child, child_runs_a_vm_of_its_own_and_is_kicked);
	tcase_add_test(exec, every_descriptor_is_closed_on_exec);
	tcase_add_test(exec, executed_program_sees_none_of_them);
}

int main(void)
{
	return suite_main("fork", true, add_tests);
}
