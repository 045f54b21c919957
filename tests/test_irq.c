/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Event descriptors that guest stores signal, on every architecture; and the errors of a VM without
 * interrupt controllers. Needs a working /dev/kvm.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <unistd.h>

#include "event.h"
#include "guest.h"
#include "mock.h"
#include "suite.h"

static struct guest guest;

static int ioeventfd(uint32_t flags, int fd, uint64_t address, uint32_t width, uint64_t value)
{
	return event_set_ioeventfd(guest.vm, flags, fd, address, width, value);
}

static void start(void)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(stores));
}

/* --- ioeventfd -------------------------------------------------------------------------------- */

/* The guest's stores, in order. */
static const struct {
	unsigned int width;
	uint64_t value;
} stores[] = {
	{ 1, GUEST_PATTERN & 0xff },
	{ 2, GUEST_PATTERN & 0xffff },
	{ 4, GUEST_PATTERN & 0xffffffff },
	{ 8, GUEST_PATTERN },
};

#define STORES (int)(sizeof(stores) / sizeof(stores[0]))

/* All become exits but this one; -1: all. */
static void expect_stores_but(int one)
{
	for (int i = 0; i < STORES; i++) {
		if (i == one)
			continue;
		guest_expect_write(&guest, GUEST_MMIO, stores[i].value);
		ck_assert_uint_eq(guest.exit.u.mmio.width, stores[i].width);
	}
	guest_expect_end(&guest);
}

START_TEST(memory_signals_for_writes_of_its_width)
{
	int fd = event_new();

	start();
	ck_ok(ioeventfd(0, fd, GUEST_MMIO, stores[_i].width, 0));
	expect_stores_but(_i);
	ck_assert_uint_eq(event_count(fd), 1);
	guest_end(&guest);
	close(fd);
}
END_TEST

START_TEST(memory_signals_for_its_value_alone)
{
	int fd = event_new(), no = event_new();

	start();
	ck_ok(ioeventfd(AXVM_EVENT_DATAMATCH, fd, GUEST_MMIO, stores[_i].width, stores[_i].value));
	ck_ok(ioeventfd(AXVM_EVENT_DATAMATCH, no, GUEST_MMIO, stores[(_i + 1) % STORES].width, 1));
	expect_stores_but(_i);
	ck_assert_uint_eq(event_count(fd), 1);
	ck_assert_uint_eq(event_count(no), 0);
	guest_end(&guest);
	close(fd);
	close(no);
}
END_TEST

START_TEST(memory_signals_for_writes_of_any_width)
{
	int fd = event_new();

	start();
	ck_ok(ioeventfd(0, fd, GUEST_MMIO, 0, 0));
	guest_expect_end(&guest);
	ck_assert_uint_eq(event_count(fd), STORES);
	guest_end(&guest);
	close(fd);
}
END_TEST

START_TEST(memory_whose_descriptor_is_removed_exits_again)
{
	int fd = event_new();

	start();
	ck_ok(ioeventfd(0, fd, GUEST_MMIO, 8, 0));
	ck_ok(ioeventfd(AXVM_EVENT_REMOVE, fd, GUEST_MMIO, 8, 0));
	expect_stores_but(-1);
	ck_assert_uint_eq(event_count(fd), 0);
	guest_end(&guest);
	close(fd);
}
END_TEST

