/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Shared by the KVM backends of all architectures. */
#ifndef KVM_KVM_H
#define KVM_KVM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "axvcpu/axvcpu.h"
#include "backends/kvm/ioctl.h"
#include "backends/kvm/uapi.h"
#include "lib/base/compiler.h"
#include "lib/host/sys.h"

/* struct axk_vm_arch, struct axk_vcpu_arch, and the architecture's part of the run loop. */
#include "kvm_arch.h"

/* Upper bound of the size of one port I/O item in bytes: KVM stores the size in a byte. */
#define KVM_ITEM_MAX 256u

/* The largest number of gsis that is used; KVM has as many, or fewer. */
#define KVM_GSIS_MAX 4096u

struct axk_vcpu {
	/* --- fields that run uses --- */
	struct kvm_run *run;
	/* Size of the mapping at 'run' in bytes. */
	size_t run_size;
	/* The last offset in the mapping at which KVM_ITEM_MAX bytes fit. */
	size_t last_item;
	/*
	 * Where the latest exit expects an 8-byte answer; NULL if it takes another kind of answer.
	 */
	void *answer;
	int fd;
	/*
	 * Run must do pending work before it enters: 'stashed', or that of axk_arch_before_entry().
	 * A spurious true only costs one entry on the slow path.
	 */
	bool has_pending_work;
	/* A flush ended in another exit, which the next run must return. */
	bool stashed;
	/* A kick that no run has consumed. A full word, for the reason in lib/vcpu/vcpu.h. */
	_Atomic uint32_t kick;
	/* AXVM_FORWARD_* of the VM's config. */
	uint32_t forward;

	/* --- the rest --- */
	bool is_setup;
	/* Whether 'signal_mask', the mask during KVM_RUN, is set: signals.c. */
	bool has_signal_mask;
	/* Whether the owner blocked the kick signal when signals.c last checked. */
	bool kick_blocked;
	uint64_t signal_mask;
	uint32_t id;
	uint64_t entry;
	struct axk_vm *vm;
	/* The VM's list of freed vCPUs: KVM never releases an id. */
	struct axk_vcpu *next_unused;
	/* dirty.c: the ring, or NULL; the number of entries taken from it; the VM's list of rings. */
	struct kvm_dirty_gfn *dirty_ring;
	uint32_t dirty_next;
	struct axk_vcpu *dirty_list;
	struct axk_vcpu_arch arch;
};

struct axk_dirty_log;

/* Dirty rings; dirty.c. */
struct axk_dirty {
	/* Entries of the ring of each vCPU, a power of 2; 0: no rings, and nothing below is used. */
	uint32_t ring_entries;
	/* KVM also has bitmaps, for writes that no vCPU makes. */
	bool has_bitmap;
	/* Guards the rings and the fields below. */
	pthread_mutex_t lock;
	/* Logs by slot; NULL: not recorded. */
	struct axk_dirty_log **logs;
	uint32_t slots;
	/* vCPUs with a ring. */
	struct axk_vcpu *vcpus;
	/* Entries that were taken, and that KVM has not reset yet. */
	uint64_t to_reset;
};

struct axk_vm {
	struct axvm *vm;
	int fd;
	/* Size of a vCPU's shared mapping in bytes: struct kvm_run and the pages after it. */
	size_t run_size;
	uint32_t max_vcpus;
	uint32_t gpa_bits;
	int kick_signal;
	/* enum axvm_irqchip */
	uint32_t irqchip;
	/* AXVM_FORWARD_* of the config. */
	uint32_t forward;
	/* KVM delivers interrupts to vCPUs by a LAPIC, GIC or AIA. False: the caller injects. */
	bool kernel_irqchip;
	/* Number of gsis, from 0, that can have a route; with kernel_irqchip. */
	uint32_t gsis;
	/* Bitmap by gsi: the line was raised and not lowered since. */
	_Atomic uint64_t raised[KVM_GSIS_MAX / 64];
	/* Bitmap by gsi: its route is a message. */
	_Atomic uint64_t messages[KVM_GSIS_MAX / 64];
	struct axk_vcpu *unused;
	/* The ring of coalesced writes in the vCPUs' mappings; coalesced.c. 0 entries: not used yet. */
	size_t ring_offset;
	uint32_t ring_entries;
	/* Number of memory slot changes that have begun; for axk_arch_fault_may_pass(). */
	atomic_uint slot_changes;
	struct axk_dirty dirty;
	struct axk_vm_arch arch;
};

