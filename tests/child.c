/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "child.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <axvcpu/crate.h>

#include "suite.h"

pid_t child_start(enum child_way way, void (*fn)(void))
{
	pid_t pid;

	fflush(NULL);
	pid = way == CHILD_RAW ? (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) : fork();
	if (!pid) {
		/* Not by Check's handler. */
		signal(SIGALRM, SIG_DFL);
		alarm(SUITE_TIMEOUT / 2);
		fn();
		/* A sanitizer looks for leaks at a usual end. */
		if (way == CHILD_FORK)
			exit(0);
		_exit(0);
	}
	ck_assert_int_ge(pid, 0);
	return pid;
}

void child_end(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && !WEXITSTATUS(status), "the child ends with %#x", status);
}

void child_run(enum child_way way, void (*fn)(void))
{
	child_end(child_start(way, fn));
}

/* --- every call ------------------------------------------------------------------------------- */

/* The functions of signal handlers leave no message. */
static void calls_for_signal_handlers(struct axvcpu *vcpu, struct axvm_runner *runner)
{
	axvcpu_fail(NULL, -EIO, "the latest message");
	child_expect(axvcpu_kick(vcpu) == -EPERM);
	child_expect(axvcpu_wake(vcpu) == -EPERM);
	child_expect(!runner || axvm_runner_stop(runner) == -EPERM);
	child_expect(strstr(axvcpu_last_error(), "the latest message"));
}

static void calls_for_memory(struct axvm *vm)
{
	struct axvm_region region = AXVM_REGION_INIT;
	struct axvm_dirty_range range;
	uint64_t gpa = 77;
	void *ptr = &gpa;

	region.len = 0x10000;
	child_expect_eperm(axvm_map(vm, &region));
	child_expect_eperm(axvm_unmap(vm, 0, 0x10000));
	child_expect_eperm(axvm_regions(vm, 0, 0, NULL));
	child_expect_eperm(axvm_translate(vm, 0, 1, &ptr));
	child_expect_eperm(axvm_read(vm, 0, &gpa, sizeof(gpa)));
	child_expect_eperm(axvm_write(vm, 0, &gpa, sizeof(gpa)));
	child_expect_eperm(axvm_set(vm, 0, 0xff, 1));
	child_expect_eperm(axvm_set_readonly(vm, 0, 0x10000, true));
	child_expect_eperm(axvm_set_dirty_log(vm, 0, 0x10000, true));
	child_expect_eperm(axvm_take_dirty(vm, &gpa, 1, &range));
	child_expect_eperm(axvm_mark_dirty(vm, 0, 1));
	child_expect_eperm(axvm_alloc_frame(vm, &gpa));
	child_expect_eperm(axvm_free_frame(vm, 0));
	child_expect_eperm(axvm_virt_to_phys(vm, ptr, &gpa));
	child_expect(!axvm_phys_to_virt(vm, 0));
	child_expect(strstr(axvcpu_last_error(), "belongs to process"));
	child_expect(gpa == 77 && ptr == &gpa);
}

