/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Checkpoints of guests that are not just between two exits: vCPUs that wait to be started, sleep, or
 * had their last exit; interrupts that wait; messages on their way; memory that the host has written;
 * another time. Each is the same again in place, in clones, and in clones of a file. Equal on every
 * architecture. Needs a working /dev/kvm, and for messages a KVM with a controller that takes them.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"
#include "suite.h"

static struct axvm *origin;
static struct axvm_checkpoint *checkpoint;

/* --- the ways to continue --------------------------------------------------------------------- */

/* The second restore in place uses states that the first one has prepared. */
enum way { IN_PLACE, IN_PLACE_AGAIN, CLONE, CLONE_OF_FILE, WAYS };

static void take(struct axvm *vm, uint32_t flags)
{
	origin = vm;
	ck_ok(axvm_quiesce(vm, NULL, 0));
	ck_ok(axvm_checkpoint_new(vm, &AXVCPU_WITH(axvm_checkpoint_config, .flags = flags),
				  &checkpoint));
}

static int try_restore(uint32_t policy)
{
	return (int)axvm_checkpoint_restore(checkpoint, origin,
					    &AXVCPU_WITH(axvm_restore_config,
							 .time_policy = policy));
}

static int try_clone(const struct axvm_checkpoint *from, uint32_t policy, struct axvm **vm)
{
	return axvm_checkpoint_clone(from, &AXVCPU_WITH(axvm_clone_config, .time_policy = policy),
				     vm);
}

static int try_clone_of_file(uint32_t policy, struct axvm **vm)
{
	const int file = memfd_create("checkpoint", MFD_CLOEXEC);
	struct axvm_checkpoint *copy;
	int ret;

	ck_assert_int_ge(file, 0);
	ck_ok(axvm_checkpoint_write(checkpoint, file));
	ck_ok(axvm_checkpoint_read(file, &copy));
	close(file);
	ret = try_clone(copy, policy, vm);
	ck_ok(axvm_checkpoint_free(copy));
	return ret;
}

static int try_way(enum way way, uint32_t policy, struct axvm **vm)
{
	*vm = origin;
	switch (way) {
	case CLONE:
		return try_clone(checkpoint, policy, vm);
	case CLONE_OF_FILE:
		return try_clone_of_file(policy, vm);
	default:
		return try_restore(policy);
	}
}

/* The VM that continues. The calling thread has its vCPUs. */
static struct axvm *go(enum way way)
{
	struct axvm *vm;
	int ret = try_way(way, AXVM_TIME_FREEZE, &vm);

	/* Some KVMs of x86_64 have no TSC offset. */
	if (ret == -ENOTSUP)
		ret = try_way(way, AXVM_TIME_KEEP, &vm);
	ck_ok(ret);
	for (uint32_t id = 0; vm != origin && axvm_vcpu(vm, id); id++)
		ck_ok(axvcpu_bind(axvm_vcpu(vm, id)));
	return vm;
}

static struct guest guest_of(struct axvm *vm, uint32_t id)
{
	return (struct guest){ .vm = vm, .vcpu = axvm_vcpu(vm, id) };
}

static void end_vm(struct axvm *vm)
{
	struct axvcpu *vcpu;

	for (uint32_t id = 0; (vcpu = axvm_vcpu(vm, id)); id++) {
		if (axvcpu_state(vcpu) == AXVCPU_READY)
			ck_ok(axvcpu_unbind(vcpu));
		ck_ok(axvcpu_free(vcpu));
	}
	ck_ok(axvm_free(vm));
}

/* After go(): a clone is freed. */
static void leave(struct axvm *vm)
{
	if (vm != origin)
		end_vm(vm);
}

static void end(void)
{
	ck_ok(axvm_checkpoint_free(checkpoint));
	end_vm(origin);
}

/* --- every exit of every program -------------------------------------------------------------- */

