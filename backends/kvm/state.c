/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Saving and loading: helpers for sections; whether a vCPU is runnable; the lines of a VM. */
#include "backends/kvm/state.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define MP_STATE "mp-state"
#define LINES "lines"

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

/* --- the setup -------------------------------------------------------------------------------- */

struct axk_saved_setup axk_saved_setup(const struct axk_vcpu *vcpu)
{
	const struct axvcpu_setup_config *setup = &vcpu->arch.setup;

	return (struct axk_saved_setup){ .entry = vcpu->entry,
					 .arg = setup->arg,
					 .stack = setup->stack,
					 .boot_gpa = setup->boot_gpa,
					 .boot_size = setup->boot_size,
					 .mode = setup->mode };
}

int axk_find_setup(const struct axk_vcpu *vcpu, struct axvcpu_loader *loader, void *setup,
		   size_t min, size_t max, struct axvcpu_saved_section *section)
{
	int ret = axvcpu_load_section(loader, AXK_SETUP, 1, min, max, section);

	if (ret < 0)
		return ret;
	if (!ret)
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "clone: vCPU %" PRIu32 ": the state has no section " AXK_SETUP,
				   vcpu->id);
	memcpy(setup, section->data, min);
	return 0;
}

struct axvcpu_setup_config axk_setup_config(struct axk_vcpu *vcpu,
					    const struct axk_saved_setup *saved)
{
	struct axvcpu_setup_config config = AXVCPU_SETUP_CONFIG_INIT;

	vcpu->entry = saved->entry;
	config.mode = saved->mode;
	config.arg = saved->arg;
	config.stack = saved->stack;
	config.boot_gpa = saved->boot_gpa;
	config.boot_size = saved->boot_size;
	return config;
}

/* --- lines ------------------------------------------------------------------------------------ */

int axk_save_lines(struct axk_vm *kvm, struct axvcpu_saver *saver)
{
	uint64_t lines[AXK_LINES_WORDS];

	for (size_t i = 0; i < AXK_LINES_WORDS; i++)
		lines[i] = htole64(atomic_load(&kvm->raised[i]));
	return axvcpu_save_section(saver, LINES, 1, 0, lines, sizeof(lines));
}

int axk_find_lines(const struct axk_vm *kvm, struct axvcpu_loader *loader,
		   uint64_t lines[AXK_LINES_WORDS])
{
	int ret = axk_find_state(loader, LINES, lines, AXK_LINES_WORDS * sizeof(lines[0]));

	if (ret < 0)
		return ret;
	if (!ret)
		return axvcpu_fail(kvm->vm, -EINVAL, "load: the state has no section " LINES);
	for (size_t i = 0; i < AXK_LINES_WORDS; i++)
		lines[i] = le64toh(lines[i]);
	for (uint32_t gsi = kvm->gsis; gsi < KVM_GSIS_MAX; gsi++)
		if (lines[gsi / 64] >> gsi % 64 & 1)
			return axvcpu_fail(kvm->vm, -ENOTSUP,
					   "load: gsi %" PRIu32 " is raised; this host has %" PRIu32
					   " gsis",
					   gsi, kvm->gsis);
	return 0;
}

int axk_load_lines(struct axk_vm *kvm, const uint64_t lines[AXK_LINES_WORDS])
{
	int ret = 0;

	for (uint32_t gsi = 0; !ret && gsi < kvm->gsis; gsi++) {
		const bool now = atomic_load(&kvm->raised[gsi / 64]) >> gsi % 64 & 1;
		const bool then = lines[gsi / 64] >> gsi % 64 & 1;

		if (now != then)
			ret = axk_load_line(kvm, gsi, then);
	}
	return ret;
}
