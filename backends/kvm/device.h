/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Devices that the kernel emulates: KVM_CREATE_DEVICE and attributes. */
#ifndef KVM_DEVICE_H
#define KVM_DEVICE_H

#include "backends/kvm/kvm.h"

/*
 * Creates a device. Returns its descriptor, or a negative errno; 'name' is for messages. The device
 * lives as long as the VM, even if the descriptor is closed.
 */
int axk_device_new(const struct axk_vm *kvm, uint32_t type, const char *name);
/* Whether this KVM can create such a device: 1, 0, or a negative errno. */
int axk_device_exists(const struct axk_vm *kvm, uint32_t type);
/* Whether the device has the attribute: 1, 0, or a negative errno. */
int axk_device_has(const struct axk_vm *kvm, int fd, uint32_t group, uint64_t attr);
/* 'what' is for the message. */
int axk_device_set(const struct axk_vm *kvm, int fd, uint32_t group, uint64_t attr,
		   const void *value, const char *what);
int axk_device_get(const struct axk_vm *kvm, int fd, uint32_t group, uint64_t attr, void *value,
		   const char *what);

#endif
