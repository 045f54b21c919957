/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * x86_64: the VM's interrupt controllers, routes and event descriptors, as guests see them; and
 * every refusal of the calls to them. Needs a working /dev/kvm.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "event.h"
#include "suite.h"
#include "x86_guest.h"

static struct guest guest;

/* Where the kernel's irqchip has the master PIC and the IOAPIC. */
#define PIC 0
#define IOAPIC 2

/* Code that enables the LAPIC, reports that at port 1, and sleeps with interrupts on. */
static void sleeper(struct x86_code *code)
{
	x86_enable_lapic(code);
	x86_emit(code, CODE(OUT("\x01") STI HLT_LOOP));
}

static void start(uint32_t irqchip, const struct x86_code *code)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.irqchip = irqchip;
	x86_start(&guest, &config, code->bytes, code->len);
	for (unsigned int vector = 0x20; vector < 256; vector++)
		x86_handle(&guest, vector, X86_TELL_LAPIC);
}

static void begin(void)
{
	guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
	ck_assert_uint_eq(guest.exit.u.io.port, 1);
}

/* A guest that sleeps. */
static void start_sleeper(uint32_t irqchip)
{
	struct x86_code code = { .len = 0 };

	x86_emit(&code, CODE(LIDT));
	sleeper(&code);
	start(irqchip, &code);
	begin();
}

static void expect_silence(void)
{
	x86_expect_silence(&guest);
}

/* The guest goes on until the eventfd has counted something, and it has been once. */
static void expect_event(int fd)
{
	uint64_t count = 0;
	int tries;

	/* How far a guest comes until a kick is a matter of who else uses the host's processors. */
	for (tries = 0; !count && tries < 1000; tries++) {
		expect_silence();
		count = event_count(fd);
	}
	ck_assert_uint_eq(count, 1);
}

static int signal_msi(uint64_t address, uint32_t data)
{
	const struct axvm_msi msi = { .address = address, .data = data };

	return axvm_signal_msi(guest.vm, &msi);
}

static struct axvm_route msi_route(uint32_t gsi, uint32_t data)
{
	struct axvm_route route = { .gsi = gsi, .kind = AXVM_ROUTE_MSI };

	route.u.msi.address = X86_MSI;
	route.u.msi.data = data;
	return route;
}

static struct axvm_route pin_route(uint32_t gsi, uint32_t controller, uint32_t pin)
{
	struct axvm_route route = { .gsi = gsi, .kind = AXVM_ROUTE_PIN };

	route.u.pin.controller = controller;
	route.u.pin.pin = pin;
	return route;
}

/* --- lines ------------------------------------------------------------------------------------ */

static void pulse(uint32_t gsi)
{
	ck_ok(axvm_pulse_irq(guest.vm, gsi));
}

START_TEST(an_edge_at_an_ioapic_pin_is_one_interrupt)
{
	struct x86_code code = { .len = 0 };

	x86_emit(&code, CODE(LIDT));
	x86_mask_pics(&code);
	x86_set_ioapic(&code, 5, 0x45);
	x86_set_ioapic(&code, 23, 0x57);
	sleeper(&code);
	start(AXVM_IRQCHIP_KERNEL, &code);
	begin();
	for (int i = 0; i < 10; i++) {
		pulse(5);
		x86_expect_vector(&guest, 0x45);
		pulse(23);
		x86_expect_vector(&guest, 0x57);
	}
	/* No edge: still up. */
	ck_ok(axvm_set_irq_line(guest.vm, 5, true));
	x86_expect_vector(&guest, 0x45);
	ck_ok(axvm_set_irq_line(guest.vm, 5, true));
	expect_silence();
	guest_end(&guest);
}
END_TEST

START_TEST(a_reset_of_the_vm_forgets_its_interrupts_and_it_runs_the_same_again)
{
	struct x86_code code = { .len = 0 };

	x86_emit(&code, CODE(LIDT));
	x86_mask_pics(&code);
	x86_set_ioapic(&code, 9, 0x49 | X86_IOAPIC_LEVEL);
	x86_set_ioapic(&code, 12, 0x3c);
	sleeper(&code);
	start(AXVM_IRQCHIP_KERNEL, &code);
	for (unsigned int i = 0; i < 5 + suite_scale(100); i++) {
		begin();
		expect_silence();
		pulse(12);
		x86_expect_vector(&guest, 0x3c);
		/* Served and still high; pending in the IOAPIC, the LAPIC and the PIC. */
		ck_ok(axvm_set_irq_line(guest.vm, 9, true));
		x86_expect_vector(&guest, 0x49);
		pulse(12);
		ck_ok(axvcpu_inject_interrupt(guest.vcpu, 0x99));
		ck_ok(axvm_set_irq_line(guest.vm, 3, true));
		ck_ok(axvcpu_inject_nmi(guest.vcpu));
		ck_ok(axvm_reset(guest.vm, 0));
		ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), GUEST_CODE);
	}
	guest_end(&guest);
}
END_TEST

