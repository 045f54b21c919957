/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "features.h"

#include <string.h>

#include <axvcpu/arm64.h>

#define PORT 0x10

const struct trial irqchip_trials[] = {
	{ .name = "kernel", .on = ON_X86_64, .irqchip = AXVM_IRQCHIP_KERNEL },
	{ .name = "split", .on = ON_X86_64, .irqchip = AXVM_IRQCHIP_SPLIT },
	{ .name = "gicv2", .on = ON_ARM64, .irqchip = AXVM_IRQCHIP_KERNEL, .gic_version = 2 },
	{ .name = "gicv3", .on = ON_ARM64, .irqchip = AXVM_IRQCHIP_KERNEL, .gic_version = 3 },
	{ .name = "its",
	  .on = ON_ARM64,
	  .irqchip = AXVM_IRQCHIP_KERNEL,
	  .gic_version = 3,
	  .gic_flags = AXVM_ARM64_ITS },
	{ .name = "aia", .on = ON_RISCV64, .irqchip = AXVM_IRQCHIP_KERNEL },
	{ 0 },
};

const struct trial forward_trials[] = {
	{ .name = "hypercalls", .on = ON_ALL, .forward = AXVM_FORWARD_HYPERCALLS },
	{ .name = "doorbell", .on = ON_X86_64, .forward = AXVM_FORWARD_DOORBELL },
	{ .name = "ipis", .on = ON_X86_64, .forward = AXVM_FORWARD_IPIS },
	{ .name = "map_gpa_range", .on = ON_X86_64, .forward = AXVM_FORWARD_MAP_GPA_RANGE },
	{ .name = "unknown_sysregs", .on = ON_X86_64, .forward = AXVM_FORWARD_UNKNOWN_SYSREGS },
	{ .name = "power", .on = ON_ARM64, .forward = AXVM_FORWARD_POWER },
	{ 0 },
};

/*
 * Capabilities are given by number, as the headers of older kernels lack some. The names are the
 * kernel's, in lower case, if these describe the feature.
 */
