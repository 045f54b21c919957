/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "machine.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <string.h>

#include "../guests/abi.h"
#include "devicetree.h"
#include "generation.h"
#include "memory.h"
#include "message.h"
#include "pc.h"
#include "signals.h"
#include "tree.h"

/* The boot page uses the numbers of the library. */
_Static_assert(GUEST_IRQCHIP_NONE == AXVM_IRQCHIP_NONE, "no irqchip");
_Static_assert(GUEST_IRQCHIP_KERNEL == AXVM_IRQCHIP_KERNEL, "the kernel's irqchip");
_Static_assert(GUEST_IRQCHIP_SPLIT == AXVM_IRQCHIP_SPLIT, "the split irqchip");
/* So do the addresses of the GIC. */
_Static_assert(GUEST_GPA_GICD == AXVM_ARM64_GICD, "the GIC's distributor");
_Static_assert(GUEST_GPA_GICC == AXVM_ARM64_GICC, "the GICv2's CPU interface");
_Static_assert(GUEST_GPA_GICR == AXVM_ARM64_GICR, "the GICv3's redistributors");

/* --- the VM ----------------------------------------------------------------------------------- */

/* Uses the newest GIC version that the host supports. */
static int new_vm_with_gic(struct machine *machine, const struct axvm_config *config)
{
	struct axvm_limits limits = AXVM_LIMITS_INIT;
	int err = axvm_new(config, &machine->vm);

	if (err)
		return err;
	err = axvm_get_limits(machine->vm, &limits);
	machine->gic_version = limits.gic_version;
	return err;
}

static int new_vm_with_aia(struct machine *machine, struct axvm_config *config)
{
	struct axvm_riscv64_config aia = AXVM_RISCV64_CONFIG_INIT;
	int err;

	aia.aplic_gpa = GUEST_GPA_APLIC;
	aia.imsic_gpa = GUEST_GPA_IMSIC;
	aia.sources = DEVICETREE_AIA_SOURCES;
	aia.ids = DEVICETREE_AIA_IDS;
	config->arch_config = &aia;
	err = axvm_new(config, &machine->vm);
	config->arch_config = NULL;
	return err;
}

static int new_vm(struct machine *machine, struct axvm_config *config,
		  enum platform_controller controller)
{
	switch (controller) {
	case CONTROLLER_GIC:
		return new_vm_with_gic(machine, config);
	case CONTROLLER_AIA:
		return new_vm_with_aia(machine, config);
	default:
		return axvm_new(config, &machine->vm);
	}
}

/*
 * Only guest programs call axrun. A kernel's calls go to KVM: random numbers, stolen time and so
 * on.
 */
static void set_forwarded(struct axvm_config *config, const struct platform *platform)
{
	config->forward = platform->forward | platform->forward_if_possible;
	if (config->irqchip == AXVM_IRQCHIP_NONE)
		config->forward |= platform->forward_without_irqchip;
	if (config->forward & AXVM_FORWARD_DOORBELL)
		config->doorbell_port = GUEST_PORT_DOORBELL;
	config->sysregs = platform->sysregs;
	config->nsysregs = platform->nsysregs;
}

/* Returns 0 or the library's errno; axvcpu_last_error() has the message. */
static int try_vm(struct machine *machine, const struct options *options,
		  const struct platform *platform)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvcpu_hal hal = AXVCPU_HAL_INIT;
	enum platform_controller controller = platform_controller(platform, machine->irqchip);
	int err;

	hal.log = log_hook;
	config.hal = &hal;
	config.max_vcpus = options->cpus;
	config.irqchip = machine->irqchip;
	config.kick_signal = signals_kick_signal();
	if (!options->kernel)
		set_forwarded(&config, platform);
	err = new_vm(machine, &config, controller);
	if (err == -ENOTSUP && (config.forward & platform->forward_if_possible)) {
		config.forward &= ~platform->forward_if_possible;
		err = new_vm(machine, &config, controller);
	}
	return err;
}

static int make_vm(struct machine *machine, const struct options *options,
		   const struct platform *platform)
{
	int err;

	machine->irqchip = options->irqchip;
	err = try_vm(machine, options, platform);
	if (err == -ENOTSUP && options->kernel)
		return fail("%s: Linux needs the in-kernel interrupt controllers: %s",
			    options->guest, axvcpu_last_error());
	/*
	 * Most riscv64 hosts have no AIA. The boot page tells guest programs, and they run without
	 * it.
	 */
	if (err == -ENOTSUP && !options->irqchip_given && machine->irqchip != AXVM_IRQCHIP_NONE) {
		machine->irqchip = AXVM_IRQCHIP_NONE;
		err = try_vm(machine, options, platform);
	}
	if (err)
		return fail("cannot create the VM: %s", axvcpu_last_error());
	return 0;
}

