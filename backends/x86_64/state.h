/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Saving and loading a vCPU: state.c saves, state_load.c loads, others have sections of their own. */
#ifndef X86_64_STATE_H
#define X86_64_STATE_H

#include "backends/kvm/state.h"
#include "backends/x86_64/x86_64.h"

/* The parts of the state that this host has for a vCPU, which was set up. */
struct axk_x86_state_info {
	bool has_sregs2;
	bool has_tsc_offset;
	/* KVM can load registers and events at an entry. */
	bool can_sync;
	/* Sizes in bytes; nested: of the largest state, 0 if there is none. */
	size_t xsave_size;
	size_t nested_size;
	/* The MSRs that can be read; NULL before the first save. */
	uint32_t *msrs;
	uint32_t nmsrs;
};

/* The section of this library. */
#define AXK_X86_LIBRARY "library"
struct axk_x86_library_state {
	/* Interrupts that wait: the number of injections of each vector. */
	uint16_t count[X86_VECTORS];
	/* An exception that waits. */
	uint32_t has_exception;
	uint32_t vector;
	uint32_t has_error_code;
	uint32_t error_code;
	/* The caller wants an IRQ_WINDOW exit. */
	uint32_t window;
	uint32_t icr_low;
	uint32_t icr_high;
	uint32_t zero;
};

/* The section "tsc". */
struct axk_x86_tsc_state {
	uint64_t khz;
	/* From the TSC of the host. */
	uint64_t offset;
	uint32_t has_offset;
	uint32_t zero;
};

/* --- state.c ---------------------------------------------------------------------------------- */

/* Reads the nested state, which the host must have, into a buffer, which the caller frees. */
int axk_x86_read_nested(const struct axk_vcpu *vcpu, struct kvm_nested_state **out);

/* --- state_info.c ----------------------------------------------------------------------------- */

/* Finds vcpu->arch.state at the first use. It is kept until the next setup. */
int axk_x86_need_state_info(struct axk_vcpu *vcpu);
/* Returns -ENOMEM, with a message. */
int axk_x86_no_memory(const struct axk_vcpu *vcpu, const char *what);

/* --- state_msrs.c ----------------------------------------------------------------------------- */

int axk_x86_save_msrs(struct axk_vcpu *vcpu, struct axvcpu_saver *saver);
/* Finds the section, and checks its form. */
int axk_x86_check_msrs(const struct axk_vcpu *vcpu, struct axvcpu_loader *loader,
		       struct axvcpu_saved_section *section);
/*
 * Loads the MSRs of the section except the deadline of the LAPIC timer. 'in_place': the vCPU has
 * had these values, and only the MSRs that differ are written.
 */
int axk_x86_load_msrs(struct axk_vcpu *vcpu, struct axvcpu_loader *loader,
		      const struct axvcpu_saved_section *section, bool in_place);
int axk_x86_load_deadline(struct axk_vcpu *vcpu, struct axvcpu_loader *loader,
			  const struct axvcpu_saved_section *section);

/* --- state_cpuid.c ---------------------------------------------------------------------------- */

int axk_x86_save_cpuid(struct axk_vcpu *vcpu, struct axvcpu_saver *saver);
/* Compares the saved CPUID with that of the vCPU; refuses leaves that differ. */
int axk_x86_check_cpuid(struct axk_vcpu *vcpu, struct axvcpu_loader *loader);

/* --- state_setup.c ---------------------------------------------------------------------------- */

int axk_x86_save_setup(const struct axk_vcpu *vcpu, struct axvcpu_saver *saver);

/* --- clock.c ---------------------------------------------------------------------------------- */

/* Returns 1; 0 if this KVM does not report the offset; or a negative errno. */
int axk_x86_get_tsc_offset(const struct axk_vcpu *vcpu, uint64_t *offset);
/* Returns KVM's result, without a message. */
int axk_x86_set_tsc_offset(const struct axk_vcpu *vcpu, uint64_t offset);

#endif
