/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Memory-mapped I/O of every width, both ways, and the values that the guest sees. Needs a working
 * /dev/kvm.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"
#include "suite.h"

static struct guest guest;

static void check(unsigned int width)
{
	ck_assert_uint_eq(guest.exit.u.mmio.width, width);
	ck_assert_uint_eq(guest.exit.u.mmio.reg_known, 0);
	ck_assert_uint_eq(guest.exit.answerable, guest.exit.kind == AXVCPU_EXIT_MMIO_READ);
	ck_assert_uint_eq(guest.exit.raw_reason, 6); /* KVM_EXIT_MMIO */
	ck_assert_uint_eq(guest.exit.raw_code, 0);
	ck_assert_uint_eq(guest.exit.kicked, 0);
}

static void expect_read(uint64_t addr, unsigned int width)
{
	guest_expect_read(&guest, addr);
	ck_assert_uint_eq(guest.exit.u.mmio.data, 0);
	check(width);
}

static void expect_write(uint64_t addr, unsigned int width, uint64_t value)
{
	guest_expect_write(&guest, addr, value);
	check(width);
}

static uint64_t low(uint64_t value, unsigned int width)
{
	return width == 8 ? value : value & ((UINT64_C(1) << 8 * width) - 1);
}

/* --- widths ----------------------------------------------------------------------------------- */

#define ANSWER UINT64_C(0xf1e2d3c4b5a69788)

/* The program "widths", whose reads get 'answer', or none. */
static void run_widths(bool answered)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(widths));
	for (unsigned int i = 0; i < 4; i++) {
		const unsigned int width = 1u << i;

		expect_read(GUEST_MMIO + 8 * i, width);
		if (answered)
			ck_ok(axvcpu_complete_value(guest.vcpu, ANSWER));
		/* Only as many bytes of the answer as were asked for; by default, all ones. */
		expect_write(GUEST_MMIO + 0x40 + 8 * i, 8,
			     low(answered ? ANSWER : UINT64_MAX, width));
		expect_write(GUEST_MMIO + 0x80 + 8 * i, width, low(GUEST_PATTERN, width));
	}
	guest_expect_end(&guest);
	guest_end(&guest);
}

START_TEST(loads_and_stores_of_every_width_carry_their_bytes)
{
	run_widths(true);
}
END_TEST

START_TEST(an_unanswered_load_of_every_width_is_all_ones)
{
	run_widths(false);
}
END_TEST

/* --- answers ---------------------------------------------------------------------------------- */

START_TEST(a_load_takes_one_value_and_no_other_answer)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(echo));
	ck_fails(axvcpu_complete_value(guest.vcpu, 1), EBADFD);
	expect_read(GUEST_MMIO, 4);
	ck_fails(axvcpu_complete_fault(guest.vcpu), EINVAL);
	ck_fails(axvcpu_complete_pair(guest.vcpu, 0, 0), EINVAL);
	ck_fails(axvcpu_complete_bytes(guest.vcpu, "abcd", 4), EINVAL);
	ck_ok(axvcpu_complete_value(guest.vcpu, 5));
	ck_fails(axvcpu_complete_value(guest.vcpu, 6), EBADFD);
	expect_write(GUEST_MMIO, 4, 5);
	/* A store takes none. */
	ck_fails(axvcpu_complete_value(guest.vcpu, 7), EBADFD);
	expect_read(GUEST_MMIO, 4);
	guest_end(&guest);
}
END_TEST

START_TEST(flush_finishes_the_instruction_and_no_more)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(echo));
	expect_read(GUEST_MMIO, 4);
	ck_ok(axvcpu_complete_value(guest.vcpu, 0x5a));
	ck_ok(axvcpu_flush(guest.vcpu));
	ck_assert_uint_eq(guest_reg(&guest, GUEST_VALUE_REG), 0x5a);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), PROGRAM_AT(echo, store));
	/* Repeating it has no effect, and there is nothing left to answer. */
	ck_ok(axvcpu_flush(guest.vcpu));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), PROGRAM_AT(echo, store));
	ck_fails(axvcpu_complete_value(guest.vcpu, 0x5b), EBADFD);
	expect_write(GUEST_MMIO, 4, 0x5a);
	guest_end(&guest);
}
END_TEST

