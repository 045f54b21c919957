/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The devices of a VM: their ranges, sorted by address, and which threads are in their callbacks.
 *
 * A thread that dispatches has a slot for each address space: a vCPU's owner those of its vCPU, a
 * thread that delivers gathered writes those of the VM. The slot caches the latest target. A thread
 * sets 'inside', loads 'target', calls the target's callback, and clears 'inside'. All changes of
 * devices are made with 'lock' held.
 *
 * Why a removal misses no callback. The accesses named here are sequentially consistent.
 *
 *     dispatch:  D1  sets 'inside'              removal:  R1  stores the new table
 *                D2  loads 'target'                       R2  closes the target in the slot
 *                                                         R3  loads 'inside'
 *
 * A closed target has no offsets, so that D2 after R2 calls no callback of the device. If D2 comes
 * before R2, D1 comes before R3: the removal waits until 'inside' is 0, or 'target' is another one,
 * which the thread stores for a later access. A look-up could store the target after R2: so it
 * first stores axv_target_looking, then loads the table, and R2 waits until that look-up has ended.
 * If it began before R1, R2 finds the target that it stored; otherwise it has the new table. The
 * same wait lets a table be freed.
 */
#ifndef LIB_MACHINE_DEVICES_H
#define LIB_MACHINE_DEVICES_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "axvcpu/device.h"

#define SPACES (AXVM_SPACE_PORT + 1)

/* A power of two above the largest width of an access. */
#define WIDTHS 16u

struct axvm;
struct axvm_device;

typedef int axv_read_fn(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
			uint64_t *value);
typedef int axv_write_fn(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
			 uint64_t value);

/* The part of a range that dispatch uses. */
struct axv_target {
	uint64_t base;
	void *ctx;
	axv_write_fn *write;
	axv_read_fn *read;
	/* By width: the number of offsets at which such an access is within the range. */
	uint64_t offsets[WIDTHS];
	/* NULL: this is none of a device. */
	struct axvm_device *device;
	/* The same target without offsets, in which no access is found; itself if it is that one. */
	const struct axv_target *closed;
};

/* In a slot: its latest access has found no device; or the thread is looking one up. */
extern const struct axv_target axv_target_none;
extern const struct axv_target axv_target_looking;

struct axv_slot {
	_Atomic(const struct axv_target *) target;
	/* A full word: riscv64 changes smaller ones by a function call. */
	_Atomic uint32_t inside;
};

struct axv_range {
	struct axv_target live;
	struct axv_target closed;
	uint64_t len;
	uint32_t space;
	bool coalesced;
	/* The caller's argument of the callbacks. */
	void *ctx;
};

/* An ioeventfd of a device, complete with its address. */
struct axv_device_event;

struct axvm_device {
	struct axvm *vm;
	struct axvm_device *next;
	/* Devices are numbered in the order of addition, from 1. */
	uint64_t number;
	struct axvm_device_config config;
	char name[AXVM_DEVICE_NAME_SIZE];
	/* Held during callbacks. */
	pthread_mutex_t lock;
	/* The thread that calls quiesce, save or restore; 0: none. */
	_Atomic uint64_t driver;
	/* The lock of struct axv_devices guards these two. Number of threads that use the device. */
	unsigned int users;
	struct axv_device_event *events;
	size_t nranges;
	struct axv_range ranges[];
};

struct axv_device_key {
	uint64_t base;
	struct axv_range *range;
};

/* The ranges of one space, sorted. A version is not changed after it is published. */
struct axv_device_table {
	size_t count;
	struct axv_device_key keys[];
};

struct axv_devices {
	/* Guards all changes. Taken after the lock of the memory map, before that of the VM. */
	pthread_mutex_t lock;
	/*
	 * NULL: no ranges. Changed with the lock of the memory map, too, which looks for devices
	 * before it maps a region.
	 */
	_Atomic(const struct axv_device_table *) tables[SPACES];
	/* Number of ranges whose writes are gathered. If there are any, slots cache nothing. */
	_Atomic uint32_t coalesced;
	struct axvm_device *first;
	/* Number of devices that were ever added. */
	uint64_t added;
	/* Held while gathered writes are delivered, by the thread 'deliverer', in these slots. */
	pthread_mutex_t deliver;
	_Atomic uint64_t deliverer;
	struct axv_slot slots[SPACES];
};

/* --- device_table.c --------------------------------------------------------------------------- */

/* Returns the range that contains the whole access, or NULL. 'table' may be NULL. */
const struct axv_range *axv_device_find(const struct axv_device_table *table, uint64_t addr,
					unsigned int width);
/* Returns a range with an address from 'base' to 'last', or NULL. */
const struct axv_range *axv_device_overlap(const struct axv_device_table *table, uint64_t base,
					   uint64_t last);
/*
 * Copies of a table with the ranges of a device in 'space', which must not overlap others, or
 * without them. Return 0 or -ENOMEM; *out is NULL for a table without ranges.
 */
int axv_device_table_with(const struct axv_device_table *old, struct axvm_device *device,
			  uint32_t space, struct axv_device_table **out);
int axv_device_table_without(const struct axv_device_table *old, const struct axvm_device *device,
			     uint32_t space, struct axv_device_table **out);

/* --- device_slots.c --------------------------------------------------------------------------- */

void axv_slots_init(struct axv_slot slots[SPACES]);
/*
 * Begins an access: returns the target whose callbacks the caller calls before axv_slot_leave().
 * Those of axv_target_none return AXVM_UNCLAIMED.
 */
const struct axv_target *axv_slot_enter(struct axv_devices *devices, struct axv_slot *slot,
					uint32_t space, uint64_t addr, unsigned int width);

static inline void axv_slot_leave(struct axv_slot *slot)
{
	atomic_store_explicit(&slot->inside, 0, memory_order_release);
}

/*
 * Whether the calling thread is in a callback of this device, or of any device if it is NULL. The
 * caller holds the lock of the devices.
 */
bool axv_device_calls_us(struct axvm *vm, const struct axvm_device *device);
/*
 * After tables were replaced: waits until no thread uses an old one, and closes the targets of
 * 'device' in all slots; NULL: those of all devices. The caller holds the lock of the devices.
 */
void axv_slots_settle(struct axvm *vm, const struct axvm_device *device);
/*
 * Whether a thread is in a callback of a device that has no range in a table any more. If not, no
 * slot has a target of it. The caller holds the lock of the devices.
 */
bool axv_device_in_use(struct axvm *vm, const struct axvm_device *device);

/* --- coalesced.c ------------------------------------------------------------------------------ */

/*
 * Delivers the writes that the backend has gathered. 'vcpu' is one of the caller's, or NULL.
 * Returns 0, or an errno: then the remaining writes stay.
 */
/*
 * device_state.c: calls 'fn' for the devices in the order in which they were added, until it returns
 * another value than 0, and returns that. The device stays meanwhile; no lock is held.
 */
int axv_devices_each(struct axvm *vm, int (*fn)(struct axvm_device *device, void *ctx), void *ctx);

int axv_coalesced_deliver(struct axvm *vm, struct axvcpu *vcpu);
/* The same for functions that callbacks must not call: -EBUSY, with a message that names 'what'. */
int axv_coalesced_deliver_outside(struct axvm *vm, const char *what);

/* --- device.c --------------------------------------------------------------------------------- */

void axv_devices_init(struct axv_devices *devices);
/* Frees all devices. In a forked child, 'copy', it uses no lock. */
void axv_devices_destroy(struct axv_devices *devices, bool copy);

#endif
