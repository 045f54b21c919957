/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Entries that the ops tables of several architectures share. */
#ifndef KVM_OPS_H
#define KVM_OPS_H

#include "backends/kvm/kvm.h"

/* Shared by all architectures. */
#define AXK_OPS_COMMON \
	.size = sizeof(struct axvcpu_arch_ops), .vm_new = axk_vm_new, .vm_free = axk_vm_free, \
	.vm_unmap = axk_vm_unmap, .vm_capability = axk_vm_capability, .vm_fd = axk_vm_fd, \
	.vm_enable_capability = axk_vm_enable_capability, .vm_ioeventfd = axk_ioeventfd, \
	.vm_set_dirty_log = axk_set_dirty_log, .vm_get_dirty = axk_get_dirty, \
	.vm_coalesce = axk_coalesce, .vcpu_take_coalesced = axk_take_coalesced, \
	.vcpu_new = axk_vcpu_new, .set_ept_root = axk_set_ept_root, .run = axk_run, \
	.bind = axk_bind, .unbind = axk_unbind, .complete = axk_complete, .kick = axk_kick, \
	.vcpu_fd = axk_vcpu_fd, .vcpu_enable_capability = axk_vcpu_enable_capability, \
	.percpu_enable = axk_percpu_enable, .percpu_disable = axk_percpu_disable, \
	.percpu_guest_page_table_levels = axk_percpu_guest_page_table_levels, \
	.percpu_capability = axk_percpu_capability, .percpu_fd = axk_percpu_fd

/* Shared by architectures that use KVM_GET_ONE_REG and KVM_SET_ONE_REG for all registers. */
#define AXK_OPS_ONE_REG \
	.get_regs = axk_get_named_regs, .set_regs = axk_set_named_regs, \
	.reg_info = axk_named_reg_info, .reg_list = axk_reg_list

#endif
