/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * x86_64: accesses to MSRs as exits, the guest's view of the answers, and the MSRs that KVM keeps.
 * Needs a working /dev/kvm.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "suite.h"
#include "x86_guest.h"

static struct guest guest;

#define RAX AXVCPU_REG_X86_RAX
#define RDX AXVCPU_REG_X86_RDX
#define MSR AXVCPU_REG_X86_MSR

/* Of KVM's own: 64 bits on every CPU, the last two for an address. */
#define STAR 0xc0000081u
#define LSTAR 0xc0000082u
#define CSTAR 0xc0000083u
#define EFER 0xc0000080u
/* An unassigned MSR. */
#define UNKNOWN 0xdead0000u

/* Code: ecx is the MSR, given as four bytes. */
#define READ(msr) "\xb9" msr "\x0f\x32"
/* Of 0x5566778811223344. */
#define WRITE(msr) "\xb9" msr "\xb8\x44\x33\x22\x11\xba\x88\x77\x66\x55\x0f\x30"
#define WRITTEN UINT64_C(0x5566778811223344)
#define M_STAR "\x81\x00\x00\xc0"
#define M_LSTAR "\x82\x00\x00\xc0"
#define M_CSTAR "\x83\x00\x00\xc0"
#define M_EFER "\x80\x00\x00\xc0"
#define M_UNKNOWN "\x00\x00\xad\xde"

static void start(uint32_t forward, const struct axvm_sysreg_range *ranges, uint32_t count,
		  const void *code, size_t len)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.forward = forward;
	config.sysregs = ranges;
	config.nsysregs = count;
	guest_start_with(&guest, &config, AXVCPU_MODE_64, code, len);
	x86_load_idt(&guest);
	x86_handle(&guest, 13, X86_TELL_ERROR);
}

/* Runs to the guest's report of a general-protection fault, with error code 0. */
static void expect_gp(void)
{
	x86_expect_out(&guest, X86_ERROR_PORT, 0);
	x86_expect_vector(&guest, 13);
}

static void check(enum axvcpu_exit_kind kind, uint32_t msr, uint64_t value, uint64_t reason)
{
	guest_expect(&guest, kind);
	ck_assert_uint_eq(guest.exit.u.sysreg.addr, msr);
	ck_assert_uint_eq(guest.exit.u.sysreg.value, value);
	ck_assert_uint_eq(guest.exit.u.sysreg.write_mask, UINT64_MAX);
	ck_assert_uint_eq(guest.exit.u.sysreg.reg_known, 0);
	ck_assert_uint_eq(guest.exit.answerable, 1);
	ck_assert_uint_eq(guest.exit.raw_reason, kind == AXVCPU_EXIT_SYSREG_READ
							 ? KVM_EXIT_X86_RDMSR
							 : KVM_EXIT_X86_WRMSR);
	ck_assert_uint_eq(guest.exit.raw_code, reason);
}

static void check_result(uint64_t value)
{
	ck_assert_uint_eq(guest_reg(&guest, RAX), value & UINT32_MAX);
	ck_assert_uint_eq(guest_reg(&guest, RDX), value >> 32);
}

#define READS AXVCPU_ACCESS_READ
#define WRITES AXVCPU_ACCESS_WRITE
#define BOTH (AXVCPU_ACCESS_READ | AXVCPU_ACCESS_WRITE)

static const struct axvm_sysreg_range all_three[] = { { STAR, 3, BOTH, 0 } };

/* --- filters ---------------------------------------------------------------------------------------- */

START_TEST(a_filtered_read_gets_its_answer)
{
	start(0, all_three, 1, CODE(READ(M_LSTAR) HLT));
	ck_ok(axvcpu_set_reg(guest.vcpu, MSR(LSTAR), 0x1234));
	check(AXVCPU_EXIT_SYSREG_READ, LSTAR, 0, KVM_MSR_EXIT_REASON_FILTER);
	ck_ok(axvcpu_complete_value(guest.vcpu, UINT64_C(0xa1a2a3a4b1b2b3b4)));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	check_result(UINT64_C(0xa1a2a3a4b1b2b3b4));
	guest_end(&guest);
}
END_TEST

