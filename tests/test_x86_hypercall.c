/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * x86_64: the three kinds of hypercalls, and the guest's view of the answers. Needs a working
 * /dev/kvm.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <linux/kvm_para.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "guest.h"
#include "suite.h"

static struct guest guest;

#define RAX AXVCPU_REG_X86_RAX
#define RBX AXVCPU_REG_X86_RBX
#define DOORBELL 0x1e0u
#define NO_SUCH_CALL ((uint64_t)-KVM_ENOSYS)

static void start(uint32_t forward, enum axvcpu_mode mode, const void *code, size_t len)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.forward = forward;
	if (forward & AXVM_FORWARD_DOORBELL)
		config.doorbell_port = DOORBELL;
	guest_start_with(&guest, &config, mode, code, len);
}

static void check_call(uint64_t nr, const uint64_t args[6], uint64_t reason)
{
	guest_expect(&guest, AXVCPU_EXIT_HYPERCALL);
	ck_assert_uint_eq(guest.exit.u.hypercall.nr, nr);
	for (int i = 0; i < 6; i++)
		ck_assert_uint_eq(guest.exit.u.hypercall.args[i], args[i]);
	ck_assert_uint_eq(guest.exit.answerable, 1);
	ck_assert_uint_eq(guest.exit.raw_reason, reason);
	ck_assert_uint_eq(guest.exit.raw_code, 0);
}

/* --- the doorbell ----------------------------------------------------------------------------------- */

/*
 * mov rdi,-1 (sign-extended); mov esi,2; mov r8d,5; mov r9d,6; mov ecx,4; mov ebx,0x77;
 * mov eax,0x89abcdef; mov edx,0x1e0
 */
#define ARGUMENTS \
	"\x48\xc7\xc7\xff\xff\xff\xff\xbe\x02\x00\x00\x00\x41\xb8\x05\x00\x00\x00\x41\xb9\x06\x00" \
	"\x00\x00\xb9\x04\x00\x00\x00\xbb\x77\x00\x00\x00\xb8\xef\xcd\xab\x89\xba\xe0\x01\x00\x00"
#define OUT_EAX "\xef"
/* mov [0x4000],rax */
#define STORE "\x48\x89\x04\x25\x00\x40\x00\x00"
#define CALL ARGUMENTS OUT_EAX STORE "\xf4"

static const uint64_t arguments[6] = { UINT64_MAX, 2, DOORBELL, 4, 5, 6 };

/* The values that the guest's next instruction found. */
static uint64_t stored(void)
{
	uint64_t value;

	ck_ok(axvm_read(guest.vm, 0x4000, &value, sizeof(value)));
	return value;
}

START_TEST(a_doorbell_has_its_arguments_and_gets_its_answer)
{
	start(AXVM_FORWARD_DOORBELL, AXVCPU_MODE_64, CODE(CALL));
	check_call(0x89abcdef, arguments, KVM_EXIT_IO);
	ck_ok(axvcpu_complete_value(guest.vcpu, UINT64_C(0xfedcba9876543210)));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(stored(), UINT64_C(0xfedcba9876543210));
	ck_assert_uint_eq(guest_reg(&guest, RBX), 0x77);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), GUEST_CODE + sizeof(CALL) - 1);
	guest_end(&guest);
}
END_TEST

START_TEST(an_unanswered_doorbell_is_no_such_call)
{
	start(AXVM_FORWARD_DOORBELL, AXVCPU_MODE_64, CODE(CALL));
	check_call(0x89abcdef, arguments, KVM_EXIT_IO);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(stored(), NO_SUCH_CALL);
	guest_end(&guest);
}
END_TEST

START_TEST(set_return_value_answers_a_doorbell_once)
{
	start(AXVM_FORWARD_DOORBELL, AXVCPU_MODE_64, CODE(CALL));
	guest_expect(&guest, AXVCPU_EXIT_HYPERCALL);
	ck_ok(axvcpu_set_return_value(guest.vcpu, 4711));
	ck_fails(axvcpu_complete_value(guest.vcpu, 1), EBADFD);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(stored(), 4711);
	/* After another exit it is the register. */
	ck_ok(axvcpu_set_return_value(guest.vcpu, 4712));
	ck_assert_uint_eq(guest_reg(&guest, RAX), 4712);
	guest_end(&guest);
}
END_TEST