static void calls_for_the_vm(struct axvm *vm)
{
	static const uint64_t args[4];
	struct axvm_ioeventfd ioeventfd = AXVM_IOEVENTFD_INIT;
	struct axvm_device_config device = AXVM_DEVICE_CONFIG_INIT;
	struct axvm_irqfd irqfd = AXVM_IRQFD_INIT;
	struct axvm_limits limits = AXVM_LIMITS_INIT;
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;
	struct axvm_status_info status = AXVM_STATUS_INFO_INIT;
	struct axvm_config vm_config = AXVM_CONFIG_INIT;
	const struct axvm_msi msi = { 0 };
	const struct axvm_route route = { .kind = AXVM_ROUTE_PIN };
	const uint64_t set = 1;
	struct axvm_checkpoint *checkpoint = NULL;
	struct axvcpu *vcpu = NULL;

	config.id = 1;
	child_expect_eperm(axvm_finalize(vm));
	child_expect_eperm(axvm_fd(vm));
	child_expect_eperm(axvm_capability(vm, 10));
	child_expect_eperm(axvm_enable_capability(vm, 10, args));
	child_expect_eperm(axvm_get_limits(vm, &limits));
	child_expect_eperm(axvm_get_status(vm, &status));
	child_expect_eperm(axvm_reset(vm, 0));
	child_expect_eperm(axvm_get_config(vm, &vm_config));
	child_expect_eperm(axvm_describe(vm, NULL, 0));
	child_expect_eperm(axvm_vcpus(vm, 0, 1, &vcpu));
	child_expect(!axvm_vcpu(vm, 0));
	child_expect_eperm(axvm_get_clock(vm, NULL));
	child_expect_eperm(axvm_set_clock(vm, NULL, AXVM_TIME_FREEZE));
	child_expect_eperm(axvm_save(vm, NULL, 0));
	child_expect_eperm(axvm_load(vm, &set, sizeof(set), NULL));
	child_expect_eperm(axvm_quiesce(vm, NULL, 0));
	child_expect_eperm(axvm_checkpoint_new(vm, NULL, &checkpoint));
	child_expect_eperm((int)axvm_checkpoint_restore(NULL, vm, NULL));
	child_expect_eperm(axvm_set_irq_line(vm, 5, true));
	child_expect_eperm(axvm_signal_msi(vm, &msi));
	child_expect_eperm(axvm_set_routes(vm, NULL, 0));
	child_expect_eperm(axvm_add_route(vm, &route));
	child_expect_eperm(axvm_change_route(vm, &route));
	child_expect_eperm(axvm_mask_route(vm, 5, true));
	child_expect_eperm(axvm_remove_route(vm, 5));
	child_expect_eperm(axvm_set_sysregs(vm, NULL, 0));
	child_expect_eperm(axvm_set_irqfd(vm, &irqfd));
	child_expect_eperm(axvm_set_irq_end(vm, 5, NULL, NULL));
	child_expect_eperm(axvm_raise_irq(vm, 5));
	child_expect_eperm(axvm_pulse_irq(vm, 5));
	child_expect_eperm(axvm_inject_interrupt(vm, &set, 1, 32));
	child_expect_eperm(axvm_set_ioeventfd(vm, &ioeventfd));
	child_expect_eperm(axvm_add_device(vm, &device, NULL));
	child_expect_eperm(axvm_flush_coalesced(vm));
	child_expect_eperm(axvm_quiesce_devices(vm));
	child_expect_eperm(axvcpu_new(vm, &config, &vcpu));
	child_expect(!vcpu && !limits.vcpus);
}

static void calls_for_registers(struct axvcpu *vcpu)
{
	struct axvcpu_translation translation = AXVCPU_TRANSLATION_INIT;
	struct axvcpu_cpu_mode mode = AXVCPU_CPU_MODE_INIT;
	struct axvcpu_regs regs = { 0 };
	const char *name;
	uint64_t value = 77;

	child_expect_eperm(axvcpu_get_reg(vcpu, AXVCPU_REG_PC, &value));
	child_expect_eperm(axvcpu_set_reg(vcpu, AXVCPU_REG_PC, 0));
	child_expect_eperm(axvcpu_set_gpr(vcpu, 0, 0));
	child_expect_eperm(axvcpu_set_entry(vcpu, 0));
	child_expect_eperm(axvcpu_set_return_value(vcpu, 0));
	child_expect_eperm(axvcpu_get_regs(vcpu, &regs));
	child_expect_eperm(axvcpu_set_regs(vcpu, &regs));
	child_expect_eperm(axvcpu_get_reg_bytes(vcpu, 0, &value, sizeof(value)));
	child_expect_eperm(axvcpu_set_reg_bytes(vcpu, 0, &value, sizeof(value)));
	child_expect_eperm(axvcpu_reg_list(vcpu, NULL, 0));
	child_expect_eperm(axvcpu_reg_info(vcpu, 0, NULL, &name));
	child_expect_eperm(axvcpu_translate(vcpu, 0, &value));
	child_expect_eperm(axvcpu_translate_access(vcpu, 0, &translation));
	child_expect_eperm(axvcpu_get_cpu_mode(vcpu, &mode));
	child_expect_eperm(axvcpu_save(vcpu, NULL, 0));
	child_expect_eperm(axvcpu_load(vcpu, &value, sizeof(value), NULL));
	child_expect(value == 77);
}

static int must_not_be_called(void *ctx)
{
	const bool called = true;

	(void)ctx;
	child_expect(!called);
	return 0;
}

static int arch_must_not_be_called(void *arch, void *ctx)
{
	(void)arch;
	return must_not_be_called(ctx);
}

