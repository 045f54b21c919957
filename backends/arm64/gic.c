/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The kernel's GIC: what the config wants, whether that can be, and its birth in two steps. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "axvcpu/memory.h"
#include "backends/arm64/arm64.h"
#include "backends/kvm/device.h"
#include "lib/base/sized.h"

#define KIB 1024u

/* GICv2 names CPUs by the bits of a byte. */
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
				   "arm64 config: unknown flags %#" PRIx32 ", or reserved is not 0",
				   config->flags & ~AXVM_ARM64_ITS);
	if (config->gic_version && config->gic_version != 2 && config->gic_version != 3)
		return axvcpu_fail(vm, -EINVAL,
				   "arm64 config: gic_version is %" PRIu32 ", not 2 or 3",
				   config->gic_version);
	if (config->nirqs && (config->nirqs < NIRQS_MIN || config->nirqs > ARM64_IRQS_MAX ||
			      config->nirqs % NIRQS_STEP))
		return axvcpu_fail(vm, -EINVAL,
				   "arm64 config: nirqs is %" PRIu32
				   ", not %u to %d in steps of %u",
				   config->nirqs, NIRQS_MIN, ARM64_IRQS_MAX, NIRQS_STEP);
	if (!(config->flags & AXVM_ARM64_ITS) && config->gits_gpa)
		return axvcpu_fail(vm, -EINVAL, "arm64 config: gits without AXVM_ARM64_ITS");
	return 0;
}

/* That there is no GIC must not be news to somebody who has described one. */
static int check_none(const struct axk_vm *kvm, const struct axvm_arm64_config *config)
{
	if (config->flags || config->gic_version || config->nirqs || config->gicd_gpa ||
	    config->gicr_gpa || config->gicc_gpa || config->gits_gpa)
		return axvcpu_fail(kvm->vm, -EINVAL,
				   "arm64 config: a GIC is described, but irqchip is not "
				   "AXVM_IRQCHIP_KERNEL");
	return 0;
}

/* What a GIC of the version has no frame for. */
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
		return axvcpu_fail(kvm->vm, -EINVAL, "arm64 config: %s is not of a GICv%" PRIu32,
				   what, version);
	if (version == 2 && kvm->max_vcpus > V2_VCPUS_MAX)
		return axvcpu_fail(kvm->vm, -EINVAL,
				   "VM config: max_vcpus is %" PRIu32 ", a GICv2 has at most %u",
				   kvm->max_vcpus, V2_VCPUS_MAX);
	return 0;
}

/* --- frames ---------------------------------------------------------------------------------- */

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a <= b + (b_size - 1) && b <= a + (a_size - 1);
}

static int check_frame(const struct axk_vm *kvm, const struct axk_arm64_gic_window *frame,
		       uint64_t alignment, uint32_t gpa_bits)
{
	const struct axk_arm64_gic *gic = &kvm->arch.gic;
	uint64_t last = axk_last_gpa(gpa_bits);

	if (frame->gpa % alignment)
		return axvcpu_fail(kvm->vm, -EINVAL,
				   "arm64 config: %s %#" PRIx64 " is not a multiple of %#" PRIx64,
				   frame->name, frame->gpa, alignment);
	if (frame->gpa > last || frame->size - 1 > last - frame->gpa)
		return axvcpu_fail(kvm->vm, -EINVAL,
				   "arm64 config: %s %#" PRIx64 " +%#" PRIx64
				   " ends beyond the VM's %" PRIu32 " bits",
				   frame->name, frame->gpa, frame->size, gpa_bits);
	for (uint32_t i = 0; i < gic->nframes; i++) {
		const struct axk_arm64_gic_window *other = &gic->frames[i];

		if (overlap(frame->gpa, frame->size, other->gpa, other->size))
			return axvcpu_fail(kvm->vm, -EINVAL,
					   "arm64 config: %s %#" PRIx64 " +%#" PRIx64
					   " overlaps %s %#" PRIx64 " +%#" PRIx64,
					   frame->name, frame->gpa, frame->size, other->name,
					   other->gpa, other->size);
	}
	return 0;
}

static int plan_frames(struct axk_vm *kvm, const struct axvm_arm64_config *config,
		       uint32_t gpa_bits)
{
	struct axk_arm64_gic *gic = &kvm->arch.gic;
	const bool v3 = gic->version == 3;
	const uint64_t gicd = config->gicd_gpa ? config->gicd_gpa : AXVM_ARM64_GICD;
	const struct axk_arm64_gic_window frames[ARM64_FRAMES] = {
		v3 ? (struct axk_arm64_gic_window){ "gicd", gicd, 64 * KIB,
						    KVM_VGIC_V3_ADDR_TYPE_DIST }
		   : (struct axk_arm64_gic_window){ "gicd", gicd, 4 * KIB,
						    KVM_VGIC_V2_ADDR_TYPE_DIST },
		v3 ? (struct axk_arm64_gic_window){ "gicr",
						    config->gicr_gpa ? config->gicr_gpa
								     : AXVM_ARM64_GICR,
						    128 * KIB * (uint64_t)kvm->max_vcpus,
						    KVM_VGIC_V3_ADDR_TYPE_REDIST }
		   : (struct axk_arm64_gic_window){ "gicc",
						    config->gicc_gpa ? config->gicc_gpa
								     : AXVM_ARM64_GICC,
						    8 * KIB, KVM_VGIC_V2_ADDR_TYPE_CPU },
		{ "gits", config->gits_gpa ? config->gits_gpa : AXVM_ARM64_GITS, 128 * KIB,
		  KVM_VGIC_ITS_ADDR_TYPE },
	};
	uint32_t n = config->flags & AXVM_ARM64_ITS ? 3 : 2;
	int ret = 0;

	for (uint32_t i = 0; !ret && i < n; i++) {
		ret = check_frame(kvm, &frames[i], v3 ? 64 * KIB : 4 * KIB, gpa_bits);
		if (!ret)
			gic->frames[gic->nframes++] = frames[i];
	}
	return ret;
}

