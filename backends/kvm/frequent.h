/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The frequent exits, and the frequent answer, decoded inline: by the fast path and by the slow one.
 * decode.c has the other exits.
 */
#ifndef KVM_FREQUENT_H
#define KVM_FREQUENT_H

#include <string.h>

#include "backends/kvm/kvm.h"
#include "kvm_arch_decode.h"

static inline void axk_decode_mmio(struct axk_vcpu *vcpu, struct axvcpu_exit *exit,
				   uint32_t *open_exit_kind)
{
	struct kvm_run *run = vcpu->run;
	struct axvcpu_exit_mmio *mmio = &exit->u.mmio;
	uint32_t width = run->mmio.len;

	mmio->addr = run->mmio.phys_addr;
	/* It is below 256: so 'reg_known' and the two that follow become 0. */
	memcpy((unsigned char *)mmio + offsetof(struct axvcpu_exit_mmio, width), &width,
	       sizeof(width));
	if (run->mmio.is_write) {
		axk_exit_frequent(exit, AXVCPU_EXIT_MMIO_WRITE, false, KVM_EXIT_MMIO,
				  open_exit_kind);
		mmio->data = axk_load(run->mmio.data, width);
	} else {
		axk_exit_frequent(exit, AXVCPU_EXIT_MMIO_READ, true, KVM_EXIT_MMIO, open_exit_kind);
		mmio->data = 0;
		axk_expect_answer(vcpu, run->mmio.data);
	}
}

/*
 * Decodes the exit if it is a frequent one: writes 'exit', and its kind to 'open_exit_kind' if it can be
 * answered. Else returns false. A kick that comes with a frequent exit is left to the next entry,
 * which it ends at once.
 */
static inline bool axk_decode_frequent(struct axk_vcpu *vcpu, struct axvcpu_exit *exit,
				       uint32_t *open_exit_kind)
{
	if (axk_arch_decode_frequent(vcpu, exit, open_exit_kind))
		return true;
	if (unlikely(vcpu->run->exit_reason != KVM_EXIT_MMIO))
		return false;
	axk_decode_mmio(vcpu, exit, open_exit_kind);
	return true;
}

/* Answers the latest exit with a value, if a value is all that it takes. */
static inline bool axk_answer_value(const struct axk_vcpu *vcpu, uint64_t value)
{
	if (!vcpu->answer)
		return false;
	memcpy(vcpu->answer, &value, sizeof(value));
	return true;
}

#endif
