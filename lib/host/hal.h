/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#ifndef LIB_HAL_H
#define LIB_HAL_H

#include <stdbool.h>

#include "axvcpu/hal.h"

/* Fills in the Linux default of missing hooks. -EINVAL if one hook of a pair is missing. */
int axv_hal_complete(struct axvcpu_hal *hal);

/* Whether regions are mapped by this library, not by a hook of the caller. */
bool axv_hal_maps_memory(const struct axvcpu_hal *hal);

#endif
