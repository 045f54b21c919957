/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The table of interrupt routes that the library keeps, and the eventfds of masked routes, as a
 * backend sees them. On the mock, so without KVM; tests/test_routes.c has guests.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "mock.h"
#include "suite.h"

/* Numbers 0 to PINS - 1 are pins at first; there are GSIS numbers. */
#define PINS 4u
#define GSIS 64u

/* --- a backend that remembers its routes and eventfds ----------------------------------------- */

static struct {
	struct axvm_route routes[GSIS];
	size_t count;
	/* The number that each descriptor is attached to; -1: none. */
	int attached[8];
	/* Results of the next calls. */
	int routes_ret, irqfd_ret, attach_ret;
	atomic_uint inside;
	bool overlapped;
} backend;

static struct axvm_route pin(uint32_t gsi, uint32_t number)
{
	return (struct axvm_route){ .gsi = gsi, .kind = AXVM_ROUTE_PIN, .u.pin = { 0, number } };
}

static struct axvm_route msi(uint32_t gsi, uint32_t data)
{
	return (struct axvm_route){ .gsi = gsi, .kind = AXVM_ROUTE_MSI, .u.msi = { 1, data, 0 } };
}

static int default_routes(void *vm, struct axvm_route *routes, size_t count, uint32_t *first,
			  uint32_t *end)
{
	(void)vm;
	for (uint32_t i = 0; i < PINS && i < count; i++)
		routes[i] = pin(i, i);
	*first = PINS;
	*end = GSIS;
	return PINS;
}

static int set_routes(void *vm, const struct axvm_route *routes, size_t count)
{
	(void)vm;
	/* A change that is made by two threads at a time could lose one of them. */
	if (atomic_fetch_add(&backend.inside, 1))
		backend.overlapped = true;
	if (!backend.routes_ret) {
		memcpy(backend.routes, routes, count * sizeof(*routes));
		backend.count = count;
	}
	atomic_fetch_sub(&backend.inside, 1);
	if (backend.routes_ret)
		return axvcpu_fail(NULL, backend.routes_ret, "set_routes");
	return 0;
}

static int irqfd(void *vm, const struct axvm_irqfd *config)
{
	int *gsi = &backend.attached[config->fd];

	(void)vm;
	if (backend.irqfd_ret)
		return axvcpu_fail(NULL, backend.irqfd_ret, "irqfd");
	if (config->flags & AXVM_EVENT_REMOVE) {
		if (*gsi == (int)config->gsi)
			*gsi = -1;
		return 0;
	}
	if (backend.attach_ret)
		return axvcpu_fail(NULL, backend.attach_ret, "attach");
	if (*gsi != -1)
		return axvcpu_fail(NULL, -EBUSY, "irqfd: attached already");
	*gsi = (int)config->gsi;
	return 0;
}

static struct axvm *vm;
static struct axvcpu_arch_ops ops;

static void start(void)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	memset(&backend, 0, sizeof(backend));
	for (size_t i = 0; i < sizeof(backend.attached) / sizeof(backend.attached[0]); i++)
		backend.attached[i] = -1;
	mock_reset();
	ops = mock_ops;
	ops.vm_default_routes = default_routes;
	ops.vm_set_routes = set_routes;
	ops.vm_irqfd = irqfd;
	config.arch = &ops;
	ck_ok(axvm_new(&config, &vm));
}

static int attach(uint32_t gsi, int fd, uint32_t flags)
{
	struct axvm_irqfd config = AXVM_IRQFD_INIT;

	config.gsi = gsi;
	config.fd = fd;
	config.flags = flags;
	return axvm_set_irqfd(vm, &config);
}

static int add(struct axvm_route route)
{
	return axvm_add_route(vm, &route);
}

static int change(struct axvm_route route)
{
	return axvm_change_route(vm, &route);
}

/* Returns how many routes the backend has for the number; 'data' receives that of a message. */
static unsigned int routes_of(uint32_t gsi, uint32_t *data)
{
	unsigned int n = 0;

	for (size_t i = 0; i < backend.count; i++) {
		if (backend.routes[i].gsi != gsi)
			continue;
		n++;
		if (backend.routes[i].kind == AXVM_ROUTE_MSI)
			*data = backend.routes[i].u.msi.data;
	}
	return n;
}

static void expect_message(uint32_t gsi, uint32_t data)
{
	uint32_t found = 0;

	ck_assert_uint_eq(routes_of(gsi, &found), 1);
	ck_assert_uint_eq(found, data);
}

static void expect_none(uint32_t gsi)
{
	uint32_t data;

	ck_assert_uint_eq(routes_of(gsi, &data), 0);
}

static void expect_pins(void)
{
	uint32_t data;

	for (uint32_t i = 0; i < PINS; i++)
		ck_assert_uint_eq(routes_of(i, &data), 1);
}

