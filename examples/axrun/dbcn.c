/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "dbcn.h"

#define CONSOLE_WRITE 0u
#define CONSOLE_READ 1u
#define CONSOLE_WRITE_BYTE 2u

#define ERROR_NOT_SUPPORTED (-2)
#define ERROR_INVALID_PARAM (-3)

/* Maximum per call. SBI allows a call to transfer less than requested, and returns the count. */
#define BYTES_MAX 1024u

/* Reads the caller's buffer into `buf`. Returns the length, or ERROR_INVALID_PARAM. */
static int64_t fetch(struct axvm *vm, const uint64_t args[6], uint8_t buf[BYTES_MAX])
{
	uint64_t len = args[0] < BYTES_MAX ? args[0] : BYTES_MAX, base = args[1];

	/* The upper half of the address is for 32-bit guests. */
	if (args[2] || args[0] > UINT64_MAX - base)
		return ERROR_INVALID_PARAM;
	if (len && axvm_read(vm, base, buf, len))
		return ERROR_INVALID_PARAM;
	return (int64_t)len;
}

static struct dbcn_result console_write(struct axvm *vm, struct uart *uart, const uint64_t args[6])
{
	uint8_t buf[BYTES_MAX];
	int64_t len = fetch(vm, args, buf);

	if (len < 0)
		return (struct dbcn_result){ len, 0 };
	uart_print(uart, buf, (size_t)len);
	return (struct dbcn_result){ 0, (uint64_t)len };
}

static struct dbcn_result console_read(struct axvm *vm, struct uart *uart, const uint64_t args[6])
{
	uint8_t buf[BYTES_MAX];
	/* Check first that it is memory: characters taken from the console must not be lost. */
	int64_t len = fetch(vm, args, buf);
	size_t n;

	if (len < 0)
		return (struct dbcn_result){ len, 0 };
	n = uart_take(uart, buf, (size_t)len);
	if (n && axvm_write(vm, args[1], buf, n))
		return (struct dbcn_result){ ERROR_INVALID_PARAM, 0 };
	return (struct dbcn_result){ 0, n };
}

struct dbcn_result dbcn_call(struct axvm *vm, struct uart *uart, uint64_t function,
			     const uint64_t args[6])
{
	const uint8_t byte = (uint8_t)args[0];

	switch (function) {
	case CONSOLE_WRITE:
		return console_write(vm, uart, args);
	case CONSOLE_READ:
		return console_read(vm, uart, args);
	case CONSOLE_WRITE_BYTE:
		uart_print(uart, &byte, 1);
		return (struct dbcn_result){ 0, 0 };
	default:
		return (struct dbcn_result){ ERROR_NOT_SUPPORTED, 0 };
	}
}
