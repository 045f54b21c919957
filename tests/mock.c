/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "mock.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "suite.h"

struct mock mock;

static int called(enum mock_op op, void *arch)
{
	atomic_fetch_add(&mock.calls[op], 1);
	if (op != MOCK_KICK)
		mock.thread = pthread_self();
	if (mock.vcpu && axvcpu_current() != mock.vcpu && op < MOCK_VM_MAP && op != MOCK_KICK &&
	    op != MOCK_VCPU_NEW)
		mock.current_right = false;
	if (mock.hook)
		mock.hook(op, arch);
	return mock.ret[op];
}

static int mock_vm_map(void *vm, const struct axvm_region *region, uint32_t slot)
{
	(void)region;
	(void)slot;
	return called(MOCK_VM_MAP, vm);
}

static int mock_vm_unmap(void *vm, const struct axvm_region *region, uint32_t slot)
{
	(void)region;
	(void)slot;
	return called(MOCK_VM_UNMAP, vm);
}

static int mock_vm_finalize(void *vm)
{
	return called(MOCK_VM_FINALIZE, vm);
}

static int mock_vcpu_new(void *vm, const struct axvcpu_config *config, void **vcpu)
{
	(void)config;
	*vcpu = &mock;
	return called(MOCK_VCPU_NEW, vm);
}

static void mock_vcpu_free(void *vcpu)
{
	(void)vcpu;
}

static int mock_set_entry(void *vcpu, uint64_t entry)
{
	mock.entry = entry;
	return called(MOCK_SET_ENTRY, vcpu);
}

static int mock_set_ept_root(void *vcpu, uint64_t root)
{
	mock.ept_root = root;
	return called(MOCK_SET_EPT_ROOT, vcpu);
}

static int mock_setup(void *vcpu, const struct axvcpu_setup_config *config)
{
	(void)config;
	return called(MOCK_SETUP, vcpu);
}

static int mock_run(void *vcpu, struct axvcpu_exit *exit)
{
	int ret = called(MOCK_RUN, vcpu);

	atomic_store(&mock.inside, true);
	while (atomic_load(&mock.hold))
		sched_yield();
	while (mock.spin && !atomic_load(&mock.kicked))
		sched_yield();
	atomic_store(&mock.inside, false);
	if (ret)
		return ret;
	*exit = mock.exit;
	exit->kicked |= atomic_exchange(&mock.kicked, false);
	return 0;
}

static int mock_bind(void *vcpu)
{
	return called(MOCK_BIND, vcpu);
}

static int mock_unbind(void *vcpu)
{
	return called(MOCK_UNBIND, vcpu);
}

static int mock_complete(void *vcpu, const struct axvcpu_answer *answer)
{
	mock.answer = *answer;
	return called(MOCK_COMPLETE, vcpu);
}

static int mock_flush(void *vcpu)
{
	return called(MOCK_FLUSH, vcpu);
}

static int mock_kick(void *vcpu)
{
	int ret = called(MOCK_KICK, vcpu);

	if (!ret)
		atomic_store(&mock.kicked, true);
	return ret;
}

static int mock_reset_vcpu(void *vcpu, uint64_t entry, uint64_t arg, bool start)
{
	mock.entry = entry;
	mock.arg = arg;
	mock.start = start;
	return called(MOCK_RESET, vcpu);
}

static int mock_inject_interrupt(void *vcpu, uint32_t vector)
{
	mock.vectors[mock.nvectors++ % 1024] = vector;
	return called(MOCK_INJECT_INTERRUPT, vcpu);
}

static int mock_inject_nmi(void *vcpu)
{
	return called(MOCK_INJECT_NMI, vcpu);
}

static int mock_inject_exception(void *vcpu, const struct axvcpu_exception *exception)
{
	mock.vectors[mock.nvectors++ % 1024] = exception->vector;
	return called(MOCK_INJECT_EXCEPTION, vcpu);
}

