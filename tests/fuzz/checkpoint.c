/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The reader of checkpoint files. The input is the header and the sections; the target makes their
 * checksums right, and gives the file as much memory, of zeros, as the header has. A checkpoint
 * that was read is described, verified, written again, and restored into a VM of the mock.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../mock.h"
#include "fuzz.h"
#include "lib/base/crc32c.h"
#include "lib/machine/checkpoint_file.h"

/* The largest file, which is sparse, and the most memory that is read of it. */
#define FILE_MAX (UINT64_C(1) << 36)
#define READ_MAX 0x400000u

#define INPUT_MAX 0x8000u

/* --- the VM ----------------------------------------------------------------------------------- */

static struct axvm *vm;
static struct axvcpu *vcpu;

static int device_save(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	if (len >= 4)
		memcpy(buf, "abcd", 4);
	return 4;
}

static int device_restore(void *ctx, uint32_t version, const void *buf, size_t len)
{
	/* So that the compiler keeps the reads. */
	static volatile unsigned char sum;

	(void)ctx;
	(void)version;
	for (size_t i = 0; i < len; i++)
		sum = ((const unsigned char *)buf)[i];
	(void)sum;
	return len == 4 ? 0 : -EINVAL;
}

static void map(uint64_t gpa)
{
	struct axvm_region region = AXVM_REGION_INIT;

	region.gpa = gpa;
	region.len = 0x80000;
	ck_assert_int_eq(axvm_map(vm, &region), 0);
}

static void create(void)
{
	const struct axvm_device_range range = { .base = 0x80000000, .len = 8 };
	struct axvm_device_config config = AXVM_DEVICE_CONFIG_INIT;
	struct axvm_config vm_config = AXVM_CONFIG_INIT;
	struct axvm_device *device;

	mock_reset();
	mock.clock = (struct axvm_clock){ .size = sizeof(mock.clock), .counter_hz = 1000000 };
	vm_config.arch = &mock_ops;
	ck_assert_int_eq(axvm_new(&vm_config, &vm), 0);
	ck_assert_int_eq(axvcpu_new(vm, NULL, &vcpu), 0);
	ck_assert_int_eq(axvcpu_setup(vcpu, 0, 0, NULL), 0);
	map(0);
	map(0x100000);
	config.name = "device";
	config.version = 1;
	config.ranges = &range;
	config.nranges = 1;
	config.save = device_save;
	config.restore = device_restore;
	ck_assert_int_eq(axvm_add_device(vm, &config, &device), 0);
}

static void destroy(void)
{
	ck_assert_int_eq(axvcpu_free(vcpu), 0);
	ck_assert_int_eq(axvm_free(vm), 0);
}

/* --- the file --------------------------------------------------------------------------------- */

static struct axv_crc32c crc32c;

static int new_file(void)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	axv_crc32c_init(&crc32c);
	return fd;
}

/* Makes the checksums of all sections right that are within the input. */
static void seal_sections(unsigned char *at, uint64_t left)
{
	struct axv_file_section header;

	while (left >= sizeof(header)) {
		uint64_t size;

		memcpy(&header, at, sizeof(header));
		size = sizeof(header) + axv_file_padded(le32toh(header.len));
		if (size > left)
			return;
		header.crc = 0;
		memcpy(at, &header, sizeof(header));
		header.crc = htole32(axv_crc32c(&crc32c, 0, at, size));
		memcpy(at, &header, sizeof(header));
		at += size;
		left -= size;
	}
}

static void write_file(int fd, const uint8_t *data, size_t size)
{
	static unsigned char bytes[INPUT_MAX];
	struct axv_file_header header;
	uint64_t file_size;

	memcpy(bytes, data, size);
	memcpy(&header, bytes, sizeof(header));
	header.sections = htole64(size - sizeof(header));
	header.memory = htole64(axv_file_memory(size - sizeof(header)));
	header.crc = 0;
	header.crc = htole32(axv_crc32c(&crc32c, 0, &header, sizeof(header)));
	memcpy(bytes, &header, sizeof(header));
	seal_sections(bytes + sizeof(header), size - sizeof(header));
	file_size = le64toh(header.size);
	if (file_size > FILE_MAX)
		file_size = FILE_MAX;
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert_int_eq(pwrite(fd, bytes, size, 0), (ssize_t)size);
	ck_assert_int_eq(ftruncate(fd, (off_t)file_size), 0);
}