START_TEST(a_reset_of_the_vm_disables_what_the_guest_has_enabled)
{
	struct x86_code code = { .len = 0 }, again = { .len = 0 };

	x86_emit(&code, CODE(LIDT));
	x86_mask_pics(&code);
	x86_set_ioapic(&code, 5, 0x45);
	sleeper(&code);
	start(AXVM_IRQCHIP_KERNEL, &code);
	begin();
	pulse(5);
	x86_expect_vector(&guest, 0x45);
	/* The same guest without its IOAPIC. */
	x86_emit(&again, CODE(LIDT));
	x86_mask_pics(&again);
	sleeper(&again);
	ck_ok(axvm_write(guest.vm, GUEST_CODE, again.bytes, again.len));
	ck_ok(axvm_reset(guest.vm, 0));
	begin();
	pulse(5);
	expect_silence();
	guest_end(&guest);
}
END_TEST

START_TEST(a_level_at_an_ioapic_pin_interrupts_until_it_is_lowered)
{
	struct x86_code code = { .len = 0 };

	x86_emit(&code, CODE(LIDT));
	x86_mask_pics(&code);
	x86_set_ioapic(&code, 9, 0x49 | X86_IOAPIC_LEVEL);
	x86_set_ioapic(&code, 12, 0x3c);
	sleeper(&code);
	start(AXVM_IRQCHIP_KERNEL, &code);
	begin();
	ck_ok(axvm_set_irq_line(guest.vm, 9, true));
	for (int i = 0; i < 5; i++)
		x86_expect_vector(&guest, 0x49);
	ck_ok(axvm_set_irq_line(guest.vm, 9, false));
	/*
	 * The handler has yet to end the fifth. KVM's software flavour itself ends an interrupt
	 * that it delivers: there the sixth is on its way already.
	 */
	pulse(12);
	guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
	if (guest.exit.u.io.data == 0x49)
		guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
	ck_assert_uint_eq(guest.exit.u.io.data, 0x3c);
	expect_silence();
	guest_end(&guest);
}
END_TEST

START_TEST(a_pulse_of_a_level_pin_is_one_interrupt)
{
	struct x86_code code = { .len = 0 };

	x86_emit(&code, CODE(LIDT));
	x86_mask_pics(&code);
	x86_set_ioapic(&code, 9, 0x49 | X86_IOAPIC_LEVEL);
	sleeper(&code);
	start(AXVM_IRQCHIP_KERNEL, &code);
	begin();
	for (int i = 0; i < 5; i++) {
		pulse(9);
		x86_expect_vector(&guest, 0x49);
		/* The handler has yet to end it. */
		expect_silence();
	}
	guest_end(&guest);
}
END_TEST

static void expect_pic(void)
{
	begin();
	for (int i = 0; i < 10; i++) {
		pulse(3);
		x86_expect_vector(&guest, 0x23);
		pulse(7);
		x86_expect_vector(&guest, 0x27);
	}
	expect_silence();
}

START_TEST(an_edge_at_the_pic_is_one_interrupt)
{
	struct x86_code code = { .len = 0 };

	x86_emit(&code, CODE(LIDT));
	x86_set_pics(&code);
	sleeper(&code);
	start(AXVM_IRQCHIP_KERNEL, &code);
	for (unsigned int vector = 0x20; vector < 0x28; vector++)
		x86_handle(&guest, vector, X86_TELL_PIC);
	expect_pic();
	/* A reset of the boot processor does not cut it off. */
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	expect_pic();
	guest_end(&guest);
}
END_TEST

START_TEST(lines_that_do_not_exist_are_refused)
{
	start_sleeper(AXVM_IRQCHIP_KERNEL);
	ck_fails_saying(axvm_set_irq_line(guest.vm, 1000000, true), EINVAL, "gsi is 1000000");
	/* A number without a route leads nowhere. */
	ck_ok(axvm_set_irq_line(guest.vm, 100, true));
	expect_silence();
	guest_end(&guest);
}
END_TEST

/* --- messages --------------------------------------------------------------------------------- */

START_TEST(a_message_is_taken_or_said_to_be_blocked)
{
	struct x86_code code = { .len = 0 };
	const struct axvm_msi from_a_device = { .address = X86_MSI, .data = 0x61, .device = 8 };
	uint32_t irqchip = _i ? AXVM_IRQCHIP_SPLIT : AXVM_IRQCHIP_KERNEL;

	x86_emit(&code, CODE(LIDT OUT("\x01")));
	sleeper(&code);
	start(irqchip, &code);
	begin();
	/* The LAPIC is off. */
	ck_assert_int_eq(signal_msi(X86_MSI, 0x61), 0);
	begin();
	for (uint32_t vector = 0x20; vector < 0x100; vector++) {
		ck_assert_int_eq(signal_msi(X86_MSI, vector), 1);
		x86_expect_vector(&guest, vector);
	}
	/* There is no ITS that would ask who sends it. */
	ck_fails_saying(axvm_signal_msi(guest.vm, &from_a_device), EINVAL, "device is 0x8");
	/* To CPU 9, which does not exist. */
	ck_assert_int_eq(signal_msi(X86_MSI | 9 << 12, 0x61), 0);
	/* To all: there is one. */
	ck_assert_int_eq(signal_msi(X86_MSI | 0xff << 12, 0x61), 1);
	x86_expect_vector(&guest, 0x61);
	expect_silence();
	guest_end(&guest);
}
END_TEST

