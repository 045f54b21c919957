/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * riscv64: conversations by SBI. Which extensions KVM answers itself and which come out was found
 * out with these; docs/guests.md and docs/exits.md say so. Needs a working /dev/kvm.
 */
#include <errno.h>
#include <pthread.h>

#include "riscv64_guest.h"
#include "suite.h"

#define SUCCESS 0
#define NOT_SUPPORTED UINT64_C(-2)
#define INVALID_PARAM UINT64_C(-3)
#define ALREADY_AVAILABLE UINT64_C(-6)

/* SBI 0.1: each function is an extension. */
#define CONSOLE_PUTCHAR 1u
#define CONSOLE_GETCHAR 2u
#define BASE 0x10u
#define BASE_PROBE 3u
#define TIME 0x54494d45u
#define IPI 0x735049u
#define RFENCE 0x52464e43u
#define HSM 0x48534du
#define HSM_START 0u
#define HSM_STATUS 2u
#define HSM_STARTED 0
#define HSM_STOPPED 1
#define SRST 0x53525354u
#define PMU 0x504d55u
#define PMU_NUM_COUNTERS 0u
#define DBCN 0x4442434eu
#define SUSP 0x53555350u
#define STA 0x535441u
#define STA_SET_SHMEM 0u
#define EXPERIMENTAL 0x08000000u
#define VENDOR 0x09000000u
#define NOBODYS 0x07654321u

static struct guest guest;

static void start(const struct axvm_config *config, const struct axvcpu_riscv64_extension *sbi)
{
	struct axvcpu_riscv64_setup riscv = AXVCPU_RISCV64_SETUP_INIT;
	struct axvcpu_setup_config setup = guest_setup_config(0);

	guest_create(&guest, config, PROGRAM(sbi));
	riscv.sbi = sbi;
	riscv.nsbi = sbi ? 1 : 0;
	setup.arch = &riscv;
	setup.arg = GUEST_CELL_OF(0);
	ck_ok(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup));
	ck_ok(axvcpu_bind(guest.vcpu));
}

static void put_call(uint64_t extension, uint64_t function, uint64_t a0, uint64_t a1, uint64_t a2)
{
	const struct sbi_cell cell = { extension, function, { a0, a1, a2, 13, 14, 15 }, 7, 7 };

	ck_ok(axvm_write(guest.vm, GUEST_CELL_OF(0), &cell, sizeof(cell)));
}

static struct sbi_cell get_answer(void)
{
	struct sbi_cell cell;

	guest_expect_write(&guest, GUEST_MMIO, 0);
	ck_ok(axvm_read(guest.vm, GUEST_CELL_OF(0), &cell, sizeof(cell)));
	return cell;
}

/* A call that the kernel answers: without an exit. */
static struct sbi_cell call(uint64_t extension, uint64_t function, uint64_t a0, uint64_t a1,
			    uint64_t a2)
{
	put_call(extension, function, a0, a1, a2);
	return get_answer();
}

static bool probe(uint64_t extension)
{
	struct sbi_cell answer = call(BASE, BASE_PROBE, extension, 0, 0);

	ck_assert_uint_eq(answer.error, SUCCESS);
	return answer.value;
}

static bool is_switched_on(uint32_t n)
{
	uint64_t on = 0;

	return !axvcpu_get_reg(guest.vcpu, AXVCPU_REG_RISCV64_SBI_EXTENSION(n), &on) && on;
}

/* --- calls that stay in the kernel ------------------------------------------------------------- */

