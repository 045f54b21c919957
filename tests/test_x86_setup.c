/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * x86_64: the initial state in every mode, CPUID, registers, and the configs that setup refuses.
 * Needs a working /dev/kvm.
 */
#include <errno.h>

#include "guest.h"
#include "suite.h"

static struct guest guest;

#define RAX AXVCPU_REG_X86_RAX
#define RBX AXVCPU_REG_X86_RBX
#define RDI AXVCPU_REG_X86_RDI
#define HLT CODE("\xf4")

static struct axvcpu_setup_config config_64(void)
{
	struct axvcpu_setup_config config = AXVCPU_SETUP_CONFIG_INIT;

	config.boot_gpa = GUEST_BOOT;
	config.boot_size = GUEST_BOOT_SIZE;
	config.stack = GUEST_STACK;
	config.arg = UINT64_C(0x123456789abcdef0);
	return config;
}

static void bind_and_expect(enum axvcpu_exit_kind kind)
{
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect(&guest, kind);
}

/* --- modes ---------------------------------------------------------------------------------------- */

START_TEST(mode_64_runs_64_bit_code_with_arg_and_stack)
{
	const struct axvcpu_setup_config config = config_64();
	uint64_t pushed;

	/* push rdi; mov rax,rdi; movaps xmm0,xmm0 (faults unless SSE is on); hlt */
	guest_create(&guest, NULL, CODE("\x57\x48\x89\xf8\x0f\x28\xc0\xf4"));
	ck_ok(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), GUEST_CODE);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_SP), GUEST_STACK);
	ck_assert_uint_eq(guest_reg(&guest, RDI), config.arg);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_FLAGS), 2);
	bind_and_expect(AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, RAX), config.arg);
	ck_ok(axvm_read(guest.vm, GUEST_STACK - 8, &pushed, sizeof(pushed)));
	ck_assert_uint_eq(pushed, config.arg);
	/* LMA: the CPU agrees that this is long mode. */
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_EFER) >> 10 & 1, 1);
	/* PG, WP, NE, ET, MP, PE; OSXMMEXCPT, OSFXSR, PAE. */
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_CR0), 0x80010033);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_CR4), 0x620);
	guest_end(&guest);
}
END_TEST

START_TEST(mode_64_reloads_its_segments_from_the_gdt)
{
	const struct axvcpu_setup_config config = config_64();

	/* mov ax,ds; mov ds,ax; mov es,ax; mov ss,ax; push cs's selector; push &next; retfq; hlt */
	guest_create(&guest, NULL,
		     CODE("\x66\x8c\xd8\x8e\xd8\x8e\xc0\x8e\xd0\x8c\xc8\x50\x48\x8d\x05\x03"
			  "\x00\x00\x00\x50\x48\xcb\xf4"));
	ck_ok(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config));
	bind_and_expect(AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), GUEST_CODE + 23);
	guest_end(&guest);
}
END_TEST

START_TEST(mode_64_maps_memory_above_4_gib)
{
	struct axvcpu_setup_config config = config_64();
	struct axvm_region high = AXVM_REGION_INIT;
	uint64_t value = 0x1122334455667788;

	/* mov rax,0x140000000; mov rbx,[rax]; mov [rax+8],rbx; hlt */
	guest_create(&guest, NULL,
		     CODE("\x48\xb8\x00\x00\x00\x40\x01\x00\x00\x00\x48\x8b\x18\x48\x89\x58"
			  "\x08\xf4"));
	high.gpa = UINT64_C(5) << 30;
	high.len = 0x1000;
	ck_ok(axvm_map(guest.vm, &high));
	ck_ok(axvm_write(guest.vm, high.gpa, &value, sizeof(value)));
	/* Two GiB more, two pages more. */
	ck_fails_saying(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config), ENOSPC, "36864");
	ck_assert_int_eq(axvcpu_state(guest.vcpu), AXVCPU_CREATED);
	config.boot_size = 36864;
	ck_ok(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config));
	bind_and_expect(AXVCPU_EXIT_HALT);
	value = 0;
	ck_ok(axvm_read(guest.vm, high.gpa + 8, &value, sizeof(value)));
	ck_assert_uint_eq(value, 0x1122334455667788);
	guest_end(&guest);
}
END_TEST

