/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "guest.h"

#include <stdio.h>
#include <unistd.h>

#include "suite.h"

void guest_create(struct guest *guest, const struct axvm_config *config, const void *code,
		  size_t len)
{
	struct axvm_region memory = AXVM_REGION_INIT;

	ck_ok(axvm_new(config, &guest->vm));
	memory.len = GUEST_MEMORY;
	ck_ok(axvm_map(guest->vm, &memory));
	ck_ok(axvm_write(guest->vm, GUEST_CODE, code, len));
	ck_ok(axvcpu_new(guest->vm, NULL, &guest->vcpu));
}

void guest_setup(struct guest *guest, enum axvcpu_mode mode)
{
	struct axvcpu_setup_config setup = AXVCPU_SETUP_INIT;

	setup.mode = mode;
	setup.stack = GUEST_STACK;
	if (mode == AXVCPU_MODE_64) {
		setup.boot_gpa = GUEST_BOOT;
		setup.boot_size = GUEST_BOOT_SIZE;
	}
	ck_ok(axvcpu_setup(guest->vcpu, GUEST_CODE, 0, &setup));
}

void guest_start(struct guest *guest, enum axvcpu_mode mode, const void *code, size_t len)
{
	guest_start_with(guest, NULL, mode, code, len);
}

void guest_start_with(struct guest *guest, const struct axvm_config *config, enum axvcpu_mode mode,
		      const void *code, size_t len)
{
	guest_create(guest, config, code, len);
	guest_setup(guest, mode);
	ck_ok(axvcpu_bind(guest->vcpu));
}

void guest_end(struct guest *guest)
{
	if (axvcpu_state(guest->vcpu) == AXVCPU_READY)
		ck_ok(axvcpu_unbind(guest->vcpu));
	ck_ok(axvcpu_free(guest->vcpu));
	ck_ok(axvm_free(guest->vm));
}

void guest_expect(struct guest *guest, enum axvcpu_exit_kind kind)
{
	char text[512];

	do
		ck_ok(axvcpu_run(guest->vcpu, &guest->exit));
	while (guest->exit.kind == AXVCPU_EXIT_NOTHING && kind != AXVCPU_EXIT_NOTHING);
	axvcpu_exit_describe(&guest->exit, text, sizeof(text));
	ck_assert_msg(guest->exit.kind == (uint32_t)kind, "expected %s, got %s",
		      axvcpu_exit_name(kind), text);
}

uint64_t guest_reg(struct guest *guest, uint64_t id)
{
	uint64_t value = 0;

	ck_ok(axvcpu_get_reg(guest->vcpu, id, &value));
	return value;
}

/* --- flavours of KVM ----------------------------------------------------------------------------- */

bool guest_kvm_is_pvm(void)
{
	return access("/sys/module/kvm_pvm", F_OK) == 0;
}

bool guest_kvm_is_emulated(void)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	bool found = false;
	char line[512];

	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, "QEMU TCG");
	if (file)
		fclose(file);
	return found;
}
