/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Adoption of vCPUs whose owner thread has ended. On the mock; tests/test_kick.c kicks an adopted
 * vCPU on KVM. gettid is wrapped at link time, to simulate a thread id that the kernel reuses.
 * Needs no KVM.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "mock.h"
#include "suite.h"

/* The id that the kernel reports for every thread; 0: the thread's real id. */
static pid_t the_id;

pid_t __real_gettid(void);
pid_t __wrap_gettid(void);
pid_t __wrap_gettid(void)
{
	return the_id ? the_id : __real_gettid();
}

static struct axvm *vm;
static struct axvcpu *vcpu;
static struct axvcpu_exit exit_;

static void start(void)
{
	mock_start(&vm, &vcpu, 0);
	ck_ok(axvcpu_setup(vcpu, 0, 0, NULL));
}

static void end(void)
{
	if (axvcpu_state(vcpu) == AXVCPU_READY)
		ck_ok(axvcpu_unbind(vcpu));
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(vm));
}

static void in_thread(void *(*fn)(void *arg))
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, fn, NULL), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

static void *bind_and_end(void *arg)
{
	ck_ok(axvcpu_bind(vcpu));
	return arg;
}

static void *bind_run_and_end(void *arg)
{
	mock.exit.kind = AXVCPU_EXIT_MMIO_READ;
	mock.exit.kind = AXVCPU_EXIT_MMIO_READ;
	mock.exit.answerable = 1;
	ck_ok(axvcpu_bind(vcpu));
	ck_ok(axvcpu_run(vcpu, &exit_));
	return arg;
}

START_TEST(a_vcpu_of_a_thread_that_has_ended_is_taken_over)
{
	start();
	in_thread(bind_run_and_end);
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_READY);
	ck_fails_saying(axvcpu_run(vcpu, &exit_), EBUSY, "axvcpu_adopt()");
	ck_fails_saying(axvcpu_unbind(vcpu), EBUSY, "has ended");
	ck_ok(axvcpu_adopt(vcpu));
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_READY);
	ck_assert_uint_eq(mock.calls[MOCK_BIND], 2);
	/* The exit still waits for its answer. */
	ck_ok(axvcpu_complete_value(vcpu, 0x77));
	ck_assert_uint_eq(mock.answer.u.value, 0x77);
	ck_ok(axvcpu_run(vcpu, &exit_));
	end();
}
END_TEST

START_TEST(a_thread_with_the_kernels_id_of_the_owner_is_not_the_owner)
{
	start();
	the_id = 4711;
	in_thread(bind_and_end);
	ck_fails(axvcpu_run(vcpu, &exit_), EBUSY);
	ck_fails(axvcpu_complete_value(vcpu, 1), EBUSY);
	ck_fails(axvcpu_block(vcpu, 0), EBUSY);
	ck_fails(axvcpu_unbind(vcpu), EBUSY);
	ck_assert_uint_eq(mock.calls[MOCK_RUN], 0);
	ck_ok(axvcpu_adopt(vcpu));
	ck_ok(axvcpu_run(vcpu, &exit_));
	end();
}
END_TEST

static void *adopt_in_vain(void *arg)
{
	ck_fails_saying(axvcpu_adopt(vcpu), EBUSY, "has not ended");
	return arg;
}

START_TEST(an_owner_that_lives_loses_nothing)
{
	start();
	the_id = _i ? 4711 : 0;
	ck_ok(axvcpu_bind(vcpu));
	in_thread(adopt_in_vain);
	ck_fails(axvcpu_adopt(vcpu), EBUSY);
	ck_ok(axvcpu_run(vcpu, &exit_));
	ck_assert_uint_eq(mock.calls[MOCK_BIND], 1);
	end();
}
END_TEST

START_TEST(a_vcpu_without_an_owner_is_bound_not_adopted)
{
	mock_start(&vm, &vcpu, 0);
	ck_fails(axvcpu_adopt(vcpu), EBADFD);
	ck_ok(axvcpu_setup(vcpu, 0, 0, NULL));
	ck_fails(axvcpu_adopt(vcpu), EBADFD);
	ck_ok(axvcpu_bind(vcpu));
	ck_ok(axvcpu_unbind(vcpu));
	in_thread(bind_and_end);
	ck_ok(axvcpu_adopt(vcpu));
	ck_ok(axvcpu_unbind(vcpu));
	ck_fails(axvcpu_adopt(vcpu), EBADFD);
	/* Bound as usual. */
	ck_ok(axvcpu_bind(vcpu));
	end();
}
END_TEST

START_TEST(an_adoption_that_fails_can_be_tried_again)
{
	start();
	in_thread(bind_and_end);
	mock.ret[MOCK_BIND] = -EIO;
	ck_assert_int_eq(axvcpu_adopt(vcpu), -EIO);
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_READY);
	ck_fails_saying(axvcpu_run(vcpu, &exit_), EBUSY, "has ended");
	mock.ret[MOCK_BIND] = 0;
	ck_ok(axvcpu_adopt(vcpu));
	end();
}
END_TEST

static void *adopt_and_end(void *arg)
{
	ck_ok(axvcpu_adopt(vcpu));
	return arg;
}

static void *adopt_run_and_unbind(void *arg)
{
	ck_ok(axvcpu_adopt(vcpu));
	ck_ok(axvcpu_run(vcpu, &exit_));
	ck_ok(axvcpu_unbind(vcpu));
	return arg;
}

START_TEST(it_goes_from_thread_to_thread)
{
	start();
	in_thread(bind_and_end);
	for (int i = 0; i < 20; i++)
		in_thread(adopt_and_end);
	in_thread(adopt_run_and_unbind);
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_FREE);
	end();
}
END_TEST

/* Of several threads that find the owner ended, exactly one becomes the owner. */
static atomic_uint adopted, refused;
static atomic_bool done;

static void *adopt_if_possible(void *arg)
{
	int ret = axvcpu_adopt(vcpu);

	atomic_fetch_add(ret ? &refused : &adopted, 1);
	ck_assert(!ret || ret == -EBUSY);
	/* Until all have tried, the owner lives. */
	while (!atomic_load(&done))
		usleep(1000);
	return arg;
}

START_TEST(one_of_several_gets_it)
{
	pthread_t threads[4];

	start();
	in_thread(bind_and_end);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, adopt_if_possible, NULL), 0);
	while (atomic_load(&adopted) + atomic_load(&refused) < 4)
		usleep(1000);
	atomic_store(&done, true);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_uint_eq(atomic_load(&adopted), 1);
	ck_ok(axvcpu_adopt(vcpu));
	end();
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tcase = suite_case(suite, "adopt");

	tcase_add_test(tcase, a_vcpu_of_a_thread_that_has_ended_is_taken_over);
	tcase_add_test(tcase, a_thread_with_the_kernels_id_of_the_owner_is_not_the_owner);
	tcase_add_loop_test(tcase, an_owner_that_lives_loses_nothing, 0, 2);
	tcase_add_test(tcase, a_vcpu_without_an_owner_is_bound_not_adopted);
	tcase_add_test(tcase, an_adoption_that_fails_can_be_tried_again);
	tcase_add_test(tcase, it_goes_from_thread_to_thread);
	tcase_add_test(tcase, one_of_several_gets_it);
}

int main(void)
{
	return suite_main("adopt", false, add_tests);
}
