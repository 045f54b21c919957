/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * End functions of interrupts: which thread calls them, and when; and how they are removed. On the
 * mock, so without KVM: the test ends the interrupts. The suites of each architecture have guests.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "event.h"
#include "mock.h"
#include "resources.h"
#include "suite.h"

#define GSI 5u
#define VECTOR 0x40u

/* --- a backend that reports ends -------------------------------------------------------------- */

static struct {
	int source;
	/* Of the latest eventfds. */
	struct axvm_irqfd irqfd;
	unsigned int attached, lines;
} backend;

static int default_routes(void *vm, struct axvm_route *routes, size_t count, uint32_t *first,
			  uint32_t *end)
{
	(void)vm;
	if (count)
		routes[0] = (struct axvm_route){ .gsi = GSI,
						 .kind = AXVM_ROUTE_MSI,
						 .u.msi = { .data = VECTOR } };
	*first = GSI + 1;
	*end = 64;
	return 1;
}

static int set_routes(void *vm, const struct axvm_route *routes, size_t count)
{
	(void)vm;
	(void)routes;
	(void)count;
	return 0;
}

static int irqfd(void *vm, const struct axvm_irqfd *config)
{
	(void)vm;
	ck_assert(config->flags & AXVM_EVENT_RESAMPLE);
	backend.irqfd = *config;
	if (config->flags & AXVM_EVENT_REMOVE)
		backend.attached--;
	else
		backend.attached++;
	return 0;
}

static int irq_end(void *vm, const struct axvm_route *route)
{
	(void)vm;
	ck_assert_uint_eq(route->gsi, GSI);
	if (backend.source < 0)
		return axvcpu_fail(NULL, backend.source, "irq_end");
	return backend.source;
}

static bool route_ends(const struct axvm_route *route, uint64_t vector)
{
	return route->u.msi.data == vector;
}

static int set_irq_line(void *vm, uint32_t gsi, bool level)
{
	(void)vm;
	ck_assert(gsi == GSI && level);
	backend.lines++;
	return 0;
}

static struct axvm *vm;
static struct axvcpu_arch_ops ops;

static void start(int source)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	memset(&backend, 0, sizeof(backend));
	backend.source = source;
	mock_reset();
	ops = mock_ops;
	ops.vm_default_routes = default_routes;
	ops.vm_set_routes = set_routes;
	ops.vm_set_irq_line = set_irq_line;
	ops.vm_irqfd = irqfd;
	ops.vm_irq_end = irq_end;
	ops.route_ends = route_ends;
	config.arch = &ops;
	ck_ok(axvm_new(&config, &vm));
}

/* --- end functions ---------------------------------------------------------------------------- */

static struct {
	atomic_uint calls;
	pthread_t thread;
	sigset_t mask;
	atomic_int ret;
	/* Does not return before this is set. */
	atomic_bool hold, held;
} seen;

static void count(struct axvm *of, uint32_t gsi, void *ctx)
{
	ck_assert_ptr_eq(of, vm);
	ck_assert_uint_eq(gsi, GSI);
	ck_assert_ptr_eq(ctx, &seen);
	seen.thread = pthread_self();
	pthread_sigmask(SIG_BLOCK, NULL, &seen.mask);
	atomic_store(&seen.held, true);
	while (atomic_load(&seen.hold))
		usleep(100);
	atomic_fetch_add(&seen.calls, 1);
}

static void raise_again(struct axvm *of, uint32_t gsi, void *ctx)
{
	(void)ctx;
	atomic_store(&seen.ret, axvm_raise_irq(of, gsi));
	atomic_fetch_add(&seen.calls, 1);
}

static void change_inside(struct axvm *of, uint32_t gsi, void *ctx)
{
	int ret = axvm_set_irq_end(of, gsi, NULL, NULL);

	(void)ctx;
	if (ret == -EBUSY)
		ret = axvm_free(of);
	atomic_store(&seen.ret, ret);
	atomic_fetch_add(&seen.calls, 1);
}

/* As the guest does. */
static void end_interrupt(void)
{
	event_signal(backend.irqfd.resample_fd);
}

static void expect_calls(unsigned int n)
{
	for (unsigned int i = 0; i < suite_seconds(60) * 1000 && atomic_load(&seen.calls) < n; i++)
		usleep(1000);
	ck_assert_uint_eq(atomic_load(&seen.calls), n);
}

