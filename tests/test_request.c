/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The request queue and power, without a hypervisor: who does what, in which order, and who waits.
 * Needs no KVM.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <axvcpu/crate.h>

#include "mock.h"
#include "suite.h"

static struct axvm *vm;
static struct axvcpu *vcpu;

#define MS 1000000

static void start(uint32_t flags)
{
	mock_start(&vm, &vcpu, flags);
	ck_ok(axvcpu_setup(vcpu, 0, 0, NULL));
}

static void end(void)
{
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(vm));
}

static const struct axvcpu_request nmi = { .kind = AXVCPU_REQUEST_NMI };

/* --- an owner in another thread ------------------------------------------------------------------- */

static atomic_bool finish;
static pthread_t owner;

/* Runs until told to finish. */
static void *own(void *arg)
{
	struct axvcpu_exit exit;

	(void)arg;
	ck_ok(axvcpu_bind(vcpu));
	while (!atomic_load(&finish)) {
		ck_ok(axvcpu_run(vcpu, &exit));
		ck_assert_uint_eq(exit.kind, AXVCPU_EXIT_NOTHING);
	}
	ck_ok(axvcpu_unbind(vcpu));
	return NULL;
}

static void start_owner(uint32_t flags)
{
	start(flags);
	mock.spin = true;
	ck_assert_int_eq(pthread_create(&owner, NULL, own, NULL), 0);
	if (!(flags & AXVCPU_F_START_OFF))
		while (!atomic_load(&mock.inside))
			sched_yield();
	else
		while (axvcpu_state(vcpu) != AXVCPU_BLOCKED)
			sched_yield();
}

static void end_owner(void)
{
	atomic_store(&finish, true);
	ck_ok(axvcpu_kick(vcpu));
	pthread_join(owner, NULL);
	end();
}

START_TEST(owner_carries_out_requests_to_a_running_vcpu)
{
	struct axvcpu_request request = { .kind = AXVCPU_REQUEST_SET_REG };
	uint64_t value = 0;

	start_owner(0);
	request.u.reg.id = 5;
	request.u.reg.value = 55;
	ck_ok(axvcpu_send_request(vcpu, &request, -1));
	ck_assert(pthread_equal(mock.thread, owner));
	ck_assert(mock.current_right);
	ck_assert_uint_eq(mock.regs[5], 55);
	request = (struct axvcpu_request){ .kind = AXVCPU_REQUEST_INTERRUPT, .u.vector = 77 };
	ck_ok(axvcpu_send_request(vcpu, &request, -1));
	ck_assert_uint_eq(mock.vectors[0], 77);
	/* The longest time that there is. */
	ck_ok(axvcpu_send_request(vcpu, &nmi, INT64_MAX));
	request = (struct axvcpu_request){ .kind = AXVCPU_REQUEST_EXCEPTION,
					   .u.exception = { .vector = 13 } };
	ck_ok(axvcpu_send_request(vcpu, &request, -1));
	ck_assert_uint_eq(mock.vectors[1], 13);
	request = (struct axvcpu_request){ .kind = AXVCPU_REQUEST_IRQ_LINE, .u.line = { 7, 1 } };
	ck_ok(axvcpu_send_request(vcpu, &request, -1));
	ck_assert_uint_eq(mock.regs[7], 1);
	ck_assert_uint_eq(mock.calls[MOCK_INJECT_NMI], 1);
	/* The sender gets the backend's result. */
	mock.ret[MOCK_INJECT_NMI] = -EIO;
	ck_assert_int_eq(axvcpu_send_request(vcpu, &nmi, -1), -EIO);
	/* But the register calls themselves are not for others while the owner is inside. */
	while (!atomic_load(&mock.inside))
		sched_yield();
	ck_fails(axvcpu_get_reg(vcpu, 5, &value), EBUSY);
	end_owner();
}
END_TEST

