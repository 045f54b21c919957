/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * SBI's debug console (DBCN), on riscv64: a guest program's way to the console without a driver. It is the
 * same console that the serial port has.
 */
#ifndef AXRUN_DBCN_H
#define AXRUN_DBCN_H

#include <stdint.h>

#include <axvcpu/axvcpu.h>

#include "uart.h"

#define DBCN_EXTENSION 0x4442434eu

/* What an SBI call returns. */
struct dbcn_result {
	int64_t error;
	uint64_t value;
};

struct dbcn_result dbcn_call(struct axvm *vm, struct uart *uart, uint64_t function,
			     const uint64_t args[6]);

#endif