START_TEST(unbind_finishes_an_open_exit)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(echo));
	expect_read(GUEST_MMIO, 4);
	ck_ok(axvcpu_unbind(guest.vcpu));
	ck_assert_uint_eq(guest_reg(&guest, GUEST_VALUE_REG), 0xffffffff);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), PROGRAM_AT(echo, store));
	ck_ok(axvcpu_bind(guest.vcpu));
	ck_fails(axvcpu_complete_value(guest.vcpu, 1), EBADFD);
	expect_write(GUEST_MMIO, 4, 0xffffffff);
	guest_end(&guest);
}
END_TEST

START_TEST(a_register_written_at_an_open_exit_stays_written)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(echo));
	expect_read(GUEST_MMIO, 4);
	/* Else the load's own result would come over it. */
	ck_ok(axvcpu_set_reg(guest.vcpu, GUEST_VALUE_REG, 0x12345678));
	ck_assert_uint_eq(guest_reg(&guest, GUEST_VALUE_REG), 0x12345678);
	expect_write(GUEST_MMIO, 4, 0x12345678);
	guest_end(&guest);
}
END_TEST

/* --- memory that comes and goes --------------------------------------------------------------- */

/* A page over the address that the guest talks to. */
static struct axvm_region page_at_mmio(void)
{
	struct axvm_region region = AXVM_REGION_INIT;

	region.gpa = GUEST_MMIO;
	region.len = (uint64_t)sysconf(_SC_PAGESIZE);
	return region;
}

START_TEST(memory_mapped_while_bound_is_seen_and_unmapped_memory_is_mmio)
{
	struct axvm_region region = page_at_mmio();
	uint32_t seen = 0x77;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(life));
	expect_write(GUEST_MMIO, 4, GUEST_VALUE);
	ck_ok(axvm_map(guest.vm, &region));
	ck_ok(axvm_write(guest.vm, GUEST_MMIO, &seen, sizeof(seen)));
	/* All except the end becomes memory now. */
	guest_expect_end(&guest);
	seen = 0;
	ck_ok(axvm_read(guest.vm, GUEST_MMIO + 8, &seen, sizeof(seen)));
	ck_assert_uint_eq(seen, 0x77);
	ck_ok(axvm_unmap(guest.vm, region.gpa, region.len));
	ck_ok(axvcpu_set_entry(guest.vcpu, GUEST_CODE));
	expect_write(GUEST_MMIO, 4, GUEST_VALUE);
	expect_read(GUEST_MMIO, 4);
	guest_end(&guest);
}
END_TEST

START_TEST(a_store_to_read_only_memory_is_an_exit_and_a_load_is_not)
{
	struct axvm_region rom = page_at_mmio();
	uint32_t value = 0xcafef00d;

	guest_create(&guest, NULL, PROGRAM(echo));
	rom.flags = AXVM_MEM_READONLY;
	ck_ok(axvm_map(guest.vm, &rom));
	ck_ok(axvm_write(guest.vm, GUEST_MMIO, &value, sizeof(value)));
	guest_setup(&guest, AXVCPU_MODE_64);
	ck_ok(axvcpu_bind(guest.vcpu));
	for (int i = 0; i < 3; i++)
		expect_write(GUEST_MMIO, 4, 0xcafef00d);
	guest_end(&guest);
}
END_TEST

/* Copies from memory that is there to 'away', or back. */
static void start_copy(const struct axvm_region *away, bool to_it)
{
	struct axvcpu_setup_config setup = guest_setup_config(0);
	const uint64_t there = GUEST_CODE;
	const uint64_t cells[2] = { to_it ? there : away->gpa, to_it ? away->gpa : there };

	guest_create(&guest, NULL, PROGRAM(copy));
	ck_ok(axvm_map(guest.vm, away));
	ck_ok(axvm_write(guest.vm, GUEST_CELL_OF(0), cells, sizeof(cells)));
	setup.arg = GUEST_CELL_OF(0);
	ck_ok(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup));
	ck_ok(axvcpu_bind(guest.vcpu));
}