START_TEST(requests_keep_their_order)
{
	struct axvcpu_request request = { .kind = AXVCPU_REQUEST_INTERRUPT };

	start_owner(0);
	for (uint32_t i = 0; i < 1000; i++)
		ck_ok(axvcpu_inject_interrupt(vcpu, i));
	request.u.vector = 1000;
	ck_ok(axvcpu_send_request(vcpu, &request, -1));
	ck_assert_uint_eq(mock.nvectors, 1001);
	for (uint32_t i = 0; i <= 1000; i++)
		ck_assert_uint_eq(mock.vectors[i], i);
	end_owner();
}
END_TEST

#define SENDERS 4
#define EACH 2000

static void *send_many(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < suite_scale(EACH); i++)
		ck_ok(i % 8 ? axvcpu_inject_nmi(vcpu) : axvcpu_send_request(vcpu, &nmi, -1));
	return NULL;
}

START_TEST(no_request_of_many_threads_is_lost)
{
	pthread_t senders[SENDERS];

	start_owner(0);
	for (int i = 0; i < SENDERS; i++)
		ck_assert_int_eq(pthread_create(&senders[i], NULL, send_many, NULL), 0);
	for (int i = 0; i < SENDERS; i++)
		pthread_join(senders[i], NULL);
	ck_ok(axvcpu_send_request(vcpu, &nmi, -1));
	ck_assert_uint_eq(mock.calls[MOCK_INJECT_NMI], SENDERS * suite_scale(EACH) + 1);
	end_owner();
}
END_TEST

static void *come_and_go(void *arg)
{
	struct axvcpu_exit exit;

	(void)arg;
	while (!atomic_load(&finish)) {
		ck_ok(axvcpu_bind(vcpu));
		ck_ok(axvcpu_run(vcpu, &exit));
		ck_ok(axvcpu_unbind(vcpu));
	}
	return NULL;
}

START_TEST(no_request_is_stuck_when_the_owner_leaves)
{
	const unsigned int n = suite_scale(3000);
	pthread_t thread;

	/*
	 * The owner binds and unbinds all the time: each request is carried out by one side or the
	 * other.
	 */
	start(0);
	ck_assert_int_eq(pthread_create(&thread, NULL, come_and_go, NULL), 0);
	for (unsigned int i = 0; i < n; i++)
		ck_ok(axvcpu_send_request(vcpu, &nmi, -1));
	ck_assert_uint_eq(mock.calls[MOCK_INJECT_NMI], n);
	atomic_store(&finish, true);
	pthread_join(thread, NULL);
	end();
}
END_TEST

static atomic_bool carrying, binding;

static void carry_slowly(enum mock_op op, void *arch)
{
	(void)arch;
	if (op != MOCK_INJECT_NMI)
		return;
	atomic_store(&carrying, true);
	while (!atomic_load(&binding))
		sched_yield();
	usleep(50000);
}

static void *carry(void *arg)
{
	(void)arg;
	ck_ok(axvcpu_inject_nmi(vcpu));
	return NULL;
}

START_TEST(calls_during_a_request_are_not_refused)
{
	pthread_t carrier;

	/* Without an owner the sender does it, and a thread that binds knows nothing of that. */
	start(0);
	mock.hook = carry_slowly;
	ck_assert_int_eq(pthread_create(&carrier, NULL, carry, NULL), 0);
	while (!atomic_load(&carrying))
		sched_yield();
	atomic_store(&binding, true);
	ck_ok(axvcpu_bind(vcpu));
	ck_assert_uint_eq(mock.calls[MOCK_INJECT_NMI], 1);
	pthread_join(carrier, NULL);
	end();
}
END_TEST

/* --- at once -------------------------------------------------------------------------------------------- */

START_TEST(requests_by_or_without_an_owner_run_at_once)
{
	start(0);
	ck_ok(axvcpu_inject_interrupt(vcpu, 9));
	ck_assert_uint_eq(mock.nvectors, 1);
	ck_ok(axvcpu_bind(vcpu));
	ck_ok(axvcpu_inject_interrupt(vcpu, 10));
	ck_assert_uint_eq(mock.nvectors, 2);
	mock.ret[MOCK_INJECT_INTERRUPT] = -ENOSPC;
	ck_assert_int_eq(axvcpu_inject_interrupt(vcpu, 11), -ENOSPC);
	ck_assert_uint_eq(mock.calls[MOCK_KICK], 0);
	end();
}
END_TEST

