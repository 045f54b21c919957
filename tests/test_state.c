/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The state machine: every operation in every state, misuse from other threads, roll-back. Needs no
 * KVM.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include <axvcpu/crate.h>

#include "mock.h"
#include "suite.h"

static struct axvm *vm;
static struct axvcpu *vcpu;

static void end(void)
{
	ck_ok(axvcpu_set_state(vcpu, AXVCPU_FREE));
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(vm));
}

/* --- every operation, in every state ------------------------------------------------------------- */

static int fn_ok(void *ctx)
{
	(void)ctx;
	return 0;
}

static int arch_fn_ok(void *arch, void *ctx)
{
	(void)ctx;
	return arch == &mock ? 0 : -EINVAL;
}

static int do_setup(void)
{
	return axvcpu_setup(vcpu, 0x1000, 0, NULL);
}

static int do_bind(void)
{
	return axvcpu_bind(vcpu);
}

static int do_unbind(void)
{
	return axvcpu_unbind(vcpu);
}

static int do_run(void)
{
	struct axvcpu_exit exit;

	return axvcpu_run(vcpu, &exit);
}

static int do_complete(void)
{
	/* In Ready there is an exit to answer; elsewhere there is no way to have one. */
	if (axvcpu_state(vcpu) == AXVCPU_READY) {
		mock.exit.kind = AXVCPU_EXIT_MMIO_READ;
		mock.exit.answerable = 1;
		ck_ok(do_run());
	}
	return axvcpu_complete_value(vcpu, 1);
}

static int do_flush(void)
{
	return axvcpu_flush(vcpu);
}

static int do_block(void)
{
	axvcpu_wake(vcpu);
	return axvcpu_block(vcpu, -1);
}

static int do_set_entry(void)
{
	return axvcpu_set_entry(vcpu, 0x2000);
}

static int do_get_reg(void)
{
	uint64_t value;

	return axvcpu_get_reg(vcpu, 1, &value);
}

static int do_set_reg(void)
{
	return axvcpu_set_reg(vcpu, 1, 2);
}

static int do_get_regs(void)
{
	struct axvcpu_regs regs;

	return axvcpu_get_regs(vcpu, &regs);
}

static int do_set_regs(void)
{
	const struct axvcpu_regs regs = { .pc = 1 };

	return axvcpu_set_regs(vcpu, &regs);
}

static int do_set_gpr(void)
{
	return axvcpu_set_gpr(vcpu, 3, 4);
}

static int do_set_return_value(void)
{
	return axvcpu_set_return_value(vcpu, 5);
}

static int do_transition(void)
{
	return axvcpu_transition_state(vcpu, AXVCPU_FREE, AXVCPU_BLOCKED);
}

static int do_with_transition(void)
{
	return axvcpu_with_state_transition(vcpu, AXVCPU_READY, AXVCPU_FREE, fn_ok, NULL);
}

static int do_manipulate(void)
{
	return axvcpu_manipulate_arch(vcpu, AXVCPU_CREATED, AXVCPU_FREE, arch_fn_ok, NULL);
}

static int do_kick(void)
{
	return axvcpu_kick(vcpu);
}

static int do_wake(void)
{
	return axvcpu_wake(vcpu);
}

#define ANY 0x3fu
#define SAME (-1)

