/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Reading and writing guest memory from the host. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/memory.h"
#include "lib/vm.h"

int axvm_translate(struct axvm *vm, uint64_t gpa, uint64_t len, void **ptr)
{
	struct memory_map *map = &vm->memory;
	const struct region *region;
	void *hva = NULL;
	size_t i;

	if (vm_check_process(vm))
		return -EPERM;
	if (!len)
		return axvcpu_fail(vm, -EINVAL, "translate %#" PRIx64 ": the length is 0", gpa);
	pthread_rwlock_rdlock(&map->lock);
	i = memory_find(map, gpa);
	if (i < map->count) {
		region = map->keys[i].region;
		if (len <= region->len - (gpa - region->gpa))
			hva = region->hva + (gpa - region->gpa);
	}
	pthread_rwlock_unlock(&map->lock);
	if (!hva)
		return axvcpu_fail(vm, -EFAULT,
				   "translate %#" PRIx64 " +%#" PRIx64 ": not within one region",
				   gpa, len);
	*ptr = hva;
	return 0;
}

/* What is done with each piece of a range, in ascending order. */
enum access {
	ACCESS_READ,
	ACCESS_WRITE,
	ACCESS_SET,
};

/* A range and what is on the host's side of it. */
struct transfer {
	enum access access;
	uint64_t gpa;
	uint64_t len;
	/* READ: where to; WRITE: where from. */
	unsigned char *out;
	const unsigned char *in;
	/* SET */
	uint8_t byte;
};

/* Whether the whole range is there and may be written: all or nothing. Needs the lock. */
static int check(struct axvm *vm, const struct transfer *transfer, size_t first)
{
	const struct memory_map *map = &vm->memory;
	uint64_t last = transfer->gpa + (transfer->len - 1);
	uint64_t next = transfer->gpa;

	if (last < transfer->gpa)
		return -EFAULT;
	for (size_t i = first; i < map->count; i++) {
		const struct region *region = map->keys[i].region;

		/* Only the first region may start below what is looked for. */
		if (region->gpa > next)
			return -EFAULT;
		if (transfer->access != ACCESS_READ && region->host_readonly)
			return -EROFS;
		if (last - region->gpa < region->len)
			return 0;
		next = region->gpa + region->len;
	}
	return -EFAULT;
}

static void piece(const struct transfer *transfer, unsigned char *hva, uint64_t done, uint64_t n)
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
	}
}

static int run(struct axvm *vm, const struct transfer *transfer)
{
	struct memory_map *map = &vm->memory;
	uint64_t done = 0;
	size_t i;
	int ret;

	if (!transfer->len)
		return 0;
	/* Held over the copy: nobody unmaps what is being copied. */
	pthread_rwlock_rdlock(&map->lock);
	i = memory_find(map, transfer->gpa);
	ret = check(vm, transfer, i);
	while (!ret && done < transfer->len) {
		const struct region *region = map->keys[i++].region;
		uint64_t offset = transfer->gpa + done - region->gpa;
		uint64_t n = region->len - offset;

		if (n > transfer->len - done)
			n = transfer->len - done;
		piece(transfer, region->hva + offset, done, n);
		done += n;
	}
	pthread_rwlock_unlock(&map->lock);
	if (!ret)
		return 0;
	return axvcpu_fail(vm, ret, "%s %#" PRIx64 " +%#" PRIx64 ": %s",
			   transfer->access == ACCESS_READ ? "read" : "write", transfer->gpa,
			   transfer->len,
			   ret == -EROFS ? "the host may not write there"
					 : "not wholly guest memory");
}

int axvm_read(struct axvm *vm, uint64_t gpa, void *buf, uint64_t len)
{
	const struct transfer transfer = {
		.access = ACCESS_READ, .gpa = gpa, .len = len, .out = buf
	};

	return vm_check_process(vm) ? -EPERM : run(vm, &transfer);
}

int axvm_write(struct axvm *vm, uint64_t gpa, const void *buf, uint64_t len)
{
	const struct transfer transfer = {
		.access = ACCESS_WRITE, .gpa = gpa, .len = len, .in = buf
	};

	return vm_check_process(vm) ? -EPERM : run(vm, &transfer);
}

int axvm_set(struct axvm *vm, uint64_t gpa, uint8_t byte, uint64_t len)
{
	const struct transfer transfer = {
		.access = ACCESS_SET, .gpa = gpa, .len = len, .byte = byte
	};

	return vm_check_process(vm) ? -EPERM : run(vm, &transfer);
}
