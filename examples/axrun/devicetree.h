/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The device tree of the arm64 and riscv64 machines, which describes the hardware to the guest. */
#ifndef AXRUN_DEVICETREE_H
#define AXRUN_DEVICETREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../guests/abi.h"
#include "platform.h"

/* Number of the APLIC's wires, and of the identities per IMSIC; both are numbered from 1. */
#define DEVICETREE_AIA_SOURCES 96u
#define DEVICETREE_AIA_IDS 255u

/* The described machine. */
struct devicetree {
	const struct platform *platform;
	const struct guest_range *memory;
	uint32_t nranges;
	uint32_t ncpus;
	/* CONTROLLER_NONE if KVM does not emulate the controllers. */
	enum platform_controller controller;
	/* With CONTROLLER_GIC: 2 or 3. */
	uint32_t gic_version;
	/* The guest's arguments. */
	const char *bootargs;
	/* For a Linux kernel, with random seeds, and the initrd, of size 0 if there is none. */
	bool kernel;
	struct guest_range initrd;
	uint8_t rng_seed[64];
	uint32_t kaslr_seed[2];
	/*
	 * riscv64: the value of riscv,isa; the mode of satp (8 is Sv39 and so on); timer ticks per
	 * second.
	 */
	const char *isa;
	uint32_t satp_mode;
	uint32_t timer_hz;
	/* riscv64: block sizes in bytes of Zicbom, Zicboz and Zicbop; 0 without the extension. */
	uint32_t cbom_block;
	uint32_t cboz_block;
	uint32_t cbop_block;
};

/* Enough for any tree with that many CPUs and these arguments. */
size_t devicetree_size(uint32_t ncpus, const char *bootargs);

/*
 * Builds the tree in `buf`, which is aligned to 8 bytes. Returns 0 and the length in `*used`, or -1
 * after fail() if it does not fit.
 */
int devicetree_build(const struct devicetree *tree, void *buf, size_t size, size_t *used);

#endif
