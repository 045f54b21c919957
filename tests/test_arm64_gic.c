/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * GIC setup, and invalid GIC configs, which are refused before anything is created; with GICv2 or
 * GICv3, whichever KVM has. Needs a working /dev/kvm.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "arm64_guest.h"
#include "resources.h"
#include "suite.h"

#define KIB 1024u
#define GICR_SIZE (128 * KIB)

static struct guest guest;

/* How the versions differ; by their number. */
static const struct version {
	uint64_t alignment;
	uint64_t gicd_size;
	/* The frame beside the distributor. */
	const char *name;
	uint64_t gpa;
	/* For each vCPU, and for all of them. */
	uint64_t size_each;
	uint64_t size_all;
} versions[] = {
	[2] = { 4 * KIB, 4 * KIB, "gicc", AXVM_ARM64_GICC, 0, 8 * KIB },
	[3] = { 64 * KIB, 64 * KIB, "gicr", AXVM_ARM64_GICR, GICR_SIZE, 0 },
};

static uint64_t second_size(uint32_t version, uint32_t vcpus)
{
	return versions[version].size_each * vcpus + versions[version].size_all;
}

static struct axvm_arm64_config gic_config(uint32_t version)
{
	struct axvm_arm64_config gic = AXVM_ARM64_CONFIG_INIT;

	gic.gic_version = version;
	return gic;
}

/* Address of the window beside the distributor. */
static void put_second(struct axvm_arm64_config *gic, uint64_t gpa)
{
	if (gic->gic_version == 2)
		gic->gicc_gpa = gpa;
	else
		gic->gicr_gpa = gpa;
}

/* Text of the error message about a window. */
static const char *frame_text(const char *name, uint64_t gpa, uint64_t size)
{
	static char text[2][64];
	static unsigned int n;

	n = !n;
	snprintf(text[n], sizeof(text[n]), "%s %#" PRIx64 " +%#" PRIx64, name, gpa, size);
	return text[n];
}

/* Creates a VM with this GIC and frees it; returns the result of axvm_new(). */
static int try_gic(const struct axvm_arm64_config *gic, uint32_t vcpus, uint32_t gpa_bits)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct resources before;
	struct axvm *vm = NULL;
	int ret;

	config.irqchip = AXVM_IRQCHIP_KERNEL;
	config.arch_config = gic;
	config.max_vcpus = vcpus;
	config.gpa_bits = gpa_bits;
	resources_read(&before);
	ret = axvm_new(&config, &vm);
	if (!ret) {
		ck_ok(axvm_free(vm));
	} else {
		ck_assert_ptr_null(vm);
		resources_expect(&before, axvcpu_last_error());
	}
	return ret;
}

/* Nothing is wrong with it: it can be, unless KVM lacks the version. */
static void expect_fine(const struct axvm_arm64_config *gic, uint32_t vcpus, uint32_t gpa_bits)
{
	if (a64_has_gic(gic->gic_version))
		ck_ok(try_gic(gic, vcpus, gpa_bits));
	else
		ck_fails_saying(try_gic(gic, vcpus, gpa_bits), ENOTSUP,
				gic->gic_version == 2 ? "KVM_DEV_TYPE_ARM_VGIC_V2"
						      : "KVM_DEV_TYPE_ARM_VGIC_V3");
}

/* --- those that KVM has here, by version --------------------------------------------------------- */

START_TEST(frames_are_where_the_config_puts_them)
{
	struct axvm_arm64_config gic = gic_config((uint32_t)_i);

	gic.gicd_gpa = 0x10000000;
	put_second(&gic, 0x10010000);
	gic.nirqs = 64;
	a64_start_gic(&guest, &gic, false, NULL, 0);
	ck_ok(axvcpu_inject_interrupt(guest.vcpu, 33));
	a64_expect_irq(&guest, 33);
	ck_ok(axvm_set_irq_line(guest.vm, 1, false));
	ck_fails_saying(axvcpu_inject_interrupt(guest.vcpu, 64), EINVAL, "16 to 63");
	guest_end(&guest);
}
END_TEST

