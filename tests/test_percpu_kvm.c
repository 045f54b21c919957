/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The state of host CPUs over real KVM: queries, the descriptor it holds, failing calls. Needs a
 * working /dev/kvm.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "guest.h"
#include "injector.h"
#include "resources.h"
#include "suite.h"

static struct axpercpu enabled(void)
{
	struct axpercpu percpu = AXPERCPU_INIT;

	ck_ok(axpercpu_init(&percpu, 0, NULL));
	ck_ok(axpercpu_enable(&percpu));
	return percpu;
}

static void use(struct axvm_config *config, const struct axpercpu *percpu)
{
	*config = (struct axvm_config)AXVM_CONFIG_INIT;
	config->flags = AXVM_F_KVM_FD;
	config->kvm_fd = axpercpu_fd(percpu);
}

static void run_guest(struct guest *guest)
{
	guest_setup(guest, AXVCPU_MODE_64);
	ck_ok(axvcpu_bind(guest->vcpu));
	guest_expect_end(guest);
}

START_TEST(enabling_opens_dev_kvm)
{
	struct resources before;
	struct axpercpu percpu;
	int fd;

	resources_read(&before);
	percpu = enabled();
	fd = axpercpu_fd(&percpu);
	ck_assert_int_eq(ioctl(fd, KVM_GET_API_VERSION, 0), KVM_API_VERSION);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_ok(axpercpu_disable(&percpu));
	resources_expect(&before, "after disable");
	ck_ok(axpercpu_enable(&percpu));
	axpercpu_destroy(&percpu);
	resources_expect(&before, "after destroy");
}
END_TEST

START_TEST(capabilities_are_those_of_kvm)
{
	struct axpercpu percpu = enabled();

	ck_assert_int_eq(axpercpu_capability(&percpu, KVM_CAP_USER_MEMORY), 1);
	ck_assert_int_gt(axpercpu_capability(&percpu, KVM_CAP_NR_MEMSLOTS), 1);
	ck_assert_int_eq(axpercpu_capability(&percpu, 0xffff), 0);
	axpercpu_destroy(&percpu);
}
END_TEST

START_TEST(levels_map_the_width_of_a_vm)
{
	struct axpercpu percpu = enabled();
	struct axvm_limits limits = AXVM_LIMITS_INIT;
	struct axvm_config config;
	struct axvm *vm;
	int levels = axpercpu_guest_page_table_levels(&percpu);

	use(&config, &percpu);
	ck_ok(axvm_new(&config, &vm));
	ck_ok(axvm_get_limits(vm, &limits));
	ck_assert_int_ge(levels, 3);
	ck_assert_int_le(levels, 5);
	/* With tables of 4 KiB each level adds 9 bits to a page's 12. */
	if (limits.page_size == 4096)
		ck_assert_int_ge(12 + 9 * levels + GUEST_ROOT_BITS, (int)limits.gpa_bits);
	ck_ok(axvm_free(vm));
	axpercpu_destroy(&percpu);
}
END_TEST

#define VMS 300u

START_TEST(hundreds_of_vms_share_one_descriptor)
{
	static struct guest guests[VMS];
	struct axpercpu percpu = enabled();
	struct axvm_config config;
	struct resources before;
	long opened;

	resources_read(&before);
	use(&config, &percpu);
	opened = injector.opened;
	for (unsigned int i = 0; i < VMS; i++) {
		config.id = i;
		guest_create(&guests[i], &config, PROGRAM(finish));
	}
	/* One for the VM and one for its vCPU: an additional /dev/kvm would show here. */
	ck_assert_int_eq(injector.opened - opened, 2 * VMS);
	for (unsigned int i = 0; i < VMS; i++) {
		run_guest(&guests[i]);
		ck_assert_uint_eq(axvm_id(guests[i].vm), i);
		guest_end(&guests[i]);
	}
	resources_expect(&before, "after all VMs");
	axpercpu_destroy(&percpu);
}
END_TEST

START_TEST(vms_go_on_when_their_cpu_is_disabled)
{
	struct axpercpu percpu = enabled();
	struct axvm_config config;
	struct guest guest;

	use(&config, &percpu);
	guest_create(&guest, &config, PROGRAM(finish));
	ck_ok(axpercpu_disable(&percpu));
	run_guest(&guest);
	guest_end(&guest);
	axpercpu_destroy(&percpu);
	/* And none is made of a descriptor that is closed. */
	ck_fails(axvm_new(&config, &guest.vm), EBADF);
}
END_TEST

/* --- failing calls ------------------------------------------------------------------------------ */

/* Without a list of CPUs their number decides: no call can make init fail. */
START_TEST(init_survives_any_failing_call)
{
	struct resources before;
	unsigned int n = 0;

	resources_read(&before);
	do {
		struct axpercpu percpu = AXPERCPU_INIT;
		int ret;

		injector_arm(++n, (unsigned int)_i, false);
		ret = axpercpu_init(&percpu, 0, NULL);
		injector_disarm();
		ck_assert_msg(!ret, "call %u (%s) failing: %d, %s", n,
			      injector.failed ? injector.failed : "none", ret, axvcpu_last_error());
		axpercpu_destroy(&percpu);
		resources_expect(&before, "init");
	} while (injector.failed);
	ck_assert_uint_gt(n, 3);
}
END_TEST

