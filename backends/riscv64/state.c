/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Saving and loading a vCPU, and the clock. `time` belongs to the VM: KVM has one delta for all
 * vCPUs. IMSICs are saved with the AIA; the one external line without an AIA is a bit of sip.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "backends/kvm/state.h"
#include "backends/riscv64/riscv64.h"

/* --- the order of registers ------------------------------------------------------------------- */

static enum axk_state_order timer_order(uint64_t id)
{
	if (id == RISCV_TIMER(time))
		return AXK_STATE_OMIT;
	if (id == RISCV_TIMER(frequency))
		return AXK_STATE_FIXED;
	/* Switching the timer on arms it for cycle 1, until it is written. */
	return id == RISCV_TIMER(state) ? AXK_STATE_TIMER : AXK_STATE_TIMER_LAST;
}

static enum axk_state_order order(uint64_t id)
{
	switch (id & KVM_REG_RISCV_TYPE_MASK) {
	case KVM_REG_RISCV_CORE:
		return AXK_STATE_CORE;
	case KVM_REG_RISCV_CSR:
		/* Pending interrupts, when nothing that is written after it can change them. */
		return id == RISCV_CSR(sip) ? AXK_STATE_LATE : AXK_STATE_SYSTEM;
	case KVM_REG_RISCV_FP_D:
	case KVM_REG_RISCV_VECTOR:
	case KVM_REG_RISCV_SBI_STATE:
		return AXK_STATE_SYSTEM;
	case KVM_REG_RISCV_FP_F:
		/* The same memory of KVM as FP_D, in another layout: to write both corrupts one. */
		return AXK_STATE_OMIT;
	case KVM_REG_RISCV_TIMER:
		return timer_order(id);
	default:
		/* Configuration, ISA and SBI extensions: writing them resets other registers. */
		return AXK_STATE_FIXED;
	}
}

static uint32_t part(uint64_t id)
{
	switch (id & KVM_REG_RISCV_TYPE_MASK) {
	case KVM_REG_RISCV_CSR:
	case KVM_REG_RISCV_SBI_STATE:
		return AXVCPU_PART_SYSTEM;
	case KVM_REG_RISCV_FP_D:
	case KVM_REG_RISCV_VECTOR:
		return AXVCPU_PART_FPU;
	case KVM_REG_RISCV_TIMER:
		return AXVCPU_PART_TIMERS;
	default:
		return 0;
	}
}

/* --- KVMs before Linux 6.6 -------------------------------------------------------------------- */

#define WORDS(name) (sizeof(struct name) / sizeof(unsigned long))
#define FP_REGS 32u

/* The register with this number in the list, which the KVM may lack; 0 at its end. */
static uint64_t known_reg(size_t n)
{
	if (n < WORDS(kvm_riscv_core))
		return RISCV_REG(KVM_REG_RISCV_CORE, n);
	n -= WORDS(kvm_riscv_core);
	if (n < WORDS(kvm_riscv_csr))
		return RISCV_REG(KVM_REG_RISCV_CSR, n);
	n -= WORDS(kvm_riscv_csr);
	if (n < FP_REGS)
		return AXVCPU_REG_RISCV64_F(n);
	switch (n - FP_REGS) {
	case 0:
		return AXVCPU_REG_RISCV64_FCSR;
	case 1:
		return RISCV_TIMER(frequency);
	case 2:
		return RISCV_TIMER(state);
	case 3:
		return RISCV_TIMER(compare);
	case 4:
		return RISCV_REG(KVM_REG_RISCV_CONFIG, KVM_REG_RISCV_CONFIG_REG(isa));
	default:
		return 0;
	}
}

static int list_known(struct axk_vcpu *vcpu, uint64_t *ids, size_t count)
{
	int n = 0;

	(void)vcpu;
	for (uint64_t id; (id = known_reg((size_t)n)); n++)
		if ((size_t)n < count)
			ids[n] = id;
	return n;
}

/* --- the timer -------------------------------------------------------------------------------- */

/*
 * Whether the guest has Sstc: the CPU then compares by itself, and switching the timer on would
 * only overwrite stimecmp.
 */
static int has_sstc(struct axk_vcpu *vcpu)
{
	const uint64_t id = RISCV_REG(KVM_REG_RISCV_ISA_EXT, AXVCPU_RISCV64_ISA_SSTC);
	uint64_t enabled;
	int ret = axk_get_one_reg(vcpu, id, &enabled);

	/* Before Linux 6.2 KVM has no Sstc; its errno differs. */
	if (ret == -ENOENT || ret == -EINVAL)
		return 0;
	return ret ? ret : !!enabled;
}

