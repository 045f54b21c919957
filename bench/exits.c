/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Exits in a loop, for bench/exit-cost to count what one costs: with the library, without and with a
 * deadline; with ioctl(); and with the system call inlined, which is the lower bound. x86_64.
 *
 * Or the library's loop with devices for the accesses: one that locks itself, or one that the
 * library locks.
 *
 *     exits MODE KIND N [time]
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "backends/x86_64/arch_syscall.h"
#include "bench.h"
#include "guest.h"
#include "raw.h"

#define PORT 0x10
#define MMIO 0x10000000u
/* The value that the guest writes, and the answer to its reads. */
#define VALUE 0x5a

/* 32-bit code that does the same forever. */
static const struct kind {
	const char *name;
	const char *code;
	size_t len;
} kinds[] = {
	/* mov $VALUE, %al; mov $PORT, %edx; 1: out %al, (%dx); jmp 1b */
	{ "pio-out", "\xb0\x5a\xba\x10\x00\x00\x00\xee\xeb\xfd", 10 },
	/* mov $PORT, %edx; 1: in (%dx), %al; jmp 1b */
	{ "pio-in", "\xba\x10\x00\x00\x00\xec\xeb\xfd", 8 },
	/* mov $VALUE, %eax; 1: mov %eax, MMIO; jmp 1b */
	{ "mmio-write", "\xb8\x5a\x00\x00\x00\xa3\x00\x00\x00\x10\xeb\xf9", 12 },
	/* 1: mov MMIO, %eax; jmp 1b */
	{ "mmio-read", "\xa1\x00\x00\x00\x10\xeb\xf9", 7 },
};

/* --- the library ------------------------------------------------------------------------------ */

static _Noreturn void unexpected(const struct axvcpu_exit *exit)
{
	char text[512];

	axvcpu_exit_describe(exit, text, sizeof(text));
	die("unexpected exit: %s", text);
}

/*
 * The loop that a user of the library writes, each run with this deadline. Returns the sum of the
 * values written and read.
 */
static inline __attribute__((always_inline)) uint64_t
handle_exits(struct axvcpu *vcpu, unsigned long n, const int64_t *deadline)
{
	struct axvcpu_exit exit;
	uint64_t sum = 0;

	for (; n; n--) {
		if (deadline ? axvcpu_run_until(vcpu, *deadline, &exit) : axvcpu_run(vcpu, &exit))
			die("%s", axvcpu_last_error());
		switch (exit.kind) {
		case AXVCPU_EXIT_IO_WRITE:
			if (exit.u.io.port != PORT)
				unexpected(&exit);
			sum += exit.u.io.data;
			break;
		case AXVCPU_EXIT_IO_READ:
			if (exit.u.io.port != PORT || axvcpu_complete_value(vcpu, VALUE))
				unexpected(&exit);
			sum += VALUE;
			break;
		case AXVCPU_EXIT_MMIO_WRITE:
			if (exit.u.mmio.addr != MMIO)
				unexpected(&exit);
			sum += exit.u.mmio.data;
			break;
		case AXVCPU_EXIT_MMIO_READ:
			if (exit.u.mmio.addr != MMIO || axvcpu_complete_value(vcpu, VALUE))
				unexpected(&exit);
			sum += VALUE;
			break;
		case AXVCPU_EXIT_NOTHING:
			n++;
			break;
		default:
			unexpected(&exit);
		}
	}
	return sum;
}

/* Two functions, so that each has the registers to itself. */
static __attribute__((noinline)) uint64_t loop_axvcpu(struct axvcpu *vcpu, unsigned long n)
{
	return handle_exits(vcpu, n, NULL);
}

static __attribute__((noinline)) uint64_t loop_deadline(struct axvcpu *vcpu, unsigned long n,
							int64_t deadline)
{
	return handle_exits(vcpu, n, &deadline);
}

static uint64_t run_axvcpu(const struct guest_code *code, unsigned long n, double *ns, bool until)
{
	const int64_t far = (int64_t)now_ns() + INT64_C(86400000000000);
	struct guest guest;
	uint64_t sum;

	guest_new(&guest, code);
	*ns = now_ns();
	sum = until ? loop_deadline(guest.vcpu, n, far) : loop_axvcpu(guest.vcpu, n);
	*ns = now_ns() - *ns;
	guest_free(&guest);
	return sum;
}

/* --- the library, with a device ----------------------------------------------------------------- */

static int read_device(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
		       uint64_t *value)
{
	uint64_t *sum = ctx;

	(void)vcpu;
	(void)offset;
	(void)width;
	*sum += VALUE;
	*value = VALUE;
	return AXVM_HANDLED;
}

static int write_device(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
			uint64_t value)
{
	uint64_t *sum = ctx;

	(void)vcpu;
	(void)offset;
	(void)width;
	*sum += value;
	return AXVM_HANDLED;
}

