/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Entry: switches to the guest's own stack and calls C. rdi holds the address of the boot page. */

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