static int load_timer_state(struct axk_vcpu *vcpu, uint64_t state)
{
	uint64_t present;
	int ret = has_sstc(vcpu);

	if (ret)
		return ret < 0 ? ret : 0;
	ret = axk_get_one_reg(vcpu, RISCV_TIMER(state), &present);
	/* KVM refuses to switch off a timer that is off. */
	if (ret || (state == KVM_RISCV_TIMER_STATE_OFF && present == KVM_RISCV_TIMER_STATE_OFF))
		return ret;
	return axk_set_reg_quietly(vcpu, RISCV_TIMER(state), &state);
}

/* --- registers -------------------------------------------------------------------------------- */

static int load_reg(struct axk_vcpu *vcpu, uint64_t id, const void *value)
{
	uint64_t word;

	if (id != RISCV_TIMER(state))
		return axk_set_reg_quietly(vcpu, id, value);
	memcpy(&word, value, sizeof(word));
	return load_timer_state(vcpu, word);
}

static const struct axk_state_regs state_regs = {
	.arch = KVM_REG_RISCV,
	.order = order,
	.part = part,
	.list = list_known,
	.load = load_reg,
};

#define SIP_SEIP (UINT64_C(1) << 9)

static int set_line(const struct axk_vcpu *vcpu, __u32 irq)
{
	const struct kvm_interrupt interrupt = { .irq = irq };

	return axk_vcpu_ioctl(vcpu, KVM_INTERRUPT, &interrupt);
}

/*
 * KVM remembers the external line beside sip, and wakes a sleeping guest by that. With an AIA, the
 * IMSIC drives it.
 */
static int load_regs_and_line(struct axk_vcpu *vcpu, struct axvcpu_loader *loader,
			      const struct axk_saved_regs *regs, bool fixed)
{
	const uint32_t parts = axvcpu_load_parts(loader);
	const bool has_line = !vcpu->vm->kernel_irqchip && (parts & AXVCPU_PART_SYSTEM);
	uint64_t sip = 0;
	int ret = has_line ? set_line(vcpu, (__u32)KVM_INTERRUPT_UNSET) : 0;

	if (!ret)
		ret = axk_load_regs(&state_regs, vcpu, loader, regs, parts, fixed);
	if (!ret && has_line)
		ret = axk_riscv_get(vcpu, RISCV_CSR(sip), &sip);
	if (!ret && (sip & SIP_SEIP))
		ret = set_line(vcpu, (__u32)KVM_INTERRUPT_SET);
	return ret;
}

/* --- state of this library -------------------------------------------------------------------- */

#define LIBRARY "library"
/* Causes from here on are not exceptions of supervisor mode. */
#define CAUSES 64u

struct library_state {
	/* An exception that is injected at the next entry. */
	uint32_t has_exception;
	uint32_t exception;
};

static int save_library(const struct axk_vcpu *vcpu, struct axvcpu_saver *saver)
{
	const bool has_exception = vcpu->arch.has_exception;
	const struct library_state state = { .has_exception = has_exception,
					     .exception = has_exception ? vcpu->arch.exception
									: 0 };

	return axvcpu_save_section(saver, LIBRARY, 1, 0, &state, sizeof(state));
}

static int find_library(const struct axk_vcpu *vcpu, struct axvcpu_loader *loader,
			struct library_state *state)
{
	int ret = axk_require_state(vcpu, loader, LIBRARY, state, sizeof(*state));

	if (ret)
		return ret;
	if (state->has_exception > 1 || state->exception >= CAUSES)
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "load: vCPU %" PRIu32 ": section " LIBRARY ": cause %" PRIu32
				   " is not an exception",
				   vcpu->id, state->exception);
	return 0;
}

static void load_library(struct axk_vcpu *vcpu, const struct library_state *state)
{
	vcpu->arch.has_exception = state->has_exception;
	vcpu->arch.exception = state->exception;
	vcpu->has_pending_work |= state->has_exception;
}

/* --- the setup -------------------------------------------------------------------------------- */

struct setup_state {
	struct axk_saved_setup setup;
	struct axk_riscv_switched isa;
	struct axk_riscv_switched sbi;
};

