/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The VM object: its fields, access to its operations, the check for forked children. */
#ifndef LIB_MACHINE_OBJECT_H
#define LIB_MACHINE_OBJECT_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "axvcpu/arch.h"
#include "axvcpu/vm.h"
#include "lib/machine/devices.h"
#include "lib/machine/irq_end.h"
#include "lib/machine/life.h"
#include "lib/machine/process.h"
#include "lib/machine/routes.h"
#include "lib/memory/frames.h"
#include "lib/memory/memory.h"

struct axvcpu_load_config;
struct axv_image;

struct axvm {
	const struct axvcpu_arch_ops *ops;
	void *arch;
	struct axvcpu_hal hal;
	struct axv_memory_map memory;
	struct axv_frames frames;
	struct axv_routes routes;
	struct axv_irq_ends irq_ends;
	struct axv_devices devices;
	struct axvm_limits limits;
	/* As axvm_get_config() returns it. */
	struct axvm_config config;
	/* A copy of its arch_config, if the backend has one. */
	void *arch_config;
	/* Those of the config, or of the latest axvm_set_sysregs(). */
	const struct axvm_sysreg_range *sysregs;
	uint32_t nsysregs;
	/* The VM is a clone: its regions with AXVM_MEM_CLONED have the pages of this image. */
	struct axv_image *origin;
	uint64_t id;
	/* KVM ties a VM to the memory of the process that created it. */
	struct axv_process process;
	int kick_signal;
	/* The library handles the kick signal, not the caller. */
	bool kick_handled;
	/* Events are forwarded, which may change the meaning of the frequent exits. */
	bool forwards;

	struct axv_life life;

	/* Guards the fields below, and changes of 'sysregs'. */
	pthread_mutex_t lock;
	atomic_bool finalized;
	uint32_t nvcpus;
	/* vCPUs by id, with limits.vcpus entries. */
	struct axvcpu **vcpus;
};

/* Returns -EPERM, with a message: the caller is a forked child. */
int axv_vm_refuse_child(const struct axvm *vm);
/*
 * Returns 0 in the VM's process; -EPERM, with a message, in a forked child of it. Every public
 * function calls it before it takes a lock, writes to shared memory or sends a signal.
 */
static inline int axv_vm_check_process(const struct axvm *vm)
{
	return axv_process_is_child(&vm->process) ? axv_vm_refuse_child(vm) : 0;
}

/* Returns -ENOTSUP, with a message: the backend does not have the operation 'what'. */
int axv_vm_not_supported(const struct axvm *vm, const char *what);
/*
 * Checks that axvm_load() of the finalized VM would begin, and changes nothing. 'config' is complete.
 */
int axv_vm_check_load(struct axvm *vm, const void *state, size_t size,
		      const struct axvcpu_load_config *config);
/* The backend's result 'ret' of 'what' with a register. Adds the message to -ENOENT. */
int axv_vm_reg_result(const struct axvm *vm, int ret, const char *what, uint64_t id);

/* describe.c: the adjective of enum axvm_irqchip, which must be valid. */
const char *axv_irqchip_name(uint32_t irqchip);

/* Whether the caller's version of the ops table has the entry, and it is not NULL. */
#define HAS_OP(ops, entry) \
	(offsetof(struct axvcpu_arch_ops, entry) + sizeof((ops)->entry) <= (ops)->size && \
	 (ops)->entry)

#endif
