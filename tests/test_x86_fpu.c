/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * x86_64: the control registers of x87 and SSE, and the vector registers of AVX and AVX-512, as the
 * guest has them. Needs a working /dev/kvm.
 */
#include <errno.h>

#include "suite.h"
#include "x86_guest.h"

static struct guest guest;

#define SAVED 0x5000u

START_TEST(the_guest_has_the_control_registers_that_were_written)
{
	struct {
		uint32_t mxcsr;
		uint16_t fcw;
	} saved;

	/* stmxcsr [0x5000]; fnstcw [0x5004]; fld1; hlt */
	guest_start(
		&guest, AXVCPU_MODE_64,
		CODE("\x0f\xae\x1c\x25\x00\x50\x00\x00\xd9\x3c\x25\x04\x50\x00\x00\xd9\xe8\xf4"));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_MXCSR), 0x1f80);
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_MXCSR, 0x1fa0));
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_FCW, 0x27f));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_ok(axvm_read(guest.vm, SAVED, &saved, sizeof(saved)));
	ck_assert_uint_eq(saved.mxcsr, 0x1fa0);
	ck_assert_uint_eq(saved.fcw, 0x27f);
	guest_end(&guest);
}
END_TEST

START_TEST(the_host_reads_the_x87_stack_of_the_guest)
{
	/* 1.0: exponent 0x3fff, the explicit bit of the mantissa. */
	static const unsigned char one[16] = { 0, 0, 0, 0, 0, 0, 0, 0x80, 0xff, 0x3f };
	unsigned char st[16];

	/* fninit; fld1; hlt */
	guest_start(&guest, AXVCPU_MODE_64, CODE("\xdb\xe3\xd9\xe8\xf4"));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_ok(axvcpu_get_reg_bytes(guest.vcpu, AXVCPU_REG_X86_ST(0), st, sizeof(st)));
	ck_assert_mem_eq(st, one, sizeof(st));
	/* The top of the stack is 7, and only that is not empty. */
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_FSW) >> 11 & 7, 7);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_FTW), 0x80);
	guest_end(&guest);
}
END_TEST

START_TEST(values_wider_than_the_register_are_refused)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(finish));
	ck_fails(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_FCW, 0x10000), EINVAL);
	ck_fails(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_FTW, 0x100), EINVAL);
	ck_fails(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_MXCSR, UINT64_C(1) << 32), EINVAL);
	/* KVM refuses reserved bits, and AVX without SSE. */
	ck_fails(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_MXCSR, 1u << 31), EINVAL);
	ck_fails(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_XCR0, 5), EINVAL);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_FCW), 0x37f);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_MXCSR), 0x1f80);
	guest_end(&guest);
}
END_TEST

/* Whether the register exists; 'bytes' receives it. */
static bool has(uint64_t id, void *bytes)
{
	int ret = axvcpu_get_reg_bytes(guest.vcpu, id, bytes, axvcpu_reg_size(id));

	ck_assert_msg(!ret || ret == -ENOENT, "%d, %s", ret, axvcpu_last_error());
	return !ret;
}

START_TEST(the_guest_has_whole_vectors_of_avx)
{
	unsigned char bytes[32], seen[32];

	/* vmovups [0x5000],ymm1; vmovups ymm2,[0x5000]; hlt */
	guest_start(&guest, AXVCPU_MODE_64,
		    CODE("\xc5\xfc\x11\x0c\x25\x00\x50\x00\x00\xc5\xfc\x10\x14\x25\x00\x50\x00\x00"
			 "\xf4"));
	if (!has(AXVCPU_REG_X86_YMM(1), bytes)) {
		guest_end(&guest);
		suite_skip("no AVX");
		return;
	}
	for (unsigned int i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 3 + 1);
	/* OSXSAVE, and x87, SSE and AVX. */
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_CR4, 0x40620));
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_XCR0, 7));
	ck_ok(axvcpu_set_reg_bytes(guest.vcpu, AXVCPU_REG_X86_YMM(1), bytes, sizeof(bytes)));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_ok(axvm_read(guest.vm, SAVED, seen, sizeof(seen)));
	ck_assert_mem_eq(seen, bytes, sizeof(bytes));
	ck_ok(axvcpu_get_reg_bytes(guest.vcpu, AXVCPU_REG_X86_YMM(2), seen, sizeof(seen)));
	ck_assert_mem_eq(seen, bytes, sizeof(bytes));
	/* Its lower half is the SSE register. */
	ck_ok(axvcpu_get_reg_bytes(guest.vcpu, AXVCPU_REG_X86_XMM(2), seen, 16));
	ck_assert_mem_eq(seen, bytes, 16);
	guest_end(&guest);
}
END_TEST

START_TEST(registers_of_avx_512_are_there_together_or_not_at_all)
{
	static const uint64_t ids[] = { AXVCPU_REG_X86_ZMM(0), AXVCPU_REG_X86_ZMM(16),
					AXVCPU_REG_X86_ZMM(31), AXVCPU_REG_X86_K(0),
					AXVCPU_REG_X86_K(7) };
	unsigned char bytes[64], again[64];
	bool avx512;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(finish));
	avx512 = has(ids[0], bytes);
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		size_t size = axvcpu_reg_size(ids[i]);

		ck_assert(has(ids[i], bytes) == avx512);
		if (!avx512)
			continue;
		memset(bytes, (int)i + 5, size);
		ck_ok(axvcpu_set_reg_bytes(guest.vcpu, ids[i], bytes, size));
		ck_ok(axvcpu_get_reg_bytes(guest.vcpu, ids[i], again, size));
		ck_assert_mem_eq(again, bytes, size);
	}
	/* Numbers behind the last. */
	ck_assert(!has(AXVCPU_REG_X86_ST(8), bytes));
	ck_assert(!has(AXVCPU_REG_X86_XMM(16), bytes));
	ck_assert(!has(AXVCPU_REG_X86_YMM(16), bytes));
	ck_assert(!has(AXVCPU_REG_X86_ZMM(32), bytes));
	ck_assert(!has(AXVCPU_REG_X86_K(8), bytes));
	ck_assert(!has(AXVCPU_REG_X86_XMM(UINT32_MAX), bytes));
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *control = suite_case(suite, "control");
	TCase *vectors = suite_case(suite, "vectors");

	tcase_add_test(control, the_guest_has_the_control_registers_that_were_written);
	tcase_add_test(control, the_host_reads_the_x87_stack_of_the_guest);
	tcase_add_test(control, values_wider_than_the_register_are_refused);
	tcase_add_test(vectors, the_guest_has_whole_vectors_of_avx);
	tcase_add_test(vectors, registers_of_avx_512_are_there_together_or_not_at_all);
}

int main(void)
{
	return suite_main("x86_fpu", true, add_tests);
}
