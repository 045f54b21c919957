/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Loading a vCPU. All sections are found and checked before the first register changes. The order
 * of the registers matters: writing the general ones drops pending exceptions; the special ones have
 * the mode of the LAPIC; a deadline that is written before the LAPIC is lost; the events are last.
 *
 * If few parts are loaded into a vCPU for which the state was prepared, KVM gets the registers with
 * the next entry, by KVM_CAP_SYNC_REGS, which saves their system calls. They wait in struct
 * kvm_run: axk_x86_need_regs() gives them to KVM before another operation uses the registers or
 * events.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backends/x86_64/state.h"

/* The legacy area and the header, which each XSAVE area has. */
#define XSAVE_MIN 576u

/* --- state of this library -------------------------------------------------------------------- */

static struct axvcpu_exception exception_of(const struct axk_x86_library_state *state)
{
	return (struct axvcpu_exception){ .vector = state->vector,
					  .has_error_code = !!state->has_error_code,
					  .error_code = state->error_code };
}

static int find_library(const struct axk_vcpu *vcpu, struct axvcpu_loader *loader,
			struct axk_x86_library_state *state)
{
	struct axvcpu_exception exception;
	bool waits = false;
	int ret = axk_require_state(vcpu, loader, AXK_X86_LIBRARY, state, sizeof(*state));

	if (ret)
		return ret;
	for (unsigned int i = 0; i < X86_VECTORS; i++)
		waits |= state->count[i];
	if (state->has_exception > 1 || state->has_error_code > 1 || state->window > 1 ||
	    state->zero || (vcpu->vm->kernel_irqchip && (waits || state->window)))
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "load: vCPU %" PRIu32 ": section " AXK_X86_LIBRARY
				   " is not valid in a VM with this irqchip",
				   vcpu->id);
	exception = exception_of(state);
	return state->has_exception ? axk_x86_check_exception(vcpu, &exception) : 0;
}

static void load_library(struct axk_vcpu *vcpu, const struct axk_x86_library_state *state,
			 uint64_t cr8)
{
	struct axk_x86_pending *pending = &vcpu->arch.pending;
	bool waits = state->has_exception || state->window;

	axk_x86_inject_reset(vcpu);
	for (unsigned int i = 0; i < X86_VECTORS; i++) {
		pending->count[i] = state->count[i];
		if (state->count[i])
			pending->vectors[i / 64] |= UINT64_C(1) << i % 64;
		waits |= state->count[i];
	}
	pending->has_exception = state->has_exception;
	pending->exception = exception_of(state);
	pending->window = state->window;
	vcpu->arch.icr_low = state->icr_low;
	vcpu->arch.icr_high = state->icr_high;
	vcpu->has_pending_work |= waits;
	/* Without an in-kernel LAPIC, KVM loads CR8 from here on every entry. */
	vcpu->run->cr8 = cr8;
	/* None from before: it would replace the registers at the next entry. */
	vcpu->run->kvm_dirty_regs = 0;
}

/* --- loading ---------------------------------------------------------------------------------- */

/* The content of the sections: the prepared form of the state. Buffers of other sizes follow it. */
struct saved {
	struct kvm_mp_state mp_state;
	struct kvm_regs regs;
	bool has_sregs2;
	struct kvm_sregs2 sregs2;
	/* If there are sregs2, the registers that both have. */
	struct kvm_sregs sregs;
	struct kvm_xsave *xsave;
	struct kvm_xcrs xcrs;
	struct kvm_debugregs debugregs;
	struct kvm_lapic_state lapic;
	struct axk_x86_tsc_state tsc;
	struct axvcpu_saved_section msrs;
	/* NULL: the state has none. */
	struct kvm_nested_state *nested;
	struct kvm_vcpu_events events;
	struct axk_x86_library_state library;
};

/* Room for the nested state, which is behind struct saved; the XSAVE area follows. */
static size_t nested_room(const struct axk_vcpu *vcpu)
{
	return (vcpu->arch.state->nested_size + 7) & ~(size_t)7;
}

