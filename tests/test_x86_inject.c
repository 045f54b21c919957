/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * x86_64: interrupts, NMIs and exceptions for one vCPU, as the guest's handlers see them. Needs a
 * working /dev/kvm.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "suite.h"
#include "x86_guest.h"

static struct guest guest;

#define RAX AXVCPU_REG_X86_RAX
#define RSP AXVCPU_REG_X86_RSP

/* On real hardware. */
#define HANDSHAKES 100000u

static void start(uint32_t irqchip, const void *code, size_t len)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.irqchip = irqchip;
	x86_start(&guest, &config, code, len);
}

static void handle_all(unsigned int first, unsigned int last, enum x86_handler handler)
{
	for (unsigned int vector = first; vector <= last; vector++)
		x86_handle(&guest, vector, handler);
}

static void inject(uint32_t vector)
{
	ck_ok(axvcpu_inject_interrupt(guest.vcpu, vector));
}

/* --- interrupts without an irqchip ------------------------------------------------------------ */

START_TEST(every_vector_reaches_its_handler)
{
	start(AXVM_IRQCHIP_NONE, CODE(LIDT STI HLT_LOOP));
	/* No error code: these are interrupts, whatever exception has the number. */
	handle_all(0, 255, X86_TELL);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	for (unsigned int vector = 0; vector < 256; vector++) {
		inject(vector);
		x86_expect_vector(&guest, vector);
		guest_expect(&guest, AXVCPU_EXIT_HALT);
	}
	guest_end(&guest);
}
END_TEST

