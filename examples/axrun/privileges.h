/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Giving up rights, when all is open and before the guest runs. */
#ifndef AXRUN_PRIVILEGES_H
#define AXRUN_PRIVILEGES_H

#include "options.h"

/* As the options say. Returns 0, or -1 after fail(): the guest must not run then. */
int privileges_drop(const struct options *options);

#endif
