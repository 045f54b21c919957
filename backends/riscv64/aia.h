/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Shared by the files about the state of the in-kernel AIA. */
#ifndef RISCV64_AIA_H
#define RISCV64_AIA_H

#include "backends/kvm/state.h"
#include "backends/riscv64/riscv64.h"

/* Names of sections. */
#define AXK_RISCV_IMSIC "imsic"
#define AXK_RISCV_APLIC "aplic"

static inline bool axk_riscv_aia_is_ready(const struct axk_vm *kvm)
{
	return kvm->kernel_irqchip && atomic_load(&kvm->arch.aia_ready);
}

/* imsic.c: the IMSICs of all vCPUs. */
int axk_riscv_imsics_save(const struct axk_vm *kvm, struct axvcpu_saver *saver);
/* Finds the section, and checks that it is of a VM with the same vCPUs and ids. */
int axk_riscv_imsics_find(const struct axk_vm *kvm, struct axvcpu_loader *loader,
			  struct axvcpu_saved_section *section);
int axk_riscv_imsics_load(const struct axk_vm *kvm, struct axvcpu_loader *loader,
			  const struct axvcpu_saved_section *section);

/* aplic.c */
int axk_riscv_aplic_save(const struct axk_vm *kvm, struct axvcpu_saver *saver);
/* Finds the section, and checks that it is of a VM with the same number of sources. */
int axk_riscv_aplic_find(const struct axk_vm *kvm, struct axvcpu_loader *loader,
			 struct axvcpu_saved_section *section);
/* 'state' is the content of the section; NULL: all registers are zero. Sets the lines, too. */
int axk_riscv_aplic_load(struct axk_vm *kvm, const unsigned char *state,
			 const uint64_t lines[AXK_LINES_WORDS]);

#endif
