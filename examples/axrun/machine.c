/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "machine.h"

#include <string.h>

#include "message.h"

static int make_vm(struct machine *machine)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvcpu_hal hal = AXVCPU_HAL_INIT;

	hal.log = log_hook;
	config.hal = &hal;
	if (axvm_new(&config, &machine->vm))
		return fail("cannot create the VM: %s", axvcpu_last_error());
	return 0;
}

static int map(struct machine *machine, const struct guest_range *range, uint32_t flags)
{
	struct axvm_region region = AXVM_REGION_INIT;

	region.gpa = range->gpa;
	region.len = range->size;
	region.flags = flags;
	if (axvm_map(machine->vm, &region))
		return fail("cannot give the guest its memory: %s", axvcpu_last_error());
	return 0;
}

static int map_memory(struct machine *machine, const struct layout *layout)
{
	uint32_t i;

	for (i = 0; i < layout->nranges; i++)
		if (map(machine, &layout->ram[i], 0))
			return -1;
	return layout->firmware.size ? map(machine, &layout->firmware, AXVM_MEM_READONLY) : 0;
}

static int write_image(struct machine *machine, const struct image *image)
{
	size_t i;

	/* The rest of each segment is zero already: this is fresh memory. */
	for (i = 0; i < image->nsegments; i++) {
		const struct image_segment *segment = &image->segments[i];

		if (axvm_write(machine->vm, segment->gpa, segment->data, segment->filesz))
			return fail("cannot load the image: %s", axvcpu_last_error());
	}
	return 0;
}

static int write_boot_page(struct machine *machine, const struct options *options,
			   const struct platform *platform, const struct layout *layout)
{
	struct guest_boot boot = {
		.magic = GUEST_BOOT_MAGIC,
		.version = GUEST_BOOT_VERSION,
		.size = sizeof(boot),
		.args_offset = sizeof(boot),
		.args_len = (uint32_t)strlen(options->args),
		.nranges = layout->nranges,
		.test_gpa = platform->test_gpa,
		.boot = layout->boot,
	};

	memcpy(boot.memory, layout->ram, sizeof(boot.memory));
	if (axvm_write(machine->vm, layout->page_gpa, &boot, sizeof(boot)) ||
	    axvm_write(machine->vm, layout->page_gpa + sizeof(boot), options->args,
		       boot.args_len + 1))
		return fail("cannot write the boot page: %s", axvcpu_last_error());
	return 0;
}

static int make_vcpu(struct machine *machine, const struct options *options,
		     const struct image *image, const struct layout *layout)
{
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;
	struct axvcpu_setup_config setup = AXVCPU_SETUP_INIT;

	config.cpu_set = options->cpu_set;
	config.cpu_set_size = options->cpu_set_size;
	if (axvcpu_new(machine->vm, &config, &machine->vcpu))
		return fail("cannot create the vCPU: %s", axvcpu_last_error());
	setup.mode = image->mode;
	if (image->mode != AXVCPU_MODE_RAW) {
		setup.arg = layout->page_gpa;
		setup.stack = layout->stack_top;
	}
	if (layout->tables.size) {
		setup.boot_gpa = layout->tables.gpa;
		setup.boot_size = layout->tables.size;
	}
	if (axvcpu_setup(machine->vcpu, image->entry, 0, &setup))
		return fail("cannot set the vCPU up: %s", axvcpu_last_error());
	return 0;
}

int machine_make(struct machine *machine, const struct options *options,
		 const struct platform *platform, const struct image *image,
		 const struct layout *layout)
{
	*machine = (struct machine){ 0 };
	if (make_vm(machine) || map_memory(machine, layout) || write_image(machine, image) ||
	    write_boot_page(machine, options, platform, layout))
		return -1;
	return make_vcpu(machine, options, image, layout);
}

void machine_free(struct machine *machine)
{
	axvcpu_free(machine->vcpu);
	axvm_free(machine->vm);
	*machine = (struct machine){ 0 };
}
