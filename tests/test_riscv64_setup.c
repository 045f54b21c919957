/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * riscv64: the state that setup leaves, and the configs that are accepted or refused. Needs a
 * working /dev/kvm.
 */
#include <errno.h>

#include "riscv64_guest.h"
#include "suite.h"

static struct guest guest;

static uint64_t next_write(void)
{
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(guest.exit.u.mmio.addr, GUEST_MMIO);
	return guest.exit.u.mmio.data;
}

static int isa_extension(uint32_t n)
{
	uint64_t on;
	int ret = axvcpu_get_reg(guest.vcpu, AXVCPU_REG_RISCV64_ISA_EXTENSION(n), &on);

	return ret ? ret : (int)on;
}

static int sbi_extension(uint32_t n)
{
	uint64_t on;
	int ret = axvcpu_get_reg(guest.vcpu, AXVCPU_REG_RISCV64_SBI_EXTENSION(n), &on);

	return ret ? ret : (int)on;
}

/* --- the first state -------------------------------------------------------------------------- */

START_TEST(a_hart_finds_its_id_and_the_device_tree_in_supervisor_mode)
{
	struct axvcpu_setup_config setup = guest_setup_config(0);

	guest_create(&guest, NULL, PROGRAM(state));
	setup.arg = UINT64_C(0x123456789abcdef0);
	ck_ok(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup));
	ck_ok(axvcpu_bind(guest.vcpu));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_RISCV64_MODE), 1);
	ck_assert_uint_eq(next_write(), 0); /* a0 */
	ck_assert_uint_eq(next_write(), setup.arg); /* a1 */
	ck_assert_uint_eq(next_write(), GUEST_STACK); /* sp */
	ck_assert_uint_eq(next_write(), 0); /* satp */
	/* Except the width of user mode, which the guest cannot choose. */
	ck_assert_uint_eq(next_write() & ~(UINT64_C(3) << 32), 0); /* sstatus */
	ck_assert_uint_eq(next_write(), 0); /* sie */
	guest_end(&guest);
}
END_TEST

/* KVM has the first vCPU on that is made; here it is the one of id 0. */
START_TEST(the_id_is_the_hart_id_in_whatever_order_they_are_made)
{
	struct axvcpu_setup_config setup = guest_setup_config(0);
	struct axvcpu_config third = AXVCPU_CONFIG_INIT;
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvcpu *other = NULL;
	uint64_t id;

	config.max_vcpus = 4;
	guest.vm = guest_vm(&config, PROGRAM(state));
	third.id = 3;
	ck_ok(axvcpu_new(guest.vm, &third, &other));
	ck_ok(axvcpu_new(guest.vm, NULL, &guest.vcpu));
	ck_ok(axvcpu_setup(other, GUEST_CODE, 0, &setup));
	ck_ok(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup));
	ck_ok(axvcpu_get_reg(other, AXVCPU_REG_RISCV64_A0, &id));
	ck_assert_uint_eq(id, 3);
	ck_ok(axvcpu_bind(guest.vcpu));
	ck_assert_uint_eq(next_write(), 0);
	ck_ok(axvcpu_free(other));
	guest_end(&guest);
}
END_TEST

START_TEST(raw_hart_has_only_its_program_counter)
{
	guest_start(&guest, AXVCPU_MODE_RAW, PROGRAM(state));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), GUEST_CODE);
	for (unsigned int i = 0; i < 32; i++)
		ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_GPR(i)), 0);
	ck_assert_uint_eq(next_write(), 0);
	guest_end(&guest);
}
END_TEST

START_TEST(narrower_modes_are_refused_and_leave_nothing)
{
	struct axvcpu_setup_config setup = guest_setup_config(0);

	guest_create(&guest, NULL, PROGRAM(finish));
	setup.mode = AXVCPU_MODE_32;
	ck_fails_saying(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup), ENOTSUP, "AXVCPU_MODE_64");
	setup.mode = AXVCPU_MODE_16;
	ck_fails_saying(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup), ENOTSUP, "AXVCPU_MODE_64");
	setup.mode = 17;
	ck_fails_saying(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup), EINVAL, "mode 17");
	ck_assert_int_eq(axvcpu_state(guest.vcpu), AXVCPU_CREATED);
	guest_setup(&guest, AXVCPU_MODE_64);
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect_end(&guest);
	guest_end(&guest);
}
END_TEST

