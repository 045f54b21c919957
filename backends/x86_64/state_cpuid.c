/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * CPUID in a saved state. It is not loaded, since it is fixed by the setup and the first run: a
 * state is refused if the guest would find another CPU.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backends/x86_64/state.h"

#define CPUID "cpuid"
/* KVM's maximum. */
#define ENTRIES_MAX 256u

/* Registers of a leaf in which KVM shows state of the vCPU: masks of those bits. */
static const struct {
	uint32_t function;
	uint32_t index;
	uint32_t eax;
	uint32_t ebx;
	uint32_t ecx;
	uint32_t edx;
} dynamic[] = {
	{ 0x1, 0, 0, 0, 1u << 27 | 1u << 3, 1u << 9 }, /* OSXSAVE, MONITOR; APIC enabled */
	{ 0x7, 0, 0, 0, 1u << 4, 0 }, /* OSPKE */
	{ 0xd, 0, 0, UINT32_MAX, 0, 0 }, /* size of the area by XCR0 */
	{ 0xd, 1, 0, UINT32_MAX, 0, 0 }, /* and by XSS */
	{ 0x40000001, 0, 1u << 7, 0, 0, 0 }, /* PV_UNHALT, if HLT exits */
};

static struct kvm_cpuid_entry2 without_dynamic(struct kvm_cpuid_entry2 entry)
{
	for (size_t i = 0; i < ARRAY_SIZE(dynamic); i++)
		if (entry.function == dynamic[i].function && entry.index == dynamic[i].index) {
			entry.eax &= ~dynamic[i].eax;
			entry.ebx &= ~dynamic[i].ebx;
			entry.ecx &= ~dynamic[i].ecx;
			entry.edx &= ~dynamic[i].edx;
		}
	return entry;
}

/* Reads the table of the vCPU, which the caller frees. */
static int read_table(const struct axk_vcpu *vcpu, struct kvm_cpuid2 **out)
{
	struct kvm_cpuid2 *cpuid =
		axv_sys_calloc(1, sizeof(*cpuid) + ENTRIES_MAX * sizeof(cpuid->entries[0]));
	int ret;

	if (!cpuid)
		return axvcpu_fail(vcpu->vm->vm, -ENOMEM,
				   "vCPU %" PRIu32 ": allocating the CPUID table", vcpu->id);
	cpuid->nent = ENTRIES_MAX;
	ret = axk_ioctl(vcpu->fd, KVM_GET_CPUID2, cpuid);
	if (!ret && cpuid->nent > ENTRIES_MAX)
		ret = -EIO;
	if (ret) {
		free(cpuid);
		return axk_vcpu_result(vcpu, ret, "KVM_GET_CPUID2");
	}
	*out = cpuid;
	return 0;
}

int axk_x86_save_cpuid(struct axk_vcpu *vcpu, struct axvcpu_saver *saver)
{
	struct kvm_cpuid2 *cpuid;
	int ret = read_table(vcpu, &cpuid);

	if (ret)
		return ret;
	ret = axvcpu_save_section(saver, CPUID, 1, 0, cpuid->entries,
				  cpuid->nent * sizeof(cpuid->entries[0]));
	free(cpuid);
	return ret;
}

static bool is_same(const struct kvm_cpuid_entry2 *a, const struct kvm_cpuid_entry2 *b)
{
	return a->eax == b->eax && a->ebx == b->ebx && a->ecx == b->ecx && a->edx == b->edx;
}

static int check_leaf(struct axk_vcpu *vcpu, struct axvcpu_loader *loader,
		      const struct kvm_cpuid2 *own, const struct kvm_cpuid_entry2 *saved)
{
	const struct kvm_cpuid_entry2 *found = axk_x86_cpuid_find(own, saved->function,
								  saved->index);
	struct kvm_cpuid_entry2 a = without_dynamic(*saved), b = { .function = 0 };

	if (found)
		b = without_dynamic(*found);
	/* A leaf that does not exist reads as zero. */
	if (is_same(&a, &b))
		return 0;
	return axvcpu_load_refused(loader, CPUID, saved->function, -ENOTSUP,
				   "vCPU %" PRIu32 ": CPUID %#" PRIx32 ".%" PRIu32 " was %#" PRIx32
				   " %#" PRIx32 " %#" PRIx32 " %#" PRIx32 ", and is %#" PRIx32
				   " %#" PRIx32 " %#" PRIx32 " %#" PRIx32,
				   vcpu->id, saved->function, saved->index, a.eax, a.ebx, a.ecx,
				   a.edx, b.eax, b.ebx, b.ecx, b.edx);
}

int axk_x86_check_cpuid(struct axk_vcpu *vcpu, struct axvcpu_loader *loader)
{
	struct axvcpu_saved_section section;
	struct kvm_cpuid_entry2 entry;
	struct kvm_cpuid2 *own;
	int ret = axvcpu_load_section(loader, CPUID, 1, 0, ENTRIES_MAX * sizeof(entry), &section);

	if (ret <= 0)
		return ret;
	if (section.len % sizeof(entry))
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "load: vCPU %" PRIu32 ": section " CPUID " ends within a leaf",
				   vcpu->id);
	ret = read_table(vcpu, &own);
	if (ret)
		return ret;
	for (size_t at = 0; !ret && at < section.len; at += sizeof(entry)) {
		memcpy(&entry, (const unsigned char *)section.data + at, sizeof(entry));
		ret = check_leaf(vcpu, loader, own, &entry);
	}
	free(own);
	return ret;
}
