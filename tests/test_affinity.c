/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Binding to host CPUs: the CPU that is selected, the set that is restored, sets that are refused.
 * Needs no KVM.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "mock.h"
#include "suite.h"

static struct axvm *vm;

/* A thread's CPU set, as bytes of any width. */
struct set {
	unsigned char bytes[1024];
};

static void own_set(struct set *set)
{
	memset(set, 0, sizeof(*set));
	ck_assert_int_eq(sched_getaffinity(0, sizeof(set->bytes), (cpu_set_t *)set->bytes), 0);
}

static bool has(const struct set *set, int cpu)
{
	return CPU_ISSET_S((size_t)cpu, sizeof(set->bytes), (const cpu_set_t *)set->bytes);
}

static int count(const struct set *set)
{
	return CPU_COUNT_S(sizeof(set->bytes), (const cpu_set_t *)set->bytes);
}

static void only(struct set *set, int cpu)
{
	memset(set, 0, sizeof(*set));
	CPU_SET_S((size_t)cpu, sizeof(set->bytes), (cpu_set_t *)set->bytes);
}

/* The n-th CPU that this thread may use, or the last one. */
static int usable_cpu(int n)
{
	struct set set;
	int found = -1;

	own_set(&set);
	for (int cpu = 0; cpu < 8192; cpu++) {
		if (!has(&set, cpu))
			continue;
		found = cpu;
		if (!n--)
			break;
	}
	ck_assert_int_ge(found, 0);
	return found;
}

/* One that no machine of today has. */
#define NO_CPU 8000

static struct axvcpu *make(const struct set *set, size_t set_size, int favor)
{
	struct axvm_config vm_config = AXVM_CONFIG_INIT;
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;
	struct axvcpu *vcpu;

	memset(&mock, 0, sizeof(mock));
	vm_config.arch = &mock_ops;
	ck_ok(axvm_new(&vm_config, &vm));
	if (set) {
		config.cpu_set = set->bytes;
		config.cpu_set_size = set_size;
	}
	if (favor >= 0) {
		config.flags |= AXVCPU_F_FAVOR_CPU;
		config.favor_cpu = (uint32_t)favor;
	}
	ck_ok(axvcpu_new(vm, &config, &vcpu));
	ck_ok(axvcpu_setup(vcpu, 0, 0, NULL));
	return vcpu;
}

static void check_restored(struct axvcpu *vcpu, const struct set *before)
{
	struct set now;

	ck_ok(axvcpu_unbind(vcpu));
	own_set(&now);
	ck_assert_mem_eq(&now, before, sizeof(now));
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(vm));
}

START_TEST(without_a_wish_nothing_changes)
{
	struct set before, now;
	struct axvcpu *vcpu;

	own_set(&before);
	vcpu = make(NULL, 0, -1);
	ck_assert_int_eq(axvcpu_favor_cpu(vcpu), -ENOENT);
	ck_assert_int_eq(axvcpu_cpu_set(vcpu, NULL, 0), -ENOENT);
	ck_ok(axvcpu_bind(vcpu));
	own_set(&now);
	ck_assert_mem_eq(&now, &before, sizeof(now));
	check_restored(vcpu, &before);
}
END_TEST

START_TEST(bind_pins_to_the_set_and_unbind_restores)
{
	struct set before, now, set;
	struct axvcpu *vcpu;
	int cpu = usable_cpu(1);

	own_set(&before);
	only(&set, cpu);
	/* Sets of any width will do: as narrow as the CPU allows, and far wider than the kernel's. */
	for (size_t size = (size_t)cpu / 64 * 8 + 8; size <= sizeof(set.bytes); size *= 2) {
		vcpu = make(&set, size, -1);
		ck_ok(axvcpu_bind(vcpu));
		own_set(&now);
		ck_assert_int_eq(count(&now), 1);
		ck_assert(has(&now, cpu));
		ck_assert_int_eq(sched_getcpu(), cpu);
		check_restored(vcpu, &before);
	}
}
END_TEST

