/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Checks of all vCPUs of a VM. */
#ifndef LIB_MACHINE_VCPUS_H
#define LIB_MACHINE_VCPUS_H

struct axvm;

/*
 * Returns -EBUSY, with a message that begins with 'what', if a vCPU may enter the guest before its
 * owner or another thread makes it: each must be Created, Free, paused, or the calling thread's.
 */
int axv_vcpus_check_rest(struct axvm *vm, const char *what);

#endif