static int mock_set_irq_line(void *vcpu, uint32_t line, bool level)
{
	mock.regs[line] = level;
	return called(MOCK_SET_IRQ_LINE, vcpu);
}

static int mock_get_reg(void *vcpu, uint64_t id, uint64_t *value)
{
	int ret = called(MOCK_GET_REG, vcpu);

	if (id >= 32)
		return -ENOENT;
	if (!ret)
		*value = mock.regs[id];
	return ret;
}

static int mock_set_reg(void *vcpu, uint64_t id, uint64_t value)
{
	int ret = called(MOCK_SET_REG, vcpu);

	if (id >= 32)
		return -ENOENT;
	if (!ret)
		mock.regs[id] = value;
	return ret;
}

static int mock_get_regs(void *vcpu, struct axvcpu_regs *regs)
{
	int ret = called(MOCK_GET_REGS, vcpu);

	if (!ret) {
		*regs = (struct axvcpu_regs){ 0 };
		memcpy(regs->gpr, mock.regs, sizeof(mock.regs));
	}
	return ret;
}

static int mock_set_regs(void *vcpu, const struct axvcpu_regs *regs)
{
	int ret = called(MOCK_SET_REGS, vcpu);

	if (!ret)
		memcpy(mock.regs, regs->gpr, sizeof(mock.regs));
	return ret;
}

static int mock_set_return_value(void *vcpu, uint64_t value)
{
	int ret = called(MOCK_SET_RETURN_VALUE, vcpu);

	if (!ret)
		mock.regs[0] = value;
	return ret;
}

/* --- saving and loading, the clocks ------------------------------------------------------------- */

/* The registers, or the pins: both are 32 numbers. */
static int save_values(struct axvcpu_saver *saver, const uint64_t values[32])
{
	int ret = axvcpu_save_section(saver, "mock", 1, 0, values, sizeof(mock.regs));

	if (!ret && mock.extra_section)
		ret = axvcpu_save_section(saver, mock.extra_section, 1, mock.extra_flags, "abc", 3);
	return ret;
}

static int load_values(struct axvcpu_loader *loader, uint64_t values[32])
{
	const size_t len = sizeof(mock.regs);
	struct axvcpu_saved_section section;
	int ret = axvcpu_load_section(loader, "mock", 1, len, len, &section);

	if (ret < 0)
		return ret;
	if (!ret)
		return axvcpu_fail(NULL, -EINVAL, "no section mock");
	ret = axvcpu_load_begin(loader);
	if (ret)
		return ret;
	memcpy(values, section.data, len / 2);
	if (mock.half_loads) {
		mock.half_loads--;
		return axvcpu_fail(NULL, -EIO, "half of the values");
	}
	if (mock.refuses) {
		ret = axvcpu_load_refused(loader, "mock", 31, -ENOENT, "register %d", 31);
		if (ret)
			return ret;
	}
	memcpy(values, section.data, len);
	return 0;
}

static int mock_save(void *vcpu, struct axvcpu_saver *saver)
{
	int ret = called(MOCK_SAVE, vcpu);

	return ret ? ret : save_values(saver, mock.regs);
}

static int mock_load(void *vcpu, struct axvcpu_loader *loader)
{
	uint64_t *prepared = axvcpu_load_prepared(loader);
	int ret = called(MOCK_LOAD, vcpu);

	mock.parts = axvcpu_load_parts(loader);
	if (!ret && prepared) {
		mock.prepared_loads++;
		ret = axvcpu_load_begin(loader);
		if (!ret)
			memcpy(mock.regs, prepared, sizeof(mock.regs));
		return ret;
	}
	if (!ret)
		ret = load_values(loader, mock.regs);
	if (ret || !mock.prepares)
		return ret;
	prepared = axvcpu_load_alloc(loader, sizeof(mock.regs));
	if (!prepared)
		return -ENOMEM;
	memcpy(prepared, mock.regs, sizeof(mock.regs));
	return 0;
}

