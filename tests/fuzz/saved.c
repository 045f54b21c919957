/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The reader of saved states. The input is a state, which is also loaded into a VM and a vCPU whose
 * backend copies the sections that it finds.
 */
#include <errno.h>
#include <string.h>

#include "fuzz.h"

/* --- a backend that has a section of each kind --------------------------------------------------- */

#define FIXED 64
#define VARIABLE_MAX 1024

static unsigned char fixed[FIXED];
static unsigned char variable[VARIABLE_MAX];
static size_t variable_len = 16;

static int vcpu_new(void *vm, const struct axvcpu_config *config, void **vcpu)
{
	(void)vm;
	(void)config;
	*vcpu = fixed;
	return 0;
}

static void vcpu_free(void *vcpu)
{
	(void)vcpu;
}

static int set_address(void *vcpu, uint64_t value)
{
	(void)vcpu;
	(void)value;
	return 0;
}

static int setup(void *vcpu, const struct axvcpu_setup_config *config)
{
	(void)vcpu;
	(void)config;
	return 0;
}

static int run(void *vcpu, struct axvcpu_exit *exit)
{
	(void)vcpu;
	exit->kind = AXVCPU_EXIT_HALT;
	return 0;
}

static int get_reg(void *vcpu, uint64_t id, uint64_t *value)
{
	(void)vcpu;
	(void)id;
	*value = 0;
	return 0;
}

static int set_reg(void *vcpu, uint64_t id, uint64_t value)
{
	(void)vcpu;
	(void)id;
	(void)value;
	return 0;
}

static int get_regs(void *vcpu, struct axvcpu_regs *regs)
{
	(void)vcpu;
	memset(regs, 0, sizeof(*regs));
	return 0;
}

static int set_regs(void *vcpu, const struct axvcpu_regs *regs)
{
	(void)vcpu;
	(void)regs;
	return 0;
}

static int save(void *vcpu, struct axvcpu_saver *saver)
{
	int ret = axvcpu_save_section(saver, "fixed", 1, 0, fixed, sizeof(fixed));

	(void)vcpu;
	return ret ? ret : axvcpu_save_section(saver, "variable", 2, 0, variable, variable_len);
}

static int load(void *vcpu, struct axvcpu_loader *loader)
{
	struct axvcpu_saved_section a, b;
	int ret = axvcpu_load_section(loader, "fixed", 1, FIXED, FIXED, &a);

	(void)vcpu;
	if (ret <= 0)
		return ret ? ret : -EINVAL;
	ret = axvcpu_load_section(loader, "variable", 2, 0, VARIABLE_MAX, &b);
	if (ret < 0)
		return ret;
	ret = axvcpu_load_begin(loader);
	if (ret)
		return ret;
	memcpy(fixed, a.data, a.len);
	if (fixed[0] == 0xff) {
		ret = axvcpu_load_refused(loader, "fixed", fixed[1], -EINVAL, "%d", fixed[1]);
		fixed[0] = 0;
		if (ret)
			return ret;
	}
	variable_len = b.len;
	if (b.len)
		memcpy(variable, b.data, b.len);
	return 0;
}

static const struct axvcpu_arch_ops ops = {
	.size = sizeof(ops),
	.name = "fuzz",
	.vcpu_new = vcpu_new,
	.vcpu_free = vcpu_free,
	.set_entry = set_address,
	.set_ept_root = set_address,
	.setup = setup,
	.run = run,
	.get_reg = get_reg,
	.set_reg = set_reg,
	.get_regs = get_regs,
	.set_regs = set_regs,
	.set_return_value = set_address,
	.save = save,
	.load = load,
	.vm_save = save,
	.vm_load = load,
};

/* --- the target ---------------------------------------------------------------------------------- */

static struct axvm *vm;
static struct axvcpu *vcpu;
static unsigned char state[0x4000];

/* Objects that live as long as the process. */
static void create(void)
{
	const struct axvcpu_setup_config setup_config = AXVCPU_SETUP_CONFIG_INIT;
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.arch = &ops;
	ck_assert_msg(!axvm_new(&config, &vm), "%s", axvcpu_last_error());
	ck_assert_msg(!axvcpu_new(vm, NULL, &vcpu), "%s", axvcpu_last_error());
	ck_assert_msg(!axvcpu_setup(vcpu, 0, 0, &setup_config), "%s", axvcpu_last_error());
}

/* Returns the size of the state in 'state'. */
static size_t save_again(void)
{
	int len = axvcpu_save(vcpu, state, sizeof(state));

	ck_assert(len > 0 && len <= (int)sizeof(state));
	ck_assert_int_gt(axvcpu_saved_check(state, (size_t)len, NULL), 0);
	return (size_t)len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct axvcpu_saved_section section;
	char arch[AXVCPU_SAVED_NAME];
	int sections = axvcpu_saved_check(data, size, arch);
	/* So that the compiler keeps the reads. */
	static volatile unsigned char sum;

	if (!vm)
		create();
	/* As the state of a VM. */
	if (!axvm_load(vm, data, size, NULL))
		ck_assert_int_gt(axvm_save(vm, NULL, 0), 0);
	for (unsigned int n = 0; !axvcpu_saved_get_section(data, size, n, &section); n++)
		for (size_t i = 0; i < section.len; i++)
			sum = ((const unsigned char *)section.data)[i];
	(void)sum;
	if (!axvcpu_load(vcpu, data, size, NULL)) {
		ck_assert_int_ge(sections, 0);
		/* What was loaded can be saved. */
		save_again();
	}
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_FREE);
	return 0;
}

void fuzz_seeds(void)
{
	size_t len;

	create();
	fuzz_seed("state", state, save_again());
	fuzz_seed("vm", state, (size_t)axvm_save(vm, state, sizeof(state)));
	/* One that the backend refuses. */
	fixed[0] = 0xff;
	fixed[1] = 7;
	fuzz_seed("refused", state, save_again());
	fixed[0] = 0;
	variable_len = 0;
	len = save_again();
	fuzz_seed("empty", state, len);
	fuzz_seed("truncated", state, len - 1);
}
