/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Describes an exit in one line. */
#include <inttypes.h>

#include "axvcpu/exit.h"
#include "lib/base/compiler.h"
#include "lib/text/text.h"

/* Mode 0, a plain interrupt, has no name; it is the only one on architectures without modes. */
static const char *const ipi_modes[] = {
	[0] = "", [1] = " lowest", [2] = " SMI", [4] = " NMI", [5] = " INIT", [6] = " SIPI"
};

static void add_ipi(struct axv_text *text, const struct axvcpu_exit_ipi *ipi)
{
	uint8_t mode = ipi->delivery_mode;

	if (mode < ARRAY_SIZE(ipi_modes) && ipi_modes[mode])
		axv_text_add(text, "%s", ipi_modes[mode]);
	else
		axv_text_add(text, " mode %u", mode);
	axv_text_add(text, " vector %" PRIu64, ipi->vector);
	if (ipi->send_to_all)
		axv_text_add(text, ipi->send_to_self ? " to all" : " to all others");
	else if (ipi->send_to_self)
		axv_text_add(text, " to self");
	else
		axv_text_add(text, " to %s %#" PRIx64 " aux %#" PRIx64,
			     ipi->logical ? "logical" : "cpu", ipi->target_cpu,
			     ipi->target_cpu_aux);
	if (!ipi->level && mode == 5)
		axv_text_add(text, " deassert");
}

static void add_cpu_up(struct axv_text *text, const struct axvcpu_exit_cpu_up *up)
{
	if (up->target_cpu == AXVCPU_ALL_OTHERS)
		axv_text_add(text, " all others");
	else
		axv_text_add(text, " cpu %#" PRIx64, up->target_cpu);
	axv_text_add(text, " entry %#" PRIx64 " arg %#" PRIx64, up->entry_point, up->arg);
}

static void add_debug(struct axv_text *text, const struct axvcpu_exit_debug *debug)
{
	switch (debug->reason) {
	case AXVCPU_DEBUGGED_STEP:
		axv_text_add(text, " step");
		break;
	case AXVCPU_DEBUGGED_POINT:
		axv_text_add(text, " point %" PRIu32, debug->point);
		break;
	case AXVCPU_DEBUGGED_SOFTWARE:
		axv_text_add(text, " breakpoint instruction");
		break;
	default:
		axv_text_add(text, " reason %" PRIu32, debug->reason);
		break;
	}
	axv_text_add(text, " at %#" PRIx64 " raw %#" PRIx64, debug->pc, debug->raw);
}

static void add_page_fault(struct axv_text *text, const struct axvcpu_exit_page_fault *fault)
{
	axv_text_add(text, " at %#" PRIx64 " size %" PRIu64 " access %s%s%s", fault->addr,
		     fault->size, fault->access & AXVCPU_ACCESS_READ ? "r" : "-",
		     fault->access & AXVCPU_ACCESS_WRITE ? "w" : "-",
		     fault->access & AXVCPU_ACCESS_EXEC ? "x" : "-");
	if (fault->error)
		axv_text_add(text, " %s", axvcpu_error_name((int)fault->error));
}

static void add_internal(struct axv_text *text, const struct axvcpu_exit_internal *internal)
{
	axv_text_add(text, " %s suberror %" PRIu32, axvcpu_internal_error_name(internal->error),
		     internal->suberror);
	if (internal->ninsn)
		axv_text_add(text, " insn");
	for (uint32_t i = 0; i < internal->ninsn && i < ARRAY_SIZE(internal->insn); i++)
		axv_text_add(text, " %02x", internal->insn[i]);
	axv_text_add(text, " data");
	for (uint32_t i = 0; i < internal->ndata && i < ARRAY_SIZE(internal->data); i++)
		axv_text_add(text, " %" PRIx64, internal->data[i]);
}

static void add_crash(struct axv_text *text, const struct axvcpu_exit_crash *crash)
{
	axv_text_add(text, " data");
	for (uint32_t i = 0; i < crash->ndata && i < ARRAY_SIZE(crash->data); i++)
		axv_text_add(text, " %" PRIx64, crash->data[i]);
}

