/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Where the CPUs of a guest were that did not end in time: program counter and address space. */
#ifndef AXRUN_WHERE_H
#define AXRUN_WHERE_H

#include <stdint.h>
#include <stdio.h>

#include "json.h"
#include "machine.h"
#include "platform.h"

struct where {
	/* Register names from axvcpu_reg_info(). */
	const char *pc_name;
	const char *tables_name;
	/* CPUs whose registers could be read; 0 before where_collect(). */
	uint32_t ncpus;
	struct {
		uint32_t id;
		uint64_t pc;
		/* Base of its page tables. */
		uint64_t tables;
	} cpu[GUEST_CPUS_MAX];
};

/* Reads the registers of all vCPUs; none may be running. */
void where_collect(struct where *where, const struct machine *machine,
		   const struct platform *platform);

/* As text, one line per CPU. */
void where_print(const struct where *where, FILE *file);

/* As a member "vcpus" of the current JSON object. */
void where_json(const struct where *where, struct json *json);

#endif