START_TEST(an_answer_of_the_wrong_kind_changes_nothing)
{
	start(AXVM_FORWARD_DOORBELL, AXVCPU_MODE_64, CODE(CALL));
	guest_expect(&guest, AXVCPU_EXIT_HYPERCALL);
	ck_fails_saying(axvcpu_complete_fault(guest.vcpu), EINVAL, "hypercall");
	ck_fails(axvcpu_complete_pair(guest.vcpu, 1, 2), EINVAL);
	ck_fails(axvcpu_complete_bytes(guest.vcpu, "1234", 4), EINVAL);
	ck_ok(axvcpu_complete_value(guest.vcpu, 3));
	ck_fails(axvcpu_complete_value(guest.vcpu, 4), EBADFD);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(stored(), 3);
	guest_end(&guest);
}
END_TEST

START_TEST(a_doorbell_rings_in_32_bit_code)
{
	/* mov edi,1; mov esi,2; mov edx,0x1e0; mov ecx,4; mov eax,9; out dx,eax; mov [0x4000],eax; hlt */
	static const uint64_t args[6] = { 1, 2, DOORBELL, 4, 0, 0 };

	start(AXVM_FORWARD_DOORBELL, AXVCPU_MODE_32,
	      CODE("\xbf\x01\x00\x00\x00\xbe\x02\x00\x00\x00\xba\xe0\x01\x00\x00\xb9\x04\x00\x00\x00"
		   "\xb8\x09\x00\x00\x00\xef\xa3\x00\x40\x00\x00\xf4"));
	check_call(9, args, KVM_EXIT_IO);
	ck_ok(axvcpu_complete_value(guest.vcpu, 0x12345678));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(stored(), 0x12345678);
	guest_end(&guest);
}
END_TEST

START_TEST(only_out_eax_to_its_port_is_a_doorbell)
{
	/*
	 * mov eax,1; mov edx,0x1e0; out dx,ax; out dx,al; in eax,dx; mov edx,0x1e4; mov eax,1;
	 * out dx,eax; mov edx,0x1e0; cld; mov esi,0x3000; mov ecx,2; rep outsd; hlt
	 */
	start(AXVM_FORWARD_DOORBELL, AXVCPU_MODE_64,
	      CODE("\xb8\x01\x00\x00\x00\xba\xe0\x01\x00\x00\x66\xef\xee\xed\xba\xe4\x01\x00\x00"
		   "\xb8\x01\x00\x00\x00\xef\xba\xe0\x01\x00\x00\xfc\xbe\x00\x30\x00\x00"
		   "\xb9\x02\x00\x00\x00\xf3\x6f\xf4"));
	ck_ok(axvm_write(guest.vm, 0x3000, "abcdefgh", 8));
	guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
	ck_assert_uint_eq(guest.exit.u.io.width, 2);
	guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
	ck_assert_uint_eq(guest.exit.u.io.width, 1);
	guest_expect(&guest, AXVCPU_EXIT_IO_READ);
	ck_assert_uint_eq(guest.exit.u.io.port, DOORBELL);
	ck_ok(axvcpu_complete_value(guest.vcpu, 0xaaaaaaaa));
	guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
	ck_assert_uint_eq(guest.exit.u.io.port, 0x1e4);
	ck_assert_uint_eq(guest.exit.answerable, 0);
	/* A string write is not a list of calls: its data are not call numbers. */
	for (uint32_t done = 0; done < 2; done += guest.exit.u.io.count) {
		guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
		ck_assert_uint_eq(guest.exit.u.io.data, done ? 0x68676665 : 0x64636261);
	}
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, RAX), 1);
	guest_end(&guest);
}
END_TEST

