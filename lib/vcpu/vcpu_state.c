/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Saving and loading a vCPU: the backend has its registers and events; the library adds the power
 * state and the terminal exit, and loads the old state again if the host refuses the new one.
 */
#include "axvcpu/vcpu_state.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/machine/object.h"
#include "lib/text/error.h"
#include "lib/vcpu/power.h"
#include "lib/vcpu/request.h"
#include "lib/vcpu/saved.h"
#include "lib/vcpu/vcpu.h"

/* --- the section of the library --------------------------------------------------------------- */

#define SECTION "axvcpu"
#define SECTION_VERSION 1u

static int save_section(const struct axvcpu *vcpu, struct axvcpu_saver *saver)
{
	const bool terminal = atomic_load(&vcpu->attention) & ATTENTION_TERMINAL;
	const struct axv_vcpu_section state = {
		.id = htole32(vcpu->id),
		.power = htole32(atomic_load(&vcpu->power)),
		.terminal = htole32(terminal),
		.terminal_kind = htole32(terminal ? vcpu->terminal_kind : 0),
	};

	return axvcpu_save_section(saver, SECTION, SECTION_VERSION, 0, &state, sizeof(state));
}

static int find_section(const struct axvcpu *vcpu, struct axvcpu_loader *loader,
			struct axv_vcpu_section *state)
{
	struct axvcpu_saved_section section;
	int ret = axvcpu_load_section(loader, SECTION, SECTION_VERSION, sizeof(*state),
				      sizeof(*state), &section);

	if (ret < 0)
		return ret;
	if (!ret)
		return axvcpu_fail(vcpu->vm, -EINVAL, "load: the state has no section " SECTION);
	memcpy(state, section.data, sizeof(*state));
	state->id = le32toh(state->id);
	state->power = le32toh(state->power);
	state->terminal = le32toh(state->terminal);
	state->terminal_kind = le32toh(state->terminal_kind);
	if (state->id != vcpu->id)
		return axvcpu_fail(vcpu->vm, -EINVAL,
				   "load: vCPU %" PRIu32 ": the state is that of vCPU %" PRIu32,
				   vcpu->id, state->id);
	if ((state->power != AXVCPU_POWER_ON && state->power != AXVCPU_POWER_OFF &&
	     state->power != AXVCPU_POWER_WAITING) ||
	    state->terminal > 1)
		return axvcpu_fail(vcpu->vm, -EINVAL,
				   "load: vCPU %" PRIu32 ": power %" PRIu32 " or terminal %" PRIu32
				   " is not valid",
				   vcpu->id, state->power, state->terminal);
	return 0;
}

static void apply_section(struct axvcpu *vcpu, const struct axv_vcpu_section *state)
{
	vcpu->open_exit_kind = AXVCPU_EXIT_NOTHING;
	vcpu->terminal_kind = state->terminal_kind;
	if (state->terminal)
		atomic_fetch_or(&vcpu->attention, ATTENTION_TERMINAL);
	else
		atomic_fetch_and(&vcpu->attention, ~ATTENTION_TERMINAL);
	axv_power_set(vcpu, (enum axvcpu_power)state->power);
}

/* --- the section for clones ------------------------------------------------------------------- */

#define SETUP "axvcpu-setup"

/* Little-endian. */
struct setup_state {
	/* AXVCPU_F_*, except those of the host's CPUs. */
	uint32_t flags;
	uint32_t zero;
	/* As given to axvcpu_setup(). */
	uint64_t entry;
	uint64_t arg;
};

static int save_setup(const struct axvcpu *vcpu, struct axvcpu_saver *saver)
{
	const struct setup_state state = {
		.flags = htole32(vcpu->flags & ~AXVCPU_F_FAVOR_CPU),
		.entry = htole64(vcpu->setup_entry),
		.arg = htole64(vcpu->setup_arg),
	};

	return axvcpu_save_section(saver, SETUP, 1, AXVCPU_SECTION_OPTIONAL, &state, sizeof(state));
}

/* Begins to read a saved state, and finds the section. */
static int begin_setup(struct axvcpu_loader *loader, struct axvcpu *vcpu, struct axvm *vm,
		       const void *state, size_t size, struct setup_state *setup)
{
	const struct axvcpu_load_config config = AXVCPU_LOAD_CONFIG_INIT;
	struct axvcpu_saved_section section;
	int ret = axv_loader_begin(loader, vcpu, vm, vm->ops->name, state, size, &config);

	if (!ret)
		ret = axvcpu_load_section(loader, SETUP, 1, sizeof(*setup), sizeof(*setup),
					  &section);
	if (ret < 0)
		return ret;
	if (!ret)
		return axvcpu_fail(vm, -EINVAL, "clone: the state of a vCPU has no section " SETUP);
	memcpy(setup, section.data, sizeof(*setup));
	setup->flags = le32toh(setup->flags);
	setup->entry = le64toh(setup->entry);
	setup->arg = le64toh(setup->arg);
	return 0;
}

