/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Every register that has a name: written, read back, and given its old value again. Needs a
 * working /dev/kvm.
 */
#include <errno.h>

#include "guest.h"
#include "suite.h"

static struct guest guest;

/* A counter is not to be read later than this after it was written. */
#define SOON (UINT64_C(1) << 40)

/* More than any list has. */
#define MOST 256

static struct {
	uint64_t id;
	const char *name;
	uint64_t old;
} regs[MOST];
static unsigned int nregs;

static void start(void)
{
	guest_create(&guest, NULL, PROGRAM(finish));
	guest_setup(&guest, AXVCPU_MODE_64);
	nregs = 0;
	/* test_fp_registers has those of more than 8 bytes, which are last. */
	while (!axvcpu_reg_info(guest.vcpu, nregs, &regs[nregs].id, &regs[nregs].name) &&
	       axvcpu_reg_size(regs[nregs].id) <= 8) {
		regs[nregs].old = guest_reg(&guest, regs[nregs].id);
		ck_assert_uint_lt(++nregs, MOST);
	}
}

static const struct guest_register_rule *rule_of(uint64_t id)
{
	for (size_t i = 0; i < guest_register_nrules; i++)
		if (guest_register_rules[i].id == id)
			return &guest_register_rules[i];
	return NULL;
}

/* Another value than 'old', and than other registers get. */
static uint64_t another(unsigned int n, uint64_t old, uint64_t writable)
{
	uint64_t change = (UINT64_C(0x9e3779b97f4a7c15) * (n + 1)) & writable;

	return old ^ (change ? change : writable);
}

/* Some KVMs accept values that others refuse; none may only seem to accept one. */
static void check_read_only(unsigned int n)
{
	uint64_t value = another(n, regs[n].old, UINT64_MAX);
	bool taken = !axvcpu_set_reg(guest.vcpu, regs[n].id, value);

	ck_assert_msg(guest_reg(&guest, regs[n].id) == (taken ? value : regs[n].old),
		      "%s: writing it %s", regs[n].name,
		      taken ? "had no effect" : "was refused, and had an effect");
	if (taken)
		ck_ok(axvcpu_set_reg(guest.vcpu, regs[n].id, regs[n].old));
}

static void check_counter(unsigned int n)
{
	uint64_t value = UINT64_C(0x123400000000) + regs[n].old;

	ck_ok(axvcpu_set_reg(guest.vcpu, regs[n].id, value));
	ck_assert_msg(guest_reg(&guest, regs[n].id) - value < SOON, "%s does not count from there",
		      regs[n].name);
	ck_ok(axvcpu_set_reg(guest.vcpu, regs[n].id, regs[n].old));
	ck_assert_uint_lt(guest_reg(&guest, regs[n].id) - regs[n].old, SOON);
}

static void check_register(unsigned int n)
{
	const struct guest_register_rule *rule = rule_of(regs[n].id);
	uint64_t value = another(n, regs[n].old, rule ? rule->writable : UINT64_MAX), now;

	ck_ok(axvcpu_set_reg(guest.vcpu, regs[n].id, value));
	now = guest_reg(&guest, regs[n].id);
	ck_assert_msg(now == value, "%s: wrote %#jx, read %#jx, was %#jx", regs[n].name,
		      (uintmax_t)value, (uintmax_t)now, (uintmax_t)regs[n].old);
	ck_ok(axvcpu_set_reg(guest.vcpu, regs[n].id, regs[n].old));
	now = guest_reg(&guest, regs[n].id);
	ck_assert_msg(now == regs[n].old, "%s: %#jx, and not %#jx again", regs[n].name,
		      (uintmax_t)now, (uintmax_t)regs[n].old);
}

START_TEST(every_register_keeps_what_is_written)
{
	start();
	/* The general ones, at least. */
	ck_assert_uint_gt(nregs, 16);
	for (unsigned int n = 0; n < nregs; n++) {
		const struct guest_register_rule *rule = rule_of(regs[n].id);

		if (rule && rule->counts)
			check_counter(n);
		else if (rule && !rule->writable)
			check_read_only(n);
		else
			check_register(n);
	}
	/* And with all of that, the guest is as it was. */
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect_end(&guest);
	guest_end(&guest);
}
END_TEST

START_TEST(a_register_that_is_written_changes_no_other)
{
	start();
	for (unsigned int n = 0; n < nregs; n++) {
		const struct guest_register_rule *rule = rule_of(regs[n].id);

		if (regs[n].id >= AXVCPU_REG_PC || rule)
			continue;
		ck_ok(axvcpu_set_reg(guest.vcpu, regs[n].id, another(n, regs[n].old, UINT64_MAX)));
		for (unsigned int i = 0; i < nregs; i++) {
			/* The stack pointer may be a general register, and listed twice. */
			if (i == n || regs[i].id == AXVCPU_REG_SP ||
			    (rule_of(regs[i].id) && rule_of(regs[i].id)->counts))
				continue;
			ck_assert_msg(guest_reg(&guest, regs[i].id) == regs[i].old,
				      "writing %s changes %s", regs[n].name, regs[i].name);
		}
		ck_ok(axvcpu_set_reg(guest.vcpu, regs[n].id, regs[n].old));
	}
	guest_end(&guest);
}
END_TEST

