/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Loading of kernel files by axrun: valid files of each format are placed where they belong; broken
 * ones are refused with a line, or accepted with everything inside the file and inside guest
 * memory. Each file is a heap block, so that a sanitizer detects a read beyond its end. Needs no
 * KVM.
 */
#include <elf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "../examples/axrun/bytes.h"
#include "../examples/axrun/bzimage.h"
#include "../examples/axrun/kernel.h"
#include "../examples/axrun/message.h"
#include "kernels.h"
#include "suite.h"

#define MEMORY (UINT64_C(64) << 20)
/* Less than a huge page, which the host would clear for each of thousands. */
#define UNPACK_MAX (UINT64_C(1) << 20)
#define INITRD_SIZE 0x5432u
#define TREE_SIZE 0x2345u
#define VARIANTS 1000
#define FLIPS_MAX 8

static const struct kernel_sample *const sample_lists[] = {
	kernels_image,
	kernels_x86,
};

/* --- messages, instead of axrun's own message.c ------------------------------------------------ */

static char said[1024];

/* Check has a macro that is called the same. */
#undef fail

int fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(said, sizeof(said), fmt, args);
	va_end(args);
	return -1;
}

/* --- loading ------------------------------------------------------------------------------------ */

static struct image image;
static struct layout layout;
static uint64_t unpack_max = UNPACK_MAX;
static uint64_t initrd_size = INITRD_SIZE;

/* Only these options count: the command line, and that the name is the prefix of messages. */
static struct options options = { .guest = "the-kernel", .kernel = true };

static int load(const struct kernel_sample *sample, const uint8_t *bytes, size_t size)
{
	const struct platform *platform = platform_find(sample->platform);

	image = (struct image){
		.bytes = bytes,
		.size = size,
		.unpack_max = unpack_max,
		.kind = IMAGE_LINUX,
		.initrd = { .name = "the-initrd", .size = initrd_size },
		.initrd_end = UINT64_MAX,
	};
	said[0] = '\0';
	if (kernel_parse(&image, &options, platform))
		return -1;
	return layout_make(&layout, platform, MEMORY, &image, platform->page_gpr ? TREE_SIZE : 0);
}

/* Returns whether it was. A refused file causes one line, which names the file. */
static bool check_variant(const struct kernel_sample *sample, const uint8_t *bytes, size_t size)
{
	bool accepted = !load(sample, bytes, size);

	if (accepted)
		kernels_check(&image, &layout);
	else
		ck_assert_msg(said[0] && !strchr(said, '\n'), "\"%s\"", said);
	image_free(&image);
	return accepted;
}

static uint8_t *make(const struct kernel_sample *sample)
{
	uint8_t *bytes = calloc(1, sample->size);

	ck_assert_ptr_nonnull(bytes);
	sample->make(bytes);
	return bytes;
}

/* --- tests -------------------------------------------------------------------------------------- */

/* Those whose compression this build supports, like the rest. */
static bool is_known(const struct kernel_sample *sample)
{
	return !sample->format || sample->format->unpack;
}

static const struct kernel_sample *nth_sample(int n)
{
	size_t list;
	int i;

	for (list = 0; list < sizeof(sample_lists) / sizeof(sample_lists[0]); list++)
		for (i = 0; sample_lists[list][i].name; i++)
			if (is_known(&sample_lists[list][i]) && n-- == 0)
				return &sample_lists[list][i];
	return NULL;
}

static int count_samples(void)
{
	int n = 0;

	while (nth_sample(n))
		n++;
	return n;
}

START_TEST(a_valid_kernel_goes_where_it_belongs)
{
	const struct kernel_sample *sample = nth_sample(_i);
	uint8_t *bytes = make(sample);

	ck_assert_msg(!load(sample, bytes, sample->size), "%s: %s", sample->name, said);
	kernels_check(&image, &layout);
	ck_assert_uint_eq(image.entry, sample->entry);
	ck_assert_uint_eq(image.mode, sample->mode);
	image_free(&image);
	free(bytes);
}
END_TEST

