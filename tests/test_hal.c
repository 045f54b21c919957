/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * HAL hooks: each is called with its context; and the defaults without hooks, mainly for frames and
 * addresses. For irq_fetch and irq_handler see test_state.c. Needs no KVM.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mock.h"
#include "suite.h"

#define CHUNK 512
#define FLOOR (UINT64_C(1) << 32)

static uint64_t page;
static struct axvm *vm;
static struct axvcpu_arch_ops ops;
static uint32_t slots;

static int limited_vm_new(struct axvm *new, const struct axvm_config *config,
			  struct axvm_limits *out, void **arch)
{
	(void)new;
	(void)config;
	(void)arch;
	if (slots)
		out->regions = slots;
	return 0;
}

static void create(const struct axvcpu_hal *hal, uint32_t gpa_bits, uint32_t regions)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	mock_reset();
	slots = regions;
	ops = mock_ops;
	ops.vm_new = limited_vm_new;
	config.arch = &ops;
	config.hal = hal;
	config.gpa_bits = gpa_bits;
	ck_ok(axvm_new(&config, &vm));
}

static void setup(void)
{
	create(NULL, 0, 0);
}

static void teardown(void)
{
	ck_ok(axvm_free(vm));
}

static int map_at(uint64_t gpa, uint64_t len)
{
	struct axvm_region region = AXVM_REGION_INIT;

	region.gpa = gpa;
	region.len = len;
	return axvm_map(vm, &region);
}

static int count(void)
{
	return axvm_regions(vm, 0, 0, NULL);
}

static uint64_t alloc(void)
{
	uint64_t gpa = 1;

	ck_ok(axvm_alloc_frame(vm, &gpa));
	return gpa;
}

/* --- hooks -------------------------------------------------------------------------------------- */

/* Where a hook was called from, and its arguments. */
static struct hooks {
	unsigned int logged, mapped, unmapped, set, got, allocated, freed, to_virt, to_phys;
	int result;
	bool silent;
	uint64_t frame;
	uint64_t gpa;
	const void *ptr;
} hooks;

static struct hooks *of(void *ctx)
{
	ck_assert_ptr_eq(ctx, &hooks);
	return ctx;
}

static int fail_or(int result)
{
	if (hooks.result && !hooks.silent)
		return axvcpu_fail(vm, hooks.result, "the hook does not want to");
	return hooks.result ? hooks.result : result;
}

static void hook_log(void *ctx, enum axvcpu_log_level level, const char *message)
{
	of(ctx)->logged++;
	ck_assert_int_eq(level, AXVCPU_LOG_ERROR);
	ck_assert_ptr_nonnull(message);
}

