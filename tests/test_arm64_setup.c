/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The initial state of an arm64 vCPU: modes, CPU features, and configs that are refused. Needs a
 * working /dev/kvm.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <string.h>

#include "arm64_guest.h"
#include "suite.h"

static struct guest guest;

/* --- modes ----------------------------------------------------------------------------------- */

#define ENTRY (GUEST_CODE + 0x40u)
#define STACK GUEST_STACK
#define ARG UINT64_C(0x1122334455667788)

static int setup_mode(enum axvcpu_mode mode, uint64_t entry, uint64_t stack, uint64_t arg)
{
	struct axvcpu_setup_config setup = AXVCPU_SETUP_CONFIG_INIT;

	setup.mode = mode;
	setup.stack = stack;
	setup.arg = arg;
	return axvcpu_setup(guest.vcpu, entry, 0, &setup);
}

START_TEST(a_64_bit_cpu_starts_at_el1_with_its_argument_and_stack)
{
	guest_create(&guest, NULL, PROGRAM(spin));
	ck_ok(setup_mode(AXVCPU_MODE_64, ENTRY, STACK, ARG));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), ENTRY);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_SP), STACK);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_ARM64_SP_EL1), STACK);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_ARM64_X(0)), ARG);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_FLAGS), 0x3c5);
	for (unsigned int i = 1; i < 31; i++)
		ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_GPR(i)), 0);
	/* Neither MMU nor caches. */
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_ARM64_SCTLR_EL1) & 0x1005, 0);
	guest_end(&guest);
}
END_TEST

START_TEST(a_raw_cpu_has_nothing_but_its_entry)
{
	guest_create(&guest, NULL, PROGRAM(spin));
	ck_ok(setup_mode(AXVCPU_MODE_RAW, ENTRY, STACK, ARG));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), ENTRY);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_ARM64_SP_EL1), 0);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_ARM64_X(0)), 0);
	guest_end(&guest);
}
END_TEST

/* AArch32: str r0, [r1]; b . */
static const uint32_t code32[] = {
	0xe3a0120d, /* mov r1, 0xd0000000 */
	0xe5810000, /* str r0, [r1] */
	0xe1a0200d, /* mov r2, sp */
	0xe5812004, /* str r2, [r1, 4] */
	0xeafffffe, /* b . */
};

START_TEST(a_32_bit_cpu_runs_aarch32_or_is_refused_by_the_capabilitys_name)
{
	guest_create(&guest, NULL, code32, sizeof(code32));
	ck_fails_saying(setup_mode(AXVCPU_MODE_32, GUEST_CODE, STACK, UINT64_C(1) << 32), EINVAL,
			"32 bits");
	if (axvm_capability(guest.vm, KVM_CAP_ARM_EL1_32BIT) == 0) {
		ck_fails_saying(setup_mode(AXVCPU_MODE_32, GUEST_CODE, STACK, 7), ENOTSUP,
				"KVM_CAP_ARM_EL1_32BIT");
		ck_ok(setup_mode(AXVCPU_MODE_64, GUEST_CODE, STACK, 7));
		guest_end(&guest);
		return;
	}
	ck_ok(setup_mode(AXVCPU_MODE_32, GUEST_CODE, STACK, 7));
	/* SVC, with interrupts masked; its stack pointer is banked. */
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_FLAGS), 0x1d3);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_SP), STACK);
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect_write(&guest, GUEST_MMIO, 7);
	guest_expect_write(&guest, GUEST_MMIO + 4, STACK);
	guest_end(&guest);
}
END_TEST

