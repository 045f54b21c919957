/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Registers: the whole list of KVM's, there and back; the names here; the stack pointer in use.
 * Needs a working /dev/kvm.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <stdlib.h>

#include "arm64_guest.h"
#include "suite.h"

static struct guest guest;

#define REG_MAX 256

static uint64_t *list;
static int count;

static void read_list(void)
{
	count = axvcpu_reg_list(guest.vcpu, NULL, 0);
	ck_assert_int_gt(count, 100);
	list = calloc((size_t)count, sizeof(list[0]));
	ck_assert_ptr_nonnull(list);
	/* Room for fewer: as many as there is room for. */
	list[1] = 77;
	ck_assert_int_eq(axvcpu_reg_list(guest.vcpu, list, 1), count);
	ck_assert_uint_eq(list[1], 77);
	ck_assert_int_eq(axvcpu_reg_list(guest.vcpu, list, (size_t)count), count);
}

/*
 * The counter advances. Values written to PMINTENCLR_EL1, PMCNTENCLR_EL0 and PMOVSCLR_EL0 clear
 * bits there and in their counterparts.
 */
static bool stands_still(uint64_t id)
{
	return id != KVM_REG_ARM_TIMER_CNT && id != KVM_REG_ARM_PTIMER_CNT &&
	       id != ARM64_SYS_REG(3, 0, 9, 14, 2) && id != ARM64_SYS_REG(3, 3, 9, 12, 2) &&
	       id != ARM64_SYS_REG(3, 3, 9, 12, 3);
}

static void round_trip(uint64_t id)
{
	unsigned char before[REG_MAX], after[REG_MAX];
	size_t size = axvcpu_reg_size(id);

	ck_assert_uint_le(size, sizeof(before));
	ck_assert_uint_gt(size, 0);
	ck_assert_msg(axvcpu_get_reg_bytes(guest.vcpu, id, before, size) == 0,
		      "reading %#" PRIx64 ": %s", id, axvcpu_last_error());
	ck_assert_msg(axvcpu_set_reg_bytes(guest.vcpu, id, before, size) == 0,
		      "writing %#" PRIx64 ": %s", id, axvcpu_last_error());
	ck_assert_msg(axvcpu_get_reg_bytes(guest.vcpu, id, after, size) == 0,
		      "reading %#" PRIx64 " again: %s", id, axvcpu_last_error());
	if (stands_still(id))
		ck_assert_msg(!memcmp(before, after, size), "%#" PRIx64 " has changed", id);
}

/* The lengths of vectors are fixed when the CPU is set up. */
static bool is_fixed(uint64_t id)
{
	return id == KVM_REG_ARM64_SVE_VLS;
}

static void whole_list(uint32_t flags)
{
	struct axvcpu_arm64_setup arm64 = AXVCPU_ARM64_SETUP_INIT;

	arm64.flags = flags;
	a64_start(&guest, NULL, PROGRAM(chatter), 0, &arm64);
	read_list();
	for (int i = 0; i < count; i++)
		if (!is_fixed(list[i]))
			round_trip(list[i]);
	guest_expect_write(&guest, GUEST_MMIO, GUEST_VALUE);
	free(list);
	guest_end(&guest);
}

START_TEST(every_register_of_the_list_is_read_and_written_back)
{
	whole_list(0);
}
END_TEST

START_TEST(also_those_of_a_cpu_with_vectors_and_the_rest)
{
	uint32_t flags = 0;

	guest_create(&guest, NULL, PROGRAM(spin));
	if (axvm_capability(guest.vm, KVM_CAP_ARM_SVE) > 0)
		flags |= AXVCPU_ARM64_SVE;
	if (axvm_capability(guest.vm, KVM_CAP_ARM_PMU_V3) > 0)
		flags |= AXVCPU_ARM64_PMU;
	if (axvm_capability(guest.vm, KVM_CAP_ARM_PTRAUTH_ADDRESS) > 0 &&
	    axvm_capability(guest.vm, KVM_CAP_ARM_PTRAUTH_GENERIC) > 0)
		flags |= AXVCPU_ARM64_PAUTH;
	guest_end(&guest);
	whole_list(flags);
}
END_TEST

