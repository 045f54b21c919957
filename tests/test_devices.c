/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Devices on the mock backend: which device an access reaches, what is refused, what callbacks may
 * do, removal while vCPUs dispatch, gathered writes of a fake ring, and the callbacks for
 * checkpoints. Needs no KVM; tests/test_device_exits.c is about real guests.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#include "mock.h"
#include "suite.h"

#define MMIO UINT64_C(0xd0000000)
#define VCPUS 3

static struct axvm *vm;
static struct axvcpu *vcpu;
static struct axvcpu_exit ex;

/* --- a device that remembers its latest access ------------------------------------------------ */

struct memo {
	unsigned int reads, writes;
	struct axvcpu *vcpu;
	uint64_t offset, value;
	unsigned int width;
	/* What the callbacks return, and what the guest reads. */
	int ret;
	uint64_t answer;
};

static int memo_read(struct axvcpu *by, void *ctx, uint64_t offset, unsigned int width,
		     uint64_t *value)
{
	struct memo *memo = ctx;

	ck_assert_uint_eq(*value, UINT64_MAX);
	memo->reads++;
	memo->vcpu = by;
	memo->offset = offset;
	memo->width = width;
	*value = memo->answer;
	return memo->ret;
}

static int memo_write(struct axvcpu *by, void *ctx, uint64_t offset, unsigned int width,
		      uint64_t value)
{
	struct memo *memo = ctx;

	memo->writes++;
	memo->vcpu = by;
	memo->offset = offset;
	memo->width = width;
	memo->value = value;
	return memo->ret;
}

static struct axvm_device_config memo_config(struct memo *memo, const char *name,
					     const struct axvm_device_range *range)
{
	struct axvm_device_config config = AXVM_DEVICE_CONFIG_INIT;

	memo->reads = memo->writes = 0;
	memo->ret = AXVM_HANDLED;
	config.name = name;
	config.ctx = memo;
	config.ranges = range;
	config.nranges = 1;
	config.read = memo_read;
	config.write = memo_write;
	return config;
}

static struct axvm_device *add(struct memo *memo, const char *name, uint32_t space, uint64_t base,
			       uint64_t len)
{
	const struct axvm_device_range range = { .base = base, .len = len, .space = space };
	const struct axvm_device_config config = memo_config(memo, name, &range);
	struct axvm_device *device;

	ck_ok(axvm_add_device(vm, &config, &device));
	return device;
}

static int try_to_add(const char *name, uint32_t space, uint64_t base, uint64_t len)
{
	static struct memo memo;
	const struct axvm_device_range range = { .base = base, .len = len, .space = space };
	const struct axvm_device_config config = memo_config(&memo, name, &range);

	return axvm_add_device(vm, &config, NULL);
}

/* --- exits ------------------------------------------------------------------------------------ */

static void start(void)
{
	mock_start(&vm, &vcpu, 0);
	ck_ok(axvcpu_setup(vcpu, 0, 0, NULL));
	ck_ok(axvcpu_bind(vcpu));
}

static void end(void)
{
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(vm));
}

static int write_mmio(uint64_t addr, unsigned int width, uint64_t value)
{
	ex = (struct axvcpu_exit){ .kind = AXVCPU_EXIT_MMIO_WRITE };
	ex.u.mmio.addr = addr;
	ex.u.mmio.width = (uint8_t)width;
	ex.u.mmio.data = value;
	return axvcpu_dispatch(vcpu, &ex);
}

/* Returns from a run with an exit that takes an answer, and dispatches it. */
static int run_and_dispatch(void)
{
	mock.exit = ex;
	mock.answer = (struct axvcpu_answer){ 0 };
	ck_ok(axvcpu_run(vcpu, &ex));
	return axvcpu_dispatch(vcpu, &ex);
}

static int read_mmio(uint64_t addr, unsigned int width)
{
	ex = (struct axvcpu_exit){ .kind = AXVCPU_EXIT_MMIO_READ, .answerable = 1 };
	ex.u.mmio.addr = addr;
	ex.u.mmio.width = (uint8_t)width;
	return run_and_dispatch();
}

static int transfer(bool is_write, uint16_t port, unsigned int width, void *items, uint32_t count)
{
	ex = (struct axvcpu_exit){ .kind = is_write ? AXVCPU_EXIT_IO_WRITE : AXVCPU_EXIT_IO_READ };
	ex.answerable = !is_write;
	ex.u.io.buf = items;
	ex.u.io.is_write = is_write;
	ex.u.io.port = port;
	ex.u.io.width = (uint8_t)width;
	ex.u.io.count = count;
	if (is_write)
		ex.u.io.data = axvcpu_io_get(&ex.u.io, 0);
	return run_and_dispatch();
}

static int access_sysreg(bool is_write, uint64_t reg, uint64_t value)
{
	ex = (struct axvcpu_exit){ .answerable = 1 };
	ex.kind = is_write ? AXVCPU_EXIT_SYSREG_WRITE : AXVCPU_EXIT_SYSREG_READ;
	ex.u.sysreg.addr = reg;
	ex.u.sysreg.value = value;
	ex.u.sysreg.write_mask = UINT64_MAX;
	return run_and_dispatch();
}

/* --- look-ups --------------------------------------------------------------------------------- */

#define MANY 1000u
#define STRIDE 32u
#define LEN 12u

START_TEST(each_access_reaches_the_device_that_contains_it)
{
	static const unsigned int counts[] = { 1, 2, MANY };
	static struct memo memos[MANY];
	const unsigned int n = counts[_i];
	uint64_t dice = 1;

	start();
	/* Neither in ascending nor in descending order. */
	for (unsigned int i = 0; i < n; i++) {
		unsigned int k = (i * 377 + 5) % n;
		char name[32];

		snprintf(name, sizeof(name), "device%u", k);
		add(&memos[k], name, AXVM_SPACE_MMIO, MMIO + (uint64_t)k * STRIDE, LEN);
	}
	for (unsigned int i = 0; i < 20000; i++) {
		uint64_t at;
		unsigned int width;

		dice = dice * UINT64_C(6364136223846793005) + 1442695040888963407u;
		width = 1 + (dice >> 33) % 8;
		at = (dice >> 40) % ((uint64_t)n * STRIDE);
		if (at % STRIDE + width <= LEN) {
			struct memo *memo = &memos[at / STRIDE];
			unsigned int writes = memo->writes;

			ck_assert_int_eq(write_mmio(MMIO + at, width, dice), 1);
			ck_assert_uint_eq(memo->writes, writes + 1);
			ck_assert_uint_eq(memo->offset, at % STRIDE);
			ck_assert_uint_eq(memo->width, width);
			ck_assert_uint_eq(memo->value, dice);
			ck_assert_ptr_eq(memo->vcpu, vcpu);
		} else {
			ck_assert_int_eq(write_mmio(MMIO + at, width, dice), 0);
		}
	}
	ck_assert_int_eq(write_mmio(MMIO - 1, 1, 0), 0);
	ck_assert_int_eq(write_mmio(0, 8, 0), 0);
	ck_assert_int_eq(write_mmio(UINT64_MAX, 8, 0), 0);
	end();
}
END_TEST