int axv_vcpu_saved_flags(struct axvm *vm, const void *state, size_t size, uint32_t *flags)
{
	struct axvcpu_loader loader;
	struct setup_state setup;
	int ret = begin_setup(&loader, NULL, vm, state, size, &setup);

	if (!ret)
		*flags = setup.flags;
	return ret;
}

int axv_vcpu_setup_saved(struct axvcpu *vcpu, const void *state, size_t size)
{
	struct axvcpu_loader loader;
	struct setup_state setup;
	struct axv_op op;
	int ret = begin_setup(&loader, vcpu, vcpu->vm, state, size, &setup);

	if (ret)
		return ret;
	ret = axv_op_begin_long(vcpu, IN(AXVCPU_CREATED), "clone", &op);
	if (ret)
		return ret;
	ret = vcpu->ops->setup_saved(vcpu->arch, &loader);
	if (!ret) {
		vcpu->setup_entry = setup.entry;
		vcpu->setup_arg = setup.arg;
	}
	axv_op_end(vcpu, &op, ret ? AXVCPU_CREATED : AXVCPU_FREE);
	return ret;
}

/* --- saving ----------------------------------------------------------------------------------- */

/* Inside an operation, with no open exit. */
static int save(struct axvcpu *vcpu, void *buf, size_t size)
{
	struct axvcpu_saver saver;
	int ret = axv_saver_begin(&saver, vcpu->vm, vcpu->ops->name, buf, size);

	if (ret)
		return ret;
	ret = save_section(vcpu, &saver);
	if (!ret)
		ret = save_setup(vcpu, &saver);
	if (!ret)
		ret = vcpu->ops->save(vcpu->arch, &saver);
	return ret < 0 ? ret : axv_saver_end(&saver);
}

/* Carries out requests, and completes an open exit. */
static int settle(struct axvcpu *vcpu, const struct axv_op *op, const char *what)
{
	const bool own = op->from == AXVCPU_FREE || op->owner == axv_thread_serial();

	if (own && (atomic_load(&vcpu->attention) & ATTENTION_REQUESTS))
		axv_queue_drain(vcpu);
	if (atomic_load(&vcpu->attention) & ATTENTION_REQUESTS)
		return axvcpu_fail(vcpu->vm, -EBUSY,
				   "%s: vCPU %" PRIu32 ": requests wait for its owner, which "
				   "carries them out in axvcpu_run()",
				   what, vcpu->id);
	if (vcpu->open_exit_kind)
		return axvcpu_fail(vcpu->vm, -EBADFD,
				   "%s: vCPU %" PRIu32 ": its latest exit (%s) has no answer: "
				   "call axvcpu_complete() or axvcpu_flush() first",
				   what, vcpu->id, axvcpu_exit_name(vcpu->open_exit_kind));
	return axv_vcpu_flush(vcpu);
}

int axv_vcpu_settle(struct axvcpu *vcpu, const char *what)
{
	struct axv_op op;
	int ret = axv_op_begin(vcpu, IN_REGS, what, &op);

	if (ret)
		return ret;
	ret = settle(vcpu, &op, what);
	axv_op_end(vcpu, &op, op.from);
	return ret;
}

static int check_op(const struct axvcpu *vcpu, bool has_op, const char *what)
{
	int ret = axv_vm_check_process(vcpu->vm);

	if (ret || has_op)
		return ret;
	return axv_vm_not_supported(vcpu->vm, what);
}

int axvcpu_save(struct axvcpu *vcpu, void *buf, size_t size)
{
	struct axv_op op;
	int ret = check_op(vcpu, HAS_OP(vcpu->ops, save), "save");

	if (ret)
		return ret;
	ret = axv_op_begin(vcpu, IN_REGS, "save", &op);
	if (ret)
		return ret;
	ret = settle(vcpu, &op, "save");
	if (!ret)
		ret = save(vcpu, buf, size);
	axv_op_end(vcpu, &op, op.from);
	return ret;
}

/* --- loading ---------------------------------------------------------------------------------- */

static int save_present(const struct axvcpu_loader *loader, void *buf, size_t size)
{
	return save(loader->vcpu, buf, size);
}

