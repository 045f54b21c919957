/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Registers by KVM ids: KVM_GET_ONE_REG, KVM_SET_ONE_REG, KVM_GET_REG_LIST. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "backends/kvm/kvm.h"

int axk_get_one_reg(struct axk_vcpu *vcpu, uint64_t id, void *value)
{
	const struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)value };
	int ret = axk_ioctl(vcpu->fd, KVM_GET_ONE_REG, &reg);

	if (ret == -ENOENT)
		return ret;
	return axk_vcpu_result(vcpu, ret, "KVM_GET_ONE_REG");
}

int axk_set_one_reg(struct axk_vcpu *vcpu, uint64_t id, const void *value)
{
	const struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)value };
	int ret = axk_ioctl(vcpu->fd, KVM_SET_ONE_REG, &reg);

	if (ret == -ENOENT)
		return ret;
	return axk_vcpu_result(vcpu, ret, "KVM_SET_ONE_REG");
}

/* --- any size --------------------------------------------------------------------------------- */

int axk_get_reg_bytes(void *arch_vcpu, uint64_t id, void *buf, size_t len)
{
	(void)len;
	/* An id of this library: none of another architecture exists here. */
	if (!(id >> 56))
		return -ENOENT;
	return axk_get_one_reg(arch_vcpu, id, buf);
}

int axk_set_reg_bytes(void *arch_vcpu, uint64_t id, const void *buf, size_t len)
{
	(void)len;
	if (!(id >> 56))
		return -ENOENT;
	return axk_set_one_reg(arch_vcpu, id, buf);
}

/* --- the list ----------------------------------------------------------------------------------- */

/* Bounds the allocation for the number that KVM reports; no architecture has half as many. */
#define REGS_MAX 65536u

static int count_regs(struct axk_vcpu *vcpu)
{
	struct kvm_reg_list none = { .n = 0 };
	int ret = axk_ioctl(vcpu->fd, KVM_GET_REG_LIST, &none);

	/* E2BIG is the expected result: it sets n. */
	if (ret != -E2BIG && ret < 0)
		return axk_vcpu_result(vcpu, ret, "KVM_GET_REG_LIST");
	if (none.n > REGS_MAX)
		return axk_vcpu_result(vcpu, -EIO,
				       "KVM_GET_REG_LIST: KVM reports more than 65536 registers");
	return (int)none.n;
}

int axk_reg_list(void *arch_vcpu, uint64_t *ids, size_t count)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	struct kvm_reg_list *list;
	int n = count_regs(vcpu);
	int ret;

	if (n <= 0 || !count)
		return n;
	list = axv_sys_calloc(1, sizeof(*list) + (size_t)n * sizeof(list->reg[0]));
	if (!list)
		return axvcpu_fail(vcpu->vm->vm, -ENOMEM,
				   "reg_list: vCPU %" PRIu32 ": allocating the list", vcpu->id);
	list->n = (unsigned int)n;
	ret = axk_vcpu_ioctl(vcpu, KVM_GET_REG_LIST, list);
	for (size_t i = 0; !ret && i < count && i < (size_t)n; i++)
		ids[i] = list->reg[i];
	free(list);
	return ret < 0 ? ret : n;
}
