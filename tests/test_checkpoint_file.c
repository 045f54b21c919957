/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Checkpoint files, on the mock: what is read is what was written; damage, truncation and hostile
 * values are found; nothing of the memory is read before it is needed. The format here is that of
 * docs/checkpoints.md, written down a second time. Needs no KVM; the files of earlier versions are
 * in tests/checkpoints, and their test is skipped without them.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mock.h"
#include "resources.h"
#include "suite.h"

/* Two regions, with a gap between them. */
#define PAGES 100u
#define SECOND UINT64_C(0x1000000)

static uint64_t page;
static struct axvm *vm;
static struct axvcpu *vcpu;
static struct axvm_checkpoint *checkpoint, *copy;
static int file;

/* --- the VM ----------------------------------------------------------------------------------- */

static uint32_t counter;

static int device_save(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	if (len >= sizeof(counter))
		memcpy(buf, &counter, sizeof(counter));
	return sizeof(counter);
}

static int device_restore(void *ctx, uint32_t version, const void *buf, size_t len)
{
	(void)ctx;
	ck_assert_uint_eq(version, 2);
	ck_assert_uint_eq(len, sizeof(counter));
	memcpy(&counter, buf, len);
	return 0;
}

static void add_device(void)
{
	const struct axvm_device_range range = { .base = UINT64_C(0x80000000), .len = 8 };
	struct axvm_device_config config = AXVM_DEVICE_CONFIG_INIT;
	struct axvm_device *device;

	config.name = "counter";
	config.version = 2;
	config.ranges = &range;
	config.nranges = 1;
	config.save = device_save;
	config.restore = device_restore;
	ck_ok(axvm_add_device(vm, &config, &device));
}

static struct axvcpu_arch_ops ops;

static void create(void)
{
	mock_reset();
	ck_ok(axvm_new(&AXVCPU_WITH(axvm_config, .arch = &ops), &vm));
	ck_ok(axvcpu_new(vm, NULL, &vcpu));
	ck_ok(axvcpu_setup(vcpu, 0, 0, NULL));
	ck_ok(axvm_map(vm, &AXVCPU_WITH(axvm_region, .gpa = 0, .len = PAGES * page)));
	ck_ok(axvm_map(vm, &AXVCPU_WITH(axvm_region, .gpa = SECOND, .len = PAGES * page)));
	add_device();
	mock_set_state();
	mock.clock.realtime_ns = 5;
}

static void destroy(void)
{
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(vm));
}

static void put(uint64_t gpa, uint32_t value)
{
	ck_ok(axvm_write(vm, gpa, &value, sizeof(value)));
}

static uint32_t get(uint64_t gpa)
{
	uint32_t value;

	ck_ok(axvm_read(vm, gpa, &value, sizeof(value)));
	return value;
}

static int new_file(void)
{
	const int fd = memfd_create("test", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

/* A VM, a checkpoint of it, and its file. The second region has two runs of pages. */
static void start(void)
{
	page = (uint64_t)sysconf(_SC_PAGESIZE);
	ops = mock_ops;
	create();
	mock.pins[5] = 55;
	counter = 7;
	put(3 * page, 33);
	put(SECOND + 4 * page, 44);
	put(SECOND + 5 * page, 45);
	put(SECOND + (PAGES - 1) * page, 99);
	ck_ok(axvm_checkpoint_new(vm, NULL, &checkpoint));
	file = new_file();
	ck_ok(axvm_checkpoint_write(checkpoint, file));
}

static void end(void)
{
	ck_ok(axvm_checkpoint_free(copy));
	ck_ok(axvm_checkpoint_free(checkpoint));
	destroy();
	close(file);
}

static int read_file(void)
{
	return axvm_checkpoint_read(file, &copy);
}

/* Reads the file, which must be right. */
static void read_again(void)
{
	ck_ok(axvm_checkpoint_free(copy));
	copy = NULL;
	ck_ok(read_file());
}

static int64_t restore_copy(void)
{
	return axvm_checkpoint_restore(copy, vm, NULL);
}

static struct axvm_checkpoint_info info_of(const struct axvm_checkpoint *of)
{
	struct axvm_checkpoint_info info = AXVM_CHECKPOINT_INFO_INIT;

	ck_ok(axvm_checkpoint_get_info(of, &info));
	return info;
}

/* --- the format ------------------------------------------------------------------------------- */

#define HEADER 64u
#define AT_VERSION 8
#define AT_CRC 12
#define AT_ARCH 16
#define AT_SECTIONS 40
#define AT_MEMORY 48
#define AT_PAGE_SIZE 56
/* In a section. */
#define SECTION 32u
#define AT_SECTION_VERSION 16
#define AT_SECTION_FLAGS 20
#define AT_SECTION_LEN 24
#define AT_SECTION_CRC 28

/* The file up to its memory. */
static unsigned char bytes[0x10000];

static void load_bytes(void)
{
	ck_assert_int_eq(pread(file, bytes, sizeof(bytes), 0), sizeof(bytes));
}

static uint64_t number(uint64_t offset, unsigned int width)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < width; i++)
		value |= (uint64_t)bytes[offset + i] << 8 * i;
	return value;
}

