/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Clones of checkpoints, on the mock: what a clone has, which memory it shares and with which other
 * VMs, who may be freed first, and what a failure leaves. Needs no KVM.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "child.h"
#include "mock.h"
#include "resources.h"
#include "suite.h"

/* Pages of each region. */
#define PAGES 64u
/* Backings of the regions; the fourth is read-only. */
static const uint32_t backings[] = { AXVM_MEM_ANONYMOUS, AXVM_MEM_MEMFD, AXVM_MEM_FILE,
				     AXVM_MEM_ANONYMOUS, AXVM_MEM_CALLER };
#define REGIONS 5u
#define READONLY_REGION 3u
#define FILE_REGION 2u

static uint64_t page;
static struct axvm *vm, *first, *second;
static struct axvcpu *vcpu;
static struct axvm_checkpoint *checkpoint;
static unsigned char *callers;
static int file;
static struct axvcpu_arch_ops ops;

/* --- VMs -------------------------------------------------------------------------------------- */

/* A config of the backend. */
struct mock_config {
	size_t size;
	uint64_t value;
};

/* The config of the latest VM. */
static struct axvm_config seen;
static struct mock_config seen_arch;
static struct axvm_sysreg_range seen_sysregs[4];

static int vm_new(struct axvm *new, const struct axvm_config *config, struct axvm_limits *limits,
		  void **arch)
{
	(void)new;
	(void)limits;
	(void)arch;
	seen = *config;
	memset(&seen_arch, 0, sizeof(seen_arch));
	if (config->arch_config)
		memcpy(&seen_arch, config->arch_config, sizeof(seen_arch));
	memset(seen_sysregs, 0, sizeof(seen_sysregs));
	if (config->nsysregs)
		memcpy(seen_sysregs, config->sysregs, config->nsysregs * sizeof(seen_sysregs[0]));
	return 0;
}

static int set_sysregs(void *arch, const struct axvm_sysreg_range *ranges, uint32_t count)
{
	(void)arch;
	(void)ranges;
	(void)count;
	return 0;
}

static uint64_t at(unsigned int region, uint64_t n)
{
	return (region * 2 * PAGES + n) * page;
}

static void map_region(unsigned int region)
{
	struct axvm_region info = AXVM_REGION_INIT;

	info.gpa = at(region, 0);
	info.len = PAGES * page;
	info.backing = backings[region];
	info.flags = region == READONLY_REGION ? AXVM_MEM_READONLY : 0;
	info.fd = file;
	if (info.backing == AXVM_MEM_CALLER)
		info.hva = callers;
	ck_ok(axvm_map(vm, &info));
}

static void write_to(struct axvm *to, unsigned int region, uint64_t n, uint32_t value)
{
	ck_ok(axvm_write(to, at(region, n), &value, sizeof(value)));
}

static uint32_t read_of(struct axvm *of, unsigned int region, uint64_t n)
{
	uint32_t value;

	ck_ok(axvm_read(of, at(region, n), &value, sizeof(value)));
	return value;
}

static void create_with(const struct axvm_config *config)
{
	mock_reset();
	ck_ok(axvm_new(config, &vm));
	ck_ok(axvcpu_new(vm, &AXVCPU_WITH(axvcpu_config, .id = 1), &vcpu));
	ck_ok(axvcpu_setup(vcpu, 0x1000, 0, &AXVCPU_WITH(axvcpu_setup_config, .arg = 0x2000)));
	mock_set_state();
}

/* A VM with five regions, in which page 3 has 30 and the number of the region. */
static void start(void)
{
	char path[] = "/tmp/test_clone.XXXXXX";

	page = (uint64_t)sysconf(_SC_PAGESIZE);
	file = mkstemp(path);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(ftruncate(file, (off_t)(PAGES * page)), 0);
	callers = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);
	ck_assert_ptr_ne(callers, MAP_FAILED);
	ops = mock_ops;
	ops.vm_new = vm_new;
	ops.vm_set_sysregs = set_sysregs;
	ops.arch_config_size = sizeof(struct mock_config);
	create_with(&AXVCPU_WITH(axvm_config, .arch = &ops, .max_vcpus = 2));
	for (unsigned int i = 0; i < REGIONS; i++) {
		map_region(i);
		write_to(vm, i, 3, 30 + i);
	}
}

