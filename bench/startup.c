/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * From nothing to the first exit of a guest in 64-bit mode: with the library, and by the bare
 * system calls for the same work, in turns. Cleanup after each is off the
 * clock. x86_64.
 *
 *     startup [PAIRS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "bench.h"
#include "guest.h"
#include "raw.h"

/* out %al, $0x10; hlt */
static const struct guest_code code = { .mode = AXVCPU_MODE_64, .code = "\xe6\x10\xf4", .len = 3 };

static double time_axvcpu(void)
{
	struct axvcpu_exit exit;
	struct guest guest;
	double ns = now_ns();

	guest_new(&guest, &code);
	do
		check(axvcpu_run(guest.vcpu, &exit));
	while (exit.kind == AXVCPU_EXIT_NOTHING);
	ns = now_ns() - ns;
	if (exit.kind != AXVCPU_EXIT_IO_WRITE || exit.u.io.data)
		die("the library's guest: unexpected exit %s", axvcpu_exit_name(exit.kind));
	guest_free(&guest);
	return ns;
}

static double time_raw(void)
{
	struct raw_vm raw;
	double ns = now_ns();
	unsigned char data;

	raw_new(&raw, &code);
	if (ioctl(raw.vcpu, KVM_RUN, 0) || raw.run->exit_reason != KVM_EXIT_IO)
		die("the raw guest: unexpected exit reason %u", raw.run->exit_reason);
	/* The value written by the guest is part of the exit. */
	data = ((const volatile unsigned char *)raw.run)[raw.run->io.data_offset];
	ns = now_ns() - ns;
	if (data)
		die("the raw guest has written %u", data);
	raw_free(&raw);
	return ns;
}

int main(int argc, char **argv)
{
	size_t pairs = argc > 1 ? strtoul(argv[1], NULL, 10) : 600;
	double *own = calloc(pairs, sizeof(*own));
	double *raw = calloc(pairs, sizeof(*raw));
	double *ratio = calloc(pairs, sizeof(*ratio));

	if (!own || !raw || !ratio || !pairs)
		die("usage: startup [PAIRS]");
	/* The first of each warms caches up. */
	time_axvcpu();
	time_raw();
	for (size_t i = 0; i < pairs; i++) {
		if (i % 2)
			own[i] = time_axvcpu();
		raw[i] = time_raw();
		if (!(i % 2))
			own[i] = time_axvcpu();
		ratio[i] = own[i] / raw[i];
	}
	printf("from nothing to the first exit, %zu pairs, microseconds\n", pairs);
	printf("%-12s %8s %8s %8s\n", "", "median", "25 %", "75 %");
	printf("%-12s %8.1f %8.1f %8.1f\n", "axvcpu", quantile(own, pairs, 0.5) / 1e3,
	       quantile(own, pairs, 0.25) / 1e3, quantile(own, pairs, 0.75) / 1e3);
	printf("%-12s %8.1f %8.1f %8.1f\n", "raw", quantile(raw, pairs, 0.5) / 1e3,
	       quantile(raw, pairs, 0.25) / 1e3, quantile(raw, pairs, 0.75) / 1e3);
	printf("%-12s %8.3f %8.3f %8.3f   goal: 1.05\n", "ratio", quantile(ratio, pairs, 0.5),
	       quantile(ratio, pairs, 0.25), quantile(ratio, pairs, 0.75));
	free(own);
	free(raw);
	free(ratio);
	return 0;
}
