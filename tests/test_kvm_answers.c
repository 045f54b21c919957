/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Rare results of KVM: signals and lack of memory at odd moments, kernels that are too old, tables
 * that are too small. The injector returns them in place of KVM. Needs a working /dev/kvm.
 */
#include <errno.h>
#include <linux/kvm.h>

#include "guest.h"
#include "injector.h"
#include "resources.h"
#include "suite.h"

static struct resources before;
static struct axvm *vm;
static struct guest guest;

static void setup(void)
{
	vm = NULL;
	memset(&guest, 0, sizeof(guest));
	resources_read(&before);
}

/* Every test has freed all it made. */
static void teardown(void)
{
	resources_expect(&before, "at the end");
	ck_assert_uint_eq(injector.mapped, 0);
	ck_assert_int_eq(injector.opened, 0);
}

/* --- /dev/kvm --------------------------------------------------------------------------------- */

static const struct {
	int opened;
	int err;
	const char *text;
} opens[] = {
	{ ENOENT, ENODEV, "/dev/kvm does not exist: is the kvm module loaded" },
	{ ENXIO, ENODEV, "/dev/kvm does not exist: is the kvm module loaded" },
	{ ENODEV, ENODEV, "/dev/kvm does not exist: is the kvm module loaded" },
	{ EACCES, EACCES, "is the user in group kvm?" },
	{ EPERM, EACCES, "is the user in group kvm?" },
	{ EMFILE, EMFILE, "opening /dev/kvm" },
	{ EBUSY, EBUSY, "opening /dev/kvm" },
};

START_TEST(dev_kvm_that_does_not_open_is_explained)
{
	injector.open_result = -opens[_i].opened;
	ck_fails_saying(axvm_new(NULL, &vm), opens[_i].err, opens[_i].text);
	ck_assert_ptr_null(vm);
	injector.open_result = 0;
	ck_ok(axvm_new(NULL, &vm));
	ck_ok(axvm_free(vm));
}
END_TEST

/* --- new VMs ---------------------------------------------------------------------------------- */

START_TEST(create_vm_is_tried_again_after_a_signal)
{
	injector_ioctl(KVM_CREATE_VM, -EINTR, 20);
	ck_ok(axvm_new(NULL, &vm));
	ck_assert_uint_eq(injector.request_calls, 21);
	ck_ok(axvm_free(vm));
}
END_TEST

START_TEST(create_vm_retries_are_bounded)
{
	injector_ioctl(KVM_CREATE_VM, -EINTR, UINT32_MAX);
	ck_fails_saying(axvm_new(NULL, &vm), EINTR, "KVM_CREATE_VM");
	ck_assert_uint_ge(injector.request_calls, 2);
	ck_assert_uint_le(injector.request_calls, 1000);
	ck_assert_ptr_null(vm);
	resources_expect(&before, "after the failure");
	injector_ioctl(KVM_CREATE_VM, 0, 0);
	ck_ok(axvm_new(NULL, &vm));
	ck_ok(axvm_free(vm));
}
END_TEST

START_TEST(a_cpu_that_another_hypervisor_has_is_explained)
{
	injector_ioctl(KVM_CREATE_VM, -EBUSY, 1);
	ck_fails_saying(axvm_new(NULL, &vm), EBUSY, "another hypervisor");
	ck_assert_ptr_null(vm);
	ck_ok(axvm_new(NULL, &vm));
	ck_ok(axvm_free(vm));
}
END_TEST

START_TEST(unsuitable_kvm_is_refused)
{
	injector_ioctl(KVM_GET_API_VERSION, 13, 1);
	ck_fails_saying(axvm_new(NULL, &vm), ENOTSUP, "version 13; the library needs 12");
	injector_ioctl(KVM_GET_VCPU_MMAP_SIZE, 100, 1);
	ck_fails_saying(axvm_new(NULL, &vm), EIO, "100 bytes are less than struct kvm_run");
	/* The first that is asked for. */
	injector_ioctl(KVM_CHECK_EXTENSION, 0, 1);
	ck_fails_saying(axvm_new(NULL, &vm), ENOTSUP, "KVM_CAP_IMMEDIATE_EXIT");
	ck_assert_ptr_null(vm);
}
END_TEST

START_TEST(max_vcpus_beyond_kvms_is_refused)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm_limits limits = AXVM_LIMITS_INIT;

	config.max_vcpus = 60000;
	ck_fails_saying(axvm_new(&config, &vm), EINVAL, "max_vcpus is 60000");
	ck_assert_ptr_null(vm);
	config.max_vcpus = 3;
	ck_ok(axvm_new(&config, &vm));
	ck_ok(axvm_get_limits(vm, &limits));
	ck_assert_uint_eq(limits.vcpus, 3);
	ck_ok(axvm_free(vm));
}
END_TEST

