/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Inter-processor interrupts without an in-kernel LAPIC: decodes the guest's writes to the
 * interrupt command register, by the xAPIC page or the x2APIC MSRs.
 */
#include <string.h>

#include "backends/x86_64/x86_64.h"

/* The page's address after a reset; guests do not move it. */
#define APIC_PAGE UINT64_C(0xfee00000)
#define APIC_ICR_LOW (APIC_PAGE + 0x300)
#define APIC_ICR_HIGH (APIC_PAGE + 0x310)
#define X2APIC_ICR 0x830u
#define X2APIC_SELF_IPI 0x83fu

#define ICR_VECTOR(low) ((low)&0xffu)
#define ICR_MODE(low) ((low) >> 8 & 7u)
#define ICR_LOGICAL (1u << 11)
#define ICR_PENDING (1u << 12)
#define ICR_ASSERT (1u << 14)
#define ICR_LEVEL (1u << 15)
#define ICR_SHORTHAND(low) ((low) >> 18 & 3u)

#define MODE_INIT 5u
#define MODE_SIPI 6u

enum shorthand { TO_DESTINATION, TO_SELF, TO_ALL, TO_OTHERS };

/* A write to the interrupt command register. */
struct command {
	uint32_t low;
	uint32_t destination;
	/* The destination that addresses all CPUs. */
	uint32_t broadcast;
	enum shorthand shorthand;
};

static struct command command(uint32_t low, uint32_t destination, uint32_t broadcast)
{
	struct command command = { low, destination, broadcast, ICR_SHORTHAND(low) };

	if (command.shorthand == TO_DESTINATION && destination == broadcast && !(low & ICR_LOGICAL))
		command.shorthand = TO_ALL;
	return command;
}

/*
 * A startup IPI becomes CPU_UP. CPUs that run already ignore it, as does the sender. One that does
 * not address CPUs by id is reported as an IPI.
 */
static bool decode_startup(const struct command *command, struct axvcpu_exit *exit)
{
	if (ICR_MODE(command->low) != MODE_SIPI || command->shorthand == TO_SELF ||
	    (command->shorthand == TO_DESTINATION && (command->low & ICR_LOGICAL)))
		return false;
	exit->kind = AXVCPU_EXIT_CPU_UP;
	exit->u.cpu_up = (struct axvcpu_exit_cpu_up){
		.target_cpu = AXVCPU_ALL_OTHERS,
		.entry_point = (uint64_t)ICR_VECTOR(command->low) << 12,
	};
	if (command->shorthand == TO_DESTINATION)
		exit->u.cpu_up.target_cpu = command->destination;
	return true;
}

static void decode_command(const struct command *command, struct axvcpu_exit *exit)
{
	uint32_t low = command->low;
	bool deassert = ICR_MODE(low) == MODE_INIT && (low & ICR_LEVEL) && !(low & ICR_ASSERT);

	exit->answerable = 0;
	exit->raw_code = (uint64_t)command->destination << 32 | low;
	if (decode_startup(command, exit))
		return;
	exit->kind = AXVCPU_EXIT_SEND_IPI;
	exit->u.ipi = (struct axvcpu_exit_ipi){
		.target_cpu = command->destination,
		.vector = ICR_VECTOR(low),
		.send_to_all = command->shorthand == TO_ALL || command->shorthand == TO_OTHERS,
		.send_to_self = command->shorthand == TO_ALL || command->shorthand == TO_SELF,
		.delivery_mode = (uint8_t)ICR_MODE(low),
		.logical = !!(low & ICR_LOGICAL),
		.level = !deassert,
	};
}

/* --- the xAPIC ------------------------------------------------------------------------------------ */

/* Answers a read of the register. ICR_PENDING is never set: commands are delivered at once. */
static bool answer_read(struct kvm_run *run, uint32_t value)
{
	memset(run->mmio.data, 0, sizeof(run->mmio.data));
	memcpy(run->mmio.data, &value, sizeof(value));
	return false;
}

bool axk_x86_decode_ipi_mmio(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	struct axk_vcpu_arch *arch = &vcpu->arch;
	const struct axvcpu_exit_mmio mmio = exit->u.mmio;
	bool write = exit->kind == AXVCPU_EXIT_MMIO_WRITE;
	struct command icr;

	if ((mmio.addr != APIC_ICR_LOW && mmio.addr != APIC_ICR_HIGH) || mmio.width != 4)
		return true;
	if (!write)
		return answer_read(vcpu->run,
				   mmio.addr == APIC_ICR_LOW ? arch->icr_low : arch->icr_high);
	/* The upper half is the destination; writing the lower half sends. */
	if (mmio.addr == APIC_ICR_HIGH) {
		arch->icr_high = (uint32_t)mmio.data;
		return false;
	}
	arch->icr_low = (uint32_t)mmio.data & ~ICR_PENDING;
	icr = command(arch->icr_low, arch->icr_high >> 24, 0xff);
	decode_command(&icr, exit);
	return true;
}

/* --- the x2APIC ----------------------------------------------------------------------------------- */

int axk_x86_decode_ipi_msr(struct axk_vcpu *vcpu, struct axvcpu_exit *exit, bool write)
{
	struct axk_vcpu_arch *arch = &vcpu->arch;
	struct kvm_run *run = vcpu->run;
	struct command icr;

	if (run->msr.index == X2APIC_ICR) {
		run->msr.error = 0;
		if (!write) {
			run->msr.data = (uint64_t)arch->icr_high << 32 | arch->icr_low;
			return 0;
		}
		arch->icr_low = (uint32_t)run->msr.data & ~ICR_PENDING;
		arch->icr_high = (uint32_t)(run->msr.data >> 32);
		icr = command(arch->icr_low, arch->icr_high, UINT32_MAX);
	} else if (run->msr.index == X2APIC_SELF_IPI && write) {
		run->msr.error = 0;
		icr = (struct command){ .low = ICR_VECTOR((uint32_t)run->msr.data) | ICR_ASSERT,
					.shorthand = TO_SELF };
	} else {
		return -1;
	}
	decode_command(&icr, exit);
	return 1;
}
