/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* riscv64: the guests of the common suites: tests/guest.h says what they do. VS mode, without paging. */
#include "../program.inc"

/* What the linker would make shorter would fit where it links it, and not where it runs. */
	.option	norelax

program spin
1:	j	1b
end spin

program chatter
	li	t0, GUEST_MMIO
	li	a2, GUEST_VALUE
1:	sw	a2, (t0)
	j	1b
end chatter

program echo
	li	t0, GUEST_MMIO
1:	lwu	a2, (t0)
mark echo, store
	sw	a2, (t0)
	j	1b
end echo

program finish
	li	t0, GUEST_END
1:	sw	a2, (t0)
	j	1b
end finish

program tell
	li	t0, GUEST_MMIO
1:	sd	a1, (t0)
	j	1b
end tell

program count
1:	lw	a2, (a1)
	addiw	a2, a2, 1
	sw	a2, (a1)
	j	1b
end count

program last
	/* SBI's SRST: shutdown, no reason. */
	li	a7, 0x53525354
	li	a6, 0
	li	a0, 0
	li	a1, 0
	ecall
1:	j	1b
end last

program life
	li	t0, GUEST_MMIO
	li	a2, GUEST_VALUE
	sw	a2, (t0)
	lwu	a2, (t0)
mark life, read
	sw	a2, 8(t0)
	sw	a2, (t0)
	li	t0, GUEST_END
1:	sw	a2, (t0)
	j	1b
end life

program widths
	li	t0, GUEST_MMIO
	li	t1, GUEST_PATTERN
	lbu	a2, (t0)
	sd	a2, 0x40(t0)
	sb	t1, 0x80(t0)
	lhu	a2, 0x08(t0)
	sd	a2, 0x48(t0)
	sh	t1, 0x88(t0)
	lwu	a2, 0x10(t0)
	sd	a2, 0x50(t0)
	sw	t1, 0x90(t0)
	ld	a2, 0x18(t0)
	sd	a2, 0x58(t0)
	sd	t1, 0x98(t0)
	li	t0, GUEST_END
1:	sw	a2, (t0)
	j	1b
end widths

program stores
	li	t0, GUEST_MMIO
	li	t1, GUEST_PATTERN
	sb	t1, (t0)
	sh	t1, (t0)
	sw	t1, (t0)
	sd	t1, (t0)
	li	t0, GUEST_END
1:	sw	a2, (t0)
	j	1b
end stores

program copy
	ld	t1, (a1)
	ld	a2, (t1)
	ld	t1, 8(a1)
	sd	a2, (t1)
	li	t0, GUEST_END
1:	sw	a2, (t0)
	j	1b
end copy

program vectors
	li	t1, 1 << 13
	csrs	sstatus, t1
	fsd	f1, (a1)
	fld	f2, 8(a1)
	li	t0, GUEST_END
1:	sw	a2, (t0)
	j	1b
end vectors

program ring
	li	t0, GUEST_MMIO
	li	t1, GUEST_TURN
1:	lw	a2, (t1)
	andi	t2, a2, GUEST_RING_VCPUS - 1
	bne	t2, a1, 1b
	sw	a2, (t0)
	addiw	a2, a2, 1
	fence	rw, rw
	sw	a2, (t1)
	j	1b
end ring

program work
	lla	t1, handler
	csrw	stvec, t1
	li	t1, GUEST_WINDOW
	li	t0, GUEST_WORK_TELL
	/* The external interrupt, please. */
	li	t2, 1 << 9
	csrw	sie, t2
	csrsi	sstatus, 2
1:	lw	a2, (a1)
	addiw	a2, a2, 1
	sw	a2, (a1)
	lw	a2, (t1)
	sw	a2, 4(a1)
	sw	a2, (t0)
	lw	a2, (GUEST_WORK_ASK - GUEST_WORK_TELL)(t0)
	sw	a2, 8(a1)
	li	t2, 16
2:	addi	t2, t2, -1
	bnez	t2, 2b
	j	1b
	.balign	4
handler:
	lw	t3, 12(a1)
	addiw	t3, t3, 1
	sw	t3, 12(a1)
	sret
end work
