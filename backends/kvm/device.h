/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Devices that the kernel emulates: KVM_CREATE_DEVICE and attributes. */
#ifndef KVM_DEVICE_H
#define KVM_DEVICE_H

#include "backends/kvm/kvm.h"

/* The descriptor of a new one, or an errno; 'name' is for messages. KVM keeps the device without it. */
int axk_device_new(const struct axk_vm *kvm, uint32_t type, const char *name);
/* Whether this KVM could make one: 1, 0, or an errno. */
int axk_device_exists(const struct axk_vm *kvm, uint32_t type);
int axk_device_has(const struct axk_vm *kvm, int fd, uint32_t group, uint64_t attr);
/* 'what' is for the message. */
int axk_device_set(const struct axk_vm *kvm, int fd, uint32_t group, uint64_t attr,
		   const void *value, const char *what);
int axk_device_get(const struct axk_vm *kvm, int fd, uint32_t group, uint64_t attr, void *value,
		   const char *what);

#endif
