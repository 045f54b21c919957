/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Checkpoints, on the mock: which parts come back, in which VMs, how many pages are written, and
 * what a failure leaves. Needs no KVM.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mock.h"
#include "suite.h"

/* Pages of each region, and of the VM. */
#define PAGES 100u
#define REGIONS 5u
#define ALL_PAGES (REGIONS * PAGES)

static uint64_t page;
static struct axvm *vm;
static struct axvcpu *vcpu;
static struct axvm_checkpoint *checkpoint;
static unsigned char *callers;
static int file;

/* --- a backend that records writes ------------------------------------------------------------ */

static uint64_t written[REGIONS + 1][(PAGES + 63) / 64];

/* The log of this region cannot be switched on; 0: that of any can. */
static uint64_t without_log;

static int set_dirty_log(void *arch, const struct axvm_region *region, uint32_t slot)
{
	(void)arch;
	if (without_log && region->gpa == without_log && (region->flags & AXVM_MEM_LOG_DIRTY))
		return axvcpu_fail(vm, -EIO, "no log today");
	memset(written[slot], 0, sizeof(written[slot]));
	return 0;
}

static int get_dirty(void *arch, const struct axvm_region *region, uint32_t slot, uint64_t *bitmap)
{
	(void)arch;
	(void)region;
	memcpy(bitmap, written[slot], sizeof(written[slot]));
	memset(written[slot], 0, sizeof(written[slot]));
	return 0;
}

/* --- the VM ----------------------------------------------------------------------------------- */

static struct axvcpu_arch_ops ops;

static uint64_t at(unsigned int region, uint64_t n)
{
	return (region * 2 * PAGES + n) * page;
}

static int map_region(unsigned int region)
{
	static const uint32_t backings[REGIONS] = { AXVM_MEM_ANONYMOUS, AXVM_MEM_MEMFD,
						    AXVM_MEM_FILE, AXVM_MEM_CALLER,
						    AXVM_MEM_ANONYMOUS };
	struct axvm_region info = AXVM_REGION_INIT;

	info.gpa = at(region, 0);
	info.len = PAGES * page;
	info.backing = backings[region];
	info.fd = file;
	if (info.backing == AXVM_MEM_CALLER)
		info.hva = callers;
	return axvm_map(vm, &info);
}

static void create(void)
{
	ops = mock_ops;
	ops.vm_set_dirty_log = set_dirty_log;
	ops.vm_get_dirty = get_dirty;
	mock_reset();
	ck_ok(axvm_new(&AXVCPU_WITH(axvm_config, .arch = &ops, .max_vcpus = 2), &vm));
	ck_ok(axvcpu_new(vm, &AXVCPU_WITH(axvcpu_config, .id = 0), &vcpu));
	ck_ok(axvcpu_setup(vcpu, 0, 0, NULL));
	mock_set_state();
}

static void start(void)
{
	char path[] = "/tmp/test_checkpoint.XXXXXX";

	page = (uint64_t)sysconf(_SC_PAGESIZE);
	file = mkstemp(path);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(ftruncate(file, (off_t)(PAGES * page)), 0);
	ck_assert_int_eq(pwrite(file, "file", 4, (off_t)page), 4);
	callers = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);
	ck_assert_ptr_ne(callers, MAP_FAILED);
	create();
	for (unsigned int i = 0; i < REGIONS; i++)
		ck_ok(map_region(i));
}

static void end(void)
{
	ck_ok(axvm_checkpoint_free(checkpoint));
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(vm));
	munmap(callers, PAGES * page);
	close(file);
}

static int take(uint32_t flags)
{
	return axvm_checkpoint_new(vm, &AXVCPU_WITH(axvm_checkpoint_config, .flags = flags),
				   &checkpoint);
}

static int restore_with(const struct axvm_restore_config *config)
{
	return (int)axvm_checkpoint_restore(checkpoint, vm, config);
}

static int restore(void)
{
	return restore_with(NULL);
}