static void set_number(uint64_t offset, unsigned int width, uint64_t value)
{
	for (unsigned int i = 0; i < width; i++)
		bytes[offset + i] = (unsigned char)(value >> 8 * i);
}

static uint64_t memory(void)
{
	return number(AT_MEMORY, 8);
}

static uint64_t sections_end(void)
{
	return HEADER + number(AT_SECTIONS, 8);
}

/* Returns the offset of a section. */
static uint64_t find(const char *name)
{
	uint64_t at = HEADER;

	while (strncmp((const char *)bytes + at, name, 16) != 0) {
		at += SECTION + (number(at + AT_SECTION_LEN, 4) + 7) / 8 * 8;
		ck_assert_uint_lt(at, sections_end());
	}
	return at;
}

/* CRC-32C, bit by bit. */
static uint32_t crc32c(const unsigned char *p, uint64_t len)
{
	uint32_t crc = ~0u;

	while (len--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

static void seal(uint64_t start, uint64_t len, uint64_t crc)
{
	set_number(crc, 4, 0);
	set_number(crc, 4, crc32c(bytes + start, len));
}

/* Writes the bytes back, with all checksums right. */
static void store_bytes(void)
{
	for (uint64_t at = HEADER, len; at < sections_end(); at += len) {
		len = SECTION + (number(at + AT_SECTION_LEN, 4) + 7) / 8 * 8;
		seal(at, len, at + AT_SECTION_CRC);
	}
	seal(0, HEADER, AT_CRC);
	ck_assert_int_eq(pwrite(file, bytes, sizeof(bytes), 0), sizeof(bytes));
}

START_TEST(the_file_has_the_documented_format)
{
	/* Of the list in section "memory": offset of the extents, behind the regions. */
	const uint64_t extents = 16 + 2 * 16;
	static unsigned char written[sizeof(bytes)], data[0x10000];
	uint64_t list;

	start();
	load_bytes();
	memcpy(written, bytes, sizeof(bytes));
	ck_assert_int_eq(memcmp(bytes, "axvmckpt", 8), 0);
	ck_assert_uint_eq(number(AT_VERSION, 4), 1);
	ck_assert_uint_eq(number(AT_PAGE_SIZE, 4), page);
	ck_assert_uint_eq(memory(), sizeof(bytes));
	ck_assert_str_eq((const char *)bytes + AT_ARCH, "mock");
	/* The checksums that this test computes are the same. */
	store_bytes();
	ck_assert_int_eq(memcmp(bytes, written, sizeof(bytes)), 0);
	list = find("memory") + SECTION;
	ck_assert_uint_eq(number(list, 8), 2);
	ck_assert_uint_eq(number(list + 8, 8), 3);
	ck_assert_uint_eq(number(list + 16 + 16, 8), SECOND);
	ck_assert_uint_eq(number(list + 16 + 24, 8), PAGES * page);
	ck_assert_uint_eq(number(list + extents, 8), 3 * page);
	ck_assert_uint_eq(number(list + extents + 8, 4), page);
	ck_assert_uint_eq(number(list + extents + 16, 8), (PAGES + 4) * page);
	ck_assert_uint_eq(number(list + extents + 24, 4), 2 * page);
	ck_assert_int_eq(pread(file, data, page, (off_t)(memory() + 3 * page)), (ssize_t)page);
	ck_assert_uint_eq(number(list + extents + 12, 4), crc32c(data, page));
	end();
}
END_TEST

/* Refused, and nothing was created. */
static void expect_refusal(int err, const char *text)
{
	struct axvm_checkpoint *none = NULL;

	ck_fails_saying(axvm_checkpoint_read(file, &none), err, text);
	ck_assert_ptr_null(none);
}

/* --- round trips ------------------------------------------------------------------------------ */

START_TEST(what_is_read_is_what_was_written)
{
	struct axvm_checkpoint_info a, b;

	start();
	ck_ok(read_file());
	a = info_of(checkpoint);
	b = info_of(copy);
	ck_assert_int_eq(memcmp(&a, &b, sizeof(a)), 0);
	ck_assert_str_eq(b.arch, "mock");
	ck_assert_uint_eq(b.page_size, page);
	ck_assert_uint_eq(b.memory_held, 4 * page);
	ck_assert_int_gt(b.realtime_ns, 0);
	ck_ok(axvm_checkpoint_verify(copy));
	/* After the first ones and the descriptor are gone, in another VM. */
	ck_ok(axvm_checkpoint_free(checkpoint));
	checkpoint = NULL;
	destroy();
	close(file);
	file = -1;
	create();
	mock.regs[3] = 1;
	counter = 1;
	put(3 * page, 1);
	put(8 * page, 1);
	ck_assert_int_eq(restore_copy(), 2 * PAGES);
	ck_assert_uint_eq(mock.regs[3], 103);
	ck_assert_uint_eq(mock.pins[5], 55);
	ck_assert_uint_eq(mock.target.counter, 1000);
	ck_assert_uint_eq(counter, 7);
	for (uint64_t n = 0; n < PAGES; n++) {
		ck_assert_uint_eq(get(n * page), n == 3 ? 33 : 0);
		ck_assert_uint_eq(get(SECOND + n * page), n == 4 || n == 5 ? 40 + n
							  : n == PAGES - 1 ? 99
									   : 0);
	}
	end();
}
END_TEST

/* Reads a whole file. */
static unsigned char *contents(int fd, size_t *size)
{
	struct stat st;
	unsigned char *all;

	ck_assert_int_eq(fstat(fd, &st), 0);
	*size = (size_t)st.st_size;
	all = malloc(*size);
	ck_assert_ptr_nonnull(all);
	ck_assert_int_eq(pread(fd, all, *size, 0), (ssize_t)*size);
	return all;
}

START_TEST(a_checkpoint_that_was_read_is_written_as_the_same_bytes)
{
	unsigned char *first, *second;
	size_t size, second_size;
	int fd;

	start();
	ck_ok(read_file());
	fd = new_file();
	/* Longer, and not zero. */
	ck_assert_int_eq(ftruncate(fd, 0x400000), 0);
	ck_assert_int_eq(pwrite(fd, "old", 3, 0x80000), 3);
	ck_ok(axvm_checkpoint_write(copy, fd));
	first = contents(file, &size);
	second = contents(fd, &second_size);
	ck_assert_uint_eq(size, second_size);
	ck_assert_int_eq(memcmp(first, second, size), 0);
	/* Without holes it is the same. */
	ck_assert_int_eq(pwrite(file, first, size, 0), (ssize_t)size);
	read_again();
	ck_ok(axvm_checkpoint_verify(copy));
	free(first);
	free(second);
	close(fd);
	end();
}
END_TEST

START_TEST(zero_pages_are_holes)
{
	struct stat st;

	start();
	load_bytes();
	ck_assert_int_eq(fstat(file, &st), 0);
	ck_assert_uint_eq((uint64_t)st.st_size, memory() + 2 * PAGES * page);
	ck_assert_uint_le((uint64_t)st.st_blocks * 512, 4 * page + memory());
	ck_assert_int_eq(lseek(file, (off_t)memory(), SEEK_DATA), (off_t)(memory() + 3 * page));
	ck_assert_int_eq(lseek(file, (off_t)(memory() + 3 * page), SEEK_HOLE),
			 (off_t)(memory() + 4 * page));
	end();
}
END_TEST

START_TEST(a_description_has_each_part)
{
	static const char *const parts[] = { "checkpoint: mock, no irqchip, 1 vCPUs",
					     "counter 1000 at 1000000 Hz",
					     "vCPU 0: ",
					     "controllers: ",
					     "device counter, version 2: 4 bytes",
					     "memory: 0x1000000 +0x",
					     ", 3 pages" };
	char text[4096], cut[8];
	int len;

	start();
	ck_ok(read_file());
	len = axvm_checkpoint_describe(copy, text, sizeof(text));
	ck_assert_uint_eq((size_t)len, strlen(text));
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		ck_assert_msg(strstr(text, parts[i]), "\"%s\" is not in \"%s\"", parts[i], text);
	ck_assert_int_eq(axvm_checkpoint_describe(copy, cut, sizeof(cut)), len);
	ck_assert_str_eq(cut, "checkpo");
	ck_assert_int_eq(axvm_checkpoint_describe(copy, NULL, 0), len);
	end();
}
END_TEST

/* --- damage ----------------------------------------------------------------------------------- */

START_TEST(a_flipped_bit_outside_of_the_memory_is_refused)
{
	struct resources before;
	uint64_t step;

	start();
	load_bytes();
	resources_read(&before);
	/* All bytes of the header and the sections, and some behind them. */
	for (uint64_t i = 0; i < memory(); i += step) {
		const unsigned char flipped = bytes[i] ^ (unsigned char)(1 << i % 8);
		struct axvm_checkpoint *none = NULL;
		int ret;

		step = i < sections_end() ? 1 : 997;
		ck_assert_int_eq(pwrite(file, &flipped, 1, (off_t)i), 1);
		ret = axvm_checkpoint_read(file, &none);
		ck_assert_msg(ret == -EINVAL || ret == -ENOTSUP, "byte %d: %d", (int)i, ret);
		ck_assert_ptr_null(none);
		ck_assert_ptr_nonnull(strstr(axvcpu_last_error(), "checkpoint: "));
		ck_assert_int_eq(pwrite(file, &bytes[i], 1, (off_t)i), 1);
	}
	resources_expect(&before, "refused files");
	ck_ok(read_file());
	end();
}
END_TEST

START_TEST(the_damaged_part_is_named)
{
	static const char *const names[] = { "vm",   "shape",  "controllers",
					     "vcpu", "device", "memory" };

	start();
	load_bytes();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const uint64_t at = find(names[i]) + SECTION;
		const unsigned char flipped = bytes[at] ^ 1;
		char text[64];

		ck_assert_int_eq(pwrite(file, &flipped, 1, (off_t)at), 1);
		snprintf(text, sizeof(text), "section %s is damaged", names[i]);
		expect_refusal(EINVAL, text);
		ck_assert_int_eq(pwrite(file, &bytes[at], 1, (off_t)at), 1);
	}
	ck_assert_int_eq(pwrite(file, "X", 1, 0), 1);
	expect_refusal(EINVAL, "axvmckpt");
	end();
}
END_TEST

/* Whether a byte in the memory of the file, at this offset, is found by verify. */
static void expect_damage(uint64_t offset, const char *text)
{
	const off_t at = (off_t)(memory() + offset);
	unsigned char byte, flipped;
	int fd;

	ck_assert_int_eq(pread(file, &byte, 1, at), 1);
	flipped = byte ^ 0x10;
	ck_assert_int_eq(pwrite(file, &flipped, 1, at), 1);
	/* Reading does not look at it. */
	read_again();
	ck_fails_saying(axvm_checkpoint_verify(copy), EIO, text);
	/* In an extent, it is not copied to a file where it would have a right checksum. */
	if (byte) {
		fd = new_file();
		ck_fails_saying(axvm_checkpoint_write(copy, fd), EIO, text);
		ck_assert_int_eq(pwrite(file, &byte, 1, at), 1);
		ck_fails(axvm_checkpoint_read(fd, &checkpoint), EINVAL);
		close(fd);
	}
	ck_assert_int_eq(pwrite(file, &byte, 1, at), 1);
	ck_ok(axvm_checkpoint_verify(copy));
}

START_TEST(damage_in_the_memory_is_found_by_verify)
{
	char text[64];

	start();
	load_bytes();
	snprintf(text, sizeof(text), "%#x", (unsigned int)(3 * page));
	expect_damage(3 * page, text);
	snprintf(text, sizeof(text), "%#x", (unsigned int)(SECOND + 4 * page));
	expect_damage((PAGES + 5) * page, text);
	/* In pages that are zero: the first, one between, and the last but one. */
	expect_damage(0, "is not zero");
	expect_damage(50 * page + 7, "is not zero");
	expect_damage((2 * PAGES - 1) * page - 1, "is not zero");
	end();
}
END_TEST

START_TEST(every_truncation_is_refused)
{
	struct stat st;
	int64_t size;

	start();
	load_bytes();
	ck_assert_int_eq(fstat(file, &st), 0);
	size = st.st_size;
	ck_assert_int_eq(ftruncate(file, size + 1), 0);
	expect_refusal(EINVAL, "but was written with");
	while (size > 0) {
		/* Every page of the memory, then every byte of the sections and the header. */
		if (size > (int64_t)memory())
			size -= (int64_t)page;
		else
			size = size > (int64_t)sections_end() ? (int64_t)sections_end() : size - 1;
		ck_assert_int_eq(ftruncate(file, size), 0);
		expect_refusal(EINVAL, size < (int64_t)HEADER ? "less than a header"
							      : "but was written with");
	}
	end();
}
END_TEST

START_TEST(a_file_that_is_truncated_later_is_an_error)
{
	int fd;

	start();
	load_bytes();
	ck_ok(read_file());
	ck_assert_int_eq(ftruncate(file, (off_t)(memory() + 3 * page)), 0);
	ck_fails_saying(axvm_checkpoint_verify(copy), EIO, "truncated");
	fd = new_file();
	ck_fails_saying(axvm_checkpoint_write(copy, fd), EIO, "truncated");
	close(fd);
	ck_assert_int_eq(restore_copy(), -EIO);
	ck_assert_ptr_nonnull(strstr(axvcpu_last_error(), "truncated"));
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_INVALID);
	end();
}
END_TEST

