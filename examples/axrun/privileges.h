/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Drops privileges when all files are open and before the guest runs. */
#ifndef AXRUN_PRIVILEGES_H
#define AXRUN_PRIVILEGES_H

#include "options.h"

/* Drops them as the options ask. Returns 0, or -1 after fail(): then the guest must not run. */
int privileges_drop(const struct options *options);

#endif
