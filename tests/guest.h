/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * A VM with a vCPU and a few instructions, for live tests. The same on every architecture, except
 * tests/ARCH: guest_arch.h (constants), arch.c (functions), programs.S (guests).
 */
#ifndef TESTS_GUEST_H
#define TESTS_GUEST_H

#include <axvcpu/axvcpu.h>

#include "guest_map.h"

#define GUEST_MEMORY 0x200000u
#define GUEST_STACK GUEST_STACK_OF(0)
#define GUEST_BOOT GUEST_BOOT_OF(0)

/* --- the guests ------------------------------------------------------------------------------- */

/* Machine code as a literal, for suites of one architecture: CODE("\xf4") is pointer and length. */
#define CODE(bytes) (bytes), sizeof(bytes) - 1
/* A program as pointer and length, */
#define PROGRAM(name) guest_##name, guest_##name##_size
/* and the address of a place in it that programs.S has marked. */
#define PROGRAM_AT(name, place) ((uint64_t)GUEST_CODE + guest_##name##_at_##place)

#define GUEST_PROGRAM(name) \
	extern const unsigned char guest_##name[]; \
	extern const uint32_t guest_##name##_size
#define GUEST_PROGRAM_MARK(name, place) extern const uint32_t guest_##name##_at_##place

/*
 * All are 64-bit code. Where nothing else is said they access 4 bytes, and none of them touches the
 * general registers 3 and 9.
 */

/* An endless loop without exits. */
GUEST_PROGRAM(spin);
/* Writes GUEST_VALUE to GUEST_MMIO forever. */
GUEST_PROGRAM(chatter);
/* Forever: reads GUEST_MMIO and writes the value back. */
GUEST_PROGRAM(echo);
GUEST_PROGRAM_MARK(echo, store);
/* Writes to GUEST_END forever, as every program does when it has finished. */
GUEST_PROGRAM(finish);
/* Writes its argument to GUEST_MMIO, all 8 bytes, forever. */
GUEST_PROGRAM(tell);
/* Counts in the word that its argument points to, forever, without an exit. */
GUEST_PROGRAM(count);
/* Brings about the vCPU's last exit: GUEST_LAST_EXIT. */
GUEST_PROGRAM(last);
/*
 * Writes GUEST_VALUE to GUEST_MMIO, reads from there, writes the value read to GUEST_MMIO + 8 and
 * to GUEST_MMIO; finishes.
 */
GUEST_PROGRAM(life);
GUEST_PROGRAM_MARK(life, read);
/*
 * For each width w of 1, 2, 4, 8, with i from 0: reads w bytes at GUEST_MMIO + 8 * i, without a sign;
 * writes all 8 bytes of that to GUEST_MMIO + 0x40 + 8 * i; writes the low w bytes of GUEST_PATTERN to
 * GUEST_MMIO + 0x80 + 8 * i. Finishes.
 */
GUEST_PROGRAM(widths);
/* Writes 1, 2, 4 and 8 bytes of GUEST_PATTERN to GUEST_MMIO; finishes. */
GUEST_PROGRAM(stores);
/* Its argument points to two addresses of 8 bytes: copies from the first to the second; finishes. */
GUEST_PROGRAM(copy);
/*
 * Its argument points to two vectors: writes register 1 of GUEST_VECTOR() to the first, and reads
 * register 2 from the second; finishes.
 */
GUEST_PROGRAM(vectors);
/*
 * Its argument is its number, from 0 below GUEST_RING_VCPUS. Forever: when GUEST_TURN modulo their
 * count is that number, writes GUEST_TURN to GUEST_MMIO and increments it.
 */
GUEST_PROGRAM(ring);
/*
 * Its argument points to a struct work_cell. Takes interrupts. Forever: counts a round, reads the
 * window, reports the value by a write to GUEST_WORK_TELL, reads GUEST_WORK_ASK. Call
 * guest_work_prepare() before it runs.
 */
GUEST_PROGRAM(work);

struct work_cell {
	uint32_t rounds;
	/* The latest value seen through the window, and the latest answer. */
	uint32_t seen;
	uint32_t answered;
	uint32_t interrupts;
};

/* --- a VM with one vCPU ----------------------------------------------------------------------- */

struct guest {
	struct axvm *vm;
	struct axvcpu *vcpu;
	struct axvcpu_exit exit;
};

/* All up to bind; every failure fails the test. */
void guest_start(struct guest *guest, enum axvcpu_mode mode, const void *code, size_t len);
/* The same in a VM of this config. */
void guest_start_with(struct guest *guest, const struct axvm_config *config, enum axvcpu_mode mode,
		      const void *code, size_t len);
/* The same up to setup: Created, with memory and code. */
void guest_create(struct guest *guest, const struct axvm_config *config, const void *code,
		  size_t len);
void guest_setup(struct guest *guest, enum axvcpu_mode mode);
/* Unbinds if bound, frees all. */
void guest_end(struct guest *guest);
/* A VM of this config is refused with -err and a message that has the text, and leaves nothing. */
void guest_expect_refused(const struct axvm_config *config, int err, const char *text);

