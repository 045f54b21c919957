/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * x86_64: exits about the machine: those without a kind, resets and crashes. Needs a working
 * /dev/kvm.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "guest.h"
#include "suite.h"

static struct guest guest;

/* --- exits without a kind ----------------------------------------------------------------------- */

#define RING_ENTRIES 1024u

/*
 * A log of the pages that the guest writes, which the library does not do, through capabilities and
 * the descriptor: it ends in an exit when it is full.
 */
START_TEST(exit_without_a_kind_is_returned_unhandled)
{
	const uint64_t ring[4] = { RING_ENTRIES * sizeof(struct kvm_dirty_gfn) };
	struct axvm_region memory = AXVM_REGION_INIT;
	struct kvm_userspace_memory_region slot = { .flags = KVM_MEM_LOG_DIRTY_PAGES };

	ck_ok(axvm_new(NULL, &guest.vm));
	ck_assert_uint_ge((unsigned int)axvm_capability(guest.vm, KVM_CAP_DIRTY_LOG_RING), ring[0]);
	ck_ok(axvm_enable_capability(guest.vm, KVM_CAP_DIRTY_LOG_RING, ring));
	memory.len = UINT64_C(4096) * 2 * RING_ENTRIES;
	ck_ok(axvm_map(guest.vm, &memory));
	/* mov edi,0x100000; again: mov [edi],edi; add edi,0x1000; jmp again */
	ck_ok(axvm_write(guest.vm, GUEST_CODE,
			 CODE("\xbf\x00\x00\x10\x00\x89\x3f\x81\xc7\x00\x10\x00\x00\xeb\xf6")));
	ck_ok(axvcpu_new(guest.vm, NULL, &guest.vcpu));
	guest_setup(&guest, AXVCPU_MODE_32);
	ck_assert_int_eq(axvm_regions(guest.vm, 0, 1, &memory), 1);
	slot.memory_size = memory.len;
	slot.userspace_addr = (uintptr_t)memory.hva;
	ck_assert_int_eq(ioctl(axvm_fd(guest.vm), KVM_SET_USER_MEMORY_REGION, &slot), 0);
	ck_ok(axvcpu_bind(guest.vcpu));
	/* As often as it is asked: the log stays full. */
	for (int i = 0; i < 3; i++) {
		guest_expect(&guest, AXVCPU_EXIT_UNHANDLED);
		ck_assert_uint_eq(guest.exit.raw_reason, KVM_EXIT_DIRTY_RING_FULL);
		ck_assert_uint_eq(guest.exit.raw_code, 0);
		ck_assert_uint_eq(guest.exit.answerable, 0);
		ck_assert_int_eq(axvcpu_state(guest.vcpu), AXVCPU_READY);
	}
	guest_end(&guest);
}
END_TEST

/* --- Hyper-V's reset and crash ------------------------------------------------------------------ */

/*
 * KVM has MSRs by which a Hyper-V guest resets its machine, and reports a crash: the only system
 * events of x86. They exist if CPUID identifies Hyper-V and KVM was built with it; otherwise they
 * are faults, which these guests do not survive.
 */
#define HV_INTERFACE 0x40000001u
#define HV_FEATURES 0x40000003u
/* "Hv#1" */
#define HV_SIGNATURE 0x31237648u
#define HV_RESET_AVAILABLE (1u << 7)
#define HV_CRASH_AVAILABLE (1u << 10)

/* False: KVM does not know it, which has been seen. */
static bool start_hyperv(const void *code, size_t len)
{
	static const struct axvcpu_x86_cpuid cpuid[] = {
		{ .function = HV_INTERFACE,
		  .mask = { UINT32_MAX, 0, 0, 0 },
		  .value = { HV_SIGNATURE, 0, 0, 0 } },
		{ .function = HV_FEATURES,
		  .mask = { UINT32_MAX, 0, 0, UINT32_MAX },
		  .value = { HV_RESET_AVAILABLE, 0, 0, HV_CRASH_AVAILABLE } },
	};
	struct axvcpu_setup_config setup = AXVCPU_SETUP_CONFIG_INIT;
	struct axvcpu_x86_setup x86 = AXVCPU_X86_SETUP_INIT;

	guest_create(&guest, NULL, code, len);
	x86.cpuid = cpuid;
	x86.ncpuid = sizeof(cpuid) / sizeof(cpuid[0]);
	setup.mode = AXVCPU_MODE_32;
	setup.arch = &x86;
	ck_ok(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup));
	ck_ok(axvcpu_bind(guest.vcpu));
	if (axvm_capability(guest.vm, KVM_CAP_HYPERV) > 0)
		return true;
	guest_expect(&guest, AXVCPU_EXIT_SHUTDOWN);
	guest_end(&guest);
	return false;
}

START_TEST(a_guest_of_hyperv_resets_its_machine)
{
	/* mov ecx,0x40000003; mov eax,1; xor edx,edx; wrmsr; hlt */
	if (!start_hyperv(CODE("\xb9\x03\x00\x00\x40\xb8\x01\x00\x00\x00\x31\xd2\x0f\x30\xf4")))
		return;
	guest_expect(&guest, AXVCPU_EXIT_SYSTEM_RESET);
	ck_assert_uint_eq(guest.exit.raw_reason, KVM_EXIT_SYSTEM_EVENT);
	ck_assert_uint_eq(guest.exit.raw_code, KVM_SYSTEM_EVENT_RESET);
	ck_assert_uint_eq(guest.exit.answerable, 0);
	ck_fails_saying(axvcpu_run(guest.vcpu, &guest.exit), EBADFD, "terminal exit");
	guest_end(&guest);
}
END_TEST