/* The argument of the programs: two addresses for "copy", two vectors for "vectors". */
#define ARG (GUEST_BASE + 0x3000)
#define VALUE_AT (ARG + 0x100)
#define TARGET (GUEST_BASE + 0x20000)

struct program {
	const unsigned char *code;
	const uint32_t *len;
};
#define PROGRAM_OF(name) \
	{ \
		guest_##name, &guest_##name##_size \
	}
static const struct program programs[] = { PROGRAM_OF(life), PROGRAM_OF(widths), PROGRAM_OF(stores),
					   PROGRAM_OF(copy), PROGRAM_OF(vectors) };
#define PROGRAMS (sizeof(programs) / sizeof(programs[0]))

/* What a program has done. */
#define EXITS_MAX 64
#define MEMORY_LEN 0x20000u
struct record {
	struct {
		uint64_t addr, data;
		uint32_t kind, width;
	} exits[EXITS_MAX];
	size_t count;
	unsigned char memory[MEMORY_LEN];
};
static struct record whole, rest;

/* Where no other data is than that of the programs. */
#define MEMORY_AT ARG

static struct guest start_program(const struct program *program, uint32_t irqchip)
{
	const uint64_t args[2] = { VALUE_AT, TARGET }, value = UINT64_C(0x1122334455667788);
	struct guest guest;

	guest.vm = guest_vm(&AXVCPU_WITH(axvm_config, .irqchip = irqchip), program->code,
			    *program->len);
	guest.vcpu = guest_vcpu(guest.vm, 0, ARG);
	ck_ok(axvm_write(guest.vm, ARG, args, sizeof(args)));
	ck_ok(axvm_write(guest.vm, VALUE_AT, &value, sizeof(value)));
	ck_ok(axvm_finalize(guest.vm));
	ck_ok(axvcpu_bind(guest.vcpu));
	return guest;
}

/* Runs to the next exit, which is added to the record. Returns false at the end of the program. */
static bool record_exit(struct guest *guest, struct record *record)
{
	const struct axvcpu_exit *exit = &guest->exit;
	const size_t n = record->count++;

	ck_assert_uint_lt(n, EXITS_MAX);
	do
		ck_ok(axvcpu_run(guest->vcpu, &guest->exit));
	while (exit->kind == AXVCPU_EXIT_NOTHING);
	record->exits[n].kind = exit->kind;
	record->exits[n].addr = exit->u.mmio.addr;
	record->exits[n].width = exit->u.mmio.width;
	if (exit->kind == AXVCPU_EXIT_MMIO_READ) {
		record->exits[n].data = exit->u.mmio.addr * UINT64_C(0x9e3779b97f4a7c15);
		ck_ok(axvcpu_complete_value(guest->vcpu, record->exits[n].data));
		return true;
	}
	ck_assert_uint_eq(exit->kind, AXVCPU_EXIT_MMIO_WRITE);
	record->exits[n].data = exit->u.mmio.data;
	return exit->u.mmio.addr != GUEST_END;
}

static void record_rest(struct guest *guest, struct record *record)
{
	while (record_exit(guest, record))
		;
	ck_ok(axvm_read(guest->vm, MEMORY_AT, record->memory, MEMORY_LEN));
}

static void expect_same_rest(struct guest *guest, size_t at)
{
	rest.count = 0;
	/* At the end of the program, it writes there again and again. */
	record_rest(guest, &rest);
	ck_assert_uint_eq(rest.count, at < whole.count ? whole.count - at : 1);
	for (size_t i = 0; i < rest.count && at + i < whole.count; i++)
		ck_assert_msg(!memcmp(&rest.exits[i], &whole.exits[at + i], sizeof(rest.exits[0])),
			      "exit %zu differs after %zu", at + i, at);
	ck_assert_mem_eq(rest.memory, whole.memory, MEMORY_LEN);
}