START_TEST(expected_sbi_extensions_are_present)
{
	start(NULL, NULL);
	ck_assert(probe(BASE));
	ck_assert(probe(TIME));
	ck_assert(probe(IPI));
	ck_assert(probe(RFENCE));
	ck_assert(probe(HSM));
	ck_assert(probe(SRST));
	/* Where the host has the features they are about. */
	ck_assert_int_eq(probe(PMU), is_switched_on(AXVCPU_RISCV64_SBI_PMU));
	ck_assert_int_eq(probe(STA), is_switched_on(AXVCPU_RISCV64_SBI_STA));
	/* Extensions that are off unless asked for, or unknown. */
	ck_assert(!probe(DBCN));
	ck_assert(!probe(SUSP));
	ck_assert(!probe(NOBODYS));
	guest_end(&guest);
}
END_TEST

START_TEST(the_kernel_answers_the_others_itself)
{
	static const uint64_t extensions[] = { BASE, TIME, IPI,	    RFENCE, HSM,
					       PMU,  STA,  NOBODYS, DBCN,   SUSP };
	struct sbi_cell answer;

	start(NULL, NULL);
	/* The specification's version; whose this is: KVM is 3. */
	answer = call(BASE, 0, 0, 0, 0);
	ck_assert_uint_eq(answer.error, SUCCESS);
	ck_assert_uint_ge(answer.value >> 24, 1);
	answer = call(BASE, 1, 0, 0, 0);
	ck_assert_uint_eq(answer.value, 3);
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
		answer = call(extensions[i], 1000, 0, 0, 0);
		ck_assert_uint_eq(answer.error, NOT_SUPPORTED);
	}
	answer = call(TIME, 0, UINT64_MAX, 0, 0);
	ck_assert_uint_eq(answer.error, SUCCESS);
	/* To itself. */
	answer = call(IPI, 0, 1, 0, 0);
	ck_assert_uint_eq(answer.error, SUCCESS);
	ck_assert_uint_ne(guest_reg(&guest, AXVCPU_REG_RISCV64_SIP) & 2, 0);
	answer = call(RFENCE, 0, 1, 0, 0);
	ck_assert_uint_eq(answer.error, SUCCESS);
	answer = call(HSM, HSM_STATUS, 0, 0, 0);
	ck_assert_uint_eq(answer.error, SUCCESS);
	ck_assert_uint_eq(answer.value, HSM_STARTED);
	answer = call(HSM, HSM_START, 0, GUEST_CODE, 0);
	ck_assert_uint_eq(answer.error, ALREADY_AVAILABLE);
	answer = call(HSM, HSM_START, 9, GUEST_CODE, 0);
	ck_assert_uint_eq(answer.error, INVALID_PARAM);
	answer = call(PMU, PMU_NUM_COUNTERS, 0, 0, 0);
	ck_assert_uint_eq(answer.error, probe(PMU) ? SUCCESS : NOT_SUPPORTED);
	ck_assert_int_eq(answer.value > 0, probe(PMU));
	/* Nowhere: to switch it off. */
	answer = call(STA, STA_SET_SHMEM, UINT64_MAX, UINT64_MAX, 0);
	ck_assert_uint_eq(answer.error, probe(STA) ? SUCCESS : NOT_SUPPORTED);
	guest_end(&guest);
}
END_TEST

START_TEST(a_timer_interrupts)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(timer));
	guest_expect_write(&guest, GUEST_MMIO + 8, UINT64_C(1) << 63 | 5);
	guest_end(&guest);
}
END_TEST

static void end_by(uint64_t type, enum axvcpu_exit_kind kind)
{
	start(NULL, NULL);
	put_call(SRST, 0, type, 0, 0);
	guest_expect(&guest, kind);
	ck_assert_uint_eq(guest.exit.answerable, 0);
	ck_assert_uint_eq(guest.exit.raw_code, type ? 2 : 1);
	ck_fails(axvcpu_run(guest.vcpu, &guest.exit), EBADFD);
	/* And lives again. */
	put_call(BASE, 1, 0, 0, 0);
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, GUEST_CELL_OF(0)));
	ck_assert_uint_eq(get_answer().value, 3);
	guest_end(&guest);
}

