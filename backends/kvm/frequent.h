/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The frequent exits and the frequent answer, inline, for both paths. decode.c has the others. */
#ifndef KVM_FREQUENT_H
#define KVM_FREQUENT_H

#include <string.h>

#include "backends/kvm/kvm.h"
#include "kvm_arch_decode.h"

/* Returns false if the width is not valid. */
static inline bool axk_decode_mmio(struct axk_vcpu *vcpu, struct axvcpu_exit *exit,
				   uint32_t *open_exit_kind)
{
	struct kvm_run *run = vcpu->run;
	struct axvcpu_exit_mmio *mmio = &exit->u.mmio;
	uint32_t width = run->mmio.len;

	/* 4 is the most frequent width. */
	if (unlikely(width != 4) && unlikely(width - 1 > 7))
		return false;
	mmio->addr = run->mmio.phys_addr;
	/* 'width' is below 256, so this also clears 'reg_known' and the two fields after it. */
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
	return true;
}

/*
 * Decodes the exit if it is a frequent one: fills in 'exit', and stores its kind in *open_exit_kind
 * if it can be answered. Otherwise returns false. A kick that arrives together with a frequent exit
 * stays pending and ends the next entry at once.
 */
static inline bool axk_decode_frequent(struct axk_vcpu *vcpu, struct axvcpu_exit *exit,
				       uint32_t *open_exit_kind)
{
	if (axk_arch_decode_frequent(vcpu, exit, open_exit_kind))
		return true;
	if (unlikely(vcpu->run->exit_reason != KVM_EXIT_MMIO))
		return false;
	return axk_decode_mmio(vcpu, exit, open_exit_kind);
}

/* Answers the latest exit with a value. Returns false if the exit takes another kind of answer. */
static inline bool axk_answer_value(const struct axk_vcpu *vcpu, uint64_t value)
{
	if (!vcpu->answer)
		return false;
	memcpy(vcpu->answer, &value, sizeof(value));
	return true;
}

#endif
