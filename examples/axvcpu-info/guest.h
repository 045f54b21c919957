/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* A guest of four instructions: that it runs proves KVM usable, and it is timed. */
#ifndef INFO_GUEST_H
#define INFO_GUEST_H

#include <axvcpu/axvcpu.h>

struct guest {
	struct axvcpu *vcpu;
	/* What its exits are: the word in the report. */
	const char *exit_name;
};

/*
 * Puts the guest into the VM, on a vCPU of the calling thread. This function and the next two
 * return 0 or a negative errno, with a message in axvcpu_last_error().
 */
int guest_new(struct guest *guest, struct axvm *vm);
/*
 * Millions of instructions per second of the vCPU thread's CPU time: the best of three tries, and
 * of more as long as it is less than 'enough'.
 */
int guest_measure_mips(const struct guest *guest, double enough, double *mips);
/* Nanoseconds of that time per exit, with its way back into the guest. */
int guest_measure_exit(const struct guest *guest, double *ns);
void guest_free(struct guest *guest);

#endif
