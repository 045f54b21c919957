/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * x86_64: 64-bit setup with the caller's page tables and control registers, as a VMM needs that
 * builds page tables, GDT and segments itself. Needs a working /dev/kvm.
 */
#include <errno.h>
#include <stdlib.h>

#include "suite.h"
#include "x86_guest.h"

static struct guest guest;

/* Four levels, one page each. */
#define ROOT 0x10000u
#define TABLE_FLAGS 0x3u
#define LARGE_FLAGS 0x83u
#define NX (UINT64_C(1) << 63)
#define GDT 0x15000u

#define CR0_DEFAULT UINT64_C(0x80010033)
#define CR4_DEFAULT UINT64_C(0x620)
#define EFER_DEFAULT UINT64_C(0x500)
#define EFER_NXE UINT64_C(0x800)

/* The linear address of the second 2 MiB: guest memory from 0 on. */
#define ALIAS UINT64_C(0x200000)

static void put(uint64_t gpa, uint64_t value)
{
	ck_ok(axvm_write(guest.vm, gpa, &value, sizeof(value)));
}

/* Memory as itself, and once more at ALIAS, where nothing is executed. */
static void write_tables(uint64_t alias_flags)
{
	put(ROOT, (ROOT + 0x1000) | TABLE_FLAGS);
	put(ROOT + 0x1000, (ROOT + 0x2000) | TABLE_FLAGS);
	put(ROOT + 0x2000, LARGE_FLAGS);
	put(ROOT + 0x2008, LARGE_FLAGS | alias_flags);
}

static struct axvcpu_x86_setup own_tables(void)
{
	struct axvcpu_x86_setup x86 = AXVCPU_X86_SETUP_INIT;

	x86.flags = AXVCPU_X86_OWN_TABLES;
	x86.cr3 = ROOT;
	return x86;
}

static int setup(const struct axvcpu_x86_setup *x86)
{
	struct axvcpu_setup_config config = AXVCPU_SETUP_CONFIG_INIT;

	config.stack = GUEST_STACK;
	config.arch = x86;
	return axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config);
}

/* Writes 0x77 to 0x5000 by the alias, and finishes: mov dword [0x205000],0x77 */
#define STORE_BY_ALIAS "\xc7\x04\x25\x00\x50\x20\x00\x77\x00\x00\x00"

START_TEST(the_guest_runs_on_the_callers_tables_and_nothing_is_written)
{
	const struct axvcpu_x86_setup x86 = own_tables();
	unsigned char *before = malloc(GUEST_MEMORY), *after = malloc(GUEST_MEMORY);
	uint32_t stored = 0;

	ck_assert(before && after);
	guest_create(&guest, NULL, CODE(STORE_BY_ALIAS HLT));
	write_tables(0);
	ck_ok(axvm_read(guest.vm, 0, before, GUEST_MEMORY));
	ck_ok(setup(&x86));
	ck_ok(axvm_read(guest.vm, 0, after, GUEST_MEMORY));
	ck_assert_mem_eq(after, before, GUEST_MEMORY);
	/* No frames either. */
	ck_assert_int_eq(axvm_regions(guest.vm, 0, 0, NULL), 1);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_CR3), ROOT);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_CR0), CR0_DEFAULT);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_CR4), CR4_DEFAULT);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_EFER), EFER_DEFAULT);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_GDT_BASE), 0);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_GDT_LIMIT), 0);
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_ok(axvm_read(guest.vm, 0x5000, &stored, sizeof(stored)));
	ck_assert_uint_eq(stored, 0x77);
	guest_end(&guest);
	free(before);
	free(after);
}
END_TEST

START_TEST(a_reset_sets_the_callers_tables_again)
{
	struct axvcpu_x86_setup x86 = own_tables();

	guest_create(&guest, NULL, CODE(STORE_BY_ALIAS HLT));
	write_tables(NX);
	x86.efer = EFER_DEFAULT | EFER_NXE;
	/* Without WP. */
	x86.cr0 = UINT64_C(0x80000033);
	x86.cr4 = CR4_DEFAULT | 1u << 7;
	ck_ok(setup(&x86));
	ck_ok(axvcpu_bind(guest.vcpu));
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_CR3), ROOT);
		ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_CR0), x86.cr0);
		ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_CR4), x86.cr4);
		ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_EFER), x86.efer);
		guest_expect(&guest, AXVCPU_EXIT_HALT);
		ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_CR3, ROOT + 0x3000));
		ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	}
	guest_end(&guest);
}
END_TEST

