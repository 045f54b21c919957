/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The ioctls that only x86_64 has, as rows of the table in tests/injector.c: how each may fail. */
#ifndef TESTS_INJECTOR_ARCH_H
#define TESTS_INJECTOR_ARCH_H

#define INJECTOR_ARCH_IOCTLS \
	{ KVM_GET_SUPPORTED_CPUID, "KVM_GET_SUPPORTED_CPUID", { { ENOMEM, EFAULT }, { 0 } } }, \
		{ KVM_SET_IDENTITY_MAP_ADDR, \
		  "KVM_SET_IDENTITY_MAP_ADDR", \
		  { { EFAULT, EEXIST }, { 0 } } }, \
		{ KVM_SET_TSS_ADDR, "KVM_SET_TSS_ADDR", { { EINVAL, ENOMEM }, { 0 } } }, \
		{ KVM_CREATE_IRQCHIP, "KVM_CREATE_IRQCHIP", { { ENOMEM, EEXIST }, { 0 } } }, \
		{ KVM_SET_CPUID2, "KVM_SET_CPUID2", { { EINVAL, E2BIG }, { 0 } } }, \
		{ KVM_GET_REGS, "KVM_GET_REGS", { { ENOMEM, EFAULT }, { 0 } } }, \
		{ KVM_SET_REGS, "KVM_SET_REGS", { { ENOMEM, EFAULT }, { 0 } } }, \
		{ KVM_GET_SREGS, "KVM_GET_SREGS", { { ENOMEM, EFAULT }, { 0 } } }, \
		{ KVM_SET_SREGS, "KVM_SET_SREGS", { { EINVAL, EFAULT }, { 0 } } },

#endif
