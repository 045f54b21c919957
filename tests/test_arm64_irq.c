/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Interrupts: SPIs, PPIs and messages through the kernel's GIC, and the lines of a CPU without one.
 * Needs a working /dev/kvm.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "arm64_guest.h"
#include "event.h"
#include "suite.h"

#define NIRQS 256u
#define FIRST_SPI 32u
#define VTIMER 27u
#define PTIMER 30u

static struct guest guest;

/*
 * Two bits for each interrupt: the upper one makes an edge of it. KVM begins with all SPIs so; its
 * PPIs are levels, whatever is written here.
 */
#define GICD_ICFGR 0xc00u

/* All SPIs as levels. */
static void start_with_levels(void)
{
	struct a64_store stores[NIRQS / 16 - 2];

	for (uint32_t i = 2; i < NIRQS / 16; i++)
		stores[i - 2] = (struct a64_store){ AXVM_ARM64_GICD + GICD_ICFGR + 4 * i, 4, 0 };
	a64_start_gic(&guest, NULL, false, stores, NIRQS / 16 - 2);
}

static void start_with_edges(void)
{
	a64_start_gic(&guest, NULL, false, NULL, 0);
}

static bool is_timers(uint32_t intid)
{
	return intid == VTIMER || intid == PTIMER;
}

/* --- the GIC --------------------------------------------------------------------------------- */

START_TEST(every_interrupt_is_injected_by_its_number)
{
	start_with_edges();
	for (uint32_t intid = 16; intid < NIRQS; intid++) {
		if (is_timers(intid)) {
			ck_fails_saying(axvcpu_inject_interrupt(guest.vcpu, intid), EINVAL,
					"timer");
			continue;
		}
		/* An SPI is an edge each time; a PPI must be lowered by the caller. */
		for (int i = 0; i < 2; i++) {
			ck_ok(axvcpu_inject_interrupt(guest.vcpu, intid));
			a64_expect_irq(&guest, intid);
			if (intid < FIRST_SPI)
				ck_ok(axvcpu_set_irq_line(guest.vcpu, intid, false));
		}
	}
	ck_fails_saying(axvcpu_inject_interrupt(guest.vcpu, 15), EINVAL, "16 to 255");
	ck_fails_saying(axvcpu_inject_interrupt(guest.vcpu, NIRQS), EINVAL, "16 to 255");
	ck_fails(axvcpu_inject_nmi(guest.vcpu), ENOTSUP);
	guest_end(&guest);
}
END_TEST

START_TEST(an_input_of_the_gic_is_a_level_until_it_is_lowered)
{
	start_with_levels();
	for (uint32_t gsi = 0; gsi < NIRQS - FIRST_SPI; gsi += 37) {
		ck_ok(axvm_set_irq_line(guest.vm, gsi, true));
		/* Again as soon as it has ended. */
		a64_expect_irq(&guest, FIRST_SPI + gsi);
		a64_expect_irq(&guest, FIRST_SPI + gsi);
		ck_ok(axvm_set_irq_line(guest.vm, gsi, false));
	}
	/* The latest one is at its exit, and does not come again. */
	ck_ok(axvm_set_irq_line(guest.vm, 3, true));
	a64_expect_irq(&guest, FIRST_SPI + 3);
	ck_ok(axvm_set_irq_line(guest.vm, 3, false));
	ck_fails_saying(axvm_set_irq_line(guest.vm, NIRQS - FIRST_SPI, true), EINVAL, "224 inputs");
	guest_end(&guest);
}
END_TEST

/* The next interrupt is 'intid', with none before it. */
static void expect_next(uint32_t intid)
{
	ck_ok(axvcpu_inject_interrupt(guest.vcpu, intid));
	a64_expect_irq(&guest, intid);
}