START_TEST(as_many_interrupts_as_the_config_has)
{
	struct axvm_arm64_config gic = gic_config((uint32_t)_i);

	gic.nirqs = 992;
	a64_start_gic(&guest, &gic, false, NULL, 0);
	for (uint32_t intid = 900; intid < 992; intid += 17) {
		ck_ok(axvm_set_irq_line(guest.vm, intid - 32, true));
		a64_expect_irq(&guest, intid);
		ck_ok(axvm_set_irq_line(guest.vm, intid - 32, false));
	}
	guest_end(&guest);
}
END_TEST

START_TEST(memory_does_not_overlap_the_gic)
{
	const struct version *v = &versions[_i];
	const struct axvm_arm64_config gic = gic_config((uint32_t)_i);
	uint64_t size = second_size((uint32_t)_i, 2);
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm_region region = AXVM_REGION_INIT;
	const struct {
		uint64_t gpa, len;
		const char *name;
	} bad[] = {
		{ AXVM_ARM64_GICD, 64 * KIB, "gicd" },
		{ AXVM_ARM64_GICD + v->gicd_size - 4 * KIB, 64 * KIB, "gicd" },
		{ AXVM_ARM64_GICD - 64 * KIB, 128 * KIB, "gicd" },
		{ v->gpa + size - 4 * KIB, 64 * KIB, v->name },
		{ v->gpa - 4 * KIB, 8 * KIB, v->name },
		{ 0, 0x10000000, "gicd" },
	};

	config.irqchip = AXVM_IRQCHIP_KERNEL;
	config.arch_config = &gic;
	config.max_vcpus = 2;
	ck_ok(axvm_new(&config, &guest.vm));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		region.gpa = bad[i].gpa;
		region.len = bad[i].len;
		ck_fails_saying(axvm_map(guest.vm, &region), EEXIST, bad[i].name);
		ck_assert_int_eq(axvm_regions(guest.vm, 0, 0, NULL), 0);
	}
	/* Before the distributor, between the two, behind the other. */
	region.len = 64 * KIB;
	region.gpa = AXVM_ARM64_GICD - 64 * KIB;
	ck_ok(axvm_map(guest.vm, &region));
	region.gpa = v->gpa + size;
	ck_ok(axvm_map(guest.vm, &region));
	region.gpa = AXVM_ARM64_GICD + v->gicd_size;
	region.len = v->gpa - region.gpa;
	ck_ok(axvm_map(guest.vm, &region));
	ck_ok(axvm_free(guest.vm));
}
END_TEST

START_TEST(gic_is_created_once_and_for_the_existing_vcpus)
{
	const struct axvm_arm64_config gic = gic_config((uint32_t)_i);
	struct kvm_create_device device = { 0 };
	struct axvcpu_config late = AXVCPU_CONFIG_INIT;
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvcpu *vcpu;

	config.irqchip = AXVM_IRQCHIP_KERNEL;
	config.arch_config = &gic;
	config.max_vcpus = 2;
	guest_create(&guest, &config, PROGRAM(chatter));
	/* Twice, past the library: KVM has one already. */
	device.type = _i == 2 ? KVM_DEV_TYPE_ARM_VGIC_V2 : KVM_DEV_TYPE_ARM_VGIC_V3;
	ck_assert_int_eq(ioctl(axvm_fd(guest.vm), KVM_CREATE_DEVICE, &device), -1);
	ck_assert_int_eq(errno, EEXIST);
	guest_setup(&guest, AXVCPU_MODE_64);
	ck_ok(axvm_finalize(guest.vm));
	ck_ok(axvm_finalize(guest.vm));
	/* Too late. */
	late.id = 1;
	ck_fails_saying(axvcpu_new(guest.vm, &late, &vcpu), EBUSY, "finalized");
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect_write(&guest, GUEST_MMIO, GUEST_VALUE);
	guest_end(&guest);
}
END_TEST

