/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The smallest VMM: one page of memory, one vCPU, a guest that says "Hi" and halts. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <axvcpu/axvcpu.h>

#define LOAD_ADDRESS 0x1000

static const uint8_t guest[] = {
	0xba, 0xf8, 0x03, 0x00, 0x00, /* mov edx, 0x3f8 */
	0xb0, 'H',  0xee, /* mov al, 'H'; out dx, al */
	0xb0, 'i',  0xee, /* mov al, 'i'; out dx, al */
	0xb0, '\n', 0xee, /* mov al, '\n'; out dx, al */
	0xf4, /* hlt */
};

static void die(const char *what)
{
	fprintf(stderr, "minimal: %s\n", what);
	exit(1);
}

static void check(int result)
{
	if (result < 0)
		die(axvcpu_last_error());
}

int main(void)
{
	struct axvcpu_setup_config setup = AXVCPU_SETUP_INIT;
	struct axvm_region memory = AXVM_REGION_INIT;
	struct axvcpu_exit exit;
	struct axvcpu *vcpu;
	struct axvm *vm;

	memory.gpa = LOAD_ADDRESS;
	memory.len = 0x1000;
	setup.mode = AXVCPU_MODE_32;

	check(axvm_new(NULL, &vm));
	check(axvm_map(vm, &memory));
	check(axvm_write(vm, LOAD_ADDRESS, guest, sizeof(guest)));
	check(axvcpu_new(vm, NULL, &vcpu));
	check(axvcpu_setup(vcpu, LOAD_ADDRESS, 0, &setup));
	check(axvcpu_bind(vcpu));

	do {
		check(axvcpu_run(vcpu, &exit));
		switch (exit.kind) {
		case AXVCPU_EXIT_IO_WRITE:
			putchar((int)exit.u.io.data);
			break;
		case AXVCPU_EXIT_HALT:
			break;
		default:
			die(axvcpu_exit_name(exit.kind));
		}
	} while (exit.kind != AXVCPU_EXIT_HALT);

	check(axvcpu_free(vcpu));
	check(axvm_free(vm));
	return 0;
}