static int hook_map(void *ctx, struct axvm_region *region)
{
	of(ctx)->mapped++;
	region->hva = mmap(NULL, region->len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
	ck_assert_ptr_ne(region->hva, MAP_FAILED);
	return 0;
}

static void hook_unmap(void *ctx, const struct axvm_region *region)
{
	of(ctx)->unmapped++;
	munmap(region->hva, region->len);
}

static int hook_set_affinity(void *ctx, const void *set, size_t size)
{
	of(ctx)->set++;
	return sched_setaffinity(0, size, set) ? -errno : 0;
}

static int hook_get_affinity(void *ctx, void *set, size_t size)
{
	of(ctx)->got++;
	return sched_getaffinity(0, size, set) ? -errno : 0;
}

static int hook_alloc(void *ctx, struct axvm *of_vm, uint64_t *gpa)
{
	of(ctx)->allocated++;
	ck_assert_ptr_eq(of_vm, vm);
	*gpa = hooks.frame;
	return fail_or(0);
}

static int hook_free(void *ctx, struct axvm *of_vm, uint64_t gpa)
{
	of(ctx)->freed++;
	ck_assert_ptr_eq(of_vm, vm);
	hooks.gpa = gpa;
	return fail_or(0);
}

static void *hook_to_virt(void *ctx, struct axvm *of_vm, uint64_t gpa)
{
	of(ctx)->to_virt++;
	ck_assert_ptr_eq(of_vm, vm);
	hooks.gpa = gpa;
	return fail_or(0) ? NULL : &hooks;
}

static int hook_to_phys(void *ctx, struct axvm *of_vm, const void *ptr, uint64_t *gpa)
{
	of(ctx)->to_phys++;
	ck_assert_ptr_eq(of_vm, vm);
	hooks.ptr = ptr;
	*gpa = 0x1234;
	return fail_or(0);
}

static struct axvcpu_hal all_hooks(void)
{
	struct axvcpu_hal hal = AXVCPU_HAL_INIT;

	hooks = (struct hooks){ .frame = 0x40000 };
	hal.ctx = &hooks;
	hal.log = hook_log;
	hal.map_memory = hook_map;
	hal.unmap_memory = hook_unmap;
	hal.set_affinity = hook_set_affinity;
	hal.get_affinity = hook_get_affinity;
	hal.alloc_frame = hook_alloc;
	hal.free_frame = hook_free;
	hal.phys_to_virt = hook_to_virt;
	hal.virt_to_phys = hook_to_phys;
	return hal;
}

START_TEST(each_hook_is_called_with_its_context)
{
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;
	struct axvcpu_hal hal = all_hooks();
	struct axvcpu *vcpu;
	cpu_set_t cpus;
	uint64_t gpa = 0;
	size_t here;

	create(&hal, 0, 0);
	/* The VM has a copy. */
	memset(&hal, 0x55, sizeof(hal));
	ck_ok(map_at(0, page));
	ck_ok(axvm_unmap(vm, 0, page));
	ck_assert_uint_eq(hooks.mapped, 1);
	ck_assert_uint_eq(hooks.unmapped, 1);
	ck_fails(axvm_unmap(vm, 0, page), ENOENT);
	ck_assert_uint_eq(hooks.logged, 1);

	ck_ok(axvm_alloc_frame(vm, &gpa));
	ck_assert_uint_eq(gpa, 0x40000);
	ck_ok(axvm_free_frame(vm, 0x50000));
	ck_assert_uint_eq(hooks.gpa, 0x50000);
	ck_assert_ptr_eq(axvm_phys_to_virt(vm, 0x60001), &hooks);
	ck_assert_uint_eq(hooks.gpa, 0x60001);
	ck_ok(axvm_virt_to_phys(vm, &gpa, &gpa));
	ck_assert_ptr_eq(hooks.ptr, &gpa);
	ck_assert_uint_eq(gpa, 0x1234);
	ck_assert_uint_eq(hooks.allocated, 1);
	ck_assert_uint_eq(hooks.freed, 1);
	ck_assert_uint_eq(hooks.to_virt, 1);
	ck_assert_uint_eq(hooks.to_phys, 1);
	/* Nothing of the library's own. */
	ck_assert_int_eq(count(), 0);

	here = (size_t)sched_getcpu();
	CPU_ZERO(&cpus);
	CPU_SET(here, &cpus);
	config.cpu_set = &cpus;
	config.cpu_set_size = sizeof(cpus);
	ck_ok(axvcpu_new(vm, &config, &vcpu));
	ck_ok(axvcpu_setup(vcpu, 0, 0, NULL));
	ck_ok(axvcpu_bind(vcpu));
	ck_ok(axvcpu_unbind(vcpu));
	ck_assert_uint_ge(hooks.got, 1);
	ck_assert_uint_eq(hooks.set, 2);
	ck_ok(axvcpu_free(vcpu));
	teardown();
}
END_TEST

static int call_alloc(uint64_t *out)
{
	return axvm_alloc_frame(vm, out);
}

static int call_free(uint64_t *out)
{
	(void)out;
	return axvm_free_frame(vm, 0x40000);
}

static int call_to_virt(uint64_t *out)
{
	(void)out;
	return axvm_phys_to_virt(vm, 0) ? 0 : hooks.silent ? -EFAULT : hooks.result;
}

static int call_to_phys(uint64_t *out)
{
	return axvm_virt_to_phys(vm, &hooks, out);
}

static int (*const calls[])(uint64_t *out) = { call_alloc, call_free, call_to_virt, call_to_phys };

START_TEST(a_hooks_errno_is_passed_on)
{
	struct axvcpu_hal hal = all_hooks();
	uint64_t out = 77;
	int ret;

	create(&hal, 0, 0);
	hooks.result = -EDOM;
	ck_fails_saying(calls[_i](&out), EDOM, "does not want to");
	/* A hook need not leave a message, and the one that is there is of something else. */
	hooks.silent = true;
	ret = calls[_i](&out);
	ck_assert_int_lt(ret, 0);
	ck_assert_ptr_nonnull(strstr(axvcpu_last_error(), "the HAL"));
	ck_assert_ptr_nonnull(strstr(axvcpu_last_error(), axvcpu_error_name(ret)));
	ck_assert_uint_eq(out, 77);
	hooks.result = 0;
	ck_ok(calls[_i](&out));
	teardown();
}
END_TEST

START_TEST(a_hooks_unaligned_frame_is_given_back)
{
	struct axvcpu_hal hal = all_hooks();
	uint64_t gpa = 77;

	create(&hal, 0, 0);
	hooks.frame = 0x40008;
	ck_fails_saying(axvm_alloc_frame(vm, &gpa), EINVAL, "0x40008");
	ck_assert_uint_eq(gpa, 77);
	ck_assert_uint_eq(hooks.freed, 1);
	ck_assert_uint_eq(hooks.gpa, 0x40008);
	teardown();
}
END_TEST

/* Hooks that come in pairs. */
static const struct {
	size_t members[2];
	const char *message;
} pairs[] = {
	{ { offsetof(struct axvcpu_hal, map_memory), offsetof(struct axvcpu_hal, unmap_memory) },
	  "map_memory and unmap_memory" },
	{ { offsetof(struct axvcpu_hal, set_affinity), offsetof(struct axvcpu_hal, get_affinity) },
	  "set_affinity and get_affinity" },
	{ { offsetof(struct axvcpu_hal, alloc_frame), offsetof(struct axvcpu_hal, free_frame) },
	  "alloc_frame and free_frame" },
	{ { offsetof(struct axvcpu_hal, phys_to_virt), offsetof(struct axvcpu_hal, virt_to_phys) },
	  "phys_to_virt and virt_to_phys" },
};

START_TEST(half_a_pair_is_refused)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.arch = &mock_ops;
	for (int half = 0; half < 2; half++) {
		struct axvcpu_hal hal = all_hooks();

		memset((char *)&hal + pairs[_i].members[half], 0, sizeof(void *));
		config.hal = &hal;
		ck_fails_saying(axvm_new(&config, &vm), EINVAL, pairs[_i].message);
	}
}
END_TEST