/* A cut is noticed: a kernel has no surplus bytes, except behind its end. */
START_TEST(a_truncated_kernel_is_refused_or_whole)
{
	const struct kernel_sample *sample = nth_sample(_i);
	uint8_t *whole = make(sample);
	size_t n, refused = 0;

	for (n = 0; n < VARIANTS; n++) {
		/* All lengths of the head first, then some of the rest. */
		size_t size = n < sample->head ? n : n * sample->size / VARIANTS;
		uint8_t *bytes = malloc(size ? size : 1);

		memcpy(bytes, whole, size);
		refused += !check_variant(sample, bytes, size);
		free(bytes);
	}
	ck_assert_uint_ge(refused, VARIANTS * 9 / 10);
	free(whole);
}
END_TEST

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* Three of four in the head. */
static void flip(const struct kernel_sample *sample, uint8_t *bytes, uint32_t *state)
{
	size_t span = next_random(state) % 4 ? sample->head : sample->size;
	size_t bit = next_random(state) % (span * 8);

	bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

START_TEST(a_kernel_with_flipped_bits_is_refused_or_harmless)
{
	const struct kernel_sample *sample = nth_sample(_i);
	size_t refused = 0;
	uint32_t n;

	for (n = 0; n < VARIANTS; n++) {
		uint8_t *bytes = make(sample);
		uint32_t state = n, flips = next_random(&state) % FLIPS_MAX + 1;

		while (flips-- > 0)
			flip(sample, bytes, &state);
		refused += !check_variant(sample, bytes, sample->size);
		free(bytes);
	}
	/* Both happen. */
	ck_assert_uint_gt(refused, VARIANTS / 20);
	ck_assert_uint_lt(refused, VARIANTS + sample->checked);
}
END_TEST

/* Every byte of the head at its extremes, one at a time. */
START_TEST(a_kernel_with_an_extreme_byte_is_refused_or_harmless)
{
	static const uint8_t extremes[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	const struct kernel_sample *sample = nth_sample(_i);
	size_t at, n;

	for (at = 0; at < sample->head; at++) {
		for (n = 0; n < sizeof(extremes); n++) {
			uint8_t *bytes = make(sample);

			bytes[at] = extremes[n];
			check_variant(sample, bytes, sample->size);
			free(bytes);
		}
	}
}
END_TEST

START_TEST(a_kernel_for_another_machine_is_refused)
{
	static const char *const platforms[] = { "x86_64", "arm64", "riscv64" };
	const struct kernel_sample *sample = nth_sample(_i);
	uint8_t *bytes = make(sample);
	size_t i;

	for (i = 0; i < sizeof(platforms) / sizeof(platforms[0]); i++) {
		struct kernel_sample other = *sample;

		other.platform = platforms[i];
		if (!strcmp(sample->platform, platforms[i]))
			continue;
		ck_assert_int_eq(load(&other, bytes, sample->size), -1);
		ck_assert_ptr_nonnull(strstr(said, "the-kernel"));
		ck_assert_ptr_nonnull(strstr(said, sample->platform));
		image_free(&image);
	}
	free(bytes);
}
END_TEST

START_TEST(a_command_line_is_as_long_as_the_kernel_takes)
{
	const struct kernel_sample *sample = nth_sample(_i);
	uint8_t *bytes = make(sample);
	char text[80];

	ck_assert_uint_lt(sample->command_line_max + 1, sizeof(options.args));
	memset(options.args, 'a', sample->command_line_max);
	ck_assert_msg(!load(sample, bytes, sample->size), "%s: %s", sample->name, said);
	kernels_check(&image, &layout);
	image_free(&image);

	options.args[sample->command_line_max] = 'a';
	ck_assert_int_eq(load(sample, bytes, sample->size), -1);
	snprintf(text, sizeof(text), "too long: the-kernel takes at most %zu characters",
		 sample->command_line_max);
	ck_assert_msg(strstr(said, text), "%s: \"%s\"", sample->name, said);
	image_free(&image);
	free(bytes);
}
END_TEST

static const struct kernel_sample *sample_named(const char *name)
{
	int n = 0;

	while (strcmp(nth_sample(n)->name, name) != 0)
		n++;
	return nth_sample(n);
}

static void refused_saying(const struct kernel_sample *sample, const uint8_t *bytes, size_t size,
			   const char *text)
{
	ck_assert_int_eq(load(sample, bytes, size), -1);
	ck_assert_msg(strstr(said, text), "\"%s\"", said);
	image_free(&image);
}

/* A file may have something behind its end, such as a signature. */
START_TEST(bytes_after_compressed_data_are_ignored)
{
	const struct kernel_sample *sample = sample_named("gzip");
	uint8_t *bytes = calloc(1, sample->size + 100);

	sample->make(bytes);
	memset(bytes + sample->size, 0x5a, 100);
	ck_assert_msg(!load(sample, bytes, sample->size + 100), "%s", said);
	kernels_check(&image, &layout);
	ck_assert_uint_eq(image.entry, sample->entry);
	image_free(&image);
	free(bytes);
}
END_TEST

/* Zeroes pack well: a file of some KiB has more of them than there is room. */
START_TEST(data_that_unpack_beyond_memory_are_refused)
{
	static uint8_t zeroes[1 << 16], packed[1 << 18];
	z_stream stream = { .next_out = packed, .avail_out = sizeof(packed) };
	uint64_t n;

	ck_assert_int_eq(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
			 Z_OK);
	for (n = 0; n <= UNPACK_MAX; n += sizeof(zeroes)) {
		stream.next_in = zeroes;
		stream.avail_in = sizeof(zeroes);
		ck_assert_int_eq(deflate(&stream, n < UNPACK_MAX ? Z_NO_FLUSH : Z_FINISH),
				 n < UNPACK_MAX ? Z_OK : Z_STREAM_END);
	}
	deflateEnd(&stream);
	refused_saying(sample_named("gzip"), packed, stream.total_out, "--memory");
}
END_TEST

/* Not by a byte: each format finds its own end. */
START_TEST(data_that_unpack_to_a_byte_too_many_are_refused)
{
	const struct kernel_sample *sample = nth_sample(_i);
	uint8_t *bytes = make(sample);

	if (sample->format) {
		ck_assert_msg(!load(sample, bytes, sample->size), "%s", said);
		unpack_max = image.size;
		image_free(&image);
		ck_assert_msg(!load(sample, bytes, sample->size), "%s", said);
		image_free(&image);
		unpack_max--;
		refused_saying(sample, bytes, sample->size, "--memory");
		unpack_max = UNPACK_MAX;
	}
	free(bytes);
}
END_TEST

START_TEST(a_format_without_its_library_is_refused_by_name)
{
	const struct kernel_sample *sample;
	char text[80];

	for (sample = kernels_image; sample->name; sample++) {
		uint8_t *bytes = make(sample);

		if (!is_known(sample)) {
			snprintf(text, sizeof(text),
				 "compressed with %s, but this axrun was built without",
				 sample->format->name);
			refused_saying(sample, bytes, sample->size, text);
		}
		free(bytes);
	}
}
END_TEST

/* A file of some bytes that unpacks to 4 GiB, and one that wants as much memory for that. */
START_TEST(hostile_compressed_data_are_refused)
{
	static uint8_t zeroes[6 + 32768 * 4] = { 0x28, 0xb5, 0x2f, 0xfd, 0, 0x50 };
	const struct kernel_sample *sample;
	uint8_t *bytes;
	size_t i;

	if (unpack_zstd.unpack) {
		/* A block is one byte, 128 KiB times. */
		for (i = 0; i < 32768; i++)
			bytes_put(zeroes + 6 + 4 * i, 3, 0x20000 << 3 | 1 << 1 | (i == 32767));
		refused_saying(sample_named("zstd"), zeroes, sizeof(zeroes), "--memory");
	}
	if (unpack_xz.unpack) {
		sample = sample_named("xz");
		bytes = make(sample);
		bytes[16] = 40;
		bytes_put(bytes + 20, 4, crc32(0, bytes + 12, 8));
		refused_saying(sample, bytes, sample->size, "dictionary of more than");
		free(bytes);
	}
}
END_TEST

/* By its header; the data themselves identify their format. */
START_TEST(unknown_compression_is_refused_by_name)
{
	const struct kernel_sample *sample = sample_named("zboot");
	uint8_t *bytes = make(sample);

	memcpy(bytes + 24, "lz4", sizeof("lz4"));
	ck_assert_msg(!load(sample, bytes, sample->size), "%s", said);
	image_free(&image);
	bytes_put(bytes + 64, 4, 0x184d2204);
	refused_saying(sample, bytes, sample->size,
		       "compressed with lz4; axrun supports gzip, zstd");
	free(bytes);
}
END_TEST

START_TEST(a_big_endian_kernel_is_refused_by_name)
{
	const struct kernel_sample *sample = sample_named("arm64");
	uint8_t *bytes = make(sample);

	bytes[24] |= 1;
	refused_saying(sample, bytes, sample->size, "big-endian");
	free(bytes);
}
END_TEST

/*
 * Writes the PVH sample with further headers of notes in front of its own, at the end of a file that is
 * longer. The first of `further` goes over all the zeroes in between, which are the smallest notes that
 * there are; so do the others if they are to overlap, and else they are empty.
 */
static uint8_t *make_notes(size_t zeroes, unsigned int further, bool overlapping, size_t *size)
{
	const struct kernel_sample *sample = sample_named("PVH");
	const Elf64_Phdr empty = { .p_type = PT_NOTE, .p_align = 4 };
	size_t headers = sample->size + zeroes, n, count;
	uint8_t *bytes;
	Elf64_Ehdr header;
	Elf64_Phdr *to;

	*size = headers + (further + 3) * sizeof(empty);
	bytes = calloc(1, *size);
	ck_assert_ptr_nonnull(bytes);
	sample->make(bytes);
	memcpy(&header, bytes, sizeof(header));
	count = header.e_phnum;
	ck_assert_uint_eq(count, 3);
	to = calloc(count + further, sizeof(*to));
	memcpy(to + further, bytes + header.e_phoff, count * sizeof(*to));
	for (n = 0; n < further; n++) {
		to[n] = empty;
		to[n].p_offset = sample->size;
		to[n].p_filesz = n == 0 || overlapping ? zeroes : 0;
	}
	memcpy(bytes + headers, to, (count + further) * sizeof(*to));
	free(to);
	header.e_phoff = headers;
	header.e_phnum = (uint16_t)(count + further);
	memcpy(bytes, &header, sizeof(header));
	return bytes;
}

/*
 * The kernel is valid with its PVH entry or without: the detected kind shows how far axrun looked.
 */
static void taken_for(uint8_t *bytes, size_t size, enum image_protocol protocol)
{
	const struct kernel_sample *sample = sample_named("PVH");

	ck_assert_msg(!load(sample, bytes, size), "%s", said);
	kernels_check(&image, &layout);
	ck_assert_uint_eq(image.protocol, protocol);
	image_free(&image);
	free(bytes);
}

#define NOTES_MAX (UINT16_MAX - 3u)

START_TEST(a_note_behind_many_others_is_found)
{
	size_t size;
	uint8_t *bytes = make_notes(1 << 20, NOTES_MAX, false, &size);

	taken_for(bytes, size, PROTOCOL_PVH);
}
END_TEST

START_TEST(notes_are_not_looked_at_beyond_the_size_of_the_file)
{
	size_t size;
	/* With the second of them it is more than the file has. */
	uint8_t *bytes = make_notes(16 << 20, 2, true, &size);

	taken_for(bytes, size, PROTOCOL_ZERO_PAGE);
	/* All are valid, and the last is the one: to get there would take minutes. */
	bytes = make_notes(16 << 20, NOTES_MAX, true, &size);
	taken_for(bytes, size, PROTOCOL_ZERO_PAGE);
}
END_TEST

/* In one of its segments, which lies there. */
START_TEST(a_pvh_entry_beyond_32_bits_is_refused_by_name)
{
	const uint64_t beyond = UINT64_C(1) << 32;
	const struct kernel_sample *sample = sample_named("PVH");
	uint8_t *bytes = make(sample), *entry = NULL;
	size_t paddr = sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_paddr), at;

	for (at = 0; !entry; at += 4)
		if (bytes_get(bytes + at, 8) == sample->entry)
			entry = bytes + at;
	bytes_put(bytes + paddr, 8, beyond);
	bytes_put(entry, 8, beyond);
	refused_saying(sample, bytes, sample->size, "0x100000000 is not below 4 GiB");
	free(bytes);
}
END_TEST

/*
 * The load address in the header counts; that of a relocatable kernel is at least 1 MiB, and aligned
 * as the header requires.
 */
static const struct {
	uint64_t pref_address;
	uint8_t relocatable;
	uint32_t alignment;
	/* 0: it is refused, as no place for a kernel. */
	uint64_t gpa;
} places[] = {
	{ 0x1001000, 0, 0x200000, 0x1001000 },
	{ 0x1001000, 1, 0x200000, 0x1200000 },
	{ 0x1001000, 1, 0, 0x1001000 },
	{ 0x1000000, 0, 0, 0x1000000 },
	{ 0x1000000, 0, 3, 0x1000000 },
	{ 0x1000, 1, 0x200000, 0x200000 },
	{ 0x1000, 1, 0x1000, 0x100000 },
	{ 0x1000, 1, 0, 0x100000 },
	{ 0xff000, 0, 0x1000, 0 },
	{ 0x100000, 0, 0x1000, 0x100000 },
	{ UINT64_MAX, 1, UINT32_MAX, 0 },
};

START_TEST(a_bzimage_goes_where_its_header_says_or_is_refused)
{
	const struct kernel_sample *sample = sample_named("bzImage");
	uint8_t *bytes = make(sample);

	bytes_put(bytes + SETUP_PREF_ADDRESS, 8, places[_i].pref_address);
	bytes[SETUP_RELOCATABLE] = places[_i].relocatable;
	bytes_put(bytes + SETUP_ALIGNMENT, 4, places[_i].alignment);
	if (!places[_i].gpa) {
		refused_saying(sample, bytes, sample->size,
			       "cannot load it at its preferred address");
	} else {
		ck_assert_msg(!load(sample, bytes, sample->size), "%s", said);
		kernels_check(&image, &layout);
		ck_assert_uint_eq(image.segments[0].gpa, places[_i].gpa);
		ck_assert_uint_eq(image.entry, places[_i].gpa + SETUP_ENTRY_64);
		image_free(&image);
	}
	free(bytes);
}
END_TEST

/* The length counts paragraphs of 16 bytes, and the last one need not be whole. */
START_TEST(a_bzimage_may_end_within_its_last_paragraph)
{
	const struct kernel_sample *sample = sample_named("bzImage");
	uint8_t *bytes = make(sample);
	uint64_t kernel = bytes_get(bytes + SETUP_SYSSIZE, 4) * 16;
	size_t setup = (bytes[SETUP_SECTS] + 1u) * 512, n;

	for (n = 0; n < 16; n++) {
		ck_assert_msg(!load(sample, bytes, setup + kernel - n), "%s", said);
		kernels_check(&image, &layout);
		ck_assert_uint_eq(image.segments[0].filesz, kernel - n);
		image_free(&image);
	}
	refused_saying(sample, bytes, setup + kernel - 16, "truncated");
	free(bytes);
}
END_TEST

/* Linkers align the segment to 8 bytes for one note that wants it, and leave the others as they are. */
START_TEST(a_note_padded_to_4_is_found_in_a_segment_aligned_to_8)
{
	const struct kernel_sample *sample = sample_named("PVH");
	uint8_t *bytes = make(sample);

	bytes_put(bytes + sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr) +
			  offsetof(Elf64_Phdr, p_align),
		  8, 8);
	taken_for(bytes, sample->size, PROTOCOL_PVH);
}
END_TEST

