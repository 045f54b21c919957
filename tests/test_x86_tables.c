/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * x86_64: setup of 64-bit code without a boot area, whose GDT and page tables are in frames: the
 * code runs as with one, also after a reset; the frames are the vCPU's until it is freed. Needs a
 * working /dev/kvm.
 */
#include <errno.h>
#include <stdio.h>

#include <axvcpu/crate.h>

#include "child.h"
#include "guest.h"
#include "suite.h"

#define GIB (UINT64_C(1) << 30)
#define LARGE_PAGE UINT64_C(0x200000)
/* For the identity map of 4 GiB: GDT, top-level table, table of the first 512 GiB, 5 directories. */
#define FRAMES 8u

/* mov ax,ds; mov ds,ax; mov es,ax; mov ss,ax; push cs's selector; push &next; retfq; next: */
#define RELOAD_SEGMENTS \
	"\x66\x8c\xd8\x8e\xd8\x8e\xc0\x8e\xd0\x8c\xc8\x50\x48\x8d\x05\x03\x00\x00\x00\x50\x48\xcb"
/* mov rbx,[rdi]; mov [rdi+8],rbx; hlt */
#define COPY_HLT "\x48\x8b\x1f\x48\x89\x5f\x08\xf4"
#define PROGRAM_BYTES RELOAD_SEGMENTS COPY_HLT

#define VALUE UINT64_C(0x1122334455667788)

static struct guest guest;

static struct axvcpu_setup_config config_with(uint64_t arg)
{
	struct axvcpu_setup_config config = AXVCPU_SETUP_CONFIG_INIT;

	config.stack = GUEST_STACK;
	config.arg = arg;
	return config;
}

static void setup_with(uint64_t arg)
{
	const struct axvcpu_setup_config config = config_with(arg);

	ck_ok(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config));
}

/* Runs the program, which reloads its segments and copies VALUE from 'gpa' to 'gpa' + 8. */
static void expect_copy(uint64_t gpa)
{
	const uint64_t before[2] = { VALUE, 0 };
	uint64_t after[2];

	ck_ok(axvm_write(guest.vm, gpa, before, sizeof(before)));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_RDI), gpa);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), GUEST_CODE + sizeof(PROGRAM_BYTES) - 1);
	ck_ok(axvm_read(guest.vm, gpa, after, sizeof(after)));
	ck_assert_uint_eq(after[1], VALUE);
}

static void map_page(uint64_t gpa)
{
	struct axvm_region region = AXVM_REGION_INIT;

	region.gpa = gpa;
	region.len = 0x1000;
	ck_ok(axvm_map(guest.vm, &region));
}

/* Regions of frames that the VM has. */
static int frame_regions(void)
{
	struct axvm_region regions[16] = { AXVM_REGION_INIT };
	int n = axvm_regions(guest.vm, 0, 16, regions);
	int found = 0;

	ck_assert_int_le(n, 16);
	for (int i = 0; i < n; i++)
		found += !!(regions[i].flags & AXVM_MEM_FRAMES);
	return found;
}

/* --- the code runs ---------------------------------------------------------------------------------- */

START_TEST(code_of_64_bits_runs_without_a_boot_area)
{
	static unsigned char memory[GUEST_MEMORY];

	guest_create(&guest, NULL, CODE(PROGRAM_BYTES));
	setup_with(0x3000);
	/* Nothing of the caller's memory is written by setup: only the program is there. */
	ck_ok(axvm_read(guest.vm, 0, memory, sizeof(memory)));
	ck_assert_mem_eq(memory + GUEST_CODE, PROGRAM_BYTES, sizeof(PROGRAM_BYTES));
	memset(memory + GUEST_CODE, 0, sizeof(PROGRAM_BYTES));
	for (size_t i = 0; i < sizeof(memory); i++)
		ck_assert_uint_eq(memory[i], 0);
	ck_assert_int_eq(frame_regions(), 1);
	/* Right behind the identity map of 4 GiB. */
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_GDT_BASE) / LARGE_PAGE,
			  4 * GIB / LARGE_PAGE);
	ck_ok(axvcpu_bind(guest.vcpu));
	expect_copy(0x3000);
	guest_end(&guest);
}
END_TEST