START_TEST(a_table_from_before_frames_has_the_defaults)
{
	struct axvcpu_hal hal = all_hooks();
	uint64_t gpa, back = 0;

	hal.size = offsetof(struct axvcpu_hal, alloc_frame);
	create(&hal, 0, 0);
	gpa = alloc();
	/* Backed by memory from the HAL, as other regions are. */
	ck_assert_uint_eq(hooks.mapped, 1);
	ck_ok(axvm_virt_to_phys(vm, axvm_phys_to_virt(vm, gpa), &back));
	ck_assert_uint_eq(back, gpa);
	ck_ok(axvm_free_frame(vm, gpa));
	teardown();
	ck_assert_uint_eq(hooks.unmapped, 1);
	ck_assert_uint_eq(hooks.allocated + hooks.freed + hooks.to_virt + hooks.to_phys, 0);
}
END_TEST

/* --- frames ------------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

#define FRAMES 5000u

START_TEST(thousands_of_frames_are_distinct_and_cost_few_slots)
{
	static uint64_t frames[FRAMES], sorted[FRAMES];

	for (unsigned int i = 0; i < FRAMES; i++) {
		frames[i] = alloc();
		ck_assert_uint_eq(frames[i] % page, 0);
		ck_assert_uint_ge(frames[i], FLOOR);
		ck_ok(axvm_write(vm, frames[i], &i, sizeof(i)));
	}
	memcpy(sorted, frames, sizeof(sorted));
	qsort(sorted, FRAMES, sizeof(sorted[0]), by_value);
	for (unsigned int i = 1; i < FRAMES; i++)
		ck_assert_uint_ne(sorted[i - 1], sorted[i]);
	ck_assert_int_eq(count(), (FRAMES + CHUNK - 1) / CHUNK);
	for (unsigned int i = 0; i < FRAMES; i++) {
		unsigned int was = 0;

		ck_ok(axvm_read(vm, frames[i], &was, sizeof(was)));
		ck_assert_uint_eq(was, i);
		ck_ok(axvm_free_frame(vm, frames[i]));
	}
	/* All gone but the reserve. */
	ck_assert_int_eq(count(), 1);
	ck_assert_uint_eq(mock.calls[MOCK_VM_MAP], mock.calls[MOCK_VM_UNMAP] + 1);
}
END_TEST

