/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The setup of a vCPU in its saved state, by which a clone sets up its own: after the struct come
 * the frames of the boot area, and the changes of CPUID.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "axvcpu/x86_64.h"
#include "backends/x86_64/state.h"

/* The limit of setup. */
#define CPUID_MAX 1024u

struct setup_state {
	struct axk_saved_setup setup;
	/* Members of struct axvcpu_x86_setup, in effect; 0 in other modes than 64-bit. */
	uint64_t flags;
	uint64_t cr3;
	uint64_t cr0;
	uint64_t cr4;
	uint64_t efer;
	/* Members of struct axk_x86_tables. */
	uint64_t gibs;
	uint64_t directories;
	uint64_t area;
	uint64_t nframes;
	uint64_t ncpuid;
};

#define STATE_MAX \
	(sizeof(struct setup_state) + AXK_X86_FRAMES_MAX * sizeof(uint64_t) + \
	 CPUID_MAX * sizeof(struct axvcpu_x86_cpuid))

/* --- saving ----------------------------------------------------------------------------------- */

static struct setup_state state_of(const struct axk_vcpu *vcpu)
{
	const struct axk_x86_control *control = &vcpu->arch.control;
	const struct axk_x86_tables *tables = &vcpu->arch.tables;
	struct setup_state state = { .setup = axk_saved_setup(vcpu),
				     .gibs = tables->gibs,
				     .directories = tables->directories,
				     .area = tables->area,
				     .nframes = tables->nframes,
				     .ncpuid = vcpu->arch.ncpuid };

	if (vcpu->arch.setup.mode != AXVCPU_MODE_64)
		return state;
	state.flags = control->own_tables ? AXVCPU_X86_OWN_TABLES : 0;
	state.cr3 = control->cr3;
	state.cr0 = control->cr0;
	state.cr4 = control->cr4;
	state.efer = control->efer;
	return state;
}

int axk_x86_save_setup(const struct axk_vcpu *vcpu, struct axvcpu_saver *saver)
{
	const struct setup_state state = state_of(vcpu);
	const size_t frames = state.nframes * sizeof(vcpu->arch.tables.frames[0]);
	const size_t cpuid = state.ncpuid * sizeof(vcpu->arch.cpuid[0]);
	unsigned char *data = axv_sys_calloc(1, sizeof(state) + frames + cpuid);
	int ret;

	if (!data)
		return axk_x86_no_memory(vcpu, "its setup");
	memcpy(data, &state, sizeof(state));
	if (frames)
		memcpy(data + sizeof(state), vcpu->arch.tables.frames, frames);
	if (cpuid)
		memcpy(data + sizeof(state) + frames, vcpu->arch.cpuid, cpuid);
	ret = axvcpu_save_section(saver, AXK_SETUP, 1, AXVCPU_SECTION_OPTIONAL, data,
				  sizeof(state) + frames + cpuid);
	free(data);
	return ret;
}

/* --- setting up ------------------------------------------------------------------------------- */

static int check(const struct axk_vcpu *vcpu, const struct setup_state *state, size_t len)
{
	if (state->nframes <= AXK_X86_FRAMES_MAX && state->ncpuid <= CPUID_MAX &&
	    state->flags <= AXVCPU_X86_OWN_TABLES &&
	    len == sizeof(*state) + state->nframes * sizeof(uint64_t) +
			    state->ncpuid * sizeof(struct axvcpu_x86_cpuid))
		return 0;
	return axvcpu_fail(vcpu->vm->vm, -EINVAL,
			   "clone: vCPU %" PRIu32 ": section " AXK_SETUP
			   " of %zu bytes has %" PRIu64 " frames and %" PRIu64 " changes of CPUID",
			   vcpu->id, len, state->nframes, state->ncpuid);
}

/* 'arrays' has the frames and the changes of CPUID, aligned. */
static int set_up(struct axk_vcpu *vcpu, const struct setup_state *state, uint64_t *arrays)
{
	const struct axvcpu_x86_setup x86 = {
		.size = sizeof(x86),
		.cpuid = (const struct axvcpu_x86_cpuid *)(arrays + state->nframes),
		.ncpuid = (size_t)state->ncpuid,
		.flags = (uint32_t)state->flags,
		.cr3 = state->cr3,
		.cr0 = state->cr0,
		.cr4 = state->cr4,
		.efer = state->efer,
	};
	const struct axk_x86_tables tables = {
		.gibs = state->gibs,
		.directories = state->directories,
		.area = state->area,
		.frames = state->nframes ? arrays : NULL,
		.nframes = state->nframes,
	};
	struct axvcpu_setup_config config = axk_setup_config(vcpu, &state->setup);
	int ret;

	config.arch = &x86;
	ret = axk_x86_setup_cpu(vcpu, &config);
	return ret ? ret : axk_x86_tables_adopt(vcpu, &tables);
}

int axk_x86_setup_saved(void *arch_vcpu, struct axvcpu_loader *loader)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	struct axvcpu_saved_section section;
	struct setup_state state;
	uint64_t *arrays;
	int ret = axk_find_setup(vcpu, loader, &state, sizeof(state), STATE_MAX, &section);

	if (!ret)
		ret = check(vcpu, &state, section.len);
	if (ret)
		return ret;
	/* One more byte: there may be no arrays. */
	arrays = axv_sys_calloc(1, section.len - sizeof(state) + 1);
	if (!arrays)
		return axk_x86_no_memory(vcpu, "its setup");
	memcpy(arrays, (const unsigned char *)section.data + sizeof(state),
	       section.len - sizeof(state));
	ret = set_up(vcpu, &state, arrays);
	free(arrays);
	return ret;
}
