/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Reads checkpoints from files. Nothing in a file is trusted: every size, count and offset is
 * checked before it is used. The memory is not read.
 */
#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "axvcpu/vm.h"
#include "lib/base/crc32c.h"
#include "lib/host/transfer.h"
#include "lib/machine/checkpoint_file.h"
#include "lib/memory/image.h"
#include "lib/vcpu/saved.h"

struct section {
	char name[AXVCPU_SAVED_NAME];
	uint32_t version;
	uint32_t flags;
	const unsigned char *data;
	size_t len;
};

struct reader {
	int fd;
	/* In the byte order of the host. */
	struct axv_file_header header;
	/* The file up to the memory. */
	unsigned char *buf;
	struct axv_crc32c crc32c;
	/* Sections of each kind, as in 'kinds'. */
	uint32_t counts[6];
	struct axvm_checkpoint *checkpoint;
	/* vCPUs so far, and the place for the next device. */
	uint32_t nvcpus;
	struct axv_saved_device **last_device;
};

/* --- the header ------------------------------------------------------------------------------- */

/* Reads the beginning of the file. */
static int read_bytes(int fd, void *buf, uint64_t len)
{
	const int ret = axv_read_at(fd, buf, len, 0);

	return ret ? axvcpu_fail(NULL, ret,
				 "checkpoint: reading the first %" PRIu64
				 " bytes of the file: it was truncated, or its storage failed",
				 len)
		   : 0;
}

/* Whether the checksum that is at 'field' of the bytes is theirs, with zero in its place. */
static bool crc_is_right(const struct axv_crc32c *crc32c, const unsigned char *bytes, size_t len,
			 size_t field)
{
	static const uint32_t zero;
	uint32_t stored, crc;

	memcpy(&stored, bytes + field, sizeof(stored));
	crc = axv_crc32c(crc32c, 0, bytes, field);
	crc = axv_crc32c(crc32c, crc, &zero, sizeof(zero));
	field += sizeof(zero);
	return axv_crc32c(crc32c, crc, bytes + field, len - field) == le32toh(stored);
}

/* Checks that the parts of the file are where the header has them. */
static int check_sizes(const struct axv_file_header *header, uint64_t size)
{
	if (header->size != size)
		return axvcpu_fail(NULL, -EINVAL,
				   "checkpoint: the file has %" PRIu64
				   " bytes, but was written with %" PRIu64,
				   size, header->size);
	if (header->sections > FILE_SECTIONS_MAX || header->sections % 8 ||
	    header->memory != axv_file_memory(header->sections) || header->memory > size)
		return axvcpu_fail(NULL, -EINVAL,
				   "checkpoint: its header has %" PRIu64
				   " bytes of sections, and memory at %" PRIu64,
				   header->sections, header->memory);
	if (header->page_size < 4096 || header->page_size > FILE_ALIGNMENT ||
	    header->page_size & (header->page_size - 1))
		return axvcpu_fail(NULL, -EINVAL, "checkpoint: pages of %" PRIu32 " bytes",
				   header->page_size);
	if (!axv_saved_is_name(header->arch) || header->zero)
		return axvcpu_fail(NULL, -EINVAL,
				   "checkpoint: the name of its backend is not valid");
	return 0;
}

static int read_header(struct reader *reader, uint64_t size)
{
	struct axv_file_header *header = &reader->header;
	int ret;

	if (size < sizeof(*header))
		return axvcpu_fail(NULL, -EINVAL,
				   "checkpoint: the file has %" PRIu64
				   " bytes, which is less than a header",
				   size);
	ret = read_bytes(reader->fd, header, sizeof(*header));
	if (ret)
		return ret;
	if (memcmp(header->magic, FILE_MAGIC, sizeof(header->magic)) != 0)
		return axvcpu_fail(NULL, -EINVAL,
				   "checkpoint: the file does not begin with \"" FILE_MAGIC "\"");
	if (!header->version || le32toh(header->version) > FILE_VERSION)
		return axvcpu_fail(NULL, -ENOTSUP,
				   "checkpoint: the file has format %" PRIu32
				   "; this library supports up to %u",
				   le32toh(header->version), FILE_VERSION);
	if (!crc_is_right(&reader->crc32c, (const unsigned char *)header, sizeof(*header),
			  offsetof(struct axv_file_header, crc)))
		return axvcpu_fail(NULL, -EINVAL,
				   "checkpoint: the header is damaged: its checksum differs");
	header->size = le64toh(header->size);
	header->sections = le64toh(header->sections);
	header->memory = le64toh(header->memory);
	header->page_size = le32toh(header->page_size);
	return check_sizes(header, size);
}