START_TEST(a_filtered_write_carries_its_value_and_does_not_reach_kvm)
{
	start(0, all_three, 1, CODE(WRITE(M_LSTAR) WRITE(M_CSTAR) HLT));
	ck_ok(axvcpu_set_reg(guest.vcpu, MSR(LSTAR), 0x1234));
	check(AXVCPU_EXIT_SYSREG_WRITE, LSTAR, WRITTEN, KVM_MSR_EXIT_REASON_FILTER);
	/* Any value takes it. */
	ck_ok(axvcpu_complete_value(guest.vcpu, 99));
	check(AXVCPU_EXIT_SYSREG_WRITE, CSTAR, WRITTEN, KVM_MSR_EXIT_REASON_FILTER);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, MSR(LSTAR)), 0x1234);
	ck_assert_uint_eq(guest_reg(&guest, MSR(CSTAR)), 0);
	guest_end(&guest);
}
END_TEST

START_TEST(an_unanswered_read_is_0_and_an_unanswered_write_is_done_with)
{
	start(0, all_three, 1, CODE(WRITE(M_STAR) READ(M_STAR) HLT));
	check(AXVCPU_EXIT_SYSREG_WRITE, STAR, WRITTEN, KVM_MSR_EXIT_REASON_FILTER);
	check(AXVCPU_EXIT_SYSREG_READ, STAR, 0, KVM_MSR_EXIT_REASON_FILTER);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	check_result(0);
	guest_end(&guest);
}
END_TEST

START_TEST(a_fault_is_a_general_protection_fault_of_the_guest)
{
	start(0, all_three, 1, CODE(LIDT READ(M_STAR) HLT));
	check(AXVCPU_EXIT_SYSREG_READ, STAR, 0, KVM_MSR_EXIT_REASON_FILTER);
	ck_ok(axvcpu_complete_fault(guest.vcpu));
	expect_gp();
	guest_end(&guest);

	start(0, all_three, 1, CODE(LIDT WRITE(M_STAR) HLT));
	check(AXVCPU_EXIT_SYSREG_WRITE, STAR, WRITTEN, KVM_MSR_EXIT_REASON_FILTER);
	ck_ok(axvcpu_complete_fault(guest.vcpu));
	expect_gp();
	guest_end(&guest);
}
END_TEST

START_TEST(only_the_accesses_of_a_range_become_exits)
{
	static const struct axvm_sysreg_range ranges[] = {
		{ STAR, 1, READS, 0 },
		{ LSTAR, 1, WRITES, 0 },
	};

	start(0, ranges, 2, CODE(WRITE(M_STAR) READ(M_STAR) READ(M_LSTAR) WRITE(M_LSTAR) HLT));
	ck_ok(axvcpu_set_reg(guest.vcpu, MSR(LSTAR), 0x1234));
	check(AXVCPU_EXIT_SYSREG_READ, STAR, 0, KVM_MSR_EXIT_REASON_FILTER);
	check(AXVCPU_EXIT_SYSREG_WRITE, LSTAR, WRITTEN, KVM_MSR_EXIT_REASON_FILTER);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	/* The write that no range has went through. */
	ck_assert_uint_eq(guest_reg(&guest, MSR(STAR)), WRITTEN);
	guest_end(&guest);
}
END_TEST

