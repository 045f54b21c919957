/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Message routes that are added, changed, masked and removed one by one, as a guest sees them,
 * while interrupts arrive by others. Needs a working /dev/kvm whose interrupt controllers take
 * messages; test_route_table.c needs none.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "event.h"
#include "guest.h"
#include "suite.h"

static struct guest guest;

static struct axvm_route route(uint32_t gsi, unsigned int n)
{
	return (struct axvm_route){ .gsi = gsi, .kind = AXVM_ROUTE_MSI, .u.msi = guest_message(n) };
}

/* Adds a route of message 'n', and attaches the eventfd. Returns its number. */
static uint32_t add(unsigned int n, int fd)
{
	const struct axvm_route added = route(AXVM_GSI_ANY, n);
	struct axvm_irqfd irqfd = AXVM_IRQFD_INIT;
	int gsi = axvm_add_route(guest.vm, &added);

	ck_ok(gsi);
	irqfd.gsi = (uint32_t)gsi;
	irqfd.fd = fd;
	ck_ok(axvm_set_irqfd(guest.vm, &irqfd));
	return (uint32_t)gsi;
}

static void change(uint32_t gsi, unsigned int n)
{
	const struct axvm_route changed = route(gsi, n);

	ck_ok(axvm_change_route(guest.vm, &changed));
}

static void expect(unsigned int n)
{
	ck_assert_uint_eq(guest_next_message(&guest), n);
}

/* No message is pending: one that is sent now is the next one, twice. */
static void expect_no_other(void)
{
	const struct axvm_msi first = guest_message(0);

	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(axvm_signal_msi(guest.vm, &first), 1);
		expect(0);
	}
}

START_TEST(a_route_is_added_changed_and_removed)
{
	int a = event_new(), b = event_new();
	uint32_t gsi, other;

	guest_start_messages(&guest);
	gsi = add(1, a);
	other = add(2, b);
	ck_assert_uint_ne(gsi, other);
	for (int i = 0; i < 3; i++) {
		event_signal(a);
		expect(1);
		event_signal(b);
		expect(2);
	}
	change(gsi, 3);
	event_signal(a);
	expect(3);
	event_signal(b);
	expect(2);
	ck_ok(axvm_remove_route(guest.vm, gsi));
	event_signal(a);
	expect_no_other();
	/* KVM has not taken it. */
	ck_assert_uint_eq(event_count(a), 1);
	event_signal(b);
	expect(2);
	/* The number is free again, without its eventfd. */
	ck_assert_uint_eq(add(4, a), gsi);
	event_signal(a);
	expect(4);
	guest_end(&guest);
	close(a);
	close(b);
}
END_TEST

START_TEST(signals_of_a_masked_route_are_one_message_when_it_is_unmasked)
{
	int fd = event_new();
	uint32_t gsi;

	guest_start_messages(&guest);
	gsi = add(1, fd);
	for (int i = 0; i < 3; i++) {
		ck_ok(axvm_mask_route(guest.vm, gsi, true));
		for (int signal = 0; signal < 3; signal++)
			event_signal(fd);
		expect_no_other();
		ck_ok(axvm_mask_route(guest.vm, gsi, false));
		expect(1);
		expect_no_other();
		/* None is pending any more. */
		ck_ok(axvm_mask_route(guest.vm, gsi, true));
		ck_ok(axvm_mask_route(guest.vm, gsi, false));
		expect_no_other();
		event_signal(fd);
		expect(1);
	}
	guest_end(&guest);
	close(fd);
}
END_TEST

/* As for MSI-X, where the guest writes the message while the vector is masked. */
START_TEST(a_message_that_is_changed_while_masked_is_sent_when_it_is_unmasked)
{
	int fd = event_new();
	uint32_t gsi;

	guest_start_messages(&guest);
	gsi = add(1, fd);
	ck_ok(axvm_mask_route(guest.vm, gsi, true));
	event_signal(fd);
	change(gsi, 2);
	expect_no_other();
	ck_ok(axvm_mask_route(guest.vm, gsi, false));
	expect(2);
	/* An eventfd that a masked route gets is attached with the others. */
	ck_ok(axvm_mask_route(guest.vm, gsi, true));
	ck_ok(axvm_remove_route(guest.vm, gsi));
	ck_assert_uint_eq(add(3, fd), gsi);
	event_signal(fd);
	expect(3);
	expect_no_other();
	guest_end(&guest);
	close(fd);
}
END_TEST

