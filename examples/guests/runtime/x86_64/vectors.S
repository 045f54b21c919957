/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Entry of interrupts and exceptions: 256 vectors of 16 bytes, then a common path. */

/* 8, 10 to 14, 17, 21, 29, 30 */
#define HAVE_ERROR_CODE 0x60227d00

	.section .text.vectors, "ax", @progbits
	.globl	guest_vectors
	.balign	16
guest_vectors:
	.set	vector, 0
	.rept	256
	.balign	16
	/* Vectors with an error code, pushed by the CPU; the others get a zero here. */
	.set	pushed, 0
	.if	vector < 32
	.set	pushed, HAVE_ERROR_CODE >> vector & 1
	.endif
	.if	!pushed
	pushq	$0
	.endif
	pushq	$vector
	jmp	common
	.set	vector, vector + 1
	.endr

/* The frame is struct frame in idt.c. The CPU has aligned the stack. */
common:
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rbx
	pushq	%rbp
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, %rdi
	cld
	call	guest_vector
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rbp
	popq	%rbx
	popq	%rdx
	popq	%rcx
	popq	%rax
	addq	$16, %rsp
	iretq

	.section .note.GNU-stack, "", @progbits
