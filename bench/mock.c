/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "mock.h"

static int mock_vcpu_new(void *vm, const struct axvcpu_config *config, void **vcpu)
{
	(void)vm;
	(void)config;
	*vcpu = NULL;
	return 0;
}

static void mock_vcpu_free(void *vcpu)
{
	(void)vcpu;
}

static int mock_set(void *vcpu, uint64_t value)
{
	(void)vcpu;
	(void)value;
	return 0;
}

static int mock_setup(void *vcpu, const struct axvcpu_setup_config *config)
{
	(void)vcpu;
	(void)config;
	return 0;
}

static int mock_run(void *vcpu, struct axvcpu_exit *exit)
{
	(void)vcpu;
	exit->kind = AXVCPU_EXIT_HALT;
	exit->answerable = 0;
	exit->raw_reason = 0;
	exit->raw_code = 0;
	return 0;
}

static int mock_get_reg(void *vcpu, uint64_t id, uint64_t *value)
{
	(void)vcpu;
	*value = id;
	return 0;
}

static int mock_set_reg(void *vcpu, uint64_t id, uint64_t value)
{
	(void)vcpu;
	(void)id;
	(void)value;
	return 0;
}

static int mock_get_regs(void *vcpu, struct axvcpu_regs *regs)
{
	(void)vcpu;
	(void)regs;
	return 0;
}

static int mock_set_regs(void *vcpu, const struct axvcpu_regs *regs)
{
	(void)vcpu;
	(void)regs;
	return 0;
}

const struct axvcpu_arch_ops mock_ops = {
	.size = sizeof(struct axvcpu_arch_ops),
	.name = "mock",
	.vcpu_new = mock_vcpu_new,
	.vcpu_free = mock_vcpu_free,
	.set_entry = mock_set,
	.set_ept_root = mock_set,
	.setup = mock_setup,
	.run = mock_run,
	.get_reg = mock_get_reg,
	.set_reg = mock_set_reg,
	.get_regs = mock_get_regs,
	.set_regs = mock_set_regs,
	.set_return_value = mock_set,
};