static void put(unsigned int region, uint64_t n, uint32_t value)
{
	ck_ok(axvm_write(vm, at(region, n), &value, sizeof(value)));
}

/* As a guest writes: the library does not know of it. */
static void guest_puts(unsigned int region, uint64_t n, uint32_t value)
{
	void *ptr;

	ck_ok(axvm_translate(vm, at(region, n), sizeof(value), &ptr));
	memcpy(ptr, &value, sizeof(value));
	written[region][n / 64] |= UINT64_C(1) << n % 64;
}

static uint32_t get(unsigned int region, uint64_t n)
{
	uint32_t value;

	ck_ok(axvm_read(vm, at(region, n), &value, sizeof(value)));
	return value;
}

static struct axvm_checkpoint_info info(void)
{
	struct axvm_checkpoint_info facts = AXVM_CHECKPOINT_INFO_INIT;

	ck_ok(axvm_checkpoint_get_info(checkpoint, &facts));
	return facts;
}

/* --- the parts -------------------------------------------------------------------------------- */

START_TEST(memory_of_every_kind_comes_back)
{
	start();
	for (unsigned int i = 0; i < REGIONS; i++)
		put(i, 7, 70 + i);
	ck_ok(take(0));
	for (unsigned int i = 0; i < REGIONS; i++) {
		put(i, 7, 1);
		/* Pages that were zero: single ones, and as many as are dropped. */
		put(i, 9, 1);
		ck_ok(axvm_set(vm, at(i, 20), 0xff, 60 * page));
	}
	ck_assert_int_eq(restore(), ALL_PAGES);
	for (unsigned int i = 0; i < REGIONS; i++)
		for (uint64_t n = 0; n < PAGES; n++)
			if (i == 2 && n == 1)
				ck_assert_int_eq(get(i, n), *(const uint32_t *)"file");
			else
				ck_assert_uint_eq(get(i, n), n == 7 ? 70 + i : 0);
	end();
}
END_TEST

START_TEST(a_checkpoint_holds_the_pages_that_are_not_zero)
{
	start();
	put(0, 3, 1);
	put(1, 4, 1);
	put(1, 5, 0);
	ck_ok(take(0));
	ck_assert_uint_eq(info().regions, REGIONS);
	ck_assert_uint_eq(info().vcpus, 1);
	ck_assert_uint_eq(info().memory, ALL_PAGES * page);
	/* Two, and all of the file: to look at its pages could raise SIGBUS. */
	ck_assert_uint_eq(info().memory_held, (2 + PAGES) * page);
	ck_assert_uint_gt(info().state, sizeof(mock.regs) + sizeof(mock.pins));
	end();
}
END_TEST

START_TEST(read_only_memory_of_the_caller_is_not_written)
{
	start();
	ck_ok(take(AXVM_CHECKPOINT_TRACK));
	put(0, 3, 3);
	ck_ok(axvm_set_readonly(vm, at(3, 0), PAGES * page, true));
	ck_ok(axvm_mark_dirty(vm, at(3, 0), PAGES * page));
	ck_assert_int_eq(mprotect(callers, PAGES * page, PROT_READ), 0);
	ck_assert_int_eq(restore(), 1);
	ck_assert_uint_eq(get(0, 3), 0);
	end();
}
END_TEST

START_TEST(registers_controllers_and_clock_come_back)
{
	start();
	mock.pins[5] = 55;
	ck_ok(take(0));
	mock.regs[3] = 1;
	mock.pins[5] = 1;
	mock.clock.counter = 5000;
	ck_assert_int_ge(restore(), 0);
	ck_assert_uint_eq(mock.regs[3], 103);
	ck_assert_uint_eq(mock.pins[5], 55);
	ck_assert(mock.has_target);
	ck_assert_uint_eq(mock.target.counter, 1000);
	end();
}
END_TEST