static void expect_fault(const struct axvm_region *away)
{
	const struct axvcpu_exit_page_fault *fault = &guest.exit.u.page_fault;

	guest_expect(&guest, AXVCPU_EXIT_NESTED_PAGE_FAULT);
	ck_assert_uint_eq(fault->error, EFAULT);
	ck_assert_uint_eq(guest.exit.answerable, 0);
	/* x86_64 reports the address from Linux 6.8 on. */
	if (guest.exit.raw_reason == 39) { /* KVM_EXIT_MEMORY_FAULT */
		ck_assert_uint_eq(fault->addr & ~(away->len - 1), away->gpa);
		ck_assert_uint_ge(fault->size, 1);
	} else {
		ck_assert_uint_eq(fault->addr, 0);
		ck_assert_uint_eq(fault->size, 0);
	}
	ck_assert_int_eq(axvcpu_state(guest.vcpu), AXVCPU_READY);
}

START_TEST(memory_that_the_host_has_taken_away_is_a_page_fault)
{
	struct axvm_region away = page_at_mmio();
	void *hva;

	start_copy(&away, _i);
	ck_ok(axvm_translate(guest.vm, away.gpa, away.len, &hva));
	ck_assert_int_eq(mprotect(hva, away.len, PROT_NONE), 0);
	if (guest_kvm_is_pvm()) {
		/* Its interpreter treats unreachable memory as a device. */
		guest_expect(&guest, _i ? AXVCPU_EXIT_MMIO_WRITE : AXVCPU_EXIT_MMIO_READ);
		ck_assert_uint_eq(guest.exit.u.mmio.addr, away.gpa);
	} else {
		for (int i = 0; i < 3; i++)
			expect_fault(&away);
		/* The instruction has not been done: it is when there is memory again. */
		ck_assert_int_eq(mprotect(hva, away.len, PROT_READ | PROT_WRITE), 0);
	}
	guest_expect_end(&guest);
	guest_end(&guest);
}
END_TEST

#define COMINGS 1000

static atomic_bool done;

static void *map_and_unmap(void *arg)
{
	struct axvm_region rom = page_at_mmio();

	(void)arg;
	rom.flags = AXVM_MEM_READONLY;
	for (int i = 0; i < COMINGS; i++) {
		ck_ok(axvm_map(guest.vm, &rom));
		ck_ok(axvm_unmap(guest.vm, rom.gpa, rom.len));
	}
	atomic_store(&done, true);
	return NULL;
}

START_TEST(memory_that_comes_and_goes_is_memory_or_mmio_at_any_moment)
{
	uint64_t expected = 0;
	pthread_t changer;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(echo));
	ck_assert_int_eq(pthread_create(&changer, NULL, map_and_unmap, NULL), 0);
	while (!atomic_load(&done)) {
		ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
		switch (guest.exit.kind) {
		case AXVCPU_EXIT_NOTHING:
			break;
		case AXVCPU_EXIT_MMIO_READ:
			expected = GUEST_VALUE;
			ck_ok(axvcpu_complete_value(guest.vcpu, expected));
			break;
		default:
			ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_MMIO_WRITE);
			/* The answer, or the value read from memory. */
			ck_assert_uint_eq(guest.exit.u.mmio.data, expected);
			expected = 0;
		}
	}
	pthread_join(changer, NULL);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *widths = suite_case(suite, "widths");
	TCase *answers = suite_case(suite, "answers");
	TCase *memory = suite_case(suite, "memory");

	tcase_add_test(widths, loads_and_stores_of_every_width_carry_their_bytes);
	tcase_add_test(widths, an_unanswered_load_of_every_width_is_all_ones);

	tcase_add_test(answers, a_load_takes_one_value_and_no_other_answer);
	tcase_add_test(answers, flush_finishes_the_instruction_and_no_more);
	tcase_add_test(answers, unbind_finishes_an_open_exit);
	tcase_add_test(answers, a_register_written_at_an_open_exit_stays_written);

	tcase_add_test(memory, memory_mapped_while_bound_is_seen_and_unmapped_memory_is_mmio);
	tcase_add_test(memory, a_store_to_read_only_memory_is_an_exit_and_a_load_is_not);
	tcase_add_loop_test(memory, memory_that_the_host_has_taken_away_is_a_page_fault, 0, 2);
	tcase_add_test(memory, memory_that_comes_and_goes_is_memory_or_mmio_at_any_moment);
}

int main(void)
{
	return suite_main("mmio", true, add_tests);
}
