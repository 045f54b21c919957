/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The in-kernel GIC: its config, its creation with the VM, its start by axvm_finalize(). */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "axvcpu/memory.h"
#include "backends/arm64/arm64.h"
#include "backends/kvm/device.h"
#include "lib/base/sized.h"

#define KIB 1024u

/* GICv2 addresses CPUs by the bits of a byte. */
#define V2_VCPUS_MAX 8u

#define NIRQS_DEFAULT 256u
#define NIRQS_MIN 64u
#define NIRQS_STEP 32u

/* --- the config ------------------------------------------------------------------------------ */

static int check_config(const struct axk_vm *kvm, const struct axvm_arm64_config *config)
{
	const struct axvm *vm = kvm->vm;

	if (config->flags & ~AXVM_ARM64_ITS || config->reserved)
		return axvcpu_fail(vm, -EINVAL,
				   "arm64 config: unknown flags %#" PRIx32
				   ", or the reserved field is not 0",
				   config->flags & ~AXVM_ARM64_ITS);
	if (config->gic_version && config->gic_version != 2 && config->gic_version != 3)
		return axvcpu_fail(vm, -EINVAL,
				   "arm64 config: gic_version is %" PRIu32 "; it must be 2 or 3",
				   config->gic_version);
	if (config->nirqs && (config->nirqs < NIRQS_MIN || config->nirqs > ARM64_IRQS_MAX ||
			      config->nirqs % NIRQS_STEP))
		return axvcpu_fail(vm, -EINVAL,
				   "arm64 config: nirqs is %" PRIu32
				   "; it must be %u to %d, a multiple of %u",
				   config->nirqs, NIRQS_MIN, ARM64_IRQS_MAX, NIRQS_STEP);
	if (!(config->flags & AXVM_ARM64_ITS) && config->gits_gpa)
		return axvcpu_fail(vm, -EINVAL, "arm64 config: gits_gpa without AXVM_ARM64_ITS");
	return 0;
}

/* Refuses a config that describes a GIC if the VM has none. */
static int check_none(const struct axk_vm *kvm, const struct axvm_arm64_config *config)
{
	if (config->flags || config->gic_version || config->nirqs || config->gicd_gpa ||
	    config->gicr_gpa || config->gicc_gpa || config->gits_gpa)
		return axvcpu_fail(kvm->vm, -EINVAL,
				   "arm64 config: a GIC is described, but irqchip is not "
				   "AXVM_IRQCHIP_KERNEL");
	return 0;
}

/* Refuses options that the GIC version does not have. */
static int check_version(const struct axk_vm *kvm, const struct axvm_arm64_config *config,
			 uint32_t version)
{
	const char *what = NULL;

	if (version == 3 && config->gicc_gpa)
		what = "gicc";
	else if (version == 2 && config->gicr_gpa)
		what = "gicr";
	else if (version == 2 && (config->flags & AXVM_ARM64_ITS))
		what = "AXVM_ARM64_ITS";
	if (what)
		return axvcpu_fail(kvm->vm, -EINVAL,
				   "arm64 config: %s does not exist in a GICv%" PRIu32, what,
				   version);
	if (version == 2 && kvm->max_vcpus > V2_VCPUS_MAX)
		return axvcpu_fail(kvm->vm, -EINVAL,
				   "VM config: max_vcpus is %" PRIu32 "; a GICv2 has at most %u",
				   kvm->max_vcpus, V2_VCPUS_MAX);
	return 0;
}

/* --- windows ---------------------------------------------------------------------------------- */

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a <= b + (b_size - 1) && b <= a + (a_size - 1);
}

static int check_window(const struct axk_vm *kvm, const struct axk_arm64_gic_window *window,
			uint64_t alignment, uint32_t gpa_bits)
{
	const struct axk_arm64_gic *gic = &kvm->arch.gic;
	uint64_t last = axk_last_gpa(gpa_bits);

	if (window->gpa % alignment)
		return axvcpu_fail(kvm->vm, -EINVAL,
				   "arm64 config: %s %#" PRIx64 " is not a multiple of %#" PRIx64,
				   window->name, window->gpa, alignment);
	if (window->gpa > last || window->size - 1 > last - window->gpa)
		return axvcpu_fail(kvm->vm, -EINVAL,
				   "arm64 config: %s %#" PRIx64 " +%#" PRIx64
				   " ends beyond the VM's %" PRIu32 " bits",
				   window->name, window->gpa, window->size, gpa_bits);
	for (uint32_t i = 0; i < gic->nwindows; i++) {
		const struct axk_arm64_gic_window *other = &gic->windows[i];

		if (overlap(window->gpa, window->size, other->gpa, other->size))
			return axvcpu_fail(kvm->vm, -EINVAL,
					   "arm64 config: %s %#" PRIx64 " +%#" PRIx64
					   " overlaps %s %#" PRIx64 " +%#" PRIx64,
					   window->name, window->gpa, window->size, other->name,
					   other->gpa, other->size);
	}
	return 0;
}

