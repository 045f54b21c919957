/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* What arm64's KVM headers before Linux 6.4 do not have: see backends/kvm/uapi.h. */
#ifndef ARM64_UAPI_H
#define ARM64_UAPI_H

#include <linux/kvm.h>
#include <stdint.h>

#ifndef KVM_ARM_VM_SMCCC_CTRL
/* Attributes of a VM's descriptor. */
#define KVM_ARM_VM_SMCCC_CTRL 0
#define KVM_ARM_VM_SMCCC_FILTER 0

/* Of a KVM_EXIT_HYPERCALL. */
#define KVM_HYPERCALL_EXIT_SMC (1u << 0)
#endif

/* struct kvm_smccc_filter, whose name a newer header may have taken. */
struct axk_uapi_arm64_smccc_filter {
	uint32_t base;
	uint32_t nr_functions;
	uint8_t action;
	uint8_t pad[15];
};
#define ARM64_UAPI_SMCCC_FORWARD 2

/* The flags of a KVM_EXIT_HYPERCALL: what older headers call 'longmode' and a hole. */
struct axk_uapi_arm64_hypercall {
	uint64_t nr;
	uint64_t args[6];
	uint64_t ret;
	uint64_t flags;
};

#endif
