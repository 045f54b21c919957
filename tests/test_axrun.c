/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The parts of axrun that need no guest: memory layout, device trees, interrupt targets, answers to
 * calls, and command line texts. The console is in test_uart.c and test_console.c. Needs no KVM.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libfdt.h>

#include "../examples/axrun/devicetree.h"
#include "../examples/axrun/ipi.h"
#include "../examples/axrun/json.h"
#include "../examples/axrun/layout.h"
#include "../examples/axrun/parse.h"
#include "../examples/axrun/queuedev.h"
#include "../examples/axrun/services.h"
#include "../examples/axrun/timer.h"
#include "device.h"
#include "suite.h"

/* --- the places in memory -------------------------------------------------------------------- */

static const struct platform platform = {
	.name = "test",
	.hole_gpa = UINT64_C(3) << 30,
	.hole_end = UINT64_C(4) << 30,
	.boot_tables = true,
};

static struct image image_at(uint64_t gpa, uint64_t size)
{
	return (struct image){
		.segments = { { .gpa = gpa, .memsz = size } },
		.nsegments = 1,
		.entry = gpa,
	};
}

START_TEST(the_boot_area_makes_room_for_the_image)
{
	struct image image = image_at(0x2000, 0x1001);
	struct layout layout;

	ck_assert_int_eq(layout_make(&layout, &platform, 16 << 20, &image, 0), 0);
	ck_assert_uint_eq(layout.boot.gpa, 0x4000);
	ck_assert_uint_eq(layout.boot.size, 0x1000 + 0x2000 + 0x7000);
	ck_assert_uint_eq(layout.page_gpa, 0x4000);
	ck_assert_uint_eq(layout.stack_top, 0x7000);
	ck_assert_uint_eq(layout.tables.gpa, 0x7000);
	ck_assert_uint_eq(layout.tables.size, 0x7000);

	image = image_at(0x100000, 0x1000);
	ck_assert_int_eq(layout_make(&layout, &platform, 16 << 20, &image, 0), 0);
	ck_assert_uint_eq(layout.boot.gpa, 0x1000);
	ck_assert_uint_eq(layout.tree.size, 0);

	/* A device tree comes last, in whole pages. */
	ck_assert_int_eq(layout_make(&layout, &platform, 16 << 20, &image, 0x1001), 0);
	ck_assert_uint_eq(layout.tree.gpa, layout.tables.gpa + layout.tables.size);
	ck_assert_uint_eq(layout.tree.size, 0x2000);
	ck_assert_uint_eq(layout.boot.size, 0x1000 + 0x2000 + 0x7000 + 0x2000);
}
END_TEST

START_TEST(memory_leaves_the_hole_and_tables_grow)
{
	struct image image = image_at(0x100000, 0x1000);
	struct layout layout;

	ck_assert_int_eq(layout_make(&layout, &platform, UINT64_C(3) << 30, &image, 0), 0);
	ck_assert_uint_eq(layout.nranges, 1);

	ck_assert_int_eq(layout_make(&layout, &platform, UINT64_C(5) << 30, &image, 0), 0);
	ck_assert_uint_eq(layout.nranges, 2);
	ck_assert_uint_eq(layout.ram[1].gpa, UINT64_C(4) << 30);
	ck_assert_uint_eq(layout.ram[1].size, UINT64_C(2) << 30);
	ck_assert_uint_eq(layout.tables.size, (7 + 2) * 4096);
	ck_assert(layout_has(&layout, (UINT64_C(6) << 30) - 1, 1));
	ck_assert(!layout_has(&layout, (UINT64_C(6) << 30) - 1, 2));
	ck_assert(!layout_has(&layout, (UINT64_C(3) << 30) - 1, 2));
	ck_assert(!layout_has(&layout, UINT64_MAX, 2));

	/* Beyond 512 GiB a table more for each of these. */
	ck_assert_int_eq(layout_make(&layout, &platform, UINT64_C(512) << 30, &image, 0), 0);
	ck_assert_uint_eq(layout.tables.size, (7 + 509 + 1) * 4096);
}
END_TEST

START_TEST(the_tables_size_is_what_the_library_asks_for)
{
	static const uint64_t gibs[] = { 1, 3, 4, 5, 511, 512, 1024 };
	struct image image = image_at(0x100000, 0x1000);

	for (size_t i = 0; i < sizeof(gibs) / sizeof(gibs[0]); i++) {
		uint64_t end = gibs[i] > 3 ? gibs[i] + 1 : gibs[i];
		uint64_t mapped = end > 4 ? end : 4;
		struct layout layout;

		ck_assert_int_eq(layout_make(&layout, &platform, gibs[i] << 30, &image, 0), 0);
		ck_assert_uint_eq(layout.tables.size / 4096, 2 + (mapped + 511) / 512 + mapped);
	}
}
END_TEST