/* --- the table -------------------------------------------------------------------------------- */

START_TEST(a_change_keeps_all_other_routes)
{
	start();
	ck_assert_int_eq(add(msi(10, 1)), 10);
	expect_pins();
	expect_message(10, 1);
	ck_assert_int_eq(add(msi(11, 2)), 11);
	ck_ok(change(msi(10, 3)));
	expect_pins();
	expect_message(10, 3);
	expect_message(11, 2);
	ck_ok(axvm_remove_route(vm, 10));
	expect_pins();
	expect_none(10);
	expect_message(11, 2);
	ck_ok(axvm_remove_route(vm, 0));
	expect_none(0);
	ck_assert_uint_eq(backend.count, PINS);
	ck_ok(axvm_free(vm));
}
END_TEST

START_TEST(any_number_is_one_without_route_eventfd_and_pin)
{
	start();
	/* It leaves the numbers of pins to them, also without their routes. */
	ck_ok(axvm_remove_route(vm, 1));
	ck_assert_int_eq(add(msi(AXVM_GSI_ANY, 1)), PINS);
	ck_ok(attach(PINS + 1, 0, 0));
	ck_assert_int_eq(add(msi(AXVM_GSI_ANY, 1)), PINS + 2);
	ck_ok(axvm_remove_route(vm, PINS));
	ck_assert_int_eq(add(msi(AXVM_GSI_ANY, 1)), PINS);
	for (uint32_t i = PINS + 3; i < GSIS; i++)
		ck_assert_int_eq(add(msi(AXVM_GSI_ANY, 1)), (int)i);
	ck_fails_saying(add(msi(AXVM_GSI_ANY, 1)), ENOSPC, "gsis 4 to 63 are in use");
	ck_ok(axvm_free(vm));
}
END_TEST

START_TEST(one_number_has_pins_of_several_controllers_or_one_message)
{
	struct axvm_route other = pin(1, 1);
	uint32_t data;

	start();
	ck_fails_saying(add(pin(1, 2)), EEXIST, "gsi 1 has a route already");
	ck_fails(add(msi(1, 2)), EEXIST);
	other.u.pin.controller = 1;
	ck_assert_int_eq(add(other), 1);
	ck_assert_uint_eq(routes_of(1, &data), 2);
	ck_assert_int_eq(add(msi(10, 2)), 10);
	ck_fails(add(msi(10, 2)), EEXIST);
	ck_fails(add(pin(10, 2)), EEXIST);
	/* All routes of the number are changed. */
	ck_ok(change(msi(1, 7)));
	expect_message(1, 7);
	ck_ok(axvm_free(vm));
}
END_TEST

START_TEST(invalid_changes_are_refused)
{
	struct axvm_route unknown = msi(10, 1);

	start();
	unknown.kind = 3;
	ck_fails_saying(add(unknown), EINVAL, "gsi 10: unknown kind 3");
	ck_fails_saying(change(unknown), EINVAL, "unknown kind 3");
	ck_fails_saying(add(msi(GSIS, 1)), EINVAL, "the maximum is 63");
	ck_fails_saying(change(msi(10, 1)), ENOENT, "gsi 10 has no route");
	ck_fails_saying(axvm_remove_route(vm, 10), ENOENT, "gsi 10 has no route");
	ck_fails_saying(axvm_mask_route(vm, 10, true), ENOENT, "gsi 10 has no route");
	ck_fails_saying(axvm_mask_route(vm, 1, true), EINVAL, "pin");
	ck_assert_uint_eq(backend.count, 0);
	ck_ok(axvm_free(vm));
}
END_TEST

START_TEST(a_refused_change_changes_nothing)
{
	struct axvm_route routes[2] = { msi(20, 1), msi(21, 1) };

	start();
	ck_assert_int_eq(add(msi(10, 1)), 10);
	ck_ok(attach(10, 0, 0));
	backend.routes_ret = -EIO;
	ck_fails(add(msi(11, 1)), EIO);
	ck_fails(change(msi(10, 2)), EIO);
	ck_fails(axvm_remove_route(vm, 10), EIO);
	ck_fails(axvm_mask_route(vm, 10, true), EIO);
	ck_fails(axvm_set_routes(vm, routes, 2), EIO);
	ck_assert_int_eq(backend.attached[0], 10);
	backend.routes_ret = 0;
	backend.irqfd_ret = -EIO;
	ck_fails(axvm_mask_route(vm, 10, true), EIO);
	ck_fails(axvm_remove_route(vm, 10), EIO);
	backend.irqfd_ret = 0;
	ck_assert_int_eq(add(msi(12, 1)), 12);
	expect_pins();
	expect_message(10, 1);
	expect_message(12, 1);
	expect_none(11);
	expect_none(20);
	/* And it can be repeated. */
	ck_ok(axvm_remove_route(vm, 10));
	expect_none(10);
	ck_assert_int_eq(backend.attached[0], -1);
	ck_ok(axvm_free(vm));
}
END_TEST