START_TEST(frames_are_zero_whoever_wrote_there)
{
	unsigned char *zero = calloc(1, page), *now = malloc(page);
	struct axvm_region region = AXVM_REGION_INIT;
	uint64_t frames[CHUNK];

	ck_assert_ptr_nonnull(zero);
	ck_assert_ptr_nonnull(now);
	frames[0] = alloc();
	ck_assert_int_eq(axvm_regions(vm, 0, 1, &region), 1);
	ck_assert_uint_eq(region.len, CHUNK * page);
	/* As a guest may: also where no frame is allocated. */
	for (int round = 0; round < 2; round++) {
		ck_ok(axvm_set(vm, region.gpa, 0xaa, region.len));
		for (int i = 1; i < CHUNK; i++)
			frames[i] = alloc();
		for (int i = 1; i < CHUNK; i++) {
			ck_ok(axvm_read(vm, frames[i], now, page));
			ck_assert_mem_eq(now, zero, page);
		}
		/* The existing one keeps its contents. */
		ck_ok(axvm_read(vm, frames[0], now, page));
		ck_assert_uint_eq(now[0], 0xaa);
		for (int i = 1; i < CHUNK; i++)
			ck_ok(axvm_free_frame(vm, frames[i]));
	}
	ck_assert_int_eq(count(), 1);
	free(zero);
	free(now);
}
END_TEST

START_TEST(a_double_free_is_refused)
{
	uint64_t kept = alloc(), gpa = alloc();

	ck_ok(axvm_free_frame(vm, gpa));
	ck_fails(axvm_free_frame(vm, gpa), ENOENT);
	ck_ok(axvm_free_frame(vm, kept));
	ck_fails(axvm_free_frame(vm, kept), ENOENT);
	/* And has spoilt nothing. */
	kept = alloc();
	ck_ok(axvm_free_frame(vm, kept));
}
END_TEST

START_TEST(only_frames_can_be_freed)
{
	uint64_t gpa = alloc();

	ck_ok(map_at(0, 4 * page));
	ck_fails(axvm_free_frame(vm, gpa + 1), EINVAL);
	ck_fails(axvm_free_frame(vm, gpa + page / 2), EINVAL);
	/* Memory of others, none at all, and a frame that is free. */
	ck_fails(axvm_free_frame(vm, page), ENOENT);
	ck_fails(axvm_free_frame(vm, 8 * page), ENOENT);
	ck_fails(axvm_free_frame(vm, FLOOR), ENOENT);
	ck_fails(axvm_free_frame(vm, gpa ^ page), ENOENT);
	ck_ok(axvm_free_frame(vm, gpa));
	ck_ok(axvm_unmap(vm, 0, 4 * page));
}
END_TEST

