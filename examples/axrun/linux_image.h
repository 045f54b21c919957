/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Linux's Image format on arm64 and riscv64: the kernel as it lies in memory, with a 64-byte
 * header. See Linux's Documentation/arch/arm64/booting.rst and arch/riscv/boot-image-header.rst.
 */
#ifndef AXRUN_LINUX_IMAGE_H
#define AXRUN_LINUX_IMAGE_H

#include "kernel.h"

extern const struct kernel_format arm64_image_format;
extern const struct kernel_format riscv64_image_format;

#endif