/* Loads the state whose section of the library is 'section'. */
static int load_checked(struct axvcpu *vcpu, struct axvcpu_loader *loader,
			const struct axv_vcpu_section *section)
{
	int ret = vcpu->ops->load(vcpu->arch, loader);

	if (!ret)
		apply_section(vcpu, section);
	return ret;
}

static int load(struct axvcpu *vcpu, struct axvcpu_loader *loader, struct axv_vcpu_section *section)
{
	int ret = find_section(vcpu, loader, section);

	return ret ? ret : load_checked(vcpu, loader, section);
}

/* After a load that has failed half-way. Returns whether the vCPU has its former state. */
static bool roll_back(struct axvcpu *vcpu, const struct axvcpu_loader *failed, int ret)
{
	struct axvcpu_loader loader;
	struct axv_vcpu_section section;
	char message[256];
	bool done;

	axv_error_keep(message);
	if (!axv_loader_begin_backup(&loader, failed, vcpu->ops->name)) {
		done = !load(vcpu, &loader, &section);
		free(loader.memory);
		if (done)
			return true;
	}
	axvcpu_fail(vcpu->vm, ret, "%s; the vCPU is Invalid", message);
	return false;
}

/* Loads inside an operation. Returns the state of the vCPU after it in '*to'. */
static int load_or_roll_back(struct axvcpu *vcpu, struct axvcpu_loader *loader,
			     struct axv_prepared *prepared, enum axvcpu_state *to)
{
	struct axv_vcpu_section section = { .id = 0 };
	int ret;

	if (loader->prepared)
		ret = load_checked(vcpu, loader, &prepared->section);
	else
		ret = load(vcpu, loader, &section);
	if (ret && loader->begun && !roll_back(vcpu, loader, ret))
		*to = AXVCPU_INVALID;
	/* The backend may have completed an open exit before it failed. Best effort. */
	if (ret && !loader->begun)
		axv_vcpu_flush(vcpu);
	/* The first load: later ones find it. */
	if (!ret && prepared && !prepared->memory) {
		prepared->section = section;
		prepared->memory = loader->memory;
		loader->memory = NULL;
	}
	free(loader->memory);
	free(loader->backup);
	return ret;
}

int axv_vcpu_load(struct axvcpu *vcpu, const void *state, size_t size,
		  const struct axvcpu_load_config *config, struct axv_prepared *prepared)
{
	enum axvcpu_state to;
	struct axvcpu_loader loader;
	struct axv_op op;
	/* A backend without `save` cannot roll back. */
	int ret = check_op(vcpu, HAS_OP(vcpu->ops, load) && HAS_OP(vcpu->ops, save), "load");

	if (ret)
		return ret;
	if (prepared && prepared->memory)
		axv_loader_begin_prepared(&loader, vcpu, vcpu->vm, prepared, config);
	else
		ret = axv_loader_begin(&loader, vcpu, vcpu->vm, vcpu->ops->name, state, size,
				       config);
	if (ret)
		return ret;
	ret = axv_op_begin(vcpu, IN_REGS, "load", &op);
	if (ret)
		return ret;
	to = op.from;
	if (!(config->flags & AXVCPU_LOAD_NO_ROLLBACK))
		loader.save = save_present;
	ret = load_or_roll_back(vcpu, &loader, prepared, &to);
	axv_op_end(vcpu, &op, to);
	/* The owner may sleep, and the new state may let it run. */
	if (!ret)
		axvcpu_wake(vcpu);
	return ret;
}

int axv_vcpu_check_load(struct axvcpu *vcpu, const void *state, size_t size,
			const struct axvcpu_load_config *config)
{
	struct axvcpu_loader loader;
	struct axv_vcpu_section section;
	struct axv_op op;
	int ret = axv_loader_begin(&loader, vcpu, vcpu->vm, vcpu->ops->name, state, size, config);

	if (!ret)
		ret = axv_op_begin(vcpu, IN_REGS, "load", &op);
	if (ret)
		return ret;
	loader.check_only = true;
	ret = load(vcpu, &loader, &section);
	free(loader.memory);
	/* The backend has completed an open exit. Best effort. */
	axv_vcpu_flush(vcpu);
	axv_op_end(vcpu, &op, op.from);
	return loader.checked ? 0 : ret;
}

int axvcpu_load(struct axvcpu *vcpu, const void *state, size_t size,
		const struct axvcpu_load_config *given)
{
	struct axvcpu_load_config config;
	int ret = axv_vm_check_process(vcpu->vm);

	if (!ret)
		ret = axv_load_config(vcpu->vm, given, &config);
	return ret ? ret : axv_vcpu_load(vcpu, state, size, &config, NULL);
}
