/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * flood [port|mmio] [COUNT]: exits as fast as it can, COUNT times (1000), by writes to the test
 * device. The writes have 4 bytes; at the end it checks the device's count of them.
 */
#include "arch.h"
#include "runtime/guest.h"

#define DEFAULT_COUNT 1000

static void flood_mmio(uint64_t count)
{
	uint64_t gpa = guest_boot_page()->test_gpa + GUEST_TEST_SCRATCH;

	while (count--)
		guest_write32(gpa, 0);
}

static uint64_t writes_seen(void)
{
	return guest_read64(guest_boot_page()->test_gpa + GUEST_TEST_WRITES);
}

#if GUEST_HAS_PORTS
static const bool have_ports = true;

static void flood_port(uint64_t count)
{
	while (count--)
		guest_out32(GUEST_PORT_TEST + GUEST_TEST_SCRATCH, 0);
}
#else
static const bool have_ports = false;

static void flood_port(uint64_t count)
{
	(void)count;
}
#endif

int guest_main(void)
{
	bool port = have_ports && !guest_word_is(0, "mmio");
	bool named = guest_word_is(0, "mmio") || guest_word_is(0, "port");
	uint64_t count = DEFAULT_COUNT;
	const char *word;

	if ((guest_word(named, &word) && !guest_word_number(named, &count)) ||
	    (!have_ports && guest_word_is(0, "port"))) {
		if (have_ports)
			guest_print("usage: flood [port|mmio] [COUNT]\n");
		else
			guest_print("usage: flood [mmio] [COUNT]\n");
		return 2;
	}
	if (port)
		flood_port(count);
	else
		flood_mmio(count);
	guest_print("flood: ");
	guest_print_dec(count);
	guest_print(port ? " port writes\n" : " mmio writes\n");
	return guest_check("flood: all seen", writes_seen() == count) ? 0 : 1;
}
