/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The guests of docs/tutorial.md and of examples/minimal.c: 64-bit code, which the programs copy to guest
 * address 0x1000. C knows one as guest_NAME and its bytes as guest_NAME_size: guests.h.
 */
	.macro	guest name
	.globl	guest_\name
guest_\name:
	.endm

	.macro	end name
.Lend_\name:
	.balign	4
	.globl	guest_\name\()_size
guest_\name\()_size:
	.4byte	.Lend_\name - guest_\name
	.endm

	.section .note.GNU-stack, "", %progbits
	.section .rodata

guest hi
	mov	$0x10000000, %edi
	movb	$'H', (%rdi)
	movb	$'i', (%rdi)
	movb	$'\n', (%rdi)
end hi

guest six
	mov	$0x10000000, %edi
	mov	$6, %eax
	mov	$7, %ecx
	imul	%ecx, %eax
	mov	%eax, (%rdi)
1:	jmp	1b
end six

guest console
	mov	$0x10000000, %edi
	lea	2f(%rip), %rsi
1:	lodsb
	mov	%al, (%rdi)
	jmp	1b
2:	.asciz	"Hello from a guest!\n"
end console

guest read
	mov	$0x10000000, %edi
	mov	(%rdi), %eax
	add	$1, %eax
	mov	%eax, (%rdi)
1:	jmp	1b
end read

guest interrupt
	mov	$0x10000000, %edi
	lidt	3f(%rip)
	sti
	movb	$'.', (%rdi)
1:	jmp	1b
2:	movb	$'!', (%rdi)
	iretq
3:	.word	33 * 16 - 1
	.quad	0x1000 + 4f - guest_interrupt - 32 * 16
4:	.word	0x1000 + 2b - guest_interrupt, 0x10, 0x8e00, 0
	.quad	0
end interrupt

guest two
	mov	$0x10000000, %eax
	mov	%edi, (%rax)
1:	jmp	1b
end two

guest count
1:	inc	%r10
	jmp	1b
end count
