/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * x86_64 without a LAPIC in the kernel: inter-processor interrupts, by the xAPIC and the x2APIC.
 * Needs a working /dev/kvm.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <time.h>

#include "suite.h"
#include "x86_guest.h"

static struct guest guest;

#define RAX AXVCPU_REG_X86_RAX
#define RDX AXVCPU_REG_X86_RDX
#define APIC UINT64_C(0xfee00000)
#define COMMANDS 0x4000u

static void start(uint32_t forward, enum axvcpu_mode mode, const void *code, size_t len)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.forward = forward;
	config.max_vcpus = 4;
	guest_start_with(&guest, &config, mode, code, len);
	if (mode == AXVCPU_MODE_64) {
		x86_load_idt(&guest);
		x86_handle(&guest, 13, X86_TELL_ERROR);
	}
}

/* Runs to the guest's report of a general-protection fault, with error code 0. */
static void expect_gp(void)
{
	x86_expect_out(&guest, X86_ERROR_PORT, 0);
	x86_expect_vector(&guest, 13);
}

#define ASSERT 0x4000u
#define LEVEL 0x8000u
#define LOGICAL 0x800u
#define PENDING 0x1000u
#define MODE(n) ((n) << 8)
#define SELF (1u << 18)
#define ALL (2u << 18)
#define OTHERS (3u << 18)

struct sent {
	uint32_t destination;
	uint32_t low;
	enum axvcpu_exit_kind kind;
	struct axvcpu_exit_ipi ipi;
	struct axvcpu_exit_cpu_up up;
};

#define IPI(destination, low, ...) \
	{ \
		destination, low, AXVCPU_EXIT_SEND_IPI, { .level = 1, __VA_ARGS__ }, \
		{ \
			0 \
		} \
	}
#define UP(destination, low, target, at) \
	{ \
		destination, low, AXVCPU_EXIT_CPU_UP, { 0 }, \
		{ \
			.target_cpu = target, .entry_point = at \
		} \
	}

/* Destinations are those of the xAPIC, which 8 bits hold. */
static const struct sent commands[] = {
	IPI(3, ASSERT | 0xf1, .target_cpu = 3, .vector = 0xf1),
	/* The level bit is meaningful for INIT only. */
	IPI(3, 0xf1, .target_cpu = 3, .vector = 0xf1),
	/* Nor does a bit that the guest cannot write. */
	IPI(0, ASSERT | PENDING | 0x20, .vector = 0x20),
	IPI(7, ASSERT | MODE(1) | LOGICAL | 0x31, .target_cpu = 7, .vector = 0x31,
	    .delivery_mode = 1, .logical = 1),
	IPI(2, ASSERT | MODE(2), .target_cpu = 2, .delivery_mode = 2),
	IPI(1, ASSERT | MODE(4), .target_cpu = 1, .delivery_mode = 4),
	IPI(9, ASSERT | SELF | 0x40, .target_cpu = 9, .vector = 0x40, .send_to_self = 1),
	IPI(9, ASSERT | ALL | 0x41, .target_cpu = 9, .vector = 0x41, .send_to_self = 1,
	    .send_to_all = 1),
	IPI(9, ASSERT | OTHERS | 0x42, .target_cpu = 9, .vector = 0x42, .send_to_all = 1),
	/* As INIT and the de-assert that old CPUs want after it. */
	IPI(1, ASSERT | LEVEL | MODE(5), .target_cpu = 1, .delivery_mode = 5),
	{ 1, LEVEL | MODE(5), AXVCPU_EXIT_SEND_IPI, { .target_cpu = 1, .delivery_mode = 5 }, { 0 } },
	UP(1, ASSERT | MODE(6) | 0x9a, 1, 0x9a000),
	UP(0, ASSERT | MODE(6) | OTHERS, AXVCPU_ALL_OTHERS, 0),
	UP(0, ASSERT | MODE(6) | ALL | 0xff, AXVCPU_ALL_OTHERS, 0xff000),
	/* These name no CPU to start. */
	IPI(2, ASSERT | MODE(6) | LOGICAL | 8, .target_cpu = 2, .vector = 8, .delivery_mode = 6,
	    .logical = 1),
	IPI(2, ASSERT | MODE(6) | SELF | 8, .target_cpu = 2, .vector = 8, .delivery_mode = 6,
	    .send_to_self = 1),
};
#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

