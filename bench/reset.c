/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Resets of a VM to a checkpoint, as a fuzzer makes them after each run: beside the same by bare system
 * calls, in turns; beside a new VM; the cost of each part; and what recording changed pages costs a
 * run. x86_64.
 *
 *     reset [ROUNDS]
 *     reset axvcpu|raw least|all PAGES N     for bench/exit-cost, which counts system calls
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "bench.h"
#include "guest.h"
#include "raw.h"
#include "raw_reset.h"

#define ROUNDS 400u
#define PORT 0x10
#define MEMORY 0x400000u
/* The pages that the guest changes begin here. */
#define PAGES_AT 0x100000u
#define PAGES_MAX 512u

/* --- the guest -------------------------------------------------------------------------------- */

/*
 *	mov $pages, %ecx
 *	mov $PAGES_AT, %esi
 *	xor %eax, %eax
 * 1:	incl (%esi)
 *	add (%esi), %eax
 *	add $0x1000, %esi
 *	dec %ecx
 *	jnz 1b
 *	out %eax, $PORT
 *	jmp from the start
 *
 * So the first run tells the number of pages, and so does each run after a reset.
 */
#define CODE_LEN 29
#define CODE_PAGES_AT 1

struct program {
	unsigned char bytes[CODE_LEN];
	struct guest_code code;
	uint32_t pages;
};

static void make_program(struct program *program, uint32_t pages)
{
	static const unsigned char bytes[CODE_LEN] =
		"\xb9\x00\x00\x00\x00\xbe\x00\x00\x10\x00\x31\xc0\xff\x06\x03\x06\x81\xc6\x00\x10"
		"\x00\x00\x49\x75\xf3\xe7\x10\xeb\xe3";

	if (!pages || pages > PAGES_MAX)
		die("1 to %u pages", PAGES_MAX);
	memcpy(program->bytes, bytes, CODE_LEN);
	memcpy(program->bytes + CODE_PAGES_AT, &pages, sizeof(pages));
	program->code = (struct guest_code){
		.mode = AXVCPU_MODE_32, .code = program->bytes, .len = CODE_LEN, .memory = MEMORY
	};
	program->pages = pages;
}

/* --- the library ------------------------------------------------------------------------------ */

struct own {
	struct guest guest;
	struct axvm_checkpoint *checkpoint;
};

/* Runs to the write, and returns its value. */
static uint64_t run_own(struct axvcpu *vcpu)
{
	struct axvcpu_exit exit;

	do
		check(axvcpu_run(vcpu, &exit));
	while (exit.kind == AXVCPU_EXIT_NOTHING);
	if (exit.kind != AXVCPU_EXIT_IO_WRITE || exit.u.io.port != PORT)
		die("the library's guest: unexpected exit %s", axvcpu_exit_name(exit.kind));
	return exit.u.io.data;
}

/* AXVM_TIME_KEEP if this KVM cannot set the clocks; the raw VM keeps them then, too. */
static uint32_t time_policy = AXVM_TIME_FREEZE;

static void reset_own(struct own *own, const struct axvm_restore_config *config)
{
	if (axvm_checkpoint_restore(own->checkpoint, own->guest.vm, config) < 0)
		die("%s", axvcpu_last_error());
}

static struct axvm_restore_config config_without(uint32_t parts)
{
	struct axvm_restore_config config = AXVM_RESTORE_CONFIG_INIT;

	config.without = parts;
	config.time_policy = time_policy;
	return config;
}

static struct axvm_restore_config config_of_least(void)
{
	struct axvm_restore_config config = config_without(AXVCPU_PARTS);

	config.flags = AXVM_RESTORE_NO_CONTROLLERS | AXVM_RESTORE_NO_DEVICES;
	config.time_policy = AXVM_TIME_KEEP;
	return config;
}

static void own_begin(struct own *own, const struct guest_code *code)
{
	struct axvm_checkpoint_config config = AXVM_CHECKPOINT_CONFIG_INIT;
	struct axvm_restore_config all = config_without(0);

	config.flags = AXVM_CHECKPOINT_TRACK;
	guest_new(&own->guest, code);
	check(axvm_quiesce(own->guest.vm, NULL, 0));
	check(axvm_checkpoint_new(own->guest.vm, &config, &own->checkpoint));
	/* The first one prepares the others. */
	if (axvm_checkpoint_restore(own->checkpoint, own->guest.vm, &all) != -ENOTSUP)
		return;
	all.time_policy = time_policy = AXVM_TIME_KEEP;
	reset_own(own, &all);
}

static void own_end(struct own *own)
{
	check(axvm_checkpoint_free(own->checkpoint));
	guest_free(&own->guest);
}

/* A run and a reset. Returns the nanoseconds of the reset. */
static double round_own(struct own *own, uint32_t pages, const struct axvm_restore_config *config)
{
	double ns;

	if (run_own(own->guest.vcpu) != pages)
		die("the library's reset has left changed pages");
	ns = now_ns();
	reset_own(own, config);
	return now_ns() - ns;
}