/* --- routes ----------------------------------------------------------------------------------- */

START_TEST(routes_lead_where_they_were_last_set_to)
{
	uint32_t irqchip = _i ? AXVM_IRQCHIP_SPLIT : AXVM_IRQCHIP_KERNEL;
	struct axvm_route routes[2] = { msi_route(7, 0x62), msi_route(40, 0x63) };

	start_sleeper(irqchip);
	ck_ok(axvm_set_routes(guest.vm, routes, 2));
	pulse(7);
	x86_expect_vector(&guest, 0x62);
	pulse(40);
	x86_expect_vector(&guest, 0x63);
	/* All are replaced. */
	routes[0] = msi_route(7, 0x72);
	ck_ok(axvm_set_routes(guest.vm, routes, 1));
	pulse(40);
	pulse(7);
	x86_expect_vector(&guest, 0x72);
	expect_silence();
	ck_ok(axvm_set_routes(guest.vm, NULL, 0));
	pulse(7);
	expect_silence();
	guest_end(&guest);
}
END_TEST

START_TEST(one_number_leads_to_several_pins)
{
	struct x86_code code = { .len = 0 };
	const struct axvm_route routes[2] = { pin_route(50, IOAPIC, 5), pin_route(50, PIC, 3) };

	x86_emit(&code, CODE(LIDT));
	x86_set_ioapic(&code, 5, 0x45);
	x86_set_pics(&code);
	sleeper(&code);
	start(AXVM_IRQCHIP_KERNEL, &code);
	x86_handle(&guest, 0x23, X86_TELL_PIC);
	begin();
	ck_ok(axvm_set_routes(guest.vm, routes, 2));
	pulse(50);
	/* The LAPIC takes the PIC's interrupt first, as an external one. */
	x86_expect_vector(&guest, 0x23);
	x86_expect_vector(&guest, 0x45);
	/* And the pin's old number is none any more. */
	pulse(5);
	expect_silence();
	guest_end(&guest);
}
END_TEST

START_TEST(routes_that_make_no_sense_are_refused_and_change_nothing)
{
	struct axvm_route good = msi_route(7, 0x62), bad[2];
	struct axvm_route *many = calloc(5000, sizeof(*many));

	start_sleeper(AXVM_IRQCHIP_KERNEL);
	ck_ok(axvm_set_routes(guest.vm, &good, 1));

	bad[0] = bad[1] = msi_route(7, 0x70);
	bad[1].kind = 3;
	ck_fails_saying(axvm_set_routes(guest.vm, bad, 2), EINVAL, "route 1: unknown kind 3");
	bad[1].kind = 0;
	ck_fails(axvm_set_routes(guest.vm, bad, 2), EINVAL);
	bad[1] = pin_route(8, IOAPIC, 24);
	ck_fails(axvm_set_routes(guest.vm, bad, 2), EINVAL);
	bad[1] = pin_route(8, 3, 0);
	ck_fails(axvm_set_routes(guest.vm, bad, 2), EINVAL);
	bad[1] = msi_route(1000000, 0x70);
	ck_fails_saying(axvm_set_routes(guest.vm, bad, 2), EINVAL, "gsi is 1000000");
	/* Two messages of one number. */
	bad[1] = msi_route(7, 0x71);
	ck_fails(axvm_set_routes(guest.vm, bad, 2), EINVAL);
	ck_fails_saying(axvm_set_routes(guest.vm, NULL, 1), EINVAL, "NULL");
	for (uint32_t i = 0; i < 5000; i++)
		many[i] = msi_route(i % 4096, 0x70);
	ck_fails_saying(axvm_set_routes(guest.vm, many, 5000), ENOSPC, "5000 routes");
	free(many);

	pulse(7);
	x86_expect_vector(&guest, 0x62);
	expect_silence();
	guest_end(&guest);
}
END_TEST

