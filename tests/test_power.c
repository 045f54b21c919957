/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Power and reset of vCPUs on real guests, equal on every architecture: entry point, argument, and
 * the state that survives. Needs a working /dev/kvm.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "guest.h"
#include "suite.h"

#define VCPUS 4
/* Addresses of a second program. */
#define SECOND (GUEST_CODE + 0x800)

static struct guest guest;

static void start(void)
{
	guest_create(&guest, NULL, PROGRAM(tell));
	ck_ok(axvm_write(guest.vm, SECOND, PROGRAM(chatter)));
	guest_setup(&guest, AXVCPU_MODE_64);
}

static void expect_told(uint64_t arg)
{
	guest_expect_write(&guest, GUEST_MMIO, arg);
}

/* --- reset ------------------------------------------------------------------------------------ */

START_TEST(a_reset_starts_anew_from_free_and_from_ready)
{
	start();
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0x1111));
	ck_assert_int_eq(axvcpu_state(guest.vcpu), AXVCPU_FREE);
	ck_ok(axvcpu_bind(guest.vcpu));
	expect_told(0x1111);
	/* The exit that is open is gone with the rest. */
	ck_ok(axvcpu_reset(guest.vcpu, SECOND, 0x2222));
	ck_assert_int_eq(axvcpu_state(guest.vcpu), AXVCPU_READY);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), SECOND);
	expect_told(GUEST_VALUE);
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, UINT64_C(0x123456789abcdef0)));
	expect_told(UINT64_C(0x123456789abcdef0));
	guest_end(&guest);
}
END_TEST

START_TEST(a_reset_at_a_load_forgets_the_answer)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(echo));
	guest_expect_read(&guest, GUEST_MMIO);
	ck_ok(axvcpu_complete_value(guest.vcpu, 1));
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	ck_fails(axvcpu_complete_value(guest.vcpu, 2), EBADFD);
	guest_expect_read(&guest, GUEST_MMIO);
	ck_ok(axvcpu_complete_value(guest.vcpu, 3));
	guest_expect_write(&guest, GUEST_MMIO, 3);
	guest_end(&guest);
}
END_TEST

START_TEST(nothing_of_the_guest_before_is_left_in_a_named_register)
{
	uint64_t id, before[256], now;
	const char *name;
	unsigned int n;

	start();
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	/* test_fp_registers has those of more than 8 bytes, which are last. */
	for (n = 0; !axvcpu_reg_info(guest.vcpu, n, &id, NULL) && axvcpu_reg_size(id) <= 8; n++)
		before[n] = guest_reg(&guest, id);
	for (unsigned int i = 0; !axvcpu_reg_info(guest.vcpu, i, &id, NULL); i++)
		if (id < AXVCPU_REG_PC)
			ck_ok(axvcpu_set_reg(guest.vcpu, id, UINT64_C(0x5a5a5a5a) + i));
	for (size_t i = 0; i < guest_register_nways; i++)
		ck_ok(axvcpu_set_reg(guest.vcpu, guest_register_ways[i], 0x1000));
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	for (unsigned int i = 0; i < n; i++) {
		bool counts = false;

		ck_ok(axvcpu_reg_info(guest.vcpu, i, &id, &name));
		for (size_t j = 0; j < guest_register_nrules; j++)
			counts = counts || (guest_register_rules[j].id == id &&
					    guest_register_rules[j].counts);
		now = guest_reg(&guest, id);
		ck_assert_msg(counts || now == before[i], "%s is %#jx, was %#jx", name,
			      (uintmax_t)now, (uintmax_t)before[i]);
	}
	guest_end(&guest);
}
END_TEST

START_TEST(reset_revives_a_guest_after_its_terminal_exit)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(last));
	for (int i = 0; i < 3; i++) {
		guest_expect(&guest, GUEST_LAST_EXIT);
		ck_assert_uint_eq(guest.exit.answerable, 0);
		ck_fails_saying(axvcpu_run(guest.vcpu, &guest.exit), EBADFD, "terminal exit");
		ck_assert_int_eq(axvcpu_state(guest.vcpu), AXVCPU_READY);
		ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	}
	ck_ok(axvm_write(guest.vm, GUEST_CODE, PROGRAM(tell)));
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0x77));
	expect_told(0x77);
	guest_end(&guest);
}
END_TEST

/* --- start and stop --------------------------------------------------------------------------- */

static void *kick_later(void *arg)
{
	usleep(20000);
	ck_ok(axvcpu_kick(arg));
	return NULL;
}

/* It does not execute: a kick is all that ends its run. */
static void expect_off(struct axvcpu *vcpu)
{
	struct axvcpu_exit exit;
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, kick_later, vcpu), 0);
	do {
		ck_ok(axvcpu_run(vcpu, &exit));
		ck_assert_uint_eq(exit.kind, AXVCPU_EXIT_NOTHING);
	} while (!exit.kicked);
	pthread_join(thread, NULL);
}

START_TEST(stopped_vcpu_starts_at_the_given_entry)
{
	start();
	ck_ok(axvcpu_bind(guest.vcpu));
	expect_told(0);
	ck_fails(axvcpu_start(guest.vcpu, GUEST_CODE, 1), EALREADY);
	ck_ok(axvcpu_stop(guest.vcpu));
	ck_assert_int_eq(axvcpu_power(guest.vcpu), AXVCPU_POWER_OFF);
	ck_ok(axvcpu_stop(guest.vcpu));
	expect_off(guest.vcpu);
	ck_ok(axvcpu_start(guest.vcpu, GUEST_CODE, 0x99));
	ck_assert_int_eq(axvcpu_power(guest.vcpu), AXVCPU_POWER_ON);
	expect_told(0x99);
	guest_end(&guest);
}
END_TEST

