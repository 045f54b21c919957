/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Saving and loading the in-kernel GIC and its ITS. All numbers in the sections are little-endian:
 * registers of 64 bits, in the order of their tables.
 */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "axvcpu/vcpu.h"
#include "backends/arm64/gic_regs.h"
#include "backends/kvm/device.h"
#include "backends/kvm/state.h"

#define SHAPE "gic"
#define DIST "gic-dist"
#define CPUS "gic-cpus"
#define ITS "its"

#define REG_SIZE sizeof(uint64_t)

/* --- the shape of the GIC, which a load compares ---------------------------------------------- */

struct shape {
	uint32_t version;
	uint32_t nirqs;
	uint32_t vcpus;
	uint32_t has_its;
};

static struct shape shape_of(const struct axk_vm *kvm, uint32_t vcpus)
{
	const struct axk_arm64_gic *gic = &kvm->arch.gic;

	return (struct shape){ .version = htole32(gic->version),
			       .nirqs = htole32(gic->nirqs),
			       .vcpus = htole32(vcpus),
			       .has_its = htole32(gic->its_fd >= 0) };
}

static int check_shape(const struct axk_vm *kvm, struct axvcpu_loader *loader, uint32_t vcpus)
{
	const struct shape own = shape_of(kvm, vcpus);
	struct shape saved = { .version = 0 };
	int ret = axk_find_state(loader, SHAPE, &saved, sizeof(saved));

	if (ret < 0 || (ret && !memcmp(&saved, &own, sizeof(own))))
		return ret < 0 ? ret : 0;
	return axvcpu_fail(kvm->vm, -EINVAL,
			   "load: the state is that of a GICv%" PRIu32 " with %" PRIu32
			   " interrupts, %" PRIu32 " vCPUs and %" PRIu32
			   " ITS; this is a GICv%" PRIu32 " with %" PRIu32 ", %" PRIu32
			   " and %" PRIu32,
			   le32toh(saved.version), le32toh(saved.nirqs), le32toh(saved.vcpus),
			   le32toh(saved.has_its), le32toh(own.version), le32toh(own.nirqs),
			   le32toh(own.vcpus), le32toh(own.has_its));
}

/* --- the vCPUs -------------------------------------------------------------------------------- */

struct cpu {
	/* As GIC attributes encode it. */
	uint64_t attr;
	/* Bitmap of the PPIs that the VMM or KVM raises by lines. */
	uint32_t lines;
};

static struct cpu describe(const struct axk_vcpu *vcpu)
{
	uint32_t lines = 1u << ARM64_PPI_VTIMER | 1u << ARM64_PPI_PTIMER;

	if (vcpu->arch.pmu_irq && vcpu->arch.pmu_irq < ARM64_FIRST_SPI)
		lines |= 1u << vcpu->arch.pmu_irq;
	return (struct cpu){ .attr = axk_arm64_gic_cpu_attr(vcpu),
			     .lines = lines | atomic_load(&vcpu->arch.lines) };
}

/*
 * Lists the vCPUs by id, in an array that the caller must free. Returns their number. Each must have
 * been set up: KVM names them by MPIDR_EL1.
 */
static int list_cpus(struct axk_vm *kvm, const char *what, struct cpu **out)
{
	const int vcpus = axvm_vcpus(kvm->vm, 0, 0, NULL);
	struct cpu *cpus = axv_sys_calloc(kvm->max_vcpus, sizeof(*cpus));
	int n = 0;

	if (!cpus)
		return axvcpu_fail(kvm->vm, -ENOMEM, "%s: allocating the list of vCPUs", what);
	pthread_mutex_lock(&kvm->arch.lock);
	for (uint32_t id = 0; id < kvm->max_vcpus; id++)
		if (kvm->arch.cpus[id].vcpu)
			cpus[n++] = describe(kvm->arch.cpus[id].kvm_vcpu);
	pthread_mutex_unlock(&kvm->arch.lock);
	*out = cpus;
	if (n == vcpus)
		return n;
	free(cpus);
	return axvcpu_fail(kvm->vm, -EBADFD, "%s: %d of the VM's %d vCPUs are not set up", what,
			   vcpus - n, vcpus);
}

static int check_ready(const struct axk_vm *kvm, const char *what)
{
	if (axk_arm64_gic_is_ready(kvm))
		return 0;
	return axvcpu_fail(kvm->vm, -EBADFD, "%s: the GIC has no state before axvm_finalize()",
			   what);
}

