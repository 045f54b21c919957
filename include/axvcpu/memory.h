/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file memory.h
 * Guest memory: regions of guest-physical addresses, backed by host memory.
 *
 * All functions here may be called from any thread, also while vCPUs run. The caller must ensure
 * that no pointer into a region is used after the region is unmapped.
 *
 * Lookups and copies never wait for a change of the memory map by another thread. These are
 * axvm_translate(), axvm_phys_to_virt(), axvm_virt_to_phys(), axvm_regions(), axvm_read(),
 * axvm_write(), axvm_set() and axvm_mark_dirty(). axvm_map() does not wait for them. axvm_unmap()
 * waits for the lookups and copies that began before it.
 *
 * So if a copy waits for a page that another thread provides (userfaultfd, a FUSE file), that
 * thread may look up addresses, but must not unmap a region: it would wait for the copy, which
 * waits for it. It should not map a region while vCPUs run either: KVM may then wait for a vCPU
 * that waits for a page. A signal handler must not leave a copy by a jump: later unmaps would wait
 * forever.
 */
#ifndef AXVCPU_MEMORY_H
#define AXVCPU_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <axvcpu/error.h>
#include <axvcpu/init.h>

#ifdef __cplusplus
extern "C" {
#endif

struct axvm;

/** Source of the host memory of a region. */
enum axvm_backing {
	/** Anonymous private memory, allocated by the HAL. */
	AXVM_MEM_ANONYMOUS = 0,
	/**
	 * A memfd that the library creates. axvm_regions() returns its descriptor, which other
	 * processes can share. It is sealed against shrinking and growing; more seals may be added.
	 */
	AXVM_MEM_MEMFD = 1,
	/**
	 * A file of the caller: `fd`, from `fd_offset` on. Private (copy on write), unless
	 * AXVM_MEM_SHARED is set.
	 */
	AXVM_MEM_FILE = 2,
	/**
	 * Memory of the caller, at `hva`. It must stay mapped and accessible until the region is
	 * unmapped. If it is a file that is truncated, accesses raise SIGBUS, also in this library.
	 */
	AXVM_MEM_CALLER = 3,
};

/** The guest cannot write to the region: its stores become MMIO_WRITE exits. */
#define AXVM_MEM_READONLY (1u << 0)
/** Fault in all pages at once, instead of on first access. */
#define AXVM_MEM_POPULATE (1u << 1)
/**
 * Use huge pages from the hugetlb pool of the host, of its default size. For anonymous memory and
 * memfds.
 */
#define AXVM_MEM_HUGETLB (1u << 2)
/**
 * Ask for transparent huge pages; a hint. For anonymous memory of 2 MiB and more, `hva` and `gpa`
 * then get the same offset within a 2 MiB page, so that KVM can map huge pages.
 */
#define AXVM_MEM_THP (1u << 3)
/** With AXVM_MEM_FILE: writes go to the file. */
#define AXVM_MEM_SHARED (1u << 4)
/**
 * The region holds frames of axvm_alloc_frame(). Set only by the library; axvm_map() rejects it.
 */
#define AXVM_MEM_FRAMES (1u << 5)
/**
 * The region is a file that may be truncated while it is mapped. Accesses beyond its new end then
 * raise SIGBUS. Set only by the library and by the hook map_memory; axvm_map() rejects it.
 *
 * By default, a region of AXVM_MEM_FILE has this flag, including private mappings, unless the file
 * is a character device or a memfd that was sealed against shrinking (F_SEAL_SHRINK) before it was
 * mapped.
 *
 * axvm_read(), axvm_write() and axvm_set() let the kernel copy such memory (process_vm_readv), and
 * return -EIO instead of raising SIGBUS. This takes one system call for each region and copy; for
 * axvm_set(), one for each 4 KiB. Where a sandbox forbids the system call with EPERM, EACCES or
 * ENOSYS, they copy as from other memory, and may raise SIGBUS. Accesses through pointers always
 * may.
 */
#define AXVM_MEM_TRUNCATABLE (1u << 6)

/**
 * The region has a dirty log (dirty.h), which is on. axvm_set_dirty_log() switches it later.
 */
#define AXVM_MEM_LOG_DIRTY (1u << 7)

/**
 * The region belongs to a clone: its pages are those of the checkpoint, which all clones share,
 * until they are written to (axvm_checkpoint_clone()). Set only by the library; axvm_map() rejects
 * it.
 */
#define AXVM_MEM_CLONED (1u << 8)

/** A memory region, for axvm_map() and from axvm_regions(). Initialise with AXVM_REGION_INIT. */
struct axvm_region {
	/** sizeof(struct axvm_region) */
	size_t size;
	/** First guest-physical address, a multiple of the page size of the host. */
	uint64_t gpa;
	/**
	 * Size in bytes, a multiple of the page size of the host (AXVM_MEM_HUGETLB: of the huge
	 * page size).
	 */
	uint64_t len;
	/** enum axvm_backing */
	uint32_t backing;
	/** AXVM_MEM_* flags. */
	uint32_t flags;
	/**
	 * AXVM_MEM_CALLER: the memory, page-aligned. From axvm_regions(): the host address of the
	 * region.
	 */
	void *hva;
	/** AXVM_MEM_FILE: offset in the file in bytes, page-aligned. */
	uint64_t fd_offset;
	/**
	 * AXVM_MEM_FILE: the file, which must stay open until axvm_map() returns. From
	 * axvm_regions(): the descriptor of the memfd, or -1.
	 */
	int fd;
	/**
	 * From axvm_regions(): the number of the memory slot, in KVM too. No other region of the
	 * VM has the same. axvm_map() ignores it.
	 */
	uint32_t slot;
};
#define AXVM_REGION_INIT AXVCPU_INIT(struct axvm_region)

/**
 * Maps a memory region into the guest.
 *
 * All arguments are checked before the kernel sees them, each with its own message.
 *
 * @param vm     the VM.
 * @param region the region.
 * @return 0; -EINVAL: `region` is NULL, or the region is empty, not aligned, wraps around, exceeds
 *         the guest-physical address width or the largest size (axvm_get_limits()), has an unknown
 *         backing or flag, a flag that the backing does not allow, a NULL or unaligned `hva`, or a
 *         file that is too short; -E2BIG; -EEXIST: it overlaps another region, or an interrupt
 *         controller; -ENOSPC: all memory slots are in use; -ENOTSUP: AXVM_MEM_LOG_DIRTY, and the
 *         backend has no dirty tracking; -EBUSY: AXVM_MEM_LOG_DIRTY, and a checkpoint uses the
 *         logs; -ENOMEM; -EPERM; errnos of mmap and of the kernel.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_map(struct axvm *vm, const struct axvm_region *region);

/**
 * Unmaps a memory region.
 *
 * The region is first removed from the guest and from new lookups. Then the call waits until the
 * lookups and copies in progress, anywhere in the memory of this VM, have ended. Then the host
 * memory is unmapped, unless it is the caller's. The call may also wait for some lookups that begin
 * meanwhile, but not indefinitely. Loads and stores of the guest at these addresses then become
 * MMIO exits. On failure the region stays mapped.
 *
 * @param vm  the VM.
 * @param gpa first address of the region.
 * @param len its full size in bytes; regions cannot be unmapped partially.
 * @return 0; -ENOENT: there is no region with this address and size; -EBUSY: the region is
 *         AXVM_MEM_FRAMES and is unmapped automatically; -ENOMEM; -EPERM; errnos of the kernel.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_unmap(struct axvm *vm, uint64_t gpa, uint64_t len);

/**
 * Makes a region read-only for the guest, or writable. Does nothing if it is so already.
 *
 * The result is as if the region had been mapped with the other AXVM_MEM_READONLY, but its memory,
 * its slot and its dirty log stay. The hypervisor cannot change a mapped region in this way: the
 * region is unmapped and mapped again, so no vCPU may execute meanwhile. If that fails, the region
 * is as before. If even the earlier mapping cannot be restored, the message says so, and the region
 * is missing in the guest until another axvm_set_readonly() succeeds; the host can still access it.
 *
 * @param vm       the VM.
 * @param gpa      first address of the region.
 * @param len      its full size in bytes.
 * @param readonly true: read-only; false: writable. AXVM_MEM_CALLER: the memory must then be
 *                 writable for the host.
 * @return 0; -ENOENT: there is no region with this address and size; -EBUSY: a vCPU may execute,
 *         as it is neither Created, Free, paused, nor the calling thread's, or the region is
 *         AXVM_MEM_FRAMES; -EROFS: a file that was mapped read-only with AXVM_MEM_SHARED cannot
 *         become writable; -ENOMEM; -EPERM; errnos of the kernel.
 *
 * States: each vCPU Created, Free, paused, or owned by the calling thread, until the call returns.
 * Threads: any.
 */
AXVCPU_API int axvm_set_readonly(struct axvm *vm, uint64_t gpa, uint64_t len, bool readonly);

/**
 * Lists the memory regions by ascending address.
 *
 * @param vm      the VM.
 * @param first   number of regions to skip.
 * @param count   number of elements of `regions`.
 * @param regions receives up to `count` regions; may be NULL if `count` is 0. The caller sets
 *                `size` of the first element, which is the size of every element.
 * @return the total number of regions; -EINVAL: `size` is too small, or `regions` is NULL and
 *         `count` is not 0; -E2BIG; -EPERM.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_regions(struct axvm *vm, size_t first, size_t count,
			    struct axvm_region *regions);

/**
 * Translates a guest-physical range within one region to a host address.
 *
 * The pointer is valid until the region is unmapped. Writing through it to memory that the host
 * cannot write (a read-only file that is mapped shared) raises a signal; axvm_write() returns an
 * error instead. The same applies to any access to a part of AXVM_MEM_TRUNCATABLE memory that was
 * truncated.
 *
 * @param vm  the VM.
 * @param gpa first address of the range.
 * @param len size of the range in bytes, at least 1.
 * @param ptr receives the host address of `gpa`.
 * @return 0; -EFAULT: the range is not completely in one region, or it wraps around; -EINVAL: `len`
 *         is 0; -EPERM.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_translate(struct axvm *vm, uint64_t gpa, uint64_t len, void **ptr);

/**
 * Copies from guest memory, across adjacent regions.
 *
 * @param vm  the VM.
 * @param gpa guest-physical address to copy from.
 * @param buf receives the bytes.
 * @param len number of bytes; 0 is allowed.
 * @return 0; -EFAULT: part of the range is not guest memory, and nothing was copied; -EIO: part of
 *         the range is AXVM_MEM_TRUNCATABLE memory that cannot be accessed, and any part of the
 *         rest may have been copied; -ENOMEM: as -EIO, for lack of host memory; -EPERM.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_read(struct axvm *vm, uint64_t gpa, void *buf, uint64_t len);

/**
 * Copies into guest memory, across adjacent regions.
 *
 * It also writes to memory that is read-only for the guest.
 *
 * @param vm  the VM.
 * @param gpa guest-physical address to copy to.
 * @param buf the bytes.
 * @param len number of bytes; 0 is allowed.
 * @return 0; -EFAULT: part of the range is not guest memory, and nothing was copied; -EROFS: the
 *         host cannot write to part of the range, and nothing was copied; -EIO: part of the range
 *         is AXVM_MEM_TRUNCATABLE memory that cannot be accessed, and any part of the rest may have
 *         been copied; -ENOMEM: as -EIO, for lack of host memory; -EPERM.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_write(struct axvm *vm, uint64_t gpa, const void *buf, uint64_t len);

/**
 * Fills guest memory with a byte, across adjacent regions.
 *
 * @param vm   the VM.
 * @param gpa  guest-physical address of the first byte.
 * @param byte the value.
 * @param len  number of bytes; 0 is allowed.
 * @return 0; -EFAULT: part of the range is not guest memory, and nothing was written; -EROFS: the
 *         host cannot write to part of the range, and nothing was written; -EIO: part of the range
 *         is AXVM_MEM_TRUNCATABLE memory that cannot be accessed, and any part of the rest may have
 *         been written; -ENOMEM: as -EIO, for lack of host memory; -EPERM.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_set(struct axvm *vm, uint64_t gpa, uint8_t byte, uint64_t len);

/**
 * Allocates a frame: one host page of guest memory, zeroed.
 *
 * The hook alloc_frame of the HAL provides it. The default takes frames from separate regions of
 * 512 frames each, so that a frame does not need its own memory slot. The library maps these
 * regions on demand at unused addresses, from the top of the guest-physical address width down to 4
 * GiB. axvm_regions() lists them as AXVM_MEM_FRAMES. Empty ones are unmapped, except for one in
 * reserve.
 *
 * The guest can access these regions. A frame is zeroed when it is allocated, so anything that the
 * guest has written to it before is lost.
 *
 * @param vm  the VM.
 * @param gpa receives the guest-physical address of the frame.
 * @return 0; -ENOSPC: all memory slots are in use, or no address range is free; -EINVAL: the hook
 *         returned an unaligned address; -ENOMEM; -EPERM; errnos of the kernel and of the hooks.
 *
 * Threads: any.
 * Source: AxMmHal::alloc_frame(), through AxVCpuHal::MmHal
 */
AXVCPU_API int axvm_alloc_frame(struct axvm *vm, uint64_t *gpa);

/**
 * Frees a frame. axvm_free() frees the remaining ones.
 *
 * @param vm  the VM.
 * @param gpa the address from axvm_alloc_frame().
 * @return 0; -EINVAL: the address is not aligned; -ENOENT: no frame is allocated at the address;
 *         -EPERM; errnos of the hook.
 *
 * Threads: any.
 * Source: AxMmHal::dealloc_frame(), through AxVCpuHal::MmHal
 */
AXVCPU_API int axvm_free_frame(struct axvm *vm, uint64_t gpa);

/**
 * Translates a guest-physical address to a host address.
 *
 * The hook phys_to_virt of the HAL does it; the default is axvm_translate() of one byte.
 *
 * @param vm  the VM.
 * @param gpa the guest-physical address.
 * @return the host address, valid until the region is unmapped, or NULL if the address is not guest
 *         memory. axvcpu_last_error() then returns a message.
 *
 * Threads: any.
 * Source: AxMmHal::phys_to_virt(), through AxVCpuHal::MmHal
 */
AXVCPU_API void *axvm_phys_to_virt(struct axvm *vm, uint64_t gpa);

/**
 * Translates a host address to a guest-physical address.
 *
 * The hook virt_to_phys of the HAL does it. The default returns the lowest address if several
 * regions share the memory. It takes time in proportion to the number of regions.
 *
 * @param vm  the VM.
 * @param ptr any host address; it is not accessed.
 * @param gpa receives the guest-physical address.
 * @return 0; -ENOENT: the address is in no region; -EPERM; errnos of the hook.
 *
 * Threads: any.
 * Source: AxMmHal::virt_to_phys(), through AxVCpuHal::MmHal
 */
AXVCPU_API int axvm_virt_to_phys(struct axvm *vm, const void *ptr, uint64_t *gpa);

#ifdef __cplusplus
}
#endif

#endif
