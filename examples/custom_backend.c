/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * A custom backend, made from the installed headers alone: it needs no KVM and no hardware.
 *
 * A program of this architecture is an array of exits. The CPU executes an exit by returning it; the
 * answer of the VMM goes to a register. The library does the rest, as for any architecture: states,
 * ownership, guest memory, affinity. Tests of a VMM need such a CPU. With an interpreter in run(), the
 * same table would be an emulator.
 *
 * main() runs a program, checks the result of both sides, and returns 0 if all is right.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <axvcpu/axvcpu.h>

/* --- the architecture ------------------------------------------------------------------------- */

#define REGISTERS 8
#define RESULT_REGISTER 0

struct instruction {
	struct axvcpu_exit exit;
	/* The register that receives the answer, if the exit takes one. */
	unsigned int reg;
};

/* For axvcpu_config.arch: the code, which the program counter indexes. */
struct program {
	const struct instruction *code;
	size_t length;
};

struct cpu {
	struct program program;
	/* The exit that has no answer yet; NULL: none. */
	const struct instruction *pending;
	uint64_t pc;
	uint64_t gpr[REGISTERS];
};

static int cpu_new(void *arch_vm, const struct axvcpu_config *config, void **arch_vcpu)
{
	struct cpu *cpu;

	/* This architecture has no vm_new, so arch_vm is NULL. */
	(void)arch_vm;
	if (!config->arch)
		return axvcpu_fail(NULL, -EINVAL, "scripted CPU: config.arch must be a program");
	cpu = calloc(1, sizeof(*cpu));
	if (!cpu)
		return axvcpu_fail(NULL, -ENOMEM, "scripted CPU");
	cpu->program = *(const struct program *)config->arch;
	*arch_vcpu = cpu;
	return 0;
}

static void cpu_free(void *arch_vcpu)
{
	free(arch_vcpu);
}

static int cpu_set_entry(void *arch_vcpu, uint64_t entry)
{
	struct cpu *cpu = arch_vcpu;

	cpu->pc = entry;
	return 0;
}

static int cpu_set_ept_root(void *arch_vcpu, uint64_t root)
{
	(void)arch_vcpu;
	return root ? axvcpu_fail(NULL, -EINVAL, "scripted CPU: ept_root must be 0") : 0;
}

/* Called after set_entry and set_ept_root. There is only one mode. */
static int cpu_setup(void *arch_vcpu, const struct axvcpu_setup_config *config)
{
	struct cpu *cpu = arch_vcpu;

	cpu->gpr[1] = config->arg;
	return 0;
}

/* An access retires when its value is known: with the answer, or in the next run. */
static void retire(struct cpu *cpu, uint64_t value)
{
	cpu->gpr[cpu->pending->reg] = value;
	cpu->pending = NULL;
	cpu->pc++;
}

static int cpu_run(void *arch_vcpu, struct axvcpu_exit *ex)
{
	struct cpu *cpu = arch_vcpu;
	const struct instruction *next;

	/* There was no answer: a bus without a device reads as all ones. */
	if (cpu->pending)
		retire(cpu, UINT64_MAX);
	if (cpu->pc >= cpu->program.length) {
		/* An error of the guest is an exit, not an error of run(). */
		ex->kind = AXVCPU_EXIT_NESTED_PAGE_FAULT;
		ex->u.page_fault.addr = cpu->pc;
		ex->u.page_fault.access = AXVCPU_ACCESS_EXEC;
		return 0;
	}
	next = &cpu->program.code[cpu->pc];
	*ex = next->exit;
	if (ex->answerable)
		cpu->pending = next;
	else
		cpu->pc++;
	return 0;
}

/* The library calls this only while an exit takes an answer and has none. */
static int cpu_complete(void *arch_vcpu, const struct axvcpu_answer *answer)
{
	if (answer->kind != AXVCPU_ANSWER_VALUE)
		return axvcpu_fail(NULL, -EINVAL, "scripted CPU: an answer is one value");
	retire(arch_vcpu, answer->u.value);
	return 0;
}

static uint64_t *find_register(struct cpu *cpu, uint64_t id)
{
	if (id == AXVCPU_REG_PC)
		return &cpu->pc;
	return id < REGISTERS ? &cpu->gpr[id] : NULL;
}

static int cpu_get_reg(void *arch_vcpu, uint64_t id, uint64_t *value)
{
	const uint64_t *reg = find_register(arch_vcpu, id);

	if (!reg)
		return axvcpu_fail(NULL, -ENOENT, "scripted CPU: no such register");
	*value = *reg;
	return 0;
}

static int cpu_set_reg(void *arch_vcpu, uint64_t id, uint64_t value)
{
	uint64_t *reg = find_register(arch_vcpu, id);

	if (!reg)
		return axvcpu_fail(NULL, -ENOENT, "scripted CPU: no such register");
	*reg = value;
	return 0;
}

static int cpu_get_regs(void *arch_vcpu, struct axvcpu_regs *regs)
{
	const struct cpu *cpu = arch_vcpu;

	*regs = (struct axvcpu_regs){ .pc = cpu->pc };
	memcpy(regs->gpr, cpu->gpr, sizeof(cpu->gpr));
	return 0;
}