START_TEST(the_highest_vector_is_taken_first)
{
	static const unsigned char injected[] = { 0x30, 0x80, 0x3f, 0x40, 0x30, 0xff, 0x20, 0xc0 };
	static const unsigned char taken[] = { 0xff, 0xc0, 0x80, 0x40, 0x3f, 0x30, 0x30, 0x20 };

	start(AXVM_IRQCHIP_NONE, CODE(LIDT STI HLT_LOOP));
	handle_all(0x20, 0xff, X86_TELL);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	for (size_t i = 0; i < sizeof(injected); i++)
		inject(injected[i]);
	for (size_t i = 0; i < sizeof(taken); i++)
		x86_expect_vector(&guest, taken[i]);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

START_TEST(a_higher_vector_overtakes_one_that_waits)
{
	start(AXVM_IRQCHIP_NONE, CODE(LIDT STI HLT_LOOP));
	handle_all(0x20, 0xff, X86_TELL);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	inject(0x50);
	inject(0x40);
	x86_expect_vector(&guest, 0x50);
	/* In the handler of 0x50, with interrupts off. */
	inject(0x60);
	x86_expect_vector(&guest, 0x60);
	x86_expect_vector(&guest, 0x40);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

START_TEST(an_interrupt_waits_until_the_guest_takes_interrupts)
{
	start(AXVM_IRQCHIP_NONE, CODE(LIDT OUT("\x01") OUT("\x02") STI NOP OUT("\x03")
					      CLI OUT("\x04") OUT("\x05") STI NOP OUT("\x06")));
	x86_handle(&guest, 0x77, X86_TELL);
	x86_expect_out(&guest, 1, 0);
	inject(0x77);
	x86_expect_out(&guest, 2, 0);
	/* Between sti with one more instruction, and the next. */
	x86_expect_vectors_around_out(&guest, 0x77, 1, 3);
	x86_expect_out(&guest, 4, 0);
	inject(0x77);
	inject(0x77);
	x86_expect_out(&guest, 5, 0);
	x86_expect_vectors_around_out(&guest, 0x77, 2, 6);
	guest_end(&guest);
}
END_TEST

START_TEST(a_cpu_for_which_an_interrupt_waits_does_not_halt)
{
	start(AXVM_IRQCHIP_NONE, CODE(LIDT OUT("\x01") STI HLT OUT("\x02") HLT));
	x86_handle(&guest, 0x33, X86_TELL);
	x86_expect_out(&guest, 1, 0);
	inject(0x33);
	/* Taken at the hlt: no exit needs to be reported, and no thread sleeps. */
	x86_expect_vector(&guest, 0x33);
	x86_expect_out(&guest, 2, 0);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

START_TEST(halt_with_interrupts_off_exits_and_loses_nothing)
{
	start(AXVM_IRQCHIP_NONE, CODE(LIDT OUT("\x01") HLT STI NOP OUT("\x02")));
	x86_handle(&guest, 0x33, X86_TELL);
	x86_expect_out(&guest, 1, 0);
	inject(0x33);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	x86_expect_vectors_around_out(&guest, 0x33, 1, 2);
	guest_end(&guest);
}
END_TEST

START_TEST(n_injections_of_a_vector_are_taken_n_times)
{
	start(AXVM_IRQCHIP_NONE, CODE(LIDT STI HLT_LOOP));
	x86_handle(&guest, 0x41, X86_COUNT);
	x86_handle(&guest, 0x42, X86_COUNT);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	for (int i = 0; i < 1000; i++) {
		inject(0x41);
		if (i < 300)
			inject(0x42);
	}
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(x86_count(&guest, 0x41), 1000);
	ck_assert_uint_eq(x86_count(&guest, 0x42), 300);
	guest_end(&guest);
}
END_TEST

START_TEST(a_full_queue_refuses_and_loses_nothing)
{
	start(AXVM_IRQCHIP_NONE, CODE(LIDT STI HLT_LOOP));
	x86_handle(&guest, 0x41, X86_COUNT);
	x86_handle(&guest, 0x42, X86_COUNT);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	for (int i = 0; i < 65535; i++)
		inject(0x41);
	ck_fails_saying(axvcpu_inject_interrupt(guest.vcpu, 0x41), ENOSPC, "65535 times");
	inject(0x42);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(x86_count(&guest, 0x41), 65535);
	ck_assert_uint_eq(x86_count(&guest, 0x42), 1);
	inject(0x41);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(x86_count(&guest, 0x41), 65536);
	guest_end(&guest);
}
END_TEST

START_TEST(invalid_vectors_are_refused)
{
	start(AXVM_IRQCHIP_NONE, CODE(HLT));
	ck_fails_saying(axvcpu_inject_interrupt(guest.vcpu, 256), EINVAL, "0 to 255");
	ck_fails(axvcpu_inject_interrupt(guest.vcpu, UINT32_MAX), EINVAL);
	guest_end(&guest);
	start(AXVM_IRQCHIP_KERNEL, CODE(HLT));
	ck_fails_saying(axvcpu_inject_interrupt(guest.vcpu, 15), EINVAL, "16 to 255");
	ck_fails(axvcpu_inject_interrupt(guest.vcpu, 256), EINVAL);
	guest_end(&guest);
}
END_TEST

START_TEST(x86_has_no_line_at_the_vcpu)
{
	start(AXVM_IRQCHIP_NONE, CODE(HLT));
	ck_fails(axvcpu_set_irq_line(guest.vcpu, 0, true), ENOTSUP);
	guest_end(&guest);
}
END_TEST

START_TEST(handshaken_injections_arrive_each_once_and_in_order)
{
	const unsigned int n = suite_scale(HANDSHAKES);

	start(AXVM_IRQCHIP_NONE, CODE(LIDT STI HLT_LOOP));
	handle_all(0x20, 0xff, X86_TELL);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	for (unsigned int i = 0; i < n; i++) {
		unsigned int vector = 0x20 + i % 0xe0;

		inject(vector);
		x86_expect_vector(&guest, vector);
	}
	/* And no unrequested one. */
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

/* --- open exits ------------------------------------------------------------------------------- */

START_TEST(an_injection_at_an_open_exit_leaves_its_answer_alone)
{
	start(AXVM_IRQCHIP_NONE, CODE(LIDT STI NOP IN_AL("\x44") OUT("\x02")));
	x86_handle(&guest, 0x99, X86_TELL);
	guest_expect(&guest, AXVCPU_EXIT_IO_READ);
	inject(0x99);
	ck_ok(axvcpu_complete_value(guest.vcpu, 0x5a));
	x86_expect_vector(&guest, 0x99);
	x86_expect_out(&guest, 2, 0x5a);
	guest_end(&guest);
}
END_TEST

START_TEST(an_instruction_that_ends_with_interrupts_off_is_not_interrupted)
{
	/* sti; mov esp,0xd0000000; popf; mov esp,0x8000; out 2; sti; nop; out 3 */
	start(AXVM_IRQCHIP_NONE, CODE(LIDT STI "\xbc\x00\x00\x00\xd0\x9d\xbc\x00\x80\x00\x00" OUT(
					 "\x02") STI NOP OUT("\x03") HLT));
	x86_handle(&guest, 0x99, X86_TELL);
	guest_expect(&guest, AXVCPU_EXIT_MMIO_READ);
	/* Interrupts are on, and the instruction that turns them off is half done. */
	inject(0x99);
	ck_ok(axvcpu_complete_value(guest.vcpu, 2));
	x86_expect_out(&guest, 2, 0);
	x86_expect_vectors_around_out(&guest, 0x99, 1, 3);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

START_TEST(an_access_in_pieces_is_not_torn_by_an_interrupt)
{
	unsigned int bytes = 0;

	/* sti; mov eax,0x11223344; mov edx,0xd0000ffe; mov [rdx],eax; out 2 */
	start(AXVM_IRQCHIP_NONE,
	      CODE(LIDT STI "\xb8\x44\x33\x22\x11\xba\xfe\x0f\x00\xd0\x89\x02" OUT("\x02")));
	x86_handle(&guest, 0x99, X86_TELL);
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	inject(0x99);
	while (guest.exit.kind == AXVCPU_EXIT_MMIO_WRITE) {
		bytes += guest.exit.u.mmio.width;
		do
			ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
		while (guest.exit.kind == AXVCPU_EXIT_NOTHING);
	}
	ck_assert_uint_eq(bytes, 4);
	ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_IO_WRITE);
	ck_assert_uint_eq(guest.exit.u.io.port, X86_VECTOR_PORT);
	x86_expect_out(&guest, 2, 0x44);
	guest_end(&guest);
}
END_TEST

START_TEST(an_interrupt_flag_that_the_caller_clears_counts)
{
	start(AXVM_IRQCHIP_NONE, CODE(LIDT STI HLT OUT("\x02") STI NOP OUT("\x03")));
	x86_handle(&guest, 0x99, X86_TELL);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	inject(0x99);
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_FLAGS, 2));
	x86_expect_out(&guest, 2, 0);
	x86_expect_vectors_around_out(&guest, 0x99, 1, 3);
	guest_end(&guest);
}
END_TEST

START_TEST(the_task_priority_that_the_caller_sets_stays)
{
	start(AXVM_IRQCHIP_NONE, CODE(OUT("\x01") OUT("\x02")));
	x86_expect_out(&guest, 1, 0);
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_CR8, 5));
	x86_expect_out(&guest, 2, 0);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_CR8), 5);
	guest_end(&guest);
}
END_TEST