START_TEST(the_tables_stay_within_what_they_say_they_need)
{
	struct axvcpu_setup_config config = config_64();
	unsigned char around[2][4096];

	guest_create(&guest, NULL, HLT);
	ck_ok(axvm_set(guest.vm, GUEST_BOOT - 0x4000, 0xa5, GUEST_BOOT_SIZE + 0x8000));
	ck_ok(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config));
	ck_ok(axvm_read(guest.vm, GUEST_BOOT - 4096, around[0], 4096));
	ck_ok(axvm_read(guest.vm, GUEST_BOOT + GUEST_BOOT_SIZE, around[1], 4096));
	for (size_t i = 0; i < 4096; i++) {
		ck_assert_uint_eq(around[0][i], 0xa5);
		ck_assert_uint_eq(around[1][i], 0xa5);
	}
	guest_end(&guest);
}
END_TEST

START_TEST(mode_32_runs_flat_protected_code_with_or_without_a_gdt)
{
	struct axvcpu_setup_config config = AXVCPU_SETUP_CONFIG_INIT;

	/* mov eax,cr0; mov ebx,edi; mov cx,ds; mov ds,cx; hlt: the load needs the GDT */
	guest_create(&guest, NULL, CODE("\x0f\x20\xc0\x89\xfb\x66\x8c\xd9\x8e\xd9\xf4"));
	config.mode = AXVCPU_MODE_32;
	config.arg = 0xfeedbeef;
	config.boot_gpa = GUEST_BOOT;
	config.boot_size = 4096;
	ck_ok(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config));
	bind_and_expect(AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), GUEST_CODE + 11);
	ck_assert_uint_eq(guest_reg(&guest, RAX) & 0x80000001, 1);
	ck_assert_uint_eq(guest_reg(&guest, RBX), 0xfeedbeef);
	guest_end(&guest);

	guest_start(&guest, AXVCPU_MODE_32, CODE("\x89\xe0\xf4")); /* mov eax,esp; hlt */
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, RAX), GUEST_STACK);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_GDT_BASE), 0);
	guest_end(&guest);
}
END_TEST

START_TEST(mode_16_runs_real_mode_code_anywhere_below_1_mib)
{
	static const uint32_t entries[] = { 0x7c00, 0xfff0, 0x10000, 0x54321 };
	/* mov ax,cs; mov bx,0x1234; hlt */
	static const char code[] = "\x8c\xc8\xbb\x34\x12\xf4";

	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		struct axvcpu_setup_config config = AXVCPU_SETUP_CONFIG_INIT;
		uint32_t entry = entries[i];

		guest_create(&guest, NULL, HLT);
		ck_ok(axvm_write(guest.vm, entry, code, sizeof(code) - 1));
		config.mode = AXVCPU_MODE_16;
		ck_ok(axvcpu_setup(guest.vcpu, entry, 0, &config));
		bind_and_expect(AXVCPU_EXIT_HALT);
		ck_assert_uint_eq(guest_reg(&guest, RBX) & 0xffff, 0x1234);
		/* CS and IP together reach the entry, as a real-mode program computes them. */
		ck_assert_uint_eq((guest_reg(&guest, RAX) & 0xffff) << 4, entry & 0xf0000);
		ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_CS_BASE) +
					  guest_reg(&guest, AXVCPU_REG_PC),
				  entry + sizeof(code) - 1);
		guest_end(&guest);
	}
}
END_TEST