/* --- registers -------------------------------------------------------------------------------- */

/* The section has a record for each CPU, or one for the distributor: 'attr', and the registers. */
struct part {
	const char *section;
	struct axk_gic_table table;
	/* NULL: the distributor. */
	const struct cpu *cpus;
	size_t records;
};

static struct part dist_part(const struct axk_vm *kvm)
{
	return (struct part){ DIST, axk_arm64_gic_dist(&kvm->arch.gic), NULL, 1 };
}

static struct part cpus_part(const struct axk_vm *kvm, const struct cpu *cpus, int n)
{
	return (struct part){ CPUS, axk_arm64_gic_cpu(&kvm->arch.gic), cpus, (size_t)n };
}

static uint64_t attr_of(const struct part *part, size_t record)
{
	return part->cpus ? part->cpus[record].attr : 0;
}

/* Number of words of a record. */
static size_t record_words(const struct axk_vm *kvm, const struct part *part)
{
	size_t n = 1;

	for (size_t i = 0; i < part->table.n; i++)
		n += axk_arm64_gic_count(&kvm->arch.gic, &part->table.regs[i]);
	return n;
}

static uint64_t word(const void *data, size_t i)
{
	uint64_t value;

	memcpy(&value, (const unsigned char *)data + i * REG_SIZE, REG_SIZE);
	return le64toh(value);
}

/* Stores which of the k-th 32 SPIs are levels. */
static int get_levels(const struct axk_vm *kvm, uint32_t k, uint32_t *levels)
{
	/* GICD_ICFGR from the first SPI on: two bits for each, of which the upper one means an edge. */
	static const struct axk_gic_regs icfgr = { .group = KVM_DEV_ARM_VGIC_GRP_DIST_REGS,
						   .reg = 0xc08 };

	*levels = 0;
	for (uint32_t half = 0; half < 2; half++) {
		uint64_t value = 0;
		int ret = axk_arm64_gic_get(kvm, &icfgr, 0, 2 * k + half, &value);

		if (ret)
			return ret;
		for (uint32_t i = 0; i < 16; i++)
			if (!(value >> (2 * i + 1) & 1))
				*levels |= 1u << (16 * half + i);
	}
	return 0;
}

/*
 * Removes from the k-th ISPENDR of a GICv2 the interrupts that are only pending as their line is
 * high: KVM would latch them. SGIs are in another register.
 */
static int drop_levels(const struct axk_vm *kvm, const struct cpu *cpu, uint32_t k,
		       uint64_t *pending)
{
	uint32_t levels;
	int ret;

	if (cpu) {
		*pending &= ~(UINT64_C(0xffff) | cpu->lines);
		return 0;
	}
	ret = get_levels(kvm, k, &levels);
	if (!ret)
		*pending &= ~(atomic_load(&kvm->raised[k / 2]) >> k % 2 * 32 & levels);
	return ret;
}

/* --- saving ----------------------------------------------------------------------------------- */

/* Reads the registers of a record. */
static int read_record(const struct axk_vm *kvm, const struct part *part, size_t record,
		       uint64_t *words)
{
	const struct cpu *cpu = part->cpus ? &part->cpus[record] : NULL;
	const uint64_t attr = attr_of(part, record);

	*words++ = htole64(attr);
	for (size_t i = 0; i < part->table.n; i++) {
		const struct axk_gic_regs *regs = &part->table.regs[i];
		const uint32_t count = axk_arm64_gic_count(&kvm->arch.gic, regs);

		for (uint32_t k = 0; k < count; k++) {
			uint64_t value = 0;
			int ret = axk_arm64_gic_get(kvm, regs, attr, k, &value);

			if (!ret && regs->has_levels)
				ret = drop_levels(kvm, cpu, k, &value);
			if (ret)
				return axk_vm_result(kvm, ret, "KVM_GET_DEVICE_ATTR of the GIC");
			*words++ = htole64(value);
		}
	}
	return 0;
}

