/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "devicetree.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <libfdt.h>

#include "message.h"

/* Bytes of the device tree: its fixed part, without the kernel arguments, and for each CPU. */
#define SIZE_FIXED 4096u
#define SIZE_CPU 3072u

enum {
	PHANDLE_CONTROLLER = 1, /* the controller of device interrupts */
	PHANDLE_IMSIC = 2,
	PHANDLE_CPU = 16, /* riscv64: the interrupt controller of CPU 0; CPU n adds n */
};

/* Fields of interrupt specifiers. */
#define GIC_SPI 0
#define GIC_PPI 1
#define EDGE_RISING 1
#define LEVEL_HIGH 4
#define CAUSE_EXTERNAL 9

#define UART_REGISTERS 8
/* The clock at which divisor 1 means 115200 baud. */
#define UART_CLOCK_HZ 1843200

#define CELLS_MAX 8

/* A tree under construction. Keeps the first error. */
struct builder {
	void *fdt;
	int err;
};

static void keep(struct builder *b, int err)
{
	if (!b->err)
		b->err = err;
}

static void begin(struct builder *b, const char *fmt, ...) AXVCPU_PRINTF(2, 3);

static void begin(struct builder *b, const char *fmt, ...)
{
	char name[64];
	va_list args;

	va_start(args, fmt);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	keep(b, fdt_begin_node(b->fdt, name));
}

static void end(struct builder *b)
{
	keep(b, fdt_end_node(b->fdt));
}

static void flag(struct builder *b, const char *name)
{
	keep(b, fdt_property(b->fdt, name, NULL, 0));
}

/* Several NUL-terminated strings, or bytes. */
static void texts(struct builder *b, const char *name, const char *values, size_t len)
{
	keep(b, fdt_property(b->fdt, name, values, (int)len));
}

static void text(struct builder *b, const char *name, const char *value)
{
	texts(b, name, value, strlen(value) + 1);
}
#define TEXTS(b, name, literal) texts(b, name, literal, sizeof(literal))

static void cell(struct builder *b, const char *name, uint32_t value)
{
	keep(b, fdt_property_u32(b->fdt, name, value));
}

