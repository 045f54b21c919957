/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* riscv64: the guests of the riscv64 suites, described in tests/riscv64_guest.h. */
#include "program.inc"
#include "riscv64_map.h"

	.option	norelax
	.option	norvc

#define SIE 1 << 1
#define STOPEI 0x15c
#define SISELECT 0x150
#define SIREG 0x151

program sbi
	mv	s0, a1
	li	s1, GUEST_MMIO
1:	ld	a7, 0(s0)
	ld	a6, 8(s0)
	ld	a0, 16(s0)
	ld	a1, 24(s0)
	ld	a2, 32(s0)
	ld	a3, 40(s0)
	ld	a4, 48(s0)
	ld	a5, 56(s0)
	ecall
mark sbi, after
	sd	a0, 64(s0)
	sd	a1, 72(s0)
	sw	zero, (s1)
	j	1b
end sbi

program hart
	li	t0, GUEST_MMIO
	sd	a0, 0x10(t0)
	sd	a1, 0x18(t0)
	/* To be told to go. */
	lw	a2, 0x20(t0)
	/* HSM's hart_stop. */
	li	a7, 0x48534d
	li	a6, 1
	ecall
	sd	a0, 0x28(t0)
1:	j	1b
end hart

program state
	li	t0, GUEST_MMIO
	sd	a0, (t0)
	sd	a1, (t0)
	sd	sp, (t0)
	csrr	a2, satp
	sd	a2, (t0)
	csrr	a2, sstatus
	sd	a2, (t0)
	csrr	a2, sie
	sd	a2, (t0)
1:	sw	a2, (t0)
	j	1b
end state

program traps
	li	t0, GUEST_MMIO
	lla	a2, 2f
	csrw	stvec, a2
1:	sw	zero, (t0)
mark traps, after
	j	1b
	.balign	4
2:	csrr	a2, scause
	sd	a2, 8(t0)
	csrr	a2, sepc
	sd	a2, 0x10(t0)
	csrr	a2, stval
	sd	a2, 0x18(t0)
	csrr	a2, sstatus
	sd	a2, 0x20(t0)
	sret
end traps

program trap
	li	t0, GUEST_MMIO
	lla	a2, 2f
	csrw	stvec, a2
	lw	a2, (t0)
	/* Not to be had by supervisors of virtual machines. */
mark trap, here
	csrr	a2, hstatus
	sw	zero, (t0)
1:	j	1b
	.balign	4
2:	csrr	a2, scause
	sd	a2, 8(t0)
	csrr	a2, sepc
	sd	a2, 0x10(t0)
	addi	a2, a2, 4
	csrw	sepc, a2
	sret
end trap

program user
	li	t0, GUEST_MMIO
	lla	a2, 2f
	csrw	stvec, a2
	lla	a2, 1f
	csrw	sepc, a2
	/* To user mode, where interrupts of supervisor mode are on. */
	li	a2, 1 << 8
	csrc	sstatus, a2
	li	a2, 1 << 5
	csrs	sstatus, a2
	sret
1:	sw	zero, (t0)
	j	1b
	.balign	4
2:	csrr	a2, scause
	sd	a2, 8(t0)
	csrr	a2, sstatus
	sd	a2, 0x20(t0)
3:	j	3b
end user

program breaks
	lla	t1, 2f
	csrw	stvec, t1
	li	t0, GUEST_MMIO
	sw	zero, (t0)
mark breaks, whole
	ebreak
	sw	zero, (t0)
	.option	push
	.option	rvc
mark breaks, compressed
	c.ebreak
	c.nop
	.option	pop
	li	t0, GUEST_END
1:	sw	a2, (t0)
	j	1b
	/* Where traps lead. */
	.balign	4
2:	sw	zero, 8(t0)
	j	2b
end breaks

program sleeper
	lla	a2, 2f
	csrw	stvec, a2
	li	t0, GUEST_MMIO
	li	a2, 1 << 9
	csrw	sie, a2
	csrsi	sstatus, SIE
	sw	zero, (t0)
1:	wfi
	j	1b
	.balign	4
2:	csrr	a2, scause
	sd	a2, 8(t0)
	/* The test lowers the line at this exit. */
	lw	a2, 0x10(t0)
	sret
end sleeper

program timer
	lla	a2, 2f
	csrw	stvec, a2
	li	t0, GUEST_MMIO
	li	a2, 1 << 5
	csrw	sie, a2
	csrsi	sstatus, SIE
	/* SBI's TIME: in 2 ms. */
	li	t1, 20000
	li	t2, 10000000
