/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* x86_64, without an in-kernel irqchip: a reset as a program without a library makes it. */
#include "raw_reset.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"

#define PAGE 4096u
#define MSR_TSC 0x10u
/* MSRs of one call, and the most calls. */
#define CHUNK 128u
#define CHUNKS 8u

/* struct kvm_msrs, which ends in a flexible array, with room. */
struct msrs {
	__u32 nmsrs;
	__u32 pad;
	struct kvm_msr_entry entries[CHUNK];
};

struct raw_state {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_vcpu_events events;
	struct kvm_xcrs xcrs;
	struct kvm_debugregs debugregs;
	struct kvm_xsave *xsave;
	/* NULL: this KVM has no nested virtualization. */
	struct kvm_nested_state *nested;
	struct msrs msrs[CHUNKS];
	unsigned int chunks;
	/* The clocks. */
	bool has_offset;
	uint64_t tsc;
	uint64_t tsc_offset;
	struct kvm_clock_data clock;
	unsigned char *memory;
	uint64_t *bitmap;
	size_t words;
};

static void *allocate(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		die("no memory");
	return p;
}

/* --- MSRs ------------------------------------------------------------------------------------- */

/* Ranges beside those that KVM lists, and the MSRs that other calls restore. */
struct range {
	uint32_t first;
	uint32_t last;
};
static const struct range unlisted[] = {
	{ 0x200, 0x20f }, { 0x250, 0x250 }, { 0x258, 0x259 }, { 0x268, 0x26f },
	{ 0x277, 0x277 }, { 0x2ff, 0x2ff }, { 0x400, 0x47f }, { 0x4b564d00, 0x4b564dff },
};
static const struct range omitted[] = {
	{ MSR_TSC, MSR_TSC },	    { 0x1b, 0x1b },
	{ 0x6e0, 0x6e0 },	    { 0x800, 0x8ff },
	{ 0x40000000, 0x400001ff }, { 0xc0000080, 0xc0000080 },
	{ 0xc0000100, 0xc0000101 },
};

/* Returns whether KVM has the MSR. */
static bool read_msr(const struct raw_vm *raw, uint32_t index, uint64_t *value)
{
	struct msrs one = { .nmsrs = 1, .entries = { { .index = index } } };

	if (RAW_IOCTL(raw->vcpu, KVM_GET_MSRS, &one) != 1)
		return false;
	*value = one.entries[0].data;
	return true;
}

/* Adds an MSR, if it can be read and written. */
static void add_msr(const struct raw_vm *raw, struct raw_state *state, uint32_t index)
{
	struct msrs one = { .nmsrs = 1, .entries = { { .index = index } } };
	struct msrs *msrs = &state->msrs[state->chunks - 1];
	uint64_t value;

	for (size_t i = 0; i < ARRAY_SIZE(omitted); i++)
		if (index >= omitted[i].first && index <= omitted[i].last)
			return;
	if (!read_msr(raw, index, &value))
		return;
	one.entries[0].data = value;
	if (RAW_IOCTL(raw->vcpu, KVM_SET_MSRS, &one) != 1)
		return;
	if (msrs->nmsrs == CHUNK) {
		if (state->chunks == CHUNKS)
			die("too many MSRs");
		msrs = &state->msrs[state->chunks++];
	}
	msrs->entries[msrs->nmsrs++] = one.entries[0];
}

static void save_msrs(const struct raw_vm *raw, struct raw_state *state)
{
	struct kvm_msr_list none = { .nmsrs = 0 }, *list;
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0)
		die("/dev/kvm: %s", strerror(errno));
	/* Fails with E2BIG, and sets the number. */
	ioctl(kvm, KVM_GET_MSR_INDEX_LIST, &none);
	list = allocate(sizeof(*list) + none.nmsrs * sizeof(list->indices[0]));
	list->nmsrs = none.nmsrs;
	RAW_IOCTL(kvm, KVM_GET_MSR_INDEX_LIST, list);
	close(kvm);
	state->chunks = 1;
	for (uint32_t i = 0; i < list->nmsrs; i++)
		add_msr(raw, state, list->indices[i]);
	free(list);
	for (size_t i = 0; i < ARRAY_SIZE(unlisted); i++)
		for (uint32_t index = unlisted[i].first; index <= unlisted[i].last; index++)
			add_msr(raw, state, index);
}

/* --- saving ----------------------------------------------------------------------------------- */

static struct kvm_device_attr offset_attr(const uint64_t *offset)
{
	return (struct kvm_device_attr){ .group = KVM_VCPU_TSC_CTRL,
					 .attr = KVM_VCPU_TSC_OFFSET,
					 .addr = (uintptr_t)offset };
}

static void save_clocks(const struct raw_vm *raw, struct raw_state *state)
{
	const struct kvm_device_attr attr = offset_attr(&state->tsc_offset);

	state->has_offset = !ioctl(raw->vcpu, KVM_GET_DEVICE_ATTR, &attr);
	RAW_IOCTL(raw->vm, KVM_GET_CLOCK, &state->clock);
	state->clock.flags = 0;
	if (!read_msr(raw, MSR_TSC, &state->tsc))
		die("KVM does not read the TSC");
}