START_TEST(without_the_flag_a_doorbell_is_a_port)
{
	start(0, AXVCPU_MODE_64, CODE(CALL));
	guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
	ck_assert_uint_eq(guest.exit.u.io.port, DOORBELL);
	ck_assert_uint_eq(guest.exit.u.io.data, 0x89abcdef);
	ck_fails(axvcpu_complete_value(guest.vcpu, 1), EBADFD);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(stored(), 0x89abcdef);
	guest_end(&guest);
}
END_TEST

START_TEST(a_flush_brings_the_answer_into_the_register)
{
	start(AXVM_FORWARD_DOORBELL, AXVCPU_MODE_64, CODE(CALL));
	guest_expect(&guest, AXVCPU_EXIT_HYPERCALL);
	ck_ok(axvcpu_complete_value(guest.vcpu, 12));
	ck_ok(axvcpu_flush(guest.vcpu));
	ck_assert_uint_eq(guest_reg(&guest, RAX), 12);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC),
			  GUEST_CODE + sizeof(ARGUMENTS OUT_EAX) - 1);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(stored(), 12);
	guest_end(&guest);
}
END_TEST

START_TEST(a_register_written_at_a_doorbell_stays_written_and_so_does_the_answer)
{
	start(AXVM_FORWARD_DOORBELL, AXVCPU_MODE_64, CODE(CALL));
	guest_expect(&guest, AXVCPU_EXIT_HYPERCALL);
	ck_ok(axvcpu_complete_value(guest.vcpu, 12));
	ck_ok(axvcpu_set_reg(guest.vcpu, RBX, 0x99));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, RBX), 0x99);
	ck_assert_uint_eq(stored(), 12);
	guest_end(&guest);
}
END_TEST

START_TEST(a_new_entry_at_a_doorbell_is_gone_to)
{
	/* out 0x10,al; hlt */
	start(AXVM_FORWARD_DOORBELL, AXVCPU_MODE_64, CODE(CALL));
	ck_ok(axvm_write(guest.vm, 0x7000, "\xe6\x10\xf4", 3));
	guest_expect(&guest, AXVCPU_EXIT_HYPERCALL);
	ck_ok(axvcpu_set_entry(guest.vcpu, 0x7000));
	guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
	ck_assert_uint_eq(guest.exit.u.io.port, 0x10);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

START_TEST(unbind_at_a_doorbell_finishes_it)
{
	start(AXVM_FORWARD_DOORBELL, AXVCPU_MODE_64, CODE(CALL));
	guest_expect(&guest, AXVCPU_EXIT_HYPERCALL);
	ck_ok(axvcpu_complete_value(guest.vcpu, 12));
	ck_ok(axvcpu_unbind(guest.vcpu));
	ck_assert_uint_eq(guest_reg(&guest, RAX), 12);
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(stored(), 12);
	guest_end(&guest);
}
END_TEST

#define CALLS 10000u

START_TEST(ten_thousand_doorbells_are_answered_in_order)
{
	/*
	 * mov edx,0x1e0; xor ebx,ebx; mov esi,10000;
	 * again: mov eax,esi; out dx,eax; add rbx,rax; dec esi; jnz again; hlt
	 */
	uint64_t sum = 0;

	start(AXVM_FORWARD_DOORBELL, AXVCPU_MODE_64,
	      CODE("\xba\xe0\x01\x00\x00\x31\xdb\xbe\x10\x27\x00\x00\x89\xf0\xef\x48\x01\xc3\xff\xce"
		   "\x75\xf6\xf4"));
	for (uint64_t i = CALLS; i > 0; i--) {
		guest_expect(&guest, AXVCPU_EXIT_HYPERCALL);
		ck_assert_uint_eq(guest.exit.u.hypercall.nr, i);
		ck_assert_uint_eq(guest.exit.u.hypercall.args[1], i);
		ck_ok(axvcpu_complete_value(guest.vcpu, i << 32 | (i ^ 0x5555)));
		sum += i << 32 | (i ^ 0x5555);
	}
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, RBX), sum);
	guest_end(&guest);
}
END_TEST

