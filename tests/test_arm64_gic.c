/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* How the GIC is set up, and what of it is refused, before anything of it is there. */
#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "arm64_guest.h"
#include "resources.h"
#include "suite.h"

#define KIB 1024u
#define GICR_SIZE (128 * KIB)

static struct guest guest;

/* Tries a VM of this GIC and frees it again; what axvm_new() has said. */
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

START_TEST(frames_are_where_the_config_puts_them)
{
	struct axvm_arm64_config gic = AXVM_ARM64_CONFIG_INIT;

	gic.gicd_gpa = 0x10000000;
	gic.gicr_gpa = 0x10010000;
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
	struct axvm_arm64_config gic = AXVM_ARM64_CONFIG_INIT;

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

START_TEST(a_frame_is_aligned)
{
	struct axvm_arm64_config gic = AXVM_ARM64_CONFIG_INIT;

	gic.gicd_gpa = 0x08001000;
	ck_fails_saying(try_gic(&gic, 1, 0), EINVAL, "gicd 0x8001000 is not a multiple of 0x10000");
	gic.gicd_gpa = 0;
	gic.gicr_gpa = 0x09008000;
	ck_fails_saying(try_gic(&gic, 1, 0), EINVAL, "gicr 0x9008000 is not a multiple");
	gic.gicr_gpa = 0;
	gic.flags = AXVM_ARM64_ITS;
	gic.gits_gpa = 0x09000001;
	ck_fails_saying(try_gic(&gic, 1, 0), EINVAL, "gits 0x9000001 is not a multiple");
}
END_TEST

START_TEST(a_frame_ends_within_the_vms_addresses)
{
	struct axvm_arm64_config gic = AXVM_ARM64_CONFIG_INIT;

	gic.gicd_gpa = UINT64_C(1) << 36;
	ck_fails_saying(try_gic(&gic, 1, 36), EINVAL, "36 bits");
	gic.gicd_gpa = UINT64_MAX - 0xffff;
	ck_fails_saying(try_gic(&gic, 1, 36), EINVAL, "36 bits");
	gic.gicd_gpa = (UINT64_C(1) << 36) - 64 * KIB;
	ck_ok(try_gic(&gic, 1, 36));
	gic.gicd_gpa = 0;
	/* The last CPU's redistributor. */
	gic.gicr_gpa = (UINT64_C(1) << 36) - 3 * GICR_SIZE;
	ck_fails_saying(try_gic(&gic, 4, 36), EINVAL, "gicr");
	ck_ok(try_gic(&gic, 3, 36));
}
END_TEST

START_TEST(frames_do_not_overlap)
{
	struct axvm_arm64_config gic = AXVM_ARM64_CONFIG_INIT;

	gic.gicd_gpa = AXVM_ARM64_GICR + 3 * GICR_SIZE;
	ck_fails_saying(try_gic(&gic, 4, 0), EINVAL, "gicr 0x80a0000 +0x80000 overlaps gicd");
	ck_ok(try_gic(&gic, 3, 0));
	gic.gicd_gpa = 0;
	gic.flags = AXVM_ARM64_ITS;
	gic.gits_gpa = AXVM_ARM64_GICD;
	ck_fails_saying(try_gic(&gic, 1, 0), EINVAL, "gits 0x8000000 +0x20000 overlaps gicd");
	gic.gits_gpa = AXVM_ARM64_GICR + 64 * KIB;
	ck_fails_saying(try_gic(&gic, 1, 0), EINVAL, "overlaps gicr");
	gic.gits_gpa = AXVM_ARM64_GICR + GICR_SIZE;
	ck_ok(try_gic(&gic, 1, 0));
	gic.gits_gpa = 0;
	ck_ok(try_gic(&gic, 1, 0));
}
END_TEST

START_TEST(memory_does_not_overlap_the_gic)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm_region region = AXVM_REGION_INIT;
	const struct {
		uint64_t gpa, len;
		const char *name;
	} bad[] = {
		{ AXVM_ARM64_GICD, 64 * KIB, "gicd" },
		{ AXVM_ARM64_GICD + 60 * KIB, 64 * KIB, "gicd" },
		{ AXVM_ARM64_GICD - 64 * KIB, 128 * KIB, "gicd" },
		{ AXVM_ARM64_GICR + GICR_SIZE, 64 * KIB, "gicr" },
		{ 0, 0x10000000, "gicd" },
	};

	config.irqchip = AXVM_IRQCHIP_KERNEL;
	config.max_vcpus = 2;
	ck_ok(axvm_new(&config, &guest.vm));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		region.gpa = bad[i].gpa;
		region.len = bad[i].len;
		ck_fails_saying(axvm_map(guest.vm, &region), EEXIST, bad[i].name);
		ck_assert_int_eq(axvm_regions(guest.vm, 0, 0, NULL), 0);
	}
	region.gpa = AXVM_ARM64_GICD - 64 * KIB;
	region.len = 64 * KIB;
	ck_ok(axvm_map(guest.vm, &region));
	region.gpa = AXVM_ARM64_GICR + 2 * GICR_SIZE;
	ck_ok(axvm_map(guest.vm, &region));
	ck_ok(axvm_free(guest.vm));
}
END_TEST

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
	ck_fails_saying(try_gic(&gic, 1, 0), EINVAL, "steps of 32");
	gic.nirqs = 0;
	gic.gits_gpa = 0x09000000;
	ck_fails_saying(try_gic(&gic, 1, 0), EINVAL, "without AXVM_ARM64_ITS");
	gic.gits_gpa = 0;
	gic.gic_version = 3;
	gic.gicc_gpa = 0x09000000;
	ck_fails_saying(try_gic(&gic, 1, 0), EINVAL, "gicc is not of a GICv3");
	gic.gic_version = 2;
	gic.gicc_gpa = 0;
	gic.gicr_gpa = 0x09000000;
	ck_fails_saying(try_gic(&gic, 1, 0), EINVAL, "gicr is not of a GICv2");
	gic.gicr_gpa = 0;
	gic.flags = AXVM_ARM64_ITS;
	ck_fails_saying(try_gic(&gic, 1, 0), EINVAL, "AXVM_ARM64_ITS is not of a GICv2");
	gic.flags = 0;
	ck_fails_saying(try_gic(&gic, 9, 0), EINVAL, "at most 8");
	/* A GIC is described where there is none. */
	config.arch_config = &gic;
	ck_fails_saying(axvm_new(&config, &vm), EINVAL, "AXVM_IRQCHIP_KERNEL");
	gic.gic_version = 0;
	ck_ok(axvm_new(&config, &vm));
	ck_ok(axvm_free(vm));
}
END_TEST