START_TEST(ioeventfds_that_make_no_sense_are_refused)
{
	const uint32_t match = AXVM_EVENT_DATAMATCH;
	struct axvm_ioeventfd newer[2] = { AXVM_IOEVENTFD_INIT };
	int fd = event_new(), second = event_new(), null = open("/dev/null", O_RDWR | O_CLOEXEC);

	start();
	ck_fails(axvm_set_ioeventfd(guest.vm, NULL), EINVAL);
	ck_fails_saying(ioeventfd(0, -1, GUEST_MMIO, 4, 0), EINVAL, "fd is negative: -1");
	ck_fails_saying(ioeventfd(AXVM_EVENT_RESAMPLE, fd, GUEST_MMIO, 4, 0), EINVAL, "flags 0x2");
	ck_fails(ioeventfd(1u << 31, fd, GUEST_MMIO, 4, 0), EINVAL);
	ck_fails_saying(ioeventfd(0, fd, GUEST_MMIO, 3, 0), EINVAL, "width is 3");
	ck_fails(ioeventfd(0, fd, GUEST_MMIO, 16, 0), EINVAL);
	ck_fails_saying(ioeventfd(match, fd, GUEST_MMIO, 0, 1), EINVAL, "needs a width");
	ck_fails_saying(ioeventfd(0, fd, GUEST_MMIO, 4, 1), EINVAL, "DATAMATCH");
	ck_fails_saying(ioeventfd(match, fd, GUEST_MMIO, 1, 0x100), EINVAL, "wider");
	ck_fails(ioeventfd(match, fd, GUEST_MMIO, 4, UINT64_C(1) << 32), EINVAL);
	ck_fails(ioeventfd(0, fd, UINT64_MAX, 1, 0), EINVAL);
	ck_fails(ioeventfd(0, fd, UINT64_MAX - 3, 8, 0), EINVAL);
	ck_fails_saying(ioeventfd(0, 12345, GUEST_MMIO, 4, 0), EBADF, "12345 is not open");
	for (unsigned int width = 0; width <= 4; width += 4)
		ck_fails_saying(ioeventfd(0, null, GUEST_MMIO, width, 0), EINVAL,
				"is not an eventfd");
	newer[0].size = sizeof(newer);
	newer[0].fd = fd;
	newer[0].address = GUEST_MMIO;
	newer[0].width = 4;
	memset(&newer[1], 1, sizeof(newer[1]));
	ck_fails(axvm_set_ioeventfd(guest.vm, newer), E2BIG);

	ck_fails(ioeventfd(AXVM_EVENT_REMOVE, fd, GUEST_MMIO, 4, 0), ENOENT);
	ck_ok(ioeventfd(0, fd, GUEST_MMIO, 4, 0));
	ck_fails(ioeventfd(0, second, GUEST_MMIO, 4, 0), EEXIST);
	/* Removal needs an exact match, and succeeds once. */
	ck_fails(ioeventfd(AXVM_EVENT_REMOVE, second, GUEST_MMIO, 4, 0), ENOENT);
	ck_fails(ioeventfd(AXVM_EVENT_REMOVE, fd, GUEST_MMIO, 2, 0), ENOENT);
	ck_ok(ioeventfd(AXVM_EVENT_REMOVE, fd, GUEST_MMIO, 4, 0));
	ck_fails(ioeventfd(AXVM_EVENT_REMOVE, fd, GUEST_MMIO, 4, 0), ENOENT);
	ck_ok(ioeventfd(0, second, GUEST_MMIO, 4, 0));
	guest_end(&guest);
	close(fd);
	close(second);
	close(null);
}
END_TEST

/* --- missing features ------------------------------------------------------------------------- */

static const struct axvm_msi msi = { .address = GUEST_MMIO, .data = 1 };
static const struct axvm_route route = { .gsi = 7,
					 .kind = AXVM_ROUTE_MSI,
					 .u.msi = { GUEST_MMIO, 1, 0 } };

static int irqfd(int fd)
{
	struct axvm_irqfd config = AXVM_IRQFD_INIT;

	config.gsi = 5;
	config.fd = fd;
	return axvm_set_irqfd(guest.vm, &config);
}

START_TEST(irqfds_that_are_no_eventfds_are_refused)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	int fd = event_new(), null = open("/dev/null", O_RDWR | O_CLOEXEC);

	config.irqchip = AXVM_IRQCHIP_KERNEL;
	guest_create(&guest, &config, PROGRAM(stores));
	guest_setup(&guest, AXVCPU_MODE_64);
	ck_ok(axvm_finalize(guest.vm));
	ck_fails_saying(irqfd(null), EINVAL, "is not an eventfd");
	ck_fails_saying(irqfd(12345), EBADF, "12345 is not open");
	ck_ok(irqfd(fd));
	guest_end(&guest);
	close(fd);
	close(null);
}
END_TEST

START_TEST(without_an_irqchip_there_is_nothing_to_interrupt)
{
	int fd = event_new();

	start();
	ck_fails_saying(axvm_set_irq_line(guest.vm, 5, true), ENOTSUP, "no in-kernel irqchip");
	ck_fails_saying(axvm_signal_msi(guest.vm, &msi), ENOTSUP, "no in-kernel irqchip");
	ck_fails_saying(axvm_set_routes(guest.vm, &route, 1), ENOTSUP, "no in-kernel irqchip");
	ck_fails_saying(axvm_add_route(guest.vm, &route), ENOTSUP, "no in-kernel irqchip");
	ck_fails_saying(axvm_pulse_irq(guest.vm, 5), ENOTSUP, "no in-kernel irqchip");
	ck_fails_saying(irqfd(fd), ENOTSUP, "no in-kernel irqchip");
	guest_end(&guest);
	close(fd);
}
END_TEST