START_TEST(the_favored_cpu_wins_within_the_set)
{
	struct set before, now;
	struct axvcpu *vcpu;
	int cpu = usable_cpu(1);

	own_set(&before);
	vcpu = make(&before, sizeof(before.bytes), cpu);
	ck_assert_int_eq(axvcpu_favor_cpu(vcpu), cpu);
	ck_ok(axvcpu_bind(vcpu));
	own_set(&now);
	ck_assert_int_eq(count(&now), 1);
	ck_assert(has(&now, cpu));
	check_restored(vcpu, &before);

	/* And alone, without a set. */
	vcpu = make(NULL, 0, cpu);
	ck_ok(axvcpu_bind(vcpu));
	own_set(&now);
	ck_assert_int_eq(count(&now), 1);
	ck_assert(has(&now, cpu));
	check_restored(vcpu, &before);
}
END_TEST

START_TEST(a_favored_cpu_that_cannot_be_used_falls_back_to_the_set)
{
	struct set before, now, set;
	struct axvcpu *vcpu;
	int cpu = usable_cpu(0);

	own_set(&before);
	only(&set, cpu);
	/* Outside of the set, inside of it but not on this host, and with no set at all. */
	vcpu = make(&set, sizeof(set.bytes), NO_CPU);
	ck_ok(axvcpu_bind(vcpu));
	own_set(&now);
	ck_assert_mem_eq(&now, &set, sizeof(now));
	check_restored(vcpu, &before);

	CPU_SET_S(NO_CPU, sizeof(set.bytes), (cpu_set_t *)set.bytes);
	vcpu = make(&set, sizeof(set.bytes), NO_CPU);
	ck_ok(axvcpu_bind(vcpu));
	own_set(&now);
	ck_assert_int_eq(count(&now), 1);
	ck_assert(has(&now, cpu));
	check_restored(vcpu, &before);

	vcpu = make(NULL, 0, NO_CPU);
	ck_ok(axvcpu_bind(vcpu));
	own_set(&now);
	ck_assert_mem_eq(&now, &before, sizeof(now));
	check_restored(vcpu, &before);
}
END_TEST

START_TEST(a_set_without_a_usable_cpu_is_refused_and_changes_nothing)
{
	struct set before, now, set;
	struct axvcpu *vcpu;

	own_set(&before);
	only(&set, NO_CPU);
	vcpu = make(&set, sizeof(set.bytes), -1);
	ck_fails_saying(axvcpu_bind(vcpu), EINVAL, "cpu_set");
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_FREE);
	own_set(&now);
	ck_assert_mem_eq(&now, &before, sizeof(now));
	ck_assert_uint_eq(mock.calls[MOCK_BIND], 0);
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(vm));
}
END_TEST

START_TEST(a_failing_backend_bind_restores_the_set)
{
	struct set before, now, set;
	struct axvcpu *vcpu;

	own_set(&before);
	only(&set, usable_cpu(0));
	vcpu = make(&set, sizeof(set.bytes), -1);
	mock.ret[MOCK_BIND] = -EIO;
	ck_assert_int_eq(axvcpu_bind(vcpu), -EIO);
	own_set(&now);
	ck_assert_mem_eq(&now, &before, sizeof(now));
	mock.ret[MOCK_BIND] = 0;
	ck_ok(axvcpu_bind(vcpu));
	own_set(&now);
	ck_assert_mem_eq(&now, &set, sizeof(now));
	check_restored(vcpu, &before);
}
END_TEST

START_TEST(free_restores_the_set_of_the_owner)
{
	struct set before, now, set;
	struct axvcpu *vcpu;

	own_set(&before);
	only(&set, usable_cpu(0));
	vcpu = make(&set, sizeof(set.bytes), -1);
	ck_ok(axvcpu_bind(vcpu));
	ck_ok(axvcpu_free(vcpu));
	own_set(&now);
	ck_assert_mem_eq(&now, &before, sizeof(now));
	ck_ok(axvm_free(vm));
}
END_TEST

