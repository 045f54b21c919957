/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * CPU entry: sets up a stack and the trap vector, then calls C. There are no page tables. tp holds
 * the CPU's number, as guests have no thread-local storage.
 */

	.section .text.start, "ax", @progbits
	.globl	_start
	.type	_start, @function
/* a0: number of the CPU; a1: address of the device tree; a2: address of the boot page. */
_start:
	mv	tp, a0
	la	sp, stack_end
	la	t0, guest_trap_entry
	csrw	stvec, t0
	mv	a0, a2
	call	guest_start
	unimp
	.size	_start, . - _start

	.globl	guest_secondary_start
	.type	guest_secondary_start, @function
/* a0: number of the CPU; a1: end of its stack. */
guest_secondary_start:
	mv	tp, a0
	mv	sp, a1
	la	t0, guest_trap_entry
	csrw	stvec, t0
	call	guest_cpu_main
	unimp
	.size	guest_secondary_start, . - guest_secondary_start

	.section .bss.stack, "aw", @nobits
	.balign	16
	.skip	16384
stack_end:

	.section .note.GNU-stack, "", @progbits