static void take(void)
{
	ck_ok(axvm_quiesce(vm, NULL, 0));
	ck_ok(axvm_checkpoint_new(vm, NULL, &checkpoint));
}

static int clone_with(struct axvm_clone_config config, struct axvm **clone)
{
	config.arch = &ops;
	return axvm_checkpoint_clone(checkpoint, &config, clone);
}

static void clone_to(struct axvm **clone)
{
	ck_ok(clone_with((struct axvm_clone_config)AXVM_CLONE_CONFIG_INIT, clone));
}

static void free_vm(struct axvm **of)
{
	if (!*of)
		return;
	ck_ok(axvcpu_free(axvm_vcpu(*of, 1)));
	ck_ok(axvm_free(*of));
	*of = NULL;
}

static void free_checkpoint(void)
{
	ck_ok(axvm_checkpoint_free(checkpoint));
	checkpoint = NULL;
}

static void end(void)
{
	free_vm(&first);
	free_vm(&second);
	free_checkpoint();
	free_vm(&vm);
	if (callers)
		munmap(callers, PAGES * page);
	close(file);
}

/* --- what a clone has ------------------------------------------------------------------------- */

START_TEST(a_clone_has_the_config_of_its_vm)
{
	const struct axvm_sysreg_range later = { 7, 8, AXVCPU_ACCESS_READ, 0 };
	const struct axvm_sysreg_range early = { 1, 2, AXVCPU_ACCESS_READ, 0 };
	struct mock_config arch = { .size = sizeof(arch), .value = 77 };
	struct axvm_config config = AXVM_CONFIG_INIT;

	start();
	free_vm(&vm);
	config.arch = &ops;
	config.max_vcpus = 5;
	config.gpa_bits = 44;
	config.irqchip = AXVM_IRQCHIP_SPLIT;
	config.forward = AXVM_FORWARD_DOORBELL | AXVM_FORWARD_POWER_OFF;
	config.doorbell_port = 0x501;
	config.poweroff_port = 0x604;
	config.poweroff_width = 2;
	config.poweroff_value = 0x2000;
	config.notify_window = 9;
	config.dirty_ring_entries = 1024;
	config.sysregs = &early;
	config.nsysregs = 1;
	config.arch_config = &arch;
	create_with(&config);
	ck_ok(axvm_set_sysregs(vm, &later, 1));
	take();
	free_vm(&vm);
	ck_ok(clone_with(AXVCPU_WITH(axvm_clone_config, .id = 42), &first));
	ck_assert_uint_eq(axvm_id(first), 42);
	ck_assert_uint_eq(seen.max_vcpus, 5);
	ck_assert_uint_eq(seen.gpa_bits, 44);
	ck_assert_uint_eq(seen.irqchip, AXVM_IRQCHIP_SPLIT);
	ck_assert_uint_eq(seen.forward, config.forward);
	ck_assert_uint_eq(seen.doorbell_port, 0x501);
	ck_assert_uint_eq(seen.poweroff_port, 0x604);
	ck_assert_uint_eq(seen.poweroff_width, 2);
	ck_assert_uint_eq(seen.poweroff_value, 0x2000);
	ck_assert_uint_eq(seen.notify_window, 9);
	ck_assert_uint_eq(seen.dirty_ring_entries, 1024);
	ck_assert_uint_eq(seen_arch.value, 77);
	/* Those in effect. */
	ck_assert_uint_eq(seen.nsysregs, 1);
	ck_assert_uint_eq(seen_sysregs[0].base, 7);
	end();
}
END_TEST

