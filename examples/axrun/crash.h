/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The report about a crashed guest. */
#ifndef AXRUN_CRASH_H
#define AXRUN_CRASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <axvcpu/axvcpu.h>

#include "json.h"
#include "machine.h"

#define CRASH_REGISTERS 96
#define CRASH_CODE 16

struct crash_register {
	const char *name;
	uint64_t value;
};

struct crash {
	/* The vCPU, and whether there are several. */
	uint32_t cpu;
	bool one_of_many;
	/* The exit, described in one line. */
	const char *kind;
	char description[512];
	/*
	 * After an internal error its name, otherwise NULL; and the instruction that could not be
	 * emulated.
	 */
	const char *error;
	bool emulation_failed;
	uint8_t insn[CRASH_CODE];
	size_t ninsn;
	/* The hypervisor has reset the vCPU: its registers do not show the guest's state. */
	bool state_lost;
	struct crash_register registers[CRASH_REGISTERS];
	size_t nregisters;
	/* Why they could not be read; "" if they were. */
	char registers_error[256];
	/* The bytes at the program counter; empty if that is not guest memory. */
	uint64_t code_addr;
	uint8_t code[CRASH_CODE];
	size_t ncode;
};

/* Examines the vCPU after that exit; no vCPU may be running. */
void crash_collect(struct crash *crash, const struct machine *machine, struct axvcpu *vcpu,
		   const struct axvcpu_exit *ex);

/* Prints it as text. */
void crash_print(const struct crash *crash, FILE *file);

/* As a member "crash" of the current JSON object. */
void crash_json(const struct crash *crash, struct json *json);

#endif