/* --- other versions, other machines ----------------------------------------------------------- */

START_TEST(later_versions_are_refused_by_name)
{
	uint64_t at;

	start();
	load_bytes();
	set_number(AT_VERSION, 4, 2);
	store_bytes();
	expect_refusal(ENOTSUP, "format 2");
	set_number(AT_VERSION, 4, 1);
	at = find("vcpu");
	set_number(at + AT_SECTION_VERSION, 4, 2);
	store_bytes();
	expect_refusal(ENOTSUP, "section vcpu has version 2");
	set_number(at + AT_SECTION_VERSION, 4, 1);
	at = find("device");
	memcpy(bytes + at, "future", 6);
	store_bytes();
	expect_refusal(ENOTSUP, "section future");
	/* AXVCPU_SECTION_OPTIONAL */
	set_number(at + AT_SECTION_FLAGS, 4, 1);
	store_bytes();
	ck_ok(read_file());
	ck_assert_uint_eq(info_of(copy).devices, 0);
	end();
}
END_TEST

START_TEST(another_backend_is_refused_by_name)
{
	start();
	ck_ok(read_file());
	destroy();
	ops.name = "other";
	create();
	mock.regs[3] = 1;
	put(3 * page, 1);
	ck_assert_int_eq(restore_copy(), -EINVAL);
	ck_assert_ptr_nonnull(strstr(axvcpu_last_error(), "backend mock"));
	ck_assert_ptr_nonnull(strstr(axvcpu_last_error(), "other"));
	ck_assert_uint_eq(mock.regs[3], 1);
	ck_assert_uint_eq(get(3 * page), 1);
	/* A header that does not fit the states. */
	load_bytes();
	memcpy(bytes + AT_ARCH, "other", 5);
	store_bytes();
	expect_refusal(EINVAL, "of backend mock, not other");
	end();
}
END_TEST

