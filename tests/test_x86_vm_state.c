/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * x86_64: a guest observes the same interrupts whether its VM was moved to another one, was loaded in
 * place after a reset, or neither: inputs of the PICs and of the IOAPIC, messages, the PIT. Needs a
 * working /dev/kvm.
 */
#include <errno.h>
#include <stdlib.h>

#include "suite.h"
#include "x86_guest.h"

static struct guest guest;

/* What checkpoint() does. Each test runs once for each of them. */
enum way { STAY, MOVE, IN_PLACE, WAYS };

#define EDGE_PIN 5
#define EDGE 0x45u
#define LEVEL_PIN 9
#define LEVEL 0x49u
#define MASKED_PIN 12
#define MASKED 0x4cu

/* --- the VM ------------------------------------------------------------------------------------- */

/* That of the guest, for other VMs of its shape. */
static struct axvm_config config;
static struct axvm_x86_config x86;
static struct x86_code code;
static struct axvm_route routes[1];
static size_t nroutes;

static void start_vm(struct guest *of)
{
	x86_start(of, &config, code.bytes, code.len);
	if (nroutes)
		ck_ok(axvm_set_routes(of->vm, routes, nroutes));
}

/* 'code' is complete; all vectors tell of themselves. */
static void start(uint32_t irqchip, uint32_t flags)
{
	config = (struct axvm_config)AXVM_CONFIG_INIT;
	x86 = (struct axvm_x86_config)AXVM_X86_CONFIG_INIT;
	x86.flags = flags;
	config.irqchip = irqchip;
	config.arch_config = &x86;
	start_vm(&guest);
	for (unsigned int vector = 0x20; vector < 256; vector++)
		x86_handle(&guest, vector, X86_TELL_LAPIC);
}

/* The guest reports at port 1, and has its interrupts off. */
static void emit_report(void)
{
	x86_emit(&code, CODE(OUT("\x01")));
}

static void emit_sleep(void)
{
	x86_emit(&code, CODE(STI HLT_LOOP));
}

static void expect_report(void)
{
	guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
	ck_assert_uint_eq(guest.exit.u.io.port, 1);
}

static void set_line(uint32_t gsi, bool level)
{
	ck_ok(axvm_set_irq_line(guest.vm, gsi, level));
}

static void pulse(uint32_t gsi)
{
	ck_ok(axvm_pulse_irq(guest.vm, gsi));
}

static void expect(unsigned int vector)
{
	x86_expect_vector(&guest, vector);
}

/* An event afterwards proves that nothing was on its way. */
static void expect_silence(void)
{
	x86_expect_silence(&guest);
	ck_ok(axvcpu_inject_interrupt(guest.vcpu, 0x99));
	expect(0x99);
	x86_expect_silence(&guest);
}

/* --- checkpoints -------------------------------------------------------------------------------- */

#define ROOM 0x40000
static unsigned char vcpu_state[ROOM], vm_state[ROOM], memory[GUEST_MEMORY];
static size_t vcpu_size, vm_size;
static struct axvm_clock guest_clock;

static void save(void)
{
	int ret;

	guest_clock = (struct axvm_clock)AXVM_CLOCK_INIT;
	ck_ok(axvm_get_clock(guest.vm, &guest_clock));
	ret = axvm_save(guest.vm, vm_state, ROOM);
	ck_ok(ret);
	ck_assert_int_le(ret, ROOM);
	vm_size = (size_t)ret;
	ret = axvcpu_save(guest.vcpu, vcpu_state, ROOM);
	ck_ok(ret);
	ck_assert_int_le(ret, ROOM);
	vcpu_size = (size_t)ret;
	ck_ok(axvm_read(guest.vm, GUEST_BASE, memory, sizeof(memory)));
}

static void load(struct guest *to)
{
	int ret = axvm_set_clock(to->vm, &guest_clock, AXVM_TIME_FREEZE);

	/* Some KVMs have no TSC offset. */
	if (ret != -ENOTSUP)
		ck_ok(ret);
	ck_ok(axvcpu_load(to->vcpu, vcpu_state, vcpu_size, NULL));
	ck_ok(axvm_write(to->vm, GUEST_BASE, memory, sizeof(memory)));
	ck_ok(axvm_load(to->vm, vm_state, vm_size, NULL));
}

static void checkpoint(enum way way)
{
	struct guest other;

	if (way == STAY)
		return;
	save();
	if (way == IN_PLACE) {
		ck_ok(axvm_reset(guest.vm, 0));
		load(&guest);
		return;
	}
	start_vm(&other);
	load(&other);
	guest_end(&guest);
	guest = other;
}

