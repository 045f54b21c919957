/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Everything that is determined about KVM on this host. */
#ifndef INFO_INFO_H
#define INFO_INFO_H

#include <stdbool.h>

#include <axvcpu/axvcpu.h>

#include "features.h"
#include "obstacle.h"

/*
 * Below this, KVM interprets guest code, at about 1 MIPS. Hardware reaches 100 and more, even if
 * QEMU emulates it.
 */
#define SLOW_MIPS 10

struct info {
	const char *arch;
	const char *device;
	struct obstacle obstacle;
	/* --- the rest only if KVM is usable --------------------------------------------------- */
	const char *flavour;
	struct axvm_limits limits;
	unsigned int levels;
	unsigned int max_vcpus;
	unsigned int recommended_vcpus;
	double mips;
	double exit_ns;
	const char *exit_name;
	/* Same order as the tables in features.h. */
	bool irqchips[MAX_TRIALS];
	bool forwards[MAX_TRIALS];
	unsigned int capabilities[MAX_CAPABILITIES];
};

/*
 * Opens the device, creates VMs on it and runs a guest. A non-zero `mips` replaces the measured
 * speed. `only_speed` skips limits and features.
 */
void info_read(struct info *info, const char *device, double mips, bool only_speed);

/* "fast", "slow" or "none". */
const char *info_speed(const struct info *info);
/* An interpreting KVM is recognised by its speed, as it runs on any CPU. */
const char *info_flavour(const struct info *info, const struct host *host);

#endif
