/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * x86_64: saved vCPUs: injections that wait, MSRs, the LAPIC, CPUID, parts that the host refuses,
 * and parts that a restore leaves out. Needs a working /dev/kvm.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "suite.h"
#include "x86_guest.h"

static struct guest guest, other;

#define ROOM 0x40000
static unsigned char state[ROOM];
static size_t size;

static void start(struct guest *of, uint32_t irqchip)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.irqchip = irqchip;
	x86_start(of, &config, CODE(LIDT STI HLT_LOOP));
}

static void save(void)
{
	int ret = axvcpu_save(guest.vcpu, state, sizeof(state));

	ck_ok(ret);
	ck_assert_int_le(ret, ROOM);
	size = (size_t)ret;
}

static int load(struct guest *to)
{
	return axvcpu_load(to->vcpu, state, size, NULL);
}

/* The content of a section, which may be changed. */
static unsigned char *content(const char *name, size_t *len)
{
	struct axvcpu_saved_section section;

	for (unsigned int n = 0; !axvcpu_saved_get_section(state, size, n, &section); n++)
		if (!strcmp(section.name, name)) {
			*len = section.len;
			return state + ((const unsigned char *)section.data - state);
		}
	ck_abort_msg("the state has no section %s", name);
	return NULL;
}

/* --- injections --------------------------------------------------------------------------------- */

START_TEST(injections_that_wait_are_part_of_the_state)
{
	static const unsigned char taken[] = { 0x80, 0x40, 0x30, 0x30 };

	start(&guest, AXVM_IRQCHIP_NONE);
	for (unsigned int vector = 0x20; vector < 0x100; vector++)
		x86_handle(&guest, vector, X86_TELL);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	for (size_t i = 0; i < sizeof(taken); i++)
		ck_ok(axvcpu_inject_interrupt(guest.vcpu, taken[i]));
	save();
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < sizeof(taken); i++)
			x86_expect_vector(&guest, taken[i]);
		guest_expect(&guest, AXVCPU_EXIT_HALT);
		/* Those that wait now are dropped. */
		ck_ok(axvcpu_inject_interrupt(guest.vcpu, 0xf0));
		ck_ok(load(&guest));
	}
	guest_end(&guest);
}
END_TEST

/* --- MSRs --------------------------------------------------------------------------------------- */

#define STAR AXVCPU_REG_X86_MSR(0xc0000081)
#define LSTAR AXVCPU_REG_X86_MSR(0xc0000082)
#define KERNEL_GS_BASE AXVCPU_REG_X86_MSR(0xc0000102)
#define PAT AXVCPU_REG_X86_MSR(0x277)

START_TEST(msrs_are_part_of_the_state)
{
	static const uint64_t ids[] = { STAR, LSTAR, KERNEL_GS_BASE, PAT };
	static const uint64_t values[] = { UINT64_C(0x0010000800000000), 0x1234000, 0x5678000,
					   UINT64_C(0x0007010600070106) };

	start(&guest, AXVM_IRQCHIP_NONE);
	for (size_t i = 0; i < 4; i++)
		ck_ok(axvcpu_set_reg(guest.vcpu, ids[i], values[i]));
	save();
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	ck_ok(load(&guest));
	start(&other, AXVM_IRQCHIP_NONE);
	ck_ok(load(&other));
	for (size_t i = 0; i < 4; i++) {
		ck_assert_uint_eq(guest_reg(&guest, ids[i]), values[i]);
		ck_assert_uint_eq(guest_reg(&other, ids[i]), values[i]);
	}
	guest_end(&other);
	guest_end(&guest);
}
END_TEST

static unsigned int refusals;

static int accept_refusal(void *ctx, struct axvcpu *vcpu, const struct axvcpu_refusal *refusal)
{
	(void)vcpu;
	ck_assert_str_eq(refusal->section, "msrs");
	ck_assert_uint_eq(refusal->id, *(const uint32_t *)ctx);
	refusals++;
	return 0;
}

