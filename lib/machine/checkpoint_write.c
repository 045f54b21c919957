/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Writes checkpoints to files. */
#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/crc32c.h"
#include "lib/host/transfer.h"
#include "lib/machine/checkpoint_file.h"
#include "lib/memory/image.h"
#include "lib/vcpu/saved.h"

/* The sections. They are counted first, without a buffer. */
struct writer {
	const struct axvm_checkpoint *checkpoint;
	unsigned char *buf;
	/* Bytes of all sections so far, as if the header were not in the buffer. */
	uint64_t used;
	/* In the buffer: the list of the section "memory". */
	unsigned char *list;
};

static unsigned char *at(const struct writer *writer)
{
	return writer->buf + sizeof(struct axv_file_header) + writer->used;
}

/* Adds bytes, or only their number; without 'data' the buffer keeps its zeros. */
static void add(struct writer *writer, const void *data, uint64_t len)
{
	if (writer->buf && data && len)
		memcpy(at(writer), data, (size_t)len);
	writer->used += len;
}

/* Adds a section, of which 'head' is the first part. Its checksum is computed later. */
static void add_section(struct writer *writer, const char *name, const void *head, size_t head_len,
			const void *data, uint64_t len)
{
	struct axv_file_section section = { .version = htole32(1),
					    .len = htole32((uint32_t)(head_len + len)) };

	axv_saved_set_name(section.name, name);
	add(writer, &section, sizeof(section));
	add(writer, head, head_len);
	add(writer, data, len);
	add(writer, NULL, axv_file_padded(head_len + len) - (head_len + len));
}

static void add_vm(struct writer *writer)
{
	const struct axvm_checkpoint *checkpoint = writer->checkpoint;
	const struct axvm_clock *clock = &checkpoint->clock;
	const struct axv_file_vm vm = { .irqchip = htole32(checkpoint->irqchip),
					.clock_flags = htole32(clock->flags),
					.counter = htole64(clock->counter),
					.counter_hz = htole64(clock->counter_hz),
					.counter_offset = htole64(clock->counter_offset),
					.physical_counter = htole64(clock->physical_counter),
					.kvmclock_ns = htole64(clock->kvmclock_ns),
					.realtime_ns = htole64((uint64_t)clock->realtime_ns) };

	add_section(writer, "vm", &vm, sizeof(vm), NULL, 0);
}

static void add_device(struct writer *writer, const struct axv_saved_device *device)
{
	struct axv_file_device head = { .version = htole32(device->version) };

	memcpy(head.name, device->name, sizeof(head.name));
	add_section(writer, "device", &head, sizeof(head), device->blob.data, device->blob.size);
}

static void add_all(struct writer *writer)
{
	const struct axvm_checkpoint *checkpoint = writer->checkpoint;
	const size_t list_size = axv_image_list_size(checkpoint->image);

	add_vm(writer);
	add_section(writer, "shape", NULL, 0, checkpoint->shape.data, checkpoint->shape.size);
	add_section(writer, "controllers", NULL, 0, checkpoint->controllers.data,
		    checkpoint->controllers.size);
	for (uint32_t i = 0; i < checkpoint->nvcpus; i++) {
		const struct axv_saved_vcpu *vcpu = &checkpoint->vcpus[i];
		const struct axv_file_vcpu head = { .id = htole32(vcpu->id) };

		add_section(writer, "vcpu", &head, sizeof(head), vcpu->blob.data, vcpu->blob.size);
	}
	for (const struct axv_saved_device *d = checkpoint->devices; d; d = d->next)
		add_device(writer, d);
	if (writer->buf)
		writer->list = at(writer) + sizeof(struct axv_file_section);
	add_section(writer, "memory", NULL, 0, NULL, list_size);
}

/* Puts the checksum of each section into it. */
static void seal_sections(const struct writer *writer, const struct axv_crc32c *crc32c)
{
	unsigned char *section = writer->buf + sizeof(struct axv_file_header);

	while (section < at(writer)) {
		struct axv_file_section header;
		uint64_t size;

		memcpy(&header, section, sizeof(header));
		size = sizeof(header) + axv_file_padded(le32toh(header.len));
		header.crc = htole32(axv_crc32c(crc32c, 0, section, (size_t)size));
		memcpy(section, &header, sizeof(header));
		section += size;
	}
}

