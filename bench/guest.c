/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "guest.h"

#include "bench.h"

void guest_new(struct guest *guest, const struct guest_code *code)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm_region memory = AXVM_REGION_INIT;
	struct axvcpu_setup_config setup = AXVCPU_SETUP_CONFIG_INIT;

	config.irqchip = (uint32_t)code->irqchip;
	config.dirty_ring_entries = code->dirty_ring_entries;
	memory.len = code->memory ? code->memory : GUEST_MEMORY;
	setup.mode = (uint32_t)code->mode;
	setup.stack = GUEST_STACK;
	setup.boot_gpa = GUEST_BOOT;
	setup.boot_size = GUEST_BOOT_SIZE;
	check(axvm_new(&config, &guest->vm));
	check(axvm_map(guest->vm, &memory));
	check(axvm_write(guest->vm, GUEST_CODE, code->code, code->len));
	check(axvcpu_new(guest->vm, NULL, &guest->vcpu));
	check(axvcpu_setup(guest->vcpu, GUEST_CODE, 0, &setup));
	check(axvcpu_bind(guest->vcpu));
}

void guest_free(struct guest *guest)
{
	check(axvcpu_unbind(guest->vcpu));
	check(axvcpu_free(guest->vcpu));
	check(axvm_free(guest->vm));
}