static const struct operation {
	const char *name;
	int (*call)(void);
	/* The states in which it is allowed, one bit each. */
	unsigned int allowed;
	/* The state that it leaves, or SAME. */
	int leaves;
} operations[] = {
	{ "setup", do_setup, 1 << AXVCPU_CREATED, AXVCPU_FREE },
	{ "bind", do_bind, 1 << AXVCPU_FREE, AXVCPU_READY },
	{ "unbind", do_unbind, 1 << AXVCPU_READY, AXVCPU_FREE },
	{ "run", do_run, 1 << AXVCPU_READY, SAME },
	{ "complete", do_complete, 1 << AXVCPU_READY, SAME },
	{ "flush", do_flush, 1 << AXVCPU_FREE | 1 << AXVCPU_READY, SAME },
	{ "block", do_block, 1 << AXVCPU_READY, SAME },
	{ "set_entry", do_set_entry, 1 << AXVCPU_FREE | 1 << AXVCPU_READY | 1 << AXVCPU_BLOCKED,
	  SAME },
	{ "get_reg", do_get_reg, 1 << AXVCPU_FREE | 1 << AXVCPU_READY | 1 << AXVCPU_BLOCKED, SAME },
	{ "set_reg", do_set_reg, 1 << AXVCPU_FREE | 1 << AXVCPU_READY | 1 << AXVCPU_BLOCKED, SAME },
	{ "get_regs", do_get_regs, 1 << AXVCPU_FREE | 1 << AXVCPU_READY | 1 << AXVCPU_BLOCKED,
	  SAME },
	{ "set_regs", do_set_regs, 1 << AXVCPU_FREE | 1 << AXVCPU_READY | 1 << AXVCPU_BLOCKED,
	  SAME },
	{ "set_gpr", do_set_gpr, 1 << AXVCPU_FREE | 1 << AXVCPU_READY | 1 << AXVCPU_BLOCKED, SAME },
	{ "set_return_value", do_set_return_value,
	  1 << AXVCPU_FREE | 1 << AXVCPU_READY | 1 << AXVCPU_BLOCKED, SAME },
	{ "transition_state", do_transition, 1 << AXVCPU_FREE, AXVCPU_BLOCKED },
	{ "with_state_transition", do_with_transition, 1 << AXVCPU_READY, AXVCPU_FREE },
	{ "manipulate_arch", do_manipulate, 1 << AXVCPU_CREATED, AXVCPU_FREE },
	{ "kick", do_kick, ANY, SAME },
	{ "wake", do_wake, ANY, SAME },
};
#define OPERATIONS ((int)(sizeof(operations) / sizeof(operations[0])))

static unsigned int backend_calls(void)
{
	unsigned int n = 0;

	for (int i = 0; i < MOCK_OPS; i++)
		n += atomic_load(&mock.calls[i]);
	return n;
}

static void check_operation(const struct operation *op, enum axvcpu_state state, bool strict)
{
	bool allowed = op->allowed & 1u << state;
	enum axvcpu_state after = allowed && op->leaves != SAME ? (enum axvcpu_state)op->leaves
								: state;
	unsigned int calls;
	int ret;

	mock_start(&vm, &vcpu, strict ? AXVCPU_F_STRICT : 0);
	ck_ok(axvcpu_set_state(vcpu, state));
	calls = backend_calls();
	ret = op->call();
	if (allowed) {
		ck_assert_msg(!ret, "%s in %s: %d, %s", op->name, axvcpu_state_name(state), ret,
			      axvcpu_last_error());
	} else {
		if (strict)
			after = AXVCPU_INVALID;
		ck_assert_msg(ret == -EBADFD, "%s in %s: %d, not EBADFD", op->name,
			      axvcpu_state_name(state), ret);
		ck_assert_msg(strstr(axvcpu_last_error(), axvcpu_state_name(state)) &&
				      strstr(axvcpu_last_error(), op->name),
			      "%s in %s: the message is \"%s\"", op->name, axvcpu_state_name(state),
			      axvcpu_last_error());
		ck_assert_msg(backend_calls() == calls, "%s in %s reached the backend", op->name,
			      axvcpu_state_name(state));
	}
	ck_assert_msg(axvcpu_state(vcpu) == after, "%s in %s leaves %s, not %s", op->name,
		      axvcpu_state_name(state), axvcpu_state_name(axvcpu_state(vcpu)),
		      axvcpu_state_name(after));
	ck_assert(mock.current_right);
	ck_assert_ptr_null(axvcpu_current());
	end();
}

START_TEST(every_operation_in_every_state)
{
	for (int state = AXVCPU_INVALID; state <= AXVCPU_BLOCKED; state++)
		check_operation(&operations[_i], (enum axvcpu_state)state, false);
}
END_TEST

START_TEST(every_operation_in_every_state_when_strict)
{
	for (int state = AXVCPU_INVALID; state <= AXVCPU_BLOCKED; state++)
		check_operation(&operations[_i], (enum axvcpu_state)state, true);
}
END_TEST

START_TEST(free_in_every_state_but_running_and_blocked)
{
	for (int state = AXVCPU_INVALID; state <= AXVCPU_BLOCKED; state++) {
		mock_start(&vm, &vcpu, 0);
		ck_ok(axvcpu_set_state(vcpu, (enum axvcpu_state)state));
		if (state == AXVCPU_BLOCKED) {
			ck_fails_saying(axvcpu_free(vcpu), EBUSY, "blocked");
			ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_BLOCKED);
			ck_ok(axvcpu_set_state(vcpu, AXVCPU_READY));
		}
		ck_ok(axvcpu_free(vcpu));
		ck_ok(axvm_free(vm));
	}
	ck_ok(axvcpu_free(NULL));
	ck_ok(axvm_free(NULL));
}
END_TEST