START_TEST(a_route_is_added_to_those_of_the_pins)
{
	struct x86_code code = { .len = 0 };
	const struct axvm_route added = msi_route(AXVM_GSI_ANY, 0x62), pin = pin_route(7, 4, 5);
	int gsi;

	x86_emit(&code, CODE(LIDT));
	x86_mask_pics(&code);
	x86_set_ioapic(&code, 4, 0x44);
	x86_set_ioapic(&code, 23, 0x57);
	sleeper(&code);
	start(AXVM_IRQCHIP_KERNEL, &code);
	begin();
	gsi = axvm_add_route(guest.vm, &added);
	ck_assert_int_eq(gsi, 24);
	for (int i = 0; i < 3; i++) {
		pulse(4);
		x86_expect_vector(&guest, 0x44);
		pulse(23);
		x86_expect_vector(&guest, 0x57);
		pulse((uint32_t)gsi);
		x86_expect_vector(&guest, 0x62);
	}
	ck_fails(axvm_change_route(guest.vm, &pin), EINVAL);
	/* A masked route leads nowhere for a line. */
	ck_ok(axvm_mask_route(guest.vm, (uint32_t)gsi, true));
	pulse((uint32_t)gsi);
	expect_silence();
	ck_ok(axvm_mask_route(guest.vm, (uint32_t)gsi, false));
	pulse((uint32_t)gsi);
	x86_expect_vector(&guest, 0x62);
	ck_ok(axvm_remove_route(guest.vm, (uint32_t)gsi));
	ck_ok(axvm_remove_route(guest.vm, 23));
	pulse((uint32_t)gsi);
	pulse(23);
	pulse(4);
	x86_expect_vector(&guest, 0x44);
	expect_silence();
	guest_end(&guest);
}
END_TEST

/* The PICs have the first 16 numbers, too. */
START_TEST(an_added_route_leaves_the_pics_theirs)
{
	const struct axvm_route added = msi_route(AXVM_GSI_ANY, 0x62);
	struct x86_code code = { .len = 0 };

	x86_emit(&code, CODE(LIDT));
	x86_set_pics(&code);
	sleeper(&code);
	start(AXVM_IRQCHIP_KERNEL, &code);
	for (unsigned int vector = 0x20; vector < 0x28; vector++)
		x86_handle(&guest, vector, X86_TELL_PIC);
	ck_assert_int_eq(axvm_add_route(guest.vm, &added), 24);
	expect_pic();
	guest_end(&guest);
}
END_TEST

START_TEST(a_split_irqchip_begins_without_routes)
{
	const struct axvm_route added = msi_route(AXVM_GSI_ANY, 0x62), fourth = msi_route(4, 0x63);

	start_sleeper(AXVM_IRQCHIP_SPLIT);
	/* The numbers below are the inputs of the caller's IOAPIC. */
	ck_assert_int_eq(axvm_add_route(guest.vm, &added), 24);
	ck_assert_int_eq(axvm_add_route(guest.vm, &fourth), 4);
	pulse(24);
	x86_expect_vector(&guest, 0x62);
	pulse(4);
	x86_expect_vector(&guest, 0x63);
	guest_end(&guest);
}
END_TEST

static void check_eoi(unsigned int vector)
{
	char text[512], expected[32];

	ck_assert_uint_eq(guest.exit.u.eoi.vector, vector);
	ck_assert_uint_eq(guest.exit.answerable, 0);
	ck_assert_uint_eq(guest.exit.raw_reason, 26); /* KVM_EXIT_IOAPIC_EOI */
	snprintf(expected, sizeof(expected), "EOI vector %u", vector);
	axvcpu_exit_describe(&guest.exit, text, sizeof(text));
	ck_assert_str_eq(text, expected);
}

/* Once each, in either order: a software flavour of KVM may end an interrupt at its delivery. */
static void expect_handled_and_ended(unsigned int vector)
{
	bool handled = false, ended = false;

	while (!handled || !ended) {
		ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
		if (guest.exit.kind == AXVCPU_EXIT_NOTHING)
			continue;
		if (guest.exit.kind == AXVCPU_EXIT_EOI && !ended) {
			check_eoi(vector);
			ended = true;
			continue;
		}
		ck_assert(!handled);
		ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_IO_WRITE);
		ck_assert_uint_eq(guest.exit.u.io.data, vector);
		handled = true;
	}
}

START_TEST(the_end_of_a_level_interrupt_is_an_exit_with_a_split_irqchip)
{
	/* Level-triggered, asserted. */
	const struct axvm_route route = msi_route(4, 0xc000 | 0x64);

	start_sleeper(AXVM_IRQCHIP_SPLIT);
	ck_ok(axvm_set_routes(guest.vm, &route, 1));
	for (int i = 0; i < 3; i++) {
		ck_ok(axvm_set_irq_line(guest.vm, 4, true));
		expect_handled_and_ended(0x64);
	}
	expect_silence();
	guest_end(&guest);
}
END_TEST

/* --- end functions ---------------------------------------------------------------------------- */

static struct {
	atomic_uint calls;
	/* The function raises the interrupt again this many times. */
	unsigned int again;
	pthread_t thread;
} ends;

static void count_end(struct axvm *vm, uint32_t gsi, void *ctx)
{
	ck_assert_ptr_eq(ctx, &ends);
	ends.thread = pthread_self();
	if (ends.again) {
		ends.again--;
		ck_ok(axvm_raise_irq(vm, gsi));
	}
	atomic_fetch_add(&ends.calls, 1);
}