START_TEST(images_that_do_not_fit_are_refused)
{
	struct image image = image_at(0x8000, 0x8000);
	struct layout layout;

	/* The boot area goes nowhere. */
	ck_assert_int_eq(layout_make(&layout, &platform, 0x10000, &image, 0), -1);
	image = image_at(0xfffff000, 0x1000);
	ck_assert_int_eq(layout_make(&layout, &platform, UINT64_C(5) << 30, &image, 0), -1);
	image = image_at(0x100000, 0x1000);
	image.entry = UINT64_MAX;
	ck_assert_int_eq(layout_make(&layout, &platform, 16 << 20, &image, 0), -1);
	/* Real mode does not reach beyond 64 KiB for its stack. */
	image = image_at(0x1000, 0xe000);
	image.mode = AXVCPU_MODE_16;
	ck_assert_int_eq(layout_make(&layout, &platform, 16 << 20, &image, 0), -1);
}
END_TEST

/* A flat image owns the memory behind its file: the boot area stays clear of it. */
START_TEST(the_boot_area_of_a_flat_image_is_at_the_end_of_memory)
{
	struct image image = image_at(0x10000, 0x1000);
	uint64_t len = 0x1000 + 0x2000 + 0x7000 + 0x2000;
	struct layout layout;

	image.flat = true;
	ck_assert_int_eq(layout_make(&layout, &platform, 16 << 20, &image, 0x1001), 0);
	ck_assert_uint_eq(layout.boot.size, len);
	ck_assert_uint_eq(layout.boot.gpa, (16 << 20) - len);
	ck_assert_uint_eq(layout.tree.gpa + layout.tree.size, 16 << 20);
	/* Not further than a guest can see before it has page tables. */
	ck_assert_int_eq(layout_make(&layout, &platform, UINT64_C(1) << 30, &image, 0x1001), 0);
	ck_assert_uint_eq(layout.boot.gpa, (512 << 20) - len);
	/* Below an existing image; the first page of memory stays empty. */
	image = image_at((16 << 20) - 0x1001, 0x1001);
	image.flat = true;
	ck_assert_int_eq(layout_make(&layout, &platform, 16 << 20, &image, 0x1001), 0);
	ck_assert_uint_eq(layout.boot.gpa, (16 << 20) - 0x2000 - len);
	image = image_at(len + 0x1000, 0x1000);
	image.flat = true;
	ck_assert_int_eq(layout_make(&layout, &platform, len + 0x2000, &image, 0x1001), 0);
	ck_assert_uint_eq(layout.boot.gpa, 0x1000);
	image.segments[0].gpa = len;
	image.entry = len;
	ck_assert_int_eq(layout_make(&layout, &platform, len + 0x1000, &image, 0x1001), -1);
	/* In real mode only the first 64 KiB can be reached. */
	image = image_at(0x7c00, 0x200);
	image.flat = true;
	image.mode = AXVCPU_MODE_16;
	ck_assert_int_eq(layout_make(&layout, &platform, 16 << 20, &image, 0), 0);
	ck_assert_uint_eq(layout.boot.gpa, 0x1000);
}
END_TEST

/* --- the device tree --------------------------------------------------------------------------- */

static const struct guest_range memory = { GUEST_GPA_RAM, 16 << 20 };
static uint64_t blob[1 << 15];

static struct devicetree tree_of(const char *arch, uint32_t ncpus)
{
	struct devicetree tree = {
		.platform = platform_find(arch),
		.memory = &memory,
		.nranges = 1,
		.ncpus = ncpus,
		.gic_version = 3,
		.bootargs = "one two",
		.isa = "rv64imac_sstc_zba",
		.satp_mode = 9,
		.timer_hz = 10000000,
		.cbom_block = 64,
		.cbop_block = 32,
	};

	ck_assert_ptr_nonnull(tree.platform);
	tree.controller = tree.platform->controller;
	return tree;
}

static void build(const struct devicetree *tree)
{
	size_t size = devicetree_size(tree->ncpus, tree->bootargs), used;

	ck_assert_uint_le(size, sizeof(blob));
	ck_assert_int_eq(devicetree_build(tree, blob, size, &used), 0);
	ck_assert_int_eq(fdt_check_full(blob, used), 0);
}

static const void *property(const char *path, const char *name, int *len)
{
	int node = fdt_path_offset(blob, path);
	const void *value = node < 0 ? NULL : fdt_getprop(blob, node, name, len);

	ck_assert_msg(value, "%s lacks %s", path, name);
	return value;
}

static void has_text(const char *path, const char *name, const char *text)
{
	int len;
	const char *value = property(path, name, &len);

	ck_assert_str_eq(value, text);
	ck_assert_int_eq(len, (int)strlen(text) + 1);
}