START_TEST(raw_mode_is_the_reset_state_except_the_program_counter)
{
	struct axvcpu_setup_config config = AXVCPU_SETUP_CONFIG_INIT;

	guest_create(&guest, NULL, HLT);
	config.mode = AXVCPU_MODE_RAW;
	ck_ok(axvcpu_setup(guest.vcpu, 0x8123, 0, &config));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), 0x8123);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_CS), 0xf000);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_CS_BASE), 0xffff0000);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_CR0), 0x60000010);
	/* The rest is the caller's. */
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_CS_BASE, 0));
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_CS, 0));
	ck_ok(axvcpu_set_entry(guest.vcpu, GUEST_CODE));
	bind_and_expect(AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), GUEST_CODE + 1);
	guest_end(&guest);
}
END_TEST

/* --- refused setups, which can be repeated ----------------------------------------------------------- */

START_TEST(nonsense_is_refused_and_a_second_try_succeeds)
{
	struct axvcpu_setup_config config = config_64();

	guest_create(&guest, NULL, HLT);
	ck_fails_saying(axvcpu_setup(guest.vcpu, GUEST_CODE, 0x1000, &config), EINVAL, "ept_root");
	config.boot_size = 28671;
	ck_fails_saying(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config), ENOSPC, "28672");
	config = config_64();
	config.boot_gpa += 8;
	ck_fails_saying(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config), EINVAL, "aligned");
	/* Where there is no memory, half of it, and none because it would wrap around. */
	config.boot_gpa = GUEST_MMIO;
	ck_fails(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config), EFAULT);
	config.boot_gpa = GUEST_MEMORY - 4096;
	ck_fails(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config), EFAULT);
	config.boot_gpa = UINT64_MAX - 4095;
	ck_fails(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config), EFAULT);
	config = config_64();
	config.mode = 4;
	ck_fails_saying(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config), EINVAL, "mode 4");
	config.mode = AXVCPU_MODE_16;
	config.arg = 0;
	ck_fails_saying(axvcpu_setup(guest.vcpu, 0x100000, 0, &config), EINVAL, "1 MiB");
	config.mode = AXVCPU_MODE_32;
	ck_fails_saying(axvcpu_setup(guest.vcpu, UINT64_C(1) << 32, 0, &config), EINVAL, "32 bits");
	config.stack = UINT64_C(1) << 32;
	ck_fails_saying(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config), EINVAL, "32 bits");
	config = config_64();
	config.flags = 1;
	ck_fails_saying(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config), EINVAL, "flags");

	ck_assert_int_eq(axvcpu_state(guest.vcpu), AXVCPU_CREATED);
	config = config_64();
	ck_ok(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config));
	bind_and_expect(AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

START_TEST(callers_read_only_boot_area_is_refused)
{
	static _Alignas(4096) unsigned char memory[0x7000];
	struct axvcpu_setup_config config = config_64();
	struct axvm_region region = AXVM_REGION_INIT;

	guest_create(&guest, NULL, HLT);
	region.gpa = 0x400000;
	region.len = sizeof(memory);
	region.backing = AXVM_MEM_CALLER;
	region.flags = AXVM_MEM_READONLY;
	region.hva = memory;
	ck_ok(axvm_map(guest.vm, &region));
	config.boot_gpa = region.gpa;
	ck_fails(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config), EROFS);
	guest_end(&guest);
}
END_TEST

