/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* x86_64: exits that the KVM at hand cannot be brought to. Needs a working /dev/kvm. */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "forge.h"
#include "suite.h"

static int kvm_run_size(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int size = ioctl(fd, KVM_GET_VCPU_MMAP_SIZE, 0);

	ck_assert_int_gt(size, 0);
	close(fd);
	return size;
}

static void forge_notify(void)
{
	forge.run->exit_reason = KVM_EXIT_NOTIFY;
	forge.run->notify.flags = KVM_NOTIFY_CONTEXT_INVALID;
}

START_TEST(notify_exit_is_returned)
{
	forge_start();
	forge_expect(forge_notify, 0, AXVCPU_EXIT_NOTIFY, KVM_NOTIFY_CONTEXT_INVALID);
	forge_end();
}
END_TEST

/* --- string I/O that is not where it can be ---------------------------------------------------- */

static uint64_t offset;
static uint32_t count;
static uint8_t size;
static uint8_t direction = KVM_EXIT_IO_IN;

static void forge_io(void)
{
	forge.run->exit_reason = KVM_EXIT_IO;
	forge.run->io.direction = direction;
	forge.run->io.size = size;
	forge.run->io.port = 0x77;
	forge.run->io.count = count;
	forge.run->io.data_offset = offset;
}

static const struct {
	/* From the end of the mapping, backwards; or from its beginning, if that is 0. */
	uint64_t before_end;
	uint64_t offset;
	uint32_t count;
	uint8_t size;
} places[] = {
	{ 0, UINT64_MAX, 2, 1 },
	{ 0, UINT64_MAX - 8, 2, 1 },
	{ 0, UINT64_MAX - 1023, 1024, 1 },
	{ 0, UINT64_C(1) << 63, 2, 4 },
	{ 0, 0, UINT32_MAX, 255 },
	{ 9, 0, 2, 1 },
	{ 1, 0, 1, 1 },
	/* One item is looked at before anything else is; this one would end beyond. */
	{ 9, 0, 1, 255 },
};

START_TEST(items_outside_of_the_shared_memory_are_not_touched)
{
	size_t run_size;

	forge_start();
	run_size = (size_t)kvm_run_size();
	count = places[_i].count;
	size = places[_i].size;
	offset = places[_i].before_end ? run_size - places[_i].before_end : places[_i].offset;
	forge_expect(forge_io, 0, AXVCPU_EXIT_UNHANDLED, 0);
	guest_end(&forge.guest);
}
END_TEST

START_TEST(the_last_items_that_the_shared_memory_has_room_for_are_read)
{
	forge_start();
	count = 2;
	size = 1;
	offset = (uint64_t)kvm_run_size() - 10;
	forge.exit = forge_io;
	guest_expect(&forge.guest, AXVCPU_EXIT_IO_READ);
	ck_assert_ptr_eq(forge.guest.exit.u.io.buf, (unsigned char *)forge.run + offset);
	ck_assert_uint_eq(axvcpu_io_get(&forge.guest.exit.u.io, 1), 0xff);
	guest_end(&forge.guest);
}
END_TEST

/* Port I/O that no instruction makes, one item and several. */
static const struct {
	uint8_t direction;
	uint8_t size;
	uint32_t count;
} accesses[] = {
	{ KVM_EXIT_IO_IN, 0, 1 },
	{ KVM_EXIT_IO_IN, 3, 1 },
	{ KVM_EXIT_IO_IN, 8, 1 },
	{ KVM_EXIT_IO_OUT, 0, 1 },
	{ KVM_EXIT_IO_OUT, 5, 1 },
	{ KVM_EXIT_IO_OUT, 255, 1 },
	{ 2, 1, 1 },
	{ 255, 4, 1 },
	{ KVM_EXIT_IO_IN, 3, 2 },
	{ KVM_EXIT_IO_OUT, 0, 2 },
	{ 3, 1, 2 },
	{ KVM_EXIT_IO_IN, 1, 0 },
};

START_TEST(port_io_of_no_valid_form_is_unhandled)
{
	forge_start();
	direction = accesses[_i].direction;
	size = accesses[_i].size;
	count = accesses[_i].count;
	offset = sizeof(struct kvm_run);
	forge_expect(forge_io, 0, AXVCPU_EXIT_UNHANDLED, 0);
	guest_end(&forge.guest);
}
END_TEST

/* The preset of the items, all ones, then changes their offset. */
START_TEST(items_over_their_own_offset_are_not_answered)
{
	const uint16_t item = 0x1234;
	const struct axvcpu_answer answer = {
		.kind = AXVCPU_ANSWER_BYTES,
		.u.bytes = { .ptr = &item, .len = sizeof(item) },
	};

	forge_start();
	size = sizeof(item);
	count = 1;
	offset = offsetof(struct kvm_run, io.data_offset) + 2;
	forge.exit = forge_io;
	guest_expect(&forge.guest, AXVCPU_EXIT_IO_READ);
	ck_assert_int_eq(axvcpu_complete(forge.guest.vcpu, &answer), -EIO);
	ck_assert_int_eq(axvcpu_state(forge.guest.vcpu), AXVCPU_READY);
	guest_end(&forge.guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tcase = suite_case(suite, "forged");

	tcase_add_test(tcase, notify_exit_is_returned);
	tcase_add_loop_test(tcase, items_outside_of_the_shared_memory_are_not_touched, 0,
			    sizeof(places) / sizeof(places[0]));
	tcase_add_test(tcase, the_last_items_that_the_shared_memory_has_room_for_are_read);
	tcase_add_test(tcase, items_over_their_own_offset_are_not_answered);
	tcase_add_loop_test(tcase, port_io_of_no_valid_form_is_unhandled, 0,
			    sizeof(accesses) / sizeof(accesses[0]));
}

int main(void)
{
	return suite_main("x86_kvm_exits", true, add_tests);
}