START_TEST(a_whole_life)
{
	mock_start(&vm, &vcpu, 0);
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_CREATED);
	ck_ok(axvcpu_setup(vcpu, 0x1234, 0x5678, NULL));
	ck_assert_uint_eq(mock.entry, 0x1234);
	/* A custom architecture gets the root as it is. */
	ck_assert_uint_eq(mock.ept_root, 0x5678);
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_FREE);
	for (int i = 0; i < 3; i++) {
		ck_ok(axvcpu_bind(vcpu));
		ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_READY);
		ck_ok(do_run());
		ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_READY);
		ck_ok(axvcpu_unbind(vcpu));
		ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_FREE);
	}
	ck_assert_uint_eq(axvcpu_id(vcpu), 0);
	ck_assert_uint_eq(axvcpu_vm_id(vcpu), 7);
	ck_assert_ptr_eq(axvcpu_vm(vcpu), vm);
	ck_assert_ptr_eq(axvcpu_arch(vcpu), &mock);
	ck_assert(axvcpu_is_bsp(vcpu));
	ck_fails(axvcpu_fd(vcpu), ENOTSUP);
	ck_fails(axvm_fd(vm), ENOTSUP);
	ck_fails(axvm_capability(vm, 1), ENOTSUP);
	ck_fails_saying(axvm_free(vm), EBUSY, "vCPU");
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(vm));
}
END_TEST

/* --- roll-back ------------------------------------------------------------------------------------ */

static const struct failure {
	enum mock_op op;
	int (*call)(void);
	enum axvcpu_state state;
	int leaves;
} failures[] = {
	{ MOCK_SET_ENTRY, do_setup, AXVCPU_CREATED, AXVCPU_FREE },
	{ MOCK_SET_EPT_ROOT, do_setup, AXVCPU_CREATED, AXVCPU_FREE },
	{ MOCK_SETUP, do_setup, AXVCPU_CREATED, AXVCPU_FREE },
	{ MOCK_BIND, do_bind, AXVCPU_FREE, AXVCPU_READY },
	{ MOCK_UNBIND, do_unbind, AXVCPU_READY, AXVCPU_FREE },
	{ MOCK_FLUSH, do_unbind, AXVCPU_READY, AXVCPU_FREE },
	{ MOCK_RUN, do_run, AXVCPU_READY, AXVCPU_READY },
	{ MOCK_VM_FINALIZE, do_run, AXVCPU_READY, AXVCPU_READY },
	{ MOCK_COMPLETE, do_complete, AXVCPU_READY, AXVCPU_READY },
	{ MOCK_FLUSH, do_flush, AXVCPU_FREE, AXVCPU_FREE },
	{ MOCK_SET_ENTRY, do_set_entry, AXVCPU_FREE, AXVCPU_FREE },
	{ MOCK_GET_REG, do_get_reg, AXVCPU_FREE, AXVCPU_FREE },
	{ MOCK_SET_REG, do_set_reg, AXVCPU_BLOCKED, AXVCPU_BLOCKED },
	{ MOCK_GET_REGS, do_get_regs, AXVCPU_FREE, AXVCPU_FREE },
	{ MOCK_SET_REGS, do_set_regs, AXVCPU_READY, AXVCPU_READY },
	{ MOCK_SET_RETURN_VALUE, do_set_return_value, AXVCPU_FREE, AXVCPU_FREE },
};
#define FAILURES ((int)(sizeof(failures) / sizeof(failures[0])))

START_TEST(a_failing_operation_leaves_the_state_and_can_be_tried_again)
{
	const struct failure *failure = &failures[_i];

	mock_start(&vm, &vcpu, AXVCPU_F_STRICT);
	ck_ok(axvcpu_set_state(vcpu, failure->state));
	mock.ret[failure->op] = -EIO;
	ck_assert_int_eq(failure->call(), -EIO);
	ck_assert_int_eq(axvcpu_state(vcpu), failure->state);
	ck_assert_ptr_null(axvcpu_current());
	mock.ret[failure->op] = 0;
	ck_ok(failure->call());
	ck_assert_int_eq(axvcpu_state(vcpu), failure->leaves);
	end();
}
END_TEST