START_TEST(frame_after_frame_costs_the_hypervisor_one_slot)
{
	for (int i = 0; i < 1000; i++)
		ck_ok(axvm_free_frame(vm, alloc()));
	ck_assert_uint_eq(mock.calls[MOCK_VM_MAP], 1);
	ck_assert_uint_eq(mock.calls[MOCK_VM_UNMAP], 0);
}
END_TEST

START_TEST(an_empty_chunk_that_cannot_go_is_used_again)
{
	static uint64_t frames[2 * CHUNK];

	for (int i = 0; i < 2 * CHUNK; i++)
		frames[i] = alloc();
	mock.ret[MOCK_VM_UNMAP] = -EIO;
	for (int i = 0; i < 2 * CHUNK; i++)
		ck_ok(axvm_free_frame(vm, frames[i]));
	ck_assert_int_eq(count(), 2);
	mock.ret[MOCK_VM_UNMAP] = 0;
	for (int i = 0; i < 2 * CHUNK; i++)
		frames[i] = alloc();
	ck_assert_uint_eq(mock.calls[MOCK_VM_MAP], 2);
	for (int i = 0; i < 2 * CHUNK; i++)
		ck_ok(axvm_free_frame(vm, frames[i]));
	ck_assert_int_eq(count(), 1);
}
END_TEST

START_TEST(frames_are_listed_and_not_for_others_to_unmap)
{
	struct axvm_region regions[2] = { AXVM_REGION_INIT };
	uint64_t gpa;

	ck_ok(map_at(0, page));
	gpa = alloc();
	ck_assert_int_eq(axvm_regions(vm, 0, 2, regions), 2);
	ck_assert_uint_eq(regions[0].flags & AXVM_MEM_FRAMES, 0);
	ck_assert_uint_eq(regions[1].flags, AXVM_MEM_FRAMES);
	ck_assert_uint_eq(regions[1].backing, AXVM_MEM_ANONYMOUS);
	ck_assert_int_eq(regions[1].fd, -1);
	ck_assert_uint_eq(regions[1].len, CHUNK * page);
	ck_assert_uint_lt(gpa - regions[1].gpa, regions[1].len);
	ck_fails_saying(axvm_unmap(vm, regions[1].gpa, regions[1].len), EBUSY, "axvm_alloc_frame");
	ck_ok(axvm_free_frame(vm, gpa));
	/* Nor to map. */
	regions[0].gpa = page;
	regions[0].flags = AXVM_MEM_FRAMES;
	ck_fails_saying(axvm_map(vm, &regions[0]), EINVAL, "unknown flags");
}
END_TEST

/* --- where frames are --------------------------------------------------------------------------- */

static uint64_t top(uint32_t bits)
{
	return bits < 64 ? UINT64_C(1) << bits : 0;
}

START_TEST(frames_come_from_the_top_of_every_width)
{
	static const uint32_t widths[] = { 33, 36, 40, 48, 52, 63, 64 };
	struct axvm_region region = AXVM_REGION_INIT;

	create(NULL, widths[_i], 0);
	alloc();
	ck_assert_int_eq(axvm_regions(vm, 0, 1, &region), 1);
	ck_assert_uint_eq(region.gpa + region.len, top(widths[_i]));
	teardown();
}
END_TEST

