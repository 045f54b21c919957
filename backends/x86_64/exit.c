/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The exits that only x86_64 has. */
#include <errno.h>
#include <string.h>

#include "backends/x86_64/x86_64.h"
#include "kvm_arch_decode.h"

/* Returns the items of port I/O, or NULL if they are not inside of the mapping. */
static unsigned char *io_items(const struct axk_vcpu *vcpu, size_t *bytes)
{
	const struct kvm_run *run = vcpu->run;
	uint64_t offset = run->io.data_offset;

	*bytes = (size_t)run->io.size * run->io.count;
	/* The first item is read as 8 bytes. */
	if (offset > vcpu->run_size || *bytes + 8 > vcpu->run_size - offset)
		return NULL;
	return (unsigned char *)vcpu->run + offset;
}

/* Port I/O that is not a frequent exit: a string instruction, or not valid. */
static void decode_io(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	const struct kvm_run *run = vcpu->run;
	struct axvcpu_exit_io *io = &exit->u.io;
	uint64_t fields = axk_x86_io_fields(run);
	size_t bytes;
	unsigned char *items = io_items(vcpu, &bytes);

	if (!items || !run->io.count || !axk_x86_is_io_kind((uint16_t)fields)) {
		axk_exit_plain(exit, AXVCPU_EXIT_UNHANDLED);
		return;
	}
	io->buf = items;
	axk_x86_set_io_fields(io, fields);
	if (io->is_write) {
		io->data = axk_load(io->buf, io->width);
		exit->kind = AXVCPU_EXIT_IO_WRITE;
		exit->answerable = 0;
	} else {
		io->data = 0;
		/* Unanswered it reads all ones, as a bus without a device. */
		memset(io->buf, 0xff, bytes);
		exit->kind = AXVCPU_EXIT_IO_READ;
		exit->answerable = 1;
	}
}

static void decode_notify(const struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	axk_exit_plain(exit, AXVCPU_EXIT_NOTIFY);
	exit->raw_code = vcpu->run->notify.flags;
}

/* Only KVM_EXIT_MEMORY_FAULT reports the address. */
void axk_arch_locate_fault(struct axk_vcpu *vcpu, struct axvcpu_exit_page_fault *fault)
{
	(void)vcpu;
	(void)fault;
}

int axk_arch_decode(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	switch (vcpu->run->exit_reason) {
	case KVM_EXIT_IO:
		decode_io(vcpu, exit);
		break;
	case KVM_EXIT_HLT:
		axk_exit_plain(exit, AXVCPU_EXIT_HALT);
		break;
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		axk_exit_plain(exit, AXVCPU_EXIT_IRQ_WINDOW);
		break;
	case KVM_EXIT_IOAPIC_EOI:
		axk_exit_plain(exit, AXVCPU_EXIT_EOI);
		exit->u.eoi.vector = vcpu->run->eoi.vector;
		break;
	case KVM_EXIT_X86_RDMSR:
		return axk_x86_decode_msr(vcpu, exit, false);
	case KVM_EXIT_X86_WRMSR:
		return axk_x86_decode_msr(vcpu, exit, true);
	case KVM_EXIT_HYPERCALL:
	case KVM_EXIT_XEN:
		axk_x86_decode_hypercall(vcpu, exit);
		break;
	case KVM_EXIT_DEBUG:
		axk_x86_decode_debug(vcpu, exit);
		break;
	case KVM_EXIT_NOTIFY:
		decode_notify(vcpu, exit);
		break;
	default:
		axk_exit_plain(exit, AXVCPU_EXIT_UNHANDLED);
		break;
	}
	return 1;
}

static int complete_io(struct axk_vcpu *vcpu, const struct axvcpu_answer *answer)
{
	const struct kvm_run *run = vcpu->run;
	const struct axvm *vm = vcpu->vm->vm;
	size_t bytes;
	/* Checked again: a broken KVM may have put the items over the fields that locate them. */
	unsigned char *items = io_items(vcpu, &bytes);

	if (!items)
		return axvcpu_fail(vm, -EIO,
				   "complete: struct kvm_run has %zu bytes of port I/O at %#llx, "
				   "which is not in its mapping",
				   bytes, run->io.data_offset);
	switch (answer->kind) {
	case AXVCPU_ANSWER_VALUE:
		return axvcpu_fail(vm, -EINVAL,
				   "complete: a string read of %u items takes AXVCPU_ANSWER_BYTES",
				   run->io.count);
	case AXVCPU_ANSWER_BYTES:
		if (answer->u.bytes.len != bytes || !answer->u.bytes.ptr)
			return axvcpu_fail(vm, -EINVAL,
					   "complete: the read has %zu bytes, the answer %zu",
					   bytes, answer->u.bytes.len);
		memcpy(items, answer->u.bytes.ptr, bytes);
		return 0;
	default:
		return axvcpu_fail(vm, -EINVAL, "complete: port I/O takes a value or bytes");
	}
}

int axk_arch_complete(struct axk_vcpu *vcpu, const struct axvcpu_answer *answer)
{
	switch (vcpu->run->exit_reason) {
	case KVM_EXIT_X86_RDMSR:
	case KVM_EXIT_X86_WRMSR:
		return axk_x86_complete_msr(vcpu, answer);
	case KVM_EXIT_HYPERCALL:
	case KVM_EXIT_XEN:
		return axk_x86_complete_hypercall(vcpu, answer);
	default:
		break;
	}
	/* The only answerable write is the doorbell. */
	if (vcpu->run->io.direction == KVM_EXIT_IO_OUT)
		return axk_x86_complete_hypercall(vcpu, answer);
	return complete_io(vcpu, answer);
}
