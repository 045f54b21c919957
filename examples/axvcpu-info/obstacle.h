/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The reason why KVM is not usable, with advice. */
#ifndef INFO_OBSTACLE_H
#define INFO_OBSTACLE_H

#include "host.h"

struct obstacle {
	/* One of the codes in docs/info.md; NULL if KVM is usable. */
	const char *code;
	/* The reason, without a final full stop. */
	char why[512];
	/* Lines that end with newlines. */
	char advice[640];
};

/*
 * Opening the device failed with this errno, or was not tried because it is not a character device.
 */
void obstacle_open(struct obstacle *obstacle, const struct host *host, int err);
/*
 * axvm_new() failed on the open device with this negative errno; `message` is from
 * axvcpu_last_error().
 */
void obstacle_vm(struct obstacle *obstacle, const struct host *host, int ret, const char *message);
/* A VM was created, but a guest does not run in it. */
void obstacle_guest(struct obstacle *obstacle, const char *message);

#endif