/* --- extensions ------------------------------------------------------------------------------- */

static int setup_with(const struct axvcpu_riscv64_extension *isa, size_t nisa,
		      const struct axvcpu_riscv64_extension *sbi, size_t nsbi)
{
	struct axvcpu_riscv64_setup riscv = AXVCPU_RISCV64_SETUP_INIT;
	struct axvcpu_setup_config setup = guest_setup_config(0);

	riscv.isa = isa;
	riscv.nisa = nisa;
	riscv.sbi = sbi;
	riscv.nsbi = nsbi;
	setup.arch = &riscv;
	return axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup);
}

START_TEST(extensions_are_switched_by_name_and_by_number)
{
	const struct axvcpu_riscv64_extension isa[] = { { "d", 0, 0 },
							{ NULL, AXVCPU_RISCV64_ISA_F, 0 } };
	const struct axvcpu_riscv64_extension sbi[] = { { "dbcn", 0, 1 },
							{ NULL, AXVCPU_RISCV64_SBI_VENDOR, 0 } };

	guest_create(&guest, NULL, PROGRAM(finish));
	ck_ok(setup_with(isa, 2, sbi, 2));
	ck_assert_int_eq(isa_extension(AXVCPU_RISCV64_ISA_D), 0);
	ck_assert_int_eq(isa_extension(AXVCPU_RISCV64_ISA_F), 0);
	ck_assert_int_eq(isa_extension(AXVCPU_RISCV64_ISA_A), 1);
	ck_assert_int_eq(sbi_extension(AXVCPU_RISCV64_SBI_DBCN), 1);
	ck_assert_int_eq(sbi_extension(AXVCPU_RISCV64_SBI_VENDOR), 0);
	ck_assert_int_eq(sbi_extension(AXVCPU_RISCV64_SBI_EXPERIMENTAL), 1);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_RISCV64_ISA) & (1u << ('d' - 'a')), 0);
	guest_end(&guest);
}
END_TEST

START_TEST(a_clone_has_the_same_extensions)
{
	const struct axvcpu_riscv64_extension isa[] = { { "d", 0, 0 }, { "f", 0, 0 } };
	const struct axvcpu_riscv64_extension sbi[] = { { "dbcn", 0, 1 }, { "vendor", 0, 0 } };
	struct guest source;

	guest_create(&guest, NULL, PROGRAM(finish));
	ck_ok(setup_with(isa, 2, sbi, 2));
	source = guest;
	guest = guest_clone(&source);
	guest_end(&source);
	ck_assert_int_eq(isa_extension(AXVCPU_RISCV64_ISA_D), 0);
	ck_assert_int_eq(isa_extension(AXVCPU_RISCV64_ISA_F), 0);
	ck_assert_int_eq(isa_extension(AXVCPU_RISCV64_ISA_A), 1);
	ck_assert_int_eq(sbi_extension(AXVCPU_RISCV64_SBI_DBCN), 1);
	ck_assert_int_eq(sbi_extension(AXVCPU_RISCV64_SBI_VENDOR), 0);
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect_end(&guest);
	guest_end(&guest);
}
END_TEST

START_TEST(guest_has_the_hosts_extensions_by_default)
{
	guest_create(&guest, NULL, PROGRAM(finish));
	guest_setup(&guest, AXVCPU_MODE_64);
	ck_assert_int_eq(isa_extension(AXVCPU_RISCV64_ISA_I), 1);
	ck_assert_int_eq(isa_extension(AXVCPU_RISCV64_ISA_M), 1);
	/* No guest has guests itself. */
	ck_assert_int_ne(isa_extension(AXVCPU_RISCV64_ISA_H), 1);
	ck_assert_int_eq(sbi_extension(AXVCPU_RISCV64_SBI_HSM), 1);
	ck_assert_int_eq(sbi_extension(AXVCPU_RISCV64_SBI_DBCN), 0);
	guest_end(&guest);
}
END_TEST