const struct capability capabilities[] = {
	{ "dirty_log_protect", ON_ALL, 168, 0, 0, "dirty log: pages protected on demand (flags)" },
	{ "dirty_ring", ON_ALL, 223, 192, 0, "dirty ring (bytes at most)" },
	{ "readonly_mem", ON_ALL, 81, 0, 0, "read-only memory regions" },
	{ "guest_memfd", ON_ALL, 234, 0, 0, "guest memory that the host cannot map (guest_memfd)" },
	{ "memory_fault_info", ON_ALL, 232, 0, 0, "exits for memory faults" },
	{ "ioeventfd", ON_ALL, 36, 0, 0, "eventfds for guest writes" },
	{ "irqfd", ON_ALL, 32, 0, 0, "interrupts by eventfd" },
	{ "irqfd_resample", ON_ALL, 82, 0, 0, "level interrupts by eventfd" },
	{ "irq_routing", ON_ALL, 25, 0, 0, "interrupt routes (table size)" },
	{ "signal_msi", ON_ALL, 77, 0, 0, "messages (MSI)" },
	{ "coalesced_mmio", ON_ALL, 15, 0, 0, "coalesced MMIO (page of the ring)" },
	{ "mp_state", ON_ALL, 14, 0, 0, "power states of vCPUs" },
	{ "guest_debug", ON_ALL, 23, 0, 0, "debugging a guest from outside" },
	{ "guest_debug_hw_bps", ON_ARM64, 119, 0, 0, "hardware breakpoints" },
	{ "guest_debug_hw_wps", ON_ARM64, 120, 0, 0, "hardware watchpoints" },
	{ "sync_regs", ON_X86_64, 74, 0, 0, "registers in shared memory (sets)" },
	{ "vcpu_events", ON_X86_64 | ON_ARM64, 41, 0, 0, "pending exceptions and interrupts" },
	{ "xen_hypercalls", ON_X86_64, 38, 0, 2, "hypercalls by the Xen interface" },
	{ "exit_hypercall", ON_X86_64, 201, 0, 0, "KVM hypercalls as exits (mask)" },
	{ "user_space_msr", ON_X86_64, 188, 0, 0, "exits for MSRs (reasons)" },
	{ "msr_filter", ON_X86_64, 189, 0, 0, "MSR filters" },
	{ "x2apic_api", ON_X86_64, 129, 0, 0, "32-bit APIC ids (flags)" },
	{ "disable_exits", ON_X86_64, 143, 0, 0, "HLT, MWAIT, PAUSE without exits (mask)" },
	{ "notify_vmexit", ON_X86_64, 219, 0, 0, "notify exits" },
	{ "exception_payload", ON_X86_64, 164, 0, 0, "exception payloads" },
	{ "tsc_control", ON_X86_64, 60, 0, 0, "TSC frequency of a guest" },
	{ "smm", ON_X86_64, 117, 0, 0, "system management mode" },
	{ "nested_state", ON_X86_64, 157, 0, 0, "state of nested guests (bytes)" },
	{ "arm_psci", ON_ARM64, 102, 0, 0, "PSCI 0.2 and later" },
	{ "arm_sve", ON_ARM64, 170, 0, 0, "scalable vectors" },
	{ "arm_pmu", ON_ARM64, 126, 0, 0, "performance monitor" },
	{ "arm_ptrauth_address", ON_ARM64, 171, 0, 0, "pointer authentication: addresses" },
	{ "arm_ptrauth_generic", ON_ARM64, 172, 0, 0, "pointer authentication: generic" },
	{ "arm_el1_32bit", ON_ARM64, 93, 0, 0, "32-bit guests" },
	{ "arm_mte", ON_ARM64, 205, 0, 0, "memory tags" },
	{ "arm_nisv_to_user", ON_ARM64, 177, 0, 0, "exits for undecoded accesses" },
	{ "arm_inject_serror_esr", ON_ARM64, 158, 0, 0, "SErrors with a syndrome" },
	{ "arm_el2", ON_ARM64, 240, 0, 0, "guests at EL2" },
	{ "steal_time", ON_ARM64, 187, 0, 0, "steal time" },
	{ "riscv_mp_state_reset", ON_RISCV64, 242, 0, 0, "reset of a running vCPU" },
	{ 0 },
};

#define FITS(list, max) \
	_Static_assert(sizeof(list) / sizeof((list)[0]) - 1 <= (max), #list ": too many")
FITS(irqchip_trials, MAX_TRIALS);
FITS(forward_trials, MAX_TRIALS);
FITS(capabilities, MAX_CAPABILITIES);

bool is_on_host(unsigned int on)
{
	static const struct {
		const char *arch;
		unsigned int bit;
	} archs[] = { { "x86_64", ON_X86_64 }, { "arm64", ON_ARM64 }, { "riscv64", ON_RISCV64 } };

	for (size_t i = 0; i < sizeof(archs) / sizeof(archs[0]); i++)
		if (!strcmp(archs[i].arch, axvcpu_host_arch()->name))
			return on & archs[i].bit;
	return false;
}

bool trial_succeeds(const struct trial *trial, int kvm_fd)
{
	struct axvm_arm64_config gic = AXVM_ARM64_CONFIG_INIT;
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm *vm;

	config.flags = AXVM_F_KVM_FD;
	config.kvm_fd = kvm_fd;
	config.irqchip = trial->irqchip;
	config.forward = trial->forward;
	if (trial->forward & AXVM_FORWARD_DOORBELL)
		config.doorbell_port = PORT;
	gic.gic_version = trial->gic_version;
	gic.flags = trial->gic_flags;
	if (gic.gic_version)
		config.arch_config = &gic;
	if (axvm_new(&config, &vm))
		return false;
	axvm_free(vm);
	return true;
}

unsigned int capability_value(const struct capability *capability, struct axvm *vm)
{
	int value = axvm_capability(vm, capability->number);

	if (value <= 0 && capability->old_number)
		value = axvm_capability(vm, capability->old_number);
	if (value <= 0)
		return 0;
	return capability->mask ? !!((unsigned int)value & capability->mask) : (unsigned int)value;
}