/* --- the sections ----------------------------------------------------------------------------- */

/*
 * Reads the section at '*offset' of the sections, and moves the offset behind it. Returns 1, 0 at
 * the end, or -EINVAL.
 */
static int next_section(const struct reader *reader, uint64_t *offset, struct section *section)
{
	const unsigned char *at = reader->buf + sizeof(reader->header) + *offset;
	uint64_t left = reader->header.sections - *offset, len;
	struct axv_file_section header;

	if (!left)
		return 0;
	if (left < sizeof(header))
		return axvcpu_fail(NULL, -EINVAL,
				   "checkpoint: the header of a section ends behind it");
	memcpy(&header, at, sizeof(header));
	left -= sizeof(header);
	len = le32toh(header.len);
	if (!axv_saved_is_name(header.name) || axv_file_padded(len) > left ||
	    (le32toh(header.flags) & ~AXVCPU_SECTION_OPTIONAL))
		return axvcpu_fail(NULL, -EINVAL,
				   "checkpoint: the section at byte %" PRIu64
				   " has no valid header",
				   sizeof(reader->header) + *offset);
	if (!crc_is_right(&reader->crc32c, at, sizeof(header) + (size_t)axv_file_padded(len),
			  offsetof(struct axv_file_section, crc)))
		return axvcpu_fail(NULL, -EINVAL,
				   "checkpoint: section %s is damaged: its checksum differs",
				   header.name);
	*section = (struct section){ .version = le32toh(header.version),
				     .flags = le32toh(header.flags),
				     .data = at + sizeof(header),
				     .len = (size_t)len };
	memcpy(section->name, header.name, sizeof(section->name));
	*offset += sizeof(header) + axv_file_padded(len);
	return 1;
}

/* Copies the shape, or the saved state of a vCPU or of the controllers. */
static int copy_state(const struct reader *reader, const struct section *section, size_t offset,
		      struct axv_blob *blob)
{
	char arch[AXVCPU_SAVED_NAME];
	int ret = axvcpu_saved_check(section->data + offset, section->len - offset, arch);

	if (ret < 0)
		return ret;
	if (strcmp(arch, reader->header.arch) != 0)
		return axvcpu_fail(NULL, -EINVAL,
				   "checkpoint: the state in section %s is of backend %s, not %s",
				   section->name, arch, reader->header.arch);
	blob->size = section->len - offset;
	blob->data = axv_sys_calloc(1, blob->size);
	if (!blob->data)
		return axvcpu_fail(NULL, -ENOMEM, "checkpoint: allocating %zu bytes for a state",
				   blob->size);
	memcpy(blob->data, section->data + offset, blob->size);
	return 0;
}

static int read_vm(struct reader *reader, const struct section *section)
{
	struct axvm_checkpoint *checkpoint = reader->checkpoint;
	struct axvm_clock *clock = &checkpoint->clock;
	struct axv_file_vm vm;

	memcpy(&vm, section->data, sizeof(vm));
	checkpoint->irqchip = le32toh(vm.irqchip);
	if (checkpoint->irqchip > AXVM_IRQCHIP_SPLIT)
		return axvcpu_fail(NULL, -ENOTSUP,
				   "checkpoint: irqchip %" PRIu32 " is unknown to this library",
				   checkpoint->irqchip);
	*clock = (struct axvm_clock)AXVM_CLOCK_INIT;
	clock->flags = le32toh(vm.clock_flags);
	clock->counter = le64toh(vm.counter);
	clock->counter_hz = le64toh(vm.counter_hz);
	clock->counter_offset = le64toh(vm.counter_offset);
	clock->physical_counter = le64toh(vm.physical_counter);
	clock->kvmclock_ns = le64toh(vm.kvmclock_ns);
	clock->realtime_ns = (int64_t)le64toh(vm.realtime_ns);
	return 0;
}