/* Runs to the next exit but NOTHING, which must be of this kind. */
void guest_expect(struct guest *guest, enum axvcpu_exit_kind kind);
/* The same, to a write of this value to this address. */
void guest_expect_write(struct guest *guest, uint64_t addr, uint64_t value);
/* To a read of this address. */
void guest_expect_read(struct guest *guest, uint64_t addr);
/* To the end of a program that comes to one. */
void guest_expect_end(struct guest *guest);
/* Runs until another thread kicks the vCPU, some milliseconds later. There must be no other exit. */
void guest_run_until_kicked(struct guest *guest);
/* The steps of "life", its exits in order: write, read, which is answered, write, write, end. */
#define GUEST_LIFE_STEPS 5
#define GUEST_LIFE_ANSWER 0x77
void guest_expect_life_step(struct guest *guest, int step);
uint64_t guest_reg(struct guest *guest, uint64_t id);

/* --- VMs with more ---------------------------------------------------------------------------- */

/* A VM with memory and code. */
struct axvm *guest_vm(const struct axvm_config *config, const void *code, size_t len);
/* Setup config for 64-bit code: stack and boot area of vCPU 'id'. */
struct axvcpu_setup_config guest_setup_config(uint32_t id);
/*
 * vCPU 'id' of a VM, set up at GUEST_CODE. The first one runs when it is run; the others wait for
 * axvcpu_start(), on every architecture.
 */
struct axvcpu *guest_vcpu(struct axvm *vm, uint32_t id, uint64_t arg);
/* The same, and starts it if it waits. */
struct axvcpu *guest_vcpu_on(struct axvm *vm, uint32_t id, uint64_t arg);

/*
 * A clone of the guest, whose first vCPU is not bound: of a checkpoint that is taken now, and is not
 * kept. Its clocks are its own.
 */
struct guest guest_clone(const struct guest *guest);

/* --- implemented in tests/ARCH/arch.c --------------------------------------------------------- */

/*
 * The address by which the guest, in 64-bit mode as setup leaves it, reaches memory at 'gpa', which is
 * 8 bytes of an allocated frame.
 */
uint64_t guest_reach(struct guest *guest, uint64_t gpa);

/* Writes the tables and handlers in memory that "work" needs for interrupts. */
void guest_work_prepare(struct axvm *vm);
/*
 * Something that interrupts "work" at random, by 'dice', or does not if it has interrupts off.
 * Returns the errno that it may end with beside those of every request; 0: none.
 */
int guest_work_interrupt(struct axvcpu_request *request, unsigned int dice);

/*
 * Makes 'config' forward events that the programs do not cause, so that the calls that set this up
 * are made.
 */
void guest_forward(struct axvm_config *config);

/* Sets the privilege of applications. */
void guest_make_user(struct guest *guest);

/* Registers that are read and written by different ways: the first is a general one. */
extern const uint64_t guest_register_ways[];
extern const size_t guest_register_nways;

/* The value bits that a register of axvcpu_reg_info() keeps. */
struct guest_register_rule {
	uint64_t id;
	/* Bits that can be written, and are then read back. 0: it is read only, where KVM knows that. */
	uint64_t writable;
	/* A register that counts by itself. */
	bool counts;
	/* Why not all of them. */
	const char *why;
};

/* Those registers that do not take any value and keep it, as setup has left the vCPU. */
extern const struct guest_register_rule guest_register_rules[];
extern const size_t guest_register_nrules;

/* The values of all registers of axvcpu_reg_info(). */
struct guest_registers {
	size_t count;
	struct {
		uint64_t id;
		const char *name;
		size_t len;
		unsigned char value[256];
	} regs[256];
};

void guest_read_registers(struct guest *guest, struct guest_registers *registers);
/* The vCPU must have these values, except of registers that count by themselves. */
void guest_expect_registers(struct guest *guest, const struct guest_registers *registers);

/* --- messages: implemented in the guest file of each architecture ----------------------------- */

/* Whether KVM here has an interrupt controller that takes messages. */
bool guest_has_messages(void);
/*
 * A VM with such a controller, which is finalized, and a vCPU, bound, whose guest sleeps and reports
 * each message.
 */
void guest_start_messages(struct guest *guest);
/* The message 'n', below GUEST_MESSAGES, */
#define GUEST_MESSAGES 8u
struct axvm_msi guest_message(unsigned int n);
/* and the number of the one that the guest reports next, of which it runs the handler. */
unsigned int guest_next_message(struct guest *guest);

/* --- flavours of KVM -------------------------------------------------------------------------- */

/*
 * The kinds of interrupt controller, for loop tests: VMs can have the first guest_nirqchips() of them.
 * CPUs of riscv64 without an AIA have none in KVM.
 */
extern const uint32_t guest_irqchips[2];
int guest_nirqchips(void);

/*
 * Whether KVM here is the flavour that runs without virtualization hardware and interprets guest
 * code that is not made for it: hypercall instructions never end in it, INT3 and invalid code are
 * beyond it, and it sees no data watchpoints.
 */
bool guest_kvm_is_pvm(void);
/* Whether KVM's CPU is one that QEMU emulates: INT3 goes to the guest there, whatever KVM asks for. */
bool guest_kvm_is_emulated(void);

#endif