START_TEST(the_config_leaves_parts_out)
{
	struct axvm_restore_config config = AXVM_RESTORE_CONFIG_INIT;

	start();
	ck_ok(take(0));
	mock.pins[5] = 1;
	config.flags = AXVM_RESTORE_NO_CONTROLLERS;
	config.time_policy = AXVM_TIME_KEEP;
	mock.has_target = true;
	ck_assert_int_ge(restore_with(&config), 0);
	ck_assert_uint_eq(mock.pins[5], 1);
	ck_assert(!mock.has_target);
	config.flags = 0x80;
	ck_fails_saying(restore_with(&config), EINVAL, "0x80");
	config.flags = 0;
	config.time_policy = AXVM_TIME_KEEP + 1;
	ck_fails(restore_with(&config), EINVAL);
	config.time_policy = AXVM_TIME_KEEP;
	config.without = AXVCPU_PARTS + 1;
	ck_fails_saying(restore_with(&config), EINVAL, "0x20");
	config.without = AXVCPU_PART_FPU | AXVCPU_PART_TIMERS;
	config.reserved = 1;
	ck_fails(restore_with(&config), EINVAL);
	config.reserved = 0;
	ck_assert_int_ge(restore_with(&config), 0);
	ck_assert_uint_eq(mock.parts, AXVCPU_PARTS & ~(AXVCPU_PART_FPU | AXVCPU_PART_TIMERS));
	ck_assert_int_ge(restore(), 0);
	ck_assert_uint_eq(mock.parts, AXVCPU_PARTS);
	ck_fails(take(0x80), EINVAL);
	end();
}
END_TEST

/* --- prepared states -------------------------------------------------------------------------- */

/* Restores 'n' times, of which 'prepared' find the state prepared. */
static void expect_prepared(unsigned int n, unsigned int prepared)
{
	mock.prepared_loads = 0;
	for (unsigned int i = 0; i < n; i++) {
		mock.regs[3] = 1;
		ck_assert_int_ge(restore(), 0);
		ck_assert_uint_eq(mock.regs[3], 103);
	}
	ck_assert_uint_eq(mock.prepared_loads, prepared);
}

START_TEST(a_tracking_checkpoint_prepares_a_state_once)
{
	start();
	mock.prepares = true;
	ck_ok(take(AXVM_CHECKPOINT_TRACK));
	expect_prepared(3, 2);
	/* The next checkpoint prepares its own. */
	ck_ok(axvm_checkpoint_free(checkpoint));
	ck_ok(take(AXVM_CHECKPOINT_TRACK));
	expect_prepared(3, 2);
	end();
}
END_TEST

START_TEST(other_checkpoints_and_vms_check_each_time)
{
	struct axvm *first;
	struct axvcpu *of_first;

	start();
	mock.prepares = true;
	ck_ok(take(0));
	expect_prepared(3, 0);
	ck_ok(axvm_checkpoint_free(checkpoint));
	ck_ok(take(AXVM_CHECKPOINT_TRACK));
	expect_prepared(2, 1);
	first = vm;
	of_first = vcpu;
	create();
	mock.prepares = true;
	for (unsigned int i = 0; i < REGIONS; i++)
		ck_ok(map_region(i));
	expect_prepared(2, 0);
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(vm));
	vm = first;
	vcpu = of_first;
	expect_prepared(2, 2);
	end();
}
END_TEST

START_TEST(clocks_that_stay_are_not_touched)
{
	struct axvm_restore_config config = AXVM_RESTORE_CONFIG_INIT;

	start();
	mock.prepares = true;
	config.time_policy = AXVM_TIME_KEEP;
	ck_ok(take(AXVM_CHECKPOINT_TRACK));
	ck_assert_int_ge(restore_with(&config), 0);
	mock.calls[MOCK_GET_CLOCK] = 0;
	mock.calls[MOCK_SET_CLOCK] = 0;
	ck_assert_int_ge(restore_with(&config), 0);
	ck_assert_uint_eq(mock.calls[MOCK_GET_CLOCK], 0);
	/* A backend computes the offsets of the vCPUs by it. */
	ck_assert_uint_eq(mock.calls[MOCK_SET_CLOCK], 1);
	ck_assert(!mock.has_target);
	config.without = AXVCPU_PART_TIMERS;
	ck_assert_int_ge(restore_with(&config), 0);
	ck_assert_uint_eq(mock.calls[MOCK_SET_CLOCK], 1);
	end();
}
END_TEST

