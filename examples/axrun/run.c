/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "run.h"

#include <inttypes.h>
#include <stdio.h>

#include <axvcpu/axvcpu.h>

#include "exitdev.h"
#include "message.h"
#include "signals.h"
#include "terminal.h"

/* The most that a string instruction reads in one exit: KVM's buffer for it is a page. */
#define STRING_MAX 4096

int run_prepare(struct run *run, const struct options *options, const struct platform *platform)
{
	run->trace = options->trace;
	console_init(&run->console, &run->outcome);
	if (uart_attach(&run->uart, &run->console, &run->bus) ||
	    testdev_attach(&run->testdev, &run->bus, platform->test_gpa) ||
	    exitdev_attach(&run->outcome, &run->bus))
		return -1;
	return 0;
}

static void give_up(struct run *run, const char *what)
{
	fail("cannot %s: %s", what, axvcpu_last_error());
	outcome_set(&run->outcome, RUN_ERROR, STATUS_ERROR);
}

static void note_unclaimed(const char *what, uint64_t addr, unsigned int width)
{
	log_message(AXVCPU_LOG_DEBUG, "nobody claims %s 0x%" PRIx64 ", %u bytes", what, addr,
		    width);
}

static void answer(struct run *run, uint64_t value)
{
	if (axvcpu_complete_value(run->machine.vcpu, value))
		give_up(run, "answer the guest");
}

/* REP INS: as many reads of the port as there are items. */
static void read_string(struct run *run, const struct axvcpu_exit_io *io)
{
	uint8_t items[STRING_MAX];
	uint64_t value;
	uint32_t i;
	unsigned int byte;

	/* Without an answer it reads all ones. */
	if (io->width == 0 || io->count > sizeof(items) / io->width)
		return;
	for (i = 0; i < io->count; i++) {
		bus_read(&run->bus, BUS_PORT, io->port, io->width, &value);
		for (byte = 0; byte < io->width; byte++)
			items[i * io->width + byte] = (uint8_t)(value >> 8 * byte);
	}
	if (axvcpu_complete_bytes(run->machine.vcpu, items, (size_t)io->count * io->width))
		give_up(run, "answer the guest");
}

static void read_port(struct run *run, const struct axvcpu_exit_io *io)
{
	uint64_t value;

	if (io->count != 1) {
		read_string(run, io);
		return;
	}
	if (!bus_read(&run->bus, BUS_PORT, io->port, io->width, &value))
		note_unclaimed("port", io->port, io->width);
	answer(run, value);
}

static void write_port(struct run *run, const struct axvcpu_exit_io *io)
{
	if (!bus_write(&run->bus, BUS_PORT, io->port, io->width, io->data))
		note_unclaimed("port", io->port, io->width);
}

static void read_mmio(struct run *run, const struct axvcpu_exit_mmio *mmio)
{
	uint64_t value;

	if (!bus_read(&run->bus, BUS_MMIO, mmio->addr, mmio->width, &value))
		note_unclaimed("address", mmio->addr, mmio->width);
	answer(run, value);
}

static void write_mmio(struct run *run, const struct axvcpu_exit_mmio *mmio)
{
	if (!bus_write(&run->bus, BUS_MMIO, mmio->addr, mmio->width, mmio->data))
		note_unclaimed("address", mmio->addr, mmio->width);
}

/* What this machine lacks: the guest is told so, in the way that its architecture has for it. */
static void refuse(struct run *run, const struct axvcpu_exit *exit)
{
	if (exit->answerable && axvcpu_complete_fault(run->machine.vcpu))
		log_message(AXVCPU_LOG_INFO, "%s takes no fault: it gets its default answer",
			    axvcpu_exit_name(exit->kind));
}

static void crash(struct run *run, const struct axvcpu_exit *exit)
{
	outcome_set(&run->outcome, RUN_CRASH, STATUS_CRASH);
	crash_collect(&run->crash, &run->machine, exit);
}