START_TEST(every_rule_names_an_existing_register)
{
	start();
	for (size_t i = 0; i < guest_register_nrules; i++) {
		bool found = false;

		for (unsigned int n = 0; n < nregs; n++)
			found = found || regs[n].id == guest_register_rules[i].id;
		ck_assert_msg(found, "rule %zu (%s)", i, guest_register_rules[i].why);
	}
	guest_end(&guest);
}
END_TEST

START_TEST(all_at_once_are_the_single_ones)
{
	struct axvcpu_regs all, again;

	start();
	ck_ok(axvcpu_get_regs(guest.vcpu, &all));
	ck_assert_uint_eq(all.pc, GUEST_CODE);
	for (unsigned int n = 0; n < nregs; n++)
		if (regs[n].id < 32)
			ck_assert_uint_eq(all.gpr[regs[n].id], regs[n].old);
	for (unsigned int n = 0; n < nregs; n++)
		if (regs[n].id < 32)
			all.gpr[regs[n].id] = another(n, 0, UINT64_MAX);
	all.pc += 64;
	ck_ok(axvcpu_set_regs(guest.vcpu, &all));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), GUEST_CODE + 64);
	for (unsigned int n = 0; n < nregs; n++)
		if (regs[n].id < 32)
			ck_assert_uint_eq(guest_reg(&guest, regs[n].id), all.gpr[regs[n].id]);
	ck_ok(axvcpu_get_regs(guest.vcpu, &again));
	ck_assert_mem_eq(&again, &all, sizeof(all));
	guest_end(&guest);
}
END_TEST

START_TEST(missing_registers_are_refused)
{
	static const uint64_t ids[] = { 32,	   99,	   0xff,
					0x1ff,	   0x5555, UINT64_C(0x00ffffffffffffff),
					UINT64_MAX };
	uint64_t value = 77;

	start();
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		ck_fails(axvcpu_get_reg(guest.vcpu, ids[i], &value), ENOENT);
		ck_fails(axvcpu_set_reg(guest.vcpu, ids[i], 0), ENOENT);
	}
	ck_assert_uint_eq(value, 77);
	ck_fails(axvcpu_set_gpr(guest.vcpu, 32, 0), ENOENT);
	ck_fails(axvcpu_set_gpr(guest.vcpu, UINT32_MAX, 0), ENOENT);
	guest_end(&guest);
}
END_TEST

/* Only x86_64 can change it, and not on every host. */
START_TEST(the_counters_frequency_is_read_and_changed_only_where_kvm_can)
{
	uint64_t hz, value;

	start();
	hz = guest_reg(&guest, AXVCPU_REG_COUNTER_HZ);
	ck_assert_uint_gt(hz, 1000);
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_COUNTER_HZ, hz));
	if (GUEST_HAS_TSC_CONTROL(guest.vm)) {
		ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_COUNTER_HZ, hz / 2000 * 1000));
		ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_COUNTER_HZ), hz / 2000 * 1000);
	} else {
		ck_fails(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_COUNTER_HZ, hz + 1000 - hz % 1000),
			 ENOTSUP);
		ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_COUNTER_HZ), hz);
	}
	ck_ok(axvcpu_get_reg_bytes(guest.vcpu, AXVCPU_REG_COUNTER_HZ, &value, sizeof(value)));
	guest_end(&guest);
}
END_TEST

START_TEST(guest_and_host_see_each_others_writes)
{
	/* The argument that the guest reports. */
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(tell));
	ck_ok(axvcpu_set_reg(guest.vcpu, GUEST_ARG_REG, UINT64_C(0x123456789abcdef0)));
	guest_expect_write(&guest, GUEST_MMIO, UINT64_C(0x123456789abcdef0));
	ck_assert_uint_eq(guest_reg(&guest, GUEST_ARG_REG), UINT64_C(0x123456789abcdef0));
	/* Also at an exit, which is finished first. */
	ck_ok(axvcpu_set_gpr(guest.vcpu, GUEST_ARG_REG, 5));
	guest_expect_write(&guest, GUEST_MMIO, 5);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *single = suite_case(suite, "single");
	TCase *all = suite_case(suite, "all");

	tcase_add_test(single, every_register_keeps_what_is_written);
	tcase_add_test(single, a_register_that_is_written_changes_no_other);
	tcase_add_test(single, every_rule_names_an_existing_register);
	tcase_add_test(single, missing_registers_are_refused);
	tcase_add_test(single, the_counters_frequency_is_read_and_changed_only_where_kvm_can);
	tcase_add_test(single, guest_and_host_see_each_others_writes);
	tcase_add_test(all, all_at_once_are_the_single_ones);
}

int main(void)
{
	return suite_main("regs", true, add_tests);
}
