/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Entry of interrupts and exceptions, on the current stack. */

/* struct frame in trap.c: x0 (unused) to x31, pc. */
#define FRAME_SIZE 272
#define FRAME_X(n) (8 * (n))
#define FRAME_PC FRAME_X(32)

	.macro	for_each_register op
	\op	x1, FRAME_X(1)(sp)
	.irp	n, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, \
		27, 28, 29, 30, 31
	\op	x\n, FRAME_X(\n)(sp)
	.endr
	.endm

	.section .text.trap, "ax", @progbits
	.globl	guest_trap_entry
	.type	guest_trap_entry, @function
	.balign	4
guest_trap_entry:
	addi	sp, sp, -FRAME_SIZE
	for_each_register sd
	csrr	t0, sepc
	sd	t0, FRAME_PC(sp)
	mv	a0, sp
	call	guest_trap
	ld	t0, FRAME_PC(sp)
	csrw	sepc, t0
	for_each_register ld
	addi	sp, sp, FRAME_SIZE
	sret
	.size	guest_trap_entry, . - guest_trap_entry

	.section .note.GNU-stack, "", @progbits
