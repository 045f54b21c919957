/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * CPU entry: sets up the MMU, a stack and the vectors, then calls C. With the MMU off, all memory
 * is device memory, where unaligned and exclusive accesses need not work.
 */

/* Attr 0: normal memory, write-back; attr 1: device memory, nGnRnE. */
#define MAIR 0x00ff
/*
 * 39-bit addresses, so that the first table maps 1 GiB with each of its 512 entries; write-back,
 * inner-shareable walks; 4 KiB pages; TTBR1 is unused. The size of guest-physical addresses is the
 * CPU's, and goes into bits 32 to 34.
 */
#define TCR ((64 - 39) | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23)
#define TCR_IPS_SHIFT 32
/* MMU, data cache, instruction cache. */
#define SCTLR_ON (1 << 0 | 1 << 2 | 1 << 12)

/* A 1 GiB block: valid, accessed. Device memory is not executable. */
#define BLOCK (1 << 0 | 1 << 10)
#define NORMAL (BLOCK | 3 << 8)
#define DEVICE (BLOCK | 1 << 2 | 3 << 53)
/* Devices are below RAM. */
#define DEVICE_GIB 2

	.section .text.start, "ax", %progbits
	.globl	_start
	.type	_start, %function
/* x0: address of the device tree; x1: address of the boot page. */
_start:
	mov	x19, x1
	bl	guest_mmu_on
	adrp	x2, stack_end
	add	x2, x2, :lo12:stack_end
	mov	sp, x2
	bl	guest_vectors_load
	mov	x0, x19
	bl	guest_start
	brk	#0
	.size	_start, . - _start

	.globl	guest_secondary_start
	.type	guest_secondary_start, %function
/* x0: end of the stack. */
guest_secondary_start:
	mov	x19, x0
	bl	guest_mmu_on
	mov	sp, x19
	bl	guest_vectors_load
	bl	guest_cpu_main
	brk	#0
	.size	guest_secondary_start, . - guest_secondary_start

	.type	guest_mmu_on, %function
guest_mmu_on:
	mov	x2, #MAIR
	msr	mair_el1, x2
	ldr	x2, =TCR
	mrs	x3, id_aa64mmfr0_el1
	and	x3, x3, #7
	cmp	x3, #5			/* 48 bits are enough; 52 need another format of entries. */
	mov	x4, #5
	csel	x3, x3, x4, lo
	orr	x2, x2, x3, lsl #TCR_IPS_SHIFT
	msr	tcr_el1, x2
	adrp	x2, table
	msr	ttbr0_el1, x2
	dsb	ish
	tlbi	vmalle1
	dsb	ish
	isb
	mrs	x2, sctlr_el1
	ldr	x3, =SCTLR_ON
	orr	x2, x2, x3
	msr	sctlr_el1, x2
	isb
	ret
	.size	guest_mmu_on, . - guest_mmu_on
	.ltorg

/* Identity mapping. */
	.section .rodata.table, "a", %progbits
	.balign	4096
table:
	.set	gib, 0
	.rept	512
	.if	gib < DEVICE_GIB
	.quad	gib << 30 | DEVICE
	.else
	.quad	gib << 30 | NORMAL
	.endif
	.set	gib, gib + 1
	.endr

	.section .bss.stack, "aw", %nobits
	.balign	16
	.skip	16384
stack_end:

	.section .note.GNU-stack, "", %progbits