static int fn_fails(void *ctx)
{
	/* The state is still the old one, and no other thread gets in. */
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_FREE);
	ck_fails(do_bind(), EBUSY);
	return *(int *)ctx;
}

START_TEST(a_failing_transition_leaves_the_state)
{
	int ret = -ENOSPC;

	mock_start(&vm, &vcpu, 0);
	ck_ok(axvcpu_set_state(vcpu, AXVCPU_FREE));
	ck_assert_int_eq(axvcpu_with_state_transition(vcpu, AXVCPU_FREE, AXVCPU_BLOCKED, fn_fails,
						      &ret),
			 -ENOSPC);
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_FREE);
	ret = 0;
	ck_ok(axvcpu_with_state_transition(vcpu, AXVCPU_FREE, AXVCPU_BLOCKED, fn_fails, &ret));
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_BLOCKED);
	ck_fails(axvcpu_transition_state(vcpu, (enum axvcpu_state)6, AXVCPU_FREE), EINVAL);
	ck_fails(axvcpu_transition_state(vcpu, AXVCPU_BLOCKED, (enum axvcpu_state)99), EINVAL);
	ck_fails(axvcpu_set_state(vcpu, (enum axvcpu_state)6), EINVAL);
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_BLOCKED);
}
END_TEST

START_TEST(invalid_is_left_only_by_set_state_and_free)
{
	mock_start(&vm, &vcpu, AXVCPU_F_STRICT);
	ck_fails(do_run(), EBADFD);
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_INVALID);
	for (int i = 0; i < OPERATIONS; i++) {
		if (operations[i].allowed == ANY)
			continue;
		ck_assert_int_eq(operations[i].call(), -EBADFD);
		ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_INVALID);
	}
	ck_ok(axvcpu_set_state(vcpu, AXVCPU_CREATED));
	ck_ok(do_setup());
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(vm));
}
END_TEST

/* --- other threads ---------------------------------------------------------------------------------- */

static void *run_held(void *arg)
{
	int *ret = arg;

	*ret = do_bind();
	if (!*ret)
		*ret = do_run();
	return NULL;
}

/* The vCPU's owner is another thread, which is in run until mock.hold is cleared. */
static pthread_t start_owner(int *ret)
{
	pthread_t thread;

	mock_start(&vm, &vcpu, AXVCPU_F_STRICT);
	ck_ok(do_setup());
	atomic_store(&mock.hold, true);
	ck_assert_int_eq(pthread_create(&thread, NULL, run_held, ret), 0);
	while (!atomic_load(&mock.inside))
		sched_yield();
	return thread;
}

START_TEST(others_are_busy_while_the_owner_is_inside)
{
	int ret = -1;
	pthread_t owner = start_owner(&ret);

	for (int i = 0; i < OPERATIONS; i++) {
		const struct operation *op = &operations[i];
		int got = op->call();

		ck_assert_msg(got == (op->allowed == ANY ? 0 : -EBUSY), "%s: %d", op->name, got);
		/* Not even when strict: the owner is not to be pulled over. */
		ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_RUNNING);
	}
	ck_fails(axvcpu_free(vcpu), EBUSY);
	ck_fails(axvcpu_set_state(vcpu, AXVCPU_FREE), EBUSY);
	ck_assert_uint_eq(axvcpu_id(vcpu), 0);
	atomic_store(&mock.hold, false);
	pthread_join(owner, NULL);
	ck_assert_int_eq(ret, 0);
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_READY);
}
END_TEST

START_TEST(only_the_owner_runs_completes_blocks_and_unbinds)
{
	int ret = -1;
	pthread_t owner = start_owner(&ret);
	uint64_t value;

	mock.exit.kind = AXVCPU_EXIT_MMIO_READ;
	mock.exit.answerable = 1;
	atomic_store(&mock.hold, false);
	pthread_join(owner, NULL);
	ck_assert_int_eq(ret, 0);
	ck_fails_saying(do_run(), EBUSY, "belongs to thread");
	ck_fails_saying(axvcpu_complete_value(vcpu, 0), EBUSY, "belongs to thread");
	ck_fails_saying(axvcpu_block(vcpu, 0), EBUSY, "belongs to thread");
	ck_fails_saying(do_unbind(), EBUSY, "belongs to thread");
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_READY);
	/* But any thread may look, now that the vCPU is not busy. */
	ck_ok(axvcpu_get_reg(vcpu, 1, &value));
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(vm));
}
END_TEST

