/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Saving and loading a vCPU, and the clocks. The counters belong to the VM: KVM has one offset for
 * all vCPUs. The GIC is saved with the VM; of it, only the lines that the VMM drives are here.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "backends/arm64/gic_regs.h"
#include "backends/kvm/state.h"

/* --- the order of registers ------------------------------------------------------------------- */

#define COPROC(id) ((id)&KVM_REG_ARM_COPROC_MASK)
#define SYSREG_FIELD(id, name) \
	(((id)&KVM_REG_ARM64_SYSREG_##name##_MASK) >> KVM_REG_ARM64_SYSREG_##name##_SHIFT)

/* Identification registers: CRn is 0, as that of CSSELR_EL1, which is op1 2. */
static bool is_id_register(uint64_t id)
{
	return COPROC(id) == KVM_REG_ARM64_SYSREG && SYSREG_FIELD(id, OP0) == 3 &&
	       SYSREG_FIELD(id, CRN) == 0 && SYSREG_FIELD(id, OP1) != 2;
}

static enum axk_state_order order(uint64_t id)
{
	switch (id) {
	case KVM_REG_ARM_TIMER_CNT:
	case KVM_REG_ARM_PTIMER_CNT:
		return AXK_STATE_OMIT;
	case KVM_REG_ARM_TIMER_CVAL:
	case KVM_REG_ARM_PTIMER_CVAL:
		return AXK_STATE_TIMER;
	case KVM_REG_ARM_TIMER_CTL:
	case KVM_REG_ARM_PTIMER_CTL:
		return AXK_STATE_TIMER_LAST;
	case KVM_REG_ARM64_SVE_VLS:
		return AXK_STATE_FIXED;
	default:
		break;
	}
	switch (COPROC(id)) {
	case KVM_REG_ARM_CORE:
	case KVM_REG_ARM64_SVE:
		return AXK_STATE_CORE;
	case KVM_REG_ARM64_SYSREG:
		return is_id_register(id) ? AXK_STATE_FIXED : AXK_STATE_SYSTEM;
	default:
		/* Cache geometry, firmware. */
		return AXK_STATE_FIXED;
	}
}

static uint32_t part(uint64_t id)
{
	switch (order(id)) {
	case AXK_STATE_TIMER:
	case AXK_STATE_TIMER_LAST:
		return AXVCPU_PART_TIMERS;
	case AXK_STATE_SYSTEM:
		return AXVCPU_PART_SYSTEM;
	case AXK_STATE_CORE:
		/* In struct kvm_regs, the floating point registers are the last ones. */
		return COPROC(id) == KVM_REG_ARM64_SVE ||
				       (id & 0xffff) >= KVM_REG_ARM_CORE_REG(fp_regs)
			       ? AXVCPU_PART_FPU
			       : 0;
	default:
		return 0;
	}
}

#define ID_PFR1_EL1 ARM64_SYS_REG(3, 0, 0, 1, 1)
#define ID_AA64PFR0_EL1 ARM64_SYS_REG(3, 0, 0, 4, 0)

/* The field of an identification register that tells of a GIC. */
static uint64_t gic_field(uint64_t id)
{
	switch (id) {
	case ID_PFR1_EL1:
		return UINT64_C(0xf) << 28;
	case ID_AA64PFR0_EL1:
		return UINT64_C(0xf) << 24;
	default:
		return 0;
	}
}

/* In a VM without a GIC, KVM clears these fields at the first run, which a save may precede. */
static int load_reg(struct axk_vcpu *vcpu, uint64_t id, const void *value)
{
	const uint64_t field = vcpu->vm->arch.gic.version ? 0 : gic_field(id);
	uint64_t present, saved;
	int ret;

	if (!field)
		return axk_set_reg_quietly(vcpu, id, value);
	ret = axk_get_one_reg(vcpu, id, &present);
	if (ret)
		return ret;
	memcpy(&saved, value, sizeof(saved));
	return (present ^ saved) & ~field ? axk_set_reg_quietly(vcpu, id, value) : 0;
}

/* Older KVMs have the physical timer, and do not list it. */
static const uint64_t unlisted[] = { KVM_REG_ARM_PTIMER_CVAL, KVM_REG_ARM_PTIMER_CTL };

static const struct axk_state_regs state_regs = {
	.arch = KVM_REG_ARM64,
	.order = order,
	.part = part,
	.unlisted = unlisted,
	.nunlisted = ARRAY_SIZE(unlisted),
	.load = load_reg,
};

/* --- events ----------------------------------------------------------------------------------- */

#define EVENTS "events"

static int has_events(const struct axk_vcpu *vcpu)
{
	return axk_vm_capability(vcpu->vm, KVM_CAP_VCPU_EVENTS);
}

static int save_events(struct axk_vcpu *vcpu, struct axvcpu_saver *saver)
{
	struct kvm_vcpu_events events;
	int ret = has_events(vcpu);

	if (ret <= 0)
		return ret;
	ret = axk_vcpu_ioctl(vcpu, KVM_GET_VCPU_EVENTS, &events);
	if (ret)
		return ret;
	return axvcpu_save_section(saver, EVENTS, 1, 0, &events, sizeof(events));
}

static int has_serror(struct axk_vcpu *vcpu)
{
	struct kvm_vcpu_events events;
	int ret = has_events(vcpu);

	if (ret <= 0)
		return ret;
	ret = axk_vcpu_ioctl(vcpu, KVM_GET_VCPU_EVENTS, &events);
	return ret ? ret : events.exception.serror_pending;
}

/*
 * KVM only adds events, and ignores writes of the active state of its timers' interrupts, once the
 * vCPU has run. A reset of the CPU, whose registers are loaded after it, ends both. Returns 1 after
 * a reset, 0 without, or a negative errno.
 */
static int clear(struct axk_vcpu *vcpu)
{
	int ret = has_serror(vcpu);

	if (!ret)
		ret = axk_arm64_gic_timer_is_active(vcpu);
	if (ret <= 0)
		return ret;
	ret = axk_vcpu_ioctl(vcpu, KVM_ARM_VCPU_INIT, &vcpu->arch.init);
	return ret ? ret : 1;
}

static int load_events(struct axk_vcpu *vcpu, struct axvcpu_loader *loader,
		       const struct kvm_vcpu_events *events)
{
	struct kvm_vcpu_events present;
	int ret = axk_vcpu_ioctl(vcpu, KVM_GET_VCPU_EVENTS, &present);

	if (ret)
		return ret;
	/* KVM refuses an SError with a syndrome if the CPU has none, even if none is pending. */
	if (!memcmp(&present, events, sizeof(present)))
		return 0;
	return axk_loaded(loader, EVENTS, axk_ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, events),
			  "KVM_SET_VCPU_EVENTS");
}

/* --- state of this library -------------------------------------------------------------------- */

#define LIBRARY "library"

struct library_state {
	/* Bitmap of raised lines, as in struct axk_vcpu_arch. */
	uint32_t lines;
	uint32_t zero;
	/* Bitmap by INTID: injected before the GIC was ready. */
	uint64_t early[ARM64_IRQS_MAX / 64 + 1];
};

static int save_library(const struct axk_vcpu *vcpu, struct axvcpu_saver *saver)
{
	struct library_state state = { .lines = atomic_load(&vcpu->arch.lines) };

	_Static_assert(sizeof(state.early) == sizeof(vcpu->arch.early), "one bitmap");
	if (vcpu->arch.has_early)
		memcpy(state.early, vcpu->arch.early, sizeof(state.early));
	return axvcpu_save_section(saver, LIBRARY, 1, 0, &state, sizeof(state));
}

/* The interrupts of a CPU that a VMM can drive: PPIs, or IRQ and FIQ without a GIC. */
static uint32_t possible_lines(const struct axk_vcpu *vcpu)
{
	const uint32_t ppis = 0xffff0000u & ~(1u << ARM64_PPI_VTIMER | 1u << ARM64_PPI_PTIMER);

	return vcpu->vm->arch.gic.version ? ppis
					  : 1u << KVM_ARM_IRQ_CPU_IRQ | 1u << KVM_ARM_IRQ_CPU_FIQ;
}

static int find_library(const struct axk_vcpu *vcpu, struct axvcpu_loader *loader,
			struct library_state *state)
{
	const struct axk_arm64_gic *gic = &vcpu->vm->arch.gic;
	const uint32_t impossible = ~possible_lines(vcpu);
	uint64_t early = 0;
	int ret = axk_require_state(vcpu, loader, LIBRARY, state, sizeof(*state));

	if (ret)
		return ret;
	for (size_t i = 0; i < ARRAY_SIZE(state->early); i++)
		early |= state->early[i];
	if ((state->lines & impossible) || (state->early[0] & impossible) || state->zero ||
	    (early && !gic->version))
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "load: vCPU %" PRIu32 ": section " LIBRARY ": lines %#" PRIx32
				   " or waiting interrupts %#" PRIx64
				   " are not possible in this VM",
				   vcpu->id, state->lines, state->early[0]);
	if (gic->version && !atomic_load(&gic->ready) && state->lines)
		return axvcpu_fail(vcpu->vm->vm, -EBADFD,
				   "load: vCPU %" PRIu32 ": its lines %#" PRIx32
				   " are raised: call axvm_finalize() first",
				   vcpu->id, state->lines);
	return 0;
}

