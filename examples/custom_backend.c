/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * An architecture of one's own, made from the installed headers alone: no KVM, no hardware.
 *
 * Its programs are arrays of exits. The CPU "executes" an exit by returning it; what the VMM
 * answers goes into a register. The library does the rest, as for any architecture: states,
 * ownership, guest memory, affinity. Such a CPU is what tests of a VMM want; the same table with
 * an interpreter in run() would be an emulator.
 *
 * main() runs a program, checks what both sides saw, and returns 0 if all was right.
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
	/* If the exit is answerable: the register that gets the answer. */
	unsigned int reg;
};

/* What axvcpu_config.arch points to: the code that the program counter counts through. */
struct program {
	const struct instruction *code;
	size_t length;
};

struct cpu {
	struct program program;
	/* The exit that waits for its answer; NULL: none. */
	const struct instruction *pending;
	uint64_t pc;
	uint64_t gpr[REGISTERS];
};

static int cpu_new(void *arch_vm, const struct axvcpu_config *config, void **arch_vcpu)
{
	struct cpu *cpu;

	/* This architecture has no vm_new, so there is no object of the VM's. */
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
	return root ? axvcpu_fail(NULL, -EINVAL, "scripted CPU: it has no nested paging") : 0;
}

/* set_entry and set_ept_root have been called. There is but one mode to set up. */
static int cpu_setup(void *arch_vcpu, const struct axvcpu_setup_config *config)
{
	struct cpu *cpu = arch_vcpu;

	cpu->gpr[1] = config->arg;
	return 0;
}

/* An access retires when its value is known: with the answer, or at the latest in the next run. */
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

	/* Nobody answered: a bus without a device reads as all ones. */
	if (cpu->pending)
		retire(cpu, UINT64_MAX);
	if (cpu->pc >= cpu->program.length) {
		/* Nothing that a guest does is an error of run(): it is an exit. */
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

/* Called only while an exit is answerable and unanswered: the library sees to that. */
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

/* The whole architecture. What is not in it is optional, and not needed here. */
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

/* Runs the program to its end; what it wrote to the port, and how often it halted. */
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
	check(regs.gpr[3] == UINT64_MAX, "the read that nobody answered");
	check(regs.gpr[RESULT_REGISTER] == 42, "the hypercall's result");
	check(written == '!' && halts == 1, "the write and the halt");
	check(!axvcpu_free(vcpu) && !axvm_free(vm), "free");
	puts("custom_backend: the scripted architecture works");
	return 0;
}