/* --- hostile files ---------------------------------------------------------------------------- */

/* The content of a section, or the header, has this number, with right checksums. */
static const struct hostile {
	/* NULL: the header. */
	const char *section;
	/* Offset in its content. */
	uint64_t at;
	unsigned int width;
	uint64_t value;
	int err;
	const char *text;
} hostile[] = {
	{ NULL, AT_SECTIONS, 8, UINT64_MAX, EINVAL, "bytes of sections" },
	{ NULL, AT_SECTIONS, 8, 0x20000000, EINVAL, "bytes of sections" },
	{ NULL, AT_SECTIONS, 8, 0, EINVAL, "is not zero" },
	{ NULL, AT_SECTIONS, 8, 88, EINVAL, "is not zero" },
	{ NULL, AT_SECTIONS, 8, 7, EINVAL, "bytes of sections" },
	{ NULL, AT_MEMORY, 8, 0, EINVAL, "memory at 0" },
	{ NULL, AT_MEMORY, 8, UINT64_MAX, EINVAL, "memory at" },
	{ NULL, AT_PAGE_SIZE, 4, 0, EINVAL, "pages of 0" },
	{ NULL, AT_PAGE_SIZE, 4, 4097, EINVAL, "pages of 4097" },
	{ NULL, AT_PAGE_SIZE, 4, 0x20000, EINVAL, "pages of" },
	{ NULL, AT_ARCH, 1, '/', EINVAL, "backend" },
	{ NULL, AT_ARCH + 15, 1, 'x', EINVAL, "backend" },
	{ "vm", 0, 4, 3, ENOTSUP, "irqchip 3" },
	{ "vcpu", 8, 1, 'X', EINVAL, "saved state" },
	{ "device", 0, 1, 0, EINVAL, "name of a device" },
	{ "device", 0, 1, 27, EINVAL, "name of a device" },
	/* A control character, too. */
	{ "device", 0, 1, 0x9b, EINVAL, "name of a device" },
	/* The list: two regions, three extents. */
	{ "memory", 0, 8, 3, EINVAL, "3 regions and 3 extents" },
	{ "memory", 0, 8, UINT64_MAX, EINVAL, "regions and 3 extents" },
	{ "memory", 8, 8, UINT64_C(1) << 60, EINVAL, "extents" },
	{ "memory", 16, 8, 1, EINVAL, "region 0" },
	{ "memory", 16, 8, SECOND, EINVAL, "region 1" },
	{ "memory", 24, 8, 0, EINVAL, "region 0" },
	{ "memory", 24, 8, UINT64_C(1) << 62, EINVAL, "region 0" },
	{ "memory", 32, 8, UINT64_MAX - 0xffff, EINVAL, "region 1" },
	{ "memory", 32, 8, 0, EINVAL, "region 1" },
	{ "memory", 40, 8, 0x10000, EINVAL, "regions have" },
	{ "memory", 48, 8, 1, EINVAL, "extent 0" },
	{ "memory", 48, 8, UINT64_MAX - 0xfffff, EINVAL, "extent 0" },
	{ "memory", 56, 4, 0, EINVAL, "extent 0" },
	{ "memory", 56, 4, 1, EINVAL, "extent 0" },
	{ "memory", 56, 4, 0x200000, EINVAL, "extent 0" },
	{ "memory", 64, 8, 0, EINVAL, "extent 1" },
	/* Beyond the end of its region. */
	{ "memory", 88, 4, 0x20000, EINVAL, "extent 2" },
};