START_TEST(without_own_tables_the_control_registers_can_be_replaced_too)
{
	struct axvcpu_setup_config config = guest_setup_config(0);
	struct axvcpu_x86_setup x86 = AXVCPU_X86_SETUP_INIT;

	guest_create(&guest, NULL, CODE(HLT));
	x86.efer = EFER_DEFAULT | EFER_NXE;
	config.arch = &x86;
	ck_ok(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_EFER), x86.efer);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_CR3), GUEST_BOOT + 4096);
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

/* As Solo5's hvt sets up a guest. */
START_TEST(a_caller_sets_its_own_gdt_and_segments)
{
	static const uint64_t gdt[] = { 0, UINT64_C(0x00af9b000000ffff),
					UINT64_C(0x00cf93000000ffff) };
	const struct axvcpu_x86_segment table = { .base = GDT, .limit = sizeof(gdt) - 1 };
	const struct axvcpu_x86_setup x86 = own_tables();
	struct axvcpu_x86_segment code, data;

	/* push 8; lea rax,[rip+3]; push rax; retfq; mov ax,0x10; mov ds,ax; mov ss,ax; hlt */
	guest_create(&guest, NULL,
		     CODE("\x6a\x08\x48\x8d\x05\x03\x00\x00\x00\x50\x48\xcb\x66\xb8\x10\x00\x8e\xd8"
			  "\x8e\xd0\xf4"));
	write_tables(0);
	ck_ok(axvm_write(guest.vm, GDT, gdt, sizeof(gdt)));
	ck_ok(setup(&x86));
	ck_ok(axvcpu_x86_get_segment(guest.vcpu, AXVCPU_X86_CS, &code));
	ck_ok(axvcpu_x86_get_segment(guest.vcpu, AXVCPU_X86_DS, &data));
	code.selector = 8;
	data.selector = 16;
	ck_ok(axvcpu_x86_set_segment(guest.vcpu, AXVCPU_X86_CS, &code));
	ck_ok(axvcpu_x86_set_segment(guest.vcpu, AXVCPU_X86_DS, &data));
	ck_ok(axvcpu_x86_set_segment(guest.vcpu, AXVCPU_X86_SS, &data));
	ck_ok(axvcpu_x86_set_segment(guest.vcpu, AXVCPU_X86_GDT, &table));
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_CS), 8);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_DS), 16);
	guest_end(&guest);
}
END_TEST

static void refuse(const struct axvcpu_setup_config *config, int err, const char *text)
{
	ck_fails_saying(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, config), err, text);
	ck_assert_int_eq(axvcpu_state(guest.vcpu), AXVCPU_CREATED);
}

START_TEST(contradictions_are_refused_and_a_second_try_succeeds)
{
	struct axvcpu_x86_setup x86 = own_tables();
	struct axvcpu_setup_config config = guest_setup_config(0);

	guest_create(&guest, NULL, CODE(HLT));
	write_tables(0);
	config.arch = &x86;
	/* A boot area beside own tables. */
	refuse(&config, EINVAL, "boot_size");
	config.boot_gpa = config.boot_size = 0;
	config.mode = AXVCPU_MODE_32;
	refuse(&config, EINVAL, "AXVCPU_MODE_64");
	config.mode = AXVCPU_MODE_64;
	x86.flags = 1u << 31;
	refuse(&config, EINVAL, "flags");
	/* CR3 without the flag. */
	x86.flags = 0;
	refuse(&config, EINVAL, "cr3");
	x86 = own_tables();
	x86.cr0 = 0x33;
	refuse(&config, EINVAL, "cr0");
	x86.cr0 = 0;
	x86.cr4 = 0x600;
	refuse(&config, EINVAL, "cr4");
	x86.cr4 = 0;
	x86.efer = 0x100;
	refuse(&config, EINVAL, "efer");
	/* KVM does not accept these. */
	x86.efer = 0;
	x86.cr4 = CR4_DEFAULT | UINT64_C(1) << 40;
	refuse(&config, EINVAL, "CR4 0x10000000620");
	x86 = own_tables();
	x86.flags = 0;
	x86.cr3 = 0;
	x86.cr4 = CR4_DEFAULT | 1u << 12;
	refuse(&config, EINVAL, "LA57");

	x86 = own_tables();
	ck_ok(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config));
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *all = suite_case(suite, "all");

	tcase_add_test(all, the_guest_runs_on_the_callers_tables_and_nothing_is_written);
	tcase_add_test(all, a_reset_sets_the_callers_tables_again);
	tcase_add_test(all, without_own_tables_the_control_registers_can_be_replaced_too);
	tcase_add_test(all, a_caller_sets_its_own_gdt_and_segments);
	tcase_add_test(all, contradictions_are_refused_and_a_second_try_succeeds);
}

int main(void)
{
	return suite_main("x86_own_tables", true, add_tests);
}
