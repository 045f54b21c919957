/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * x86_64: the topology that CPUID has for machines of all sizes. The table is built, no KVM asked.
 * Needs no KVM.
 */
#include <stdlib.h>

#include "backends/x86_64/x86_64.h"
#include "suite.h"

/* The entries that a host's KVM may list, all bits set: none may be left where a size belongs. */
static const uint32_t functions[] = { 0x1, 0x4, 0xb, 0x80000001, 0x80000008, 0x8000001e };
#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

static struct kvm_cpuid2 *host_table(void)
{
	struct kvm_cpuid2 *table = calloc(1,
					  sizeof(*table) + FUNCTIONS * sizeof(table->entries[0]));

	ck_assert_ptr_nonnull(table);
	table->nent = FUNCTIONS;
	for (uint32_t i = 0; i < FUNCTIONS; i++)
		table->entries[i] = (struct kvm_cpuid_entry2){
			.function = functions[i],
			/* Leaf 4's cache level, 3, and type; of the others all bits. */
			.eax = functions[i] == 0x4 ? 0xffffc063 : UINT32_MAX,
			.ebx = UINT32_MAX,
			.ecx = UINT32_MAX,
			.edx = UINT32_MAX,
		};
	return table;
}

static const struct kvm_cpuid_entry2 *leaf(const struct kvm_cpuid2 *table, uint32_t function,
					   uint32_t index)
{
	const struct kvm_cpuid_entry2 *entry = axk_x86_cpuid_find(table, function, index);

	ck_assert_ptr_nonnull(entry);
	return entry;
}

static const struct {
	uint32_t vcpus, id;
	/* Leaf 1: EBX[31:24] and EBX[23:16]. */
	uint32_t initial_id, addressable;
	/* 0x80000008: ECX[7:0] and ECX[15:12]. */
	uint32_t threads, id_bits;
	/* Leaf 4: EAX[31:26] and EAX[25:14]. */
	uint32_t core_span, cache_span;
	/* 0x8000001e: EBX[7:0]. */
	uint32_t core;
} machines[] = {
	{ 1, 0, 0, 1, 0, 0, 0, 0, 0 },
	{ 64, 63, 63, 64, 63, 6, 63, 63, 63 },
	{ 65, 64, 64, 65, 64, 7, 63, 127, 64 },
	{ 254, 253, 253, 254, 253, 8, 63, 255, 253 },
	{ 255, 254, 254, 255, 254, 8, 63, 255, 254 },
	{ 256, 255, 255, 255, 255, 8, 63, 255, 255 },
	{ 257, 256, 0, 255, 255, 9, 63, 511, 255 },
	{ 512, 511, 255, 255, 255, 9, 63, 511, 255 },
	{ 4096, 4095, 255, 255, 255, 12, 63, 4095, 255 },
	{ 65535, 65534, 254, 255, 255, 15, 63, 4095, 255 },
};

START_TEST(too_narrow_field_saturates)
{
	struct kvm_cpuid2 *host = host_table();
	struct axk_vm vm = { .max_vcpus = machines[_i].vcpus, .gpa_bits = 48 };
	struct axk_vcpu vcpu = { .id = machines[_i].id, .vm = &vm };
	const struct kvm_cpuid_entry2 *entry;
	struct kvm_cpuid2 *table;

	vm.arch.cpuid = host;
	table = axk_x86_cpuid_build(&vcpu, NULL);
	ck_assert_ptr_nonnull(table);
	entry = leaf(table, 0x1, 0);
	ck_assert_uint_eq(entry->ebx >> 24, machines[_i].initial_id);
	ck_assert_uint_eq(entry->ebx >> 16 & 0xff, machines[_i].addressable);
	ck_assert_uint_eq(entry->edx >> 28 & 1, machines[_i].vcpus > 1);
	entry = leaf(table, 0x80000008, 0);
	ck_assert_uint_eq(entry->ecx & 0xff, machines[_i].threads);
	ck_assert_uint_eq(entry->ecx >> 12 & 0xf, machines[_i].id_bits);
	entry = leaf(table, 0x4, 0);
	ck_assert_uint_eq(entry->eax >> 26, machines[_i].core_span);
	ck_assert_uint_eq(entry->eax >> 14 & 0xfff, machines[_i].cache_span);
	entry = leaf(table, 0x8000001e, 0);
	ck_assert_uint_eq(entry->eax, machines[_i].id);
	ck_assert_uint_eq(entry->ebx, machines[_i].core);
	ck_assert_uint_eq(entry->ecx, 0);
	/* These have room for all of it. */
	for (uint32_t index = 0; index < 3; index++)
		ck_assert_uint_eq(leaf(table, 0xb, index)->edx, machines[_i].id);
	ck_assert_uint_eq(leaf(table, 0xb, 1)->ebx, machines[_i].vcpus);
	free(table);
	free(host);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tcase = suite_case(suite, "topology");

	tcase_add_loop_test(tcase, too_narrow_field_saturates, 0,
			    sizeof(machines) / sizeof(machines[0]));
}

int main(void)
{
	return suite_main("x86_cpuid", false, add_tests);
}
