/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The SBI debug console (DBCN) of riscv64: console access without a driver. It shares the console
 * of the serial port.
 */
#ifndef AXRUN_DBCN_H
#define AXRUN_DBCN_H

#include <stdint.h>

#include <axvcpu/axvcpu.h>

#include "uart.h"

#define DBCN_EXTENSION 0x4442434eu

/* Results of an SBI call. */
struct dbcn_result {
	int64_t error;
	uint64_t value;
};

struct dbcn_result dbcn_call(struct axvm *vm, struct uart *uart, uint64_t function,
			     const uint64_t args[6]);

#endif
