/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The default hardware abstraction: Linux. */
#include "lib/host/hal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "axvcpu/arch.h"
#include "axvcpu/memory.h"
#include "lib/host/sys.h"
#include "lib/memory/frames.h"
#include "lib/memory/memory.h"

/* Size of a huge page on hosts with 4 KiB pages. */
#define HUGE_PAGE (UINT64_C(2) << 20)

static int map_flags(const struct axvm_region *region)
{
	return region->flags & AXVM_MEM_POPULATE ? MAP_POPULATE : 0;
}

static int mmap_region(struct axvm_region *region, int prot, int flags, int fd)
{
	int ret = axv_sys_mmap(region->len, prot, flags | map_flags(region), fd, region->fd_offset,
			       &region->hva);

	if (ret)
		return axvcpu_fail(NULL, ret, "mmap of %" PRIu64 " bytes", region->len);
	if (region->flags & AXVM_MEM_THP)
		axv_sys_madvise(region->hva, region->len, MADV_HUGEPAGE); /* a hint */
	return 0;
}

/*
 * Maps anonymous memory at an hva with the same offset within a huge page as the gpa. Otherwise KVM
 * cannot map huge pages, and each 4 KiB page costs a fault on first access. Maps more than needed,
 * and unmaps both ends.
 */
static int mmap_for_thp(struct axvm_region *region, int prot, int flags)
{
	struct axvm_region wide = *region;
	size_t head;
	int ret;

	wide.len += HUGE_PAGE;
	ret = mmap_region(&wide, prot, flags, -1);
	if (ret)
		return ret;
	head = (region->gpa - (uintptr_t)wide.hva) % HUGE_PAGE;
	region->hva = (char *)wide.hva + head;
	if (head)
		axv_sys_munmap(wide.hva, head);
	axv_sys_munmap((char *)region->hva + region->len, HUGE_PAGE - head);
	return 0;
}

/* The length must be a multiple of the huge page size, which fstat of the memfd reports. */
static int check_huge(int fd, const struct axvm_region *region)
{
	struct stat st;
	int ret = axv_sys_fstat(fd, &st);

	if (ret)
		return axvcpu_fail(NULL, ret, "fstat of a memfd");
	if (region->len % (uint64_t)st.st_blksize)
		return axvcpu_fail(NULL, -EINVAL,
				   "%" PRIu64
				   " bytes are not a multiple of the huge page size, %ld",
				   region->len, (long)st.st_blksize);
	return 0;
}

