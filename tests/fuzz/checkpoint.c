/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The reader of checkpoint files. The input is the header and the sections; the target makes their
 * checksums right, and gives the file as much memory, of zeros, as the header has. A checkpoint
 * that was read is described, verified, written again, restored into a VM of the mock, and cloned.
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
/* The most memory of which a checkpoint is taken. */
#define TAKE_MAX 0x4000000u

#define INPUT_MAX 0x8000u

/* --- the VM ----------------------------------------------------------------------------------- */

static struct axvm *vm;
static struct axvcpu *vcpu;

/* So that the compiler keeps the reads. */
static void read_all(const void *data, size_t len)
{
	static volatile unsigned char sum;

	for (size_t i = 0; i < len; i++)
		sum = ((const unsigned char *)data)[i];
	(void)sum;
}

/* The mock with a config of its own. */
struct mock_config {
	size_t size;
	uint64_t value;
};

static int new_vm(struct axvm *new, const struct axvm_config *config, struct axvm_limits *limits,
		  void **arch)
{
	const struct mock_config *own = config->arch_config;

	(void)new;
	(void)limits;
	(void)arch;
	if (own)
		read_all(own, own->size);
	read_all(config->sysregs, config->nsysregs * sizeof(config->sysregs[0]));
	return 0;
}

static struct axvcpu_arch_ops ops;

static int device_save(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	if (len >= 4)
		memcpy(buf, "abcd", 4);
	return 4;
}

static int device_restore(void *ctx, uint32_t version, const void *buf, size_t len)
{
	(void)ctx;
	(void)version;
	read_all(buf, len);
	return len == 4 ? 0 : -EINVAL;
}

static int add_device(void *ctx, struct axvm *to)
{
	const struct axvm_device_range range = { .base = 0x80000000, .len = 8 };
	struct axvm_device_config config = AXVM_DEVICE_CONFIG_INIT;

	(void)ctx;
	config.name = "device";
	config.version = 1;
	config.ranges = &range;
	config.nranges = 1;
	config.save = device_save;
	config.restore = device_restore;
	return axvm_add_device(to, &config, NULL);
}

static void map(uint64_t gpa, uint32_t flags)
{
	struct axvm_region region = AXVM_REGION_INIT;

	region.gpa = gpa;
	region.len = 0x80000;
	region.flags = flags;
	ck_assert_int_eq(axvm_map(vm, &region), 0);
}

static void reset(void)
{
	mock_reset();
	mock.clock = (struct axvm_clock){ .size = sizeof(mock.clock), .counter_hz = 1000000 };
}