START_TEST(frames_avoid_existing_regions)
{
	const uint64_t len = CHUNK * page;
	const uint64_t end = top(36);
	struct axvm_region regions[8] = { AXVM_REGION_INIT };
	int n = 0;

	create(NULL, 36, 0);
	/* The last page; two that reach into one chunk; all of one, and a page of the next. */
	ck_ok(map_at(end - page, page));
	ck_ok(map_at(end - 2 * len, page));
	ck_ok(map_at(end - 3 * len - page, 2 * page));
	ck_ok(map_at(end - 6 * len - page, len + page));
	for (int i = 0; i < 3 * CHUNK; i++)
		alloc();
	ck_assert_int_eq(axvm_regions(vm, 0, 8, regions), 7);
	for (int i = 0; i < 7; i++) {
		static const unsigned int at[] = { 9, 8, 5 };

		if (!(regions[i].flags & AXVM_MEM_FRAMES))
			continue;
		ck_assert_uint_eq(regions[i].len, len);
		ck_assert_uint_eq(regions[i].gpa, end - at[n++] * len);
	}
	ck_assert_int_eq(n, 3);
	/* Later regions may use the gaps. */
	ck_ok(map_at(end - len, len - page));
	teardown();
}
END_TEST

START_TEST(no_frame_is_below_4_gib)
{
	const uint64_t len = CHUNK * page;
	uint64_t gpa = 77;

	create(NULL, 33, 0);
	/* Room for two chunks is left, but not from a multiple of their length on. */
	ck_ok(map_at(FLOOR + 2 * len + page, FLOOR - 2 * len - page));
	for (int i = 0; i < 2 * CHUNK; i++)
		ck_assert_uint_ge(alloc(), FLOOR);
	ck_fails_saying(axvm_alloc_frame(vm, &gpa), ENOSPC, "33-bit");
	ck_assert_uint_eq(gpa, 77);
	teardown();
	/* And where all is below, there are none. */
	create(NULL, 32, 0);
	ck_fails_saying(axvm_alloc_frame(vm, &gpa), ENOSPC, "32-bit");
	teardown();
}
END_TEST

START_TEST(without_slots_there_are_no_more_frames)
{
	static uint64_t frames[2 * CHUNK];
	uint64_t gpa = 77;

	create(NULL, 0, 3);
	ck_ok(map_at(0, page));
	for (int i = 0; i < 2 * CHUNK; i++)
		frames[i] = alloc();
	ck_fails_saying(axvm_alloc_frame(vm, &gpa), ENOSPC, "slots");
	ck_assert_uint_eq(gpa, 77);
	ck_ok(axvm_free_frame(vm, frames[700]));
	ck_assert_uint_eq(alloc(), frames[700]);
	ck_fails(axvm_alloc_frame(vm, &gpa), ENOSPC);
	ck_ok(axvm_unmap(vm, 0, page));
	alloc();
	teardown();
}
END_TEST

START_TEST(a_backend_that_takes_no_memory_leaves_no_frames)
{
	uint64_t gpa = 77;

	setup();
	mock.ret[MOCK_VM_MAP] = -EIO;
	ck_assert_int_eq(axvm_alloc_frame(vm, &gpa), -EIO);
	ck_assert_uint_eq(gpa, 77);
	ck_assert_int_eq(count(), 0);
	mock.ret[MOCK_VM_MAP] = 0;
	ck_ok(axvm_free_frame(vm, alloc()));
	teardown();
}
END_TEST

START_TEST(a_child_gets_no_frames)
{
	uint64_t gpa;
	int status;
	pid_t pid;

	setup();
	gpa = alloc();
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		uint64_t other;

		_exit(axvm_alloc_frame(vm, &other) == -EPERM && axvm_free_frame(vm, gpa) == -EPERM
			      ? 0
			      : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && !WEXITSTATUS(status));
	ck_ok(axvm_free_frame(vm, gpa));
	teardown();
}
END_TEST

/* --- addresses ---------------------------------------------------------------------------------- */

#define REGIONS 100u

