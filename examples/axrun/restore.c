/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "restore.h"

#include <errno.h>

#include "generation.h"
#include "message.h"
#include "saved.h"
#include "signals.h"

struct restore {
	struct run *run;
	struct options *options;
	const struct platform *platform;
};

static int place_vcpu(void *ctx, struct axvcpu_config *config)
{
	const struct restore *restore = ctx;

	return machine_place_vcpu(config, restore->options) ? -EINVAL : 0;
}

static int add_devices(void *ctx, struct axvm *vm)
{
	const struct restore *restore = ctx;
	struct machine *machine = &restore->run->machine;

	if (machine_adopt(machine, vm))
		return -EINVAL;
	restore->options->kernel = machine_is_linux(machine, restore->platform);
	return run_prepare(restore->run, restore->options, restore->platform) ? -EINVAL : 0;
}

/* A reset of --repeat does not change the generation: all rounds are equal. */
static int reseed(void *ctx, struct axvm *vm)
{
	const struct restore *restore = ctx;

	restore->run->checkpoint.restored++;
	if (!restore->options->kernel)
		return 0;
	return generation_renew(vm, restore->platform) ? -EIO : 0;
}

/* The memory stays in the file, and pages are copied as the guest writes to them. */
static int make_clone(struct restore *restore, const struct axvm_checkpoint *checkpoint)
{
	struct axvm_checkpoint_info info = AXVM_CHECKPOINT_INFO_INIT;
	struct axvm_clone_config config = AXVM_CLONE_CONFIG_INIT;
	struct axvcpu_hal hal = AXVCPU_HAL_INIT;
	struct axvm *vm;

	hal.log = log_hook;
	config.hal = &hal;
	config.kick_signal = signals_kick_signal();
	config.ctx = restore;
	config.vcpu_config = place_vcpu;
	config.add_devices = add_devices;
	config.reseed = reseed;
	if (axvm_checkpoint_get_info(checkpoint, &info))
		return -1;
	restore->options->cpus = info.vcpus;
	return axvm_checkpoint_clone(checkpoint, &config, &vm);
}

int restore_machine(struct run *run, struct options *options, const struct platform *platform)
{
	struct restore restore = { run, options, platform };
	struct axvm_checkpoint *checkpoint = saved_read("--restore", options->restore_path);
	int err;

	if (!checkpoint)
		return -1;
	run->checkpoint.from_file = true;
	err = make_clone(&restore, checkpoint);
	run->checkpoint.from_file = false;
	if (err) {
		err = fail("--restore %s: %s", options->restore_path, axvcpu_last_error());
		/* The VM is gone, with its vCPUs. */
		run->machine = (struct machine){ 0 };
	}
	axvm_checkpoint_free(checkpoint);
	return err;
}