static atomic_bool reading, may_end;

/* Stays inside axvcpu_get_reg() of the other thread. */
static void hook_reads_long(enum mock_op op, void *arch)
{
	(void)arch;
	if (op != MOCK_GET_REG)
		return;
	atomic_store(&reading, true);
	while (!atomic_load(&may_end))
		sched_yield();
}

static void *read_a_register(void *arg)
{
	uint64_t value;

	(void)arg;
	ck_ok(axvcpu_get_reg(vcpu, AXVCPU_REG_GPR(0), &value));
	return NULL;
}

static void *end_the_reading(void *arg)
{
	(void)arg;
	usleep(20000);
	atomic_store(&may_end, true);
	return NULL;
}

/* _i: the timeout. A queued request would be carried out only by the owner, which would wait. */
START_TEST(the_owners_request_beside_another_threads_operation_runs_at_once)
{
	pthread_t reader, ender;

	start(0);
	ck_ok(axvcpu_bind(vcpu));
	mock.hook = hook_reads_long;
	ck_assert_int_eq(pthread_create(&reader, NULL, read_a_register, NULL), 0);
	while (!atomic_load(&reading))
		sched_yield();
	ck_assert_int_eq(pthread_create(&ender, NULL, end_the_reading, NULL), 0);
	ck_ok(axvcpu_send_request(vcpu, &nmi, _i));
	ck_assert_uint_eq(mock.calls[MOCK_INJECT_NMI], 1);
	pthread_join(reader, NULL);
	pthread_join(ender, NULL);
	mock.hook = NULL;
	end();
}
END_TEST

START_TEST(an_unknown_register_of_a_request_has_a_message)
{
	const struct axvcpu_request request = { .kind = AXVCPU_REQUEST_SET_REG,
						.u.reg = { .id = UINT64_C(1) << 63 } };

	start(0);
	mock.ret[MOCK_SET_REG] = -ENOENT;
	ck_fails_saying(axvcpu_send_request(vcpu, &request, -1), ENOENT,
			"set_reg: the mock backend has no register 0x8000000000000000");
	end();
}
END_TEST

static void hook_asks_itself(enum mock_op op, void *arch)
{
	(void)arch;
	if (op != MOCK_RUN)
		return;
	/* Inside: it would wait for itself. Later is fine. */
	ck_fails_saying(axvcpu_send_request(vcpu, &nmi, -1), EBUSY,
			"inside an operation on this vCPU");
	ck_ok(axvcpu_inject_nmi(vcpu));
	ck_assert_uint_eq(mock.calls[MOCK_INJECT_NMI], 0);
}

START_TEST(a_request_from_inside_waits_for_the_next_run)
{
	struct axvcpu_exit exit;

	start(0);
	ck_ok(axvcpu_bind(vcpu));
	mock.hook = hook_asks_itself;
	ck_ok(axvcpu_run(vcpu, &exit));
	mock.hook = NULL;
	ck_assert_uint_eq(mock.calls[MOCK_INJECT_NMI], 0);
	ck_ok(axvcpu_run(vcpu, &exit));
	ck_assert_uint_eq(mock.calls[MOCK_INJECT_NMI], 1);
	end();
}
END_TEST

/* --- refused --------------------------------------------------------------------------------------------- */