START_TEST(a_reset_forgets_what_waited)
{
	const struct axvcpu_exception ud = { .vector = 6 };

	start(AXVM_IRQCHIP_NONE, CODE(LIDT STI NOP OUT("\x02") HLT));
	handle_all(0, 0xff, X86_TELL);
	x86_expect_out(&guest, 2, 0);
	inject(0x99);
	inject(0x98);
	ck_ok(axvcpu_inject_exception(guest.vcpu, &ud));
	ck_ok(axvcpu_request_irq_window(guest.vcpu));
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	x86_expect_out(&guest, 2, 0);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

/* --- the window ------------------------------------------------------------------------------- */

/* Runs to an exit of this kind or of the other, and returns whether it was this one. */
static bool either(enum axvcpu_exit_kind kind, enum axvcpu_exit_kind other_kind)
{
	do
		ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
	while (guest.exit.kind == AXVCPU_EXIT_NOTHING);
	ck_assert_msg(guest.exit.kind == (uint32_t)kind || guest.exit.kind == (uint32_t)other_kind,
		      "got %s", axvcpu_exit_name(guest.exit.kind));
	return guest.exit.kind == (uint32_t)kind;
}

START_TEST(the_window_is_reported_once_when_it_opens)
{
	start(AXVM_IRQCHIP_NONE,
	      CODE(LIDT OUT("\x01") STI NOP OUT("\x02") NOP OUT("\x03") NOP OUT("\x04") HLT));
	x86_handle(&guest, 0x55, X86_TELL);
	x86_expect_out(&guest, 1, 0);
	ck_ok(axvcpu_request_irq_window(guest.vcpu));
	/* The software flavour of KVM sees it only when the guest leaves. */
	if (either(AXVCPU_EXIT_IRQ_WINDOW, AXVCPU_EXIT_IO_WRITE))
		x86_expect_out(&guest, 2, 0);
	else
		guest_expect(&guest, AXVCPU_EXIT_IRQ_WINDOW);
	/* Open already: once, however often it is asked for. */
	ck_ok(axvcpu_request_irq_window(guest.vcpu));
	ck_ok(axvcpu_request_irq_window(guest.vcpu));
	guest_expect(&guest, AXVCPU_EXIT_IRQ_WINDOW);
	ck_assert_uint_eq(guest.exit.raw_reason, 7); /* KVM_EXIT_IRQ_WINDOW_OPEN */
	ck_assert_uint_eq(guest.exit.answerable, 0);
	/* And it is true. */
	inject(0x55);
	x86_expect_vector(&guest, 0x55);
	x86_expect_out(&guest, 3, 0);
	x86_expect_out(&guest, 4, 0);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

START_TEST(window_of_a_spinning_guest_is_reported)
{
	/* out 1; sti; jmp self */
	start(AXVM_IRQCHIP_NONE, CODE(LIDT OUT("\x01") STI JMP_SELF));
	x86_handle(&guest, 0x55, X86_TELL);
	x86_expect_out(&guest, 1, 0);
	ck_ok(axvcpu_request_irq_window(guest.vcpu));
	guest_expect(&guest, AXVCPU_EXIT_IRQ_WINDOW);
	guest_end(&guest);
}
END_TEST

START_TEST(spinning_guest_takes_an_interrupt)
{
	start(AXVM_IRQCHIP_NONE, CODE(LIDT OUT("\x01") STI JMP_SELF));
	x86_handle(&guest, 0x55, X86_TELL);
	x86_expect_out(&guest, 1, 0);
	inject(0x55);
	x86_expect_vector(&guest, 0x55);
	guest_end(&guest);
}
END_TEST

START_TEST(the_window_comes_before_an_interrupt_that_waits)
{
	start(AXVM_IRQCHIP_NONE, CODE(LIDT STI NOP OUT("\x01") NOP OUT("\x02") HLT));
	x86_handle(&guest, 0x55, X86_TELL);
	x86_handle(&guest, 0x66, X86_TELL);
	x86_expect_out(&guest, 1, 0);
	inject(0x55);
	ck_ok(axvcpu_request_irq_window(guest.vcpu));
	guest_expect(&guest, AXVCPU_EXIT_IRQ_WINDOW);
	inject(0x66);
	x86_expect_vector(&guest, 0x66);
	x86_expect_vectors_around_out(&guest, 0x55, 1, 2);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

START_TEST(window_opened_by_a_halt_is_reported_after_it)
{
	start(AXVM_IRQCHIP_NONE, CODE(LIDT OUT("\x01") STI HLT OUT("\x02")));
	x86_expect_out(&guest, 1, 0);
	ck_ok(axvcpu_request_irq_window(guest.vcpu));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_expect(&guest, AXVCPU_EXIT_IRQ_WINDOW);
	x86_expect_out(&guest, 2, 0);
	guest_end(&guest);
}
END_TEST

START_TEST(a_kick_at_an_open_window_is_answered)
{
	start(AXVM_IRQCHIP_NONE, CODE(LIDT STI NOP OUT("\x01") OUT("\x02")));
	x86_expect_out(&guest, 1, 0);
	ck_ok(axvcpu_request_irq_window(guest.vcpu));
	ck_ok(axvcpu_kick(guest.vcpu));
	ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
	ck_assert_uint_eq(guest.exit.kicked, 1);
	if (guest.exit.kind != AXVCPU_EXIT_IRQ_WINDOW)
		guest_expect(&guest, AXVCPU_EXIT_IRQ_WINDOW);
	x86_expect_out(&guest, 2, 0);
	ck_assert_uint_eq(guest.exit.kicked, 0);
	guest_end(&guest);
}
END_TEST

START_TEST(there_is_no_window_to_ask_for_with_the_kernels_lapic)
{
	for (uint32_t irqchip = AXVM_IRQCHIP_KERNEL; irqchip <= AXVM_IRQCHIP_SPLIT; irqchip++) {
		start(irqchip, CODE(HLT));
		ck_fails_saying(axvcpu_request_irq_window(guest.vcpu), ENOTSUP, "LAPIC");
		guest_end(&guest);
	}
	ck_ok(axvm_new(NULL, &guest.vm));
	ck_ok(axvcpu_new(guest.vm, NULL, &guest.vcpu));
	ck_fails(axvcpu_request_irq_window(guest.vcpu), EBADFD);
	guest_end(&guest);
}
END_TEST

/* --- NMI -------------------------------------------------------------------------------------- */

START_TEST(an_nmi_is_taken_once_with_interrupts_off)
{
	start(AXVM_IRQCHIP_NONE, CODE(LIDT OUT("\x01") NOP OUT("\x02") HLT OUT("\x03")));
	x86_handle(&guest, 2, X86_TELL);
	x86_expect_out(&guest, 1, 0);
	ck_ok(axvcpu_inject_nmi(guest.vcpu));
	x86_expect_vector(&guest, 2);
	x86_expect_out(&guest, 2, 0);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_ok(axvcpu_inject_nmi(guest.vcpu));
	x86_expect_vector(&guest, 2);
	x86_expect_out(&guest, 3, 0);
	guest_end(&guest);
}
END_TEST

START_TEST(an_nmi_within_an_nmi_waits_for_its_end)
{
	start(AXVM_IRQCHIP_NONE, CODE(LIDT OUT("\x01") NOP OUT("\x02") OUT("\x03") HLT));
	x86_handle(&guest, 2, X86_TELL);
	x86_expect_out(&guest, 1, 0);
	ck_ok(axvcpu_inject_nmi(guest.vcpu));
	x86_expect_vector(&guest, 2);
	/* In the handler. */
	ck_ok(axvcpu_inject_nmi(guest.vcpu));
	x86_expect_vectors_around_out(&guest, 2, 1, 2);
	x86_expect_out(&guest, 3, 0);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

START_TEST(an_nmi_is_taken_once_with_the_kernels_irqchip)
{
	for (uint32_t irqchip = AXVM_IRQCHIP_KERNEL; irqchip <= AXVM_IRQCHIP_SPLIT; irqchip++) {
		start(irqchip, CODE(LIDT OUT("\x01") NOP OUT("\x02") OUT("\x03")));
		x86_handle(&guest, 2, X86_TELL);
		x86_expect_out(&guest, 1, 0);
		ck_ok(axvcpu_inject_nmi(guest.vcpu));
		x86_expect_vector(&guest, 2);
		x86_expect_out(&guest, 2, 0);
		x86_expect_out(&guest, 3, 0);
		guest_end(&guest);
	}
}
END_TEST

/* --- exceptions ------------------------------------------------------------------------------- */

static struct axvcpu_exception exception(uint32_t vector, bool has_error_code, uint32_t error_code)
{
	return (struct axvcpu_exception){ .vector = vector,
					  .has_error_code = has_error_code,
					  .error_code = error_code };
}

static void raise(struct axvcpu_exception what)
{
	ck_ok(axvcpu_inject_exception(guest.vcpu, &what));
}

START_TEST(exceptions_reach_their_handlers)
{
	static const unsigned char plain[] = { 0, 5, 6, 7, 16, 18, 19 };

	start(AXVM_IRQCHIP_NONE, CODE(LIDT HLT_LOOP));
	handle_all(0, 31, X86_TELL);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	for (size_t i = 0; i < sizeof(plain); i++) {
		raise(exception(plain[i], false, 0));
		x86_expect_vector(&guest, plain[i]);
		guest_expect(&guest, AXVCPU_EXIT_HALT);
	}
	guest_end(&guest);
}
END_TEST

START_TEST(exceptions_carry_their_error_code)
{
	static const struct {
		unsigned char vector;
		uint32_t error_code;
	} cases[] = { { 8, 0 },	 { 10, 0x18 },	 { 11, 0x20 }, { 12, 0x28 },
		      { 13, 0 }, { 13, 0xfff8 }, { 14, 7 },    { 17, 0 } };

	start(AXVM_IRQCHIP_NONE, CODE(LIDT HLT_LOOP));
	handle_all(0, 31, X86_TELL_ERROR);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		raise(exception(cases[i].vector, true, cases[i].error_code));
		x86_expect_out(&guest, X86_ERROR_PORT, cases[i].error_code);
		x86_expect_vector(&guest, cases[i].vector);
		guest_expect(&guest, AXVCPU_EXIT_HALT);
		/* Its stack is as before: the code was there, and once. */
		ck_assert_uint_eq(guest_reg(&guest, RSP), GUEST_STACK);
	}
	guest_end(&guest);
}
END_TEST

START_TEST(an_exception_at_an_open_exit_comes_behind_its_instruction)
{
	start(AXVM_IRQCHIP_NONE, CODE(LIDT IN_AL("\x44") OUT("\x02")));
	x86_handle(&guest, 13, X86_TELL_ERROR);
	guest_expect(&guest, AXVCPU_EXIT_IO_READ);
	raise(exception(13, true, 0x10));
	/* It can still be answered. */
	ck_ok(axvcpu_complete_value(guest.vcpu, 0x5a));
	x86_expect_out(&guest, X86_ERROR_PORT, 0x10);
	x86_expect_vector(&guest, 13);
	x86_expect_out(&guest, 2, 0x5a);
	guest_end(&guest);
}
END_TEST

START_TEST(a_breakpoint_exception_is_that_of_the_instruction)
{
	/* int3, as a debugger reflects it to a guest that has set a breakpoint there itself. */
	start(AXVM_IRQCHIP_NONE, CODE(LIDT OUT("\x01") "\xcc" OUT("\x02") OUT("\x03")));
	x86_handle(&guest, 3, X86_TELL);
	x86_expect_out(&guest, 1, 0);
	raise(exception(3, false, 0));
	x86_expect_vector(&guest, 3);
	/*
	 * And the guest goes on behind it: so hardware does. CPUs that QEMU emulates, and the
	 * software flavour of KVM, go back to the instruction, which the latter cannot interpret.
	 */
	if (either(AXVCPU_EXIT_IO_WRITE, AXVCPU_EXIT_INTERNAL_ERROR)) {
		if (guest.exit.u.io.port == X86_VECTOR_PORT) {
			ck_assert_uint_eq(guest.exit.u.io.data, 3);
			guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
		}
		ck_assert_uint_eq(guest.exit.u.io.port, 2);
		x86_expect_out(&guest, 3, 0);
	}
	guest_end(&guest);
}
END_TEST

START_TEST(exceptions_that_make_no_sense_are_refused)
{
	const struct axvcpu_exception none = exception(32, false, 0), nmi = exception(2, false, 0),
				      gp = exception(13, false, 0), ud = exception(6, true, 0);

	start(AXVM_IRQCHIP_NONE, CODE(LIDT OUT("\x01") OUT("\x02")));
	x86_expect_out(&guest, 1, 0);
	ck_fails(axvcpu_inject_exception(guest.vcpu, &none), EINVAL);
	ck_fails(axvcpu_inject_exception(guest.vcpu, &nmi), EINVAL);
	ck_fails_saying(axvcpu_inject_exception(guest.vcpu, &gp), EINVAL, "has an error code");
	ck_fails_saying(axvcpu_inject_exception(guest.vcpu, &ud), EINVAL, "has no error code");
	/* And none of them has left anything. */
	x86_expect_out(&guest, 2, 0);
	guest_end(&guest);
}
END_TEST

START_TEST(a_second_exception_is_refused_until_the_first_is_taken)
{
	const struct axvcpu_exception gp = exception(13, true, 0x40), ud = exception(6, false, 0);

	start(AXVM_IRQCHIP_NONE, CODE(LIDT HLT_LOOP));
	x86_handle(&guest, 6, X86_TELL);
	x86_handle(&guest, 13, X86_TELL_ERROR);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	raise(ud);
	ck_fails_saying(axvcpu_inject_exception(guest.vcpu, &gp), EBUSY, "exception 6");
	/* Given to the kernel, but not to the guest. */
	ck_ok(axvcpu_kick(guest.vcpu));
	ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
	ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_NOTHING);
	ck_fails_saying(axvcpu_inject_exception(guest.vcpu, &gp), EBUSY, "exception 6");
	x86_expect_vector(&guest, 6);
	raise(gp);
	x86_expect_out(&guest, X86_ERROR_PORT, 0x40);
	x86_expect_vector(&guest, 13);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

START_TEST(an_exception_goes_before_an_interrupt_and_takes_none_away)
{
	start(AXVM_IRQCHIP_NONE, CODE(LIDT STI HLT_LOOP));
	x86_handle(&guest, 6, X86_TELL_COUNT);
	x86_handle(&guest, 0x50, X86_TELL);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	inject(0x50);
	raise(exception(6, false, 0));
	x86_expect_out(&guest, X86_ERROR_PORT, 1);
	x86_expect_vector(&guest, 0x50);
	guest_expect(&guest, AXVCPU_EXIT_HALT);

	/* The kernel has taken the interrupt, and the guest not yet. */
	inject(0x50);
	ck_ok(axvcpu_kick(guest.vcpu));
	ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
	ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_NOTHING);
	raise(exception(6, false, 0));
	x86_expect_out(&guest, X86_ERROR_PORT, 2);
	x86_expect_vector(&guest, 0x50);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

/* --- from other threads ----------------------------------------------------------------------- */

/* A thread that injects when told to. */
static struct {
	pthread_t thread;
	/* Number of injections to make, and whether the thread has begun. */
	atomic_uint asked;
	atomic_bool stop;
	int (*fn)(unsigned int n);
	int failed;
} other;

static void *other_main(void *arg)
{
	unsigned int done = 0;

	while (!other.stop) {
		if (done == other.asked) {
			usleep(20);
			continue;
		}
		other.failed |= other.fn(done);
		done++;
	}
	return arg;
}

static void other_start(int (*fn)(unsigned int n))
{
	other.fn = fn;
	ck_assert_int_eq(pthread_create(&other.thread, NULL, other_main, NULL), 0);
}

static void other_end(void)
{
	other.stop = true;
	pthread_join(other.thread, NULL);
	ck_assert_int_eq(other.failed, 0);
}

static int other_vector(unsigned int n)
{
	return axvcpu_inject_interrupt(guest.vcpu, 0x20 + n % 0xe0);
}

static int other_nmi(unsigned int n)
{
	(void)n;
	return axvcpu_inject_nmi(guest.vcpu);
}

static int other_exception(unsigned int n)
{
	const struct axvcpu_exception gp = exception(13, true, n);

	return axvcpu_inject_exception(guest.vcpu, &gp);
}

START_TEST(another_thread_interrupts_a_guest_that_spins)
{
	static const uint32_t irqchips[] = { AXVM_IRQCHIP_NONE, AXVM_IRQCHIP_KERNEL,
					     AXVM_IRQCHIP_SPLIT };
	struct x86_code code = { .len = 0 };

	x86_emit(&code, CODE(LIDT));
	if (irqchips[_i] != AXVM_IRQCHIP_NONE)
		x86_enable_lapic(&code);
	x86_emit(&code, CODE(OUT("\x01") STI JMP_SELF));
	start(irqchips[_i], code.bytes, code.len);
	handle_all(0x20, 0xff, irqchips[_i] == AXVM_IRQCHIP_NONE ? X86_TELL : X86_TELL_LAPIC);
	/* An interrupt sent before the guest has enabled its LAPIC is lost, as on hardware. */
	x86_expect_out(&guest, 1, 0);
	other_start(other_vector);
	for (unsigned int i = 0; i < 1000; i++) {
		other.asked++;
		x86_expect_vector(&guest, 0x20 + i % 0xe0);
	}
	other_end();
	guest_end(&guest);
}
END_TEST

START_TEST(handshakes_with_another_thread_lose_none)
{
	const unsigned int n = suite_scale(HANDSHAKES / 10);

	start(AXVM_IRQCHIP_NONE, CODE(LIDT STI JMP_SELF));
	handle_all(0x20, 0xff, X86_TELL);
	other_start(other_vector);
	for (unsigned int i = 0; i < n; i++) {
		other.asked++;
		x86_expect_vector(&guest, 0x20 + i % 0xe0);
	}
	other_end();
	guest_end(&guest);
}
END_TEST

START_TEST(another_threads_nmi_ends_a_halt_in_the_kernel)
{
	for (uint32_t irqchip = AXVM_IRQCHIP_KERNEL; irqchip <= AXVM_IRQCHIP_SPLIT; irqchip++) {
		other.asked = 0;
		other.stop = false;
		start(irqchip, CODE(LIDT OUT("\x01") HLT_LOOP));
		x86_handle(&guest, 2, X86_TELL);
		x86_expect_out(&guest, 1, 0);
		other_start(other_nmi);
		for (unsigned int i = 0; i < 100; i++) {
			other.asked++;
			x86_expect_vector(&guest, 2);
		}
		other_end();
		guest_end(&guest);
	}
}
END_TEST

START_TEST(another_threads_exception_ends_a_halt_in_the_kernel)
{
	start(AXVM_IRQCHIP_KERNEL, CODE(LIDT OUT("\x01") HLT_LOOP));
	x86_handle(&guest, 13, X86_TELL_ERROR);
	x86_expect_out(&guest, 1, 0);
	other_start(other_exception);
	for (unsigned int i = 0; i < 100; i++) {
		other.asked++;
		x86_expect_out(&guest, X86_ERROR_PORT, i);
		x86_expect_vector(&guest, 13);
	}
	other_end();
	guest_end(&guest);
}
END_TEST

/* --- the kernel's LAPIC ----------------------------------------------------------------------- */

START_TEST(an_interrupt_to_the_kernels_lapic_is_taken_and_ends_a_halt)
{
	struct x86_code code = { .len = 0 };
	uint32_t irqchip = _i ? AXVM_IRQCHIP_SPLIT : AXVM_IRQCHIP_KERNEL;

	x86_emit(&code, CODE(LIDT));
	x86_enable_lapic(&code);
	x86_emit(&code, CODE(OUT("\x01") STI HLT_LOOP));
	start(irqchip, code.bytes, code.len);
	handle_all(0x20, 0xff, X86_TELL_LAPIC);
	x86_expect_out(&guest, 1, 0);
	/* The highest class first here too, and one that is pending is pending once. */
	inject(0x30);
	inject(0x30);
	inject(0x91);
	x86_expect_vector(&guest, 0x91);
	x86_expect_vector(&guest, 0x30);
	other_start(other_vector);
	for (unsigned int i = 0; i < 200; i++) {
		other.asked++;
		x86_expect_vector(&guest, 0x20 + i % 0xe0);
	}
	other_end();
	guest_end(&guest);
}
END_TEST

START_TEST(a_lapic_that_is_off_takes_nothing)
{
	start(AXVM_IRQCHIP_KERNEL, CODE(LIDT STI NOP OUT("\x01") NOP OUT("\x02")));
	handle_all(0x20, 0xff, X86_TELL_LAPIC);
	x86_expect_out(&guest, 1, 0);
	inject(0x30);
	x86_expect_out(&guest, 2, 0);
	guest_end(&guest);
}
END_TEST

START_TEST(a_cpu_beyond_the_255th_is_reached)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvcpu_config vcpu_config = AXVCPU_CONFIG_INIT;
	struct axvm_region memory = AXVM_REGION_INIT;
	struct x86_code code = { .len = 0 };

	config.irqchip = _i ? AXVM_IRQCHIP_SPLIT : AXVM_IRQCHIP_KERNEL;
	config.max_vcpus = 300;
	if (axvm_new(&config, &guest.vm)) {
		/* KVM_CAP_MAX_VCPUS is less on some hosts. */
		ck_assert_ptr_nonnull(strstr(axvcpu_last_error(), "KVM_CAP_"));
		return;
	}
	memory.len = GUEST_MEMORY;
	ck_ok(axvm_map(guest.vm, &memory));
	vcpu_config.id = 299;
	ck_ok(axvcpu_new(guest.vm, &vcpu_config, &guest.vcpu));
	/* x2APIC mode, in which ids have 32 bits; switched on by its MSR of the spurious vector. */
	x86_emit(&code, CODE(LIDT "\xb9\x1b\x00\x00\x00\x0f\x32\x0d\x00\x04\x00\x00\x0f\x30"
				  "\xb9\x0f\x08\x00\x00\xb8\xff\x01\x00\x00\x31\xd2\x0f\x30" OUT(
					  "\x01") STI NOP OUT("\x02") HLT_LOOP));
	ck_ok(axvm_write(guest.vm, GUEST_CODE, code.bytes, code.len));
	x86_load_idt(&guest);
	handle_all(0x20, 0xff, X86_TELL);
	guest_setup(&guest, AXVCPU_MODE_64);
	/* It would wait for another CPU to start it. */
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	ck_ok(axvcpu_bind(guest.vcpu));
	x86_expect_out(&guest, 1, 0xff);
	inject(0x66);
	x86_expect_vectors_around_out(&guest, 0x66, 1, 2);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *irq = suite_case(suite, "interrupts");
	TCase *open = suite_case(suite, "open exits");
	TCase *window = suite_case(suite, "window");
	TCase *nmi = suite_case(suite, "NMI");
	TCase *exceptions = suite_case(suite, "exceptions");
	TCase *threads = suite_case(suite, "threads");
	TCase *lapic = suite_case(suite, "LAPIC");

	tcase_add_test(irq, every_vector_reaches_its_handler);
	tcase_add_test(irq, the_highest_vector_is_taken_first);
	tcase_add_test(irq, a_higher_vector_overtakes_one_that_waits);
	tcase_add_test(irq, an_interrupt_waits_until_the_guest_takes_interrupts);
	tcase_add_test(irq, a_cpu_for_which_an_interrupt_waits_does_not_halt);
	tcase_add_test(irq, halt_with_interrupts_off_exits_and_loses_nothing);
	tcase_add_test(irq, n_injections_of_a_vector_are_taken_n_times);
	tcase_add_test(irq, a_full_queue_refuses_and_loses_nothing);
	tcase_add_test(irq, invalid_vectors_are_refused);
	tcase_add_test(irq, x86_has_no_line_at_the_vcpu);
	tcase_add_test(irq, handshaken_injections_arrive_each_once_and_in_order);

	tcase_add_test(open, an_injection_at_an_open_exit_leaves_its_answer_alone);
	tcase_add_test(open, an_instruction_that_ends_with_interrupts_off_is_not_interrupted);
	tcase_add_test(open, an_access_in_pieces_is_not_torn_by_an_interrupt);
	tcase_add_test(open, an_interrupt_flag_that_the_caller_clears_counts);
	tcase_add_test(open, the_task_priority_that_the_caller_sets_stays);
	tcase_add_test(open, a_reset_forgets_what_waited);

	tcase_add_test(window, the_window_is_reported_once_when_it_opens);
	tcase_add_test(window, window_of_a_spinning_guest_is_reported);
	tcase_add_test(window, spinning_guest_takes_an_interrupt);
	tcase_add_test(window, the_window_comes_before_an_interrupt_that_waits);
	tcase_add_test(window, window_opened_by_a_halt_is_reported_after_it);
	tcase_add_test(window, a_kick_at_an_open_window_is_answered);
	tcase_add_test(window, there_is_no_window_to_ask_for_with_the_kernels_lapic);

	tcase_add_test(nmi, an_nmi_is_taken_once_with_interrupts_off);
	tcase_add_test(nmi, an_nmi_within_an_nmi_waits_for_its_end);
	tcase_add_test(nmi, an_nmi_is_taken_once_with_the_kernels_irqchip);

	tcase_add_test(exceptions, exceptions_reach_their_handlers);
	tcase_add_test(exceptions, exceptions_carry_their_error_code);
	tcase_add_test(exceptions, an_exception_at_an_open_exit_comes_behind_its_instruction);
	tcase_add_test(exceptions, a_breakpoint_exception_is_that_of_the_instruction);
	tcase_add_test(exceptions, exceptions_that_make_no_sense_are_refused);
	tcase_add_test(exceptions, a_second_exception_is_refused_until_the_first_is_taken);
	tcase_add_test(exceptions, an_exception_goes_before_an_interrupt_and_takes_none_away);

	tcase_add_loop_test(threads, another_thread_interrupts_a_guest_that_spins, 0, 3);
	tcase_add_test(threads, handshakes_with_another_thread_lose_none);
	tcase_add_test(threads, another_threads_nmi_ends_a_halt_in_the_kernel);
	tcase_add_test(threads, another_threads_exception_ends_a_halt_in_the_kernel);

	tcase_add_loop_test(lapic, an_interrupt_to_the_kernels_lapic_is_taken_and_ends_a_halt, 0,
			    2);
	tcase_add_test(lapic, a_lapic_that_is_off_takes_nothing);
	tcase_add_loop_test(lapic, a_cpu_beyond_the_255th_is_reached, 0, 2);
}

int main(void)
{
	return suite_main("x86 injection", true, add_tests);
}
