/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Configs that are older or newer than the library, and invalid configs: the fields that count, the
 * errors, and that a refused call has created nothing. Needs /dev/kvm for the last test only.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <axvcpu/crate.h>

#include "guest.h"
#include "mock.h"
#include "suite.h"

/* More than any config may have. */
#define ROOM 8192

/* --- growth: the same rules for every struct that begins with its size ------------------------ */

static struct axvm *vm;
static struct axvcpu *vcpu;
/* A config with room behind it. */
static union {
	size_t size;
	unsigned char bytes[ROOM];
	struct axvm_config vm;
	struct axvcpu_hal hal;
	struct axvm_region region;
	struct axvcpu_config vcpu;
	struct axvcpu_setup_config setup;
} given;

/* Each passes the config in and returns the result. */
static int use_vm_config(void)
{
	struct axvm *new = NULL;
	int ret = axvm_new(&given.vm, &new);

	ck_assert_int_eq(!ret, !!new);
	if (new)
		ck_ok(axvm_free(new));
	return ret;
}

static int use_hal(void)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm *new = NULL;
	int ret;

	config.arch = &mock_ops;
	config.hal = &given.hal;
	ret = axvm_new(&config, &new);
	ck_assert_int_eq(!ret, !!new);
	if (new)
		ck_ok(axvm_free(new));
	return ret;
}

static int use_region(void)
{
	unsigned int maps = mock.calls[MOCK_VM_MAP];
	int ret = axvm_map(vm, &given.region);

	ck_assert_int_eq(!ret, axvm_regions(vm, 0, 0, NULL) == 1);
	ck_assert_uint_eq(mock.calls[MOCK_VM_MAP] - maps, !ret);
	if (!ret)
		ck_ok(axvm_unmap(vm, given.region.gpa, given.region.len));
	return ret;
}

static int use_vcpu_config(void)
{
	unsigned int news = mock.calls[MOCK_VCPU_NEW];
	struct axvcpu *new = NULL;
	int ret = axvcpu_new(vm, &given.vcpu, &new);

	ck_assert_int_eq(!ret, !!new);
	ck_assert_uint_eq(mock.calls[MOCK_VCPU_NEW] - news, !ret);
	if (new)
		ck_ok(axvcpu_free(new));
	return ret;
}

static int use_setup_config(void)
{
	unsigned int setups = mock.calls[MOCK_SETUP];
	int ret = axvcpu_setup(vcpu, 0, 0, &given.setup);

	ck_assert_int_eq(axvcpu_state(vcpu), ret ? AXVCPU_CREATED : AXVCPU_FREE);
	ck_assert_uint_eq(mock.calls[MOCK_SETUP] - setups, !ret);
	ck_ok(axvcpu_set_state(vcpu, AXVCPU_CREATED));
	return ret;
}

/* The fields known to a caller whose header ended before the first field not named here. */
static const struct growth {
	const char *name;
	size_t size;
	size_t older;
	int (*use)(void);
} growths[] = {
	{ "axvm_config", sizeof(struct axvm_config), offsetof(struct axvm_config, hal),
	  use_vm_config },
	{ "axvcpu_hal", sizeof(struct axvcpu_hal), offsetof(struct axvcpu_hal, log), use_hal },
	{ "axvm_region", sizeof(struct axvm_region), offsetof(struct axvm_region, backing),
	  use_region },
	{ "axvcpu_config", sizeof(struct axvcpu_config), offsetof(struct axvcpu_config, flags),
	  use_vcpu_config },
	{ "axvcpu_setup_config", sizeof(struct axvcpu_setup_config),
	  offsetof(struct axvcpu_setup_config, mode), use_setup_config },
};

#define GROWTHS (int)(sizeof(growths) / sizeof(growths[0]))

static void fill(const struct growth *growth)
{
	memset(&given, 0, sizeof(given));
	given.size = growth->size;
	if (growth->use == use_vm_config)
		given.vm.arch = &mock_ops;
	if (growth->use == use_region)
		given.region.len = (uint64_t)sysconf(_SC_PAGESIZE);
	if (growth->use == use_vcpu_config)
		given.vcpu.id = 1;
}

static void setup(void)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	memset(&mock, 0, sizeof(mock));
	config.arch = &mock_ops;
	config.max_vcpus = 2;
	ck_ok(axvm_new(&config, &vm));
	ck_ok(axvcpu_new(vm, NULL, &vcpu));
}

