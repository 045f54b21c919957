/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "kernel.h"

#include <string.h>

#include "linux_image.h"
#include "message.h"
#include "unpack.h"

static const struct kernel_format *const formats[] = {
	&linux_image_format,
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
	return find(file->data, file->size) || unpack_is(file->data, file->size);
}

int kernel_parse(struct image *image, const struct options *options,
		 const struct platform *platform)
{
	const struct kernel_format *format;

	if (strlen(options->args) > platform->command_line_max)
		return fail(
			"--append: the command line is too long: a kernel of %s takes at most %zu "
			"characters",
			platform->name, platform->command_line_max);
	if (unpack_is(image->bytes, image->size) && unpack(image, options->guest))
		return -1;
	format = find(image->bytes, image->size);
	if (!format)
		return fail("%s: no Linux kernel in a format that axrun knows", options->guest);
	return format->parse(image, platform, options->guest);
}
