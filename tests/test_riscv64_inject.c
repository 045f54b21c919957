/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * riscv64: injection into a hart without an AIA: its only line, and exceptions. Needs a working
 * /dev/kvm.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "riscv64_guest.h"
#include "suite.h"

static struct guest guest;

#define EXTERNAL (UINT64_C(1) << 63 | 9)
#define SSTATUS_SIE UINT64_C(2)
#define SSTATUS_SPIE UINT64_C(0x20)
#define SSTATUS_SPP UINT64_C(0x100)
#define ILLEGAL 2
#define LOAD_ACCESS 5
#define USER_ECALL 8

/* --- the line --------------------------------------------------------------------------------- */

static void expect_interrupt(void)
{
	guest_expect_write(&guest, GUEST_MMIO + 8, EXTERNAL);
	guest_expect_read(&guest, GUEST_MMIO + 0x10);
}

START_TEST(the_line_interrupts_for_as_long_as_it_is_high)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(sleeper));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	ck_ok(axvcpu_set_irq_line(guest.vcpu, 0, true));
	for (int i = 0; i < 3; i++)
		expect_interrupt();
	ck_ok(axvcpu_set_irq_line(guest.vcpu, 0, false));
	/* It sleeps in the kernel, and so a kick is all there is. */
	ck_ok(axvcpu_kick(guest.vcpu));
	guest_expect(&guest, AXVCPU_EXIT_NOTHING);
	ck_assert_uint_eq(guest.exit.kicked, 1);
	ck_ok(axvcpu_set_irq_line(guest.vcpu, 0, true));
	expect_interrupt();
	guest_end(&guest);
}
END_TEST

START_TEST(other_lines_and_other_ways_are_refused)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(sleeper));
	ck_fails_saying(axvcpu_set_irq_line(guest.vcpu, 1, true), EINVAL, "line is 1");
	ck_fails_saying(axvcpu_inject_interrupt(guest.vcpu, 1), ENOTSUP, "axvcpu_set_irq_line");
	ck_fails_saying(axvcpu_inject_nmi(guest.vcpu), ENOTSUP, "NMI");
	ck_fails(axvcpu_request_irq_window(guest.vcpu), ENOTSUP);
	ck_fails(axvm_set_irq_line(guest.vm, 1, true), ENOTSUP);
	guest_expect_write(&guest, GUEST_MMIO, 0);
	guest_end(&guest);
}
END_TEST

struct storm {
	unsigned int raise;
	atomic_uint raised;
};

/* Raises it, and waits until it has been lowered. */
static void *make_storm(void *ctx)
{
	struct storm *storm = ctx;

	for (unsigned int i = 0; i < storm->raise; i++) {
		while (atomic_load(&storm->raised) != i)
			sched_yield();
		ck_ok(axvcpu_set_irq_line(guest.vcpu, 0, true));
	}
	return NULL;
}

START_TEST(storm_of_interrupts_loses_none)
{
	struct storm storm = { .raise = suite_scale(20000) };
	pthread_t thread;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(sleeper));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, make_storm, &storm), 0);
	for (unsigned int i = 0; i < storm.raise; i++) {
		expect_interrupt();
		ck_ok(axvcpu_set_irq_line(guest.vcpu, 0, false));
		atomic_store(&storm.raised, i + 1);
	}
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	guest_end(&guest);
}
END_TEST

/* --- exceptions ------------------------------------------------------------------------------- */

static int inject(uint32_t cause)
{
	const struct axvcpu_exception exception = { .vector = cause };

	return axvcpu_inject_exception(guest.vcpu, &exception);
}

START_TEST(an_exception_is_taken_behind_the_open_exit)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(traps));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_RISCV64_STVAL, 0xdead));
	ck_ok(inject(LOAD_ACCESS));
	guest_expect_write(&guest, GUEST_MMIO + 8, LOAD_ACCESS);
	guest_expect_write(&guest, GUEST_MMIO + 0x10, PROGRAM_AT(traps, after));
	guest_expect_write(&guest, GUEST_MMIO + 0x18, 0xdead);
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(guest.exit.u.mmio.addr, GUEST_MMIO + 0x20);
	ck_assert_uint_eq(guest.exit.u.mmio.data & (SSTATUS_SIE | SSTATUS_SPIE | SSTATUS_SPP),
			  SSTATUS_SPP);
	/* And goes on where it was. */
	guest_expect_write(&guest, GUEST_MMIO, 0);
	guest_end(&guest);
}
END_TEST

