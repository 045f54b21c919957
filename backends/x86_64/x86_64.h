/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Shared by the files of the x86_64 backend. */
#ifndef X86_64_X86_64_H
#define X86_64_X86_64_H

#include "backends/kvm/kvm.h"

#define CR0_PE (UINT64_C(1) << 0)
#define CR0_PG (UINT64_C(1) << 31)
#define CR4_PSE (UINT64_C(1) << 4)
#define CR4_PAE (UINT64_C(1) << 5)
#define CR4_LA57 (UINT64_C(1) << 12)
#define EFER_LME (UINT64_C(1) << 8)
#define EFER_LMA (UINT64_C(1) << 10)
#define EFER_NXE (UINT64_C(1) << 11)
#define RFLAGS_VM (UINT64_C(1) << 17)

/* setup.c */
int axk_x86_set_entry(void *arch_vcpu, uint64_t entry);
int axk_x86_setup(void *arch_vcpu, const struct axvcpu_setup_config *config);
/* The same without registers and guest memory, for a state that is loaded next. */
int axk_x86_setup_cpu(struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config);
/* Frees the copy of the changes of CPUID. */
void axk_x86_setup_forget(struct axk_vcpu *vcpu);
/*
 * Sets the registers for execution at vcpu->entry. 'sregs' supplies the fields that no mode sets;
 * 'start': the vCPU is started by another one, as by SIPI.
 */
int axk_x86_enter_mode(struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config, bool start,
		       struct kvm_sregs *sregs);

/* tables.c: the pages of guest memory that 64-bit code starts with. */
#define X86_PAGE UINT64_C(4096)
struct axk_x86_boot {
	/* Address of the top-level page table, for CR3. */
	uint64_t root;
	/* Guest-physical and linear address of the GDT's page. */
	uint64_t gdt_gpa;
	uint64_t gdt_linear;
};
/*
 * Chooses the addresses of all pages: the config's boot area, or frames if there is none. A reset
 * uses those of setup again. If setup fails, the caller must call axk_x86_tables_free().
 */
int axk_x86_tables_place(struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config,
			 struct axk_x86_boot *boot);
/* Writes the page tables to the pages that axk_x86_tables_place() chose. */
int axk_x86_tables_write(struct axk_vcpu *vcpu);
/* Frees the frames, if there are any. */
void axk_x86_tables_free(struct axk_vcpu *vcpu);
/* Takes over tables of a saved state, whose 'frames' it copies, if their numbers are valid. */
int axk_x86_tables_adopt(struct axk_vcpu *vcpu, const struct axk_x86_tables *tables);
/* The largest number of frames. */
#define AXK_X86_FRAMES_MAX ((UINT64_C(1) << 17) + 1024)

/* state.c */
int axk_x86_save(void *arch_vcpu, struct axvcpu_saver *saver);

/* state_info.c: forgets the parts that were found: CPUID determines them. */
void axk_x86_state_forget(struct axk_vcpu *vcpu);

/* state_load.c */
int axk_x86_load(void *arch_vcpu, struct axvcpu_loader *loader);
/*
 * Gives KVM the registers and events of a load that wait for the next entry. Every operation that
 * uses them, or changes them behind the load, calls this first.
 */
static inline int axk_x86_need_regs(struct axk_vcpu *vcpu)
{
	int ret = 0;

	if (likely(!vcpu->arch.regs_wait))
		return 0;
	/* A run since has taken them. The doorbell uses KVM_SYNC_X86_REGS alone. */
	if (vcpu->run->kvm_dirty_regs & KVM_SYNC_X86_SREGS)
		ret = axk_commit(vcpu);
	vcpu->arch.regs_wait = ret;
	return ret;
}

/* state_setup.c */
int axk_x86_setup_saved(void *arch_vcpu, struct axvcpu_loader *loader);

/* vm_state.c */
int axk_x86_vm_save(void *arch_vm, struct axvcpu_saver *saver);
int axk_x86_vm_load(void *arch_vm, struct axvcpu_loader *loader);

/* state_msrs.c */
/* Reads the MSRs that KVM lists; the caller frees them. 'vm' has the log hook. */
int axk_x86_msr_list_read(const struct axvm *vm, int kvm_fd, struct kvm_msr_list **list);

/* clock.c */
int axk_x86_get_clock(void *arch_vcpu, struct axvm_clock *clock);
int axk_x86_set_clock(void *arch_vcpu, const struct axvm_clock *saved,
		      const struct axvm_clock *target);
