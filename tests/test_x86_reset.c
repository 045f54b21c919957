/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * x86_64: a reset leaves nothing of the guest before, and a start is like SIPI. Needs a working
 * /dev/kvm.
 */
#include <errno.h>

#include "guest.h"
#include "suite.h"

static struct guest guest;

#define RAX AXVCPU_REG_X86_RAX
#define RDI AXVCPU_REG_X86_RDI
#define SECOND 0x2000u

/* The n-th register of at most 8 bytes. */
static bool value_info(unsigned int n, uint64_t *id, const char **name)
{
	return !axvcpu_reg_info(guest.vcpu, n, id, name) && axvcpu_reg_size(*id) <= 8;
}

START_TEST(a_reset_starts_anew_from_free_and_ready)
{
	/* mov eax,0x1111; out 1,al; hlt; and at SECOND: mov eax,edi; hlt */
	guest_start(&guest, AXVCPU_MODE_32, CODE("\xb8\x11\x11\x00\x00\xe6\x01\xf4"));
	ck_ok(axvm_write(guest.vm, SECOND, "\x89\xf8\xf4", 3));
	guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
	/* In the middle of an instruction. */
	ck_ok(axvcpu_reset(guest.vcpu, SECOND, 0xabc));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), SECOND);
	ck_assert_uint_eq(guest_reg(&guest, RAX), 0);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_SP), GUEST_STACK);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, RAX), 0xabc);

	ck_ok(axvcpu_unbind(guest.vcpu));
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
	ck_assert_uint_eq(guest.exit.u.io.data, 0x11);
	guest_end(&guest);
}
END_TEST

START_TEST(a_crashed_guest_lives_again)
{
	/* lidt of nothing; ud2 */
	guest_start(&guest, AXVCPU_MODE_64, CODE("\x0f\x01\x1c\x25\x00\x30\x00\x00\x0f\x0b"));
	ck_ok(axvm_write(guest.vm, SECOND, "\x48\x89\xf8\xf4", 4));
	for (int i = 0; i < 5; i++) {
		guest_expect(&guest, AXVCPU_EXIT_SHUTDOWN);
		ck_fails(axvcpu_run(guest.vcpu, &guest.exit), EBADFD);
		ck_ok(axvcpu_reset(guest.vcpu, SECOND, UINT64_C(0x123456789a)));
		guest_expect(&guest, AXVCPU_EXIT_HALT);
		ck_assert_uint_eq(guest_reg(&guest, RAX), UINT64_C(0x123456789a));
		ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	}
	/* Also from code outside of memory, which KVM cannot execute. */
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_MMIO, 0));
	guest_expect(&guest, AXVCPU_EXIT_INTERNAL_ERROR);
	ck_ok(axvcpu_reset(guest.vcpu, SECOND, 7));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, RAX), 7);
	guest_end(&guest);
}
END_TEST

START_TEST(nothing_of_the_guest_before_is_left)
{
	/* The state after setup, and after a reset of a guest that has changed all it can. */
	static const char dirty[] = "\x0f\x20\xc0\x48\x0f\xba\xe8\x10\x0f\x22\xc0" /* cr0.wp */
				    "\xb8\x05\x00\x00\x00\x44\x0f\x22\xc0" /* cr8 = 5 */
				    "\x48\xc7\xc0\x34\x12\x00\x00\x0f\x22\xd0" /* cr2 */
				    "\x0f\x23\xc0" /* dr0 */
				    "\xb9\x82\x00\x00\xc0\x31\xd2\x0f\x30" /* LSTAR */
				    "\x0f\x10\x04\x25\x00\x10\x00\x00" /* xmm0 = this code */
				    "\xf9\xfd\xf4"; /* stc; std; hlt */
	struct axvcpu_regs fresh, now;
	uint64_t id, before[128], after, xmm0[2];
	const char *name;

	/* movups [0x3000],xmm0; mov rbx,dr0; hlt */
	guest_start(&guest, AXVCPU_MODE_64, CODE(dirty));
	ck_ok(axvm_write(guest.vm, SECOND, "\x0f\x11\x04\x25\x00\x30\x00\x00\x0f\x21\xc3\xf4", 12));
	ck_ok(axvm_set(guest.vm, 0x3000, 0xee, sizeof(xmm0)));
	ck_ok(axvcpu_get_regs(guest.vcpu, &fresh));
	for (unsigned int n = 0; value_info(n, &id, &name); n++)
		ck_ok(axvcpu_get_reg(guest.vcpu, id, &before[n]));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_CR8), 5);

	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	ck_ok(axvcpu_get_regs(guest.vcpu, &now));
	ck_assert_mem_eq(&now, &fresh, sizeof(now));
	for (unsigned int n = 0; value_info(n, &id, &name); n++) {
		ck_ok(axvcpu_get_reg(guest.vcpu, id, &after));
		ck_assert_msg(after == before[n], "%s is %#lx, was %#lx", name,
			      (unsigned long)after, (unsigned long)before[n]);
	}
	ck_ok(axvcpu_reset(guest.vcpu, SECOND, 0));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_ok(axvm_read(guest.vm, 0x3000, xmm0, sizeof(xmm0)));
	ck_assert_uint_eq(xmm0[0], 0);
	ck_assert_uint_eq(xmm0[1], 0);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_RBX), 0);
	guest_end(&guest);
}
END_TEST

