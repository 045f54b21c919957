/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The ioctls that only riscv64 has, as rows of the table in tests/injector.c: how each may fail. */
#ifndef TESTS_INJECTOR_ARCH_H
#define TESTS_INJECTOR_ARCH_H

#define INJECTOR_ARCH_IOCTLS \
	{ KVM_GET_ONE_REG, "KVM_GET_ONE_REG", { { EIO, EFAULT }, { 0 } } }, \
		{ KVM_SET_ONE_REG, "KVM_SET_ONE_REG", { { EIO, EFAULT }, { 0 } } }, \
		{ KVM_CREATE_DEVICE, "KVM_CREATE_DEVICE", { { ENOMEM, EMFILE }, { 0 } } }, \
		{ KVM_SET_DEVICE_ATTR, "KVM_SET_DEVICE_ATTR", { { EIO, EFAULT }, { 0 } } },

#endif
