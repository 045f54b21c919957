/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Facts about this host, from /proc, /dev and /etc, that explain why its KVM cannot be used. */
#ifndef INFO_HOST_H
#define INFO_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct host {
	/* As axvcpu_host_arch() names it. */
	const char *arch;
	const char *device;
	bool exists;
	bool is_character_device;
	/* Permission bits of the device, and the name of its group. */
	mode_t mode;
	char group[64];
	/* The calling user; and whether the user database, or this process, has the user in that group. */
	bool root;
	char user[64];
	bool member;
	bool member_now;
	bool container;
	/* /proc/misc lists kvm: the kernel has it, whether or not /dev shows it. */
	bool has_kvm;
	/* /proc/cpuinfo of x86_64: CPU flags. */
	bool vmx;
	bool svm;
	bool hypervisor;
	/* /proc/cpuinfo of riscv64: the hypervisor extension. */
	bool h_extension;
	/*
	 * /proc/interrupts of arm64: KVM uses the virtual timer on every host, and the physical one
	 * only where the host kernel runs at EL2 (VHE).
	 */
	bool guest_vtimer;
	bool guest_ptimer;
};

void host_read(struct host *host, const char *arch, const char *device);

/* Whether a text in the format of /proc/cpuinfo has this flag in its first line of flags. */
bool cpuinfo_has_flag(const char *cpuinfo, const char *flag);
/* Whether the first isa line of riscv64's has the single-letter extension. */
bool cpuinfo_has_letter(const char *cpuinfo, char letter);

#endif