START_TEST(vcpu_is_off_until_it_is_started)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvcpu *vcpus[VCPUS];

	config.max_vcpus = VCPUS;
	guest.vm = guest_vm(&config, PROGRAM(tell));
	for (uint32_t id = 0; id < VCPUS; id++)
		vcpus[id] = guest_vcpu(guest.vm, id, 0x1000 + id);
	for (uint32_t id = 1; id < VCPUS; id++) {
		guest.vcpu = vcpus[id];
		ck_ok(axvcpu_bind(guest.vcpu));
		ck_assert_int_eq(axvcpu_power(guest.vcpu), AXVCPU_POWER_WAITING);
		expect_off(guest.vcpu);
		ck_ok(axvcpu_start(guest.vcpu, GUEST_CODE, 0x2000 + id));
		ck_fails(axvcpu_start(guest.vcpu, GUEST_CODE, 0x3000 + id), EALREADY);
		expect_told(0x2000 + id);
		ck_ok(axvcpu_unbind(guest.vcpu));
	}
	for (uint32_t id = 0; id < VCPUS; id++)
		ck_ok(axvcpu_free(vcpus[id]));
	ck_ok(axvm_free(guest.vm));
}
END_TEST

/* --- from other threads ----------------------------------------------------------------------- */

static atomic_bool finish;
static _Atomic uint64_t told;

static void *own(void *arg)
{
	struct axvcpu *vcpu = arg;
	struct axvcpu_exit exit;

	ck_ok(axvcpu_bind(vcpu));
	while (!atomic_load(&finish)) {
		ck_ok(axvcpu_run(vcpu, &exit));
		if (exit.kind == AXVCPU_EXIT_MMIO_WRITE)
			atomic_store(&told, exit.u.mmio.data);
		else
			ck_assert_uint_eq(exit.kind, AXVCPU_EXIT_NOTHING);
	}
	ck_ok(axvcpu_unbind(vcpu));
	return NULL;
}

static void wait_for(uint64_t value)
{
	while (atomic_load(&told) != value)
		sched_yield();
}

static int ask(uint32_t kind, uint64_t arg)
{
	const struct axvcpu_request request = { .kind = kind, .u.start = { GUEST_CODE, arg } };

	return axvcpu_send_request(guest.vcpu, &request, -1);
}

START_TEST(reset_stop_and_start_reach_a_vcpu_that_runs_elsewhere)
{
	pthread_t owner;

	start();
	ck_assert_int_eq(pthread_create(&owner, NULL, own, guest.vcpu), 0);
	for (uint64_t i = 1; i <= 20; i++) {
		ck_ok(ask(AXVCPU_REQUEST_RESET, i));
		wait_for(i);
		ck_assert_int_eq(ask(AXVCPU_REQUEST_START, i), -EALREADY);
		ck_ok(ask(AXVCPU_REQUEST_STOP, 0));
		ck_assert_int_eq(axvcpu_power(guest.vcpu), AXVCPU_POWER_OFF);
		/* No further exit is reported. */
		atomic_store(&told, 0);
		if (i % 10 == 1) {
			usleep(10000);
			ck_assert_uint_eq(atomic_load(&told), 0);
		}
		ck_ok(ask(AXVCPU_REQUEST_START, 1000 + i));
		wait_for(1000 + i);
	}
	atomic_store(&finish, true);
	ck_ok(axvcpu_kick(guest.vcpu));
	pthread_join(owner, NULL);
	guest_end(&guest);
}
END_TEST

static uint32_t counted(void)
{
	uint32_t count = 0;

	ck_ok(axvm_read(guest.vm, GUEST_CELL_OF(0), &count, sizeof(count)));
	return count;
}

START_TEST(paused_guest_resumes_where_it_stopped)
{
	uint32_t count;
	pthread_t owner;

	guest_create(&guest, NULL, PROGRAM(count));
	guest_setup(&guest, AXVCPU_MODE_64);
	ck_ok(axvcpu_set_reg(guest.vcpu, GUEST_ARG_REG, GUEST_CELL_OF(0)));
	ck_assert_int_eq(pthread_create(&owner, NULL, own, guest.vcpu), 0);
	for (int i = 0; i < 20; i++) {
		count = counted();
		while (counted() == count)
			sched_yield();
		ck_ok(axvcpu_pause(guest.vcpu, -1));
		count = counted();
		usleep(2000);
		ck_assert_uint_eq(counted(), count);
		while (axvcpu_state(guest.vcpu) != AXVCPU_BLOCKED)
			sched_yield();
		ck_assert_uint_lt(guest_reg(&guest, AXVCPU_REG_PC) - GUEST_CODE, guest_count_size);
		ck_ok(axvcpu_resume(guest.vcpu));
	}
	atomic_store(&finish, true);
	ck_ok(axvcpu_kick(guest.vcpu));
	pthread_join(owner, NULL);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *reset = suite_case(suite, "reset");
	TCase *power = suite_case(suite, "start and stop");
	TCase *threads = suite_case(suite, "threads");

	tcase_add_test(reset, a_reset_starts_anew_from_free_and_from_ready);
	tcase_add_test(reset, a_reset_at_a_load_forgets_the_answer);
	tcase_add_test(reset, nothing_of_the_guest_before_is_left_in_a_named_register);
	tcase_add_test(reset, reset_revives_a_guest_after_its_terminal_exit);

	tcase_add_test(power, stopped_vcpu_starts_at_the_given_entry);
	tcase_add_test(power, vcpu_is_off_until_it_is_started);

	tcase_add_test(threads, reset_stop_and_start_reach_a_vcpu_that_runs_elsewhere);
	tcase_add_test(threads, paused_guest_resumes_where_it_stopped);
}

int main(void)
{
	return suite_main("power", true, add_tests);
}
