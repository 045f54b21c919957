/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Describes an exit in one line. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "axvcpu/exit.h"
#include "lib/base/compiler.h"

/*
 * A buffer that is filled piece by piece; 'used' also counts bytes that did not fit, as snprintf().
 */
struct text {
	char *buf;
	size_t len;
	size_t used;
};

static void AXVCPU_PRINTF(2, 3) add(struct text *text, const char *fmt, ...)
{
	size_t at = text->used < text->len ? text->used : text->len;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text->len ? text->buf + at : NULL, text->len - at, fmt, args);
	va_end(args);
	if (n > 0)
		text->used += (size_t)n;
}

/* Mode 0, a plain interrupt, has no name; it is the only one on architectures without modes. */
static const char *const ipi_modes[] = {
	[0] = "", [1] = " lowest", [2] = " SMI", [4] = " NMI", [5] = " INIT", [6] = " SIPI"
};

static void add_ipi(struct text *text, const struct axvcpu_exit_ipi *ipi)
{
	uint8_t mode = ipi->delivery_mode;

	if (mode < ARRAY_SIZE(ipi_modes) && ipi_modes[mode])
		add(text, "%s", ipi_modes[mode]);
	else
		add(text, " mode %u", mode);
	add(text, " vector %" PRIu64, ipi->vector);
	if (ipi->send_to_all)
		add(text, ipi->send_to_self ? " to all" : " to all others");
	else if (ipi->send_to_self)
		add(text, " to self");
	else
		add(text, " to %s %#" PRIx64 " aux %#" PRIx64, ipi->logical ? "logical" : "cpu",
		    ipi->target_cpu, ipi->target_cpu_aux);
	if (!ipi->level && mode == 5)
		add(text, " deassert");
}

static void add_cpu_up(struct text *text, const struct axvcpu_exit_cpu_up *up)
{
	if (up->target_cpu == AXVCPU_ALL_OTHERS)
		add(text, " all others");
	else
		add(text, " cpu %#" PRIx64, up->target_cpu);
	add(text, " entry %#" PRIx64 " arg %#" PRIx64, up->entry_point, up->arg);
}

static void add_debug(struct text *text, const struct axvcpu_exit_debug *debug)
{
	switch (debug->reason) {
	case AXVCPU_DEBUGGED_STEP:
		add(text, " step");
		break;
	case AXVCPU_DEBUGGED_POINT:
		add(text, " point %" PRIu32, debug->point);
		break;
	case AXVCPU_DEBUGGED_SOFTWARE:
		add(text, " breakpoint instruction");
		break;
	default:
		add(text, " reason %" PRIu32, debug->reason);
		break;
	}
	add(text, " at %#" PRIx64 " raw %#" PRIx64, debug->pc, debug->raw);
}

static void add_page_fault(struct text *text, const struct axvcpu_exit_page_fault *fault)
{
	add(text, " at %#" PRIx64 " size %" PRIu64 " access %s%s%s", fault->addr, fault->size,
	    fault->access & AXVCPU_ACCESS_READ ? "r" : "-",
	    fault->access & AXVCPU_ACCESS_WRITE ? "w" : "-",
	    fault->access & AXVCPU_ACCESS_EXEC ? "x" : "-");
	if (fault->error)
		add(text, " %s", axvcpu_error_name((int)fault->error));
}

static void add_internal(struct text *text, const struct axvcpu_exit_internal *internal)
{
	add(text, " %s suberror %" PRIu32, axvcpu_internal_error_name(internal->error),
	    internal->suberror);
	if (internal->ninsn)
		add(text, " insn");
	for (uint32_t i = 0; i < internal->ninsn && i < ARRAY_SIZE(internal->insn); i++)
		add(text, " %02x", internal->insn[i]);
	add(text, " data");
	for (uint32_t i = 0; i < internal->ndata && i < ARRAY_SIZE(internal->data); i++)
		add(text, " %" PRIx64, internal->data[i]);
}

static void add_fields(struct text *text, const struct axvcpu_exit *exit)
{
	switch (exit->kind) {
	case AXVCPU_EXIT_HYPERCALL:
		add(text, " nr %#" PRIx64 " args", exit->u.hypercall.nr);
		for (int i = 0; i < 6; i++)
			add(text, " %#" PRIx64, exit->u.hypercall.args[i]);
		break;
	case AXVCPU_EXIT_MMIO_READ:
		add(text, " at %#" PRIx64 " width %u", exit->u.mmio.addr, exit->u.mmio.width);
		break;
	case AXVCPU_EXIT_MMIO_WRITE:
		add(text, " at %#" PRIx64 " width %u data %#" PRIx64, exit->u.mmio.addr,
		    exit->u.mmio.width, exit->u.mmio.data);
		break;
	case AXVCPU_EXIT_SYSREG_READ:
		add(text, " %#" PRIx64, exit->u.sysreg.addr);
		break;
	case AXVCPU_EXIT_SYSREG_WRITE:
		add(text, " %#" PRIx64 " value %#" PRIx64 " mask %#" PRIx64, exit->u.sysreg.addr,
		    exit->u.sysreg.value, exit->u.sysreg.write_mask);
		break;
	case AXVCPU_EXIT_IO_READ:
		add(text, " port %#x width %u count %" PRIu32, exit->u.io.port, exit->u.io.width,
		    exit->u.io.count);
		break;
	case AXVCPU_EXIT_IO_WRITE:
		add(text, " port %#x width %u count %" PRIu32 " data %#" PRIx64, exit->u.io.port,
		    exit->u.io.width, exit->u.io.count, exit->u.io.data);
		break;
	case AXVCPU_EXIT_EXTERNAL_INTERRUPT:
		add(text, " vector %" PRIu64, exit->u.external_interrupt.vector);
		break;
	case AXVCPU_EXIT_EOI:
		add(text, " vector %" PRIu64, exit->u.eoi.vector);
		break;
	case AXVCPU_EXIT_NESTED_PAGE_FAULT:
		add_page_fault(text, &exit->u.page_fault);
		break;
	case AXVCPU_EXIT_CPU_UP:
		add_cpu_up(text, &exit->u.cpu_up);
		break;
	case AXVCPU_EXIT_CPU_DOWN:
		add(text, " state %#" PRIx64, exit->u.cpu_down.state);
		break;
	case AXVCPU_EXIT_FAIL_ENTRY:
		add(text, " reason %#" PRIx64 " cpu %" PRIu64, exit->u.fail_entry.reason,
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
	case AXVCPU_EXIT_NOTIFY:
		add(text, " flags %#" PRIx64, exit->raw_code);
		break;
	case AXVCPU_EXIT_UNHANDLED:
		add(text, " reason %" PRIu64 " code %#" PRIx64, exit->raw_reason, exit->raw_code);
		break;
	default:
		break;
	}
}

int axvcpu_exit_describe(const struct axvcpu_exit *exit, char *buf, size_t len)
{
	struct text text = { buf, buf ? len : 0, 0 };

	add(&text, "%s", axvcpu_exit_name(exit->kind));
	add_fields(&text, exit);
	if (exit->kicked)
		add(&text, " (kicked)");
	return (int)text.used;
}