static void teardown(void)
{
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(vm));
}

START_TEST(older_callers_config_ends_where_its_header_ended)
{
	const struct growth *growth = &growths[_i];

	fill(growth);
	ck_ok(growth->use());
	/* The bytes behind it are not part of it, whatever their value. */
	memset(given.bytes + growth->older, 0xff, ROOM - growth->older);
	given.size = growth->older;
	ck_ok(growth->use());
	/* Where it can be refused and not followed, that shows that it was not looked at. */
	if (growth->use == use_vm_config || growth->use == use_hal)
		return;
	given.size = growth->size;
	ck_assert_int_lt(growth->use(), 0);
}
END_TEST

START_TEST(newer_callers_config_is_accepted_while_new_fields_are_zero)
{
	static const size_t more[] = { 1, 8, 64, 1000 };
	const struct growth *growth = &growths[_i];

	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		fill(growth);
		given.size = growth->size + more[i];
		memset(given.bytes + given.size, 0xff, ROOM - given.size);
		ck_ok(growth->use());
	}
	fill(growth);
	given.size = 4096;
	ck_ok(growth->use());
}
END_TEST

START_TEST(newer_callers_config_is_refused_when_new_fields_are_set)
{
	const struct growth *growth = &growths[_i];
	const size_t at[] = { growth->size, growth->size + 7, growth->size + 63 };

	for (int i = 0; i < 3; i++) {
		char text[32];

		fill(growth);
		given.size = growth->size + 64;
		given.bytes[at[i]] = 0x80;
		snprintf(text, sizeof(text), "byte %zu is non-zero", at[i]);
		ck_fails_saying(growth->use(), E2BIG, text);
		ck_assert_ptr_nonnull(strstr(axvcpu_last_error(), growth->name));
	}
}
END_TEST

START_TEST(sizes_that_no_header_has_are_refused)
{
	static const size_t small[] = { 0, 1, 4, sizeof(size_t) - 1 };
	static const size_t large[] = { 4097, ROOM, (size_t)1 << 40, SIZE_MAX };
	const struct growth *growth = &growths[_i];

	for (int i = 0; i < 4; i++) {
		fill(growth);
		given.size = small[i];
		ck_fails_saying(growth->use(), EINVAL, growth->name);
		given.size = large[i];
		ck_fails_saying(growth->use(), E2BIG, growth->name);
	}
}
END_TEST

/* --- output structs: limits, regions ---------------------------------------------------------- */

START_TEST(limits_fill_what_the_caller_knows)
{
	struct {
		struct axvm_limits limits;
		unsigned char tail[16];
	} out;
	const struct axvm_limits all = { .size = sizeof(all), .vcpus = 2 };

	memset(&out, 0x77, sizeof(out));
	out.limits.size = sizeof(out.limits);
	ck_ok(axvm_get_limits(vm, &out.limits));
	ck_assert_uint_eq(out.limits.size, sizeof(out.limits));
	ck_assert_uint_eq(out.limits.gpa_bits, 64);
	ck_assert_uint_eq(out.limits.vcpus, all.vcpus);
	ck_assert_uint_eq(out.limits.page_size, (uint32_t)sysconf(_SC_PAGESIZE));
	ck_assert_uint_eq(out.tail[0], 0x77);

	/* An older caller. */
	memset(&out, 0x77, sizeof(out));
	out.limits.size = offsetof(struct axvm_limits, vcpus);
	ck_ok(axvm_get_limits(vm, &out.limits));
	ck_assert_uint_eq(out.limits.gpa_bits, 64);
	ck_assert_uint_eq(out.limits.vcpus, 0x77777777);

	/* A newer one: fields unknown to the library stay as the INIT macro left them. */
	memset(&out, 0, sizeof(out));
	out.tail[0] = 0x55;
	out.limits.size = sizeof(out);
	ck_ok(axvm_get_limits(vm, &out.limits));
	ck_assert_uint_eq(out.limits.size, sizeof(out));
	ck_assert_uint_eq(out.limits.vcpus, all.vcpus);
	ck_assert_uint_eq(out.tail[0], 0x55);

	for (size_t size = 0; size <= sizeof(size_t); size++) {
		memset(&out, 0x77, sizeof(out));
		out.limits.size = size;
		ck_fails_saying(axvm_get_limits(vm, &out.limits), EINVAL, "get_limits: size is");
		ck_assert_uint_eq(out.limits.regions, 0x77777777);
	}
}
END_TEST

