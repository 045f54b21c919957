/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Floating-point and vector registers by name: the guest has the values that were written, each is
 * kept without changing another, and every register of the list can be read with its size, as a
 * debugger reads them. Needs a working /dev/kvm.
 */
#include <errno.h>

#include "guest.h"
#include "suite.h"

static struct guest guest;

#define BYTES_MAX 256
#define MOST 256

#define ARGUMENT (GUEST_BASE + 0x5000)

static struct {
	uint64_t id;
	const char *name;
	size_t size;
	unsigned char old[BYTES_MAX];
} regs[MOST];
static unsigned int nregs;

static void read_all(void)
{
	for (nregs = 0; !axvcpu_reg_info(guest.vcpu, nregs, &regs[nregs].id, &regs[nregs].name);
	     nregs++) {
		regs[nregs].size = axvcpu_reg_size(regs[nregs].id);
		ck_assert_uint_gt(regs[nregs].size, 0);
		ck_assert_uint_le(regs[nregs].size, BYTES_MAX);
		ck_ok(axvcpu_get_reg_bytes(guest.vcpu, regs[nregs].id, regs[nregs].old,
					   regs[nregs].size));
		ck_assert_uint_lt(nregs, MOST - 1);
	}
}

static void start(void)
{
	guest_create(&guest, NULL, PROGRAM(vectors));
	guest_setup(&guest, AXVCPU_MODE_64);
	ck_ok(axvcpu_set_reg(guest.vcpu, GUEST_ARG_REG, ARGUMENT));
}

/* x87 registers have 10 bytes, and 6 that stay zero. */
static void fill(unsigned char *bytes, uint64_t id, unsigned char seed)
{
	size_t size = axvcpu_reg_size(id);

	memset(bytes, 0, size);
	for (size_t i = 0; i < (id >> 32 == AXVCPU_REG_X86_ST(0) >> 32 ? 10 : size); i++)
		bytes[i] = (unsigned char)(seed + 7 * i);
}

static void expect(uint64_t id, const void *bytes, const char *name)
{
	unsigned char now[BYTES_MAX];
	size_t size = axvcpu_reg_size(id);

	ck_ok(axvcpu_get_reg_bytes(guest.vcpu, id, now, size));
	ck_assert_msg(!memcmp(now, bytes, size), "%s is not what was written", name);
}

START_TEST(the_guest_has_the_written_values_and_the_host_reads_the_guests)
{
	unsigned char to_guest[16], from_guest[16], seen[16];
	size_t size = axvcpu_reg_size(GUEST_VECTOR(0));

	start();
	fill(to_guest, GUEST_VECTOR(1), 3);
	fill(from_guest, GUEST_VECTOR(2), 100);
	ck_ok(axvcpu_set_reg_bytes(guest.vcpu, GUEST_VECTOR(1), to_guest, size));
	ck_ok(axvm_write(guest.vm, ARGUMENT + size, from_guest, size));
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect_end(&guest);
	ck_ok(axvm_read(guest.vm, ARGUMENT, seen, size));
	ck_assert_mem_eq(seen, to_guest, size);
	expect(GUEST_VECTOR(2), from_guest, "register 2");
	expect(GUEST_VECTOR(1), to_guest, "register 1");
	guest_end(&guest);
}
END_TEST

START_TEST(all_vector_registers_are_kept_and_a_reset_clears_them)
{
	unsigned char bytes[BYTES_MAX], zero[BYTES_MAX] = { 0 };
	size_t size = axvcpu_reg_size(GUEST_VECTOR(0));
	unsigned int n = 0;

	start();
	ck_ok(axvcpu_bind(guest.vcpu));
	for (; n < 32 && !axvcpu_get_reg_bytes(guest.vcpu, GUEST_VECTOR(n), bytes, size); n++) {
		fill(bytes, GUEST_VECTOR(n), (unsigned char)(n * 5 + 1));
		ck_ok(axvcpu_set_reg_bytes(guest.vcpu, GUEST_VECTOR(n), bytes, size));
	}
	ck_assert_uint_ge(n, 16);
	for (unsigned int i = 0; i < n; i++) {
		fill(bytes, GUEST_VECTOR(i), (unsigned char)(i * 5 + 1));
		expect(GUEST_VECTOR(i), bytes, "a vector register");
	}
	ck_fails(axvcpu_get_reg_bytes(guest.vcpu, GUEST_VECTOR(0), bytes, 4), EINVAL);
	ck_fails(axvcpu_set_reg_bytes(guest.vcpu, GUEST_VECTOR(0), bytes, 4), EINVAL);
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, ARGUMENT));
	for (unsigned int i = 0; i < n; i++)
		expect(GUEST_VECTOR(i), zero, "a vector register after a reset");
	guest_expect_end(&guest);
	guest_end(&guest);
}
END_TEST

START_TEST(each_register_of_the_list_is_wide_enough_and_its_own)
{
	unsigned char bytes[BYTES_MAX];
	unsigned int wide = 0;

	start();
	read_all();
	for (unsigned int n = 0; n < nregs; n++) {
		/* test_regs has the others; the wide ones are last. */
		ck_assert_msg(!wide || regs[n].size > 8, "%s is behind a wide one", regs[n].name);
		if (regs[n].size <= 8)
			continue;
		wide++;
		fill(bytes, regs[n].id, (unsigned char)n);
		ck_ok(axvcpu_set_reg_bytes(guest.vcpu, regs[n].id, bytes, regs[n].size));
		for (unsigned int i = 0; i < nregs; i++)
			if (regs[i].size > 8)
				expect(regs[i].id, i == n ? bytes : regs[i].old, regs[i].name);
		ck_ok(axvcpu_set_reg_bytes(guest.vcpu, regs[n].id, regs[n].old, regs[n].size));
	}
	guest_end(&guest);
}
END_TEST

START_TEST(values_are_read_by_their_bytes_too)
{
	uint64_t value = 0;

	start();
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_GPR(9), UINT64_C(0x123456789abcdef0)));
	ck_ok(axvcpu_get_reg_bytes(guest.vcpu, AXVCPU_REG_GPR(9), &value, sizeof(value)));
	ck_assert_uint_eq(value, UINT64_C(0x123456789abcdef0));
	value = 5;
	ck_ok(axvcpu_set_reg_bytes(guest.vcpu, AXVCPU_REG_GPR(9), &value, sizeof(value)));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_GPR(9)), 5);
	ck_fails(axvcpu_get_reg_bytes(guest.vcpu, AXVCPU_REG_GPR(9), &value, 4), EINVAL);
	ck_fails(axvcpu_get_reg_bytes(guest.vcpu, 0x5555, &value, 8), ENOENT);
	ck_fails(axvcpu_set_reg_bytes(guest.vcpu, 0x5555, &value, 8), ENOENT);
	/* Of a kind that does not exist. */
	ck_fails(axvcpu_get_reg_bytes(guest.vcpu, AXVCPU_REG_SIZED(3, 99, 0), &value, 8), ENOENT);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *all = suite_case(suite, "all");

	tcase_add_test(all, the_guest_has_the_written_values_and_the_host_reads_the_guests);
	tcase_add_test(all, all_vector_registers_are_kept_and_a_reset_clears_them);
	tcase_add_test(all, each_register_of_the_list_is_wide_enough_and_its_own);
	tcase_add_test(all, values_are_read_by_their_bytes_too);
}

int main(void)
{
	return suite_main("fp_registers", true, add_tests);
}
