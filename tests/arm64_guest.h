/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The guests of the arm64 suites, and their arguments. */
#ifndef TESTS_ARM64_GUEST_H
#define TESTS_ARM64_GUEST_H

#include "arm64_guest_map.h"
#include "guest.h"

/* --- calls ----------------------------------------------------------------------------------- */

/*
 * Its argument points to calls, up to one with A64_CALL_END. Makes each, and writes x0 to
 * GUEST_MMIO and x1 to GUEST_MMIO + 8, all 8 bytes; finishes.
 */
GUEST_PROGRAM(calls);

struct a64_call {
	/* 0: by HVC; 1: by SMC. */
	uint64_t conduit;
	/* x0, the function, to x6. */
	uint64_t x[7];
};

/* The PSCI calls that the suites use. */
#define A64_PSCI_VERSION 0x84000000u
#define A64_PSCI_CPU_OFF 0x84000002u
#define A64_PSCI_CPU_ON 0x84000003u
#define A64_PSCI_AFFINITY_INFO 0x84000004u
#define A64_PSCI_SYSTEM_OFF 0x84000008u
#define A64_PSCI_SYSTEM_RESET 0x84000009u
#define A64_PSCI_64 0x40000000u

/* Writes calls to where a guest of vCPU 'id' finds them, and returns that: its argument. */
uint64_t a64_calls(struct axvm *vm, uint32_t id, const struct a64_call *calls, size_t n);
/* Runs until the guest reports the results of a call in x0 and x1; returns x0. */
uint64_t a64_call_result(struct guest *guest);

/* --- the GIC --------------------------------------------------------------------------------- */

/*
 * Its argument points to two words and a list of stores, up to one to 0: makes them, switches its
 * CPU interface on, if the first word is not 0 also the virtual timer, which is due, writes that
 * word to GUEST_MMIO and waits for interrupts, the number of each of which it writes to GUEST_MMIO
 * + 8 before it ends it. The second word is where a GICv2 has its CPU interface; 0: a GICv3 has it.
 */
GUEST_PROGRAM(gic);

struct a64_store {
	uint64_t addr;
	/* 4 or 8 */
	uint64_t width;
	uint64_t value;
};

/* Whether this KVM makes GICs of that version, 2 or 3; and the newest that it makes. */
bool a64_has_gic(uint32_t version);
uint32_t a64_gic_version(void);

/* Writes that program's argument to A64_LIST, for a GIC of this config, which may be NULL. */
void a64_gic_list(struct axvm *vm, const struct axvm_arm64_config *config, bool timer,
		  const struct a64_store *stores, size_t n);
/* The same, and before these stores come some that let all interrupts in, shared ones to vCPU 0. */
void a64_gic_list_all(struct axvm *vm, const struct axvm_arm64_config *config, bool timer,
		      const struct a64_store *extra, size_t nextra);

/*
 * Its argument points to two words: A64_VIEW_* and, of a GICv2, the CPU interface; then stores, up to
 * one to 0, and addresses, up to 0. Forever: reads all of that, makes the stores and what the first
 * word says; writes registers of the CPU interface of a GICv3, the interrupt that it took latest, and
 * what it reads at the addresses to GUEST_MMIO + 8; and the first word to GUEST_MMIO. It has
 * interrupts masked.
 */
GUEST_PROGRAM(view);
/* Switch the CPU interface on; take an interrupt; end the interrupt that was taken latest. */
#define A64_VIEW_ON 0x1u
#define A64_VIEW_TAKE 0x2u
#define A64_VIEW_END 0x4u

/* A VM with such a GIC and a vCPU that takes all interrupts of it, after these stores. */
void a64_start_gic(struct guest *guest, const struct axvm_arm64_config *config, bool timer,
		   const struct a64_store *extra, size_t nextra);
/* Runs to the interrupt. */
void a64_expect_irq(struct guest *guest, uint32_t intid);

/* The same with a GICv3 and an ITS that knows one device, whose event i is the LPI A64_LPI + i. */
void a64_start_its(struct guest *guest);
#define A64_ITS_DEVICE 0x123u
#define A64_ITS_EVENTS 16u
#define A64_LPI 8192u
/* The register that takes the messages. */
#define A64_ITS_TRANSLATER (AXVM_ARM64_GITS + 0x10040)

/* --- others ---------------------------------------------------------------------------------- */

/*
 * Without a GIC: if its argument is not 0, switches the virtual timer on, which is due; writes the
 * argument to GUEST_MMIO and waits for interrupts. Writes to GUEST_MMIO + 8 for IRQ, + 16 for FIQ.
 */
GUEST_PROGRAM(lines);

/*
 * Writes to GUEST_MMIO, calls the code that its argument points to, finishes. If there is an
 * exception, writes ESR, FAR and ELR to A64_TELL and behind, 8 bytes each; of an SError, ESR to
 * A64_TELL + 24.
 */
GUEST_PROGRAM(faults);
/* Code for it, which is put at A64_PIECES. */
GUEST_PROGRAM(pieces);
GUEST_PROGRAM_MARK(pieces, nothing);
GUEST_PROGRAM_MARK(pieces, signed);
GUEST_PROGRAM_MARK(pieces, load_pair);
GUEST_PROGRAM_MARK(pieces, store_pair);
GUEST_PROGRAM_MARK(pieces, load_post);
GUEST_PROGRAM_MARK(pieces, load);
GUEST_PROGRAM_MARK(pieces, fetch);
GUEST_PROGRAM_MARK(pieces, brk);
GUEST_PROGRAM_MARK(pieces, sve);
GUEST_PROGRAM_MARK(pieces, pmu);
GUEST_PROGRAM_MARK(pieces, pauth);
#define PIECE(place) ((uint64_t)A64_PIECES + guest_pieces_at_##place)

/*
 * A vCPU, bound, that has come as far as the first write of "faults", with this piece to be called.
 */
void a64_start_piece(struct guest *guest, const struct axvm_config *config,
		     const struct axvcpu_arm64_setup *arm64, uint64_t piece);

/* Instructions for steps, breakpoints and watchpoints: the names of their marks describe them. */
GUEST_PROGRAM(steps);
GUEST_PROGRAM_MARK(steps, first);
GUEST_PROGRAM_MARK(steps, second);
GUEST_PROGRAM_MARK(steps, store);
GUEST_PROGRAM_MARK(steps, load);
GUEST_PROGRAM_MARK(steps, half);
GUEST_PROGRAM_MARK(steps, mmio);
GUEST_PROGRAM_MARK(steps, brk);
GUEST_PROGRAM_MARK(steps, after);

/*
 * Forever: translates its argument by the hardware, and calls A64_CALL_AT with PAR_EL1 and the
 * argument.
 */
GUEST_PROGRAM(at);

/* guest_create(), setup with 'arg' and perhaps an arch config, bind. */
void a64_start(struct guest *guest, const struct axvm_config *config, const void *code, size_t len,
	       uint64_t arg, const struct axvcpu_arm64_setup *arm64);

#endif