static void save_sized(const struct raw_vm *raw, struct raw_state *state)
{
	const int xsave = RAW_IOCTL(raw->vm, KVM_CHECK_EXTENSION, KVM_CAP_XSAVE2);
	const int nested = RAW_IOCTL(raw->vm, KVM_CHECK_EXTENSION, KVM_CAP_NESTED_STATE);

	if ((size_t)xsave > sizeof(struct kvm_xsave)) {
		state->xsave = allocate((size_t)xsave);
		RAW_IOCTL(raw->vcpu, KVM_GET_XSAVE2, state->xsave);
	} else {
		state->xsave = allocate(sizeof(struct kvm_xsave));
		RAW_IOCTL(raw->vcpu, KVM_GET_XSAVE, state->xsave);
	}
	if ((size_t)nested < sizeof(*state->nested))
		return;
	state->nested = allocate((size_t)nested);
	state->nested->size = (__u32)nested;
	RAW_IOCTL(raw->vcpu, KVM_GET_NESTED_STATE, state->nested);
}

static void save_memory(const struct raw_vm *raw, struct raw_state *state)
{
	const struct kvm_userspace_memory_region region = {
		.flags = KVM_MEM_LOG_DIRTY_PAGES,
		.memory_size = raw->memory_size,
		.userspace_addr = (uintptr_t)raw->memory,
	};

	state->memory = allocate(raw->memory_size);
	memcpy(state->memory, raw->memory, raw->memory_size);
	state->words = raw->memory_size / PAGE / 64;
	state->bitmap = allocate(state->words * sizeof(state->bitmap[0]));
	RAW_IOCTL(raw->vm, KVM_SET_USER_MEMORY_REGION, &region);
}

struct raw_state *raw_save(const struct raw_vm *raw)
{
	struct raw_state *state = allocate(sizeof(*state));

	save_clocks(raw, state);
	RAW_IOCTL(raw->vcpu, KVM_GET_REGS, &state->regs);
	RAW_IOCTL(raw->vcpu, KVM_GET_SREGS, &state->sregs);
	RAW_IOCTL(raw->vcpu, KVM_GET_XCRS, &state->xcrs);
	RAW_IOCTL(raw->vcpu, KVM_GET_DEBUGREGS, &state->debugregs);
	save_sized(raw, state);
	save_msrs(raw, state);
	RAW_IOCTL(raw->vcpu, KVM_GET_VCPU_EVENTS, &state->events);
	save_memory(raw, state);
	return state;
}

void raw_state_free(struct raw_state *state)
{
	free(state->xsave);
	free(state->nested);
	free(state->memory);
	free(state->bitmap);
	free(state);
}

/* --- writing it back -------------------------------------------------------------------------- */

static void flush(const struct raw_vm *raw)
{
	raw->run->immediate_exit = 1;
	if (!ioctl(raw->vcpu, KVM_RUN, 0) || errno != EINTR)
		die("KVM_RUN does not flush");
	raw->run->immediate_exit = 0;
}

static void restore_memory(const struct raw_vm *raw, const struct raw_state *state)
{
	const struct kvm_dirty_log log = { .dirty_bitmap = state->bitmap };

	RAW_IOCTL(raw->vm, KVM_GET_DIRTY_LOG, &log);
	for (size_t word = 0; word < state->words; word++)
		for (uint64_t bits = state->bitmap[word]; bits; bits &= bits - 1) {
			const size_t page = word * 64 + (size_t)__builtin_ctzll(bits);

			memcpy(raw->memory + page * PAGE, state->memory + page * PAGE, PAGE);
		}
}

/* The guest sees no gap in its time. */
static void restore_clocks(const struct raw_vm *raw, struct raw_state *state)
{
	const struct kvm_device_attr attr = offset_attr(&state->tsc_offset);
	uint64_t now;

	if (!state->has_offset || !read_msr(raw, MSR_TSC, &now))
		return;
	state->tsc_offset += state->tsc - now;
	RAW_IOCTL(raw->vcpu, KVM_SET_DEVICE_ATTR, &attr);
	RAW_IOCTL(raw->vm, KVM_SET_CLOCK, &state->clock);
}

static void restore_rest(const struct raw_vm *raw, struct raw_state *state)
{
	restore_clocks(raw, state);
	if (state->nested)
		RAW_IOCTL(raw->vcpu, KVM_SET_NESTED_STATE, state->nested);
	RAW_IOCTL(raw->vcpu, KVM_SET_XSAVE, state->xsave);
	RAW_IOCTL(raw->vcpu, KVM_SET_XCRS, &state->xcrs);
	RAW_IOCTL(raw->vcpu, KVM_SET_DEBUGREGS, &state->debugregs);
	for (unsigned int i = 0; i < state->chunks; i++)
		if (RAW_IOCTL(raw->vcpu, KVM_SET_MSRS, &state->msrs[i]) !=
		    (int)state->msrs[i].nmsrs)
			die("KVM_SET_MSRS stops early");
	/* EINVAL: the guest has no kvmclock. */
	if (ioctl(raw->vcpu, KVM_KVMCLOCK_CTRL, 0) && errno != EINVAL)
		die("KVM_KVMCLOCK_CTRL: %s", strerror(errno));
}

void raw_reset(const struct raw_vm *raw, struct raw_state *state, bool all)
{
	struct kvm_run *run = raw->run;

	flush(raw);
	if (all)
		restore_rest(raw, state);
	restore_memory(raw, state);
	run->s.regs.regs = state->regs;
	run->s.regs.sregs = state->sregs;
	run->kvm_dirty_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
	if (!all)
		return;
	run->s.regs.events = state->events;
	run->kvm_dirty_regs |= KVM_SYNC_X86_EVENTS;
}
