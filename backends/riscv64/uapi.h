/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Definitions that <asm/kvm.h> of Linux 6.1 lacks. They are used only if KVM reports the feature:
 * by a capability, a device or a register.
 */
#ifndef RISCV64_UAPI_H
#define RISCV64_UAPI_H

#include "backends/kvm/uapi.h"

#ifndef KVM_CAP_SET_GUEST_DEBUG /* old headers have it for other architectures only */
#define KVM_CAP_SET_GUEST_DEBUG 23
#endif

#ifndef KVM_CAP_RISCV_MP_STATE_RESET /* 6.16 */
#define KVM_CAP_RISCV_MP_STATE_RESET 242
#endif

/* --- registers -------------------------------------------------------------------------------- */

#ifndef KVM_REG_RISCV_CSR_AIA /* 6.4 */
#define KVM_REG_RISCV_CSR_AIA (0x1 << 16)
#endif

#ifndef KVM_REG_RISCV_SBI_EXT /* 6.4 */
#define KVM_REG_RISCV_SBI_EXT (0x08 << KVM_REG_RISCV_TYPE_SHIFT)
#endif

#ifndef KVM_REG_RISCV_VECTOR /* 6.5 */
#define KVM_REG_RISCV_VECTOR (0x09 << KVM_REG_RISCV_TYPE_SHIFT)
#endif

#ifndef KVM_REG_RISCV_SBI_STATE /* 6.8 */
#define KVM_REG_RISCV_SBI_STATE (0x0a << KVM_REG_RISCV_TYPE_SHIFT)
#endif

/* Indices of words in struct kvm_riscv_config, struct kvm_riscv_csr and the vector state. */
#define RISCV_CONFIG_MVENDORID 2 /* 6.2 */
#define RISCV_CONFIG_MARCHID 3 /* 6.2 */
#define RISCV_CONFIG_MIMPID 4 /* 6.2 */
#define RISCV_CONFIG_ZICBOZ_BLOCK_SIZE 5 /* 6.4 */
#define RISCV_CONFIG_SATP_MODE 6 /* 6.5 */
#define RISCV_CONFIG_ZICBOP_BLOCK_SIZE 7 /* 6.18 */
#define RISCV_CSR_SENVCFG 10 /* 6.7 */
#define RISCV_VECTOR_VLENB 4 /* 6.7 */

/* --- the AIA: 6.5 ------------------------------------------------------------------------------ */

#ifndef KVM_DEV_TYPE_RISCV_AIA
#define KVM_DEV_TYPE_RISCV_AIA 11
#endif

#ifndef KVM_DEV_RISCV_AIA_GRP_CONFIG
#define KVM_DEV_RISCV_APLIC_SIZE 0x4000
#define KVM_DEV_RISCV_IMSIC_SIZE 0x1000

#define KVM_DEV_RISCV_AIA_GRP_CONFIG 0
#define KVM_DEV_RISCV_AIA_CONFIG_MODE 0
#define KVM_DEV_RISCV_AIA_CONFIG_IDS 1
#define KVM_DEV_RISCV_AIA_CONFIG_SRCS 2
#define KVM_DEV_RISCV_AIA_CONFIG_HART_BITS 5

#define KVM_DEV_RISCV_AIA_MODE_EMUL 0
#define KVM_DEV_RISCV_AIA_MODE_HWACCEL 1
#define KVM_DEV_RISCV_AIA_MODE_AUTO 2

#define KVM_DEV_RISCV_AIA_IDS_MIN 63
#define KVM_DEV_RISCV_AIA_IDS_MAX 2048
#define KVM_DEV_RISCV_AIA_SRCS_MAX 1024
#define KVM_DEV_RISCV_AIA_HART_BITS_MAX 16

#define KVM_DEV_RISCV_AIA_GRP_ADDR 1
#define KVM_DEV_RISCV_AIA_ADDR_APLIC 0
#define KVM_DEV_RISCV_AIA_ADDR_IMSIC(vcpu) (1 + (vcpu))

#define KVM_DEV_RISCV_AIA_GRP_CTRL 2
#define KVM_DEV_RISCV_AIA_CTRL_INIT 0

#define KVM_DEV_RISCV_AIA_GRP_APLIC 3
#define KVM_DEV_RISCV_AIA_GRP_IMSIC 4
#define KVM_DEV_RISCV_AIA_IMSIC_MKATTR(vcpu, isel) (((vcpu) << 12) | ((isel)&0xfff))
#endif

#endif