START_TEST(listed_regions_have_the_callers_stride)
{
	struct axvm_region region = AXVM_REGION_INIT;
	unsigned char array[512];
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), value;
	static const size_t strides[] = { offsetof(struct axvm_region, len),
					  offsetof(struct axvm_region, backing),
					  sizeof(struct axvm_region),
					  sizeof(struct axvm_region) + 16 };

	region.len = page;
	for (uint64_t i = 0; i < 3; i++) {
		region.gpa = 2 * i * page;
		ck_ok(axvm_map(vm, &region));
	}
	for (int s = 0; s < 4; s++) {
		size_t stride = strides[s];

		memset(array, 0x77, sizeof(array));
		memcpy(array, &stride, sizeof(stride));
		ck_assert_int_eq(axvm_regions(vm, 0, 3, (void *)array), 3);
		for (uint64_t i = 0; i < 3; i++) {
			memcpy(&value, array + i * stride, sizeof(value));
			ck_assert_uint_eq(value, stride);
			memcpy(&value, array + i * stride + offsetof(struct axvm_region, gpa),
			       sizeof(value));
			ck_assert_uint_eq(value, 2 * i * page);
			if (stride > sizeof(region))
				ck_assert_uint_eq(array[(i + 1) * stride - 1], 0);
		}
		ck_assert_uint_eq(array[3 * stride], 0x77);
	}
	for (size_t stride = 0; stride < sizeof(size_t); stride++) {
		memcpy(array, &stride, sizeof(stride));
		ck_fails(axvm_regions(vm, 0, 3, (void *)array), EINVAL);
	}
	for (size_t stride = 4097; stride; stride *= 2) {
		memcpy(array, &stride, sizeof(stride));
		ck_fails(axvm_regions(vm, 0, 1, (void *)array), E2BIG);
	}
}
END_TEST

/* --- nonsense --------------------------------------------------------------------------------- */

static struct axvm_config vm_config;
static struct axvcpu_hal hal;

static void bad_vm_flags(void)
{
	vm_config.flags = 1u << 1;
}

static void bad_irqchip(void)
{
	vm_config.irqchip = AXVM_IRQCHIP_SPLIT + 1;
}

static void bad_gpa_bits(void)
{
	vm_config.gpa_bits = 65;
}

static void many_vcpus(void)
{
	vm_config.max_vcpus = 65537;
}

static void all_vcpus(void)
{
	vm_config.max_vcpus = UINT32_MAX;
}

static void no_fd(void)
{
	vm_config.flags = AXVM_F_KVM_FD;
	vm_config.kvm_fd = -1;
}

static void negative_signal(void)
{
	vm_config.kick_signal = -1;
}

static void no_such_signal(void)
{
	vm_config.kick_signal = 1000;
}

static void unhandled_signal(void)
{
	vm_config.kick_signal = SIGUSR1;
}

static void ignored_signal(void)
{
	signal(SIGUSR1, SIG_IGN);
	vm_config.kick_signal = SIGUSR1;
}

static void kill_signal(void)
{
	vm_config.kick_signal = SIGKILL;
}

static int pin(void *ctx, const void *set, size_t size)
{
	(void)ctx;
	(void)set;
	(void)size;
	return 0;
}

static void half_affinity(void)
{
	hal.set_affinity = pin;
	vm_config.hal = &hal;
}

static const struct {
	void (*spoil)(void);
	const char *text;
} bad_vms[] = {
	{ bad_vm_flags, "VM config: unknown flags 0x2" },
	{ bad_irqchip, "VM config: unknown irqchip 3" },
	{ bad_gpa_bits, "VM config: gpa_bits is 65" },
	{ many_vcpus, "VM config: max_vcpus is 65537; the maximum is 65536" },
	{ all_vcpus, "VM config: max_vcpus is 4294967295" },
	{ no_fd, "VM config: kvm_fd is negative: -1" },
	{ negative_signal, "kick_signal: -1" },
	{ no_such_signal, "kick_signal: 1000" },
	{ unhandled_signal, "has no handler" },
	{ ignored_signal, "has no handler" },
	{ kill_signal, "kick_signal: signal 9" },
	{ half_affinity, "set_affinity and get_affinity must be given together" },
};

