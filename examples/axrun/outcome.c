/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "outcome.h"

void outcome_set(struct outcome *outcome, enum ending ending, int status)
{
	if (outcome->ending != RUN_ON)
		return;
	outcome->ending = ending;
	outcome->status = status;
}

const char *ending_name(enum ending ending)
{
	static const char *const names[] = {
		[RUN_ON] = "running",	       [RUN_EXIT] = "exit",	[RUN_HALT] = "halt",
		[RUN_POWER_OFF] = "power-off", [RUN_RESET] = "reset",	[RUN_CRASH] = "crash",
		[RUN_TIMEOUT] = "timeout",     [RUN_SIGNAL] = "signal", [RUN_ERROR] = "error",
	};

	return names[ending];
}