/* --- the boot page ---------------------------------------------------------------------------- */

static int write_boot_page(const struct machine *machine, const struct options *options,
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
		.ncpus = options->cpus,
		.irqchip = machine->irqchip,
		.timer_hz = tree_timer_hz(machine, platform),
	};

	memcpy(boot.memory, layout->ram, sizeof(boot.memory));
	if (axvm_write(machine->vm, layout->page_gpa, &boot, sizeof(boot)) ||
	    axvm_write(machine->vm, layout->page_gpa + sizeof(boot), options->args,
		       boot.args_len + 1))
		return fail("cannot write the boot page: %s", axvcpu_last_error());
	return 0;
}

/* --- CPUs ------------------------------------------------------------------------------------- */

/* The n-th of the listed host CPUs that this process may use; wraps around after the last one. */
static int nth_cpu(const struct options *options, uint32_t n, uint32_t *nth)
{
	size_t size = options->cpu_set_size;
	cpu_set_t *usable = CPU_ALLOC(size * 8);
	uint32_t cpu = 0;
	int count;

	if (!usable || sched_getaffinity(0, size, usable)) {
		CPU_FREE(usable);
		return fail("cannot find out which CPUs this process may use");
	}
	CPU_AND_S(size, usable, usable, (const cpu_set_t *)options->cpu_set);
	count = CPU_COUNT_S(size, usable);
	for (n = count ? n % (uint32_t)count : 0; count; cpu++)
		if (CPU_ISSET_S(cpu, size, usable) && n-- == 0)
			break;
	CPU_FREE(usable);
	if (!count)
		return fail("--cpu-list: this process may use none of these CPUs");
	*nth = cpu;
	return 0;
}

int machine_place_vcpu(struct axvcpu_config *config, const struct options *options)
{
	config->cpu_set = options->cpu_set;
	config->cpu_set_size = options->cpu_set_size;
	if (options->cpu_set && nth_cpu(options, config->id, &config->favor_cpu))
		return -1;
	/* A single vCPU may run on any of them. */
	if (options->cpu_set && options->cpus > 1)
		config->flags |= AXVCPU_F_FAVOR_CPU;
	return 0;
}

static int new_vcpu(struct machine *machine, const struct options *options,
		    const struct platform *platform, uint32_t id)
{
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;

	config.id = id;
	if (machine_place_vcpu(&config, options))
		return -1;
	/* Otherwise KVM itself keeps the other vCPUs waiting. */
	if (id > 0 && machine->irqchip == AXVM_IRQCHIP_NONE && platform->forward_starts)
		config.flags |= AXVCPU_F_START_OFF;
	if (axvcpu_new(machine->vm, &config, &machine->vcpus[id]))
		return fail("cannot create vCPU %" PRIu32 ": %s", id, axvcpu_last_error());
	machine->ncpus = id + 1;
	return 0;
}

/*
 * axvcpu_setup(). Guest programs also get the SBI debug console if KVM can forward its calls (Linux
 * 6.7 and later).
 */
static int set_up(struct axvcpu *vcpu, const struct options *options,
		  const struct platform *platform, uint64_t entry,
		  struct axvcpu_setup_config *setup)
{
	static const struct axvcpu_riscv64_extension dbcn = { .name = "dbcn", .on = 1 };
	struct axvcpu_riscv64_setup riscv64 = AXVCPU_RISCV64_SETUP_INIT;
	int err = -ENOTSUP;

	if (platform->call == CALL_SBI && !options->kernel) {
		riscv64.sbi = &dbcn;
		riscv64.nsbi = 1;
		setup->arch = &riscv64;
		err = axvcpu_setup(vcpu, entry, 0, setup);
		setup->arch = NULL;
	}
	if (err == -ENOTSUP)
		err = axvcpu_setup(vcpu, entry, 0, setup);
	return err;
}