START_TEST(no_config_at_all_is_enough)
{
	guest_create(&guest, NULL, CODE("\xf4"));
	ck_ok(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, NULL));
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

/*
 * The GDT's GiB is the next one: in the same table of 512 GiB, or the first of another, for which one
 * region of frames does not suffice.
 */
START_TEST(identity_map_reaches_all_memory_and_the_gdt_is_behind_it)
{
	static const struct {
		uint64_t gib;
		int regions;
	} ends[] = { { 5, 1 }, { 511, 2 } };
	struct axvm_limits limits = AXVM_LIMITS_INIT;
	const uint64_t gpa = ends[_i].gib * GIB;

	guest_create(&guest, NULL, CODE(PROGRAM_BYTES));
	ck_ok(axvm_get_limits(guest.vm, &limits));
	if (gpa >> limits.gpa_bits) {
		printf("skip memory at %u GiB: %u bits of guest-physical addresses\n",
		       (unsigned int)ends[_i].gib, limits.gpa_bits);
		guest_end(&guest);
		return;
	}
	map_page(gpa);
	setup_with(gpa);
	ck_assert_int_eq(frame_regions(), ends[_i].regions);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_GDT_BASE) / LARGE_PAGE,
			  (ends[_i].gib + 1) * GIB / LARGE_PAGE);
	ck_ok(axvcpu_bind(guest.vcpu));
	expect_copy(gpa);
	guest_end(&guest);
}
END_TEST

START_TEST(reset_restores_tables_that_the_guest_has_overwritten)
{
	/* mov qword [rdi+16],0; hlt: the code segment, by the GDT's linear address. */
	static const char overwrite[] = "\x48\xc7\x47\x10\x00\x00\x00\x00\xf4";
	const uint64_t second = 0x2000;
	uint64_t root, gdt, zero[512] = { 0 };

	guest_create(&guest, NULL, CODE(PROGRAM_BYTES));
	ck_ok(axvm_write(guest.vm, second, overwrite, sizeof(overwrite) - 1));
	setup_with(0x3000);
	ck_ok(axvcpu_bind(guest.vcpu));
	root = guest_reg(&guest, AXVCPU_REG_X86_CR3);
	gdt = guest_reg(&guest, AXVCPU_REG_X86_GDT_BASE);
	for (int i = 0; i < 3; i++) {
		expect_copy(0x3000);
		ck_ok(axvcpu_reset(guest.vcpu, second, gdt));
		guest_expect(&guest, AXVCPU_EXIT_HALT);
		/* Without a code segment in the GDT, and no handler, the program ends early. */
		ck_ok(axvcpu_set_entry(guest.vcpu, GUEST_CODE));
		guest_expect(&guest, AXVCPU_EXIT_SHUTDOWN);
		/* More memory does not change the tables of a vCPU that has been set up. */
		map_page((5 + (uint64_t)i) * GIB);
		ck_ok(axvm_write(guest.vm, root, zero, sizeof(zero)));
		ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0x3000));
		ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_CR3), root);
		ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_GDT_BASE), gdt);
	}
	expect_copy(0x3000);
	ck_assert_int_eq(frame_regions(), 1);
	guest_end(&guest);
}
END_TEST

/* --- whose frames they are -------------------------------------------------------------------------- */

