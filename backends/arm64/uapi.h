/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Definitions that arm64 KVM headers before Linux 6.4 lack: see backends/kvm/uapi.h. */
#ifndef ARM64_UAPI_H
#define ARM64_UAPI_H

#include <linux/kvm.h>
#include <stdint.h>

#ifndef KVM_ARM_VM_SMCCC_CTRL
/* Attributes of a VM's descriptor. */
#define KVM_ARM_VM_SMCCC_CTRL 0
#define KVM_ARM_VM_SMCCC_FILTER 0

/* Flags of a KVM_EXIT_HYPERCALL. */
#define KVM_HYPERCALL_EXIT_SMC (1u << 0)
#endif

/* struct kvm_smccc_filter, under another name, as newer headers define that one. */
struct axk_uapi_arm64_smccc_filter {
	uint32_t base;
	uint32_t nr_functions;
	uint8_t action;
	uint8_t pad[15];
};
#define ARM64_UAPI_SMCCC_FORWARD 2

/* KVM_CAP_COUNTER_OFFSET, of Linux 6.4 */
#define ARM64_UAPI_CAP_COUNTER_OFFSET 227

/* KVM_EXIT_HYPERCALL with 'flags', which older headers have as 'longmode' and padding. */
struct axk_uapi_arm64_hypercall {
	uint64_t nr;
	uint64_t args[6];
	uint64_t ret;
	uint64_t flags;
};

#endif