START_TEST(the_architectures_config_grows_by_the_rules_of_all_configs)
{
	struct axvcpu_setup_config config = AXVCPU_SETUP_CONFIG_INIT;
	union {
		struct axvcpu_x86_setup x86;
		unsigned char bytes[sizeof(struct axvcpu_x86_setup) + 16];
	} given;

	guest_create(&guest, NULL, HLT);
	config.mode = AXVCPU_MODE_RAW;
	config.arch = &given;
	memset(&given, 0, sizeof(given));
	ck_fails_saying(axvcpu_setup(guest.vcpu, 0, 0, &config), EINVAL, "axvcpu_x86_setup");
	given.x86.size = sizeof(given.x86) + 8;
	given.bytes[sizeof(given.x86)] = 1;
	ck_fails_saying(axvcpu_setup(guest.vcpu, 0, 0, &config), E2BIG, "axvcpu_x86_setup");
	given.x86.size = SIZE_MAX;
	ck_fails_saying(axvcpu_setup(guest.vcpu, 0, 0, &config), E2BIG, "axvcpu_x86_setup");
	ck_assert_int_eq(axvcpu_state(guest.vcpu), AXVCPU_CREATED);
	/* As an older caller has it: nothing behind its size counts. */
	memset(&given, 0xff, sizeof(given));
	given.x86.size = sizeof(size_t);
	ck_ok(axvcpu_setup(guest.vcpu, 0, 0, &config));
	guest_end(&guest);
}
END_TEST

/* --- CPUID --------------------------------------------------------------------------------------------- */

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

/* The value that the guest of 'vcpu' reads. */
static struct cpuid guest_cpuid(struct axvcpu *vcpu, uint32_t function, uint32_t index)
{
	struct axvcpu_regs regs;
	struct axvcpu_exit exit;

	ck_ok(axvcpu_get_regs(vcpu, &regs));
	regs.gpr[0] = function;
	regs.gpr[1] = index;
	regs.pc = GUEST_CODE;
	ck_ok(axvcpu_set_regs(vcpu, &regs));
	ck_ok(axvcpu_run(vcpu, &exit));
	ck_assert_uint_eq(exit.kind, AXVCPU_EXIT_HALT);
	ck_ok(axvcpu_get_regs(vcpu, &regs));
	return (struct cpuid){ (uint32_t)regs.gpr[0], (uint32_t)regs.gpr[3], (uint32_t)regs.gpr[1],
			       (uint32_t)regs.gpr[2] };
}

#define CPUID_HLT CODE("\x0f\xa2\xf4")

static void check_topology(struct axvcpu *vcpu, uint32_t cores, uint32_t bits)
{
	uint32_t id = axvcpu_id(vcpu);
	struct cpuid leaf = guest_cpuid(vcpu, 1, 0);

	ck_assert_uint_eq(leaf.ebx >> 24, id & 0xff);
	ck_assert_uint_eq(leaf.ebx >> 16 & 0xff, cores < 255 ? cores : 255);
	ck_assert_uint_eq(leaf.ecx >> 31, 1); /* under a hypervisor */
	/*
	 * For a single core, KVM's software flavour shows the host's own bit, whatever the config.
	 */
	if (cores > 1)
		ck_assert_uint_eq(leaf.edx >> 28 & 1, 1);
	if (guest_cpuid(vcpu, 0, 0).eax >= 0xb) {
		leaf = guest_cpuid(vcpu, 0xb, 0);
		ck_assert_uint_eq(leaf.eax, 0);
		ck_assert_uint_eq(leaf.ebx, 1);
		ck_assert_uint_eq(leaf.ecx, 0x100);
		ck_assert_uint_eq(leaf.edx, id);
		leaf = guest_cpuid(vcpu, 0xb, 1);
		ck_assert_uint_eq(leaf.eax, bits);
		ck_assert_uint_eq(leaf.ebx, cores);
		ck_assert_uint_eq(leaf.ecx, 0x201);
		ck_assert_uint_eq(leaf.edx, id);
		leaf = guest_cpuid(vcpu, 0xb, 2);
		ck_assert_uint_eq(leaf.ebx, 0);
		ck_assert_uint_eq(leaf.ecx, 2);
	}
	if (guest_cpuid(vcpu, 0x80000000, 0).eax >= 0x80000008) {
		leaf = guest_cpuid(vcpu, 0x80000008, 0);
		ck_assert_uint_eq(leaf.ecx & 0xff, cores <= 256 ? cores - 1 : 255);
		ck_assert_uint_eq(leaf.ecx >> 12 & 0xf, bits);
	}
	/* The signature "KVMKVMKVM" by which guests recognise KVM. */
	leaf = guest_cpuid(vcpu, 0x40000000, 0);
	ck_assert_uint_eq(leaf.ebx, 0x4b4d564b);
}