START_TEST(a_clone_has_the_vcpus_and_their_state)
{
	start();
	mock.pins[5] = 55;
	take();
	mock.regs[3] = 1;
	mock.pins[5] = 1;
	clone_to(&first);
	ck_assert_uint_eq(mock.regs[3], 103);
	ck_assert_uint_eq(mock.pins[5], 55);
	ck_assert(mock.has_target);
	ck_assert_uint_eq(mock.calls[MOCK_SETUP], 1);
	ck_assert_uint_eq(mock.calls[MOCK_SETUP_SAVED], 1);
	ck_assert_uint_eq(mock.calls[MOCK_VM_FINALIZE], 1);
	ck_assert_int_eq(axvm_vcpus(first, 0, 0, NULL), 1);
	ck_assert_int_eq(axvcpu_state(axvm_vcpu(first, 1)), AXVCPU_FREE);
	/* A reset of the VM sets up the vCPUs again. */
	ck_ok(axvm_reset(first, 0));
	ck_assert_uint_eq(mock.entry, 0x1000);
	ck_assert_uint_eq(mock.arg, 0x2000);
	end();
}
END_TEST

START_TEST(power_and_strictness_of_a_vcpu_are_cloned)
{
	start();
	free_vm(&vm);
	mock_reset();
	ck_ok(axvm_new(&AXVCPU_WITH(axvm_config, .arch = &ops, .max_vcpus = 2), &vm));
	ck_ok(axvcpu_new(vm,
			 &AXVCPU_WITH(axvcpu_config, .id = 1,
				      .flags = AXVCPU_F_START_OFF | AXVCPU_F_STRICT),
			 &vcpu));
	ck_ok(axvcpu_setup(vcpu, 0, 0, NULL));
	mock.clock.counter_hz = 1000000;
	take();
	clone_to(&first);
	vcpu = axvm_vcpu(first, 1);
	ck_assert_int_eq(axvcpu_power(vcpu), AXVCPU_POWER_WAITING);
	/* In a wrong state. */
	ck_fails(axvcpu_setup(vcpu, 0, 0, NULL), EBADFD);
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_INVALID);
	end();
}
END_TEST

START_TEST(a_clone_has_memory_of_every_kind)
{
	struct axvm_region regions[REGIONS];

	for (unsigned int i = 0; i < REGIONS; i++)
		regions[i] = (struct axvm_region)AXVM_REGION_INIT;
	start();
	take();
	/* The caller's memory and file are gone. */
	free_vm(&vm);
	munmap(callers, PAGES * page);
	callers = NULL;
	ck_assert_int_eq(ftruncate(file, 0), 0);
	clone_to(&first);
	ck_assert_int_eq(axvm_regions(first, 0, REGIONS, regions), REGIONS);
	for (unsigned int i = 0; i < REGIONS; i++) {
		const uint32_t readonly = i == READONLY_REGION ? AXVM_MEM_READONLY : 0;

		ck_assert_uint_eq(regions[i].gpa, at(i, 0));
		ck_assert_uint_eq(regions[i].len, PAGES * page);
		ck_assert_uint_eq(regions[i].backing,
				  i == FILE_REGION ? AXVM_MEM_FILE : AXVM_MEM_ANONYMOUS);
		ck_assert_uint_eq(regions[i].flags, AXVM_MEM_CLONED | readonly);
		ck_assert_int_eq(regions[i].fd, -1);
		for (uint64_t n = 0; n < PAGES; n++)
			ck_assert_uint_eq(read_of(first, i, n), n == 3 ? 30 + i : 0);
	}
	regions[0].gpa = at(REGIONS, 0);
	ck_fails_saying(axvm_map(first, &regions[0]), EINVAL, "flags");
	end();
}
END_TEST

START_TEST(frames_stay_allocated_in_a_clone)
{
	uint64_t frames[3], more;

	start();
	for (unsigned int i = 0; i < 3; i++)
		ck_ok(axvm_alloc_frame(vm, &frames[i]));
	ck_ok(axvm_free_frame(vm, frames[1]));
	ck_ok(axvm_write(vm, frames[2], "frame", 5));
	take();
	clone_to(&first);
	ck_ok(axvm_alloc_frame(first, &more));
	ck_assert_uint_eq(more, frames[1]);
	ck_ok(axvm_alloc_frame(first, &more));
	ck_assert_uint_ne(more, frames[0]);
	ck_assert_uint_ne(more, frames[2]);
	ck_ok(axvm_free_frame(first, frames[0]));
	ck_ok(axvm_free_frame(first, frames[2]));
	ck_fails(axvm_free_frame(first, frames[2]), ENOENT);
	/* Not in its VM. */
	ck_ok(axvm_free_frame(vm, frames[2]));
	end();
}
END_TEST