/* --- the IOAPIC --------------------------------------------------------------------------------- */

/* The three pins, masked PICs, and the LAPIC. */
static void emit_ioapic(void)
{
	x86_emit(&code, CODE(LIDT));
	x86_mask_pics(&code);
	x86_enable_lapic(&code);
	x86_set_ioapic(&code, EDGE_PIN, EDGE);
	x86_set_ioapic(&code, LEVEL_PIN, LEVEL | X86_IOAPIC_LEVEL);
	x86_set_ioapic(&code, MASKED_PIN, MASKED | X86_IOAPIC_MASKED);
}

static void start_ioapic(void)
{
	emit_ioapic();
	emit_report();
	emit_sleep();
	start(AXVM_IRQCHIP_KERNEL, 0);
	expect_report();
}

START_TEST(an_edge_that_the_lapic_has_is_taken_once)
{
	start_ioapic();
	pulse(EDGE_PIN);
	checkpoint((enum way)_i);
	expect(EDGE);
	expect_silence();
	pulse(EDGE_PIN);
	expect(EDGE);
	guest_end(&guest);
}
END_TEST

START_TEST(an_edge_whose_line_is_still_high_is_no_second_edge)
{
	start_ioapic();
	set_line(EDGE_PIN, true);
	/* In the handler, before its end of interrupt. */
	expect(EDGE);
	checkpoint((enum way)_i);
	expect_silence();
	set_line(EDGE_PIN, false);
	checkpoint((enum way)_i);
	expect_silence();
	set_line(EDGE_PIN, true);
	checkpoint((enum way)_i);
	expect(EDGE);
	expect_silence();
	guest_end(&guest);
}
END_TEST

START_TEST(a_line_that_is_raised_twice_is_one_edge)
{
	start_ioapic();
	set_line(EDGE_PIN, true);
	expect(EDGE);
	expect_silence();
	set_line(EDGE_PIN, true);
	checkpoint((enum way)_i);
	expect_silence();
	set_line(EDGE_PIN, false);
	set_line(EDGE_PIN, true);
	expect(EDGE);
	guest_end(&guest);
}
END_TEST

START_TEST(a_level_interrupts_until_its_line_is_lowered)
{
	start_ioapic();
	set_line(LEVEL_PIN, true);
	for (int i = 0; i < 3; i++) {
		checkpoint((enum way)_i);
		/* Its end, which comes next, sends it again. */
		expect(LEVEL);
		checkpoint((enum way)_i);
	}
	set_line(LEVEL_PIN, false);
	/* The software flavour of KVM itself ends an interrupt that it delivers. */
	if (guest_kvm_is_pvm())
		expect(LEVEL);
	checkpoint((enum way)_i);
	expect_silence();
	set_line(LEVEL_PIN, true);
	expect(LEVEL);
	guest_end(&guest);
}
END_TEST

START_TEST(a_level_waits_for_the_end_of_its_interrupt)
{
	start_ioapic();
	set_line(LEVEL_PIN, true);
	expect(LEVEL);
	/* The handler has not ended it. */
	set_line(LEVEL_PIN, false);
	checkpoint((enum way)_i);
	set_line(LEVEL_PIN, true);
	set_line(LEVEL_PIN, false);
	expect_silence();
	set_line(LEVEL_PIN, true);
	expect(LEVEL);
	guest_end(&guest);
}
END_TEST

/* Reports twice: before and after it has unmasked the last pin, as 'flags' say. */
static void start_masked(uint32_t flags)
{
	emit_ioapic();
	x86_set_ioapic(&code, MASKED_PIN, MASKED | flags | X86_IOAPIC_MASKED);
	emit_report();
	x86_set_ioapic(&code, MASKED_PIN, MASKED | flags);
	emit_report();
	emit_sleep();
	start(AXVM_IRQCHIP_KERNEL, 0);
	expect_report();
}

START_TEST(an_edge_at_a_masked_input_is_lost)
{
	start_masked(0);
	set_line(MASKED_PIN, true);
	checkpoint((enum way)_i);
	expect_report();
	checkpoint((enum way)_i);
	expect_silence();
	set_line(MASKED_PIN, false);
	set_line(MASKED_PIN, true);
	expect(MASKED);
	guest_end(&guest);
}
END_TEST

START_TEST(a_level_at_a_masked_input_interrupts_when_it_is_unmasked)
{
	start_masked(X86_IOAPIC_LEVEL);
	set_line(MASKED_PIN, true);
	checkpoint((enum way)_i);
	expect_report();
	checkpoint((enum way)_i);
	expect(MASKED);
	set_line(MASKED_PIN, false);
	guest_end(&guest);
}
END_TEST

