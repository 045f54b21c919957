/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * mmio: accesses the test device by memory-mapped I/O of 1, 2, 4 and 8 bytes. Where the
 * architecture allows it, also unaligned and across a page boundary.
 */
#include "arch.h"
#include "runtime/guest.h"

#define VALUE UINT64_C(0x0123456789abcdef)

static uint64_t reg(uint32_t offset)
{
	return guest_boot_page()->test_gpa + offset;
}

static bool width_seen(uint32_t width)
{
	return guest_read32(reg(GUEST_TEST_WIDTH)) == width;
}

static bool poke8(void)
{
	guest_write8(reg(GUEST_TEST_SCRATCH), (uint8_t)VALUE);
	return width_seen(1) && guest_read8(reg(GUEST_TEST_SCRATCH)) == (uint8_t)VALUE;
}

static bool poke16(void)
{
	guest_write16(reg(GUEST_TEST_SCRATCH), (uint16_t)VALUE);
	return width_seen(2) && guest_read16(reg(GUEST_TEST_SCRATCH)) == (uint16_t)VALUE;
}

static bool poke32(void)
{
	guest_write32(reg(GUEST_TEST_SCRATCH), (uint32_t)VALUE);
	return width_seen(4) && guest_read32(reg(GUEST_TEST_SCRATCH)) == (uint32_t)VALUE;
}

static bool poke64(void)
{
	guest_write64(reg(GUEST_TEST_SCRATCH), VALUE);
	return width_seen(8) && guest_read64(reg(GUEST_TEST_SCRATCH)) == VALUE;
}

/* Reads the bytes of a wide write one by one. */
static bool byte_order(void)
{
	uint32_t i;

	for (i = 0; i < 8; i++)
		if (guest_read8(reg(GUEST_TEST_SCRATCH + i)) != (uint8_t)(VALUE >> 8 * i))
			return false;
	return true;
}

static bool read_only(void)
{
	guest_write32(reg(GUEST_TEST_ID), 0);
	return guest_read32(reg(GUEST_TEST_ID)) == GUEST_TEST_MAGIC;
}

#if !GUEST_HAS_PORTS
/* Bytes leave the queue in order, so each access has arrived exactly once. */
static bool queue(void)
{
	const uint64_t data = GUEST_GPA_QUEUE + GUEST_QUEUE_DATA;
	const uint64_t length = GUEST_GPA_QUEUE + GUEST_QUEUE_LENGTH;
	bool passed;

	guest_write32(length, 0);
	guest_write8(data, (uint8_t)VALUE);
	guest_write16(data, (uint16_t)(VALUE >> 8));
	guest_write32(data, (uint32_t)(VALUE >> 24));
	guest_write8(data, (uint8_t)(VALUE >> 56));
	guest_write32(data, (uint32_t)VALUE);
	passed = guest_read32(length) == 12;
	passed &= guest_read64(data) == VALUE;
	passed &= guest_read16(data) == (uint16_t)VALUE;
	passed &= guest_read8(data) == (uint8_t)(VALUE >> 16);
	passed &= guest_read8(data) == (uint8_t)(VALUE >> 24);
	return passed && guest_read32(length) == 0;
}

static bool poke_queue(void)
{
	return guest_check("mmio: once and in order", queue());
}
#else
static bool poke_queue(void)
{
	return true;
}
#endif

#if GUEST_MMIO_UNALIGNED
/* The hypervisor may split these accesses, so only the resulting bytes are checked. */
static bool poke_at(uint32_t offset)
{
	uint32_t i;

	guest_write64(reg(offset), VALUE);
	for (i = 0; i < 8; i++)
		if (guest_read8(reg(offset + i)) != (uint8_t)(VALUE >> 8 * i))
			return false;
	return guest_read64(reg(offset)) == VALUE;
}

static bool poke_unaligned(void)
{
	bool passed = guest_check("mmio: unaligned", poke_at(GUEST_TEST_SCRATCH + 3));

	passed &= guest_check("mmio: across pages", poke_at(GUEST_PAGE_SIZE - 3));
	return passed;
}
#else
static bool poke_unaligned(void)
{
	return true;
}
#endif

int guest_main(void)
{
	bool passed = guest_check("mmio: id", guest_read32(reg(GUEST_TEST_ID)) == GUEST_TEST_MAGIC);

	passed &= guest_check("mmio: 1 byte", poke8());
	passed &= guest_check("mmio: 2 bytes", poke16());
	passed &= guest_check("mmio: 4 bytes", poke32());
	passed &= guest_check("mmio: 8 bytes", poke64());
	passed &= guest_check("mmio: byte order", byte_order());
	passed &= guest_check("mmio: read-only", read_only());
	passed &= poke_queue();
	passed &= poke_unaligned();
	return passed ? 0 : 1;
}
