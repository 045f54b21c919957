/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Why KVM cannot be used, and what to do about it. */
#ifndef INFO_OBSTACLE_H
#define INFO_OBSTACLE_H

#include "host.h"

struct obstacle {
	/* One of the words that docs/info.md lists; NULL: none, KVM is usable. */
	const char *code;
	/* Half a sentence. */
	char why[512];
	/* Lines, each of which ends with a newline. */
	char advice[640];
};

/* Opening the device has failed with this errno, or was not tried as it is no character device. */
void obstacle_open(struct obstacle *obstacle, const struct host *host, int err);
/* axvm_new() has failed on the open device with this negative errno; 'message' is the library's. */
void obstacle_vm(struct obstacle *obstacle, const struct host *host, int ret, const char *message);
/* A VM was created, and a guest in it does not run. */
void obstacle_guest(struct obstacle *obstacle, const char *message);

#endif