START_TEST(addresses_go_there_and_back)
{
	for (unsigned int i = 0; i < REGIONS; i++)
		ck_ok(map_at(3 * i * page, (1 + i % 2) * page));
	for (unsigned int i = 0; i < REGIONS; i++) {
		uint64_t gpa = 3 * i * page, last = gpa + (1 + i % 2) * page - 1;
		const uint64_t inside[] = { gpa, gpa + 1, gpa + page / 2, last };
		uint64_t back = 77;

		for (int j = 0; j < 4; j++) {
			unsigned char *ptr = axvm_phys_to_virt(vm, inside[j]);
			void *same = NULL;

			ck_assert_ptr_nonnull(ptr);
			*ptr = (unsigned char)i;
			ck_ok(axvm_translate(vm, inside[j], 1, &same));
			ck_assert_ptr_eq(ptr, same);
			ck_ok(axvm_virt_to_phys(vm, ptr, &back));
			ck_assert_uint_eq(back, inside[j]);
		}
		ck_assert_ptr_null(axvm_phys_to_virt(vm, last + 1));
		ck_assert_ptr_nonnull(strstr(axvcpu_last_error(), "EFAULT"));
	}
	ck_assert_ptr_null(axvm_phys_to_virt(vm, UINT64_MAX));
}
END_TEST

START_TEST(unmapped_host_address_is_not_found)
{
	struct axvm_region region = AXVM_REGION_INIT;
	uint64_t gpa = 77;

	ck_fails(axvm_virt_to_phys(vm, &region, &gpa), ENOENT);
	ck_ok(map_at(0, page));
	ck_assert_int_eq(axvm_regions(vm, 0, 1, &region), 1);
	ck_fails(axvm_virt_to_phys(vm, NULL, &gpa), ENOENT);
	ck_fails(axvm_virt_to_phys(vm, &region, &gpa), ENOENT);
	ck_fails(axvm_virt_to_phys(vm, (char *)region.hva - 1, &gpa), ENOENT);
	ck_fails(axvm_virt_to_phys(vm, (char *)region.hva + page, &gpa), ENOENT);
	ck_fails(axvm_virt_to_phys(vm, (const void *)UINTPTR_MAX, &gpa), ENOENT);
	ck_assert_uint_eq(gpa, 77);
	ck_ok(axvm_unmap(vm, 0, page));
	ck_fails(axvm_virt_to_phys(vm, region.hva, &gpa), ENOENT);
}
END_TEST

START_TEST(of_shared_memory_the_lowest_address_counts)
{
	struct axvm_region region = AXVM_REGION_INIT;
	uint64_t gpa = 0;
	char *own = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			 0);

	ck_assert_ptr_ne(own, MAP_FAILED);
	region.backing = AXVM_MEM_CALLER;
	region.len = 2 * page;
	region.hva = own;
	region.gpa = 8 * page;
	ck_ok(axvm_map(vm, &region));
	region.gpa = 4 * page;
	ck_ok(axvm_map(vm, &region));
	ck_ok(axvm_virt_to_phys(vm, own + page, &gpa));
	ck_assert_uint_eq(gpa, 5 * page);
	ck_ok(axvm_unmap(vm, 4 * page, 2 * page));
	ck_ok(axvm_virt_to_phys(vm, own + page, &gpa));
	ck_assert_uint_eq(gpa, 9 * page);
	ck_ok(axvm_unmap(vm, 8 * page, 2 * page));
	munmap(own, 2 * page);
}
END_TEST

/* --- threads ------------------------------------------------------------------------------------ */

#define THREADS 4u
#define HELD 300u
#define ROUNDS 6u

/*
 * Allocates, marks, checks that no other thread has the same frame, frees; half of it across
 * chunks.
 */
