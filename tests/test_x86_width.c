/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The width of guest-physical addresses on hosts of all kinds, by the CPUID that their KVM reports.
 * Needs a working /dev/kvm.
 */
#include <errno.h>
#include <linux/kvm.h>

#include "lib/host/sys.h"
#include "suite.h"

#define LEAF_SIZES 0x80000008u

/* Replacement of the leaf's EAX; 0: there is no such leaf. */
static uint32_t sizes;
static bool fake;
/* The number of entries that KVM reports as written; 0: its real number. */
static uint32_t entries;

int __real_axv_sys_ioctl(int fd, unsigned long request, uintptr_t arg);
int __wrap_axv_sys_ioctl(int fd, unsigned long request, uintptr_t arg);
int __wrap_axv_sys_ioctl(int fd, unsigned long request, uintptr_t arg)
{
	int ret = __real_axv_sys_ioctl(fd, request, arg);
	struct kvm_cpuid2 *cpuid;

	if (ret || !fake || request != KVM_GET_SUPPORTED_CPUID)
		return ret;
	memcpy(&cpuid, &arg, sizeof(cpuid));
	if (entries) {
		cpuid->nent = entries;
		return ret;
	}
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *leaf = &cpuid->entries[i];

		if (leaf->function != LEAF_SIZES)
			continue;
		leaf->eax = sizes;
		if (!sizes)
			leaf->function = 0x8fffffff;
	}
	return ret;
}

static const struct {
	uint32_t eax;
	uint32_t bits;
	int levels;
} hosts[] = {
	/* Before Linux 6.10, or without nested paging: bits 23:16 are 0. */
	{ 0x3028, 40, 4 },
	{ 0x302e, 46, 4 },
	{ 0x3030, 48, 4 },
	{ 0x3934, 52, 5 },
	/* From then on the width is limited by the tables. */
	{ 0x283028, 40, 4 },
	{ 0x303030, 48, 4 },
	{ 0x303034, 48, 4 },
	{ 0x343934, 52, 5 },
	{ 0x313931, 49, 5 },
	/* More than an instruction can address is no use. */
	{ 0x34302e, 46, 4 },
	/* No such leaf. */
	{ 0, 36, 4 },
};

START_TEST(a_vm_is_as_wide_as_the_tables_can_map)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm_limits limits = AXVM_LIMITS_INIT;
	struct axvm *vm;

	sizes = hosts[_i].eax;
	fake = true;
	ck_ok(axvm_new(NULL, &vm));
	ck_ok(axvm_get_limits(vm, &limits));
	ck_assert_uint_eq(limits.gpa_bits, hosts[_i].bits);
	ck_ok(axvm_free(vm));
	config.gpa_bits = hosts[_i].bits;
	ck_ok(axvm_new(&config, &vm));
	ck_ok(axvm_free(vm));
	config.gpa_bits++;
	ck_fails(axvm_new(&config, &vm), ENOTSUP);
}
END_TEST

START_TEST(tables_have_a_fifth_level_above_48_bits)
{
	struct axpercpu percpu = AXPERCPU_INIT;

	sizes = hosts[_i].eax;
	fake = true;
	ck_ok(axpercpu_init(&percpu, 0, NULL));
	ck_ok(axpercpu_enable(&percpu));
	ck_assert_int_eq(axpercpu_guest_page_table_levels(&percpu), hosts[_i].levels);
	axpercpu_destroy(&percpu);
}
END_TEST

START_TEST(no_vm_is_wider_than_addresses_are)
{
	static const uint32_t widths[] = { 0x40, 0x41, 0xff, 0xff00ff };
	struct axvm_limits limits = AXVM_LIMITS_INIT;
	struct axvm *vm;

	sizes = widths[_i];
	fake = true;
	ck_ok(axvm_new(NULL, &vm));
	ck_ok(axvm_get_limits(vm, &limits));
	ck_assert_uint_eq(limits.gpa_bits, 64);
	ck_ok(axvm_free(vm));
}
END_TEST

START_TEST(a_table_with_more_entries_than_it_has_room_for_is_refused)
{
	struct axvm *vm = NULL;

	entries = _i ? UINT32_MAX : 129;
	fake = true;
	ck_fails_saying(axvm_new(NULL, &vm), EIO, "KVM_GET_SUPPORTED_CPUID");
	ck_assert_ptr_null(vm);
}
END_TEST

static void add_tests(Suite *suite)
{
	const int n = sizeof(hosts) / sizeof(hosts[0]);
	TCase *tcase = suite_case(suite, "width");

	tcase_add_loop_test(tcase, a_vm_is_as_wide_as_the_tables_can_map, 0, n);
	tcase_add_loop_test(tcase, no_vm_is_wider_than_addresses_are, 0, 4);
	tcase_add_loop_test(tcase, a_table_with_more_entries_than_it_has_room_for_is_refused, 0, 2);
	tcase_add_loop_test(tcase, tables_have_a_fifth_level_above_48_bits, 0, n);
}

int main(void)
{
	return suite_main("x86_width", true, add_tests);
}