START_TEST(system_reset_ends_the_machine)
{
	end_by(0, AXVCPU_EXIT_SYSTEM_DOWN);
	end_by(1, AXVCPU_EXIT_SYSTEM_RESET);
	end_by(2, AXVCPU_EXIT_SYSTEM_RESET);
}
END_TEST

START_TEST(invalid_reset_type_returns_to_the_guest)
{
	start(NULL, NULL);
	ck_assert_uint_eq(call(SRST, 0, 0x1234, 0, 0).error, NOT_SUPPORTED);
	guest_end(&guest);
}
END_TEST

/* --- calls that are exits ----------------------------------------------------------------------- */

static void expect_call(uint64_t extension, uint64_t function)
{
	guest_expect(&guest, AXVCPU_EXIT_HYPERCALL);
	ck_assert_uint_eq(guest.exit.answerable, 1);
	ck_assert_uint_eq(guest.exit.raw_code, function);
	ck_assert_uint_eq(guest.exit.u.hypercall.nr, extension);
}

START_TEST(a_vendors_call_has_its_arguments_and_gets_two_words)
{
	static const uint64_t extensions[] = { EXPERIMENTAL, EXPERIMENTAL + 0xffffff, VENDOR,
					       VENDOR + 0x123456, VENDOR + 0xffffff };
	struct sbi_cell answer;

	start(NULL, NULL);
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
		put_call(extensions[i], 0x77 + i, 10, 11, 12);
		expect_call(extensions[i], 0x77 + i);
		for (unsigned int n = 0; n < 6; n++)
			ck_assert_uint_eq(guest.exit.u.hypercall.args[n], 10 + n);
		ck_ok(axvcpu_complete_pair(guest.vcpu, 0x1111 + i, UINT64_C(0x2222222222222222)));
		answer = get_answer();
		ck_assert_uint_eq(answer.error, 0x1111 + i);
		ck_assert_uint_eq(answer.value, UINT64_C(0x2222222222222222));
	}
	guest_end(&guest);
}
END_TEST

/*
 * Debian's KVM has no SBI 0.1 (CONFIG_RISCV_SBI_V01), but reports the extension as enabled: the
 * placeholder of a left-out extension has a switch, too. So the guest's probe decides which KVM
 * this is.
 */
START_TEST(the_console_of_sbi_0_1_comes_out_or_is_not_there)
{
	static const uint64_t extensions[] = { CONSOLE_PUTCHAR, CONSOLE_GETCHAR };
	const struct axvcpu_riscv64_extension v01 = { "v01", 0, 0 };
	struct sbi_cell answer;

	start(NULL, NULL);
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
		if (probe(extensions[i])) {
			ck_assert(is_switched_on(AXVCPU_RISCV64_SBI_V01));
			put_call(extensions[i], 0, 'x', 0, 0);
			expect_call(extensions[i], 0);
			ck_assert_uint_eq(guest.exit.u.hypercall.args[0], 'x');
			ck_ok(axvcpu_complete_value(guest.vcpu, 'y'));
			ck_assert_uint_eq(get_answer().error, 'y');
		} else {
			answer = call(extensions[i], 0, 'x', 0, 0);
			ck_assert_uint_eq(answer.error, NOT_SUPPORTED);
		}
	}
	guest_end(&guest);
	start(NULL, &v01);
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
		ck_assert_uint_eq(call(extensions[i], 0, 'x', 0, 0).error, NOT_SUPPORTED);
	guest_end(&guest);
}
END_TEST

/* Whether they are there is their answerer's to say. */
START_TEST(a_probe_for_a_vendors_extension_comes_out)
{
	static const uint64_t extensions[] = { EXPERIMENTAL, VENDOR };

	start(NULL, NULL);
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
		put_call(BASE, BASE_PROBE, extensions[i], 0, 0);
		expect_call(BASE, BASE_PROBE);
		ck_assert_uint_eq(guest.exit.u.hypercall.args[0], extensions[i]);
		ck_ok(axvcpu_complete_pair(guest.vcpu, SUCCESS, 1));
		ck_assert_uint_eq(get_answer().value, 1);
	}
	guest_end(&guest);
}
END_TEST