START_TEST(a_reset_of_the_vm_forgets_its_interrupts_and_it_runs_the_same_again)
{
	start_with_levels();
	for (unsigned int i = 0; i < 5 + suite_scale(100); i++) {
		/* Served and still high; the others wait. */
		ck_ok(axvm_set_irq_line(guest.vm, 3, true));
		a64_expect_irq(&guest, FIRST_SPI + 3);
		ck_ok(axvm_set_irq_line(guest.vm, 100, true));
		ck_ok(axvcpu_inject_interrupt(guest.vcpu, FIRST_SPI + 200));
		ck_ok(axvcpu_inject_interrupt(guest.vcpu, 20));
		ck_ok(axvm_reset(guest.vm, 0));
		ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), GUEST_CODE);
		guest_expect_write(&guest, GUEST_MMIO, 0);
		expect_next(FIRST_SPI + 7);
		ck_ok(axvm_set_irq_line(guest.vm, 7, false));
	}
	guest_end(&guest);
}
END_TEST

START_TEST(a_reset_of_the_vm_disables_what_the_guest_has_enabled)
{
	/* It switches the GIC on, and enables the PPIs of its CPU. */
	static const struct a64_store stores[] = {
		{ AXVM_ARM64_GICD, 4, 0x12 },
		{ AXVM_ARM64_GICR + 0x10100, 4, UINT32_MAX },
	};

	if (a64_gic_version() != 3) {
		suite_skip("no GICv3");
		return;
	}
	start_with_edges();
	expect_next(FIRST_SPI + 3);
	a64_gic_list(guest.vm, NULL, false, stores, 2);
	ck_ok(axvm_reset(guest.vm, 0));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	ck_ok(axvcpu_inject_interrupt(guest.vcpu, FIRST_SPI + 3));
	for (uint32_t ppi = 20; ppi < 24; ppi++) {
		expect_next(ppi);
		ck_ok(axvcpu_set_irq_line(guest.vcpu, ppi, false));
	}
	guest_end(&guest);
}
END_TEST

START_TEST(a_level_ppi_is_raised_by_injection_and_lowered_by_its_line)
{
	const uint32_t ppi = 20;

	start_with_edges();
	ck_ok(axvcpu_inject_interrupt(guest.vcpu, ppi));
	a64_expect_irq(&guest, ppi);
	a64_expect_irq(&guest, ppi);
	ck_ok(axvcpu_set_irq_line(guest.vcpu, ppi, false));
	expect_next(FIRST_SPI);
	ck_ok(axvcpu_set_irq_line(guest.vcpu, ppi, true));
	a64_expect_irq(&guest, ppi);
	a64_expect_irq(&guest, ppi);
	ck_ok(axvcpu_set_irq_line(guest.vcpu, ppi, false));
	expect_next(FIRST_SPI);
	ck_fails_saying(axvcpu_set_irq_line(guest.vcpu, 32, true), EINVAL, "16 to 31");
	ck_fails_saying(axvcpu_set_irq_line(guest.vcpu, 0, true), EINVAL, "16 to 31");
	ck_fails_saying(axvcpu_set_irq_line(guest.vcpu, VTIMER, true), EINVAL, "timer");
	guest_end(&guest);
}
END_TEST

static void count_nothing(struct axvm *vm, uint32_t gsi, void *ctx)
{
	(void)vm;
	(void)gsi;
	(void)ctx;
}