/* --- changes while interrupts arrive ---------------------------------------------------------- */

/* Messages 0 to FLOWS - 1 flow; the route of the last one is masked again and again. */
#define FLOWS 3u

struct flow {
	unsigned int rounds;
	int fds[FLOWS];
	uint32_t gsis[FLOWS];
	atomic_uint sent[FLOWS];
	atomic_uint taken[FLOWS];
	atomic_bool done;
	unsigned int changes;
};

/* A controller has one pending bit for a message, so each is sent when the one before was taken. */
static void *send_all(void *arg)
{
	struct flow *flow = arg;

	for (unsigned int i = 0; i < flow->rounds; i++) {
		unsigned int n = i % FLOWS;

		while (atomic_load(&flow->sent[n]) != atomic_load(&flow->taken[n]))
			usleep(10);
		atomic_fetch_add(&flow->sent[n], 1);
		event_signal(flow->fds[n]);
	}
	return NULL;
}

static void *change_all(void *arg)
{
	struct flow *flow = arg;
	int fd = event_new();

	for (; !atomic_load(&flow->done); flow->changes++) {
		uint32_t gsi = add(FLOWS + 1, fd);

		ck_ok(axvm_mask_route(guest.vm, flow->gsis[FLOWS - 1], true));
		change(gsi, FLOWS + 2);
		ck_ok(axvm_mask_route(guest.vm, gsi, true));
		ck_ok(axvm_mask_route(guest.vm, flow->gsis[FLOWS - 1], false));
		ck_ok(axvm_mask_route(guest.vm, gsi, false));
		ck_ok(axvm_remove_route(guest.vm, gsi));
	}
	close(fd);
	return NULL;
}

START_TEST(no_interrupt_is_lost_while_routes_change)
{
	struct flow flow = { .rounds = suite_scale(30000) };
	pthread_t sender, changer;

	guest_start_messages(&guest);
	for (unsigned int n = 0; n < FLOWS; n++) {
		flow.fds[n] = event_new();
		flow.gsis[n] = add(n, flow.fds[n]);
	}
	ck_assert_int_eq(pthread_create(&changer, NULL, change_all, &flow), 0);
	ck_assert_int_eq(pthread_create(&sender, NULL, send_all, &flow), 0);
	for (unsigned int i = 0; i < flow.rounds; i++) {
		unsigned int n = guest_next_message(&guest);

		ck_assert_uint_lt(n, FLOWS);
		atomic_fetch_add(&flow.taken[n], 1);
		ck_assert_uint_eq(atomic_load(&flow.taken[n]), atomic_load(&flow.sent[n]));
	}
	pthread_join(sender, NULL);
	atomic_store(&flow.done, true);
	pthread_join(changer, NULL);
	ck_assert_uint_gt(flow.changes, 0);
	expect_no_other();
	guest_end(&guest);
	for (unsigned int n = 0; n < FLOWS; n++)
		close(flow.fds[n]);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *one = suite_case(suite, "one by one");
	TCase *flow = suite_case(suite, "flow");

	if (!guest_has_messages()) {
		suite_left_out("all", "no interrupt controller of KVM takes messages");
		return;
	}
	tcase_add_test(one, a_route_is_added_changed_and_removed);
	tcase_add_test(one, signals_of_a_masked_route_are_one_message_when_it_is_unmasked);
	tcase_add_test(one, a_message_that_is_changed_while_masked_is_sent_when_it_is_unmasked);
	tcase_add_test(flow, no_interrupt_is_lost_while_routes_change);
}

int main(void)
{
	return suite_main("routes", true, add_tests);
}
