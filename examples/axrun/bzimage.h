/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * bzImage: a vmlinuz of x86_64. It has a setup part, of which only the header matters, followed by
 * the kernel. The header has the same offsets in the file and in the zero page; see
 * Documentation/arch/x86/boot.rst.
 */
#ifndef AXRUN_BZIMAGE_H
#define AXRUN_BZIMAGE_H

#include "kernel.h"

#define SETUP_HEADER 0x1f1u /* where it begins */
#define SETUP_HEADER_MAX 0x290u /* its maximum end in a zero page */
#define SETUP_SECTS 0x1f1u /* 1 byte: sectors of the setup part, without the first */
#define SETUP_SYSSIZE 0x1f4u /* 4: the kernel's size in units of 16 bytes */
#define SETUP_VID_MODE 0x1fau /* 2 */
#define SETUP_BOOT_FLAG 0x1feu /* 2 */
#define SETUP_JUMP_LEN 0x201u /* 1: length from the next byte to the header's end */
#define SETUP_MAGIC 0x202u /* 4 */
#define SETUP_VERSION 0x206u /* 2: protocol version */
#define SETUP_LOADER 0x210u /* 1 */
#define SETUP_LOADFLAGS 0x211u /* 1 */
#define SETUP_CODE32_START 0x214u /* 4 */
#define SETUP_RAMDISK 0x218u /* 4 */
#define SETUP_RAMDISK_SIZE 0x21cu /* 4 */
#define SETUP_CMD_LINE 0x228u /* 4 */
#define SETUP_INITRD_MAX 0x22cu /* 4: highest address of an initrd's byte */
#define SETUP_ALIGNMENT 0x230u /* 4 */
#define SETUP_RELOCATABLE 0x234u /* 1 */
#define SETUP_XLOADFLAGS 0x236u /* 2 */
#define SETUP_CMDLINE_SIZE 0x238u /* 4: without the final NUL */
#define SETUP_DATA 0x250u /* 8 */
#define SETUP_PREF_ADDRESS 0x258u /* 8 */
#define SETUP_INIT_SIZE 0x260u /* 4 */
#define SETUP_FIELDS_END 0x264u /* end of the last field that axrun reads */

#define SETUP_BOOT_FLAG_VALUE 0xaa55u
#define SETUP_MAGIC_VALUE 0x53726448u /* "HdrS" */
#define SETUP_LOADED_HIGH (1u << 0)
#define SETUP_KERNEL_64 (1u << 0) /* in xloadflags: there is a 64-bit entry */
#define SETUP_ENTRY_64 0x200u /* offset in the kernel */

extern const struct kernel_format bzimage_format;

#endif