START_TEST(set_routes_replaces_the_table)
{
	struct axvm_route routes[2] = { msi(20, 1), msi(21, 2) };

	start();
	ck_assert_int_eq(add(msi(10, 1)), 10);
	ck_ok(axvm_mask_route(vm, 10, true));
	ck_fails_saying(axvm_set_routes(vm, routes, 2), EBUSY, "gsi 10 is masked");
	ck_ok(axvm_mask_route(vm, 10, false));
	ck_ok(axvm_set_routes(vm, routes, 2));
	ck_assert_uint_eq(backend.count, 2);
	ck_assert_int_eq(add(msi(22, 3)), 22);
	ck_assert_uint_eq(backend.count, 3);
	expect_none(0);
	expect_none(10);
	expect_message(20, 1);
	ck_ok(axvm_set_routes(vm, NULL, 0));
	ck_assert_uint_eq(backend.count, 0);
	ck_ok(axvm_free(vm));
}
END_TEST

/* --- masks ------------------------------------------------------------------------------------ */

START_TEST(a_masked_route_and_its_eventfds_are_not_with_the_backend)
{
	start();
	ck_assert_int_eq(add(msi(10, 1)), 10);
	ck_assert_int_eq(add(msi(11, 1)), 11);
	ck_ok(attach(10, 0, 0));
	ck_ok(attach(10, 1, 0));
	ck_ok(attach(11, 2, 0));
	for (int i = 0; i < 2; i++) {
		ck_ok(axvm_mask_route(vm, 10, true));
		expect_none(10);
		ck_assert_int_eq(backend.attached[0], -1);
		ck_assert_int_eq(backend.attached[1], -1);
		ck_assert_int_eq(backend.attached[2], 11);
	}
	/* It can be changed, and gets and loses eventfds. */
	ck_ok(change(msi(10, 5)));
	ck_fails_saying(change(pin(10, 5)), EINVAL, "masked");
	ck_ok(attach(10, 3, 0));
	ck_ok(attach(10, 1, AXVM_EVENT_REMOVE));
	expect_none(10);
	ck_assert_int_eq(backend.attached[3], -1);
	for (int i = 0; i < 2; i++) {
		ck_ok(axvm_mask_route(vm, 10, false));
		expect_message(10, 5);
		ck_assert_int_eq(backend.attached[0], 10);
		ck_assert_int_eq(backend.attached[1], -1);
		ck_assert_int_eq(backend.attached[3], 10);
	}
	ck_ok(axvm_free(vm));
}
END_TEST

START_TEST(a_route_whose_eventfds_cannot_be_attached_stays_masked)
{
	start();
	ck_assert_int_eq(add(msi(10, 1)), 10);
	ck_ok(attach(10, 0, 0));
	ck_ok(axvm_mask_route(vm, 10, true));
	backend.irqfd_ret = -EIO;
	ck_fails(axvm_mask_route(vm, 10, false), EIO);
	expect_none(10);
	backend.irqfd_ret = 0;
	ck_ok(axvm_mask_route(vm, 10, false));
	expect_message(10, 1);
	ck_assert_int_eq(backend.attached[0], 10);
	ck_ok(axvm_free(vm));
}
END_TEST

START_TEST(a_failure_is_reported_also_if_undoing_the_change_fails)
{
	start();
	ck_assert_int_eq(add(msi(10, 1)), 10);
	ck_ok(attach(10, 0, 0));
	backend.routes_ret = -EIO;
	backend.attach_ret = -ENOMEM;
	ck_fails_saying(axvm_mask_route(vm, 10, true), EIO,
			"set_routes (EIO); eventfds of gsi 10 stay detached");
	ck_fails_saying(axvm_remove_route(vm, 10), EIO, "set_routes (EIO); eventfds of gsi 10");
	backend.routes_ret = 0;
	ck_ok(axvm_mask_route(vm, 10, true));
	ck_fails_saying(axvm_mask_route(vm, 10, false), ENOMEM, "attach");
	expect_none(10);
	backend.attach_ret = 0;
	ck_ok(axvm_mask_route(vm, 10, false));
	expect_message(10, 1);
	ck_assert_int_eq(backend.attached[0], 10);
	ck_ok(axvm_free(vm));
}
END_TEST

