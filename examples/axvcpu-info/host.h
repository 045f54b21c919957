/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Facts about this host, from /proc, /dev and /etc, that explain why KVM is not usable. */
#ifndef INFO_HOST_H
#define INFO_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct host {
	/* The name in axvcpu_host_arch(). */
	const char *arch;
	const char *device;
	bool exists;
	bool is_character_device;
	/* The device's permission bits, and the name of its group. */
	mode_t mode;
	char group[64];
	/*
	 * The calling user; and whether the user database (`member`), or this process
	 * (`member_now`), has the user in that group.
	 */
	bool root;
	char user[64];
	bool member;
	bool member_now;
	bool container;
	/* /proc/misc lists kvm: the kernel supports it, even if /dev lacks the node. */
	bool has_kvm;
	/* CPU flags from /proc/cpuinfo on x86_64. */
	bool vmx;
	bool svm;
	bool hypervisor;
	/* The hypervisor extension, from /proc/cpuinfo on riscv64. */
	bool h_extension;
	/*
	 * From /proc/interrupts on arm64: KVM uses the virtual timer on every host, and the
	 * physical timer only if the host kernel runs at EL2 (VHE).
	 */
	bool guest_vtimer;
	bool guest_ptimer;
};

void host_read(struct host *host, const char *arch, const char *device);

/* Whether the first line of flags in /proc/cpuinfo has this flag. */
bool cpuinfo_has_flag(const char *cpuinfo, const char *flag);
/* Whether the first isa line in riscv64's /proc/cpuinfo has the single-letter extension. */
bool cpuinfo_has_letter(const char *cpuinfo, char letter);

#endif
