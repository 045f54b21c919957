/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Registers: checks the state and completes an open exit, then calls the backend. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "axvcpu/regs.h"
#include "lib/base/sized.h"
#include "lib/machine/object.h"
#include "lib/vcpu/vcpu.h"

int axvcpu_get_reg(struct axvcpu *vcpu, uint64_t id, uint64_t *value)
{
	struct axv_op op;
	int ret = axv_op_begin(vcpu, IN_REGS, "get_reg", &op);

	if (ret)
		return ret;
	ret = vcpu->ops->get_reg(vcpu->arch, id, value);
	axv_op_end(vcpu, &op, op.from);
	return axv_vm_reg_result(vcpu->vm, ret, "get_reg", id);
}

static int set_reg(struct axvcpu *vcpu, uint64_t id, uint64_t value, const char *what)
{
	struct axv_op op;
	int ret = axv_op_begin(vcpu, IN_REGS, what, &op);

	if (ret)
		return ret;
	ret = axv_vcpu_flush(vcpu);
	if (!ret)
		ret = vcpu->ops->set_reg(vcpu->arch, id, value);
	axv_op_end(vcpu, &op, op.from);
	return axv_vm_reg_result(vcpu->vm, ret, what, id);
}

int axvcpu_set_reg(struct axvcpu *vcpu, uint64_t id, uint64_t value)
{
	return set_reg(vcpu, id, value, "set_reg");
}

int axvcpu_set_gpr(struct axvcpu *vcpu, unsigned int index, uint64_t value)
{
	int ret = axv_vm_check_process(vcpu->vm);

	if (ret)
		return ret;
	/* Ids from 32 are registers of other kinds. */
	if (index >= 32)
		return axv_vm_reg_result(vcpu->vm, -ENOENT, "set_gpr", index);
	return set_reg(vcpu, AXVCPU_REG_GPR(index), value, "set_gpr");
}

int axvcpu_get_regs(struct axvcpu *vcpu, struct axvcpu_regs *regs)
{
	struct axv_op op;
	int ret = axv_op_begin(vcpu, IN_REGS, "get_regs", &op);

	if (ret)
		return ret;
	ret = vcpu->ops->get_regs(vcpu->arch, regs);
	axv_op_end(vcpu, &op, op.from);
	return ret;
}

int axvcpu_set_regs(struct axvcpu *vcpu, const struct axvcpu_regs *regs)
{
	struct axv_op op;
	int ret = axv_op_begin(vcpu, IN_REGS, "set_regs", &op);

	if (ret)
		return ret;
	ret = axv_vcpu_flush(vcpu);
	if (!ret)
		ret = vcpu->ops->set_regs(vcpu->arch, regs);
	axv_op_end(vcpu, &op, op.from);
	return ret;
}

/* --- of any size ------------------------------------------------------------------------------ */

/* Whether get_reg and set_reg of the ops table have the register. */
static bool is_value(uint64_t id)
{
	return !(id >> 56) && axvcpu_reg_size(id) == sizeof(uint64_t);
}

static int check_bytes(struct axvcpu *vcpu, bool has_op, const char *what, uint64_t id, size_t len)
{
	size_t size = axvcpu_reg_size(id);
	int ret = axv_vm_check_process(vcpu->vm);

	if (ret)
		return ret;
	if (!has_op && !is_value(id))
		return axv_vm_not_supported(vcpu->vm, what);
	if (!size)
		return axv_vm_reg_result(vcpu->vm, -ENOENT, what, id);
	if (len != size)
		return axvcpu_fail(vcpu->vm, -EINVAL,
				   "%s: vCPU %" PRIu32 ": register %#" PRIx64
				   " has %zu bytes, not %zu",
				   what, vcpu->id, id, size, len);
	return 0;
}

static int get_value(struct axvcpu *vcpu, uint64_t id, void *buf)
{
	uint64_t value;
	int ret = vcpu->ops->get_reg(vcpu->arch, id, &value);

	if (!ret)
		memcpy(buf, &value, sizeof(value));
	return ret;
}

int axvcpu_get_reg_bytes(struct axvcpu *vcpu, uint64_t id, void *buf, size_t len)
{
	struct axv_op op;
	int ret = check_bytes(vcpu, HAS_OP(vcpu->ops, get_reg_bytes), "get_reg_bytes", id, len);

	if (ret)
		return ret;
	ret = axv_op_begin(vcpu, IN_REGS, "get_reg_bytes", &op);
	if (ret)
		return ret;
	if (is_value(id))
		ret = get_value(vcpu, id, buf);
	else
		ret = vcpu->ops->get_reg_bytes(vcpu->arch, id, buf, len);
	axv_op_end(vcpu, &op, op.from);
	return axv_vm_reg_result(vcpu->vm, ret, "get_reg_bytes", id);
}