static void check_sent(const struct sent *sent, uint64_t reason)
{
	const struct axvcpu_exit_ipi *ipi = &guest.exit.u.ipi;

	guest_expect(&guest, sent->kind);
	ck_assert_uint_eq(guest.exit.raw_reason, reason);
	ck_assert_uint_eq(guest.exit.raw_code,
			  (uint64_t)sent->destination << 32 | (sent->low & ~PENDING));
	ck_assert_uint_eq(guest.exit.answerable, 0);
	if (sent->kind == AXVCPU_EXIT_CPU_UP) {
		ck_assert_uint_eq(guest.exit.u.cpu_up.target_cpu, sent->up.target_cpu);
		ck_assert_uint_eq(guest.exit.u.cpu_up.entry_point, sent->up.entry_point);
		ck_assert_uint_eq(guest.exit.u.cpu_up.arg, 0);
		return;
	}
	ck_assert_uint_eq(ipi->target_cpu, sent->ipi.target_cpu);
	ck_assert_uint_eq(ipi->target_cpu_aux, 0);
	ck_assert_uint_eq(ipi->vector, sent->ipi.vector);
	ck_assert_uint_eq(ipi->send_to_all, sent->ipi.send_to_all);
	ck_assert_uint_eq(ipi->send_to_self, sent->ipi.send_to_self);
	ck_assert_uint_eq(ipi->delivery_mode, sent->ipi.delivery_mode);
	ck_assert_uint_eq(ipi->logical, sent->ipi.logical);
	ck_assert_uint_eq(ipi->level, sent->ipi.level);
}

/* --- the xAPIC --------------------------------------------------------------------------------------- */

/* mov [0xfee00310],eax; mov [0xfee00300],eax; mov eax,[..] of the same; in 32-bit code */
#define TO_HIGH "\xa3\x10\x03\xe0\xfe"
#define TO_LOW "\xa3\x00\x03\xe0\xfe"
#define FROM_HIGH "\xa1\x10\x03\xe0\xfe"
#define FROM_LOW "\xa1\x00\x03\xe0\xfe"
/* cld; mov esi,0x4000; again: lodsd; TO_HIGH; lodsd; TO_LOW; jmp again */
#define SEND_ALL "\xfc\xbe\x00\x40\x00\x00\xad" TO_HIGH "\xad" TO_LOW "\xeb\xf2"

START_TEST(every_xapic_command_is_one_exit)
{
	start(AXVM_FORWARD_IPIS, AXVCPU_MODE_32, CODE(SEND_ALL));
	for (size_t i = 0; i < NCOMMANDS; i++) {
		const uint32_t words[2] = { commands[i].destination << 24, commands[i].low };

		ck_ok(axvm_write(guest.vm, COMMANDS + i * 8, words, sizeof(words)));
	}
	for (size_t i = 0; i < NCOMMANDS; i++)
		check_sent(&commands[i], KVM_EXIT_MMIO);
	guest_end(&guest);
}
END_TEST