START_TEST(every_program_does_the_same_again_from_each_exit)
{
	const struct program *program = &programs[(size_t)_i % PROGRAMS];
	const uint32_t irqchip = guest_irqchips[(size_t)_i / PROGRAMS];
	struct guest guest = start_program(program, irqchip);

	whole.count = 0;
	record_rest(&guest, &whole);
	guest_end(&guest);
	for (size_t at = 0; at <= whole.count; at++) {
		guest = start_program(program, irqchip);
		rest.count = 0;
		while (rest.count < at)
			record_exit(&guest, &rest);
		take(guest.vm, at % 2 ? AXVM_CHECKPOINT_TRACK : 0);
		expect_same_rest(&guest, at);
		for (enum way way = 0; way < WAYS; way++) {
			struct axvm *vm = go(way);

			guest = guest_of(vm, 0);
			expect_same_rest(&guest, at);
			leave(vm);
		}
		end();
	}
}
END_TEST

/* --- power ------------------------------------------------------------------------------------ */

#define MOST_VCPUS 4

static void run_life(struct axvm *vm, uint32_t id, int first)
{
	struct guest guest = guest_of(vm, id);

	for (int step = first; step < GUEST_LIFE_STEPS; step++)
		guest_expect_life_step(&guest, step);
}

/* vCPUs from 'on' on are started now; the others have made one step. */
static void start_the_others(struct axvm *vm, uint32_t n, uint32_t on)
{
	for (uint32_t id = on; id < n; id++)
		ck_ok(axvcpu_start(axvm_vcpu(vm, id), GUEST_CODE, 0));
	for (uint32_t id = 0; id < n; id++)
		run_life(vm, id, id < on ? 1 : 0);
}

START_TEST(vcpus_that_wait_to_be_started_wait_again)
{
	const uint32_t n = (uint32_t)_i % MOST_VCPUS + 1, on = (n + 1) / 2;
	struct axvm *vm = guest_vm(&AXVCPU_WITH(axvm_config, .max_vcpus = MOST_VCPUS,
						.irqchip = guest_irqchips[_i / MOST_VCPUS]),
				   PROGRAM(life));
	enum axvcpu_power power[MOST_VCPUS];

	for (uint32_t id = 0; id < n; id++)
		id < on ? guest_vcpu_on(vm, id, 0) : guest_vcpu(vm, id, 0);
	ck_ok(axvm_finalize(vm));
	for (uint32_t id = 0; id < n; id++) {
		struct guest guest = guest_of(vm, id);

		ck_ok(axvcpu_bind(guest.vcpu));
		if (id < on)
			guest_expect_life_step(&guest, 0);
		power[id] = axvcpu_power(guest.vcpu);
	}
	take(vm, AXVM_CHECKPOINT_TRACK);
	start_the_others(vm, n, on);
	for (enum way way = 0; way < WAYS; way++) {
		vm = go(way);
		for (uint32_t id = 0; id < n; id++)
			ck_assert_int_eq(axvcpu_power(axvm_vcpu(vm, id)), power[id]);
		start_the_others(vm, n, on);
		leave(vm);
	}
	end();
}
END_TEST

START_TEST(a_last_exit_is_the_last_one_again)
{
	struct guest guest;

	/* Before it, and after it. */
	for (int after = 0; after < 2; after++) {
		guest_start_with(&guest, NULL, AXVCPU_MODE_64, PROGRAM(last));
		if (after)
			guest_expect(&guest, GUEST_LAST_EXIT);
		take(guest.vm, AXVM_CHECKPOINT_TRACK);
		if (!after)
			guest_expect(&guest, GUEST_LAST_EXIT);
		for (enum way way = 0; way < WAYS; way++) {
			struct axvm *vm = go(way);

			guest = guest_of(vm, 0);
			if (!after)
				guest_expect(&guest, GUEST_LAST_EXIT);
			ck_fails_saying(axvcpu_run(guest.vcpu, &guest.exit), EBADFD, "terminal");
			leave(vm);
		}
		end();
	}
}
END_TEST