START_TEST(early_interrupts_wait_for_the_first_entry)
{
	const struct axvm_route route = { .gsi = 1, .kind = AXVM_ROUTE_PIN, .u.pin = { 0, 1 } };
	const struct axvm_msi msi = { .address = A64_ITS_TRANSLATER };
	struct axvm_irqfd irqfd = AXVM_IRQFD_INIT;
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.irqchip = AXVM_IRQCHIP_KERNEL;
	guest_create(&guest, &config, PROGRAM(gic));
	a64_gic_list_all(guest.vm, NULL, false, NULL, 0);
	guest_setup(&guest, AXVCPU_MODE_64);
	ck_ok(axvcpu_set_gpr(guest.vcpu, 0, A64_LIST));
	ck_fails_saying(axvm_set_irq_line(guest.vm, 1, true), EBUSY, "axvm_finalize()");
	ck_fails_saying(axvm_set_routes(guest.vm, &route, 1), EBUSY, "axvm_finalize()");
	ck_fails_saying(axvm_signal_msi(guest.vm, &msi), EBUSY, "axvm_finalize()");
	ck_fails_saying(axvm_set_irqfd(guest.vm, &irqfd), EBUSY, "axvm_finalize()");
	ck_fails_saying(axvm_add_route(guest.vm, &route), EBUSY, "axvm_finalize()");
	ck_fails_saying(axvm_remove_route(guest.vm, 1), EBUSY, "axvm_finalize()");
	ck_fails_saying(axvm_set_irq_end(guest.vm, 1, count_nothing, NULL), EBUSY,
			"axvm_finalize()");
	ck_fails_saying(axvcpu_inject_interrupt_with_trigger(guest.vcpu, 40, AXVCPU_TRIGGER_EDGE),
			EBUSY, "axvm_finalize()");
	ck_ok(axvcpu_inject_interrupt(guest.vcpu, 21));
	ck_ok(axvcpu_set_irq_line(guest.vcpu, 22, true));
	ck_ok(axvcpu_set_irq_line(guest.vcpu, 23, true));
	ck_ok(axvcpu_set_irq_line(guest.vcpu, 23, false));
	ck_ok(axvcpu_inject_interrupt(guest.vcpu, 40));
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	a64_expect_irq(&guest, 21);
	ck_ok(axvcpu_set_irq_line(guest.vcpu, 21, false));
	a64_expect_irq(&guest, 22);
	ck_ok(axvcpu_set_irq_line(guest.vcpu, 22, false));
	a64_expect_irq(&guest, 40);
	guest_end(&guest);
}
END_TEST

START_TEST(the_virtual_timer_interrupts_by_the_gic)
{
	a64_start_gic(&guest, NULL, true, NULL, 0);
	a64_expect_irq(&guest, VTIMER);
	guest_end(&guest);
}
END_TEST

START_TEST(an_event_descriptor_is_an_edge_each_time)
{
	struct axvm_irqfd irqfd = AXVM_IRQFD_INIT;
	int fd = event_new();

	start_with_edges();
	irqfd.fd = fd;
	irqfd.gsi = 9;
	ck_ok(axvm_set_irqfd(guest.vm, &irqfd));
	for (int i = 0; i < 3; i++) {
		event_signal(fd);
		a64_expect_irq(&guest, FIRST_SPI + 9);
	}
	irqfd.flags = AXVM_EVENT_REMOVE;
	ck_ok(axvm_set_irqfd(guest.vm, &irqfd));
	event_signal(fd);
	expect_next(40);
	close(fd);
	guest_end(&guest);
}
END_TEST

START_TEST(a_level_that_a_descriptor_has_raised_stays_until_it_is_lowered)
{
	struct axvm_irqfd irqfd = AXVM_IRQFD_INIT;
	/* INTIDs 32 to 47: the first one is an edge, the others are levels. */
	const struct a64_store one_edge = { AXVM_ARM64_GICD + GICD_ICFGR + 8, 4, 2u };
	int fd = event_new();

	a64_start_gic(&guest, NULL, false, &one_edge, 1);
	irqfd.fd = fd;
	irqfd.gsi = 9;
	ck_ok(axvm_set_irqfd(guest.vm, &irqfd));
	event_signal(fd);
	for (int i = 0; i < 3; i++)
		a64_expect_irq(&guest, FIRST_SPI + 9);
	ck_ok(axvm_set_irq_line(guest.vm, 9, false));
	expect_next(FIRST_SPI);
	close(fd);
	guest_end(&guest);
}
END_TEST