static void has_cells(const char *path, const char *name, const uint32_t *cells, size_t n)
{
	int len;
	const fdt32_t *value = property(path, name, &len);

	ck_assert_int_eq(len, (int)(n * sizeof(*value)));
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_eq(fdt32_to_cpu(value[i]), cells[i]);
}
#define HAS_CELLS(path, name, ...) \
	has_cells(path, name, (const uint32_t[]){ __VA_ARGS__ }, \
		  sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

START_TEST(a_device_tree_says_what_there_is)
{
	static const char *const platforms[] = { "arm64", "riscv64" };

	for (size_t i = 0; i < 2; i++) {
		struct devicetree tree = tree_of(platforms[i], 2);

		build(&tree);
		has_text("/chosen", "bootargs", "one two");
		has_text("/chosen", "stdout-path", "serial0:115200n8");
		ck_assert_str_eq(fdt_get_alias(blob, "serial0"), "/serial@10000000");
		has_text("/serial@10000000", "compatible", "ns16550a");
		HAS_CELLS("/serial@10000000", "reg", 0, 0x10000000, 0, 8);
		HAS_CELLS("/memory@80000000", "reg", 0, 0x80000000, 0, 16 << 20);
		HAS_CELLS("/cpus/cpu@1", "reg", 1);
		ck_assert_int_lt(fdt_path_offset(blob, "/cpus/cpu@2"), 0);
	}
}
END_TEST

START_TEST(an_arm64_tree_has_the_gic_that_there_is)
{
	struct devicetree tree = tree_of("arm64", 18);

	build(&tree);
	has_text("/psci", "method", "hvc");
	has_text("/cpus/cpu@101", "enable-method", "psci");
	has_text("/interrupt-controller@8000000", "compatible", "arm,gic-v3");
	HAS_CELLS("/interrupt-controller@8000000", "reg", 0, 0x08000000, 0, 0x10000, 0, 0x080a0000,
		  0, 18 * 0x20000);
	HAS_CELLS("/serial@10000000", "interrupts", 0, 1, 4);

	tree = tree_of("arm64", 3);
	tree.gic_version = 2;
	build(&tree);
	has_text("/interrupt-controller@8000000", "compatible", "arm,cortex-a15-gic");
	HAS_CELLS("/interrupt-controller@8000000", "reg", 0, 0x08000000, 0, 0x1000, 0, 0x08010000,
		  0, 0x2000);
	HAS_CELLS("/timer", "interrupts", 1, 13, 0x704, 1, 14, 0x704, 1, 11, 0x704, 1, 10, 0x704);

	tree.controller = CONTROLLER_NONE;
	build(&tree);
	ck_assert_int_lt(fdt_path_offset(blob, "/timer"), 0);
	ck_assert_int_lt(fdt_path_offset(blob, "/interrupt-controller@8000000"), 0);
	ck_assert_ptr_null(fdt_getprop(blob, fdt_path_offset(blob, "/serial@10000000"),
				       "interrupt-parent", NULL));
}
END_TEST

/* Linux would wire the CPUs' own controllers to the one that is wired to them. */
START_TEST(the_root_of_a_tree_names_no_parent_of_interrupts)
{
	static const char *const platforms[] = { "arm64", "riscv64" };

	for (size_t i = 0; i < 2; i++) {
		struct devicetree tree = tree_of(platforms[i], 2);

		build(&tree);
		ck_assert_ptr_null(fdt_getprop(blob, 0, "interrupt-parent", NULL));
		HAS_CELLS("/serial@10000000", "interrupt-parent", 1);
	}
}
END_TEST

START_TEST(a_kernels_tree_has_its_initrd_and_seeds_and_nothing_of_a_guests)
{
	static const char *const platforms[] = { "arm64", "riscv64" };
	int len;

	for (size_t i = 0; i < 2; i++) {
		struct devicetree tree = tree_of(platforms[i], 2);

		build(&tree);
		ck_assert_int_ge(fdt_path_offset(blob, "/exit@10001000"), 0);
		ck_assert_ptr_null(
			fdt_getprop(blob, fdt_path_offset(blob, "/chosen"), "rng-seed", NULL));
		tree.kernel = true;
		tree.initrd = (struct guest_range){ UINT64_C(0x123456000), 0x1234 };
		memset(tree.rng_seed, 0xa5, sizeof(tree.rng_seed));
		tree.kaslr_seed[1] = 7;
		build(&tree);
		ck_assert_int_lt(fdt_path_offset(blob, "/exit@10001000"), 0);
		has_text("/vmgenid@10010000", "compatible", "microsoft,vmgenid");
		HAS_CELLS("/vmgenid@10010000", "reg", 0, 0x10010000, 0, 0x1000);
		/* An edge. */
		if (i == 0)
			HAS_CELLS("/vmgenid@10010000", "interrupts", 0, 2, 1);
		else
			HAS_CELLS("/vmgenid@10010000", "interrupts", 2, 1);
		HAS_CELLS("/chosen", "linux,initrd-start", 1, 0x23456000);
		HAS_CELLS("/chosen", "linux,initrd-end", 1, 0x23457234);
		HAS_CELLS("/chosen", "kaslr-seed", 0, 7);
		ck_assert_int_eq(memcmp(property("/chosen", "rng-seed", &len), tree.rng_seed, 64),
				 0);
		ck_assert_int_eq(len, 64);
	}
}
END_TEST

START_TEST(a_riscv64_tree_has_the_isa_and_the_aia)
{
	struct devicetree tree = tree_of("riscv64", 2);
	int len;

	build(&tree);
	HAS_CELLS("/cpus", "timebase-frequency", 10000000);
	has_text("/cpus/cpu@0", "riscv,isa", "rv64imac_sstc_zba");
	has_text("/cpus/cpu@0", "mmu-type", "riscv,sv48");
	ck_assert_int_eq(memcmp(property("/cpus/cpu@1", "riscv,isa-extensions", &len),
				"i\0m\0a\0c\0sstc\0zba", 17),
			 0);
	ck_assert_int_eq(len, 17);
	HAS_CELLS("/cpus/cpu@1", "riscv,cbom-block-size", 64);
	HAS_CELLS("/cpus/cpu@1", "riscv,cbop-block-size", 32);
	ck_assert_ptr_null(fdt_getprop(blob, fdt_path_offset(blob, "/cpus/cpu@1"),
				       "riscv,cboz-block-size", NULL));
	HAS_CELLS("/interrupt-controller@28000000", "interrupts-extended", 16, 9, 17, 9);
	HAS_CELLS("/interrupt-controller@28000000", "reg", 0, 0x28000000, 0, 0x2000);
	HAS_CELLS("/interrupt-controller@c000000", "msi-parent", 2);
	HAS_CELLS("/serial@10000000", "interrupts", 1, 4);
}
END_TEST

START_TEST(the_largest_tree_fits_and_one_that_does_not_is_refused)
{
	static char isa[1024] = "rv64imafdcvh", args[GUEST_ARGS_MAX];
	struct devicetree tree = tree_of("riscv64", GUEST_CPUS_MAX);
	size_t used;

	/* All extensions that there are, and some more. */
	while (strlen(isa) < 800)
		strcat(isa, "_zicbom");
	memset(args, 'x', sizeof(args) - 1);
	tree.isa = isa;
	tree.bootargs = args;
	tree.cboz_block = 64;
	build(&tree);
	ck_assert_int_eq(devicetree_build(&tree, blob, 4096, &used), -1);
}
END_TEST

START_TEST(hardware_names_of_cpus_are_numbers_or_none)
{
	const struct platform *arm64 = platform_find("arm64"), *x86_64 = platform_find("x86_64");

	ck_assert_uint_eq(platform_cpu(arm64, 0x00f), 15);
	ck_assert_uint_eq(platform_cpu(arm64, 0x100), 16);
	ck_assert_uint_eq(platform_cpu(arm64, 0x30f), 63);
	ck_assert_uint_eq(platform_cpu(arm64, 0x010), UINT32_MAX);
	ck_assert_uint_eq(platform_cpu(arm64, UINT64_MAX), UINT32_MAX);
	ck_assert_uint_eq(platform_cpu(x86_64, 17), 17);
	ck_assert_uint_eq(platform_cpu(x86_64, UINT64_C(1) << 32), UINT32_MAX);
	ck_assert_ptr_null(platform_find("sparc"));
}
END_TEST

/* --- texts ----------------------------------------------------------------------------------- */

START_TEST(sizes_and_times_are_read_exactly)
{
	uint64_t value = 7;

	ck_assert(parse_size("1T", &value) && value == UINT64_C(1) << 40);
	ck_assert(parse_size("0x10k", &value) && value == 0x4000);
	ck_assert(parse_size("18446744073709551615", &value) && value == UINT64_MAX);
	ck_assert(!parse_size("18446744073709551616", &value));
	ck_assert(!parse_size("16777216T", &value));
	ck_assert(!parse_size("1 ", &value) && value == UINT64_MAX);
	ck_assert(parse_size("1GiB", &value) && value == 1 << 30);
	ck_assert(parse_size("512Mi", &value) && value == 512 << 20);
	ck_assert(parse_size("3.5G", &value) && value == UINT64_C(7) << 29);
	ck_assert(parse_size("0.3K", &value) && value == 307);
	ck_assert(parse_size("1.99999999999999999999999999999999T", &value) &&
		  value == (UINT64_C(1) << 41) - 1);
	ck_assert(parse_size("16777215.99999999999999999T", &value) && value == UINT64_MAX);
	ck_assert(!parse_size("16777216.0T", &value) && !parse_size("1.5", &value));
	ck_assert(!parse_size("1.G", &value) && !parse_size(".5G", &value));
	ck_assert(!parse_size("1.5.5G", &value) && !parse_size("0x1.8G", &value));
	ck_assert(!parse_size("1GB", &value) && !parse_size("1iB", &value));
	ck_assert(!parse_size("1GiBs", &value) && !parse_size("1Gib", &value));

	ck_assert(parse_seconds("1.5", &value) && value == 1500000000);
	ck_assert(parse_seconds("0.000000001", &value) && value == 1);
	/* Never less than was asked for. */
	ck_assert(parse_seconds("0.0000000001", &value) && value == 1);
	ck_assert(parse_seconds("2.0000000000", &value) && value == 2000000000);
	ck_assert(!parse_seconds("18446744073709551615", &value));
	ck_assert(!parse_seconds("1.", &value) && !parse_seconds(".", &value));
}
END_TEST

START_TEST(cpu_lists_become_sets)
{
	void *set;
	size_t size;

	ck_assert(parse_cpu_list("0,5-6,65535", &set, &size));
	ck_assert_int_eq(CPU_COUNT_S(size, (cpu_set_t *)set), 4);
	ck_assert(CPU_ISSET_S(6, size, (cpu_set_t *)set));
	ck_assert(CPU_ISSET_S(65535, size, (cpu_set_t *)set));
	free(set);
	ck_assert(!parse_cpu_list("0,65536", &set, &size));
}
END_TEST

START_TEST(json_strings_are_ascii_whatever_comes)
{
	char text[256];
	FILE *file = fmemopen(text, sizeof(text), "w");
	struct json json;

	json_start(&json, file);
	json_string(&json, "a", "\"\\\n\x7f");
	json_string(&json, "b", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
	/* Cut off, overlong, a surrogate, too large, no start. */
	json_string(&json, "c", "\xe2\x82 \xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80 \xff \xc3");
	json_object(&json, "d");
	json_hex(&json, "e", UINT64_MAX);
	json_end(&json);
	json_bool(&json, "f", true);
	json_end(&json);
	fclose(file);
	ck_assert_str_eq(text, "{\"a\": \"\\\"\\\\\\u000a\\u007f\", "
			       "\"b\": \"\\u00e9 \\u20ac \\ud83d\\ude00\", "
			       "\"c\": \"\\ufffd\\ufffd \\ufffd\\ufffd \\ufffd\\ufffd\\ufffd "
			       "\\ufffd\\ufffd\\ufffd\\ufffd \\ufffd \\ufffd\", "
			       "\"d\": {\"e\": \"0xffffffffffffffff\"}, \"f\": true}");
}
END_TEST

/* --- several CPUs ----------------------------------------------------------------------------- */

START_TEST(an_ipi_goes_to_those_it_names)
{
	struct axvcpu_exit_ipi ipi = { .target_cpu = 2, .level = 1 };

	ck_assert_uint_eq(ipi_targets(&ipi, 0, 4), 1u << 2);
	/* The sender itself, too, and no absent CPU. */
	ck_assert_uint_eq(ipi_targets(&ipi, 2, 4), 1u << 2);
	ck_assert_uint_eq(ipi_targets(&ipi, 0, 2), 0);
	ipi.target_cpu = 64;
	ck_assert_uint_eq(ipi_targets(&ipi, 0, 64), 0);
	ipi.target_cpu = UINT64_MAX;
	ck_assert_uint_eq(ipi_targets(&ipi, 0, 64), 0);
	ipi.target_cpu = 63;
	ck_assert_uint_eq(ipi_targets(&ipi, 0, 64), UINT64_C(1) << 63);
}
END_TEST

static struct cpus cpus;
static bool started;

/* The point at which another CPU learns from AFFINITY_INFO that the first one is off. */
int __wrap_axvcpu_stop(struct axvcpu *vcpu);
int __wrap_axvcpu_stop(struct axvcpu *vcpu)
{
	(void)vcpu;
	started = cpus_start(&cpus, &cpus.cpu[0], 0, 0x1000, 7);
	return 0;
}

START_TEST(a_cpu_reported_off_can_be_started)
{
	static struct outcome outcome;

	cpus.outcome = &outcome;
	cpus.n = 2;
	pthread_mutex_init(&cpus.lock, NULL);
	cpus.cpu[0].state = cpus.cpu[1].state = CPU_ON;
	cpus_down(&cpus, &cpus.cpu[0]);
	ck_assert(started);
	ck_assert(cpus.cpu[0].requests.start);
	ck_assert(outcome_open(&outcome));
	pthread_mutex_destroy(&cpus.lock);
}
END_TEST

START_TEST(shorthands_outrank_the_destination)
{
	struct axvcpu_exit_ipi ipi = { .target_cpu = 3, .send_to_all = 1 };

	ck_assert_uint_eq(ipi_targets(&ipi, 1, 4), 0xd);
	ck_assert_uint_eq(ipi_targets(&ipi, 63, 64), UINT64_MAX >> 1);
	ck_assert_uint_eq(ipi_targets(&ipi, 0, 1), 0);
	ipi.send_to_self = 1;
	ck_assert_uint_eq(ipi_targets(&ipi, 1, 4), 0xf);
	ck_assert_uint_eq(ipi_targets(&ipi, 1, 64), UINT64_MAX);
	ipi.send_to_all = 0;
	ck_assert_uint_eq(ipi_targets(&ipi, 1, 4), 1u << 1);
}
END_TEST

START_TEST(logical_destinations_are_flat_or_clusters)
{
	struct axvcpu_exit_ipi ipi = { .target_cpu = 0x0a, .logical = 1 };

	ck_assert_uint_eq(ipi_targets(&ipi, 0, 4), 0xa);
	ck_assert_uint_eq(ipi_targets(&ipi, 0, 2), 0x2);
	ipi.target_cpu = 0x00028001;
	ck_assert_uint_eq(ipi_targets(&ipi, 0, 64), UINT64_C(0x800100000000));
	ipi.target_cpu = 0x0004ffff;
	ck_assert_uint_eq(ipi_targets(&ipi, 0, 64), 0);
	/* Lowest priority: one of them. */
	ipi.target_cpu = 0x0c;
	ipi.delivery_mode = 1;
	ck_assert_uint_eq(ipi_targets(&ipi, 0, 4), 0x4);
}
END_TEST

START_TEST(the_queue_keeps_its_order)
{
	static struct queuedev queue;
	uint64_t value;
	unsigned int i;

	device_begin();
	ck_assert_int_eq(queuedev_attach(&queue, device_vm,
					 (struct place){ AXVM_SPACE_PORT, GUEST_PORT_QUEUE }),
			 0);
	/* More than fits, and around its end. */
	for (i = 0; i < GUEST_QUEUE_MAX; i++)
		ck_assert(device_write(AXVM_SPACE_PORT, GUEST_PORT_QUEUE, 1, i % 251));
	device_read(AXVM_SPACE_PORT, GUEST_PORT_QUEUE, 4, &value);
	ck_assert_uint_eq(value, 0x03020100);
	device_write(AXVM_SPACE_PORT, GUEST_PORT_QUEUE, 4, 0xaabbccdd);
	device_write(AXVM_SPACE_PORT, GUEST_PORT_QUEUE, 2, 0xffff);
	device_read(AXVM_SPACE_PORT, GUEST_PORT_QUEUE + GUEST_QUEUE_LENGTH, 4, &value);
	ck_assert_uint_eq(value, GUEST_QUEUE_MAX);
	for (i = 4; i < GUEST_QUEUE_MAX; i++) {
		device_read(AXVM_SPACE_PORT, GUEST_PORT_QUEUE, 1, &value);
		ck_assert_uint_eq(value, i % 251);
	}
	device_read(AXVM_SPACE_PORT, GUEST_PORT_QUEUE, 4, &value);
	ck_assert_uint_eq(value, 0xaabbccdd);
	device_read(AXVM_SPACE_PORT, GUEST_PORT_QUEUE, 2, &value);
	ck_assert_uint_eq(value, GUEST_QUEUE_NOTHING << 8 | GUEST_QUEUE_NOTHING);
	device_write(AXVM_SPACE_PORT, GUEST_PORT_QUEUE, 2, 1);
	device_write(AXVM_SPACE_PORT, GUEST_PORT_QUEUE + GUEST_QUEUE_LENGTH, 4, 0);
	device_read(AXVM_SPACE_PORT, GUEST_PORT_QUEUE + GUEST_QUEUE_LENGTH, 4, &value);
	ck_assert_uint_eq(value, 0);
}
END_TEST

START_TEST(a_saved_queue_keeps_its_order)
{
	static struct queuedev queue;
	uint8_t state[64];
	uint64_t value;
	unsigned int i;
	size_t size;

	device_begin();
	ck_assert_int_eq(queuedev_attach(&queue, device_vm,
					 (struct place){ AXVM_SPACE_PORT, GUEST_PORT_QUEUE }),
			 0);
	/* Around its end. */
	queue.first = GUEST_QUEUE_MAX - 3;
	for (i = 0; i < 8; i++)
		device_write(AXVM_SPACE_PORT, GUEST_PORT_QUEUE, 1, i);
	size = device_save(state, sizeof(state));
	ck_assert_uint_eq(size, 4 + 8);
	device_check_lengths(1);
	device_write(AXVM_SPACE_PORT, GUEST_PORT_QUEUE + GUEST_QUEUE_LENGTH, 4, 0);
	ck_assert_int_eq(device_restore(state, size), 0);
	for (i = 0; i < 8; i++) {
		device_read(AXVM_SPACE_PORT, GUEST_PORT_QUEUE, 1, &value);
		ck_assert_uint_eq(value, i);
	}
	/* More bytes than it holds. */
	memset(state, 0xff, 4);
	ck_assert_int_eq(device_restore(state, size), -EINVAL);
	device_read(AXVM_SPACE_PORT, GUEST_PORT_QUEUE + GUEST_QUEUE_LENGTH, 4, &value);
	ck_assert_uint_eq(value, 0);
}
END_TEST

START_TEST(saved_timers_run_on_from_where_they_were)
{
	struct cpu *cpu = &cpus.cpu[0];
	struct timespec now;
	uint8_t state[128];
	uint64_t deadline;
	size_t size;

	device_begin();
	cpus = (struct cpus){ .platform = platform_find("arm64"), .n = 1 };
	pthread_mutex_init(&cpus.lock, NULL);
	pthread_cond_init(&cpus.timers_changed, NULL);
	cpu->vcpu = device_vcpu;
	cpu->state = CPU_HALTED;
	cpu->requests.interrupts[3] = 1;
	ck_assert_int_eq(timer_attach(&cpus, device_vm), 0);
	device_check_lengths(1);
	clock_gettime(CLOCK_MONOTONIC, &now);
	/* In an hour. */
	deadline = ((uint64_t)now.tv_sec + 3600) * 1000000000;
	cpu->timer = (struct cpu_timer){ .vector = 7, .deadline_ns = deadline };
	size = device_save(state, sizeof(state));
	cpu->state = CPU_OFF;
	cpu->requests = (struct cpu_requests){ 0 };
	cpu->timer = (struct cpu_timer){ 0 };
	ck_assert_int_eq(device_restore(state, size), 0);
	ck_assert_int_eq(cpu->state, CPU_HALTED);
	ck_assert_uint_eq(cpu->requests.interrupts[3], 1);
	ck_assert(atomic_load(&cpu->has_requests));
	ck_assert_uint_eq(cpu->timer.vector, 7);
	ck_assert_uint_ge(cpu->timer.deadline_ns, deadline);
	/* There is no such state of a CPU. */
	state[0] = CPU_HALTED + 1;
	cpu->timer.vector = 8;
	ck_assert_int_eq(device_restore(state, size), -EINVAL);
	ck_assert_uint_eq(cpu->timer.vector, 8);
}
END_TEST

START_TEST(saved_system_registers_are_restored)
{
	static struct services services;
	static uint8_t state[1024];
	uint64_t value;
	size_t size;

	device_begin();
	ck_assert_int_eq(services_attach(&services, device_vm, platform_find("x86_64")), 0);
	services_write(&services, 63, GUEST_SYSREG_BASE + GUEST_SYSREG_SCRATCH, 5);
	services_write(&services, 0, GUEST_SYSREG_BASE + GUEST_SYSREG_SHARED, 6);
	size = device_save(state, sizeof(state));
	device_check_lengths(1);
	services_write(&services, 63, GUEST_SYSREG_BASE + GUEST_SYSREG_SCRATCH, 7);
	services_write(&services, 0, GUEST_SYSREG_BASE + GUEST_SYSREG_SHARED, 8);
	ck_assert_int_eq(device_restore(state, size), 0);
	services_read(&services, 63, GUEST_SYSREG_BASE + GUEST_SYSREG_SCRATCH, &value);
	ck_assert_uint_eq(value, 5);
	services_read(&services, 0, GUEST_SYSREG_BASE + GUEST_SYSREG_SHARED, &value);
	ck_assert_uint_eq(value, 6);
}
END_TEST

START_TEST(hypercalls_answer_and_unknown_ones_are_errors)
{
	struct axvcpu_exit_hypercall call = { .nr = GUEST_CALL_ADD, .args = { 5, 6, 7, 8, 9, 10 } };

	ck_assert_uint_eq(services_call(&call, 0), 11);
	call.nr = GUEST_CALL_PICK;
	ck_assert_uint_eq(services_call(&call, 0), 10);
	call.args[0] = 6;
	ck_assert_uint_eq(services_call(&call, 0), GUEST_CALL_ERROR);
	call.args[0] = UINT64_MAX;
	ck_assert_uint_eq(services_call(&call, 0), GUEST_CALL_ERROR);
	call.nr = GUEST_CALL_CPU;
	ck_assert_uint_eq(services_call(&call, 3), 3);
	call.nr = 0;
	ck_assert_uint_eq(services_call(&call, 3), (uint64_t)-1000);
}
END_TEST

START_TEST(system_registers_are_kept_or_fault)
{
	static struct services services;
	uint64_t value = 1;

	ck_assert(services_read(&services, 1, GUEST_SYSREG_BASE + GUEST_SYSREG_ID, &value));
	ck_assert_uint_eq(value, GUEST_SYSREG_MAGIC);
	ck_assert(!services_write(&services, 1, GUEST_SYSREG_BASE + GUEST_SYSREG_ID, 0));
	ck_assert(services_write(&services, 1, GUEST_SYSREG_BASE + GUEST_SYSREG_SCRATCH, 42));
	ck_assert(services_write(&services, 1, GUEST_SYSREG_BASE + GUEST_SYSREG_SHARED, 43));
	ck_assert(services_read(&services, 0, GUEST_SYSREG_BASE + GUEST_SYSREG_SCRATCH, &value));
	ck_assert_uint_eq(value, 0);
	ck_assert(services_read(&services, 0, GUEST_SYSREG_BASE + GUEST_SYSREG_SHARED, &value));
	ck_assert_uint_eq(value, 43);
	ck_assert(!services_read(&services, 0, GUEST_SYSREG_BASE + 3, &value));
	ck_assert(!services_write(&services, 0, GUEST_SYSREG_BASE + 7, 0));
}
END_TEST

#define WRITES 100000u

static struct services shared_services;

/* Halves that belong together, as no other thread writes them. */
static void *write_shared(void *arg)
{
	const uint64_t half = *(const uint32_t *)arg;
	uint64_t value, torn = 0;
	uint32_t i;

	for (i = 0; i < WRITES; i++) {
		services_write(&shared_services, (uint32_t)half,
			       GUEST_SYSREG_BASE + GUEST_SYSREG_SHARED, half << 32 | half);
		services_read(&shared_services, (uint32_t)half,
			      GUEST_SYSREG_BASE + GUEST_SYSREG_SHARED, &value);
		torn += value >> 32 != (uint32_t)value;
	}
	return torn ? arg : NULL;
}

START_TEST(the_shared_register_is_written_by_all_cpus_at_once)
{
	static uint32_t numbers[4] = { 0, 1, 2, 3 };
	pthread_t threads[4];
	void *torn;
	size_t i;

	for (i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, write_shared, &numbers[i]), 0);
	for (i = 0; i < 4; i++) {
		ck_assert_int_eq(pthread_join(threads[i], &torn), 0);
		ck_assert_ptr_null(torn);
	}
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tcase = suite_case(suite, "axrun");

	tcase_add_test(tcase, the_boot_area_makes_room_for_the_image);
	tcase_add_test(tcase, memory_leaves_the_hole_and_tables_grow);
	tcase_add_test(tcase, the_tables_size_is_what_the_library_asks_for);
	tcase_add_test(tcase, images_that_do_not_fit_are_refused);
	tcase_add_test(tcase, the_boot_area_of_a_flat_image_is_at_the_end_of_memory);
	tcase_add_test(tcase, a_device_tree_says_what_there_is);
	tcase_add_test(tcase, an_arm64_tree_has_the_gic_that_there_is);
	tcase_add_test(tcase, a_riscv64_tree_has_the_isa_and_the_aia);
	tcase_add_test(tcase, the_root_of_a_tree_names_no_parent_of_interrupts);
	tcase_add_test(tcase, a_kernels_tree_has_its_initrd_and_seeds_and_nothing_of_a_guests);
	tcase_add_test(tcase, the_largest_tree_fits_and_one_that_does_not_is_refused);
	tcase_add_test(tcase, hardware_names_of_cpus_are_numbers_or_none);
	tcase_add_test(tcase, an_ipi_goes_to_those_it_names);
	tcase_add_test(tcase, a_cpu_reported_off_can_be_started);
	tcase_add_test(tcase, shorthands_outrank_the_destination);
	tcase_add_test(tcase, logical_destinations_are_flat_or_clusters);
	tcase_add_test(tcase, the_queue_keeps_its_order);
	tcase_add_test(tcase, a_saved_queue_keeps_its_order);
	tcase_add_test(tcase, saved_timers_run_on_from_where_they_were);
	tcase_add_test(tcase, saved_system_registers_are_restored);
	tcase_add_test(tcase, hypercalls_answer_and_unknown_ones_are_errors);
	tcase_add_test(tcase, system_registers_are_kept_or_fault);
	tcase_add_test(tcase, the_shared_register_is_written_by_all_cpus_at_once);
	tcase_add_test(tcase, sizes_and_times_are_read_exactly);
	tcase_add_test(tcase, cpu_lists_become_sets);
	tcase_add_test(tcase, json_strings_are_ascii_whatever_comes);
}

int main(void)
{
	return suite_main("axrun", false, add_tests);
}
