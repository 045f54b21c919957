/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* A system call without libc: no errno, no cancellation point, no variable arguments. */
#ifndef X86_64_ARCH_SYSCALL_H
#define X86_64_ARCH_SYSCALL_H

static inline long axv_arch_syscall3(long nr, long a, long b, long c)
{
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return ret;
}

#endif