START_TEST(invalid_vm_config_is_refused)
{
	struct axvm *new = NULL;

	vm_config = (struct axvm_config)AXVM_CONFIG_INIT;
	hal = (struct axvcpu_hal)AXVCPU_HAL_INIT;
	vm_config.arch = &mock_ops;
	bad_vms[_i].spoil();
	ck_fails_saying(axvm_new(&vm_config, &new), EINVAL, bad_vms[_i].text);
	ck_assert_ptr_null(new);
}
END_TEST

/* The table only is larger. */
START_TEST(largest_number_of_vcpus)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvcpu_config last = AXVCPU_CONFIG_INIT;
	struct axvcpu *new;
	struct axvm *large;

	config.arch = &mock_ops;
	config.max_vcpus = 65536;
	config.gpa_bits = 64;
	ck_ok(axvm_new(&config, &large));
	last.id = 65535;
	ck_ok(axvcpu_new(large, &last, &new));
	ck_assert_uint_eq(axvcpu_id(new), 65535);
	ck_ok(axvcpu_free(new));
	ck_ok(axvm_free(large));
}
END_TEST

START_TEST(invalid_vcpu_config_is_refused)
{
	static const unsigned char empty[8];
	const struct axvcpu_config good = { .size = sizeof(good), .id = 1 };
	struct axvcpu_config config;
	struct axvcpu *new = NULL;
	unsigned int news = mock.calls[MOCK_VCPU_NEW];

	config = good;
	config.flags = 1u << 3;
	ck_fails_saying(axvcpu_new(vm, &config, &new), EINVAL, "unknown flags 0x8");
	config = good;
	config.id = 2;
	ck_fails_saying(axvcpu_new(vm, &config, &new), EINVAL, "the id must be below max_vcpus");
	config.id = UINT32_MAX;
	ck_fails_saying(axvcpu_new(vm, &config, &new), EINVAL, "the id must be below max_vcpus");
	config = good;
	config.flags = AXVCPU_F_FAVOR_CPU;
	config.favor_cpu = 65536;
	ck_fails_saying(axvcpu_new(vm, &config, &new), EINVAL, "favor_cpu is 65536");
	config = good;
	config.reserved = 1;
	ck_fails_saying(axvcpu_new(vm, &config, &new), EINVAL, "reserved");
	config = good;
	config.cpu_set_size = 8;
	ck_fails_saying(axvcpu_new(vm, &config, &new), EINVAL, "cpu_set is NULL");
	config.cpu_set = empty;
	ck_fails_saying(axvcpu_new(vm, &config, &new), EINVAL, "cpu_set is empty");
	config.cpu_set_size = 7;
	ck_fails_saying(axvcpu_new(vm, &config, &new), EINVAL, "is not a cpu_set_t");
	config = good;
	config.id = 0;
	ck_fails_saying(axvcpu_new(vm, &config, &new), EEXIST, "vCPU 0 already exists");

	ck_assert_ptr_null(new);
	ck_assert_uint_eq(mock.calls[MOCK_VCPU_NEW], news);
	/* None of this has used the id up. */
	ck_ok(axvcpu_new(vm, &good, &new));
	ck_ok(axvcpu_free(new));
}
END_TEST

START_TEST(invalid_region_or_setup_is_refused)
{
	struct axvm_region region = AXVM_REGION_INIT;
	struct axvcpu_setup_config config = AXVCPU_SETUP_CONFIG_INIT;

	region.len = (uint64_t)sysconf(_SC_PAGESIZE);
	region.flags = 1u << 31;
	ck_fails_saying(axvm_map(vm, &region), EINVAL, "unknown flags 0x80000000");
	config.flags = 1;
	ck_fails_saying(axvcpu_setup(vcpu, 0, 0, &config), EINVAL, "unknown flags 0x1");
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_CREATED);
	ck_assert_uint_eq(mock.calls[MOCK_SETUP], 0);
	ck_assert_uint_eq(mock.calls[MOCK_SET_ENTRY], 0);
}
END_TEST

START_TEST(failing_backend_makes_no_vcpu)
{
	const struct axvcpu_config config = { .size = sizeof(config), .id = 1 };
	struct axvcpu *new = NULL;

	mock.ret[MOCK_VCPU_NEW] = -ENOSPC;
	ck_assert_int_eq(axvcpu_new(vm, &config, &new), -ENOSPC);
	ck_assert_ptr_null(new);
	mock.ret[MOCK_VCPU_NEW] = 0;
	ck_ok(axvcpu_new(vm, &config, &new));
	/* The VM counts those that there are. */
	ck_fails_saying(axvm_free(vm), EBUSY, "its 2 vCPUs must be freed first");
	ck_ok(axvcpu_free(new));
	ck_fails_saying(axvm_free(vm), EBUSY, "its 1 vCPUs must be freed first");
}
END_TEST