START_TEST(an_access_is_claimed_only_if_all_of_it_is_in_one_range)
{
	struct memo first, second;

	start();
	add(&first, "first", AXVM_SPACE_MMIO, MMIO, LEN);
	/* Adjacent. */
	add(&second, "second", AXVM_SPACE_MMIO, MMIO + LEN, 1);
	for (int cached = 0; cached < 2; cached++) {
		for (unsigned int width = 1; width <= 8; width++) {
			for (unsigned int at = 0; at < LEN; at++) {
				if (cached)
					ck_assert_int_eq(write_mmio(MMIO, 1, 0), 1);
				else
					ck_assert_int_eq(write_mmio(MMIO + LEN, 1, 0), 1);
				ck_assert_int_eq(write_mmio(MMIO + at, width, 0),
						 at + width <= LEN);
				ck_assert_int_eq(read_mmio(MMIO + at, width), at + width <= LEN);
			}
		}
	}
	ck_assert_int_eq(write_mmio(MMIO + LEN, 2, 0), 0);
	ck_assert_int_eq(write_mmio(MMIO - 1, 2, 0), 0);
	end();
}
END_TEST

START_TEST(the_same_numbers_in_other_spaces_are_other_devices)
{
	struct memo mmio, sysreg, port;
	uint8_t byte = 0x33;

	start();
	add(&mmio, "mmio", AXVM_SPACE_MMIO, 0x40, 8);
	add(&sysreg, "sysreg", AXVM_SPACE_SYSREG, 0x40, 1);
	add(&port, "port", AXVM_SPACE_PORT, 0x40, 1);
	ck_assert_int_eq(write_mmio(0x40, 8, 1), 1);
	ck_assert_int_eq(access_sysreg(true, 0x40, 2), 1);
	ck_assert_int_eq(transfer(true, 0x40, 1, &byte, 1), 1);
	ck_assert_uint_eq(mmio.value, 1);
	ck_assert_uint_eq(sysreg.value, 2);
	ck_assert_uint_eq(sysreg.width, 8);
	ck_assert_uint_eq(port.value, 0x33);
	ck_assert_uint_eq(mmio.writes + sysreg.writes + port.writes, 3);
	ck_assert_int_eq(access_sysreg(false, 0x41, 0), 0);
	ck_assert_int_eq(transfer(true, 0x41, 1, &byte, 1), 0);
	end();
}
END_TEST

START_TEST(the_first_and_the_last_address_of_each_space_can_be_a_device)
{
	struct memo memo[4];
	uint8_t bytes[2] = { 0 };

	start();
	add(&memo[0], "everything", AXVM_SPACE_MMIO, 0, UINT64_MAX);
	add(&memo[1], "last", AXVM_SPACE_MMIO, UINT64_MAX, 1);
	add(&memo[2], "ports", AXVM_SPACE_PORT, 0, 0x10000);
	add(&memo[3], "registers", AXVM_SPACE_SYSREG, 0, UINT64_MAX);
	ck_assert_int_eq(write_mmio(0, 8, 0), 1);
	ck_assert_int_eq(write_mmio(UINT64_MAX - 8, 8, 0), 1);
	ck_assert_uint_eq(memo[0].writes, 2);
	ck_assert_int_eq(write_mmio(UINT64_MAX - 7, 8, 0), 0);
	ck_assert_int_eq(write_mmio(UINT64_MAX, 1, 0), 1);
	ck_assert_uint_eq(memo[1].writes, 1);
	ck_assert_int_eq(write_mmio(UINT64_MAX, 2, 0), 0);
	ck_assert_int_eq(transfer(true, 0xffff, 1, bytes, 1), 1);
	ck_assert_int_eq(transfer(true, 0xffff, 2, bytes, 1), 0);
	ck_assert_int_eq(access_sysreg(false, UINT64_MAX - 1, 0), 1);
	end();
}
END_TEST

START_TEST(the_range_decides_which_context_is_passed)
{
	struct memo first, second;
	const struct axvm_device_range ranges[] = {
		{ .base = MMIO, .len = 4 },
		{ .base = MMIO + 8, .len = 4, .ctx = &second },
	};
	struct axvm_device_config config = memo_config(&first, "two", ranges);

	start();
	memo_config(&second, "", NULL);
	first.writes = second.writes = 0;
	config.nranges = 2;
	ck_ok(axvm_add_device(vm, &config, NULL));
	ck_assert_int_eq(write_mmio(MMIO, 4, 1), 1);
	ck_assert_int_eq(write_mmio(MMIO + 8, 4, 2), 1);
	ck_assert_uint_eq(first.writes, 1);
	ck_assert_uint_eq(second.value, 2);
	ck_assert_int_eq(write_mmio(MMIO + 4, 4, 2), 0);
	end();
}
END_TEST

/* --- answers ---------------------------------------------------------------------------------- */

START_TEST(a_read_is_answered_with_the_value_of_the_device)
{
	struct memo memo;
	uint32_t items[3] = { 0 };

	start();
	add(&memo, "mmio", AXVM_SPACE_MMIO, MMIO, 8);
	memo.answer = 0x1122334455667788;
	ck_assert_int_eq(read_mmio(MMIO, 4), 1);
	ck_assert_uint_eq(mock.answer.kind, AXVCPU_ANSWER_VALUE);
	ck_assert_uint_eq(mock.answer.u.value, memo.answer);
	ck_fails(axvcpu_complete_value(vcpu, 1), EBADFD);

	add(&memo, "port", AXVM_SPACE_PORT, 0x10, 4);
	memo.answer = 0xabcd;
	ck_assert_int_eq(transfer(false, 0x10, 4, items, 1), 1);
	ck_assert_uint_eq(mock.answer.u.value, 0xabcd);

	add(&memo, "sysreg", AXVM_SPACE_SYSREG, 0x10, 1);
	ck_assert_int_eq(access_sysreg(false, 0x10, 0), 1);
	ck_assert_uint_eq(mock.answer.u.value, 0xabcd);
	memo.ret = AXVM_FAULT;
	ck_assert_int_eq(access_sysreg(false, 0x10, 0), AXVM_FAULT);
	ck_assert_uint_eq(mock.answer.kind, AXVCPU_ANSWER_FAULT);
	ck_assert_int_eq(access_sysreg(true, 0x10, 0), AXVM_FAULT);
	ck_assert_uint_eq(mock.answer.kind, AXVCPU_ANSWER_FAULT);
	end();
}
END_TEST