static int set_value(struct axvcpu *vcpu, uint64_t id, const void *buf)
{
	uint64_t value;

	memcpy(&value, buf, sizeof(value));
	return vcpu->ops->set_reg(vcpu->arch, id, value);
}

int axvcpu_set_reg_bytes(struct axvcpu *vcpu, uint64_t id, const void *buf, size_t len)
{
	struct axv_op op;
	int ret = check_bytes(vcpu, HAS_OP(vcpu->ops, set_reg_bytes), "set_reg_bytes", id, len);

	if (ret)
		return ret;
	ret = axv_op_begin(vcpu, IN_REGS, "set_reg_bytes", &op);
	if (ret)
		return ret;
	ret = axv_vcpu_flush(vcpu);
	if (!ret && is_value(id))
		ret = set_value(vcpu, id, buf);
	else if (!ret)
		ret = vcpu->ops->set_reg_bytes(vcpu->arch, id, buf, len);
	axv_op_end(vcpu, &op, op.from);
	return axv_vm_reg_result(vcpu->vm, ret, "set_reg_bytes", id);
}

int axvcpu_reg_list(struct axvcpu *vcpu, uint64_t *ids, size_t count)
{
	struct axv_op op;
	int ret = axv_vm_check_process(vcpu->vm);

	if (ret)
		return ret;
	if (!HAS_OP(vcpu->ops, reg_list))
		return axv_vm_not_supported(vcpu->vm, "reg_list");
	ret = axv_op_begin(vcpu, IN_REGS, "reg_list", &op);
	if (ret)
		return ret;
	ret = vcpu->ops->reg_list(vcpu->arch, ids, count);
	axv_op_end(vcpu, &op, op.from);
	return ret;
}

/* --- entry and return value ------------------------------------------------------------------- */

int axvcpu_set_entry(struct axvcpu *vcpu, uint64_t entry)
{
	struct axv_op op;
	int ret = axv_op_begin(vcpu, IN_REGS, "set_entry", &op);

	if (ret)
		return ret;
	ret = axv_vcpu_flush(vcpu);
	if (!ret)
		ret = vcpu->ops->set_entry(vcpu->arch, entry);
	axv_op_end(vcpu, &op, op.from);
	return ret;
}

int axvcpu_set_return_value(struct axvcpu *vcpu, uint64_t value)
{
	const struct axvcpu_answer answer = { .kind = AXVCPU_ANSWER_VALUE, .u.value = value };
	struct axv_op op;
	int ret = axv_op_begin(vcpu, IN_REGS, "set_return_value", &op);

	if (ret)
		return ret;
	if (vcpu->open_exit_kind == AXVCPU_EXIT_HYPERCALL && HAS_OP(vcpu->ops, complete)) {
		ret = vcpu->ops->complete(vcpu->arch, &answer);
		if (!ret)
			vcpu->open_exit_kind = AXVCPU_EXIT_NOTHING;
	} else {
		ret = axv_vcpu_flush(vcpu);
		if (!ret)
			ret = vcpu->ops->set_return_value(vcpu->arch, value);
	}
	axv_op_end(vcpu, &op, op.from);
	return ret;
}

int axvcpu_reg_info(const struct axvcpu *vcpu, unsigned int n, uint64_t *id, const char **name)
{
	uint64_t the_id;
	const char *the_name;
	int ret = axv_vm_check_process(vcpu->vm);

	if (ret)
		return ret;
	if (!HAS_OP(vcpu->ops, reg_info))
		return axv_vm_not_supported(vcpu->vm, "reg_info");
	/* No message at the end of the list: callers count up to it. */
	ret = vcpu->ops->reg_info(n, &the_id, &the_name);
	if (ret)
		return ret;
	if (id)
		*id = the_id;
	if (name)
		*name = the_name;
	return 0;
}

/* --- the mode --------------------------------------------------------------------------------- */

int axvcpu_get_cpu_mode(struct axvcpu *vcpu, struct axvcpu_cpu_mode *mode)
{
	struct axvcpu_cpu_mode whole = AXVCPU_CPU_MODE_INIT;
	struct axv_op op;
	int ret = axv_vm_check_process(vcpu->vm);

	if (ret)
		return ret;
	if (!HAS_OP(vcpu->ops, get_cpu_mode))
		return axv_vm_not_supported(vcpu->vm, "get_cpu_mode");
	ret = axv_sized_check(vcpu->vm, "get_cpu_mode", mode);
	if (ret)
		return ret;
	ret = axv_op_begin(vcpu, IN_REGS, "get_cpu_mode", &op);
	if (ret)
		return ret;
	ret = vcpu->ops->get_cpu_mode(vcpu->arch, &whole);
	axv_op_end(vcpu, &op, op.from);
	if (!ret)
		axv_sized_give(mode, &whole);
	return ret;
}