/* Sets the size of a memfd, seals it and maps it. */
static int map_new_memfd(struct axvm_region *region, int fd, bool huge)
{
	int ret = huge ? check_huge(fd, region) : 0;

	if (ret)
		return ret;
	ret = axv_sys_ftruncate(fd, region->len);
	if (ret)
		return axvcpu_fail(NULL, ret, "ftruncate of a memfd to %" PRIu64, region->len);
	/* Another process that has the memfd could truncate it, and then accesses raise SIGBUS. */
	ret = axv_sys_add_seals(fd, F_SEAL_SHRINK | F_SEAL_GROW);
	if (ret)
		return axvcpu_fail(NULL, ret, "F_ADD_SEALS of a memfd");
	ret = mmap_region(region, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	if (ret == -ENOMEM && huge)
		return axvcpu_fail(NULL, ret,
				   "mmap of %" PRIu64
				   " bytes of huge pages: does vm.nr_hugepages provide them?",
				   region->len);
	return ret;
}

static int map_memfd(struct axvm_region *region)
{
	bool huge = region->flags & AXVM_MEM_HUGETLB;
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING | (huge ? MFD_HUGETLB : 0);
	int fd = axv_sys_memfd_create("axvm", flags);
	int ret;

	if (fd < 0)
		return axvcpu_fail(NULL, fd, "memfd_create%s", huge ? " with huge pages" : "");
	ret = map_new_memfd(region, fd, huge);
	if (ret) {
		axv_sys_close(fd);
		return ret;
	}
	/* Anonymous memory shows no descriptor to the caller; the mapping keeps the memory. */
	if (region->backing == AXVM_MEM_ANONYMOUS)
		axv_sys_close(fd);
	else
		region->fd = fd;
	return 0;
}

static int map_file(struct axvm_region *region)
{
	bool shared = region->flags & AXVM_MEM_SHARED;
	int prot = PROT_READ | PROT_WRITE;
	/* Read before the size: seals stay, so F_SEAL_SHRINK guarantees the size read later. */
	int seals = axv_sys_get_seals(region->fd);
	struct stat st;
	int ret = axv_sys_fstat(region->fd, &st);

	if (ret)
		return axvcpu_fail(NULL, ret, "fstat of descriptor %d", region->fd);
	/* Accesses beyond the end of a file raise SIGBUS. Devices have no size. */
	if (S_ISREG(st.st_mode) && (region->fd_offset > (uint64_t)st.st_size ||
				    region->len > (uint64_t)st.st_size - region->fd_offset))
		return axvcpu_fail(NULL, -EINVAL,
				   "the file has %" PRIu64 " bytes; %#" PRIx64
				   " bytes from offset %#" PRIx64 " do not fit",
				   (uint64_t)st.st_size, region->len, region->fd_offset);
	/* Device memory is never truncated, and the kernel may be unable to copy it. */
	if (!S_ISCHR(st.st_mode) && (seals < 0 || !(seals & F_SEAL_SHRINK)))
		region->flags |= AXVM_MEM_TRUNCATABLE;
	if (shared && (region->flags & AXVM_MEM_READONLY))
		prot = PROT_READ;
	return mmap_region(region, prot, shared ? MAP_SHARED : MAP_PRIVATE, region->fd);
}

/* Maps the memory of a checkpoint, copy on write. Its file is the library's. */
static int map_cloned(struct axvm_region *region)
{
	const int seals = axv_sys_get_seals(region->fd);
	const int ret = mmap_region(region, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE,
				    region->fd);

	/* A checkpoint that was read from a file. */
	if (seals < 0 || !(seals & F_SEAL_SHRINK))
		region->flags |= AXVM_MEM_TRUNCATABLE;
	region->fd = -1;
	region->fd_offset = 0;
	return ret;
}

static int linux_map_memory(void *ctx, struct axvm_region *region)
{
	int flags;

	(void)ctx;
	if (region->flags & AXVM_MEM_CLONED)
		return map_cloned(region);
	if (region->backing == AXVM_MEM_FILE)
		return map_file(region);
	region->fd_offset = 0;
	if (region->backing == AXVM_MEM_MEMFD || (region->flags & AXVM_MEM_HUGETLB))
		return map_memfd(region);
	flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	if ((region->flags & AXVM_MEM_THP) && region->len >= HUGE_PAGE &&
	    region->len <= UINT64_MAX - HUGE_PAGE)
		return mmap_for_thp(region, PROT_READ | PROT_WRITE, flags);
	return mmap_region(region, PROT_READ | PROT_WRITE, flags, -1);
}

static void linux_unmap_memory(void *ctx, const struct axvm_region *region)
{
	(void)ctx;
	axv_sys_munmap(region->hva, region->len);
	if (region->backing == AXVM_MEM_MEMFD)
		axv_sys_close(region->fd);
}

static int linux_set_affinity(void *ctx, const void *set, size_t size)
{
	(void)ctx;
	return axv_sys_setaffinity(set, size);
}

static int linux_get_affinity(void *ctx, void *set, size_t size)
{
	int ret = axv_sys_getaffinity(set, size);

	(void)ctx;
	return ret < 0 ? ret : 0;
}

int axv_hal_complete(struct axvcpu_hal *hal)
{
	if (!hal->map_memory != !hal->unmap_memory)
		return axvcpu_fail(NULL, -EINVAL,
				   "HAL: map_memory and unmap_memory must be given together");
	if (!hal->set_affinity != !hal->get_affinity)
		return axvcpu_fail(NULL, -EINVAL,
				   "HAL: set_affinity and get_affinity must be given together");
	if (!hal->alloc_frame != !hal->free_frame)
		return axvcpu_fail(NULL, -EINVAL,
				   "HAL: alloc_frame and free_frame must be given together");
	if (!hal->phys_to_virt != !hal->virt_to_phys)
		return axvcpu_fail(NULL, -EINVAL,
				   "HAL: phys_to_virt and virt_to_phys must be given together");
	if (!hal->map_memory) {
		hal->map_memory = linux_map_memory;
		hal->unmap_memory = linux_unmap_memory;
	}
	if (!hal->set_affinity) {
		hal->set_affinity = linux_set_affinity;
		hal->get_affinity = linux_get_affinity;
	}
	if (!hal->alloc_frame) {
		hal->alloc_frame = axv_frames_alloc;
		hal->free_frame = axv_frames_free;
	}
	if (!hal->phys_to_virt) {
		hal->phys_to_virt = axv_address_phys_to_virt;
		hal->virt_to_phys = axv_address_virt_to_phys;
	}
	return 0;
}

bool axv_hal_maps_memory(const struct axvcpu_hal *hal)
{
	return hal->map_memory == linux_map_memory;
}