/* --- sharing ---------------------------------------------------------------------------------- */

START_TEST(clones_do_not_see_each_others_writes)
{
	start();
	take();
	clone_to(&first);
	clone_to(&second);
	for (unsigned int i = 0; i < REGIONS; i++) {
		write_to(vm, i, 3, 1);
		write_to(first, i, 3, 2);
		write_to(first, i, 5, 2);
		ck_assert_uint_eq(read_of(second, i, 3), 30 + i);
		ck_assert_uint_eq(read_of(second, i, 5), 0);
		write_to(second, i, 3, 3);
		ck_assert_uint_eq(read_of(vm, i, 3), 1);
		ck_assert_uint_eq(read_of(vm, i, 5), 0);
		ck_assert_uint_eq(read_of(first, i, 3), 2);
	}
	free_vm(&first);
	/* The checkpoint is as before. */
	clone_to(&first);
	for (unsigned int i = 0; i < REGIONS; i++)
		ck_assert_uint_eq(read_of(first, i, 3), 30 + i);
	end();
}
END_TEST

START_TEST(vm_and_checkpoint_may_be_freed_before_the_clones)
{
	start();
	take();
	clone_to(&first);
	free_vm(&vm);
	clone_to(&second);
	free_checkpoint();
	for (unsigned int i = 0; i < REGIONS; i++) {
		ck_assert_uint_eq(read_of(first, i, 3), 30 + i);
		ck_assert_uint_eq(read_of(second, i, 3), 30 + i);
	}
	free_vm(&first);
	ck_assert_uint_eq(read_of(second, 1, 3), 31);
	end();
}
END_TEST

/* Private memory of this process, in bytes. */
static uint64_t anonymous_memory(void)
{
	FILE *rollup = fopen("/proc/self/smaps_rollup", "re");
	unsigned long long kib = 0;
	char line[256];

	ck_assert_ptr_nonnull(rollup);
	while (fgets(line, sizeof(line), rollup) && sscanf(line, "Anonymous: %llu", &kib) != 1)
		;
	fclose(rollup);
	return kib * 1024;
}

#define MIB (UINT64_C(1) << 20)
#define CLONES 50u
#define WRITTEN 8u

START_TEST(clones_take_the_memory_that_they_write)
{
	static struct axvm *clones[CLONES];
	struct axvm_region big = AXVM_REGION_INIT;
	uint64_t before, value = 1;

	start();
	big.gpa = UINT64_C(1) << 32;
	big.len = 256 * MIB;
	ck_ok(axvm_map(vm, &big));
	/* So much data that copies of it would show. */
	ck_ok(axvm_set(vm, big.gpa, 0x55, 16 * MIB));
	take();
	before = anonymous_memory();
	for (unsigned int i = 0; i < CLONES; i++) {
		clone_to(&clones[i]);
		for (uint64_t n = 0; n < WRITTEN; n++) {
			ck_ok(axvm_write(clones[i], big.gpa + 2 * n * MIB, &value, sizeof(value)));
			ck_ok(axvm_read(clones[i], big.gpa + 2 * n * MIB + page, &value,
					sizeof(value)));
		}
	}
	ck_assert_uint_le(anonymous_memory() - before, CLONES * (2 * MIB + WRITTEN * page));
	for (unsigned int i = 0; i < CLONES; i++)
		free_vm(&clones[i]);
	end();
}
END_TEST

