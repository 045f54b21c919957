/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "kernel.h"

#include <inttypes.h>
#include <string.h>

#include "bzimage.h"
#include "foreign.h"
#include "linux_image.h"
#include "message.h"
#include "pvh.h"
#include "unpack.h"
#include "vmlinux.h"

/* The first match wins, so an ELF kernel with a PVH entry is started there. */
static const struct kernel_format *const formats[] = {
	&arm64_image_format, &riscv64_image_format, &bzimage_format, &pvh_format, &vmlinux_format,
};

static const struct kernel_format *find(const uint8_t *bytes, size_t size)
{
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (formats[i]->is(bytes, size))
			return formats[i];
	return NULL;
}

bool kernel_is(const struct file *file)
{
	const struct kernel_format *format = find(file->data, file->size);

	return format ? !format->only_if_told : unpack_is(file->data, file->size);
}

static int refuse(const struct image *image, const char *name)
{
	const char *kind = foreign_kind(image->bytes, image->size);

	if (image->unpacked.data)
		return fail("%s: compressed; contains %s, not a Linux kernel in a format that "
			    "axrun supports",
			    name, kind ? kind : "data of unknown type");
	if (kind)
		return foreign_refuse(name, kind);
	return fail("%s: not a Linux kernel in a format that axrun supports", name);
}

int kernel_parse(struct image *image, const struct options *options,
		 const struct platform *platform)
{
	const struct kernel_format *format;
	const char *name = options->guest;

	if (unpack_is(image->bytes, image->size) && unpack(image, name))
		return -1;
	format = find(image->bytes, image->size);
	if (!format)
		return refuse(image, name);
	if (format->platform && strcmp(format->platform, platform->name))
		return fail("%s: %s is for %s, but this host is %s", name, format->what,
			    format->platform, platform->name);
	image->command_line_max = platform->command_line_max;
	if (format->parse(image, platform, name))
		return -1;
	if (strlen(options->args) > image->command_line_max)
		return fail("--append: the command line is too long: %s takes at most %" PRIu64
			    " characters",
			    name, image->command_line_max);
	return 0;
}