static int mock_vm_save(void *vm, struct axvcpu_saver *saver)
{
	int ret = called(MOCK_VM_SAVE, vm);

	return ret ? ret : save_values(saver, mock.pins);
}

static int mock_vm_load(void *vm, struct axvcpu_loader *loader)
{
	int ret = called(MOCK_VM_LOAD, vm);

	return ret ? ret : load_values(loader, mock.pins);
}

static int mock_get_clock(void *vcpu, struct axvm_clock *clock)
{
	int ret = called(MOCK_GET_CLOCK, vcpu);

	if (!ret)
		*clock = mock.clock;
	return ret;
}

static int mock_set_clock(void *vcpu, const struct axvm_clock *saved,
			  const struct axvm_clock *target)
{
	int ret = called(MOCK_SET_CLOCK, vcpu);

	(void)saved;
	mock.has_target = target;
	if (!ret && target)
		mock.target = *target;
	return ret;
}

static int mock_shift_counter(void *vcpu, uint64_t delta)
{
	int ret = called(MOCK_SHIFT_COUNTER, vcpu);

	if (!ret)
		mock.clock.counter += delta;
	return ret;
}

static int mock_setup_saved(void *vcpu, struct axvcpu_loader *loader)
{
	struct axvcpu_saved_section section;
	int ret = called(MOCK_SETUP_SAVED, vcpu);

	if (!ret && axvcpu_load_section(loader, "mock", 1, 0, sizeof(mock.regs), &section) <= 0)
		ret = axvcpu_fail(NULL, -EINVAL, "no section mock");
	return ret;
}

const struct axvcpu_arch_ops mock_ops = {
	.size = sizeof(mock_ops),
	.name = "mock",
	.vm_finalize = mock_vm_finalize,
	.vm_map = mock_vm_map,
	.vm_unmap = mock_vm_unmap,
	.vcpu_new = mock_vcpu_new,
	.vcpu_free = mock_vcpu_free,
	.set_entry = mock_set_entry,
	.set_ept_root = mock_set_ept_root,
	.setup = mock_setup,
	.run = mock_run,
	.bind = mock_bind,
	.unbind = mock_unbind,
	.complete = mock_complete,
	.flush = mock_flush,
	.kick = mock_kick,
	.get_reg = mock_get_reg,
	.set_reg = mock_set_reg,
	.get_regs = mock_get_regs,
	.set_regs = mock_set_regs,
	.set_return_value = mock_set_return_value,
	.reset = mock_reset_vcpu,
	.inject_interrupt = mock_inject_interrupt,
	.inject_nmi = mock_inject_nmi,
	.inject_exception = mock_inject_exception,
	.set_irq_line = mock_set_irq_line,
	.save = mock_save,
	.load = mock_load,
	.get_clock = mock_get_clock,
	.set_clock = mock_set_clock,
	.shift_counter = mock_shift_counter,
	.vm_save = mock_vm_save,
	.vm_load = mock_vm_load,
	.setup_saved = mock_setup_saved,
};

void mock_reset(void)
{
	memset(&mock, 0, sizeof(mock));
	mock.current_right = true;
}

void mock_set_state(void)
{
	for (unsigned int i = 0; i < 32; i++)
		mock.regs[i] = 100 + i;
	mock.clock = (struct axvm_clock){
		.size = sizeof(mock.clock), .counter = 1000, .counter_hz = 1000000, .realtime_ns = 1
	};
}

void mock_start(struct axvm **vm, struct axvcpu **vcpu, uint32_t flags)
{
	struct axvm_config vm_config = AXVM_CONFIG_INIT;
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;

	mock_reset();
	vm_config.arch = &mock_ops;
	vm_config.id = 7;
	config.flags = flags;
	ck_ok(axvm_new(&vm_config, vm));
	ck_ok(axvcpu_new(*vm, &config, vcpu));
	mock.vcpu = *vcpu;
}