START_TEST(a_range_ends_where_it_ends)
{
	static const struct axvm_sysreg_range middle[] = { { LSTAR, 1, BOTH, 0 } };

	start(0, middle, 1, CODE(READ(M_STAR) READ(M_CSTAR) READ(M_LSTAR) HLT));
	check(AXVCPU_EXIT_SYSREG_READ, LSTAR, 0, KVM_MSR_EXIT_REASON_FILTER);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

START_TEST(the_longest_range_filters_to_its_end)
{
	/* Behind the x2APIC's, so that it ends with the last of 12288. */
	static const struct axvm_sysreg_range ranges[] = { { 0x900, 12288, BOTH, 0 } };

	start(0, ranges, 1, CODE(LIDT READ("\xff\x38\x00\x00") READ("\x00\x39\x00\x00") HLT));
	check(AXVCPU_EXIT_SYSREG_READ, 0x38ff, 0, KVM_MSR_EXIT_REASON_FILTER);
	/* The next is unknown. */
	expect_gp();
	guest_end(&guest);
}
END_TEST

START_TEST(sixteen_ranges_work_and_are_copied)
{
	struct axvm_sysreg_range ranges[16];
	struct axvm_config config = AXVM_CONFIG_INIT;

	for (uint32_t i = 0; i < 16; i++)
		ranges[i] = (struct axvm_sysreg_range){ 0x40000100 + i, 1, READS, 0 };
	config.sysregs = ranges;
	config.nsysregs = 16;
	guest_create(&guest, &config, CODE(READ("\x00\x01\x00\x40") READ("\x0f\x01\x00\x40") HLT));
	memset(ranges, 0xff, sizeof(ranges));
	guest_setup(&guest, AXVCPU_MODE_64);
	ck_ok(axvcpu_bind(guest.vcpu));
	check(AXVCPU_EXIT_SYSREG_READ, 0x40000100, 0, KVM_MSR_EXIT_REASON_FILTER);
	check(AXVCPU_EXIT_SYSREG_READ, 0x4000010f, 0, KVM_MSR_EXIT_REASON_FILTER);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

/* A filter without the library's help: set by the caller while the VM runs already. */
START_TEST(a_filter_set_late_through_the_descriptor_works_as_one_from_the_config)
{
	static __u8 none[1];
	struct kvm_enable_cap cap = { .cap = KVM_CAP_X86_USER_SPACE_MSR,
				      .args = { KVM_MSR_EXIT_REASON_FILTER } };
	struct kvm_msr_filter filter = { .ranges = { { .flags = KVM_MSR_FILTER_READ,
						       .nmsrs = 1,
						       .base = STAR,
						       .bitmap = none } } };

	start(0, NULL, 0, CODE(READ(M_STAR) HLT READ(M_STAR) HLT));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_int_eq(ioctl(axvm_fd(guest.vm), KVM_ENABLE_CAP, &cap), 0);
	ck_assert_int_eq(ioctl(axvm_fd(guest.vm), KVM_X86_SET_MSR_FILTER, &filter), 0);
	check(AXVCPU_EXIT_SYSREG_READ, STAR, 0, KVM_MSR_EXIT_REASON_FILTER);
	ck_ok(axvcpu_complete_value(guest.vcpu, 7));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	check_result(7);
	guest_end(&guest);
}
END_TEST

/* --- registers that KVM does not know ------------------------------------------------------------------ */

START_TEST(an_unknown_register_is_a_fault_unless_it_is_forwarded)
{
	start(0, NULL, 0, CODE(LIDT READ(M_UNKNOWN) HLT));
	expect_gp();
	guest_end(&guest);

	start(AXVM_FORWARD_UNKNOWN_SYSREGS, NULL, 0,
	      CODE(LIDT WRITE(M_UNKNOWN) READ(M_UNKNOWN) HLT));
	check(AXVCPU_EXIT_SYSREG_WRITE, UNKNOWN, WRITTEN, KVM_MSR_EXIT_REASON_UNKNOWN);
	check(AXVCPU_EXIT_SYSREG_READ, UNKNOWN, 0, KVM_MSR_EXIT_REASON_UNKNOWN);
	ck_ok(axvcpu_complete_value(guest.vcpu, 42));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	check_result(42);
	guest_end(&guest);
}
END_TEST

START_TEST(an_invalid_access_to_a_known_register_stays_a_fault)
{
	static const enum axvm_irqchip irqchips[] = { AXVM_IRQCHIP_NONE, AXVM_IRQCHIP_KERNEL };

	/* Reserved bits of EFER. */
	for (size_t i = 0; i < 2; i++) {
		struct axvm_config config = AXVM_CONFIG_INIT;

		config.irqchip = irqchips[i];
		config.forward = AXVM_FORWARD_UNKNOWN_SYSREGS;
		guest_create(&guest, &config, CODE(LIDT WRITE(M_EFER) "\xe6\x10" HLT));
		guest_setup(&guest, AXVCPU_MODE_64);
		x86_load_idt(&guest);
		x86_handle(&guest, 13, X86_TELL_ERROR);
		ck_ok(axvcpu_bind(guest.vcpu));
		expect_gp();
		guest_end(&guest);
	}
}
END_TEST

START_TEST(without_an_irqchip_the_x2apic_is_forwarded_as_unknown)
{
	start(0, NULL, 0, CODE(LIDT READ("\x02\x08\x00\x00") HLT));
	expect_gp();
	guest_end(&guest);

	start(AXVM_FORWARD_UNKNOWN_SYSREGS, NULL, 0,
	      CODE(LIDT READ("\x02\x08\x00\x00") WRITE("\x0b\x08\x00\x00") HLT));
	guest_expect(&guest, AXVCPU_EXIT_SYSREG_READ);
	ck_assert_uint_eq(guest.exit.u.sysreg.addr, 0x802);
	ck_ok(axvcpu_complete_value(guest.vcpu, 5));
	guest_expect(&guest, AXVCPU_EXIT_SYSREG_WRITE);
	ck_assert_uint_eq(guest.exit.u.sysreg.addr, 0x80b);
	ck_assert_uint_eq(guest_reg(&guest, RAX), 0x11223344);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

/* --- answers --------------------------------------------------------------------------------------------- */

START_TEST(an_answer_of_the_wrong_kind_changes_nothing)
{
	const struct axvcpu_answer nonsense = { .kind = 99 };

	start(0, all_three, 1, CODE(READ(M_STAR) HLT));
	check(AXVCPU_EXIT_SYSREG_READ, STAR, 0, KVM_MSR_EXIT_REASON_FILTER);
	ck_fails_saying(axvcpu_complete_pair(guest.vcpu, 1, 2), EINVAL, "MSR");
	ck_fails(axvcpu_complete_bytes(guest.vcpu, "12345678", 8), EINVAL);
	ck_fails(axvcpu_complete(guest.vcpu, &nonsense), EINVAL);
	ck_ok(axvcpu_complete_value(guest.vcpu, 8));
	ck_fails(axvcpu_complete_value(guest.vcpu, 9), EBADFD);
	ck_fails(axvcpu_complete_fault(guest.vcpu), EBADFD);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	check_result(8);
	ck_fails(axvcpu_complete_value(guest.vcpu, 9), EBADFD);
	guest_end(&guest);
}
END_TEST

START_TEST(a_flush_finishes_the_access)
{
	start(0, all_three, 1, CODE(READ(M_STAR) HLT));
	check(AXVCPU_EXIT_SYSREG_READ, STAR, 0, KVM_MSR_EXIT_REASON_FILTER);
	ck_ok(axvcpu_complete_value(guest.vcpu, 8));
	ck_ok(axvcpu_flush(guest.vcpu));
	check_result(8);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), GUEST_CODE + 7);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

/* A fault is due, not done: flush leaves it to the next entry, or to the registers. */
START_TEST(a_fault_survives_a_flush)
{
	start(0, all_three, 1, CODE(LIDT READ(M_STAR) HLT));
	check(AXVCPU_EXIT_SYSREG_READ, STAR, 0, KVM_MSR_EXIT_REASON_FILTER);
	ck_ok(axvcpu_complete_fault(guest.vcpu));
	ck_ok(axvcpu_flush(guest.vcpu));
	expect_gp();
	guest_end(&guest);
}
END_TEST

START_TEST(a_description_has_the_register_and_the_value)
{
	char text[512];

	start(0, all_three, 1, CODE(WRITE(M_LSTAR) HLT));
	guest_expect(&guest, AXVCPU_EXIT_SYSREG_WRITE);
	axvcpu_exit_describe(&guest.exit, text, sizeof(text));
	ck_assert_str_eq(text,
			 "SYSREG_WRITE 0xc0000082 value 0x5566778811223344 mask 0xffffffffffffffff");
	guest_end(&guest);
}
END_TEST

/* --- configs that make no sense ------------------------------------------------------------------------- */

static void refuse(const struct axvm_config *config, int err, const char *text)
{
	struct axvm *vm = NULL;

	ck_fails_saying(axvm_new(config, &vm), err, text);
	ck_assert_ptr_null(vm);
}

START_TEST(a_range_that_makes_no_sense_is_refused)
{
	static const struct {
		struct axvm_sysreg_range range;
		int err;
		const char *text;
	} cases[] = {
		{ { 0x174, 0, BOTH, 0 }, EINVAL, "not a valid range" },
		{ { 0xffffffff, 2, BOTH, 0 }, EINVAL, "not a valid range" },
		{ { 1, 0xffffffff, BOTH, 0 }, EINVAL, "12288" },
		{ { 0x174, 12289, BOTH, 0 }, EINVAL, "12288" },
		{ { 0x174, 1, 0, 0 }, EINVAL, "access" },
		{ { 0x174, 1, AXVCPU_ACCESS_EXEC, 0 }, EINVAL, "access" },
		{ { 0x174, 1, BOTH | 0x100, 0 }, EINVAL, "access" },
		{ { 0x174, 1, BOTH, 1 }, EINVAL, "reserved" },
		{ { 0x7ff, 2, BOTH, 0 }, EINVAL, "x2APIC" },
		{ { 0x8ff, 1, READS, 0 }, EINVAL, "x2APIC" },
		{ { 0, 0x1000, WRITES, 0 }, EINVAL, "x2APIC" },
	};
	struct axvm_config config = AXVM_CONFIG_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* Behind one that is in order. */
		const struct axvm_sysreg_range ranges[] = { { 0x900, 1, BOTH, 0 }, cases[i].range };

		config.sysregs = ranges;
		config.nsysregs = 2;
		refuse(&config, cases[i].err, cases[i].text);
		ck_assert_ptr_nonnull(strstr(axvcpu_last_error(), "sysregs[1]"));
	}
}
END_TEST

START_TEST(the_last_register_and_the_neighbours_of_the_x2apic_can_be_filtered)
{
	static const struct axvm_sysreg_range ranges[] = {
		{ 0xffffffff, 1, BOTH, 0 },
		{ 0x7ff, 1, BOTH, 0 },
		{ 0x900, 1, BOTH, 0 },
	};
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm *vm;

	config.sysregs = ranges;
	config.nsysregs = 3;
	ck_ok(axvm_new(&config, &vm));
	ck_ok(axvm_free(vm));
}
END_TEST

START_TEST(a_list_of_ranges_that_makes_no_sense_is_refused)
{
	struct axvm_sysreg_range ranges[17];
	struct axvm_config config = AXVM_CONFIG_INIT;

	for (uint32_t i = 0; i < 17; i++)
		ranges[i] = (struct axvm_sysreg_range){ 0x174 + i, 1, READS, 0 };
	config.nsysregs = 1;
	refuse(&config, EINVAL, "sysregs is NULL");
	config.sysregs = ranges;
	config.nsysregs = 17;
	refuse(&config, EINVAL, "maximum is 16");
	config.nsysregs = UINT32_MAX;
	refuse(&config, EINVAL, "maximum is");
	/* A pointer without a count is ignored. */
	config.nsysregs = 0;
	{
		struct axvm *vm;

		ck_ok(axvm_new(&config, &vm));
		ck_ok(axvm_free(vm));
	}
}
END_TEST

START_TEST(unknown_bits_in_forward_are_refused)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.forward = AXVM_FORWARD_POWER_OFF << 1;
	refuse(&config, EINVAL, "forward");
	config.forward = UINT32_MAX;
	refuse(&config, EINVAL, "forward");
}
END_TEST