START_TEST(an_initrd_that_does_not_fit_is_refused_for_the_limit_that_it_hits)
{
	const struct kernel_sample *sample = sample_named("bzImage");
	uint8_t *bytes = make(sample);

	/* In 64 MiB there are some 47 above the kernel, which lies at 16 MiB. */
	initrd_size = UINT64_C(60) << 20;
	refused_saying(sample, bytes, sample->size, "KiB more than the kernel leaves free");
	ck_assert_ptr_nonnull(strstr(said, "--memory"));
	bytes_put(bytes + SETUP_INITRD_MAX, 4, 0x1ffffff);
	initrd_size = UINT64_C(20) << 20;
	refused_saying(sample, bytes, sample->size,
		       " are 5120 KiB more than are free below 0x2000000, this kernel's limit");
	ck_assert_ptr_null(strstr(said, "--memory"));
	initrd_size = INITRD_SIZE;
	free(bytes);
}
END_TEST

/* --- files -------------------------------------------------------------------------------------- */

static char path[] = "/tmp/axvcpu-test-kernels-XXXXXX";

static void make_file(const void *bytes, size_t size)
{
	int fd = mkstemp(strcpy(path, "/tmp/axvcpu-test-kernels-XXXXXX"));

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	close(fd);
}

START_TEST(a_file_that_is_cut_after_it_was_read_stays_as_it_was)
{
	static uint8_t bytes[3 * 65536];
	struct file file;

	memset(bytes, 0xa5, sizeof(bytes));
	make_file(bytes, sizeof(bytes));
	ck_assert_int_eq(file_read(&file, path), 0);
	ck_assert_int_eq(truncate(path, 0), 0);
	ck_assert_uint_eq(file.size, sizeof(bytes));
	ck_assert_mem_eq(file.data, bytes, sizeof(bytes));
	file_free(&file);
	unlink(path);
}
END_TEST

