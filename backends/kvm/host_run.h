/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The host's backend as lib/vcpu/run.c inlines it: the way into the guest, and the exits that are
 * frequent. backends/kvm/run.c has all the others.
 */
#ifndef KVM_HOST_RUN_H
#define KVM_HOST_RUN_H

#include <string.h>

#include "backends/kvm/kvm.h"
#include "kvm_arch_decode.h"

static inline void kvm_decode_mmio(struct kvm_vcpu *vcpu, struct axvcpu_exit *exit,
				   uint32_t *awaits)
{
	struct kvm_run *run = vcpu->run;
	struct axvcpu_exit_mmio *mmio = &exit->u.mmio;
	uint32_t width = run->mmio.len;

	mmio->addr = run->mmio.phys_addr;
	/* It is below 256: so 'reg_known' and the two that follow become 0. */
	memcpy((unsigned char *)mmio + offsetof(struct axvcpu_exit_mmio, width), &width,
	       sizeof(width));
	if (run->mmio.is_write) {
		kvm_exit_frequent(exit, AXVCPU_EXIT_MMIO_WRITE, false, KVM_EXIT_MMIO, awaits);
		mmio->data = kvm_load(run->mmio.data, width);
	} else {
		kvm_exit_frequent(exit, AXVCPU_EXIT_MMIO_READ, true, KVM_EXIT_MMIO, awaits);
		mmio->data = 0;
		kvm_expect_answer(vcpu, run->mmio.data);
	}
}

/* Whether run has to see to something before it enters the guest: not a way for the fast one. */
static inline bool host_is_busy(const void *arch_vcpu)
{
	const struct kvm_vcpu *vcpu = arch_vcpu;

	return vcpu->slow;
}

/* Enters the guest. Returns 0 if that ends in an exit, else the errno. */
static inline long host_enter(void *arch_vcpu)
{
	const struct kvm_vcpu *vcpu = arch_vcpu;

	kvm_arch_entry_barrier();
	return sys_ioctl_hot(vcpu->fd, KVM_RUN);
}

/*
 * Decodes the exit if it is a frequent one: writes 'exit', and its kind to 'awaits' if it can be
 * answered. Else returns false. A kick that comes with a frequent exit is left to the next entry,
 * which it ends at once.
 */
static inline bool host_decode(void *arch_vcpu, struct axvcpu_exit *exit, uint32_t *awaits)
{
	struct kvm_vcpu *vcpu = arch_vcpu;

	if (kvm_arch_decode_frequent(vcpu, exit, awaits))
		return true;
	if (unlikely(vcpu->run->exit_reason != KVM_EXIT_MMIO))
		return false;
	kvm_decode_mmio(vcpu, exit, awaits);
	return true;
}

/* What is left to do when either of them has failed: as the 'run' of the ops table from there on. */
static inline int host_run_rest(void *arch_vcpu, struct axvcpu_exit *exit, int ret)
{
	return kvm_run_rest(arch_vcpu, exit, ret);
}

/* Answers the latest exit with a value, if a value is all that it takes. */
static inline bool host_answer(void *arch_vcpu, uint64_t value)
{
	const struct kvm_vcpu *vcpu = arch_vcpu;

	if (!vcpu->answer)
		return false;
	memcpy(vcpu->answer, &value, sizeof(value));
	return true;
}

#endif