int axk_arm64_vm_map(void *arch_vm, const struct axvm_region *region, uint32_t slot)
{
	const struct axk_vm *kvm = arch_vm;
	const struct axk_arm64_gic *gic = &kvm->arch.gic;

	/* KVM would let the memory win, and the guest lose its GIC. */
	for (uint32_t i = 0; i < gic->nframes; i++) {
		const struct axk_arm64_gic_window *frame = &gic->frames[i];

		if (overlap(region->gpa, region->len, frame->gpa, frame->size))
			return axvcpu_fail(kvm->vm, -EEXIST,
					   "map: %#" PRIx64 " +%#" PRIx64
					   " overlaps the GIC's %s %#" PRIx64 " +%#" PRIx64,
					   region->gpa, region->len, frame->name, frame->gpa,
					   frame->size);
	}
	return axk_vm_map(arch_vm, region, slot);
}

/* --- birth ----------------------------------------------------------------------------------- */

/* Where the distributor, and what else belongs to it, is. */
static int place(const struct axk_vm *kvm, int fd, const struct axk_arm64_gic_window *frame)
{
	return axk_device_set(kvm, fd, KVM_DEV_ARM_VGIC_GRP_ADDR, frame->attr, &frame->gpa,
			      "KVM_DEV_ARM_VGIC_GRP_ADDR");
}

static int create_gic(struct axk_vm *kvm)
{
	struct axk_arm64_gic *gic = &kvm->arch.gic;
	int ret = gic->version == 3 ? axk_device_new(kvm, KVM_DEV_TYPE_ARM_VGIC_V3,
						     "KVM_DEV_TYPE_ARM_VGIC_V3")
				    : axk_device_new(kvm, KVM_DEV_TYPE_ARM_VGIC_V2,
						     "KVM_DEV_TYPE_ARM_VGIC_V2");

	if (ret < 0)
		return ret;
	gic->fd = ret;
	ret = axk_device_set(kvm, gic->fd, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &gic->nirqs,
			     "KVM_DEV_ARM_VGIC_GRP_NR_IRQS");
	for (uint32_t i = 0; !ret && i < 2; i++)
		ret = place(kvm, gic->fd, &gic->frames[i]);
	return ret;
}

static int create_its(struct axk_vm *kvm)
{
	struct axk_arm64_gic *gic = &kvm->arch.gic;
	int ret = axk_device_new(kvm, KVM_DEV_TYPE_ARM_VGIC_ITS, "KVM_DEV_TYPE_ARM_VGIC_ITS");

	if (ret < 0)
		return ret;
	gic->its_fd = ret;
	return place(kvm, gic->its_fd, &gic->frames[2]);
}

/*
 * The newest, if the config does not care. Without any, the newest is what is then found missing.
 */
static int choose_version(struct axk_vm *kvm, uint32_t wanted)
{
	int has_v3 = 0, has_v2 = 0;

	if (!wanted)
		has_v3 = axk_device_exists(kvm, KVM_DEV_TYPE_ARM_VGIC_V3);
	if (!wanted && !has_v3)
		has_v2 = axk_device_exists(kvm, KVM_DEV_TYPE_ARM_VGIC_V2);
	if (has_v3 < 0 || has_v2 < 0)
		return has_v3 < 0 ? has_v3 : has_v2;
	kvm->arch.gic.version = wanted ? wanted : has_v2 ? 2 : 3;
	return 0;
}

static int create(struct axk_vm *kvm, const struct axvm_arm64_config *config, uint32_t gpa_bits)
{
	struct axk_arm64_gic *gic = &kvm->arch.gic;
	int ret;

	gic->nirqs = config->nirqs ? config->nirqs : NIRQS_DEFAULT;
	ret = choose_version(kvm, config->gic_version);
	if (!ret)
		ret = check_version(kvm, config, gic->version);
	if (!ret)
		ret = plan_frames(kvm, config, gpa_bits);
	if (!ret)
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
	if (!ret)
		ret = check_config(kvm, &config);
	if (ret)
		return ret;
	return kvm->kernel_irqchip ? create(kvm, &config, gpa_bits) : check_none(kvm, &config);
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

/* KVM's GIC counts the vCPUs, and makes room for no more. Doing it twice is nothing to it. */
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