START_TEST(the_xapics_broadcast_is_to_all)
{
	static const uint32_t words[] = { 0xff000000, ASSERT | 0x50,
					  0xff000000, ASSERT | LOGICAL | 0x51,
					  0xff000000, ASSERT | MODE(6) | 0x10 };
	static const struct sent to_all = IPI(0xff, ASSERT | 0x50, .target_cpu = 0xff,
					      .vector = 0x50, .send_to_all = 1, .send_to_self = 1);
	/* A mask, of as many CPUs as it has bits. */
	static const struct sent to_eight = IPI(0xff, ASSERT | LOGICAL | 0x51, .target_cpu = 0xff,
						.vector = 0x51, .logical = 1);
	static const struct sent up = UP(0xff, ASSERT | MODE(6) | 0x10, AXVCPU_ALL_OTHERS, 0x10000);

	start(AXVM_FORWARD_IPIS, AXVCPU_MODE_32, CODE(SEND_ALL));
	ck_ok(axvm_write(guest.vm, COMMANDS, words, sizeof(words)));
	check_sent(&to_all, KVM_EXIT_MMIO);
	check_sent(&to_eight, KVM_EXIT_MMIO);
	check_sent(&up, KVM_EXIT_MMIO);
	guest_end(&guest);
}
END_TEST

START_TEST(the_register_is_read_without_an_exit_and_never_pending)
{
	/* mov eax,0x55000000; TO_HIGH; mov eax,0x5012; TO_LOW; FROM_HIGH; mov edx,eax; FROM_LOW; hlt */
	start(AXVM_FORWARD_IPIS, AXVCPU_MODE_32,
	      CODE(FROM_LOW FROM_HIGH "\xb8\x00\x00\x00\x55" TO_HIGH
				      "\xb8\x12\x50\x00\x00" TO_LOW FROM_HIGH "\x89\xc2" FROM_LOW
				      "\xf4"));
	guest_expect(&guest, AXVCPU_EXIT_SEND_IPI);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, RDX), 0x55000000);
	ck_assert_uint_eq(guest_reg(&guest, RAX), 0x4012);
	guest_end(&guest);
}
END_TEST

START_TEST(the_rest_of_the_page_stays_mmio)
{
	/* mov eax,[0xfee00020]; mov [0xfee000b0],eax; mov [0xfee00300],al; mov [0xfee00302],ax; hlt */
	start(AXVM_FORWARD_IPIS, AXVCPU_MODE_32,
	      CODE("\xa1\x20\x00\xe0\xfe\xa3\xb0\x00\xe0\xfe\xa2\x00\x03\xe0\xfe"
		   "\x66\xa3\x02\x03\xe0\xfe\xf4"));
	guest_expect(&guest, AXVCPU_EXIT_MMIO_READ);
	ck_assert_uint_eq(guest.exit.u.mmio.addr, APIC + 0x20);
	ck_ok(axvcpu_complete_value(guest.vcpu, 0x01020304));
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(guest.exit.u.mmio.addr, APIC + 0xb0);
	ck_assert_uint_eq(guest.exit.u.mmio.data, 0x01020304);
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(guest.exit.u.mmio.addr, APIC + 0x300);
	ck_assert_uint_eq(guest.exit.u.mmio.width, 1);
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(guest.exit.u.mmio.addr, APIC + 0x302);
	ck_assert_uint_eq(guest.exit.u.mmio.width, 2);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

START_TEST(without_the_flag_the_command_is_mmio)
{
	start(0, AXVCPU_MODE_32, CODE(TO_HIGH TO_LOW FROM_LOW "\xf4"));
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(guest.exit.u.mmio.addr, APIC + 0x310);
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(guest.exit.u.mmio.addr, APIC + 0x300);
	guest_expect(&guest, AXVCPU_EXIT_MMIO_READ);
	ck_ok(axvcpu_complete_value(guest.vcpu, 77));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, RAX), 77);
	guest_end(&guest);
}
END_TEST

START_TEST(a_flush_finishes_a_command_and_keeps_its_destination)
{
	/* mov eax,0x02000000; TO_HIGH; TO_LOW; TO_LOW; hlt */
	start(AXVM_FORWARD_IPIS, AXVCPU_MODE_32,
	      CODE("\xb8\x00\x00\x00\x02" TO_HIGH TO_LOW TO_LOW "\xf4"));
	guest_expect(&guest, AXVCPU_EXIT_SEND_IPI);
	ck_fails(axvcpu_complete_value(guest.vcpu, 1), EBADFD);
	ck_ok(axvcpu_flush(guest.vcpu));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), GUEST_CODE + 15);
	guest_expect(&guest, AXVCPU_EXIT_SEND_IPI);
	ck_assert_uint_eq(guest.exit.u.ipi.target_cpu, 2);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

