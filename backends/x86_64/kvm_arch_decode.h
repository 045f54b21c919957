/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The frequent exits that only x86_64 has: port I/O of one item. exit.c has the others. */
#ifndef X86_64_KVM_ARCH_DECODE_H
#define X86_64_KVM_ARCH_DECODE_H

#include <string.h>

#include "backends/kvm/kvm.h"

/* Copies is_write, width, port and count at once: struct kvm_run has them in the same order. */
static inline void axk_arch_io_fields(struct axvcpu_exit_io *io, const struct kvm_run *run)
{
	_Static_assert(KVM_EXIT_IO_IN == 0 && KVM_EXIT_IO_OUT == 1, "is_write is not direction");
	_Static_assert(offsetof(struct axvcpu_exit_io, count) ==
			       offsetof(struct axvcpu_exit_io, is_write) + 4,
		       "struct axvcpu_exit_io is not as in struct kvm_run");
	memcpy((unsigned char *)io + offsetof(struct axvcpu_exit_io, is_write), &run->io, 8);
}

static inline bool axk_arch_decode_frequent(struct axk_vcpu *vcpu, struct axvcpu_exit *exit,
					    uint32_t *open_exit_kind)
{
	struct kvm_run *run = vcpu->run;
	struct axvcpu_exit_io *io = &exit->u.io;
	unsigned char *data;

	if (run->exit_reason != KVM_EXIT_IO || unlikely(run->io.count != 1) ||
	    unlikely(run->io.data_offset > vcpu->last_item))
		return false;
	data = (unsigned char *)run + run->io.data_offset;
	io->buf = data;
	axk_arch_io_fields(io, run);
	/* One byte is by far the most frequent; both conditions become one comparison. */
	if (likely(run->io.direction == KVM_EXIT_IO_OUT && run->io.size == 1)) {
		axk_exit_frequent(exit, AXVCPU_EXIT_IO_WRITE, false, KVM_EXIT_IO, open_exit_kind);
		io->data = *data;
	} else if (run->io.direction == KVM_EXIT_IO_OUT) {
		axk_exit_frequent(exit, AXVCPU_EXIT_IO_WRITE, false, KVM_EXIT_IO, open_exit_kind);
		io->data = axk_load(data, run->io.size);
	} else {
		axk_exit_frequent(exit, AXVCPU_EXIT_IO_READ, true, KVM_EXIT_IO, open_exit_kind);
		io->data = 0;
		axk_expect_answer(vcpu, data);
	}
	return true;
}

#endif
