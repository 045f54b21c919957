/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* What the KVM backends of all architectures share. */
#ifndef KVM_KVM_H
#define KVM_KVM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "axvcpu/axvcpu.h"
#include "backends/kvm/ioctl.h"
#include "backends/kvm/uapi.h"
#include "lib/base/compiler.h"
#include "lib/host/sys.h"

/* struct axk_vm_arch, and what of the run loop differs: the architecture's. */
#include "kvm_arch.h"

/* What one item of port I/O can have: KVM's size of it is a byte. */
#define KVM_ITEM_MAX 256u

struct axk_vcpu {
	/* --- what run touches --- */
	struct kvm_run *run;
	/* Bytes of 'run' and what follows it. */
	size_t run_size;
	/* The last offset in it at which an item fits, KVM_ITEM_MAX bytes. */
	size_t last_item;
	/* Where the latest exit takes 8 bytes as its answer; NULL if it takes another. */
	void *answer;
	int fd;
	/*
	 * Run has to see to something before it enters: 'stashed', or what axk_arch_before_entry()
	 * knows of. Set for nothing, it costs a little time.
	 */
	bool has_pending_work;
	/* A flush met another exit, which run has yet to hand out. */
	bool stashed;
	/* A kick that no run has answered. A word: exchanging less is a call on some machines. */
	_Atomic uint32_t kick;
	/* AXVM_FORWARD_*, of the VM's config. */
	uint32_t forward;

	/* --- the rest --- */
	bool is_setup;
	/* What KVM_RUN blocks: signals.c. */
	bool has_signal_mask;
	/* The owner did block the kick signal when it was last looked at. */
	bool kick_blocked;
	uint64_t signal_mask;
	uint32_t id;
	uint64_t entry;
	struct axk_vm *vm;
	/* In the VM's list of those that were given up: KVM never forgets an id. */
	struct axk_vcpu *next_unused;
	struct axk_vcpu_arch arch;
};

struct axk_vm {
	struct axvm *vm;
	int fd;
	/* Bytes of a vCPU's shared mapping, struct kvm_run and what follows it. */
	size_t run_size;
	uint32_t max_vcpus;
	uint32_t gpa_bits;
	int kick_signal;
	/* enum axvm_irqchip */
	uint32_t irqchip;
	/* AXVM_FORWARD_*, of the config. */
	uint32_t forward;
	/* The kernel has what hands interrupts to vCPUs: LAPIC, GIC, AIA. Not so: we inject. */
	bool kernel_irqchip;
	/* Interrupt numbers that can have a route, from 0; with kernel_irqchip. */
	uint32_t gsis;
	struct axk_vcpu *unused;
	/* How often a slot was about to change; for axk_arch_fault_may_pass(). */
	atomic_uint slot_changes;
	struct axk_vm_arch arch;
};

/* --- dev.c ------------------------------------------------------------------------------------ */

/* /dev/kvm, or a negative errno with its diagnosis. 'vm' is for the message; it may be NULL. */
int axk_dev_open(const struct axvm *vm);
/* Whether it is KVM, of our version, and has what we cannot do without. */
int axk_dev_check(const struct axvm *vm, int kvm_fd);

/* --- entries of the ops tables: vm.c ---------------------------------------------------------- */

int axk_vm_new(struct axvm *vm, const struct axvm_config *config, struct axvm_limits *limits,
	       void **arch_vm);
void axk_vm_free(void *arch_vm);
int axk_vm_fd(void *arch_vm);

/* Guest-physical addresses have no more bits, whatever KVM says of its own. */
#define KVM_GPA_BITS_MAX 64
/* The last address of so many bits. */
static inline uint64_t axk_last_gpa(uint32_t gpa_bits)
{
	return gpa_bits < KVM_GPA_BITS_MAX ? (UINT64_C(1) << gpa_bits) - 1 : UINT64_MAX;
}

/* --- memory.c --------------------------------------------------------------------------------- */

int axk_vm_map(void *arch_vm, const struct axvm_region *region, uint32_t slot);
int axk_vm_unmap(void *arch_vm, const struct axvm_region *region, uint32_t slot);

/* --- capability.c ----------------------------------------------------------------------------- */