START_TEST(an_open_read_is_answered_before_the_exception)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(trap));
	guest_expect_read(&guest, GUEST_MMIO);
	ck_ok(inject(LOAD_ACCESS));
	ck_ok(axvcpu_complete_value(guest.vcpu, 0x1234));
	/* The handler passes over one instruction, which is not the read. */
	guest_expect_write(&guest, GUEST_MMIO + 8, LOAD_ACCESS);
	guest_expect_write(&guest, GUEST_MMIO + 0x10, PROGRAM_AT(trap, here));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	guest_end(&guest);
}
END_TEST

START_TEST(an_exception_in_user_mode_leads_to_supervisor_mode)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(user));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_RISCV64_MODE), 0);
	ck_ok(inject(USER_ECALL));
	guest_expect_write(&guest, GUEST_MMIO + 8, USER_ECALL);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_RISCV64_MODE), 1);
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	/* Where it came from, and that it had interrupts on. */
	ck_assert_uint_eq(guest.exit.u.mmio.data & (SSTATUS_SIE | SSTATUS_SPIE | SSTATUS_SPP),
			  SSTATUS_SPIE);
	guest_end(&guest);
}
END_TEST

/* "traps" takes the exception, once. */
static void expect_exception(uint32_t cause)
{
	guest_expect_write(&guest, GUEST_MMIO + 8, cause);
	for (uint64_t offset = 0x10; offset <= 0x20; offset += 8) {
		guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
		ck_assert_uint_eq(guest.exit.u.mmio.addr, GUEST_MMIO + offset);
	}
	guest_expect_write(&guest, GUEST_MMIO, 0);
}

START_TEST(an_exception_that_waits_is_part_of_a_checkpoint)
{
	struct axvm_checkpoint *checkpoint;
	struct axvm *clone;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(traps));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	ck_ok(inject(LOAD_ACCESS));
	ck_ok(axvm_quiesce(guest.vm, NULL, 0));
	ck_ok(axvm_checkpoint_new(guest.vm, NULL, &checkpoint));
	expect_exception(LOAD_ACCESS);
	for (int round = 0; round < 2; round++) {
		/* One that the checkpoint does not have. */
		if (round)
			ck_ok(inject(ILLEGAL));
		ck_ok((int)axvm_checkpoint_restore(checkpoint, guest.vm, NULL));
		expect_exception(LOAD_ACCESS);
	}
	ck_ok(axvm_checkpoint_clone(checkpoint, NULL, &clone));
	ck_ok(axvm_checkpoint_free(checkpoint));
	guest_end(&guest);
	guest.vm = clone;
	guest.vcpu = axvm_vcpu(guest.vm, 0);
	ck_ok(axvcpu_bind(guest.vcpu));
	expect_exception(LOAD_ACCESS);
	guest_end(&guest);
}
END_TEST

START_TEST(invalid_exceptions_are_refused)
{
	const struct axvcpu_exception code = { .vector = ILLEGAL, .has_error_code = 1 };

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(traps));
	ck_fails_saying(inject(64), EINVAL, "cause 64");
	ck_fails_saying(axvcpu_inject_exception(guest.vcpu, &code), EINVAL, "stval");
	ck_ok(inject(ILLEGAL));
	ck_fails_saying(inject(LOAD_ACCESS), EBUSY, "exception 2");
	/* A reset forgets it. */
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	guest_expect_write(&guest, GUEST_MMIO, 0);
	guest_end(&guest);
}
END_TEST

START_TEST(forbidden_instruction_is_a_guest_exception)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(trap));
	guest_expect_read(&guest, GUEST_MMIO);
	guest_expect_write(&guest, GUEST_MMIO + 8, ILLEGAL);
	guest_expect_write(&guest, GUEST_MMIO + 0x10, PROGRAM_AT(trap, here));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *line = suite_case(suite, "line");
	TCase *exceptions = suite_case(suite, "exceptions");

	tcase_add_test(line, the_line_interrupts_for_as_long_as_it_is_high);
	tcase_add_test(line, other_lines_and_other_ways_are_refused);
	tcase_add_test(line, storm_of_interrupts_loses_none);
	tcase_add_test(exceptions, an_exception_is_taken_behind_the_open_exit);
	tcase_add_test(exceptions, an_open_read_is_answered_before_the_exception);
	tcase_add_test(exceptions, an_exception_in_user_mode_leads_to_supervisor_mode);
	tcase_add_test(exceptions, an_exception_that_waits_is_part_of_a_checkpoint);
	tcase_add_test(exceptions, invalid_exceptions_are_refused);
	tcase_add_test(exceptions, forbidden_instruction_is_a_guest_exception);
}

int main(void)
{
	return suite_main("riscv64_inject", true, add_tests);
}
