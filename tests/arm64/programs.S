/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* arm64: the guests of the common suites: tests/guest.h says what they do. EL1, without an MMU. */
#include "../program.inc"

/* A constant of 64 bits. */
	.macro	load reg, value
	movz	\reg, (\value) & 0xffff
	movk	\reg, ((\value) >> 16) & 0xffff, lsl 16
	movk	\reg, ((\value) >> 32) & 0xffff, lsl 32
	movk	\reg, ((\value) >> 48) & 0xffff, lsl 48
	.endm

program spin
1:	b	1b
end spin

program chatter
	load	x1, GUEST_MMIO
	mov	w2, GUEST_VALUE
1:	str	w2, [x1]
	b	1b
end chatter

program echo
	load	x1, GUEST_MMIO
1:	ldr	w2, [x1]
mark echo, store
	str	w2, [x1]
	b	1b
end echo

program finish
	load	x1, GUEST_END
1:	str	w2, [x1]
	b	1b
end finish

program tell
	load	x1, GUEST_MMIO
1:	str	x0, [x1]
	b	1b
end tell

program count
1:	ldr	w2, [x0]
	add	w2, w2, 1
	str	w2, [x0]
	b	1b
end count

program last
	/* PSCI 0.2, SYSTEM_OFF. */
	load	x0, 0x84000008
	hvc	0
1:	b	1b
end last

program life
	load	x1, GUEST_MMIO
	mov	w2, GUEST_VALUE
	str	w2, [x1]
	ldr	w2, [x1]
mark life, read
	str	w2, [x1, 8]
	str	w2, [x1]
	load	x1, GUEST_END
1:	str	w2, [x1]
	b	1b
end life

program widths
	load	x1, GUEST_MMIO
	load	x4, GUEST_PATTERN
	ldrb	w2, [x1]
	str	x2, [x1, 0x40]
	strb	w4, [x1, 0x80]
	ldrh	w2, [x1, 0x08]
	str	x2, [x1, 0x48]
	strh	w4, [x1, 0x88]
	ldr	w2, [x1, 0x10]
	str	x2, [x1, 0x50]
	str	w4, [x1, 0x90]
	ldr	x2, [x1, 0x18]
	str	x2, [x1, 0x58]
	str	x4, [x1, 0x98]
	load	x1, GUEST_END
1:	str	w2, [x1]
	b	1b
end widths

program stores
	load	x1, GUEST_MMIO
	load	x4, GUEST_PATTERN
	strb	w4, [x1]
	strh	w4, [x1]
	str	w4, [x1]
	str	x4, [x1]
	load	x1, GUEST_END
1:	str	w2, [x1]
	b	1b
end stores

program copy
	ldp	x4, x5, [x0]
	ldr	x2, [x4]
	str	x2, [x5]
	load	x1, GUEST_END
1:	str	w2, [x1]
	b	1b
end copy

program vectors
	mov	x4, 3 << 20
	msr	cpacr_el1, x4
	isb
	str	q1, [x0]
	ldr	q2, [x0, 16]
	load	x1, GUEST_END
1:	str	w2, [x1]
	b	1b
end vectors

program ring
	load	x1, GUEST_MMIO
	load	x4, GUEST_TURN
1:	ldr	w2, [x4]
	and	w5, w2, GUEST_RING_VCPUS - 1
	cmp	w5, w0
	b.ne	1b
	str	w2, [x1]
	add	w2, w2, 1
	dmb	ish
	str	w2, [x4]
	b	1b
end ring

/* So that the vectors in it, aligned here, are so there. */
	.balign	0x800
program work
	adr	x4, vectors
	msr	vbar_el1, x4
	isb
	load	x5, GUEST_WINDOW
	load	x1, GUEST_WORK_TELL
	/* IRQ and FIQ, please. */
	msr	daifclr, 3
1:	ldr	w2, [x0]
	add	w2, w2, 1
	str	w2, [x0]
	ldr	w2, [x5]
	str	w2, [x0, 4]
	str	w2, [x1]
	ldr	w2, [x1, GUEST_WORK_ASK - GUEST_WORK_TELL]
	str	w2, [x0, 8]
	mov	w4, 16
2:	subs	w4, w4, 1
	b.ne	2b
	b	1b
	/* The exceptions of EL1, with its own stack pointer: synchronous, IRQ, FIQ, SError. */
	.balign	0x800
vectors:
	.skip	0x200
	.rept	4
	.balign	0x80
	ldr	w6, [x0, 12]
	add	w6, w6, 1
	str	w6, [x0, 12]
	eret
	.endr
end work
