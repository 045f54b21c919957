/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Dirty tracking: KVM records the guest's writes in a bitmap for each slot, or in a ring for each
 * vCPU. Entries of the rings are moved to bitmaps here, so both look alike to the library.
 *
 * A page has one entry until its entry is reset, so an entry that was moved must be reset before the
 * library learns of the page: otherwise a later write would be lost.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backends/kvm/kvm.h"

/* Page of the ring in the mapping of a vCPU; older headers of some architectures lack it. */
#define RING_PAGE 64
/* A signal may end KVM_RESET_DIRTY_RINGS early: limits the calls that reset no entry. */
#define RESET_TRIES 64

struct axk_dirty_log {
	uint64_t pages;
	/* The bitmap of pages that rings have reported. */
	uint64_t bits[];
};

static size_t words_of(uint64_t pages)
{
	return (size_t)((pages + 63) / 64);
}

/* --- the VM ----------------------------------------------------------------------------------- */

/* Returns the capability that this KVM has the rings by, or a negative errno. */
static int find_ring_capability(const struct axk_vm *kvm, int *max_bytes)
{
	int ret = axk_ioctl_value(kvm->fd, KVM_CHECK_EXTENSION, KVM_CAP_DIRTY_LOG_RING_ACQ_REL);
	int capability = KVM_CAP_DIRTY_LOG_RING_ACQ_REL;

	if (ret < 0)
		return axvcpu_fail(kvm->vm, ret,
				   "KVM_CHECK_EXTENSION of KVM_CAP_DIRTY_LOG_RING_ACQ_REL");
	/* Before Linux 6.1, x86 only. */
	if (!ret) {
		capability = KVM_CAP_DIRTY_LOG_RING;
		ret = axk_vm_require(kvm, KVM_CAP_DIRTY_LOG_RING, "KVM_CAP_DIRTY_LOG_RING",
				     "dirty_ring_entries");
	}
	if (ret < 0)
		return ret;
	*max_bytes = ret;
	return capability;
}

static int enable_rings(const struct axk_vm *kvm, uint32_t entries)
{
	const uint64_t bytes = (uint64_t)entries * sizeof(struct kvm_dirty_gfn);
	int capability, ret, max_bytes = 0;
	struct kvm_enable_cap cap = { .args = { bytes } };

	capability = find_ring_capability(kvm, &max_bytes);
	if (capability < 0)
		return capability;
	if (bytes > (uint64_t)max_bytes)
		return axvcpu_fail(kvm->vm, -EINVAL,
				   "VM config: dirty_ring_entries is %" PRIu32
				   "; this KVM has at most %zu",
				   entries, (size_t)max_bytes / sizeof(struct kvm_dirty_gfn));
	cap.cap = (uint32_t)capability;
	ret = axk_ioctl(kvm->fd, KVM_ENABLE_CAP, &cap);
	if (ret < 0)
		return axvcpu_fail(kvm->vm, ret,
				   "KVM_ENABLE_CAP of the dirty ring with %" PRIu32 " entries%s",
				   entries,
				   ret == -EINVAL ? "; KVM needs a page of them, and more than the "
						    "CPU buffers (1024 are always enough)"
						  : "");
	return 0;
}

/* arm64: writes that no vCPU makes, such as those of the ITS, are in a bitmap beside the rings. */
static int enable_bitmap(struct axk_vm *kvm)
{
	int ret = axk_ioctl_value(kvm->fd, KVM_CHECK_EXTENSION, KVM_CAP_DIRTY_LOG_RING_WITH_BITMAP);

	if (ret < 0)
		return axvcpu_fail(kvm->vm, ret,
				   "KVM_CHECK_EXTENSION of KVM_CAP_DIRTY_LOG_RING_WITH_BITMAP");
	if (!ret)
		return 0;
	kvm->dirty.has_bitmap = true;
	return axk_vm_enable(kvm, KVM_CAP_DIRTY_LOG_RING_WITH_BITMAP, 0,
			     "KVM_CAP_DIRTY_LOG_RING_WITH_BITMAP");
}

int axk_dirty_init(struct axk_vm *kvm, uint32_t entries, uint32_t slots)
{
	struct axk_dirty *dirty = &kvm->dirty;
	int ret;

	if (!entries)
		return 0;
	ret = enable_rings(kvm, entries);
	if (!ret)
		ret = enable_bitmap(kvm);
	if (ret)
		return ret;
	dirty->logs = axv_sys_calloc(slots, sizeof(*dirty->logs));
	if (!dirty->logs)
		return axvcpu_fail(kvm->vm, -ENOMEM, "VM: allocating %" PRIu32 " dirty logs",
				   slots);
	pthread_mutex_init(&dirty->lock, NULL);
	dirty->slots = slots;
	dirty->ring_entries = entries;
	return 0;
}