START_TEST(each_vcpu_has_frames_of_its_own_until_it_is_freed)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvcpu *vcpus[3];
	uint64_t free_at_first, free_at_last, roots[3];

	config.max_vcpus = 3;
	guest_create(&guest, &config, CODE(PROGRAM_BYTES));
	vcpus[0] = guest.vcpu;
	for (uint32_t id = 1; id < 3; id++) {
		struct axvcpu_config vcpu_config = AXVCPU_CONFIG_INIT;

		vcpu_config.id = id;
		ck_ok(axvcpu_new(guest.vm, &vcpu_config, &vcpus[id]));
	}
	ck_ok(axvm_alloc_frame(guest.vm, &free_at_first));
	ck_ok(axvm_free_frame(guest.vm, free_at_first));
	for (uint32_t id = 0; id < 3; id++) {
		guest.vcpu = vcpus[id];
		setup_with(0x3000);
		roots[id] = guest_reg(&guest, AXVCPU_REG_X86_CR3);
		ck_assert_uint_eq(roots[id], roots[0] + id * FRAMES * 0x1000);
	}
	/* The others run on when the first is freed and its frames are used for something else. */
	ck_ok(axvcpu_free(vcpus[0]));
	for (unsigned int i = 0; i < FRAMES; i++) {
		uint64_t frame;

		ck_ok(axvm_alloc_frame(guest.vm, &frame));
		ck_assert_uint_eq(frame, free_at_first + i * 0x1000);
		ck_ok(axvm_set(guest.vm, frame, 0xff, 0x1000));
	}
	for (uint32_t id = 1; id < 3; id++) {
		guest.vcpu = vcpus[id];
		ck_ok(axvcpu_bind(guest.vcpu));
		expect_copy(0x3000);
		ck_ok(axvcpu_unbind(guest.vcpu));
	}
	ck_ok(axvcpu_free(vcpus[2]));
	ck_ok(axvm_alloc_frame(guest.vm, &free_at_last));
	ck_assert_uint_eq(free_at_last, roots[2] - 0x1000);
	guest.vcpu = vcpus[1];
	guest_end(&guest);
}
END_TEST

/* Frames of the caller's HAL, in the guest's memory. */
static struct {
	unsigned int allocated, freed;
	/* The allocation that fails, from 1; 0: none. */
	unsigned int fail_at;
	uint64_t next;
} pool;

static int pool_alloc(void *ctx, struct axvm *vm, uint64_t *gpa)
{
	(void)ctx;
	(void)vm;
	if (pool.allocated + 1 == pool.fail_at)
		return -EDQUOT;
	pool.allocated++;
	*gpa = pool.next;
	/* Apart from each other, as frames may be. */
	pool.next += 0x3000;
	return 0;
}

static int pool_free(void *ctx, struct axvm *vm, uint64_t gpa)
{
	(void)ctx;
	(void)vm;
	(void)gpa;
	pool.freed++;
	return 0;
}

static void create_with_pool(void)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvcpu_hal hal = AXVCPU_HAL_INIT;

	memset(&pool, 0, sizeof(pool));
	pool.next = 0x100000;
	hal.alloc_frame = pool_alloc;
	hal.free_frame = pool_free;
	config.hal = &hal;
	guest_create(&guest, &config, CODE(PROGRAM_BYTES));
}

START_TEST(frames_are_the_hals_and_all_go_back)
{
	const struct axvcpu_setup_config config = config_with(0x3000);

	create_with_pool();
	for (unsigned int n = 1; n <= FRAMES; n++) {
		pool.allocated = pool.freed = 0;
		pool.next = 0x100000;
		pool.fail_at = n;
		ck_fails_saying(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config), EDQUOT,
				"there is no boot area");
		ck_assert_int_eq(axvcpu_state(guest.vcpu), AXVCPU_CREATED);
		ck_assert_uint_eq(pool.allocated, n - 1);
		ck_assert_uint_eq(pool.freed, n - 1);
	}
	/* Where there is no memory. */
	pool.allocated = pool.freed = pool.fail_at = 0;
	pool.next = GUEST_MMIO;
	ck_fails(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config), EFAULT);
	ck_assert_uint_eq(pool.allocated, FRAMES);
	ck_assert_uint_eq(pool.freed, FRAMES);

	pool.next = 0x100000;
	pool.allocated = pool.freed = 0;
	setup_with(0x3000);
	ck_ok(axvcpu_bind(guest.vcpu));
	expect_copy(0x3000);
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0x3000));
	expect_copy(0x3000);
	ck_ok(axvcpu_unbind(guest.vcpu));
	ck_assert_uint_eq(pool.allocated, FRAMES);
	ck_assert_uint_eq(pool.freed, 0);
	ck_ok(axvcpu_free(guest.vcpu));
	ck_assert_uint_eq(pool.freed, FRAMES);
	ck_ok(axvm_free(guest.vm));
}
END_TEST

static void back_to_created(void)
{
	ck_ok(axvcpu_transition_state(guest.vcpu, AXVCPU_FREE, AXVCPU_CREATED));
}