START_TEST(invalid_requests_and_wrong_states_are_refused)
{
	struct axvcpu_request request = { .kind = 0 };

	mock_start(&vm, &vcpu, 0);
	ck_fails(axvcpu_inject_nmi(vcpu), EBADFD);
	ck_fails(axvcpu_reset(vcpu, 0, 0), EBADFD);
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_CREATED);
	ck_ok(axvcpu_setup(vcpu, 0, 0, NULL));
	ck_fails_saying(axvcpu_send_request(vcpu, &request, 0), EINVAL, "kind 0");
	request.kind = AXVCPU_REQUEST_RESET_TO_SETUP + 1;
	ck_fails(axvcpu_send_request(vcpu, &request, -1), EINVAL);
	ck_ok(axvcpu_set_state(vcpu, AXVCPU_INVALID));
	ck_fails(axvcpu_stop(vcpu), EBADFD);
	end();
}
END_TEST

START_TEST(missing_backend_operation_is_reported_at_once)
{
	struct axvcpu_arch_ops ops = mock_ops;
	struct axvm_config config = AXVM_CONFIG_INIT;

	mock_reset();
	ops.inject_interrupt = NULL;
	ops.inject_nmi = NULL;
	ops.inject_exception = NULL;
	ops.set_irq_line = NULL;
	ops.reset = NULL;
	config.arch = &ops;
	ck_ok(axvm_new(&config, &vm));
	ck_ok(axvcpu_new(vm, NULL, &vcpu));
	ck_ok(axvcpu_setup(vcpu, 0, 0, NULL));
	ck_fails(axvcpu_inject_interrupt(vcpu, 32), ENOTSUP);
	ck_fails(axvcpu_inject_nmi(vcpu), ENOTSUP);
	ck_fails(axvcpu_inject_exception(vcpu, &(struct axvcpu_exception){ .vector = 6 }), ENOTSUP);
	ck_fails(axvcpu_set_irq_line(vcpu, 0, true), ENOTSUP);
	ck_fails(axvcpu_reset(vcpu, 0, 0), ENOTSUP);
	ck_ok(axvcpu_stop(vcpu));
	end();
}
END_TEST

static void *bind_and_idle(void *arg)
{
	(void)arg;
	ck_ok(axvcpu_bind(vcpu));
	while (!atomic_load(&finish))
		sched_yield();
	return NULL;
}

START_TEST(request_not_begun_in_time_is_withdrawn)
{
	pthread_t thread;

	start(0);
	ck_assert_int_eq(pthread_create(&thread, NULL, bind_and_idle, NULL), 0);
	while (axvcpu_state(vcpu) != AXVCPU_READY)
		sched_yield();
	/* Its owner never runs it. */
	ck_fails(axvcpu_send_request(vcpu, &nmi, 20 * MS), ETIMEDOUT);
	/* An asynchronous request stays in the queue. */
	ck_ok(axvcpu_inject_interrupt(vcpu, 1));
	ck_fails(axvcpu_send_request(vcpu, &nmi, 1), ETIMEDOUT);
	atomic_store(&finish, true);
	pthread_join(thread, NULL);
	ck_assert_uint_eq(mock.calls[MOCK_INJECT_NMI], 0);
	ck_assert_uint_eq(mock.calls[MOCK_INJECT_INTERRUPT], 0);
	/* Freed with the vCPU. */
	end();
}
END_TEST

/* --- power ---------------------------------------------------------------------------------------------------- */

START_TEST(a_vcpu_that_starts_off_waits_for_its_start)
{
	struct axvcpu_request request = { .kind = AXVCPU_REQUEST_START,
					  .u.start = { 0x1000, 0x2000 } };
	uint64_t value;

	start_owner(AXVCPU_F_START_OFF);
	ck_assert_int_eq(axvcpu_power(vcpu), AXVCPU_POWER_WAITING);
	ck_assert_uint_eq(mock.calls[MOCK_RUN], 0);
	/* It sleeps inside run: its registers can be looked at. */
	ck_ok(axvcpu_get_reg(vcpu, 1, &value));
	ck_ok(axvcpu_send_request(vcpu, &request, -1));
	ck_assert_int_eq(axvcpu_power(vcpu), AXVCPU_POWER_ON);
	ck_assert_uint_eq(mock.entry, 0x1000);
	ck_assert_uint_eq(mock.arg, 0x2000);
	ck_assert(mock.start);
	while (!atomic_load(&mock.inside))
		sched_yield();
	ck_fails(axvcpu_start(vcpu, 0, 0), EALREADY);
	end_owner();
}
END_TEST