START_TEST(a_hostile_number_is_refused)
{
	const struct hostile *h = &hostile[_i];
	struct resources before;
	uint64_t at;

	start();
	load_bytes();
	resources_read(&before);
	at = (h->section ? find(h->section) + SECTION : 0) + h->at;
	set_number(at, h->width, h->value);
	/* The sections have none if their size is wrong. */
	if (h->section)
		store_bytes();
	seal(0, HEADER, AT_CRC);
	ck_assert_int_eq(pwrite(file, bytes, sizeof(bytes), 0), sizeof(bytes));
	expect_refusal(h->err, h->text);
	resources_expect(&before, h->text);
	end();
}
END_TEST

START_TEST(a_section_that_ends_behind_the_sections_is_refused)
{
	uint64_t at;

	start();
	load_bytes();
	at = find("memory");
	set_number(at + AT_SECTION_LEN, 4, 0xffffffff);
	ck_assert_int_eq(pwrite(file, bytes, sizeof(bytes), 0), sizeof(bytes));
	expect_refusal(EINVAL, "no valid header");
	end();
}
END_TEST

START_TEST(a_part_that_is_missing_or_there_twice_is_refused)
{
	static const char *const names[] = { "vm", "shape", "controllers", "vcpu", "memory" };
	uint64_t at;

	start();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char text[32];

		load_bytes();
		at = find(names[i]);
		bytes[at] = 'x';
		set_number(at + AT_SECTION_FLAGS, 4, 1);
		store_bytes();
		snprintf(text, sizeof(text), "no section %s", names[i]);
		expect_refusal(EINVAL, text);
		memcpy(bytes + at, names[i], 1);
		set_number(at + AT_SECTION_FLAGS, 4, 0);
		store_bytes();
	}
	at = find("controllers");
	memcpy(bytes + at, "memory\0\0\0\0\0", 11);
	store_bytes();
	expect_refusal(EINVAL, "two sections memory");
	end();
}
END_TEST