/* --- the life of a vCPU's id ------------------------------------------------------------------ */

static unsigned int created(void)
{
	return injector.request_calls;
}

START_TEST(vcpu_whose_mapping_failed_is_used_again)
{
	struct axvcpu *vcpu = NULL;
	unsigned int so_far;

	ck_ok(axvm_new(NULL, &vm));
	injector_ioctl(KVM_CREATE_VCPU, 0, 0);
	/* Until it fails in the last thing that new does. */
	for (unsigned int n = 1; !injector.failed || strcmp(injector.failed, "mmap"); n++) {
		injector_arm(n, 0, false);
		ck_fails(axvcpu_new(vm, NULL, &vcpu), ENOMEM);
		injector_disarm();
	}
	ck_assert_ptr_null(vcpu);
	so_far = created();
	ck_assert_uint_ge(so_far, 1);
	ck_ok(axvcpu_new(vm, NULL, &vcpu));
	ck_assert_uint_eq(created(), so_far);
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(vm));
}
END_TEST

START_TEST(vcpu_that_was_not_set_up_is_used_again)
{
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;

	guest_create(&guest, NULL, PROGRAM(echo));
	injector_ioctl(KVM_CREATE_VCPU, 0, 0);
	for (int i = 0; i < 100; i++) {
		/* A pending kick without a waiter belongs to the vCPU that is freed. */
		ck_ok(axvcpu_kick(guest.vcpu));
		ck_ok(axvcpu_free(guest.vcpu));
		/* A refusal for another reason does not use it up. */
		config.arch = &config;
		ck_fails_saying(axvcpu_new(guest.vm, &config, &guest.vcpu), EINVAL, "arch config");
		config.arch = NULL;
		ck_ok(axvcpu_new(guest.vm, &config, &guest.vcpu));
	}
	ck_assert_uint_eq(created(), 0);
	guest_setup(&guest, AXVCPU_MODE_64);
	ck_ok(axvcpu_bind(guest.vcpu));
	ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
	ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_MMIO_READ);
	ck_assert_uint_eq(guest.exit.kicked, 0);
	guest_end(&guest);
}
END_TEST

START_TEST(vcpu_that_was_set_up_takes_its_id_with_it)
{
	guest_create(&guest, NULL, PROGRAM(echo));
	guest_setup(&guest, AXVCPU_MODE_64);
	ck_ok(axvcpu_free(guest.vcpu));
	ck_fails_saying(axvcpu_new(guest.vm, NULL, &guest.vcpu), EEXIST, "until its VM ends");
	ck_ok(axvm_free(guest.vm));
}
END_TEST

/* Each id has its own unused vCPU. */
START_TEST(unused_vcpus_keep_their_ids)
{
	struct axvm_config vm_config = AXVM_CONFIG_INIT;
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;
	struct axvcpu *vcpus[3];
	int fds[3];

	vm_config.max_vcpus = 3;
	ck_ok(axvm_new(&vm_config, &vm));
	injector_ioctl(KVM_CREATE_VCPU, 0, 0);
	for (int round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < 3; i++) {
			config.id = (i + (uint32_t)round) % 3;
			ck_ok(axvcpu_new(vm, &config, &vcpus[i]));
			ck_assert_uint_eq(axvcpu_id(vcpus[i]), config.id);
			/* KVM's own vCPU, which keeps that id forever. */
			if (!round)
				fds[config.id] = axvcpu_fd(vcpus[i]);
			ck_assert_int_eq(axvcpu_fd(vcpus[i]), fds[config.id]);
			ck_fails_saying(axvcpu_new(vm, &config, &vcpus[i]), EEXIST, "exists");
		}
		for (int i = 0; i < 3; i++)
			ck_ok(axvcpu_free(vcpus[i]));
	}
	ck_assert_uint_eq(created(), 3);
	ck_ok(axvm_free(vm));
}
END_TEST

/* --- KVM_RUN ---------------------------------------------------------------------------------- */

START_TEST(run_enters_again_after_eagain)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(echo));
	injector_ioctl(KVM_RUN, -EAGAIN, 20);
	ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
	ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_MMIO_READ);
	ck_assert_uint_eq(injector.request_calls, 21);
	guest_end(&guest);
}
END_TEST

