/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The resources that a VM, a memory region and a vCPU take: heap, address space, descriptors. */
#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include "bench.h"

#include <axvcpu/axvcpu.h>

#define VMS 16u
#define REGIONS 16u
#define VCPUS 16u
#define REGION_LEN 0x10000u

struct usage {
	/* Bytes. */
	double heap;
	double mapped;
	double descriptors;
};

static double count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	double n = 0;

	if (!dir)
		die("/proc/self/fd cannot be read");
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static double count_mapped(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long pages;

	if (!file || fscanf(file, "%lu", &pages) != 1)
		die("/proc/self/statm cannot be read");
	fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static struct usage usage(void)
{
	struct usage now;

	now.descriptors = count_descriptors();
	now.mapped = count_mapped();
	now.heap = (double)mallinfo2().uordblks;
	return now;
}

static void print_each(const char *what, unsigned int n, const struct usage *before)
{
	struct usage now = usage();

	printf("%-24s %10.0f %10.0f %12.0f\n", what, (now.heap - before->heap) / n,
	       (now.mapped - before->mapped) / n, (now.descriptors - before->descriptors) / n);
}

static void add_region(struct axvm *vm, unsigned int i)
{
	struct axvm_region region = AXVM_REGION_INIT;

	region.gpa = (uint64_t)i * REGION_LEN;
	region.len = REGION_LEN;
	check(axvm_map(vm, &region));
}

static struct axvcpu *add_vcpu(struct axvm *vm, unsigned int id)
{
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;
	struct axvcpu_setup_config setup = AXVCPU_SETUP_CONFIG_INIT;
	struct axvcpu *vcpu;

	config.id = id;
	setup.mode = AXVCPU_MODE_32;
	check(axvcpu_new(vm, &config, &vcpu));
	check(axvcpu_setup(vcpu, 0x1000, 0, &setup));
	return vcpu;
}

int main(void)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvcpu *vcpus[VCPUS];
	struct axvm *vms[VMS];
	struct usage before;

	/* The heap grows once, here, and not amid the counting. */
	mallopt(M_TOP_PAD, 16 << 20);
	config.max_vcpus = VCPUS;
	check(axvm_new(&config, &vms[0]));
	check(axvm_free(vms[0]));

	printf("%-24s %10s %10s %12s\n", "each takes, in bytes", "heap", "mapped", "descriptors");
	before = usage();
	for (unsigned int i = 0; i < VMS; i++)
		check(axvm_new(&config, &vms[i]));
	print_each("VM (for 16 vCPUs)", VMS, &before);

	before = usage();
	for (unsigned int i = 0; i < REGIONS; i++)
		add_region(vms[0], i);
	print_each("region of 64 KiB", REGIONS, &before);

	before = usage();
	for (unsigned int i = 0; i < VCPUS; i++)
		vcpus[i] = add_vcpu(vms[0], i);
	print_each("vCPU", VCPUS, &before);

	for (unsigned int i = 0; i < VCPUS; i++)
		check(axvcpu_free(vcpus[i]));
	for (unsigned int i = 0; i < VMS; i++)
		check(axvm_free(vms[i]));
	return 0;
}
