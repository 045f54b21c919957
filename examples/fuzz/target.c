/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Guests that are fuzzed: a VM with one vCPU, and two devices as axrun has them. */
#include "target.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../guests/abi.h"

/* Memory, and the boot area in it, below the guest, which is linked to 1 MiB above its start. */
#define MEMORY 0x400000u
#define PAGE_AT 0x8000u
#define TABLES_AT 0x10000u
#define TABLES_SIZE 0x10000u

#define UART_SIZE 8u
#define UART_LSR 5u
#define LSR_TRANSMITTER_EMPTY 0x60u
#define EXIT_SIZE 4u

static const struct machine {
	const char *name;
	uint16_t elf;
	/* AXVM_FORWARD_*, for the guest's call. */
	uint32_t forward;
	/* The register that holds the address of the boot page. */
	unsigned int page_gpr;
	/* The devices. */
	uint32_t space;
	uint64_t console;
	uint64_t exit;
} machines[] = {
	{ "x86_64", EM_X86_64, AXVM_FORWARD_DOORBELL, 7, AXVM_SPACE_PORT, GUEST_PORT_CONSOLE,
	  GUEST_PORT_EXIT },
	{ "arm64", EM_AARCH64, AXVM_FORWARD_HYPERCALLS, 1, AXVM_SPACE_MMIO, GUEST_GPA_CONSOLE,
	  GUEST_GPA_EXIT },
	{ "riscv64", EM_RISCV, 0, 12, AXVM_SPACE_MMIO, GUEST_GPA_CONSOLE, GUEST_GPA_EXIT },
};

void target_die(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("fuzz: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	/* An engine may have a handler for exit(). */
	_exit(2);
}

static int64_t check(int64_t ret)
{
	if (ret < 0)
		target_die("%s", axvcpu_last_error());
	return ret;
}

/* --- the devices ------------------------------------------------------------------------------ */

/* The transmitter is always empty, and nothing is received. */
static int read_console(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
			uint64_t *value)
{
	(void)vcpu, (void)ctx, (void)width;
	*value = offset == UART_LSR ? LSR_TRANSMITTER_EMPTY : 0;
	return AXVM_HANDLED;
}

static int write_console(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
			 uint64_t value)
{
	struct target *target = ctx;

	(void)vcpu, (void)width;
	if (offset == 0 && target->nreport + 1 < sizeof(target->report))
		target->report[target->nreport++] = (char)value;
	return AXVM_HANDLED;
}

static int write_exit(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
		      uint64_t value)
{
	struct target *target = ctx;

	(void)vcpu, (void)offset, (void)width;
	target->ended = true;
	target->status = (uint8_t)value;
	return AXVM_HANDLED;
}

static void add_devices(struct target *target, const struct machine *machine)
{
	const struct axvm_device_range console = { .base = machine->console,
						   .len = UART_SIZE,
						   .space = machine->space };
	const struct axvm_device_range end = { .base = machine->exit,
					       .len = EXIT_SIZE,
					       .space = machine->space };

	check(axvm_add_device(target->vm,
			      &AXVCPU_WITH(axvm_device_config, .name = "console", .ctx = target,
					   .ranges = &console, .nranges = 1, .read = read_console,
					   .write = write_console),
			      NULL));
	check(axvm_add_device(target->vm,
			      &AXVCPU_WITH(axvm_device_config, .name = "exit", .ctx = target,
					   .ranges = &end, .nranges = 1, .write = write_exit),
			      NULL));
}

/* --- the guest's image ------------------------------------------------------------------------ */

/* Maps the file, and checks its headers. */
static const Elf64_Ehdr *map_image(const char *name, size_t *size)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	const Elf64_Ehdr *elf;
	struct stat status;

	if (fd < 0 || fstat(fd, &status))
		target_die("%s: %s", name, strerror(errno));
	*size = (size_t)status.st_size;
	if (*size < sizeof(*elf))
		target_die("%s: it is not an ELF file", name);
	elf = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (elf == MAP_FAILED)
		target_die("%s: %s", name, strerror(errno));
	close(fd);
	if (memcmp(elf->e_ident, ELFMAG, SELFMAG) || elf->e_ident[EI_CLASS] != ELFCLASS64 ||
	    elf->e_phentsize != sizeof(Elf64_Phdr) || elf->e_phoff > *size ||
	    elf->e_phoff % sizeof(uint64_t) ||
	    elf->e_phnum > (*size - elf->e_phoff) / sizeof(Elf64_Phdr) || !elf->e_phnum)
		target_die("%s: it is not an ELF file of 64 bits with segments", name);
	return elf;
}