START_TEST(memory_in_memfds_is_not_shared)
{
	struct axvm_region regions[REGIONS];
	uint32_t value = 9;

	for (unsigned int i = 0; i < REGIONS; i++)
		regions[i] = (struct axvm_region)AXVM_REGION_INIT;
	start();
	take();
	ck_ok(clone_with(AXVCPU_WITH(axvm_clone_config, .flags = AXVM_CLONE_MEMFD), &first));
	clone_to(&second);
	ck_assert_int_eq(axvm_regions(first, 0, REGIONS, regions), REGIONS);
	for (unsigned int i = 0; i < REGIONS; i++) {
		ck_assert_uint_eq(regions[i].backing, AXVM_MEM_MEMFD);
		ck_assert_uint_eq(regions[i].flags, i == READONLY_REGION ? AXVM_MEM_READONLY : 0);
		ck_assert_int_ge(regions[i].fd, 0);
		ck_assert_uint_eq(read_of(first, i, 3), 30 + i);
		/* As another process writes. */
		ck_assert_int_eq(pwrite(regions[i].fd, &value, sizeof(value), (off_t)(3 * page)),
				 sizeof(value));
		ck_assert_uint_eq(read_of(first, i, 3), 9);
		ck_assert_uint_eq(read_of(second, i, 3), 30 + i);
	}
	end();
}
END_TEST

static unsigned int mapped;

static int map_memory(void *ctx, struct axvm_region *region)
{
	(void)ctx;
	mapped++;
	region->hva = mmap(NULL, region->len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
	return region->hva == MAP_FAILED ? -ENOMEM : 0;
}

static void unmap_memory(void *ctx, const struct axvm_region *region)
{
	(void)ctx;
	mapped--;
	munmap(region->hva, region->len);
}

START_TEST(a_hook_provides_the_memory_of_a_clone)
{
	const struct axvcpu_hal hal = { .size = sizeof(hal),
					.map_memory = map_memory,
					.unmap_memory = unmap_memory };

	start();
	take();
	ck_ok(clone_with(AXVCPU_WITH(axvm_clone_config, .hal = &hal), &first));
	ck_assert_uint_eq(mapped, REGIONS);
	for (unsigned int i = 0; i < REGIONS; i++)
		ck_assert_uint_eq(read_of(first, i, 3), 30 + i);
	free_vm(&first);
	ck_assert_uint_eq(mapped, 0);
	end();
}
END_TEST

/* --- set back, reset -------------------------------------------------------------------------- */

START_TEST(a_restore_sets_a_clone_back)
{
	start();
	take();
	clone_to(&first);
	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < REGIONS; i++) {
			write_to(first, i, 3, 1);
			ck_ok(axvm_set(first, at(i, 10), 0xff, 40 * page));
		}
		mock.regs[3] = 1;
		/* They are shared again, not written. */
		ck_assert_int_eq((int)axvm_checkpoint_restore(checkpoint, first, NULL), 0);
		ck_assert_uint_eq(mock.regs[3], 103);
		for (unsigned int i = 0; i < REGIONS; i++)
			for (uint64_t n = 0; n < PAGES; n++)
				ck_assert_uint_eq(read_of(first, i, n), n == 3 ? 30 + i : 0);
	}
	end();
}
END_TEST

START_TEST(another_checkpoint_is_copied_to_a_clone)
{
	struct axvm_checkpoint *other;

	start();
	write_to(vm, 0, 40, 40);
	ck_ok(axvm_checkpoint_new(vm, NULL, &other));
	write_to(vm, 0, 40, 0);
	write_to(vm, 0, 41, 41);
	take();
	clone_to(&first);
	/* Pages that are zero in it, and not in the clone's. */
	ck_assert_int_eq((int)axvm_checkpoint_restore(other, first, NULL), REGIONS * PAGES);
	ck_assert_uint_eq(read_of(first, 0, 3), 30);
	ck_assert_uint_eq(read_of(first, 0, 40), 40);
	ck_assert_uint_eq(read_of(first, 0, 41), 0);
	ck_ok(axvm_checkpoint_free(other));
	end();
}
END_TEST

