/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The clocks: the TSC of each vCPU, by its offset from that of the host, and kvmclock. The offset
 * is set by its attribute only: KVM takes a TSC that is written within a second of the expected
 * value as an attempt to synchronise vCPUs, and ignores it.
 */
#include <errno.h>
#include <inttypes.h>

#include "backends/x86_64/state.h"

#define MSR_TSC 0x10u

static struct kvm_device_attr offset_attr(const uint64_t *offset)
{
	return (struct kvm_device_attr){ .group = KVM_VCPU_TSC_CTRL,
					 .attr = KVM_VCPU_TSC_OFFSET,
					 .addr = (uintptr_t)offset };
}

int axk_x86_get_tsc_offset(const struct axk_vcpu *vcpu, uint64_t *offset)
{
	uint64_t value = 0;
	const struct kvm_device_attr attr = offset_attr(&value);
	int ret = axk_ioctl(vcpu->fd, KVM_GET_DEVICE_ATTR, &attr);

	/* Before Linux 5.16: no such attribute, or no attributes at all. */
	if (ret == -ENXIO || ret == -ENOTTY || ret == -EINVAL)
		return 0;
	if (ret)
		return axk_vcpu_result(vcpu, ret, "KVM_GET_DEVICE_ATTR of KVM_VCPU_TSC_OFFSET");
	*offset = value;
	return 1;
}

int axk_x86_set_tsc_offset(const struct axk_vcpu *vcpu, uint64_t offset)
{
	const struct kvm_device_attr attr = offset_attr(&offset);

	return axk_ioctl(vcpu->fd, KVM_SET_DEVICE_ATTR, &attr);
}

int axk_x86_get_clock(void *arch_vcpu, struct axvm_clock *clock)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	struct kvm_clock_data data = { .clock = 0 };
	int ret = axk_x86_get_reg(vcpu, AXVCPU_REG_COUNTER_HZ, &clock->counter_hz);

	if (ret)
		return ret;
	ret = axk_x86_get_tsc_offset(vcpu, &clock->counter_offset);
	if (ret < 0)
		return ret;
	clock->flags = AXVM_CLOCK_KVMCLOCK | (ret ? AXVM_CLOCK_OFFSET : 0);
	/* These two together: they must be of one moment. */
	ret = axk_vm_ioctl(vcpu->vm, KVM_GET_CLOCK, &data);
	if (!ret)
		ret = axk_x86_get_msr(vcpu, MSR_TSC, &clock->counter);
	if (ret == -ENOENT)
		return axvcpu_fail(vcpu->vm->vm, -ENOTSUP,
				   "get_clock: vCPU %" PRIu32 ": KVM does not read the TSC",
				   vcpu->id);
	clock->kvmclock_ns = data.clock;
	if (data.flags & KVM_CLOCK_REALTIME)
		clock->realtime_ns = (int64_t)data.realtime;
	return ret;
}

static int set_kvmclock(struct axk_vm *kvm, const struct axvm_clock *target)
{
	struct kvm_clock_data data = { .clock = target->kvmclock_ns };
	int ret = axk_vm_capability(kvm, KVM_CAP_ADJUST_CLOCK);

	if (ret < 0)
		return ret;
	/* KVM then adds the time since the clocks were read. */
	if (ret & KVM_CLOCK_REALTIME) {
		data.flags = KVM_CLOCK_REALTIME;
		data.realtime = (uint64_t)target->realtime_ns;
	}
	return axk_vm_ioctl(kvm, KVM_SET_CLOCK, &data);
}

int axk_x86_set_clock(void *arch_vcpu, const struct axvm_clock *saved,
		      const struct axvm_clock *target)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	uint64_t offset = 0;
	int ret = axk_x86_get_tsc_offset(vcpu, &offset);

	if (ret < 0)
		return ret;
	/* Loaded vCPUs get their saved offsets, and this. */
	vcpu->vm->arch.tsc_shift = 0;
	if (ret && (saved->flags & AXVM_CLOCK_OFFSET))
		vcpu->vm->arch.tsc_shift = offset - saved->counter_offset;
	if (!target || !(target->flags & AXVM_CLOCK_KVMCLOCK))
		return 0;
	return set_kvmclock(vcpu->vm, target);
}

int axk_x86_shift_counter(void *arch_vcpu, uint64_t delta)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	uint64_t offset;
	int ret = axk_x86_get_tsc_offset(vcpu, &offset);

	if (ret < 0)
		return ret;
	if (!ret)
		return axvcpu_fail(vcpu->vm->vm, -ENOTSUP,
				   "set_clock: vCPU %" PRIu32
				   ": this KVM lacks KVM_VCPU_TSC_OFFSET (Linux 5.16 has it)",
				   vcpu->id);
	return axk_vcpu_result(vcpu, axk_x86_set_tsc_offset(vcpu, offset + delta),
			       "KVM_SET_DEVICE_ATTR of KVM_VCPU_TSC_OFFSET");
}