/* --- messages --------------------------------------------------------------------------------- */

static void send_message(struct axvm *vm, unsigned int n)
{
	const struct axvm_msi msi = guest_message(n);

	ck_assert_int_eq(axvm_signal_msi(vm, &msi), 1);
}

/* The next message is this one, and it does not come twice: the one after it is another. */
static void expect_message(struct axvm *vm, unsigned int n)
{
	struct guest guest = guest_of(vm, 0);

	ck_assert_uint_eq(guest_next_message(&guest), n);
	send_message(vm, (n + 1) % GUEST_MESSAGES);
	ck_assert_uint_eq(guest_next_message(&guest), (n + 1) % GUEST_MESSAGES);
}

START_TEST(a_message_on_its_way_arrives_once)
{
	struct guest guest;

	for (unsigned int n = 0; n < GUEST_MESSAGES; n++) {
		guest_start_messages(&guest);
		send_message(guest.vm, n);
		take(guest.vm, n % 2 ? AXVM_CHECKPOINT_TRACK : 0);
		expect_message(guest.vm, n);
		for (enum way way = 0; way < WAYS; way++) {
			struct axvm *vm;

			/* One that the checkpoint does not have. */
			if (way == IN_PLACE_AGAIN)
				send_message(origin, (n + 2) % GUEST_MESSAGES);
			vm = go(way);
			expect_message(vm, n);
			leave(vm);
		}
		end();
	}
}
END_TEST

START_TEST(a_guest_that_sleeps_is_woken)
{
	struct guest guest;

	guest_start_messages(&guest);
	guest_run_until_kicked(&guest);
	take(guest.vm, AXVM_CHECKPOINT_TRACK);
	for (enum way way = 0; way < WAYS; way++) {
		struct axvm *vm = go(way);

		/* Asleep again, and before it sleeps. */
		guest = guest_of(vm, 0);
		if (way % 2)
			guest_run_until_kicked(&guest);
		send_message(vm, way);
		expect_message(vm, way);
		leave(vm);
	}
	end();
}
END_TEST

/* --- interrupts that wait --------------------------------------------------------------------- */

#define CELL GUEST_CELL_OF(0)
#define WINDOW_LEN 0x10000u
/* Of x86_64. */
#define VECTOR 0x40

static uint32_t interrupts_of(struct axvm *vm)
{
	struct work_cell cell;

	ck_ok(axvm_read(vm, CELL, &cell, sizeof(cell)));
	return cell.interrupts;
}

/* "work" at its first report, with interrupts on. Without a controller. */
static struct guest start_work(void)
{
	struct axvm_region window = AXVM_REGION_INIT;
	struct guest guest;

	guest.vm = guest_vm(NULL, PROGRAM(work));
	window.gpa = GUEST_WINDOW;
	window.len = WINDOW_LEN;
	ck_ok(axvm_map(guest.vm, &window));
	guest_work_prepare(guest.vm);
	guest.vcpu = guest_vcpu(guest.vm, 0, CELL);
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect_write(&guest, GUEST_WORK_TELL, 0);
	return guest;
}

/* Returns whether this is a line, whose interrupt recurs until it is lowered. */
static bool interrupt(struct guest *guest)
{
	int ret = axvcpu_set_irq_line(guest->vcpu, 0, true);

	if (ret != -ENOTSUP) {
		ck_ok(ret);
		return true;
	}
	ck_ok(axvcpu_inject_interrupt(guest->vcpu, VECTOR));
	return false;
}

/* One injection, or as many as come until the line is lowered. */
static void expect_interrupt(struct guest *guest, bool is_line)
{
	while (is_line && !interrupts_of(guest->vm))
		guest_run_until_kicked(guest);
	if (is_line)
		ck_ok(axvcpu_set_irq_line(guest->vcpu, 0, false));
	guest_expect_read(guest, GUEST_WORK_ASK);
	ck_ok(axvcpu_complete_value(guest->vcpu, 0));
	guest_expect_write(guest, GUEST_WORK_TELL, 0);
	if (!is_line)
		ck_assert_uint_eq(interrupts_of(guest->vm), 1);
}