/* The switches before the one that is refused are back where they were. */
static void refused(const struct axvcpu_riscv64_extension *isa, size_t nisa,
		    const struct axvcpu_riscv64_extension *sbi, size_t nsbi, int err,
		    const char *text)
{
	int ret;

	guest_create(&guest, NULL, PROGRAM(finish));
	ret = setup_with(isa, nisa, sbi, nsbi);
	ck_assert_msg(ret == -err, "%d, not -%d: %s", ret, err, axvcpu_last_error());
	ck_assert_msg(strstr(axvcpu_last_error(), text), "\"%s\" lacks \"%s\"", axvcpu_last_error(),
		      text);
	ck_assert_int_eq(axvcpu_state(guest.vcpu), AXVCPU_CREATED);
	guest_setup(&guest, AXVCPU_MODE_64);
	ck_assert_int_eq(isa_extension(AXVCPU_RISCV64_ISA_D), 1);
	ck_assert_int_eq(sbi_extension(AXVCPU_RISCV64_SBI_VENDOR), 1);
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect_end(&guest);
	guest_end(&guest);
}

START_TEST(missing_extension_is_refused_by_name)
{
	/* Zcf is for 32 bits alone. */
	const struct axvcpu_riscv64_extension zcf[] = { { "d", 0, 0 }, { "zcf", 0, 1 } };
	const struct axvcpu_riscv64_extension h[] = { { "d", 0, 0 }, { "h", 0, 1 } };
	const struct axvcpu_riscv64_extension m[] = { { "d", 0, 0 }, { "m", 0, 0 } };
	const struct axvcpu_riscv64_extension unknown[] = { { "vendor", 0, 0 }, { NULL, 200, 1 } };

	refused(zcf, 2, NULL, 0, ENOTSUP, "ISA extension zcf");
	refused(h, 2, NULL, 0, ENOTSUP, "ISA extension h");
	refused(m, 2, NULL, 0, ENOTSUP, "ISA extension m");
	refused(NULL, 0, unknown, 2, ENOTSUP, "SBI extension 200");
}
END_TEST

START_TEST(invalid_setup_is_refused_and_changes_nothing)
{
	const struct axvcpu_riscv64_extension d[] = { { "d", 0, 0 } };
	const struct axvcpu_riscv64_extension name[] = { { "d", 0, 0 }, { "zzz", 0, 1 } };
	const struct axvcpu_riscv64_extension number[] = { { "d", 0, 0 }, { NULL, 100000, 1 } };
	const struct axvcpu_riscv64_extension maybe[] = { { "d", 0, 0 }, { "zbb", 0, 2 } };
	const struct axvcpu_riscv64_extension sbi[] = { { "vendor", 0, 0 }, { "zbb", 0, 1 } };

	refused(name, 2, NULL, 0, EINVAL, "'zzz'");
	refused(number, 2, NULL, 0, EINVAL, "100000");
	refused(maybe, 2, NULL, 0, EINVAL, "must be 0 or 1");
	refused(d, 1, sbi, 2, EINVAL, "'zbb'");
	refused(NULL, 3, NULL, 0, EINVAL, "NULL");
	refused(d, 1, NULL, 1, EINVAL, "NULL");
}
END_TEST

START_TEST(missing_extension_can_be_switched_off)
{
	const struct axvcpu_riscv64_extension zcf[] = { { "zcf", 0, 0 } };

	guest_create(&guest, NULL, PROGRAM(finish));
	ck_ok(setup_with(zcf, 1, NULL, 0));
	ck_assert_int_eq(isa_extension(AXVCPU_RISCV64_ISA_ZCF), -ENOENT);
	guest_end(&guest);
}
END_TEST

/* --- VMs -------------------------------------------------------------------------------------- */

