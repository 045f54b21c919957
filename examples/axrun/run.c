/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <axvcpu/axvcpu.h>

#include "exitdev.h"
#include "exits.h"
#include "message.h"
#include "power.h"
#include "signals.h"
#include "terminal.h"
#include "timer.h"

static void set_console_line(void *ctx, bool level)
{
	struct run *run = ctx;

	if (!axvm_set_irq_line(run->machine.vm, run->cpus.platform->console_gsi, level))
		return;
	fail("cannot set the console's interrupt: %s", axvcpu_last_error());
	outcome_set(&run->outcome, RUN_ERROR, STATUS_ERROR);
	/*
	 * A sleeping guest would not notice an error found by another thread: ask the run loop to
	 * stop.
	 */
	signals_quit();
}

/* Devices that only guest programs know; a kernel could find them by accident. */
static int attach_own(struct run *run, const struct platform *platform)
{
	struct axvm *vm = run->machine.vm;

	if (services_attach(&run->services, vm, platform) ||
	    testdev_attach(&run->testdev, vm, platform->test_gpa, platform->test_port) ||
	    queuedev_attach(&run->queue, vm, platform->queue) ||
	    exitdev_attach(&run->outcome, vm, platform->exit))
		return -1;
	return 0;
}

static int connect_console(struct run *run, const struct platform *platform)
{
	uart_connect(&run->uart, set_console_line, run);
	if (platform->nroutes &&
	    axvm_set_routes(run->machine.vm, platform->routes, platform->nroutes))
		return fail("cannot connect the console's interrupt: %s", axvcpu_last_error());
	return 0;
}

void run_init(struct run *run, const struct options *options)
{
	console_init(&run->console, &run->outcome);
	checkpoint_init(&run->checkpoint, options);
}

int run_prepare(struct run *run, const struct options *options, const struct platform *platform)
{
	struct axvm *vm = run->machine.vm;

	run->trace = options->trace;
	memset(&run->services, 0, sizeof(run->services));
	cpus_make(&run->cpus, &run->machine, platform, &run->outcome);
	if (uart_attach(&run->uart, &run->console, vm, platform->console) ||
	    checkpoint_attach(run, platform) || (!options->kernel && attach_own(run, platform)) ||
	    (platform->acpi_size && power_attach(&run->outcome, vm, platform->power)))
		return -1;
	if (run->machine.irqchip == AXVM_IRQCHIP_KERNEL)
		return connect_console(run, platform);
	if (run->machine.irqchip == AXVM_IRQCHIP_NONE)
		return timer_attach(&run->cpus, vm);
	return 0;
}

/* --- in the vCPUs' threads -------------------------------------------------------------------- */

static void trace(const struct run *run, const struct cpu *cpu, const struct axvcpu_exit *ex)
{
	char text[256], who[24] = "";

	if (run->cpus.n > 1)
		snprintf(who, sizeof(who), "vCPU %" PRIu32 " ", axvcpu_id(cpu->vcpu));
	axvcpu_exit_describe(ex, text, sizeof(text));
	fprintf(stderr, "axrun: trace: %.6f %s%s\n", stats_elapsed(&run->stats), who, text);
}

static int on_exit(struct axvcpu *vcpu, struct axvcpu_exit *ex, void *ctx)
{
	struct run *run = ctx;
	struct cpu *cpu = &run->cpus.cpu[axvcpu_id(vcpu)];

	if (!cpu->thread_started) {
		cpu->thread_started = true;
		signals_thread_start();
	}
	stats_count(&cpu->stats, ex->kind);
	if (run->trace)
		trace(run, cpu, ex);
	exits_handle(run, cpu, ex);
	cpus_attend(&run->cpus, cpu);
	if (ex->kicked && signals_take_tick())
		uart_flush(&run->uart);
	if (!outcome_open(&run->outcome) || checkpoint_rung(&run->checkpoint))
		return AXVM_STOP;
	return AXVM_CONTINUE;
}

/* --- in the main thread ----------------------------------------------------------------------- */