START_TEST(a_value_is_the_first_word)
{
	struct sbi_cell answer;

	start(NULL, NULL);
	put_call(VENDOR, 0, 1, 2, 3);
	expect_call(VENDOR, 0);
	ck_ok(axvcpu_complete_value(guest.vcpu, 42));
	answer = get_answer();
	ck_assert_uint_eq(answer.error, 42);
	ck_assert_uint_eq(answer.value, 0);
	expect_call(VENDOR, 0);
	ck_ok(axvcpu_set_return_value(guest.vcpu, 43));
	answer = get_answer();
	ck_assert_uint_eq(answer.error, 43);
	ck_assert_uint_eq(answer.value, 0);
	guest_end(&guest);
}
END_TEST

START_TEST(unanswered_call_returns_not_supported)
{
	struct sbi_cell answer;

	start(NULL, NULL);
	put_call(VENDOR, 0, 1, 2, 3);
	expect_call(VENDOR, 0);
	answer = get_answer();
	ck_assert_uint_eq(answer.error, NOT_SUPPORTED);
	ck_assert_uint_eq(answer.value, 0);
	guest_end(&guest);
}
END_TEST

START_TEST(a_call_is_answered_once_and_by_words_only)
{
	static const char byte[1];

	start(NULL, NULL);
	put_call(VENDOR, 0, 1, 2, 3);
	expect_call(VENDOR, 0);
	ck_fails(axvcpu_complete_fault(guest.vcpu), EINVAL);
	ck_fails(axvcpu_complete_bytes(guest.vcpu, byte, 1), EINVAL);
	ck_ok(axvcpu_complete_pair(guest.vcpu, 1, 2));
	ck_fails(axvcpu_complete_pair(guest.vcpu, 3, 4), EBADFD);
	ck_assert_uint_eq(get_answer().value, 2);
	guest_end(&guest);
}
END_TEST

START_TEST(a_flush_finishes_the_call)
{
	start(NULL, NULL);
	put_call(VENDOR, 0, 1, 2, 3);
	expect_call(VENDOR, 0);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), PROGRAM_AT(sbi, after) - 4);
	ck_ok(axvcpu_complete_pair(guest.vcpu, 5, 6));
	ck_ok(axvcpu_flush(guest.vcpu));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), PROGRAM_AT(sbi, after));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_RISCV64_A0), 5);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_RISCV64_A1), 6);
	ck_assert_uint_eq(get_answer().error, 5);
	guest_end(&guest);
}
END_TEST

/* --- switches ----------------------------------------------------------------------------------- */

START_TEST(a_debug_console_that_is_switched_on_comes_out)
{
	const struct axvcpu_riscv64_extension dbcn = { "dbcn", 0, 1 };
	struct sbi_cell answer;

	start(NULL, &dbcn);
	ck_assert(probe(DBCN));
	/* console_write, console_read, console_write_byte */
	for (uint64_t function = 0; function < 3; function++) {
		put_call(DBCN, function, 10, 11, 12);
		expect_call(DBCN, function);
		ck_assert_uint_eq(guest.exit.u.hypercall.args[0], 10);
		ck_ok(axvcpu_complete_pair(guest.vcpu, SUCCESS, 10));
		answer = get_answer();
		ck_assert_uint_eq(answer.error, SUCCESS);
		ck_assert_uint_eq(answer.value, 10);
	}
	/* A function that there is not: KVM of Linux 6.12 answers, later ones hand out that call, too. */
	put_call(DBCN, 3, 0, 0, 0);
	do
		ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
	while (guest.exit.kind == AXVCPU_EXIT_NOTHING);
	if (guest.exit.kind == AXVCPU_EXIT_HYPERCALL) {
		ck_assert_uint_eq(guest.exit.u.hypercall.nr, DBCN);
		ck_ok(axvcpu_complete_pair(guest.vcpu, NOT_SUPPORTED, 0));
		answer = get_answer();
	} else {
		ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_MMIO_WRITE);
		ck_ok(axvm_read(guest.vm, GUEST_CELL_OF(0), &answer, sizeof(answer)));
	}
	ck_assert_uint_eq(answer.error, NOT_SUPPORTED);
	guest_end(&guest);
}
END_TEST