int axk_vm_capability(void *arch_vm, unsigned int capability);
int axk_vm_enable_capability(void *arch_vm, unsigned int capability, const uint64_t args[4]);
int axk_vcpu_enable_capability(void *arch_vcpu, unsigned int capability, const uint64_t args[4]);

/*
 * The value of a capability that 'option' of the config needs, or -ENOTSUP, with a message that names
 * it, where KVM lacks it.
 */
int axk_vm_require(const struct axk_vm *kvm, unsigned int capability, const char *name,
		   const char *option);
int axk_vm_enable(const struct axk_vm *kvm, unsigned int capability, uint64_t arg,
		  const char *name);
/* Both: enables a capability that 'option' of the config needs. */
int axk_vm_enable_for(const struct axk_vm *kvm, unsigned int capability, uint64_t arg,
		      const char *name, const char *option);

/*
 * The message of an ioctl 'what' that failed with 'ret', as KVM may lack a capability; else for the
 * reason 'why', which may be "". Returns -ENOTSUP or 'ret'.
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
/* Ends one for good. */
void axk_vcpu_close(struct axk_vcpu *vcpu);
int axk_set_ept_root(void *arch_vcpu, uint64_t root);
int axk_vcpu_fd(void *arch_vcpu);

/* --- one_reg.c -------------------------------------------------------------------------------- */

/* One of KVM's own, with as many bytes as its id says. -ENOENT, without a message: there is none. */
int axk_get_one_reg(struct axk_vcpu *vcpu, uint64_t id, void *value);
int axk_set_one_reg(struct axk_vcpu *vcpu, uint64_t id, const void *value);
/* Whether an id is KVM's own, of a register that a value has room for. */
static inline bool axk_is_value_id(uint64_t id)
{
	size_t size = axvcpu_reg_size(id);

	return id >> 56 && size && size <= sizeof(uint64_t);
}

int axk_get_reg_bytes(void *arch_vcpu, uint64_t id, void *buf, size_t len);
int axk_set_reg_bytes(void *arch_vcpu, uint64_t id, const void *buf, size_t len);
int axk_reg_list(void *arch_vcpu, uint64_t *ids, size_t count);

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
/* The same from where KVM_RUN has returned 'ret'. */
int axk_finish_run(struct axk_vcpu *vcpu, struct axvcpu_exit *exit, int ret);
int axk_complete(void *arch_vcpu, const struct axvcpu_answer *answer);
int axk_kick(void *arch_vcpu);
/* --- flush.c ---------------------------------------------------------------------------------- */

/* Finishes an open exit; the next run returns the exit, if any, that this ended with. */
int axk_flush(void *arch_vcpu);
/* Finishes open exits and drops those that follow: none must complete into the state of a reset. */
int axk_drop_exits(struct axk_vcpu *vcpu);
/* Marks the exit finished: KVM_RUN has completed it, and has not ended in another one. */
void axk_close_exit(struct axk_vcpu *vcpu);

/* --- signals.c -------------------------------------------------------------------------------- */

int axk_bind(void *arch_vcpu);
int axk_unbind(void *arch_vcpu);
/* Takes pending signals of kicks from an owner that blocks them. Whether there was one. */
bool axk_take_kick_signals(const struct axk_vcpu *vcpu);
/*
 * KVM_RUN has ended in EINTR, and no kick asked for it. Returns 1 if that was the signal of an
 * earlier kick, to enter again; 0 if it was a signal of the caller's; or an errno.
 */
int axk_unexplained_signal(struct axk_vcpu *vcpu);

/* --- irq.c ------------------------------------------------------------------------------------ */

/* Fills in what lines and routes need, when the VM has its irqchip. */
int axk_irq_init(struct axk_vm *kvm);
int axk_set_irq_line(void *arch_vm, uint32_t gsi, bool level);
int axk_signal_msi(void *arch_vm, const struct axvm_msi *msi);
int axk_set_routes(void *arch_vm, const struct axvm_route *routes, size_t count);
int axk_irqfd(void *arch_vm, const struct axvm_irqfd *irqfd);
int axk_ioeventfd(void *arch_vm, const struct axvm_ioeventfd *ioeventfd);