START_TEST(an_interrupt_that_waits_is_delivered)
{
	struct guest guest = start_work();
	const bool is_line = interrupt(&guest);

	take(guest.vm, AXVM_CHECKPOINT_TRACK);
	expect_interrupt(&guest, is_line);
	for (enum way way = 0; way < WAYS; way++) {
		struct axvm *vm = go(way);

		ck_assert_uint_eq(interrupts_of(vm), 0);
		guest = guest_of(vm, 0);
		expect_interrupt(&guest, is_line);
		leave(vm);
	}
	end();
}
END_TEST

START_TEST(an_interrupt_after_the_checkpoint_is_dropped)
{
	struct guest guest = start_work();

	take(guest.vm, AXVM_CHECKPOINT_TRACK);
	for (enum way way = 0; way < WAYS; way++) {
		struct axvm *vm;

		guest = guest_of(origin, 0);
		interrupt(&guest);
		vm = go(way);
		guest = guest_of(vm, 0);
		guest_expect_read(&guest, GUEST_WORK_ASK);
		ck_ok(axvcpu_complete_value(guest.vcpu, 0));
		guest_expect_write(&guest, GUEST_WORK_TELL, 0);
		ck_assert_uint_eq(interrupts_of(vm), 0);
		leave(vm);
	}
	end();
}
END_TEST

/* --- memory ----------------------------------------------------------------------------------- */

static unsigned char before[GUEST_MEMORY], after[GUEST_MEMORY];

START_TEST(what_the_host_writes_is_undone)
{
	const unsigned char bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct guest guest;
	void *pointer;

	guest_start_with(&guest, NULL, AXVCPU_MODE_64, PROGRAM(life));
	take(guest.vm, AXVM_CHECKPOINT_TRACK);
	ck_ok(axvm_read(guest.vm, GUEST_BASE, before, sizeof(before)));
	for (int round = 0; round < 3; round++) {
		ck_ok(axvm_write(guest.vm, TARGET - 4, bytes, sizeof(bytes)));
		ck_ok(axvm_set(guest.vm, TARGET + 0x10000, 0xff, 0x3000));
		pointer = axvm_phys_to_virt(guest.vm, TARGET + 0x20000);
		ck_assert_ptr_nonnull(pointer);
		memcpy(pointer, bytes, sizeof(bytes));
		ck_ok(axvm_mark_dirty(guest.vm, TARGET + 0x20000, sizeof(bytes)));
		ck_assert_int_ge(try_restore(AXVM_TIME_KEEP), 4);
		ck_ok(axvm_read(guest.vm, GUEST_BASE, after, sizeof(after)));
		ck_assert_mem_eq(before, after, sizeof(before));
		run_life(guest.vm, 0, 0);
	}
	end();
}
END_TEST

/* --- time ------------------------------------------------------------------------------------- */

#define NS_PER_S INT64_C(1000000000)
#define GAP_NS NS_PER_S
/* Tells a gap from none, and exceeds the difference between two clocks of a host. */
#define MARGIN_NS (GAP_NS / 2)
#define HOURS 10