static void create(void)
{
	const struct axvm_sysreg_range sysreg = { 1, 2, AXVCPU_ACCESS_READ, 0 };
	const struct mock_config arch_config = { .size = sizeof(arch_config), .value = 1 };
	struct axvm_config config = AXVM_CONFIG_INIT;

	reset();
	ops = mock_ops;
	ops.vm_new = new_vm;
	ops.arch_config_size = sizeof(arch_config);
	config.arch = &ops;
	config.arch_config = &arch_config;
	config.sysregs = &sysreg;
	config.nsysregs = 1;
	ck_assert_int_eq(axvm_new(&config, &vm), 0);
	ck_assert_int_eq(axvcpu_new(vm, NULL, &vcpu), 0);
	ck_assert_int_eq(axvcpu_setup(vcpu, 0, 0, NULL), 0);
	map(0, 0);
	map(0x100000, AXVM_MEM_READONLY);
	ck_assert_int_eq(add_device(NULL, vm), 0);
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

static int get_other(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = new_file();
	return fd;
}

static void write_again(const struct axvm_checkpoint *checkpoint,
			const struct axvm_checkpoint_info *info)
{
	struct axvm_checkpoint_info again = AXVM_CHECKPOINT_INFO_INIT;
	struct axvm_checkpoint *copy;
	int ret = axvm_checkpoint_write(checkpoint, get_other());

	ck_assert(!ret || ret == -EIO);
	if (ret)
		return;
	ck_assert_int_eq(axvm_checkpoint_read(get_other(), &copy), 0);
	ck_assert_int_eq(axvm_checkpoint_get_info(copy, &again), 0);
	ck_assert(!memcmp(info, &again, sizeof(again)));
	ck_assert_int_eq(axvm_checkpoint_free(copy), 0);
}

static void restore(const struct axvm_checkpoint *checkpoint)
{
	create();
	axvm_checkpoint_restore(checkpoint, vm, NULL);
	ck_assert(axvcpu_state(vcpu) == AXVCPU_FREE || axvcpu_state(vcpu) == AXVCPU_INVALID);
	destroy();
}

/* Allocates and frees frames: their bitmap is of the file. */
static void use_frames(struct axvm *of)
{
	uint64_t frames[3];
	int count = 0;

	while (count < 3 && !axvm_alloc_frame(of, &frames[count]))
		count++;
	while (count--)
		ck_assert_int_eq(axvm_free_frame(of, frames[count]), 0);
}

/* A checkpoint of a clone has the kind of that from which it was cloned. */
static void take_again(struct axvm *clone, const struct axvm_checkpoint_info *info)
{
	struct axvm_checkpoint_info again = AXVM_CHECKPOINT_INFO_INIT;
	struct axvm_checkpoint *copy;

	ck_assert_int_eq(axvm_checkpoint_new(clone, NULL, &copy), 0);
	ck_assert_int_eq(axvm_checkpoint_get_info(copy, &again), 0);
	ck_assert_uint_eq(info->vcpus, again.vcpus);
	ck_assert_uint_eq(info->memory, again.memory);
	ck_assert_int_eq(axvm_checkpoint_free(copy), 0);
}

static int clone_with(uint32_t flags, const struct axvm_checkpoint *checkpoint,
		      const struct axvm_checkpoint_info *info)
{
	struct axvm_clone_config config = AXVM_CLONE_CONFIG_INIT;
	struct axvcpu *vcpus[INPUT_MAX / 64];
	struct axvm *clone = NULL;
	int count, ret;

	reset();
	config.flags = flags;
	config.arch = &ops;
	config.add_devices = add_device;
	ret = axvm_checkpoint_clone(checkpoint, &config, &clone);
	ck_assert(!ret == !!clone);
	if (ret)
		return ret;
	count = axvm_vcpus(clone, 0, INPUT_MAX / 64, vcpus);
	ck_assert_int_eq(count, (int)info->vcpus);
	/* It looks at every page. */
	if (info->memory <= TAKE_MAX)
		take_again(clone, info);
	use_frames(clone);
	while (count--)
		ck_assert_int_eq(axvcpu_free(vcpus[count]), 0);
	ck_assert_int_eq(axvm_free(clone), 0);
	return 0;
}

static void use(const struct axvm_checkpoint *checkpoint, const struct axvm_checkpoint_info *info)
{
	const int ret = axvm_checkpoint_verify(checkpoint);

	ck_assert(!ret || ret == -EIO);
	write_again(checkpoint, info);
	restore(checkpoint);
	clone_with(0, checkpoint, info);
	clone_with(AXVM_CLONE_MEMFD, checkpoint, info);
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

/* Adds the file of a VM, without its memory. The VM can be cloned. */
static void add_seed(const char *name)
{
	struct axvm_checkpoint_info info = AXVM_CHECKPOINT_INFO_INIT;
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
	ck_assert_int_eq(axvm_checkpoint_get_info(checkpoint, &info), 0);
	ck_assert_msg(!clone_with(0, checkpoint, &info), "%s", axvcpu_last_error());
	ck_assert_int_eq(axvm_checkpoint_free(checkpoint), 0);
	close(fd);
}

void fuzz_seeds(void)
{
	uint64_t frame;

	create();
	add_seed("zeros");
	ck_assert_int_eq(axvm_set(vm, 0x10000, 0x55, 0x20000), 0);
	ck_assert_int_eq(axvm_set(vm, 0x100000, 0x55, 1), 0);
	add_seed("memory");
	/* Optional sections of a later version, in the saved states. */
	mock.extra_section = "future";
	mock.extra_flags = AXVCPU_SECTION_OPTIONAL;
	add_seed("sections");
	ck_assert_int_eq(axvm_alloc_frame(vm, &frame), 0);
	add_seed("frames");
	destroy();
}
