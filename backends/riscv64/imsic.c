/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The in-kernel IMSICs: saving, loading, and resets, which load zeros. */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backends/kvm/device.h"
#include "backends/riscv64/aia.h"

/* --- registers -------------------------------------------------------------------------------- */

/* Numbers of registers. Those with 64 bits have the even numbers. */
#define EIDELIVERY 0x70u
#define EITHRESHOLD 0x72u
#define EIP0 0x80u
#define EIE0 0xc0u

/* Two, and a pair for each 64 identities. */
static uint32_t count_regs(const struct axk_vm *kvm)
{
	return 2 + 2 * (kvm->arch.ids / 64 + 1);
}

static uint32_t reg_number(uint32_t n)
{
	if (n < 2)
		return n ? EITHRESHOLD : EIDELIVERY;
	return (n % 2 ? EIE0 : EIP0) + (n & ~1u) - 2;
}

static uint64_t attribute(uint32_t vcpu, uint32_t reg)
{
	return KVM_DEV_RISCV_AIA_IMSIC_MKATTR((uint64_t)vcpu, reg);
}

static int get_reg(const struct axk_vm *kvm, uint32_t vcpu, uint32_t reg, unsigned long *value)
{
	return axk_device_get(kvm, kvm->arch.aia, KVM_DEV_RISCV_AIA_GRP_IMSIC, attribute(vcpu, reg),
			      value, "KVM_DEV_RISCV_AIA_GRP_IMSIC, read");
}

static int set_reg(const struct axk_vm *kvm, uint32_t vcpu, uint32_t reg, unsigned long value)
{
	return axk_device_set(kvm, kvm->arch.aia, KVM_DEV_RISCV_AIA_GRP_IMSIC, attribute(vcpu, reg),
			      &value, "KVM_DEV_RISCV_AIA_GRP_IMSIC");
}

/*
 * KVM keeps the registers of an IMSIC in a guest file of the hardware or, as always before the
 * first run, in memory. In memory, KVM of Linux 6.12 reads and writes only the lower half of a
 * register, and reads the sign of that as the upper half. The guest has the same view.
 */
#define SIGN (1ul << 31)

/* Whether the upper half may be the sign of the lower one. */
static bool is_ambiguous(unsigned long value)
{
	return value >> 31 == ~0ul >> 31;
}

/* Whether KVM keeps only the lower halves of this IMSIC now: 1, 0, or a negative errno. */
static int has_halves(const struct axk_vm *kvm, uint32_t vcpu)
{
	const unsigned long probe = SIGN << 1;
	unsigned long value, now = 0;
	int restored, ret = get_reg(kvm, vcpu, EIE0, &value);

	if (!ret)
		ret = set_reg(kvm, vcpu, EIE0, probe);
	if (ret)
		return ret;
	ret = get_reg(kvm, vcpu, EIE0, &now);
	restored = set_reg(kvm, vcpu, EIE0, value);
	if (!ret)
		ret = restored;
	return ret ? ret : now != probe;
}

/* --- one IMSIC -------------------------------------------------------------------------------- */

/* Stores the registers, little-endian. */
static int save(const struct axk_vm *kvm, uint32_t vcpu, uint64_t *regs)
{
	const uint32_t nregs = count_regs(kvm);
	bool ambiguous = false;
	unsigned long value;
	int ret;

	for (uint32_t n = 0; n < nregs; n++) {
		ret = get_reg(kvm, vcpu, reg_number(n), &value);
		if (ret)
			return ret;
		ambiguous |= is_ambiguous(value);
		regs[n] = htole64(value);
	}
	ret = ambiguous ? has_halves(kvm, vcpu) : 0;
	for (uint32_t n = 0; ret > 0 && n < nregs; n++)
		regs[n] &= htole64(UINT32_MAX);
	return ret < 0 ? ret : 0;
}

static int load_reg(const struct axk_vm *kvm, struct axvcpu_loader *loader, uint32_t vcpu,
		    uint32_t reg, unsigned long value)
{
	/* If the upper half of this is lost, it is read as zero. */
	const unsigned long checked = value & ~SIGN;
	unsigned long now = checked;
	int ret = 0;

	if (value > UINT32_MAX) {
		ret = set_reg(kvm, vcpu, reg, checked);
		if (!ret)
			ret = get_reg(kvm, vcpu, reg, &now);
	}
	if (!ret)
		ret = set_reg(kvm, vcpu, reg, value);
	if (ret || now == checked)
		return ret;
	return axvcpu_load_refused(loader, AXK_RISCV_IMSIC, attribute(vcpu, reg), -ENOTSUP,
				   "register %#" PRIx32 " of vCPU %" PRIu32
				   ": of %#lx, this KVM keeps %#lx",
				   reg, vcpu, checked, now);
}