START_TEST(the_end_of_a_level_interrupt_signals_a_descriptor)
{
	struct axvm_irqfd irqfd = AXVM_IRQFD_INIT;
	int fd = event_new(), resample = event_new();
	/* INTIDs 32 to 47: the first one is an edge, the others are levels. */
	const struct a64_store one_edge = { AXVM_ARM64_GICD + GICD_ICFGR + 8, 4, 2u };

	a64_start_gic(&guest, NULL, false, &one_edge, 1);
	irqfd.flags = AXVM_EVENT_RESAMPLE;
	irqfd.fd = fd;
	irqfd.resample_fd = resample;
	irqfd.gsi = 9;
	ck_ok(axvm_set_irqfd(guest.vm, &irqfd));
	event_signal(fd);
	a64_expect_irq(&guest, FIRST_SPI + 9);
	ck_assert_uint_eq(event_count(resample), 0);
	/* Ended, and lowered: it does not come again. */
	expect_next(FIRST_SPI);
	ck_assert_uint_eq(event_count(resample), 1);
	close(fd);
	close(resample);
	guest_end(&guest);
}
END_TEST

/* The vCPU is not in the guest meanwhile, so it does not see a level that is lowered again. */
START_TEST(a_pulse_is_an_interrupt_of_an_edge_and_none_of_a_level)
{
	/* INTIDs 32 to 47: the first one is an edge, the others are levels. */
	const struct a64_store one_edge = { AXVM_ARM64_GICD + GICD_ICFGR + 8, 4, 2u };

	a64_start_gic(&guest, NULL, false, &one_edge, 1);
	for (int i = 0; i < 3; i++) {
		ck_ok(axvm_pulse_irq(guest.vm, 9));
		ck_ok(axvm_pulse_irq(guest.vm, 0));
		a64_expect_irq(&guest, FIRST_SPI);
		expect_next(FIRST_SPI);
	}
	ck_fails_saying(axvm_pulse_irq(guest.vm, NIRQS - FIRST_SPI), EINVAL, "224 inputs");
	guest_end(&guest);
}
END_TEST

static int inject(uint32_t intid, enum axvcpu_trigger trigger)
{
	return axvcpu_inject_interrupt_with_trigger(guest.vcpu, intid, trigger);
}

START_TEST(a_level_stays_and_an_edge_does_not)
{
	/* INTIDs 32 to 47: the first one is an edge, the others are levels. */
	const struct a64_store one_edge = { AXVM_ARM64_GICD + GICD_ICFGR + 8, 4, 2u };
	const uint64_t set = 1;

	a64_start_gic(&guest, NULL, false, &one_edge, 1);
	for (uint32_t intid = 20; intid <= FIRST_SPI + 9; intid += 21) {
		ck_ok(inject(intid, AXVCPU_TRIGGER_LEVEL));
		a64_expect_irq(&guest, intid);
		a64_expect_irq(&guest, intid);
		if (intid < FIRST_SPI)
			ck_ok(axvcpu_set_irq_line(guest.vcpu, intid, false));
		else
			ck_ok(axvm_set_irq_line(guest.vm, intid - FIRST_SPI, false));
		expect_next(FIRST_SPI);
	}
	ck_ok(inject(FIRST_SPI + 9, AXVCPU_TRIGGER_EDGE));
	expect_next(FIRST_SPI);
	/* A PPI is a level, of which an edge would be lost. */
	ck_fails_saying(inject(20, AXVCPU_TRIGGER_EDGE), ENOTSUP, "interrupt 20 is a PPI");
	ck_fails_saying(inject(VTIMER, AXVCPU_TRIGGER_EDGE), EINVAL, "timer");
	ck_fails_saying(inject(NIRQS, AXVCPU_TRIGGER_EDGE), EINVAL, "16 to 255");
	ck_ok(axvm_inject_interrupt(guest.vm, &set, 1, FIRST_SPI));
	a64_expect_irq(&guest, FIRST_SPI);
	guest_end(&guest);
}
END_TEST