static int load_lines(struct axk_vcpu *vcpu, uint32_t lines)
{
	uint32_t changed = lines ^ atomic_load(&vcpu->arch.lines);
	int ret = 0;

	for (; !ret && changed; changed &= changed - 1) {
		uint32_t line = (uint32_t)__builtin_ctz(changed);

		ret = axk_arm64_set_irq_line(vcpu, line, lines >> line & 1);
	}
	return ret;
}

static int load_library(struct axk_vcpu *vcpu, const struct library_state *state)
{
	int ret = load_lines(vcpu, state->lines);

	if (ret)
		return ret;
	/* Results of a call that was open before: the registers have those of the saved one. */
	axk_arm64_end_cpu_on(vcpu);
	vcpu->arch.nresults = 0;
	memcpy(vcpu->arch.early, state->early, sizeof(state->early));
	vcpu->arch.has_early = false;
	for (size_t i = 0; i < ARRAY_SIZE(state->early); i++)
		vcpu->arch.has_early |= state->early[i];
	vcpu->has_pending_work |= vcpu->arch.has_early;
	return 0;
}

/* --- the setup -------------------------------------------------------------------------------- */

struct setup_state {
	struct axk_saved_setup setup;
	/* Members of struct axvcpu_arm64_setup. */
	uint32_t flags;
	uint32_t sve_max_bytes;
	uint32_t pmu_irq;
	uint32_t zero;
};