/* --- names ----------------------------------------------------------------------------------- */

/* A guest may set any value that fits. */
static const uint64_t free_regs[] = {
	AXVCPU_REG_ARM64_SP_EL0,	 AXVCPU_REG_ARM64_SP_EL1,	 AXVCPU_REG_ARM64_ELR_EL1,
	AXVCPU_REG_ARM64_ESR_EL1,	 AXVCPU_REG_ARM64_FAR_EL1,	 AXVCPU_REG_ARM64_VBAR_EL1,
	AXVCPU_REG_ARM64_TTBR0_EL1,	 AXVCPU_REG_ARM64_TTBR1_EL1,	 AXVCPU_REG_ARM64_MAIR_EL1,
	AXVCPU_REG_ARM64_TPIDR_EL0,	 AXVCPU_REG_ARM64_TPIDRRO_EL0,	 AXVCPU_REG_ARM64_TPIDR_EL1,
	AXVCPU_REG_ARM64_CONTEXTIDR_EL1, AXVCPU_REG_ARM64_CNTV_CVAL_EL0,
};
#define NFREE (sizeof(free_regs) / sizeof(free_regs[0]))

START_TEST(each_name_is_a_register_of_its_own)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(spin));
	for (size_t i = 0; i < NFREE; i++)
		ck_ok(axvcpu_set_reg(guest.vcpu, free_regs[i], 0x1000 * (i + 1)));
	for (uint64_t i = 0; i < 31; i++)
		ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_GPR(i), 0x100000 + i));
	for (size_t i = 0; i < NFREE; i++)
		ck_assert_uint_eq(guest_reg(&guest, free_regs[i]), 0x1000 * (i + 1));
	for (uint64_t i = 0; i < 31; i++)
		ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_GPR(i)), 0x100000 + i);
	ck_fails(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_GPR(31), 0), ENOENT);
	ck_fails(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_ARM64_LINES + 1, 0), ENOENT);
	ck_fails(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_CR0, 0), ENOENT);
	guest_end(&guest);
}
END_TEST

START_TEST(all_that_are_listed_can_be_read)
{
	const char *name = NULL;
	unsigned int n = 0;
	uint64_t id, value;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(spin));
	for (; axvcpu_reg_info(guest.vcpu, n, &id, &name) == 0; n++) {
		ck_assert_ptr_nonnull(name);
		/* test_fp_registers has those of more than 8 bytes. */
		if (axvcpu_reg_size(id) > sizeof(value))
			continue;
		ck_assert_msg(axvcpu_get_reg(guest.vcpu, id, &value) == 0, "%s: %s", name,
			      axvcpu_last_error());
	}
	ck_assert_uint_ge(n, 60);
	ck_fails(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_FLAGS, 0xd), EINVAL);
	guest_end(&guest);
}
END_TEST

START_TEST(the_stack_pointer_is_the_one_in_use)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(spin));
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_ARM64_SP_EL0, 0x1000));
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_ARM64_SP_EL1, 0x2000));
	/* EL1h, EL1t, EL0t. */
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_SP), 0x2000);
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_FLAGS, 0x3c4));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_SP), 0x1000);
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_FLAGS, 0x3c0));
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_SP, 0x3000));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_ARM64_SP_EL0), 0x3000);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_ARM64_SP_EL1), 0x2000);
	guest_end(&guest);
}
END_TEST