START_TEST(invalid_setup_is_refused_and_can_be_repeated)
{
	struct axvcpu_setup_config setup = AXVCPU_SETUP_CONFIG_INIT;
	struct axvcpu_arm64_setup arm64 = AXVCPU_ARM64_SETUP_INIT;

	guest_create(&guest, NULL, PROGRAM(spin));
	ck_fails_saying(setup_mode(AXVCPU_MODE_16, GUEST_CODE, 0, 0), ENOTSUP, "16-bit");
	ck_fails_saying(setup_mode((enum axvcpu_mode)4, GUEST_CODE, 0, 0), EINVAL, "mode 4");
	ck_fails_saying(setup_mode(AXVCPU_MODE_64, GUEST_CODE + 2, 0, 0), EINVAL, "multiple of 4");
	setup.arch = &arm64;
	arm64.flags = 1u << 31;
	ck_fails_saying(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup), EINVAL, "0x80000000");
	arm64.flags = 0;
	arm64.reserved = 1;
	ck_fails_saying(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup), EINVAL, "reserved");
	arm64.reserved = 0;
	arm64.sve_max_bytes = 16;
	ck_fails_saying(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup), EINVAL,
			"without AXVCPU_ARM64_SVE");
	arm64.flags = AXVCPU_ARM64_SVE;
	arm64.sve_max_bytes = 17;
	ck_fails_saying(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup), EINVAL, "multiple of 16");
	arm64.sve_max_bytes = 1u << 20;
	ck_fails_saying(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup), EINVAL, "multiple of 16");
	arm64.sve_max_bytes = 0;
	arm64.flags = 0;
	arm64.pmu_irq = 23;
	ck_fails_saying(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup), EINVAL, "pmu_irq");
	arm64.flags = AXVCPU_ARM64_PMU;
	ck_fails_saying(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup), EINVAL, "without a GIC");
	arm64.pmu_irq = 0;
	arm64.flags = 0;
	arm64.size = 3;
	ck_fails(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup), EINVAL);
	arm64.size = sizeof(arm64);
	ck_assert_int_eq(axvcpu_state(guest.vcpu), AXVCPU_CREATED);
	ck_ok(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup));
	guest_end(&guest);
}
END_TEST

/* --- CPU features ---------------------------------------------------------------------------- */

#define ID_AA64PFR0_EL1 UINT64_C(0x603000000013c020)
#define PFR0_SVE(value) ((value) >> 32 & 0xf)
/* SystemReg access trapped, or undefined instruction: of a feature that is not there. */
#define EC(esr) ((esr) >> 26 & 0x3f)
#define EC_UNKNOWN 0x00
#define EC_SVE 0x19

/* Whether KVM has it; if not, setup reports that. */
static bool has_or_refuses(uint32_t flag, int capability, const char *name)
{
	struct axvcpu_setup_config setup = AXVCPU_SETUP_CONFIG_INIT;
	struct axvcpu_arm64_setup arm64 = AXVCPU_ARM64_SETUP_INIT;
	bool has;

	guest_create(&guest, NULL, PROGRAM(spin));
	has = axvm_capability(guest.vm, (unsigned int)capability) > 0;
	arm64.flags = flag;
	setup.arch = &arm64;
	if (has)
		ck_ok(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup));
	else
		ck_fails_saying(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup), ENOTSUP, name);
	guest_end(&guest);
	return has;
}

/* Result of the code on a CPU with these flags, or the exception class it ends in. */
static bool piece_says(const struct axvcpu_arm64_setup *arm64, uint64_t piece, uint64_t *value)
{
	a64_start_piece(&guest, NULL, arm64, piece);
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	*value = guest.exit.u.mmio.data;
	if (guest.exit.u.mmio.addr == GUEST_MMIO + 8)
		return true;
	ck_assert_uint_eq(guest.exit.u.mmio.addr, A64_TELL);
	*value = EC(*value);
	return false;
}

START_TEST(vectors_are_as_long_as_was_asked_for_or_not_there)
{
	struct axvcpu_arm64_setup arm64 = AXVCPU_ARM64_SETUP_INIT;
	unsigned char z[256];
	uint64_t value, most;

	ck_assert(!piece_says(NULL, PIECE(sve), &value));
	ck_assert_uint_eq(PFR0_SVE(guest_reg(&guest, ID_AA64PFR0_EL1)), 0);
	ck_assert_msg(value == EC_UNKNOWN || value == EC_SVE, "exception class %#" PRIx64, value);
	guest_end(&guest);
	if (!has_or_refuses(AXVCPU_ARM64_SVE, KVM_CAP_ARM_SVE, "KVM_CAP_ARM_SVE"))
		return;
	arm64.flags = AXVCPU_ARM64_SVE;
	ck_assert(piece_says(&arm64, PIECE(sve), &most));
	ck_assert_uint_ne(PFR0_SVE(guest_reg(&guest, ID_AA64PFR0_EL1)), 0);
	/* ZCR_EL1 limits it at first; the registers are KVM's to read, as wide as they can be. */
	ck_assert_uint_ge(most, 16);
	memset(z, 0xff, sizeof(z));
	ck_ok(axvcpu_get_reg_bytes(guest.vcpu, KVM_REG_ARM64_SVE_ZREG(0, 0), z, sizeof(z)));
	guest_end(&guest);
	arm64.sve_max_bytes = 16;
	ck_assert(piece_says(&arm64, PIECE(sve), &value));
	ck_assert_uint_eq(value, 16);
	guest_end(&guest);
}
END_TEST