/* --- without it ------------------------------------------------------------------------------- */

struct bare {
	struct raw_vm raw;
	struct raw_state *state;
};

static void bare_begin(struct bare *bare, const struct guest_code *code)
{
	raw_new(&bare->raw, code);
	bare->state = raw_save(&bare->raw);
}

static void bare_end(struct bare *bare)
{
	raw_state_free(bare->state);
	raw_free(&bare->raw);
}

static double round_bare(struct bare *bare, uint32_t pages, bool all)
{
	struct kvm_run *run = bare->raw.run;
	uint32_t value;
	double ns;

	if (ioctl(bare->raw.vcpu, KVM_RUN, 0) || run->exit_reason != KVM_EXIT_IO)
		die("the raw guest: unexpected exit reason %u", run->exit_reason);
	memcpy(&value, (unsigned char *)run + run->io.data_offset, sizeof(value));
	if (value != pages)
		die("the raw reset has left changed pages");
	ns = now_ns();
	raw_reset(&bare->raw, bare->state, all);
	return now_ns() - ns;
}

/* --- side by side ----------------------------------------------------------------------------- */

static double *times(size_t n)
{
	double *ns = calloc(n, sizeof(*ns));

	if (!ns)
		die("no memory");
	return ns;
}

static void compare(uint32_t pages, bool all, size_t rounds)
{
	struct axvm_restore_config config;
	double *own_ns = times(rounds), *bare_ns = times(rounds), *ratio = times(rounds);
	struct program program;
	struct own own;
	struct bare bare;

	make_program(&program, pages);
	own_begin(&own, &program.code);
	config = all ? config_without(0) : config_of_least();
	bare_begin(&bare, &program.code);
	/* Each has a turn to warm caches up. */
	round_own(&own, pages, &config);
	round_bare(&bare, pages, all);
	for (size_t i = 0; i < rounds; i++) {
		if (i % 2)
			own_ns[i] = round_own(&own, pages, &config);
		bare_ns[i] = round_bare(&bare, pages, all);
		if (!(i % 2))
			own_ns[i] = round_own(&own, pages, &config);
		ratio[i] = own_ns[i] / bare_ns[i];
	}
	bare_end(&bare);
	own_end(&own);
	printf("%-5s %8u %10.1f %10.1f %8.2f   goal: %s\n", all ? "all" : "least", pages,
	       quantile(own_ns, rounds, 0.5) / 1e3, quantile(bare_ns, rounds, 0.5) / 1e3,
	       quantile(ratio, rounds, 0.5),
	       pages == 3	    ? "1.30"
	       : pages == PAGES_MAX ? "1.05"
				    : "-");
	free(own_ns);
	free(bare_ns);
	free(ratio);
}

/* --- beside a new VM -------------------------------------------------------------------------- */

static void compare_with_new(size_t rounds)
{
	static const char *const names[] = { "reset, least", "reset, all" };
	const size_t new_rounds = rounds / 10 + 1;
	struct program program;
	double ns;

	make_program(&program, 3);
	printf("%-16s %10s\n", "run, and then", "per second");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct axvm_restore_config config;
		struct own own;

		own_begin(&own, &program.code);
		config = i ? config_without(0) : config_of_least();
		ns = now_ns();
		for (size_t n = 0; n < rounds; n++)
			round_own(&own, program.pages, &config);
		ns = now_ns() - ns;
		own_end(&own);
		printf("%-16s %10.0f\n", names[i], (double)rounds * 1e9 / ns);
	}
	ns = now_ns();
	for (size_t n = 0; n < new_rounds; n++) {
		struct guest guest;

		guest_new(&guest, &program.code);
		run_own(guest.vcpu);
		guest_free(&guest);
	}
	ns = now_ns() - ns;
	printf("%-16s %10.0f\n", "a new VM", (double)new_rounds * 1e9 / ns);
}

/* --- the parts -------------------------------------------------------------------------------- */

static double median_of(struct own *own, const struct axvm_restore_config *config, size_t rounds)
{
	double *ns = times(rounds), median;

	for (size_t i = 0; i < rounds; i++)
		ns[i] = round_own(own, 3, config);
	median = quantile(ns, rounds, 0.5);
	free(ns);
	return median;
}

