/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "aml.h"

#include <assert.h>
#include <string.h>

#include "bytes.h"

#define OP_NAME 0x08u
#define OP_BYTE 0x0au
#define OP_WORD 0x0bu
#define OP_DWORD 0x0cu
#define OP_STRING 0x0du
#define OP_SCOPE 0x10u
#define OP_BUFFER 0x11u
#define OP_PACKAGE 0x12u
#define OP_METHOD 0x14u
#define OP_NOTIFY 0x86u
#define OP_EXT 0x5bu
#define OP_EXT_DEVICE 0x82u

/* A package length always takes four bytes, so that it can be filled in later. */
#define LENGTH_SIZE 4u
#define LENGTH_MAX 0x0fffffffu
#define LENGTH_FOUR_BYTES 0xc0u

#define RESOURCE_PORTS 0x47u
#define RESOURCE_PORTS_DECODE16 1u
#define RESOURCE_INTERRUPT 0x89u
/* Consumer; not shared. */
#define RESOURCE_INTERRUPT_LEVEL_HIGH 0x01u
#define RESOURCE_INTERRUPT_EDGE_HIGH 0x03u
#define RESOURCE_END 0x79u

/* --- bytes and lengths ------------------------------------------------------------------------ */

static void put(struct aml *aml, const void *bytes, size_t len)
{
	if (aml->full || len > aml->size - aml->len) {
		aml->full = true;
		return;
	}
	memcpy(aml->bytes + aml->len, bytes, len);
	aml->len += len;
}

static void put_value(struct aml *aml, uint64_t value, unsigned int width)
{
	uint8_t bytes[8];

	bytes_put(bytes, width, value);
	put(aml, bytes, width);
}

static void put_op(struct aml *aml, unsigned int op)
{
	put_value(aml, op, 1);
}

static void begin(struct aml *aml)
{
	assert(aml->depth < AML_DEPTH);
	aml->open[aml->depth++] = aml->len;
	put_value(aml, 0, LENGTH_SIZE);
}

/*
 * The length includes itself. The first byte has its lowest four bits and the number of further
 * bytes.
 */
void aml_end(struct aml *aml)
{
	size_t at, len;

	assert(aml->depth > 0);
	at = aml->open[--aml->depth];
	if (aml->full)
		return;
	len = aml->len - at;
	assert(len <= LENGTH_MAX);
	aml->bytes[at] = (uint8_t)(LENGTH_FOUR_BYTES | (len & 0xf));
	bytes_put(aml->bytes + at + 1, LENGTH_SIZE - 1, len >> 4);
}

/* --- objects ---------------------------------------------------------------------------------- */

void aml_scope_begin(struct aml *aml, const char *path)
{
	put_op(aml, OP_SCOPE);
	begin(aml);
	put(aml, path, strlen(path));
}

void aml_device_begin(struct aml *aml, const char *name)
{
	put_op(aml, OP_EXT);
	put_op(aml, OP_EXT_DEVICE);
	begin(aml);
	put(aml, name, 4);
}

void aml_package_begin(struct aml *aml, uint8_t elements)
{
	put_op(aml, OP_PACKAGE);
	begin(aml);
	put_value(aml, elements, 1);
}

void aml_method_begin(struct aml *aml, const char *name, uint8_t args)
{
	put_op(aml, OP_METHOD);
	begin(aml);
	put(aml, name, 4);
	put_value(aml, args, 1);
}

void aml_notify(struct aml *aml, const char *device, uint8_t value)
{
	put_op(aml, OP_NOTIFY);
	put(aml, device, 4);
	aml_number(aml, value);
}

/* The buffer's size, a two-byte number, is also filled in later. */
void aml_resources_begin(struct aml *aml)
{
	put_op(aml, OP_BUFFER);
	begin(aml);
	put_op(aml, OP_WORD);
	put_value(aml, 0, 2);
}

void aml_resources_end(struct aml *aml)
{
	size_t size_at = aml->open[aml->depth - 1] + LENGTH_SIZE + 1;

	put_op(aml, RESOURCE_END);
	/* A checksum of 0 means that there is none. */
	put_value(aml, 0, 1);
	if (!aml->full)
		bytes_put(aml->bytes + size_at, 2, aml->len - (size_at + 2));
	aml_end(aml);
}

void aml_name(struct aml *aml, const char *name)
{
	put_op(aml, OP_NAME);
	put(aml, name, 4);
}

void aml_number(struct aml *aml, uint32_t value)
{
	/* 0 and 1 have opcodes of their own. */
	if (value <= 1) {
		put_op(aml, value);
	} else if (value <= UINT8_MAX) {
		put_op(aml, OP_BYTE);
		put_value(aml, value, 1);
	} else {
		put_op(aml, OP_DWORD);
		put_value(aml, value, 4);
	}
}

void aml_string(struct aml *aml, const char *text)
{
	put_op(aml, OP_STRING);
	put(aml, text, strlen(text) + 1);
}

static uint32_t hex_digit(char c)
{
	return (uint32_t)(c <= '9' ? c - '0' : c - 'A' + 10);
}

/* Five bits per letter, four per digit, big-endian. */
void aml_eisa_id(struct aml *aml, const char *id)
{
	uint32_t value = 0;
	unsigned int i;

	for (i = 0; i < 3; i++)
		value = value << 5 | ((uint32_t)id[i] & 0x1f);
	for (; i < 7; i++)
		value = value << 4 | hex_digit(id[i]);
	put_op(aml, OP_DWORD);
	put_value(aml, __builtin_bswap32(value), 4);
}

/* --- resources -------------------------------------------------------------------------------- */

void aml_ports(struct aml *aml, uint16_t base, uint8_t len)
{
	put_op(aml, RESOURCE_PORTS);
	put_op(aml, RESOURCE_PORTS_DECODE16);
	/* Minimum, maximum, alignment 1. */
	put_value(aml, base, 2);
	put_value(aml, base, 2);
	put_value(aml, 1, 1);
	put_value(aml, len, 1);
}

static void put_interrupt(struct aml *aml, unsigned int flags, uint32_t gsi)
{
	put_op(aml, RESOURCE_INTERRUPT);
	/* Length of the rest: flags, a count, a number. */
	put_value(aml, 6, 2);
	put_op(aml, flags);
	put_value(aml, 1, 1);
	put_value(aml, gsi, 4);
}

void aml_interrupt(struct aml *aml, uint32_t gsi)
{
	put_interrupt(aml, RESOURCE_INTERRUPT_LEVEL_HIGH, gsi);
}

void aml_edge_interrupt(struct aml *aml, uint32_t gsi)
{
	put_interrupt(aml, RESOURCE_INTERRUPT_EDGE_HIGH, gsi);
}