START_TEST(only_one_of_many_starts_succeeds)
{
	unsigned int started = 0;

	start_owner(AXVCPU_F_START_OFF);
	for (int i = 0; i < 50; i++) {
		int ret = axvcpu_start(vcpu, 1, 2);

		ck_assert(!ret || ret == -EALREADY);
		started += !ret;
	}
	ck_assert_uint_eq(started, 1);
	while (!atomic_load(&mock.inside))
		sched_yield();
	ck_assert_uint_eq(mock.calls[MOCK_RESET], 1);
	/* A failed start can be tried again. */
	ck_ok(axvcpu_send_request(vcpu, &(struct axvcpu_request){ .kind = AXVCPU_REQUEST_STOP },
				  -1));
	ck_assert_int_eq(axvcpu_power(vcpu), AXVCPU_POWER_OFF);
	mock.ret[MOCK_RESET] = -EINVAL;
	ck_assert_int_eq(axvcpu_send_request(vcpu,
					     &(struct axvcpu_request){
						     .kind = AXVCPU_REQUEST_START },
					     -1),
			 -EINVAL);
	ck_assert_int_eq(axvcpu_power(vcpu), AXVCPU_POWER_OFF);
	mock.ret[MOCK_RESET] = 0;
	ck_ok(axvcpu_start(vcpu, 1, 2));
	end_owner();
}
END_TEST

START_TEST(registers_can_be_read_after_a_pause)
{
	uint64_t value;

	/* The request is answered before the owner has lain down: that is not to be seen. */
	start_owner(0);
	for (int i = 0; i < 1000; i++) {
		ck_ok(axvcpu_pause(vcpu, -1));
		ck_ok(axvcpu_get_reg(vcpu, 1, &value));
		ck_ok(axvcpu_resume(vcpu));
	}
	end_owner();
}
END_TEST

static void *look(void *arg)
{
	uint64_t value;

	(void)arg;
	while (!atomic_load(&finish)) {
		int ret = axvcpu_get_reg(vcpu, 1, &value);

		/* The owner is in the guest now and then. */
		ck_assert_msg(!ret || ret == -EBUSY, "%d", ret);
	}
	return NULL;
}

START_TEST(register_reads_do_not_make_the_owner_fail)
{
	struct axvcpu_exit exit;
	pthread_t thread;

	start(0);
	ck_assert_int_eq(pthread_create(&thread, NULL, look, NULL), 0);
	for (unsigned int i = 0; i < suite_scale(20000); i++) {
		ck_ok(axvcpu_bind(vcpu));
		ck_ok(axvcpu_run(vcpu, &exit));
		ck_ok(axvcpu_set_reg(vcpu, 1, 5));
		ck_ok(axvcpu_run(vcpu, &exit));
		ck_ok(axvcpu_unbind(vcpu));
	}
	atomic_store(&finish, true);
	pthread_join(thread, NULL);
	end();
}
END_TEST

START_TEST(a_stopped_vcpu_leaves_the_guest_and_a_kick_still_comes_through)
{
	struct axvcpu_exit exit;

	start(0);
	ck_ok(axvcpu_bind(vcpu));
	ck_ok(axvcpu_stop(vcpu));
	ck_ok(axvcpu_kick(vcpu));
	ck_ok(axvcpu_run(vcpu, &exit));
	ck_assert_uint_eq(exit.kind, AXVCPU_EXIT_NOTHING);
	ck_assert_uint_eq(exit.kicked, 1);
	ck_assert_uint_eq(mock.calls[MOCK_RUN], 0);
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_READY);
	end();
}
END_TEST

