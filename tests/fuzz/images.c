/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The image loaders of axrun. The input is a file. The machine of each architecture loads it as a kernel, and
 * an ELF file also as a guest program.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../examples/axrun/elf_image.h"
#include "../../examples/axrun/kernel.h"
#include "../../examples/axrun/message.h"
#include "../kernels.h"
#include "fuzz.h"

#define MEMORY (UINT64_C(64) << 20)
/* Less than a huge page, which the host would clear for each input. */
#define UNPACK_MAX (UINT64_C(1) << 20)
#define INITRD_SIZE 0x5432u
#define TREE_SIZE 0x2345u

/* Check has a macro of this name. */
#undef fail

/* Instead of axrun's own, which formats the first message only. */
int fail(const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	ck_assert(text[0]);
	return -1;
}

static void place(struct image *image, const struct platform *platform)
{
	uint64_t tree_size = platform->page_gpr ? TREE_SIZE : 0;
	struct layout layout;

	if (!layout_make(&layout, platform, MEMORY, image, tree_size))
		kernels_check(image, &layout);
}

static void load_kernel(const uint8_t *bytes, size_t size, const struct platform *platform)
{
	static const struct options options = { .guest = "the-kernel", .kernel = true };
	const struct file file = { .data = bytes, .size = size };
	struct image image = {
		.bytes = bytes,
		.size = size,
		.unpack_max = UNPACK_MAX,
		.kind = IMAGE_LINUX,
		.initrd = { .name = "the-initrd", .size = INITRD_SIZE },
		.initrd_end = UINT64_MAX,
	};

	kernel_is(&file);
	if (!kernel_parse(&image, &options, platform))
		place(&image, platform);
	file_free(&image.unpacked);
}

static void load_guest(const uint8_t *bytes, size_t size, const struct platform *platform)
{
	struct image image = { .bytes = bytes, .size = size, .kind = IMAGE_GUEST };

	if (elf_is(bytes, size) && !elf_parse(&image, platform, "the-guest", ELF_ENTRY_VIRTUAL))
		place(&image, platform);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const platforms[] = { "x86_64", "arm64", "riscv64" };
	size_t i;

	for (i = 0; i < sizeof(platforms) / sizeof(platforms[0]); i++) {
		load_kernel(data, size, platform_find(platforms[i]));
		load_guest(data, size, platform_find(platforms[i]));
	}
	return 0;
}

static void add_samples(const struct kernel_sample *samples)
{
	for (; samples->name; samples++) {
		uint8_t *bytes = calloc(1, samples->size);

		ck_assert_ptr_nonnull(bytes);
		samples->make(bytes);
		fuzz_seed(samples->name, bytes, samples->size);
		free(bytes);
	}
}

void fuzz_seeds(void)
{
	add_samples(kernels_x86);
	add_samples(kernels_image);
}
