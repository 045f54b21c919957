/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Where a guest was that did not end in time: what each CPU was about to do, in which address space. */
#ifndef AXRUN_WHERE_H
#define AXRUN_WHERE_H

#include <stdint.h>
#include <stdio.h>

#include "json.h"
#include "machine.h"
#include "platform.h"

struct where {
	/* As the library calls them. */
	const char *pc_name;
	const char *tables_name;
	/* Those whose registers can be read; `ncpus` is 0 before where_collect(). */
	uint32_t ncpus;
	struct {
		uint32_t id;
		uint64_t pc;
		/* Where its page tables are. */
		uint64_t tables;
	} cpu[GUEST_CPUS_MAX];
};

/* Looks at all vCPUs, when none runs any more. */
void where_collect(struct where *where, const struct machine *machine,
		   const struct platform *platform);

/* For people, a line for each. */
void where_print(const struct where *where, FILE *file);

/* As a member "vcpus" of the present JSON object. */
void where_json(const struct where *where, struct json *json);

#endif
