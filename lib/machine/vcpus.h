/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Checks of all vCPUs of a VM. */
#ifndef LIB_MACHINE_VCPUS_H
#define LIB_MACHINE_VCPUS_H

struct axvcpu;
struct axvm;

/*
 * Lists the vCPUs of a VM by id, in an array that the caller must free, also after a failure. Returns
 * their number; messages begin with 'what'.
 */
int axv_vcpus_list(struct axvm *vm, const char *what, struct axvcpu ***vcpus);

/*
 * Returns -EBUSY, with a message that begins with 'what', if a vCPU may enter the guest before its
 * owner or another thread makes it: each must be Created, Free, paused, or the calling thread's.
 */
int axv_vcpus_check_rest(struct axvm *vm, const char *what);

/*
 * Makes all vCPUs Invalid: a part of the VM has neither its former state nor the one loaded. It cannot
 * fail.
 */
void axv_vcpus_invalidate(struct axvm *vm);

#endif