static void *kick_soon(void *arg)
{
	const struct timespec soon = { .tv_nsec = 50 * 1000 * 1000 };

	(void)arg;
	nanosleep(&soon, NULL);
	axvcpu_kick(guest.vcpu);
	return NULL;
}

/* A guest activity without exits must not keep a kick out. */
START_TEST(a_guest_that_does_nothing_else_can_be_kicked)
{
	pthread_t thread;

	/* again: TO_HIGH; FROM_LOW; jmp again */
	start(AXVM_FORWARD_IPIS, AXVCPU_MODE_32, CODE(TO_HIGH FROM_LOW "\xeb\xf4"));
	ck_assert_int_eq(pthread_create(&thread, NULL, kick_soon, NULL), 0);
	ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
	ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_NOTHING);
	ck_assert_uint_eq(guest.exit.kicked, 1);
	pthread_join(thread, NULL);
	guest_end(&guest);
}
END_TEST

/* --- the x2APIC ------------------------------------------------------------------------------------------ */

/* wrmsr of edx and eax to ecx, each given as four bytes */
#define WRMSR(msr, high, low) "\xb9" msr "\xba" high "\xb8" low "\x0f\x30"
#define RDMSR(msr) "\xb9" msr "\x0f\x32"
#define ICR "\x30\x08\x00\x00"
#define SELF_IPI "\x3f\x08\x00\x00"
/* cld; mov esi,0x4000; mov ecx,0x830; again: lodsd; mov edx,eax; lodsd; wrmsr; jmp again */
#define SEND_ALL_X2 "\xfc\xbe\x00\x40\x00\x00\xb9" ICR "\xad\x89\xc2\xad\x0f\x30\xeb\xf8"

START_TEST(every_x2apic_command_is_one_exit)
{
	start(AXVM_FORWARD_IPIS, AXVCPU_MODE_64, CODE(SEND_ALL_X2));
	for (size_t i = 0; i < NCOMMANDS; i++) {
		const uint32_t words[2] = { commands[i].destination, commands[i].low };

		ck_ok(axvm_write(guest.vm, COMMANDS + i * 8, words, sizeof(words)));
	}
	for (size_t i = 0; i < NCOMMANDS; i++)
		check_sent(&commands[i], KVM_EXIT_X86_WRMSR);
	guest_end(&guest);
}
END_TEST

START_TEST(the_x2apic_has_ids_of_32_bits_and_its_own_broadcast)
{
	static const struct sent far = IPI(0x12345678, ASSERT | 0x60, .target_cpu = 0x12345678,
					   .vector = 0x60);
	static const struct sent just_an_id = IPI(0xff, ASSERT | 0x61, .target_cpu = 0xff,
						  .vector = 0x61);
	static const struct sent to_all = IPI(0xffffffff, ASSERT | 0x62, .target_cpu = 0xffffffff,
					      .vector = 0x62, .send_to_all = 1, .send_to_self = 1);

	start(AXVM_FORWARD_IPIS, AXVCPU_MODE_64,
	      CODE(WRMSR(ICR, "\x78\x56\x34\x12", "\x60\x40\x00\x00")
			   WRMSR(ICR, "\xff\x00\x00\x00", "\x61\x40\x00\x00")
				   WRMSR(ICR, "\xff\xff\xff\xff", "\x62\x40\x00\x00") "\xf4"));
	check_sent(&far, KVM_EXIT_X86_WRMSR);
	check_sent(&just_an_id, KVM_EXIT_X86_WRMSR);
	check_sent(&to_all, KVM_EXIT_X86_WRMSR);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

START_TEST(the_x2apics_command_is_read_back_and_its_self_ipi_is_one)
{
	start(AXVM_FORWARD_IPIS, AXVCPU_MODE_64,
	      CODE(WRMSR(ICR, "\x03\x00\x00\x00", "\x62\x40\x00\x00") RDMSR(
		      ICR) "\xf4" WRMSR(SELF_IPI, "\x00\x00\x00\x00", "\x70\x00\x00\x00") "\xf4"));
	guest_expect(&guest, AXVCPU_EXIT_SEND_IPI);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, RAX), 0x4062);
	ck_assert_uint_eq(guest_reg(&guest, RDX), 3);
	guest_expect(&guest, AXVCPU_EXIT_SEND_IPI);
	ck_assert_uint_eq(guest.exit.u.ipi.vector, 0x70);
	ck_assert_uint_eq(guest.exit.u.ipi.send_to_self, 1);
	ck_assert_uint_eq(guest.exit.u.ipi.send_to_all, 0);
	ck_assert_uint_eq(guest.exit.u.ipi.level, 1);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