/* --- tracking --------------------------------------------------------------------------------- */

START_TEST(a_restore_in_place_writes_the_pages_that_changed)
{
	start();
	for (unsigned int i = 0; i < REGIONS; i++)
		put(i, 3, 30 + i);
	ck_ok(take(AXVM_CHECKPOINT_TRACK));
	for (unsigned int round = 0; round < 3; round++) {
		ck_assert_int_eq(restore(), 0);
		/* By the library, by the guest, and by a pointer. */
		put(1, 3, 1);
		put(1, 99, 1);
		guest_puts(0, 3, 1);
		guest_puts(0, 4, 1);
		memset(callers + 3 * page, 0xee, 2 * page);
		ck_ok(axvm_mark_dirty(vm, at(3, 3), 2 * page));
		ck_assert_int_eq(restore(), 6);
		for (unsigned int i = 0; i < REGIONS; i++) {
			ck_assert_uint_eq(get(i, 3), 30 + i);
			ck_assert_uint_eq(get(i, 4), 0);
			ck_assert_uint_eq(get(i, 99), 0);
		}
	}
	end();
}
END_TEST

START_TEST(changed_pages_stay_present_when_they_become_zero)
{
	enum { FIRST = 20, COUNT = 60 };
	unsigned char present[COUNT];
	void *ptr;

	start();
	ck_ok(take(AXVM_CHECKPOINT_TRACK));
	ck_ok(axvm_set(vm, at(0, FIRST), 0xff, COUNT * page));
	ck_assert_int_eq(restore(), COUNT);
	ck_assert_uint_eq(get(0, FIRST), 0);
	ck_assert_uint_eq(get(0, FIRST + COUNT - 1), 0);
	/* Those that were dropped would cost a fault each in the next run. */
	ck_ok(axvm_translate(vm, at(0, FIRST), COUNT * page, &ptr));
	ck_assert_int_eq(mincore(ptr, COUNT * page, present), 0);
	for (unsigned int i = 0; i < COUNT; i++)
		ck_assert_uint_eq(present[i] & 1, 1);
	end();
}
END_TEST

START_TEST(the_dirty_logs_have_one_reader)
{
	struct axvm_checkpoint *second = NULL;
	struct axvm_dirty_range range;
	uint64_t cursor = 0;

	start();
	ck_ok(axvm_set_dirty_log(vm, at(0, 0), PAGES * page, true));
	ck_fails_saying(take(AXVM_CHECKPOINT_TRACK), EBUSY, "dirty logs");
	ck_ok(axvm_set_dirty_log(vm, at(0, 0), PAGES * page, false));
	ck_ok(take(AXVM_CHECKPOINT_TRACK));
	ck_fails_saying(axvm_take_dirty(vm, &cursor, 1, &range), EBUSY, "AXVM_CHECKPOINT_TRACK");
	ck_fails(axvm_set_dirty_log(vm, at(0, 0), PAGES * page, false), EBUSY);
	ck_fails(axvm_checkpoint_new(vm,
				     &AXVCPU_WITH(axvm_checkpoint_config,
						  .flags = AXVM_CHECKPOINT_TRACK),
				     &second),
		 EBUSY);
	ck_assert_ptr_null(second);
	/* One that does not track is no reader; what it writes is in the logs. */
	put(0, 8, 8);
	ck_ok(axvm_checkpoint_new(vm, NULL, &second));
	ck_assert_int_eq(axvm_checkpoint_restore(second, vm, NULL), ALL_PAGES);
	ck_assert_uint_eq(get(0, 8), 8);
	ck_assert_int_eq(restore(), ALL_PAGES);
	ck_assert_uint_eq(get(0, 8), 0);
	ck_ok(axvm_checkpoint_free(second));
	/* Its end gives the logs back, switched off. */
	ck_ok(axvm_checkpoint_free(checkpoint));
	checkpoint = NULL;
	put(0, 8, 8);
	ck_assert_int_eq(axvm_take_dirty(vm, &cursor, 1, &range), 0);
	end();
}
END_TEST