static int setup_first(struct machine *machine, const struct options *options,
		       const struct platform *platform, const struct image *image,
		       const struct layout *layout)
{
	struct axvcpu_setup_config setup = AXVCPU_SETUP_CONFIG_INIT;
	bool guest = image->kind == IMAGE_GUEST;

	setup.mode = image->mode;
	if (image->mode != AXVCPU_MODE_RAW)
		setup.arg = platform->page_gpr ? layout->tree.gpa : layout->page_gpa;
	/* A kernel expects all other registers to be 0. */
	if (guest && image->mode != AXVCPU_MODE_RAW)
		setup.stack = layout->stack_top;
	if (layout->tables.size) {
		setup.boot_gpa = layout->tables.gpa;
		setup.boot_size = layout->tables.size;
	}
	if (set_up(machine->vcpus[0], options, platform, image->entry, &setup) ||
	    (guest && platform->page_gpr &&
	     axvcpu_set_gpr(machine->vcpus[0], platform->page_gpr, layout->page_gpa)))
		return fail("cannot set up the vCPU: %s", axvcpu_last_error());
	return 0;
}

/* The CPU that starts this one passes the real entry point. */
static int setup_other(struct machine *machine, const struct options *options,
		       const struct platform *platform, uint32_t id)
{
	struct axvcpu_setup_config setup = AXVCPU_SETUP_CONFIG_INIT;

	setup.mode = platform->secondary_mode;
	if (set_up(machine->vcpus[id], options, platform, platform->ram_gpa, &setup))
		return fail("cannot set up vCPU %" PRIu32 ": %s", id, axvcpu_last_error());
	return 0;
}

static int make_vcpus(struct machine *machine, const struct options *options,
		      const struct platform *platform, const struct image *image,
		      const struct layout *layout)
{
	uint32_t id;

	if (new_vcpu(machine, options, platform, 0) ||
	    setup_first(machine, options, platform, image, layout))
		return -1;
	for (id = 1; id < options->cpus; id++)
		if (new_vcpu(machine, options, platform, id) ||
		    setup_other(machine, options, platform, id))
			return -1;
	return 0;
}

int machine_make(struct machine *machine, const struct options *options,
		 const struct platform *platform, const struct image *image,
		 const struct layout *layout)
{
	*machine = (struct machine){ 0 };
	if (make_vm(machine, options, platform) ||
	    memory_make(machine->vm, options, image, layout) ||
	    (options->kernel && generation_make(machine->vm, platform)) ||
	    make_vcpus(machine, options, platform, image, layout) ||
	    (image->kind == IMAGE_GUEST && write_boot_page(machine, options, platform, layout)))
		return -1;
	if (pc_make(machine, options, platform, image, layout))
		return -1;
	return tree_make(machine, options, platform, layout);
}

int machine_adopt(struct machine *machine, struct axvm *vm)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm_limits limits = AXVM_LIMITS_INIT;
	int n = axvm_vcpus(vm, 0, GUEST_CPUS_MAX, machine->vcpus);

	if (n < 0 || axvm_get_config(vm, &config) || axvm_get_limits(vm, &limits))
		return fail("cannot take over the VM: %s", axvcpu_last_error());
	if (n == 0 || n > (int)GUEST_CPUS_MAX)
		return fail("the machine has %d CPUs; axrun supports 1 to %u", n, GUEST_CPUS_MAX);
	/* They are in the order of their ids, which are indexes for axrun. */
	if (axvcpu_id(machine->vcpus[n - 1]) != (uint32_t)n - 1)
		return fail("the machine has a CPU %" PRIu32 "; its CPUs must be numbered from 0",
			    axvcpu_id(machine->vcpus[n - 1]));
	machine->vm = vm;
	machine->ncpus = (uint32_t)n;
	machine->irqchip = config.irqchip;
	machine->gic_version = limits.gic_version;
	return 0;
}

/* A PC has memory where a kernel's generation id is, and only guest programs ring a doorbell. */
bool machine_is_linux(const struct machine *machine, const struct platform *platform)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	int level;
	bool has_id;

	if (platform->call == CALL_DOORBELL)
		return !axvm_get_config(machine->vm, &config) &&
		       !(config.forward & AXVM_FORWARD_DOORBELL);
	/* That there is no such memory is no error. */
	level = log_set_level(0);
	has_id = generation_exists(machine->vm, platform);
	log_set_level(level);
	return has_id;
}

void machine_free(struct machine *machine)
{
	while (machine->ncpus > 0)
		axvcpu_free(machine->vcpus[--machine->ncpus]);
	axvm_free(machine->vm);
	*machine = (struct machine){ 0 };
}