START_TEST(a_description_has_the_number_and_the_arguments)
{
	char text[512];

	start(AXVM_FORWARD_DOORBELL, AXVCPU_MODE_64, CODE(CALL));
	guest_expect(&guest, AXVCPU_EXIT_HYPERCALL);
	axvcpu_exit_describe(&guest.exit, text, sizeof(text));
	ck_assert_str_eq(text,
			 "HYPERCALL nr 0x89abcdef args 0xffffffffffffffff 0x2 0x1e0 0x4 0x5 0x6");
	guest_end(&guest);
}
END_TEST

/* --- hypercall instructions ----------------------------------------------------------------------------- */

/* Result of asking KVM. Also called outside tests, where assertions are not possible. */
static int capability(unsigned int number)
{
	struct axvm *vm;
	int ret = axvm_new(NULL, &vm);

	if (!ret) {
		ret = axvm_capability(vm, number);
		axvm_free(vm);
	}
	return ret < 0 ? 0 : ret;
}

static bool has_xen_calls(void)
{
	return capability(KVM_CAP_XEN_HVM) & KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL;
}

static void refuse(const struct axvm_config *config, int err, const char *text)
{
	struct axvm *vm = NULL;

	ck_fails_saying(axvm_new(config, &vm), err, text);
	ck_assert_ptr_null(vm);
}

/* VMMCALL: KVM replaces it by the CPU's own instruction. */
#define VMMCALL "\x0f\x01\xd9"
/*
 * mov eax,0x1234; mov edi,1; mov esi,2; mov edx,3; mov r10d,4; mov r8d,5; mov r9d,6; then the call
 */
#define XEN_CALL \
	"\xb8\x34\x12\x00\x00\xbf\x01\x00\x00\x00\xbe\x02\x00\x00\x00\xba\x03\x00\x00\x00" \
	"\x41\xba\x04\x00\x00\x00\x41\xb8\x05\x00\x00\x00\x41\xb9\x06\x00\x00\x00" VMMCALL

START_TEST(hypercalls_are_forwarded_or_refused_by_capability_name)
{
	static const uint64_t args[6] = { 1, 2, 3, 4, 5, 6 };
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.forward = AXVM_FORWARD_HYPERCALLS;
	if (!has_xen_calls()) {
		refuse(&config, ENOTSUP, "KVM_CAP_XEN_HVM");
		return;
	}
	start(AXVM_FORWARD_HYPERCALLS, AXVCPU_MODE_64, CODE(XEN_CALL STORE XEN_CALL STORE "\xf4"));
	check_call(0x1234, args, KVM_EXIT_XEN);
	ck_fails(axvcpu_complete_fault(guest.vcpu), EINVAL);
	ck_ok(axvcpu_complete_value(guest.vcpu, UINT64_C(0xfedcba9876543210)));
	check_call(0x1234, args, KVM_EXIT_XEN);
	ck_assert_uint_eq(stored(), UINT64_C(0xfedcba9876543210));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(stored(), NO_SUCH_CALL);
	guest_end(&guest);
}
END_TEST

/* Without paging user code can be everywhere. */
static void enter_user_mode(void)
{
	struct kvm_sregs sregs;

	ck_assert_int_eq(ioctl(axvcpu_fd(guest.vcpu), KVM_GET_SREGS, &sregs), 0);
	sregs.cs.selector |= 3;
	sregs.cs.dpl = 3;
	sregs.ss.selector |= 3;
	sregs.ss.dpl = 3;
	ck_assert_int_eq(ioctl(axvcpu_fd(guest.vcpu), KVM_SET_SREGS, &sregs), 0);
}

/*
 * mov eax,0x1234; mov ebx,1; mov ecx,2; mov edx,3; mov esi,4; mov edi,5; mov ebp,6; the call;
 * mov ebx,eax; the call; hlt
 */
#define XEN_CALL_32 \
	"\xb8\x34\x12\x00\x00\xbb\x01\x00\x00\x00\xb9\x02\x00\x00\x00\xba\x03\x00\x00\x00" \
	"\xbe\x04\x00\x00\x00\xbf\x05\x00\x00\x00\xbd\x06\x00\x00\x00" VMMCALL "\x89\xc3" VMMCALL \
	"\xf4"