/* --- errors of each version ---------------------------------------------------------------------- */

static void expect_misaligned(const struct axvm_arm64_config *gic, const char *name, uint64_t gpa)
{
	char text[64];

	snprintf(text, sizeof(text), "%s %#" PRIx64 " is not a multiple of %#" PRIx64, name, gpa,
		 versions[gic->gic_version].alignment);
	ck_fails_saying(try_gic(gic, 1, 0), EINVAL, text);
}

START_TEST(a_frame_is_aligned)
{
	const struct version *v = &versions[_i];
	struct axvm_arm64_config gic = gic_config((uint32_t)_i);

	gic.gicd_gpa = AXVM_ARM64_GICD + v->alignment / 2;
	expect_misaligned(&gic, "gicd", gic.gicd_gpa);
	gic.gicd_gpa = 0;
	put_second(&gic, 0x09000001);
	expect_misaligned(&gic, v->name, 0x09000001);
	if (_i == 2)
		return;
	put_second(&gic, 0);
	gic.flags = AXVM_ARM64_ITS;
	gic.gits_gpa = 0x09001000;
	expect_misaligned(&gic, "gits", gic.gits_gpa);
}
END_TEST

START_TEST(a_frame_ends_within_the_vms_addresses)
{
	const struct version *v = &versions[_i];
	struct axvm_arm64_config gic = gic_config((uint32_t)_i);
	const uint64_t end = UINT64_C(1) << 36;

	gic.gicd_gpa = end;
	ck_fails_saying(try_gic(&gic, 1, 36), EINVAL, "36 bits");
	gic.gicd_gpa = UINT64_MAX - 0xffff;
	ck_fails_saying(try_gic(&gic, 1, 36), EINVAL, "36 bits");
	gic.gicd_gpa = end - v->gicd_size;
	expect_fine(&gic, 1, 36);
	gic.gicd_gpa = 0;
	/* One page of it too far; of a GICv3 that is the last CPU's redistributor. */
	put_second(&gic, end - second_size((uint32_t)_i, 4) + v->alignment);
	ck_fails_saying(try_gic(&gic, 4, 36), EINVAL, v->name);
	ck_fails_saying(try_gic(&gic, 4, 36), EINVAL, "36 bits");
	put_second(&gic, end - second_size((uint32_t)_i, 4));
	expect_fine(&gic, 4, 36);
}
END_TEST

START_TEST(frames_do_not_overlap)
{
	const struct version *v = &versions[_i];
	struct axvm_arm64_config gic = gic_config((uint32_t)_i);
	uint64_t size = second_size((uint32_t)_i, 4);

	gic.gicd_gpa = v->gpa + size - v->alignment;
	ck_fails_saying(try_gic(&gic, 4, 0), EINVAL, frame_text(v->name, v->gpa, size));
	ck_fails_saying(try_gic(&gic, 4, 0), EINVAL,
			frame_text("overlaps gicd", gic.gicd_gpa, v->gicd_size));
	gic.gicd_gpa = v->gpa + size;
	expect_fine(&gic, 4, 0);
	put_second(&gic, gic.gicd_gpa);
	ck_fails_saying(try_gic(&gic, 1, 0), EINVAL, "overlaps gicd");
}
END_TEST

START_TEST(an_its_does_not_overlap_either)
{
	struct axvm_arm64_config gic = gic_config(3);

	gic.flags = AXVM_ARM64_ITS;
	gic.gits_gpa = AXVM_ARM64_GICD;
	ck_fails_saying(try_gic(&gic, 1, 0), EINVAL, "gits 0x8000000 +0x20000 overlaps gicd");
	gic.gits_gpa = AXVM_ARM64_GICR + 64 * KIB;
	ck_fails_saying(try_gic(&gic, 1, 0), EINVAL, "overlaps gicr");
	gic.gits_gpa = AXVM_ARM64_GICR + GICR_SIZE;
	expect_fine(&gic, 1, 0);
	gic.gits_gpa = 0;
	expect_fine(&gic, 1, 0);
}
END_TEST