/* Copies the segments. Memory is zero, as is the part of a segment that the file does not have. */
static void load_segments(struct target *target, const char *name, const Elf64_Ehdr *elf,
			  size_t size)
{
	const uint8_t *bytes = (const uint8_t *)elf;
	const Elf64_Phdr *segments = (const void *)(bytes + elf->e_phoff);

	for (unsigned int i = 0; i < elf->e_phnum; i++) {
		if (segments[i].p_type != PT_LOAD)
			continue;
		if (segments[i].p_offset > size ||
		    segments[i].p_filesz > size - segments[i].p_offset)
			target_die("%s: segment %u is beyond the end of the file", name, i);
		check(axvm_write(target->vm, segments[i].p_paddr, bytes + segments[i].p_offset,
				 segments[i].p_filesz));
	}
}

static const struct machine *find_machine(const char *name, const Elf64_Ehdr *elf)
{
	const char *host = axvcpu_host_arch()->name;

	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		if (!strcmp(machines[i].name, host) && machines[i].elf == elf->e_machine)
			return &machines[i];
	target_die("%s: it is not a guest for %s", name, host);
}

/* The boot page, as in docs/guests.md. */
static void write_boot_page(struct target *target, uint64_t ram)
{
	const struct guest_boot boot = {
		.magic = GUEST_BOOT_MAGIC,
		.version = GUEST_BOOT_VERSION,
		.size = sizeof(boot),
		.args_offset = sizeof(boot),
		.nranges = 1,
		.boot = { ram + PAGE_AT, TABLES_AT + TABLES_SIZE - PAGE_AT },
		.memory = { { ram, MEMORY } },
		.ncpus = 1,
		.irqchip = GUEST_IRQCHIP_NONE,
	};

	check(axvm_write(target->vm, ram + PAGE_AT, &boot, sizeof(boot)));
}

static void load(struct target *target, const char *name)
{
	size_t size;
	const Elf64_Ehdr *elf = map_image(name, &size);
	const struct machine *machine = find_machine(name, elf);
	const uint64_t ram = elf->e_entry & ~(uint64_t)(MEMORY - 1);
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.forward = machine->forward;
	if (config.forward & AXVM_FORWARD_DOORBELL)
		config.doorbell_port = GUEST_PORT_DOORBELL;
	check(axvm_new(&config, &target->vm));
	check(axvm_map(target->vm, &AXVCPU_WITH(axvm_region, .gpa = ram, .len = MEMORY)));
	load_segments(target, name, elf, size);
	write_boot_page(target, ram);
	add_devices(target, machine);
	check(axvcpu_new(target->vm, NULL, &target->vcpu));
	check(axvcpu_setup(target->vcpu, elf->e_entry, 0,
			   &AXVCPU_WITH(axvcpu_setup_config, .boot_gpa = ram + TABLES_AT,
					.boot_size = TABLES_SIZE)));
	check(axvcpu_set_gpr(target->vcpu, machine->page_gpr, ram + PAGE_AT));
	check(axvcpu_bind(target->vcpu));
	munmap((void *)(uintptr_t)elf, size);
}

/* --- running ---------------------------------------------------------------------------------- */