START_TEST(call_from_32_bit_user_code_reports_registers_and_mode)
{
	for (uint64_t ring = 0; ring <= 3; ring += 3) {
		start(AXVM_FORWARD_HYPERCALLS, AXVCPU_MODE_32, CODE(XEN_CALL_32));
		if (ring)
			enter_user_mode();
		guest_expect(&guest, AXVCPU_EXIT_HYPERCALL);
		ck_assert_uint_eq(guest.exit.raw_code, ring);
		ck_assert_uint_eq(guest.exit.u.hypercall.nr, 0x1234);
		for (uint64_t i = 0; i < 6; i++)
			ck_assert_uint_eq(guest.exit.u.hypercall.args[i], i + 1);
		ck_ok(axvcpu_complete_value(guest.vcpu, 0x89abcdef));
		guest_expect(&guest, AXVCPU_EXIT_HYPERCALL);
		ck_assert_uint_eq(guest.exit.u.hypercall.nr, 0x89abcdef);
		ck_assert_uint_eq(guest.exit.u.hypercall.args[0], 0x89abcdef);
		guest_end(&guest);
	}
}
END_TEST

/* mov eax,0x40000001; cpuid; hlt */
#define KVM_FEATURES "\xb8\x01\x00\x00\x40\x0f\xa2\xf4"

static uint64_t kvm_features(uint32_t forward)
{
	uint64_t features;

	start(forward, AXVCPU_MODE_32, CODE(KVM_FEATURES));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	features = guest_reg(&guest, RAX);
	guest_end(&guest);
	return features;
}

START_TEST(cpuid_lists_the_available_hypercalls)
{
	const uint64_t own = 1u << KVM_FEATURE_PV_UNHALT | 1u << KVM_FEATURE_PV_SEND_IPI |
			     1u << KVM_FEATURE_PV_SCHED_YIELD;
	const uint64_t map = 1u << KVM_FEATURE_HC_MAP_GPA_RANGE;

	ck_assert_uint_eq(kvm_features(0) & map, 0);
	if (capability(KVM_CAP_EXIT_HYPERCALL))
		ck_assert_uint_eq(kvm_features(AXVM_FORWARD_MAP_GPA_RANGE), kvm_features(0) | map);
	if (capability(KVM_CAP_XEN_HVM))
		ck_assert_uint_eq(kvm_features(AXVM_FORWARD_HYPERCALLS) & own, 0);
}
END_TEST

/* mov eax,12; mov ebx,0x100000; mov ecx,3; mov edx,0x10; then the call */
#define MAP_CALL \
	"\xb8\x0c\x00\x00\x00\xbb\x00\x00\x10\x00\xb9\x03\x00\x00\x00\xba\x10\x00\x00\x00" VMMCALL

START_TEST(map_gpa_range_is_forwarded_and_other_calls_stay_with_kvm)
{
	static const uint64_t args[6] = { 0x100000, 3, 0x10, 0, 0, 0 };

	/* Then the same with number 99, which is none. */
	start(AXVM_FORWARD_MAP_GPA_RANGE, AXVCPU_MODE_64,
	      CODE(MAP_CALL STORE MAP_CALL STORE "\xb8\x63\x00\x00\x00" VMMCALL STORE "\xf4"));
	check_call(KVM_HC_MAP_GPA_RANGE, args, KVM_EXIT_HYPERCALL);
	ck_ok(axvcpu_complete_value(guest.vcpu, 0));
	check_call(KVM_HC_MAP_GPA_RANGE, args, KVM_EXIT_HYPERCALL);
	ck_assert_uint_eq(stored(), 0);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(stored(), NO_SUCH_CALL);
	guest_end(&guest);
}
END_TEST

/* --- configs that make no sense -------------------------------------------------------------------------- */