static int cpu_set_regs(void *arch_vcpu, const struct axvcpu_regs *regs)
{
	struct cpu *cpu = arch_vcpu;

	cpu->pc = regs->pc;
	memcpy(cpu->gpr, regs->gpr, sizeof(cpu->gpr));
	return 0;
}

static int cpu_set_return_value(void *arch_vcpu, uint64_t value)
{
	return cpu_set_reg(arch_vcpu, RESULT_REGISTER, value);
}

/* The whole architecture. All other entries are optional. */
static const struct axvcpu_arch_ops scripted = {
	.size = sizeof(struct axvcpu_arch_ops),
	.name = "scripted",
	.vcpu_new = cpu_new,
	.vcpu_free = cpu_free,
	.set_entry = cpu_set_entry,
	.set_ept_root = cpu_set_ept_root,
	.setup = cpu_setup,
	.run = cpu_run,
	.complete = cpu_complete,
	.get_reg = cpu_get_reg,
	.set_reg = cpu_set_reg,
	.get_regs = cpu_get_regs,
	.set_regs = cpu_set_regs,
	.set_return_value = cpu_set_return_value,
};

/* --- a program for it, and a VMM -------------------------------------------------------------- */

#define DEVICE 0x1000
#define NOWHERE 0x2000
#define PORT 0x3f8
#define ADD 7

static const struct instruction code[] = {
	{ .exit = { .kind = AXVCPU_EXIT_MMIO_READ,
		    .answerable = 1,
		    .u.mmio = { .addr = DEVICE, .width = 4 } },
	  .reg = 2 },
	{ .exit = { .kind = AXVCPU_EXIT_MMIO_READ,
		    .answerable = 1,
		    .u.mmio = { .addr = NOWHERE, .width = 8 } },
	  .reg = 3 },
	{ .exit = { .kind = AXVCPU_EXIT_IO_WRITE,
		    .u.io = { .port = PORT, .width = 1, .count = 1, .data = '!' } } },
	{ .exit = { .kind = AXVCPU_EXIT_HYPERCALL,
		    .answerable = 1,
		    .u.hypercall = { .nr = ADD, .args = { 40, 2 } } },
	  .reg = RESULT_REGISTER },
	{ .exit = { .kind = AXVCPU_EXIT_HALT } },
	{ .exit = { .kind = AXVCPU_EXIT_SYSTEM_DOWN } },
};

static void check(bool right, const char *what)
{
	if (right)
		return;
	fprintf(stderr, "custom_backend: %s: %s\n", what, axvcpu_last_error());
	exit(1);
}

/* Runs the program to its end. *written is the value of the port write, *halts counts halts. */
static void run(struct axvcpu *vcpu, char *written, int *halts)
{
	struct axvcpu_exit ex;

	do {
		check(!axvcpu_run(vcpu, &ex), "run");
		switch (ex.kind) {
		case AXVCPU_EXIT_MMIO_READ:
			if (ex.u.mmio.addr == DEVICE)
				check(!axvcpu_complete_value(vcpu, 0x1234), "answer a read");
			break;
		case AXVCPU_EXIT_IO_WRITE:
			*written = (char)ex.u.io.data;
			break;
		case AXVCPU_EXIT_HYPERCALL:
			check(ex.u.hypercall.nr == ADD, "hypercall");
			check(!axvcpu_complete_value(vcpu, ex.u.hypercall.args[0] +
								   ex.u.hypercall.args[1]),
			      "answer a hypercall");
			break;
		case AXVCPU_EXIT_HALT:
			++*halts;
			break;
		case AXVCPU_EXIT_SYSTEM_DOWN:
			break;
		default:
			check(false, axvcpu_exit_name(ex.kind));
		}
	} while (ex.kind != AXVCPU_EXIT_SYSTEM_DOWN);
	check(axvcpu_run(vcpu, &ex) == -EBADFD, "a machine that is off does not run");
}

int main(void)
{
	const struct program program = { code, sizeof(code) / sizeof(code[0]) };
	struct axvm_config vm_config = AXVM_CONFIG_INIT;
	struct axvcpu_config vcpu_config = AXVCPU_CONFIG_INIT;
	struct axvcpu_regs regs;
	struct axvcpu *vcpu;
	struct axvm *vm;
	char written = 0;
	int halts = 0;

	vm_config.arch = &scripted;
	vcpu_config.arch = &program;
	check(!axvm_new(&vm_config, &vm), "new VM");
	check(!axvcpu_new(vm, &vcpu_config, &vcpu), "new vCPU");
	check(!axvcpu_setup(vcpu, 0, 0, NULL), "setup");
	check(!axvcpu_bind(vcpu), "bind");

	run(vcpu, &written, &halts);

	check(!axvcpu_get_regs(vcpu, &regs), "registers");
	check(regs.gpr[2] == 0x1234, "the answered read");
	check(regs.gpr[3] == UINT64_MAX, "the read without an answer");
	check(regs.gpr[RESULT_REGISTER] == 42, "the hypercall's result");
	check(written == '!' && halts == 1, "the write and the halt");
	check(!axvcpu_free(vcpu) && !axvm_free(vm), "free");
	puts("custom_backend: the scripted architecture works");
	return 0;
}
