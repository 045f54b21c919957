/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Saved states of VMs on KVM: interrupts that are on their way arrive once after a move, and damaged
 * states do no harm. Equal on every architecture; the suites of each have its controllers. Needs a
 * working /dev/kvm, and for messages a KVM with a controller that takes them.
 */
#include <errno.h>

#include "guest.h"
#include "suite.h"

static struct guest guest, other;

/* Exceeds the state of any architecture. */
#define ROOM 0x40000
static unsigned char vcpu_state[ROOM], state[ROOM], again[ROOM], memory[GUEST_MEMORY];
static size_t vcpu_size, size;
static struct axvm_clock guest_clock;

static size_t save_vm(unsigned char *to)
{
	int ret = axvm_save(guest.vm, to, ROOM);

	ck_ok(ret);
	ck_assert_int_le(ret, ROOM);
	return (size_t)ret;
}

static void save(void)
{
	int ret;

	guest_clock = (struct axvm_clock)AXVM_CLOCK_INIT;
	ck_ok(axvm_get_clock(guest.vm, &guest_clock));
	size = save_vm(state);
	ret = axvcpu_save(guest.vcpu, vcpu_state, ROOM);
	ck_ok(ret);
	ck_assert_int_le(ret, ROOM);
	vcpu_size = (size_t)ret;
	ck_ok(axvm_read(guest.vm, GUEST_BASE, memory, sizeof(memory)));
}

static void load(struct guest *to)
{
	int ret = axvm_set_clock(to->vm, &guest_clock, AXVM_TIME_FREEZE);

	/* Some KVMs of x86_64 have no TSC offset. */
	if (ret != -ENOTSUP)
		ck_ok(ret);
	ck_ok(axvcpu_load(to->vcpu, vcpu_state, vcpu_size, NULL));
	ck_ok(axvm_write(to->vm, GUEST_BASE, memory, sizeof(memory)));
	ck_ok(axvm_load(to->vm, state, size, NULL));
}

static void send(unsigned int n)
{
	const struct axvm_msi msi = guest_message(n);

	ck_assert_int_eq(axvm_signal_msi(guest.vm, &msi), 1);
}

static void expect_message(unsigned int n)
{
	ck_assert_uint_eq(guest_next_message(&guest), n);
}

/* --- states of a guest that runs on --------------------------------------------------------------- */

START_TEST(a_message_on_its_way_moves_with_the_vm)
{
	guest_start_messages(&guest);
	for (unsigned int n = 0; n < GUEST_MESSAGES; n++) {
		send(n);
		save();
		guest_start_messages(&other);
		load(&other);
		guest_end(&guest);
		guest = other;
		expect_message(n);
		/* And no second time: the next one is another. */
		send((n + 1) % GUEST_MESSAGES);
		expect_message((n + 1) % GUEST_MESSAGES);
	}
	guest_end(&guest);
}
END_TEST

START_TEST(a_message_on_its_way_is_there_again_after_a_load_in_place)
{
	guest_start_messages(&guest);
	send(1);
	save();
	for (int round = 0; round < 3; round++) {
		expect_message(1);
		send(2);
		/* One that the load drops. */
		if (round == 1)
			send(3);
		load(&guest);
	}
	expect_message(1);
	send(2);
	expect_message(2);
	guest_end(&guest);
}
END_TEST

START_TEST(a_loaded_vm_is_saved_as_the_same_state)
{
	guest_start_messages(&guest);
	send(1);
	save();
	load(&guest);
	ck_assert_uint_eq(save_vm(again), size);
	ck_assert_mem_eq(again, state, size);
	expect_message(1);
	guest_end(&guest);
}
END_TEST

/* --- hostile states ------------------------------------------------------------------------------- */

START_TEST(a_damaged_state_is_refused_or_undone_by_a_good_one)
{
	const unsigned int rounds = 20 + suite_scale(2000);
	uint32_t seed = 1;

	guest_start_messages(&guest);
	send(1);
	save();
	for (unsigned int round = 0; round < rounds; round++) {
		int ret;

		memcpy(again, state, size);
		suite_flip_bits(&seed, again, size);
		ret = axvm_load(guest.vm, again, size, NULL);
		ck_assert_msg(axvcpu_state(guest.vcpu) == AXVCPU_READY, "round %u: %d, %s", round,
			      ret, axvcpu_last_error());
		load(&guest);
	}
	ck_assert_uint_eq(save_vm(again), size);
	ck_assert_mem_eq(again, state, size);
	expect_message(1);
	send(2);
	expect_message(2);
	guest_end(&guest);
}
END_TEST

/* --- VMs without controllers ---------------------------------------------------------------------- */

START_TEST(a_vm_without_an_irqchip_has_a_state_of_its_shape)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(life));
	guest_expect_write(&guest, GUEST_MMIO, GUEST_VALUE);
	save();
	guest_start(&other, AXVCPU_MODE_64, PROGRAM(life));
	load(&other);
	guest_end(&guest);
	guest = other;
	guest_expect_read(&guest, GUEST_MMIO);
	if (guest_has_messages()) {
		guest_start_messages(&other);
		ck_fails_saying(axvm_load(other.vm, state, size, NULL), EINVAL, "irqchip");
		guest_end(&other);
	}
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *messages = suite_case(suite, "messages");
	TCase *others = suite_case(suite, "others");

	tcase_add_test(others, a_vm_without_an_irqchip_has_a_state_of_its_shape);
	if (!guest_has_messages()) {
		suite_left_out("messages", "KVM has no controller that takes messages");
		return;
	}
	tcase_add_test(messages, a_message_on_its_way_moves_with_the_vm);
	tcase_add_test(messages, a_message_on_its_way_is_there_again_after_a_load_in_place);
	tcase_add_test(messages, a_loaded_vm_is_saved_as_the_same_state);
	tcase_add_test(messages, a_damaged_state_is_refused_or_undone_by_a_good_one);
}

int main(void)
{
	return suite_main("VM state, on KVM", true, add_tests);
}
