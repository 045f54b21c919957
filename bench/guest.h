/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* A guest for measuring: a few bytes of code, in the library's VM or in a raw one. */
#ifndef BENCH_GUEST_H
#define BENCH_GUEST_H

#include <axvcpu/axvcpu.h>

#define GUEST_MEMORY 0x100000u
#define GUEST_CODE 0x1000u
#define GUEST_STACK 0x8000u
/* Where setup puts its tables. */
#define GUEST_BOOT 0x10000u
#define GUEST_BOOT_SIZE 0x7000u

struct guest_code {
	/* AXVCPU_MODE_32 or AXVCPU_MODE_64 */
	enum axvcpu_mode mode;
	const void *code;
	size_t len;
	/* Bytes of guest memory; 0: GUEST_MEMORY. */
	size_t memory;
	/* The library's VM alone: the irqchip, and entries of dirty rings. */
	enum axvm_irqchip irqchip;
	uint32_t dirty_ring_entries;
};

struct guest {
	struct axvm *vm;
	struct axvcpu *vcpu;
};

/* All up to the first axvcpu_run(). */
void guest_new(struct guest *guest, const struct guest_code *code);
void guest_free(struct guest *guest);

#endif