static void cells(struct builder *b, const char *name, const uint32_t *values, size_t n)
{
	fdt32_t *to;
	size_t i;

	keep(b, fdt_property_placeholder(b->fdt, name, (int)(n * sizeof(*to)), (void **)&to));
	for (i = 0; !b->err && i < n; i++)
		to[i] = cpu_to_fdt32(values[i]);
}
#define CELLS(b, name, ...) \
	cells(b, name, (const uint32_t[]){ __VA_ARGS__ }, \
	      sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

/* Addresses and lengths take two cells each. */
#define SPLIT(value) (uint32_t)((uint64_t)(value) >> 32), (uint32_t)(value)

static void place(struct builder *b, uint64_t gpa, uint64_t size)
{
	CELLS(b, "reg", SPLIT(gpa), SPLIT(size));
}

/* --- common to both architectures ------------------------------------------------------------- */

static void add_chosen_linux(struct builder *b, const struct devicetree *tree)
{
	const struct guest_range *initrd = &tree->initrd;

	if (initrd->size) {
		CELLS(b, "linux,initrd-start", SPLIT(initrd->gpa));
		CELLS(b, "linux,initrd-end", SPLIT(initrd->gpa + initrd->size));
	}
	/* The kernel erases both after reading them. */
	texts(b, "rng-seed", (const char *)tree->rng_seed, sizeof(tree->rng_seed));
	CELLS(b, "kaslr-seed", tree->kaslr_seed[0], tree->kaslr_seed[1]);
}

static void add_chosen(struct builder *b, const struct devicetree *tree)
{
	begin(b, "chosen");
	if (*tree->bootargs)
		text(b, "bootargs", tree->bootargs);
	text(b, "stdout-path", "serial0:115200n8");
	if (tree->kernel)
		add_chosen_linux(b, tree);
	end(b);
	begin(b, "aliases");
	text(b, "serial0", "/serial@10000000");
	end(b);
	_Static_assert(GUEST_GPA_CONSOLE == 0x10000000, "the alias of the console");
}

static void add_memory(struct builder *b, const struct devicetree *tree)
{
	uint32_t i;

	for (i = 0; i < tree->nranges; i++) {
		begin(b, "memory@%" PRIx64, tree->memory[i].gpa);
		text(b, "device_type", "memory");
		place(b, tree->memory[i].gpa, tree->memory[i].size);
		end(b);
	}
}

static void add_serial(struct builder *b, const struct devicetree *tree)
{
	begin(b, "serial@%" PRIx64, tree->platform->console.base);
	text(b, "compatible", "ns16550a");
	place(b, tree->platform->console.base, UART_REGISTERS);
	cell(b, "clock-frequency", UART_CLOCK_HZ);
	cell(b, "current-speed", 115200);
	if (tree->controller != CONTROLLER_NONE)
		cell(b, "interrupt-parent", PHANDLE_CONTROLLER);
	if (tree->controller == CONTROLLER_GIC)
		CELLS(b, "interrupts", GIC_SPI, GUEST_GSI_CONSOLE, LEVEL_HIGH);
	if (tree->controller == CONTROLLER_AIA)
		CELLS(b, "interrupts", GUEST_GSI_CONSOLE, LEVEL_HIGH);
	end(b);
}

static void add_generation(struct builder *b, const struct devicetree *tree)
{
	const uint32_t gsi = tree->platform->generation_gsi;

	begin(b, "vmgenid@%" PRIx64, tree->platform->generation_gpa);
	text(b, "compatible", "microsoft,vmgenid");
	place(b, tree->platform->generation_gpa, GUEST_PAGE_SIZE);
	cell(b, "interrupt-parent", PHANDLE_CONTROLLER);
	if (tree->controller == CONTROLLER_GIC)
		CELLS(b, "interrupts", GIC_SPI, gsi, EDGE_RISING);
	else
		CELLS(b, "interrupts", gsi, EDGE_RISING);
	end(b);
}

/* axrun's paravirtual devices, described in docs/guests.md. */
static void add_own(struct builder *b, const struct devicetree *tree)
{
	const struct {
		const char *name;
		const char *compatible;
		uint64_t gpa;
		uint64_t size;
	} devices[] = {
		{ "exit", "axvcpu,exit", tree->platform->exit.base, 4 },
		{ "queue", "axvcpu,queue", tree->platform->queue.base, GUEST_QUEUE_SIZE },
		{ "test", "axvcpu,test", tree->platform->test_gpa, GUEST_TEST_SIZE },
		{ "checkpoint", "axvcpu,checkpoint", tree->platform->checkpoint.base,
		  GUEST_CHECKPOINT_SIZE },
	};
	size_t i;

	for (i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		begin(b, "%s@%" PRIx64, devices[i].name, devices[i].gpa);
		text(b, "compatible", devices[i].compatible);
		place(b, devices[i].gpa, devices[i].size);
		end(b);
	}
}

/* --- arm64 ------------------------------------------------------------------------------------ */

/* Matches KVM: 16 CPUs per lowest affinity level. */
static uint32_t mpidr(uint32_t cpu)
{
	return (cpu & 15) | cpu >> 4 << 8;
}

static void add_arm64_cpus(struct builder *b, const struct devicetree *tree)
{
	uint32_t cpu;

	begin(b, "cpus");
	cell(b, "#address-cells", 1);
	cell(b, "#size-cells", 0);
	for (cpu = 0; cpu < tree->ncpus; cpu++) {
		begin(b, "cpu@%" PRIx32, mpidr(cpu));
		text(b, "device_type", "cpu");
		text(b, "compatible", "arm,armv8");
		cell(b, "reg", mpidr(cpu));
		text(b, "enable-method", "psci");
		end(b);
	}
	end(b);
}

static void add_psci(struct builder *b)
{
	begin(b, "psci");
	TEXTS(b, "compatible", "arm,psci-1.0\0arm,psci-0.2");
	text(b, "method", "hvc");
	end(b);
}

static void add_gic(struct builder *b, const struct devicetree *tree)
{
	begin(b, "interrupt-controller@%" PRIx32, GUEST_GPA_GICD);
	if (tree->gic_version == 3) {
		text(b, "compatible", "arm,gic-v3");
		CELLS(b, "reg", SPLIT(GUEST_GPA_GICD), SPLIT(0x10000), SPLIT(GUEST_GPA_GICR),
		      SPLIT(tree->ncpus * UINT64_C(0x20000)));
	} else {
		text(b, "compatible", "arm,cortex-a15-gic");
		CELLS(b, "reg", SPLIT(GUEST_GPA_GICD), SPLIT(0x1000), SPLIT(GUEST_GPA_GICC),
		      SPLIT(0x2000));
	}
	flag(b, "interrupt-controller");
	cell(b, "#interrupt-cells", 3);
	cell(b, "#address-cells", 0);
	cell(b, "phandle", PHANDLE_CONTROLLER);
	end(b);
}

/* Secure, non-secure, virtual and hypervisor timer. The guest uses the virtual one, INTID 27. */
static void add_arm64_timer(struct builder *b, const struct devicetree *tree)
{
	/* A GICv2 specifier also has a mask of the CPUs that receive the PPI. */
	uint32_t flags = LEVEL_HIGH;

	if (tree->gic_version == 2)
		flags |= ((1u << tree->ncpus) - 1) << 8;
	begin(b, "timer");
	cell(b, "interrupt-parent", PHANDLE_CONTROLLER);
	text(b, "compatible", "arm,armv8-timer");
	CELLS(b, "interrupts", GIC_PPI, 13, flags, GIC_PPI, 14, flags, GIC_PPI, 11, flags, GIC_PPI,
	      10, flags);
	flag(b, "always-on");
	end(b);
}

static void add_arm64(struct builder *b, const struct devicetree *tree)
{
	add_arm64_cpus(b, tree);
	add_psci(b);
	if (tree->controller == CONTROLLER_NONE)
		return;
	add_gic(b, tree);
	add_arm64_timer(b, tree);
}

/* --- riscv64 ---------------------------------------------------------------------------------- */

static const char *mmu_type(uint32_t satp_mode)
{
	switch (satp_mode) {
	case 8:
		return "riscv,sv39";
	case 9:
		return "riscv,sv48";
	case 10:
		return "riscv,sv57";
	default:
		return "riscv,none";
	}
}

/*
 * riscv,isa-extensions: the string list of what follows rv64 in riscv,isa, the single letters
 * first.
 */
static void add_extensions(struct builder *b, const char *isa)
{
	const char *from = isa + strlen("rv64");
	char names[1024];
	size_t len = 0;

	while (*from && len + 2 < sizeof(names)) {
		if (*from == '_') {
			from++;
			while (*from && *from != '_' && len + 2 < sizeof(names))
				names[len++] = *from++;
		} else {
			names[len++] = *from++;
		}
		names[len++] = '\0';
	}
	texts(b, "riscv,isa-extensions", names, len);
}

static void add_riscv64_cpu(struct builder *b, const struct devicetree *tree, uint32_t cpu)
{
	begin(b, "cpu@%" PRIx32, cpu);
	text(b, "device_type", "cpu");
	text(b, "compatible", "riscv");
	cell(b, "reg", cpu);
	text(b, "status", "okay");
	text(b, "riscv,isa", tree->isa);
	text(b, "riscv,isa-base", "rv64i");
	add_extensions(b, tree->isa);
	text(b, "mmu-type", mmu_type(tree->satp_mode));
	if (tree->cbom_block)
		cell(b, "riscv,cbom-block-size", tree->cbom_block);
	if (tree->cboz_block)
		cell(b, "riscv,cboz-block-size", tree->cboz_block);
	if (tree->cbop_block)
		cell(b, "riscv,cbop-block-size", tree->cbop_block);
	begin(b, "interrupt-controller");
	text(b, "compatible", "riscv,cpu-intc");
	flag(b, "interrupt-controller");
	cell(b, "#interrupt-cells", 1);
	cell(b, "#address-cells", 0);
	cell(b, "phandle", PHANDLE_CPU + cpu);
	end(b);
	end(b);
}

static void add_riscv64_cpus(struct builder *b, const struct devicetree *tree)
{
	uint32_t cpu;

	begin(b, "cpus");
	cell(b, "#address-cells", 1);
	cell(b, "#size-cells", 0);
	cell(b, "timebase-frequency", tree->timer_hz);
	for (cpu = 0; cpu < tree->ncpus; cpu++)
		add_riscv64_cpu(b, tree, cpu);
	end(b);
}

static void add_imsics(struct builder *b, const struct devicetree *tree)
{
	uint32_t parents[2 * GUEST_CPUS_MAX];
	uint32_t cpu;

	for (cpu = 0; cpu < tree->ncpus; cpu++) {
		parents[2 * cpu] = PHANDLE_CPU + cpu;
		parents[2 * cpu + 1] = CAUSE_EXTERNAL;
	}
	begin(b, "interrupt-controller@%" PRIx32, GUEST_GPA_IMSIC);
	text(b, "compatible", "riscv,imsics");
	place(b, GUEST_GPA_IMSIC, tree->ncpus * UINT64_C(4096));
	cells(b, "interrupts-extended", parents, 2 * (size_t)tree->ncpus);
	flag(b, "interrupt-controller");
	cell(b, "#interrupt-cells", 0);
	cell(b, "#address-cells", 0);
	flag(b, "msi-controller");
	cell(b, "#msi-cells", 0);
	cell(b, "riscv,num-ids", DEVICETREE_AIA_IDS);
	cell(b, "phandle", PHANDLE_IMSIC);
	end(b);
}

static void add_aplic(struct builder *b)
{
	begin(b, "interrupt-controller@%" PRIx32, GUEST_GPA_APLIC);
	text(b, "compatible", "riscv,aplic");
	place(b, GUEST_GPA_APLIC, 0x4000);
	cell(b, "msi-parent", PHANDLE_IMSIC);
	cell(b, "riscv,num-sources", DEVICETREE_AIA_SOURCES);
	flag(b, "interrupt-controller");
	cell(b, "#interrupt-cells", 2);
	cell(b, "#address-cells", 0);
	cell(b, "phandle", PHANDLE_CONTROLLER);
	end(b);
}

static void add_riscv64(struct builder *b, const struct devicetree *tree)
{
	add_riscv64_cpus(b, tree);
	if (tree->controller == CONTROLLER_NONE)
		return;
	add_imsics(b, tree);
	add_aplic(b);
}

/* --- the complete tree ------------------------------------------------------------------------ */

static void add_root(struct builder *b, const struct devicetree *tree)
{
	begin(b, "%s", "");
	cell(b, "#address-cells", 2);
	cell(b, "#size-cells", 2);
	text(b, "compatible", "axvcpu,axrun");
	text(b, "model", "axrun");
	add_chosen(b, tree);
	add_memory(b, tree);
	if (tree->platform->controller == CONTROLLER_AIA)
		add_riscv64(b, tree);
	else
		add_arm64(b, tree);
	add_serial(b, tree);
	if (!tree->kernel)
		add_own(b, tree);
	else if (tree->controller != CONTROLLER_NONE)
		add_generation(b, tree);
	end(b);
}

size_t devicetree_size(uint32_t ncpus, const char *bootargs)
{
	return SIZE_FIXED + SIZE_CPU * (size_t)ncpus + strlen(bootargs);
}

int devicetree_build(const struct devicetree *tree, void *buf, size_t size, size_t *used)
{
	struct builder b = { .fdt = buf };

	keep(&b, fdt_create(buf, (int)size));
	keep(&b, fdt_finish_reservemap(buf));
	add_root(&b, tree);
	keep(&b, fdt_finish(buf));
	if (b.err)
		return fail("cannot build the device tree: %s", fdt_strerror(b.err));
	*used = fdt_totalsize(buf);
	return 0;
}