START_TEST(every_vcpu_has_its_apic_id_and_the_topology)
{
	static const struct {
		uint32_t cores, bits;
	} machines[] = { { 1, 0 }, { 3, 2 }, { 4, 2 } };

	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		struct axvm_config config = AXVM_CONFIG_INIT;
		struct axvcpu *vcpus[4];

		config.max_vcpus = machines[i].cores;
		guest_create(&guest, &config, CPUID_HLT);
		vcpus[0] = guest.vcpu;
		for (uint32_t id = 1; id < machines[i].cores; id++) {
			struct axvcpu_config vcpu_config = AXVCPU_CONFIG_INIT;

			vcpu_config.id = id;
			ck_ok(axvcpu_new(guest.vm, &vcpu_config, &vcpus[id]));
		}
		for (uint32_t id = 0; id < machines[i].cores; id++) {
			guest.vcpu = vcpus[id];
			guest_setup(&guest, AXVCPU_MODE_32);
			ck_ok(axvcpu_bind(guest.vcpu));
			check_topology(guest.vcpu, machines[i].cores, machines[i].bits);
			ck_ok(axvcpu_unbind(guest.vcpu));
		}
		for (uint32_t id = 1; id < machines[i].cores; id++)
			ck_ok(axvcpu_free(vcpus[id]));
		guest.vcpu = vcpus[0];
		guest_end(&guest);
	}
}
END_TEST

/* The first of a machine, and the first whose id needs a ninth bit. */
START_TEST(more_vcpus_than_a_byte_counts_do_not_look_like_few)
{
	struct axvcpu_config vcpu_config = AXVCPU_CONFIG_INIT;
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvcpu *vcpus[2];

	config.max_vcpus = 257;
	guest_create(&guest, &config, CPUID_HLT);
	vcpus[0] = guest.vcpu;
	vcpu_config.id = 256;
	ck_ok(axvcpu_new(guest.vm, &vcpu_config, &vcpus[1]));
	for (int i = 0; i < 2; i++) {
		guest.vcpu = vcpus[i];
		guest_setup(&guest, AXVCPU_MODE_32);
		ck_ok(axvcpu_bind(guest.vcpu));
		check_topology(guest.vcpu, 257, 9);
		ck_ok(axvcpu_unbind(guest.vcpu));
	}
	ck_ok(axvcpu_free(vcpus[0]));
	guest_end(&guest);
}
END_TEST

START_TEST(overrides_replace_bits_add_leaves_and_come_last)
{
	const struct axvcpu_x86_cpuid overrides[] = {
		/* APIC id 0x5a instead of 0, in leaf 1's top byte of ebx. */
		{ .function = 1, .mask = { 0, 0xff000000, 0, 0 }, .value = { 0, 0x5affffff, 0, 0 } },
		/* A leaf that KVM has not. */
		{ .function = 0x40000010,
		  .mask = { ~0u, ~0u, ~0u, ~0u },
		  .value = { 0x11, 0x22, 0x33, 0x44 } },
		/* And one bit of it, later. */
		{ .function = 0x40000010, .mask = { 0x10, 0, 0, 0 } },
	};
	struct axvcpu_x86_setup x86 = AXVCPU_X86_SETUP_INIT;
	struct axvcpu_setup_config config = AXVCPU_SETUP_CONFIG_INIT;
	struct cpuid leaf;

	guest_create(&guest, NULL, CPUID_HLT);
	config.mode = AXVCPU_MODE_32;
	config.arch = &x86;
	x86.ncpuid = 3;
	ck_fails_saying(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config), EINVAL, "cpuid is NULL");
	x86.cpuid = overrides;
	x86.ncpuid = 100000;
	ck_fails_saying(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config), EINVAL, "ncpuid");
	x86.ncpuid = 3;
	ck_ok(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config));
	ck_ok(axvcpu_bind(guest.vcpu));
	leaf = guest_cpuid(guest.vcpu, 1, 0);
	ck_assert_uint_eq(leaf.ebx >> 24, 0x5a);
	ck_assert_uint_eq(leaf.ebx >> 16 & 0xff, 1);
	leaf = guest_cpuid(guest.vcpu, 0x40000010, 0);
	ck_assert_uint_eq(leaf.eax, 0x01);
	ck_assert_uint_eq(leaf.ebx, 0x22);
	ck_assert_uint_eq(leaf.ecx, 0x33);
	ck_assert_uint_eq(leaf.edx, 0x44);
	guest_end(&guest);
}
END_TEST