START_TEST(pause_waits_until_the_guest_is_left_and_resume_lets_it_in)
{
	uint64_t value;

	start_owner(0);
	for (int i = 0; i < 200; i++) {
		ck_ok(axvcpu_pause(vcpu, -1));
		while (axvcpu_state(vcpu) != AXVCPU_BLOCKED)
			sched_yield();
		ck_assert(!atomic_load(&mock.inside));
		ck_ok(axvcpu_get_reg(vcpu, 1, &value));
		/* Requests to a paused vCPU are carried out nevertheless. */
		ck_ok(axvcpu_send_request(vcpu, &nmi, -1));
		ck_ok(axvcpu_pause(vcpu, -1));
		ck_ok(axvcpu_resume(vcpu));
		while (!atomic_load(&mock.inside))
			sched_yield();
	}
	ck_assert_uint_eq(mock.calls[MOCK_INJECT_NMI], 200);
	end_owner();
}
END_TEST

START_TEST(a_reset_revives_after_a_terminal_exit)
{
	struct axvcpu_exit exit;

	start(0);
	ck_ok(axvcpu_bind(vcpu));
	mock.exit.kind = AXVCPU_EXIT_SHUTDOWN;
	ck_ok(axvcpu_run(vcpu, &exit));
	ck_fails_saying(axvcpu_run(vcpu, &exit), EBADFD, "reset");
	mock.ret[MOCK_RESET] = -EIO;
	ck_assert_int_eq(axvcpu_reset(vcpu, 0x42, 0x43), -EIO);
	ck_fails(axvcpu_run(vcpu, &exit), EBADFD);
	mock.ret[MOCK_RESET] = 0;
	ck_ok(axvcpu_reset(vcpu, 0x42, 0x43));
	ck_assert(!mock.start);
	ck_ok(axvcpu_run(vcpu, &exit));
	/* And from Free; a reset switches on. */
	ck_ok(axvcpu_unbind(vcpu));
	ck_ok(axvcpu_stop(vcpu));
	ck_ok(axvcpu_reset(vcpu, 0x44, 0x45));
	ck_assert_int_eq(axvcpu_power(vcpu), AXVCPU_POWER_ON);
	ck_assert_uint_eq(mock.entry, 0x44);
	end();
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *mail = suite_case(suite, "queue");
	TCase *refused = suite_case(suite, "refused");
	TCase *power = suite_case(suite, "power");

	tcase_add_test(mail, owner_carries_out_requests_to_a_running_vcpu);
	tcase_add_test(mail, requests_keep_their_order);
	tcase_add_test(mail, no_request_of_many_threads_is_lost);
	tcase_add_test(mail, no_request_is_stuck_when_the_owner_leaves);
	tcase_add_test(mail, calls_during_a_request_are_not_refused);
	tcase_add_test(mail, requests_by_or_without_an_owner_run_at_once);
	tcase_add_loop_test(mail, the_owners_request_beside_another_threads_operation_runs_at_once,
			    -1, 1);
	tcase_add_test(mail, an_unknown_register_of_a_request_has_a_message);
	tcase_add_test(mail, a_request_from_inside_waits_for_the_next_run);

	tcase_add_test(refused, invalid_requests_and_wrong_states_are_refused);
	tcase_add_test(refused, missing_backend_operation_is_reported_at_once);
	tcase_add_test(refused, request_not_begun_in_time_is_withdrawn);

	tcase_add_test(power, a_vcpu_that_starts_off_waits_for_its_start);
	tcase_add_test(power, only_one_of_many_starts_succeeds);
	tcase_add_test(power, a_stopped_vcpu_leaves_the_guest_and_a_kick_still_comes_through);
	tcase_add_test(power, registers_can_be_read_after_a_pause);
	tcase_add_test(power, register_reads_do_not_make_the_owner_fail);
	tcase_add_test(power, pause_waits_until_the_guest_is_left_and_resume_lets_it_in);
	tcase_add_test(power, a_reset_revives_after_a_terminal_exit);
}

int main(void)
{
	return suite_main("request", false, add_tests);
}
