/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The first instructions: a stack of the guest's own, then C. rdi holds the boot page's address. */

	.section .text.start, "ax", @progbits
	.globl	_start
	.type	_start, @function
_start:
	leaq	stack_end(%rip), %rsp
	xorl	%ebp, %ebp
	cld
	call	guest_start
	ud2
	.size	_start, . - _start

	.section .bss.stack, "aw", @nobits
	.balign	16
	.skip	16384
stack_end:

	.section .note.GNU-stack, "", @progbits