START_TEST(notify_window_works_or_is_refused_by_capability_name)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm *vm;

	ck_ok(axvm_new(NULL, &vm));
	config.notify_window = 100000;
	if (axvm_capability(vm, KVM_CAP_X86_NOTIFY_VMEXIT) > 0) {
		/* Intel: a guest that takes its interrupts never notices. */
		guest_start_with(&guest, &config, AXVCPU_MODE_32, CODE("\xe6\x10\xf4"));
		guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
		guest_expect(&guest, AXVCPU_EXIT_HALT);
		guest_end(&guest);
	} else {
		refuse(&config, ENOTSUP, "KVM_CAP_X86_NOTIFY_VMEXIT");
	}
	ck_ok(axvm_free(vm));
}
END_TEST

/* --- changed later ---------------------------------------------------------------------------- */

/* Reads STAR, writes to port 1, reads LSTAR, writes to port 1; and again. */
#define READ_BOTH READ(M_STAR) OUT("\x01") READ(M_LSTAR) OUT("\x01") "\xeb\xec"

static void set_sysregs(uint32_t msr)
{
	const struct axvm_sysreg_range range = { msr, 1, READS, 0 };

	ck_ok(axvm_set_sysregs(guest.vm, &range, 1));
}

/* A round in which the guest's read of this MSR, 0 for none, is an exit. */
static void expect_round(uint32_t msr)
{
	if (msr == STAR)
		check(AXVCPU_EXIT_SYSREG_READ, STAR, 0, KVM_MSR_EXIT_REASON_FILTER);
	guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
	if (msr == LSTAR)
		check(AXVCPU_EXIT_SYSREG_READ, LSTAR, 0, KVM_MSR_EXIT_REASON_FILTER);
	guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
}