START_TEST(a_removed_route_leaves_its_eventfds_detached)
{
	start();
	for (int masked = 0; masked < 2; masked++) {
		ck_assert_int_eq(add(msi(10, 1)), 10);
		ck_ok(attach(10, 0, 0));
		ck_ok(axvm_mask_route(vm, 10, masked));
		ck_ok(axvm_remove_route(vm, 10));
		ck_assert_int_eq(backend.attached[0], -1);
		/* The next owner of the number does not get them. */
		ck_assert_int_eq(add(msi(10, 1)), 10);
		ck_ok(axvm_mask_route(vm, 10, true));
		ck_ok(axvm_mask_route(vm, 10, false));
		ck_assert_int_eq(backend.attached[0], -1);
		ck_ok(axvm_remove_route(vm, 10));
	}
	ck_ok(axvm_free(vm));
}
END_TEST

START_TEST(a_descriptor_that_is_used_again_belongs_to_its_new_number)
{
	start();
	ck_assert_int_eq(add(msi(10, 1)), 10);
	ck_assert_int_eq(add(msi(11, 1)), 11);
	ck_ok(attach(10, 0, 0));
	/* Closed, which detaches it, and opened again. */
	backend.attached[0] = -1;
	ck_ok(attach(11, 0, 0));
	ck_ok(axvm_mask_route(vm, 10, true));
	ck_ok(axvm_mask_route(vm, 10, false));
	ck_assert_int_eq(backend.attached[0], 11);
	ck_ok(axvm_free(vm));
}
END_TEST

/* --- threads ---------------------------------------------------------------------------------- */

#define THREADS 4u

static void *change_routes(void *arg)
{
	const uint32_t n = (uint32_t)(uintptr_t)arg;
	const unsigned int rounds = suite_scale(2000);

	for (unsigned int i = 0; i < rounds; i++) {
		int gsi = add(msi(AXVM_GSI_ANY, n));

		ck_ok(gsi);
		ck_ok(attach((uint32_t)gsi, (int)n, 0));
		ck_ok(change(msi((uint32_t)gsi, n + 100)));
		ck_ok(axvm_mask_route(vm, (uint32_t)gsi, true));
		ck_ok(axvm_mask_route(vm, (uint32_t)gsi, false));
		ck_ok(axvm_remove_route(vm, (uint32_t)gsi));
	}
	/* One that stays. */
	ck_ok(add(msi(GSIS - 1 - n, n)));
	return NULL;
}

START_TEST(changes_by_several_threads_are_all_made)
{
	pthread_t threads[THREADS];

	start();
	for (uintptr_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, change_routes, (void *)i), 0);
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert(!backend.overlapped);
	expect_pins();
	for (uint32_t i = 0; i < THREADS; i++)
		expect_message(GSIS - 1 - i, i);
	ck_assert_uint_eq(backend.count, PINS + THREADS);
	ck_ok(axvm_free(vm));
}
END_TEST

/* --- backends without the operations ---------------------------------------------------------- */

START_TEST(a_backend_without_default_routes_can_only_replace_them)
{
	const struct axvm_route route = msi(10, 1);

	start();
	ops.vm_default_routes = NULL;
	ck_ok(axvm_set_routes(vm, &route, 1));
	expect_message(10, 1);
	ck_fails_saying(add(msi(11, 1)), ENOTSUP, "routes: not supported by the mock backend");
	ck_fails(change(route), ENOTSUP);
	ck_fails(axvm_mask_route(vm, 10, true), ENOTSUP);
	ck_fails(axvm_remove_route(vm, 10), ENOTSUP);
	ck_ok(axvm_free(vm));
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *table = suite_case(suite, "table");
	TCase *masks = suite_case(suite, "masks");
	TCase *threads = suite_case(suite, "threads");

	tcase_add_test(table, a_change_keeps_all_other_routes);
	tcase_add_test(table, any_number_is_one_without_route_eventfd_and_pin);
	tcase_add_test(table, one_number_has_pins_of_several_controllers_or_one_message);
	tcase_add_test(table, invalid_changes_are_refused);
	tcase_add_test(table, a_refused_change_changes_nothing);
	tcase_add_test(table, set_routes_replaces_the_table);
	tcase_add_test(table, a_backend_without_default_routes_can_only_replace_them);
	tcase_add_test(masks, a_masked_route_and_its_eventfds_are_not_with_the_backend);
	tcase_add_test(masks, a_route_whose_eventfds_cannot_be_attached_stays_masked);
	tcase_add_test(masks, a_failure_is_reported_also_if_undoing_the_change_fails);
	tcase_add_test(masks, a_removed_route_leaves_its_eventfds_detached);
	tcase_add_test(masks, a_descriptor_that_is_used_again_belongs_to_its_new_number);
	tcase_add_test(threads, changes_by_several_threads_are_all_made);
}

int main(void)
{
	return suite_main("route_table", false, add_tests);
}
