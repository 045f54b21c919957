/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * A request queue whose owner does not run: it takes a limited number of requests, and loses none.
 * The injector counts allocations. Needs no KVM.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "injector.h"
#include "mock.h"
#include "suite.h"

static struct axvm *vm;
static struct axvcpu *vcpu;

/* As request.h and interrupt.h have it. */
#define MAX_REQUESTS 4096u
#define TIMES 65535u

static atomic_bool run_now;
static pthread_t owner;

static void *own_and_run_once(void *arg)
{
	struct axvcpu_exit exit;

	(void)arg;
	ck_ok(axvcpu_bind(vcpu));
	while (!atomic_load(&run_now))
		sched_yield();
	ck_ok(axvcpu_run(vcpu, &exit));
	ck_ok(axvcpu_unbind(vcpu));
	return NULL;
}

/* Its owner does something else. */
static void start(uint32_t flags)
{
	mock_start(&vm, &vcpu, flags);
	ck_ok(axvcpu_setup(vcpu, 0, 0, NULL));
	ck_assert_int_eq(pthread_create(&owner, NULL, own_and_run_once, NULL), 0);
	while (axvcpu_state(vcpu) != AXVCPU_READY)
		sched_yield();
	injector_arm(0, 0, false);
}

static void let_it_run(void)
{
	injector_disarm();
	atomic_store(&run_now, true);
	pthread_join(owner, NULL);
}

static void end(void)
{
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(vm));
}

START_TEST(equal_injections_share_a_request_and_are_all_delivered)
{
	start(0);
	for (unsigned int i = 0; i < TIMES; i++)
		ck_ok(axvcpu_inject_interrupt(vcpu, 7));
	ck_assert_uint_eq(injector.calls, 1);
	for (unsigned int i = 0; i < 100; i++)
		ck_fails_saying(axvcpu_inject_interrupt(vcpu, 7), ENOSPC, "vCPU 0");
	ck_assert_uint_eq(injector.calls, 1);
	/* Another one still has room, and so have NMIs. */
	ck_ok(axvcpu_inject_interrupt(vcpu, 8));
	for (unsigned int i = 0; i < 1000; i++)
		ck_ok(axvcpu_inject_nmi(vcpu));
	ck_assert_uint_eq(injector.calls, 3);
	let_it_run();
	ck_assert_uint_eq(mock.calls[MOCK_INJECT_INTERRUPT], TIMES + 1);
	ck_assert_uint_eq(mock.vectors[(mock.nvectors - 1) % 1024], 8);
	ck_assert_uint_eq(mock.calls[MOCK_INJECT_NMI], 1000);
	end();
}
END_TEST

START_TEST(failed_injection_is_not_repeated_for_all_waiting)
{
	start(0);
	for (unsigned int i = 0; i < 1000; i++)
		ck_ok(axvcpu_inject_interrupt(vcpu, 7));
	ck_ok(axvcpu_inject_nmi(vcpu));
	mock.ret[MOCK_INJECT_INTERRUPT] = -ENOSPC;
	let_it_run();
	ck_assert_uint_eq(mock.calls[MOCK_INJECT_INTERRUPT], 1);
	ck_assert_uint_eq(mock.calls[MOCK_INJECT_NMI], 1);
	end();
}
END_TEST

START_TEST(a_full_queue_refuses_injections_and_loses_none)
{
	start(0);
	/* No two of them in a row are the same. */
	for (unsigned int i = 0; i < MAX_REQUESTS; i++)
		ck_ok(axvcpu_inject_interrupt(vcpu, i));
	ck_assert_uint_eq(injector.calls, MAX_REQUESTS);
	ck_fails_saying(axvcpu_inject_interrupt(vcpu, 0), ENOSPC, "queue is full");
	ck_fails(axvcpu_inject_nmi(vcpu), ENOSPC);
	ck_fails(axvcpu_set_irq_line(vcpu, 1, true), ENOSPC);
	ck_fails(axvcpu_inject_exception(vcpu, &(struct axvcpu_exception){ .vector = 6 }), ENOSPC);
	ck_assert_uint_eq(injector.calls, MAX_REQUESTS);
	let_it_run();
	ck_assert_uint_eq(mock.nvectors, MAX_REQUESTS);
	for (unsigned int i = 0; i < 1024; i++)
		ck_assert_uint_eq(mock.vectors[i], MAX_REQUESTS - 1024 + i);
	ck_ok(axvcpu_inject_interrupt(vcpu, 0));
	end();
}
END_TEST

