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
	/* Instructions of 4 bytes, as written. */
	.option	norvc
	.option	norelax

guest hi
	li	a1, 0x10000000
	li	a0, 'H'
	sb	a0, (a1)
	li	a0, 'i'
	sb	a0, (a1)
	li	a0, '\n'
	sb	a0, (a1)
end hi

guest six
	li	a1, 0x10000000
	li	a0, 6
	li	a2, 7
	mul	a0, a0, a2
	sw	a0, (a1)
1:	j	1b
end six

guest console
	li	a1, 0x10000000
	lla	a2, 2f
1:	lbu	a0, (a2)
	addi	a2, a2, 1
	sb	a0, (a1)
	j	1b
2:	.asciz	"Hello from a guest!\n"
end console

guest read
	li	a1, 0x10000000
	lw	a0, (a1)
	addi	a0, a0, 1
	sw	a0, (a1)
1:	j	1b
end read

guest interrupt
	li	a1, 0x10000000
	lla	a0, 2f
	csrw	stvec, a0
	li	a0, 0x200
	csrw	sie, a0
	csrsi	sstatus, 2
	li	a0, '.'
	sb	a0, (a1)
1:	j	1b
2:	li	a0, '!'
	sb	a0, (a1)
	sret
end interrupt

guest two
	li	a2, 0x10000000
	sw	a1, (a2)
1:	j	1b
end two

guest count
1:	addi	a0, a0, 1
	j	1b
end count
