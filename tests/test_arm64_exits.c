/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Accesses outside memory, of every kind, and the faults that the caller can answer them with.
 * Needs a working /dev/kvm.
 */
#include <errno.h>
#include <linux/kvm.h>

#include "arm64_guest.h"
#include "suite.h"

/* Exception classes of ESR_EL1. */
#define EC(esr) ((esr) >> 26 & 0x3f)
#define EC_FETCH_SAME_EL 0x21
#define EC_DATA_SAME_EL 0x25
#define EC_SERROR 0x2f

static struct guest guest;

/* --- decoded accesses ------------------------------------------------------------------------ */

/*
 * The guest loads this, and then stores all 8 bytes of the loaded value. On QEMU's emulated CPU,
 * Linux 6.12 does not sign-extend the value of a load; Linux 7.2 does.
 */
static void load(unsigned int width, uint64_t value, uint64_t got)
{
	/* An implementer of 0 is for software. */
	bool emulated = !(guest_reg(&guest, AXVCPU_REG_ARM64_MIDR_EL1) >> 24 & 0xff);

	guest_expect_read(&guest, GUEST_MMIO);
	ck_assert_uint_eq(guest.exit.u.mmio.width, width);
	ck_ok(axvcpu_complete_value(guest.vcpu, value));
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(guest.exit.u.mmio.addr, GUEST_MMIO + 8);
	ck_assert_uint_eq(guest.exit.u.mmio.width, 8);
	if (!emulated || guest.exit.u.mmio.data != value)
		ck_assert_uint_eq(guest.exit.u.mmio.data, got);
}

START_TEST(loads_have_their_sign_and_width)
{
	a64_start_piece(&guest, NULL, NULL, PIECE(signed));
	load(1, 0x80, 0xffffff80);
	load(1, 0x80, UINT64_C(0xffffffffffffff80));
	load(2, 0x8001, 0xffff8001);
	load(2, 0x8001, UINT64_C(0xffffffffffff8001));
	load(4, 0x80000002, UINT64_C(0xffffffff80000002));
	/* The zero register takes nothing, and gives zero. */
	guest_expect_read(&guest, GUEST_MMIO);
	ck_ok(axvcpu_complete_value(guest.vcpu, 0x1234));
	guest_expect_write(&guest, GUEST_MMIO + 8, 0);
	ck_assert_uint_eq(guest.exit.u.mmio.width, 4);
	guest_expect_write(&guest, GUEST_MMIO + 8, 0);
	ck_assert_uint_eq(guest.exit.u.mmio.width, 8);
	/* Acquire and release. */
	guest_expect_read(&guest, GUEST_MMIO);
	ck_ok(axvcpu_complete_value(guest.vcpu, 0x5678));
	guest_expect_write(&guest, GUEST_MMIO, 0x5678);
	guest_expect_end(&guest);
	guest_end(&guest);
}
END_TEST

/* --- others ---------------------------------------------------------------------------------- */

static void expect_undecoded(uint32_t access)
{
	guest_expect(&guest, AXVCPU_EXIT_NESTED_PAGE_FAULT);
	ck_assert_uint_eq(guest.exit.u.page_fault.addr, GUEST_MMIO);
	ck_assert_uint_eq(guest.exit.u.page_fault.access, access);
	ck_assert_uint_eq(guest.exit.u.page_fault.error, 0);
	ck_assert_uint_eq(guest.exit.raw_reason, KVM_EXIT_ARM_NISV);
	ck_assert_uint_eq(guest.exit.answerable, 0);
}

static void skip(void)
{
	ck_ok(axvcpu_set_entry(guest.vcpu, guest_reg(&guest, AXVCPU_REG_PC) + 4));
}

START_TEST(undecoded_access_is_reported_with_its_address)
{
	const uint64_t loads[] = { PIECE(load_pair), PIECE(load_post) };

	for (int i = 0; i < 2; i++) {
		a64_start_piece(&guest, NULL, NULL, loads[i]);
		expect_undecoded(AXVCPU_ACCESS_READ);
		/* The guest retries it unless the caller acts on it. */
		expect_undecoded(AXVCPU_ACCESS_READ);
		skip();
		guest_expect_end(&guest);
		guest_end(&guest);
	}
	a64_start_piece(&guest, NULL, NULL, PIECE(store_pair));
	expect_undecoded(AXVCPU_ACCESS_WRITE);
	skip();
	guest_expect_end(&guest);
	guest_end(&guest);
}
END_TEST

START_TEST(code_outside_memory_is_a_guest_exception)
{
	a64_start_piece(&guest, NULL, NULL, PIECE(fetch));
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(guest.exit.u.mmio.addr, A64_TELL);
	ck_assert_uint_eq(EC(guest.exit.u.mmio.data), EC_FETCH_SAME_EL);
	guest_expect_write(&guest, A64_TELL + 8, GUEST_MMIO);
	guest_expect_write(&guest, A64_TELL + 16, GUEST_MMIO);
	guest_end(&guest);
}
END_TEST

/* --- exceptions ------------------------------------------------------------------------------ */

static const struct axvcpu_exception external_abort = { .vector = AXVCPU_ARM64_DATA_ABORT };

static void expect_abort(uint64_t piece)
{
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(guest.exit.u.mmio.addr, A64_TELL);
	ck_assert_uint_eq(EC(guest.exit.u.mmio.data), EC_DATA_SAME_EL);
	/* Synchronous external abort. */
	ck_assert_uint_eq(guest.exit.u.mmio.data & 0x3f, 0x10);
	guest_expect_write(&guest, A64_TELL + 8, GUEST_MMIO);
	/* At the instruction, which is behind the two that make its address. */
	guest_expect_write(&guest, A64_TELL + 16, piece + 8);
}

