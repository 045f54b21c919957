/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * What axrun makes of a kernel's file: valid ones of each format go where they belong, and broken ones
 * are refused with a line, or accepted with everything inside the file and inside of guest memory. Each is a
 * block of its own, so that a sanitizer sees a look beyond the end.
 */
#include <elf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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

/* --- what is said, instead of axrun's own message.c -------------------------------------------- */

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

/* What of options counts: the command line, and that its name is in front of what is said. */
static struct options options = { .guest = "the-kernel", .kernel = true };

static int load(const struct kernel_sample *sample, const uint8_t *bytes, size_t size)
{
	const struct platform *platform = platform_find(sample->platform);

	image = (struct image){
		.bytes = bytes,
		.size = size,
		.unpack_max = UNPACK_MAX,
		.kind = IMAGE_LINUX,
		.initrd = { .name = "the-initrd", .size = INITRD_SIZE },
		.initrd_end = UINT64_MAX,
	};
	said[0] = '\0';
	if (kernel_parse(&image, &options, platform))
		return -1;
	return layout_make(&layout, platform, MEMORY, &image, platform->page_gpr ? TREE_SIZE : 0);
}

static bool overlap(uint64_t gpa, uint64_t len, uint64_t other, uint64_t other_len)
{
	return gpa < other + other_len && other < gpa + len;
}

/* Everything has a place of its own, within the file and within memory. */
static void check_accepted(const struct kernel_sample *sample)
{
	size_t i, k;

	for (i = 0; i < image.nsegments; i++) {
		const struct image_segment *segment = &image.segments[i];

		ck_assert(segment->filesz <= segment->memsz);
		ck_assert(segment->data >= image.bytes && segment->filesz <= image.size);
		ck_assert((size_t)(segment->data - image.bytes) <= image.size - segment->filesz);
		ck_assert(layout_has(&layout, segment->gpa, segment->memsz));
		ck_assert(
			!overlap(segment->gpa, segment->memsz, layout.boot.gpa, layout.boot.size));
		ck_assert(!overlap(segment->gpa, segment->memsz, layout.initrd.gpa, INITRD_SIZE));
		for (k = 0; k < i; k++)
			ck_assert(!overlap(segment->gpa, segment->memsz, image.segments[k].gpa,
					   image.segments[k].memsz));
	}
	ck_assert(layout_has(&layout, image.entry, 1));
	ck_assert(layout_has(&layout, layout.boot.gpa, layout.boot.size));
	ck_assert(layout_has(&layout, layout.initrd.gpa, INITRD_SIZE));
	ck_assert(layout.initrd.gpa + INITRD_SIZE <= image.initrd_end);
	ck_assert(!overlap(layout.boot.gpa, layout.boot.size, layout.initrd.gpa, INITRD_SIZE));
	if (sample->start)
		sample->start(&image, &layout);
}