/* sysfs reports a page as the size of all its files, and they are shorter. */
START_TEST(a_file_with_less_than_it_says_is_refused)
{
	struct file file;

	ck_assert_int_eq(file_read(&file, "/sys/kernel/uevent_seqnum"), -1);
	ck_assert_msg(strstr(said, "became shorter"), "\"%s\"", said);
	file_free(&file);
}
END_TEST

static const struct {
	size_t at;
	const char *magic;
	size_t len;
	const char *kind;
} foreign[] = {
	{ 0, "\x04\x22\x4d\x18", 4, "lz4" },
	{ 0, "\x02\x21\x4c\x18", 4, "lz4" },
	{ 0, "BZh91AY&SY", 10, "bzip2" },
	{ 0, "\x89LZO\0\r\n\x1a\n", 9, "lzop" },
	{ 0, "\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff", 13, "lzma" },
	{ 0, "PK\x03\x04", 4, "zip" },
	{ 257, "ustar", 5, "tar" },
	{ 0, "070701", 6, "cpio" },
	{ 0x8001, "CD001", 5, "ISO 9660" },
	{ 0, "hsqs", 4, "SquashFS" },
	{ 0, "QFI\xfb", 4, "qcow2" },
	{ 0, "\xd0\x0d\xfe\xed", 4, "device tree" },
	{ 0, "#!/bin/sh\n", 10, "script" },
	/* With its header at the end. */
	{ 0, "MZ", 2, "PE program" },
};

