/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Saving and loading the registers of KVM_GET_ONE_REG. The section has a record for each: its KVM
 * id, and its value, padded with zeros to a multiple of 8 bytes.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backends/kvm/state.h"

#define REGS "regs"
/* The largest register, and the largest number of them. */
#define VALUE_MAX 256u
#define REGS_MAX 65536u
#define ID_SIZE sizeof(uint64_t)

/* The size of a register in the section; 0 for an id that has none. */
static size_t padded_size(uint64_t id)
{
	return (axvcpu_reg_size(id) + 7) & ~(size_t)7;
}

/* --- saving ----------------------------------------------------------------------------------- */

/* Lists the ids, in an array that the caller must free. Returns their number. */
static int list(const struct axk_state_regs *arch, struct axk_vcpu *vcpu, uint64_t **out)
{
	int n = axk_reg_list(vcpu, NULL, 0), ret;
	/* EINVAL: this KVM has no list. */
	const bool listed = n != -EINVAL || !arch->list;
	uint64_t *ids;

	if (!listed)
		n = arch->list(vcpu, NULL, 0);
	if (n < 0)
		return n;
	ids = axv_sys_calloc((size_t)n + arch->nunlisted, sizeof(*ids));
	if (!ids)
		return axvcpu_fail(vcpu->vm->vm, -ENOMEM,
				   "save: vCPU %" PRIu32 ": allocating the list of registers",
				   vcpu->id);
	ret = listed ? axk_reg_list(vcpu, ids, (size_t)n) : arch->list(vcpu, ids, (size_t)n);
	if (ret < 0) {
		free(ids);
		return ret;
	}
	if (ret < n)
		n = ret;
	*out = ids;
	for (unsigned int i = 0; i < arch->nunlisted; i++) {
		int at = 0;

		while (at < n && ids[at] != arch->unlisted[i])
			at++;
		if (at == n)
			ids[n++] = arch->unlisted[i];
	}
	return n;
}

/* Appends the record of a register, which KVM may lack, at *used. */
static int append(const struct axk_state_regs *arch, struct axk_vcpu *vcpu, uint64_t id,
		  unsigned char *records, size_t *used)
{
	int ret;

	if (arch->order(id) == AXK_STATE_OMIT)
		return 0;
	ret = axk_get_one_reg(vcpu, id, records + *used + ID_SIZE);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	memcpy(records + *used, &id, ID_SIZE);
	*used += ID_SIZE + padded_size(id);
	return 0;
}

int axk_save_regs(const struct axk_state_regs *arch, struct axk_vcpu *vcpu,
		  struct axvcpu_saver *saver)
{
	unsigned char *records = NULL;
	uint64_t *ids = NULL;
	size_t size = 0, used = 0;
	int n = list(arch, vcpu, &ids), ret = 0;

	if (n < 0)
		return n;
	for (int i = 0; i < n; i++)
		size += ID_SIZE + padded_size(ids[i]);
	records = axv_sys_calloc(1, size);
	if (!records)
		ret = axvcpu_fail(vcpu->vm->vm, -ENOMEM,
				  "save: vCPU %" PRIu32 ": allocating %zu bytes for registers",
				  vcpu->id, size);
	for (int i = 0; !ret && i < n; i++)
		if (padded_size(ids[i]))
			ret = append(arch, vcpu, ids[i], records, &used);
	if (!ret)
		ret = axvcpu_save_section(saver, REGS, 1, 0, records, used);
	free(records);
	free(ids);
	return ret;
}

/* --- loading ---------------------------------------------------------------------------------- */

int axk_set_reg_quietly(struct axk_vcpu *vcpu, uint64_t id, const void *value)
{
	const struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)value };

	return axk_ioctl(vcpu->fd, KVM_SET_ONE_REG, &reg);
}

/* The smallest record. */
#define RECORD_MIN (ID_SIZE + sizeof(uint64_t))

/*
 * Reads the record at *offset and moves the offset behind it. Returns 1; 0 at the end; -EINVAL, for
 * which the caller leaves a message.
 */
static int next_record(const struct axvcpu_saved_section *section, size_t *offset,
		       struct axk_saved_reg *reg)
{
	const unsigned char *data = section->data;
	size_t left = section->len - *offset, size;

	if (!left)
		return 0;
	if (left < ID_SIZE)
		return -EINVAL;
	memcpy(&reg->id, data + *offset, ID_SIZE);
	size = padded_size(reg->id);
	if (!size || size > VALUE_MAX || size > left - ID_SIZE)
		return -EINVAL;
	reg->value = data + *offset + ID_SIZE;
	*offset += ID_SIZE + size;
	return 1;
}

static int find(const struct axk_state_regs *arch, const struct axk_vcpu *vcpu,
		struct axvcpu_loader *loader, struct axvcpu_saved_section *section)
{
	struct axk_saved_reg reg;
	size_t offset = 0;
	int ret = axvcpu_load_section(loader, REGS, 1, ID_SIZE, REGS_MAX * RECORD_MIN, section);

	if (ret < 0)
		return ret;
	if (!ret)
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "load: vCPU %" PRIu32 ": the state has no section " REGS,
				   vcpu->id);
	while ((ret = next_record(section, &offset, &reg)) > 0)
		/* The upper byte of KVM ids is the architecture; ids of this library have none. */
		if (reg.id >> 56 != arch->arch >> 56 || arch->order(reg.id) == AXK_STATE_OMIT) {
			ret = -EINVAL;
			break;
		}
	if (!ret)
		return 0;
	return axvcpu_fail(vcpu->vm->vm, -EINVAL,
			   "load: vCPU %" PRIu32 ": section " REGS
			   ": no valid register before byte %zu",
			   vcpu->id, offset);
}