START_TEST(a_checkpoint_of_a_clone_has_its_memory)
{
	struct axvm_checkpoint_info info = AXVM_CHECKPOINT_INFO_INIT;
	struct axvm_checkpoint *of_vm;

	start();
	take();
	clone_to(&first);
	write_to(first, 0, 5, 5);
	of_vm = checkpoint;
	/* A page that is in its page tables, and zero. */
	ck_assert_uint_eq(read_of(first, 1, 50), 0);
	ck_ok(axvm_checkpoint_new(first, NULL, &checkpoint));
	ck_ok(axvm_checkpoint_get_info(checkpoint, &info));
	/* Page 3 of each region, and one more. */
	ck_assert_uint_eq(info.memory_held, (REGIONS + 1) * page);
	free_vm(&first);
	ck_ok(axvm_checkpoint_free(of_vm));
	clone_to(&second);
	for (unsigned int i = 0; i < REGIONS; i++)
		ck_assert_uint_eq(read_of(second, i, 3), 30 + i);
	ck_assert_uint_eq(read_of(second, 0, 5), 5);
	end();
}
END_TEST

START_TEST(a_reset_clears_the_memory_of_a_clone)
{
	start();
	take();
	clone_to(&first);
	ck_ok(axvm_set(first, at(0, 8), 0xff, 50 * page));
	ck_ok(axvm_reset(first, AXVM_RESET_MEMORY));
	for (unsigned int i = 0; i < REGIONS; i++) {
		const bool stays = i == FILE_REGION || i == READONLY_REGION;

		ck_assert_uint_eq(read_of(first, i, 3), stays ? 30 + i : 0);
		ck_assert_uint_eq(read_of(first, i, 20), 0);
	}
	end();
}
END_TEST

/* --- functions of the caller ------------------------------------------------------------------ */

/* In the order of the calls. */
static char calls[64];
static int results[3];
static uint32_t counter;

static int called(const char *name, int result)
{
	strcat(calls, name);
	return result;
}

static int vcpu_config(void *ctx, struct axvcpu_config *config)
{
	ck_assert_ptr_eq(ctx, calls);
	ck_assert_uint_eq(config->id, 1);
	if (results[0] > 0)
		config->id = 0;
	config->flags |= AXVCPU_F_FAVOR_CPU;
	config->favor_cpu = 3;
	return called("v", results[0]);
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
	(void)version;
	ck_assert_uint_eq(len, sizeof(counter));
	memcpy(&counter, buf, len);
	return called("r", 0);
}

static int device_access(struct axvcpu *of, void *ctx, uint64_t offset, unsigned int width,
			 uint64_t *value)
{
	(void)of;
	(void)ctx;
	(void)offset;
	(void)width;
	*value = 0;
	return 0;
}

static int add_device(void *ctx, struct axvm *to)
{
	const struct axvm_device_range range = { .base = UINT64_C(1) << 40, .len = 8 };
	struct axvm_device_config config = AXVM_DEVICE_CONFIG_INIT;
	struct axvm_device *device;

	(void)ctx;
	config.name = "counter";
	config.ranges = &range;
	config.nranges = 1;
	config.read = device_access;
	config.save = device_save;
	config.restore = device_restore;
	/* Its memory and vCPUs are there. */
	ck_assert_uint_eq(read_of(to, 0, 3), 30);
	ck_assert_ptr_nonnull(axvm_vcpu(to, 1));
	ck_ok(axvm_add_device(to, &config, &device));
	return called("d", results[1]);
}

static int reseed(void *ctx, struct axvm *of)
{
	(void)ctx;
	write_to(of, 1, 3, 999);
	ck_assert_uint_eq(mock.regs[3], 103);
	return called("s", results[2]);
}

static struct axvm_clone_config with_functions(void)
{
	calls[0] = 0;
	return AXVCPU_WITH(axvm_clone_config, .ctx = calls, .vcpu_config = vcpu_config,
			   .add_devices = add_device, .reseed = reseed);
}