static void calls_for_the_state(struct axvcpu *vcpu)
{
	struct axvcpu_exit exit_;

	child_expect_eperm(axvcpu_setup(vcpu, 0, 0, NULL));
	child_expect_eperm(axvcpu_bind(vcpu));
	child_expect_eperm(axvcpu_adopt(vcpu));
	child_expect_eperm(axvcpu_run(vcpu, &exit_));
	child_expect_eperm(axvcpu_complete_value(vcpu, 0x99));
	child_expect_eperm(axvcpu_complete_fault(vcpu));
	child_expect_eperm(axvcpu_flush(vcpu));
	child_expect_eperm(axvcpu_block(vcpu, 0));
	child_expect_eperm(axvcpu_unbind(vcpu));
	child_expect_eperm(axvcpu_set_state(vcpu, AXVCPU_FREE));
	child_expect_eperm(axvcpu_transition_state(vcpu, AXVCPU_READY, AXVCPU_FREE));
	child_expect_eperm(axvcpu_with_state_transition(vcpu, AXVCPU_READY, AXVCPU_FREE,
							must_not_be_called, NULL));
	child_expect_eperm(axvcpu_manipulate_arch(vcpu, AXVCPU_READY, AXVCPU_FREE,
						  arch_must_not_be_called, NULL));
	child_expect_eperm(axvcpu_with_current(vcpu, must_not_be_called, NULL));
}

static void calls_for_requests(struct axvcpu *vcpu)
{
	static const uint64_t args[4];
	const struct axvcpu_request request = { .kind = AXVCPU_REQUEST_SET_REG };
	const struct axvcpu_exception exception = { 0 };

	child_expect_eperm(axvcpu_send_request(vcpu, &request, -1));
	child_expect_eperm(axvcpu_inject_interrupt(vcpu, 32));
	child_expect_eperm(axvcpu_inject_interrupt_with_trigger(vcpu, 32, AXVCPU_TRIGGER_EDGE));
	child_expect_eperm(axvcpu_inject_nmi(vcpu));
	child_expect_eperm(axvcpu_inject_exception(vcpu, &exception));
	child_expect_eperm(axvcpu_set_irq_line(vcpu, 0, true));
	child_expect_eperm(axvcpu_request_irq_window(vcpu));
	child_expect_eperm(axvcpu_reset(vcpu, 0, 0));
	child_expect_eperm(axvcpu_start(vcpu, 0, 0));
	child_expect_eperm(axvcpu_stop(vcpu));
	child_expect_eperm(axvcpu_pause(vcpu, -1));
	child_expect_eperm(axvcpu_resume(vcpu));
	child_expect_eperm(axvcpu_set_debug(vcpu, NULL));
	child_expect_eperm(axvcpu_enable_capability(vcpu, 10, args));
	child_expect_eperm(axvcpu_favor_cpu(vcpu));
	child_expect_eperm(axvcpu_cpu_set(vcpu, NULL, 0));
	child_expect_eperm(axvcpu_fd(vcpu));
}

static int handle(struct axvcpu *vcpu, struct axvcpu_exit *exit_, void *ctx)
{
	(void)vcpu;
	(void)exit_;
	return must_not_be_called(ctx);
}

static void calls_for_runners(struct axvm *vm, struct axvcpu *vcpu, struct axvm_runner *runner)
{
	struct axvm_runner_config config = AXVM_RUNNER_CONFIG_INIT;
	struct axvm_runner *another = NULL;

	config.handler = handle;
	config.vcpus = &vcpu;
	config.nvcpus = 1;
	child_expect_eperm(axvm_runner_start(vm, &config, &another));
	if (!runner)
		return;
	child_expect_eperm(axvm_runner_join(runner, -1));
	child_expect_eperm(axvm_runner_pause(runner, -1));
	child_expect_eperm(axvm_runner_resume(runner));
	child_expect_eperm(axvm_runner_kill(runner));
}

void child_calls_all(struct axvm *vm, struct axvcpu *vcpu, struct axvm_runner *runner)
{
	const enum axvcpu_state state = axvcpu_state(vcpu);
	const uint32_t id = axvcpu_id(vcpu);

	child_expect(axvm_is_copy(vm));
	calls_for_signal_handlers(vcpu, runner);
	calls_for_memory(vm);
	calls_for_the_vm(vm);
	calls_for_registers(vcpu);
	calls_for_the_state(vcpu);
	calls_for_requests(vcpu);
	calls_for_runners(vm, vcpu, runner);
	/* None of them has changed anything, and functions without an errno still work. */
	child_expect(axvcpu_state(vcpu) == state);
	child_expect(axvcpu_power(vcpu) == AXVCPU_POWER_ON);
	child_expect(axvcpu_id(vcpu) == id);
	child_expect(axvcpu_vm(vcpu) == vm);
	child_expect(!axvcpu_current());
}
