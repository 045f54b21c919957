/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * CPUID: the leaves that KVM supports on this host, with a topology of one package that has one
 * core per vCPU, and the caller's overrides.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/kvm_para.h>
#include <stdlib.h>
#include <string.h>

#include "backends/x86_64/x86_64.h"

/* KVM supports at most 256 entries. */
#define ENTRIES_FIRST 128
#define ENTRIES_MAX 4096

#define LEAF_FEATURES 0x1u
#define LEAF_CACHE 0x4u
#define LEAF_TOPOLOGY 0xbu
#define LEAF_TOPOLOGY_V2 0x1fu
#define LEAF_KVM_FEATURES 0x40000001u
#define LEAF_EXT_FEATURES 0x80000001u
#define LEAF_EXT_SIZES 0x80000008u
#define LEAF_EXT_CACHE 0x8000001du
#define LEAF_EXT_TOPOLOGY 0x8000001eu

#define FEATURES_ECX_TSC_DEADLINE (1u << 24)
#define FEATURES_ECX_HYPERVISOR (1u << 31)
#define FEATURES_EDX_HTT (1u << 28)
#define EXT_FEATURES_ECX_CMP_LEGACY (1u << 1)

#define TOPOLOGY_TYPE_SMT 1u
#define TOPOLOGY_TYPE_CORE 2u

static struct kvm_cpuid2 *table_new(uint32_t entries)
{
	struct kvm_cpuid2 *table = axv_sys_calloc(1, sizeof(*table) +
							     entries * sizeof(table->entries[0]));

	if (table)
		table->nent = entries;
	return table;
}

int axk_x86_cpuid_read(const struct axvm *vm, int kvm_fd, struct kvm_cpuid2 **cpuid)
{
	struct kvm_cpuid2 *table = NULL;
	int ret = -E2BIG;

	/* The request number encodes the header's size only, so that is what axk_ioctl() checks. */
	for (uint32_t n = ENTRIES_FIRST; ret == -E2BIG && n <= ENTRIES_MAX; n *= 2) {
		table = table_new(n);
		if (!table)
			return axvcpu_fail(vm, -ENOMEM,
					   "KVM_GET_SUPPORTED_CPUID: allocating the table");
		ret = axk_ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, table);
		/* KVM sets nent to the number of entries, which must not exceed the room. */
		if (!ret && table->nent > n)
			ret = -EIO;
		if (ret)
			free(table);
	}
	if (ret)
		return axvcpu_fail(vm, ret, "KVM_GET_SUPPORTED_CPUID");
	*cpuid = table;
	return 0;
}

static struct kvm_cpuid_entry2 *find(struct kvm_cpuid2 *cpuid, uint32_t function, uint32_t index)
{
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

		if (entry->function == function &&
		    (!(entry->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) || entry->index == index))
			return entry;
	}
	return NULL;
}

const struct kvm_cpuid_entry2 *axk_x86_cpuid_find(const struct kvm_cpuid2 *cpuid, uint32_t function,
						  uint32_t index)
{
	return find((struct kvm_cpuid2 *)cpuid, function, index);
}

/*
 * EAX[7:0] is the physical address width of instructions. Nested page tables may map less: since
 * Linux 6.10, KVM reports that width in EAX[23:16], which is 48 with four levels. Older KVMs leave
 * it 0, as do those without nested paging, whose shadow page tables map all addresses.
 */
uint32_t axk_x86_cpuid_gpa_bits(const struct kvm_cpuid2 *cpuid)
{
	const struct kvm_cpuid_entry2 *leaf = axk_x86_cpuid_find(cpuid, LEAF_EXT_SIZES, 0);
	uint32_t bits = leaf ? leaf->eax & 0xff : 0;
	uint32_t mappable = leaf ? leaf->eax >> 16 & 0xff : 0;

	if (mappable && mappable < bits)
		bits = mappable;
	/* Without the leaf the width is 36 bits, as on CPUs with PAE. */
	if (!bits)
		return 36;
	return bits < KVM_GPA_BITS_MAX ? bits : KVM_GPA_BITS_MAX;
}

/* --- topology -------------------------------------------------------------------------------------- */