/* --- dev.c ------------------------------------------------------------------------------------ */

/* Returns a descriptor, or a negative errno with a message. 'vm' has the log hook, or is NULL. */
int axk_dev_open(const struct axvm *vm);
/*
 * Checks that the descriptor is KVM, of the supported API version, with the required capabilities.
 */
int axk_dev_check(const struct axvm *vm, int kvm_fd);

/* --- entries of the ops tables: vm.c ---------------------------------------------------------- */

int axk_vm_new(struct axvm *vm, const struct axvm_config *config, struct axvm_limits *limits,
	       void **arch_vm);
void axk_vm_free(void *arch_vm);
int axk_vm_fd(void *arch_vm);

/* Upper bound of the width of guest-physical addresses: they are uint64_t. */
#define KVM_GPA_BITS_MAX 64
/* Returns the last address of 'gpa_bits' bits. */
static inline uint64_t axk_last_gpa(uint32_t gpa_bits)
{
	return gpa_bits < KVM_GPA_BITS_MAX ? (UINT64_C(1) << gpa_bits) - 1 : UINT64_MAX;
}

/* --- memory.c --------------------------------------------------------------------------------- */

int axk_vm_map(void *arch_vm, const struct axvm_region *region, uint32_t slot);
int axk_vm_unmap(void *arch_vm, const struct axvm_region *region, uint32_t slot);
int axk_set_dirty_log(void *arch_vm, const struct axvm_region *region, uint32_t slot);

/* --- dirty.c ---------------------------------------------------------------------------------- */

/* Enables rings of 'entries' for a VM of up to 'slots' slots; 0: no rings. */
int axk_dirty_init(struct axk_vm *kvm, uint32_t entries, uint32_t slots);
void axk_dirty_destroy(struct axk_vm *kvm);
/* Maps the ring of a new vCPU, if the VM has rings. */
int axk_dirty_vcpu_new(struct axk_vcpu *vcpu);
/* Takes the last entries from the ring and unmaps it. */
void axk_dirty_vcpu_close(struct axk_vcpu *vcpu);
/* Prepares recording the slot, if the region has its log on. */
int axk_dirty_begin(struct axk_vm *kvm, const struct axvm_region *region, uint32_t slot);
/* Forgets the pages of the slot, if any are recorded. */
void axk_dirty_end(struct axk_vm *kvm, uint32_t slot);
/* The vCPU ended KVM_RUN because its ring is full. Returns 0 to enter the guest again. */
int axk_dirty_ring_full(struct axk_vcpu *vcpu);
int axk_get_dirty(void *arch_vm, const struct axvm_region *region, uint32_t slot, uint64_t *bitmap);

/* --- capability.c ----------------------------------------------------------------------------- */

int axk_vm_capability(void *arch_vm, unsigned int capability);
int axk_vm_enable_capability(void *arch_vm, unsigned int capability, const uint64_t args[4]);
int axk_vcpu_enable_capability(void *arch_vcpu, unsigned int capability, const uint64_t args[4]);

/*
 * Returns the value of a capability that 'option' of the config needs; -ENOTSUP, with a message
 * that names both, if KVM lacks it.
 */
int axk_vm_require(const struct axk_vm *kvm, unsigned int capability, const char *name,
		   const char *option);
int axk_vm_enable(const struct axk_vm *kvm, unsigned int capability, uint64_t arg,
		  const char *name);
/* axk_vm_require(), then axk_vm_enable(). */
int axk_vm_enable_for(const struct axk_vm *kvm, unsigned int capability, uint64_t arg,
		      const char *name, const char *option);

