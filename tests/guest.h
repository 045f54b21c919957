/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * A VM with a vCPU and a few bytes of machine code, for live tests. Guest memory is at 0; the
 * code runs in flat 32-bit mode unless the test says otherwise.
 */
#ifndef TESTS_GUEST_H
#define TESTS_GUEST_H

#include <axvcpu/axvcpu.h>

#define GUEST_MEMORY 0x200000u
#define GUEST_CODE 0x1000u
#define GUEST_STACK 0x8000u
#define GUEST_BOOT 0x10000u
#define GUEST_BOOT_SIZE 0x7000u
/* Where there is no memory. */
#define GUEST_MMIO 0xd0000000u

struct guest {
	struct axvm *vm;
	struct axvcpu *vcpu;
	struct axvcpu_exit exit;
};

/* All up to bind; every failure fails the test. */
void guest_start(struct guest *guest, enum axvcpu_mode mode, const void *code, size_t len);
/* The same in a VM of this config. */
void guest_start_with(struct guest *guest, const struct axvm_config *config, enum axvcpu_mode mode,
		      const void *code, size_t len);
/* The same up to setup: Created, with memory and code. */
void guest_create(struct guest *guest, const struct axvm_config *config, const void *code,
		  size_t len);
void guest_setup(struct guest *guest, enum axvcpu_mode mode);
/* Unbinds if bound, frees all. */
void guest_end(struct guest *guest);

/* Runs to the next exit but NOTHING, which must be of this kind. */
void guest_expect(struct guest *guest, enum axvcpu_exit_kind kind);
uint64_t guest_reg(struct guest *guest, uint64_t id);

/*
 * Whether KVM here is the flavour that runs without virtualization hardware and interprets guest
 * code that is not made for it: hypercall instructions never end in it, INT3 and invalid code are
 * beyond it, and it sees no data watchpoints.
 */
bool guest_kvm_is_pvm(void);
/* Whether KVM's CPU is one that QEMU emulates: INT3 goes to the guest there, whatever KVM asks for. */
bool guest_kvm_is_emulated(void);

/* Machine code as a literal: CODE("\xf4") is pointer and length. */
#define CODE(bytes) (bytes), sizeof(bytes) - 1

#endif
