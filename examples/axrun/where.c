/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "where.h"

#include <inttypes.h>

static const char *reg_name(const struct axvcpu *vcpu, uint64_t wanted)
{
	const char *name;
	uint64_t id;
	unsigned int n;

	for (n = 0; !axvcpu_reg_info(vcpu, n, &id, &name); n++)
		if (id == wanted)
			return name;
	return "?";
}

void where_collect(struct where *where, const struct machine *machine,
		   const struct platform *platform)
{
	uint32_t i;

	*where = (struct where){
		.pc_name = reg_name(machine->vcpus[0], AXVCPU_REG_PC),
		.tables_name = reg_name(machine->vcpus[0], platform->tables_reg),
	};
	for (i = 0; i < machine->ncpus; i++) {
		struct axvcpu *vcpu = machine->vcpus[i];
		uint64_t pc, tables;

		if (axvcpu_get_reg(vcpu, AXVCPU_REG_PC, &pc) ||
		    axvcpu_get_reg(vcpu, platform->tables_reg, &tables))
			continue;
		where->cpu[where->ncpus].id = axvcpu_id(vcpu);
		where->cpu[where->ncpus].pc = pc;
		where->cpu[where->ncpus++].tables = tables;
	}
}

void where_print(const struct where *where, FILE *file)
{
	uint32_t i;

	for (i = 0; i < where->ncpus; i++)
		fprintf(file, "axrun: vCPU %" PRIu32 " was at %s 0x%" PRIx64 ", %s 0x%" PRIx64 "\n",
			where->cpu[i].id, where->pc_name, where->cpu[i].pc, where->tables_name,
			where->cpu[i].tables);
}

void where_json(const struct where *where, struct json *json)
{
	char name[16];
	uint32_t i;

	json_object(json, "vcpus");
	for (i = 0; i < where->ncpus; i++) {
		snprintf(name, sizeof(name), "%" PRIu32, where->cpu[i].id);
		json_object(json, name);
		json_hex(json, where->pc_name, where->cpu[i].pc);
		json_hex(json, where->tables_name, where->cpu[i].tables);
		json_end(json);
	}
	json_end(json);
}