START_TEST(an_injected_edge_is_one_interrupt)
{
	start_with_edges();
	for (int i = 0; i < 3; i++) {
		ck_ok(inject(FIRST_SPI + 9, AXVCPU_TRIGGER_EDGE));
		a64_expect_irq(&guest, FIRST_SPI + 9);
		/* Also of an input that is raised: the edge lowers it. */
		ck_ok(inject(FIRST_SPI + 9, AXVCPU_TRIGGER_LEVEL));
		a64_expect_irq(&guest, FIRST_SPI + 9);
	}
	guest_end(&guest);
}
END_TEST

static struct {
	atomic_uint calls;
	/* The function raises the interrupt again this many times. */
	atomic_uint again;
} ends;

static void count_end(struct axvm *vm, uint32_t gsi, void *ctx)
{
	ck_assert_ptr_eq(ctx, &ends);
	if (atomic_load(&ends.again)) {
		atomic_fetch_sub(&ends.again, 1);
		ck_ok(axvm_raise_irq(vm, gsi));
	}
	atomic_fetch_add(&ends.calls, 1);
}

static void expect_ends(unsigned int n)
{
	for (unsigned int i = 0; i < suite_seconds(60) * 1000 && atomic_load(&ends.calls) < n; i++)
		usleep(1000);
	ck_assert_uint_eq(atomic_load(&ends.calls), n);
}

START_TEST(the_end_of_a_level_interrupt_calls_a_function)
{
	/* INTIDs 32 to 47: the first one is an edge, the others are levels. */
	const struct a64_store one_edge = { AXVM_ARM64_GICD + GICD_ICFGR + 8, 4, 2u };

	a64_start_gic(&guest, NULL, false, &one_edge, 1);
	ck_fails(axvm_raise_irq(guest.vm, 9), ENOENT);
	ck_ok(axvm_set_irq_end(guest.vm, 9, count_end, &ends));
	for (unsigned int i = 1; i <= 5; i++) {
		ck_ok(axvm_raise_irq(guest.vm, 9));
		a64_expect_irq(&guest, FIRST_SPI + 9);
		/* Ended, and lowered: it does not come again. */
		expect_next(FIRST_SPI);
		expect_ends(i);
	}
	/* As long as a device asserts it, it does. */
	atomic_store(&ends.again, 3);
	ck_ok(axvm_raise_irq(guest.vm, 9));
	for (int i = 0; i < 4; i++)
		a64_expect_irq(&guest, FIRST_SPI + 9);
	expect_next(FIRST_SPI);
	expect_ends(9);
	/* The end of a line is reported, and KVM lowers it. */
	ck_ok(axvm_set_irq_line(guest.vm, 9, true));
	a64_expect_irq(&guest, FIRST_SPI + 9);
	expect_next(FIRST_SPI);
	expect_ends(10);
	/* Without a function, the raised input is lowered. */
	ck_ok(axvm_raise_irq(guest.vm, 9));
	a64_expect_irq(&guest, FIRST_SPI + 9);
	ck_ok(axvm_set_irq_end(guest.vm, 9, NULL, NULL));
	expect_next(FIRST_SPI);
	expect_next(FIRST_SPI);
	ck_assert_uint_eq(atomic_load(&ends.calls), 10);
	guest_end(&guest);
}
END_TEST