/* A value of 'width' bytes, 1 to 8, at 'p', which has 8 bytes. Guests are little-endian. */
static inline uint64_t axk_load(const void *p, unsigned int width)
{
	uint64_t value;
	uint32_t word;

	/* The most frequent one. */
	if (likely(width == 4)) {
		__builtin_memcpy(&word, p, sizeof(word));
		return word;
	}
	__builtin_memcpy(&value, p, sizeof(value));
	return value & (~UINT64_C(0) >> (-width * 8 & 63));
}

/* Whether the latest exit's instruction finishes on the next entry. */
static inline bool axk_is_open(const struct axk_vcpu *vcpu)
{
	return vcpu->run->exit_reason == KVM_EXIT_MMIO || axk_arch_is_open(vcpu->run->exit_reason);
}

/* An exit to which there is a kind but no further data. */
static inline void axk_exit_plain(struct axvcpu_exit *exit, enum axvcpu_exit_kind kind)
{
	exit->kind = kind;
	exit->answerable = 0;
}

/* What all frequent exits have in common. */
static inline void axk_exit_frequent(struct axvcpu_exit *exit, enum axvcpu_exit_kind kind,
				     bool answerable, uint64_t raw_reason, uint32_t *open_exit_kind)
{
	/* All of the first eight bytes, so that it is one store. */
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

/* The latest exit reads the 8 bytes at 'p': all ones unless somebody answers, as without a device. */
static inline void axk_expect_answer(struct axk_vcpu *vcpu, void *p)
{
	__builtin_memset(p, 0xff, 8);
	vcpu->answer = p;
}

/* --- what an architecture defines -------------------------------------------------------------- */

/* Levels of the tables of guest-physical addresses, at most; or a negative errno. */
int axk_arch_guest_page_table_levels(int kvm_fd);
/*
 * The argument of KVM_CREATE_VM, or a negative errno. The arch_config is read, or refused, here
 * first, before there is anything to release.
 */
int axk_arch_vm_type(int kvm_fd, const struct axvm *vm, const struct axvm_config *config);
/* What follows KVM_CREATE_VM; 'kvm_fd' is open only now. Releases all it took if it fails. */
int axk_arch_vm_init(struct axk_vm *kvm, int kvm_fd, const struct axvm_config *config,
		     struct axvm_limits *limits);
void axk_arch_vm_destroy(struct axk_vm *kvm);
/* KVM has just made it; it has no 'run' yet. By one thread at a time. If it fails, it is closed. */
int axk_arch_vcpu_created(struct axk_vcpu *vcpu);
/*
 * What vcpu->has_pending_work asked for, before an entry: all of it, or what can be done now. Sets 'slow' again
 * if some is left. May flush, and so leave 'stashed'. Returns 0 to enter, 1 if 'exit' is written
 * instead, or an errno.
 */
int axk_arch_before_entry(struct axk_vcpu *vcpu, struct axvcpu_exit *exit);
/* Whether the exit that an entry on the slow way ended with is not for the caller, but to go in again. */
bool axk_arch_swallow(struct axk_vcpu *vcpu);
/*
 * Decodes an exit that run.c does not know: writes all but 'kicked' and the raw reason; raw_code is
 * 0 before. Returns 1; 0: it was for the backend alone, which has answered it, and the guest goes on;
 * or an errno, and it is called again.
 */
int axk_arch_decode(struct axk_vcpu *vcpu, struct axvcpu_exit *exit);
/*
 * The same for frequent exits that are decoded, in VMs that forward something: makes another exit
 * of what is none of those to the caller.
 */
bool axk_arch_decode_forwarded(struct axk_vcpu *vcpu, struct axvcpu_exit *exit);
/*
 * KVM_RUN has ended because of the guest, with fault->error, and KVM does not say where: fills in of
 * 'fault' what can be found out.
 */
void axk_arch_locate_fault(struct axk_vcpu *vcpu, struct axvcpu_exit_page_fault *fault);
/* Answers what axk_arch_decode() says can be answered. */
int axk_arch_complete(struct axk_vcpu *vcpu, const struct axvcpu_answer *answer);

#endif