START_TEST(each_item_of_a_string_instruction_is_one_access)
{
	struct memo memo;
	uint16_t items[] = { 1, 2, 3 };

	start();
	add(&memo, "port", AXVM_SPACE_PORT, 0x10, 2);
	memo.writes = memo.reads = 0;
	ck_assert_int_eq(transfer(true, 0x10, 2, items, 3), 1);
	ck_assert_uint_eq(memo.writes, 3);
	ck_assert_uint_eq(memo.value, 3);
	memo.answer = 0x70007;
	ck_assert_int_eq(transfer(false, 0x10, 2, items, 3), 1);
	ck_assert_uint_eq(memo.reads, 3);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(items[i], 7);
	memo.ret = AXVM_UNCLAIMED;
	items[0] = 9;
	ck_assert_int_eq(transfer(false, 0x10, 2, items, 3), 0);
	ck_assert_uint_eq(items[0], 9);
	end();
}
END_TEST

START_TEST(an_unclaimed_exit_is_unchanged_and_the_caller_can_answer_it)
{
	struct axvcpu_exit before;
	struct memo memo;

	start();
	add(&memo, "mmio", AXVM_SPACE_MMIO, MMIO, 8);
	memo.answer = 5;
	memo.ret = AXVM_UNCLAIMED;
	for (int i = 0; i < 2; i++) {
		/* No device; then one that does not claim the access. */
		ck_assert_int_eq(read_mmio(MMIO + (i ? 0 : 8), 8), 0);
		before = mock.exit;
		ck_assert_int_eq(memcmp(&before, &ex, sizeof(ex)), 0);
		ck_assert_uint_eq(mock.answer.kind, 0);
		ck_ok(axvcpu_complete_value(vcpu, 1));
	}
	ck_assert_int_eq(write_mmio(MMIO, 8, 0), 0);
	ex.kind = AXVCPU_EXIT_HALT;
	ck_assert_int_eq(axvcpu_dispatch(vcpu, &ex), 0);
	ex.kind = AXVCPU_EXIT_NOTHING;
	ck_assert_int_eq(axvcpu_dispatch(vcpu, &ex), 0);
	end();
}
END_TEST

START_TEST(an_error_of_a_callback_is_returned_and_the_exit_stays_open)
{
	struct memo memo;

	start();
	add(&memo, "mmio", AXVM_SPACE_MMIO, MMIO, 8);
	memo.ret = -EPIPE;
	ck_assert_int_eq(write_mmio(MMIO, 8, 0), -EPIPE);
	ck_assert_int_eq(read_mmio(MMIO, 8), -EPIPE);
	ck_ok(axvcpu_complete_value(vcpu, 1));
	end();
}
END_TEST

START_TEST(without_callbacks_reads_are_all_ones_and_writes_have_no_effect)
{
	const struct axvm_device_range range = { .base = MMIO, .len = 8 };
	struct memo memo;
	struct axvm_device_config config = memo_config(&memo, "mute", &range);

	start();
	config.read = NULL;
	config.write = NULL;
	for (uint32_t flags = 0; flags <= AXVM_DEVICE_SELF_LOCKED; flags++) {
		struct axvm_device *device;

		config.flags = flags;
		ck_ok(axvm_add_device(vm, &config, &device));
		ck_assert_int_eq(write_mmio(MMIO, 8, 0), 1);
		ck_assert_int_eq(read_mmio(MMIO, 8), 1);
		ck_assert_uint_eq(mock.answer.u.value, UINT64_MAX);
		ck_ok(axvm_remove_device(device));
	}
	end();
}
END_TEST

/* --- what is refused -------------------------------------------------------------------------- */

START_TEST(overlaps_are_refused_with_both_names)
{
	struct axvm_region region = AXVM_REGION_INIT;
	struct memo memo;

	start();
	add(&memo, "uart", AXVM_SPACE_MMIO, MMIO, 0x1000);
	ck_fails_saying(try_to_add("timer", AXVM_SPACE_MMIO, MMIO, 1), EEXIST,
			"device timer: address 0xd0000000 +0x1 overlaps 0xd0000000 +0x1000 of "
			"device uart");
	ck_fails(try_to_add("timer", AXVM_SPACE_MMIO, MMIO + 0xfff, 2), EEXIST);
	ck_fails(try_to_add("timer", AXVM_SPACE_MMIO, MMIO - 1, 2), EEXIST);
	ck_fails(try_to_add("timer", AXVM_SPACE_MMIO, 0, UINT64_MAX), EEXIST);
	ck_fails_saying(try_to_add("uart", AXVM_SPACE_MMIO, 0, 8), EEXIST, "has this name");
	ck_ok(try_to_add("before", AXVM_SPACE_MMIO, MMIO - 1, 1));
	ck_ok(try_to_add("behind", AXVM_SPACE_MMIO, MMIO + 0x1000, 1));
	ck_ok(try_to_add("elsewhere", AXVM_SPACE_SYSREG, MMIO, 1));

	region.len = 0x10000;
	ck_ok(axvm_map(vm, &region));
	ck_fails_saying(try_to_add("timer", AXVM_SPACE_MMIO, 0xffff, 8), EEXIST,
			"device timer: address 0xffff +0x8 overlaps the memory region 0 +0x10000");
	ck_ok(try_to_add("port", AXVM_SPACE_PORT, 0xff, 8));
	region.gpa = MMIO - 0x8000;
	ck_fails_saying(axvm_map(vm, &region), EEXIST, "of device b");
	end();
}
END_TEST

START_TEST(ranges_of_one_device_must_not_overlap_either)
{
	struct memo memo;
	const struct axvm_device_range ranges[] = {
		{ .base = MMIO, .len = 4 },
		{ .base = MMIO + 3, .len = 4 },
	};
	struct axvm_device_config config = memo_config(&memo, "self", ranges);

	start();
	config.nranges = 2;
	ck_fails_saying(axvm_add_device(vm, &config, NULL), EEXIST, "of device self");
	end();
}
END_TEST

START_TEST(frames_are_allocated_beside_devices)
{
	const uint64_t top = UINT64_C(1) << 40;
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct memo memo;
	uint64_t gpa;

	config.arch = &mock_ops;
	config.gpa_bits = 40;
	ck_ok(axvm_new(&config, &vm));
	add(&memo, "high", AXVM_SPACE_MMIO, top - 0x1000, 0x1000);
	ck_ok(axvm_alloc_frame(vm, &gpa));
	ck_assert_uint_lt(gpa, top - 0x1000);
	ck_fails(try_to_add("frame", AXVM_SPACE_MMIO, gpa, 1), EEXIST);
	ck_ok(axvm_free(vm));
}
END_TEST

