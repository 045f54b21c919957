/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* riscv64: numbers that only a broken KVM answers. Needs a working /dev/kvm. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#include "forge.h"
#include "suite.h"

/* --- widths ----------------------------------------------------------------------------------- */

static int width;

static bool answer_width(int fd, unsigned long request, uintptr_t *arg, int *result)
{
	(void)fd;
	if (request != KVM_CHECK_EXTENSION || *arg != KVM_CAP_VM_GPA_BITS)
		return false;
	*result = width;
	return true;
}

/* The last bit is done without. */
START_TEST(a_width_that_is_no_shift_is_63_bits)
{
	static const int widths[] = { 64, 65, 66, 1000, INT_MAX };
	struct axvm_riscv64_config aia = AXVM_RISCV64_CONFIG_INIT;
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm_limits limits = AXVM_LIMITS_INIT;
	struct axvm *vm = NULL;

	width = widths[_i];
	forge.answer = answer_width;
	config.irqchip = AXVM_IRQCHIP_KERNEL;
	config.arch_config = &aia;
	ck_ok(axvm_new(&config, &vm));
	ck_ok(axvm_get_limits(vm, &limits));
	ck_assert_uint_eq(limits.gpa_bits, 63);
	ck_ok(axvm_free(vm));
	aia.imsic_gpa = UINT64_C(1) << 63;
	ck_fails_saying(axvm_new(&config, &vm), EINVAL, "ends beyond the 63 bits");
}
END_TEST

/* --- vCPUs ------------------------------------------------------------------------------------ */

static bool answer_vcpu(int fd, unsigned long request, uintptr_t *arg, int *result)
{
	(void)fd;
	(void)arg;
	if (request != KVM_CREATE_VCPU)
		return false;
	*result = open("/dev/null", O_RDWR | O_CLOEXEC);
	return true;
}

START_TEST(a_second_vcpu_of_one_id_is_refused)
{
	struct axvcpu *vcpu = NULL;

	forge_start();
	ck_ok(axvcpu_free(forge.guest.vcpu));
	forge.answer = answer_vcpu;
	for (int i = 0; i < 3; i++)
		ck_fails_saying(axvcpu_new(forge.guest.vm, NULL, &vcpu), EIO,
				"more vCPUs than ids");
	ck_assert_ptr_null(vcpu);
	ck_ok(axvm_free(forge.guest.vm));
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *all = suite_case(suite, "all");

	tcase_add_loop_test(all, a_width_that_is_no_shift_is_63_bits, 0, 5);
	tcase_add_test(all, a_second_vcpu_of_one_id_is_refused);
}

int main(void)
{
	return suite_main("riscv64: answers of a broken KVM", true, add_tests);
}
