/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The MSRs of a saved state: those that KVM lists, and some that it has and does not list. KVM
 * reads and writes an array of them, and stops at the first that it refuses.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backends/x86_64/state.h"

#define MSRS "msrs"
/* Exceeds the numbers that KVM lists, and those of 'unlisted'. */
#define MSRS_MAX 4096u
/* KVM accepts less than 256 at once. */
#define CHUNK 128u

#define MSR_TSC 0x10u
#define MSR_APIC_BASE 0x1bu
#define MSR_TSC_DEADLINE 0x6e0u
#define MSR_EFER 0xc0000080u
#define MSR_FS_BASE 0xc0000100u
#define MSR_GS_BASE 0xc0000101u
/* The MSRs of KVM itself: 256. */
#define MSR_KVM_FIRST 0x4b564d00u
#define MSR_HYPERV_FIRST 0x40000000u
#define MSR_HYPERV_LAST 0x400001ffu

struct range {
	uint32_t first;
	uint32_t last;
};

/* MSRs that KVM may have and does not list. */
static const struct range unlisted[] = {
	{ 0x200, 0x20f },	    { 0x250, 0x250 },
	{ 0x258, 0x259 },	    { 0x268, 0x26f }, /* MTRRs */
	{ 0x277, 0x277 },	    { 0x2ff, 0x2ff }, /* PAT, MTRR_DEF_TYPE */
	{ 0x400, 0x47f }, /* machine-check banks */
	{ MSR_KVM_FIRST, MSR_KVM_FIRST + 0xff }, /* those of KVM itself */
};

/* MSRs that are not loaded as such. */
static const struct range omitted[] = {
	/* KVM ignores a value near the expected one; the offset is loaded instead. */
	{ MSR_TSC, MSR_TSC },
	/* In the special registers. */
	{ MSR_APIC_BASE, MSR_APIC_BASE },
	{ MSR_EFER, MSR_EFER },
	{ MSR_FS_BASE, MSR_GS_BASE },
	/* In the state of the LAPIC. */
	{ X2APIC_MSR_FIRST, X2APIC_MSR_LAST },
	/* Reading one makes KVM allocate a state of Hyper-V, which the library does not support. */
	{ MSR_HYPERV_FIRST, MSR_HYPERV_LAST },
};

static bool is_omitted(uint32_t index)
{
	for (size_t i = 0; i < ARRAY_SIZE(omitted); i++)
		if (index >= omitted[i].first && index <= omitted[i].last)
			return true;
	return false;
}

/* struct kvm_msrs, which ends in a flexible array, with room. */
struct msrs {
	__u32 nmsrs;
	__u32 pad;
	struct kvm_msr_entry entries[CHUNK];
};
_Static_assert(offsetof(struct msrs, entries) == sizeof(struct kvm_msrs), "struct kvm_msrs");

/* Returns the number of MSRs that KVM has read or set, from the first on, or a negative errno. */
static int msrs_ioctl(const struct axk_vcpu *vcpu, bool set, const struct msrs *msrs)
{
	int ret = axv_sys_ioctl(vcpu->fd, set ? KVM_SET_MSRS : KVM_GET_MSRS, (uintptr_t)msrs);

	/* More than there are would lead beyond the array. */
	if (ret > (int)msrs->nmsrs)
		ret = -EIO;
	return axk_vcpu_result(vcpu, ret, set ? "KVM_SET_MSRS" : "KVM_GET_MSRS");
}

/* --- the list --------------------------------------------------------------------------------- */

int axk_x86_msr_list_read(const struct axvm *vm, int kvm_fd, struct kvm_msr_list **out)
{
	struct kvm_msr_list none = { .nmsrs = 0 }, *list;
	int ret = axk_ioctl(kvm_fd, KVM_GET_MSR_INDEX_LIST, &none);

	/* E2BIG is the expected result: it sets nmsrs. */
	if (ret == -E2BIG)
		ret = none.nmsrs <= MSRS_MAX ? 0 : -EIO;
	if (ret)
		return axvcpu_fail(vm, ret, "KVM_GET_MSR_INDEX_LIST");
	list = axv_sys_calloc(1, sizeof(*list) + none.nmsrs * sizeof(list->indices[0]));
	if (!list)
		return axvcpu_fail(vm, -ENOMEM, "KVM_GET_MSR_INDEX_LIST: allocating the list");
	list->nmsrs = none.nmsrs;
	ret = axk_ioctl(kvm_fd, KVM_GET_MSR_INDEX_LIST, list);
	if (!ret && list->nmsrs > none.nmsrs)
		ret = -EIO;
	if (ret) {
		free(list);
		return axvcpu_fail(vm, ret, "KVM_GET_MSR_INDEX_LIST");
	}
	*out = list;
	return 0;
}

