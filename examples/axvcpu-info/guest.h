/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* A guest of four instructions. Running it proves that KVM works, and it serves as a benchmark. */
#ifndef INFO_GUEST_H
#define INFO_GUEST_H

#include <axvcpu/axvcpu.h>

struct guest {
	struct axvcpu *vcpu;
	/* Kind of its exits, as named in the report. */
	const char *exit_name;
};

/*
 * Loads the guest into the VM and binds a vCPU to the calling thread. This function and the next
 * two return 0 or a negative errno; axvcpu_last_error() has the message.
 */
int guest_new(struct guest *guest, struct axvm *vm);
/*
 * Millions of instructions per second of the vCPU thread's CPU time: the best of three tries, or of
 * more while the result is below `enough`.
 */
int guest_measure_mips(const struct guest *guest, double enough, double *mips);
/* CPU nanoseconds per exit, including re-entry into the guest. */
int guest_measure_exit(const struct guest *guest, double *ns);
void guest_free(struct guest *guest);

#endif
