/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Cost of axvm_translate(), by the number of regions: addresses in one region, where the latest
 * hit is the next one too, and addresses in regions at random. Needs no hypervisor.
 */
#include <stdio.h>
#include <sys/mman.h>

#include "bench.h"
#include "mock.h"

#define REGION_LEN 0x1000u
/* Between two regions is as much again of nothing. */
#define REGION_STEP 0x2000u
#define REGIONS_MAX 4096u
#define CALLS 1000000u
#define REPETITIONS 7
/* Addresses looked up in turn. */
#define ADDRESSES 16384u

static uint64_t addresses[ADDRESSES];

static void add_regions(struct axvm *vm, unsigned char *memory, unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++) {
		struct axvm_region region = AXVM_REGION_INIT;

		region.gpa = (uint64_t)i * REGION_STEP;
		region.len = REGION_LEN;
		region.backing = AXVM_MEM_CALLER;
		region.hva = memory + (size_t)i * REGION_LEN;
		check(axvm_map(vm, &region));
	}
}

static void set_sequential(unsigned int regions)
{
	for (unsigned int i = 0; i < ADDRESSES; i++)
		addresses[i] = (uint64_t)(regions / 2) * REGION_STEP + i * 8 % REGION_LEN;
}

static void set_random(unsigned int regions)
{
	uint32_t x = 1;

	for (unsigned int i = 0; i < ADDRESSES; i++) {
		x = x * 1664525 + 1013904223;
		addresses[i] = (uint64_t)((x >> 8) % regions) * REGION_STEP + (x & 0xff8);
	}
}

/* Nanoseconds a call: the median of several runs. */
static double measure(struct axvm *vm)
{
	double ns[REPETITIONS];

	for (int r = 0; r < REPETITIONS; r++) {
		double start = now_ns();

		for (unsigned int i = 0; i < CALLS; i++) {
			void *ptr;

			if (axvm_translate(vm, addresses[i % ADDRESSES], 8, &ptr))
				die("%s", axvcpu_last_error());
		}
		ns[r] = (now_ns() - start) / CALLS;
	}
	return quantile(ns, REPETITIONS, 0.5);
}

int main(void)
{
	static const unsigned int counts[] = { 1, 64, REGIONS_MAX };
	struct axvm_config config = AXVM_CONFIG_INIT;
	unsigned char *memory = mmap(NULL, (size_t)REGIONS_MAX * REGION_LEN, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	unsigned int regions = 0;
	struct axvm *vm;

	if (memory == MAP_FAILED)
		die("mmap failed");
	config.arch = &mock_ops;
	check(axvm_new(&config, &vm));
	printf("axvm_translate, nanoseconds per call\n");
	printf("%-12s %10s %10s\n", "regions", "one region", "random");
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		double sequential;

		add_regions(vm, memory, regions, counts[i]);
		regions = counts[i];
		set_sequential(regions);
		sequential = measure(vm);
		set_random(regions);
		printf("%-12u %10.1f %10.1f\n", regions, sequential, measure(vm));
	}
	check(axvm_free(vm));
	return 0;
}