/* Nine vCPUs. Where there is no GICv3, KVM has no more than eight in any VM. */
static void expect_too_many(const struct axvm_arm64_config *gic)
{
	ck_fails_saying(try_gic(gic, 9, 0), EINVAL, "max_vcpus is 9");
	ck_assert_ptr_nonnull(strstr(axvcpu_last_error(), a64_has_gic(3) ? "a GICv2 has at most 8"
									 : "KVM_CAP_MAX_VCPUS is 8"));
}

START_TEST(nonsense_is_refused_with_nothing_half_created)
{
	struct axvm_arm64_config gic = AXVM_ARM64_CONFIG_INIT;
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm *vm = NULL;

	gic.gic_version = 1;
	ck_fails_saying(try_gic(&gic, 1, 0), EINVAL, "gic_version is 1");
	gic.gic_version = 4;
	ck_fails_saying(try_gic(&gic, 1, 0), EINVAL, "gic_version is 4");
	gic.gic_version = 0;
	gic.flags = 1u << 7;
	ck_fails_saying(try_gic(&gic, 1, 0), EINVAL, "0x80");
	gic.flags = 0;
	gic.reserved = 1;
	ck_fails_saying(try_gic(&gic, 1, 0), EINVAL, "reserved");
	gic.reserved = 0;
	for (uint32_t nirqs = 1; nirqs < 64; nirqs += 31) {
		gic.nirqs = nirqs;
		ck_fails_saying(try_gic(&gic, 1, 0), EINVAL, "nirqs");
	}
	gic.nirqs = 1024;
	ck_fails_saying(try_gic(&gic, 1, 0), EINVAL, "64 to 992");
	gic.nirqs = 100;
	ck_fails_saying(try_gic(&gic, 1, 0), EINVAL, "multiple of 32");
	gic.nirqs = 0;
	gic.gits_gpa = 0x09000000;
	ck_fails_saying(try_gic(&gic, 1, 0), EINVAL, "without AXVM_ARM64_ITS");
	gic.gits_gpa = 0;
	gic.gic_version = 3;
	gic.gicc_gpa = 0x09000000;
	ck_fails_saying(try_gic(&gic, 1, 0), EINVAL, "gicc does not exist in a GICv3");
	gic.gic_version = 2;
	gic.gicc_gpa = 0;
	gic.gicr_gpa = 0x09000000;
	ck_fails_saying(try_gic(&gic, 1, 0), EINVAL, "gicr does not exist in a GICv2");
	gic.gicr_gpa = 0;
	gic.flags = AXVM_ARM64_ITS;
	ck_fails_saying(try_gic(&gic, 1, 0), EINVAL, "AXVM_ARM64_ITS does not exist in a GICv2");
	gic.flags = 0;
	expect_too_many(&gic);
	/* A GIC is described where there is none. */
	config.arch_config = &gic;
	ck_fails_saying(axvm_new(&config, &vm), EINVAL, "AXVM_IRQCHIP_KERNEL");
	gic.gic_version = 0;
	ck_ok(axvm_new(&config, &vm));
	ck_ok(axvm_free(vm));
}
END_TEST

/* A config whose size is that of a newer header: its additional bytes must be zero, but are not. */
struct newer {
	struct axvm_arm64_config gic;
	uint64_t more;
};

START_TEST(a_config_of_a_newer_header_is_refused_if_it_uses_it)
{
	struct newer newer = { .gic = AXVM_ARM64_CONFIG_INIT };

	newer.gic.size = sizeof(newer);
	ck_ok(try_gic(&newer.gic, 1, 0));
	newer.more = 1;
	ck_fails(try_gic(&newer.gic, 1, 0), E2BIG);
}
END_TEST

START_TEST(a_version_that_kvm_lacks_is_refused_by_its_name)
{
	struct axvm_arm64_config gic = gic_config((uint32_t)_i);

	gic.flags = _i == 3 ? AXVM_ARM64_ITS : 0;
	expect_fine(&gic, 8, 0);
}
END_TEST