/* --- the target ------------------------------------------------------------------------------- */

static void use(const struct axvm_checkpoint *checkpoint, const struct axvm_checkpoint_info *info)
{
	struct axvm_checkpoint_info again = AXVM_CHECKPOINT_INFO_INIT;
	static int other = -1;
	struct axvm_checkpoint *copy;
	int ret;

	if (other < 0)
		other = new_file();
	ret = axvm_checkpoint_verify(checkpoint);
	ck_assert(!ret || ret == -EIO);
	ret = axvm_checkpoint_write(checkpoint, other);
	ck_assert(!ret || ret == -EIO);
	if (!ret) {
		ck_assert_int_eq(axvm_checkpoint_read(other, &copy), 0);
		ck_assert_int_eq(axvm_checkpoint_get_info(copy, &again), 0);
		ck_assert(!memcmp(info, &again, sizeof(again)));
		ck_assert_int_eq(axvm_checkpoint_free(copy), 0);
	}
	create();
	axvm_checkpoint_restore(checkpoint, vm, NULL);
	ck_assert(axvcpu_state(vcpu) == AXVCPU_FREE || axvcpu_state(vcpu) == AXVCPU_INVALID);
	destroy();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct axvm_checkpoint_info info = AXVM_CHECKPOINT_INFO_INIT;
	struct axvm_checkpoint *checkpoint = NULL;
	static char text[0x10000];
	static int fd = -1;
	int ret;

	if (fd < 0)
		fd = new_file();
	if (size < sizeof(struct axv_file_header) || size > INPUT_MAX)
		return 0;
	/* That of the sections is a multiple of 8. */
	write_file(fd, data, size - size % 8);
	ret = axvm_checkpoint_read(fd, &checkpoint);
	ck_assert(!ret == !!checkpoint);
	if (ret)
		return 0;
	ck_assert_int_eq(axvm_checkpoint_get_info(checkpoint, &info), 0);
	ck_assert_int_gt(axvm_checkpoint_describe(checkpoint, text, sizeof(text)), 0);
	if (info.memory_held <= READ_MAX)
		use(checkpoint, &info);
	ck_assert_int_eq(axvm_checkpoint_free(checkpoint), 0);
	return 0;
}

/* Adds the file of a VM, without its memory. */
static void add_seed(const char *name)
{
	static unsigned char bytes[INPUT_MAX];
	struct axvm_checkpoint *checkpoint;
	struct axv_file_header header;
	int fd = new_file();
	size_t size;

	ck_assert_int_eq(axvm_checkpoint_new(vm, NULL, &checkpoint), 0);
	ck_assert_int_eq(axvm_checkpoint_write(checkpoint, fd), 0);
	ck_assert_int_eq(pread(fd, &header, sizeof(header), 0), sizeof(header));
	size = sizeof(header) + le64toh(header.sections);
	ck_assert_uint_le(size, sizeof(bytes));
	ck_assert_int_eq(pread(fd, bytes, size, 0), (ssize_t)size);
	fuzz_seed(name, bytes, size);
	ck_assert_int_eq(axvm_checkpoint_free(checkpoint), 0);
	close(fd);
}

void fuzz_seeds(void)
{
	create();
	add_seed("zeros");
	ck_assert_int_eq(axvm_set(vm, 0x10000, 0x55, 0x20000), 0);
	ck_assert_int_eq(axvm_set(vm, 0x100000, 0x55, 1), 0);
	add_seed("memory");
	/* Optional sections of a later version, in the saved states. */
	mock.extra_section = "future";
	mock.extra_flags = AXVCPU_SECTION_OPTIONAL;
	add_seed("sections");
	destroy();
}