START_TEST(a_region_that_was_mapped_again_is_written_whole)
{
	start();
	put(0, 3, 3);
	ck_ok(take(AXVM_CHECKPOINT_TRACK));
	ck_ok(axvm_unmap(vm, at(0, 0), PAGES * page));
	ck_ok(map_region(0));
	ck_assert_uint_eq(get(0, 3), 0);
	ck_assert_int_eq(restore(), ALL_PAGES);
	ck_assert_uint_eq(get(0, 3), 3);
	end();
}
END_TEST

START_TEST(a_vm_may_be_freed_before_its_checkpoint)
{
	start();
	ck_ok(take(AXVM_CHECKPOINT_TRACK));
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(vm));
	/* Into another VM. */
	create();
	for (unsigned int i = 0; i < REGIONS; i++)
		ck_ok(map_region(i));
	mock.regs[3] = 1;
	ck_assert_int_eq(restore(), ALL_PAGES);
	ck_assert_uint_eq(mock.regs[3], 103);
	end();
}
END_TEST

/* --- refusals --------------------------------------------------------------------------------- */

/* Refused, and nothing has changed. */
static void expect_misfit_with(int err, const char *text)
{
	mock.regs[3] = 1;
	put(1, 3, 1);
	ck_fails_saying(restore(), err, text);
	ck_assert_uint_eq(mock.regs[3], 1);
	ck_assert_uint_eq(get(1, 3), 1);
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_FREE);
}

static void expect_misfit(const char *text)
{
	expect_misfit_with(EINVAL, text);
}

START_TEST(a_vm_that_differs_is_refused_unchanged)
{
	struct axvcpu *second;

	start();
	ck_ok(take(0));
	ck_ok(axvm_unmap(vm, at(4, 0), PAGES * page));
	expect_misfit("5 regions, the VM has 4");
	ck_ok(map_region(4));
	ck_ok(axvm_unmap(vm, at(0, 0), PAGES * page));
	expect_misfit("region 0");
	ck_ok(map_region(0));
	ck_ok(axvcpu_new(vm, &AXVCPU_WITH(axvcpu_config, .id = 1), &second));
	expect_misfit("1 vCPUs, the VM 2");
	ck_ok(axvcpu_free(second));
	ck_assert_int_ge(restore(), 0);
	end();
}
END_TEST

START_TEST(a_vm_of_another_kind_is_refused_unchanged)
{
	start();
	ck_ok(take(0));
	ops.vm_load = NULL;
	ck_fails_saying(restore(), ENOTSUP, "load");
	ops.vm_load = mock_ops.vm_load;
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(vm));
	ck_ok(axvm_new(&AXVCPU_WITH(axvm_config, .arch = &ops, .max_vcpus = 2,
				    .irqchip = AXVM_IRQCHIP_SPLIT),
		       &vm));
	ck_ok(axvcpu_new(vm, &AXVCPU_WITH(axvcpu_config, .id = 0), &vcpu));
	for (unsigned int i = 0; i < REGIONS; i++)
		ck_ok(map_region(i));
	ck_fails_saying(restore(), EINVAL, "irqchip");
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_CREATED);
	end();
}
END_TEST

