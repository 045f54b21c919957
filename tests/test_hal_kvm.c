/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The HAL's hooks over real KVM: host interrupts, and frames that a guest uses. Needs a working
 * /dev/kvm.
 */
#include <errno.h>
#include <signal.h>
#include <sys/time.h>

#include "guest.h"
#include "suite.h"

static struct guest guest;

/* --- host interrupts ---------------------------------------------------------------------------- */

static volatile sig_atomic_t pending;
static unsigned int fetched, handled;

static void on_alarm(int sig)
{
	(void)sig;
	pending++;
}

static int irq_fetch(void *ctx, uint64_t *vector)
{
	if (!pending)
		return 0;
	pending--;
	fetched++;
	*vector = *(const uint64_t *)ctx;
	return 1;
}

static void irq_handler(void *ctx, uint64_t vector)
{
	ck_assert_uint_eq(vector, *(const uint64_t *)ctx);
	handled++;
}

START_TEST(a_signal_that_the_hal_claims_is_a_host_interrupt)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	const struct itimerval interval = { { 0, 2000 }, { 0, 2000 } };
	const struct itimerval off = { { 0, 0 }, { 0, 0 } };
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvcpu_hal hal = AXVCPU_HAL_INIT;
	uint64_t vector = 0xd1;

	hal.ctx = &vector;
	hal.irq_fetch = irq_fetch;
	hal.irq_handler = irq_handler;
	config.hal = &hal;
	guest_start_with(&guest, &config, AXVCPU_MODE_64, PROGRAM(spin));
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &interval, NULL);
	for (unsigned int i = 1; i <= 50; i++) {
		guest_expect(&guest, AXVCPU_EXIT_EXTERNAL_INTERRUPT);
		ck_assert_uint_eq(guest.exit.u.external_interrupt.vector, 0xd1);
		ck_assert_uint_eq(guest.exit.kicked, 0);
		ck_assert_uint_eq(guest.exit.answerable, 0);
		ck_assert_uint_eq(guest.exit.raw_reason, 10); /* KVM_EXIT_INTR */
		/* It has been handled already. */
		ck_assert_uint_eq(fetched, i);
		ck_assert_uint_eq(handled, i);
	}
	setitimer(ITIMER_REAL, &off, NULL);
	guest_end(&guest);
}
END_TEST

/* --- frames ------------------------------------------------------------------------------------- */

START_TEST(kvm_has_room_for_thousands_of_frames)
{
	static uint64_t frames[4000];
	const unsigned int n = sizeof(frames) / sizeof(frames[0]);
	struct axvm *vm;

	ck_ok(axvm_new(NULL, &vm));
	for (unsigned int i = 0; i < n; i++) {
		ck_ok(axvm_alloc_frame(vm, &frames[i]));
		ck_ok(axvm_write(vm, frames[i], &i, sizeof(i)));
	}
	for (unsigned int i = 0; i < n; i++) {
		unsigned int was = 0;

		ck_ok(axvm_read(vm, frames[i], &was, sizeof(was)));
		ck_assert_uint_eq(was, i);
	}
	for (unsigned int i = 0; i < n; i += 2)
		ck_ok(axvm_free_frame(vm, frames[i]));
	/* The others go with it. */
	ck_ok(axvm_free(vm));
}
END_TEST

START_TEST(a_guest_uses_frames_at_the_end_of_the_width)
{
	struct axvm_limits limits = AXVM_LIMITS_INIT;
	uint64_t first, second, addrs[2], *ptr;

	guest_create(&guest, NULL, PROGRAM(copy));
	ck_ok(axvm_alloc_frame(guest.vm, &first));
	ck_ok(axvm_alloc_frame(guest.vm, &second));
	ck_ok(axvm_get_limits(guest.vm, &limits));
	ck_assert_uint_eq(first >> (limits.gpa_bits - 1), 1);
	guest_setup(&guest, AXVCPU_MODE_64);

	ptr = axvm_phys_to_virt(guest.vm, first);
	ck_assert_ptr_nonnull(ptr);
	*ptr = UINT64_C(0x1122334455667788);
	addrs[0] = guest_reach(&guest, first);
	addrs[1] = guest_reach(&guest, second);
	ck_ok(axvm_write(guest.vm, GUEST_CELL_OF(0), addrs, sizeof(addrs)));
	ck_ok(axvcpu_set_reg(guest.vcpu, GUEST_ARG_REG, GUEST_CELL_OF(0)));
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect_end(&guest);
	ptr = axvm_phys_to_virt(guest.vm, second);
	ck_assert_ptr_nonnull(ptr);
	ck_assert_uint_eq(*ptr, UINT64_C(0x1122334455667788));
	guest_end(&guest);
}
END_TEST

/* KVM itself returns EINVAL without a reason, for a region that the HAL has mapped in vain. */
START_TEST(a_region_that_is_too_long_for_kvm_is_refused_with_a_reason)
{
	struct axvm_limits limits = AXVM_LIMITS_INIT;
	struct axvm_region region = AXVM_REGION_INIT;

	guest_create(&guest, NULL, PROGRAM(copy));
	ck_ok(axvm_get_limits(guest.vm, &limits));
	ck_assert_uint_eq(limits.region_bytes, INT32_MAX * (uint64_t)limits.page_size);
	region.len = limits.region_bytes + limits.page_size;
	ck_fails_saying(axvm_map(guest.vm, &region), EINVAL,
			(region.len - 1) >> limits.gpa_bits ? "guest-physical addresses"
							    : "map several");
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *irq = suite_case(suite, "host interrupts");
	TCase *frames = suite_case(suite, "frames");

	tcase_add_test(irq, a_signal_that_the_hal_claims_is_a_host_interrupt);
	tcase_add_test(frames, kvm_has_room_for_thousands_of_frames);
	tcase_add_test(frames, a_guest_uses_frames_at_the_end_of_the_width);
	tcase_add_test(frames, a_region_that_is_too_long_for_kvm_is_refused_with_a_reason);
}

int main(void)
{
	return suite_main("hal_kvm", true, add_tests);
}
