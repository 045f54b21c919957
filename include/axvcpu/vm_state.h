/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file vm_state.h
 * The state of a VM's interrupt controllers and interrupt routes, as bytes.
 *
 * axvm_save() writes all that the devices of a VM in the hypervisor hold, except its vCPUs, its
 * memory and its clocks: on x86 the PIC, the IOAPIC and the PIT; on arm64 the GIC with its
 * redistributors, CPU interfaces and ITS; on riscv64 the APLIC and the IMSICs; the levels of the
 * lines that the VMM raised; the interrupt routes. axvm_load() puts it back, into the same VM or
 * into another one that was created in the same way.
 *
 * The bytes have the format of a saved vCPU, see vcpu_state.h, and the functions there list their
 * sections.
 *
 * KVM does not report everything. On x86 a loaded PIT begins its counts anew, so a single count that
 * has expired expires once more; and an edge-triggered line of the IOAPIC that is high sends a second
 * interrupt if the VMM raises it again without lowering it. With AXVM_IRQCHIP_SPLIT the PICs, the
 * IOAPIC and their lines are those of the VMM, which saves them itself.
 *
 * A VM is put back in this order, with no vCPU in a run: its clocks, its vCPUs, its memory, and last
 * what axvm_load() loads. It is saved in the order: clocks, axvm_save(), vCPUs, memory; on arm64
 * axvm_save() writes tables of the ITS to guest memory.
 */
#ifndef AXVCPU_VM_STATE_H
#define AXVCPU_VM_STATE_H

#include <stddef.h>

#include <axvcpu/error.h>
#include <axvcpu/vcpu_state.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Saves the state of a VM's interrupt controllers, lines and routes.
 *
 * A call with `size` 0 makes the same system calls, and returns a size that suffices while no vCPU
 * runs and the VMM sends no interrupts.
 *
 * @param vm   the VM.
 * @param buf  receives the state; may be NULL if `size` is 0.
 * @param size size of `buf` in bytes.
 * @return the number of bytes of the state, which is in `buf` only if that is at most `size`;
 *         -EBUSY: a vCPU is in a run or may begin one; -EBADFD: the VM has a GIC or an AIA and is
 *         not finalized; -ENOTSUP: the backend cannot save it; -ENOMEM; -EPERM; errnos of the
 *         kernel.
 *
 * Threads: any; the VMM sends no interrupts meanwhile.
 */
AXVCPU_API int axvm_save(struct axvm *vm, void *buf, size_t size);

/**
 * Loads a saved state into the interrupt controllers and routes of a VM.
 *
 * The VM must have been created as the one that was saved: the same irqchip, and the same number of
 * vCPUs. On arm64 and riscv64 its vCPUs must have been set up and the VM finalized.
 *
 * The bytes are not trusted: they are checked before the VM is changed. They must not change during
 * the call. The memory of the guest must have been restored before: the GIC reads tables in it.
 *
 * Eventfds stay attached to their interrupt numbers.
 *
 * If a part is refused, the present state is loaded again, and if that fails, too, all vCPUs become
 * Invalid. An ITS that the guest has set up cannot be loaded again, since its tables were in the
 * memory that has been replaced.
 *
 * On arm64 KVM moves the pending bits of LPIs from guest memory to the GIC, so the load changes that
 * memory.
 *
 * @param vm     the VM.
 * @param state  the saved state, of any alignment.
 * @param size   its size in bytes.
 * @param config how to load, as for axvcpu_load(); `refused` is called with `vcpu` NULL. NULL:
 *               AXVCPU_LOAD_CONFIG_INIT.
 * @return 0; -EINVAL: the bytes are not the saved state of a VM of this architecture and shape;
 *         -ENOTSUP: the backend cannot load, or the state has a section, a version or a size that
 *         this library or host does not support; -EBUSY: a vCPU is in a run or may begin one;
 *         -EBADFD: the VM is not finalized; -E2BIG; -ENOMEM; -EPERM; errnos of the kernel, and of
 *         `refused`.
 *
 * Threads: any; one call at a time, and the VMM sends no interrupts meanwhile.
 */
AXVCPU_API int axvm_load(struct axvm *vm, const void *state, size_t size,
			 const struct axvcpu_load_config *config);

#ifdef __cplusplus
}
#endif

#endif