START_TEST(the_thread_calls_the_function_after_each_end)
{
	start(AXVM_IRQ_END_RESAMPLE);
	ck_ok(axvm_set_irq_end(vm, GSI, count, &seen));
	ck_assert_uint_eq(backend.attached, 1);
	for (unsigned int i = 1; i <= 10; i++) {
		ck_ok(axvm_raise_irq(vm, GSI));
		ck_assert_uint_eq(event_count(backend.irqfd.fd), 1);
		end_interrupt();
		expect_calls(i);
	}
	ck_assert_uint_eq(backend.lines, 0);
	ck_assert(!pthread_equal(seen.thread, pthread_self()));
	/* It takes none of the program's signals. */
	ck_assert(sigismember(&seen.mask, SIGTERM) && sigismember(&seen.mask, SIGALRM));
	ck_assert(!sigismember(&seen.mask, SIGSEGV));
	ck_ok(axvm_free(vm));
}
END_TEST

START_TEST(a_function_raises_the_interrupt_again)
{
	start(AXVM_IRQ_END_RESAMPLE);
	seen.ret = -1;
	ck_ok(axvm_set_irq_end(vm, GSI, raise_again, NULL));
	end_interrupt();
	expect_calls(1);
	ck_ok(atomic_load(&seen.ret));
	ck_assert_uint_eq(event_count(backend.irqfd.fd), 1);
	ck_ok(axvm_free(vm));
}
END_TEST

START_TEST(a_function_may_not_change_functions_or_free_the_vm)
{
	start(AXVM_IRQ_END_RESAMPLE);
	ck_ok(axvm_set_irq_end(vm, GSI, change_inside, NULL));
	end_interrupt();
	expect_calls(1);
	ck_assert_int_eq(atomic_load(&seen.ret), -EBUSY);
	/* It has changed nothing. */
	end_interrupt();
	expect_calls(2);
	ck_ok(axvm_free(vm));
}
END_TEST

static void *remove_function(void *arg)
{
	ck_ok(axvm_set_irq_end(vm, GSI, NULL, NULL));
	/* It has returned. */
	ck_assert_uint_eq(atomic_load(&seen.calls), 1);
	return arg;
}

START_TEST(a_removed_function_is_not_executing)
{
	pthread_t thread;

	start(AXVM_IRQ_END_RESAMPLE);
	atomic_store(&seen.hold, true);
	ck_ok(axvm_set_irq_end(vm, GSI, count, &seen));
	end_interrupt();
	while (!atomic_load(&seen.held))
		usleep(100);
	ck_assert_int_eq(pthread_create(&thread, NULL, remove_function, NULL), 0);
	usleep(20000);
	atomic_store(&seen.hold, false);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_eq(backend.attached, 0);
	ck_fails_saying(axvm_raise_irq(vm, GSI), ENOENT, "gsi 5 has no end function");
	ck_fails_saying(axvm_set_irq_end(vm, GSI, NULL, NULL), ENOENT, "no end function");
	/* And it can be set again. */
	ck_ok(axvm_set_irq_end(vm, GSI, count, &seen));
	end_interrupt();
	expect_calls(2);
	ck_ok(axvm_free(vm));
}
END_TEST

START_TEST(a_function_is_replaced)
{
	start(AXVM_IRQ_END_RESAMPLE);
	ck_ok(axvm_set_irq_end(vm, GSI, raise_again, NULL));
	ck_ok(axvm_set_irq_end(vm, GSI, count, &seen));
	ck_assert_uint_eq(backend.attached, 1);
	end_interrupt();
	expect_calls(1);
	ck_assert_uint_eq(event_count(backend.irqfd.fd), 0);
	ck_ok(axvm_free(vm));
}
END_TEST

static void set_and_free(void)
{
	start(AXVM_IRQ_END_RESAMPLE);
	ck_ok(axvm_set_irq_end(vm, GSI, count, &seen));
	ck_ok(axvm_free(vm));
}

START_TEST(free_releases_the_thread_and_its_descriptors)
{
	struct resources before;

	/* libc keeps the stack of the first thread for the next one. */
	set_and_free();
	resources_read(&before);
	set_and_free();
	resources_expect(&before, "axvm_free");
}
END_TEST

/* --- EOI exits -------------------------------------------------------------------------------- */

static struct axvcpu *vcpu;

static void run_to_eoi(uint64_t vector)
{
	struct axvcpu_exit exit_;

	mock.exit.kind = AXVCPU_EXIT_EOI;
	mock.exit.u.eoi.vector = vector;
	ck_ok(axvcpu_run(vcpu, &exit_));
	/* The caller gets it, too. */
	ck_assert_uint_eq(exit_.kind, AXVCPU_EXIT_EOI);
	ck_assert_uint_eq(exit_.u.eoi.vector, vector);
}