/* KVM has it from Linux 6.17 on. */
START_TEST(a_suspend_that_is_switched_on_comes_out_or_is_refused_by_its_name)
{
	const struct axvcpu_riscv64_extension susp = { "susp", 0, 1 };
	struct axvcpu_riscv64_setup riscv = AXVCPU_RISCV64_SETUP_INIT;
	struct axvcpu_setup_config setup = guest_setup_config(0);
	int ret;

	guest_create(&guest, NULL, PROGRAM(sbi));
	riscv.sbi = &susp;
	riscv.nsbi = 1;
	setup.arch = &riscv;
	setup.arg = GUEST_CELL_OF(0);
	ret = axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup);
	if (ret) {
		ck_assert_int_eq(ret, -ENOTSUP);
		ck_assert_ptr_nonnull(strstr(axvcpu_last_error(), "SBI extension susp"));
	} else {
		ck_ok(axvcpu_bind(guest.vcpu));
		put_call(SUSP, 0, 0, GUEST_CODE, GUEST_CELL_OF(0));
		expect_call(SUSP, 0);
		ck_ok(axvcpu_complete_pair(guest.vcpu, NOT_SUPPORTED, 0));
		/* KVM has set the vCPU to resume where the call said, whatever the answer. */
		ck_assert(probe(HSM));
	}
	guest_end(&guest);
}
END_TEST

START_TEST(an_extension_that_is_switched_off_is_not_there)
{
	const struct axvcpu_riscv64_extension vendor = { "vendor", 0, 0 };

	start(NULL, &vendor);
	ck_assert_uint_eq(call(VENDOR, 0, 0, 0, 0).error, NOT_SUPPORTED);
	guest_end(&guest);
}
END_TEST

/* --- harts -------------------------------------------------------------------------------------- */

#define OTHER_CODE (GUEST_BASE + 0x2000)

struct other {
	struct axvcpu *vcpu;
	struct axvcpu_exit exit;
	pthread_t thread;
	unsigned int started;
	unsigned int told_to_go;
};

/* A vCPU that waits in the kernel, for the guest to start it. */
static struct axvcpu *new_hart(uint32_t id)
{
	struct axvcpu_setup_config setup = guest_setup_config(id);
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;
	struct axvcpu *vcpu = NULL;

	config.id = id;
	ck_ok(axvcpu_new(guest.vm, &config, &vcpu));
	ck_ok(axvcpu_setup(vcpu, GUEST_CODE, 0, &setup));
	return vcpu;
}

/* Runs the other hart, through two lives, until it waits for the third. */
static void *run_other(void *ctx)
{
	struct other *other = ctx;

	ck_ok(axvcpu_bind(other->vcpu));
	do {
		ck_ok(axvcpu_run(other->vcpu, &other->exit));
		switch (other->exit.kind) {
		case AXVCPU_EXIT_MMIO_WRITE:
			/* a0 is its own id, a1 the value given by the starter. */
			if (other->exit.u.mmio.addr == GUEST_MMIO + 0x10)
				ck_assert_uint_eq(other->exit.u.mmio.data, 1);
			else if (other->exit.u.mmio.addr == GUEST_MMIO + 0x18)
				ck_assert_uint_eq(other->exit.u.mmio.data,
						  0x500 + other->started++);
			else
				ck_abort_msg("the hart has not stopped");
			break;
		case AXVCPU_EXIT_MMIO_READ:
			ck_ok(axvcpu_complete_value(other->vcpu, 0));
			other->told_to_go++;
			break;
		default:
			ck_assert_uint_eq(other->exit.kind, AXVCPU_EXIT_NOTHING);
			break;
		}
	} while (!other->exit.kicked);
	ck_ok(axvcpu_unbind(other->vcpu));
	return NULL;
}