START_TEST(the_width_is_that_of_the_hosts_tables_or_less)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm_limits limits = AXVM_LIMITS_INIT;
	struct axpercpu percpu = AXPERCPU_INIT;
	struct axvm *vm = NULL;
	uint32_t widest;
	int levels;

	ck_ok(axvm_new(NULL, &vm));
	ck_ok(axvm_get_limits(vm, &limits));
	widest = limits.gpa_bits;
	ck_ok(axvm_free(vm));
	/* One less than the tables have: KVM takes no memory up to their end. */
	ck_assert(widest == 40 || widest == 49 || widest == 58);
	ck_ok(axpercpu_init(&percpu, 0, NULL));
	ck_ok(axpercpu_enable(&percpu));
	levels = axpercpu_guest_page_table_levels(&percpu);
	axpercpu_destroy(&percpu);
	/* 12 bits of a page, 9 of each level, and two more at the top. */
	ck_assert_int_eq(12 + 9 * levels + 2 - 1, (int)widest);

	config.gpa_bits = 36;
	ck_ok(axvm_new(&config, &vm));
	ck_ok(axvm_get_limits(vm, &limits));
	ck_assert_uint_eq(limits.gpa_bits, 36);
	ck_ok(axvm_free(vm));
	config.gpa_bits = widest + 1;
	guest_expect_refused(&config, ENOTSUP, "KVM_CAP_VM_GPA_BITS");
	config.gpa_bits = 31;
	guest_expect_refused(&config, EINVAL, "32 to");
}
END_TEST

START_TEST(options_riscv64_lacks_are_refused_by_name)
{
	const struct axvm_sysreg_range range = { .base = 0x100,
						 .count = 1,
						 .access = AXVCPU_ACCESS_READ };
	static const struct {
		uint32_t bit;
		const char *name;
	} forwards[] = {
		{ AXVM_FORWARD_MAP_GPA_RANGE, "AXVM_FORWARD_MAP_GPA_RANGE" },
		{ AXVM_FORWARD_UNKNOWN_SYSREGS, "AXVM_FORWARD_UNKNOWN_SYSREGS" },
		{ AXVM_FORWARD_IPIS, "AXVM_FORWARD_IPIS" },
		{ AXVM_FORWARD_DOORBELL, "AXVM_FORWARD_DOORBELL" },
		{ AXVM_FORWARD_POWER, "AXVM_FORWARD_POWER" },
	};
	struct axvm_config config = AXVM_CONFIG_INIT;

	for (size_t i = 0; i < sizeof(forwards) / sizeof(forwards[0]); i++) {
		config.forward = forwards[i].bit;
		guest_expect_refused(&config, ENOTSUP, forwards[i].name);
	}
	config.forward = 0;
	config.nsysregs = 1;
	config.sysregs = &range;
	guest_expect_refused(&config, ENOTSUP, "sysregs");
	config.nsysregs = 0;
	config.notify_window = 1000;
	guest_expect_refused(&config, ENOTSUP, "notify_window");
	config.notify_window = 0;
	config.irqchip = AXVM_IRQCHIP_SPLIT;
	guest_expect_refused(&config, ENOTSUP, "AXVM_IRQCHIP_SPLIT");
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *state = suite_case(suite, "state");
	TCase *extensions = suite_case(suite, "extensions");
	TCase *vms = suite_case(suite, "VMs");

	tcase_add_test(state, a_hart_finds_its_id_and_the_device_tree_in_supervisor_mode);
	tcase_add_test(state, the_id_is_the_hart_id_in_whatever_order_they_are_made);
	tcase_add_test(state, raw_hart_has_only_its_program_counter);
	tcase_add_test(state, narrower_modes_are_refused_and_leave_nothing);
	tcase_add_test(extensions, extensions_are_switched_by_name_and_by_number);
	tcase_add_test(extensions, a_clone_has_the_same_extensions);
	tcase_add_test(extensions, guest_has_the_hosts_extensions_by_default);
	tcase_add_test(extensions, missing_extension_is_refused_by_name);
	tcase_add_test(extensions, invalid_setup_is_refused_and_changes_nothing);
	tcase_add_test(extensions, missing_extension_can_be_switched_off);
	tcase_add_test(vms, the_width_is_that_of_the_hosts_tables_or_less);
	tcase_add_test(vms, options_riscv64_lacks_are_refused_by_name);
}

int main(void)
{
	return suite_main("riscv64_setup", true, add_tests);
}