static int save_setup(const struct axk_vcpu *vcpu, struct axvcpu_saver *saver)
{
	const struct axvcpu_arm64_setup *options = &vcpu->arch.options;
	const struct setup_state state = { .setup = axk_saved_setup(vcpu),
					   .flags = options->flags,
					   .sve_max_bytes = options->sve_max_bytes,
					   .pmu_irq = options->pmu_irq };

	return axvcpu_save_section(saver, AXK_SETUP, 1, AXVCPU_SECTION_OPTIONAL, &state,
				   sizeof(state));
}

int axk_arm64_setup_saved(void *arch_vcpu, struct axvcpu_loader *loader)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	struct axvcpu_arm64_setup options = AXVCPU_ARM64_SETUP_INIT;
	struct axvcpu_saved_section section;
	struct axvcpu_setup_config config;
	struct setup_state state;
	int ret = axk_find_setup(vcpu, loader, &state, sizeof(state), sizeof(state), &section);

	if (ret)
		return ret;
	options.flags = state.flags;
	options.sve_max_bytes = state.sve_max_bytes;
	options.pmu_irq = state.pmu_irq;
	config = axk_setup_config(vcpu, &state.setup);
	config.arch = &options;
	return axk_arm64_setup(vcpu, &config);
}

/* --- the vCPU --------------------------------------------------------------------------------- */

/* An external abort that was injected is in no register before KVM has taken it. */
static int commit_abort(struct axk_vcpu *vcpu)
{
	int ret = vcpu->arch.aborts ? axk_commit(vcpu) : 0;

	if (!ret)
		vcpu->arch.aborts = false;
	return ret;
}

int axk_arm64_save(void *arch_vcpu, struct axvcpu_saver *saver)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	int ret = commit_abort(vcpu);

	if (!ret)
		ret = axk_state_settled(vcpu);
	if (!ret)
		ret = axk_save_regs(&state_regs, vcpu, saver);
	if (!ret)
		ret = save_library(vcpu, saver);
	if (!ret)
		ret = save_setup(vcpu, saver);
	if (!ret)
		ret = save_events(vcpu, saver);
	if (!ret)
		ret = axk_save_mp_state(vcpu, saver);
	return ret;
}