void axk_dirty_destroy(struct axk_vm *kvm)
{
	struct axk_dirty *dirty = &kvm->dirty;

	if (!dirty->ring_entries)
		return;
	for (uint32_t i = 0; i < dirty->slots; i++)
		free(dirty->logs[i]);
	free(dirty->logs);
	/* In a forked child this may wait for threads of the parent. */
	if (!axvm_is_copy(kvm->vm))
		pthread_mutex_destroy(&dirty->lock);
}

/* --- the rings -------------------------------------------------------------------------------- */

static size_t ring_size(const struct axk_vm *kvm)
{
	return kvm->dirty.ring_entries * sizeof(struct kvm_dirty_gfn);
}

/* Entries of slots without a log, and garbage, are dropped. */
static void record(struct axk_dirty *dirty, uint32_t slot, uint64_t page)
{
	struct axk_dirty_log *log = slot < dirty->slots ? dirty->logs[slot] : NULL;

	if (log && page < log->pages)
		log->bits[page / 64] |= UINT64_C(1) << page % 64;
}

/* Moves the entries of one ring. */
static void empty_ring(struct axk_dirty *dirty, struct axk_vcpu *vcpu)
{
	/* KVM does not use an entry again before it is reset, so these are all. */
	for (uint32_t i = 0; i < dirty->ring_entries; i++) {
		struct kvm_dirty_gfn *entry =
			&vcpu->dirty_ring[vcpu->dirty_next % dirty->ring_entries];

		/* KVM stores the flag after the rest. */
		if (__atomic_load_n(&entry->flags, __ATOMIC_ACQUIRE) != KVM_DIRTY_GFN_F_DIRTY)
			break;
		record(dirty, entry->slot, entry->offset);
		__atomic_store_n(&entry->flags, KVM_DIRTY_GFN_F_RESET, __ATOMIC_RELEASE);
		vcpu->dirty_next++;
		dirty->to_reset++;
	}
}

/* Makes KVM record the moved pages again. */
static int reset_rings(struct axk_vm *kvm)
{
	struct axk_dirty *dirty = &kvm->dirty;

	for (int idle = 0; dirty->to_reset && idle < RESET_TRIES;) {
		int ret = axk_ioctl_value(kvm->fd, KVM_RESET_DIRTY_RINGS, 0);

		if (ret < 0 && ret != -EINTR)
			return axk_vm_result(kvm, ret, "KVM_RESET_DIRTY_RINGS");
		if (ret <= 0)
			idle++;
		else if ((uint64_t)ret < dirty->to_reset)
			dirty->to_reset -= (uint64_t)ret;
		else
			dirty->to_reset = 0;
	}
	if (dirty->to_reset)
		return axvcpu_fail(kvm->vm, -EAGAIN,
				   "KVM_RESET_DIRTY_RINGS: %" PRIu64 " entries were not reset",
				   dirty->to_reset);
	return 0;
}

/* The caller holds the lock. */
static int empty_rings(struct axk_vm *kvm)
{
	for (struct axk_vcpu *vcpu = kvm->dirty.vcpus; vcpu; vcpu = vcpu->dirty_list)
		empty_ring(&kvm->dirty, vcpu);
	return reset_rings(kvm);
}

int axk_dirty_ring_full(struct axk_vcpu *vcpu)
{
	struct axk_dirty *dirty = &vcpu->vm->dirty;
	int ret;

	/* Only its own ring: resetting an entry costs time, and may stop other vCPUs. */
	pthread_mutex_lock(&dirty->lock);
	empty_ring(dirty, vcpu);
	ret = reset_rings(vcpu->vm);
	pthread_mutex_unlock(&dirty->lock);
	return ret;
}