static int save_setup(const struct axk_vcpu *vcpu, struct axvcpu_saver *saver)
{
	const struct setup_state state = { .setup = axk_saved_setup(vcpu),
					   .isa = vcpu->arch.isa,
					   .sbi = vcpu->arch.sbi };

	return axvcpu_save_section(saver, AXK_SETUP, 1, AXVCPU_SECTION_OPTIONAL, &state,
				   sizeof(state));
}

/* Returns the number of elements. */
static size_t list_switched(const struct axk_riscv_switched *switched,
			    struct axvcpu_riscv64_extension list[RISCV_EXTENSIONS_MAX])
{
	size_t n = 0;

	for (uint32_t id = 0; id < RISCV_EXTENSIONS_MAX; id++)
		if (switched->any[id / 64] >> id % 64 & 1)
			list[n++] = (struct axvcpu_riscv64_extension){
				.id = id, .on = switched->on[id / 64] >> id % 64 & 1
			};
	return n;
}

int axk_riscv_setup_saved(void *arch_vcpu, struct axvcpu_loader *loader)
{
	struct axvcpu_riscv64_extension isa[RISCV_EXTENSIONS_MAX], sbi[RISCV_EXTENSIONS_MAX];
	struct axvcpu_riscv64_setup riscv = AXVCPU_RISCV64_SETUP_INIT;
	struct axk_vcpu *vcpu = arch_vcpu;
	struct axvcpu_saved_section section;
	struct axvcpu_setup_config config;
	struct setup_state state;
	int ret = axk_find_setup(vcpu, loader, &state, sizeof(state), sizeof(state), &section);

	if (ret)
		return ret;
	riscv.isa = isa;
	riscv.nisa = list_switched(&state.isa, isa);
	riscv.sbi = sbi;
	riscv.nsbi = list_switched(&state.sbi, sbi);
	config = axk_setup_config(vcpu, &state.setup);
	config.arch = &riscv;
	return axk_riscv_setup(vcpu, &config);
}

/* --- the vCPU --------------------------------------------------------------------------------- */

int axk_riscv_save(void *arch_vcpu, struct axvcpu_saver *saver)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	int ret = axk_state_settled(vcpu);

	if (!ret)
		ret = axk_riscv_finish_start(vcpu);
	if (!ret)
		ret = axk_save_regs(&state_regs, vcpu, saver);
	if (!ret)
		ret = save_library(vcpu, saver);
	if (!ret)
		ret = save_setup(vcpu, saver);
	if (!ret)
		ret = axk_save_mp_state(vcpu, saver);
	return ret;
}

/* The content of the sections: the prepared form of the state. */
struct saved {
	struct axk_saved_regs regs;
	struct library_state library;
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
	*out = saved;
	ret = find_library(vcpu, loader, &saved->library);
	return ret ? ret : axk_find_mp_state(vcpu, loader, &saved->mp_state);
}

int axk_riscv_load(void *arch_vcpu, struct axvcpu_loader *loader)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	struct saved *saved = axvcpu_load_prepared(loader);
	const bool prepared = saved;
	int ret = saved ? 0 : find(vcpu, loader, &saved);

	if (!ret)
		ret = axk_drop_exits(vcpu);
	if (!ret)
		ret = axk_riscv_finish_start(vcpu);
	if (!ret)
		ret = axvcpu_load_begin(loader);
	if (!ret)
		ret = load_regs_and_line(vcpu, loader, &saved->regs, !prepared);
	if (ret)
		return ret;
	load_library(vcpu, &saved->library);
	if (!(axvcpu_load_parts(loader) & AXVCPU_PART_EVENTS))
		return 0;
	ret = axk_load_mp_state(vcpu, loader, &saved->mp_state);
	if (!ret)
		axk_riscv_note_stopped(vcpu, saved->mp_state.mp_state == KVM_MP_STATE_STOPPED);
	return ret;
}

/* --- the clock -------------------------------------------------------------------------------- */

int axk_riscv_get_clock(void *arch_vcpu, struct axvm_clock *clock)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	int ret = axk_arch_counter_hz(vcpu, &clock->counter_hz);

	if (ret)
		return ret;
	return axk_riscv_get(vcpu, RISCV_TIMER(time), &clock->counter);
}

int axk_riscv_set_clock(void *arch_vcpu, const struct axvm_clock *saved,
			const struct axvm_clock *target)
{
	(void)saved;
	return target ? axk_riscv_set(arch_vcpu, RISCV_TIMER(time), target->counter) : 0;
}