START_TEST(an_access_is_made_to_fail)
{
	a64_start_piece(&guest, NULL, NULL, PIECE(load));
	guest_expect_read(&guest, GUEST_MMIO);
	ck_ok(axvcpu_inject_exception(guest.vcpu, &external_abort));
	ck_fails(axvcpu_inject_exception(guest.vcpu, &external_abort), EBUSY);
	expect_abort(PIECE(load));
	guest_end(&guest);
	/* Also one that was not taken apart. */
	a64_start_piece(&guest, NULL, NULL, PIECE(load_pair));
	expect_undecoded(AXVCPU_ACCESS_READ);
	ck_ok(axvcpu_inject_exception(guest.vcpu, &external_abort));
	expect_abort(PIECE(load_pair));
	guest_end(&guest);
}
END_TEST

START_TEST(answer_given_with_an_abort_is_ignored)
{
	a64_start_piece(&guest, NULL, NULL, PIECE(load));
	guest_expect_read(&guest, GUEST_MMIO);
	ck_ok(axvcpu_inject_exception(guest.vcpu, &external_abort));
	ck_ok(axvcpu_complete_value(guest.vcpu, 5));
	expect_abort(PIECE(load));
	guest_end(&guest);
}
END_TEST

START_TEST(an_serror_is_taken_when_it_is_not_masked)
{
	struct axvcpu_exception serror = { .vector = AXVCPU_ARM64_SERROR };
	bool has_esr;

	a64_start_piece(&guest, NULL, NULL, PIECE(nothing));
	has_esr = axvm_capability(guest.vm, KVM_CAP_ARM_INJECT_SERROR_ESR) > 0;
	serror.has_error_code = 1;
	serror.error_code = 1u << 24;
	ck_fails_saying(axvcpu_inject_exception(guest.vcpu, &serror), EINVAL, "24 bits");
	serror.error_code = 0x123;
	if (!has_esr) {
		ck_fails_saying(axvcpu_inject_exception(guest.vcpu, &serror), ENOTSUP,
				"KVM_CAP_ARM_INJECT_SERROR_ESR");
		serror.has_error_code = 0;
		serror.error_code = 0;
	}
	ck_ok(axvcpu_inject_exception(guest.vcpu, &serror));
	/* Linux 7.2 makes the guest take the first one at once, so that a second one can wait. */
	if (axvcpu_inject_exception(guest.vcpu, &serror))
		ck_fails(axvcpu_inject_exception(guest.vcpu, &serror), EBUSY);
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(guest.exit.u.mmio.addr, A64_TELL + 24);
	ck_assert_uint_eq(EC(guest.exit.u.mmio.data), EC_SERROR);
	if (has_esr)
		ck_assert_uint_eq(guest.exit.u.mmio.data & 0xffffff, 0x123);
	guest_end(&guest);
}
END_TEST

START_TEST(a_masked_serror_waits)
{
	const struct axvcpu_exception serror = { .vector = AXVCPU_ARM64_SERROR };

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(chatter));
	guest_expect_write(&guest, GUEST_MMIO, GUEST_VALUE);
	ck_ok(axvcpu_inject_exception(guest.vcpu, &serror));
	for (int i = 0; i < 3; i++)
		guest_expect_write(&guest, GUEST_MMIO, GUEST_VALUE);
	ck_fails(axvcpu_inject_exception(guest.vcpu, &serror), EBUSY);
	/* KVM takes none back, so a reset does not either. It is masked again. */
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	for (int i = 0; i < 3; i++)
		guest_expect_write(&guest, GUEST_MMIO, GUEST_VALUE);
	guest_end(&guest);
}
END_TEST

START_TEST(unsupported_injections_are_refused)
{
	struct axvcpu_exception exception = { .vector = 0x15 };

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(spin));
	ck_fails_saying(axvcpu_inject_exception(guest.vcpu, &exception), ENOTSUP, "SError (0x2f)");
	exception.vector = 0x40;
	ck_fails(axvcpu_inject_exception(guest.vcpu, &exception), EINVAL);
	/* No access has been made that could fail. */
	exception.vector = AXVCPU_ARM64_DATA_ABORT;
	ck_fails_saying(axvcpu_inject_exception(guest.vcpu, &exception), EINVAL, "latest exit");
	exception.has_error_code = 1;
	ck_fails_saying(axvcpu_inject_exception(guest.vcpu, &exception), EINVAL, "has_error_code");
	ck_fails(axvcpu_inject_nmi(guest.vcpu), ENOTSUP);
	ck_fails(axvcpu_request_irq_window(guest.vcpu), ENOTSUP);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *accesses = suite_case(suite, "accesses");
	TCase *exceptions = suite_case(suite, "exceptions");

	tcase_add_test(accesses, loads_have_their_sign_and_width);
	tcase_add_test(accesses, undecoded_access_is_reported_with_its_address);
	tcase_add_test(accesses, code_outside_memory_is_a_guest_exception);
	tcase_add_test(exceptions, an_access_is_made_to_fail);
	tcase_add_test(exceptions, answer_given_with_an_abort_is_ignored);
	tcase_add_test(exceptions, an_serror_is_taken_when_it_is_not_masked);
	tcase_add_test(exceptions, a_masked_serror_waits);
	tcase_add_test(exceptions, unsupported_injections_are_refused);
}

int main(void)
{
	return suite_main("arm64: exits", true, add_tests);
}