START_TEST(nonsense_sets_are_refused)
{
	struct axvm_config vm_config = AXVM_CONFIG_INIT;
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;
	struct set set = { { 0 } };
	struct axvcpu *vcpu = NULL;

	vm_config.arch = &mock_ops;
	ck_ok(axvm_new(&vm_config, &vm));
	config.cpu_set = set.bytes;
	config.cpu_set_size = 128;
	ck_fails_saying(axvcpu_new(vm, &config, &vcpu), EINVAL, "empty");
	set.bytes[0] = 1;
	config.cpu_set_size = 0;
	ck_fails(axvcpu_new(vm, &config, &vcpu), EINVAL);
	config.cpu_set_size = 7;
	ck_fails_saying(axvcpu_new(vm, &config, &vcpu), EINVAL, "cpu_set_size is 7");
	config.cpu_set_size = (size_t)1 << 40;
	ck_fails(axvcpu_new(vm, &config, &vcpu), EINVAL);
	config.cpu_set = NULL;
	config.cpu_set_size = 128;
	ck_fails_saying(axvcpu_new(vm, &config, &vcpu), EINVAL, "NULL");
	config.cpu_set_size = 0;
	config.flags = AXVCPU_F_FAVOR_CPU;
	config.favor_cpu = UINT32_MAX;
	ck_fails_saying(axvcpu_new(vm, &config, &vcpu), EINVAL, "favor_cpu");
	ck_assert_ptr_null(vcpu);
	ck_ok(axvm_free(vm));
}
END_TEST

START_TEST(the_set_can_be_read_back)
{
	struct set set, got;
	struct axvcpu *vcpu;

	only(&set, 77);
	vcpu = make(&set, 128, -1);
	ck_assert_int_eq(axvcpu_cpu_set(vcpu, NULL, 0), 128);
	memset(&got, 0xff, sizeof(got));
	ck_fails_saying(axvcpu_cpu_set(vcpu, got.bytes, 127), EINVAL, "128 bytes");
	ck_assert_int_eq(axvcpu_cpu_set(vcpu, got.bytes, sizeof(got.bytes)), 128);
	ck_assert_mem_eq(&got, &set, sizeof(got));
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(vm));
}
END_TEST

/* --- a HAL of the caller's own ------------------------------------------------------------------- */

static unsigned int pinned;
static size_t kernel_width;

static int hal_set(void *ctx, const void *set, size_t size)
{
	(void)ctx;
	(void)set;
	(void)size;
	pinned++;
	return 0;
}

/* A host with more CPUs than fit into the first guess. */
static int hal_get(void *ctx, void *set, size_t size)
{
	(void)ctx;
	(void)set;
	return size < kernel_width ? -EINVAL : 0;
}

START_TEST(the_hal_pins_instead_and_wide_hosts_are_found_by_trying)
{
	struct axvm_config vm_config = AXVM_CONFIG_INIT;
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;
	struct axvcpu_hal hal = AXVCPU_HAL_INIT;
	unsigned long set = 1;
	struct axvcpu *vcpu;

	vm_config.arch = &mock_ops;
	vm_config.hal = &hal;
	hal.set_affinity = hal_set;
	ck_fails_saying(axvm_new(&vm_config, &vm), EINVAL, "must be given together");
	hal.get_affinity = hal_get;
	ck_ok(axvm_new(&vm_config, &vm));
	config.cpu_set = &set;
	config.cpu_set_size = sizeof(set);
	ck_ok(axvcpu_new(vm, &config, &vcpu));
	ck_ok(axvcpu_setup(vcpu, 0, 0, NULL));
	kernel_width = 5000;
	ck_ok(axvcpu_bind(vcpu));
	ck_assert_uint_eq(pinned, 1);
	ck_ok(axvcpu_unbind(vcpu));
	ck_assert_uint_eq(pinned, 2);
	/* Freed where the address can no longer be a CPU set. */
	kernel_width = SIZE_MAX;
	ck_fails(axvcpu_bind(vcpu), EINVAL);
	ck_assert_uint_eq(pinned, 2);
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(vm));
}
END_TEST