START_TEST(bad_configs_are_refused)
{
	const char longest[AXVM_DEVICE_NAME_SIZE + 1] =
		"0123456789012345678901234567890123456789012345678901234567890123";
	struct axvm_device_range range = { .base = MMIO, .len = 8 };
	struct memo memo;
	struct axvm_device_config good = memo_config(&memo, "device", &range), bad = good;
	struct axvm_device *device = NULL;

	start();
	bad.name = NULL;
	ck_fails_saying(axvm_add_device(vm, &bad, &device), EINVAL, "name");
	bad.name = "";
	ck_fails_saying(axvm_add_device(vm, &bad, &device), EINVAL, "name");
	bad.name = longest;
	ck_fails_saying(axvm_add_device(vm, &bad, &device), EINVAL, "name");
	bad = good;
	bad.flags = 2;
	ck_fails_saying(axvm_add_device(vm, &bad, &device), EINVAL, "flags 0x2");
	bad = good;
	bad.nranges = 0;
	ck_fails_saying(axvm_add_device(vm, &bad, &device), EINVAL, "nranges is 0");
	bad.nranges = SIZE_MAX;
	ck_fails_saying(axvm_add_device(vm, &bad, &device), EINVAL, "nranges");
	bad = good;
	bad.ranges = NULL;
	ck_fails_saying(axvm_add_device(vm, &bad, &device), EINVAL, "ranges is NULL");
	range.len = 0;
	ck_fails_saying(axvm_add_device(vm, &good, &device), EINVAL, "is empty");
	range.len = UINT64_MAX;
	ck_fails_saying(axvm_add_device(vm, &good, &device), EINVAL, "ends beyond");
	range = (struct axvm_device_range){ .base = 0xffff, .len = 2, .space = AXVM_SPACE_PORT };
	ck_fails_saying(axvm_add_device(vm, &good, &device), EINVAL, "ends beyond 0xffff");
	range = (struct axvm_device_range){ .base = 1, .len = 2, .space = 3 };
	ck_fails_saying(axvm_add_device(vm, &good, &device), EINVAL, "unknown space 3");
	range = (struct axvm_device_range){ .base = 1, .len = 2, .flags = 2 };
	ck_fails_saying(axvm_add_device(vm, &good, &device), EINVAL, "flags 0x2");
	range.flags = AXVM_RANGE_COALESCED;
	ck_fails_saying(axvm_add_device(vm, &good, &device), ENOTSUP,
			"AXVM_RANGE_COALESCED: not supported by the mock backend");
	range.space = AXVM_SPACE_SYSREG;
	ck_fails_saying(axvm_add_device(vm, &good, &device), EINVAL, "not for system registers");
	ck_assert_ptr_null(device);
	ck_ok(axvm_remove_device(NULL));
	end();
}
END_TEST

/* --- removal ---------------------------------------------------------------------------------- */

START_TEST(a_removed_device_is_not_found_though_it_was_the_latest)
{
	struct memo first, second;
	struct axvm_device *device;

	start();
	device = add(&first, "first", AXVM_SPACE_MMIO, MMIO, 8);
	ck_assert_int_eq(write_mmio(MMIO, 8, 0), 1);
	ck_ok(axvm_remove_device(device));
	ck_assert_int_eq(write_mmio(MMIO, 8, 0), 0);
	add(&second, "second", AXVM_SPACE_MMIO, MMIO, 8);
	second.writes = 0;
	ck_assert_int_eq(write_mmio(MMIO, 8, 0), 1);
	ck_assert_uint_eq(second.writes, 1);
	end();
}
END_TEST

static struct axvm_device *own, *other;
static struct memo added;

static int change_devices(struct axvcpu *by, void *ctx, uint64_t offset, unsigned int width,
			  uint64_t value)
{
	(void)by;
	(void)ctx;
	(void)offset;
	(void)width;
	(void)value;
	ck_fails_saying(axvm_remove_device(own), EBUSY, "its own callback cannot remove it");
	ck_fails_saying(axvm_flush_coalesced(vm), EBUSY, "called by a callback");
	ck_fails_saying(axvm_quiesce_devices(vm), EBUSY, "called by a callback");
	ck_fails_saying(axvm_save_device(own, NULL, 0), EBUSY, "its own callback");
	ck_ok(axvm_remove_device(other));
	add(&added, "added", AXVM_SPACE_MMIO, MMIO + 0x200, 8);
	return AXVM_HANDLED;
}

START_TEST(a_callback_adds_devices_and_removes_others_but_not_its_own)
{
	const struct axvm_device_range range = { .base = MMIO, .len = 8 };
	struct memo memo;
	struct axvm_device_config config = memo_config(&memo, "own", &range);

	start();
	config.write = change_devices;
	config.flags = _i ? AXVM_DEVICE_SELF_LOCKED : 0;
	ck_ok(axvm_add_device(vm, &config, &own));
	other = add(&memo, "other", AXVM_SPACE_MMIO, MMIO + 0x100, 8);
	ck_assert_int_eq(write_mmio(MMIO + 0x100, 8, 0), 1);
	ck_assert_int_eq(write_mmio(MMIO, 8, 0), 1);
	ck_assert_int_eq(write_mmio(MMIO + 0x100, 8, 0), 0);
	ck_assert_int_eq(write_mmio(MMIO + 0x200, 8, 0), 1);
	ck_ok(axvm_remove_device(own));
	end();
}
END_TEST

/* --- threads ---------------------------------------------------------------------------------- */

static struct axvcpu *vcpus[VCPUS];

static void start_vcpus(void)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	mock_reset();
	config.arch = &mock_ops;
	config.max_vcpus = VCPUS;
	ck_ok(axvm_new(&config, &vm));
	for (uint32_t i = 0; i < VCPUS; i++) {
		struct axvcpu_config each = AXVCPU_CONFIG_INIT;

		each.id = i;
		ck_ok(axvcpu_new(vm, &each, &vcpus[i]));
		ck_ok(axvcpu_setup(vcpus[i], 0, 0, NULL));
	}
}

static void end_vcpus(void)
{
	for (int i = 0; i < VCPUS; i++)
		ck_ok(axvcpu_free(vcpus[i]));
	ck_ok(axvm_free(vm));
}

static struct axvcpu_exit mmio_write_at(uint64_t addr, unsigned int width, uint64_t value)
{
	struct axvcpu_exit exit = { .kind = AXVCPU_EXIT_MMIO_WRITE };

	exit.u.mmio.addr = addr;
	exit.u.mmio.width = (uint8_t)width;
	exit.u.mmio.data = value;
	return exit;
}

static atomic_bool entered, may_leave, removed;

static int linger(struct axvcpu *by, void *ctx, uint64_t offset, unsigned int width, uint64_t value)
{
	(void)by;
	(void)ctx;
	(void)offset;
	(void)width;
	(void)value;
	atomic_store(&entered, true);
	while (!atomic_load(&may_leave))
		sched_yield();
	ck_assert(!atomic_load(&removed));
	return AXVM_HANDLED;
}

static void *write_once(void *arg)
{
	const struct axvcpu_exit exit = mmio_write_at(MMIO, 4, 0);

	ck_ok(axvcpu_bind(arg));
	ck_assert_int_eq(axvcpu_dispatch(arg, &exit), 1);
	ck_ok(axvcpu_unbind(arg));
	return NULL;
}

static void *remove_own(void *arg)
{
	(void)arg;
	ck_ok(axvm_remove_device(own));
	atomic_store(&removed, true);
	return NULL;
}