/* --- descriptors ------------------------------------------------------------------------------ */

START_TEST(descriptors_that_cannot_hold_one_are_refused)
{
	char path[] = "/tmp/test_checkpoint_file.XXXXXX";
	struct axvm_checkpoint *none = NULL;
	int fds[2], fd;

	start();
	ck_assert_int_eq(pipe(fds), 0);
	ck_fails_saying(axvm_checkpoint_write(checkpoint, fds[1]), ESPIPE, "not a regular file");
	ck_fails_saying(axvm_checkpoint_read(fds[0], &none), ESPIPE, "not a regular file");
	close(fds[0]);
	close(fds[1]);
	fd = open("/tmp", O_RDONLY | O_DIRECTORY);
	ck_fails(axvm_checkpoint_read(fd, &none), EINVAL);
	close(fd);
	ck_fails(axvm_checkpoint_write(checkpoint, -1), EBADF);
	ck_fails(axvm_checkpoint_read(-1, &none), EBADF);
	ck_assert_ptr_null(none);
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
	fd = open(path, O_RDWR | O_APPEND);
	ck_assert_int_eq(unlink(path), 0);
	ck_fails_saying(axvm_checkpoint_write(checkpoint, fd), EIO, "O_APPEND");
	ck_fails(axvm_checkpoint_read(fd, &none), EINVAL);
	close(fd);
	/* Its own file. */
	ck_ok(read_file());
	ck_fails_saying(axvm_checkpoint_write(copy, file), EINVAL, "from which it was read");
	ck_ok(axvm_checkpoint_verify(copy));
	end();
}
END_TEST