static void loop_device(struct axvcpu *vcpu, unsigned long n)
{
	struct axvcpu_exit exit;

	for (; n; n--) {
		if (axvcpu_run(vcpu, &exit))
			die("%s", axvcpu_last_error());
		if (axvcpu_dispatch(vcpu, &exit) > 0)
			continue;
		if (exit.kind != AXVCPU_EXIT_NOTHING)
			unexpected(&exit);
		n++;
	}
}

static uint64_t run_device(const struct guest_code *code, unsigned long n, double *ns,
			   uint32_t flags)
{
	const struct axvm_device_range ranges[] = {
		{ .base = MMIO, .len = 0x1000, .space = AXVM_SPACE_MMIO },
		{ .base = PORT, .len = 1, .space = AXVM_SPACE_PORT },
	};
	struct axvm_device_config config = AXVM_DEVICE_CONFIG_INIT;
	struct guest guest;
	uint64_t sum = 0;

	config.name = "sum";
	config.flags = flags;
	config.ctx = &sum;
	config.ranges = ranges;
	config.nranges = ARRAY_SIZE(ranges);
	config.read = read_device;
	config.write = write_device;
	guest_new(&guest, code);
	check(axvm_add_device(guest.vm, &config, NULL));
	*ns = now_ns();
	loop_device(guest.vcpu, n);
	*ns = now_ns() - *ns;
	guest_free(&guest);
	return sum;
}

/* --- without it ------------------------------------------------------------------------------- */

static inline uint64_t handle_io(struct kvm_run *run)
{
	unsigned char *data = (unsigned char *)run + run->io.data_offset;

	if (run->io.port != PORT)
		die("unexpected port %#x", run->io.port);
	if (run->io.direction == KVM_EXIT_IO_IN)
		*data = VALUE;
	return *data;
}

static inline uint64_t handle_mmio(struct kvm_run *run)
{
	const uint32_t value = VALUE;
	uint32_t data = value;

	if (run->mmio.phys_addr != MMIO)
		die("unexpected address %#llx", run->mmio.phys_addr);
	if (run->mmio.is_write)
		memcpy(&data, run->mmio.data, sizeof(data));
	else
		memcpy(run->mmio.data, &value, sizeof(value));
	return data;
}

static inline uint64_t handle(struct kvm_run *run)
{
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		return handle_io(run);
	case KVM_EXIT_MMIO:
		return handle_mmio(run);
	default:
		die("unexpected exit reason %u", run->exit_reason);
	}
}

static uint64_t loop_glibc(const struct raw_vm *raw, unsigned long n)
{
	uint64_t sum = 0;

	for (; n; n--) {
		if (ioctl(raw->vcpu, KVM_RUN, 0))
			die("KVM_RUN: %s", strerror(errno));
		sum += handle(raw->run);
	}
	return sum;
}

static uint64_t loop_inline(const struct raw_vm *raw, unsigned long n)
{
	uint64_t sum = 0;

	for (; n; n--) {
		if (axv_arch_syscall3(SYS_ioctl, raw->vcpu, KVM_RUN, 0))
			die("KVM_RUN failed");
		sum += handle(raw->run);
	}
	return sum;
}

static uint64_t run_raw(const struct guest_code *code, unsigned long n, double *ns,
			uint64_t (*loop)(const struct raw_vm *raw, unsigned long n))
{
	struct raw_vm raw;
	uint64_t sum;

	raw_new(&raw, code);
	*ns = now_ns();
	sum = loop(&raw, n);
	*ns = now_ns() - *ns;
	raw_free(&raw);
	return sum;
}

/* ---------------------------------------------------------------------------------------------- */

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	die("unknown kind %s", name);
}

int main(int argc, char **argv)
{
	struct guest_code code = { .mode = AXVCPU_MODE_32 };
	const struct kind *kind;
	unsigned long n;
	uint64_t sum;
	double ns;

	if (argc != 4 && argc != 5)
		die("usage: exits axvcpu|deadline|device|locked|glibc|inline "
		    "pio-out|pio-in|mmio-write|mmio-read N "
		    "[time]");
	kind = find_kind(argv[2]);
	code.code = kind->code;
	code.len = kind->len;
	n = strtoul(argv[3], NULL, 10);
	if (!strcmp(argv[1], "axvcpu"))
		sum = run_axvcpu(&code, n, &ns, false);
	else if (!strcmp(argv[1], "deadline"))
		sum = run_axvcpu(&code, n, &ns, true);
	else if (!strcmp(argv[1], "device"))
		sum = run_device(&code, n, &ns, AXVM_DEVICE_SELF_LOCKED);
	else if (!strcmp(argv[1], "locked"))
		sum = run_device(&code, n, &ns, 0);
	else
		sum = run_raw(&code, n, &ns, strcmp(argv[1], "inline") ? loop_glibc : loop_inline);
	if (sum != n * VALUE)
		die("the guest's values do not add up");
	/* Only on request: counted runs must differ in nothing but their exits. */
	if (argc == 5)
		printf("%.0f\n", ns / (double)n);
	return 0;
}