/* Returns whether it was. What is refused is told in one line, which says of which file. */
static bool check_variant(const struct kernel_sample *sample, const uint8_t *bytes, size_t size)
{
	bool accepted = !load(sample, bytes, size);

	if (accepted)
		check_accepted(sample);
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

static const struct kernel_sample *nth_sample(int n)
{
	size_t list;
	int i;

	for (list = 0; list < sizeof(sample_lists) / sizeof(sample_lists[0]); list++)
		for (i = 0; sample_lists[list][i].name; i++)
			if (n-- == 0)
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
	check_accepted(sample);
	ck_assert_uint_eq(image.entry, sample->entry);
	ck_assert_uint_eq(image.mode, sample->mode);
	image_free(&image);
	free(bytes);
}
END_TEST

/* What is cut off is missed: a kernel has no byte too many, but for what comes behind its end. */
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
	ck_assert_uint_gt(refused, VARIANTS / 10);
	ck_assert_uint_lt(refused, VARIANTS);
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
	check_accepted(sample);
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
START_TEST(what_follows_packed_data_does_not_matter)
{
	const struct kernel_sample *sample = sample_named("gzip");
	uint8_t *bytes = calloc(1, sample->size + 100);

	sample->make(bytes);
	memset(bytes + sample->size, 0x5a, 100);
	ck_assert_msg(!load(sample, bytes, sample->size + 100), "%s", said);
	check_accepted(sample);
	ck_assert_uint_eq(image.entry, sample->entry);
	image_free(&image);
	free(bytes);
}
END_TEST

/* Zeroes pack well: a file of some KiB has more of them than there is room. */
START_TEST(what_unpacks_to_more_than_memory_is_refused)
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

START_TEST(what_is_packed_otherwise_is_refused_by_name)
{
	const struct kernel_sample *sample = sample_named("zboot");
	uint8_t *bytes = make(sample);

	memcpy(bytes + 24, "zstd22", sizeof("zstd22"));
	refused_saying(sample, bytes, sample->size, "compressed by zstd22");
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

/* The kernel is valid with its PVH entry or without: what it is taken for shows how far axrun looked. */
static void taken_for(uint8_t *bytes, size_t size, enum image_protocol protocol)
{
	const struct kernel_sample *sample = sample_named("PVH");

	ck_assert_msg(!load(sample, bytes, size), "%s", said);
	check_accepted(sample);
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

/* That of the header counts, but for a relocatable kernel that would lie below 1 MiB. */
static const struct {
	uint64_t pref_address;
	uint8_t relocatable;
	uint32_t alignment;
	/* 0: it is refused, saying this. */
	uint64_t gpa;
	const char *text;
} places[] = {
	{ 0x1001000, 0, 0x200000, 0x1001000, NULL },
	{ 0x1001000, 1, 0x200000, 0, "is not aligned as it wants to be" },
	{ 0x1000, 1, 0x200000, 0x200000, NULL },
	{ 0x1000, 1, 0x1000, 0x100000, NULL },
	{ 0xff000, 0, 0x1000, 0, "is no place for it" },
	{ 0x100000, 0, 0x1000, 0x100000, NULL },
};

START_TEST(a_bzimage_goes_where_its_header_says_or_is_refused)
{
	const struct kernel_sample *sample = sample_named("bzImage");
	uint8_t *bytes = make(sample);

	bytes_put(bytes + SETUP_PREF_ADDRESS, 8, places[_i].pref_address);
	bytes[SETUP_RELOCATABLE] = places[_i].relocatable;
	bytes_put(bytes + SETUP_ALIGNMENT, 4, places[_i].alignment);
	if (places[_i].text) {
		refused_saying(sample, bytes, sample->size, places[_i].text);
	} else {
		ck_assert_msg(!load(sample, bytes, sample->size), "%s", said);
		check_accepted(sample);
		ck_assert_uint_eq(image.segments[0].gpa, places[_i].gpa);
		ck_assert_uint_eq(image.entry, places[_i].gpa + SETUP_ENTRY_64);
		image_free(&image);
	}
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
	tcase_add_test(tcase, what_follows_packed_data_does_not_matter);
	tcase_add_test(tcase, what_unpacks_to_more_than_memory_is_refused);
	tcase_add_test(tcase, what_is_packed_otherwise_is_refused_by_name);
	tcase_add_test(tcase, a_big_endian_kernel_is_refused_by_name);
	tcase_add_loop_test(tcase, a_bzimage_goes_where_its_header_says_or_is_refused, 0,
			    (int)(sizeof(places) / sizeof(places[0])));
	tcase_add_test(tcase, a_pvh_entry_beyond_32_bits_is_refused_by_name);
	tcase_add_test(tcase, a_note_behind_many_others_is_found);
	tcase_add_test(tcase, notes_are_not_looked_at_beyond_the_size_of_the_file);
}

int main(void)
{
	return suite_main("kernels", false, add_tests);
}