/* Adds an index, unless it is omitted or was added. Each is below MSRS_MAX by number. */
static void add(uint32_t *indices, uint32_t *n, uint32_t index)
{
	if (is_omitted(index))
		return;
	for (uint32_t i = 0; i < *n; i++)
		if (indices[i] == index)
			return;
	indices[(*n)++] = index;
}

/* Reads the MSRs that KVM has, of 'n' ones, into 'out', with room for all. Returns their number. */
static int read_msrs(const struct axk_vcpu *vcpu, const uint32_t *indices, uint32_t n,
		     struct kvm_msr_entry *out)
{
	struct msrs msrs;
	uint32_t found = 0;

	for (uint32_t i = 0; i < n;) {
		int ret;

		msrs.nmsrs = n - i < CHUNK ? n - i : CHUNK;
		msrs.pad = 0;
		for (uint32_t k = 0; k < msrs.nmsrs; k++)
			msrs.entries[k] = (struct kvm_msr_entry){ .index = indices[i + k] };
		ret = msrs_ioctl(vcpu, false, &msrs);
		if (ret < 0)
			return ret;
		for (int k = 0; k < ret; k++)
			out[found++] = msrs.entries[k];
		/* KVM lacks the one at which it has stopped. */
		i += (uint32_t)ret + ((uint32_t)ret < msrs.nmsrs);
	}
	return (int)found;
}

/* Not for loads, which do not need it: KVM is asked once for each MSR that it lacks. */
static int find_msrs(const struct axk_vcpu *vcpu, struct axk_x86_state_info *info)
{
	const struct kvm_msr_list *listed = vcpu->vm->arch.msrs;
	struct kvm_msr_entry *entries;
	uint32_t n = 0, room = listed->nmsrs, *indices;
	int ret;

	for (size_t i = 0; i < ARRAY_SIZE(unlisted); i++)
		room += unlisted[i].last - unlisted[i].first + 1;
	indices = axv_sys_calloc(room, sizeof(*indices));
	entries = axv_sys_calloc(room, sizeof(*entries));
	if (!indices || !entries) {
		ret = axvcpu_fail(vcpu->vm->vm, -ENOMEM,
				  "save: vCPU %" PRIu32 ": allocating the list of MSRs", vcpu->id);
		goto out;
	}
	for (uint32_t i = 0; i < listed->nmsrs; i++)
		add(indices, &n, listed->indices[i]);
	for (size_t i = 0; i < ARRAY_SIZE(unlisted); i++)
		for (uint32_t index = unlisted[i].first; index <= unlisted[i].last; index++)
			add(indices, &n, index);
	ret = read_msrs(vcpu, indices, n, entries);
	if (ret < 0)
		goto out;
	for (int i = 0; i < ret; i++)
		indices[i] = entries[i].index;
	info->msrs = indices;
	info->nmsrs = (uint32_t)ret;
	indices = NULL;
	ret = 0;
out:
	free(entries);
	free(indices);
	return ret;
}

/* --- saving and loading ----------------------------------------------------------------------- */

int axk_x86_save_msrs(struct axk_vcpu *vcpu, struct axvcpu_saver *saver)
{
	struct axk_x86_state_info *info = vcpu->arch.state;
	int ret = info->msrs ? 0 : find_msrs(vcpu, info);
	struct kvm_msr_entry *entries;

	if (ret)
		return ret;
	entries = axv_sys_calloc(info->nmsrs + 1u, sizeof(*entries));
	if (!entries)
		return axvcpu_fail(vcpu->vm->vm, -ENOMEM,
				   "save: vCPU %" PRIu32 ": allocating the MSRs", vcpu->id);
	ret = read_msrs(vcpu, info->msrs, info->nmsrs, entries);
	if (ret >= 0)
		ret = axvcpu_save_section(saver, MSRS, 1, 0, entries,
					  (size_t)ret * sizeof(*entries));
	free(entries);
	return ret;
}

static struct kvm_msr_entry entry_at(const struct axvcpu_saved_section *section, size_t n)
{
	struct kvm_msr_entry entry;

	memcpy(&entry, (const unsigned char *)section->data + n * sizeof(entry), sizeof(entry));
	return entry;
}

int axk_x86_check_msrs(const struct axk_vcpu *vcpu, struct axvcpu_loader *loader,
		       struct axvcpu_saved_section *section)
{
	int ret = axvcpu_load_section(loader, MSRS, 1, 0, MSRS_MAX * sizeof(struct kvm_msr_entry),
				      section);

