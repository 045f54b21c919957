/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Reading and writing guest memory from the host, and recording writes through pointers. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/host/sys.h"
#include "lib/machine/object.h"
#include "lib/memory/dirty.h"

int axvm_translate(struct axvm *vm, uint64_t gpa, uint64_t len, void **ptr)
{
	struct axv_memory_map *map = &vm->memory;
	const struct axv_memory_table *table;
	const struct axv_region *region;
	_Atomic uint32_t *reader;
	void *hva = NULL;
	size_t i;

	if (axv_vm_check_process(vm))
		return -EPERM;
	if (!len)
		return axvcpu_fail(vm, -EINVAL, "translate %#" PRIx64 ": the length is 0", gpa);
	reader = axv_srcu_read_lock(&map->srcu);
	table = axv_memory_table(map);
	i = axv_memory_find(map, table, gpa);
	if (i < table->count) {
		region = table->keys[i].region;
		if (len <= region->len - (gpa - region->gpa))
			hva = region->hva + (gpa - region->gpa);
	}
	axv_srcu_read_unlock(&map->srcu, reader);
	if (!hva)
		return axvcpu_fail(vm, -EFAULT,
				   "translate %#" PRIx64 " +%#" PRIx64
				   ": the range is not within one region",
				   gpa, len);
	*ptr = hva;
	return 0;
}

/* The kind of access. A range is processed region by region, in ascending order. */
enum access {
	ACCESS_READ,
	ACCESS_WRITE,
	ACCESS_SET,
	/* The caller has written to it through a pointer. */
	ACCESS_MARK,
};
static const char *const names[] = { "read", "write", "set", "mark_dirty" };

/* Whether the library writes. */
static bool writes(enum access access)
{
	return access == ACCESS_WRITE || access == ACCESS_SET;
}

/* An access to a range of guest memory. */
struct transfer {
	enum access access;
	uint64_t gpa;
	uint64_t len;
	/* The caller's buffer, for READ and for WRITE. */
	unsigned char *out;
	const unsigned char *in;
	/* The value, for SET. */
	uint8_t byte;
};

/* Checks that the whole range is mapped and may be accessed, before any of it is. */
static int check(const struct axv_memory_table *table, const struct transfer *transfer,
		 size_t first)
{
	uint64_t last = transfer->gpa + (transfer->len - 1);
	uint64_t next = transfer->gpa;

	if (last < transfer->gpa)
		return -EFAULT;
	for (size_t i = first; i < table->count; i++) {
		const struct axv_region *region = table->keys[i].region;

		/* Only the first region may start below the range. */
		if (region->gpa > next)
			return -EFAULT;
		if (writes(transfer->access) && axv_region_host_readonly(region))
			return -EROFS;
		if (last - region->gpa < region->len)
			return 0;
		next = region->gpa + region->len;
	}
	return -EFAULT;
}

static void access_piece(const struct transfer *transfer, unsigned char *hva, uint64_t done,
			 uint64_t n)
{
	switch (transfer->access) {
	case ACCESS_READ:
		memcpy(transfer->out + done, hva, n);
		break;
	case ACCESS_WRITE:
		memcpy(hva, transfer->in + done, n);
		break;
	case ACCESS_SET:
		memset(hva, transfer->byte, n);
		break;
	case ACCESS_MARK:
		break;
	}
}

/* --- memory that may be truncated ------------------------------------------------------------- */

static int copy_by_kernel(const struct axvm *vm, unsigned char *to, const unsigned char *from,
			  uint64_t n)
{
	while (n) {
		ssize_t copied = axv_sys_copy(vm->process.pid, to, from, n);

		if (copied <= 0)
			/* The buffer must be valid, as for memcpy(): guest memory is missing. */
			return copied == -EFAULT || !copied ? -EIO : (int)copied;
		to += copied;
		from += copied;
		n -= (uint64_t)copied;
	}
	return 0;
}

static int set_by_kernel(const struct axvm *vm, unsigned char *hva, uint8_t byte, uint64_t n)
{
	unsigned char pattern[4096];
	int ret = 0;

	memset(pattern, byte, sizeof(pattern));
	while (!ret && n) {
		uint64_t some = n < sizeof(pattern) ? n : sizeof(pattern);

		ret = copy_by_kernel(vm, hva, pattern, some);
		hva += some;
		n -= some;
	}
	return ret;
}

