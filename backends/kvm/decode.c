/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Decodes the exits that all architectures have; axk_arch_decode() decodes the others. */
#include <string.h>

#include "backends/kvm/frequent.h"
#include "backends/kvm/kvm.h"

static uint32_t internal_error(uint32_t suberror)
{
	switch (suberror) {
	case KVM_INTERNAL_ERROR_EMULATION:
		return AXVCPU_INTERNAL_EMULATION;
	case KVM_INTERNAL_ERROR_SIMUL_EX:
		return AXVCPU_INTERNAL_SIMUL_EX;
	case KVM_INTERNAL_ERROR_DELIVERY_EV:
		return AXVCPU_INTERNAL_DELIVERY_EV;
	case KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON:
		return AXVCPU_INTERNAL_UNEXPECTED_EXIT_REASON;
	default:
		return AXVCPU_INTERNAL_UNKNOWN;
	}
}

/* The instruction that KVM could not emulate, if KVM reports it (since Linux 5.15). */
static void decode_insn(const struct kvm_run *run, struct axvcpu_exit_internal *internal)
{
	/* data[0]: flags. From data[1]: the number of bytes in one byte, then up to 15 bytes. */
	const unsigned char *bytes = (const unsigned char *)&run->internal.data[1];
	uint32_t n = bytes[0];

	internal->ninsn = 0;
	if (internal->error != AXVCPU_INTERNAL_EMULATION || internal->ndata < 3 ||
	    !(internal->data[0] & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES))
		return;
	internal->ninsn = n < ARRAY_SIZE(internal->insn) ? n : ARRAY_SIZE(internal->insn) - 1;
	memcpy(internal->insn, &bytes[1], internal->ninsn);
}

static void decode_internal_error(const struct kvm_run *run, struct axvcpu_exit *exit)
{
	struct axvcpu_exit_internal *internal = &exit->u.internal;
	uint32_t n = run->internal.ndata;

	axk_exit_plain(exit, AXVCPU_EXIT_INTERNAL_ERROR);
	exit->raw_code = run->internal.suberror;
	internal->suberror = run->internal.suberror;
	internal->ndata = n < ARRAY_SIZE(internal->data) ? n : ARRAY_SIZE(internal->data);
	for (uint32_t i = 0; i < internal->ndata; i++)
		internal->data[i] = run->internal.data[i];
	internal->error = internal_error(internal->suberror);
	decode_insn(run, internal);
}

static void decode_crash(const struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	const struct kvm_run *run = vcpu->run;
	struct axvcpu_exit_crash *crash = &exit->u.crash;
	uint32_t n = run->system_event.ndata;

	axk_exit_plain(exit, AXVCPU_EXIT_SYSTEM_CRASH);
	/* Older KVMs do not write the number. This exit is too rare for a flag. */
	if (axk_ioctl_value(vcpu->vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_SYSTEM_EVENT_DATA) <= 0)
		n = 0;
	*crash = (struct axvcpu_exit_crash){
		.ndata = n < ARRAY_SIZE(crash->data) ? n : ARRAY_SIZE(crash->data),
	};
	for (uint32_t i = 0; i < crash->ndata; i++)
		crash->data[i] = run->system_event.data[i];
}

static int decode_system_event(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	const struct kvm_run *run = vcpu->run;

	exit->raw_code = run->system_event.type;
	switch (run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		axk_exit_plain(exit, AXVCPU_EXIT_SYSTEM_DOWN);
		break;
	case KVM_SYSTEM_EVENT_RESET:
		axk_exit_plain(exit, AXVCPU_EXIT_SYSTEM_RESET);
		break;
	case KVM_SYSTEM_EVENT_CRASH:
		decode_crash(vcpu, exit);
		break;
	case KVM_SYSTEM_EVENT_WAKEUP:
		axk_exit_plain(exit, AXVCPU_EXIT_SYSTEM_WAKEUP);
		break;
	default:
		return axk_arch_decode(vcpu, exit);
	}
	return 1;
}

static void decode_fail_entry(const struct kvm_run *run, struct axvcpu_exit *exit)
{
	axk_exit_plain(exit, AXVCPU_EXIT_FAIL_ENTRY);
	exit->raw_code = run->fail_entry.hardware_entry_failure_reason;
	exit->u.fail_entry.reason = run->fail_entry.hardware_entry_failure_reason;
	exit->u.fail_entry.cpu = run->fail_entry.cpu;
}

int axk_decode(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	const struct kvm_run *run = vcpu->run;
	uint32_t open_exit_kind;

	if (axk_decode_frequent(vcpu, exit, &open_exit_kind))
		return !vcpu->forward || axk_arch_decode_forwarded(vcpu, exit);
	exit->raw_reason = run->exit_reason;
	exit->raw_code = 0;
	vcpu->answer = NULL;
	switch (run->exit_reason) {
	case KVM_EXIT_UNKNOWN:
		axk_exit_plain(exit, AXVCPU_EXIT_UNHANDLED);
		exit->raw_code = run->hw.hardware_exit_reason;
		break;
	case KVM_EXIT_SHUTDOWN:
		axk_exit_plain(exit, AXVCPU_EXIT_SHUTDOWN);
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		return decode_system_event(vcpu, exit);
	case KVM_EXIT_FAIL_ENTRY:
		decode_fail_entry(run, exit);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		decode_internal_error(run, exit);
		break;
	case KVM_EXIT_DIRTY_RING_FULL:
		if (vcpu->vm->dirty.ring_entries)
			return axk_dirty_ring_full(vcpu);
		return axk_arch_decode(vcpu, exit);
	default:
		return axk_arch_decode(vcpu, exit);
	}
	return 1;
}