static int read_shape(struct reader *reader, const struct section *section)
{
	return copy_state(reader, section, 0, &reader->checkpoint->shape);
}

static int read_controllers(struct reader *reader, const struct section *section)
{
	return copy_state(reader, section, 0, &reader->checkpoint->controllers);
}

static int read_vcpu(struct reader *reader, const struct section *section)
{
	struct axv_saved_vcpu *vcpu = &reader->checkpoint->vcpus[reader->nvcpus];
	struct axv_file_vcpu head;

	memcpy(&head, section->data, sizeof(head));
	vcpu->id = le32toh(head.id);
	if (reader->nvcpus && vcpu->id <= vcpu[-1].id)
		return axvcpu_fail(NULL, -EINVAL,
				   "checkpoint: vCPU %" PRIu32 " comes after vCPU %" PRIu32,
				   vcpu->id, vcpu[-1].id);
	reader->nvcpus++;
	return copy_state(reader, section, sizeof(head), &vcpu->blob);
}

static int read_device(struct reader *reader, const struct section *section)
{
	struct axvm_checkpoint *checkpoint = reader->checkpoint;
	struct axv_file_device head;
	struct axv_saved_device *device;

	memcpy(&head, section->data, sizeof(head));
	if (!axv_file_is_device_name(head.name))
		return axvcpu_fail(NULL, -EINVAL, "checkpoint: the name of a device is not valid");
	device = axv_sys_calloc(1, sizeof(*device));
	if (!device)
		return axvcpu_fail(NULL, -ENOMEM, "checkpoint: device %s: allocating it",
				   head.name);
	*reader->last_device = device;
	reader->last_device = &device->next;
	checkpoint->ndevices++;
	memcpy(device->name, head.name, sizeof(device->name));
	device->version = le32toh(head.version);
	device->blob.size = section->len - sizeof(head);
	device->blob.data = axv_sys_calloc(1, device->blob.size);
	if (!device->blob.data)
		return axvcpu_fail(NULL, -ENOMEM, "checkpoint: device %s: allocating %zu bytes",
				   head.name, device->blob.size);
	memcpy(device->blob.data, section->data + sizeof(head), device->blob.size);
	return 0;
}

static int read_memory(struct reader *reader, const struct section *section)
{
	const struct axv_file_header *header = &reader->header;

	return axv_image_open(reader->fd, header->memory, header->size - header->memory,
			      header->page_size, section->data, section->len,
			      &reader->checkpoint->image);
}

static const struct kind {
	const char *name;
	/* The latest version that is supported. */
	uint32_t version;
	/* Limits of the length, and of the number of such sections. */
	size_t min;
	size_t max;
	uint32_t most;
	/* There must be one. */
	bool needed;
	int (*read)(struct reader *reader, const struct section *section);
} kinds[] = {
	{ "vm", 1, sizeof(struct axv_file_vm), sizeof(struct axv_file_vm), 1, true, read_vm },
	{ "shape", 1, 0, FILE_SECTIONS_MAX, 1, true, read_shape },
	{ "controllers", 1, 0, FILE_SECTIONS_MAX, 1, true, read_controllers },
	{ "vcpu", 1, sizeof(struct axv_file_vcpu), FILE_SECTIONS_MAX, UINT32_MAX, true, read_vcpu },
	{ "device", 1, sizeof(struct axv_file_device) + 1, FILE_SECTIONS_MAX, UINT32_MAX, false,
	  read_device },
	{ "memory", 1, 0, FILE_SECTIONS_MAX, 1, true, read_memory },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))
#define VCPUS 3

_Static_assert(KINDS == sizeof(((struct reader *)0)->counts) / sizeof(uint32_t),
	       "each kind is counted");

/* Returns the index of a kind of section, or KINDS. */
static size_t find_kind(const struct section *section)
{
	size_t i = 0;

	while (i < KINDS && strcmp(kinds[i].name, section->name) != 0)
		i++;
	return i;
}