/* As access_piece(), but returns an errno instead of raising SIGBUS. */
static int access_truncatable(const struct axvm *vm, const struct transfer *transfer,
			      unsigned char *hva, uint64_t done, uint64_t n)
{
	int ret;

	switch (transfer->access) {
	case ACCESS_READ:
		ret = copy_by_kernel(vm, transfer->out + done, hva, n);
		break;
	case ACCESS_WRITE:
		ret = copy_by_kernel(vm, hva, transfer->in + done, n);
		break;
	default:
		ret = set_by_kernel(vm, hva, transfer->byte, n);
		break;
	}
	if (ret != -EPERM && ret != -EACCES && ret != -ENOSYS)
		return ret;
	/* A sandbox or an old kernel refuses the call: copy at the risk of SIGBUS. */
	access_piece(transfer, hva, done, n);
	return 0;
}

int axv_memory_store(const struct axvm *vm, const struct axv_region *region, uint64_t offset,
		     const void *from, uint64_t len)
{
	const struct transfer transfer = { .access = from ? ACCESS_WRITE : ACCESS_SET,
					   .len = len,
					   .in = from };

	if (unlikely(region->truncatable))
		return access_truncatable(vm, &transfer, region->hva + offset, 0, len);
	access_piece(&transfer, region->hva + offset, 0, len);
	return 0;
}

/* --- the whole range -------------------------------------------------------------------------- */

static const char *reason(int err)
{
	switch (err) {
	case -EFAULT:
		return "the range is not completely mapped";
	case -EROFS:
		return "the region is read-only for the host";
	case -EIO:
		return "the mapped file was truncated, or its storage failed; part of the range "
		       "may have been copied";
	default:
		return "process_vm_readv";
	}
}

static int run(struct axvm *vm, const struct transfer *transfer)
{
	struct axv_memory_map *map = &vm->memory;
	const struct axv_memory_table *table;
	_Atomic uint32_t *reader;
	uint64_t done = 0;
	size_t i;
	int ret;

	if (!transfer->len)
		return 0;
	/* Stays a reader until the copy has ended, so that no region is unmapped meanwhile. */
	reader = axv_srcu_read_lock(&map->srcu);
	table = axv_memory_table(map);
	i = axv_memory_find(map, table, transfer->gpa);
	ret = check(table, transfer, i);
	while (!ret && done < transfer->len) {
		struct axv_region *region = table->keys[i++].region;
		uint64_t offset = transfer->gpa + done - region->gpa;
		uint64_t n = region->len - offset;

		if (n > transfer->len - done)
			n = transfer->len - done;
		if (unlikely(region->truncatable) && transfer->access != ACCESS_MARK)
			ret = access_truncatable(vm, transfer, region->hva + offset, done, n);
		else
			access_piece(transfer, region->hva + offset, done, n);
		/* Also after a failure, since part of the piece may have been written. */
		if (transfer->access != ACCESS_READ)
			axv_dirty_mark(vm, region, offset, n);
		done += n;
	}
	axv_srcu_read_unlock(&map->srcu, reader);
	if (!ret)
		return 0;
	return axvcpu_fail(vm, ret, "%s %#" PRIx64 " +%#" PRIx64 ": %s", names[transfer->access],
			   transfer->gpa, transfer->len, reason(ret));
}

int axvm_read(struct axvm *vm, uint64_t gpa, void *buf, uint64_t len)
{
	const struct transfer transfer = {
		.access = ACCESS_READ, .gpa = gpa, .len = len, .out = buf
	};

	if (axv_vm_check_process(vm))
		return -EPERM;
	return run(vm, &transfer);
}

int axvm_write(struct axvm *vm, uint64_t gpa, const void *buf, uint64_t len)
{
	const struct transfer transfer = {
		.access = ACCESS_WRITE, .gpa = gpa, .len = len, .in = buf
	};

	if (axv_vm_check_process(vm))
		return -EPERM;
	return run(vm, &transfer);
}

int axvm_set(struct axvm *vm, uint64_t gpa, uint8_t byte, uint64_t len)
{
	const struct transfer transfer = {
		.access = ACCESS_SET, .gpa = gpa, .len = len, .byte = byte
	};

	if (axv_vm_check_process(vm))
		return -EPERM;
	return run(vm, &transfer);
}

int axvm_mark_dirty(struct axvm *vm, uint64_t gpa, uint64_t len)
{
	const struct transfer transfer = { .access = ACCESS_MARK, .gpa = gpa, .len = len };

	if (axv_vm_check_process(vm))
		return -EPERM;
	return run(vm, &transfer);
}