static void expect_fine_or(const struct axvm_arm64_config *gic, bool fine, const char *text)
{
	if (fine)
		ck_ok(try_gic(gic, 1, 0));
	else
		ck_fails_saying(try_gic(gic, 1, 0), EINVAL, text);
}

/* The error for a GIC without a version names the version that would be used. */
START_TEST(without_a_version_it_is_the_newest_that_kvm_has)
{
	struct axvm_arm64_config gic = AXVM_ARM64_CONFIG_INIT;
	bool v3 = a64_gic_version() == 3;

	ck_ok(try_gic(&gic, 8, 0));
	if (v3)
		ck_ok(try_gic(&gic, 9, 0));
	else
		expect_too_many(&gic);
	gic.gicc_gpa = AXVM_ARM64_GICC;
	expect_fine_or(&gic, !v3, "gicc does not exist in a GICv3");
	gic.gicc_gpa = 0;
	gic.gicr_gpa = AXVM_ARM64_GICR;
	expect_fine_or(&gic, v3, "gicr does not exist in a GICv2");
	gic.gicr_gpa = 0;
	gic.flags = AXVM_ARM64_ITS;
	expect_fine_or(&gic, v3, "AXVM_ARM64_ITS does not exist in a GICv2");
}
END_TEST

static uint32_t version_of(const struct axvm_arm64_config *gic, uint32_t irqchip)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm_limits limits = AXVM_LIMITS_INIT;
	struct axvm *vm;

	config.irqchip = irqchip;
	config.arch_config = gic;
	ck_ok(axvm_new(&config, &vm));
	ck_ok(axvm_get_limits(vm, &limits));
	ck_ok(axvm_free(vm));
	return limits.gic_version;
}

START_TEST(the_version_of_a_vms_gic_can_be_asked_for)
{
	ck_assert_uint_eq(version_of(NULL, AXVM_IRQCHIP_KERNEL), a64_gic_version());
	ck_assert_uint_eq(version_of(NULL, AXVM_IRQCHIP_NONE), 0);
	for (uint32_t version = 2; version <= 3; version++) {
		struct axvm_arm64_config gic = gic_config(version);

		if (a64_has_gic(version))
			ck_assert_uint_eq(version_of(&gic, AXVM_IRQCHIP_KERNEL), version);
	}
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *here = suite_case(suite, "here");
	TCase *errors = suite_case(suite, "errors");
	const int from = a64_has_gic(2) ? 2 : 3, end = a64_has_gic(3) ? 4 : 3;

	if (from == 3)
		suite_left_out("a GICv2 that works", "this KVM makes none");
	if (end == 3)
		suite_left_out("a GICv3 that works", "this KVM makes none");
	tcase_add_loop_test(here, frames_are_where_the_config_puts_them, from, end);
	tcase_add_loop_test(here, as_many_interrupts_as_the_config_has, from, end);
	tcase_add_loop_test(here, memory_does_not_overlap_the_gic, from, end);
	tcase_add_loop_test(here, gic_is_created_once_and_for_the_existing_vcpus, from, end);
	tcase_add_loop_test(errors, a_frame_is_aligned, 2, 4);
	tcase_add_loop_test(errors, a_frame_ends_within_the_vms_addresses, 2, 4);
	tcase_add_loop_test(errors, frames_do_not_overlap, 2, 4);
	tcase_add_test(errors, an_its_does_not_overlap_either);
	tcase_add_test(errors, nonsense_is_refused_with_nothing_half_created);
	tcase_add_test(errors, a_config_of_a_newer_header_is_refused_if_it_uses_it);
	tcase_add_loop_test(errors, a_version_that_kvm_lacks_is_refused_by_its_name, 2, 4);
	tcase_add_test(errors, without_a_version_it_is_the_newest_that_kvm_has);
	tcase_add_test(here, the_version_of_a_vms_gic_can_be_asked_for);
}

int main(void)
{
	return suite_main("arm64: GIC", true, add_tests);
}
