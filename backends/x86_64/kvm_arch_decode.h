/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The frequent exits that only x86_64 has: port I/O of one item. exit.c has the others. */
#ifndef X86_64_KVM_ARCH_DECODE_H
#define X86_64_KVM_ARCH_DECODE_H

#include <string.h>

#include "backends/kvm/kvm.h"

/* Direction, size, port and count of struct kvm_run at once: struct axvcpu_exit_io has the same order. */
static inline uint64_t axk_x86_io_fields(const struct kvm_run *run)
{
	uint64_t fields;

	_Static_assert(KVM_EXIT_IO_IN == 0 && KVM_EXIT_IO_OUT == 1, "is_write is not direction");
	_Static_assert(offsetof(struct axvcpu_exit_io, count) ==
			       offsetof(struct axvcpu_exit_io, is_write) + 4,
		       "struct axvcpu_exit_io is not as in struct kvm_run");
	memcpy(&fields, &run->io, sizeof(fields));
	return fields;
}

static inline void axk_x86_set_io_fields(struct axvcpu_exit_io *io, uint64_t fields)
{
	memcpy((unsigned char *)io + offsetof(struct axvcpu_exit_io, is_write), &fields,
	       sizeof(fields));
}

/* The first two fields: one comparison for both. */
#define X86_IO_KIND(direction, size) ((uint16_t)((size) << 8 | (direction)))

static inline bool axk_x86_is_io_kind(uint16_t kind)
{
	switch (kind) {
	case X86_IO_KIND(KVM_EXIT_IO_OUT, 1):
	case X86_IO_KIND(KVM_EXIT_IO_OUT, 2):
	case X86_IO_KIND(KVM_EXIT_IO_OUT, 4):
	case X86_IO_KIND(KVM_EXIT_IO_IN, 1):
	case X86_IO_KIND(KVM_EXIT_IO_IN, 2):
	case X86_IO_KIND(KVM_EXIT_IO_IN, 4):
		return true;
	default:
		return false;
	}
}

static inline bool axk_arch_decode_frequent(struct axk_vcpu *vcpu, struct axvcpu_exit *exit,
					    uint32_t *open_exit_kind)
{
	struct kvm_run *run = vcpu->run;
	struct axvcpu_exit_io *io = &exit->u.io;
	unsigned char *data;
	uint64_t fields;
	uint16_t kind;

	if (run->exit_reason != KVM_EXIT_IO || unlikely(run->io.count != 1) ||
	    unlikely(run->io.data_offset > vcpu->last_item))
		return false;
	data = (unsigned char *)run + run->io.data_offset;
	fields = axk_x86_io_fields(run);
	kind = (uint16_t)fields;
	/* One byte is by far the most frequent size. */
	if (likely(kind == X86_IO_KIND(KVM_EXIT_IO_OUT, 1))) {
		axk_exit_frequent(exit, AXVCPU_EXIT_IO_WRITE, false, KVM_EXIT_IO, open_exit_kind);
		io->data = *data;
	} else if (kind != X86_IO_KIND(KVM_EXIT_IO_IN, 1) && !axk_x86_is_io_kind(kind)) {
		return false;
	} else if (kind & KVM_EXIT_IO_OUT) {
		axk_exit_frequent(exit, AXVCPU_EXIT_IO_WRITE, false, KVM_EXIT_IO, open_exit_kind);
		io->data = axk_load(data, kind >> 8);
	} else {
		axk_exit_frequent(exit, AXVCPU_EXIT_IO_READ, true, KVM_EXIT_IO, open_exit_kind);
		io->data = 0;
		axk_expect_answer(vcpu, data);
	}
	io->buf = data;
	axk_x86_set_io_fields(io, fields);
	return true;
}

#endif
