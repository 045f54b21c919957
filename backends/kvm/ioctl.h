/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* KVM ioctls: the compiler checks the type of the argument, and a failure leaves a message. */
#ifndef KVM_IOCTL_H
#define KVM_IOCTL_H

#include <stdint.h>
#include <sys/ioctl.h>

#include "lib/host/sys.h"

struct axk_vcpu;
struct axk_vm;

/* Evaluates to 0; does not compile if 'condition' is false. */
#define AXK_CHECK(condition, message) \
	(0 * sizeof(struct { \
		 _Static_assert(condition, message); \
		 char member; \
	 }))
/* An ioctl that takes a pointer: its request number must encode the size of *arg. */
#define axk_ioctl(fd, request, arg) \
	axv_sys_ioctl((fd), \
		      (request) + AXK_CHECK(sizeof(*(arg)) == _IOC_SIZE(request), \
					    #request " takes another type"), \
		      (uintptr_t)(arg))
/* An ioctl that takes a number or no argument. */
#define axk_ioctl_value(fd, request, value) \
	axv_sys_ioctl((fd), \
		      (request) + AXK_CHECK(_IOC_SIZE(request) == 0, #request " takes a pointer"), \
		      (uintptr_t)(value))

/* axk_ioctl() on a vCPU or a VM; leaves a message if it fails. */
#define axk_vcpu_ioctl(vcpu, request, arg) \
	axk_vcpu_result((vcpu), axk_ioctl((vcpu)->fd, (request), (arg)), #request)
#define axk_vm_ioctl(kvm, request, arg) \
	axk_vm_result((kvm), axk_ioctl((kvm)->fd, (request), (arg)), #request)

/* Return 'ret'; if it is negative, leave the message that 'what' failed. */
int axk_vcpu_result(const struct axk_vcpu *vcpu, int ret, const char *what);
int axk_vm_result(const struct axk_vm *kvm, int ret, const char *what);

#endif
