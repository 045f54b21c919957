/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * How late a run ends after its deadline: axvcpu_run_until() beside a timer, a signal handler and
 * immediate_exit by hand, in turns. x86_64.
 *
 *     deadline [RUNS]
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "bench.h"
#include "guest.h"
#include "raw.h"

#define RUNS 4000u
/* In turns of so many, so that both meet the same load of the machine. */
#define TURN 20u
#define SLICE_NS 200000

static struct raw_vm raw;

static void on_timer(int sig)
{
	(void)sig;
	__atomic_store_n(&raw.run->immediate_exit, 1, __ATOMIC_SEQ_CST);
}

static void run_axvcpu(struct axvcpu *vcpu, double deadline)
{
	struct axvcpu_exit exit;

	do
		check(axvcpu_run_until(vcpu, (int64_t)deadline, &exit));
	while (exit.kind != AXVCPU_EXIT_DEADLINE);
}

static void run_raw(timer_t timer, double deadline)
{
	const int64_t ns = (int64_t)deadline;
	const struct itimerspec at = { .it_value = { ns / 1000000000, ns % 1000000000 } };

	if (timer_settime(timer, TIMER_ABSTIME, &at, NULL))
		die("timer_settime: %s", strerror(errno));
	while (!ioctl(raw.vcpu, KVM_RUN, 0) || errno == EINTR)
		if (__atomic_exchange_n(&raw.run->immediate_exit, 0, __ATOMIC_SEQ_CST))
			return;
	die("KVM_RUN: %s", strerror(errno));
}

int main(int argc, char **argv)
{
	static const struct guest_code spin = { .mode = AXVCPU_MODE_32,
						.code = "\xeb\xfe",
						.len = 2 };
	const struct sigaction action = { .sa_handler = on_timer };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	unsigned int runs = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : RUNS;
	double *late[2] = { malloc(runs * sizeof(double)), malloc(runs * sizeof(double)) };
	static const char *const names[] = { "axvcpu", "raw" };
	struct guest guest;
	size_t n[2] = { 0 };
	timer_t timer;

	if (argc > 2 || runs < 2 * TURN)
		die("usage: deadline [RUNS]");
	if (!late[0] || !late[1] || sigaction(SIGUSR1, &action, NULL) ||
	    timer_create(CLOCK_MONOTONIC, &event, &timer))
		die("no memory or no timer");
	guest_new(&guest, &spin);
	raw_new(&raw, &spin);
	for (unsigned int i = 0; i < runs; i++) {
		unsigned int how = i / TURN % 2;
		double deadline = now_ns() + SLICE_NS;

		if (how)
			run_raw(timer, deadline);
		else
			run_axvcpu(guest.vcpu, deadline);
		late[how][n[how]++] = now_ns() - deadline;
	}
	printf("from the deadline to the return  p50 ns    p99 ns\n");
	for (int how = 0; how < 2; how++) {
		printf("  %-27s %9.0f %9.0f\n", names[how], quantile(late[how], n[how], 0.5),
		       quantile(late[how], n[how], 0.99));
		free(late[how]);
	}
	raw_free(&raw);
	guest_free(&guest);
	return 0;
}