static void hook_reenters(enum mock_op op, void *arch)
{
	(void)arch;
	if (op != MOCK_RUN)
		return;
	ck_assert_ptr_eq(axvcpu_current(), vcpu);
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_RUNNING);
	/* The same thread is inside: that is a wrong state, not another thread. */
	ck_fails(do_get_reg(), EBADFD);
	ck_fails(do_run(), EBADFD);
	ck_fails(axvcpu_free(vcpu), EBADFD);
	ck_ok(axvcpu_kick(vcpu));
}

START_TEST(an_operation_does_not_reenter_its_vcpu)
{
	mock_start(&vm, &vcpu, AXVCPU_F_STRICT);
	ck_ok(axvcpu_set_state(vcpu, AXVCPU_READY));
	mock.hook = hook_reenters;
	ck_ok(do_run());
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_READY);
}
END_TEST

/* --- the current vCPU --------------------------------------------------------------------------------- */

static int fn_current(void *ctx)
{
	ck_assert_ptr_eq(axvcpu_current(), ctx);
	/* Nesting is refused, as the crate panics. */
	ck_fails(axvcpu_with_current(vcpu, fn_ok, NULL), EBUSY);
	return 42;
}

START_TEST(the_current_vcpu_is_the_one_operated_on)
{
	mock_start(&vm, &vcpu, 0);
	ck_assert_ptr_null(axvcpu_current());
	ck_assert_int_eq(axvcpu_with_current(vcpu, fn_current, vcpu), 42);
	ck_assert_ptr_null(axvcpu_current());
	axvcpu_set_current(vcpu);
	ck_assert_ptr_eq(axvcpu_current(), vcpu);
	/* An operation restores the previous current vCPU. */
	ck_ok(do_setup());
	ck_assert_ptr_eq(axvcpu_current(), vcpu);
	axvcpu_set_current(NULL);
	ck_assert_ptr_null(axvcpu_current());
}
END_TEST

/* --- other work of run --------------------------------------------------------------------------------- */

START_TEST(the_first_run_finalizes_and_then_no_vcpu_is_made)
{
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;
	struct axvm_config vm_config = AXVM_CONFIG_INIT;
	struct axvcpu *other;

	mock_start(&vm, &vcpu, 0);
	ck_ok(axvcpu_set_state(vcpu, AXVCPU_READY));
	ck_ok(do_run());
	ck_ok(do_run());
	ck_assert_uint_eq(mock.calls[MOCK_VM_FINALIZE], 1);
	ck_ok(axvm_finalize(vm));
	ck_assert_uint_eq(mock.calls[MOCK_VM_FINALIZE], 1);
	ck_fails_saying(axvcpu_new(vm, &config, &other), EBUSY, "finalized");
	end();

	vm_config.arch = &mock_ops;
	vm_config.max_vcpus = 2;
	ck_ok(axvm_new(&vm_config, &vm));
	ck_ok(axvcpu_new(vm, &config, &vcpu));
	ck_fails(axvcpu_new(vm, &config, &other), EEXIST);
	config.id = 2;
	ck_fails_saying(axvcpu_new(vm, &config, &other), EINVAL, "max_vcpus");
	config.id = 1;
	ck_ok(axvcpu_new(vm, &config, &other));
	ck_assert(!axvcpu_is_bsp(other));
	ck_assert_uint_eq(axvcpu_id(other), 1);
}
END_TEST

START_TEST(after_a_terminal_exit_there_is_no_run)
{
	static const enum axvcpu_exit_kind terminal[] = {
		AXVCPU_EXIT_SYSTEM_DOWN,
		AXVCPU_EXIT_SYSTEM_RESET,
		AXVCPU_EXIT_SHUTDOWN,
		AXVCPU_EXIT_INTERNAL_ERROR,
	};
	unsigned int seen = 0;

	for (uint32_t kind = 0; kind <= AXVCPU_EXIT_UNHANDLED + 20; kind++) {
		bool last = false;

		for (size_t i = 0; i < sizeof(terminal) / sizeof(terminal[0]); i++)
			last |= kind == (uint32_t)terminal[i];
		seen += last;
		mock_start(&vm, &vcpu, 0);
		ck_ok(axvcpu_set_state(vcpu, AXVCPU_READY));
		mock.exit.kind = kind;
		ck_ok(do_run());
		if (last)
			ck_fails_saying(do_run(), EBADFD, "terminal exit");
		else
			ck_ok(do_run());
		ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_READY);
		/* Its registers can still be looked at. */
		ck_ok(do_get_reg());
		ck_ok(axvcpu_free(vcpu));
		ck_ok(axvm_free(vm));
	}
	ck_assert_uint_eq(seen, 4);
}
END_TEST