static int save_part(const struct axk_vm *kvm, struct axvcpu_saver *saver, const struct part *part)
{
	const size_t words = record_words(kvm, part);
	uint64_t *all = axv_sys_calloc(part->records * words, REG_SIZE);
	int ret = 0;

	if (!all)
		return axvcpu_fail(kvm->vm, -ENOMEM, "save: allocating the registers of the GIC");
	for (size_t i = 0; !ret && i < part->records; i++)
		ret = read_record(kvm, part, i, all + i * words);
	if (!ret)
		ret = axvcpu_save_section(saver, part->section, 1, 0, all,
					  part->records * words * REG_SIZE);
	free(all);
	return ret;
}

/* --- loading ---------------------------------------------------------------------------------- */

static int find_part(const struct axk_vm *kvm, struct axvcpu_loader *loader,
		     const struct part *part, const void **data)
{
	const size_t words = record_words(kvm, part), len = part->records * words * REG_SIZE;
	struct axvcpu_saved_section section;
	int ret = axvcpu_load_section(loader, part->section, 1, len, len, &section);

	if (ret < 0)
		return ret;
	if (!ret)
		return axvcpu_fail(kvm->vm, -EINVAL, "load: the state has no section %s",
				   part->section);
	for (size_t i = 0; i < part->records; i++)
		if (word(section.data, i * words) != attr_of(part, i))
			return axvcpu_fail(kvm->vm, -EINVAL,
					   "load: section %s: CPU %zu is %#" PRIx64
					   " there, and %#" PRIx64 " in this VM",
					   part->section, i, word(section.data, i * words),
					   attr_of(part, i));
	*data = section.data;
	return 0;
}

/* Writes a register. */
static int load_reg(const struct axk_vm *kvm, struct axvcpu_loader *loader, const struct part *part,
		    const struct axk_gic_regs *regs, uint64_t cpu, uint32_t k, uint64_t value)
{
	const uint64_t attr = axk_arm64_gic_attr(regs, cpu, k);
	int ret = axk_arm64_gic_set(kvm, regs, cpu, k, value);

	if (!ret)
		return 0;
	return axvcpu_load_refused(loader, part->section, attr, ret,
				   "register %#" PRIx64 " of KVM's group %" PRIu32
				   ": KVM refuses the value %#" PRIx64,
				   attr, regs->group, value);
}

/* Writes the registers of a record, which was checked. */
static int load_record(struct axk_vm *kvm, struct axvcpu_loader *loader, const struct part *part,
		       const void *data, size_t at, const uint64_t *lines)
{
	const uint64_t cpu = word(data, at++);
	int ret = 0;

	for (size_t i = 0; !ret && i < part->table.n; i++) {
		const struct axk_gic_regs *regs = &part->table.regs[i];
		const uint32_t count = axk_arm64_gic_count(&kvm->arch.gic, regs);

		if (regs->after_lines)
			ret = axk_arm64_gic_set_lines(kvm, lines);
		for (uint32_t k = 0; !ret && k < count; k++)
			ret = load_reg(kvm, loader, part, regs, cpu, k, word(data, at++));
	}
	return ret;
}

static int load_part(struct axk_vm *kvm, struct axvcpu_loader *loader, const struct part *part,
		     const void *data, const uint64_t *lines)
{
	const size_t words = record_words(kvm, part);
	int ret = 0;

	for (size_t i = 0; !ret && i < part->records; i++)
		ret = load_record(kvm, loader, part, data, i * words, lines);
	return ret;
}

/* --- the ITS ---------------------------------------------------------------------------------- */

#define GITS_CTLR 0x00
#define GITS_IIDR 0x04
#define GITS_CBASER 0x80
#define GITS_CWRITER 0x88
#define GITS_CREADR 0x90
#define GITS_BASER(n) (0x100 + 8 * (n))
#define GITS_BASER_VALID (UINT64_C(1) << 63)

/* In the order in which they must be written: CBASER resets CREADR; CTLR follows the tables. */
static const uint32_t its_regs[] = {
	GITS_IIDR,     GITS_CBASER,   GITS_CREADR,   GITS_CWRITER,  GITS_BASER(0),
	GITS_BASER(1), GITS_BASER(2), GITS_BASER(3), GITS_BASER(4), GITS_BASER(5),
	GITS_BASER(6), GITS_BASER(7), GITS_CTLR,
};
#define ITS_REGS ARRAY_SIZE(its_regs)

struct its {
	uint64_t regs[ITS_REGS];
	/* 0: the tables in guest memory are not those of the state. */
	uint64_t has_tables;
};