static int add_window(struct axk_vm *kvm, struct axk_arm64_gic_window window, uint64_t alignment,
		      uint32_t gpa_bits)
{
	struct axk_arm64_gic *gic = &kvm->arch.gic;
	int ret = check_window(kvm, &window, alignment, gpa_bits);

	if (ret)
		return ret;
	gic->windows[gic->nwindows++] = window;
	return 0;
}

static int plan_windows(struct axk_vm *kvm, const struct axvm_arm64_config *config,
			uint32_t gpa_bits)
{
	const bool v3 = kvm->arch.gic.version == 3;
	const uint64_t alignment = v3 ? 64 * KIB : 4 * KIB;
	struct axk_arm64_gic_window gicd = { "gicd", AXVM_ARM64_GICD, 4 * KIB,
					     KVM_VGIC_V2_ADDR_TYPE_DIST };
	struct axk_arm64_gic_window gicc = { "gicc", AXVM_ARM64_GICC, 8 * KIB,
					     KVM_VGIC_V2_ADDR_TYPE_CPU };
	struct axk_arm64_gic_window gicr = { "gicr", AXVM_ARM64_GICR,
					     128 * KIB * (uint64_t)kvm->max_vcpus,
					     KVM_VGIC_V3_ADDR_TYPE_REDIST };
	struct axk_arm64_gic_window gits = { "gits", AXVM_ARM64_GITS, 128 * KIB,
					     KVM_VGIC_ITS_ADDR_TYPE };
	int ret;

	if (config->gicd_gpa)
		gicd.gpa = config->gicd_gpa;
	if (config->gicc_gpa)
		gicc.gpa = config->gicc_gpa;
	if (config->gicr_gpa)
		gicr.gpa = config->gicr_gpa;
	if (config->gits_gpa)
		gits.gpa = config->gits_gpa;
	if (v3) {
		gicd.size = 64 * KIB;
		gicd.attr = KVM_VGIC_V3_ADDR_TYPE_DIST;
	}
	ret = add_window(kvm, gicd, alignment, gpa_bits);
	if (ret)
		return ret;
	ret = add_window(kvm, v3 ? gicr : gicc, alignment, gpa_bits);
	if (ret)
		return ret;
	if (!(config->flags & AXVM_ARM64_ITS))
		return 0;
	return add_window(kvm, gits, alignment, gpa_bits);
}

int axk_arm64_vm_map(void *arch_vm, const struct axvm_region *region, uint32_t slot)
{
	const struct axk_vm *kvm = arch_vm;
	const struct axk_arm64_gic *gic = &kvm->arch.gic;

	/* KVM would accept the region, and it would hide the GIC from the guest. */
	for (uint32_t i = 0; i < gic->nwindows; i++) {
		const struct axk_arm64_gic_window *window = &gic->windows[i];

		if (overlap(region->gpa, region->len, window->gpa, window->size))
			return axvcpu_fail(kvm->vm, -EEXIST,
					   "map: %#" PRIx64 " +%#" PRIx64
					   " overlaps the GIC's %s %#" PRIx64 " +%#" PRIx64,
					   region->gpa, region->len, window->name, window->gpa,
					   window->size);
	}
	return axk_vm_map(arch_vm, region, slot);
}

/* --- creation --------------------------------------------------------------------------------- */

/* Sets the guest-physical address of a window. */
static int place(const struct axk_vm *kvm, int fd, const struct axk_arm64_gic_window *window)
{
	return axk_device_set(kvm, fd, KVM_DEV_ARM_VGIC_GRP_ADDR, window->attr, &window->gpa,
			      "KVM_DEV_ARM_VGIC_GRP_ADDR");
}

