/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Saving and loading a vCPU: helpers for sections, and whether it is runnable. */
#include "backends/kvm/state.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define MP_STATE "mp-state"

int axk_state_settled(const struct axk_vcpu *vcpu)
{
	if (!vcpu->stashed)
		return 0;
	return axvcpu_fail(vcpu->vm->vm, -EBADFD,
			   "save: vCPU %" PRIu32 ": the instruction of its latest exit has another "
			   "exit: call axvcpu_run() once more",
			   vcpu->id);
}

int axk_find_state(struct axvcpu_loader *loader, const char *name, void *content, size_t len)
{
	struct axvcpu_saved_section section;
	int ret = axvcpu_load_section(loader, name, 1, len, len, &section);

	if (ret > 0)
		memcpy(content, section.data, len);
	return ret;
}

int axk_require_state(const struct axk_vcpu *vcpu, struct axvcpu_loader *loader, const char *name,
		      void *content, size_t len)
{
	int ret = axk_find_state(loader, name, content, len);

	if (ret)
		return ret < 0 ? ret : 0;
	return axvcpu_fail(vcpu->vm->vm, -EINVAL,
			   "load: vCPU %" PRIu32 ": the state has no section %s", vcpu->id, name);
}

int axk_loaded(struct axvcpu_loader *loader, const char *section, int ret, const char *what)
{
	if (ret >= 0)
		return 0;
	return axvcpu_load_refused(loader, section, 0, ret, "%s", what);
}

int axk_save_mp_state(struct axk_vcpu *vcpu, struct axvcpu_saver *saver)
{
	struct kvm_mp_state state;
	int ret = axk_vcpu_ioctl(vcpu, KVM_GET_MP_STATE, &state);

	if (ret)
		return ret;
	return axvcpu_save_section(saver, MP_STATE, 1, 0, &state, sizeof(state));
}

int axk_find_mp_state(const struct axk_vcpu *vcpu, struct axvcpu_loader *loader,
		      struct kvm_mp_state *state)
{
	return axk_require_state(vcpu, loader, MP_STATE, state, sizeof(*state));
}

int axk_load_mp_state(struct axk_vcpu *vcpu, struct axvcpu_loader *loader,
		      const struct kvm_mp_state *state)
{
	return axk_loaded(loader, MP_STATE, axk_ioctl(vcpu->fd, KVM_SET_MP_STATE, state),
			  "KVM_SET_MP_STATE");
}