static int control(const struct axk_vm *kvm, int fd, uint64_t attr, const char *what)
{
	return axk_device_set(kvm, fd, KVM_DEV_ARM_VGIC_GRP_CTRL, attr, NULL, what);
}

/* Writes what KVM knows of devices, collections and pending LPIs to tables in guest memory. */
static int save_tables(const struct axk_vm *kvm)
{
	const struct axk_arm64_gic *gic = &kvm->arch.gic;
	int ret = control(kvm, gic->fd, KVM_DEV_ARM_VGIC_SAVE_PENDING_TABLES,
			  "KVM_DEV_ARM_VGIC_SAVE_PENDING_TABLES");

	if (ret)
		return ret;
	return control(kvm, gic->its_fd, KVM_DEV_ARM_ITS_SAVE_TABLES,
		       "KVM_DEV_ARM_ITS_SAVE_TABLES");
}

static int save_its(const struct axk_vm *kvm, struct axvcpu_saver *saver)
{
	const struct axk_arm64_gic *gic = &kvm->arch.gic;
	struct its its = { .has_tables = htole64(1) };
	int ret = 0;

	for (size_t i = 0; !ret && i < ITS_REGS; i++) {
		uint64_t value = 0;

		ret = axk_device_get(kvm, gic->its_fd, KVM_DEV_ARM_VGIC_GRP_ITS_REGS, its_regs[i],
				     &value, "KVM_DEV_ARM_VGIC_GRP_ITS_REGS");
		its.regs[i] = htole64(value);
		/* The backup of a load: guest memory has the tables of the state to be loaded. */
		if (gic->is_loading && its_regs[i] >= GITS_BASER(0) && (value & GITS_BASER_VALID))
			its.has_tables = 0;
	}
	if (!ret && !gic->is_loading)
		ret = save_tables(kvm);
	return ret ? ret : axvcpu_save_section(saver, ITS, 1, 0, &its, sizeof(its));
}

static int find_its(const struct axk_vm *kvm, struct axvcpu_loader *loader, struct its *its)
{
	int ret = axk_find_state(loader, ITS, its, sizeof(*its));

	if (ret < 0)
		return ret;
	if (!ret || le64toh(its->has_tables) > 1)
		return axvcpu_fail(kvm->vm, -EINVAL, "load: the state has no valid section " ITS);
	if (!its->has_tables)
		return axvcpu_fail(
			kvm->vm, -EIO,
			"load: the tables of the former ITS are no longer in guest memory");
	return 0;
}

/* Writes the n-th register. */
static int load_its_reg(const struct axk_vm *kvm, struct axvcpu_loader *loader,
			const struct its *its, size_t n)
{
	const uint64_t value = le64toh(its->regs[n]);
	const struct kvm_device_attr set = { .group = KVM_DEV_ARM_VGIC_GRP_ITS_REGS,
					     .attr = its_regs[n],
					     .addr = (uintptr_t)&value };
	int ret = axk_ioctl(kvm->arch.gic.its_fd, KVM_SET_DEVICE_ATTR, &set);

	if (!ret)
		return 0;
	return axvcpu_load_refused(loader, ITS, its_regs[n], ret,
				   "register %#" PRIx32 ": KVM refuses the value %#" PRIx64,
				   its_regs[n], value);
}

static int load_its(const struct axk_vm *kvm, struct axvcpu_loader *loader, const struct its *its)
{
	const struct kvm_device_attr restore = { .group = KVM_DEV_ARM_VGIC_GRP_CTRL,
						 .attr = KVM_DEV_ARM_ITS_RESTORE_TABLES };
	int ret = 0;

	for (size_t i = 0; !ret && i < ITS_REGS - 1; i++)
		ret = load_its_reg(kvm, loader, its, i);
	if (!ret)
		ret = axk_loaded(loader, ITS,
				 axk_ioctl(kvm->arch.gic.its_fd, KVM_SET_DEVICE_ATTR, &restore),
				 "KVM_DEV_ARM_ITS_RESTORE_TABLES");
	return ret ? ret : load_its_reg(kvm, loader, its, ITS_REGS - 1);
}

/* --- the VM ----------------------------------------------------------------------------------- */