int axk_x86_shift_counter(void *arch_vcpu, uint64_t delta);

/* reset.c */
int axk_x86_reset(void *arch_vcpu, uint64_t entry, uint64_t arg, bool start);

/* cpuid.c */
/* Reads the leaves that KVM supports; the caller frees it. 'vm' has the log hook, or is NULL. */
int axk_x86_cpuid_read(const struct axvm *vm, int kvm_fd, struct kvm_cpuid2 **cpuid);
/* The width of guest-physical addresses. */
uint32_t axk_x86_cpuid_gpa_bits(const struct kvm_cpuid2 *cpuid);
/* Returns a leaf of 'cpuid', or NULL. */
const struct kvm_cpuid_entry2 *axk_x86_cpuid_find(const struct kvm_cpuid2 *cpuid, uint32_t function,
						  uint32_t index);
/* Builds a vCPU's CPUID table, which the caller frees. 'config' may be NULL. NULL: no memory. */
struct kvm_cpuid2 *axk_x86_cpuid_build(const struct axk_vcpu *vcpu,
				       const struct axvcpu_x86_setup *config);
/* Builds the table and gives it to KVM. */
int axk_x86_cpuid_set(struct axk_vcpu *vcpu, const struct axvcpu_x86_setup *config);

/* irq.c */
/* Inputs of an IOAPIC; with a split irqchip, the routes of these numbers have EOI exits. */
#define IOAPIC_PINS 24
/* Bits of a message's data: asserted, and level-triggered. */
#define X86_MSI_ASSERT (1u << 14)
#define X86_MSI_LEVEL (1u << 15)
int axk_x86_default_routes(void *arch_vm, struct axvm_route *routes, size_t count, uint32_t *first,
			   uint32_t *end);
int axk_x86_irq_end(void *arch_vm, const struct axvm_route *route);
bool axk_x86_route_ends(const struct axvm_route *route, uint64_t vector);

/* inject.c */
int axk_x86_inject_with_trigger(void *arch_vcpu, uint32_t vector, uint32_t trigger);
int axk_x86_inject_interrupt(void *arch_vcpu, uint32_t vector);
int axk_x86_inject_anywhere(void *arch_vcpu, uint32_t vector);
int axk_x86_inject_nmi(void *arch_vcpu);
/* Whether the vector is an exception, with or without an error code as the CPU has it. */
int axk_x86_check_exception(const struct axk_vcpu *vcpu, const struct axvcpu_exception *exception);
int axk_x86_inject_exception(void *arch_vcpu, const struct axvcpu_exception *exception);
int axk_x86_request_irq_window(void *arch_vcpu);
/* Drops all pending events. Events that KVM has taken already stay with KVM. */
void axk_x86_inject_reset(struct axk_vcpu *vcpu);

/* Whether the guest can take an interrupt is unknown until the next exit. */
static inline void axk_x86_irq_state_changed(struct axk_vcpu *vcpu)
{
	vcpu->run->ready_for_interrupt_injection = 0;
}

/* forward.c: enables the events that a VM's config forwards as exits. */
int axk_x86_forward_init(struct axk_vm *kvm, const struct axvm_config *config);

/* msr.c */
int axk_x86_msr_init(struct axk_vm *kvm, const struct axvm_config *config);
int axk_x86_set_sysregs(void *arch_vm, const struct axvm_sysreg_range *ranges, uint32_t count);
bool axk_x86_decode_msr(struct axk_vcpu *vcpu, struct axvcpu_exit *exit, bool write);
int axk_x86_complete_msr(struct axk_vcpu *vcpu, const struct axvcpu_answer *answer);
/* -ENOENT, without a message, for an MSR that KVM does not store. */
int axk_x86_get_msr(struct axk_vcpu *vcpu, uint32_t index, uint64_t *value);
int axk_x86_set_msr(struct axk_vcpu *vcpu, uint32_t index, uint64_t value);
/* Returns 1 if set, 0 if KVM lacks the MSR or refuses the value, or a negative errno. */
int axk_x86_try_set_msr(struct axk_vcpu *vcpu, uint32_t index, uint64_t value);