START_TEST(a_route_is_added_to_those_of_the_inputs)
{
	const struct axvm_route added = { .gsi = AXVM_GSI_ANY,
					  .kind = AXVM_ROUTE_PIN,
					  .u.pin = { 0, 7 } };
	struct axvm_irqfd irqfd = AXVM_IRQFD_INIT;
	int fds[2] = { event_new(), event_new() };
	int gsi;

	start_with_edges();
	gsi = axvm_add_route(guest.vm, &added);
	ck_assert_int_eq(gsi, NIRQS - FIRST_SPI);
	irqfd.gsi = (uint32_t)gsi;
	irqfd.fd = fds[0];
	ck_ok(axvm_set_irqfd(guest.vm, &irqfd));
	irqfd.gsi = 9;
	irqfd.fd = fds[1];
	ck_ok(axvm_set_irqfd(guest.vm, &irqfd));
	event_signal(fds[0]);
	a64_expect_irq(&guest, FIRST_SPI + 7);
	event_signal(fds[1]);
	a64_expect_irq(&guest, FIRST_SPI + 9);
	ck_fails(axvm_mask_route(guest.vm, 9, true), EINVAL);
	ck_ok(axvm_remove_route(guest.vm, (uint32_t)gsi));
	event_signal(fds[0]);
	ck_assert_uint_eq(event_count(fds[0]), 1);
	expect_next(FIRST_SPI);
	close(fds[0]);
	close(fds[1]);
	guest_end(&guest);
}
END_TEST

START_TEST(routes_are_to_inputs_of_the_one_controller)
{
	struct axvm_route route = { .gsi = 100, .kind = AXVM_ROUTE_PIN, .u.pin = { 0, 7 } };
	struct axvm_irqfd irqfd = AXVM_IRQFD_INIT;
	int fd = event_new();

	start_with_edges();
	ck_ok(axvm_set_routes(guest.vm, &route, 1));
	irqfd.fd = fd;
	irqfd.gsi = 100;
	ck_ok(axvm_set_irqfd(guest.vm, &irqfd));
	event_signal(fd);
	a64_expect_irq(&guest, FIRST_SPI + 7);
	route.u.pin.controller = 1;
	ck_fails(axvm_set_routes(guest.vm, &route, 1), EINVAL);
	close(fd);
	guest_end(&guest);
}
END_TEST

/* --- a storm --------------------------------------------------------------------------------- */

#define STORM_SPIS 32u

struct storm {
	atomic_uint sent[STORM_SPIS];
	atomic_uint taken[STORM_SPIS];
	unsigned int rounds;
};

/* An edge is lost if it comes before the one before was taken: so one at a time of each. */
static void *storm_run(void *arg)
{
	struct storm *storm = arg;

	for (unsigned int i = 0; i < storm->rounds; i++) {
		unsigned int spi = (i * 7) % STORM_SPIS;

		while (atomic_load(&storm->sent[spi]) != atomic_load(&storm->taken[spi]))
			usleep(10);
		atomic_fetch_add(&storm->sent[spi], 1);
		if (axvcpu_inject_interrupt(guest.vcpu, FIRST_SPI + 8 + spi))
			return arg;
	}
	return NULL;
}

START_TEST(no_interrupt_of_a_storm_is_lost)
{
	struct storm storm = { .rounds = suite_scale(100000) };
	unsigned int taken = 0;
	pthread_t thread;
	void *failed;

	start_with_edges();
	ck_assert_int_eq(pthread_create(&thread, NULL, storm_run, &storm), 0);
	for (; taken < storm.rounds; taken++) {
		unsigned int spi;

		guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
		ck_assert_uint_eq(guest.exit.u.mmio.addr, GUEST_MMIO + 8);
		spi = (unsigned int)guest.exit.u.mmio.data - FIRST_SPI - 8;
		ck_assert_uint_lt(spi, STORM_SPIS);
		atomic_fetch_add(&storm.taken[spi], 1);
	}
	ck_assert_int_eq(pthread_join(thread, &failed), 0);
	ck_assert_ptr_null(failed);
	for (unsigned int i = 0; i < STORM_SPIS; i++)
		ck_assert_uint_eq(storm.taken[i], storm.sent[i]);
	guest_end(&guest);
}
END_TEST

/* --- messages -------------------------------------------------------------------------------- */

