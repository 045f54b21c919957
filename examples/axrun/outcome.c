/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "outcome.h"

#include <stdatomic.h>

bool outcome_set(struct outcome *outcome, enum ending ending, int status)
{
	enum ending on = RUN_ON;

	if (!atomic_compare_exchange_strong(&outcome->ending, &on, ending))
		return false;
	outcome->status = status;
	return true;
}

bool outcome_open(const struct outcome *outcome)
{
	return atomic_load(&outcome->ending) == RUN_ON;
}

const char *ending_name(enum ending ending)
{
	static const char *const names[] = {
		[RUN_ON] = "running",	       [RUN_EXIT] = "exit",   [RUN_HALT] = "halt",
		[RUN_POWER_OFF] = "power-off", [RUN_RESET] = "reset", [RUN_CRASH] = "crash",
		[RUN_SAVED] = "saved",	       [RUN_QUIT] = "quit",   [RUN_TIMEOUT] = "timeout",
		[RUN_SIGNAL] = "signal",       [RUN_ERROR] = "error",
	};

	return names[ending];
}