/* --- the ops table ---------------------------------------------------------------------------- */

static struct axvcpu_arch_ops ops;

static int new_with_ops(void)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm *new = NULL;
	int ret;

	config.arch = &ops;
	ret = axvm_new(&config, &new);
	ck_assert_int_eq(!ret, !!new);
	if (new)
		ck_ok(axvm_free(new));
	return ret;
}

#define ENTRY(name) \
	{ \
#name, offsetof(struct axvcpu_arch_ops, name) \
	}

static const struct {
	const char *name;
	size_t offset;
} mandatory[] = {
	ENTRY(name),	     ENTRY(vcpu_new), ENTRY(vcpu_free), ENTRY(set_entry),
	ENTRY(set_ept_root), ENTRY(setup),    ENTRY(run),	ENTRY(get_reg),
	ENTRY(set_reg),	     ENTRY(get_regs), ENTRY(set_regs),	ENTRY(set_return_value),
};

START_TEST(backend_without_a_mandatory_entry_is_refused)
{
	ops = mock_ops;
	ck_ok(new_with_ops());
	memset((unsigned char *)&ops + mandatory[_i].offset, 0, sizeof(void *));
	ck_fails_saying(new_with_ops(), EINVAL, "arch lacks a mandatory operation");
	/* The same where the table ends before it. */
	ops = mock_ops;
	ops.size = mandatory[_i].offset;
	ck_fails_saying(new_with_ops(), EINVAL, "arch lacks a mandatory operation");
	ops.size = mandatory[_i].offset + sizeof(void *) - 1;
	ck_fails_saying(new_with_ops(), EINVAL, "arch lacks a mandatory operation");
}
END_TEST

START_TEST(size_of_a_table_must_make_sense)
{
	ops = mock_ops;
	ops.size = 0;
	ck_fails(new_with_ops(), EINVAL);
	ops.size = sizeof(size_t);
	ck_fails(new_with_ops(), EINVAL);
	/* A newer one has operations that this library never calls. */
	ops.size = sizeof(ops) + 64;
	ck_ok(new_with_ops());
}
END_TEST

/* Every optional entry gone; those that are there are not called behind the end of the table. */
static int never_fd(void *arch)
{
	(void)arch;
	ck_abort_msg("an entry behind the end of the table is called");
}

static void whole_life(void)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm_region region = AXVM_REGION_INIT;
	struct axvcpu_exit exit_;
	struct axvcpu *new;
	struct axvm *old;

	config.arch = &ops;
	ck_ok(axvm_new(&config, &old));
	region.len = (uint64_t)sysconf(_SC_PAGESIZE);
	ck_ok(axvm_map(old, &region));
	ck_ok(axvcpu_new(old, NULL, &new));
	mock.vcpu = new;
	ck_ok(axvcpu_setup(new, 0, 0, NULL));
	ck_ok(axvcpu_bind(new));
	ck_ok(axvm_finalize(old));
	ck_ok(axvcpu_run(new, &exit_));
	ck_fails(axvcpu_fd(new), ENOTSUP);
	if (!ops.complete) {
		mock.exit.kind = AXVCPU_EXIT_IO_READ;
		mock.exit.kind = AXVCPU_EXIT_MMIO_READ;
		mock.exit.answerable = 1;
		ck_ok(axvcpu_run(new, &exit_));
		ck_fails(axvcpu_complete_value(new, 1), EBADFD);
		ck_assert_int_eq(axvcpu_kick(new), -ENOTSUP);
		ck_fails(axvcpu_reg_info(new, 0, NULL, NULL), ENOTSUP);
		ck_fails(axvm_fd(old), ENOTSUP);
		ck_fails(axvm_capability(old, 0), ENOTSUP);
	}
	ck_ok(axvcpu_flush(new));
	ck_ok(axvcpu_unbind(new));
	ck_ok(axvm_unmap(old, 0, region.len));
	ck_ok(axvcpu_free(new));
	ck_ok(axvm_free(old));
}