/* Fills the header in. */
static void seal(const struct writer *writer, uint64_t size)
{
	const struct axvm_checkpoint *checkpoint = writer->checkpoint;
	struct axv_file_header header = {
		.version = htole32(FILE_VERSION),
		.size = htole64(size),
		.sections = htole64(writer->used),
		.memory = htole64(axv_file_memory(writer->used)),
		.page_size = htole32((uint32_t)checkpoint->image->page_size),
	};
	struct axv_crc32c crc32c;

	axv_crc32c_init(&crc32c);
	memcpy(header.magic, FILE_MAGIC, sizeof(header.magic));
	axv_saved_set_name(header.arch, checkpoint->arch);
	header.crc = htole32(axv_crc32c(&crc32c, 0, &header, sizeof(header)));
	memcpy(writer->buf, &header, sizeof(header));
	seal_sections(writer, &crc32c);
}

static int check_devices(const struct axvm_checkpoint *checkpoint)
{
	for (const struct axv_saved_device *d = checkpoint->devices; d; d = d->next)
		if (!axv_file_is_device_name(d->name))
			return axvcpu_fail(
				NULL, -EINVAL,
				"checkpoint: the name of a device is not printable ASCII");
	return 0;
}

static int check_file(const struct axvm_checkpoint *checkpoint, int fd)
{
	struct stat st, own;
	int ret = axv_file_stat(fd, &st);

	if (!ret)
		ret = axv_file_stat(checkpoint->image->fd, &own);
	if (ret)
		return ret;
	if (st.st_dev == own.st_dev && st.st_ino == own.st_ino)
		return axvcpu_fail(NULL, -EINVAL,
				   "checkpoint: descriptor %d is the file from which it was read",
				   fd);
	return 0;
}

/* Makes the file one of zeros, of which no block is allocated. */
static int clear_file(int fd, uint64_t size)
{
	int ret = axv_sys_ftruncate(fd, 0);

	if (!ret)
		ret = axv_sys_ftruncate(fd, size);
	return ret ? axvcpu_fail(NULL, ret, "checkpoint: ftruncate of descriptor %d to %" PRIu64,
				 fd, size)
		   : 0;
}

/* Writes a part of the buffer to its place in the file. */
static int write_part(const struct writer *writer, int fd, uint64_t offset, uint64_t len)
{
	const int ret = axv_write_at(fd, writer->buf + offset, len, offset);

	return ret ? axvcpu_fail(NULL, ret,
				 "checkpoint: writing to descriptor %d, at byte %" PRIu64, fd,
				 offset)
		   : 0;
}

/* With O_APPEND, Linux writes to the end of the file whatever the offset is. */
static int check_size(int fd, uint64_t size)
{
	struct stat st;
	int ret = axv_file_stat(fd, &st);

	if (ret || (uint64_t)st.st_size == size)
		return ret;
	return axvcpu_fail(NULL, -EIO,
			   "checkpoint: the file has %" PRId64 " bytes after writing %" PRIu64
			   ": it was opened with O_APPEND, or others write to it",
			   (int64_t)st.st_size, size);
}

/* The header comes last: a file that is not complete is none of a checkpoint. */
static int write_all(struct writer *writer, int fd)
{
	const struct axv_image *image = writer->checkpoint->image;
	const uint64_t memory = axv_file_memory(writer->used), size = memory + image->len;
	int ret = clear_file(fd, size);

	if (!ret)
		ret = axv_image_write(image, fd, memory, writer->list);
	if (ret)
		return ret;
	seal(writer, size);
	ret = write_part(writer, fd, sizeof(struct axv_file_header), writer->used);
	if (!ret)
		ret = check_size(fd, size);
	return ret ? ret : write_part(writer, fd, 0, sizeof(struct axv_file_header));
}

int axvm_checkpoint_write(const struct axvm_checkpoint *checkpoint, int fd)
{
	struct writer writer = { .checkpoint = checkpoint };
	int ret = check_devices(checkpoint);

	if (!ret)
		ret = check_file(checkpoint, fd);
	if (ret)
		return ret;
	add_all(&writer);
	if (writer.used > FILE_SECTIONS_MAX)
		return axvcpu_fail(NULL, -ENOSPC,
				   "checkpoint: its states and the list of its pages have %" PRIu64
				   " bytes; a file has at most %u",
				   writer.used, FILE_SECTIONS_MAX);
	writer.buf = axv_sys_calloc(1, sizeof(struct axv_file_header) + (size_t)writer.used);
	if (!writer.buf)
		return axvcpu_fail(NULL, -ENOMEM, "checkpoint: allocating %" PRIu64 " bytes",
				   writer.used);
	writer.used = 0;
	add_all(&writer);
	ret = write_all(&writer, fd);
	free(writer.buf);
	return ret;
}