START_TEST(narrower_gpa_width_limits_map_and_is_in_cpuid)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm_limits limits = AXVM_LIMITS_INIT;
	struct axvm_region region = AXVM_REGION_INIT;
	struct axvm *vm = NULL;

	config.gpa_bits = 36;
	guest_create(&guest, &config, CPUID_HLT);
	ck_ok(axvm_get_limits(guest.vm, &limits));
	ck_assert_uint_eq(limits.gpa_bits, 36);
	region.gpa = UINT64_C(1) << 36;
	region.len = 0x1000;
	ck_fails_saying(axvm_map(guest.vm, &region), EINVAL, "36 bits");
	region.gpa -= 0x1000;
	ck_ok(axvm_map(guest.vm, &region));
	guest_setup(&guest, AXVCPU_MODE_32);
	ck_ok(axvcpu_bind(guest.vcpu));
	ck_assert_uint_eq(guest_cpuid(guest.vcpu, 0x80000008, 0).eax & 0xff, 36);
	guest_end(&guest);

	config.gpa_bits = 31;
	ck_fails_saying(axvm_new(&config, &vm), EINVAL, "gpa_bits");
	config.gpa_bits = 60;
	ck_fails_saying(axvm_new(&config, &vm), ENOTSUP, "gpa_bits");
	ck_assert_ptr_null(vm);
}
END_TEST

/* --- registers ------------------------------------------------------------------------------------------ */

START_TEST(general_registers_have_their_hardware_numbers)
{
	struct axvcpu_regs regs, got;

	/* mov [0x2000],rax ... each by number: 48 89 /r; here r8 to r15 and the first eight in turn */
	static const char code[] = "\x48\x89\x04\x25\x00\x20\x00\x00" /* rax */
				   "\x48\x89\x0c\x25\x08\x20\x00\x00" /* rcx */
				   "\x48\x89\x14\x25\x10\x20\x00\x00" /* rdx */
				   "\x48\x89\x1c\x25\x18\x20\x00\x00" /* rbx */
				   "\x48\x89\x24\x25\x20\x20\x00\x00" /* rsp */
				   "\x48\x89\x2c\x25\x28\x20\x00\x00" /* rbp */
				   "\x48\x89\x34\x25\x30\x20\x00\x00" /* rsi */
				   "\x48\x89\x3c\x25\x38\x20\x00\x00" /* rdi */
				   "\x4c\x89\x04\x25\x40\x20\x00\x00" /* r8 */
				   "\x4c\x89\x3c\x25\x78\x20\x00\x00" /* r15 */
				   "\xf4";
	uint64_t stored[16];

	guest_start(&guest, AXVCPU_MODE_64, CODE(code));
	ck_ok(axvcpu_get_regs(guest.vcpu, &regs));
	for (unsigned int i = 0; i < 16; i++)
		regs.gpr[i] = UINT64_C(0x1111000000000000) * (i & 7) + i;
	ck_ok(axvcpu_set_regs(guest.vcpu, &regs));
	ck_ok(axvcpu_get_regs(guest.vcpu, &got));
	ck_assert_mem_eq(&got, &regs, sizeof(regs));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_ok(axvm_read(guest.vm, 0x2000, stored, sizeof(stored)));
	for (unsigned int i = 0; i < 16; i++) {
		if (i <= 8 || i == 15)
			ck_assert_uint_eq(stored[i], regs.gpr[i]);
		ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_GPR(i)), regs.gpr[i]);
	}
	guest_end(&guest);
}
END_TEST