/* --- cost ------------------------------------------------------------------------------------- */

/* Bytes that this process has read so far; 0: the kernel does not count them. */
static uint64_t count_read(void)
{
	unsigned long long count = 0;
	FILE *io = fopen("/proc/self/io", "re");

	if (!io)
		return 0;
	if (fscanf(io, "rchar: %llu", &count) != 1)
		count = 0;
	fclose(io);
	return count;
}

#define BIG (UINT64_C(16) << 20)

START_TEST(reading_a_file_reads_nothing_of_its_memory)
{
	uint64_t before;

	start();
	/* Taking the checkpoint has read something. */
	if (!count_read()) {
		suite_skip("the kernel does not count what a process reads");
		end();
		return;
	}
	ck_ok(axvm_map(vm, &AXVCPU_WITH(axvm_region, .gpa = UINT64_C(1) << 32, .len = BIG)));
	ck_ok(axvm_set(vm, UINT64_C(1) << 32, 0x55, BIG));
	ck_ok(axvm_checkpoint_free(checkpoint));
	ck_ok(axvm_checkpoint_new(vm, NULL, &checkpoint));
	ck_ok(axvm_checkpoint_write(checkpoint, file));
	load_bytes();
	before = count_read();
	ck_ok(read_file());
	/* The sections, with their header a second time, and what this test reads itself. */
	ck_assert_uint_le(count_read() - before, memory() + 8192);
	ck_assert_uint_eq(info_of(copy).memory_held, BIG + 4 * page);
	/* As verify does. */
	before = count_read();
	ck_ok(axvm_checkpoint_verify(copy));
	ck_assert_uint_ge(count_read() - before, BIG);
	end();
}
END_TEST