START_TEST(the_ranges_are_replaced_between_runs)
{
	start(0, NULL, 0, CODE(READ_BOTH));
	expect_round(0);
	set_sysregs(STAR);
	expect_round(STAR);
	expect_round(STAR);
	set_sysregs(LSTAR);
	expect_round(LSTAR);
	ck_ok(axvm_set_sysregs(guest.vm, NULL, 0));
	expect_round(0);
	set_sysregs(STAR);
	expect_round(STAR);
	guest_end(&guest);
}
END_TEST

START_TEST(ranges_of_the_config_are_replaced_too_and_forwarding_stays)
{
	static const struct axvm_sysreg_range range = { STAR, 1, READS, 0 };

	start(AXVM_FORWARD_UNKNOWN_SYSREGS, &range, 1, CODE(READ(M_UNKNOWN) READ_BOTH));
	check(AXVCPU_EXIT_SYSREG_READ, UNKNOWN, 0, KVM_MSR_EXIT_REASON_UNKNOWN);
	expect_round(STAR);
	set_sysregs(LSTAR);
	expect_round(LSTAR);
	ck_ok(axvcpu_set_entry(guest.vcpu, GUEST_CODE));
	check(AXVCPU_EXIT_SYSREG_READ, UNKNOWN, 0, KVM_MSR_EXIT_REASON_UNKNOWN);
	guest_end(&guest);
}
END_TEST