static void give_up(struct run *run, const char *what)
{
	fail("cannot %s: %s", what, axvcpu_last_error());
	outcome_set(&run->outcome, RUN_ERROR, STATUS_ERROR);
}

static void look_at_signals(struct run *run)
{
	if (signals_caught()) {
		if (outcome_set(&run->outcome, RUN_SIGNAL, 128 + signals_caught()))
			run->outcome.signal = signals_caught();
	} else if (signals_asked_to_quit()) {
		outcome_set(&run->outcome, RUN_QUIT, STATUS_QUIT);
	} else if (signals_stop()) {
		outcome_set(&run->outcome, RUN_TIMEOUT, STATUS_TIMEOUT);
	}
}

static void run_vcpus(struct run *run)
{
	struct axvm_runner_config config = AXVM_RUNNER_CONFIG_INIT;
	struct axvm_runner *runner;
	uint32_t i;

	for (i = 0; i < run->cpus.n; i++)
		run->cpus.cpu[i].thread_started = false;
	config.handler = on_exit;
	/* It counts and traces all exits, also those of devices. */
	config.flags = AXVM_RUNNER_ALL_EXITS;
	config.ctx = run;
	config.vcpus = run->machine.vcpus;
	config.nvcpus = run->machine.ncpus;
	if (axvm_runner_start(run->machine.vm, &config, &runner)) {
		give_up(run, "start the vCPUs");
		return;
	}
	signals_watch(runner, run->machine.vcpus[0]);
	/* Signals that came before signals_watch() only set a flag. */
	if (signals_stop() || signals_asked_to_save())
		axvm_runner_stop(runner);
	if (axvm_runner_join(runner, -1))
		give_up(run, "run the guest");
	signals_watch(NULL, NULL);
	axvm_runner_free(runner);
}

static void run_machine(struct run *run, bool timers)
{
	pthread_t timer;

	if (timers && timer_start(&run->cpus, &timer)) {
		outcome_set(&run->outcome, RUN_ERROR, STATUS_ERROR);
		return;
	}
	if (input_start(&run->input, &run->uart, &run->console)) {
		outcome_set(&run->outcome, RUN_ERROR, STATUS_ERROR);
	} else {
		run_vcpus(run);
		input_stop(&run->input);
	}
	if (timers)
		timer_stop(&run->cpus, timer);
}

static void sum_up(struct run *run)
{
	uint32_t i;

	stats_stop(&run->stats);
	for (i = 0; i < run->cpus.n; i++) {
		stats_add(&run->stats, &run->cpus.cpu[i].stats);
		stats_add(&run->cpu_stats[i], &run->cpus.cpu[i].stats);
	}
	if (run->outcome.ending == RUN_CRASH)
		crash_collect(&run->crash, &run->machine, run->last_vcpu, &run->last_exit);
	if (run->outcome.ending == RUN_TIMEOUT)
		where_collect(&run->where, &run->machine, run->cpus.platform);
}

/*
 * Writes the rest of the output. Lost output outranks the exit status that the guest chose, except
 * after a crash.
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

void run_begin(struct run *run, const struct options *options)
{
	bool raw = options->kernel || options->raw_keys;

	run->console.has_escape = terminal_open(raw ? TERMINAL_RAW : TERMINAL_SIGNALS) && raw;
	if (run->console.has_escape && !options->json && isatty(STDERR_FILENO))
		console_greet();
	if (options->timeout_ns)
		signals_set_deadline(options->timeout_ns);
	if (options->save_path)
		signals_allow_save(options->save_after_ns);
	stats_start(&run->stats);
	checkpoint_add_stats(run);
	run->console.in_use = true;
}

void run_guest(struct run *run)
{
	do
		run_machine(run, run->machine.irqchip == AXVM_IRQCHIP_NONE);
	while (checkpoint_attend(run));
	look_at_signals(run);
	sum_up(run);
}

void run_end(struct run *run)
{
	write_rest(run);
	terminal_restore();
}
