/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* All that is found out about KVM on this host. */
#ifndef INFO_INFO_H
#define INFO_INFO_H

#include <stdbool.h>

#include <axvcpu/axvcpu.h>

#include "features.h"
#include "obstacle.h"

/* An interpreting KVM has about one, hardware a hundred and more, also if QEMU emulates it. */
#define SLOW_MIPS 10

struct info {
	const char *arch;
	const char *device;
	struct obstacle obstacle;
	/* --- the rest without an obstacle alone --- */
	const char *flavour;
	struct axvm_limits limits;
	unsigned int levels;
	unsigned int max_vcpus;
	unsigned int recommended_vcpus;
	double mips;
	double exit_ns;
	const char *exit_name;
	/* In the order of the tables in features.h. */
	bool irqchips[MAX_TRIALS];
	bool forwards[MAX_TRIALS];
	unsigned int capabilities[MAX_CAPABILITIES];
};

/*
 * Opens the device, creates VMs on it, runs a guest. 'mips' replaces the measured speed unless it
 * is 0. 'only_speed' leaves limits and features out.
 */
void info_read(struct info *info, const char *device, double mips, bool only_speed);

/* "fast", "slow" or "none". */
const char *info_speed(const struct info *info);
/* By the speed first: an interpreting KVM runs on CPUs of any kind. */
const char *info_flavour(const struct info *info, const struct host *host);

#endif