static int find_sregs(const struct axk_vcpu *vcpu, struct axvcpu_loader *loader,
		      struct saved *saved)
{
	int ret = 0;

	_Static_assert(offsetof(struct kvm_sregs2, flags) ==
			       offsetof(struct kvm_sregs, interrupt_bitmap),
		       "the same registers");
	if (vcpu->arch.state->has_sregs2)
		ret = axk_find_state(loader, "sregs2", &saved->sregs2, sizeof(saved->sregs2));
	saved->has_sregs2 = ret > 0;
	if (ret > 0)
		memcpy(&saved->sregs, &saved->sregs2, offsetof(struct kvm_sregs2, flags));
	if (ret)
		return ret < 0 ? ret : 0;
	return axk_require_state(vcpu, loader, "sregs", &saved->sregs, sizeof(saved->sregs));
}

static int find_xsave(const struct axk_vcpu *vcpu, struct axvcpu_loader *loader,
		      struct saved *saved)
{
	const size_t size = vcpu->arch.state->xsave_size;
	struct axvcpu_saved_section section;
	int ret = axvcpu_load_section(loader, "xsave", 1, XSAVE_MIN, size, &section);

	if (ret < 0)
		return ret;
	if (!ret)
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "load: vCPU %" PRIu32 ": the state has no section xsave",
				   vcpu->id);
	saved->xsave = (void *)((unsigned char *)(saved + 1) + nested_room(vcpu));
	memcpy(saved->xsave, section.data, section.len);
	return 0;
}

static int find_nested(const struct axk_vcpu *vcpu, struct axvcpu_loader *loader,
		       struct saved *saved)
{
	const size_t size = vcpu->arch.state->nested_size;
	struct axvcpu_saved_section section;
	int ret;

	if (!size)
		return 0;
	ret = axvcpu_load_section(loader, "nested", 1, sizeof(*saved->nested), size, &section);
	if (ret <= 0)
		return ret;
	saved->nested = (void *)(saved + 1);
	memcpy(saved->nested, section.data, section.len);
	/* KVM reads as many bytes as the header says. */
	if (saved->nested->size == section.len)
		return 0;
	return axvcpu_fail(vcpu->vm->vm, -EINVAL,
			   "load: vCPU %" PRIu32
			   ": section nested has %zu bytes, its header %" PRIu32,
			   vcpu->id, section.len, saved->nested->size);
}

static int find_tsc(const struct axk_vcpu *vcpu, struct axvcpu_loader *loader,
		    struct axk_x86_tsc_state *tsc)
{
	int ret = axk_require_state(vcpu, loader, "tsc", tsc, sizeof(*tsc));

	if (ret)
		return ret;
	if (!tsc->khz || tsc->khz > INT32_MAX || tsc->has_offset > 1 || tsc->zero)
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "load: vCPU %" PRIu32 ": section tsc: %" PRIu64
				   " kHz is not a frequency",
				   vcpu->id, tsc->khz);
	return 0;
}

static int find_lapic(const struct axk_vcpu *vcpu, struct axvcpu_loader *loader,
		      struct kvm_lapic_state *lapic)
{
	int ret;

	if (vcpu->vm->kernel_irqchip)
		return axk_require_state(vcpu, loader, "lapic", lapic, sizeof(*lapic));
	ret = axk_find_state(loader, "lapic", lapic, sizeof(*lapic));
	if (ret <= 0)
		return ret;
	return axvcpu_fail(vcpu->vm->vm, -ENOTSUP,
			   "load: vCPU %" PRIu32 ": the state has a section lapic, and the VM no "
			   "in-kernel LAPIC",
			   vcpu->id);
}