	if (ret < 0)
		return ret;
	if (!ret || section->len % sizeof(struct kvm_msr_entry))
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "load: vCPU %" PRIu32 ": section " MSRS
				   " is missing, or ends within an MSR",
				   vcpu->id);
	for (size_t i = 0; i < section->len / sizeof(struct kvm_msr_entry); i++) {
		const struct kvm_msr_entry entry = entry_at(section, i);

		if (is_omitted(entry.index) || entry.reserved)
			return axvcpu_fail(vcpu->vm->vm, -EINVAL,
					   "load: vCPU %" PRIu32 ": section " MSRS ": MSR %#" PRIx32
					   " is not loaded as such",
					   vcpu->id, entry.index);
	}
	return 0;
}

/* KVM has refused the MSR. That is no failure if it has the value, as a read-only one may. */
static int refused(struct axk_vcpu *vcpu, struct axvcpu_loader *loader,
		   const struct kvm_msr_entry *entry)
{
	uint64_t present = 0;
	int ret = axk_x86_get_msr(vcpu, entry->index, &present);

	if (ret == -ENOENT)
		return axvcpu_load_refused(loader, MSRS, entry->index, ret,
					   "vCPU %" PRIu32 ": this host lacks MSR %#" PRIx32,
					   vcpu->id, entry->index);
	if (ret || present == entry->data)
		return ret;
	return axvcpu_load_refused(loader, MSRS, entry->index, -EINVAL,
				   "vCPU %" PRIu32 ": KVM refuses %#llx for MSR %#" PRIx32
				   ", which has %#" PRIx64,
				   vcpu->id, entry->data, entry->index, present);
}

/*
 * Drops the MSRs that have the saved values. Returns the number of the others, or a negative errno.
 * Writing an MSR of KVM itself also starts what it controls, such as updates of kvmclock.
 */
static int drop_equal(const struct axk_vcpu *vcpu, struct kvm_msr_entry *entries, uint32_t n)
{
	struct msrs present = { .nmsrs = n };
	int left = 0, ret;

	for (uint32_t i = 0; i < n; i++)
		present.entries[i] = (struct kvm_msr_entry){ .index = entries[i].index };
	ret = msrs_ioctl(vcpu, false, &present);
	if (ret < 0)
		return ret;
	for (uint32_t i = 0; i < n; i++)
		if (i >= (uint32_t)ret || entries[i].index >> 8 == MSR_KVM_FIRST >> 8 ||
		    present.entries[i].data != entries[i].data)
			entries[left++] = entries[i];
	return left;
}

/* Writes the MSRs of a chunk, and continues behind each that KVM refuses. */
static int write_chunk(struct axk_vcpu *vcpu, struct axvcpu_loader *loader,
		       const struct kvm_msr_entry *entries, uint32_t n)
{
	struct msrs msrs = { .nmsrs = 0 };

	for (uint32_t i = 0; i < n;) {
		int ret;

		msrs.nmsrs = n - i;
		memcpy(msrs.entries, entries + i, (n - i) * sizeof(*entries));
		ret = msrs_ioctl(vcpu, true, &msrs);
		if (ret < 0)
			return ret;
		i += (uint32_t)ret;
		if (i == n)
			break;
		ret = refused(vcpu, loader, &entries[i]);
		if (ret)
			return ret;
		i++;
	}
	return 0;
}

/* Writes the MSRs; in place those that differ, for which it changes the array. */
static int write_msrs(struct axk_vcpu *vcpu, struct axvcpu_loader *loader,
		      struct kvm_msr_entry *entries, uint32_t n, bool in_place)
{
	int left = in_place && n ? drop_equal(vcpu, entries, n) : (int)n;

	return left < 0 ? left : write_chunk(vcpu, loader, entries, (uint32_t)left);
}

int axk_x86_load_msrs(struct axk_vcpu *vcpu, struct axvcpu_loader *loader,
		      const struct axvcpu_saved_section *section, bool in_place)
{
	const size_t total = section->len / sizeof(struct kvm_msr_entry);
	struct kvm_msr_entry entries[CHUNK];
	uint32_t n = 0;
	int ret = 0;

	for (size_t i = 0; !ret && i < total; i++) {
		entries[n] = entry_at(section, i);
		if (entries[n].index == MSR_TSC_DEADLINE)
			continue;
		if (++n == CHUNK) {
			ret = write_msrs(vcpu, loader, entries, n, in_place);
			n = 0;
		}
	}
	return ret ? ret : write_msrs(vcpu, loader, entries, n, in_place);
}

int axk_x86_load_deadline(struct axk_vcpu *vcpu, struct axvcpu_loader *loader,
			  const struct axvcpu_saved_section *section)
{
	const size_t total = section->len / sizeof(struct kvm_msr_entry);

	for (size_t i = 0; i < total; i++) {
		struct kvm_msr_entry entry = entry_at(section, i);

		if (entry.index == MSR_TSC_DEADLINE)
			return write_chunk(vcpu, loader, &entry, 1);
	}
	return 0;
}
