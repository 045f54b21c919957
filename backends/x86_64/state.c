/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Saving a vCPU. The multiprocessing state is first, since reading it changes the LAPIC, and the
 * events are last.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backends/x86_64/state.h"

/* --- sections ---------------------------------------------------------------------------------- */

static int save_library(const struct axk_vcpu *vcpu, struct axvcpu_saver *saver)
{
	const struct axk_x86_pending *pending = &vcpu->arch.pending;
	struct axk_x86_library_state state = { .window = pending->window,
					       .icr_low = vcpu->arch.icr_low,
					       .icr_high = vcpu->arch.icr_high };

	_Static_assert(sizeof(state.count) == sizeof(pending->count), "one counter a vector");
	memcpy(state.count, pending->count, sizeof(state.count));
	if (pending->has_exception) {
		state.has_exception = 1;
		state.vector = pending->exception.vector;
		state.has_error_code = !!pending->exception.has_error_code;
		state.error_code = pending->exception.error_code;
	}
	return axvcpu_save_section(saver, AXK_X86_LIBRARY, 1, 0, &state, sizeof(state));
}

/* Reads a structure by an ioctl, and appends it as a section. */
#define SAVE(vcpu, saver, name, request, content) \
	save_read((saver), (name), axk_vcpu_ioctl((vcpu), (request), (content)), (content), \
		  sizeof(*(content)))

static int save_read(struct axvcpu_saver *saver, const char *name, int ret, const void *content,
		     size_t len)
{
	return ret ? ret : axvcpu_save_section(saver, name, 1, 0, content, len);
}

static int save_sregs(struct axk_vcpu *vcpu, struct axvcpu_saver *saver)
{
	struct kvm_sregs2 sregs2;
	struct kvm_sregs sregs;

	if (vcpu->arch.state->has_sregs2)
		return SAVE(vcpu, saver, "sregs2", KVM_GET_SREGS2, &sregs2);
	return SAVE(vcpu, saver, "sregs", KVM_GET_SREGS, &sregs);
}

static int save_xsave(struct axk_vcpu *vcpu, struct axvcpu_saver *saver)
{
	const size_t size = vcpu->arch.state->xsave_size;
	struct kvm_xsave *xsave = axv_sys_calloc(1, size);
	int ret;

	if (!xsave)
		return axk_x86_no_memory(vcpu, "the XSAVE area");
	if (size > sizeof(*xsave))
		ret = axk_vcpu_ioctl(vcpu, KVM_GET_XSAVE2, xsave);
	else
		ret = axk_vcpu_ioctl(vcpu, KVM_GET_XSAVE, xsave);
	ret = save_read(saver, "xsave", ret, xsave, size);
	free(xsave);
	return ret;
}

int axk_x86_read_nested(const struct axk_vcpu *vcpu, struct kvm_nested_state **out)
{
	const size_t size = vcpu->arch.state->nested_size;
	struct kvm_nested_state *nested = axv_sys_calloc(1, size);
	int ret;

	if (!nested)
		return axk_x86_no_memory(vcpu, "the nested state");
	nested->size = (__u32)size;
	ret = axk_ioctl(vcpu->fd, KVM_GET_NESTED_STATE, nested);
	if (!ret && (nested->size > size || nested->size < sizeof(*nested)))
		ret = -EIO;
	if (ret) {
		free(nested);
		return axk_vcpu_result(vcpu, ret, "KVM_GET_NESTED_STATE");
	}
	*out = nested;
	return 0;
}

static int save_nested(struct axk_vcpu *vcpu, struct axvcpu_saver *saver)
{
	struct kvm_nested_state *nested;
	int ret;

	if (!vcpu->arch.state->nested_size)
		return 0;
	ret = axk_x86_read_nested(vcpu, &nested);
	if (ret)
		return ret;
	ret = axvcpu_save_section(saver, "nested", 1, 0, nested, nested->size);
	free(nested);
	return ret;
}

static int save_tsc(struct axk_vcpu *vcpu, struct axvcpu_saver *saver)
{
	struct axk_x86_tsc_state tsc = { .zero = 0 };
	uint64_t hz;
	int ret = axk_x86_get_reg(vcpu, AXVCPU_REG_COUNTER_HZ, &hz);

	if (ret)
		return ret;
	tsc.khz = hz / 1000;
	ret = axk_x86_get_tsc_offset(vcpu, &tsc.offset);
	if (ret < 0)
		return ret;
	tsc.has_offset = (uint32_t)ret;
	return axvcpu_save_section(saver, "tsc", 1, 0, &tsc, sizeof(tsc));
}

int axk_x86_save(void *arch_vcpu, struct axvcpu_saver *saver)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	struct kvm_vcpu_events events;
	struct kvm_debugregs debugregs;
	struct kvm_lapic_state lapic;
	struct kvm_regs regs;
	struct kvm_xcrs xcrs;
	int ret = axk_state_settled(vcpu);

	if (!ret)
		ret = axk_x86_need_regs(vcpu);
	if (!ret)
		ret = axk_x86_need_state_info(vcpu);
	if (!ret)
		ret = axk_x86_save_cpuid(vcpu, saver);
	if (!ret)
		ret = axk_save_mp_state(vcpu, saver);
	if (!ret)
		ret = SAVE(vcpu, saver, "regs", KVM_GET_REGS, &regs);
	if (!ret)
		ret = save_sregs(vcpu, saver);
	if (!ret)
		ret = save_xsave(vcpu, saver);
	if (!ret)
		ret = SAVE(vcpu, saver, "xcrs", KVM_GET_XCRS, &xcrs);
	if (!ret)
		ret = SAVE(vcpu, saver, "debugregs", KVM_GET_DEBUGREGS, &debugregs);
	if (!ret && vcpu->vm->kernel_irqchip)
		ret = SAVE(vcpu, saver, "lapic", KVM_GET_LAPIC, &lapic);
	if (!ret)
		ret = save_tsc(vcpu, saver);
	if (!ret)
		ret = axk_x86_save_msrs(vcpu, saver);
	if (!ret)
		ret = save_nested(vcpu, saver);
	if (!ret)
		ret = SAVE(vcpu, saver, "events", KVM_GET_VCPU_EVENTS, &events);
	if (!ret)
		ret = axk_x86_save_setup(vcpu, saver);
	if (!ret)
		ret = save_library(vcpu, saver);
	return ret;
}