START_TEST(backend_without_irq_operations_is_not_supported)
{
	struct axvcpu_arch_ops ops = mock_ops;
	struct axvm_config config = AXVM_CONFIG_INIT;
	const uint64_t args[4] = { 0 };

	/* As an older table, which ends before these entries. */
	ops.size = offsetof(struct axvcpu_arch_ops, inject_interrupt);
	config.arch = &ops;
	mock_reset();
	ck_ok(axvm_new(&config, &guest.vm));
	ck_ok(axvcpu_new(guest.vm, NULL, &guest.vcpu));
	ck_fails(axvm_set_irq_line(guest.vm, 5, true), ENOTSUP);
	ck_fails(axvm_signal_msi(guest.vm, &msi), ENOTSUP);
	ck_fails(axvm_set_routes(guest.vm, &route, 1), ENOTSUP);
	ck_fails(axvm_add_route(guest.vm, &route), ENOTSUP);
	ck_fails(axvm_set_irq_end(guest.vm, 5, NULL, NULL), ENOENT);
	ck_fails(irqfd(0), ENOTSUP);
	ck_fails(ioeventfd(0, 0, GUEST_MMIO, 4, 0), ENOTSUP);
	ck_fails(axvm_enable_capability(guest.vm, 1, args), ENOTSUP);
	ck_fails(axvcpu_enable_capability(guest.vcpu, 1, args), ENOTSUP);
	ck_fails(axvcpu_request_irq_window(guest.vcpu), ENOTSUP);
	guest_end(&guest);
}
END_TEST

START_TEST(an_unknown_irqchip_is_refused)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.irqchip = 3;
	ck_fails_saying(axvm_new(&config, &guest.vm), EINVAL, "irqchip 3");
}
END_TEST

/* --- capabilities ----------------------------------------------------------------------------- */

START_TEST(capabilities_are_enabled_and_unknown_ones_refused)
{
	/* That one which KVM has on every architecture and that changes nothing: no polling. */
	const uint64_t none[4] = { 0 };

	start();
	ck_ok(axvm_enable_capability(guest.vm, KVM_CAP_HALT_POLL, none));
	ck_ok(axvm_enable_capability(guest.vm, KVM_CAP_HALT_POLL, NULL));
	ck_fails_saying(axvm_enable_capability(guest.vm, 99999, none), EINVAL, "99999");
	guest_end(&guest);
}
END_TEST

/* The riscv64 hosts without an AIA have none. */
static bool has_irqchip(void)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm *vm;

	config.irqchip = AXVM_IRQCHIP_KERNEL;
	if (axvm_new(&config, &vm))
		return false;
	axvm_free(vm);
	return true;
}

static void add_tests(Suite *suite)
{
	TCase *ioeventfds = suite_case(suite, "ioeventfd");
	TCase *missing = suite_case(suite, "missing");
	TCase *capabilities = suite_case(suite, "capabilities");

	tcase_add_loop_test(ioeventfds, memory_signals_for_writes_of_its_width, 0, STORES);
	tcase_add_loop_test(ioeventfds, memory_signals_for_its_value_alone, 0, STORES);
	tcase_add_test(ioeventfds, memory_signals_for_writes_of_any_width);
	tcase_add_test(ioeventfds, memory_whose_descriptor_is_removed_exits_again);
	tcase_add_test(ioeventfds, ioeventfds_that_make_no_sense_are_refused);

	if (has_irqchip())
		tcase_add_test(missing, irqfds_that_are_no_eventfds_are_refused);
	else
		suite_left_out("irqfds_that_are_no_eventfds_are_refused",
			       "there is no irqchip in KVM");
	tcase_add_test(missing, without_an_irqchip_there_is_nothing_to_interrupt);
	tcase_add_test(missing, backend_without_irq_operations_is_not_supported);
	tcase_add_test(missing, an_unknown_irqchip_is_refused);

	tcase_add_test(capabilities, capabilities_are_enabled_and_unknown_ones_refused);
}

int main(void)
{
	return suite_main("irq", true, add_tests);
}