/* The backend finds it before the first change: of a vCPU, and of the controllers. */
START_TEST(a_state_that_the_host_cannot_have_is_refused_unchanged)
{
	static const enum mock_op refusing[] = { MOCK_LOAD, MOCK_VM_LOAD };

	start();
	ck_ok(take(0));
	mock.ret[refusing[_i]] = -ENOTSUP;
	mock.regs[3] = mock.pins[3] = 1;
	put(1, 3, 1);
	ck_assert_int_eq(restore(), -ENOTSUP);
	ck_assert_uint_eq(mock.regs[3], 1);
	ck_assert_uint_eq(mock.pins[3], 1);
	ck_assert_uint_eq(get(1, 3), 1);
	ck_assert_uint_eq(atomic_load(&mock.calls[MOCK_SET_CLOCK]), 0);
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_FREE);
	mock.ret[refusing[_i]] = 0;
	ck_assert_int_ge(restore(), 0);
	end();
}
END_TEST

START_TEST(a_state_of_a_feature_that_the_host_lacks_is_refused_unchanged)
{
	start();
	mock.extra_section = "feature";
	ck_ok(take(0));
	expect_misfit_with(ENOTSUP, "section feature is unknown to this library, or belongs to");
	end();
}
END_TEST

START_TEST(a_failure_after_the_first_change_makes_the_vcpus_invalid)
{
	static const enum mock_op failing[] = { MOCK_LOAD, MOCK_VM_LOAD };

	start();
	/* Into another VM, the first call of each only checks. */
	ck_ok(take(AXVM_CHECKPOINT_TRACK));
	mock.ret[failing[_i]] = -EIO;
	ck_assert_int_eq(restore(), -EIO);
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_INVALID);
	end();
}
END_TEST

START_TEST(a_clock_that_cannot_be_set_changes_nothing)
{
	start();
	ck_ok(take(0));
	mock.regs[3] = 1;
	mock.ret[MOCK_SET_CLOCK] = -ENOTSUP;
	ck_assert_int_eq(restore(), -ENOTSUP);
	ck_assert_uint_eq(mock.regs[3], 1);
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_FREE);
	end();
}
END_TEST

START_TEST(a_counter_of_another_frequency_is_refused_unchanged)
{
	start();
	ck_ok(take(0));
	mock.clock.counter_hz *= 2;
	expect_misfit_with(ENOTSUP, "the saved counter has 1000000 Hz");
	end();
}
END_TEST

START_TEST(a_failure_to_take_one_leaves_the_vm_as_it_was)
{
	/* The last one: a log cannot be switched on. */
	static const enum mock_op failing[] = { MOCK_GET_CLOCK, MOCK_SAVE, MOCK_VM_SAVE, MOCK_OPS };
	struct axvm_dirty_range range;
	uint64_t cursor = 0;

	start();
	if (failing[_i] == MOCK_OPS)
		without_log = at(2, 0);
	else
		mock.ret[failing[_i]] = -EIO;
	ck_assert_int_eq(take(AXVM_CHECKPOINT_TRACK), -EIO);
	ck_assert_ptr_null(checkpoint);
	put(0, 3, 3);
	ck_assert_int_eq(axvm_take_dirty(vm, &cursor, 1, &range), 0);
	without_log = 0;
	if (failing[_i] != MOCK_OPS)
		mock.ret[failing[_i]] = 0;
	ck_ok(take(AXVM_CHECKPOINT_TRACK));
	end();
}
END_TEST

START_TEST(a_backend_that_cannot_is_named)
{
	start();
	ops.vm_save = NULL;
	ck_fails_saying(take(0), ENOTSUP, "vm_save");
	ops.vm_save = mock_ops.vm_save;
	ops.vm_get_dirty = NULL;
	ck_fails_saying(take(AXVM_CHECKPOINT_TRACK), ENOTSUP, "dirty tracking");
	ops.vm_get_dirty = get_dirty;
	ck_ok(take(0));
	end();
}
END_TEST

/* --- devices ---------------------------------------------------------------------------------- */

static uint32_t counter;
static unsigned int quiesced;
static int quiesce_result;

static int device_quiesce(void *ctx)
{
	(void)ctx;
	quiesced++;
	return quiesce_result;
}

static int device_save(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	if (len >= sizeof(counter))
		memcpy(buf, &counter, sizeof(counter));
	return sizeof(counter);
}