START_TEST(a_level_that_is_lowered_while_its_input_is_masked_is_gone)
{
	start_masked(X86_IOAPIC_LEVEL);
	set_line(MASKED_PIN, true);
	checkpoint((enum way)_i);
	set_line(MASKED_PIN, false);
	expect_report();
	expect_silence();
	set_line(MASKED_PIN, true);
	expect(MASKED);
	guest_end(&guest);
}
END_TEST

/* --- the PICs ----------------------------------------------------------------------------------- */

/* Input 4 of the master is edge-triggered, input 5 level-triggered. */
static void start_pics(void)
{
	x86_emit(&code, CODE(LIDT));
	x86_set_pics(&code);
	/* mov dx,0x4d0; mov al,0x20; out dx,al */
	x86_emit(&code, CODE("\x66\xba\xd0\x04\xb0\x20\xee"));
	x86_enable_lapic(&code);
	emit_report();
	emit_sleep();
	start(AXVM_IRQCHIP_KERNEL, 0);
	for (unsigned int vector = 0x20; vector < 0x28; vector++)
		x86_handle(&guest, vector, X86_TELL_PIC);
	expect_report();
}

START_TEST(edges_at_the_pic_are_taken_once)
{
	start_pics();
	pulse(3);
	set_line(4, true);
	checkpoint((enum way)_i);
	expect(0x23);
	/* The other one waits for the end of this. */
	checkpoint((enum way)_i);
	expect(0x24);
	checkpoint((enum way)_i);
	expect_silence();
	/* No edge. */
	set_line(4, true);
	checkpoint((enum way)_i);
	expect_silence();
	set_line(4, false);
	checkpoint((enum way)_i);
	set_line(4, true);
	expect(0x24);
	guest_end(&guest);
}
END_TEST

START_TEST(a_level_at_the_pic_interrupts_until_its_line_is_lowered)
{
	start_pics();
	set_line(5, true);
	for (int i = 0; i < 3; i++) {
		checkpoint((enum way)_i);
		expect(0x25);
	}
	set_line(5, false);
	checkpoint((enum way)_i);
	expect_silence();
	set_line(5, true);
	expect(0x25);
	guest_end(&guest);
}
END_TEST

/* --- messages ----------------------------------------------------------------------------------- */

static void start_lapic(uint32_t irqchip)
{
	x86_emit(&code, CODE(LIDT));
	x86_mask_pics(&code);
	x86_enable_lapic(&code);
	emit_report();
	emit_sleep();
	start(irqchip, 0);
	/* With a split irqchip, the ports of the PICs are the caller's. */
	do
		guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
	while (guest.exit.u.io.port != 1);
}

static void send(uint32_t vector)
{
	const struct axvm_msi msi = { .address = X86_MSI, .data = vector };

	ck_assert_int_eq(axvm_signal_msi(guest.vm, &msi), 1);
}

static void expect_messages(uint32_t irqchip, enum way way)
{
	start_lapic(irqchip);
	send(0x61);
	send(0x71);
	checkpoint(way);
	expect(0x71);
	/* It is in service. The others are before and after the one that waits. */
	send(0x81);
	send(0x31);
	checkpoint(way);
	expect(0x81);
	checkpoint(way);
	expect(0x61);
	expect(0x31);
	expect_silence();
	guest_end(&guest);
}

START_TEST(messages_that_the_lapic_has_are_taken_once)
{
	expect_messages(AXVM_IRQCHIP_KERNEL, (enum way)_i);
}
END_TEST

START_TEST(so_are_those_of_a_split_irqchip)
{
	expect_messages(AXVM_IRQCHIP_SPLIT, (enum way)_i);
}
END_TEST

START_TEST(a_line_that_has_sent_a_message_sends_no_second_one)
{
	routes[0] = (struct axvm_route){ .gsi = 40, .kind = AXVM_ROUTE_MSI };
	routes[0].u.msi.address = X86_MSI;
	routes[0].u.msi.data = 0x61;
	nroutes = 1;
	start_lapic(AXVM_IRQCHIP_KERNEL);
	set_line(40, true);
	expect(0x61);
	checkpoint((enum way)_i);
	expect_silence();
	set_line(40, false);
	checkpoint((enum way)_i);
	set_line(40, true);
	expect(0x61);
	guest_end(&guest);
}
END_TEST

/* --- the PIT ------------------------------------------------------------------------------------ */