START_TEST(functions_of_the_caller_are_called_in_order)
{
	start();
	ck_ok(add_device(NULL, vm));
	counter = 7;
	take();
	counter = 1;
	mock.regs[3] = 1;
	/* Without devices, their state is not used. */
	clone_to(&second);
	ck_assert_uint_eq(counter, 1);
	ck_ok(clone_with(with_functions(), &first));
	ck_assert_str_eq(calls, "vdrs");
	ck_assert_uint_eq(counter, 7);
	ck_assert_int_eq(axvcpu_favor_cpu(axvm_vcpu(first, 1)), 3);
	/* What reseed has written is not undone. */
	ck_assert_uint_eq(read_of(first, 1, 3), 999);
	end();
}
END_TEST

/* --- failures --------------------------------------------------------------------------------- */

/* Nothing is left of the clone. */
static void expect_failure(struct axvm_clone_config config, int err, const char *text)
{
	struct axvm *none = NULL;
	struct resources before;

	resources_read(&before);
	ck_fails_saying(clone_with(config, &none), err, text);
	ck_assert_ptr_null(none);
	resources_expect(&before, text);
}

START_TEST(a_function_that_fails_leaves_no_clone)
{
	static const char *const names[] = { "vcpu_config", "add_devices", "reseed" };

	start();
	ck_ok(add_device(NULL, vm));
	take();
	results[_i] = -EPIPE;
	expect_failure(with_functions(), EPIPE, names[_i]);
	results[_i] = 0;
	if (!_i) {
		results[0] = 1;
		expect_failure(with_functions(), EINVAL, "id 1");
		results[0] = 0;
	}
	ck_ok(clone_with(with_functions(), &first));
	end();
}
END_TEST

START_TEST(an_operation_that_fails_leaves_no_clone)
{
	static const enum mock_op failing[] = { MOCK_VCPU_NEW,	  MOCK_SETUP_SAVED, MOCK_VM_MAP,
						MOCK_VM_FINALIZE, MOCK_SET_CLOCK,   MOCK_LOAD,
						MOCK_VM_LOAD };
	struct axvm *none = NULL;
	struct resources before;

	start();
	take();
	mock.ret[failing[_i]] = -EIO;
	resources_read(&before);
	ck_assert_int_eq(clone_with((struct axvm_clone_config)AXVM_CLONE_CONFIG_INIT, &none), -EIO);
	ck_assert_ptr_null(none);
	resources_expect(&before, "failed");
	mock.ret[failing[_i]] = 0;
	clone_to(&first);
	ck_assert_uint_eq(read_of(first, 1, 3), 31);
	end();
}
END_TEST

START_TEST(a_config_that_is_not_valid_is_refused)
{
	struct axvm_clone_config config = AXVM_CLONE_CONFIG_INIT;

	start();
	take();
	config.size = 1;
	expect_failure(config, EINVAL, "axvm_clone_config");
	expect_failure(AXVCPU_WITH(axvm_clone_config, .flags = 0x80), EINVAL, "0x80");
	expect_failure(AXVCPU_WITH(axvm_clone_config, .time_policy = AXVM_TIME_KEEP + 1), EINVAL,
		       "time policy");
	expect_failure(AXVCPU_WITH(axvm_clone_config, .flags = AXVM_CLONE_KVM_FD, .kvm_fd = -1),
		       EINVAL, "kvm_fd");
	ops.name = "other";
	expect_failure((struct axvm_clone_config)AXVM_CLONE_CONFIG_INIT, EINVAL, "backend mock");
	ops.name = mock_ops.name;
	ops.setup_saved = NULL;
	expect_failure((struct axvm_clone_config)AXVM_CLONE_CONFIG_INIT, ENOTSUP, "mock");
	ops.setup_saved = mock_ops.setup_saved;
	end();
}
END_TEST

START_TEST(a_backend_without_a_config_refuses_that_of_a_file)
{
	const struct mock_config arch = { .size = sizeof(arch), .value = 77 };

	start();
	free_vm(&vm);
	create_with(&AXVCPU_WITH(axvm_config, .arch = &ops, .max_vcpus = 2, .arch_config = &arch));
	take();
	/* Its config may have pointers, which no file may set. */
	ops.arch_config_size = 0;
	expect_failure((struct axvm_clone_config)AXVM_CLONE_CONFIG_INIT, ENOTSUP, "axvm-arch");
	ops.arch_config_size = sizeof(arch);
	clone_to(&first);
	end();
}
END_TEST