START_TEST(removal_waits_for_the_callback_but_not_for_those_of_others)
{
	const struct axvm_device_range range = { .base = MMIO, .len = 8 };
	struct memo memo;
	struct axvm_device_config config = memo_config(&memo, "own", &range);
	pthread_t writer, remover;

	start_vcpus();
	config.write = linger;
	config.flags = _i ? AXVM_DEVICE_SELF_LOCKED : 0;
	ck_ok(axvm_add_device(vm, &config, &own));
	other = add(&memo, "other", AXVM_SPACE_MMIO, MMIO + 8, 8);
	ck_assert_int_eq(pthread_create(&writer, NULL, write_once, vcpus[0]), 0);
	while (!atomic_load(&entered))
		sched_yield();
	ck_ok(axvm_remove_device(other));
	ck_assert_int_eq(pthread_create(&remover, NULL, remove_own, NULL), 0);
	/* If the removal did not wait, it would end in one of these slices of time. */
	for (int i = 0; i < 100; i++)
		sched_yield();
	/* Not in the map any more; others can be added meanwhile. */
	add(&memo, "new", AXVM_SPACE_MMIO, MMIO + 8, 8);
	ck_assert(!atomic_load(&removed));
	atomic_store(&may_leave, true);
	pthread_join(writer, NULL);
	pthread_join(remover, NULL);
	ck_assert(atomic_load(&removed));
	end_vcpus();
}
END_TEST

/* Two ranges of each device, so that vCPUs change between devices, and in and out of the cache. */
#define COMING 4u

struct coming {
	atomic_bool exists;
	atomic_uint calls;
};

static struct coming coming[COMING];
static atomic_bool done;

static int check_existence(struct axvcpu *by, void *ctx, uint64_t offset, unsigned int width,
			   uint64_t value)
{
	struct coming *device = ctx;

	(void)by;
	(void)width;
	ck_assert(atomic_load(&device->exists));
	ck_assert_uint_eq(offset, value);
	atomic_fetch_add(&device->calls, 1);
	ck_assert(atomic_load(&device->exists));
	return AXVM_HANDLED;
}

static void *write_everywhere(void *arg)
{
	unsigned int claimed = 0;

	ck_ok(axvcpu_bind(arg));
	for (unsigned int i = 0; !atomic_load(&done); i++) {
		/* Some accesses to each device, so that most of them are to the latest one. */
		const uint64_t device = (i / 8) % COMING, at = i % 4;
		const struct axvcpu_exit exit = mmio_write_at(MMIO + 0x100 * device + at, 4, at);
		int ret = axvcpu_dispatch(arg, &exit);

		ck_assert(ret == 0 || ret == 1);
		claimed += (unsigned int)ret;
	}
	ck_ok(axvcpu_unbind(arg));
	return (void *)(uintptr_t)claimed;
}

START_TEST(devices_come_and_go_while_vcpus_write_to_them)
{
	const unsigned int rounds = suite_scale(20000);
	pthread_t writers[VCPUS];
	struct axvm_device *devices[COMING] = { NULL };
	uint64_t dice = 1;

	start_vcpus();
	for (int i = 0; i < VCPUS; i++)
		ck_assert_int_eq(pthread_create(&writers[i], NULL, write_everywhere, vcpus[i]), 0);
	for (unsigned int round = 0; !suite_enough(round, 100, rounds); round++) {
		struct axvm_device_config config = AXVM_DEVICE_CONFIG_INIT;
		struct axvm_device_range range = { .len = 8 };
		char name[32];
		unsigned int n;

		dice = dice * UINT64_C(6364136223846793005) + 1442695040888963407u;
		n = (dice >> 33) % COMING;
		if (devices[n]) {
			ck_ok(axvm_remove_device(devices[n]));
			atomic_store(&coming[n].exists, false);
			devices[n] = NULL;
			continue;
		}
		snprintf(name, sizeof(name), "device%u", n);
		range.base = MMIO + 0x100 * n;
		config.name = name;
		config.flags = dice >> 40 & 1 ? AXVM_DEVICE_SELF_LOCKED : 0;
		config.ctx = &coming[n];
		config.ranges = &range;
		config.nranges = 1;
		config.write = check_existence;
		atomic_store(&coming[n].exists, true);
		ck_ok(axvm_add_device(vm, &config, &devices[n]));
	}
	/* The writers have met some of them. */
	if (!devices[0]) {
		const struct axvm_device_range range = { .base = MMIO, .len = 8 };
		struct axvm_device_config config = AXVM_DEVICE_CONFIG_INIT;

		config.name = "last";
		config.ctx = &coming[0];
		config.ranges = &range;
		config.nranges = 1;
		config.write = check_existence;
		atomic_store(&coming[0].exists, true);
		ck_ok(axvm_add_device(vm, &config, NULL));
	}
	atomic_store(&coming[0].calls, 0);
	while (atomic_load(&coming[0].calls) < 100)
		sched_yield();
	atomic_store(&done, true);
	for (int i = 0; i < VCPUS; i++)
		pthread_join(writers[i], NULL);
	end_vcpus();
}
END_TEST

/* Not atomic: the library's lock makes it exact. */
static unsigned int unlocked_count;

static int count_unlocked(struct axvcpu *by, void *ctx, uint64_t offset, unsigned int width,
			  uint64_t value)
{
	(void)by;
	(void)ctx;
	(void)offset;
	(void)width;
	(void)value;
	unlocked_count++;
	return AXVM_HANDLED;
}

#define COUNTS 20000

static void *write_often(void *arg)
{
	const struct axvcpu_exit exit = mmio_write_at(MMIO, 4, 0);

	ck_ok(axvcpu_bind(arg));
	for (int i = 0; i < COUNTS; i++)
		ck_assert_int_eq(axvcpu_dispatch(arg, &exit), 1);
	ck_ok(axvcpu_unbind(arg));
	return NULL;
}

static atomic_uint together;

static int wait_for_all(struct axvcpu *by, void *ctx, uint64_t offset, unsigned int width,
			uint64_t value)
{
	(void)by;
	(void)ctx;
	(void)offset;
	(void)width;
	(void)value;
	atomic_fetch_add(&together, 1);
	while (atomic_load(&together) < VCPUS)
		sched_yield();
	return AXVM_HANDLED;
}

static void run_on_all(void *(*fn)(void *arg))
{
	pthread_t threads[VCPUS];

	for (int i = 0; i < VCPUS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, fn, vcpus[i]), 0);
	for (int i = 0; i < VCPUS; i++)
		pthread_join(threads[i], NULL);
}