START_TEST(a_vector_register_is_wider_than_a_value)
{
	/* v5: 16 bytes of KVM's core registers. */
	const uint64_t v5 = KVM_REG_ARM64 | KVM_REG_SIZE_U128 | KVM_REG_ARM_CORE |
			    (KVM_REG_ARM_CORE_REG(fp_regs.vregs[0]) + 5 * 4);
	unsigned char bytes[16], read[16];
	uint64_t value = 0;

	for (unsigned int i = 0; i < 16; i++)
		bytes[i] = (unsigned char)(i + 1);
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(spin));
	ck_ok(axvcpu_set_reg_bytes(guest.vcpu, v5, bytes, sizeof(bytes)));
	ck_ok(axvcpu_get_reg_bytes(guest.vcpu, v5, read, sizeof(read)));
	ck_assert(!memcmp(bytes, read, sizeof(bytes)));
	ck_fails(axvcpu_get_reg_bytes(guest.vcpu, v5, read, 8), EINVAL);
	ck_fails(axvcpu_get_reg(guest.vcpu, v5, &value), ENOENT);
	guest_end(&guest);
}
END_TEST

START_TEST(with_sve_a_vector_register_is_the_lower_part_of_the_wide_one)
{
	struct axvcpu_arm64_setup arm64 = AXVCPU_ARM64_SETUP_INIT;
	unsigned char z[256], v[16], now[256];

	/* By name, without the option. */
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(spin));
	ck_fails_saying(axvcpu_get_reg_bytes(guest.vcpu, AXVCPU_REG_ARM64_Z(3), z, sizeof(z)),
			ENOTSUP, "AXVCPU_ARM64_SVE");
	ck_fails_saying(axvcpu_set_reg_bytes(guest.vcpu, AXVCPU_REG_ARM64_P(0), z, 32), ENOTSUP,
			"AXVCPU_ARM64_SVE");
	if (axvm_capability(guest.vm, KVM_CAP_ARM_SVE) <= 0) {
		guest_end(&guest);
		suite_skip("no SVE");
		return;
	}
	guest_end(&guest);
	arm64.flags = AXVCPU_ARM64_SVE;
	a64_start(&guest, NULL, PROGRAM(spin), 0, &arm64);
	memset(z, 0x11, sizeof(z));
	memset(v, 0x22, sizeof(v));
	ck_ok(axvcpu_set_reg_bytes(guest.vcpu, AXVCPU_REG_ARM64_Z(3), z, sizeof(z)));
	/* As far as the vector length goes. */
	ck_ok(axvcpu_get_reg_bytes(guest.vcpu, AXVCPU_REG_ARM64_Z(3), z, sizeof(z)));
	ck_assert_uint_eq(z[15], 0x11);
	ck_ok(axvcpu_set_reg_bytes(guest.vcpu, AXVCPU_REG_ARM64_V(3), v, sizeof(v)));
	memcpy(z, v, sizeof(v));
	ck_ok(axvcpu_get_reg_bytes(guest.vcpu, AXVCPU_REG_ARM64_Z(3), now, sizeof(now)));
	ck_assert_mem_eq(now, z, sizeof(z));
	ck_ok(axvcpu_get_reg_bytes(guest.vcpu, AXVCPU_REG_ARM64_V(3), now, sizeof(v)));
	ck_assert_mem_eq(now, v, sizeof(v));
	/* FFR is behind the predicate registers. */
	ck_ok(axvcpu_get_reg_bytes(guest.vcpu, AXVCPU_REG_ARM64_P(16), now, 32));
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *all = suite_case(suite, "list");
	TCase *names = suite_case(suite, "names");

	tcase_add_test(all, every_register_of_the_list_is_read_and_written_back);
	tcase_add_test(all, also_those_of_a_cpu_with_vectors_and_the_rest);
	tcase_add_test(names, each_name_is_a_register_of_its_own);
	tcase_add_test(names, all_that_are_listed_can_be_read);
	tcase_add_test(names, the_stack_pointer_is_the_one_in_use);
	tcase_add_test(names, a_vector_register_is_wider_than_a_value);
	tcase_add_test(names, with_sve_a_vector_register_is_the_lower_part_of_the_wide_one);
}

int main(void)
{
	return suite_main("arm64: registers", true, add_tests);
}