static void *work(void *arg)
{
	uint64_t mine = (uintptr_t)arg;
	uint64_t frames[HELD];

	for (unsigned int round = 0; round < ROUNDS; round++) {
		for (unsigned int i = 0; i < HELD; i++) {
			uint64_t *ptr;

			frames[i] = alloc();
			ptr = axvm_phys_to_virt(vm, frames[i]);
			ck_assert_ptr_nonnull(ptr);
			ck_assert_uint_eq(*ptr, 0);
			*ptr = mine;
		}
		for (unsigned int i = 0; i < HELD; i++) {
			uint64_t *ptr = axvm_phys_to_virt(vm, frames[i]);
			uint64_t back = 0;

			ck_assert_uint_eq(*ptr, mine);
			ck_ok(axvm_virt_to_phys(vm, ptr, &back));
			ck_assert_uint_eq(back, frames[i]);
			ck_ok(axvm_free_frame(vm, frames[i]));
		}
	}
	return NULL;
}

static atomic_bool stop;

/* Others map and list meanwhile. */
static void *disturb(void *arg)
{
	struct axvm_region regions[16] = { AXVM_REGION_INIT };

	(void)arg;
	while (!atomic_load(&stop)) {
		ck_ok(map_at(0, page));
		ck_ok(axvm_regions(vm, 0, 16, regions));
		ck_ok(axvm_unmap(vm, 0, page));
	}
	return NULL;
}

START_TEST(threads_share_frames_without_sharing_a_frame)
{
	pthread_t threads[THREADS], other;

	ck_assert_int_eq(pthread_create(&other, NULL, disturb, NULL), 0);
	for (uintptr_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, work, (void *)(i + 1)), 0);
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	atomic_store(&stop, true);
	pthread_join(other, NULL);
	ck_assert_int_eq(count(), 1);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *hook = suite_case(suite, "hooks");
	TCase *frames = suite_case(suite, "frames");
	TCase *where = suite_case(suite, "where");
	TCase *addresses = suite_case(suite, "addresses");
	TCase *threads = suite_case(suite, "threads");

	tcase_add_test(hook, each_hook_is_called_with_its_context);
	tcase_add_loop_test(hook, a_hooks_errno_is_passed_on, 0, 4);
	tcase_add_test(hook, a_hooks_unaligned_frame_is_given_back);
	tcase_add_loop_test(hook, half_a_pair_is_refused, 0, 4);
	tcase_add_test(hook, a_table_from_before_frames_has_the_defaults);

	tcase_add_checked_fixture(frames, setup, teardown);
	tcase_add_test(frames, thousands_of_frames_are_distinct_and_cost_few_slots);
	tcase_add_test(frames, frames_are_zero_whoever_wrote_there);
	tcase_add_test(frames, a_double_free_is_refused);
	tcase_add_test(frames, only_frames_can_be_freed);
	tcase_add_test(frames, frame_after_frame_costs_the_hypervisor_one_slot);
	tcase_add_test(frames, an_empty_chunk_that_cannot_go_is_used_again);
	tcase_add_test(frames, frames_are_listed_and_not_for_others_to_unmap);

	tcase_add_loop_test(where, frames_come_from_the_top_of_every_width, 0, 7);
	tcase_add_test(where, frames_avoid_existing_regions);
	tcase_add_test(where, no_frame_is_below_4_gib);
	tcase_add_test(where, without_slots_there_are_no_more_frames);
	tcase_add_test(where, a_backend_that_takes_no_memory_leaves_no_frames);
	tcase_add_test(where, a_child_gets_no_frames);

	tcase_add_checked_fixture(addresses, setup, teardown);
	tcase_add_test(addresses, addresses_go_there_and_back);
	tcase_add_test(addresses, unmapped_host_address_is_not_found);
	tcase_add_test(addresses, of_shared_memory_the_lowest_address_counts);

	tcase_add_checked_fixture(threads, setup, teardown);
	tcase_add_test(threads, threads_share_frames_without_sharing_a_frame);
}

int main(void)
{
	page = (uint64_t)sysconf(_SC_PAGESIZE);
	return suite_main("hal", false, add_tests);
}