static unsigned int handled;
static int fetched;

static int irq_fetch(void *ctx, uint64_t *vector)
{
	*vector = *(uint64_t *)ctx;
	return fetched;
}

static void irq_handler(void *ctx, uint64_t vector)
{
	ck_assert_uint_eq(vector, *(uint64_t *)ctx);
	handled++;
}

START_TEST(an_interrupted_run_asks_the_hal)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvcpu_hal hal = AXVCPU_HAL_INIT;
	struct axvcpu_exit exit;
	uint64_t vector = 33;

	mock_reset();
	hal.ctx = &vector;
	hal.irq_fetch = irq_fetch;
	hal.irq_handler = irq_handler;
	config.arch = &mock_ops;
	config.hal = &hal;
	ck_ok(axvm_new(&config, &vm));
	ck_ok(axvcpu_new(vm, NULL, &vcpu));
	ck_ok(axvcpu_set_state(vcpu, AXVCPU_READY));

	fetched = 1;
	mock.exit.kind = AXVCPU_EXIT_NOTHING;
	ck_ok(axvcpu_run(vcpu, &exit));
	ck_assert_uint_eq(exit.kind, AXVCPU_EXIT_EXTERNAL_INTERRUPT);
	ck_assert_uint_eq(exit.u.external_interrupt.vector, 33);
	ck_assert_uint_eq(handled, 1);
	/* Not if the HAL does not claim it, a kick explains it, or there is another reason. */
	fetched = 0;
	mock.exit.answerable = 1;
	ck_ok(axvcpu_run(vcpu, &exit));
	ck_assert_uint_eq(exit.kind, AXVCPU_EXIT_NOTHING);
	ck_assert_uint_eq(exit.answerable, 0);
	mock.exit.answerable = 0;
	fetched = 1;
	mock.exit.kicked = 1;
	ck_ok(axvcpu_run(vcpu, &exit));
	ck_assert_uint_eq(exit.kind, AXVCPU_EXIT_NOTHING);
	mock.exit.kicked = 0;
	mock.exit.kind = AXVCPU_EXIT_HALT;
	ck_ok(axvcpu_run(vcpu, &exit));
	ck_assert_uint_eq(exit.kind, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(handled, 1);
	end();
}
END_TEST

/* --- answers, as far as lib/ decides ----------------------------------------------------------------------- */

START_TEST(an_exit_is_answered_once_and_only_if_it_asks)
{
	mock_start(&vm, &vcpu, 0);
	ck_ok(axvcpu_set_state(vcpu, AXVCPU_READY));
	ck_fails_saying(axvcpu_complete_value(vcpu, 1), EBADFD, "no exit to answer");
	mock.exit.kind = AXVCPU_EXIT_MMIO_READ;
	mock.exit.answerable = 1;
	ck_ok(do_run());
	/* A refused answer leaves the question open. */
	mock.ret[MOCK_COMPLETE] = -EINVAL;
	ck_assert_int_eq(axvcpu_complete_fault(vcpu), -EINVAL);
	mock.ret[MOCK_COMPLETE] = 0;
	ck_ok(axvcpu_complete_pair(vcpu, 3, 4));
	ck_assert_uint_eq(mock.answer.kind, AXVCPU_ANSWER_PAIR);
	ck_assert_uint_eq(mock.answer.u.pair[0], 3);
	ck_assert_uint_eq(mock.answer.u.pair[1], 4);
	ck_fails_saying(axvcpu_complete_value(vcpu, 1), EBADFD, "no exit to answer");
	/* Finishing the exit withdraws the question. */
	ck_ok(do_run());
	ck_ok(axvcpu_flush(vcpu));
	ck_fails(axvcpu_complete_value(vcpu, 1), EBADFD);
	ck_ok(do_run());
	ck_ok(do_set_reg());
	ck_fails(axvcpu_complete_value(vcpu, 1), EBADFD);
	/* And so does the next run. */
	ck_ok(do_run());
	mock.exit.answerable = 0;
	ck_ok(do_run());
	ck_fails(axvcpu_complete_value(vcpu, 1), EBADFD);
}
END_TEST

