/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "exits.h"

#include <inttypes.h>

#include "dbcn.h"
#include "ipi.h"
#include "message.h"

/* Checks the result of any axvcpu_complete*() call. */
static void check(struct run *run, int err)
{
	if (!err)
		return;
	fail("cannot answer the guest: %s", axvcpu_last_error());
	outcome_set(&run->outcome, RUN_ERROR, STATUS_ERROR);
}

static void note_unclaimed(const char *what, uint64_t addr, unsigned int width)
{
	log_message(AXVCPU_LOG_DEBUG, "no device at %s 0x%" PRIx64 ", %u bytes", what, addr, width);
}

/* --- services --------------------------------------------------------------------------------- */

/* Calls outside axrun's range get the default answer, which means "not supported". */
static void call(struct run *run, struct cpu *cpu, const struct axvcpu_exit *ex)
{
	struct axvcpu_exit_hypercall hypercall = ex->u.hypercall;
	uint32_t id = axvcpu_id(cpu->vcpu);
	struct dbcn_result result;

	switch (run->cpus.platform->call) {
	case CALL_DOORBELL:
		check(run, axvcpu_complete_value(cpu->vcpu, services_call(&hypercall, id)));
		break;
	case CALL_SMCCC:
		if ((hypercall.nr & ~UINT64_C(0xffff)) != GUEST_SMCCC_BASE)
			break;
		hypercall.nr -= GUEST_SMCCC_BASE;
		check(run, axvcpu_complete_value(cpu->vcpu, services_call(&hypercall, id)));
		break;
	case CALL_SBI:
		if (hypercall.nr == DBCN_EXTENSION) {
			result = dbcn_call(run->machine.vm, &run->uart, ex->raw_code,
					   hypercall.args);
			check(run, axvcpu_complete_pair(cpu->vcpu, (uint64_t)result.error,
							result.value));
			break;
		}
		if (hypercall.nr != GUEST_SBI_EXTENSION)
			break;
		hypercall.nr = ex->raw_code;
		check(run, axvcpu_complete_pair(cpu->vcpu, 0, services_call(&hypercall, id)));
		break;
	}
}

/*
 * No device claims the register. Only riscv64's entropy source exists; an instruction that writes
 * that CSR also reads it.
 */
static void access_sysreg(struct run *run, struct cpu *cpu, uint64_t reg)
{
	if (run->cpus.platform->call == CALL_SBI && reg == GUEST_CSR_SEED)
		check(run, axvcpu_complete_value(cpu->vcpu, services_seed()));
	else
		check(run, axvcpu_complete_fault(cpu->vcpu));
}

/* --- other exits ------------------------------------------------------------------------------ */

/* The caller of PSCI CPU_ON gets its result. */
static void start(struct run *run, struct cpu *cpu, const struct axvcpu_exit *ex)
{
	enum axvcpu_psci_result result = ipi_start(&run->cpus, cpu, &ex->u.cpu_up);

	if (ex->answerable)
		check(run, axvcpu_complete_value(cpu->vcpu, (uint64_t)(int64_t)result));
}

/* The crash report is collected when the other vCPUs have stopped. */
static void crash(struct run *run, struct cpu *cpu, const struct axvcpu_exit *ex)
{
	if (!outcome_set(&run->outcome, RUN_CRASH, STATUS_CRASH))
		return;
	run->last_exit = *ex;
	run->last_vcpu = cpu->vcpu;
}

void exits_handle(struct run *run, struct cpu *cpu, const struct axvcpu_exit *ex)
{
	int err = axvcpu_dispatch(cpu->vcpu, ex);

	if (err) {
		check(run, err < 0 ? err : 0);
		return;
	}
	switch (ex->kind) {
	/* As on a real bus, the guest reads all ones, and its writes are ignored. */
	case AXVCPU_EXIT_IO_READ:
	case AXVCPU_EXIT_IO_WRITE:
		note_unclaimed("port", ex->u.io.port, ex->u.io.width);
		break;
	case AXVCPU_EXIT_MMIO_READ:
	case AXVCPU_EXIT_MMIO_WRITE:
		note_unclaimed("address", ex->u.mmio.addr, ex->u.mmio.width);
		break;
	case AXVCPU_EXIT_HYPERCALL:
		call(run, cpu, ex);
		break;
	case AXVCPU_EXIT_SYSREG_READ:
	case AXVCPU_EXIT_SYSREG_WRITE:
		access_sysreg(run, cpu, ex->u.sysreg.addr);
		break;
	case AXVCPU_EXIT_NOTHING:
	case AXVCPU_EXIT_EXTERNAL_INTERRUPT:
	case AXVCPU_EXIT_EOI:
	/* Left unanswered, the suspension is denied. */
	case AXVCPU_EXIT_SYSTEM_SUSPEND:
	case AXVCPU_EXIT_SYSTEM_WAKEUP:
		break;
	case AXVCPU_EXIT_CPU_UP:
		start(run, cpu, ex);
		break;
	case AXVCPU_EXIT_SEND_IPI:
		ipi_send(&run->cpus, cpu, &ex->u.ipi);
		break;
	case AXVCPU_EXIT_HALT:
		cpus_halt(&run->cpus, cpu);
		break;
	case AXVCPU_EXIT_CPU_DOWN:
		cpus_down(&run->cpus, cpu);
		break;
	case AXVCPU_EXIT_SYSTEM_DOWN:
		outcome_set(&run->outcome, RUN_POWER_OFF, 0);
		break;
	case AXVCPU_EXIT_SYSTEM_RESET:
		outcome_set(&run->outcome, RUN_RESET, STATUS_RESET);
		break;
	default:
		crash(run, cpu, ex);
		break;
	}
}