START_TEST(a_message_goes_through_the_its)
{
	struct axvm_msi msi = { .address = A64_ITS_TRANSLATER, .device = A64_ITS_DEVICE };

	a64_start_its(&guest);
	for (uint32_t i = 0; i < 3 * A64_ITS_EVENTS; i++) {
		msi.data = i % A64_ITS_EVENTS;
		ck_assert_int_eq(axvm_signal_msi(guest.vm, &msi), 1);
		a64_expect_irq(&guest, A64_LPI + i % A64_ITS_EVENTS);
	}
	/* An event, a device, that the guest has not told the ITS of. */
	msi.data = A64_ITS_EVENTS;
	ck_assert_int_eq(axvm_signal_msi(guest.vm, &msi), 0);
	msi.data = 0;
	msi.device = A64_ITS_DEVICE + 1;
	ck_assert_int_eq(axvm_signal_msi(guest.vm, &msi), 0);
	guest_end(&guest);
}
END_TEST

START_TEST(a_message_has_a_route_and_a_descriptor)
{
	struct axvm_route route = { .gsi = 300, .kind = AXVM_ROUTE_MSI };
	struct axvm_irqfd irqfd = AXVM_IRQFD_INIT;
	int fd = event_new();

	a64_start_its(&guest);
	route.u.msi = (struct axvm_msi){ A64_ITS_TRANSLATER, 5, A64_ITS_DEVICE };
	ck_ok(axvm_set_routes(guest.vm, &route, 1));
	irqfd.fd = fd;
	irqfd.gsi = 300;
	ck_ok(axvm_set_irqfd(guest.vm, &irqfd));
	for (int i = 0; i < 5; i++) {
		event_signal(fd);
		a64_expect_irq(&guest, A64_LPI + 5);
	}
	close(fd);
	guest_end(&guest);
}
END_TEST

START_TEST(the_end_of_a_message_is_not_reported)
{
	struct axvm_route route = { .gsi = 300, .kind = AXVM_ROUTE_MSI };

	a64_start_its(&guest);
	route.u.msi = (struct axvm_msi){ A64_ITS_TRANSLATER, 5, A64_ITS_DEVICE };
	ck_assert_int_eq(axvm_add_route(guest.vm, &route), 300);
	ck_fails_saying(axvm_set_irq_end(guest.vm, 300, count_end, NULL), ENOTSUP,
			"gsi 300 has a message route");
	guest_end(&guest);
}
END_TEST

START_TEST(messages_need_an_its)
{
	const struct axvm_msi msi = { .address = A64_ITS_TRANSLATER, .data = 1 };

	a64_start_gic(&guest, NULL, false, NULL, 0);
	ck_fails(axvm_signal_msi(guest.vm, &msi), ENODEV);
	guest_end(&guest);
}
END_TEST

/* --- no GIC ---------------------------------------------------------------------------------- */

#define LINE_IRQ 0u
#define LINE_FIQ 1u

START_TEST(irq_and_fiq_are_lines_of_the_cpu)
{
	a64_start(&guest, NULL, PROGRAM(lines), 0, NULL);
	guest_expect_write(&guest, GUEST_MMIO, 0);
	for (int i = 0; i < 3; i++) {
		ck_ok(axvcpu_set_irq_line(guest.vcpu, LINE_IRQ, true));
		guest_expect_write(&guest, GUEST_MMIO + 8, 0);
		guest_expect_write(&guest, GUEST_MMIO + 8, 0);
		ck_ok(axvcpu_set_irq_line(guest.vcpu, LINE_IRQ, false));
		ck_ok(axvcpu_set_irq_line(guest.vcpu, LINE_FIQ, true));
		guest_expect_write(&guest, GUEST_MMIO + 16, 0);
		guest_expect_write(&guest, GUEST_MMIO + 16, 0);
		ck_ok(axvcpu_set_irq_line(guest.vcpu, LINE_FIQ, false));
	}
	ck_fails_saying(axvcpu_set_irq_line(guest.vcpu, 2, true), EINVAL, "1 (FIQ)");
	ck_fails_saying(axvcpu_inject_interrupt(guest.vcpu, 40), ENOTSUP, "axvcpu_set_irq_line()");
	ck_fails_saying(inject(40, AXVCPU_TRIGGER_EDGE), ENOTSUP, "axvcpu_set_irq_line()");
	ck_fails_saying(inject(40, AXVCPU_TRIGGER_LEVEL), ENOTSUP, "axvcpu_set_irq_line()");
	guest_end(&guest);
}
END_TEST