static int find(struct axk_vcpu *vcpu, struct axvcpu_loader *loader, struct saved *saved)
{
	int ret = axk_find_mp_state(vcpu, loader, &saved->mp_state);

	if (!ret)
		ret = axk_require_state(vcpu, loader, "regs", &saved->regs, sizeof(saved->regs));
	if (!ret)
		ret = find_sregs(vcpu, loader, saved);
	if (!ret)
		ret = find_xsave(vcpu, loader, saved);
	if (!ret)
		ret = axk_require_state(vcpu, loader, "xcrs", &saved->xcrs, sizeof(saved->xcrs));
	if (!ret)
		ret = axk_require_state(vcpu, loader, "debugregs", &saved->debugregs,
					sizeof(saved->debugregs));
	if (!ret)
		ret = find_lapic(vcpu, loader, &saved->lapic);
	if (!ret)
		ret = find_tsc(vcpu, loader, &saved->tsc);
	if (!ret)
		ret = axk_x86_check_msrs(vcpu, loader, &saved->msrs);
	if (!ret)
		ret = find_nested(vcpu, loader, saved);
	if (!ret)
		ret = axk_require_state(vcpu, loader, "events", &saved->events,
					sizeof(saved->events));
	if (!ret)
		ret = find_library(vcpu, loader, &saved->library);
	/* Last: only this may ask the caller, who need not decide about bytes that are not valid. */
	if (!ret)
		ret = axk_x86_check_cpuid(vcpu, loader);
	return ret;
}

/*
 * Ends nested guest mode, in which the registers are those of the nested guest. Stores in '*same'
 * whether the vCPU was in no such mode, and has the saved nested state.
 */
static int leave_nested(struct axk_vcpu *vcpu, const struct saved *saved, bool *same)
{
	struct kvm_nested_state none = { .size = sizeof(none) }, *nested;
	uint16_t flags;
	int ret;

	*same = !saved->nested;
	if (!vcpu->arch.state->nested_size)
		return 0;
	ret = axk_x86_read_nested(vcpu, &nested);
	if (ret)
		return ret;
	flags = nested->flags;
	none.format = nested->format;
	if (saved->nested)
		*same = !(flags & KVM_STATE_NESTED_GUEST_MODE) &&
			nested->size == saved->nested->size &&
			!memcmp(nested, saved->nested, nested->size);
	free(nested);
	if (!(flags & KVM_STATE_NESTED_GUEST_MODE))
		return 0;
	if (none.format == KVM_STATE_NESTED_FORMAT_SVM) {
		none.flags = KVM_STATE_NESTED_GIF_SET;
	} else {
		none.hdr.vmx.vmxon_pa = UINT64_MAX;
		none.hdr.vmx.vmcs12_pa = UINT64_MAX;
	}
	return axk_vcpu_ioctl(vcpu, KVM_SET_NESTED_STATE, &none);
}

