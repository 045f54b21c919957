/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* pio: accesses the test device by I/O ports of 1, 2 and 4 bytes, also by string instructions. */
#include "arch.h"
#include "runtime/guest.h"

#define SCRATCH (GUEST_PORT_TEST + GUEST_TEST_SCRATCH)
#define VALUE 0x89abcdefu

static bool width_seen(uint32_t width)
{
	return guest_in32(GUEST_PORT_TEST + GUEST_TEST_WIDTH) == width;
}

static bool poke8(void)
{
	guest_out8(SCRATCH, (uint8_t)VALUE);
	return width_seen(1) && guest_in8(SCRATCH) == (uint8_t)VALUE;
}

static bool poke16(void)
{
	guest_out16(SCRATCH, (uint16_t)VALUE);
	return width_seen(2) && guest_in16(SCRATCH) == (uint16_t)VALUE;
}

static bool poke32(void)
{
	guest_out32(SCRATCH, VALUE);
	return width_seen(4) && guest_in32(SCRATCH) == VALUE;
}

/* With the port number in dx, and as an immediate. */
static bool no_device(void)
{
	return guest_in8(0xffff) == 0xff && guest_in16(0x80) == 0xffff &&
	       guest_in32(0xfffc) == 0xffffffff;
}

static bool string_read(void)
{
	uint32_t words[4] = { 0 };
	void *to = words;
	uint64_t count = 4;
	unsigned int i;

	guest_out32(SCRATCH, VALUE);
	__asm__ volatile("rep insl" : "+D"(to), "+c"(count) : "d"(SCRATCH) : "memory");
	for (i = 0; i < 4; i++)
		if (words[i] != VALUE)
			return false;
	return count == 0 && to == words + 4;
}

static bool string_write(void)
{
	static const uint16_t words[3] = { 1, 2, 0x1234 };
	const void *from = words;
	uint64_t count = 3;

	__asm__ volatile("rep outsw" : "+S"(from), "+c"(count) : "d"(SCRATCH) : "memory");
	return count == 0 && from == words + 3 && width_seen(2) && guest_in16(SCRATCH) == 0x1234;
}

int guest_main(void)
{
	bool passed = guest_check("pio: id", guest_in32(GUEST_PORT_TEST) == GUEST_TEST_MAGIC);

	passed &= guest_check("pio: 1 byte", poke8());
	passed &= guest_check("pio: 2 bytes", poke16());
	passed &= guest_check("pio: 4 bytes", poke32());
	passed &= guest_check("pio: no device", no_device());
	passed &= guest_check("pio: string read", string_read());
	passed &= guest_check("pio: string write", string_write());
	return passed ? 0 : 1;
}
