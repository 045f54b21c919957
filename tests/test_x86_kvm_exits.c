/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* x86_64: exits that the KVM at hand cannot be brought to. */
#include "forge.h"
#include "suite.h"

static void forge_notify(void)
{
	forge.run->exit_reason = KVM_EXIT_NOTIFY;
	forge.run->notify.flags = KVM_NOTIFY_CONTEXT_INVALID;
}

START_TEST(a_guest_that_keeps_interrupts_out_is_told_of)
{
	forge_start();
	forge_expect(forge_notify, 0, AXVCPU_EXIT_NOTIFY, KVM_NOTIFY_CONTEXT_INVALID);
	forge_end();
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tcase = suite_case(suite, "forged");

	tcase_add_test(tcase, a_guest_that_keeps_interrupts_out_is_told_of);
}

int main(void)
{
	return suite_main("x86_kvm_exits", true, add_tests);
}