/* How much less a reset costs without each part. */
static void print_parts(size_t rounds)
{
	static const struct {
		const char *name;
		uint32_t without;
		uint32_t flags;
		bool keeps_time;
	} parts[] = {
		{ "FPU", AXVCPU_PART_FPU, 0, false },
		{ "SYSTEM", AXVCPU_PART_SYSTEM, 0, false },
		{ "INTERRUPTS", AXVCPU_PART_INTERRUPTS, 0, false },
		{ "TIMERS", AXVCPU_PART_TIMERS, 0, false },
		{ "EVENTS", AXVCPU_PART_EVENTS, 0, false },
		{ "controllers", 0, AXVM_RESTORE_NO_CONTROLLERS, false },
		{ "clocks", 0, 0, true },
	};
	struct axvm_restore_config all, least = config_of_least();
	struct program program;
	struct own own;
	double total;

	make_program(&program, 3);
	program.code.irqchip = AXVM_IRQCHIP_KERNEL;
	own_begin(&own, &program.code);
	all = config_without(0);
	total = median_of(&own, &all, rounds);
	printf("%-16s %10s\n", "in-kernel irqchip", "us");
	printf("%-16s %10.1f\n", "all", total / 1e3);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		struct axvm_restore_config config = config_without(parts[i].without);

		config.flags = parts[i].flags;
		if (parts[i].keeps_time)
			config.time_policy = AXVM_TIME_KEEP;
		printf("  %-14s %10.1f\n", parts[i].name,
		       (total - median_of(&own, &config, rounds)) / 1e3);
	}
	printf("%-16s %10.1f\n", "least", median_of(&own, &least, rounds) / 1e3);
	own_end(&own);
}

/* --- recording changes ------------------------------------------------------------------------ */

enum recording { NO_RECORDING, BITMAP, RING };

static void take_dirty(struct axvm *vm)
{
	struct axvm_dirty_range ranges[64];
	uint64_t cursor = 0;
	int n;

	do {
		n = axvm_take_dirty(vm, &cursor, ARRAY_SIZE(ranges), ranges);
		check(n);
	} while (n);
}

/* Runs in which the guest writes to the pages; they are taken off the clock. */
static double median_run(const struct program *program, enum recording recording, size_t rounds)
{
	double *ns = times(rounds), median;
	struct guest_code code = program->code;
	struct guest guest;

	code.dirty_ring_entries = recording == RING ? 4096 : 0;
	guest_new(&guest, &code);
	if (recording != NO_RECORDING)
		check(axvm_set_dirty_log(guest.vm, 0, MEMORY, true));
	run_own(guest.vcpu);
	for (size_t i = 0; i < rounds; i++) {
		if (recording != NO_RECORDING)
			take_dirty(guest.vm);
		ns[i] = now_ns();
		run_own(guest.vcpu);
		ns[i] = now_ns() - ns[i];
	}
	guest_free(&guest);
	median = quantile(ns, rounds, 0.5);
	free(ns);
	return median;
}

static bool has_rings(void)
{
	const struct guest_code code = { .mode = AXVCPU_MODE_32, .code = "\xf4", .len = 1 };
	struct guest guest;
	bool has;

	guest_new(&guest, &code);
	has = axvm_capability(guest.vm, KVM_CAP_DIRTY_LOG_RING) > 0 ||
	      axvm_capability(guest.vm, KVM_CAP_DIRTY_LOG_RING_ACQ_REL) > 0;
	guest_free(&guest);
	return has;
}

static void print_recording(size_t rounds)
{
	static const uint32_t pages[] = { 3, 64, PAGES_MAX };
	const bool rings = has_rings();

	printf("%-16s %10s %10s %10s\n", "us of a run", "off", "bitmap", "ring");
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		struct program program;

		make_program(&program, pages[i]);
		printf("%4u pages       %10.1f %10.1f", pages[i],
		       median_run(&program, NO_RECORDING, rounds) / 1e3,
		       median_run(&program, BITMAP, rounds) / 1e3);
		if (rings)
			printf(" %10.1f\n", median_run(&program, RING, rounds) / 1e3);
		else
			printf(" %10s\n", "none");
	}
}

/* ---------------------------------------------------------------------------------------------- */

static void count(const char *how, const char *set, uint32_t pages, unsigned long n)
{
	const bool all = !strcmp(set, "all");
	struct axvm_restore_config config;
	struct program program;
	struct own own;
	struct bare bare;

	make_program(&program, pages);
	if (!strcmp(how, "axvcpu")) {
		own_begin(&own, &program.code);
		config = all ? config_without(0) : config_of_least();
		while (n--)
			round_own(&own, pages, &config);
		own_end(&own);
	} else {
		bare_begin(&bare, &program.code);
		while (n--)
			round_bare(&bare, pages, all);
		bare_end(&bare);
	}
}

int main(int argc, char **argv)
{
	static const uint32_t pages[] = { 3, 64, PAGES_MAX };
	const size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : ROUNDS;

	if (argc == 5) {
		count(argv[1], argv[2], (uint32_t)strtoul(argv[3], NULL, 10),
		      strtoul(argv[4], NULL, 10));
		return 0;
	}
	if (argc > 2 || !rounds)
		die("usage: reset [ROUNDS]\n"
		    "       reset axvcpu|raw least|all PAGES N");
	printf("resets, %zu pairs, microseconds (medians)\n", rounds);
	printf("%-5s %8s %10s %10s %8s\n", "parts", "pages", "axvcpu", "raw", "ratio");
	for (int all = 0; all < 2; all++)
		for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
			compare(pages[i], all, rounds);
	printf("\n");
	compare_with_new(rounds);
	printf("\n");
	print_parts(rounds);
	printf("\n");
	print_recording(rounds);
	return 0;
}