/* Whether KVM reports by this errno that it does not take the register or the value. */
static bool is_refusal(int ret)
{
	switch (ret) {
	case -ENOENT:
	case -EINVAL:
	case -EPERM:
	case -EBUSY:
	case -EOPNOTSUPP:
		return true;
	default:
		return false;
	}
}

static int refused(const struct axk_vcpu *vcpu, struct axvcpu_loader *loader, uint64_t id, int ret,
		   const char *why)
{
	return axvcpu_load_refused(loader, REGS, id, ret,
				   "vCPU %" PRIu32 ": register %#" PRIx64 ": %s", vcpu->id, id,
				   why);
}

#define LACKING "this host, or the vCPU as it was set up, lacks it"
#define WRONG_VALUE "KVM refuses the value"

/* Whether KVM takes the value of a fixed register: writes it, and the present one again. */
static int try_reg(const struct axk_state_regs *arch, struct axk_vcpu *vcpu,
		   struct axvcpu_loader *loader, const struct axk_saved_reg *reg,
		   const unsigned char *present)
{
	int ret = arch->load(vcpu, reg->id, reg->value);

	if (is_refusal(ret))
		return refused(vcpu, loader, reg->id, ret, WRONG_VALUE);
	if (!ret)
		ret = arch->load(vcpu, reg->id, present);
	return ret ? axk_vcpu_result(vcpu, ret, "KVM_SET_ONE_REG") : 1;
}

/*
 * Whether the vCPU can have the register, before any has changed. Returns 1; 0: the caller of the
 * load does without it; or a negative errno.
 */
static int check_reg(const struct axk_state_regs *arch, struct axk_vcpu *vcpu,
		     struct axvcpu_loader *loader, const struct axk_saved_reg *reg)
{
	unsigned char present[VALUE_MAX];
	const struct kvm_one_reg get = { .id = reg->id, .addr = (uintptr_t)present };
	int ret = axk_ioctl(vcpu->fd, KVM_GET_ONE_REG, &get);

	if (is_refusal(ret))
		return refused(vcpu, loader, reg->id, ret, LACKING);
	if (ret)
		return axk_vcpu_result(vcpu, ret, "KVM_GET_ONE_REG");
	if (reg->order != AXK_STATE_FIXED || !memcmp(present, reg->value, axvcpu_reg_size(reg->id)))
		return 1;
	return try_reg(arch, vcpu, loader, reg, present);
}

int axk_prepare_regs(const struct axk_state_regs *arch, struct axk_vcpu *vcpu,
		     struct axvcpu_loader *loader, size_t size, void **prepared)
{
	struct axvcpu_saved_section section;
	struct axk_saved_reg *regs, reg;
	size_t count = 0;
	void *memory;
	int ret = find(arch, vcpu, loader, &section);

	if (ret)
		return ret;
	size = (size + 7) & ~(size_t)7;
	memory = axvcpu_load_alloc(loader, size + section.len / RECORD_MIN * sizeof(*regs));
	if (!memory)
		return -ENOMEM;
	regs = (void *)((unsigned char *)memory + size);
	for (int order = AXK_STATE_FIXED; order < AXK_STATE_ORDERS; order++)
		for (size_t offset = 0; next_record(&section, &offset, &reg) > 0;) {
			reg.order = arch->order(reg.id);
			reg.part = arch->part(reg.id);
			if ((int)reg.order != order)
				continue;
			ret = check_reg(arch, vcpu, loader, &reg);
			if (ret < 0)
				return ret;
			if (ret)
				regs[count++] = reg;
		}
	*(struct axk_saved_regs *)memory = (struct axk_saved_regs){ .regs = regs, .count = count };
	*prepared = memory;
	return 0;
}

/* Returns 1 if the vCPU has this value already, 0 if not, or a negative errno. */
static int is_equal(struct axk_vcpu *vcpu, uint64_t id, const unsigned char *value)
{
	unsigned char present[VALUE_MAX];
	int ret = axk_get_one_reg(vcpu, id, present);

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	return !memcmp(present, value, axvcpu_reg_size(id));
}

static int load_reg(const struct axk_state_regs *arch, struct axk_vcpu *vcpu,
		    struct axvcpu_loader *loader, const struct axk_saved_reg *reg)
{
	int ret = reg->order == AXK_STATE_FIXED ? is_equal(vcpu, reg->id, reg->value) : 0, equal;

	if (ret)
		return ret < 0 ? ret : 0;
	ret = arch->load(vcpu, reg->id, reg->value);
	if (!ret)
		return 0;
	if (!is_refusal(ret))
		return axk_vcpu_result(vcpu, ret, "KVM_SET_ONE_REG");
	/* Some registers are read-only, and the host has the saved value. */
	equal = is_equal(vcpu, reg->id, reg->value);
	if (equal)
		return equal < 0 ? equal : 0;
	return refused(vcpu, loader, reg->id, ret, ret == -ENOENT ? LACKING : WRONG_VALUE);
}

int axk_load_regs(const struct axk_state_regs *arch, struct axk_vcpu *vcpu,
		  struct axvcpu_loader *loader, const struct axk_saved_regs *regs, uint32_t parts,
		  bool fixed)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < regs->count; i++) {
		const struct axk_saved_reg *reg = &regs->regs[i];

		if (reg->order == AXK_STATE_FIXED ? !fixed : reg->part && !(reg->part & parts))
			continue;
		ret = load_reg(arch, vcpu, loader, reg);
	}
	return ret;
}