START_TEST(enable_fails_as_the_call_did_and_changes_nothing)
{
	struct axpercpu percpu = AXPERCPU_INIT;
	struct axpercpu initialised;
	struct resources before;
	unsigned int n = 0;

	ck_ok(axpercpu_init(&percpu, 0, NULL));
	initialised = percpu;
	resources_read(&before);
	do {
		int ret;

		injector_arm(++n, (unsigned int)_i, false);
		ret = axpercpu_enable(&percpu);
		injector_disarm();
		ck_assert_msg(ret == injector.expected, "call %u (%s) failing: %d, %s", n,
			      injector.failed ? injector.failed : "none", ret, axvcpu_last_error());
		if (ret) {
			ck_assert_ptr_nonnull(strstr(axvcpu_last_error(), axvcpu_error_name(ret)));
			ck_assert_mem_eq(&percpu, &initialised, sizeof(percpu));
			resources_expect(&before, injector.failed);
			ck_ok(axpercpu_enable(&percpu));
		}
		ck_ok(axpercpu_disable(&percpu));
		resources_expect(&before, "disabled");
	} while (injector.failed);
	/* open, version, a capability at least. */
	ck_assert_uint_gt(n, 3);
	axpercpu_destroy(&percpu);
}
END_TEST

START_TEST(queries_pass_errnos_on)
{
	struct axpercpu percpu = enabled();
	struct axpercpu before = percpu;

	injector_arm(1, (unsigned int)_i, false);
	ck_assert_int_eq(axpercpu_capability(&percpu, KVM_CAP_USER_MEMORY), injector.expected);
	injector_disarm();
	ck_assert_int_lt(injector.expected, 0);
	ck_assert_ptr_nonnull(strstr(axvcpu_last_error(), "KVM_CHECK_EXTENSION"));
	ck_assert_mem_eq(&percpu, &before, sizeof(percpu));
	/* The others make no call. */
	injector_arm(1, (unsigned int)_i, true);
	ck_ok(axpercpu_guest_page_table_levels(&percpu));
	ck_ok(axpercpu_fd(&percpu));
	ck_assert(axpercpu_is_enabled(&percpu));
	injector_disarm();
	ck_assert_uint_eq(injector.calls, 0);
	axpercpu_destroy(&percpu);
}
END_TEST

START_TEST(disable_and_destroy_cannot_fail)
{
	struct resources before;
	struct axpercpu percpu;

	resources_read(&before);
	for (int destroy = 0; destroy < 2; destroy++) {
		percpu = enabled();
		injector_arm(1, (unsigned int)_i, true);
		if (!destroy)
			ck_ok(axpercpu_disable(&percpu));
		axpercpu_destroy(&percpu);
		injector_disarm();
		ck_assert_ptr_nonnull(injector.failed);
		resources_expect(&before, "disabled by failing calls");
	}
}
END_TEST

START_TEST(unsuitable_kvm_is_named_in_the_error)
{
	struct axpercpu percpu = AXPERCPU_INIT;
	struct resources before;

	ck_ok(axpercpu_init(&percpu, 0, NULL));
	resources_read(&before);
	injector_ioctl(KVM_GET_API_VERSION, 11, 1);
	ck_fails_saying(axpercpu_enable(&percpu), ENOTSUP, "version 11");
	injector_ioctl(KVM_CHECK_EXTENSION, 0, 1);
	ck_fails_saying(axpercpu_enable(&percpu), ENOTSUP, "KVM_CAP_IMMEDIATE_EXIT");
	resources_expect(&before, "after both");
	ck_ok(axpercpu_enable(&percpu));
	axpercpu_destroy(&percpu);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *use_case = suite_case(suite, "use");
	TCase *faults = suite_case(suite, "faults");

	tcase_add_test(use_case, enabling_opens_dev_kvm);
	tcase_add_test(use_case, capabilities_are_those_of_kvm);
	tcase_add_test(use_case, levels_map_the_width_of_a_vm);
	tcase_add_test(use_case, hundreds_of_vms_share_one_descriptor);
	tcase_add_test(use_case, vms_go_on_when_their_cpu_is_disabled);

	tcase_add_loop_test(faults, init_survives_any_failing_call, 0, INJECTOR_VARIANTS);
	tcase_add_loop_test(faults, enable_fails_as_the_call_did_and_changes_nothing, 0,
			    INJECTOR_VARIANTS);
	tcase_add_loop_test(faults, queries_pass_errnos_on, 0, INJECTOR_VARIANTS);
	tcase_add_loop_test(faults, disable_and_destroy_cannot_fail, 0, INJECTOR_VARIANTS);
	tcase_add_test(faults, unsuitable_kvm_is_named_in_the_error);
}

int main(void)
{
	return suite_main("percpu_kvm", true, add_tests);
}