static uint64_t get_u64(const unsigned char *data, size_t n)
{
	uint64_t value;

	memcpy(&value, data + n * sizeof(value), sizeof(value));
	return le64toh(value);
}

/* 'regs' as of save(), of any alignment. NULL: all are zero, and 'loader' is not used. */
static int load(const struct axk_vm *kvm, struct axvcpu_loader *loader, uint32_t vcpu,
		const unsigned char *regs)
{
	int ret = 0;

	for (uint32_t n = 0; !ret && n < count_regs(kvm); n++)
		ret = load_reg(kvm, loader, vcpu, reg_number(n), regs ? get_u64(regs, n) : 0);
	return ret;
}

int axk_riscv_aia_reset(struct axk_vcpu *vcpu)
{
	if (!axk_riscv_aia_is_ready(vcpu->vm))
		return 0;
	return load(vcpu->vm, NULL, vcpu->id, NULL);
}

/* --- those of a VM ---------------------------------------------------------------------------- */

/* The section is an array of u64: these, and then for each vCPU its id and the registers. */
enum { IDS, VCPUS, RECORDS };

static size_t section_words(const struct axk_vm *kvm)
{
	return RECORDS + (size_t)kvm->arch.ncreated * (1 + count_regs(kvm));
}

int axk_riscv_imsics_save(const struct axk_vm *kvm, struct axvcpu_saver *saver)
{
	const struct axk_vm_arch *arch = &kvm->arch;
	const size_t words = section_words(kvm);
	uint64_t *state = axv_sys_calloc(words, sizeof(*state)), *record = state + RECORDS;
	int ret = 0;

	if (!state)
		return axvcpu_fail(kvm->vm, -ENOMEM, "save: allocating %zu words for the IMSICs",
				   words);
	state[IDS] = htole64(arch->ids);
	state[VCPUS] = htole64(arch->ncreated);
	for (uint32_t i = 0; !ret && i < arch->ncreated; i++) {
		*record++ = htole64(arch->created[i]);
		ret = save(kvm, arch->created[i], record);
		record += count_regs(kvm);
	}
	if (!ret)
		ret = axvcpu_save_section(saver, AXK_RISCV_IMSIC, 1, 0, state,
					  words * sizeof(*state));
	free(state);
	return ret;
}

/* Returns the registers of a vCPU in the section; NULL if it has none. */
static const unsigned char *find_record(const struct axk_vm *kvm,
					const struct axvcpu_saved_section *section, uint32_t vcpu)
{
	const unsigned char *record = section->data;

	record += RECORDS * sizeof(uint64_t);
	for (uint32_t i = 0; i < kvm->arch.ncreated; i++) {
		if (get_u64(record, 0) == vcpu)
			return record + sizeof(uint64_t);
		record += (1 + count_regs(kvm)) * sizeof(uint64_t);
	}
	return NULL;
}

int axk_riscv_imsics_find(const struct axk_vm *kvm, struct axvcpu_loader *loader,
			  struct axvcpu_saved_section *section)
{
	const struct axk_vm_arch *arch = &kvm->arch;
	uint64_t ids, vcpus;
	int ret = axvcpu_load_section(loader, AXK_RISCV_IMSIC, 1, RECORDS * sizeof(uint64_t),
				      AXVCPU_SAVED_MAX, section);

	if (ret < 0)
		return ret;
	if (!ret)
		return axvcpu_fail(kvm->vm, -EINVAL,
				   "load: the state has no section " AXK_RISCV_IMSIC);
	ids = get_u64(section->data, IDS);
	vcpus = get_u64(section->data, VCPUS);
	if (ids != arch->ids || vcpus != arch->ncreated ||
	    section->len != section_words(kvm) * sizeof(uint64_t))
		return axvcpu_fail(kvm->vm, -EINVAL,
				   "load: section " AXK_RISCV_IMSIC " has %zu bytes, of %" PRIu64
				   " vCPUs with %" PRIu64 " ids; the VM has %" PRIu32
				   " vCPUs with %" PRIu32 " ids",
				   section->len, vcpus, ids, arch->ncreated, arch->ids);
	for (uint32_t i = 0; i < arch->ncreated; i++)
		if (!find_record(kvm, section, arch->created[i]))
			return axvcpu_fail(kvm->vm, -EINVAL,
					   "load: section " AXK_RISCV_IMSIC " has no vCPU %" PRIu32,
					   arch->created[i]);
	return 0;
}

int axk_riscv_imsics_load(const struct axk_vm *kvm, struct axvcpu_loader *loader,
			  const struct axvcpu_saved_section *section)
{
	const struct axk_vm_arch *arch = &kvm->arch;
	int ret = 0;

	for (uint32_t i = 0; !ret && i < arch->ncreated; i++)
		ret = load(kvm, loader, arch->created[i],
			   find_record(kvm, section, arch->created[i]));
	return ret;
}