START_TEST(the_lock_keeps_callbacks_apart_and_its_absence_does_not)
{
	const struct axvm_device_range range = { .base = MMIO, .len = 8 };
	struct memo memo;
	struct axvm_device_config config = memo_config(&memo, "own", &range);

	start_vcpus();
	config.write = count_unlocked;
	ck_ok(axvm_add_device(vm, &config, &own));
	run_on_all(write_often);
	ck_assert_uint_eq(unlocked_count, VCPUS * COUNTS);
	ck_ok(axvm_remove_device(own));
	config.write = wait_for_all;
	config.flags = AXVM_DEVICE_SELF_LOCKED;
	ck_ok(axvm_add_device(vm, &config, &own));
	run_on_all(write_once);
	end_vcpus();
}
END_TEST

/* --- gathered writes -------------------------------------------------------------------------- */

#define RING 16u

static struct axvcpu_arch_ops ring_ops;
static struct axvcpu_exit ring[RING];
static unsigned int nring, zones;
static bool endless;
static int zone_ret;

static int ring_coalesce(void *arch, uint32_t space, uint64_t base, uint64_t len, bool on)
{
	(void)arch;
	(void)base;
	(void)len;
	ck_assert_uint_ne(space, AXVM_SPACE_SYSREG);
	if (zone_ret)
		return axvcpu_fail(vm, zone_ret, "the zone");
	zones += on ? 1 : -1u;
	return 0;
}

static int ring_take(void *arch, struct axvcpu_exit *write)
{
	int n = (int)nring;

	(void)arch;
	if (!nring)
		return 0;
	*write = ring[0];
	if (!endless)
		memmove(ring, ring + 1, --nring * sizeof(ring[0]));
	return n;
}

static void gather(uint64_t addr, uint64_t value)
{
	ring[nring++] = mmio_write_at(addr, 4, value);
}

static uint64_t seen[64];
static unsigned int nseen;
static int order_ret;

static int note_order(struct axvcpu *by, void *ctx, uint64_t offset, unsigned int width,
		      uint64_t value)
{
	(void)ctx;
	(void)offset;
	(void)width;
	/* Those with an exit have a vCPU. */
	ck_assert_ptr_eq(by, value >= 100 ? vcpu : NULL);
	if (order_ret && value == 3)
		return order_ret;
	seen[nseen++ % 64] = value;
	return AXVM_HANDLED;
}

static struct axvm_device *start_ring(void)
{
	struct axvm_device_range ranges[] = {
		{ .base = MMIO, .len = 8, .flags = AXVM_RANGE_COALESCED },
		{ .base = MMIO + 8, .len = 8 },
	};
	struct axvm_config vm_config = AXVM_CONFIG_INIT;
	struct axvm_device_config config = AXVM_DEVICE_CONFIG_INIT;
	struct axvm_device *device;

	mock_reset();
	ring_ops = mock_ops;
	ring_ops.vm_coalesce = ring_coalesce;
	ring_ops.vcpu_take_coalesced = ring_take;
	vm_config.arch = &ring_ops;
	ck_ok(axvm_new(&vm_config, &vm));
	config.name = "order";
	config.ranges = ranges;
	config.nranges = 2;
	config.write = note_order;
	ck_ok(axvm_add_device(vm, &config, &device));
	ck_assert_uint_eq(zones, 1);
	/* No vCPU, so no writes. */
	ck_ok(axvm_flush_coalesced(vm));
	ck_ok(axvcpu_new(vm, NULL, &vcpu));
	ck_ok(axvcpu_setup(vcpu, 0, 0, NULL));
	ck_ok(axvcpu_bind(vcpu));
	return device;
}

static void expect_seen(unsigned int n, const uint64_t *values)
{
	ck_assert_uint_eq(nseen, n);
	for (unsigned int i = 0; i < n; i++)
		ck_assert_uint_eq(seen[i], values[i]);
	nseen = 0;
}

START_TEST(gathered_writes_are_delivered_in_order_before_the_next_exit)
{
	struct axvm_device *device = start_ring();

	gather(MMIO, 1);
	gather(MMIO + 4, 2);
	ck_assert_int_eq(write_mmio(MMIO + 8, 4, 100), 1);
	expect_seen(3, (uint64_t[]){ 1, 2, 100 });
	/* Again to the latest device: nothing was cached. */
	gather(MMIO, 1);
	ck_assert_int_eq(write_mmio(MMIO + 8, 4, 101), 1);
	expect_seen(2, (uint64_t[]){ 1, 101 });
	gather(MMIO, 5);
	ex.kind = AXVCPU_EXIT_NOTHING;
	ck_assert_int_eq(axvcpu_dispatch(vcpu, &ex), 0);
	expect_seen(1, (uint64_t[]){ 5 });
	gather(MMIO, 6);
	ck_ok(axvm_flush_coalesced(vm));
	expect_seen(1, (uint64_t[]){ 6 });
	gather(MMIO, 7);
	ck_ok(axvm_remove_device(device));
	expect_seen(1, (uint64_t[]){ 7 });
	ck_assert_uint_eq(zones, 0);
	end();
}
END_TEST

START_TEST(devices_that_were_cached_before_writes_are_gathered_come_after_them)
{
	const struct axvm_device_range range = { .base = MMIO,
						 .len = 8,
						 .flags = AXVM_RANGE_COALESCED };
	struct axvm_device *device = start_ring();
	struct axvm_device_config config = AXVM_DEVICE_CONFIG_INIT;
	struct memo memo;

	ck_ok(axvm_remove_device(device));
	add(&memo, "cached", AXVM_SPACE_MMIO, MMIO + 0x100, 8);
	ck_assert_int_eq(write_mmio(MMIO + 0x100, 4, 0), 1);
	config.name = "order";
	config.ranges = &range;
	config.nranges = 1;
	config.write = note_order;
	ck_ok(axvm_add_device(vm, &config, &device));
	gather(MMIO, 1);
	ck_assert_int_eq(write_mmio(MMIO + 0x100, 4, 0), 1);
	expect_seen(1, (uint64_t[]){ 1 });
	end();
}
END_TEST

START_TEST(a_failed_write_leaves_those_after_it)
{
	start_ring();
	for (uint64_t i = 2; i < 6; i++)
		gather(MMIO, i);
	order_ret = -EPIPE;
	ck_assert_int_eq(axvm_flush_coalesced(vm), -EPIPE);
	expect_seen(1, (uint64_t[]){ 2 });
	ck_ok(axvm_flush_coalesced(vm));
	expect_seen(2, (uint64_t[]){ 4, 5 });
	end();
}
END_TEST

START_TEST(writes_that_never_end_do_not_hold_up_a_vcpu)
{
	start_ring();
	gather(MMIO, 1);
	gather(MMIO, 1);
	endless = true;
	ck_assert_int_eq(write_mmio(MMIO + 8, 4, 100), 1);
	expect_seen(3, (uint64_t[]){ 1, 1, 100 });
	end();
}
END_TEST