START_TEST(backend_of_an_older_header_works)
{
	ops = mock_ops;
	ops.vcpu_fd = never_fd;
	ops.size = offsetof(struct axvcpu_arch_ops, vcpu_fd);
	whole_life();
	/* Nor one that the table has half of. */
	ops.size += sizeof(ops.vcpu_fd) - 1;
	whole_life();
}
END_TEST

START_TEST(backend_without_anything_optional_works)
{
	ops = (struct axvcpu_arch_ops){
		.size = sizeof(ops),
		.name = "bare",
		.vcpu_new = mock_ops.vcpu_new,
		.vcpu_free = mock_ops.vcpu_free,
		.set_entry = mock_ops.set_entry,
		.set_ept_root = mock_ops.set_ept_root,
		.setup = mock_ops.setup,
		.run = mock_ops.run,
		.get_reg = mock_ops.get_reg,
		.set_reg = mock_ops.set_reg,
		.get_regs = mock_ops.get_regs,
		.set_regs = mock_ops.set_regs,
		.set_return_value = mock_ops.set_return_value,
	};
	whole_life();
}
END_TEST

/* --- limits of KVM itself; skipped without KVM ------------------------------------------------ */

START_TEST(configs_that_kvm_does_not_support_are_refused)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvcpu_config vcpu_config = AXVCPU_CONFIG_INIT;
	struct axvm *real = NULL;
	struct axvcpu *new = NULL;

	if (axvm_new(NULL, &real)) {
		suite_skip(axvcpu_last_error());
		return;
	}
	vcpu_config.arch = &config;
	ck_fails_saying(axvcpu_new(real, &vcpu_config, &new), EINVAL,
			"the KVM backend takes no arch config");
	vcpu_config.arch = NULL;
	ck_ok(axvcpu_new(real, &vcpu_config, &new));

	ck_fails_saying(axvcpu_setup(new, 0, 0x1000, NULL), EINVAL, "ept_root");
	ck_assert_int_eq(axvcpu_state(new), AXVCPU_CREATED);
	ck_ok(axvcpu_free(new));
	ck_ok(axvm_free(real));

	real = NULL;
	config.gpa_bits = 64;
	ck_fails_saying(axvm_new(&config, &real), ENOTSUP, "gpa_bits is 64");
	config.gpa_bits = 12;
	ck_fails_saying(axvm_new(&config, &real), EINVAL, "gpa_bits is 12");
	ck_assert_ptr_null(real);
}
END_TEST

/* ---------------------------------------------------------------------------------------------- */

static void add_tests(Suite *suite)
{
	TCase *growth = suite_case(suite, "growth");
	TCase *nonsense = suite_case(suite, "nonsense");
	TCase *table = suite_case(suite, "ops");

	tcase_add_checked_fixture(growth, setup, teardown);
	tcase_add_loop_test(growth, older_callers_config_ends_where_its_header_ended, 0, GROWTHS);
	tcase_add_loop_test(growth, newer_callers_config_is_accepted_while_new_fields_are_zero, 0,
			    GROWTHS);
	tcase_add_loop_test(growth, newer_callers_config_is_refused_when_new_fields_are_set, 0,
			    GROWTHS);
	tcase_add_loop_test(growth, sizes_that_no_header_has_are_refused, 0, GROWTHS);
	tcase_add_test(growth, limits_fill_what_the_caller_knows);
	tcase_add_test(growth, listed_regions_have_the_callers_stride);

	tcase_add_checked_fixture(nonsense, setup, teardown);
	tcase_add_loop_test(nonsense, invalid_vm_config_is_refused, 0,
			    sizeof(bad_vms) / sizeof(bad_vms[0]));
	tcase_add_test(nonsense, largest_number_of_vcpus);
	tcase_add_test(nonsense, invalid_vcpu_config_is_refused);
	tcase_add_test(nonsense, invalid_region_or_setup_is_refused);
	tcase_add_test(nonsense, failing_backend_makes_no_vcpu);
	tcase_add_test(nonsense, configs_that_kvm_does_not_support_are_refused);

	tcase_add_loop_test(table, backend_without_a_mandatory_entry_is_refused, 0,
			    sizeof(mandatory) / sizeof(mandatory[0]));
	tcase_add_test(table, size_of_a_table_must_make_sense);
	tcase_add_test(table, backend_of_an_older_header_works);
	tcase_add_test(table, backend_without_anything_optional_works);
}

int main(void)
{
	return suite_main("config", false, add_tests);
}