START_TEST(a_file_of_another_kind_is_refused_by_name)
{
	static uint8_t bytes[0x9000];
	const struct platform *platform = platform_find("x86_64");
	struct options given = { .guest = path, .memory = MEMORY };
	int kernel;

	memset(bytes, 0x90, sizeof(bytes));
	memcpy(bytes + foreign[_i].at, foreign[_i].magic, foreign[_i].len);
	bytes_put(bytes + 0x3c, 4, sizeof(bytes) - 4);
	memcpy(bytes + sizeof(bytes) - 4, "PE\0\0", 4);
	make_file(bytes, sizeof(bytes));
	for (kernel = 0; kernel < 2; kernel++) {
		given.kernel = kernel;
		ck_assert_int_eq(image_load(&image, &given, platform), -1);
		ck_assert_msg(strstr(said, foreign[_i].kind) && strstr(said, "neither a guest"),
			      "\"%s\"", said);
		image_free(&image);
	}
	/* An explicit address makes it a flat image. */
	given.kernel = false;
	given.load_given = true;
	given.load = 0x10000;
	ck_assert_int_eq(image_load(&image, &given, platform), 0);
	image_free(&image);
	unlink(path);
}
END_TEST

/* Nor is it run as one that is not packed. */
START_TEST(packed_data_without_a_kernel_are_refused)
{
	const struct kernel_sample *sample = sample_named("gzip");
	uint8_t *bytes = make(sample), *data = bytes + 15;
	size_t size = sample->size - 15 - 8;

	bytes_put(data + 56, 4, 0);
	bytes_put(data + size, 4, crc32(0, data, (unsigned int)size));
	refused_saying(sample, bytes, sample->size, "compressed; contains a PE program");
	memset(data, 0, size);
	bytes_put(data + size, 4, crc32(0, data, (unsigned int)size));
	refused_saying(sample, bytes, sample->size, "compressed; contains data of unknown type");
	free(bytes);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tcase = suite_case(suite, "kernels");
	int n = count_samples();

	tcase_add_loop_test(tcase, a_valid_kernel_goes_where_it_belongs, 0, n);
	tcase_add_loop_test(tcase, a_truncated_kernel_is_refused_or_whole, 0, n);
	tcase_add_loop_test(tcase, a_kernel_with_flipped_bits_is_refused_or_harmless, 0, n);
	tcase_add_loop_test(tcase, a_kernel_with_an_extreme_byte_is_refused_or_harmless, 0, n);
	tcase_add_loop_test(tcase, a_kernel_for_another_machine_is_refused, 0, n);
	tcase_add_loop_test(tcase, a_command_line_is_as_long_as_the_kernel_takes, 0, n);
	tcase_add_test(tcase, bytes_after_compressed_data_are_ignored);
	tcase_add_test(tcase, data_that_unpack_beyond_memory_are_refused);
	tcase_add_loop_test(tcase, data_that_unpack_to_a_byte_too_many_are_refused, 0, n);
	tcase_add_test(tcase, a_format_without_its_library_is_refused_by_name);
	tcase_add_test(tcase, hostile_compressed_data_are_refused);
	tcase_add_test(tcase, unknown_compression_is_refused_by_name);
	tcase_add_test(tcase, a_big_endian_kernel_is_refused_by_name);
	tcase_add_loop_test(tcase, a_bzimage_goes_where_its_header_says_or_is_refused, 0,
			    (int)(sizeof(places) / sizeof(places[0])));
	tcase_add_test(tcase, a_pvh_entry_beyond_32_bits_is_refused_by_name);
	tcase_add_test(tcase, a_note_behind_many_others_is_found);
	tcase_add_test(tcase, notes_are_not_looked_at_beyond_the_size_of_the_file);
	tcase_add_test(tcase, a_bzimage_may_end_within_its_last_paragraph);
	tcase_add_test(tcase, a_note_padded_to_4_is_found_in_a_segment_aligned_to_8);
	tcase_add_test(tcase, an_initrd_that_does_not_fit_is_refused_for_the_limit_that_it_hits);
	tcase_add_test(tcase, a_file_that_is_cut_after_it_was_read_stays_as_it_was);
	tcase_add_test(tcase, a_file_with_less_than_it_says_is_refused);
	tcase_add_loop_test(tcase, a_file_of_another_kind_is_refused_by_name, 0,
			    (int)(sizeof(foreign) / sizeof(foreign[0])));
	tcase_add_test(tcase, packed_data_without_a_kernel_are_refused);
}

int main(void)
{
	return suite_main("kernels", false, add_tests);
}