/*
 * Leaves the message of an ioctl 'what' that failed with 'ret': that KVM lacks the capability, if
 * it does; else the reason 'why', which may be "". Returns -ENOTSUP or 'ret'.
 */
int axk_capability_failed(const struct axk_vm *kvm, int ret, const char *what,
			  unsigned int capability, const char *name, const char *why);
#define axk_failed_because(kvm, ret, what, capability, why) \
	axk_capability_failed((kvm), (ret), (what), (capability), #capability, (why))
#define axk_failed_for(kvm, ret, what, capability) \
	axk_failed_because(kvm, ret, what, capability, "")

/* --- vcpu.c ----------------------------------------------------------------------------------- */

int axk_vcpu_new(void *arch_vm, const struct axvcpu_config *config, void **arch_vcpu);
void axk_vcpu_free(void *arch_vcpu);
/* Closes the descriptor and frees the vCPU, without keeping it for reuse. */
void axk_vcpu_close(struct axk_vcpu *vcpu);
int axk_set_ept_root(void *arch_vcpu, uint64_t root);
int axk_vcpu_fd(void *arch_vcpu);

/* --- one_reg.c -------------------------------------------------------------------------------- */

/*
 * A register by its KVM id, which encodes its size. -ENOENT, without a message: no such register.
 */
int axk_get_one_reg(struct axk_vcpu *vcpu, uint64_t id, void *value);
int axk_set_one_reg(struct axk_vcpu *vcpu, uint64_t id, const void *value);
/* Whether 'id' is the KVM id of a register of at most 8 bytes. */
static inline bool axk_is_value_id(uint64_t id)
{
	size_t size = axvcpu_reg_size(id);

	return id >> 56 && size && size <= sizeof(uint64_t);
}

int axk_get_reg_bytes(void *arch_vcpu, uint64_t id, void *buf, size_t len);
int axk_set_reg_bytes(void *arch_vcpu, uint64_t id, const void *buf, size_t len);
int axk_reg_list(void *arch_vcpu, uint64_t *ids, size_t count);

/* --- for the walks of the guest's page tables ------------------------------------------------- */

/* Whether all bits above the highest of 'bits' translated ones equal that one. */
static inline bool axk_is_canonical(uint64_t gva, unsigned int bits)
{
	uint64_t upper = gva >> (bits - 1);

	return !upper || upper == UINT64_MAX >> (bits - 1);
}

/* The translation without paging. */
static inline void axk_translate_directly(uint64_t gva, struct axvcpu_translation *translation)
{
	translation->gpa = gva;
	translation->access = AXVCPU_ACCESS_READ | AXVCPU_ACCESS_WRITE | AXVCPU_ACCESS_EXEC;
	translation->user_access = translation->access;
}

/* --- percpu.c --------------------------------------------------------------------------------- */

int axk_percpu_enable(uint32_t cpu, uint64_t data[4]);
void axk_percpu_disable(uint64_t data[4]);
int axk_percpu_guest_page_table_levels(const uint64_t data[4]);
int axk_percpu_capability(const uint64_t data[4], unsigned int capability);
int axk_percpu_fd(const uint64_t data[4]);

/* --- decode.c --------------------------------------------------------------------------------- */

/* Decodes the exit in struct kvm_run, as axk_arch_decode() does. */
int axk_decode(struct axk_vcpu *vcpu, struct axvcpu_exit *exit);

/* --- run.c ------------------------------------------------------------------------------------ */

int axk_run(void *arch_vcpu, struct axvcpu_exit *exit);
/* Continues a run in which KVM_RUN has returned 'ret'. */
int axk_finish_run(struct axk_vcpu *vcpu, struct axvcpu_exit *exit, int ret);
int axk_complete(void *arch_vcpu, const struct axvcpu_answer *answer);
int axk_kick(void *arch_vcpu);
/* --- flush.c ---------------------------------------------------------------------------------- */

/*
 * Lets KVM do all that precedes an entry, without entering the guest. If that ends in an exit, the
 * next run returns it.
 */
int axk_commit(struct axk_vcpu *vcpu);
/* Completes an open exit. If that ends in another exit, the next run returns it. */
int axk_flush(void *arch_vcpu);
/* Completes open exits and drops those that follow: none may complete after a reset. */
int axk_drop_exits(struct axk_vcpu *vcpu);
/* Marks the exit as completed: KVM_RUN has done so, without ending in another exit. */
void axk_close_exit(struct axk_vcpu *vcpu);

/* --- signals.c -------------------------------------------------------------------------------- */

int axk_bind(void *arch_vcpu);
int axk_unbind(void *arch_vcpu);
/* Consumes pending kick signals of an owner that blocks them. Returns whether there was one. */
bool axk_take_kick_signals(const struct axk_vcpu *vcpu);
/*
 * Called after KVM_RUN returned EINTR without a kick. Returns 1 if the signal was that of an
 * earlier kick, and the guest must be re-entered; 0 if it was another signal of the process; or a
 * negative errno.
 */
int axk_unexplained_signal(struct axk_vcpu *vcpu);

/* --- irq.c ------------------------------------------------------------------------------------ */

/* Initialises the fields for lines and routes. Called once the VM has its irqchip. */
int axk_irq_init(struct axk_vm *kvm);
/* Checks that the gsi can have a route; 'what' begins the message. */
int axk_check_gsi(const struct axk_vm *kvm, uint32_t gsi, const char *what);
int axk_set_irq_line(void *arch_vm, uint32_t gsi, bool level);
/* Gives a line the level that it had, without sending a message. */
int axk_load_line(struct axk_vm *kvm, uint32_t gsi, bool level);
/* Lowers all lines that axk_set_irq_line() has raised. */
int axk_lower_lines(struct axk_vm *kvm);
int axk_signal_msi(void *arch_vm, const struct axvm_msi *msi);
int axk_set_routes(void *arch_vm, const struct axvm_route *routes, size_t count);
static inline struct axvm_route axk_pin_route(uint32_t gsi, uint32_t controller, uint32_t pin)
{
	return (struct axvm_route){ .gsi = gsi,
				    .kind = AXVM_ROUTE_PIN,
				    .u.pin = { .controller = controller, .pin = pin } };
}
/*
 * vm_default_routes of the ops table, where the one controller has the pins 'first_pin' to
 * 'first_pin' + 'npins' - 1, and these have the gsis of the same numbers.
 */
int axk_default_pins(const struct axk_vm *kvm, uint32_t first_pin, uint32_t npins,
		     struct axvm_route *routes, size_t count, uint32_t *first, uint32_t *end);
int axk_irqfd(void *arch_vm, const struct axvm_irqfd *irqfd);
int axk_ioeventfd(void *arch_vm, const struct axvm_ioeventfd *ioeventfd);

/* --- coalesced.c ------------------------------------------------------------------------------ */

int axk_coalesce(void *arch_vm, uint32_t space, uint64_t base, uint64_t len, bool on);
int axk_take_coalesced(void *arch_vcpu, struct axvcpu_exit *write);

/* Loads a little-endian value of 'width' bytes, 1 to 8, at 'p', where 8 bytes must be readable. */
static inline uint64_t axk_load(const void *p, unsigned int width)
{
	uint64_t value;
	uint32_t word;

	/* The most frequent width. */
	if (likely(width == 4)) {
		__builtin_memcpy(&word, p, sizeof(word));
		return word;
	}
	__builtin_memcpy(&value, p, sizeof(value));
	return value & (~UINT64_C(0) >> (-width * 8 & 63));
}

/* Whether KVM completes the latest exit's instruction on the next entry. */
static inline bool axk_is_open(const struct axk_vcpu *vcpu)
{
	return vcpu->run->exit_reason == KVM_EXIT_MMIO || axk_arch_is_open(vcpu->run->exit_reason);
}

/* Sets the kind of an exit that cannot be answered. */
static inline void axk_exit_plain(struct axvcpu_exit *exit, enum axvcpu_exit_kind kind)
{
	exit->kind = kind;
	exit->answerable = 0;
}

/* Writes the fields that all frequent exits have. */
static inline void axk_exit_frequent(struct axvcpu_exit *exit, enum axvcpu_exit_kind kind,
				     bool answerable, uint64_t raw_reason, uint32_t *open_exit_kind)
{
	/* All of the first eight bytes, so that the compiler makes one store of it. */
	exit->kind = kind;
	exit->kicked = 0;
	exit->answerable = answerable;
	exit->reserved[0] = 0;
	exit->reserved[1] = 0;
	exit->raw_reason = raw_reason;
	exit->raw_code = 0;
	if (answerable)
		*open_exit_kind = kind;
}

/* The latest exit expects its answer at 'p'. Unanswered it reads all ones, as without a device. */
static inline void axk_expect_answer(struct axk_vcpu *vcpu, void *p)
{
	__builtin_memset(p, 0xff, 8);
	vcpu->answer = p;
}

/* --- defined by each architecture ------------------------------------------------------------- */

/* Returns the maximum number of levels of second-stage page tables, or a negative errno. */
int axk_arch_guest_page_table_levels(int kvm_fd);
/*
 * Returns the argument of KVM_CREATE_VM, or a negative errno. Also reads and checks arch_config,
 * before there is anything to release.
 */
int axk_arch_vm_type(int kvm_fd, const struct axvm *vm, const struct axvm_config *config);
/* Initialises a new VM. 'kvm_fd' is open during this call only. Releases everything if it fails. */
int axk_arch_vm_init(struct axk_vm *kvm, int kvm_fd, const struct axvm_config *config,
		     struct axvm_limits *limits);
void axk_arch_vm_destroy(struct axk_vm *kvm);
/* Initialises a new vCPU, without 'run' yet. One call at a time. On failure the vCPU is closed. */
int axk_arch_vcpu_created(struct axk_vcpu *vcpu);
/*
 * Does the work that vcpu->has_pending_work stands for, before an entry, as far as it can be done
 * now. Sets has_pending_work again if some is left. May flush, and so set 'stashed'. Returns 0 to
 * enter the guest, 1 if 'exit' is filled in instead, or a negative errno.
 */
int axk_arch_before_entry(struct axk_vcpu *vcpu, struct axvcpu_exit *exit);
/* KVM_RUN was interrupted by a signal. Returns 0 or a negative errno. */
int axk_arch_interrupted(struct axk_vcpu *vcpu);
/* True if this exit must not reach the caller, and the guest must be re-entered. */
bool axk_arch_swallow(struct axk_vcpu *vcpu);
/*
 * Decodes an exit that decode.c does not handle: fills in 'exit' except 'kicked' and raw_reason;
 * raw_code is 0 at the call, or the type of a system event. Returns 1 if 'exit' is filled in; 0 if the backend consumed the exit
 * and the guest must be re-entered; or a negative errno if decoding failed (the next run decodes
 * the same exit again).
 */
int axk_arch_decode(struct axk_vcpu *vcpu, struct axvcpu_exit *exit);
/*
 * In VMs that forward events: replaces a decoded frequent exit by the forwarded event that it
 * stands for, if any. Returns as axk_arch_decode() does, except errors.
 */
bool axk_arch_decode_forwarded(struct axk_vcpu *vcpu, struct axvcpu_exit *exit);
/*
 * KVM_RUN failed because of the guest, with fault->error, and KVM does not report the address:
 * fills in the fields of 'fault' that can be determined.
 */
void axk_arch_locate_fault(struct axk_vcpu *vcpu, struct axvcpu_exit_page_fault *fault);
/* Answers an exit that axk_arch_decode() marked as answerable. */
int axk_arch_complete(struct axk_vcpu *vcpu, const struct axvcpu_answer *answer);

#endif