static uint64_t status_of_other(void)
{
	struct sbi_cell answer = call(HSM, HSM_STATUS, 1, 0, 0);

	ck_assert_uint_eq(answer.error, SUCCESS);
	return answer.value;
}

START_TEST(a_hart_is_started_and_stops_itself_without_an_exit)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct other other = { .started = 0 };

	config.max_vcpus = 2;
	start(&config, NULL);
	ck_ok(axvm_write(guest.vm, OTHER_CODE, PROGRAM(hart)));
	other.vcpu = new_hart(1);
	ck_assert_int_eq(pthread_create(&other.thread, NULL, run_other, &other), 0);
	for (unsigned int life = 0; life < 2; life++) {
		ck_assert_uint_eq(status_of_other(), HSM_STOPPED);
		ck_assert_uint_eq(call(HSM, HSM_START, 1, OTHER_CODE, 0x500 + life).error, SUCCESS);
		while (status_of_other() != HSM_STOPPED)
			;
	}
	ck_ok(axvcpu_kick(other.vcpu));
	ck_assert_int_eq(pthread_join(other.thread, NULL), 0);
	ck_assert_uint_eq(other.started, 2);
	ck_assert_uint_eq(other.told_to_go, 2);
	ck_ok(axvcpu_free(other.vcpu));
	guest_end(&guest);
}
END_TEST

/* Begins with a second hart, which is bound to the calling thread, too, and waits to be started. */
static struct guest start_with_other(void)
{
	struct guest other;

	start(&AXVCPU_WITH(axvm_config, .max_vcpus = 2), NULL);
	ck_ok(axvm_write(guest.vm, OTHER_CODE, PROGRAM(hart)));
	other = (struct guest){ .vm = guest.vm, .vcpu = new_hart(1) };
	ck_ok(axvcpu_bind(other.vcpu));
	return other;
}

static void start_other(uint64_t value)
{
	ck_assert_uint_eq(call(HSM, HSM_START, 1, OTHER_CODE, value).error, SUCCESS);
}

static void end_with_other(struct guest *other)
{
	ck_ok(axvcpu_unbind(other->vcpu));
	ck_ok(axvcpu_free(other->vcpu));
	guest_end(&guest);
}

/* It waits where it has never run, or where a kick has ended its run. */
START_TEST(a_hart_that_was_started_and_has_not_run_is_saved_as_started)
{
	struct guest other = start_with_other(), clone, other_clone;

	if (_i) {
		ck_ok(axvcpu_kick(other.vcpu));
		guest_expect(&other, AXVCPU_EXIT_NOTHING);
	}
	start_other(0x500);
	clone = guest_clone(&guest);
	other_clone = (struct guest){ .vm = clone.vm, .vcpu = axvm_vcpu(clone.vm, 1) };
	ck_ok(axvcpu_bind(other_clone.vcpu));
	guest_expect_write(&other_clone, GUEST_MMIO + 0x10, 1);
	guest_expect_write(&other_clone, GUEST_MMIO + 0x18, 0x500);
	ck_ok(axvcpu_unbind(other_clone.vcpu));
	ck_ok(axvcpu_free(other_clone.vcpu));
	guest_end(&clone);
	/* And this one, which the checkpoint has not disturbed. */
	guest_expect_write(&other, GUEST_MMIO + 0x10, 1);
	guest_expect_write(&other, GUEST_MMIO + 0x18, 0x500);
	end_with_other(&other);
}
END_TEST

