/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The one place that enters the guest. */
#ifndef KVM_ENTER_H
#define KVM_ENTER_H

#include "backends/kvm/kvm.h"

/* KVM_RUN. Returns 0 if it ended in an exit, else the negative errno. */
static inline long axk_enter(const struct axk_vcpu *vcpu)
{
	axk_arch_entry_barrier();
	return axv_sys_ioctl_hot(vcpu->fd, KVM_RUN);
}

#endif