START_TEST(a_start_in_16_bit_mode_is_like_sipi)
{
	struct axvcpu_setup_config setup = AXVCPU_SETUP_CONFIG_INIT;

	/* mov ax,cs; hlt */
	guest_create(&guest, NULL, CODE("\xf4"));
	ck_ok(axvm_write(guest.vm, 0x9a000, "\x8c\xc8\xf4", 3));
	setup.mode = AXVCPU_MODE_16;
	ck_ok(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup));
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_fails(axvcpu_start(guest.vcpu, 0x9a000, 0), EALREADY);
	ck_ok(axvcpu_stop(guest.vcpu));
	/* Refused, it can be tried again. */
	ck_fails(axvcpu_start(guest.vcpu, 0x100000, 0), EINVAL);
	ck_ok(axvcpu_start(guest.vcpu, 0x9a000, 0));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), 0);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, RAX) & 0xffff, 0x9a00);
	/* A reset is no start: as a boot sector expects it. */
	ck_ok(axvcpu_reset(guest.vcpu, 0x9a000, 0));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), 0xa000);
	guest_end(&guest);
}
END_TEST

START_TEST(a_raw_vcpu_resets_to_power_on)
{
	struct axvcpu_setup_config setup = AXVCPU_SETUP_CONFIG_INIT;
	uint64_t id, before[128], after;
	const char *name;

	guest_create(&guest, NULL, CODE("\xf4"));
	setup.mode = AXVCPU_MODE_RAW;
	ck_ok(axvcpu_setup(guest.vcpu, 0xfff0, 0, &setup));
	for (unsigned int n = 0; value_info(n, &id, &name); n++)
		ck_ok(axvcpu_get_reg(guest.vcpu, id, &before[n]));
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_CS_BASE, 0));
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_CR2, 99));
	ck_ok(axvcpu_set_reg(guest.vcpu, RAX, 99));
	ck_ok(axvcpu_reset(guest.vcpu, 0xfff0, 0));
	for (unsigned int n = 0; value_info(n, &id, &name); n++) {
		ck_ok(axvcpu_get_reg(guest.vcpu, id, &after));
		/* AMD's segments have other types at first, without the accessed bit. */
		if (id >= AXVCPU_REG_X86_CS_ATTRIBUTES && id <= AXVCPU_REG_X86_LDT_ATTRIBUTES)
			continue;
		/* rdx has the CPU's signature at power-on. */
		ck_assert_msg(after == before[n] || id == AXVCPU_REG_X86_RDX,
			      "%s is %#lx, was %#lx", name, (unsigned long)after,
			      (unsigned long)before[n]);
	}
	guest_end(&guest);
}
END_TEST

START_TEST(the_kernels_lapic_is_reset_too)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	/* mov eax,[0xfee00080]; out 1,al; mov dword [0xfee00080],0x20; jmp $ (task priority) */
	config.irqchip = AXVM_IRQCHIP_KERNEL;
	guest_create(&guest, &config,
		     CODE("\xa1\x80\x00\xe0\xfe\xe6\x01\xc7\x05\x80\x00\xe0\xfe\x20\x00\x00"
			  "\x00\xa1\x80\x00\xe0\xfe\xe6\x02\xeb\xfe"));
	guest_setup(&guest, AXVCPU_MODE_32);
	ck_ok(axvcpu_bind(guest.vcpu));
	for (int i = 0; i < 2; i++) {
		guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
		ck_assert_uint_eq(guest.exit.u.io.port, 1);
		ck_assert_uint_eq(guest.exit.u.io.data, 0);
		guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
		ck_assert_uint_eq(guest.exit.u.io.port, 2);
		ck_assert_uint_eq(guest.exit.u.io.data, 0x20);
		ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	}
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tcase = suite_case(suite, "reset");

	tcase_add_test(tcase, a_reset_starts_anew_from_free_and_ready);
	tcase_add_test(tcase, a_crashed_guest_lives_again);
	tcase_add_test(tcase, nothing_of_the_guest_before_is_left);
	tcase_add_test(tcase, a_start_in_16_bit_mode_is_like_sipi);
	tcase_add_test(tcase, a_raw_vcpu_resets_to_power_on);
	tcase_add_test(tcase, the_kernels_lapic_is_reset_too);
}

int main(void)
{
	return suite_main("x86 reset", true, add_tests);
}