/* hypercall.c */
int axk_x86_hypercall_init(struct axk_vm *kvm, const struct axvm_config *config);
/* Call before a vCPU's first run. */
void axk_x86_doorbell_setup(struct axk_vcpu *vcpu);
void axk_x86_decode_hypercall(struct axk_vcpu *vcpu, struct axvcpu_exit *exit);
/* Turns a decoded port write into a hypercall exit, if it is a doorbell. */
void axk_x86_decode_doorbell(struct axk_vcpu *vcpu, struct axvcpu_exit *exit);
int axk_x86_complete_hypercall(struct axk_vcpu *vcpu, const struct axvcpu_answer *answer);

/* apic.c */
/* The range of the x2APIC MSRs. */
#define X2APIC_MSR_FIRST 0x800u
#define X2APIC_MSR_LAST 0x8ffu
/* Turns a decoded MMIO access into an IPI exit. False: done, and the guest must be re-entered. */
bool axk_x86_decode_ipi_mmio(struct axk_vcpu *vcpu, struct axvcpu_exit *exit);
/*
 * Decodes an access to the x2APIC MSRs that send interrupts. Returns 1 if 'exit' is filled in, 0 if
 * the access was handled here, -1 for any other MSR.
 */
int axk_x86_decode_ipi_msr(struct axk_vcpu *vcpu, struct axvcpu_exit *exit, bool write);

/* vm_reset.c */
int axk_x86_vm_reset(void *arch_vm);
int axk_x86_vm_reset_vcpu(void *arch_vcpu);
/* All inputs are masked, and none is pending. */
int axk_x86_reset_ioapic(const struct axk_vm *kvm);
/* The VM must have a PIT, which is stopped. */
int axk_x86_reset_pit(const struct axk_vm *kvm);
/* Returns 1; 0 if the VM has no PIT; or a negative errno. */
int axk_x86_get_pit(const struct axk_vm *kvm, struct kvm_pit_state2 *pit);

/* debug.c */
int axk_x86_set_debug(void *arch_vcpu, const struct axvcpu_debug *debug);
void axk_x86_decode_debug(const struct axk_vcpu *vcpu, struct axvcpu_exit *exit);

/* translate.c */
int axk_x86_translate_access(void *arch_vcpu, uint64_t gva, struct axvcpu_translation *translation);

/* sregs.c: call the functions of an id only if axk_x86_is_sreg(). */
bool axk_x86_is_sreg(uint64_t id);
int axk_x86_get_sreg(struct axk_vcpu *vcpu, uint64_t id, uint64_t *value);
int axk_x86_set_sreg(struct axk_vcpu *vcpu, uint64_t id, uint64_t value);
/* AXVCPU_X86_SEGMENT_* of a segment. */
uint16_t axk_x86_attributes(const struct kvm_segment *segment);
/* 'number' is an enum axvcpu_x86_segment_number. */
int axk_x86_get_segment(struct axk_vcpu *vcpu, uint32_t number, struct axvcpu_x86_segment *segment);
int axk_x86_set_segment(struct axk_vcpu *vcpu, uint32_t number,
			const struct axvcpu_x86_segment *segment);
int axk_x86_get_cpu_mode(void *arch_vcpu, struct axvcpu_cpu_mode *mode);

/* fpu.c: -ENOENT, without a message, for other ids. 'buf' has axvcpu_reg_size() bytes. */
int axk_x86_get_fpu(struct axk_vcpu *vcpu, uint64_t id, void *buf);
int axk_x86_set_fpu(struct axk_vcpu *vcpu, uint64_t id, const void *buf);
/* AXVCPU_REG_X86_FCW to _XCR0, and _K(n). */
int axk_x86_get_fpu_value(struct axk_vcpu *vcpu, uint64_t id, uint64_t *value);
int axk_x86_set_fpu_value(struct axk_vcpu *vcpu, uint64_t id, uint64_t value);
int axk_x86_set_xcr0(struct axk_vcpu *vcpu, uint64_t value);

/* regs.c */
int axk_x86_get_reg(void *arch_vcpu, uint64_t id, uint64_t *value);
int axk_x86_set_reg(void *arch_vcpu, uint64_t id, uint64_t value);
int axk_x86_get_regs(void *arch_vcpu, struct axvcpu_regs *regs);
int axk_x86_set_regs(void *arch_vcpu, const struct axvcpu_regs *regs);
int axk_x86_set_return_value(void *arch_vcpu, uint64_t value);
int axk_x86_get_reg_bytes(void *arch_vcpu, uint64_t id, void *buf, size_t len);
int axk_x86_set_reg_bytes(void *arch_vcpu, uint64_t id, const void *buf, size_t len);
int axk_x86_reg_info(unsigned int n, uint64_t *id, const char **name);

#endif