START_TEST(zones_that_the_backend_refuses_leave_nothing)
{
	struct axvm_device *device = start_ring();
	const struct axvm_device_range range = { .base = MMIO + 0x100,
						 .len = 8,
						 .flags = AXVM_RANGE_COALESCED };
	struct memo memo;
	const struct axvm_device_config config = memo_config(&memo, "second", &range);

	zone_ret = -ENOSPC;
	ck_fails_saying(axvm_add_device(vm, &config, NULL), ENOSPC, "the zone");
	ck_assert_int_eq(write_mmio(MMIO + 0x100, 4, 0), 0);
	ck_fails_saying(axvm_remove_device(device), ENOSPC, "the zone");
	gather(MMIO, 1);
	ck_assert_int_eq(write_mmio(MMIO + 8, 4, 100), 1);
	expect_seen(2, (uint64_t[]){ 1, 100 });
	zone_ret = 0;
	ck_ok(axvm_remove_device(device));
	end();
}
END_TEST

static int write_back(struct axvcpu *by, void *ctx, uint64_t offset, unsigned int width,
		      uint64_t value)
{
	(void)by;
	(void)offset;
	(void)width;
	*(uint64_t *)ctx = value;
	return AXVM_HANDLED;
}

static int read_back(struct axvcpu *by, void *ctx, uint64_t offset, unsigned int width,
		     uint64_t *value)
{
	(void)by;
	(void)offset;
	(void)width;
	*value = *(uint64_t *)ctx;
	return AXVM_HANDLED;
}

START_TEST(a_write_that_also_reads_a_register_gets_its_previous_value)
{
	const struct axvm_device_range range = { .base = 0x15,
						 .len = 1,
						 .space = AXVM_SPACE_SYSREG };
	struct axvm_device_config config = AXVM_DEVICE_CONFIG_INIT;
	uint64_t value = 0xf0;

	start_ring();
	ring_ops.sysreg_write_reads = true;
	config.name = "csr";
	config.ctx = &value;
	config.ranges = &range;
	config.nranges = 1;
	config.read = read_back;
	config.write = write_back;
	ck_ok(axvm_add_device(vm, &config, NULL));
	ex = (struct axvcpu_exit){ .kind = AXVCPU_EXIT_SYSREG_WRITE, .answerable = 1 };
	ex.u.sysreg.addr = 0x15;
	ex.u.sysreg.value = 0xffff;
	ex.u.sysreg.write_mask = 0xf;
	ck_assert_int_eq(run_and_dispatch(), 1);
	ck_assert_uint_eq(mock.answer.u.value, 0xf0);
	ck_assert_uint_eq(value, 0xff);
	end();
}
END_TEST

/* --- checkpoints ------------------------------------------------------------------------------ */

struct kept {
	uint32_t state;
	unsigned int order;
	int ret;
};

static unsigned int quiesced;

static int kept_quiesce(void *ctx)
{
	struct kept *kept = ctx;

	if (kept->ret)
		return kept->ret;
	kept->order = ++quiesced;
	return 0;
}

static int kept_save(void *ctx, void *buf, size_t len)
{
	const struct kept *kept = ctx;

	if (len >= sizeof(kept->state))
		memcpy(buf, &kept->state, sizeof(kept->state));
	return kept->ret ? kept->ret : (int)sizeof(kept->state);
}

static int kept_restore(void *ctx, uint32_t version, const void *buf, size_t len)
{
	struct kept *kept = ctx;

	if (len != sizeof(kept->state))
		return -EINVAL;
	memcpy(&kept->state, buf, len);
	kept->state += version;
	return 0;
}

static struct axvm_device *add_kept(struct kept *kept, const char *name, uint64_t base)
{
	const struct axvm_device_range range = { .base = base, .len = 8 };
	struct axvm_device_config config = AXVM_DEVICE_CONFIG_INIT;
	struct axvm_device *device;

	config.name = name;
	config.version = 3;
	config.ctx = kept;
	config.ranges = &range;
	config.nranges = 1;
	config.quiesce = kept_quiesce;
	config.save = kept_save;
	config.restore = kept_restore;
	ck_ok(axvm_add_device(vm, &config, &device));
	return device;
}

START_TEST(devices_are_quiesced_in_the_order_of_addition_until_one_fails)
{
	struct kept kept[3] = { { 0 } };
	struct axvm_device *second;
	struct memo memo;

	start();
	add_kept(&kept[0], "first", MMIO + 0x20);
	second = add_kept(&kept[1], "second", MMIO + 0x10);
	add(&memo, "plain", AXVM_SPACE_MMIO, MMIO + 0x30, 8);
	add_kept(&kept[2], "third", MMIO);
	ck_ok(axvm_quiesce_devices(vm));
	for (unsigned int i = 0; i < 3; i++)
		ck_assert_uint_eq(kept[i].order, i + 1);
	kept[1].ret = -EIO;
	ck_assert_int_eq(axvm_quiesce_devices(vm), -EIO);
	ck_assert_uint_eq(kept[0].order, 4);
	ck_assert_uint_eq(kept[2].order, 3);
	/* No reference is left. */
	ck_ok(axvm_remove_device(second));
	ck_ok(axvm_quiesce_devices(vm));
	ck_assert_uint_eq(kept[2].order, 6);
	end();
}
END_TEST

START_TEST(the_state_of_a_device_is_saved_and_restored_with_its_version)
{
	struct kept kept = { .state = 40 };
	struct axvm_device *device, *plain;
	uint32_t state = 7;
	struct memo memo;

	start();
	device = add_kept(&kept, "kept", MMIO);
	plain = add(&memo, "plain", AXVM_SPACE_MMIO, MMIO + 8, 8);
	ck_assert_int_eq(axvm_save_device(device, NULL, 0), sizeof(state));
	ck_assert_int_eq(axvm_save_device(device, &state, 2), sizeof(state));
	ck_assert_uint_eq(state, 7);
	ck_assert_int_eq(axvm_save_device(device, &state, sizeof(state)), sizeof(state));
	ck_assert_uint_eq(state, 40);
	ck_ok(axvm_restore_device(device, 2, &state, sizeof(state)));
	ck_assert_uint_eq(kept.state, 42);
	ck_assert_int_eq(axvm_restore_device(device, 3, &state, 1), -EINVAL);
	ck_fails_saying(axvm_restore_device(device, 4, &state, sizeof(state)), EINVAL,
			"version 4; this device knows 3");
	ck_assert_uint_eq(kept.state, 42);
	kept.ret = -EIO;
	ck_assert_int_eq(axvm_save_device(device, &state, sizeof(state)), -EIO);
	ck_assert_int_eq(axvm_save_device(plain, &state, sizeof(state)), 0);
	ck_ok(axvm_restore_device(plain, 0, NULL, 0));
	ck_fails_saying(axvm_restore_device(plain, 0, &state, 4), EINVAL, "has no state");
	end();
}
END_TEST

static int remove_while_quiesced(void *ctx)
{
	(void)ctx;
	ck_fails(axvm_remove_device(own), EBUSY);
	ck_fails(axvm_restore_device(own, 0, NULL, 0), EBUSY);
	return 0;
}