static void expect_ends(unsigned int n)
{
	for (int tries = 0; atomic_load(&ends.calls) < n && tries < 1000; tries++)
		expect_silence();
	ck_assert_uint_eq(atomic_load(&ends.calls), n);
}

START_TEST(the_end_of_a_pins_interrupt_calls_a_function)
{
	struct x86_code code = { .len = 0 };

	x86_emit(&code, CODE(LIDT));
	x86_mask_pics(&code);
	x86_set_ioapic(&code, 10, 0x4a | X86_IOAPIC_LEVEL);
	sleeper(&code);
	start(AXVM_IRQCHIP_KERNEL, &code);
	begin();
	ck_ok(axvm_set_irq_end(guest.vm, 10, count_end, &ends));
	for (unsigned int i = 1; i <= 5; i++) {
		ck_ok(axvm_raise_irq(guest.vm, 10));
		x86_expect_vector(&guest, 0x4a);
		/* Lowered: it does not repeat. */
		expect_ends(i);
	}
	ck_assert(!pthread_equal(ends.thread, pthread_self()));
	/* As long as a device asserts it, it does. */
	ends.again = 3;
	ck_ok(axvm_raise_irq(guest.vm, 10));
	for (int i = 0; i < 4; i++)
		x86_expect_vector(&guest, 0x4a);
	expect_ends(9);
	/* Without a function, the raised input is lowered. */
	ck_ok(axvm_raise_irq(guest.vm, 10));
	x86_expect_vector(&guest, 0x4a);
	ck_ok(axvm_set_irq_end(guest.vm, 10, NULL, NULL));
	expect_silence();
	ck_assert_uint_eq(atomic_load(&ends.calls), 9);
	guest_end(&guest);
}
END_TEST

/* Handled once by the guest, ended once, in either order; the function is called by this thread. */
START_TEST(the_end_of_a_split_irqchips_interrupt_calls_a_function)
{
	const struct axvm_route level = msi_route(4, 0xc000 | 0x64);
	const struct axvm_route same_vector = msi_route(6, 0xc000 | 0x64);
	const struct axvm_route other = msi_route(5, 0xc000 | 0x65);

	start_sleeper(AXVM_IRQCHIP_SPLIT);
	ck_assert_int_eq(axvm_add_route(guest.vm, &level), 4);
	ck_assert_int_eq(axvm_add_route(guest.vm, &other), 5);
	ck_ok(axvm_set_irq_end(guest.vm, 4, count_end, &ends));
	for (unsigned int i = 1; i <= 3; i++) {
		ck_ok(axvm_raise_irq(guest.vm, 4));
		expect_handled_and_ended(0x64);
		ck_assert_uint_eq(atomic_load(&ends.calls), i);
	}
	ck_assert(pthread_equal(ends.thread, pthread_self()));
	ck_ok(axvm_set_irq_line(guest.vm, 5, true));
	expect_handled_and_ended(0x65);
	ck_assert_uint_eq(atomic_load(&ends.calls), 3);
	/* Of two inputs with one vector, both have ended. */
	ck_assert_int_eq(axvm_add_route(guest.vm, &same_vector), 6);
	ck_ok(axvm_set_irq_end(guest.vm, 6, count_end, &ends));
	ck_ok(axvm_raise_irq(guest.vm, 6));
	expect_handled_and_ended(0x64);
	ck_assert_uint_eq(atomic_load(&ends.calls), 5);
	guest_end(&guest);
}
END_TEST

static int set_end(uint32_t gsi)
{
	return axvm_set_irq_end(guest.vm, gsi, count_end, &ends);
}

START_TEST(interrupts_whose_end_nothing_reports_are_refused)
{
	const struct axvm_route message = msi_route(30, 0x64), edge = msi_route(4, 0x64);
	const struct axvm_route high = msi_route(24, 0xc000 | 0x64);

	start_sleeper(AXVM_IRQCHIP_KERNEL);
	ck_assert_int_eq(axvm_add_route(guest.vm, &message), 30);
	ck_fails_saying(set_end(30), ENOTSUP, "gsi 30 has a message route");
	ck_fails_saying(set_end(40), ENOENT, "gsi 40 has no route");
	ck_fails(axvm_raise_irq(guest.vm, 10), ENOENT);
	guest_end(&guest);

	start_sleeper(AXVM_IRQCHIP_SPLIT);
	ck_fails(set_end(4), ENOENT);
	ck_assert_int_eq(axvm_add_route(guest.vm, &edge), 4);
	ck_assert_int_eq(axvm_add_route(guest.vm, &high), 24);
	ck_fails_saying(set_end(4), ENOTSUP, "level-triggered route of gsis 0 to 23");
	ck_fails_saying(set_end(24), ENOTSUP, "level-triggered route of gsis 0 to 23");
	guest_end(&guest);

	x86_start(&guest, NULL, CODE(HLT_LOOP));
	ck_fails_saying(set_end(4), ENOTSUP, "no in-kernel irqchip");
	guest_end(&guest);
}
END_TEST