START_TEST(a_crash_of_a_guest_of_hyperv_is_handed_out_and_the_guest_goes_on)
{
	/* mov ecx,0x40000105; xor eax,eax; mov edx,0x80000000; wrmsr; out 1,al; hlt */
	if (!start_hyperv(
		    CODE("\xb9\x05\x01\x00\x40\x31\xc0\xba\x00\x00\x00\x80\x0f\x30\xe6\x01\xf4")))
		return;
	guest_expect(&guest, AXVCPU_EXIT_SYSTEM_CRASH);
	ck_assert_uint_eq(guest.exit.raw_reason, KVM_EXIT_SYSTEM_EVENT);
	ck_assert_uint_eq(guest.exit.raw_code, KVM_SYSTEM_EVENT_CRASH);
	ck_assert_uint_eq(guest.exit.u.crash.ndata, 0);
	ck_assert_uint_eq(guest.exit.answerable, 0);
	guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

/* --- the power-off port ----------------------------------------------------------------------- */

#define PORT 0x604

static struct axvm_config power_off_config(void)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.forward = AXVM_FORWARD_POWER_OFF;
	config.poweroff_port = PORT;
	config.poweroff_width = 2;
	config.poweroff_value = 0x2000;
	return config;
}

START_TEST(a_write_of_the_value_to_the_power_off_port_ends_the_machine)
{
	const struct axvm_config config = power_off_config();

	/*
	 * mov edx,0x604; mov eax,0x2000; out dx,al; out dx,eax; in ax,dx; mov eax,0x2000; inc edx;
	 * out dx,ax; dec edx; mov eax,0x3000; out dx,ax; mov eax,0x2000; out dx,ax; hlt
	 */
	guest_start_with(&guest, &config, AXVCPU_MODE_32,
			 CODE("\xba\x04\x06\x00\x00\xb8\x00\x20\x00\x00\xee\xef\x66\xed"
			      "\xb8\x00\x20\x00\x00\x42\x66\xef\x4a\xb8\x00\x30\x00\x00\x66\xef"
			      "\xb8\x00\x20\x00\x00\x66\xef\xf4"));
	/* Twice, as a reset starts it again. */
	for (int i = 0; i < 2; i++) {
		guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
		ck_assert_uint_eq(guest.exit.u.io.width, 1);
		guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
		ck_assert_uint_eq(guest.exit.u.io.width, 4);
		guest_expect(&guest, AXVCPU_EXIT_IO_READ);
		guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
		ck_assert_uint_eq(guest.exit.u.io.port, PORT + 1);
		guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
		ck_assert_uint_eq(guest.exit.u.io.data, 0x3000);
		guest_expect(&guest, AXVCPU_EXIT_SYSTEM_DOWN);
		ck_assert_uint_eq(guest.exit.raw_reason, KVM_EXIT_IO);
		ck_assert_uint_eq(guest.exit.answerable, 0);
		ck_fails_saying(axvcpu_run(guest.vcpu, &guest.exit), EBADFD, "SYSTEM_DOWN");
		ck_ok(axvm_reset(guest.vm, 0));
	}
	guest_end(&guest);
}
END_TEST

START_TEST(power_off_ports_that_cannot_be_are_refused_with_a_reason)
{
	struct axvm_config config = power_off_config();

	config.poweroff_port = 0x10000;
	guest_expect_refused(&config, EINVAL, "poweroff_port is 0x10000");
	config = power_off_config();
	config.poweroff_width = 3;
	guest_expect_refused(&config, EINVAL, "poweroff_width is 3");
	config.poweroff_width = 1;
	guest_expect_refused(&config, EINVAL, "poweroff_value 0x2000");
	config = power_off_config();
	config.forward = 0;
	guest_expect_refused(&config, EINVAL, "AXVM_FORWARD_POWER_OFF");
	config.forward = AXVM_FORWARD_SUSPEND;
	config.poweroff_port = config.poweroff_width = config.poweroff_value = 0;
	guest_expect_refused(&config, ENOTSUP, "AXVM_FORWARD_SUSPEND");
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *power = suite_case(suite, "power-off");
	TCase *kind = suite_case(suite, "no kind");
	TCase *hyperv = suite_case(suite, "hyper-v");

	tcase_add_test(kind, exit_without_a_kind_is_returned_unhandled);
	tcase_add_test(power, a_write_of_the_value_to_the_power_off_port_ends_the_machine);
	tcase_add_test(power, power_off_ports_that_cannot_be_are_refused_with_a_reason);
	tcase_add_test(hyperv, a_guest_of_hyperv_resets_its_machine);
	tcase_add_test(hyperv, a_crash_of_a_guest_of_hyperv_is_handed_out_and_the_guest_goes_on);
}

int main(void)
{
	return suite_main("x86_system", true, add_tests);
}
