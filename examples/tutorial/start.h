/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The calls of six.c, for the programs after it: a VM with memory, a guest in it, a vCPU at its start. */
#ifndef TUTORIAL_START_H
#define TUTORIAL_START_H

#include <axvcpu/axvcpu.h>
#include <stdio.h>
#include <stdlib.h>

#include "guests.h"

#define ENTRY 0x1000

/* Ends the program if a call has failed. */
static inline void check(int ret)
{
	if (ret < 0) {
		fprintf(stderr, "%s\n", axvcpu_last_error());
		exit(1);
	}
}

/* A VM for up to 2 vCPUs with 128 KiB of memory, and the guest at ENTRY. */
static inline struct axvm *start_vm(const char *code, uint32_t size)
{
	struct axvm_region memory = AXVM_REGION_INIT;
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm *vm;

	config.max_vcpus = 2;
	memory.len = 0x20000;
	check(axvm_new(&config, &vm));
	check(axvm_map(vm, &memory));
	check(axvm_write(vm, ENTRY, code, size));
	return vm;
}

/* vCPU 0 or 1, with a separate stack. Its number is the guest's argument. */
static inline struct axvcpu *start_vcpu(struct axvm *vm, uint32_t id)
{
	struct axvcpu_setup_config setup = AXVCPU_SETUP_CONFIG_INIT;
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;
	struct axvcpu *vcpu;

	config.id = id;
	config.flags = id ? AXVCPU_F_START_OFF : 0;
	setup.arg = id;
	setup.stack = 0x8000 - 0x1000 * id;
	check(axvcpu_new(vm, &config, &vcpu));
	check(axvcpu_setup(vcpu, ENTRY, 0, &setup));
	return vcpu;
}

#endif