/* --- trigger modes ---------------------------------------------------------------------------- */

/* Whether the LAPIC's trigger mode register has a level for the vector. */
static bool is_level(unsigned int vector)
{
	struct kvm_lapic_state lapic;
	uint32_t word;

	ck_assert_int_eq(ioctl(axvcpu_fd(guest.vcpu), KVM_GET_LAPIC, &lapic), 0);
	memcpy(&word, lapic.regs + 0x180 + vector / 32 * 0x10, sizeof(word));
	return word >> vector % 32 & 1;
}

static int inject(uint32_t vector, enum axvcpu_trigger trigger)
{
	return axvcpu_inject_interrupt_with_trigger(guest.vcpu, vector, trigger);
}

START_TEST(an_interrupt_has_its_trigger_mode)
{
	const uint64_t set = 1;

	start_sleeper(_i ? AXVM_IRQCHIP_SPLIT : AXVM_IRQCHIP_KERNEL);
	for (uint32_t vector = 0x30; vector < 0x100; vector += 0x11) {
		ck_ok(inject(vector, AXVCPU_TRIGGER_LEVEL));
		x86_expect_vector(&guest, vector);
		ck_assert(is_level(vector));
		ck_ok(inject(vector, AXVCPU_TRIGGER_EDGE));
		x86_expect_vector(&guest, vector);
		ck_assert(!is_level(vector));
		ck_ok(axvm_inject_interrupt(guest.vm, &set, 1, vector));
		x86_expect_vector(&guest, vector);
	}
	ck_fails_saying(inject(15, AXVCPU_TRIGGER_LEVEL), EINVAL, "16 to 255");
	expect_silence();
	guest_end(&guest);
}
END_TEST

START_TEST(a_level_needs_a_lapic)
{
	struct x86_code code = { .len = 0 };

	x86_emit(&code, CODE(LIDT OUT("\x01") STI HLT_LOOP));
	x86_start(&guest, NULL, code.bytes, code.len);
	x86_handle(&guest, 0x40, X86_TELL);
	begin();
	ck_fails_saying(inject(0x40, AXVCPU_TRIGGER_LEVEL), ENOTSUP, "in-kernel LAPIC");
	ck_ok(inject(0x40, AXVCPU_TRIGGER_EDGE));
	x86_expect_vector(&guest, 0x40);
	guest_end(&guest);
}
END_TEST

/* --- irqfd ------------------------------------------------------------------------------------ */

static int irqfd(uint32_t gsi, int fd, uint32_t flags, int resample_fd)
{
	struct axvm_irqfd config = AXVM_IRQFD_INIT;

	config.gsi = gsi;
	config.fd = fd;
	config.flags = flags;
	config.resample_fd = resample_fd;
	return axvm_set_irqfd(guest.vm, &config);
}

START_TEST(an_eventfd_raises_its_interrupt_until_it_is_removed)
{
	uint32_t irqchip = _i ? AXVM_IRQCHIP_SPLIT : AXVM_IRQCHIP_KERNEL;
	const struct axvm_route routes[2] = { msi_route(30, 0x81), msi_route(31, 0x82) };
	int a = event_new(), b = event_new();

	start_sleeper(irqchip);
	ck_ok(axvm_set_routes(guest.vm, routes, 2));
	ck_ok(irqfd(30, a, 0, 0));
	ck_ok(irqfd(31, b, 0, 0));
	for (int i = 0; i < 10; i++) {
		event_signal(a);
		x86_expect_vector(&guest, 0x81);
		event_signal(b);
		x86_expect_vector(&guest, 0x82);
	}
	/* KVM has eaten them. */
	ck_assert_uint_eq(event_count(a), 0);
	ck_ok(irqfd(30, a, AXVM_EVENT_REMOVE, 0));
	event_signal(a);
	expect_silence();
	ck_assert_uint_eq(event_count(a), 1);
	event_signal(b);
	x86_expect_vector(&guest, 0x82);
	guest_end(&guest);
	close(a);
	close(b);
}
END_TEST

START_TEST(an_eventfd_reaches_a_pin)
{
	struct x86_code code = { .len = 0 };
	int fd = event_new();

	x86_emit(&code, CODE(LIDT));
	x86_mask_pics(&code);
	x86_set_ioapic(&code, 11, 0x4b);
	sleeper(&code);
	start(AXVM_IRQCHIP_KERNEL, &code);
	begin();
	ck_ok(irqfd(11, fd, 0, 0));
	event_signal(fd);
	x86_expect_vector(&guest, 0x4b);
	expect_silence();
	guest_end(&guest);
	close(fd);
}
END_TEST