START_TEST(the_thread_of_the_vcpu_calls_functions_of_the_vector)
{
	start(AXVM_IRQ_END_EXIT);
	ck_ok(axvcpu_new(vm, NULL, &vcpu));
	ck_ok(axvcpu_setup(vcpu, 0, 0, NULL));
	ck_ok(axvcpu_bind(vcpu));
	mock.vcpu = vcpu;
	ck_ok(axvm_set_irq_end(vm, GSI, count, &seen));
	ck_assert_uint_eq(backend.attached, 0);
	ck_ok(axvm_raise_irq(vm, GSI));
	ck_assert_uint_eq(backend.lines, 1);
	run_to_eoi(VECTOR + 1);
	ck_assert_uint_eq(atomic_load(&seen.calls), 0);
	run_to_eoi(VECTOR);
	ck_assert_uint_eq(atomic_load(&seen.calls), 1);
	ck_assert(pthread_equal(seen.thread, pthread_self()));
	/* By the route that the number has now. */
	ck_ok(axvm_change_route(vm, &(struct axvm_route){ .gsi = GSI,
							  .kind = AXVM_ROUTE_MSI,
							  .u.msi = { .data = VECTOR + 1 } }));
	run_to_eoi(VECTOR);
	ck_assert_uint_eq(atomic_load(&seen.calls), 1);
	run_to_eoi(VECTOR + 1);
	ck_assert_uint_eq(atomic_load(&seen.calls), 2);
	/* Outside of the run: the function may use the vCPU's VM, but not free it. */
	ck_ok(axvm_set_irq_end(vm, GSI, raise_again, NULL));
	run_to_eoi(VECTOR + 1);
	ck_ok(atomic_load(&seen.ret));
	ck_assert_uint_eq(backend.lines, 2);
	ck_ok(axvm_set_irq_end(vm, GSI, NULL, NULL));
	run_to_eoi(VECTOR + 1);
	ck_assert_uint_eq(atomic_load(&seen.calls), 3);
	ck_ok(axvcpu_unbind(vcpu));
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(vm));
}
END_TEST

/* --- refusals --------------------------------------------------------------------------------- */

START_TEST(interrupts_without_ends_are_refused)
{
	start(-ENOTSUP);
	ck_fails(axvm_set_irq_end(vm, GSI, count, NULL), ENOTSUP);
	ck_fails_saying(axvm_set_irq_end(vm, GSI + 1, count, NULL), ENOENT, "gsi 6 has no route");
	ck_fails(axvm_raise_irq(vm, GSI), ENOENT);
	ops.vm_irq_end = NULL;
	ck_fails_saying(axvm_set_irq_end(vm, GSI, count, NULL), ENOTSUP,
			"set_irq_end: not supported by the mock backend");
	ck_ok(axvm_free(vm));
}
END_TEST

static void child_uses_and_frees(void)
{
	child_expect_eperm(axvm_set_irq_end(vm, GSI, count, &seen));
	child_expect_eperm(axvm_raise_irq(vm, GSI));
	/* Its thread is not here. */
	child_expect(!axvm_free(vm));
}

START_TEST(a_forked_child_frees_its_copy_without_the_thread)
{
	start(AXVM_IRQ_END_RESAMPLE);
	ck_ok(axvm_set_irq_end(vm, GSI, count, &seen));
	/* The thread has started: a sanitizer can fork only then. */
	end_interrupt();
	expect_calls(1);
	child_run((enum child_way)_i, child_uses_and_frees);
	end_interrupt();
	expect_calls(2);
	ck_ok(axvm_free(vm));
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *thread = suite_case(suite, "thread");
	TCase *exits = suite_case(suite, "exits");
	TCase *refusals = suite_case(suite, "refusals");

	tcase_add_test(thread, the_thread_calls_the_function_after_each_end);
	tcase_add_test(thread, a_function_raises_the_interrupt_again);
	tcase_add_test(thread, a_function_may_not_change_functions_or_free_the_vm);
	tcase_add_test(thread, a_removed_function_is_not_executing);
	tcase_add_test(thread, a_function_is_replaced);
	tcase_add_test(thread, free_releases_the_thread_and_its_descriptors);
	tcase_add_loop_test(thread, a_forked_child_frees_its_copy_without_the_thread, 0,
			    SUITE_TSAN ? CHILD_RAW : CHILD_WAYS);
	tcase_add_test(exits, the_thread_of_the_vcpu_calls_functions_of_the_vector);
	tcase_add_test(refusals, interrupts_without_ends_are_refused);
}

int main(void)
{
	return suite_main("irq_end", false, add_tests);
}