1:	rdtime	a0
	add	t3, a0, t2
	add	a0, a0, t1
	li	a7, 0x54494d45
	li	a6, 0
	ecall
	/* KVM may have lost it: another one after a second. */
3:	rdtime	a0
	bltu	a0, t3, 3b
	j	1b
	.balign	4
2:	csrr	a2, scause
	sd	a2, 8(t0)
4:	j	4b
end timer

/* SBI's TIME. It returns in a0 and a1. */
#define SET_TIMER \
	li	a7, 0x54494d45; \
	li	a6, 0; \
	ecall

program alarm
	lla	a2, 2f
	csrw	stvec, a2
	li	t0, GUEST_MMIO
	li	a2, 1 << 5
	csrw	sie, a2
	rdtime	s2
	add	s2, s2, a1
	mv	a0, s2
	SET_TIMER
	sd	s2, (t0)
	csrsi	sstatus, SIE
1:	wfi
	j	1b
	.balign	4
2:	rdtime	a2
	mv	a0, s2
	bltu	a2, s2, 3f
	sd	a2, 8(t0)
	li	a0, -1
3:	SET_TIMER
	sret
end alarm

program imsic
	mv	s1, a0
	li	t0, GUEST_MMIO
	lla	a2, 2f
	csrw	stvec, a2
	/* eidelivery, eithreshold, and all of the first 64 identities. */
	li	a2, 0x70
	csrw	SISELECT, a2
	csrwi	SIREG, 1
	li	a2, 0x72
	csrw	SISELECT, a2
	csrwi	SIREG, 0
	li	a2, 0xc0
	csrw	SISELECT, a2
	li	a2, -1
	csrw	SIREG, a2
	li	a2, 1 << 9
	csrw	sie, a2
	csrsi	sstatus, SIE
	sw	zero, (t0)
1:	wfi
	j	1b
	.balign	4
2:	csrrw	a2, STOPEI, zero
	srli	a2, a2, 16
	/* Which one, at which hart. */
	slli	a3, s1, 32
	or	a2, a2, a3
	sd	a2, 8(t0)
	sret
end imsic

program aplic
	mv	s1, a0
	li	t0, GUEST_MMIO
	/* Its argument is the APLIC. domaincfg: interrupts on; by messages, which is all there is. */
	li	a2, 1 << 8
	sw	a2, (a1)
	/* Source 5: a rising edge; source 6: a high level. To hart 0, as identities 15 and 16. */
	li	a2, 4
	sw	a2, 0x14(a1)
	li	a2, 6
	sw	a2, 0x18(a1)
	li	t1, 0x3000
	add	t1, t1, a1
	li	a2, 15
	sw	a2, 0x14(t1)
	li	a2, 16
	sw	a2, 0x18(t1)
	/* setienum: both are enabled. */
	li	t1, 0x2000
	add	t1, t1, a1
	li	a2, 5
	sw	a2, 0x1edc - 0x2000(t1)
	li	a2, 6
	sw	a2, 0x1edc - 0x2000(t1)
	lla	a2, 2f
	csrw	stvec, a2
	li	a2, 0x70
	csrw	SISELECT, a2
	csrwi	SIREG, 1
	li	a2, 0xc0
	csrw	SISELECT, a2
	li	a2, -1
	csrw	SIREG, a2
	li	a2, 1 << 9
	csrw	sie, a2
	csrsi	sstatus, SIE
	sw	zero, (t0)
1:	wfi
	j	1b
	.balign	4
2:	csrrw	a2, STOPEI, zero
	srli	a2, a2, 16
	sd	a2, 8(t0)
	sret
end aplic

program aia
	li	t0, GUEST_MMIO
	lla	a2, 6f
	csrw	stvec, a2
	li	a2, 1 << 9
	csrw	sie, a2
	csrsi	sstatus, SIE
	/* A command, which is an address and in its lowest bits a kind, and a value. */
1:	ld	a2, 0x10(t0)
	beqz	a2, 1b
	ld	a3, 0x18(t0)
	andi	a4, a2, 3
	andi	a2, a2, -4
	li	a5, GUEST_AIA_WRITE
	beq	a4, a5, 3f
	li	a5, GUEST_AIA_GET
	beq	a4, a5, 4f
	li	a5, GUEST_AIA_SET
	beq	a4, a5, 5f
	lwu	a3, (a2)