START_TEST(resample_eventfd_is_signalled_at_end_of_interrupt)
{
	struct x86_code code = { .len = 0 };
	int fd = event_new(), end = event_new();

	x86_emit(&code, CODE(LIDT));
	x86_mask_pics(&code);
	x86_set_ioapic(&code, 10, 0x4a | X86_IOAPIC_LEVEL);
	sleeper(&code);
	start(AXVM_IRQCHIP_KERNEL, &code);
	begin();
	ck_ok(irqfd(10, fd, AXVM_EVENT_RESAMPLE, end));
	for (int i = 0; i < 5; i++) {
		event_signal(fd);
		x86_expect_vector(&guest, 0x4a);
		/* The end of the interrupt lowers the line, so it does not repeat, and signals 'end'. */
		expect_event(end);
	}
	ck_ok(irqfd(10, fd, AXVM_EVENT_RESAMPLE | AXVM_EVENT_REMOVE, end));
	event_signal(fd);
	expect_silence();
	ck_assert_uint_eq(event_count(end), 0);
	guest_end(&guest);
	close(fd);
	close(end);
}
END_TEST

START_TEST(irqfds_that_make_no_sense_are_refused)
{
	struct axvm_irqfd newer[2] = { AXVM_IRQFD_INIT };
	int fd = event_new(), null = open("/dev/null", O_RDWR | O_CLOEXEC);

	start_sleeper(AXVM_IRQCHIP_KERNEL);
	ck_fails(axvm_set_irqfd(guest.vm, NULL), EINVAL);
	ck_fails_saying(irqfd(5, -1, 0, 0), EINVAL, "fd is negative: -1");
	ck_fails_saying(irqfd(5, fd, AXVM_EVENT_RESAMPLE, -1), EINVAL,
			"resample_fd is negative: -1");
	ck_fails_saying(irqfd(5, fd, AXVM_EVENT_PORT, 0), EINVAL, "flags 0x4");
	ck_fails(irqfd(5, fd, AXVM_EVENT_DATAMATCH, 0), EINVAL);
	ck_fails(irqfd(5, fd, 1u << 31, 0), EINVAL);
	ck_fails(irqfd(1000000, fd, 0, 0), EINVAL);
	ck_fails(irqfd(5, 12345, 0, 0), EBADF);
	ck_fails(irqfd(5, null, 0, 0), EINVAL);
	newer[0].size = sizeof(newer);
	newer[0].fd = fd;
	memset(&newer[1], 1, sizeof(newer[1]));
	ck_fails(axvm_set_irqfd(guest.vm, newer), E2BIG);
	ck_ok(irqfd(5, fd, 0, 0));
	ck_fails(irqfd(6, fd, 0, 0), EBUSY);
	guest_end(&guest);

	start_sleeper(AXVM_IRQCHIP_SPLIT);
	ck_fails_saying(irqfd(5, fd, AXVM_EVENT_RESAMPLE, fd), ENOTSUP, "EOI");
	guest_end(&guest);
	close(fd);
	close(null);
}
END_TEST

/* --- ioeventfd -------------------------------------------------------------------------------- */

static int ioeventfd(uint32_t flags, int fd, uint64_t address, uint32_t width, uint64_t value)
{
	return event_set_ioeventfd(guest.vm, flags, fd, address, width, value);
}

static void start_plain(const void *code, size_t len)
{
	x86_start(&guest, NULL, code, len);
}

/* mov al,0x55; out 0x70,al; mov al,0x66; out 0x70,al; out 0x71,al; hlt */
#define PORT_WRITES "\xb0\x55\xe6\x70\xb0\x66\xe6\x70\xe6\x71\xf4"

START_TEST(a_port_signals_instead_of_an_exit)
{
	int fd = event_new();

	start_plain(CODE(PORT_WRITES));
	ck_ok(ioeventfd(AXVM_EVENT_PORT, fd, 0x70, 1, 0));
	x86_expect_out(&guest, 0x71, 0x66);
	ck_assert_uint_eq(event_count(fd), 2);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
	close(fd);
}
END_TEST

START_TEST(a_port_signals_for_its_value_alone)
{
	int a = event_new(), b = event_new();

	start_plain(CODE(PORT_WRITES));
	ck_ok(ioeventfd(AXVM_EVENT_PORT | AXVM_EVENT_DATAMATCH, a, 0x70, 1, 0x55));
	ck_ok(ioeventfd(AXVM_EVENT_PORT | AXVM_EVENT_DATAMATCH, b, 0x70, 1, 0x77));
	x86_expect_out(&guest, 0x70, 0x66);
	x86_expect_out(&guest, 0x71, 0x66);
	ck_assert_uint_eq(event_count(a), 1);
	ck_assert_uint_eq(event_count(b), 0);
	guest_end(&guest);
	close(a);
	close(b);
}
END_TEST

START_TEST(a_port_whose_descriptor_is_removed_exits_again)
{
	int fd = event_new();

	/* out 0x70,al; out 0x71,al; out 0x70,al */
	start_plain(CODE("\xe6\x70\xe6\x71\xe6\x70"));
	ck_ok(ioeventfd(AXVM_EVENT_PORT, fd, 0x70, 1, 0));
	x86_expect_out(&guest, 0x71, 0);
	ck_ok(ioeventfd(AXVM_EVENT_PORT | AXVM_EVENT_REMOVE, fd, 0x70, 1, 0));
	x86_expect_out(&guest, 0x70, 0);
	ck_assert_uint_eq(event_count(fd), 1);
	guest_end(&guest);
	close(fd);
}
END_TEST