START_TEST(the_x2apics_other_registers_stay_faults)
{
	/* Its id; the self-IPI register, which is only written; an invalid EFER. */
	start(AXVM_FORWARD_IPIS, AXVCPU_MODE_64, CODE(LIDT RDMSR("\x02\x08\x00\x00") "\xf4"));
	expect_gp();
	guest_end(&guest);
	start(AXVM_FORWARD_IPIS, AXVCPU_MODE_64, CODE(LIDT RDMSR(SELF_IPI) "\xf4"));
	expect_gp();
	guest_end(&guest);
	start(AXVM_FORWARD_IPIS, AXVCPU_MODE_64,
	      CODE(LIDT WRMSR("\x80\x00\x00\xc0", "\xff\xff\xff\xff", "\xff\xff\xff\xff") "\xf4"));
	expect_gp();
	guest_end(&guest);
}
END_TEST

START_TEST(with_unknown_registers_forwarded_too_they_are_exits)
{
	start(AXVM_FORWARD_IPIS | AXVM_FORWARD_UNKNOWN_SYSREGS, AXVCPU_MODE_64,
	      CODE(RDMSR("\x02\x08\x00\x00")
			   WRMSR(ICR, "\x03\x00\x00\x00", "\x62\x40\x00\x00") "\xf4"));
	guest_expect(&guest, AXVCPU_EXIT_SYSREG_READ);
	ck_assert_uint_eq(guest.exit.u.sysreg.addr, 0x802);
	guest_expect(&guest, AXVCPU_EXIT_SEND_IPI);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

/* --- the rest --------------------------------------------------------------------------------------------- */

START_TEST(a_reset_forgets_the_command)
{
	/* FROM_HIGH; mov edx,eax; mov eax,0x55000000; TO_HIGH; out 0x10,al; hlt */
	start(AXVM_FORWARD_IPIS, AXVCPU_MODE_32,
	      CODE(FROM_HIGH "\x89\xc2\xb8\x00\x00\x00\x55" TO_HIGH "\xe6\x10\xf4"));
	for (int i = 0; i < 2; i++) {
		guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
		ck_assert_uint_eq(guest_reg(&guest, RDX), 0);
		ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	}
	guest_end(&guest);
}
END_TEST

START_TEST(with_the_kernels_lapic_there_is_nothing_to_forward)
{
	static const enum axvm_irqchip irqchips[] = { AXVM_IRQCHIP_KERNEL, AXVM_IRQCHIP_SPLIT };

	for (size_t i = 0; i < 2; i++) {
		struct axvm_config config = AXVM_CONFIG_INIT;
		struct axvm *vm = NULL;

		config.irqchip = irqchips[i];
		config.forward = AXVM_FORWARD_IPIS;
		ck_fails_saying(axvm_new(&config, &vm), EINVAL, "AXVM_FORWARD_IPIS");
		ck_assert_ptr_null(vm);
	}
}
END_TEST

static void check_text(const struct axvcpu_exit *exit, const char *want)
{
	char text[512];

	axvcpu_exit_describe(exit, text, sizeof(text));
	ck_assert_str_eq(text, want);
}

START_TEST(a_description_says_what_to_whom)
{
	struct axvcpu_exit exit = { .kind = AXVCPU_EXIT_SEND_IPI };
	struct axvcpu_exit_ipi *ipi = &exit.u.ipi;

	*ipi = (struct axvcpu_exit_ipi){ .target_cpu = 3, .vector = 241, .level = 1 };
	check_text(&exit, "SEND_IPI vector 241 to cpu 0x3 aux 0");
	*ipi = (struct axvcpu_exit_ipi){
		.target_cpu = 7, .vector = 49, .level = 1, .logical = 1, .delivery_mode = 1
	};
	check_text(&exit, "SEND_IPI lowest vector 49 to logical 0x7 aux 0");
	*ipi = (struct axvcpu_exit_ipi){ .delivery_mode = 4, .level = 1, .send_to_all = 1 };
	check_text(&exit, "SEND_IPI NMI vector 0 to all others");
	*ipi = (struct axvcpu_exit_ipi){
		.delivery_mode = 2, .level = 1, .send_to_all = 1, .send_to_self = 1
	};
	check_text(&exit, "SEND_IPI SMI vector 0 to all");
	*ipi = (struct axvcpu_exit_ipi){ .delivery_mode = 5, .send_to_self = 1 };
	check_text(&exit, "SEND_IPI INIT vector 0 to self deassert");
	*ipi = (struct axvcpu_exit_ipi){ .delivery_mode = 7, .level = 1, .send_to_self = 1 };
	check_text(&exit, "SEND_IPI mode 7 vector 0 to self");
	exit.kind = AXVCPU_EXIT_CPU_UP;
	exit.u.cpu_up = (struct axvcpu_exit_cpu_up){ .target_cpu = 2, .entry_point = 0x9a000 };
	check_text(&exit, "CPU_UP cpu 0x2 entry 0x9a000 arg 0");
	exit.u.cpu_up.target_cpu = AXVCPU_ALL_OTHERS;
	check_text(&exit, "CPU_UP all others entry 0x9a000 arg 0");
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *xapic = suite_case(suite, "xAPIC");
	TCase *x2apic = suite_case(suite, "x2APIC");
	TCase *rest = suite_case(suite, "rest");

	tcase_add_test(xapic, every_xapic_command_is_one_exit);
	tcase_add_test(xapic, the_xapics_broadcast_is_to_all);
	tcase_add_test(xapic, the_register_is_read_without_an_exit_and_never_pending);
	tcase_add_test(xapic, the_rest_of_the_page_stays_mmio);
	tcase_add_test(xapic, without_the_flag_the_command_is_mmio);
	tcase_add_test(xapic, a_flush_finishes_a_command_and_keeps_its_destination);
	tcase_add_test(xapic, a_guest_that_does_nothing_else_can_be_kicked);

	tcase_add_test(x2apic, every_x2apic_command_is_one_exit);
	tcase_add_test(x2apic, the_x2apic_has_ids_of_32_bits_and_its_own_broadcast);
	tcase_add_test(x2apic, the_x2apics_command_is_read_back_and_its_self_ipi_is_one);
	tcase_add_test(x2apic, the_x2apics_other_registers_stay_faults);
	tcase_add_test(x2apic, with_unknown_registers_forwarded_too_they_are_exits);

	tcase_add_test(rest, a_reset_forgets_the_command);
	tcase_add_test(rest, with_the_kernels_lapic_there_is_nothing_to_forward);
	tcase_add_test(rest, a_description_says_what_to_whom);
}

int main(void)
{
	return suite_main("x86 inter-processor interrupts", true, add_tests);
}