/* A newer header, as the size says: what it has more must be zero. Here it is not. */
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

/* Whether KVM could make such a device. */
static bool has_device(uint32_t type)
{
	struct kvm_create_device device = { .type = type, .flags = KVM_CREATE_DEVICE_TEST };
	struct axvm *vm;
	bool has;

	ck_ok(axvm_new(NULL, &vm));
	has = ioctl(axvm_fd(vm), KVM_CREATE_DEVICE, &device) == 0;
	ck_ok(axvm_free(vm));
	return has;
}

START_TEST(a_version_that_kvm_lacks_is_refused_by_its_name)
{
	struct axvm_arm64_config gic = AXVM_ARM64_CONFIG_INIT;

	gic.gic_version = 2;
	if (has_device(KVM_DEV_TYPE_ARM_VGIC_V2))
		ck_ok(try_gic(&gic, 8, 0));
	else
		ck_fails_saying(try_gic(&gic, 8, 0), ENOTSUP, "KVM_DEV_TYPE_ARM_VGIC_V2");
	gic.gic_version = 3;
	gic.flags = AXVM_ARM64_ITS;
	if (has_device(KVM_DEV_TYPE_ARM_VGIC_V3))
		ck_ok(try_gic(&gic, 8, 0));
	else
		ck_fails_saying(try_gic(&gic, 8, 0), ENOTSUP, "KVM_DEV_TYPE_ARM_VGIC_V3");
}
END_TEST

START_TEST(there_is_one_gic_and_its_vcpus_are_those_there_are)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	struct axvcpu_config late = AXVCPU_CONFIG_INIT;
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvcpu *vcpu;

	config.irqchip = AXVM_IRQCHIP_KERNEL;
	config.max_vcpus = 2;
	guest_create(&guest, &config, PROGRAM(chatter));
	/* Twice, past the library: KVM has one already. */
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

static void add_tests(Suite *suite)
{
	TCase *all = suite_case(suite, "all");

	tcase_add_test(all, frames_are_where_the_config_puts_them);
	tcase_add_test(all, as_many_interrupts_as_the_config_has);
	tcase_add_test(all, a_frame_is_aligned);
	tcase_add_test(all, a_frame_ends_within_the_vms_addresses);
	tcase_add_test(all, frames_do_not_overlap);
	tcase_add_test(all, memory_does_not_overlap_the_gic);
	tcase_add_test(all, nonsense_is_refused_with_nothing_half_created);
	tcase_add_test(all, a_config_of_a_newer_header_is_refused_if_it_uses_it);
	tcase_add_test(all, a_version_that_kvm_lacks_is_refused_by_its_name);
	tcase_add_test(all, there_is_one_gic_and_its_vcpus_are_those_there_are);
}

int main(void)
{
	return suite_main("arm64: GIC", true, add_tests);
}
