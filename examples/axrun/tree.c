/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <axvcpu/riscv64.h>

#include "devicetree.h"
#include "message.h"

#define ISA_MAX 1024

/* --- properties of a riscv64 vCPU ------------------------------------------------------------- */

/*
 * Reads a register; 0 if it does not exist. Not all hosts have all of them, so no error is logged.
 */
static uint64_t reg(const struct machine *machine, uint64_t id)
{
	int level = log_set_level(0);
	uint64_t value;

	if (axvcpu_get_reg(machine->vcpus[0], id, &value))
		value = 0;
	log_set_level(level);
	return value;
}

static void append(char *isa, const char *prefix, const char *name)
{
	size_t len = strlen(isa);

	snprintf(isa + len, ISA_MAX - len, "%s%s", prefix, name);
}

/*
 * A KVM may have a cache-block extension without its block size. A guest kernel warns about that
 * and does not use it, so it is left out.
 */
static bool has_block_size(const struct machine *machine, uint32_t extension)
{
	switch (extension) {
	case AXVCPU_RISCV64_ISA_ZICBOM:
		return reg(machine, AXVCPU_REG_RISCV64_ZICBOM_BLOCK_SIZE);
	case AXVCPU_RISCV64_ISA_ZICBOZ:
		return reg(machine, AXVCPU_REG_RISCV64_ZICBOZ_BLOCK_SIZE);
	case AXVCPU_RISCV64_ISA_ZICBOP:
		return reg(machine, AXVCPU_REG_RISCV64_ZICBOP_BLOCK_SIZE);
	default:
		return true;
	}
}

/* Single letters in canonical order, then the multi-letter names. */
static void describe_isa(const struct machine *machine, char *isa)
{
	static const char letters[] = "imafdqcbvh";
#define NAME(id, name) name,
	static const char *const names[] = { AXVCPU_RISCV64_ISA_EXTENSIONS(NAME) };
#undef NAME
	uint64_t bits = reg(machine, AXVCPU_REG_RISCV64_ISA);
	const char *letter;
	uint32_t i;

	snprintf(isa, ISA_MAX, "rv64");
	for (letter = letters; *letter; letter++)
		if (bits >> (*letter - 'a') & 1)
			append(isa, "", (const char[]){ *letter, '\0' });
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i][1] && reg(machine, AXVCPU_REG_RISCV64_ISA_EXTENSION(i)) &&
		    has_block_size(machine, i))
			append(isa, "_", names[i]);
}

static void describe_riscv64(const struct machine *machine, struct devicetree *tree, char *isa)
{
	describe_isa(machine, isa);
	tree->isa = isa;
	tree->satp_mode = (uint32_t)reg(machine, AXVCPU_REG_RISCV64_SATP_MODE);
	tree->timer_hz = (uint32_t)reg(machine, AXVCPU_REG_RISCV64_TIMER_FREQUENCY);
	tree->cbom_block = (uint32_t)reg(machine, AXVCPU_REG_RISCV64_ZICBOM_BLOCK_SIZE);
	tree->cboz_block = (uint32_t)reg(machine, AXVCPU_REG_RISCV64_ZICBOZ_BLOCK_SIZE);
	tree->cbop_block = (uint32_t)reg(machine, AXVCPU_REG_RISCV64_ZICBOP_BLOCK_SIZE);
}

uint64_t tree_timer_hz(const struct machine *machine, const struct platform *platform)
{
	if (platform->controller != CONTROLLER_AIA)
		return 0;
	return reg(machine, AXVCPU_REG_RISCV64_TIMER_FREQUENCY);
}

/* --- the tree --------------------------------------------------------------------------------- */

uint64_t tree_size(const struct options *options, const struct platform *platform)
{
	return platform->page_gpr ? devicetree_size(options->cpus, options->args) : 0;
}

static int dump(const char *path, const void *blob, size_t len)
{
	FILE *file = fopen(path, "we");
	bool written;

	if (!file)
		return fail("--dump-dtb %s: %s", path, strerror(errno));
	written = fwrite(blob, 1, len, file) == len;
	if (fclose(file) || !written)
		return fail("--dump-dtb %s: write error", path);
	return 0;
}

/* Does not block: right after boot the host may have no random numbers yet. */
static int draw_seeds(struct devicetree *tree)
{
	if (getrandom(tree->rng_seed, sizeof(tree->rng_seed), GRND_NONBLOCK) !=
		    sizeof(tree->rng_seed) ||
	    getrandom(tree->kaslr_seed, sizeof(tree->kaslr_seed), GRND_NONBLOCK) !=
		    sizeof(tree->kaslr_seed))
		return fail("no random numbers for the guest: %s", strerror(errno));
	return 0;
}

static int build(const struct machine *machine, const struct options *options,
		 const struct platform *platform, const struct layout *layout, void *blob)
{
	char isa[ISA_MAX];
	struct devicetree tree = {
		.platform = platform,
		.memory = layout->ram,
		.nranges = layout->nranges,
		.ncpus = machine->ncpus,
		.controller = platform_controller(platform, machine->irqchip),
		.gic_version = machine->gic_version,
		.bootargs = options->args,
		.kernel = options->kernel,
		.initrd = layout->initrd,
	};
	size_t len = 0;

	if (options->kernel && draw_seeds(&tree))
		return -1;
	if (platform->controller == CONTROLLER_AIA)
		describe_riscv64(machine, &tree, isa);
	if (devicetree_build(&tree, blob, layout->tree.size, &len))
		return -1;
	if (axvm_write(machine->vm, layout->tree.gpa, blob, len))
		return fail("cannot write the device tree: %s", axvcpu_last_error());
	if (options->dtb_path)
		return dump(options->dtb_path, blob, len);
	return 0;
}

int tree_make(const struct machine *machine, const struct options *options,
	      const struct platform *platform, const struct layout *layout)
{
	void *blob;
	int err;

	if (!platform->page_gpr)
		return 0;
	blob = malloc(layout->tree.size);
	if (!blob)
		return fail("out of memory for the device tree");
	err = build(machine, options, platform, layout, blob);
	free(blob);
	return err;
}