START_TEST(a_doorbell_config_that_makes_no_sense_is_refused)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.doorbell_port = 0x10;
	refuse(&config, EINVAL, "doorbell_port");
	config.forward = AXVM_FORWARD_DOORBELL;
	config.doorbell_port = 0x10000;
	refuse(&config, EINVAL, "doorbell_port");
	config.doorbell_port = UINT32_MAX;
	refuse(&config, EINVAL, "doorbell_port");
}
END_TEST

START_TEST(two_conventions_of_calls_at_once_are_refused)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.forward = AXVM_FORWARD_HYPERCALLS | AXVM_FORWARD_MAP_GPA_RANGE;
	refuse(&config, EINVAL, "AXVM_FORWARD_MAP_GPA_RANGE");
}
END_TEST

/* A port, of which all numbers are good. */
START_TEST(the_first_and_the_last_port_can_be_doorbells)
{
	/* mov eax,7; mov edx,0xffff; out dx,eax; out 0,eax; hlt */
	static const unsigned char code[] = { 0xb8, 7, 0, 0,	0,    0xba, 0xff,
					      0xff, 0, 0, 0xef, 0xe7, 0,    0xf4 };
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.forward = AXVM_FORWARD_DOORBELL;
	config.doorbell_port = 0xffff;
	guest_start_with(&guest, &config, AXVCPU_MODE_32, code, sizeof(code));
	guest_expect(&guest, AXVCPU_EXIT_HYPERCALL);
	ck_ok(axvcpu_complete_value(guest.vcpu, 7));
	guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
	guest_end(&guest);

	config.doorbell_port = 0;
	guest_start_with(&guest, &config, AXVCPU_MODE_32, code, sizeof(code));
	guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
	guest_expect(&guest, AXVCPU_EXIT_HYPERCALL);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *doorbell = suite_case(suite, "doorbell");
	TCase *calls = suite_case(suite, "instructions");
	TCase *configs = suite_case(suite, "configs");

	tcase_add_test(doorbell, a_doorbell_has_its_arguments_and_gets_its_answer);
	tcase_add_test(doorbell, an_unanswered_doorbell_is_no_such_call);
	tcase_add_test(doorbell, set_return_value_answers_a_doorbell_once);
	tcase_add_test(doorbell, an_answer_of_the_wrong_kind_changes_nothing);
	tcase_add_test(doorbell, a_doorbell_rings_in_32_bit_code);
	tcase_add_test(doorbell, only_out_eax_to_its_port_is_a_doorbell);
	tcase_add_test(doorbell, without_the_flag_a_doorbell_is_a_port);
	tcase_add_test(doorbell, a_flush_brings_the_answer_into_the_register);
	tcase_add_test(doorbell,
		       a_register_written_at_a_doorbell_stays_written_and_so_does_the_answer);
	tcase_add_test(doorbell, a_new_entry_at_a_doorbell_is_gone_to);
	tcase_add_test(doorbell, unbind_at_a_doorbell_finishes_it);
	tcase_add_test(doorbell, ten_thousand_doorbells_are_answered_in_order);
	tcase_add_test(doorbell, a_description_has_the_number_and_the_arguments);

	tcase_add_test(calls, hypercalls_are_forwarded_or_refused_by_capability_name);
	if (has_xen_calls())
		tcase_add_test(calls, call_from_32_bit_user_code_reports_registers_and_mode);
	else
		suite_left_out("call_from_32_bit_user_code_reports_registers_and_mode",
			       "this KVM has no KVM_CAP_XEN_HVM");
	tcase_add_test(calls, cpuid_lists_the_available_hypercalls);
	if (guest_kvm_is_pvm())
		suite_left_out("map_gpa_range_is_forwarded_and_other_calls_stay_with_kvm",
			       "VMMCALL never ends in this flavour of KVM");
	else
		tcase_add_test(calls, map_gpa_range_is_forwarded_and_other_calls_stay_with_kvm);

	tcase_add_test(configs, a_doorbell_config_that_makes_no_sense_is_refused);
	tcase_add_test(configs, two_conventions_of_calls_at_once_are_refused);
	tcase_add_test(configs, the_first_and_the_last_port_can_be_doorbells);
}

int main(void)
{
	return suite_main("x86 hypercalls", true, add_tests);
}