START_TEST(an_msr_that_the_host_lacks_is_refused_by_number)
{
	struct axvcpu_load_config config = AXVCPU_LOAD_CONFIG_INIT;
	uint32_t missing = 0x7fff0000;
	unsigned char *msrs;
	size_t len;

	start(&guest, AXVM_IRQCHIP_NONE);
	ck_ok(axvcpu_set_reg(guest.vcpu, LSTAR, 0x1234000));
	save();
	ck_ok(axvcpu_set_reg(guest.vcpu, LSTAR, 0x5678000));
	/* The index of the first one. */
	msrs = content("msrs", &len);
	ck_assert_uint_ge(len, 16);
	memcpy(msrs, &missing, sizeof(missing));
	ck_fails_saying(load(&guest), ENOENT, "0x7fff0000");
	ck_assert_int_eq(axvcpu_state(guest.vcpu), AXVCPU_READY);
	ck_assert_uint_eq(guest_reg(&guest, LSTAR), 0x5678000);
	config.refused = accept_refusal;
	config.ctx = &missing;
	ck_ok(axvcpu_load(guest.vcpu, state, size, &config));
	ck_assert_uint_eq(refusals, 1);
	ck_assert_uint_eq(guest_reg(&guest, LSTAR), 0x1234000);
	guest_end(&guest);
}
END_TEST

/* The TSC is set by its offset, APIC_BASE with the special registers. */
START_TEST(an_msr_that_is_not_loaded_as_such_is_refused)
{
	static const uint32_t omitted[] = { 0x10, 0x1b, 0xc0000080, 0x830 };
	unsigned char *msrs;
	size_t len;

	start(&guest, AXVM_IRQCHIP_NONE);
	save();
	msrs = content("msrs", &len);
	for (size_t i = 0; i < sizeof(omitted) / sizeof(omitted[0]); i++) {
		memcpy(msrs, &omitted[i], sizeof(omitted[i]));
		ck_fails_saying(load(&guest), EINVAL, "not loaded as such");
	}
	guest_end(&guest);
}
END_TEST

/* --- sizes that KVM reads by ---------------------------------------------------------------------- */

START_TEST(a_nested_state_of_another_size_than_its_section_is_refused)
{
	struct axvcpu_saved_section section;
	bool has_nested = false;

	start(&guest, AXVM_IRQCHIP_NONE);
	save();
	for (unsigned int n = 0; !axvcpu_saved_get_section(state, size, n, &section); n++)
		has_nested |= !strcmp(section.name, "nested");
	if (has_nested) {
		size_t len;
		unsigned char *nested = content("nested", &len);
		const uint32_t more = (uint32_t)len + 4096;

		/* 'size' of struct kvm_nested_state. */
		memcpy(nested + 4, &more, sizeof(more));
		ck_fails_saying(load(&guest), EINVAL, "nested");
	} else {
		suite_skip("this KVM has no nested virtualization");
	}
	guest_end(&guest);
}
END_TEST

/* --- other VMs ---------------------------------------------------------------------------------- */

START_TEST(a_state_is_refused_by_a_vm_with_another_irqchip)
{
	start(&guest, AXVM_IRQCHIP_NONE);
	save();
	start(&other, AXVM_IRQCHIP_KERNEL);
	ck_fails_saying(load(&other), EINVAL, "lapic");
	guest_end(&guest);
	guest = other;
	save();
	ck_ok(load(&guest));
	start(&other, AXVM_IRQCHIP_NONE);
	ck_fails_saying(load(&other), ENOTSUP, "lapic");
	guest_end(&other);
	guest_end(&guest);
}
END_TEST