START_TEST(without_a_gic_the_timer_interrupt_is_an_exit)
{
	a64_start(&guest, NULL, PROGRAM(lines), 1, NULL);
	guest_expect_write(&guest, GUEST_MMIO, 1);
	/* It is due: its output is up, now or after a run for nothing else. */
	for (int i = 0; i < 1000 && !(guest_reg(&guest, AXVCPU_REG_ARM64_LINES) & 1); i++) {
		ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
		ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_NOTHING);
	}
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_ARM64_LINES), 1);
	ck_ok(axvcpu_set_irq_line(guest.vcpu, LINE_IRQ, true));
	guest_expect_write(&guest, GUEST_MMIO + 8, 1);
	ck_fails(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_ARM64_LINES, 0), EINVAL);
	guest_end(&guest);
}
END_TEST

/* --- */

static void add_tests(Suite *suite)
{
	TCase *gic = suite_case(suite, "GIC");
	TCase *its = suite_case(suite, "ITS");
	TCase *none = suite_case(suite, "no GIC");

	tcase_add_test(gic, a_reset_of_the_vm_forgets_its_interrupts_and_it_runs_the_same_again);
	tcase_add_test(gic, a_reset_of_the_vm_disables_what_the_guest_has_enabled);
	tcase_add_test(gic, every_interrupt_is_injected_by_its_number);
	tcase_add_test(gic, an_input_of_the_gic_is_a_level_until_it_is_lowered);
	tcase_add_test(gic, a_level_ppi_is_raised_by_injection_and_lowered_by_its_line);
	tcase_add_test(gic, early_interrupts_wait_for_the_first_entry);
	tcase_add_test(gic, the_virtual_timer_interrupts_by_the_gic);
	tcase_add_test(gic, an_event_descriptor_is_an_edge_each_time);
	tcase_add_test(gic, a_level_that_a_descriptor_has_raised_stays_until_it_is_lowered);
	tcase_add_test(gic, the_end_of_a_level_interrupt_signals_a_descriptor);
	tcase_add_test(gic, a_pulse_is_an_interrupt_of_an_edge_and_none_of_a_level);
	tcase_add_test(gic, a_level_stays_and_an_edge_does_not);
	tcase_add_test(gic, an_injected_edge_is_one_interrupt);
	tcase_add_test(gic, the_end_of_a_level_interrupt_calls_a_function);
	tcase_add_test(gic, a_route_is_added_to_those_of_the_inputs);
	tcase_add_test(gic, routes_are_to_inputs_of_the_one_controller);
	tcase_add_test(gic, no_interrupt_of_a_storm_is_lost);
	if (a64_has_gic(3)) {
		tcase_add_test(its, a_message_goes_through_the_its);
		tcase_add_test(its, a_message_has_a_route_and_a_descriptor);
		tcase_add_test(its, the_end_of_a_message_is_not_reported);
	} else {
		suite_left_out("a_message_goes_through_the_its", "a GICv2 has no ITS");
		suite_left_out("a_message_has_a_route_and_a_descriptor", "a GICv2 has no ITS");
		suite_left_out("the_end_of_a_message_is_not_reported", "a GICv2 has no ITS");
	}
	tcase_add_test(its, messages_need_an_its);
	tcase_add_test(none, irq_and_fiq_are_lines_of_the_cpu);
	tcase_add_test(none, without_a_gic_the_timer_interrupt_is_an_exit);
}

int main(void)
{
	return suite_main("arm64: interrupts", true, add_tests);
}
