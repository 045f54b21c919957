/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The guests of arm64's own suites: tests/arm64_guest.h says what they do. EL1, without an MMU. */
#include "../arm64_guest_map.h"
#include "../program.inc"

	.arch	armv8-a+sve

	.macro	address reg, value
	movz	\reg, ((\value) >> 16) & 0xffff, lsl 16
	movk	\reg, (\value) & 0xffff
	.endm

/* Vectors of EL1 with its own stack pointer: synchronous, IRQ, FIQ, SError. Others are loops. */
	.macro	vectors sync, irq, fiq, serror
	.balign	0x800
10:
	.rept	4
	b	.
	.balign	0x80
	.endr
	b	\sync
	.balign	0x80
	b	\irq
	.balign	0x80
	b	\fiq
	.balign	0x80
	b	\serror
	.balign	0x80
	.rept	8
	b	.
	.balign	0x80
	.endr
	.endm

	.balign	0x800
program calls
	mov	x20, x0
	address	x21, GUEST_MMIO
1:	ldp	x19, x0, [x20]
	cmp	x19, A64_CALL_END
	b.eq	4f
	ldp	x1, x2, [x20, 16]
	ldp	x3, x4, [x20, 32]
	ldp	x5, x6, [x20, 48]
	add	x20, x20, 64
	cbnz	x19, 2f
	hvc	0
	b	3f
2:	smc	0
3:	str	x0, [x21]
	str	x1, [x21, 8]
	b	1b
4:	address	x21, GUEST_END
5:	str	w0, [x21]
	b	5b
end calls

	.balign	0x800
program gic
	adr	x1, 10f
	msr	vbar_el1, x1
	ldp	x3, x22, [x0], 16
	/* Address, bytes, value. */
1:	ldp	x1, x2, [x0]
	cbz	x1, 3f
	ldr	x4, [x0, 16]
	add	x0, x0, 24
	cmp	x2, 8
	b.eq	2f
	str	w4, [x1]
	b	1b
2:	str	x4, [x1]
	b	1b
3:	mov	w1, 0xff
	mov	w2, 1
	cbnz	x22, 4f
	/* ICC_PMR_EL1, ICC_IGRPEN1_EL1 */
	msr	s3_0_c4_c6_0, x1
	msr	s3_0_c12_c12_7, x2
	isb
	b	5f
	/* GICC_PMR, GICC_CTLR */
4:	str	w1, [x22, 0x04]
	str	w2, [x22, 0x00]
5:	cbz	x3, 6f
	msr	cntv_cval_el0, xzr
	msr	cntv_ctl_el0, x2
	isb
6:	address	x21, GUEST_MMIO
	str	w3, [x21]
	msr	daifclr, 2
7:	wfi
	b	7b
	/* ICC_IAR1_EL1, or GICC_IAR, where the number has 10 bits */
8:	cbnz	x22, 1f
	mrs	x1, s3_0_c12_c12_0
	mov	x2, x1
	b	2f
1:	ldr	w1, [x22, 0x0c]
	and	x2, x1, 0x3ff
2:	cmp	x2, 27
	b.ne	3f
	msr	cntv_ctl_el0, xzr
	isb
3:	str	w2, [x21, 8]
	/* ICC_EOIR1_EL1, or GICC_EOIR */
	cbnz	x22, 4f
	msr	s3_0_c12_c12_1, x1
	isb
	eret
4:	str	w1, [x22, 0x10]
	eret
	vectors	., 8b, ., .
end gic

program view
	mov	x20, x0
	mov	x23, 0
	address	x21, GUEST_MMIO
1:	ldp	x19, x22, [x20]
	add	x0, x20, 16
	/* Address, bytes, value. */
2:	ldr	x1, [x0], 8
	cbz	x1, 4f
	ldp	x2, x3, [x0], 16
	cmp	x2, 8
	b.eq	3f
	str	w3, [x1]
	b	2b
3:	str	x3, [x1]
	b	2b
4:	cbnz	x22, 20f
	/* ICC_PMR_EL1, ICC_BPR1_EL1, ICC_IGRPEN1_EL1 */
	tbz	x19, 0, 5f
	mov	x1, 0xf0
	msr	s3_0_c4_c6_0, x1
	mov	x1, 4
	msr	s3_0_c12_c12_3, x1
	mov	x1, 1
	msr	s3_0_c12_c12_7, x1
	isb
	/* ICC_IAR1_EL1, ICC_EOIR1_EL1 */
5:	tbz	x19, 1, 6f
	mrs	x23, s3_0_c12_c12_0
6:	tbz	x19, 2, 7f
	msr	s3_0_c12_c12_1, x23
	isb
	/* The first three, ICC_CTLR_EL1, ICC_RPR_EL1, ICC_AP1R0_EL1 */
7:	mrs	x1, s3_0_c4_c6_0
	str	x1, [x21, 8]
	mrs	x1, s3_0_c12_c12_3
	str	x1, [x21, 8]
	mrs	x1, s3_0_c12_c12_7
	str	x1, [x21, 8]
	mrs	x1, s3_0_c12_c12_4
	str	x1, [x21, 8]
	mrs	x1, s3_0_c12_c11_3
	str	x1, [x21, 8]
	mrs	x1, s3_0_c12_c9_0
	str	x1, [x21, 8]
	b	30f
	/* GICC_PMR, GICC_BPR, GICC_CTLR */
