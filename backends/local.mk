# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# The KVM backend of the library: the common part, and the host's architecture.

libaxvcpu_base_la_SOURCES += \
	backends/kvm/capability.c \
	backends/kvm/coalesced.c \
	backends/kvm/decode.c \
	backends/kvm/dev.c \
	backends/kvm/dirty.c \
	backends/kvm/enter.h \
	backends/kvm/flush.c \
	backends/kvm/frequent.h \
	backends/kvm/ioctl.c backends/kvm/ioctl.h \
	backends/kvm/irq.c \
	backends/kvm/kvm.h \
	backends/kvm/memory.c \
	backends/kvm/one_reg.c \
	backends/kvm/ops.h \
	backends/kvm/percpu.c \
	backends/kvm/run.c \
	backends/kvm/signals.c \
	backends/kvm/state.c backends/kvm/state.h \
	backends/kvm/uapi.h \
	backends/kvm/vcpu.c \
	backends/kvm/vm.c

# Shared by architectures that use KVM_GET_ONE_REG and in-kernel irqchip devices.
ONE_REG_SOURCES = \
	backends/kvm/device.c backends/kvm/device.h \
	backends/kvm/named_regs.c backends/kvm/named_regs.h \
	backends/kvm/state_regs.c

if ARCH_X86_64
libaxvcpu_base_la_SOURCES += \
	backends/x86_64/apic.c \
	backends/x86_64/arch_syscall.h \
	backends/x86_64/clock.c \
	backends/x86_64/cpuid.c \
	backends/x86_64/debug.c \
	backends/x86_64/exit.c \
	backends/x86_64/forward.c \
	backends/x86_64/fpu.c \
	backends/x86_64/hypercall.c \
	backends/x86_64/inject.c \
	backends/x86_64/irq.c \
	backends/x86_64/kvm_arch.h \
	backends/x86_64/kvm_arch_decode.h \
	backends/x86_64/msr.c \
	backends/x86_64/ops.c \
	backends/x86_64/percpu.c \
	backends/x86_64/regs.c \
	backends/x86_64/reset.c \
	backends/x86_64/setup.c \
	backends/x86_64/sregs.c \
	backends/x86_64/state.c backends/x86_64/state.h \
	backends/x86_64/state_cpuid.c \
	backends/x86_64/state_info.c \
	backends/x86_64/state_load.c \
	backends/x86_64/state_msrs.c \
	backends/x86_64/state_setup.c \
	backends/x86_64/tables.c \
	backends/x86_64/translate.c \
	backends/x86_64/vm.c \
	backends/x86_64/vm_reset.c \
	backends/x86_64/vm_state.c \
	backends/x86_64/x86_64.h
endif

if ARCH_ARM64
libaxvcpu_base_la_SOURCES += $(ONE_REG_SOURCES) \
	backends/arm64/arch_syscall.h \
	backends/arm64/arm64.h \
	backends/arm64/debug.c \
	backends/arm64/exception.c \
	backends/arm64/exit.c \
	backends/arm64/gic.c \
	backends/arm64/gic_regs.c backends/arm64/gic_regs.h \
	backends/arm64/gic_reset.c \
	backends/arm64/gic_state.c \
	backends/arm64/irq.c \
	backends/arm64/kvm_arch.h \
	backends/arm64/kvm_arch_decode.h \
	backends/arm64/ops.c \
	backends/arm64/percpu.c \
	backends/arm64/psci.c \
	backends/arm64/reg_ids.c \
	backends/arm64/regs.c \
	backends/arm64/reset.c \
	backends/arm64/result.c \
	backends/arm64/setup.c \
	backends/arm64/smccc.c \
	backends/arm64/state.c \
	backends/arm64/translate.c \
	backends/arm64/uapi.h \
	backends/arm64/vm.c
endif

if ARCH_RISCV64
libaxvcpu_base_la_SOURCES += $(ONE_REG_SOURCES) \
	backends/riscv64/aia.c backends/riscv64/aia.h \
	backends/riscv64/aia_state.c \
	backends/riscv64/aplic.c \
	backends/riscv64/arch_syscall.h \
	backends/riscv64/debug.c \
	backends/riscv64/exit.c \
	backends/riscv64/extensions.c \
	backends/riscv64/fault.c \
	backends/riscv64/imsic.c \
	backends/riscv64/inject.c \
	backends/riscv64/kvm_arch.h \
	backends/riscv64/kvm_arch_decode.h \
	backends/riscv64/ops.c \
	backends/riscv64/regs.c \
	backends/riscv64/reset.c \
	backends/riscv64/riscv64.h \
	backends/riscv64/setup.c \
	backends/riscv64/start.c \
	backends/riscv64/state.c \
	backends/riscv64/translate.c \
	backends/riscv64/uapi.h \
	backends/riscv64/vm.c
endif
