/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* KVM's ioctls: the type of the argument is checked by the compiler, and a failure leaves a message. */
#ifndef KVM_IOCTL_H
#define KVM_IOCTL_H

#include <stdint.h>
#include <sys/ioctl.h>

#include "lib/host/sys.h"

struct axk_vcpu;
struct axk_vm;

/* 0, if 'condition' holds; else it does not compile. */
#define AXK_CHECK(condition, message) \
	(0 * sizeof(struct { \
		 _Static_assert(condition, message); \
		 char member; \
	 }))
/* An ioctl that takes a pointer: the size in its number must be that of what is pointed to. */
#define axk_ioctl(fd, request, arg) \
	axv_sys_ioctl((fd), \
		      (request) + AXK_CHECK(sizeof(*(arg)) == _IOC_SIZE(request), \
					    #request " takes another type"), \
		      (uintptr_t)(arg))
/* An ioctl that takes a number, or nothing. */
#define axk_ioctl_value(fd, request, value) \
	axv_sys_ioctl((fd), \
		      (request) + AXK_CHECK(_IOC_SIZE(request) == 0, #request " takes a pointer"), \
		      (uintptr_t)(value))

/* The same on a vCPU, leaving a message if it fails. */
#define axk_vcpu_ioctl(vcpu, request, arg) \
	axk_vcpu_result((vcpu), axk_ioctl((vcpu)->fd, (request), (arg)), #request)
#define axk_vm_ioctl(kvm, request, arg) \
	axk_vm_result((kvm), axk_ioctl((kvm)->fd, (request), (arg)), #request)

int axk_vcpu_result(const struct axk_vcpu *vcpu, int ret, const char *what);
int axk_vm_result(const struct axk_vm *kvm, int ret, const char *what);

#endif