START_TEST(set_return_value_answers_a_hypercall)
{
	mock_start(&vm, &vcpu, 0);
	ck_ok(axvcpu_set_state(vcpu, AXVCPU_READY));
	mock.exit.kind = AXVCPU_EXIT_HYPERCALL;
	mock.exit.answerable = 1;
	ck_ok(do_run());
	ck_ok(axvcpu_set_return_value(vcpu, 77));
	ck_assert_uint_eq(mock.calls[MOCK_COMPLETE], 1);
	ck_assert_uint_eq(mock.calls[MOCK_SET_RETURN_VALUE], 0);
	ck_assert_uint_eq(mock.answer.u.value, 77);
	/* Answered: from here on it is a register. */
	ck_ok(axvcpu_set_return_value(vcpu, 78));
	ck_assert_uint_eq(mock.calls[MOCK_SET_RETURN_VALUE], 1);
	/* A read is not a call. */
	mock.exit.kind = AXVCPU_EXIT_MMIO_READ;
	ck_ok(do_run());
	ck_ok(axvcpu_set_return_value(vcpu, 79));
	ck_assert_uint_eq(mock.calls[MOCK_COMPLETE], 1);
	ck_assert_uint_eq(mock.calls[MOCK_SET_RETURN_VALUE], 2);
}
END_TEST

START_TEST(registers_that_do_not_exist_are_named)
{
	uint64_t value = 99;

	mock_start(&vm, &vcpu, 0);
	ck_ok(axvcpu_set_state(vcpu, AXVCPU_FREE));
	ck_fails_saying(axvcpu_get_reg(vcpu, 0x777, &value), ENOENT, "0x777");
	ck_assert_uint_eq(value, 99);
	ck_fails(axvcpu_set_reg(vcpu, 32, 1), ENOENT);
	ck_fails(axvcpu_set_gpr(vcpu, 32, 1), ENOENT);
	/* An index is not an id: 0x100 is the program counter's. */
	ck_fails(axvcpu_set_gpr(vcpu, AXVCPU_REG_PC, 1), ENOENT);
	ck_fails(axvcpu_reg_info(vcpu, 0, NULL, NULL), ENOTSUP);
	ck_ok(axvcpu_set_gpr(vcpu, 31, 5));
	ck_ok(axvcpu_get_reg(vcpu, AXVCPU_REG_GPR(31), &value));
	ck_assert_uint_eq(value, 5);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *table = suite_case(suite, "table");
	TCase *rollback = suite_case(suite, "rollback");
	TCase *threads = suite_case(suite, "threads");
	TCase *run = suite_case(suite, "run");

	tcase_add_loop_test(table, every_operation_in_every_state, 0, OPERATIONS);
	tcase_add_loop_test(table, every_operation_in_every_state_when_strict, 0, OPERATIONS);
	tcase_add_test(table, free_in_every_state_but_running_and_blocked);
	tcase_add_test(table, a_whole_life);

	tcase_add_loop_test(rollback, a_failing_operation_leaves_the_state_and_can_be_tried_again,
			    0, FAILURES);
	tcase_add_test(rollback, a_failing_transition_leaves_the_state);
	tcase_add_test(rollback, invalid_is_left_only_by_set_state_and_free);

	tcase_add_test(threads, others_are_busy_while_the_owner_is_inside);
	tcase_add_test(threads, only_the_owner_runs_completes_blocks_and_unbinds);
	tcase_add_test(threads, an_operation_does_not_reenter_its_vcpu);
	tcase_add_test(threads, the_current_vcpu_is_the_one_operated_on);

	tcase_add_test(run, the_first_run_finalizes_and_then_no_vcpu_is_made);
	tcase_add_test(run, after_a_terminal_exit_there_is_no_run);
	tcase_add_test(run, an_interrupted_run_asks_the_hal);
	tcase_add_test(run, an_exit_is_answered_once_and_only_if_it_asks);
	tcase_add_test(run, set_return_value_answers_a_hypercall);
	tcase_add_test(run, registers_that_do_not_exist_are_named);
}

int main(void)
{
	return suite_main("state", false, add_tests);
}
