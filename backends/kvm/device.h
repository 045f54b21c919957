/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Devices that the kernel emulates: KVM_CREATE_DEVICE and attributes. */
#ifndef KVM_DEVICE_H
#define KVM_DEVICE_H

#include "backends/kvm/kvm.h"

/* The descriptor of a new one, or an errno; 'name' is for messages. KVM keeps the device without it. */
int kvm_device_new(const struct kvm_vm *kvm, uint32_t type, const char *name);
/* Whether this KVM could make one: 1, 0, or an errno. */
int kvm_device_exists(const struct kvm_vm *kvm, uint32_t type);
int kvm_device_has(const struct kvm_vm *kvm, int fd, uint32_t group, uint64_t attr);
/* 'what' is for the message. */
int kvm_device_set(const struct kvm_vm *kvm, int fd, uint32_t group, uint64_t attr,
		   const void *value, const char *what);
int kvm_device_get(const struct kvm_vm *kvm, int fd, uint32_t group, uint64_t attr, void *value,
		   const char *what);

#endif
