/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The smallest VMM, as the README shows it: some memory, one vCPU, a guest that says "Hi". */
#include <axvcpu/axvcpu.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONSOLE 0x10000000

/* Programs, as words: they store 'H', 'i', a newline and a zero, a byte each, to the console. */
static const struct guest {
	const char *arch;
	uint32_t code[8];
} guests[] = {
	{ "x86_64",
	  { 0x000000bf, 0x4807c610, 0xc66907c6, 0x07c60a07, 0x00000000, 0x00000000, 0x00000000,
	    0x00000000 } },
	{ "arm64",
	  { 0xd2a20001, 0x52800900, 0x39000020, 0x52800d20, 0x39000020, 0x52800140, 0x39000020,
	    0x3900003f } },
	{ "riscv64",
	  { 0x100005b7, 0x04800513, 0x00a58023, 0x06900513, 0x00a58023, 0x00a00513, 0x00a58023,
	    0x00058023 } },
};

static void check(int ret)
{
	if (ret < 0) {
		fprintf(stderr, "minimal: %s\n", axvcpu_last_error());
		exit(1);
	}
}

int main(void)
{
	struct axvm_region memory = AXVM_REGION_INIT;
	struct axvcpu_setup_config setup = AXVCPU_SETUP_CONFIG_INIT;
	const struct guest *guest = guests;
	struct axvcpu_exit exit;
	struct axvcpu *vcpu;
	struct axvm *vm;

	while (strcmp(guest->arch, axvcpu_host_arch()->name))
		guest++;
	memory.len = 0x10000;
	setup.boot_gpa = 0x8000;
	setup.boot_size = 0x7000;
	check(axvm_new(NULL, &vm));
	check(axvm_map(vm, &memory));
	check(axvm_write(vm, 0x1000, guest->code, sizeof(guest->code)));
	check(axvcpu_new(vm, NULL, &vcpu));
	check(axvcpu_setup(vcpu, 0x1000, 0, &setup));
	check(axvcpu_bind(vcpu));
	do {
		check(axvcpu_run(vcpu, &exit));
		if (exit.kind == AXVCPU_EXIT_MMIO_WRITE && exit.u.mmio.addr == CONSOLE &&
		    exit.u.mmio.data)
			putchar((int)exit.u.mmio.data);
	} while (exit.kind != AXVCPU_EXIT_MMIO_WRITE || exit.u.mmio.data);
	check(axvcpu_free(vcpu));
	check(axvm_free(vm));
	return 0;
}