START_TEST(every_listed_register_can_be_read_and_written_back)
{
	const char *name;
	unsigned int n = 0;
	uint64_t id, value, again;

	guest_start(&guest, AXVCPU_MODE_64, HLT);
	for (; !axvcpu_reg_info(guest.vcpu, n, &id, &name); n++) {
		ck_assert_str_ne(name, "");
		if (axvcpu_reg_size(id) > sizeof(value)) {
			ck_fails(axvcpu_get_reg(guest.vcpu, id, &value), ENOENT);
			continue;
		}
		ck_ok(axvcpu_get_reg(guest.vcpu, id, &value));
		ck_ok(axvcpu_set_reg(guest.vcpu, id, value));
		ck_ok(axvcpu_get_reg(guest.vcpu, id, &again));
		ck_assert_msg(value == again, "%s", name);
	}
	ck_assert_uint_ge(n, 36);
	ck_assert_int_eq(axvcpu_reg_info(guest.vcpu, n, &id, &name), -ENOENT);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

START_TEST(single_registers_are_set_alone)
{
	struct axvcpu_regs before, after;

	guest_start(&guest, AXVCPU_MODE_64, HLT);
	ck_ok(axvcpu_get_regs(guest.vcpu, &before));
	ck_ok(axvcpu_set_gpr(guest.vcpu, 9, 0x99));
	ck_ok(axvcpu_set_return_value(guest.vcpu, 0x77));
	ck_ok(axvcpu_set_entry(guest.vcpu, GUEST_CODE));
	before.gpr[9] = 0x99;
	before.gpr[0] = 0x77;
	ck_ok(axvcpu_get_regs(guest.vcpu, &after));
	ck_assert_mem_eq(&after, &before, sizeof(after));
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_CR2, 0xabc));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_CR2), 0xabc);
	ck_fails(axvcpu_set_gpr(guest.vcpu, 16, 1), ENOENT);
	ck_fails(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_LDT_ATTRIBUTES + 1, 1), ENOENT);
	/* The hypervisor's own no: paging without protection cannot be. */
	ck_assert_int_lt(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_CR0, 0x80000000), 0);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

/* --- the VM ----------------------------------------------------------------------------------------------- */

START_TEST(descriptors_capabilities_and_limits_are_kvms)
{
	struct axvm_limits limits = AXVM_LIMITS_INIT;

	guest_start(&guest, AXVCPU_MODE_32, HLT);
	ck_assert_int_ge(axvm_fd(guest.vm), 0);
	ck_assert_int_ge(axvcpu_fd(guest.vcpu), 0);
	ck_ok(axvm_get_limits(guest.vm, &limits));
	ck_assert_uint_ge(limits.regions, 32);
	ck_assert_uint_ge(limits.gpa_bits, 36);
	ck_assert_uint_eq(limits.vcpus, 1);
	ck_assert_uint_eq(limits.page_size, 4096);
	/* KVM_CAP_USER_MEMORY is everywhere; nothing has that number. */
	ck_assert_int_eq(axvm_capability(guest.vm, 3), 1);
	ck_assert_int_eq(axvm_capability(guest.vm, 0x7fffffff), 0);
	ck_assert_int_eq(axvm_capability(guest.vm, 10), (int)limits.regions);
	guest_end(&guest);
}
END_TEST