static int64_t monotonic(void)
{
	struct timespec now;

	ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static struct axvm_clock read_clock(struct axvm *vm)
{
	struct axvm_clock clock = AXVM_CLOCK_INIT;

	ck_ok(axvm_get_clock(vm, &clock));
	ck_assert_uint_gt(clock.counter_hz, 0);
	return clock;
}

/* The time from a counter to a later one. */
static int64_t passed(const struct axvm_clock *from, const struct axvm_clock *to)
{
	const int64_t ticks = (int64_t)(to->counter - from->counter),
		      hz = (int64_t)from->counter_hz;

	return ticks / hz * NS_PER_S + ticks % hz * NS_PER_S / hz;
}

static void expect_between(int64_t value, int64_t min, int64_t max)
{
	ck_assert_msg(value >= min - MARGIN_NS && value <= max + MARGIN_NS,
		      "%" PRId64 " ns passed in the guest, not %" PRId64 " to %" PRId64, value, min,
		      max);
}

/* The counter in the checkpoint, and the host's time before and after it was taken. */
static struct axvm_clock taken;
static int64_t taken_from, taken_to;

static void expect_time(enum way way, uint32_t policy)
{
	const struct axvm_clock earlier = read_clock(origin);
	const int64_t from = monotonic();
	struct axvm_clock now;
	struct axvm *vm;
	int64_t to;

	ck_ok(try_way(way, policy, &vm));
	now = read_clock(vm);
	to = monotonic();
	if (policy == AXVM_TIME_FREEZE)
		expect_between(passed(&taken, &now), taken_from - taken_to, to - from);
	else if (policy == AXVM_TIME_CATCH_UP)
		expect_between(passed(&taken, &now), from - taken_to, to - taken_from);
	else if (vm == origin)
		expect_between(passed(&earlier, &now), 0, to - from);
	else
		/* Its own time: it is new. */
		ck_assert_uint_lt(now.counter, now.counter_hz * 3600);
	leave(vm);
}

START_TEST(time_passes_as_the_policy_says)
{
	static const uint32_t policies[] = { AXVM_TIME_FREEZE, AXVM_TIME_CATCH_UP, AXVM_TIME_KEEP };
	struct axvm_clock clock;
	struct guest guest;
	int ret;

	guest_start_with(&guest, &AXVCPU_WITH(axvm_config, .irqchip = guest_irqchips[_i]),
			 AXVCPU_MODE_64, PROGRAM(life));
	ck_ok(axvm_finalize(guest.vm));
	/* Far from the time of a new VM. */
	clock = read_clock(guest.vm);
	clock.counter += clock.counter_hz * 3600 * HOURS;
	ret = axvm_set_clock(guest.vm, &clock, AXVM_TIME_FREEZE);
	if (ret == -ENOTSUP) {
		suite_skip(axvcpu_last_error());
		guest_end(&guest);
		return;
	}
	ck_ok(ret);
	taken_from = monotonic();
	take(guest.vm, AXVM_CHECKPOINT_TRACK);
	taken = read_clock(guest.vm);
	taken_to = monotonic();
	usleep(GAP_NS / 1000);
	for (enum way way = 0; way < WAYS; way++)
		for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++)
			expect_time(way, policies[i]);
	run_life(origin, 0, 0);
	end();
}
END_TEST

/* --- vCPUs that run --------------------------------------------------------------------------- */

/* "ring": the number of the turn that comes next, and whether another one came. */
static atomic_ulong next_turn;
static atomic_bool out_of_turn;

static int on_turn(struct axvcpu *vcpu, struct axvcpu_exit *exit, void *ctx)
{
	(void)vcpu;
	(void)ctx;
	if (exit->kind == AXVCPU_EXIT_NOTHING)
		return AXVM_CONTINUE;
	if (exit->kind != AXVCPU_EXIT_MMIO_WRITE || exit->u.mmio.addr != GUEST_MMIO ||
	    exit->u.mmio.data != atomic_load(&next_turn))
		atomic_store(&out_of_turn, true);
	atomic_fetch_add(&next_turn, 1);
	return AXVM_CONTINUE;
}

static struct axvm_runner *start_runner(struct axvm *vm)
{
	struct axvm_runner *runner;

	ck_ok(axvm_runner_start(vm, &AXVCPU_WITH(axvm_runner_config, .handler = on_turn), &runner));
	return runner;
}