static int device_restore(void *ctx, uint32_t version, const void *buf, size_t len)
{
	(void)ctx;
	ck_assert_uint_eq(version, 2);
	ck_assert_uint_eq(len, sizeof(counter));
	memcpy(&counter, buf, len);
	return 0;
}

static int device_read(struct axvcpu *of, void *ctx, uint64_t offset, unsigned int width,
		       uint64_t *value)
{
	(void)of;
	(void)ctx;
	(void)offset;
	(void)width;
	*value = 0;
	return 0;
}

/* A device without a state has version 0 here. */
static struct axvm_device *add_device(const char *name, uint32_t version)
{
	const struct axvm_device_range range = { .base = (version + 1) * UINT64_C(0x1000000),
						 .len = 8 };
	struct axvm_device_config config = AXVM_DEVICE_CONFIG_INIT;
	struct axvm_device *device;

	config.name = name;
	config.version = version;
	config.ranges = &range;
	config.nranges = 1;
	config.read = device_read;
	config.quiesce = device_quiesce;
	if (version) {
		config.save = device_save;
		config.restore = device_restore;
	}
	ck_ok(axvm_add_device(vm, &config, &device));
	return device;
}

START_TEST(devices_come_back_by_their_names)
{
	struct axvm_device *device;

	start();
	add_device("stateless", 0);
	device = add_device("counter", 2);
	counter = 7;
	ck_ok(take(0));
	ck_assert_uint_eq(info().devices, 1);
	counter = 1;
	ck_ok(restore_with(&AXVCPU_WITH(axvm_restore_config, .flags = AXVM_RESTORE_NO_DEVICES)));
	ck_assert_uint_eq(counter, 1);
	ck_assert_int_ge(restore(), 0);
	ck_assert_uint_eq(counter, 7);
	ck_ok(axvm_remove_device(device));
	expect_misfit("no device counter");
	device = add_device("counter", 1);
	expect_misfit("device counter: its state has version 2");
	end();
}
END_TEST

/* --- rest ------------------------------------------------------------------------------------- */

static int go_on(struct axvcpu *of, struct axvcpu_exit *exit, void *ctx)
{
	(void)of;
	(void)exit;
	(void)ctx;
	return AXVM_CONTINUE;
}

static uint32_t status(void)
{
	struct axvm_status_info now = AXVM_STATUS_INFO_INIT;

	ck_ok(axvm_get_status(vm, &now));
	return now.status;
}

START_TEST(a_runner_is_paused_and_a_restored_vm_runs_again)
{
	struct axvm_runner *runner;

	start();
	mock.vcpu = NULL;
	ck_ok(axvm_runner_start(vm, &AXVCPU_WITH(axvm_runner_config, .handler = go_on), &runner));
	ck_fails(take(0), EBUSY);
	ck_ok(axvm_quiesce(vm, runner, -1));
	ck_assert_uint_eq(status(), AXVM_STATUS_PAUSED);
	ck_ok(take(0));
	ck_ok(axvm_runner_resume(runner));
	ck_fails(restore(), EBADFD);
	ck_ok(axvm_runner_pause(runner, -1));
	ck_assert_int_ge(restore(), 0);
	ck_assert_uint_eq(status(), AXVM_STATUS_PAUSED);
	ck_ok(axvm_runner_resume(runner));
	ck_ok(axvm_runner_stop(runner));
	ck_ok(axvm_runner_join(runner, -1));
	ck_ok(axvm_runner_free(runner));
	ck_assert_int_ge(restore(), 0);
	ck_assert_uint_eq(status(), AXVM_STATUS_READY);
	end();
}
END_TEST