START_TEST(freed_vcpu_can_be_created_again_before_setup)
{
	struct axvcpu *again;

	guest_create(&guest, NULL, HLT);
	ck_ok(axvcpu_free(guest.vcpu));
	ck_ok(axvcpu_new(guest.vm, NULL, &guest.vcpu));
	guest_setup(&guest, AXVCPU_MODE_32);
	bind_and_expect(AXVCPU_EXIT_HALT);
	ck_ok(axvcpu_free(guest.vcpu));
	/* KVM keeps this one. The VM is finalized, too, so it never gets to hear of it. */
	ck_fails(axvcpu_new(guest.vm, NULL, &again), EBUSY);
	ck_ok(axvm_free(guest.vm));

	guest_create(&guest, NULL, HLT);
	guest_setup(&guest, AXVCPU_MODE_32);
	ck_ok(axvcpu_free(guest.vcpu));
	ck_fails_saying(axvcpu_new(guest.vm, NULL, &again), EEXIST, "until its VM ends");
	ck_ok(axvm_free(guest.vm));
}
END_TEST

START_TEST(the_kernels_irqchip_runs_the_guest_and_keeps_its_halts)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	/* mov eax,[0xfee00030] (the LAPIC's version, which the kernel answers); out 1,al; hlt */
	config.irqchip = AXVM_IRQCHIP_KERNEL;
	guest_create(&guest, &config, CODE("\xa1\x30\x00\xe0\xfe\xe6\x01\xf4"));
	guest_setup(&guest, AXVCPU_MODE_32);
	bind_and_expect(AXVCPU_EXIT_IO_WRITE);
	ck_assert_uint_eq(guest.exit.u.io.data & 0xf0, 0x10);
	/* The halt does not come out, so only a kick ends this. */
	ck_ok(axvcpu_kick(guest.vcpu));
	ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
	ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_NOTHING);
	ck_assert_uint_eq(guest.exit.kicked, 1);
	guest_end(&guest);

	config.irqchip = 7;
	ck_fails_saying(axvm_new(&config, &guest.vm), EINVAL, "irqchip 7");
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *modes = suite_case(suite, "modes");
	TCase *refused = suite_case(suite, "refused");
	TCase *cpuid = suite_case(suite, "CPUID");
	TCase *regs = suite_case(suite, "registers");
	TCase *vm = suite_case(suite, "VM");

	tcase_add_test(modes, mode_64_runs_64_bit_code_with_arg_and_stack);
	tcase_add_test(modes, mode_64_reloads_its_segments_from_the_gdt);
	tcase_add_test(modes, mode_64_maps_memory_above_4_gib);
	tcase_add_test(modes, the_tables_stay_within_what_they_say_they_need);
	tcase_add_test(modes, mode_32_runs_flat_protected_code_with_or_without_a_gdt);
	tcase_add_test(modes, mode_16_runs_real_mode_code_anywhere_below_1_mib);
	tcase_add_test(modes, raw_mode_is_the_reset_state_except_the_program_counter);

	tcase_add_test(refused, nonsense_is_refused_and_a_second_try_succeeds);
	tcase_add_test(refused, callers_read_only_boot_area_is_refused);
	tcase_add_test(refused, the_architectures_config_grows_by_the_rules_of_all_configs);

	tcase_add_test(cpuid, every_vcpu_has_its_apic_id_and_the_topology);
	tcase_add_test(cpuid, more_vcpus_than_a_byte_counts_do_not_look_like_few);
	tcase_add_test(cpuid, overrides_replace_bits_add_leaves_and_come_last);
	tcase_add_test(cpuid, narrower_gpa_width_limits_map_and_is_in_cpuid);

	tcase_add_test(regs, general_registers_have_their_hardware_numbers);
	tcase_add_test(regs, every_listed_register_can_be_read_and_written_back);
	tcase_add_test(regs, single_registers_are_set_alone);

	tcase_add_test(vm, descriptors_capabilities_and_limits_are_kvms);
	tcase_add_test(vm, freed_vcpu_can_be_created_again_before_setup);
	tcase_add_test(vm, the_kernels_irqchip_runs_the_guest_and_keeps_its_halts);
}

int main(void)
{
	return suite_main("x86 setup", true, add_tests);
}