/* Position of a vCPU in the topology. */
struct place {
	uint32_t apic_id;
	uint32_t cores;
	/* Number of APIC id bits that number the cores. */
	uint32_t bits;
};

static void set_field(uint32_t *reg, unsigned int low, unsigned int width, uint32_t value)
{
	uint32_t mask = ((1u << width) - 1) << low;

	*reg = (*reg & ~mask) | (value << low & mask);
}

/* For 8-bit fields: larger numbers saturate. */
static uint32_t at_most_255(uint32_t n)
{
	return n < 255 ? n : 255;
}

static void set_features(struct kvm_cpuid_entry2 *leaf, const struct place *place,
			 bool tsc_deadline)
{
	/* As in hardware: the low 8 bits of the id, which leaf 0xb has in full. */
	set_field(&leaf->ebx, 24, 8, place->apic_id);
	set_field(&leaf->ebx, 16, 8, at_most_255(place->cores));
	leaf->ecx |= FEATURES_ECX_HYPERVISOR;
	/* Only the in-kernel LAPIC has that timer, and KVM does not report it here. */
	if (tsc_deadline)
		leaf->ecx |= FEATURES_ECX_TSC_DEADLINE;
	if (place->cores > 1)
		leaf->edx |= FEATURES_EDX_HTT;
	else
		leaf->edx &= ~FEATURES_EDX_HTT;
}

/*
 * Caches of levels 1 and 2 are private to a core; all cores share level 3. A span is all ones, so
 * one that is wider than its field becomes the field's maximum.
 */
static void set_cache(struct kvm_cpuid_entry2 *leaf, const struct place *place, bool intel)
{
	uint32_t level = leaf->eax >> 5 & 7;
	uint32_t span = (1u << place->bits) - 1;

	if (!(leaf->eax & 0x1f))
		return;
	set_field(&leaf->eax, 14, 12, level >= 3 ? span : 0);
	if (intel)
		set_field(&leaf->eax, 26, 6, span);
}

static void set_ext_topology(struct kvm_cpuid_entry2 *leaf, const struct place *place)
{
	leaf->eax = place->apic_id;
	leaf->ebx = at_most_255(place->apic_id); /* core id, one thread in it */
	leaf->ecx = 0; /* node 0 of 1 */
}

static void set_topology(struct kvm_cpuid_entry2 *leaf, const struct place *place)
{
	leaf->eax = leaf->ebx = 0;
	leaf->ecx = leaf->index;
	leaf->edx = place->apic_id;
	if (leaf->index == 0) {
		leaf->ebx = 1;
		leaf->ecx |= TOPOLOGY_TYPE_SMT << 8;
	} else if (leaf->index == 1) {
		leaf->eax = place->bits;
		leaf->ebx = place->cores;
		leaf->ecx |= TOPOLOGY_TYPE_CORE << 8;
	}
}

/* KVM reports one sub-leaf of such a leaf, or as many as the host has; the guest gets three. */
static void replace_topology(struct kvm_cpuid2 *cpuid, uint32_t function, const struct place *place)
{
	uint32_t kept = 0;

	if (!find(cpuid, function, 0))
		return;
	for (uint32_t i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function != function)
			cpuid->entries[kept++] = cpuid->entries[i];
	cpuid->nent = kept;
	for (uint32_t index = 0; index < 3; index++) {
		struct kvm_cpuid_entry2 *leaf = &cpuid->entries[cpuid->nent++];

		*leaf = (struct kvm_cpuid_entry2){ .function = function,
						   .index = index,
						   .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX };
		set_topology(leaf, place);
	}
}

/* A guest uses the hypercalls that CPUID announces. */
static void set_kvm_features(struct kvm_cpuid_entry2 *leaf, uint32_t forward)
{
	const uint32_t by_hypercall = 1u << KVM_FEATURE_PV_UNHALT | 1u << KVM_FEATURE_PV_SEND_IPI |
				      1u << KVM_FEATURE_PV_SCHED_YIELD;

	if (forward & AXVM_FORWARD_HYPERCALLS)
		leaf->eax &= ~by_hypercall;
	if (forward & AXVM_FORWARD_MAP_GPA_RANGE)
		leaf->eax |= 1u << KVM_FEATURE_HC_MAP_GPA_RANGE;
}