START_TEST(a_restore_undoes_a_start_that_has_not_happened_yet)
{
	struct guest other = start_with_other();
	struct axvm_checkpoint *checkpoint;

	start_other(0x500);
	guest_expect_write(&other, GUEST_MMIO + 0x10, 1);
	ck_ok(axvm_quiesce(guest.vm, NULL, 0));
	ck_ok(axvm_checkpoint_new(guest.vm, NULL, &checkpoint));
	guest_expect_write(&other, GUEST_MMIO + 0x18, 0x500);
	guest_expect_read(&other, GUEST_MMIO + 0x20);
	ck_ok(axvcpu_complete_value(other.vcpu, 0));
	while (status_of_other() != HSM_STOPPED)
		ck_ok(axvcpu_run_for(other.vcpu, 1000000, &other.exit));
	start_other(0x501);
	ck_assert_int_ge(axvm_checkpoint_restore(checkpoint, guest.vm, NULL), 0);
	guest_expect_write(&other, GUEST_MMIO + 0x18, 0x500);
	ck_ok(axvm_checkpoint_free(checkpoint));
	end_with_other(&other);
}
END_TEST

START_TEST(reset_starts_a_hart_that_was_never_started)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvcpu *boot;

	config.max_vcpus = 2;
	start(&config, NULL);
	ck_ok(axvm_write(guest.vm, OTHER_CODE, PROGRAM(hart)));
	ck_ok(axvcpu_unbind(guest.vcpu));
	boot = guest.vcpu;
	guest.vcpu = new_hart(1);
	ck_assert_int_eq(axvcpu_power(guest.vcpu), AXVCPU_POWER_ON);
	ck_fails(axvcpu_start(guest.vcpu, OTHER_CODE, 0x77), EALREADY);
	ck_ok(axvcpu_reset(guest.vcpu, OTHER_CODE, 0x77));
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect_write(&guest, GUEST_MMIO + 0x10, 1);
	guest_expect_write(&guest, GUEST_MMIO + 0x18, 0x77);
	ck_ok(axvcpu_free(boot));
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *kernel = suite_case(suite, "the kernel's");
	TCase *forwarded = suite_case(suite, "forwarded");
	TCase *switches = suite_case(suite, "switches");
	TCase *harts = suite_case(suite, "harts");

	tcase_add_test(kernel, expected_sbi_extensions_are_present);
	tcase_add_test(kernel, the_kernel_answers_the_others_itself);
	tcase_add_test(kernel, a_timer_interrupts);
	tcase_add_test(kernel, system_reset_ends_the_machine);
	tcase_add_test(kernel, invalid_reset_type_returns_to_the_guest);
	tcase_add_test(forwarded, a_vendors_call_has_its_arguments_and_gets_two_words);
	tcase_add_test(forwarded, the_console_of_sbi_0_1_comes_out_or_is_not_there);
	tcase_add_test(forwarded, a_probe_for_a_vendors_extension_comes_out);
	tcase_add_test(forwarded, a_value_is_the_first_word);
	tcase_add_test(forwarded, unanswered_call_returns_not_supported);
	tcase_add_test(forwarded, a_call_is_answered_once_and_by_words_only);
	tcase_add_test(forwarded, a_flush_finishes_the_call);
	tcase_add_test(switches, a_debug_console_that_is_switched_on_comes_out);
	tcase_add_test(switches, a_suspend_that_is_switched_on_comes_out_or_is_refused_by_its_name);
	tcase_add_test(switches, an_extension_that_is_switched_off_is_not_there);
	tcase_add_test(harts, a_hart_is_started_and_stops_itself_without_an_exit);
	tcase_add_loop_test(harts, a_hart_that_was_started_and_has_not_run_is_saved_as_started, 0, 2);
	tcase_add_test(harts, a_restore_undoes_a_start_that_has_not_happened_yet);
	tcase_add_test(harts, reset_starts_a_hart_that_was_never_started);
}

int main(void)
{
	return suite_main("riscv64_sbi", true, add_tests);
}