START_TEST(run_retries_are_bounded)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(echo));
	injector_ioctl(KVM_RUN, -EAGAIN, UINT32_MAX);
	ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
	ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_NOTHING);
	ck_assert_uint_eq(guest.exit.kicked, 0);
	ck_assert_uint_le(injector.request_calls, 1000);
	injector_ioctl(KVM_RUN, 0, 0);
	guest_expect_read(&guest, GUEST_MMIO);
	guest_end(&guest);
}
END_TEST

START_TEST(signal_without_a_cause_reenters_the_guest)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(echo));
	injector_ioctl(KVM_RUN, -EINTR, 1);
	ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
	ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_NOTHING);
	ck_assert_uint_eq(guest.exit.kicked, 0);
	ck_assert_uint_eq(guest.exit.answerable, 0);
	ck_assert_int_eq(axvcpu_state(guest.vcpu), AXVCPU_READY);
	guest_expect_read(&guest, GUEST_MMIO);
	guest_end(&guest);
}
END_TEST

START_TEST(errnos_caused_by_the_guest_are_exits)
{
	static const int errnos[] = { EFAULT, EHWPOISON };
	static const unsigned int runs[] = { GUEST_EFAULT_RUNS, 1 };

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(echo));
	for (int i = 0; i < 2; i++) {
		injector_ioctl(KVM_RUN, -errnos[i], UINT32_MAX);
		ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
		ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_NESTED_PAGE_FAULT);
		/* No more while memory stays as it is. */
		ck_assert_uint_eq(injector.request_calls, runs[i]);
		ck_assert_uint_eq(guest.exit.u.page_fault.error, (uint32_t)errnos[i]);
		ck_assert_int_eq(axvcpu_state(guest.vcpu), AXVCPU_READY);
	}
	injector_ioctl(KVM_RUN, 0, 0);
	guest_expect_read(&guest, GUEST_MMIO);
	guest_end(&guest);
}
END_TEST

START_TEST(failed_run_does_not_lose_an_answer)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(echo));
	guest_expect_read(&guest, GUEST_MMIO);
	ck_ok(axvcpu_complete_value(guest.vcpu, 0x77));
	injector_ioctl(KVM_RUN, -ENOMEM, 1);
	ck_fails_saying(axvcpu_run(guest.vcpu, &guest.exit), ENOMEM, "KVM_RUN on vCPU 0");
	ck_assert_int_eq(axvcpu_state(guest.vcpu), AXVCPU_READY);
	/* The exit is still open, and is finished before the vCPU is freed. */
	ck_ok(axvcpu_unbind(guest.vcpu));
	ck_assert_uint_eq(guest_reg(&guest, GUEST_VALUE_REG), 0x77);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), PROGRAM_AT(echo, store));
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect_write(&guest, GUEST_MMIO, 0x77);
	guest_end(&guest);
}
END_TEST

START_TEST(failed_flush_can_be_repeated)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(echo));
	guest_expect_read(&guest, GUEST_MMIO);
	ck_ok(axvcpu_complete_value(guest.vcpu, 0x78));
	injector_ioctl(KVM_RUN, -ENOMEM, 1);
	ck_fails(axvcpu_flush(guest.vcpu), ENOMEM);
	ck_fails_saying(axvcpu_set_reg(guest.vcpu, 99, 0), ENOENT, "");
	ck_ok(axvcpu_flush(guest.vcpu));
	ck_assert_uint_eq(guest_reg(&guest, GUEST_VALUE_REG), 0x78);
	guest_expect_write(&guest, GUEST_MMIO, 0x78);
	guest_end(&guest);
}
END_TEST

/* --- huge pages: the host may have none, so success is not required --------------------------- */

START_TEST(failing_huge_pages_leave_nothing)
{
	struct axvm_region region = AXVM_REGION_INIT;
	struct resources with_vm;
	int ret;

	ck_ok(axvm_new(NULL, &vm));
	resources_read(&with_vm);
	region.len = UINT64_C(1) << 30;
	region.flags = AXVM_MEM_HUGETLB;
	for (unsigned int n = 1;; n++) {
		for (region.backing = 0; region.backing <= AXVM_MEM_MEMFD; region.backing++) {
			injector_arm(n, 0, false);
			ret = axvm_map(vm, &region);
			injector_disarm();
			if (!ret)
				ck_ok(axvm_unmap(vm, 0, region.len));
			else if (!injector.harmless)
				ck_assert_int_eq(ret, injector.expected);
			ck_assert_int_eq(axvm_regions(vm, 0, 0, NULL), 0);
			resources_expect(&with_vm, "after a failure");
		}
		if (!injector.failed)
			break;
	}
	ck_ok(axvm_free(vm));
}
END_TEST

/* ---------------------------------------------------------------------------------------------- */

/* --- dirty rings ------------------------------------------------------------------------------ */