static int64_t deadline(const struct target *target)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec + target->limit_ns;
}

/* Runs the guest to an exit that is not an access to a device, or to its end. */
static void run(struct target *target, struct axvcpu_exit *exit)
{
	const int64_t until = deadline(target);
	int ret;

	target->ended = false;
	target->nreport = 0;
	target->used = true;
	do {
		check(axvcpu_run_until(target->vcpu, until, exit));
		ret = (int)check(axvcpu_dispatch(target->vcpu, exit));
	} while (!target->ended && (ret == AXVM_HANDLED || exit->kind == AXVCPU_EXIT_NOTHING));
	target->report[target->nreport] = '\0';
}

static void describe(struct target *target, const struct axvcpu_exit *exit)
{
	char *text = target->report + target->nreport;
	const size_t room = sizeof(target->report) - target->nreport;

	if (target->ended)
		snprintf(text, room, "the guest has ended with status %u", target->status);
	else
		axvcpu_exit_describe(exit, text, room);
}

/* Takes the checkpoint at the guest's call, which is its first. */
static void start(struct target *target, const char *name, const struct axvcpu_exit *exit)
{
	const uint64_t *args = exit->u.hypercall.args;
	void *pointer;

	check(axvcpu_complete_value(target->vcpu, 0));
	target->input_gpa = args[0];
	target->input_max = args[1];
	target->ncounters = args[3];
	if (args[1] > TARGET_INPUT_MAX || args[3] > TARGET_COUNTERS_MAX || args[3] % 8)
		target_die("%s: inputs of more than %u bytes, or counters other than a multiple of 8 "
			   "up to %u",
			   name, TARGET_INPUT_MAX, TARGET_COUNTERS_MAX);
	check(axvm_translate(target->vm, args[0], sizeof(uint64_t) + args[1], &pointer));
	check(axvm_translate(target->vm, args[2], args[3], &pointer));
	target->counters = pointer;
	check(axvm_quiesce(target->vm, NULL, 0));
	check(axvm_checkpoint_new(target->vm,
				  &AXVCPU_WITH(axvm_checkpoint_config,
					       .flags = AXVM_CHECKPOINT_TRACK),
				  &target->start));
	target->used = false;
}

void target_open(struct target *target, const char *guest, double limit_s)
{
	struct axvcpu_exit exit;

	*target = (struct target){ .limit_ns = (int64_t)(limit_s * 1e9) };
	load(target, guest);
	run(target, &exit);
	if (target->ended || exit.kind != AXVCPU_EXIT_HYPERCALL) {
		describe(target, &exit);
		target_die("%s: it has not called the fuzzer: %s", guest, target->report);
	}
	start(target, guest, &exit);
}

enum target_result target_run(struct target *target, const void *input, size_t len)
{
	/* Guests without interrupts and timers: neither controllers nor clocks have changed. */
	static const struct axvm_restore_config config = {
		.size = sizeof(config),
		.flags = AXVM_RESTORE_NO_CONTROLLERS | AXVM_RESTORE_NO_DEVICES,
		.time_policy = AXVM_TIME_KEEP,
	};
	const uint64_t used = len < target->input_max ? len : target->input_max;
	struct axvcpu_exit exit;

	if (target->used)
		check(axvm_checkpoint_restore(target->start, target->vm, &config));
	check(axvm_write(target->vm, target->input_gpa, &used, sizeof(used)));
	check(axvm_write(target->vm, target->input_gpa + sizeof(used), input, used));
	run(target, &exit);
	if (target->ended && target->status == 0)
		return TARGET_OK;
	describe(target, &exit);
	return !target->ended && exit.kind == AXVCPU_EXIT_DEADLINE ? TARGET_HANG : TARGET_CRASH;
}

void target_close(struct target *target)
{
	axvm_checkpoint_free(target->start);
	axvcpu_free(target->vcpu);
	axvm_free(target->vm);
}
