/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Power state, for the run loop and the request queue. Call these inside an operation on the vCPU.
 */
#ifndef LIB_POWER_H
#define LIB_POWER_H

#include <stdbool.h>

#include "axvcpu/power.h"
#include "axvcpu/request.h"

struct axvcpu_exit;

void axv_power_set(struct axvcpu *vcpu, enum axvcpu_power power);
void axv_power_pause(struct axvcpu *vcpu, bool paused);
/* Carries out a RESET or START request. */
int axv_power_reset(struct axvcpu *vcpu, const struct axvcpu_request *request);
/* Carries out a RESET_TO_SETUP request. */
int axv_power_reset_to_setup(struct axvcpu *vcpu);
/*
 * Called by the owner of a Blocked vCPU: sleeps until the vCPU may execute or has requests (returns
 * 0), or a kick or a signal must be reported (returns 1, with 'exit' filled in). Or a negative
 * errno.
 */
int axv_power_park(struct axvcpu *vcpu, struct axvcpu_exit *exit);

#endif