2:	sd	a3, 0x20(t0)
	j	1b
3:	sw	a3, (a2)
	j	1b
4:	srli	a2, a2, 2
	csrw	SISELECT, a2
	csrr	a3, SIREG
	j	2b
5:	srli	a2, a2, 2
	csrw	SISELECT, a2
	csrw	SIREG, a3
	j	1b
	.balign	4
6:	csrrw	s2, STOPEI, zero
	srli	s2, s2, 16
	sd	s2, 8(t0)
	sret
end aia

program ipi
	/* A message to the IMSIC that its argument is, by a store. */
	li	t0, GUEST_MMIO
	li	a2, 30
	sw	a2, (a1)
	sw	zero, (t0)
1:	j	1b
end ipi

program csrs
	li	t0, GUEST_MMIO
	csrr	a2, STOPEI
	sd	a2, (t0)
mark csrs, swap
	csrrw	a2, STOPEI, t0
	sd	a2, (t0)
	li	a3, 0x70
	csrw	SISELECT, a3
	csrr	a2, SIREG
	sd	a2, (t0)
	li	a3, 0x55
	csrrs	a2, SIREG, a3
	sd	a2, (t0)
	csrrci	a2, SIREG, 3
	sd	a2, (t0)
	csrwi	SIREG, 9
	li	t0, GUEST_END
1:	sw	a2, (t0)
	j	1b
end csrs

program csr_fault
	li	t0, GUEST_MMIO
	lla	a3, 2f
	csrw	stvec, a3
	li	a2, 0x77
mark csr_fault, here
	csrrw	a2, STOPEI, t0
	sd	a2, (t0)
1:	j	1b
	.balign	4
2:	csrr	a3, scause
	sd	a3, 8(t0)
	csrr	a3, sepc
	sd	a3, 0x10(t0)
	addi	a3, a3, 4
	csrw	sepc, a3
	sret
end csr_fault

program through_tables
	/* Its argument is a satp; from here on, addresses are translated by those tables. */
	li	t0, GUEST_MMIO
	csrw	satp, a1
	sfence.vma
	li	t1, GUEST_ALIAS
	ld	a2, (t1)
	sd	a2, (t0)
1:	j	1b
end through_tables

/*
 * Accesses that KVM cannot carry out, each at a mark of its own. s0 is GUEST_MMIO + 8, sp likewise,
 * a1 is GUEST_MMIO + 1.
 */
	.option	arch, +a, +f, +d, +c
	.option	norvc

program faults
	li	s0, GUEST_MMIO + 8
	mv	sp, s0
	li	a1, GUEST_MMIO + 1
	li	a2, 3 << 13
	csrs	sstatus, a2
	sw	zero, -8(s0)
mark faults, ld
	ld	a2, 8(a1)
mark faults, lw
	lw	a2, -16(a1)
mark faults, sh
	sh	a2, 0x10(a1)
mark faults, sd
	sd	a2, -8(a1)
mark faults, lr
	lr.w	a2, (s0)
mark faults, sc
	sc.d	a2, a3, (s0)
mark faults, amo
	amoadd.d a2, a3, (s0)
mark faults, flw
	flw	ft0, 4(s0)
mark faults, fsd
	fsd	ft0, 8(s0)
mark faults, cbo
	/* cbo.zero (s0), which not every assembler knows; nor the last two */
	.4byte	0x0044200f
	.option	push
	.option	rvc
mark faults, c_fld
	c.fld	fa0, 16(s0)
mark faults, c_fsd
	c.fsd	fa0, 24(s0)
mark faults, c_fldsp
	c.fldsp	ft0, 32(sp)
mark faults, c_fsdsp
	c.fsdsp	ft0, 40(sp)
mark faults, c_lw
	c.lw	a2, 4(a1)
mark faults, c_sd
	c.sd	a2, 8(a1)
mark faults, c_lhu
	/* c.lhu a2, 2(a1) */
	.2byte	0x85b0
mark faults, c_sh
	/* c.sh a2, 2(a1) */
	.2byte	0x8db0
mark faults, end
	.option	pop
	li	t0, GUEST_END
1:	sw	a2, (t0)
	j	1b
end faults

program jump
	lla	t1, 1f
	csrw	stvec, t1
	li	t0, GUEST_MMIO
	sw	zero, (t0)
	jr	a1
	/* Where traps lead. */
	.balign	4
1:	sw	zero, 8(t0)
	j	1b
end jump