static void handle(struct run *run, const struct axvcpu_exit *exit)
{
	switch (exit->kind) {
	case AXVCPU_EXIT_IO_READ:
		read_port(run, &exit->u.io);
		break;
	case AXVCPU_EXIT_IO_WRITE:
		write_port(run, &exit->u.io);
		break;
	case AXVCPU_EXIT_MMIO_READ:
		read_mmio(run, &exit->u.mmio);
		break;
	case AXVCPU_EXIT_MMIO_WRITE:
		write_mmio(run, &exit->u.mmio);
		break;
	case AXVCPU_EXIT_NOTHING:
	case AXVCPU_EXIT_EXTERNAL_INTERRUPT:
		break;
	case AXVCPU_EXIT_HYPERCALL:
	case AXVCPU_EXIT_SYSREG_READ:
	case AXVCPU_EXIT_SYSREG_WRITE:
		refuse(run, exit);
		break;
	case AXVCPU_EXIT_CPU_UP:
	case AXVCPU_EXIT_SEND_IPI:
		/* There is no other CPU. */
		break;
	case AXVCPU_EXIT_HALT:
		/* No interrupt controller, no timer: nothing can ever wake it. */
		outcome_set(&run->outcome, RUN_HALT, 0);
		break;
	case AXVCPU_EXIT_CPU_DOWN:
	case AXVCPU_EXIT_SYSTEM_DOWN:
		outcome_set(&run->outcome, RUN_POWER_OFF, 0);
		break;
	case AXVCPU_EXIT_SYSTEM_RESET:
		outcome_set(&run->outcome, RUN_RESET, 0);
		break;
	default:
		crash(run, exit);
		break;
	}
}

static void look_at_signals(struct run *run)
{
	if (signals_take_tick())
		console_flush(&run->console);
	if (!signals_stop())
		return;
	if (signals_caught()) {
		outcome_set(&run->outcome, RUN_SIGNAL, 128 + signals_caught());
		run->outcome.signal = signals_caught();
	} else {
		outcome_set(&run->outcome, RUN_TIMEOUT, STATUS_TIMEOUT);
	}
}

static void trace(const struct stats *stats, const struct axvcpu_exit *exit)
{
	char text[256];

	axvcpu_exit_describe(exit, text, sizeof(text));
	fprintf(stderr, "axrun: trace: %.6f %s\n", stats_elapsed(stats), text);
}

static void loop(struct run *run)
{
	struct axvcpu *vcpu = run->machine.vcpu;
	struct axvcpu_exit exit;

	while (run->outcome.ending == RUN_ON) {
		if (axvcpu_run(vcpu, &exit)) {
			give_up(run, "run the guest");
			break;
		}
		stats_count(&run->stats, exit.kind);
		if (run->trace)
			trace(&run->stats, &exit);
		handle(run, &exit);
		if (exit.kicked)
			look_at_signals(run);
	}
}

/*
 * The end of the output. If it gets lost, that outranks what the guest wanted to be its status;
 * only a crash is still worse.
 */
static void write_rest(struct run *run)
{
	if (console_close(&run->console) || run->outcome.ending == RUN_CRASH)
		return;
	run->outcome.ending = RUN_ON;
	if (failure())
		outcome_set(&run->outcome, RUN_ERROR, STATUS_ERROR);
	else
		look_at_signals(run);
}

void run_guest(struct run *run, const struct options *options)
{
	struct axvcpu *vcpu = run->machine.vcpu;

	if (axvcpu_bind(vcpu)) {
		give_up(run, "bind the vCPU");
		return;
	}
	terminal_open();
	if (options->timeout_ns)
		signals_set_deadline(options->timeout_ns);
	signals_watch(vcpu);
	stats_start(&run->stats);
	/* What came before the vCPU could be kicked has left a mark only. */
	look_at_signals(run);
	loop(run);
	stats_stop(&run->stats);
	write_rest(run);
	signals_watch(NULL);
	terminal_restore();
	/* The vCPU is not used any more: whether it can finish its last exit does not matter. */
	axvcpu_unbind(vcpu);
}
