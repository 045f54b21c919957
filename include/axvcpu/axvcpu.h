/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file axvcpu.h
 * libaxvcpu: one virtual-CPU API over KVM on x86_64, arm64 and riscv64. This file includes all
 * other headers except crate.h.
 */
#ifndef AXVCPU_AXVCPU_H
#define AXVCPU_AXVCPU_H

/** Version of these headers. axvcpu_version() returns the version of the library in use. */
#define AXVCPU_VERSION_MAJOR 0
#define AXVCPU_VERSION_MINOR 1
#define AXVCPU_VERSION_PATCH 0

#include <axvcpu/arch.h>
#include <axvcpu/arm64.h>
#include <axvcpu/deadline.h>
#include <axvcpu/checkpoint.h>
#include <axvcpu/debug.h>
#include <axvcpu/device.h>
#include <axvcpu/dirty.h>
#include <axvcpu/error.h>
#include <axvcpu/exit.h>
#include <axvcpu/hal.h>
#include <axvcpu/init.h>
#include <axvcpu/interrupt.h>
#include <axvcpu/life.h>
#include <axvcpu/memory.h>
#include <axvcpu/percpu.h>
#include <axvcpu/power.h>
#include <axvcpu/privileges.h>
#include <axvcpu/regs.h>
#include <axvcpu/request.h>
#include <axvcpu/riscv64.h>
#include <axvcpu/runner.h>
#include <axvcpu/vcpu.h>
#include <axvcpu/vcpu_state.h>
#include <axvcpu/vm.h>
#include <axvcpu/vm_state.h>
#include <axvcpu/x86_64.h>

#endif