START_TEST(a_state_is_refused_by_a_vcpu_with_another_cpuid)
{
	/* Without RDRAND. */
	static const struct axvcpu_x86_cpuid change = { .function = 1, .mask = { 0, 0, 1u << 30 } };
	struct axvcpu_setup_config setup = guest_setup_config(0);
	struct axvcpu_x86_setup x86 = AXVCPU_X86_SETUP_INIT;
	uint32_t leaf[7] = { 0 };
	unsigned char *cpuid;
	size_t len;

	start(&guest, AXVM_IRQCHIP_NONE);
	save();
	/* As if it had been there. */
	cpuid = content("cpuid", &len);
	for (size_t at = 0; at < len && leaf[0] != 1; at += 40)
		memcpy(leaf, cpuid + at, sizeof(leaf));
	ck_assert_uint_eq(leaf[0], 1);
	if (!(leaf[5] & 1u << 30)) {
		suite_skip("this CPU has no RDRAND");
		guest_end(&guest);
		return;
	}
	guest_create(&other, NULL, CODE(HLT_LOOP));
	x86.cpuid = &change;
	x86.ncpuid = 1;
	setup.arch = &x86;
	ck_ok(axvcpu_setup(other.vcpu, GUEST_CODE, 0, &setup));
	ck_fails_saying(load(&other), ENOTSUP, "CPUID 0x1.0");
	guest_end(&other);
	guest_end(&guest);
}
END_TEST

/* --- parts, and registers that wait for the next run ------------------------------------------ */

static struct axvm_checkpoint *checkpoint;

static void take(void)
{
	ck_ok(axvm_quiesce(guest.vm, NULL, 0));
	ck_ok(axvm_checkpoint_new(guest.vm,
				  &AXVCPU_WITH(axvm_checkpoint_config,
					       .flags = AXVM_CHECKPOINT_TRACK),
				  &checkpoint));
}

static void restore_without(uint32_t parts)
{
	ck_assert_int_ge(axvm_checkpoint_restore(checkpoint, guest.vm,
						 &AXVCPU_WITH(axvm_restore_config,
							      .time_policy = AXVM_TIME_KEEP,
							      .without = parts)),
			 0);
}

#define VECTOR 0x40
#define VECTOR_NMI 2
#define VECTOR_UD 6

START_TEST(an_injection_after_the_fastest_restore_is_delivered_once)
{
	static const unsigned int vectors[] = { VECTOR, VECTOR_NMI, VECTOR_UD };
	const struct axvcpu_exception exception = { .vector = VECTOR_UD };

	start(&guest, AXVM_IRQCHIP_NONE);
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		x86_handle(&guest, vectors[i], X86_TELL);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	take();
	for (int round = 0; round < 4; round++) {
		restore_without(AXVCPU_PARTS);
		if (vectors[_i] == VECTOR)
			ck_ok(axvcpu_inject_interrupt(guest.vcpu, VECTOR));
		else if (vectors[_i] == VECTOR_NMI)
			ck_ok(axvcpu_inject_nmi(guest.vcpu));
		else
			ck_ok(axvcpu_inject_exception(guest.vcpu, &exception));
		x86_expect_vector(&guest, vectors[_i]);
		guest_expect(&guest, AXVCPU_EXIT_HALT);
	}
	ck_ok(axvm_checkpoint_free(checkpoint));
	guest_end(&guest);
}
END_TEST

/* The spurious interrupt vector of the LAPIC, and whether KVM holds NMIs back. */
#define LAPIC_SPURIOUS 0xf0

static void set_lapic_and_events(unsigned char spurious, unsigned char masked)
{
	struct kvm_lapic_state lapic;
	struct kvm_vcpu_events events;
	const int fd = axvcpu_fd(guest.vcpu);

	ck_assert_int_eq(ioctl(fd, KVM_GET_LAPIC, &lapic), 0);
	lapic.regs[LAPIC_SPURIOUS] = (char)spurious;
	ck_assert_int_eq(ioctl(fd, KVM_SET_LAPIC, &lapic), 0);
	ck_assert_int_eq(ioctl(fd, KVM_GET_VCPU_EVENTS, &events), 0);
	events.nmi.masked = masked;
	ck_assert_int_eq(ioctl(fd, KVM_SET_VCPU_EVENTS, &events), 0);
}

