/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "vmlinux.h"

#include <axvcpu/axvcpu.h>

#include "elf_image.h"
#include "message.h"

static bool vmlinux_is(const uint8_t *bytes, size_t size)
{
	return elf_is(bytes, size);
}

static int vmlinux_parse(struct image *image, const struct platform *platform, const char *name)
{
	if (elf_parse(image, platform, name, ELF_ENTRY_PHYSICAL))
		return -1;
	if (image->mode != AXVCPU_MODE_64)
		return fail("%s: a 32-bit kernel without a PVH entry", name);
	image->protocol = PROTOCOL_ZERO_PAGE;
	return 0;
}

const struct kernel_format vmlinux_format = {
	.what = "an ELF image",
	.platform = "x86_64",
	.only_if_told = true,
	.is = vmlinux_is,
	.parse = vmlinux_parse,
};
