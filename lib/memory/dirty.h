/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Dirty tracking. Each region has one bitmap of the pages that were changed and not taken yet. The
 * library's own writes set bits in it at once. A reader adds the bitmap of the hypervisor to it, and
 * then takes bits from it.
 *
 * A writer writes, then looks whether the log is on, then sets the bit; a reader clears the bit,
 * then reads the page. So a write that a reader misses has set its bit for the next round. Writers
 * are readers of 'srcu', and switching a log on waits for them: those that found it off have
 * finished their writes when the log is on.
 */
#ifndef LIB_DIRTY_H
#define LIB_DIRTY_H

#include "axvcpu/dirty.h"
#include "lib/base/compiler.h"
#include "lib/memory/memory.h"

struct axv_dirty_log {
	/* Number of words of each bitmap: bit n of word w is page 64 * w + n of the region. */
	size_t words;
	/* First the changed pages, accessed atomically; then room for the hypervisor's bitmap. */
	uint64_t bits[];
};

/* Returns -ENOTSUP, with a message, if the backend has no dirty tracking. */
int axv_dirty_check(const struct axvm *vm);
/*
 * Empties the log of a region, which is off, and allocates it if there is none yet. Returns 0, or
 * -ENOMEM with a message.
 */
int axv_dirty_prepare(const struct axvm *vm, struct axv_region *region);
/* Adds the hypervisor's bitmap to a log that is on. The caller holds 'change'. */
int axv_dirty_fetch(struct axvm *vm, struct axv_region *region);

/*
 * axvm_set_dirty_log() and axvm_take_dirty() for 'reader', which must be the reader of the logs; NULL:
 * they must have none. Their arguments are valid.
 */
int axv_dirty_set_log(struct axvm *vm, const struct axv_log_reader *reader, uint64_t gpa,
		      uint64_t len, bool on);
int axv_dirty_take(struct axvm *vm, const struct axv_log_reader *reader, uint64_t *cursor,
		   size_t count, struct axvm_dirty_range *ranges);
/* Returns 0 if that is so, or -EBUSY with a message. The caller holds 'change'. */
int axv_dirty_check_reader(struct axvm *vm, const struct axv_log_reader *reader, const char *what);

void axv_dirty_mark_logged(const struct axvm *vm, struct axv_region *region, uint64_t offset,
			   uint64_t len);
/* The library has written to these bytes of the region. The caller is a reader of 'srcu'. */
static inline void axv_dirty_mark(const struct axvm *vm, struct axv_region *region, uint64_t offset,
				  uint64_t len)
{
	if (unlikely(axv_region_flags(region) & AXVM_MEM_LOG_DIRTY))
		axv_dirty_mark_logged(vm, region, offset, len);
}

#endif
