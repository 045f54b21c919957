/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * vmlinux: an ELF kernel that is started by its 64-bit entry, like a bzImage. The file cannot be
 * told from a guest program.
 */
#ifndef AXRUN_VMLINUX_H
#define AXRUN_VMLINUX_H

#include "kernel.h"

extern const struct kernel_format vmlinux_format;

#endif
