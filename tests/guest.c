/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "guest.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "resources.h"
#include "suite.h"

/* --- a VM with one vCPU ----------------------------------------------------------------------- */

void guest_create(struct guest *guest, const struct axvm_config *config, const void *code,
		  size_t len)
{
	guest->vm = guest_vm(config, code, len);
	ck_ok(axvcpu_new(guest->vm, NULL, &guest->vcpu));
}

void guest_setup(struct guest *guest, enum axvcpu_mode mode)
{
	struct axvcpu_setup_config setup = guest_setup_config(0);

	setup.mode = mode;
	/* The other modes need none. */
	if (mode != AXVCPU_MODE_64)
		setup.boot_gpa = setup.boot_size = 0;
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

void guest_expect_refused(const struct axvm_config *config, int err, const char *text)
{
	struct resources before;
	struct axvm *vm = NULL;

	resources_read(&before);
	ck_fails_saying(axvm_new(config, &vm), err, text);
	ck_assert_ptr_null(vm);
	resources_expect(&before, text);
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

void guest_expect_write(struct guest *guest, uint64_t addr, uint64_t value)
{
	guest_expect(guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(guest->exit.u.mmio.addr, addr);
	ck_assert_uint_eq(guest->exit.u.mmio.data, value);
}

void guest_expect_read(struct guest *guest, uint64_t addr)
{
	guest_expect(guest, AXVCPU_EXIT_MMIO_READ);
	ck_assert_uint_eq(guest->exit.u.mmio.addr, addr);
}

void guest_expect_end(struct guest *guest)
{
	guest_expect(guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(guest->exit.u.mmio.addr, GUEST_END);
}

static void *kick_later(void *vcpu)
{
	usleep(20000);
	return (void *)(intptr_t)axvcpu_kick(vcpu);
}

void guest_run_until_kicked(struct guest *guest)
{
	pthread_t thread;
	void *ret;

	ck_assert_int_eq(pthread_create(&thread, NULL, kick_later, guest->vcpu), 0);
	guest_expect(guest, AXVCPU_EXIT_NOTHING);
	ck_assert(guest->exit.kicked);
	ck_assert_int_eq(pthread_join(thread, &ret), 0);
	ck_assert_ptr_null(ret);
}

void guest_expect_life_step(struct guest *guest, int step)
{
	switch (step) {
	case 0:
		guest_expect_write(guest, GUEST_MMIO, GUEST_VALUE);
		break;
	case 1:
		guest_expect_read(guest, GUEST_MMIO);
		ck_ok(axvcpu_complete_value(guest->vcpu, GUEST_LIFE_ANSWER));
		break;
	case 2:
		guest_expect_write(guest, GUEST_MMIO + 8, GUEST_LIFE_ANSWER);
		break;
	case 3:
		guest_expect_write(guest, GUEST_MMIO, GUEST_LIFE_ANSWER);
		break;
	default:
		guest_expect_end(guest);
		break;
	}
}

uint64_t guest_reg(struct guest *guest, uint64_t id)
{
	uint64_t value = 0;

	ck_ok(axvcpu_get_reg(guest->vcpu, id, &value));
	return value;
}

/* --- all registers ---------------------------------------------------------------------------- */

static bool counts(uint64_t id)
{
	for (size_t i = 0; i < guest_register_nrules; i++)
		if (guest_register_rules[i].id == id)
			return guest_register_rules[i].counts;
	return false;
}

void guest_read_registers(struct guest *guest, struct guest_registers *registers)
{
	const char *name;
	size_t n = 0, len;
	uint64_t id;

	for (; !axvcpu_reg_info(guest->vcpu, (unsigned int)n, &id, &name); n++) {
		ck_assert_uint_lt(n, sizeof(registers->regs) / sizeof(registers->regs[0]));
		len = axvcpu_reg_size(id);
		ck_assert_uint_le(len, sizeof(registers->regs[n].value));
		registers->regs[n].id = id;
		registers->regs[n].name = name;
		registers->regs[n].len = len;
		ck_ok(axvcpu_get_reg_bytes(guest->vcpu, id, registers->regs[n].value, len));
	}
	registers->count = n;
}

void guest_expect_registers(struct guest *guest, const struct guest_registers *registers)
{
	static struct guest_registers now;

	guest_read_registers(guest, &now);
	ck_assert_uint_eq(now.count, registers->count);
	for (size_t i = 0; i < now.count; i++)
		ck_assert_msg(counts(now.regs[i].id) ||
				      !memcmp(now.regs[i].value, registers->regs[i].value,
					      now.regs[i].len),
			      "%s is not what was saved", now.regs[i].name);
}

/* --- VMs with more ---------------------------------------------------------------------------- */

struct axvm *guest_vm(const struct axvm_config *config, const void *code, size_t len)
{
	struct axvm_region memory = AXVM_REGION_INIT;
	struct axvm *vm = NULL;

	ck_ok(axvm_new(config, &vm));
	memory.gpa = GUEST_BASE;
	memory.len = GUEST_MEMORY;
	ck_ok(axvm_map(vm, &memory));
	ck_ok(axvm_write(vm, GUEST_CODE, code, len));
	return vm;
}

struct axvcpu_setup_config guest_setup_config(uint32_t id)
{
	struct axvcpu_setup_config setup = AXVCPU_SETUP_CONFIG_INIT;

	setup.mode = AXVCPU_MODE_64;
	setup.stack = GUEST_STACK_OF(id);
	setup.boot_size = GUEST_BOOT_SIZE;
	if (setup.boot_size)
		setup.boot_gpa = GUEST_BOOT_OF(id);
	return setup;
}

struct axvcpu *guest_vcpu(struct axvm *vm, uint32_t id, uint64_t arg)
{
	struct axvcpu_setup_config setup = guest_setup_config(id);
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;
	struct axvcpu *vcpu = NULL;

	config.id = id;
	config.flags = id ? AXVCPU_F_START_OFF : 0;
	ck_ok(axvcpu_new(vm, &config, &vcpu));
	setup.arg = arg;
	ck_ok(axvcpu_setup(vcpu, GUEST_CODE, 0, &setup));
	return vcpu;
}

struct axvcpu *guest_vcpu_on(struct axvm *vm, uint32_t id, uint64_t arg)
{
	struct axvcpu *vcpu = guest_vcpu(vm, id, arg);

	if (axvcpu_power(vcpu) != AXVCPU_POWER_ON)
		ck_ok(axvcpu_start(vcpu, GUEST_CODE, arg));
	return vcpu;
}

struct guest guest_clone(const struct guest *guest)
{
	struct axvm_checkpoint *checkpoint;
	struct guest clone = { .vm = NULL };

	ck_ok(axvm_quiesce(guest->vm, NULL, 0));
	ck_ok(axvm_checkpoint_new(guest->vm, NULL, &checkpoint));
	ck_ok(axvm_checkpoint_clone(checkpoint,
				    &AXVCPU_WITH(axvm_clone_config, .time_policy = AXVM_TIME_KEEP),
				    &clone.vm));
	ck_ok(axvm_checkpoint_free(checkpoint));
	clone.vcpu = axvm_vcpu(clone.vm, 0);
	ck_assert_ptr_nonnull(clone.vcpu);
	return clone;
}

/* --- flavours of KVM -------------------------------------------------------------------------- */

const uint32_t guest_irqchips[] = { AXVM_IRQCHIP_NONE, AXVM_IRQCHIP_KERNEL };

int guest_nirqchips(void)
{
	struct axvm *vm;

	if (axvm_new(&AXVCPU_WITH(axvm_config, .irqchip = AXVM_IRQCHIP_KERNEL), &vm))
		return 1;
	axvm_free(vm);
	return 2;
}

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