START_TEST(a_pmu_is_there_when_asked_for)
{
	struct axvcpu_arm64_setup arm64 = AXVCPU_ARM64_SETUP_INIT;
	struct axvm_config config = AXVM_CONFIG_INIT;
	uint64_t value;

	ck_assert(!piece_says(NULL, PIECE(pmu), &value));
	ck_assert_uint_eq(value, EC_UNKNOWN);
	guest_end(&guest);
	if (!has_or_refuses(AXVCPU_ARM64_PMU, KVM_CAP_ARM_PMU_V3, "KVM_CAP_ARM_PMU_V3"))
		return;
	arm64.flags = AXVCPU_ARM64_PMU;
	ck_assert(piece_says(&arm64, PIECE(pmu), &value));
	guest_end(&guest);
	/* With a GIC it is started when that is ready. */
	config.irqchip = AXVM_IRQCHIP_KERNEL;
	arm64.pmu_irq = 20;
	a64_start_piece(&guest, &config, &arm64, PIECE(pmu));
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(guest.exit.u.mmio.addr, GUEST_MMIO + 8);
	/* It survives a reset. */
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, PIECE(pmu)));
	guest_expect_write(&guest, GUEST_MMIO, (uint32_t)PIECE(pmu));
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(guest.exit.u.mmio.addr, GUEST_MMIO + 8);
	guest_end(&guest);
}
END_TEST

/* APA, API, GPA, GPI of ID_AA64ISAR1_EL1; GPA3, APA3 of ID_AA64ISAR2_EL1. */
#define ISAR1_PAUTH UINT64_C(0xff000ff0)
#define ISAR2_PAUTH UINT64_C(0xff00)

/* The value that the guest reads. */
static bool finds_pauth(const struct axvcpu_arm64_setup *arm64)
{
	uint64_t isar1, isar2;

	ck_assert(piece_says(arm64, PIECE(pauth), &isar1));
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(guest.exit.u.mmio.addr, GUEST_MMIO + 16);
	isar2 = guest.exit.u.mmio.data;
	guest_end(&guest);
	return (isar1 & ISAR1_PAUTH) || (isar2 & ISAR2_PAUTH);
}

START_TEST(pointer_authentication_is_there_when_asked_for)
{
	struct axvcpu_arm64_setup arm64 = AXVCPU_ARM64_SETUP_INIT;

	ck_assert(!finds_pauth(NULL));
	if (!has_or_refuses(AXVCPU_ARM64_PAUTH, KVM_CAP_ARM_PTRAUTH_ADDRESS,
			    "KVM_CAP_ARM_PTRAUTH_ADDRESS"))
		return;
	arm64.flags = AXVCPU_ARM64_PAUTH;
	ck_assert(finds_pauth(&arm64));
}
END_TEST

START_TEST(each_cpu_has_an_affinity_of_its_own)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	/* More than the lowest level has room for; but a KVM that has a GICv2 alone takes eight. */
	const uint32_t n = a64_has_gic(3) ? 20 : 8;
	struct axvcpu *vcpus[20];
	uint64_t affinities[20];

	config.max_vcpus = n;
	guest.vm = guest_vm(&config, PROGRAM(spin));
	for (uint32_t i = 0; i < n; i++) {
		vcpus[i] = guest_vcpu(guest.vm, i, 0);
		ck_ok(axvcpu_get_reg(vcpus[i], AXVCPU_REG_ARM64_MPIDR_EL1, &affinities[i]));
		for (uint32_t j = 0; j < i; j++)
			ck_assert_uint_ne(affinities[j], affinities[i]);
	}
	for (uint32_t i = 0; i < n; i++)
		ck_ok(axvcpu_free(vcpus[i]));
	ck_ok(axvm_free(guest.vm));
}
END_TEST

/* --- the VM ---------------------------------------------------------------------------------- */