static int create_gic(struct axk_vm *kvm)
{
	struct axk_arm64_gic *gic = &kvm->arch.gic;
	int ret;

	if (gic->version == 3)
		ret = axk_device_new(kvm, KVM_DEV_TYPE_ARM_VGIC_V3, "KVM_DEV_TYPE_ARM_VGIC_V3");
	else
		ret = axk_device_new(kvm, KVM_DEV_TYPE_ARM_VGIC_V2, "KVM_DEV_TYPE_ARM_VGIC_V2");
	if (ret < 0)
		return ret;
	gic->fd = ret;
	ret = axk_device_set(kvm, gic->fd, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &gic->nirqs,
			     "KVM_DEV_ARM_VGIC_GRP_NR_IRQS");
	if (ret)
		return ret;
	ret = place(kvm, gic->fd, &gic->windows[0]);
	if (ret)
		return ret;
	return place(kvm, gic->fd, &gic->windows[1]);
}

static int create_its(struct axk_vm *kvm)
{
	struct axk_arm64_gic *gic = &kvm->arch.gic;
	int ret = axk_device_new(kvm, KVM_DEV_TYPE_ARM_VGIC_ITS, "KVM_DEV_TYPE_ARM_VGIC_ITS");

	if (ret < 0)
		return ret;
	gic->its_fd = ret;
	return place(kvm, gic->its_fd, &gic->windows[2]);
}

/*
 * Chooses the newest version that KVM has, unless the config names one. Without any GIC the choice
 * is 3, and creating that reports the error.
 */
static int choose_version(struct axk_vm *kvm, uint32_t wanted)
{
	int has_v3 = 0, has_v2 = 0;

	if (!wanted)
		has_v3 = axk_device_exists(kvm, KVM_DEV_TYPE_ARM_VGIC_V3);
	if (!wanted && !has_v3)
		has_v2 = axk_device_exists(kvm, KVM_DEV_TYPE_ARM_VGIC_V2);
	if (has_v3 < 0)
		return has_v3;
	if (has_v2 < 0)
		return has_v2;
	if (!wanted)
		wanted = has_v2 ? 2 : 3;
	kvm->arch.gic.version = wanted;
	return 0;
}

static int create(struct axk_vm *kvm, const struct axvm_arm64_config *config, uint32_t gpa_bits)
{
	struct axk_arm64_gic *gic = &kvm->arch.gic;
	int ret;

	gic->nirqs = config->nirqs ? config->nirqs : NIRQS_DEFAULT;
	ret = choose_version(kvm, config->gic_version);
	if (ret)
		return ret;
	ret = check_version(kvm, config, gic->version);
	if (ret)
		return ret;
	ret = plan_windows(kvm, config, gpa_bits);
	if (ret)
		return ret;
	ret = create_gic(kvm);
	if (!ret && (config->flags & AXVM_ARM64_ITS))
		ret = create_its(kvm);
	if (ret)
		axk_arm64_gic_destroy(kvm);
	return ret;
}

int axk_arm64_gic_init(struct axk_vm *kvm, const struct axvm_config *given, uint32_t gpa_bits)
{
	struct axvm_arm64_config config;
	int ret = axv_sized_copy(kvm->vm, "struct axvm_arm64_config", &config, sizeof(config),
				 given->arch_config);

	kvm->arch.gic.fd = -1;
	kvm->arch.gic.its_fd = -1;
	if (ret)
		return ret;
	ret = check_config(kvm, &config);
	if (ret)
		return ret;
	if (!kvm->kernel_irqchip)
		return check_none(kvm, &config);
	return create(kvm, &config, gpa_bits);
}

void axk_arm64_gic_destroy(struct axk_vm *kvm)
{
	struct axk_arm64_gic *gic = &kvm->arch.gic;

	if (gic->its_fd >= 0)
		axv_sys_close(gic->its_fd);
	if (gic->fd >= 0)
		axv_sys_close(gic->fd);
	gic->its_fd = gic->fd = -1;
}

static int init_device(const struct axk_vm *kvm, int fd, const char *what)
{
	return axk_device_set(kvm, fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL,
			      what);
}

/* KVM allocates the GIC's state for the vCPUs that exist now. Initialising it twice is harmless. */
int axk_arm64_vm_finalize(void *arch_vm)
{
	struct axk_vm *kvm = arch_vm;
	struct axk_arm64_gic *gic = &kvm->arch.gic;
	int ret = 0;

	if (gic->fd >= 0)
		ret = init_device(kvm, gic->fd, "KVM_DEV_ARM_VGIC_CTRL_INIT");
	if (!ret && gic->its_fd >= 0)
		ret = init_device(kvm, gic->its_fd, "KVM_DEV_ARM_VGIC_CTRL_INIT of the ITS");
	if (!ret)
		atomic_store(&gic->ready, true);
	return ret;
}
