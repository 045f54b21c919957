/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Entry of the other CPUs: in real mode, at offset 0 of the code segment, which is the page to
 * which smp.c has copied this code. It takes the first CPU's tables and modes from struct
 * trampoline at the end, which smp.c fills in, and continues in C.
 */

#define AT(symbol) ((symbol) - guest_trampoline)

	.section .rodata.trampoline, "a", @progbits
	.globl	guest_trampoline
	.globl	guest_trampoline_data
	.globl	guest_trampoline_end
	.balign	16
guest_trampoline:
	.code16
	cli
	cld
	/* From here on, ebx is the address of this page. */
	xorl	%ebx, %ebx
	movw	%cs, %bx
	movw	%bx, %ds
	shll	$4, %ebx
	lgdtl	AT(data_own_gdt)
	movl	%cr0, %eax
	orl	$1, %eax
	movl	%eax, %cr0
	ljmpl	*AT(data_protected)

	.code32
protected:
	movw	$0x18, %ax
	movw	%ax, %ds
	movl	AT(data_cr4)(%ebx), %eax
	movl	%eax, %cr4
	movl	AT(data_cr3)(%ebx), %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx
	rdmsr
	orl	$0x100, %eax
	wrmsr
	movl	AT(data_cr0)(%ebx), %eax
	movl	%eax, %cr0
	ljmpl	*AT(data_long)(%ebx)

	.code64
long:
	lgdt	AT(data_gdt)(%rbx)
	movw	AT(data_ss)(%rbx), %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movq	AT(data_stack)(%rbx), %rsp
	xorl	%ebp, %ebp
	pushq	AT(data_cs)(%rbx)
	pushq	AT(data_entry)(%rbx)
	lretq

/* struct trampoline in smp.c. */
	.balign	8
guest_trampoline_data:
data_own_gdt:	.word 31
		.long AT(gdt)
		.word 0
data_protected:	.long AT(protected)
		.word 0x08
		.word 0
data_long:	.long AT(long)
		.word 0x10
		.word 0
data_cr0:	.quad 0
data_cr3:	.quad 0
data_cr4:	.quad 0
data_gdt:	.fill 10, 1, 0
		.fill 6, 1, 0
data_cs:	.quad 0
data_ss:	.quad 0
data_stack:	.quad 0
data_entry:	.quad 0

/* Flat segments: 32-bit code, 64-bit code, data. */
	.balign	8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00af9b000000ffff
	.quad	0x00cf93000000ffff
guest_trampoline_end:

	.section .note.GNU-stack, "", @progbits
