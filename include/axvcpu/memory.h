/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file memory.h
 * Guest memory: regions of guest-physical addresses backed by host memory.
 *
 * All functions here may be called from any thread, also while vCPUs run. Before a region is
 * unmapped, the caller must have stopped using pointers into it.
 *
 * Look-ups never wait for a change: axvm_translate(), axvm_phys_to_virt(), axvm_virt_to_phys(),
 * axvm_regions(), axvm_read(), axvm_write() and axvm_set() neither wait for a map or an unmap that
 * another thread is in, nor keep a map waiting. An unmap waits for the look-ups and copies that
 * began before it.
 *
 * So if a copy waits for a page that another thread is to provide (userfaultfd, a FUSE file), that
 * thread may look up addresses, but must not unmap: it would wait for the copy, which waits for it.
 * Nor should it map while vCPUs run, as KVM may then wait for a vCPU that waits for a page. A
 * signal handler must not leave a copy by a jump: later unmaps would wait for its end.
 */
#ifndef AXVCPU_MEMORY_H
#define AXVCPU_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include <axvcpu/error.h>
#include <axvcpu/init.h>

#ifdef __cplusplus
extern "C" {
#endif

struct axvm;

/** Where a region's host memory comes from. */
enum axvm_backing {
	/** Anonymous private memory, allocated by the HAL. */
	AXVM_MEM_ANONYMOUS = 0,
	/**
	 * A memfd of the library's own, which axvm_regions() shows: shareable with other processes.
	 * It is sealed against shrinking and growing; more seals may be added.
	 */
	AXVM_MEM_MEMFD = 1,
	/** A file of the caller's: `fd`, from `fd_offset`. Private (copy on write), or AXVM_MEM_SHARED. */
	AXVM_MEM_FILE = 2,
	/**
	 * The caller's own memory at `hva`. It must stay mapped until the region is unmapped, and
	 * must stay accessible: if it is a file that is truncated, accesses raise SIGBUS, also in
	 * this library.
	 */
	AXVM_MEM_CALLER = 3,
};

/** The guest may not write: its stores become MMIO_WRITE exits. */
#define AXVM_MEM_READONLY (1u << 0)
/** Fault all pages in now, not on first touch. */
#define AXVM_MEM_POPULATE (1u << 1)
/** Huge pages from the host's pool (hugetlb, its default size). Anonymous and memfd only. */
#define AXVM_MEM_HUGETLB (1u << 2)
/**
 * Ask for transparent huge pages. A hint. Anonymous memory of 2 MiB and more is then placed such that the
 * guest gets a huge page as a whole: at an address that begins as far into one as its gpa.
 */
#define AXVM_MEM_THP (1u << 3)
/** File backing: writes reach the file. */
#define AXVM_MEM_SHARED (1u << 4)
/** Listed, and for the HAL: the library's own, for axvm_alloc_frame(). Not to be asked for. */
#define AXVM_MEM_FRAMES (1u << 5)
/**
 * Listed, and set by the HAL's map_memory, not to be asked for: a file that may be truncated while
 * it is mapped, after which accesses beyond its new end raise SIGBUS. axvm_read(), axvm_write() and
 * axvm_set() have the kernel copy (process_vm_readv), and return -EIO instead. It costs a system
 * call for each region and copy, for axvm_set() one for each 4 KiB. Where a sandbox forbids the
 * call with EPERM, EACCES or ENOSYS, they copy as from other memory, and may raise SIGBUS. Accesses
 * through pointers always may.
 *
 * By default AXVM_MEM_FILE has it, private mappings included, unless the file is a character device
 * or a memfd that was sealed against shrinking (F_SEAL_SHRINK) before it was mapped.
 */
#define AXVM_MEM_TRUNCATABLE (1u << 6)

/** A region, as asked for and as listed. Initialise with AXVM_REGION_INIT. */
struct axvm_region {
	/** sizeof(struct axvm_region) */
	size_t size;
	/** First guest-physical address; a multiple of the host's page size. */
	uint64_t gpa;
	/** Bytes; a multiple of the host's page size (hugetlb: of the huge page size). */
	uint64_t len;
	/** enum axvm_backing */
	uint32_t backing;
	/** AXVM_MEM_* flags */
	uint32_t flags;
	/** AXVM_MEM_CALLER: the memory, page-aligned. Listed: where the region is in this process. */
	void *hva;
	/** AXVM_MEM_FILE: offset in the file, page-aligned. */
	uint64_t fd_offset;
	/** AXVM_MEM_FILE: the file, borrowed for the call. Listed: the memfd's descriptor, else -1. */
	int fd;
	uint32_t reserved;
};
#define AXVM_REGION_INIT AXVCPU_INIT(struct axvm_region)

/**
 * Maps a region into the guest.
 *
 * All is checked before the kernel sees it, each with a message of its own.
 *
 * @param region what to map.
 * @return 0; -EINVAL: NULL, empty, unaligned, wrapping, wider than the guest-physical width, longer
 *         than the limit (axvm_get_limits()), unknown backing or flags, a flag that does not go with
 *         the backing, hva 0 or unaligned, a file too short; -E2BIG; -EEXIST: overlaps a region;
 *         -ENOSPC: no slot is left; -ENOMEM;
 *         -EPERM: another process's VM; errnos of mmap and of the kernel.
 */
AXVCPU_API int axvm_map(struct axvm *vm, const struct axvm_region *region);

/**
 * Unmaps a region from the guest, and from the host unless it is the caller's.
 *
 * First from the guest and for new look-ups; then this waits until the look-ups and copies in
 * progress have ended, anywhere in this VM's memory; then the host's memory goes. It may wait for
 * some that begin meanwhile, but not for one after another without end.
 *
 * @param gpa its first address.
 * @param len its whole length: regions go as they came.
 * @return 0; -ENOENT: no region is exactly there; -EBUSY: it is AXVM_MEM_FRAMES, which go by
 *         themselves; -ENOMEM; -EPERM; errnos of the kernel. On failure it stays.
 */
AXVCPU_API int axvm_unmap(struct axvm *vm, uint64_t gpa, uint64_t len);

/**
 * Lists the regions by ascending address.
 *
 * @param first   how many to skip.
 * @param regions receives up to `count` regions; may be NULL if `count` is 0. The `size` of the
 *                first one, set by the caller, is the stride of the array.
 * @return how many regions there are in all; -EINVAL, -E2BIG: that size makes no sense, or
 *         `regions` is NULL and `count` is not 0.
 */
AXVCPU_API int axvm_regions(struct axvm *vm, size_t first, size_t count,
			    struct axvm_region *regions);

/**
 * Translates a guest-physical range within one region.
 *
 * The pointer is valid until the region is unmapped. Writing through it to memory that the host
 * may not write (a read-only file mapped shared) faults: axvm_write() refuses instead. So does any
 * access to a part of AXVM_MEM_TRUNCATABLE memory that is gone.
 *
 * @param len bytes; at least 1.
 * @param ptr receives the host address of `gpa`.
 * @return 0; -EFAULT: not wholly in one region, or it wraps around; -EINVAL: empty.
 */
AXVCPU_API int axvm_translate(struct axvm *vm, uint64_t gpa, uint64_t len, void **ptr);

/**
 * Copies from guest memory, across adjoining regions.
 *
 * @return 0; -EFAULT: part of the range is no guest memory, and nothing was copied; -EIO: the range
 *         is in AXVM_MEM_TRUNCATABLE memory of which a part cannot be accessed, and any part of the
 *         rest may have been copied; -ENOMEM: so can this be, there only. Nothing to copy is 0.
 */
AXVCPU_API int axvm_read(struct axvm *vm, uint64_t gpa, void *buf, uint64_t len);

/**
 * Copies into guest memory, across adjoining regions; also into what the guest may only read.
 *
 * @return as axvm_read(); -EROFS: the host itself may not write there; nothing was copied.
 */
AXVCPU_API int axvm_write(struct axvm *vm, uint64_t gpa, const void *buf, uint64_t len);

/** Fills guest memory with a byte: otherwise as axvm_write(). */
AXVCPU_API int axvm_set(struct axvm *vm, uint64_t gpa, uint8_t byte, uint64_t len);

/**
 * Allocates a frame: guest memory of one page (the host's, axvm_get_limits()), zeroed.
 *
 * By the HAL's alloc_frame. The default takes frames from regions of its own, of 512 frames each,
 * so that a frame costs no memory slot of the hypervisor's. They lie where no region is, from the
 * top of the guest-physical width down to 4 GiB, appear when they are needed, are listed by
 * axvm_regions() as AXVM_MEM_FRAMES, and vanish when they are empty, but for one in reserve.
 * Guests see them: what a guest writes to a frame that is free is gone when it is allocated.
 *
 * @param gpa receives its guest-physical address.
 * @return 0; -ENOSPC: no slot is left, or no room in the guest-physical width; -ENOMEM; -EPERM:
 *         another process's VM; errnos of the kernel and of the HAL's hooks.
 *
 * Threads: any. axvcpu: AxVCpuHal::alloc_frame.
 */
AXVCPU_API int axvm_alloc_frame(struct axvm *vm, uint64_t *gpa);

/**
 * Frees a frame. Those that are left are freed with the VM.
 *
 * @param gpa what axvm_alloc_frame() gave.
 * @return 0; -EINVAL: unaligned; -ENOENT: no frame is allocated there; -EPERM; errnos of the HAL's
 *         hook.
 *
 * Threads: any. axvcpu: AxVCpuHal::dealloc_frame.
 */
AXVCPU_API int axvm_free_frame(struct axvm *vm, uint64_t gpa);

/**
 * Translates a guest-physical address, by the HAL's phys_to_virt; by default as axvm_translate()
 * of one byte.
 *
 * @return the host address, valid until the region is unmapped; NULL: it is not guest memory, and
 *         axvcpu_last_error() says so.
 *
 * Threads: any. axvcpu: AxVCpuHal::phys_to_virt.
 */
AXVCPU_API void *axvm_phys_to_virt(struct axvm *vm, uint64_t gpa);

/**
 * Finds the guest-physical address of a host address, by the HAL's virt_to_phys; by default the
 * lowest, if several regions share the memory. Takes time in proportion to the number of regions.
 *
 * @param ptr any address; it is not accessed.
 * @param gpa receives the guest-physical address.
 * @return 0; -ENOENT: no region has it; errnos of the HAL's hook.
 *
 * Threads: any. axvcpu: AxVCpuHal::virt_to_phys.
 */
AXVCPU_API int axvm_virt_to_phys(struct axvm *vm, const void *ptr, uint64_t *gpa);

#ifdef __cplusplus
}
#endif

#endif
