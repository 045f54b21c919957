/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * An architecture without hardware, for tests of lib/: it counts its calls, fails where a test
 * configures it to, and its run blocks or returns as the test wants.
 */
#ifndef TESTS_MOCK_H
#define TESTS_MOCK_H

#include <pthread.h>
#include <stdatomic.h>

#include <axvcpu/axvcpu.h>

enum mock_op {
	MOCK_VCPU_NEW,
	MOCK_SET_ENTRY,
	MOCK_SET_EPT_ROOT,
	MOCK_SETUP,
	MOCK_RUN,
	MOCK_BIND,
	MOCK_UNBIND,
	MOCK_COMPLETE,
	MOCK_FLUSH,
	MOCK_KICK,
	MOCK_GET_REG,
	MOCK_SET_REG,
	MOCK_GET_REGS,
	MOCK_SET_REGS,
	MOCK_SET_RETURN_VALUE,
	MOCK_RESET,
	MOCK_INJECT_INTERRUPT,
	MOCK_INJECT_NMI,
	MOCK_INJECT_EXCEPTION,
	MOCK_SET_IRQ_LINE,
	MOCK_SAVE,
	MOCK_LOAD,
	MOCK_GET_CLOCK,
	MOCK_SET_CLOCK,
	MOCK_SHIFT_COUNTER,
	MOCK_SETUP_SAVED,
	MOCK_VM_MAP,
	MOCK_VM_UNMAP,
	MOCK_VM_FINALIZE,
	MOCK_VM_SAVE,
	MOCK_VM_LOAD,
	MOCK_OPS,
};

/* One for the process: tests run in processes of their own. */
struct mock {
	/* How often each operation was called. */
	atomic_uint calls[MOCK_OPS];
	/* Its result; 0: success. */
	int ret[MOCK_OPS];
	/* The exit that run returns. */
	struct axvcpu_exit exit;
	/* run waits, inside, until this is false. 'inside' shows that it waits. */
	atomic_bool hold;
	atomic_bool inside;
	/* run goes on, as a guest that spins, until a kick; then it returns NOTHING, kicked. */
	bool spin;
	atomic_bool kicked;
	/* The injections, in order. */
	uint32_t vectors[1024];
	unsigned int nvectors;
	/* The thread that the latest operation was called by. */
	_Atomic pthread_t thread;
	uint64_t arg;
	bool start;
	/* Called inside every operation, if set. */
	void (*hook)(enum mock_op op, void *arch);
	uint64_t entry;
	uint64_t ept_root;
	uint64_t regs[32];
	/* The state of the VM's interrupt controllers. */
	uint64_t pins[32];
	struct axvcpu_answer answer;
	/* So many of the next loads fail when they have changed half of the registers, or pins. */
	unsigned int half_loads;
	/* The latest load of the vCPU had to load these AXVCPU_PART_*. */
	uint32_t parts;
	/* Loads of the vCPU prepare the state, and so many have found it prepared. */
	bool prepares;
	unsigned int prepared_loads;
	/* Loads report a refusal of register, or pin, 31. */
	bool refuses;
	/* Saving adds a section of this name and these flags. */
	const char *extra_section;
	uint32_t extra_flags;
	/* The clocks: get_clock returns this, and set_clock was called with 'target'. */
	struct axvm_clock clock;
	struct axvm_clock target;
	bool has_target;
	/* axvcpu_current() was the vCPU operated on, in every operation so far. */
	atomic_bool current_right;
	struct axvcpu *vcpu;
};

extern struct mock mock;
extern const struct axvcpu_arch_ops mock_ops;

/* As if nothing had happened yet. */
void mock_reset(void);
/* Gives it a state to save: register n is 100 + n, and a clock that counts. */
void mock_set_state(void);
/* mock_reset(), then a VM of this architecture with one vCPU in state Created. */
void mock_start(struct axvm **vm, struct axvcpu **vcpu, uint32_t flags);

#endif