int axk_dirty_vcpu_new(struct axk_vcpu *vcpu)
{
	struct axk_vm *kvm = vcpu->vm;
	struct axk_dirty *dirty = &kvm->dirty;
	void *ring;
	int ret;

	if (!dirty->ring_entries || vcpu->dirty_ring)
		return 0;
	ret = axv_sys_mmap(ring_size(kvm), PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd,
			   RING_PAGE * (uint64_t)sysconf(_SC_PAGESIZE), &ring);
	if (ret)
		return axk_vcpu_result(vcpu, ret, "mmap of the dirty ring");
	vcpu->dirty_ring = ring;
	pthread_mutex_lock(&dirty->lock);
	vcpu->dirty_list = dirty->vcpus;
	dirty->vcpus = vcpu;
	pthread_mutex_unlock(&dirty->lock);
	return 0;
}

void axk_dirty_vcpu_close(struct axk_vcpu *vcpu)
{
	struct axk_vm *kvm = vcpu->vm;
	struct axk_dirty *dirty = &kvm->dirty;
	struct axk_vcpu **p = &dirty->vcpus;

	if (!vcpu->dirty_ring)
		return;
	/* A forked child shares the ring with its parent, and the lock may be held. */
	if (!axvm_is_copy(kvm->vm)) {
		pthread_mutex_lock(&dirty->lock);
		/* Reset later, with others. */
		empty_ring(dirty, vcpu);
		while (*p != vcpu)
			p = &(*p)->dirty_list;
		*p = vcpu->dirty_list;
		pthread_mutex_unlock(&dirty->lock);
	}
	axv_sys_munmap(vcpu->dirty_ring, ring_size(kvm));
}

/* --- logs ------------------------------------------------------------------------------------- */

int axk_dirty_begin(struct axk_vm *kvm, const struct axvm_region *region, uint32_t slot)
{
	const uint64_t pages = region->len / (uint64_t)sysconf(_SC_PAGESIZE);
	struct axk_dirty *dirty = &kvm->dirty;
	struct axk_dirty_log *log;
	int ret;

	if (!dirty->ring_entries || !(region->flags & AXVM_MEM_LOG_DIRTY))
		return 0;
	log = axv_sys_calloc(1, sizeof(*log) + words_of(pages) * sizeof(log->bits[0]));
	if (!log)
		return axvcpu_fail(kvm->vm, -ENOMEM, "dirty log of slot %" PRIu32 ": allocating it",
				   slot);
	log->pages = pages;
	pthread_mutex_lock(&dirty->lock);
	/* Entries of an earlier use of the slot are dropped. */
	ret = empty_rings(kvm);
	if (!ret)
		dirty->logs[slot] = log;
	pthread_mutex_unlock(&dirty->lock);
	if (ret)
		free(log);
	return ret;
}

void axk_dirty_end(struct axk_vm *kvm, uint32_t slot)
{
	struct axk_dirty *dirty = &kvm->dirty;
	struct axk_dirty_log *log;

	if (!dirty->ring_entries)
		return;
	pthread_mutex_lock(&dirty->lock);
	log = dirty->logs[slot];
	dirty->logs[slot] = NULL;
	pthread_mutex_unlock(&dirty->lock);
	free(log);
}

static int get_bitmap(const struct axk_vm *kvm, const struct axvm_region *region, uint32_t slot,
		      uint64_t *bitmap)
{
	const struct kvm_dirty_log log = { .slot = slot, .dirty_bitmap = bitmap };
	int ret = axk_ioctl(kvm->fd, KVM_GET_DIRTY_LOG, &log);

	if (ret < 0)
		return axvcpu_fail(kvm->vm, ret,
				   "KVM_GET_DIRTY_LOG of %#" PRIx64 " +%#" PRIx64
				   " in slot %" PRIu32,
				   region->gpa, region->len, slot);
	return 0;
}

int axk_get_dirty(void *arch_vm, const struct axvm_region *region, uint32_t slot, uint64_t *bitmap)
{
	struct axk_vm *kvm = arch_vm;
	struct axk_dirty *dirty = &kvm->dirty;
	struct axk_dirty_log *log;
	size_t words;
	int ret;

	if (!dirty->ring_entries)
		return get_bitmap(kvm, region, slot, bitmap);
	pthread_mutex_lock(&dirty->lock);
	log = dirty->logs[slot];
	words = words_of(log->pages);
	ret = empty_rings(kvm);
	if (!ret && dirty->has_bitmap)
		ret = get_bitmap(kvm, region, slot, bitmap);
	else if (!ret)
		memset(bitmap, 0, words * sizeof(*bitmap));
	for (size_t i = 0; !ret && i < words; i++) {
		bitmap[i] |= log->bits[i];
		log->bits[i] = 0;
	}
	pthread_mutex_unlock(&dirty->lock);
	return ret;
}