/* "copy": the addresses that it copies from and to. */
#define COPY_ARG (GUEST_BASE + 0x3000)
#define COPY_TO (GUEST_BASE + 0x20000)

/* A guest with rings that has written to COPY_TO. Returns whether this KVM has rings. */
static bool start_with_rings(void)
{
	const uint64_t list[2] = { COPY_ARG, COPY_TO };
	struct axvm_config config = AXVM_CONFIG_INIT;
	int ret;

	config.dirty_ring_entries = 1024;
	ret = axvm_new(&config, &vm);
	if (ret) {
		ck_assert_int_eq(ret, -ENOTSUP);
		suite_skip("this KVM has no dirty rings");
		return false;
	}
	ck_ok(axvm_free(vm));
	guest.vm = guest_vm(&config, PROGRAM(copy));
	guest.vcpu = guest_vcpu(guest.vm, 0, COPY_ARG);
	ck_ok(axvm_write(guest.vm, COPY_ARG, list, sizeof(list)));
	ck_ok(axvm_set_dirty_log(guest.vm, GUEST_BASE, GUEST_MEMORY, true));
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect_end(&guest);
	return true;
}

static void expect_dirty_page(void)
{
	struct axvm_dirty_range ranges[32];
	uint64_t cursor = 0;
	bool found = false;
	int n = axvm_take_dirty(guest.vm, &cursor, 32, ranges);

	ck_ok(n);
	for (int i = 0; i < n; i++)
		found |= COPY_TO - ranges[i].gpa < ranges[i].len;
	ck_assert(found);
}

START_TEST(interrupted_reset_of_rings_is_repeated)
{
	if (!start_with_rings())
		return;
	injector_ioctl(KVM_RESET_DIRTY_RINGS, -EINTR, 20);
	expect_dirty_page();
	ck_assert_uint_ge(injector.request_calls, 21);
	injector_ioctl(0, 0, 0);
	guest_end(&guest);
}
END_TEST

START_TEST(page_whose_entry_was_not_reset_is_reported_later)
{
	struct axvm_dirty_range range;
	uint64_t cursor = 0;

	if (!start_with_rings())
		return;
	injector_ioctl(KVM_RESET_DIRTY_RINGS, 0, UINT32_MAX);
	ck_fails_saying(axvm_take_dirty(guest.vm, &cursor, 1, &range), EAGAIN,
			"KVM_RESET_DIRTY_RINGS");
	ck_assert_uint_le(injector.request_calls, 1000);
	injector_ioctl(0, 0, 0);
	expect_dirty_page();
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *create = suite_case(suite, "create");
	TCase *ids = suite_case(suite, "ids");
	TCase *run = suite_case(suite, "run");
	TCase *rings = suite_case(suite, "dirty rings");

	tcase_add_checked_fixture(create, setup, teardown);
	tcase_add_loop_test(create, dev_kvm_that_does_not_open_is_explained, 0,
			    sizeof(opens) / sizeof(opens[0]));
	tcase_add_test(create, create_vm_is_tried_again_after_a_signal);
	tcase_add_test(create, create_vm_retries_are_bounded);
	tcase_add_test(create, a_cpu_that_another_hypervisor_has_is_explained);
	tcase_add_test(create, unsuitable_kvm_is_refused);
	tcase_add_test(create, max_vcpus_beyond_kvms_is_refused);
	tcase_add_test(create, failing_huge_pages_leave_nothing);

	tcase_add_checked_fixture(ids, setup, teardown);
	tcase_add_test(ids, vcpu_whose_mapping_failed_is_used_again);
	tcase_add_test(ids, vcpu_that_was_not_set_up_is_used_again);
	tcase_add_test(ids, vcpu_that_was_set_up_takes_its_id_with_it);
	tcase_add_test(ids, unused_vcpus_keep_their_ids);

	tcase_add_checked_fixture(run, setup, teardown);
	tcase_add_test(run, run_enters_again_after_eagain);
	tcase_add_test(run, run_retries_are_bounded);
	tcase_add_test(run, signal_without_a_cause_reenters_the_guest);
	tcase_add_test(run, errnos_caused_by_the_guest_are_exits);
	tcase_add_test(run, failed_run_does_not_lose_an_answer);
	tcase_add_test(run, failed_flush_can_be_repeated);

	tcase_add_checked_fixture(rings, setup, teardown);
	tcase_add_test(rings, interrupted_reset_of_rings_is_repeated);
	tcase_add_test(rings, page_whose_entry_was_not_reset_is_reported_later);
}

int main(void)
{
	return suite_main("kvm_answers", true, add_tests);
}
