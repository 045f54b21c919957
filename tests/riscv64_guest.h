/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* riscv64: shared code of the riscv64 suites: guests, and exchanges with them. */
#ifndef TESTS_RISCV64_GUEST_H
#define TESTS_RISCV64_GUEST_H

#include "guest.h"
#include "riscv64_map.h"

/*
 * Forever: makes the SBI call described by the cell that its argument points to, stores the results
 * there, and writes to GUEST_MMIO.
 */
GUEST_PROGRAM(sbi);
GUEST_PROGRAM_MARK(sbi, after);
struct sbi_cell {
	uint64_t extension;
	uint64_t function;
	uint64_t args[6];
	uint64_t error;
	uint64_t value;
};

/*
 * Another hart: writes a0 to GUEST_MMIO + 0x10 and a1 to + 0x18, reads + 0x20, stops itself; writes to
 * + 0x28 if it is still there.
 */
GUEST_PROGRAM(hart);
/* Writes a0, a1, sp, satp, sstatus and sie to GUEST_MMIO. */
GUEST_PROGRAM(state);
/*
 * Writes to GUEST_MMIO forever. Reports each exception: cause to + 8, program counter to + 0x10,
 * stval to + 0x18, sstatus to + 0x20; and continues where it was.
 */
GUEST_PROGRAM(traps);
GUEST_PROGRAM_MARK(traps, after);
/*
 * Reads GUEST_MMIO, then executes an instruction forbidden to supervisors; reports the exception as
 * "traps" does, and continues behind it with a write to GUEST_MMIO.
 */
GUEST_PROGRAM(trap);
GUEST_PROGRAM_MARK(trap, here);
/*
 * Writes to GUEST_MMIO forever in user mode; reports an exception's cause and sstatus as "traps"
 * does.
 */
GUEST_PROGRAM(user);
/* Writes to GUEST_MMIO, two breakpoints with another write between them; finishes. */
GUEST_PROGRAM(breaks);
GUEST_PROGRAM_MARK(breaks, whole);
GUEST_PROGRAM_MARK(breaks, compressed);
/*
 * Writes to GUEST_MMIO, sleeps. On each external interrupt: writes the cause to + 8 and reads +
 * 0x10; the test lowers the line meanwhile.
 */
GUEST_PROGRAM(sleeper);
/*
 * Sets a timer by SBI, and, as KVM may lose one (docs/exits.md), again each second until it interrupts;
 * writes the cause to GUEST_MMIO + 8. Does not sleep: from a lost one it would not wake.
 */
GUEST_PROGRAM(timer);
/*
 * Sets a timer by SBI, to go off after as many ticks as its argument says, and writes that time to
 * GUEST_MMIO; sleeps; writes the time at which it went off to + 8. An interrupt before that time sets
 * the timer again.
 */
GUEST_PROGRAM(alarm);
/*
 * Takes the first 64 messages of its IMSIC, writes to GUEST_MMIO, sleeps. Writes each message to + 8,
 * with its own hart id in the upper half.
 */
GUEST_PROGRAM(imsic);
/*
 * The same with the APLIC that its argument is: source 5 is an edge and becomes message 15, 6 is a
 * level and becomes 16.
 */
GUEST_PROGRAM(aplic);
/*
 * Takes messages of its IMSIC: writes each to GUEST_MMIO + 8. Forever: reads a command from
 * GUEST_MMIO + 0x10, and a value from + 0x18 unless the command is 0. A command is a kind
 * (GUEST_AIA_*) and the address of a word to READ or WRITE, or four times the number of a register
 * of the IMSIC to GET or SET. Writes what it has read to + 0x20.
 */
GUEST_PROGRAM(aia);
/* Stores message 30 to the IMSIC that its argument is, writes to GUEST_MMIO. */
GUEST_PROGRAM(ipi);
/* Six accesses to stopei and sireg; writes the first five values read to GUEST_MMIO; finishes. */
GUEST_PROGRAM(csrs);
GUEST_PROGRAM_MARK(csrs, swap);
/* A swap of stopei into a2, which is 0x77; tells of an exception as "traps"; writes a2 to GUEST_MMIO. */
GUEST_PROGRAM(csr_fault);
GUEST_PROGRAM_MARK(csr_fault, here);
/* Writes the word at GUEST_ALIAS to GUEST_MMIO, by the tables of satp, which is its argument. */
GUEST_PROGRAM(through_tables);
/* Writes to GUEST_MMIO, then accesses that KVM cannot carry out, and the end. */
GUEST_PROGRAM(faults);
GUEST_PROGRAM_MARK(faults, ld);
GUEST_PROGRAM_MARK(faults, lw);
GUEST_PROGRAM_MARK(faults, sh);
GUEST_PROGRAM_MARK(faults, sd);
GUEST_PROGRAM_MARK(faults, lr);
GUEST_PROGRAM_MARK(faults, sc);
GUEST_PROGRAM_MARK(faults, amo);
GUEST_PROGRAM_MARK(faults, flw);
GUEST_PROGRAM_MARK(faults, fsd);
GUEST_PROGRAM_MARK(faults, cbo);
GUEST_PROGRAM_MARK(faults, c_fld);
GUEST_PROGRAM_MARK(faults, c_fsd);
GUEST_PROGRAM_MARK(faults, c_fldsp);
GUEST_PROGRAM_MARK(faults, c_fsdsp);
GUEST_PROGRAM_MARK(faults, c_lw);
GUEST_PROGRAM_MARK(faults, c_sd);
GUEST_PROGRAM_MARK(faults, c_lhu);
GUEST_PROGRAM_MARK(faults, c_sh);
GUEST_PROGRAM_MARK(faults, end);
/* Writes to GUEST_MMIO, jumps to its argument; its trap handler writes to GUEST_TRAPPED. */
GUEST_PROGRAM(jump);

/* The trap handlers of "breaks" and "jump" write there. */
#define GUEST_TRAPPED (GUEST_MMIO + 8)

/* Whether KVM here has an AIA. */
bool riscv64_host_has_aia(void);
/*
 * Whether a jump to where no memory is comes out, as with KVM of Linux 6.12; with a later one it is the guest's own
 * instruction access fault.
 */
bool riscv64_failed_fetch_comes_out(void);

#endif