START_TEST(second_setup_places_the_tables_anew)
{
	struct axvcpu_setup_config config = AXVCPU_SETUP_CONFIG_INIT;

	create_with_pool();
	/* A mode that has no tables. */
	config.mode = AXVCPU_MODE_RAW;
	ck_ok(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config));
	ck_assert_uint_eq(pool.allocated, 0);
	back_to_created();
	setup_with(0x3000);
	ck_assert_uint_eq(pool.allocated, FRAMES);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_CR3), 0x103000);

	back_to_created();
	config = config_with(0x3000);
	config.boot_gpa = GUEST_BOOT;
	config.boot_size = GUEST_BOOT_SIZE;
	ck_ok(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config));
	ck_assert_uint_eq(pool.freed, FRAMES);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_CR3), GUEST_BOOT + 0x1000);

	back_to_created();
	setup_with(0x3000);
	ck_assert_uint_eq(pool.allocated, 2 * FRAMES);
	ck_ok(axvcpu_bind(guest.vcpu));
	expect_copy(0x3000);
	guest_end(&guest);
	ck_assert_uint_eq(pool.freed, 2 * FRAMES);
}
END_TEST

static void free_all(void)
{
	child_expect(!axvcpu_free(guest.vcpu));
	child_expect(!pool.freed);
	child_expect(!axvm_free(guest.vm));
}

START_TEST(forked_child_gives_no_frames_back)
{
	create_with_pool();
	setup_with(0x3000);
	child_run((enum child_way)_i, free_all);
	ck_ok(axvcpu_bind(guest.vcpu));
	expect_copy(0x3000);
	guest_end(&guest);
	ck_assert_uint_eq(pool.freed, FRAMES);
}
END_TEST

/* --- refused setups, which can be repeated ---------------------------------------------------------- */

START_TEST(address_of_a_boot_area_without_its_size_is_refused)
{
	struct axvcpu_setup_config config = config_with(0x3000);

	guest_create(&guest, NULL, CODE(PROGRAM_BYTES));
	config.boot_gpa = GUEST_BOOT;
	ck_fails_saying(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config), EINVAL, "boot_size is 0");
	ck_assert_int_eq(axvcpu_state(guest.vcpu), AXVCPU_CREATED);
	ck_assert_int_eq(frame_regions(), 0);
	setup_with(0x3000);
	ck_ok(axvcpu_bind(guest.vcpu));
	expect_copy(0x3000);
	guest_end(&guest);
}
END_TEST

START_TEST(width_without_room_for_frames_needs_a_boot_area)
{
	struct axvm_config vm_config = AXVM_CONFIG_INIT;
	struct axvcpu_setup_config config = config_with(0x3000);

	vm_config.gpa_bits = 32;
	guest_create(&guest, &vm_config, CODE(PROGRAM_BYTES));
	ck_fails_saying(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config), ENOSPC, "boot area");
	config.boot_gpa = GUEST_BOOT;
	config.boot_size = GUEST_BOOT_SIZE;
	ck_ok(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config));
	ck_ok(axvcpu_bind(guest.vcpu));
	expect_copy(0x3000);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *run = suite_case(suite, "run");
	TCase *frames = suite_case(suite, "frames");
	TCase *refused = suite_case(suite, "refused");

	tcase_add_test(run, code_of_64_bits_runs_without_a_boot_area);
	tcase_add_test(run, no_config_at_all_is_enough);
	tcase_add_loop_test(run, identity_map_reaches_all_memory_and_the_gdt_is_behind_it, 0, 2);
	tcase_add_test(run, reset_restores_tables_that_the_guest_has_overwritten);

	tcase_add_test(frames, each_vcpu_has_frames_of_its_own_until_it_is_freed);
	tcase_add_test(frames, frames_are_the_hals_and_all_go_back);
	tcase_add_test(frames, second_setup_places_the_tables_anew);
	tcase_add_loop_test(frames, forked_child_gives_no_frames_back, 0, CHILD_WAYS);

	tcase_add_test(refused, address_of_a_boot_area_without_its_size_is_refused);
	tcase_add_test(refused, width_without_room_for_frames_needs_a_boot_area);
}

int main(void)
{
	return suite_main("x86 tables", true, add_tests);
}