static void expect_lapic_and_events(unsigned char spurious, unsigned char masked)
{
	struct kvm_lapic_state lapic;
	struct kvm_vcpu_events events;
	const int fd = axvcpu_fd(guest.vcpu);

	/* As checkpoint.h requires before ioctls. */
	ck_ok(axvcpu_flush(guest.vcpu));
	ck_assert_int_eq(ioctl(fd, KVM_GET_LAPIC, &lapic), 0);
	ck_assert_uint_eq((unsigned char)lapic.regs[LAPIC_SPURIOUS], spurious);
	ck_assert_int_eq(ioctl(fd, KVM_GET_VCPU_EVENTS, &events), 0);
	ck_assert_uint_eq(events.nmi.masked, masked);
}

START_TEST(the_lapic_and_events_are_parts)
{
	static const uint32_t without[] = {
		0,
		AXVCPU_PART_INTERRUPTS,
		AXVCPU_PART_EVENTS,
		AXVCPU_PART_INTERRUPTS | AXVCPU_PART_SYSTEM,
		AXVCPU_PARTS,
	};

	start(&guest, AXVM_IRQCHIP_KERNEL);
	set_lapic_and_events(0x4f, 0);
	take();
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
			set_lapic_and_events(0x5f, 1);
			restore_without(without[i]);
			expect_lapic_and_events(without[i] & AXVCPU_PART_INTERRUPTS ? 0x5f : 0x4f,
						without[i] & AXVCPU_PART_EVENTS ? 1 : 0);
		}
	ck_ok(axvm_checkpoint_free(checkpoint));
	guest_end(&guest);
}
END_TEST

/* --- clones -------------------------------------------------------------------------------------- */

START_TEST(a_clone_has_the_changes_of_cpuid)
{
	/* One leaf without RDRAND, and one that does not exist. */
	static const struct axvcpu_x86_cpuid changes[] = {
		{ .function = 1, .mask = { 0, 0, 1u << 30 } },
		{ .function = 0x4fffff00,
		  .mask = { UINT32_MAX, UINT32_MAX },
		  .value = { 0x12345678, 7 } },
	};
	static unsigned char before[ROOM];
	struct axvcpu_setup_config setup = guest_setup_config(0);
	struct axvcpu_x86_setup x86 = AXVCPU_X86_SETUP_INIT;
	unsigned char *now;
	size_t len, then;

	guest_create(&guest,
		     &AXVCPU_WITH(axvm_config,
				  .irqchip = _i ? AXVM_IRQCHIP_KERNEL : AXVM_IRQCHIP_NONE),
		     CODE(HLT_LOOP));
	x86.cpuid = changes;
	x86.ncpuid = sizeof(changes) / sizeof(changes[0]);
	x86.cr4 = 0x6a0; /* PGE, too */
	setup.arch = &x86;
	ck_ok(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup));
	save();
	now = content("cpuid", &then);
	memcpy(before, now, then);
	other = guest_clone(&guest);
	guest_end(&guest);
	/* And a clone of it. */
	guest = guest_clone(&other);
	guest_end(&other);
	save();
	now = content("cpuid", &len);
	ck_assert_uint_eq(len, then);
	ck_assert_mem_eq(now, before, len);
	/* Resets set its registers again. */
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_CR4, 0x620));
	ck_ok(axvm_reset(guest.vm, 0));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_CR4), 0x6a0);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *all = suite_case(suite, "all");

	tcase_add_test(all, injections_that_wait_are_part_of_the_state);
	tcase_add_test(all, msrs_are_part_of_the_state);
	tcase_add_test(all, an_msr_that_the_host_lacks_is_refused_by_number);
	tcase_add_test(all, an_msr_that_is_not_loaded_as_such_is_refused);
	tcase_add_test(all, a_nested_state_of_another_size_than_its_section_is_refused);
	tcase_add_test(all, a_state_is_refused_by_a_vm_with_another_irqchip);
	tcase_add_test(all, a_state_is_refused_by_a_vcpu_with_another_cpuid);
	tcase_add_loop_test(all, an_injection_after_the_fastest_restore_is_delivered_once, 0, 3);
	tcase_add_test(all, the_lapic_and_events_are_parts);
	tcase_add_loop_test(all, a_clone_has_the_changes_of_cpuid, 0, 2);
}

int main(void)
{
	return suite_main("x86 vcpu state", true, add_tests);
}
