/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* x86_64: the guests of the common suites: tests/guest.h says what they do. 64-bit code. */
#include "../program.inc"

program spin
1:	jmp	1b
end spin

program chatter
	movl	$GUEST_MMIO, %edx
	movl	$GUEST_VALUE, %eax
1:	movl	%eax, (%rdx)
	jmp	1b
end chatter

program echo
	movl	$GUEST_MMIO, %edx
1:	movl	(%rdx), %eax
mark echo, store
	movl	%eax, (%rdx)
	jmp	1b
end echo

program finish
	movl	$GUEST_END, %edx
1:	movl	%eax, (%rdx)
	jmp	1b
end finish

program tell
	movl	$GUEST_MMIO, %edx
1:	movq	%rdi, (%rdx)
	jmp	1b
end tell

program count
1:	incl	(%rdi)
	jmp	1b
end count

program last
	/* An empty table, where nothing has been written, and an exception. */
	lidt	0x2000
	ud2
end last

program life
	movl	$GUEST_MMIO, %edx
	movl	$GUEST_VALUE, %eax
	movl	%eax, (%rdx)
	movl	(%rdx), %eax
mark life, read
	movl	%eax, 8(%rdx)
	movl	%eax, (%rdx)
	movl	$GUEST_END, %edx
1:	movl	%eax, (%rdx)
	jmp	1b
end life

program widths
	movl	$GUEST_MMIO, %edx
	movabsq	$GUEST_PATTERN, %rcx
	movzbl	(%rdx), %eax
	movq	%rax, 0x40(%rdx)
	movb	%cl, 0x80(%rdx)
	movzwl	0x08(%rdx), %eax
	movq	%rax, 0x48(%rdx)
	movw	%cx, 0x88(%rdx)
	movl	0x10(%rdx), %eax
	movq	%rax, 0x50(%rdx)
	movl	%ecx, 0x90(%rdx)
	movq	0x18(%rdx), %rax
	movq	%rax, 0x58(%rdx)
	movq	%rcx, 0x98(%rdx)
	movl	$GUEST_END, %edx
1:	movl	%eax, (%rdx)
	jmp	1b
end widths

program stores
	movl	$GUEST_MMIO, %edx
	movabsq	$GUEST_PATTERN, %rcx
	movb	%cl, (%rdx)
	movw	%cx, (%rdx)
	movl	%ecx, (%rdx)
	movq	%rcx, (%rdx)
	movl	$GUEST_END, %edx
1:	movl	%eax, (%rdx)
	jmp	1b
end stores

program copy
	movq	(%rdi), %rsi
	movq	(%rsi), %rax
	movq	8(%rdi), %rsi
	movq	%rax, (%rsi)
	movl	$GUEST_END, %edx
1:	movl	%eax, (%rdx)
	jmp	1b
end copy

program vectors
	movups	%xmm1, (%rdi)
	movups	16(%rdi), %xmm2
	movl	$GUEST_END, %edx
1:	movl	%eax, (%rdx)
	jmp	1b
end vectors

program ring
	movl	$GUEST_MMIO, %edx
1:	movl	GUEST_TURN, %eax
	movl	%eax, %ecx
	andl	$(GUEST_RING_VCPUS - 1), %ecx
	cmpl	%ecx, %edi
	jne	1b
	movl	%eax, (%rdx)
	incl	%eax
	movl	%eax, GUEST_TURN
	jmp	1b
end ring

program work
	lidt	WORK_IDTR
	sti
	movl	$GUEST_WINDOW, %esi
	movl	$GUEST_WORK_TELL, %edx
1:	incl	(%rdi)
	movl	(%rsi), %eax
	movl	%eax, 4(%rdi)
	movl	%eax, (%rdx)
	movl	(GUEST_WORK_ASK - GUEST_WORK_TELL)(%rdx), %eax
	movl	%eax, 8(%rdi)
	movl	$16, %ecx
2:	decl	%ecx
	jnz	2b
	jmp	1b
mark work, handler
	incl	12(%rdi)
	iretq
end work
