/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * x86_64: the PIT as an option of the in-kernel irqchip, and the frequency of the TSC. Needs a
 * working /dev/kvm.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "suite.h"
#include "x86_guest.h"

static struct guest guest;

#define VECTOR 0x40u

static void start(uint32_t flags, const void *code, size_t len)
{
	struct axvm_x86_config x86 = AXVM_X86_CONFIG_INIT;
	struct axvm_config config = AXVM_CONFIG_INIT;

	x86.flags = flags;
	config.irqchip = AXVM_IRQCHIP_KERNEL;
	config.arch_config = &x86;
	x86_start(&guest, &config, code, len);
	x86_handle(&guest, VECTOR, X86_TELL_LAPIC);
}

/* --- the PIT ---------------------------------------------------------------------------------- */

START_TEST(without_the_option_its_ports_are_exits)
{
	/* out 0x43,al; in al,0x40; in al,0x61 */
	start(0, CODE(OUT("\x43") IN_AL("\x40") IN_AL("\x61") JMP_SELF));
	guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
	ck_assert_uint_eq(guest.exit.u.io.port, 0x43);
	guest_expect(&guest, AXVCPU_EXIT_IO_READ);
	ck_assert_uint_eq(guest.exit.u.io.port, 0x40);
	guest_expect(&guest, AXVCPU_EXIT_IO_READ);
	ck_assert_uint_eq(guest.exit.u.io.port, 0x61);
	guest_end(&guest);
}
END_TEST

START_TEST(with_it_the_kernel_has_its_ports_and_the_speakers)
{
	struct x86_code code = { .len = 0 };

	/* Channel 2: mode 3, both bytes; its gate, by port 0x61; and back what is in both. */
	x86_out(&code, 0x43, 0xb6);
	x86_out(&code, 0x42, 0x34);
	x86_out(&code, 0x42, 0x12);
	x86_out(&code, 0x61, 1);
	x86_emit(&code, CODE(IN_AL("\x42") IN_AL("\x42") IN_AL("\x61") OUT("\x01") JMP_SELF));
	start(AXVM_X86_PIT, code.bytes, code.len);
	guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
	ck_assert_uint_eq(guest.exit.u.io.port, 1);
	ck_assert_uint_eq(guest.exit.u.io.data & 3, 1);
	guest_end(&guest);
}
END_TEST

START_TEST(its_interrupts_reach_the_guest)
{
	struct x86_code code = { .len = 0 };

	x86_emit(&code, CODE(LIDT));
	/* Not by the PICs. */
	x86_out(&code, 0x21, 0xff);
	x86_out(&code, 0xa1, 0xff);
	x86_enable_lapic(&code);
	x86_set_ioapic(&code, 0, VECTOR);
	/* Channel 0: mode 2, 0x8000 clocks. */
	x86_out(&code, 0x43, 0x34);
	x86_out(&code, 0x40, 0x00);
	x86_out(&code, 0x40, 0x80);
	x86_emit(&code, CODE(STI HLT_LOOP));
	start(AXVM_X86_PIT, code.bytes, code.len);
	for (int i = 0; i < 3; i++)
		x86_expect_vector(&guest, VECTOR);
	guest_end(&guest);
}
END_TEST

START_TEST(it_is_refused_by_name_without_the_kernels_irqchip)
{
	static const uint32_t irqchips[] = { AXVM_IRQCHIP_NONE, AXVM_IRQCHIP_SPLIT };
	struct axvm_x86_config x86 = AXVM_X86_CONFIG_INIT;
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.arch_config = &x86;
	x86.flags = AXVM_X86_PIT;
	for (size_t i = 0; i < 2; i++) {
		config.irqchip = irqchips[i];
		guest_expect_refused(&config, EINVAL, "AXVM_X86_PIT");
	}
	config.irqchip = AXVM_IRQCHIP_KERNEL;
	x86.flags |= 1u << 31;
	guest_expect_refused(&config, EINVAL, "flags");
	x86.flags = 0;
	x86.reserved = 1;
	guest_expect_refused(&config, EINVAL, "reserved");
	x86.size = 0;
	guest_expect_refused(&config, EINVAL, "axvm_x86_config");
}
END_TEST

START_TEST(a_clone_has_the_option)
{
	struct guest clone;

	/* out 1,al; in al,0x61; out 1,al */
	start(AXVM_X86_PIT, CODE(OUT("\x01") IN_AL("\x61") OUT("\x01") JMP_SELF));
	guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
	clone = guest_clone(&guest);
	ck_ok(axvcpu_bind(clone.vcpu));
	/* The port is the kernel's. */
	guest_expect(&clone, AXVCPU_EXIT_IO_WRITE);
	ck_assert_uint_eq(clone.exit.u.io.port, 1);
	guest_end(&clone);
	guest_end(&guest);
}
END_TEST

/* --- the TSC ---------------------------------------------------------------------------------- */

START_TEST(the_tscs_frequency_is_kvms)
{
	start(0, CODE(JMP_SELF));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_COUNTER_HZ),
			  UINT64_C(1000) *
				  (unsigned int)ioctl(axvcpu_fd(guest.vcpu), KVM_GET_TSC_KHZ, 0));
	/* KVM counts in kHz, in 31 bits. */
	ck_fails(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_COUNTER_HZ, 0), EINVAL);
	ck_fails_saying(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_COUNTER_HZ, 1000000001), EINVAL,
			"kHz");
	ck_fails(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_COUNTER_HZ, UINT64_C(0x80000000) * 1000),
		 EINVAL);
	guest_end(&guest);
}
END_TEST

START_TEST(a_host_without_tsc_control_is_told_from_a_bad_value)
{
	start(0, CODE(JMP_SELF));
	if (axvm_capability(guest.vm, KVM_CAP_TSC_CONTROL) > 0) {
		ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_COUNTER_HZ, 1000000000));
		ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_COUNTER_HZ), 1000000000);
	} else {
		ck_fails_saying(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_COUNTER_HZ, 1000000000),
				ENOTSUP, "KVM_CAP_TSC_CONTROL");
	}
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *pit = suite_case(suite, "pit");
	TCase *tsc = suite_case(suite, "tsc");

	tcase_add_test(pit, without_the_option_its_ports_are_exits);
	tcase_add_test(pit, with_it_the_kernel_has_its_ports_and_the_speakers);
	tcase_add_test(pit, a_clone_has_the_option);
	tcase_add_test(pit, its_interrupts_reach_the_guest);
	tcase_add_test(pit, it_is_refused_by_name_without_the_kernels_irqchip);
	tcase_add_test(tsc, the_tscs_frequency_is_kvms);
	tcase_add_test(tsc, a_host_without_tsc_control_is_told_from_a_bad_value);
}

int main(void)
{
	return suite_main("x86_timers", true, add_tests);
}