START_TEST(a_frame_of_a_file_that_was_truncated_is_an_errno)
{
	int fd = memfd_create("checkpoint", MFD_CLOEXEC);
	uint64_t frame;

	ck_assert_int_ge(fd, 0);
	start();
	ck_ok(axvm_alloc_frame(vm, &frame));
	take();
	ck_ok(axvm_checkpoint_write(checkpoint, fd));
	free_checkpoint();
	ck_ok(axvm_checkpoint_read(fd, &checkpoint));
	clone_to(&first);
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	for (unsigned int i = 0; i < 2; i++)
		ck_fails_saying(axvm_alloc_frame(first, &frame), EIO, "truncated");
	/* It can be freed only once. */
	ck_ok(axvm_free_frame(first, frame));
	ck_fails(axvm_free_frame(first, frame), ENOENT);
	end();
	close(fd);
}
END_TEST

/* --- forked children -------------------------------------------------------------------------- */

static void clone_in_child(void)
{
	struct axvm_clone_config config = AXVM_CLONE_CONFIG_INIT;
	struct axvm *clone = NULL;
	uint32_t value = 0;

	config.arch = &ops;
	child_expect(!axvm_checkpoint_clone(checkpoint, &config, &clone));
	child_expect(!axvm_read(clone, at(0, 3), &value, sizeof(value)) && value == 30);
	value = 1;
	child_expect(!axvm_write(clone, at(0, 3), &value, sizeof(value)));
	child_expect(!axvcpu_free(axvm_vcpu(clone, 1)));
	child_expect(!axvm_free(clone));
}

START_TEST(a_forked_child_has_clones_of_its_own)
{
	start();
	take();
	clone_to(&first);
	child_run((enum child_way)_i, clone_in_child);
	ck_assert_uint_eq(read_of(first, 0, 3), 30);
	end();
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *parts = suite_case(suite, "parts");
	TCase *sharing = suite_case(suite, "sharing");
	TCase *later = suite_case(suite, "later");
	TCase *failures = suite_case(suite, "failures");

	tcase_add_test(parts, a_clone_has_the_config_of_its_vm);
	tcase_add_test(parts, a_clone_has_the_vcpus_and_their_state);
	tcase_add_test(parts, power_and_strictness_of_a_vcpu_are_cloned);
	tcase_add_test(parts, a_clone_has_memory_of_every_kind);
	tcase_add_test(parts, frames_stay_allocated_in_a_clone);
	tcase_add_test(parts, functions_of_the_caller_are_called_in_order);
	tcase_add_test(sharing, clones_do_not_see_each_others_writes);
	tcase_add_test(sharing, vm_and_checkpoint_may_be_freed_before_the_clones);
	tcase_add_test(sharing, clones_take_the_memory_that_they_write);
	tcase_add_test(sharing, memory_in_memfds_is_not_shared);
	tcase_add_test(sharing, a_hook_provides_the_memory_of_a_clone);
	tcase_add_loop_test(sharing, a_forked_child_has_clones_of_its_own, 0, CHILD_WAYS);
	tcase_add_test(later, a_restore_sets_a_clone_back);
	tcase_add_test(later, another_checkpoint_is_copied_to_a_clone);
	tcase_add_test(later, a_checkpoint_of_a_clone_has_its_memory);
	tcase_add_test(later, a_reset_clears_the_memory_of_a_clone);
	tcase_add_loop_test(failures, a_function_that_fails_leaves_no_clone, 0, 3);
	tcase_add_loop_test(failures, an_operation_that_fails_leaves_no_clone, 0, 7);
	tcase_add_test(failures, a_config_that_is_not_valid_is_refused);
	tcase_add_test(failures, a_backend_without_a_config_refuses_that_of_a_file);
	tcase_add_test(failures, a_frame_of_a_file_that_was_truncated_is_an_errno);
}

int main(void)
{
	return suite_main("clones", false, add_tests);
}