/* A host of 64 CPUs: those of the process's cpuset, and those of the thread. */
static unsigned long cpuset, thread_cpus;
static int set_error;

static int cpuset_set(void *ctx, const void *set, size_t size)
{
	unsigned long cpus;

	(void)ctx;
	ck_assert_uint_ge(size, sizeof(cpus));
	memcpy(&cpus, set, sizeof(cpus));
	if (set_error)
		return set_error;
	if (!(cpus & cpuset))
		return -EINVAL;
	thread_cpus = cpus & cpuset;
	return 0;
}

static int cpuset_get(void *ctx, void *set, size_t size)
{
	(void)ctx;
	if (size < sizeof(thread_cpus))
		return -EINVAL;
	memcpy(set, &thread_cpus, sizeof(thread_cpus));
	return 0;
}

START_TEST(a_thread_whose_cpus_have_left_the_cpuset_gets_those_that_remain)
{
	const unsigned long wanted = 0xc, before = 0x3, left = 0xf0;
	struct axvm_config vm_config = AXVM_CONFIG_INIT;
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;
	struct axvcpu_hal hal = AXVCPU_HAL_INIT;
	struct axvcpu *vcpu;

	hal.set_affinity = cpuset_set;
	hal.get_affinity = cpuset_get;
	vm_config.arch = &mock_ops;
	vm_config.hal = &hal;
	ck_ok(axvm_new(&vm_config, &vm));
	config.cpu_set = &wanted;
	config.cpu_set_size = sizeof(wanted);
	ck_ok(axvcpu_new(vm, &config, &vcpu));
	ck_ok(axvcpu_setup(vcpu, 0, 0, NULL));
	cpuset = ~0ul;
	thread_cpus = before;
	ck_ok(axvcpu_bind(vcpu));
	ck_assert_uint_eq(thread_cpus, wanted);

	/* The kernel moves a thread that has no CPU left. */
	cpuset = left;
	thread_cpus = left;
	/* Another failure changes nothing, and the second try has the right set. */
	set_error = -EPERM;
	ck_fails(axvcpu_unbind(vcpu), EPERM);
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_READY);
	set_error = 0;
	ck_ok(axvcpu_unbind(vcpu));
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_FREE);
	ck_assert_uint_eq(thread_cpus, left);

	/* If at least one of them remains, the thread gets that one. */
	cpuset = ~0ul;
	thread_cpus = before;
	ck_ok(axvcpu_bind(vcpu));
	cpuset = 0x2 | left;
	ck_ok(axvcpu_unbind(vcpu));
	ck_assert_uint_eq(thread_cpus, 0x2);
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(vm));
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tcase = suite_case(suite, "affinity");

	tcase_add_test(tcase, without_a_wish_nothing_changes);
	tcase_add_test(tcase, bind_pins_to_the_set_and_unbind_restores);
	tcase_add_test(tcase, the_favored_cpu_wins_within_the_set);
	tcase_add_test(tcase, a_favored_cpu_that_cannot_be_used_falls_back_to_the_set);
	tcase_add_test(tcase, a_set_without_a_usable_cpu_is_refused_and_changes_nothing);
	tcase_add_test(tcase, a_failing_backend_bind_restores_the_set);
	tcase_add_test(tcase, free_restores_the_set_of_the_owner);
	tcase_add_test(tcase, nonsense_sets_are_refused);
	tcase_add_test(tcase, the_set_can_be_read_back);
	tcase_add_test(tcase, the_hal_pins_instead_and_wide_hosts_are_found_by_trying);
	tcase_add_test(tcase, a_thread_whose_cpus_have_left_the_cpuset_gets_those_that_remain);
}

int main(void)
{
	return suite_main("affinity", false, add_tests);
}
