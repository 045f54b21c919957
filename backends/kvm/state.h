/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Saving and loading a vCPU: the parts that architectures share. */
#ifndef KVM_STATE_H
#define KVM_STATE_H

#include "axvcpu/vcpu_state.h"
#include "backends/kvm/kvm.h"

#define AXK_LINES_WORDS (KVM_GSIS_MAX / 64)

/* --- state.c: sections that hold one structure of KVM ----------------------------------------- */

/* Fails with -EBADFD if the latest exit is not completed: KVM's state then lacks its effect. */
int axk_state_settled(const struct axk_vcpu *vcpu);

int axk_save_mp_state(struct axk_vcpu *vcpu, struct axvcpu_saver *saver);
/* Finds the section; the state must have one. */
int axk_find_mp_state(const struct axk_vcpu *vcpu, struct axvcpu_loader *loader,
		      struct kvm_mp_state *state);
int axk_load_mp_state(struct axk_vcpu *vcpu, struct axvcpu_loader *loader,
		      const struct kvm_mp_state *state);

/*
 * Finds a section of exactly 'len' bytes and copies it to 'content'. Returns 1; 0 if the state has
 * none; or a negative errno.
 */
int axk_find_state(struct axvcpu_loader *loader, const char *name, void *content, size_t len);
/* The same for a section that the state must have: returns 0 or a negative errno. */
int axk_require_state(const struct axk_vcpu *vcpu, struct axvcpu_loader *loader, const char *name,
		      void *content, size_t len);
/* The setup of a vCPU, for clones: the optional section AXK_SETUP begins with this. */
#define AXK_SETUP "setup"
struct axk_saved_setup {
	uint64_t entry;
	/* Members of struct axvcpu_setup_config. */
	uint64_t arg;
	uint64_t stack;
	uint64_t boot_gpa;
	uint64_t boot_size;
	uint32_t mode;
	uint32_t zero;
};
struct axk_saved_setup axk_saved_setup(const struct axk_vcpu *vcpu);
/* Finds a section of 'min' to 'max' bytes, which the state must have, and copies the first 'min'. */
int axk_find_setup(const struct axk_vcpu *vcpu, struct axvcpu_loader *loader, void *setup,
		   size_t min, size_t max, struct axvcpu_saved_section *section);
/* The config, without `arch`. Sets the entry of the vCPU. */
struct axvcpu_setup_config axk_setup_config(struct axk_vcpu *vcpu,
					    const struct axk_saved_setup *saved);

/*
 * The lines that the VMM has raised, by axk_set_irq_line(). Both are part of the state of a VM with
 * an in-kernel irqchip.
 */
int axk_save_lines(struct axk_vm *kvm, struct axvcpu_saver *saver);
/* Finds the section, which the state must have. 'lines' is a bitmap by gsi. */
int axk_find_lines(const struct axk_vm *kvm, struct axvcpu_loader *loader,
		   uint64_t lines[AXK_LINES_WORDS]);
/*
 * Lowers and raises lines until they are as in the section. They lead where the present routes do,
 * which must be the saved ones.
 */
int axk_load_lines(struct axk_vm *kvm, const uint64_t lines[AXK_LINES_WORDS]);
/* Continues a load after an ioctl 'what' for a whole section has returned 'ret'. */
int axk_loaded(struct axvcpu_loader *loader, const char *section, int ret, const char *what);

/* --- state_regs.c: registers by KVM_GET_ONE_REG (arm64, riscv64) ------------------------------ */

/* When a register is loaded: in the order of these, and of the list within each. */
enum axk_state_order {
	/* Never: it belongs to the VM, or is another view of a register that is loaded. */
	AXK_STATE_OMIT = -1,
	/* Fixed at the first run: written only if its value differs. */
	AXK_STATE_FIXED,
	AXK_STATE_CORE,
	AXK_STATE_SYSTEM,
	/* After the system registers. */
	AXK_STATE_LATE,
	AXK_STATE_TIMER,
	AXK_STATE_TIMER_LAST,
	AXK_STATE_ORDERS,
};

/* The properties of an architecture that these functions need. */
struct axk_state_regs {
	/* The upper byte of its KVM ids: KVM_REG_ARM64, KVM_REG_RISCV. */
	uint64_t arch;
	enum axk_state_order (*order)(uint64_t id);
	/* The AXVCPU_PART_* that a register belongs to; 0: it is always loaded. */
	uint32_t (*part)(uint64_t id);
	/* Lists the registers of a KVM without KVM_GET_REG_LIST, as axk_reg_list(); or NULL. */
	int (*list)(struct axk_vcpu *vcpu, uint64_t *ids, size_t count);
	/* Registers that belong to the state even if KVM does not list them; it may lack some. */
	const uint64_t *unlisted;
	unsigned int nunlisted;
	/*
	 * Writes a register as axk_set_reg_quietly() does, or does not if that would be wrong at
	 * this moment.
	 */
	int (*load)(struct axk_vcpu *vcpu, uint64_t id, const void *value);
};

/* A register of a saved state, which was checked. */
struct axk_saved_reg {
	uint64_t id;
	/* In the bytes of the state, of any alignment. */
	const unsigned char *value;
	enum axk_state_order order;
	uint32_t part;
};

/* All of them, in the order in which they are loaded. */
struct axk_saved_regs {
	const struct axk_saved_reg *regs;
	size_t count;
};

int axk_save_regs(const struct axk_state_regs *arch, struct axk_vcpu *vcpu,
		  struct axvcpu_saver *saver);
/*
 * Finds the section and checks its form, and that the vCPU has all registers and can have the values
 * of the fixed ones. Allocates the prepared form of the state: 'size' bytes for the architecture,
 * which begin with the struct axk_saved_regs, and the registers.
 */
int axk_prepare_regs(const struct axk_state_regs *arch, struct axk_vcpu *vcpu,
		     struct axvcpu_loader *loader, size_t size, void **prepared);
/*
 * Loads the registers of these parts. 'fixed': also those that are fixed at the first run, if their
 * values differ.
 */
int axk_load_regs(const struct axk_state_regs *arch, struct axk_vcpu *vcpu,
		  struct axvcpu_loader *loader, const struct axk_saved_regs *regs, uint32_t parts,
		  bool fixed);
/* axk_set_one_reg() without a message. */
int axk_set_reg_quietly(struct axk_vcpu *vcpu, uint64_t id, const void *value);

#endif