START_TEST(refused_ranges_leave_the_present_ones)
{
	struct axvm_sysreg_range ranges[17] = { { LSTAR, 1, READS, 0 } };

	start(0, NULL, 0, CODE(READ_BOTH));
	set_sysregs(STAR);
	ranges[1] = (struct axvm_sysreg_range){ 0x800, 1, READS, 0 };
	ck_fails_saying(axvm_set_sysregs(guest.vm, ranges, 2), EINVAL, "x2APIC");
	ranges[1] = (struct axvm_sysreg_range){ STAR, 0, READS, 0 };
	ck_fails_saying(axvm_set_sysregs(guest.vm, ranges, 2), EINVAL, "sysregs[1]");
	ck_fails_saying(axvm_set_sysregs(guest.vm, NULL, 1), EINVAL, "NULL");
	for (uint32_t i = 0; i < 17; i++)
		ranges[i] = (struct axvm_sysreg_range){ 0x174 + i, 1, READS, 0 };
	ck_fails_saying(axvm_set_sysregs(guest.vm, ranges, 17), EINVAL, "maximum is 16");
	expect_round(STAR);
	guest_end(&guest);
}
END_TEST

static void *set_later(void *arg)
{
	usleep(20000);
	set_sysregs(STAR);
	return arg;
}

START_TEST(a_vcpu_in_the_guest_gets_them_without_a_kick)
{
	pthread_t thread;

	/* Reads STAR forever. */
	start(0, NULL, 0, CODE(READ(M_STAR) "\xeb\xf7"));
	ck_assert_int_eq(pthread_create(&thread, NULL, set_later, NULL), 0);
	check(AXVCPU_EXIT_SYSREG_READ, STAR, 0, KVM_MSR_EXIT_REASON_FILTER);
	pthread_join(thread, NULL);
	guest_end(&guest);
}
END_TEST

/* --- KVM's own ------------------------------------------------------------------------------------------ */

START_TEST(registers_that_kvm_keeps_are_read_and_written)
{
	start(0, NULL, 0, CODE(READ(M_CSTAR) WRITE(M_CSTAR) HLT));
	ck_assert_uint_eq(guest_reg(&guest, MSR(CSTAR)), 0);
	ck_ok(axvcpu_set_reg(guest.vcpu, MSR(CSTAR), UINT64_C(0x7fff12345678)));
	ck_assert_uint_eq(guest_reg(&guest, MSR(CSTAR)), UINT64_C(0x7fff12345678));
	/* Not mixed up with the neighbours. */
	ck_assert_uint_eq(guest_reg(&guest, MSR(LSTAR)), 0);
	ck_assert_uint_eq(guest_reg(&guest, MSR(EFER)), guest_reg(&guest, AXVCPU_REG_X86_EFER));
	guest_end(&guest);
}
END_TEST

START_TEST(the_guest_reads_what_was_set)
{
	start(0, NULL, 0, CODE(READ(M_CSTAR) HLT));
	ck_ok(axvcpu_set_reg(guest.vcpu, MSR(CSTAR), UINT64_C(0x7fff12345678)));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	check_result(UINT64_C(0x7fff12345678));
	guest_end(&guest);
}
END_TEST