START_TEST(a_vm_is_as_wide_as_was_asked_for)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm_limits limits = AXVM_LIMITS_INIT;
	struct axvm *vm;
	uint32_t most;

	ck_ok(axvm_new(NULL, &vm));
	ck_ok(axvm_get_limits(vm, &limits));
	most = limits.gpa_bits;
	ck_assert_uint_ge(most, 32);
	ck_ok(axvm_free(vm));
	for (uint32_t bits = 32; bits <= most; bits++) {
		struct axvm_region region = AXVM_REGION_INIT;

		config.gpa_bits = bits;
		ck_ok(axvm_new(&config, &vm));
		ck_ok(axvm_get_limits(vm, &limits));
		ck_assert_uint_eq(limits.gpa_bits, bits);
		region.len = limits.page_size;
		region.gpa = (UINT64_C(1) << bits) - region.len;
		ck_ok(axvm_map(vm, &region));
		region.gpa = UINT64_C(1) << bits;
		ck_fails(axvm_map(vm, &region), EINVAL);
		ck_ok(axvm_free(vm));
	}
	config.gpa_bits = 31;
	ck_fails_saying(axvm_new(&config, &vm), EINVAL, "31");
	config.gpa_bits = most + 1;
	ck_fails_saying(axvm_new(&config, &vm), ENOTSUP, "KVM_CAP_ARM_VM_IPA_SIZE");
}
END_TEST

START_TEST(other_architectures_options_are_refused_by_name)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} forwards[] = {
		{ AXVM_FORWARD_MAP_GPA_RANGE, "AXVM_FORWARD_MAP_GPA_RANGE" },
		{ AXVM_FORWARD_UNKNOWN_SYSREGS, "AXVM_FORWARD_UNKNOWN_SYSREGS" },
		{ AXVM_FORWARD_IPIS, "AXVM_FORWARD_IPIS" },
		{ AXVM_FORWARD_DOORBELL, "AXVM_FORWARD_DOORBELL" },
	};
	const struct axvm_sysreg_range range = { 0, 1, AXVCPU_ACCESS_READ, 0 };

	for (size_t i = 0; i < sizeof(forwards) / sizeof(forwards[0]); i++) {
		struct axvm_config config = AXVM_CONFIG_INIT;

		config.forward = forwards[i].bit;
		guest_expect_refused(&config, ENOTSUP, forwards[i].name);
	}
	for (int i = 0; i < 3; i++) {
		struct axvm_config config = AXVM_CONFIG_INIT;

		if (i == 0) {
			config.sysregs = &range;
			config.nsysregs = 1;
		}
		if (i == 1)
			config.notify_window = 1000;
		if (i == 2)
			config.irqchip = AXVM_IRQCHIP_SPLIT;
		guest_expect_refused(&config, ENOTSUP,
				     i == 0   ? "sysregs"
				     : i == 1 ? "notify_window"
					      : "SPLIT");
	}
}
END_TEST

/* --- */

/* --- clones ---------------------------------------------------------------------------------- */

/* All that this KVM has. */
static struct axvcpu_arm64_setup all_features(void)
{
	struct axvcpu_arm64_setup arm64 = AXVCPU_ARM64_SETUP_INIT;

	if (has_or_refuses(AXVCPU_ARM64_SVE, KVM_CAP_ARM_SVE, "KVM_CAP_ARM_SVE")) {
		arm64.flags |= AXVCPU_ARM64_SVE;
		arm64.sve_max_bytes = 16;
	}
	if (has_or_refuses(AXVCPU_ARM64_PMU, KVM_CAP_ARM_PMU_V3, "KVM_CAP_ARM_PMU_V3")) {
		arm64.flags |= AXVCPU_ARM64_PMU;
		arm64.pmu_irq = 24;
	}
	if (has_or_refuses(AXVCPU_ARM64_PAUTH, KVM_CAP_ARM_PTRAUTH_ADDRESS,
			   "KVM_CAP_ARM_PTRAUTH_ADDRESS"))
		arm64.flags |= AXVCPU_ARM64_PAUTH;
	return arm64;
}

/* A guest with the GIC and the features, before its first exit. */
static struct guest make(const struct axvm_arm64_config *gic, struct axvcpu_arm64_setup *arm64)
{
	struct axvcpu_setup_config setup = AXVCPU_SETUP_CONFIG_INIT;
	struct guest made;