/* Some turns later, at any point of the code of each vCPU. */
static void stop_after(struct axvm *vm, struct axvm_runner *runner, unsigned long turns)
{
	const unsigned long until = atomic_load(&next_turn) + turns;

	for (unsigned int i = 0; i < suite_seconds(60) * 1000; i++) {
		if (atomic_load(&next_turn) >= until)
			break;
		usleep(1000);
	}
	ck_ok(axvm_quiesce(vm, runner, -1));
	ck_assert(!atomic_load(&out_of_turn));
	ck_assert_uint_ge(atomic_load(&next_turn), until);
}

#define TURNS 8
#define MOMENTS 5

/* Continues in one of the ways, where the runner of the VM of the checkpoint is paused. */
static void run_turns(enum way way, struct axvm_runner *paused)
{
	struct axvm_runner *runner;
	struct axvm *vm;

	ck_ok(try_way(way, AXVM_TIME_KEEP, &vm));
	if (vm == origin) {
		ck_ok(axvm_runner_resume(paused));
		stop_after(vm, paused, TURNS);
		return;
	}
	runner = start_runner(vm);
	stop_after(vm, runner, TURNS);
	ck_ok(axvm_runner_free(runner));
	end_vm(vm);
}

START_TEST(running_vcpus_are_stopped_and_set_back_together)
{
	struct axvm *vm = guest_vm(&AXVCPU_WITH(axvm_config, .max_vcpus = GUEST_RING_VCPUS,
						.irqchip = guest_irqchips[_i]),
				   PROGRAM(ring));
	struct axvm_runner *runner;

	for (uint32_t id = 0; id < GUEST_RING_VCPUS; id++)
		guest_vcpu_on(vm, id, id);
	runner = start_runner(vm);
	origin = vm;
	for (int moment = 0; moment < MOMENTS; moment++) {
		unsigned long then;

		stop_after(origin, runner, TURNS);
		ck_ok(axvm_checkpoint_new(origin,
					  &AXVCPU_WITH(axvm_checkpoint_config,
						       .flags = AXVM_CHECKPOINT_TRACK),
					  &checkpoint));
		then = atomic_load(&next_turn);
		/* In place last: from there it continues. */
		for (int i = 0; i < WAYS; i++) {
			atomic_store(&next_turn, then);
			run_turns((enum way)((unsigned int)(CLONE + i) % WAYS), runner);
		}
		ck_ok(axvm_checkpoint_free(checkpoint));
		ck_ok(axvm_runner_resume(runner));
	}
	ck_ok(axvm_quiesce(origin, runner, -1));
	ck_ok(axvm_runner_free(runner));
	end_vm(origin);
}
END_TEST

static void add_tests(Suite *suite)
{
	const int nirqchips = guest_nirqchips();
	TCase *tcase = suite_case(suite, "moments");
	TCase *messages = suite_case(suite, "messages");

	tcase_add_loop_test(tcase, every_program_does_the_same_again_from_each_exit, 0,
			    nirqchips * (int)PROGRAMS);
	tcase_add_loop_test(tcase, vcpus_that_wait_to_be_started_wait_again, 0,
			    nirqchips * MOST_VCPUS);
	tcase_add_test(tcase, a_last_exit_is_the_last_one_again);
	tcase_add_test(tcase, an_interrupt_that_waits_is_delivered);
	tcase_add_test(tcase, an_interrupt_after_the_checkpoint_is_dropped);
	tcase_add_test(tcase, what_the_host_writes_is_undone);
	tcase_add_loop_test(tcase, running_vcpus_are_stopped_and_set_back_together, 0, nirqchips);
	tcase_add_loop_test(tcase, time_passes_as_the_policy_says, 0, nirqchips);
	if (!guest_has_messages()) {
		suite_left_out("messages", "KVM has no controller that takes messages");
		return;
	}
	tcase_add_test(messages, a_message_on_its_way_arrives_once);
	tcase_add_test(messages, a_guest_that_sleeps_is_woken);
}

int main(void)
{
	return suite_main("moments of checkpoints", true, add_tests);
}