/* Writes a structure of a section by an ioctl. */
#define LOAD(vcpu, loader, name, request, content) \
	axk_loaded((loader), (name), axk_ioctl((vcpu)->fd, (request), (content)), #request)

static int load_sregs(struct axk_vcpu *vcpu, struct axvcpu_loader *loader,
		      const struct saved *saved)
{
	if (saved->has_sregs2)
		return LOAD(vcpu, loader, "sregs2", KVM_SET_SREGS2, &saved->sregs2);
	return LOAD(vcpu, loader, "sregs", KVM_SET_SREGS, &saved->sregs);
}

/* The frequency, which only the host changes. */
static int load_tsc_hz(struct axk_vcpu *vcpu, struct axvcpu_loader *loader,
		       const struct axk_x86_tsc_state *tsc)
{
	int ret = axk_x86_set_reg(vcpu, AXVCPU_REG_COUNTER_HZ, tsc->khz * 1000);

	if (!ret)
		return 0;
	return axvcpu_load_refused(loader, "tsc", 0, ret,
				   "vCPU %" PRIu32 ": this host cannot give the TSC %" PRIu64
				   " kHz",
				   vcpu->id, tsc->khz);
}

static int load_tsc_offset(const struct axk_vcpu *vcpu, struct axvcpu_loader *loader,
			   const struct axk_x86_tsc_state *tsc)
{
	if (!tsc->has_offset)
		return 0;
	if (!vcpu->arch.state->has_tsc_offset)
		return axvcpu_load_refused(loader, "tsc", 0, -ENOTSUP,
					   "vCPU %" PRIu32 ": this KVM lacks KVM_VCPU_TSC_OFFSET",
					   vcpu->id);
	return axk_loaded(loader, "tsc",
			  axk_x86_set_tsc_offset(vcpu, tsc->offset + vcpu->vm->arch.tsc_shift),
			  "KVM_SET_DEVICE_ATTR of KVM_VCPU_TSC_OFFSET");
}

/* Tells a guest with kvmclock that it was stopped, so that its watchdogs do not expire. */
static int tell_guest(const struct axk_vcpu *vcpu)
{
	int ret = axk_ioctl_value(vcpu->fd, KVM_KVMCLOCK_CTRL, 0);

	/* The guest does not use kvmclock. */
	if (ret == -EINVAL)
		return 0;
	return axk_vcpu_result(vcpu, ret, "KVM_KVMCLOCK_CTRL");
}

/* Without an in-kernel LAPIC, a vCPU is always runnable. */
static bool has_mp_state(const struct axk_vcpu *vcpu, const struct saved *saved)
{
	return vcpu->vm->kernel_irqchip || saved->mp_state.mp_state != KVM_MP_STATE_RUNNABLE;
}

/*
 * Whether the registers can wait for the next entry: nothing is loaded that must come after them,
 * the vCPU is runnable, and KVM reads the page-directory pointers from memory, as it does then.
 */
static bool can_wait(const struct axk_vcpu *vcpu, const struct saved *saved, uint32_t parts)
{
	if (!vcpu->arch.state->can_sync || (parts & AXVCPU_PART_SYSTEM) ||
	    (saved->sregs2.flags & KVM_SREGS2_FLAGS_PDPTRS_VALID))
		return false;
	if (!vcpu->vm->kernel_irqchip)
		return !has_mp_state(vcpu, saved);
	return !(parts & AXVCPU_PART_INTERRUPTS) && (parts & AXVCPU_PART_EVENTS) &&
	       saved->mp_state.mp_state == KVM_MP_STATE_RUNNABLE;
}

static void let_wait(struct axk_vcpu *vcpu, const struct saved *saved, uint32_t parts)
{
	struct kvm_run *run = vcpu->run;

	run->s.regs.regs = saved->regs;
	run->s.regs.sregs = saved->sregs;
	run->s.regs.events = saved->events;
	run->kvm_dirty_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
	if (parts & AXVCPU_PART_EVENTS)
		run->kvm_dirty_regs |= KVM_SYNC_X86_EVENTS;
	vcpu->arch.regs_wait = true;
}

/* The parts of a load, and whether the registers wait for the next entry. */
struct plan {
	uint32_t parts;
	/* KVM has accepted the state before, in this vCPU. */
	bool prepared;
	bool wait;
};

/* The state in which the registers are written, and the registers. */
static int load_registers(struct axk_vcpu *vcpu, struct axvcpu_loader *loader,
			  const struct saved *saved, const struct plan *plan, bool *same_nested)
{
	const bool mp_state = (plan->parts & AXVCPU_PART_EVENTS) && has_mp_state(vcpu, saved);
	struct kvm_mp_state before;
	int ret = 0;

	/* KVM then takes a pending INIT or SIPI, which would reset the loaded registers. */
	if (mp_state)
		ret = axk_vcpu_ioctl(vcpu, KVM_GET_MP_STATE, &before);
	if (!ret && (plan->parts & AXVCPU_PART_SYSTEM))
		ret = leave_nested(vcpu, saved, same_nested);
	if (!ret && mp_state)
		ret = axk_load_mp_state(vcpu, loader, &saved->mp_state);
	if (ret || plan->wait)
		return ret;
	ret = LOAD(vcpu, loader, "regs", KVM_SET_REGS, &saved->regs);
	return ret ? ret : load_sregs(vcpu, loader, saved);
}

static int load_fpu(struct axk_vcpu *vcpu, struct axvcpu_loader *loader, const struct saved *saved)
{
	int ret = LOAD(vcpu, loader, "xsave", KVM_SET_XSAVE, saved->xsave);

	return ret ? ret : LOAD(vcpu, loader, "xcrs", KVM_SET_XCRS, &saved->xcrs);
}

static int load(struct axk_vcpu *vcpu, struct axvcpu_loader *loader, const struct saved *saved,
		const struct plan *plan)
{
	const bool lapic = vcpu->vm->kernel_irqchip;
	const uint32_t parts = plan->parts;
	bool same_nested = true;
	int ret = load_registers(vcpu, loader, saved, plan, &same_nested);

	if (!ret && (parts & AXVCPU_PART_FPU))
		ret = load_fpu(vcpu, loader, saved);
	if (!ret && (parts & AXVCPU_PART_SYSTEM))
		ret = LOAD(vcpu, loader, "debugregs", KVM_SET_DEBUGREGS, &saved->debugregs);
	if (!ret && !plan->prepared)
		ret = load_tsc_hz(vcpu, loader, &saved->tsc);
	if (!ret && (parts & AXVCPU_PART_TIMERS))
		ret = load_tsc_offset(vcpu, loader, &saved->tsc);
	if (!ret && lapic && (parts & AXVCPU_PART_INTERRUPTS))
		ret = LOAD(vcpu, loader, "lapic", KVM_SET_LAPIC, &saved->lapic);
	if (!ret && (parts & AXVCPU_PART_SYSTEM))
		ret = axk_x86_load_msrs(vcpu, loader, &saved->msrs, plan->prepared);
	/* The deadline last: it is compared with the TSC, which others adjust. */
	if (!ret && lapic && (parts & AXVCPU_PART_TIMERS))
		ret = axk_x86_load_deadline(vcpu, loader, &saved->msrs);
	if (!ret && !same_nested)
		ret = LOAD(vcpu, loader, "nested", KVM_SET_NESTED_STATE, saved->nested);
	if (!ret && (parts & AXVCPU_PART_EVENTS) && !plan->wait)
		ret = LOAD(vcpu, loader, "events", KVM_SET_VCPU_EVENTS, &saved->events);
	if (!ret && (parts & AXVCPU_PART_TIMERS))
		ret = tell_guest(vcpu);
	if (ret)
		return ret;
	load_library(vcpu, &saved->library, saved->sregs.cr8);
	if (plan->wait)
		let_wait(vcpu, saved, parts);
	return 0;
}

int axk_x86_load(void *arch_vcpu, struct axvcpu_loader *loader)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	struct saved *saved = axvcpu_load_prepared(loader);
	struct plan plan = { .parts = axvcpu_load_parts(loader), .prepared = saved };
	int ret = axk_x86_need_state_info(vcpu);

	if (!ret && !saved) {
		saved = axvcpu_load_alloc(loader, sizeof(*saved) + nested_room(vcpu) +
							  vcpu->arch.state->xsave_size);
		ret = saved ? find(vcpu, loader, saved) : -ENOMEM;
	}
	if (!ret)
		ret = axk_drop_exits(vcpu);
	/* Those of an earlier load: parts of it may stay. */
	if (!ret)
		ret = axk_x86_need_regs(vcpu);
	if (!ret)
		ret = axvcpu_load_begin(loader);
	if (ret)
		return ret;
	/* Values that KVM has not seen yet may be refused: not at an entry. */
	plan.wait = plan.prepared && can_wait(vcpu, saved, plan.parts);
	return load(vcpu, loader, saved, &plan);
}