START_TEST(the_pit_goes_on_ticking)
{
	x86_emit(&code, CODE(LIDT));
	x86_mask_pics(&code);
	x86_enable_lapic(&code);
	x86_set_ioapic(&code, 0, EDGE);
	/* Channel 0: mode 2, 0x8000 clocks. */
	x86_out(&code, 0x43, 0x34);
	x86_out(&code, 0x40, 0x00);
	x86_out(&code, 0x40, 0x80);
	emit_report();
	emit_sleep();
	start(AXVM_IRQCHIP_KERNEL, AXVM_X86_PIT);
	expect_report();
	for (int i = 0; i < 3; i++) {
		checkpoint((enum way)_i);
		expect(EDGE);
	}
	guest_end(&guest);
}
END_TEST

START_TEST(the_pit_keeps_its_modes)
{
	/* Channel 2: mode 3, both bytes; its gate, by port 0x61. */
	x86_out(&code, 0x43, 0xb6);
	x86_out(&code, 0x42, 0x34);
	x86_out(&code, 0x42, 0x12);
	x86_out(&code, 0x61, 1);
	emit_report();
	/* in al,0x61; out 2,al */
	x86_emit(&code, CODE(IN_AL("\x61") OUT("\x02")));
	/* Its status without the output: read-back command; in al,0x42; and al,0x3f; out 3,al */
	x86_out(&code, 0x43, 0xe8);
	x86_emit(&code, CODE(IN_AL("\x42") "\x24\x3f" OUT("\x03")));
	emit_report();
	start(AXVM_IRQCHIP_KERNEL, AXVM_X86_PIT);
	expect_report();
	checkpoint((enum way)_i);
	guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
	ck_assert_uint_eq(guest.exit.u.io.port, 2);
	ck_assert_uint_eq(guest.exit.u.io.data & 3, 1);
	x86_expect_out(&guest, 3, 0x36);
	guest_end(&guest);
}
END_TEST

START_TEST(a_state_with_a_pit_is_that_of_a_vm_with_a_pit)
{
	struct guest other;

	emit_report();
	start(AXVM_IRQCHIP_KERNEL, AXVM_X86_PIT);
	save();
	x86.flags = 0;
	start_vm(&other);
	ck_fails_saying(axvm_load(other.vm, vm_state, vm_size, NULL), EINVAL, "no PIT");
	guest_end(&guest);
	guest = other;
	save();
	x86.flags = AXVM_X86_PIT;
	start_vm(&other);
	ck_fails_saying(axvm_load(other.vm, vm_state, vm_size, NULL), EINVAL, "a PIT");
	guest_end(&other);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *ioapic = suite_case(suite, "ioapic");
	TCase *pics = suite_case(suite, "pics");
	TCase *messages = suite_case(suite, "messages");
	TCase *pit = suite_case(suite, "pit");

	tcase_add_loop_test(ioapic, an_edge_that_the_lapic_has_is_taken_once, 0, WAYS);
	tcase_add_loop_test(ioapic, an_edge_whose_line_is_still_high_is_no_second_edge, 0, WAYS);
	tcase_add_loop_test(ioapic, a_line_that_is_raised_twice_is_one_edge, 0, WAYS);
	tcase_add_loop_test(ioapic, a_level_interrupts_until_its_line_is_lowered, 0, WAYS);
	tcase_add_loop_test(ioapic, a_level_waits_for_the_end_of_its_interrupt, 0, WAYS);
	tcase_add_loop_test(ioapic, an_edge_at_a_masked_input_is_lost, 0, WAYS);
	tcase_add_loop_test(ioapic, a_level_at_a_masked_input_interrupts_when_it_is_unmasked, 0,
			    WAYS);
	tcase_add_loop_test(ioapic, a_level_that_is_lowered_while_its_input_is_masked_is_gone, 0,
			    WAYS);
	tcase_add_loop_test(pics, edges_at_the_pic_are_taken_once, 0, WAYS);
	tcase_add_loop_test(pics, a_level_at_the_pic_interrupts_until_its_line_is_lowered, 0, WAYS);
	tcase_add_loop_test(messages, messages_that_the_lapic_has_are_taken_once, 0, WAYS);
	tcase_add_loop_test(messages, so_are_those_of_a_split_irqchip, 0, WAYS);
	tcase_add_loop_test(messages, a_line_that_has_sent_a_message_sends_no_second_one, 0, WAYS);
	tcase_add_loop_test(pit, the_pit_goes_on_ticking, 0, WAYS);
	tcase_add_loop_test(pit, the_pit_keeps_its_modes, 0, WAYS);
	tcase_add_test(pit, a_state_with_a_pit_is_that_of_a_vm_with_a_pit);
}

int main(void)
{
	return suite_main("x86 VM state", true, add_tests);
}