20:	tbz	x19, 0, 21f
	mov	w1, 0xf0
	str	w1, [x22, 0x04]
	mov	w1, 4
	str	w1, [x22, 0x08]
	mov	w1, 1
	str	w1, [x22, 0x00]
	/* GICC_IAR, GICC_EOIR */
21:	tbz	x19, 1, 22f
	ldr	w23, [x22, 0x0c]
22:	tbz	x19, 2, 30f
	str	w23, [x22, 0x10]
30:	str	x23, [x21, 8]
31:	ldr	x1, [x0], 8
	cbz	x1, 32f
	ldr	w2, [x1]
	str	x2, [x21, 8]
	b	31b
32:	str	w19, [x21]
	b	1b
end view

	.balign	0x800
program lines
	adr	x1, 10f
	msr	vbar_el1, x1
	address	x21, GUEST_MMIO
	str	w0, [x21]
	cbz	x0, 1f
	msr	cntv_cval_el0, xzr
	mov	x1, 1
	msr	cntv_ctl_el0, x1
	isb
1:	msr	daifclr, 3
2:	wfi
	b	2b
3:	str	w0, [x21, 8]
	eret
4:	str	w0, [x21, 16]
	eret
	vectors	., 3b, 4b, .
end lines

	.balign	0x800
program faults
	/* Calls the code at x0, and tells of exceptions: ESR, FAR, ELR. They end it. */
	adr	x1, 10f
	msr	vbar_el1, x1
	mov	x19, x0
	address	x21, GUEST_MMIO
	msr	daifclr, 4
	isb
	str	w0, [x21]
	blr	x19
	address	x21, GUEST_END
1:	str	w0, [x21]
	b	1b
2:	mrs	x1, esr_el1
	mrs	x2, far_el1
	mrs	x3, elr_el1
	address	x21, A64_TELL
	str	x1, [x21]
	str	x2, [x21, 8]
	str	x3, [x21, 16]
	b	.
3:	mrs	x1, esr_el1
	address	x21, A64_TELL
	str	x1, [x21, 24]
	b	.
	vectors	2b, ., ., 3b
end faults

/* What "faults" calls, each at a place of its own. */
program pieces
mark pieces, nothing
	ret
	/* Loads with a sign, into both widths. */
mark pieces, signed
	address	x2, GUEST_MMIO
	ldrsb	w3, [x2]
	str	x3, [x2, 8]
	ldrsb	x3, [x2]
	str	x3, [x2, 8]
	ldrsh	w3, [x2]
	str	x3, [x2, 8]
	ldrsh	x3, [x2]
	str	x3, [x2, 8]
	ldrsw	x3, [x2]
	str	x3, [x2, 8]
	/* The zero register, and acquire and release. */
	ldr	wzr, [x2]
	str	wzr, [x2, 8]
	str	xzr, [x2, 8]
	ldar	w3, [x2]
	stlr	w3, [x2]
	ret
mark pieces, load_pair
	address	x2, GUEST_MMIO
	ldp	x3, x4, [x2]
	ret
mark pieces, store_pair
	address	x2, GUEST_MMIO
	stp	x3, x4, [x2]
	ret
mark pieces, load_post
	address	x2, GUEST_MMIO
	ldr	x3, [x2], 8
	ret
mark pieces, load
	address	x2, GUEST_MMIO
	ldr	w3, [x2]
	ret
mark pieces, fetch
	address	x2, GUEST_MMIO
	br	x2
mark pieces, brk
	brk	0x123
	ret
	/* SVE: ZEN and FPEN, then the length of a vector in bytes. */
mark pieces, sve
	mrs	x2, cpacr_el1
	orr	x2, x2, 3 << 16
	orr	x2, x2, 3 << 20
	msr	cpacr_el1, x2
	isb
	rdvl	x3, 1
	address	x2, GUEST_MMIO
	str	x3, [x2, 8]
	ret
	/* PMCR_EL0 */
mark pieces, pmu
	mrs	x3, s3_3_c9_c12_0
	address	x2, GUEST_MMIO
	str	x3, [x2, 8]
	ret
	/* ID_AA64ISAR1_EL1, ID_AA64ISAR2_EL1: pointer authentication is in both. */
mark pieces, pauth
	mrs	x3, id_aa64isar1_el1
	mrs	x4, s3_0_c0_c6_2
	address	x2, GUEST_MMIO
	str	x3, [x2, 8]
	str	x4, [x2, 16]
	ret
end pieces

program steps
	address	x1, GUEST_MMIO
	address	x2, A64_LIST
mark steps, first
	mov	x3, 1
mark steps, second
	mov	x3, 2
mark steps, store
	str	x3, [x2]
mark steps, load
	ldr	x4, [x2, 16]
mark steps, half
	strh	w3, [x2, 34]
mark steps, mmio
	str	w3, [x1]
mark steps, brk
	brk	0x42
mark steps, after
	address	x1, GUEST_END
1:	str	w3, [x1]
	b	1b
end steps

program at
	/* What the hardware says of the address x0, to whoever listens to calls. */
1:	at	s1e1r, x0
	isb
	mrs	x1, par_el1
	mov	x2, x0
	address	x0, A64_CALL_AT
	hvc	0
	b	1b
end at
