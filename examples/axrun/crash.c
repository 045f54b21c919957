/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "crash.h"

#include <inttypes.h>
#include <string.h>

#define REGISTERS_PER_LINE 3

/* x86's reset vector: AMD hardware leaves a vCPU there after a triple fault. */
#define RESET_PC 0xfff0
#define RESET_CS_BASE 0xffff0000

static void collect_registers(struct crash *crash, struct axvcpu *vcpu)
{
	uint64_t id, value;
	const char *name;
	unsigned int n;

	for (n = 0; crash->nregisters < CRASH_REGISTERS; n++) {
		/* Vector registers are last. */
		if (axvcpu_reg_info(vcpu, n, &id, &name) || axvcpu_reg_size(id) > sizeof(value))
			break;
		if (axvcpu_get_reg(vcpu, id, &value)) {
			snprintf(crash->registers_error, sizeof(crash->registers_error), "%s",
				 axvcpu_last_error());
			continue;
		}
		crash->registers[crash->nregisters++] = (struct crash_register){ name, value };
	}
}

static void collect_code(struct crash *crash, const struct machine *machine, struct axvcpu *vcpu)
{
	uint64_t pc, base;

	if (axvcpu_get_reg(vcpu, AXVCPU_REG_PC, &pc))
		return;
	/* Only x86 has segments; elsewhere the program counter is the address. */
	if (axvcpu_get_reg(vcpu, AXVCPU_REG_X86_CS_BASE, &base))
		base = 0;
	crash->code_addr = base + pc;
	while (crash->ncode < CRASH_CODE && !axvm_read(machine->vm, crash->code_addr + crash->ncode,
						       &crash->code[crash->ncode], 1))
		crash->ncode++;
}

static bool was_reset(struct axvcpu *vcpu, const struct axvcpu_exit *ex)
{
	uint64_t pc, base;

	return ex->kind == AXVCPU_EXIT_SHUTDOWN && !axvcpu_get_reg(vcpu, AXVCPU_REG_PC, &pc) &&
	       pc == RESET_PC && !axvcpu_get_reg(vcpu, AXVCPU_REG_X86_CS_BASE, &base) &&
	       base == RESET_CS_BASE;
}

static void collect_error(struct crash *crash, const struct axvcpu_exit_internal *internal)
{
	crash->error = axvcpu_internal_error_name(internal->error);
	crash->emulation_failed = internal->error == AXVCPU_INTERNAL_EMULATION;
	crash->ninsn = internal->ninsn < CRASH_CODE ? internal->ninsn : CRASH_CODE;
	memcpy(crash->insn, internal->insn, crash->ninsn);
}

void crash_collect(struct crash *crash, const struct machine *machine, struct axvcpu *vcpu,
		   const struct axvcpu_exit *ex)
{
	*crash = (struct crash){
		.cpu = axvcpu_id(vcpu),
		.one_of_many = machine->ncpus > 1,
		.kind = axvcpu_exit_name(ex->kind),
	};
	axvcpu_exit_describe(ex, crash->description, sizeof(crash->description));
	if (ex->kind == AXVCPU_EXIT_INTERNAL_ERROR)
		collect_error(crash, &ex->u.internal);
	crash->state_lost = was_reset(vcpu, ex);
	if (crash->state_lost)
		return;
	collect_registers(crash, vcpu);
	collect_code(crash, machine, vcpu);
}

static void print_bytes(const uint8_t *bytes, size_t n, FILE *file)
{
	size_t i;

	for (i = 0; i < n; i++)
		fprintf(file, " %02x", bytes[i]);
	fputc('\n', file);
}

/* Device accesses, or any instruction on a KVM that interprets all code. */
static void print_emulation(const struct crash *crash, FILE *file)
{
	fprintf(file, "axrun: KVM could not emulate the instruction at 0x%" PRIx64,
		crash->code_addr);
	if (crash->ninsn) {
		fputs(", which its emulator does not support in this form:", file);
		print_bytes(crash->insn, crash->ninsn, file);
	} else {
		fputs(" and did not report its bytes\n", file);
	}
}

static void print_code(const struct crash *crash, FILE *file)
{
	if (crash->ncode == 0) {
		fprintf(file, "axrun: code at 0x%" PRIx64 ": not guest memory\n", crash->code_addr);
		return;
	}
	fprintf(file, "axrun: code at 0x%" PRIx64 ":", crash->code_addr);
	print_bytes(crash->code, crash->ncode, file);
}

void crash_print(const struct crash *crash, FILE *file)
{
	size_t i;

	fputs("axrun: the guest crashed: ", file);
	if (crash->one_of_many)
		fprintf(file, "vCPU %" PRIu32 ": ", crash->cpu);
	fprintf(file, "%s\n", crash->description);
	if (crash->state_lost) {
		fputs("axrun: registers: state lost: the hypervisor has reset the vCPU\n", file);
		return;
	}
	for (i = 0; i < crash->nregisters; i++) {
		fprintf(file, "%s %-9s 0x%016" PRIx64,
			i % REGISTERS_PER_LINE ? "" : "axrun:", crash->registers[i].name,
			crash->registers[i].value);
		if (i % REGISTERS_PER_LINE == REGISTERS_PER_LINE - 1 || i + 1 == crash->nregisters)
			fputc('\n', file);
	}
	if (crash->registers_error[0])
		fprintf(file, "axrun: registers: %s\n", crash->registers_error);
	if (crash->emulation_failed)
		print_emulation(crash, file);
	print_code(crash, file);
}

static void bytes_json(struct json *json, const char *name, const uint8_t *bytes, size_t n)
{
	char text[2 * CRASH_CODE + 1] = "";
	size_t i;

	for (i = 0; i < n; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	json_string(json, name, text);
}

void crash_json(const struct crash *crash, struct json *json)
{
	size_t i;

	json_object(json, "crash");
	json_string(json, "kind", crash->kind);
	json_string(json, "description", crash->description);
	if (crash->error)
		json_string(json, "error", crash->error);
	if (crash->ninsn)
		bytes_json(json, "instruction", crash->insn, crash->ninsn);
	json_number(json, "vcpu", crash->cpu);
	json_bool(json, "state_lost", crash->state_lost);
	if (!crash->state_lost) {
		json_object(json, "registers");
		for (i = 0; i < crash->nregisters; i++)
			json_hex(json, crash->registers[i].name, crash->registers[i].value);
		json_end(json);
		json_hex(json, "code_address", crash->code_addr);
		bytes_json(json, "code", crash->code, crash->ncode);
	}
	json_end(json);
}