static void add_fields(struct axv_text *text, const struct axvcpu_exit *exit)
{
	switch (exit->kind) {
	case AXVCPU_EXIT_HYPERCALL:
		axv_text_add(text, " nr %#" PRIx64 " args", exit->u.hypercall.nr);
		for (int i = 0; i < 6; i++)
			axv_text_add(text, " %#" PRIx64, exit->u.hypercall.args[i]);
		break;
	case AXVCPU_EXIT_MMIO_READ:
		axv_text_add(text, " at %#" PRIx64 " width %u", exit->u.mmio.addr,
			     exit->u.mmio.width);
		break;
	case AXVCPU_EXIT_MMIO_WRITE:
		axv_text_add(text, " at %#" PRIx64 " width %u data %#" PRIx64, exit->u.mmio.addr,
			     exit->u.mmio.width, exit->u.mmio.data);
		break;
	case AXVCPU_EXIT_SYSREG_READ:
		axv_text_add(text, " %#" PRIx64, exit->u.sysreg.addr);
		break;
	case AXVCPU_EXIT_SYSREG_WRITE:
		axv_text_add(text, " %#" PRIx64 " value %#" PRIx64 " mask %#" PRIx64,
			     exit->u.sysreg.addr, exit->u.sysreg.value, exit->u.sysreg.write_mask);
		break;
	case AXVCPU_EXIT_IO_READ:
		axv_text_add(text, " port %#x width %u count %" PRIu32, exit->u.io.port,
			     exit->u.io.width, exit->u.io.count);
		break;
	case AXVCPU_EXIT_IO_WRITE:
		axv_text_add(text, " port %#x width %u count %" PRIu32 " data %#" PRIx64,
			     exit->u.io.port, exit->u.io.width, exit->u.io.count, exit->u.io.data);
		break;
	case AXVCPU_EXIT_EXTERNAL_INTERRUPT:
		axv_text_add(text, " vector %" PRIu64, exit->u.external_interrupt.vector);
		break;
	case AXVCPU_EXIT_EOI:
		axv_text_add(text, " vector %" PRIu64, exit->u.eoi.vector);
		break;
	case AXVCPU_EXIT_NESTED_PAGE_FAULT:
		add_page_fault(text, &exit->u.page_fault);
		break;
	case AXVCPU_EXIT_CPU_UP:
		add_cpu_up(text, &exit->u.cpu_up);
		break;
	case AXVCPU_EXIT_CPU_DOWN:
		axv_text_add(text, " state %#" PRIx64, exit->u.cpu_down.state);
		break;
	case AXVCPU_EXIT_FAIL_ENTRY:
		axv_text_add(text, " reason %#" PRIx64 " cpu %" PRIu64, exit->u.fail_entry.reason,
			     exit->u.fail_entry.cpu);
		break;
	case AXVCPU_EXIT_SEND_IPI:
		add_ipi(text, &exit->u.ipi);
		break;
	case AXVCPU_EXIT_INTERNAL_ERROR:
		add_internal(text, &exit->u.internal);
		break;
	case AXVCPU_EXIT_DEBUG:
		add_debug(text, &exit->u.debug);
		break;
	case AXVCPU_EXIT_SYSTEM_SUSPEND:
		axv_text_add(text, " entry %#" PRIx64 " arg %#" PRIx64, exit->u.suspend.entry_point,
			     exit->u.suspend.arg);
		break;
	case AXVCPU_EXIT_SYSTEM_CRASH:
		add_crash(text, &exit->u.crash);
		break;
	case AXVCPU_EXIT_NOTIFY:
		axv_text_add(text, " flags %#" PRIx64, exit->raw_code);
		break;
	case AXVCPU_EXIT_UNHANDLED:
		axv_text_add(text, " reason %" PRIu64 " code %#" PRIx64, exit->raw_reason,
			     exit->raw_code);
		break;
	default:
		break;
	}
}

int axvcpu_exit_describe(const struct axvcpu_exit *exit, char *buf, size_t len)
{
	struct axv_text text = { buf, buf ? len : 0, 0 };

	axv_text_add(&text, "%s", axvcpu_exit_name(exit->kind));
	add_fields(&text, exit);
	if (exit->kicked)
		axv_text_add(&text, " (kicked)");
	return (int)text.used;
}
