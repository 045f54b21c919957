/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Power, as the run loop and the request queue use it. Called inside an operation on the vCPU. */
#ifndef LIB_POWER_H
#define LIB_POWER_H

#include <stdbool.h>

#include "axvcpu/power.h"
#include "axvcpu/request.h"

struct axvcpu_exit;

void axv_power_set(struct axvcpu *vcpu, enum axvcpu_power power);
void axv_power_pause(struct axvcpu *vcpu, bool paused);
/* A RESET or START request. */
int axv_power_reset(struct axvcpu *vcpu, const struct axvcpu_request *request);
/*
 * Sleeps, by the owner, whose vCPU is Blocked, until it may execute or has requests (0), or there is a
 * kick or a signal to report (1, and 'exit' is written).
 */
int axv_power_park(struct axvcpu *vcpu, struct axvcpu_exit *exit);

#endif