static void set_leaf(struct kvm_cpuid_entry2 *leaf, const struct axk_vcpu *vcpu,
		     const struct place *place)
{
	switch (leaf->function) {
	case LEAF_FEATURES:
		set_features(leaf, place, vcpu->vm->kernel_irqchip);
		break;
	case LEAF_KVM_FEATURES:
		set_kvm_features(leaf, vcpu->forward);
		break;
	case LEAF_CACHE:
		set_cache(leaf, place, true);
		break;
	case LEAF_EXT_CACHE:
		set_cache(leaf, place, false);
		break;
	case LEAF_EXT_FEATURES:
		if (place->cores > 1)
			leaf->ecx |= EXT_FEATURES_ECX_CMP_LEGACY;
		else
			leaf->ecx &= ~EXT_FEATURES_ECX_CMP_LEGACY;
		break;
	case LEAF_EXT_SIZES:
		set_field(&leaf->eax, 0, 8, vcpu->vm->gpa_bits);
		/* The width that nested page tables map, if KVM reports it: limited to the VM's. */
		if (leaf->eax >> 16 & 0xff)
			set_field(&leaf->eax, 16, 8, vcpu->vm->gpa_bits);
		set_field(&leaf->ecx, 0, 8, at_most_255(place->cores - 1));
		set_field(&leaf->ecx, 12, 4, place->bits < 15 ? place->bits : 15);
		break;
	case LEAF_EXT_TOPOLOGY:
		set_ext_topology(leaf, place);
		break;
	default:
		break;
	}
}

/* --- overrides ---------------------------------------------------------------------------------------- */

static void override(struct kvm_cpuid2 *cpuid, const struct axvcpu_x86_cpuid *change)
{
	struct kvm_cpuid_entry2 *leaf = find(cpuid, change->function, change->index);
	uint32_t *regs[4];

	if (!leaf) {
		leaf = &cpuid->entries[cpuid->nent++];
		*leaf = (struct kvm_cpuid_entry2){ .function = change->function,
						   .index = change->index };
		if (change->index)
			leaf->flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
	}
	regs[0] = &leaf->eax;
	regs[1] = &leaf->ebx;
	regs[2] = &leaf->ecx;
	regs[3] = &leaf->edx;
	for (int i = 0; i < 4; i++)
		*regs[i] = (*regs[i] & ~change->mask[i]) | (change->value[i] & change->mask[i]);
}

struct kvm_cpuid2 *axk_x86_cpuid_build(const struct axk_vcpu *vcpu,
				       const struct axvcpu_x86_setup *config)
{
	const struct kvm_cpuid2 *host = vcpu->vm->arch.cpuid;
	struct place place = { .apic_id = vcpu->id, .cores = vcpu->vm->max_vcpus };
	/* Room for three sub-leaves of each topology leaf. */
	uint32_t room = host->nent + 6 + (config ? (uint32_t)config->ncpuid : 0);
	struct kvm_cpuid2 *cpuid = table_new(room);

	if (!cpuid)
		return NULL;
	while (1u << place.bits < place.cores)
		place.bits++;
	cpuid->nent = host->nent;
	memcpy(cpuid->entries, host->entries, host->nent * sizeof(host->entries[0]));
	for (uint32_t i = 0; i < cpuid->nent; i++)
		set_leaf(&cpuid->entries[i], vcpu, &place);
	replace_topology(cpuid, LEAF_TOPOLOGY, &place);
	replace_topology(cpuid, LEAF_TOPOLOGY_V2, &place);
	for (size_t i = 0; config && i < config->ncpuid; i++)
		override(cpuid, &config->cpuid[i]);
	return cpuid;
}

int axk_x86_cpuid_set(struct axk_vcpu *vcpu, const struct axvcpu_x86_setup *config)
{
	struct kvm_cpuid2 *cpuid = axk_x86_cpuid_build(vcpu, config);
	int ret;

	if (!cpuid)
		return axvcpu_fail(vcpu->vm->vm, -ENOMEM,
				   "vCPU %" PRIu32 ": allocating the CPUID table", vcpu->id);
	ret = axk_vcpu_ioctl(vcpu, KVM_SET_CPUID2, cpuid);
	free(cpuid);
	return ret;
}
