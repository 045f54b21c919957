/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The guests of docs/tutorial.md and of examples/minimal.c: code that the programs copy to guest
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
	mov	x1, #0x10000000
	mov	w0, #'H'
	strb	w0, [x1]
	mov	w0, #'i'
	strb	w0, [x1]
	mov	w0, #'\n'
	strb	w0, [x1]
end hi

guest six
	mov	x1, #0x10000000
	mov	w0, #6
	mov	w2, #7
	mul	w0, w0, w2
	str	w0, [x1]
1:	b	1b
end six

guest console
	mov	x1, #0x10000000
	adr	x2, 2f
1:	ldrb	w0, [x2], #1
	strb	w0, [x1]
	b	1b
2:	.asciz	"Hello from a guest!\n"
end console

guest read
	mov	x1, #0x10000000
	ldr	w0, [x1]
	add	w0, w0, #1
	str	w0, [x1]
1:	b	1b
end read

guest interrupt
	mov	x1, #0x10000000
	adr	x0, guest_interrupt
	msr	vbar_el1, x0
	msr	daifclr, #2
	mov	w0, #'.'
	strb	w0, [x1]
1:	b	1b
	.org	guest_interrupt + 0x280
	mov	w0, #'!'
	strb	w0, [x1]
	eret
end interrupt

guest two
	mov	x1, #0x10000000
	str	w0, [x1]
1:	b	1b
end two

guest count
1:	add	x10, x10, #1
	b	1b
end count