/* Checks a section, and counts it. */
static int check_section(struct reader *reader, const struct section *section)
{
	const size_t i = find_kind(section);

	if (i == KINDS) {
		if (section->flags & AXVCPU_SECTION_OPTIONAL)
			return 0;
		return axvcpu_fail(NULL, -ENOTSUP,
				   "checkpoint: section %s is unknown to this library",
				   section->name);
	}
	if (!section->version || section->version > kinds[i].version)
		return axvcpu_fail(NULL, -ENOTSUP,
				   "checkpoint: section %s has version %" PRIu32
				   "; this library supports up to %" PRIu32,
				   section->name, section->version, kinds[i].version);
	if (section->len < kinds[i].min || section->len > kinds[i].max)
		return axvcpu_fail(NULL, -EINVAL, "checkpoint: section %s has %zu bytes",
				   section->name, section->len);
	if (reader->counts[i]++ == kinds[i].most)
		return axvcpu_fail(NULL, -EINVAL, "checkpoint: two sections %s", section->name);
	return 0;
}

/* Checks that the file has zeros between the sections and the memory. */
static int check_padding(const struct reader *reader)
{
	for (uint64_t i = sizeof(reader->header) + reader->header.sections;
	     i < reader->header.memory; i++)
		if (reader->buf[i])
			return axvcpu_fail(NULL, -EINVAL,
					   "checkpoint: byte %" PRIu64
					   ", behind the sections, is not zero",
					   i);
	return 0;
}

/* Checks all sections before any of them is used. */
static int check_sections(struct reader *reader)
{
	struct section section;
	uint64_t offset = 0;
	int ret = check_padding(reader);

	while (!ret && (ret = next_section(reader, &offset, &section)) > 0)
		ret = check_section(reader, &section);
	if (ret)
		return ret;
	for (size_t i = 0; i < KINDS; i++)
		if (kinds[i].needed && !reader->counts[i])
			return axvcpu_fail(NULL, -EINVAL, "checkpoint: there is no section %s",
					   kinds[i].name);
	return 0;
}

static int read_sections(struct reader *reader)
{
	struct section section;
	uint64_t offset = 0;
	int ret = 0;

	while (!ret && (ret = next_section(reader, &offset, &section)) > 0) {
		const size_t i = find_kind(&section);

		ret = i < KINDS ? kinds[i].read(reader, &section) : 0;
	}
	return ret;
}

/* --- the checkpoint --------------------------------------------------------------------------- */

static int create(struct reader *reader)
{
	const uint32_t nvcpus = reader->counts[VCPUS];
	struct axvm_checkpoint *checkpoint =
		axv_sys_calloc(1, sizeof(*checkpoint) + nvcpus * sizeof(checkpoint->vcpus[0]));

	if (!checkpoint)
		return axvcpu_fail(NULL, -ENOMEM, "checkpoint: allocating it");
	checkpoint->nvcpus = nvcpus;
	memcpy(checkpoint->arch, reader->header.arch, sizeof(checkpoint->arch));
	reader->checkpoint = checkpoint;
	reader->last_device = &checkpoint->devices;
	return 0;
}

/* Reads the file up to its memory. */
static int read_all(struct reader *reader)
{
	const uint64_t size = reader->header.memory;
	int ret;

	reader->buf = axv_sys_calloc(1, (size_t)size);
	if (!reader->buf)
		return axvcpu_fail(NULL, -ENOMEM, "checkpoint: allocating %" PRIu64 " bytes", size);
	ret = read_bytes(reader->fd, reader->buf, size);
	if (!ret)
		ret = check_sections(reader);
	if (!ret)
		ret = create(reader);
	return ret ? ret : read_sections(reader);
}

int axvm_checkpoint_read(int fd, struct axvm_checkpoint **out)
{
	struct reader reader = { .fd = fd };
	struct stat st;
	int ret = axv_file_stat(fd, &st);

	if (ret)
		return ret;
	axv_crc32c_init(&reader.crc32c);
	ret = read_header(&reader, (uint64_t)st.st_size);
	if (!ret)
		ret = read_all(&reader);
	free(reader.buf);
	if (ret)
		axvm_checkpoint_free(reader.checkpoint);
	else
		*out = reader.checkpoint;
	return ret;
}

int axvm_checkpoint_verify(const struct axvm_checkpoint *checkpoint)
{
	return axv_image_verify(checkpoint->image);
}