START_TEST(injections_leave_room_for_other_requests)
{
	const struct axvcpu_request nmi = { .kind = AXVCPU_REQUEST_NMI };
	unsigned int more = 0;
	int ret;

	start(AXVCPU_F_START_OFF);
	for (unsigned int i = 0; i < MAX_REQUESTS; i++)
		ck_ok(axvcpu_inject_interrupt(vcpu, i));
	/* A sender that waits has its own request. */
	ck_fails(axvcpu_send_request(vcpu, &nmi, 1), ETIMEDOUT);
	while (!(ret = axvcpu_resume(vcpu)))
		more++;
	ck_assert_int_eq(ret, -ENOSPC);
	ck_assert_uint_eq(more, MAX_REQUESTS);
	/* A start that found no room leaves no trace. */
	for (int i = 0; i < 2; i++)
		ck_fails_saying(axvcpu_start(vcpu, 1, 2), ENOSPC, "queue is full");
	ck_assert_int_eq(axvcpu_power(vcpu), AXVCPU_POWER_WAITING);
	/* Its owner lies down, and is kicked out of that. */
	ck_ok(axvcpu_kick(vcpu));
	let_it_run();
	ck_assert_uint_eq(mock.nvectors, MAX_REQUESTS);
	ck_assert_uint_eq(mock.calls[MOCK_INJECT_NMI], 0);
	ck_ok(axvcpu_start(vcpu, 1, 2));
	ck_assert_int_eq(axvcpu_power(vcpu), AXVCPU_POWER_ON);
	end();
}
END_TEST

START_TEST(repeated_line_level_is_one_request)
{
	start(0);
	for (unsigned int i = 0; i < 1000; i++)
		ck_ok(axvcpu_set_irq_line(vcpu, 3, true));
	ck_assert_uint_eq(injector.calls, 1);
	ck_ok(axvcpu_set_irq_line(vcpu, 3, false));
	ck_ok(axvcpu_set_irq_line(vcpu, 4, false));
	ck_ok(axvcpu_set_irq_line(vcpu, 3, true));
	ck_assert_uint_eq(injector.calls, 4);
	let_it_run();
	ck_assert_uint_eq(mock.calls[MOCK_SET_IRQ_LINE], 4);
	ck_assert_uint_eq(mock.regs[3], 1);
	end();
}
END_TEST

static void *inject_one(void *arg)
{
	(void)arg;
	ck_ok(axvcpu_inject_interrupt(vcpu, 1));
	return NULL;
}

static void *wait_in_vain(void *arg)
{
	const struct axvcpu_request request = { .kind = AXVCPU_REQUEST_INTERRUPT, .u.vector = 2 };

	ck_fails(axvcpu_send_request(vcpu, &request, *(const int64_t *)arg), ETIMEDOUT);
	return NULL;
}

START_TEST(withdrawn_requests_leave_the_others_in_order)
{
	int64_t timeouts[] = { 1, 30000000, 60000000 };
	pthread_t waiters[3], sender;

	/* From the end, the middle and the beginning of the box. */
	start(0);
	for (int i = 2; i >= 0; i--) {
		ck_assert_int_eq(pthread_create(&waiters[i], NULL, wait_in_vain, &timeouts[i]), 0);
		ck_assert_int_eq(pthread_create(&sender, NULL, inject_one, NULL), 0);
		pthread_join(sender, NULL);
	}
	for (int i = 0; i < 3; i++)
		pthread_join(waiters[i], NULL);
	ck_ok(axvcpu_inject_interrupt(vcpu, 3));
	let_it_run();
	ck_assert_uint_eq(mock.nvectors, 4);
	for (unsigned int i = 0; i < 3; i++)
		ck_assert_uint_eq(mock.vectors[i], 1);
	ck_assert_uint_eq(mock.vectors[3], 3);
	end();
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tcase = suite_case(suite, "request queue");

	tcase_add_test(tcase, equal_injections_share_a_request_and_are_all_delivered);
	tcase_add_test(tcase, failed_injection_is_not_repeated_for_all_waiting);
	tcase_add_test(tcase, a_full_queue_refuses_injections_and_loses_none);
	tcase_add_test(tcase, injections_leave_room_for_other_requests);
	tcase_add_test(tcase, repeated_line_level_is_one_request);
	tcase_add_test(tcase, withdrawn_requests_leave_the_others_in_order);
}

int main(void)
{
	return suite_main("request_queue", false, add_tests);
}