START_TEST(quiesce_names_what_is_in_the_way)
{
	struct axvm_runner *runner;
	struct axvcpu_exit exit;

	start();
	add_device("counter", 2);
	ck_ok(axvm_quiesce(vm, NULL, 0));
	ck_assert_uint_eq(quiesced, 1);
	ck_ok(axvcpu_bind(vcpu));
	mock.exit = (struct axvcpu_exit){ .kind = AXVCPU_EXIT_MMIO_READ, .answerable = 1 };
	ck_ok(axvcpu_run(vcpu, &exit));
	ck_fails_saying(axvm_quiesce(vm, NULL, 0), EBADFD, "vCPU 0: its latest exit (MMIO_READ)");
	ck_fails_saying(take(0), EBADFD, "vCPU 0: its latest exit (MMIO_READ)");
	ck_ok(axvcpu_complete_value(vcpu, 1));
	ck_ok(axvcpu_unbind(vcpu));
	mock.exit = (struct axvcpu_exit){ .kind = AXVCPU_EXIT_NOTHING };
	mock.vcpu = NULL;
	/* A runner that it has paused is resumed, one that was paused is not. */
	ck_ok(axvm_runner_start(vm, &AXVCPU_WITH(axvm_runner_config, .handler = go_on), &runner));
	quiesce_result = -EPIPE;
	ck_fails_saying(axvm_quiesce(vm, runner, -1), EPIPE, "device counter");
	ck_assert_uint_eq(status(), AXVM_STATUS_RUNNING);
	ck_ok(axvm_runner_pause(runner, -1));
	ck_fails(axvm_quiesce(vm, runner, -1), EPIPE);
	ck_assert_uint_eq(status(), AXVM_STATUS_PAUSED);
	quiesce_result = 0;
	ck_ok(axvm_quiesce(vm, runner, -1));
	ck_ok(axvm_runner_free(runner));
	end();
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *parts = suite_case(suite, "parts");
	TCase *tracking = suite_case(suite, "tracking");
	TCase *refusals = suite_case(suite, "refusals");
	TCase *rest = suite_case(suite, "rest");

	tcase_add_test(parts, memory_of_every_kind_comes_back);
	tcase_add_test(parts, a_checkpoint_holds_the_pages_that_are_not_zero);
	tcase_add_test(parts, registers_controllers_and_clock_come_back);
	tcase_add_test(parts, the_config_leaves_parts_out);
	tcase_add_test(parts, devices_come_back_by_their_names);
	tcase_add_test(parts, a_tracking_checkpoint_prepares_a_state_once);
	tcase_add_test(parts, other_checkpoints_and_vms_check_each_time);
	tcase_add_test(parts, clocks_that_stay_are_not_touched);
	tcase_add_test(tracking, a_restore_in_place_writes_the_pages_that_changed);
	tcase_add_test(tracking, changed_pages_stay_present_when_they_become_zero);
	tcase_add_test(tracking, the_dirty_logs_have_one_reader);
	tcase_add_test(tracking, a_region_that_was_mapped_again_is_written_whole);
	tcase_add_test(tracking, a_vm_may_be_freed_before_its_checkpoint);
	tcase_add_test(refusals, a_vm_that_differs_is_refused_unchanged);
	tcase_add_loop_test(refusals, a_state_that_the_host_cannot_have_is_refused_unchanged, 0, 2);
	tcase_add_test(refusals, a_state_of_a_feature_that_the_host_lacks_is_refused_unchanged);
	tcase_add_loop_test(refusals, a_failure_after_the_first_change_makes_the_vcpus_invalid, 0,
			    2);
	tcase_add_test(refusals, a_clock_that_cannot_be_set_changes_nothing);
	tcase_add_test(refusals, a_counter_of_another_frequency_is_refused_unchanged);
	tcase_add_loop_test(refusals, a_failure_to_take_one_leaves_the_vm_as_it_was, 0, 4);
	tcase_add_test(refusals, a_vm_of_another_kind_is_refused_unchanged);
	tcase_add_test(parts, read_only_memory_of_the_caller_is_not_written);
	tcase_add_test(refusals, a_backend_that_cannot_is_named);
	tcase_add_test(rest, a_runner_is_paused_and_a_restored_vm_runs_again);
	tcase_add_test(rest, quiesce_names_what_is_in_the_way);
}

int main(void)
{
	return suite_main("checkpoints", false, add_tests);
}