/* --- earlier versions ------------------------------------------------------------------------- */

START_TEST(files_of_earlier_versions_are_read_on_every_host)
{
	static const char *const archs[] = { "x86_64", "arm64", "riscv64" };
	char path[64];

	snprintf(path, sizeof(path), "tests/checkpoints/checkpoint-%s-1", archs[_i]);
	file = suite_open_source(path);
	if (file < 0) {
		suite_skip("tests/checkpoints has no file of this architecture");
		return;
	}
	ck_ok(read_file());
	ck_ok(axvm_checkpoint_verify(copy));
	ck_assert_str_eq(info_of(copy).arch, archs[_i]);
	ck_assert_uint_eq(info_of(copy).vcpus, 1);
	ck_ok(axvm_checkpoint_free(copy));
	close(file);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *trips = suite_case(suite, "round trips");
	TCase *damage = suite_case(suite, "damage");
	TCase *refusals = suite_case(suite, "refusals");
	TCase *cost = suite_case(suite, "cost");
	TCase *versions = suite_case(suite, "versions");

	tcase_add_test(trips, what_is_read_is_what_was_written);
	tcase_add_test(trips, a_checkpoint_that_was_read_is_written_as_the_same_bytes);
	tcase_add_test(trips, the_file_has_the_documented_format);
	tcase_add_test(trips, zero_pages_are_holes);
	tcase_add_test(trips, a_description_has_each_part);
	tcase_add_test(damage, a_flipped_bit_outside_of_the_memory_is_refused);
	tcase_add_test(damage, the_damaged_part_is_named);
	tcase_add_test(damage, damage_in_the_memory_is_found_by_verify);
	tcase_add_test(damage, every_truncation_is_refused);
	tcase_add_test(damage, a_file_that_is_truncated_later_is_an_error);
	tcase_add_test(refusals, another_backend_is_refused_by_name);
	tcase_add_loop_test(refusals, a_hostile_number_is_refused, 0,
			    (int)(sizeof(hostile) / sizeof(hostile[0])));
	tcase_add_test(refusals, a_section_that_ends_behind_the_sections_is_refused);
	tcase_add_test(refusals, a_part_that_is_missing_or_there_twice_is_refused);
	tcase_add_test(refusals, descriptors_that_cannot_hold_one_are_refused);
	tcase_add_test(cost, reading_a_file_reads_nothing_of_its_memory);
	tcase_add_test(versions, later_versions_are_refused_by_name);
	tcase_add_loop_test(versions, files_of_earlier_versions_are_read_on_every_host, 0, 3);
}

int main(void)
{
	return suite_main("checkpoint files", false, add_tests);
}