	guest_create(&made,
		     &AXVCPU_WITH(axvm_config, .irqchip = AXVM_IRQCHIP_KERNEL, .arch_config = gic),
		     PROGRAM(chatter));
	setup.stack = STACK;
	setup.arch = arm64;
	ck_ok(axvcpu_setup(made.vcpu, GUEST_CODE, 0, &setup));
	ck_ok(axvm_finalize(made.vm));
	return made;
}

START_TEST(a_clone_has_the_same_gic_and_features)
{
	const struct axvm_arm64_config gic = { .size = sizeof(gic), .nirqs = 96 };
	struct axvcpu_arm64_setup arm64 = all_features();
	struct guest clone;
	uint64_t pfr0;

	guest = make(&gic, &arm64);
	pfr0 = guest_reg(&guest, ID_AA64PFR0_EL1);
	clone = guest_clone(&guest);
	guest_end(&guest);
	ck_assert_uint_eq(guest_reg(&clone, ID_AA64PFR0_EL1), pfr0);
	ck_ok(axvcpu_bind(clone.vcpu));
	guest_expect_write(&clone, GUEST_MMIO, GUEST_VALUE);
	ck_fails(axvm_set_irq_line(clone.vm, 96 - 32, true), EINVAL);
	ck_ok(axvm_set_irq_line(clone.vm, 96 - 32 - 1, true));
	guest_end(&clone);
}
END_TEST

/* The checkpoint is refused for the reason in 'text', and this guest runs as if nothing was. */
static void expect_misfit(const struct axvm_checkpoint *checkpoint,
			  const struct axvm_arm64_config *gic, struct axvcpu_arm64_setup *arm64,
			  const char *text)
{
	struct guest other = make(gic, arm64);
	int64_t pages;

	ck_ok(axvcpu_set_reg(other.vcpu, AXVCPU_REG_ARM64_X(20), ARG));
	pages = axvm_checkpoint_restore(checkpoint, other.vm, NULL);
	ck_assert_int_lt(pages, 0);
	ck_assert_msg(strstr(axvcpu_last_error(), text), "%s", axvcpu_last_error());
	ck_assert_uint_eq(guest_reg(&other, AXVCPU_REG_ARM64_X(20)), ARG);
	ck_ok(axvcpu_bind(other.vcpu));
	guest_expect_write(&other, GUEST_MMIO, GUEST_VALUE);
	guest_end(&other);
}

START_TEST(a_checkpoint_of_another_gic_or_of_more_features_is_refused_unchanged)
{
	const struct axvm_arm64_config gic = { .size = sizeof(gic), .nirqs = 96 };
	struct axvcpu_arm64_setup all = all_features(), none = AXVCPU_ARM64_SETUP_INIT;
	struct axvm_checkpoint *checkpoint;

	guest = make(&gic, &all);
	ck_ok(axvm_checkpoint_new(guest.vm, NULL, &checkpoint));
	guest_end(&guest);
	expect_misfit(checkpoint, NULL, &all, "this is a GICv");
	if (all.flags)
		expect_misfit(checkpoint, &gic, &none, "lacks it");
	ck_ok(axvm_checkpoint_free(checkpoint));
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *modes = suite_case(suite, "modes");
	TCase *features = suite_case(suite, "features");
	TCase *vm = suite_case(suite, "VM");

	tcase_add_test(modes, a_64_bit_cpu_starts_at_el1_with_its_argument_and_stack);
	tcase_add_test(modes, a_raw_cpu_has_nothing_but_its_entry);
	tcase_add_test(modes, a_32_bit_cpu_runs_aarch32_or_is_refused_by_the_capabilitys_name);
	tcase_add_test(modes, invalid_setup_is_refused_and_can_be_repeated);
	tcase_add_test(features, vectors_are_as_long_as_was_asked_for_or_not_there);
	tcase_add_test(features, a_pmu_is_there_when_asked_for);
	tcase_add_test(features, pointer_authentication_is_there_when_asked_for);
	tcase_add_test(features, each_cpu_has_an_affinity_of_its_own);
	tcase_add_test(features, a_clone_has_the_same_gic_and_features);
	tcase_add_test(features,
		       a_checkpoint_of_another_gic_or_of_more_features_is_refused_unchanged);
	tcase_add_test(vm, a_vm_is_as_wide_as_was_asked_for);
	tcase_add_test(vm, other_architectures_options_are_refused_by_name);
}

int main(void)
{
	return suite_main("arm64: setup", true, add_tests);
}