START_TEST(ports_that_make_no_sense_are_refused)
{
	const uint32_t port = AXVM_EVENT_PORT;
	int fd = event_new();

	start_plain(CODE(HLT));
	ck_fails(ioeventfd(port, fd, 0x70, 8, 0), EINVAL);
	ck_fails(ioeventfd(port, fd, 0x10000, 1, 0), EINVAL);
	ck_fails(ioeventfd(port, fd, 0xffff, 2, 0), EINVAL);
	ck_ok(ioeventfd(port, fd, 0xffff, 1, 0));
	guest_end(&guest);
	close(fd);
}
END_TEST

/* --- capabilities ----------------------------------------------------------------------------- */

START_TEST(capabilities_of_a_vcpu_are_enabled_and_unknown_ones_refused)
{
	const uint64_t none[4] = { 0 }, one[4] = { 1 };

	start_plain(CODE(HLT));
	ck_ok(axvm_enable_capability(guest.vm, KVM_CAP_DISABLE_QUIRKS, none));
	ck_ok(axvcpu_enable_capability(guest.vcpu, KVM_CAP_ENFORCE_PV_FEATURE_CPUID, one));
	ck_fails_saying(axvcpu_enable_capability(guest.vcpu, 99999, none), EINVAL, "99999");
	ck_fails(axvcpu_enable_capability(guest.vcpu, 99999, NULL), EINVAL);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *lines = suite_case(suite, "lines");
	TCase *messages = suite_case(suite, "messages");
	TCase *routes = suite_case(suite, "routes");
	TCase *end_functions = suite_case(suite, "end functions");
	TCase *triggers = suite_case(suite, "trigger modes");
	TCase *irqfds = suite_case(suite, "irqfd");
	TCase *ioeventfds = suite_case(suite, "ioeventfd");
	TCase *capabilities = suite_case(suite, "capabilities");

	tcase_add_test(lines, a_reset_of_the_vm_forgets_its_interrupts_and_it_runs_the_same_again);
	tcase_add_test(lines, a_reset_of_the_vm_disables_what_the_guest_has_enabled);
	tcase_add_test(lines, an_edge_at_an_ioapic_pin_is_one_interrupt);
	tcase_add_test(lines, a_level_at_an_ioapic_pin_interrupts_until_it_is_lowered);
	tcase_add_test(lines, a_pulse_of_a_level_pin_is_one_interrupt);
	tcase_add_test(lines, an_edge_at_the_pic_is_one_interrupt);
	tcase_add_test(lines, lines_that_do_not_exist_are_refused);

	tcase_add_loop_test(messages, a_message_is_taken_or_said_to_be_blocked, 0, 2);

	tcase_add_loop_test(routes, routes_lead_where_they_were_last_set_to, 0, 2);
	tcase_add_test(routes, one_number_leads_to_several_pins);
	tcase_add_test(routes, routes_that_make_no_sense_are_refused_and_change_nothing);
	tcase_add_test(routes, a_route_is_added_to_those_of_the_pins);
	tcase_add_test(routes, an_added_route_leaves_the_pics_theirs);
	tcase_add_test(routes, a_split_irqchip_begins_without_routes);
	tcase_add_test(routes, the_end_of_a_level_interrupt_is_an_exit_with_a_split_irqchip);

	tcase_add_test(end_functions, the_end_of_a_pins_interrupt_calls_a_function);
	tcase_add_test(end_functions, the_end_of_a_split_irqchips_interrupt_calls_a_function);
	tcase_add_test(end_functions, interrupts_whose_end_nothing_reports_are_refused);

	tcase_add_loop_test(triggers, an_interrupt_has_its_trigger_mode, 0, 2);
	tcase_add_test(triggers, a_level_needs_a_lapic);

	tcase_add_loop_test(irqfds, an_eventfd_raises_its_interrupt_until_it_is_removed, 0, 2);
	tcase_add_test(irqfds, an_eventfd_reaches_a_pin);
	tcase_add_test(irqfds, resample_eventfd_is_signalled_at_end_of_interrupt);
	tcase_add_test(irqfds, irqfds_that_make_no_sense_are_refused);

	tcase_add_test(ioeventfds, a_port_signals_instead_of_an_exit);
	tcase_add_test(ioeventfds, a_port_signals_for_its_value_alone);
	tcase_add_test(ioeventfds, a_port_whose_descriptor_is_removed_exits_again);
	tcase_add_test(ioeventfds, ports_that_make_no_sense_are_refused);

	tcase_add_test(capabilities, capabilities_of_a_vcpu_are_enabled_and_unknown_ones_refused);
}

int main(void)
{
	return suite_main("x86_irq", true, add_tests);
}