static int save_gic(struct axk_vm *kvm, struct axvcpu_saver *saver, const struct cpu *cpus, int n)
{
	const struct part dist = dist_part(kvm), parts = cpus_part(kvm, cpus, n);
	const struct shape shape = shape_of(kvm, (uint32_t)n);
	int ret = axvcpu_save_section(saver, SHAPE, 1, 0, &shape, sizeof(shape));

	if (!ret)
		ret = axk_save_lines(kvm, saver);
	if (!ret)
		ret = save_part(kvm, saver, &dist);
	if (!ret)
		ret = save_part(kvm, saver, &parts);
	if (!ret && kvm->arch.gic.its_fd >= 0)
		ret = save_its(kvm, saver);
	return ret;
}

int axk_arm64_vm_save(void *arch_vm, struct axvcpu_saver *saver)
{
	struct axk_vm *kvm = arch_vm;
	struct cpu *cpus;
	int n, ret;

	/* Without a GIC, the lines belong to the vCPUs. */
	if (!kvm->arch.gic.version)
		return 0;
	ret = check_ready(kvm, "save");
	if (ret)
		return ret;
	n = list_cpus(kvm, "save", &cpus);
	if (n < 0)
		return n;
	ret = save_gic(kvm, saver, cpus, n);
	free(cpus);
	return ret;
}

static int find_lines(const struct axk_vm *kvm, struct axvcpu_loader *loader, uint64_t *lines)
{
	const uint32_t gsis = kvm->arch.gic.nirqs - ARM64_FIRST_SPI;
	int ret = axk_find_lines(kvm, loader, lines);

	for (uint32_t gsi = gsis; !ret && gsi < KVM_GSIS_MAX; gsi++)
		if (lines[gsi / 64] >> gsi % 64 & 1)
			ret = axvcpu_fail(kvm->vm, -EINVAL,
					  "load: gsi %" PRIu32 " is raised; the GIC has %" PRIu32
					  " inputs",
					  gsi, gsis);
	return ret;
}

/* KVM accepts new tables of LPIs only without the present ones. */
static int stop_lpis(const struct axk_vm *kvm, const struct cpu *cpus, int n)
{
	int ret = control(kvm, kvm->arch.gic.its_fd, KVM_DEV_ARM_ITS_CTRL_RESET,
			  "KVM_DEV_ARM_ITS_CTRL_RESET");

	for (int i = 0; !ret && i < n; i++)
		ret = axk_vm_result(kvm, axk_arm64_gic_lpis_off(kvm, cpus[i].attr),
				    "KVM_SET_DEVICE_ATTR of GICR_CTLR");
	return ret;
}

static int load_gic(struct axk_vm *kvm, struct axvcpu_loader *loader, const struct cpu *cpus, int n)
{
	const struct part dist = dist_part(kvm), parts = cpus_part(kvm, cpus, n);
	struct axk_arm64_gic *gic = &kvm->arch.gic;
	const bool has_its = gic->its_fd >= 0;
	uint64_t lines[AXK_LINES_WORDS];
	const void *dist_data, *cpus_data;
	struct its its;
	int ret = check_shape(kvm, loader, (uint32_t)n);

	if (!ret)
		ret = find_lines(kvm, loader, lines);
	if (!ret)
		ret = find_part(kvm, loader, &dist, &dist_data);
	if (!ret)
		ret = find_part(kvm, loader, &parts, &cpus_data);
	if (!ret && has_its)
		ret = find_its(kvm, loader, &its);
	if (ret)
		return ret;
	gic->is_loading = true;
	ret = axvcpu_load_begin(loader);
	gic->is_loading = false;
	if (!ret && has_its)
		ret = stop_lpis(kvm, cpus, n);
	/* As they are configured now: those of edges cannot be lowered. */
	if (!ret)
		ret = axk_lower_lines(kvm);
	if (!ret)
		ret = load_part(kvm, loader, &dist, dist_data, lines);
	if (!ret)
		ret = load_part(kvm, loader, &parts, cpus_data, lines);
	if (!ret && has_its)
		ret = load_its(kvm, loader, &its);
	return ret;
}

int axk_arm64_vm_load(void *arch_vm, struct axvcpu_loader *loader)
{
	struct axk_vm *kvm = arch_vm;
	struct cpu *cpus;
	int n, ret;

	if (!kvm->arch.gic.version)
		return axvcpu_load_begin(loader);
	ret = check_ready(kvm, "load");
	if (ret)
		return ret;
	n = list_cpus(kvm, "load", &cpus);
	if (n < 0)
		return n;
	ret = load_gic(kvm, loader, cpus, n);
	free(cpus);
	return ret;
}