START_TEST(register_unknown_to_kvm_is_not_found)
{
	uint64_t value = 77;

	start(AXVM_FORWARD_UNKNOWN_SYSREGS, NULL, 0, CODE(HLT));
	ck_fails(axvcpu_get_reg(guest.vcpu, MSR(UNKNOWN), &value), ENOENT);
	ck_assert_uint_eq(value, 77);
	ck_fails(axvcpu_set_reg(guest.vcpu, MSR(UNKNOWN), 1), ENOENT);
	/* Nor is anything between the two kinds of ids. */
	ck_fails(axvcpu_get_reg(guest.vcpu, UINT64_C(2) << 32, &value), ENOENT);
	ck_fails(axvcpu_set_reg(guest.vcpu, UINT64_C(2) << 32, 1), ENOENT);
	guest_end(&guest);
}
END_TEST

START_TEST(a_value_that_kvm_refuses_changes_nothing)
{
	uint64_t before;

	start(0, NULL, 0, CODE(HLT));
	before = guest_reg(&guest, MSR(EFER));
	ck_fails_saying(axvcpu_set_reg(guest.vcpu, MSR(EFER), UINT64_MAX), EINVAL, "0xc0000080");
	ck_assert_uint_eq(guest_reg(&guest, MSR(EFER)), before);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *filters = suite_case(suite, "filters");
	TCase *unknown = suite_case(suite, "unknown registers");
	TCase *answers = suite_case(suite, "answers");
	TCase *configs = suite_case(suite, "configs");
	TCase *later = suite_case(suite, "changed later");
	TCase *raw = suite_case(suite, "raw access");

	tcase_add_test(filters, a_filtered_read_gets_its_answer);
	tcase_add_test(filters, a_filtered_write_carries_its_value_and_does_not_reach_kvm);
	tcase_add_test(filters, an_unanswered_read_is_0_and_an_unanswered_write_is_done_with);
	tcase_add_test(filters, a_fault_is_a_general_protection_fault_of_the_guest);
	tcase_add_test(filters, only_the_accesses_of_a_range_become_exits);
	tcase_add_test(filters, a_range_ends_where_it_ends);
	tcase_add_test(filters, the_longest_range_filters_to_its_end);
	tcase_add_test(filters, sixteen_ranges_work_and_are_copied);
	tcase_add_test(filters,
		       a_filter_set_late_through_the_descriptor_works_as_one_from_the_config);

	tcase_add_test(unknown, an_unknown_register_is_a_fault_unless_it_is_forwarded);
	tcase_add_test(unknown, an_invalid_access_to_a_known_register_stays_a_fault);
	tcase_add_test(unknown, without_an_irqchip_the_x2apic_is_forwarded_as_unknown);

	tcase_add_test(answers, an_answer_of_the_wrong_kind_changes_nothing);
	tcase_add_test(answers, a_flush_finishes_the_access);
	tcase_add_test(answers, a_fault_survives_a_flush);
	tcase_add_test(answers, a_description_has_the_register_and_the_value);

	tcase_add_test(configs, a_range_that_makes_no_sense_is_refused);
	tcase_add_test(configs, the_last_register_and_the_neighbours_of_the_x2apic_can_be_filtered);
	tcase_add_test(configs, a_list_of_ranges_that_makes_no_sense_is_refused);
	tcase_add_test(configs, unknown_bits_in_forward_are_refused);
	tcase_add_test(configs, notify_window_works_or_is_refused_by_capability_name);

	tcase_add_test(later, the_ranges_are_replaced_between_runs);
	tcase_add_test(later, ranges_of_the_config_are_replaced_too_and_forwarding_stays);
	tcase_add_test(later, refused_ranges_leave_the_present_ones);
	tcase_add_test(later, a_vcpu_in_the_guest_gets_them_without_a_kick);

	tcase_add_test(raw, registers_that_kvm_keeps_are_read_and_written);
	tcase_add_test(raw, the_guest_reads_what_was_set);
	tcase_add_test(raw, register_unknown_to_kvm_is_not_found);
	tcase_add_test(raw, a_value_that_kvm_refuses_changes_nothing);
}

int main(void)
{
	return suite_main("x86 system registers", true, add_tests);
}