START_TEST(callbacks_for_checkpoints_cannot_remove_their_device)
{
	const struct axvm_device_range range = { .base = MMIO, .len = 8 };
	struct memo memo;
	struct axvm_device_config config = memo_config(&memo, "own", &range);

	start();
	config.quiesce = remove_while_quiesced;
	ck_ok(axvm_add_device(vm, &config, &own));
	ck_ok(axvm_quiesce_devices(vm));
	ck_ok(axvm_remove_device(own));
	end();
}
END_TEST

/* --- the runner ------------------------------------------------------------------------------- */

static atomic_uint handled, kicks, device_calls;

static int count_exits(struct axvcpu *by, struct axvcpu_exit *exit, void *ctx)
{
	(void)by;
	(void)ctx;
	if (exit->kind == AXVCPU_EXIT_MMIO_WRITE)
		atomic_fetch_add(&handled, 1);
	else
		ck_assert_uint_eq(exit->kind, AXVCPU_EXIT_NOTHING);
	atomic_fetch_add(&kicks, exit->kicked);
	return AXVM_CONTINUE;
}

static int count_calls(struct axvcpu *by, void *ctx, uint64_t offset, unsigned int width,
		       uint64_t value)
{
	(void)by;
	(void)offset;
	(void)width;
	(void)value;
	atomic_fetch_add(&device_calls, 1);
	return *(int *)ctx;
}

static struct axvm_runner *run_to(uint32_t flags, int *ret)
{
	const struct axvm_device_range range = { .base = MMIO, .len = 8 };
	struct axvm_device_config config = AXVM_DEVICE_CONFIG_INIT;
	struct axvm_runner_config runner_config = AXVM_RUNNER_CONFIG_INIT;
	struct axvm_runner *runner;

	start_vcpus();
	mock.exit = mmio_write_at(MMIO, 4, 0);
	config.name = "counter";
	config.ctx = ret;
	config.ranges = &range;
	config.nranges = 1;
	config.write = count_calls;
	ck_ok(axvm_add_device(vm, &config, NULL));
	runner_config.handler = count_exits;
	runner_config.vcpus = vcpus;
	runner_config.nvcpus = 1;
	runner_config.flags = flags;
	ck_ok(axvm_runner_start(vm, &runner_config, &runner));
	return runner;
}

static void wait_until(atomic_uint *counter, unsigned int n)
{
	while (atomic_load(counter) < n)
		sched_yield();
}

START_TEST(the_runner_calls_devices_and_keeps_kicks_for_the_handler)
{
	int ret = AXVM_HANDLED;
	struct axvm_runner *runner = run_to(0, &ret);

	wait_until(&device_calls, 100);
	ck_ok(axvcpu_kick(vcpus[0]));
	wait_until(&kicks, 1);
	ck_ok(axvm_runner_free(runner));
	ck_assert_uint_eq(atomic_load(&handled), 0);
	end_vcpus();
}
END_TEST

START_TEST(the_runner_leaves_all_exits_to_the_handler_if_it_is_told_to)
{
	int ret = AXVM_HANDLED;
	struct axvm_runner *runner = run_to(AXVM_RUNNER_ALL_EXITS, &ret);

	wait_until(&handled, 100);
	ck_ok(axvm_runner_free(runner));
	ck_assert_uint_eq(atomic_load(&device_calls), 0);
	end_vcpus();
}
END_TEST

START_TEST(an_error_of_a_device_ends_the_runner)
{
	int ret = -EPIPE;
	struct axvm_runner *runner = run_to(0, &ret);

	ck_fails(axvm_runner_join(runner, -1), EPIPE);
	ck_fails(axvm_runner_free(runner), EPIPE);
	end_vcpus();
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *find = suite_case(suite, "find");
	TCase *answer = suite_case(suite, "answer");
	TCase *refused = suite_case(suite, "refused");
	TCase *removal = suite_case(suite, "removal");
	TCase *coalesced = suite_case(suite, "coalesced");
	TCase *state = suite_case(suite, "state");
	TCase *runner = suite_case(suite, "runner");

	tcase_add_loop_test(find, each_access_reaches_the_device_that_contains_it, 0, 3);
	tcase_add_test(find, an_access_is_claimed_only_if_all_of_it_is_in_one_range);
	tcase_add_test(find, the_same_numbers_in_other_spaces_are_other_devices);
	tcase_add_test(find, the_first_and_the_last_address_of_each_space_can_be_a_device);
	tcase_add_test(find, the_range_decides_which_context_is_passed);

	tcase_add_test(answer, a_read_is_answered_with_the_value_of_the_device);
	tcase_add_test(answer, each_item_of_a_string_instruction_is_one_access);
	tcase_add_test(answer, an_unclaimed_exit_is_unchanged_and_the_caller_can_answer_it);
	tcase_add_test(answer, an_error_of_a_callback_is_returned_and_the_exit_stays_open);
	tcase_add_test(answer, without_callbacks_reads_are_all_ones_and_writes_have_no_effect);
	tcase_add_test(answer, a_write_that_also_reads_a_register_gets_its_previous_value);

	tcase_add_test(refused, overlaps_are_refused_with_both_names);
	tcase_add_test(refused, ranges_of_one_device_must_not_overlap_either);
	tcase_add_test(refused, frames_are_allocated_beside_devices);
	tcase_add_test(refused, bad_configs_are_refused);

	tcase_add_test(removal, a_removed_device_is_not_found_though_it_was_the_latest);
	tcase_add_loop_test(removal, a_callback_adds_devices_and_removes_others_but_not_its_own, 0,
			    2);
	tcase_add_loop_test(removal, removal_waits_for_the_callback_but_not_for_those_of_others, 0,
			    2);
	tcase_add_test(removal, devices_come_and_go_while_vcpus_write_to_them);
	tcase_add_test(removal, the_lock_keeps_callbacks_apart_and_its_absence_does_not);

	tcase_add_test(coalesced, gathered_writes_are_delivered_in_order_before_the_next_exit);
	tcase_add_test(coalesced,
		       devices_that_were_cached_before_writes_are_gathered_come_after_them);
	tcase_add_test(coalesced, a_failed_write_leaves_those_after_it);
	tcase_add_test(coalesced, writes_that_never_end_do_not_hold_up_a_vcpu);
	tcase_add_test(coalesced, zones_that_the_backend_refuses_leave_nothing);

	tcase_add_test(state, devices_are_quiesced_in_the_order_of_addition_until_one_fails);
	tcase_add_test(state, the_state_of_a_device_is_saved_and_restored_with_its_version);
	tcase_add_test(state, callbacks_for_checkpoints_cannot_remove_their_device);

	tcase_add_test(runner, the_runner_calls_devices_and_keeps_kicks_for_the_handler);
	tcase_add_test(runner, the_runner_leaves_all_exits_to_the_handler_if_it_is_told_to);
	tcase_add_test(runner, an_error_of_a_device_ends_the_runner);
}

int main(void)
{
	return suite_main("devices", false, add_tests);
}