/* The content of the sections: the prepared form of the state. */
struct saved {
	struct axk_saved_regs regs;
	struct library_state library;
	bool has_events;
	struct kvm_vcpu_events events;
	struct kvm_mp_state mp_state;
};

static int find(struct axk_vcpu *vcpu, struct axvcpu_loader *loader, struct saved **out)
{
	void *prepared = NULL;
	struct saved *saved;
	int ret = axk_prepare_regs(&state_regs, vcpu, loader, sizeof(*saved), &prepared);

	if (ret)
		return ret;
	saved = prepared;
	ret = find_library(vcpu, loader, &saved->library);
	if (!ret)
		ret = axk_find_mp_state(vcpu, loader, &saved->mp_state);
	if (!ret)
		ret = has_events(vcpu);
	if (ret > 0)
		ret = axk_find_state(loader, EVENTS, &saved->events, sizeof(saved->events));
	saved->has_events = ret > 0;
	*out = saved;
	return ret < 0 ? ret : 0;
}

/* 'fixed': also the registers that are fixed at the first run. */
static int load(struct axk_vcpu *vcpu, struct axvcpu_loader *loader, const struct saved *saved,
		bool fixed)
{
	const struct axk_arm64_gic *gic = &vcpu->vm->arch.gic;
	uint32_t parts = axvcpu_load_parts(loader);
	int ret = parts & AXVCPU_PART_EVENTS ? clear(vcpu) : 0;

	if (ret < 0)
		return ret;
	/* A reset has changed all of them. */
	if (ret) {
		parts = AXVCPU_PARTS;
		fixed = true;
	}
	/* The PMU first: it must be initialised before its registers count. */
	ret = !gic->version || atomic_load(&gic->ready) ? axk_arm64_start_pmu(vcpu) : 0;
	if (!ret)
		ret = axk_load_regs(&state_regs, vcpu, loader, &saved->regs, parts, fixed);
	if (!ret)
		ret = load_library(vcpu, &saved->library);
	if (ret || !(parts & AXVCPU_PART_EVENTS))
		return ret;
	if (saved->has_events)
		ret = load_events(vcpu, loader, &saved->events);
	return ret ? ret : axk_load_mp_state(vcpu, loader, &saved->mp_state);
}

int axk_arm64_load(void *arch_vcpu, struct axvcpu_loader *loader)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	struct saved *saved = axvcpu_load_prepared(loader);
	const bool prepared = saved;
	int ret = saved ? 0 : find(vcpu, loader, &saved);

	if (!ret)
		ret = commit_abort(vcpu);
	if (!ret)
		ret = axk_drop_exits(vcpu);
	if (!ret)
		ret = axvcpu_load_begin(loader);
	return ret ? ret : load(vcpu, loader, saved, !prepared);
}

/* --- the clocks ------------------------------------------------------------------------------- */

/*
 * Returns whether the physical counter can be set: before Linux 6.4, it is always that of the host.
 * Or a negative errno.
 */
static int has_physical_offset(struct axk_vm *kvm)
{
	return axk_vm_capability(kvm, ARM64_UAPI_CAP_COUNTER_OFFSET);
}

int axk_arm64_get_clock(void *arch_vcpu, struct axvm_clock *clock)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	int ret = axk_arch_counter_hz(vcpu, &clock->counter_hz);

	if (ret)
		return ret;
	ret = has_physical_offset(vcpu->vm);
	if (ret < 0)
		return ret;
	if (ret) {
		ret = axk_get_one_reg(vcpu, KVM_REG_ARM_PTIMER_CNT, &clock->physical_counter);
		if (!ret)
			clock->flags |= AXVM_CLOCK_PHYSICAL;
		else if (ret != -ENOENT)
			return ret;
	}
	return axk_get_one_reg(vcpu, KVM_REG_ARM_TIMER_CNT, &clock->counter);
}

int axk_arm64_set_clock(void *arch_vcpu, const struct axvm_clock *saved,
			const struct axvm_clock *target)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	int ret;

	(void)saved;
	if (!target)
		return 0;
	ret = axk_set_one_reg(vcpu, KVM_REG_ARM_TIMER_CNT, &target->counter);
	if (ret || !(target->flags & AXVM_CLOCK_PHYSICAL))
		return ret;
	ret = has_physical_offset(vcpu->vm);
	if (ret <= 0)
		return ret;
	return axk_set_one_reg(vcpu, KVM_REG_ARM_PTIMER_CNT, &target->physical_counter);
}
