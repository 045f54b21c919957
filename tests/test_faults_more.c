/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * What tests/test_faults.c does with a VM's life, for what need not be part of one: interrupts,
 * requests, power, event descriptors, capabilities, the runner. Each of their system calls and
 * allocations fails in turn, in a new VM each time, and then it is tried again.
 */
#include <dirent.h>
#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "guest.h"
#include "injector.h"
#include "resources.h"
#include "suite.h"

#define VCPUS 2
#define PORT 0x10
#define VALUE 0x41
#define GSI 5
#define MSI_ADDRESS UINT64_C(0xfee00000)
#define VECTOR 0x40u
#define UNDEFINED_INSTRUCTION 6

/* 32-bit code: mov al, VALUE; out PORT, al; jmp self */
static const unsigned char code[] = { 0xb0, VALUE, 0xe6, PORT, 0xeb, 0xfe };

struct world {
	struct axvm *vm;
	struct axvcpu *vcpus[VCPUS];
	struct axvcpu_exit exit;
	int fd;
};

static struct axvcpu *first(const struct world *world)
{
	return world->vcpus[0];
}

static void world_begin(struct world *world, enum axvm_irqchip irqchip)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm_region memory = AXVM_REGION_INIT;
	struct axvcpu_setup_config setup = AXVCPU_SETUP_INIT;

	config.max_vcpus = VCPUS;
	config.irqchip = irqchip;
	ck_ok(axvm_new(&config, &world->vm));
	memory.len = GUEST_MEMORY;
	ck_ok(axvm_map(world->vm, &memory));
	ck_ok(axvm_write(world->vm, GUEST_CODE, code, sizeof(code)));
	setup.mode = AXVCPU_MODE_32;
	for (uint32_t i = 0; i < VCPUS; i++) {
		struct axvcpu_config vcpu_config = AXVCPU_CONFIG_INIT;

		/* The second one has yet to be started. */
		vcpu_config.id = i;
		vcpu_config.flags = i ? AXVCPU_F_START_OFF : 0;
		ck_ok(axvcpu_new(world->vm, &vcpu_config, &world->vcpus[i]));
		ck_ok(axvcpu_setup(world->vcpus[i], GUEST_CODE, 0, &setup));
	}
	world->fd = eventfd(0, EFD_CLOEXEC);
	ck_assert_int_ge(world->fd, 0);
}

static void world_end(struct world *world)
{
	for (int i = 0; i < VCPUS; i++) {
		if (axvcpu_state(world->vcpus[i]) == AXVCPU_READY)
			ck_ok(axvcpu_unbind(world->vcpus[i]));
		ck_ok(axvcpu_free(world->vcpus[i]));
	}
	ck_ok(axvm_free(world->vm));
	close(world->fd);
}

/* --- what is done before ------------------------------------------------------------------------------ */

static void bound(struct world *world)
{
	ck_ok(axvcpu_bind(first(world)));
}

/* The exit is open: a reset has to finish it. */
static void at_an_exit(struct world *world)
{
	bound(world);
	do
		ck_ok(axvcpu_run(first(world), &world->exit));
	while (world->exit.kind == AXVCPU_EXIT_NOTHING);
	ck_assert_uint_eq(world->exit.kind, AXVCPU_EXIT_IO_WRITE);
}

static void bound_with_vector(struct world *world)
{
	bound(world);
	ck_ok(axvcpu_inject_interrupt(first(world), VECTOR));
}

static const struct axvcpu_exception undefined = { .vector = UNDEFINED_INSTRUCTION };

static void bound_with_exception(struct world *world)
{
	bound(world);
	ck_ok(axvcpu_inject_exception(first(world), &undefined));
}

/* --- what is done -------------------------------------------------------------------------------------- */

static int take_set_irq_line(struct world *world)
{
	return axvm_set_irq_line(world->vm, GSI, true);
}

static int take_signal_msi(struct world *world)
{
	const struct axvm_msi msi = { .address = MSI_ADDRESS, .data = VECTOR };

	return axvm_signal_msi(world->vm, &msi);
}

static int take_set_routes(struct world *world)
{
	const struct axvm_route routes[] = {
		{ .gsi = GSI, .kind = AXVM_ROUTE_PIN, .u.pin = { 2, GSI } },
		{ .gsi = GSI + 1, .kind = AXVM_ROUTE_MSI, .u.msi = { MSI_ADDRESS, VECTOR, 0 } },
	};

	return axvm_set_routes(world->vm, routes, 2);
}

static int irqfd(struct world *world, uint32_t flags)
{
	struct axvm_irqfd irqfd = AXVM_IRQFD_INIT;

	irqfd.flags = flags;
	irqfd.gsi = GSI;
	irqfd.fd = world->fd;
	return axvm_set_irqfd(world->vm, &irqfd);
}

static int take_irqfd(struct world *world)
{
	return irqfd(world, 0);
}

static void with_irqfd(struct world *world)
{
	ck_ok(irqfd(world, 0));
}

static int take_irqfd_away(struct world *world)
{
	return irqfd(world, AXVM_EVENT_REMOVE);
}

static int ioeventfd(struct world *world, uint32_t flags)
{
	struct axvm_ioeventfd ioeventfd = AXVM_IOEVENTFD_INIT;

	ioeventfd.flags = flags | AXVM_EVENT_PORT;
	ioeventfd.address = PORT + 1;
	ioeventfd.width = 1;
	ioeventfd.fd = world->fd;
	return axvm_set_ioeventfd(world->vm, &ioeventfd);
}

static int take_ioeventfd(struct world *world)
{
	return ioeventfd(world, 0);
}

static void with_ioeventfd(struct world *world)
{
	ck_ok(ioeventfd(world, 0));
}

static int take_ioeventfd_away(struct world *world)
{
	return ioeventfd(world, AXVM_EVENT_REMOVE);
}

/* Off, as it is: nothing changes. */
static int take_vm_capability(struct world *world)
{
	return axvm_enable_capability(world->vm, KVM_CAP_EXCEPTION_PAYLOAD, NULL);
}

static int take_inject_interrupt(struct world *world)
{
	return axvcpu_inject_interrupt(first(world), VECTOR);
}

static int take_inject_nmi(struct world *world)
{
	return axvcpu_inject_nmi(first(world));
}

static int take_inject_exception(struct world *world)
{
	return axvcpu_inject_exception(first(world), &undefined);
}

static int take_request_irq_window(struct world *world)
{
	return axvcpu_request_irq_window(first(world));
}

static int take_run(struct world *world)
{
	return axvcpu_run(first(world), &world->exit);
}

static int take_reset(struct world *world)
{
	return axvcpu_reset(first(world), GUEST_CODE, 0);
}

static int take_start(struct world *world)
{
	return axvcpu_start(world->vcpus[1], GUEST_CODE, 0);
}

static int take_stop(struct world *world)
{
	return axvcpu_stop(first(world));
}

static int take_pause(struct world *world)
{
	return axvcpu_pause(first(world), -1);
}

static int take_resume(struct world *world)
{
	return axvcpu_resume(first(world));
}

/* From another thread, so that it is left in the mailbox, or taken out of it when time is up. */
struct letter {
	struct axvcpu *vcpu;
	int64_t timeout_ns;
	char message[256];
	int ret;
};

#define REG 3

static void *post(void *arg)
{
	static const struct axvcpu_request request = { .kind = AXVCPU_REQUEST_SET_REG,
						       .u.reg = { AXVCPU_REG_GPR(REG), VALUE } };
	struct letter *letter = arg;

	letter->ret = axvcpu_send_request(letter->vcpu, &request, letter->timeout_ns);
	snprintf(letter->message, sizeof(letter->message), "%s", axvcpu_last_error());
	return NULL;
}

static int post_from_elsewhere(struct world *world, int64_t timeout_ns)
{
	struct letter letter = { .vcpu = first(world), .timeout_ns = timeout_ns };
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, post, &letter), 0);
	pthread_join(thread, NULL);
	/* Its message is this thread's to judge. */
	return letter.ret && letter.ret != -ETIMEDOUT
		       ? axvcpu_fail(world->vm, letter.ret, "%s", letter.message)
		       : letter.ret;
}

static int take_post(struct world *world)
{
	return post_from_elsewhere(world, 0);
}

static int take_post_and_wait(struct world *world)
{
	return post_from_elsewhere(world, 5000000) == -ETIMEDOUT ? 0 : -EPROTO;
}

/* --- what must come of it ------------------------------------------------------------------------------ */

/* The guest runs as if nothing had happened. */
static void see_the_guest_run(struct world *world)
{
	if (axvcpu_state(first(world)) == AXVCPU_FREE)
		bound(world);
	do
		ck_ok(axvcpu_run(first(world), &world->exit));
	while (world->exit.kind == AXVCPU_EXIT_NOTHING);
	ck_assert_uint_eq(world->exit.kind, AXVCPU_EXIT_IO_WRITE);
	ck_assert_uint_eq(world->exit.u.io.data, VALUE);
}

static void see_what_was_posted(struct world *world)
{
	uint64_t value;

	see_the_guest_run(world);
	ck_ok(axvcpu_get_reg(first(world), AXVCPU_REG_GPR(REG), &value));
	ck_assert_uint_eq(value, VALUE);
}

static void see_nothing_posted(struct world *world)
{
	uint64_t value;

	see_the_guest_run(world);
	ck_ok(axvcpu_get_reg(first(world), AXVCPU_REG_GPR(REG), &value));
	ck_assert_uint_eq(value, 0);
}

/* The run itself was the step. */
static void see_the_write(struct world *world)
{
	ck_assert_uint_eq(world->exit.kind, AXVCPU_EXIT_IO_WRITE);
}

/* It has no table of exceptions. */
static void see_the_end(struct world *world)
{
	ck_assert_uint_eq(world->exit.kind, AXVCPU_EXIT_SHUTDOWN);
}

static void see_it_on(struct world *world)
{
	ck_assert_uint_eq(axvcpu_power(world->vcpus[1]), AXVCPU_POWER_ON);
	ck_ok(axvcpu_bind(world->vcpus[1]));
	do
		ck_ok(axvcpu_run(world->vcpus[1], &world->exit));
	while (world->exit.kind == AXVCPU_EXIT_NOTHING);
	ck_assert_uint_eq(world->exit.kind, AXVCPU_EXIT_IO_WRITE);
}

static void see_it_off(struct world *world)
{
	ck_assert_uint_eq(axvcpu_power(first(world)), AXVCPU_POWER_OFF);
}

static const struct step {
	const char *name;
	enum axvm_irqchip irqchip;
	void (*prepare)(struct world *world);
	int (*take)(struct world *world);
	void (*see)(struct world *world);
	/* System calls and allocations that it makes at least; 0: none at all. */
	unsigned int calls;
	/* It looks again when a wait fails. */
	bool waits;
} steps[] = {
	{ "set_irq_line", AXVM_IRQCHIP_KERNEL, NULL, take_set_irq_line, see_the_guest_run, 1,
	  false },
	{ "signal_msi", AXVM_IRQCHIP_KERNEL, NULL, take_signal_msi, see_the_guest_run, 1, false },
	{ "set_routes", AXVM_IRQCHIP_KERNEL, NULL, take_set_routes, see_the_guest_run, 2, false },
	{ "irqfd", AXVM_IRQCHIP_KERNEL, NULL, take_irqfd, see_the_guest_run, 1, false },
	{ "irqfd away", AXVM_IRQCHIP_KERNEL, with_irqfd, take_irqfd_away, see_the_guest_run, 1,
	  false },
	{ "ioeventfd", AXVM_IRQCHIP_NONE, NULL, take_ioeventfd, see_the_guest_run, 1, false },
	{ "ioeventfd away", AXVM_IRQCHIP_NONE, with_ioeventfd, take_ioeventfd_away,
	  see_the_guest_run, 1, false },
	{ "enable_capability", AXVM_IRQCHIP_NONE, NULL, take_vm_capability, see_the_guest_run, 1,
	  false },
	{ "inject_interrupt", AXVM_IRQCHIP_KERNEL, NULL, take_inject_interrupt, see_the_guest_run,
	  1, false },
	{ "inject_nmi", AXVM_IRQCHIP_NONE, NULL, take_inject_nmi, NULL, 1, false },
	{ "inject_exception", AXVM_IRQCHIP_NONE, NULL, take_inject_exception, NULL, 1, false },
	{ "request_irq_window", AXVM_IRQCHIP_NONE, NULL, take_request_irq_window, see_the_guest_run,
	  0, false },
	{ "run with a vector", AXVM_IRQCHIP_NONE, bound_with_vector, take_run, see_the_write, 1,
	  false },
	{ "run with an exception", AXVM_IRQCHIP_NONE, bound_with_exception, take_run, see_the_end,
	  3, false },
	{ "reset, free", AXVM_IRQCHIP_NONE, NULL, take_reset, see_the_guest_run, 10, false },
	{ "reset, at an exit", AXVM_IRQCHIP_KERNEL, at_an_exit, take_reset, see_the_guest_run, 12,
	  false },
	{ "start", AXVM_IRQCHIP_NONE, NULL, take_start, see_it_on, 10, false },
	{ "stop", AXVM_IRQCHIP_NONE, NULL, take_stop, see_it_off, 0, false },
	{ "pause", AXVM_IRQCHIP_NONE, NULL, take_pause, NULL, 0, false },
	{ "resume", AXVM_IRQCHIP_NONE, NULL, take_resume, see_the_guest_run, 0, false },
	{ "request", AXVM_IRQCHIP_NONE, bound, take_post, see_what_was_posted, 1, false },
	{ "request and wait", AXVM_IRQCHIP_NONE, bound, take_post_and_wait, see_nothing_posted, 1,
	  true },
};

#define STEPS (int)(sizeof(steps) / sizeof(steps[0]))

/* --- the sweep ------------------------------------------------------------------------------------------- */

static void take(struct world *world, const struct step *step)
{
	int ret;

	/* A late signal of a kick, of which there is none here, or one that came before. */
	do {
		ret = step->take(world);
		ck_assert_msg(ret >= 0, "%s: %d, %s", step->name, ret, axvcpu_last_error());
	} while (step->take == take_run && world->exit.kind == AXVCPU_EXIT_NOTHING);
	if (step->see)
		step->see(world);
}

/* Returns whether there was an n-th call. */
static bool take_failing(const struct step *step, unsigned int n, unsigned int variant,
			 bool persist)
{
	enum axvcpu_state states[VCPUS];
	struct resources resources;
	struct world world;
	char when[128];
	size_t mappings;
	bool harmless;
	int ret;

	world_begin(&world, step->irqchip);
	if (step->prepare)
		step->prepare(&world);
	resources_read(&resources);
	mappings = injector.mappings;
	for (int i = 0; i < VCPUS; i++)
		states[i] = axvcpu_state(world.vcpus[i]);

	injector_arm(n, variant, persist);
	ret = step->take(&world);
	injector_disarm();
	snprintf(when, sizeof(when), "%s, call %u (%s) failing%s", step->name, n,
		 injector.failed ? injector.failed : "none", persist ? ", and all after" : "");
	harmless = injector.harmless || (step->waits && !strcmp(injector.failed, "futex"));
	if (harmless) {
		ck_assert_msg(ret >= 0, "%s: %d, %s", when, ret, axvcpu_last_error());
		if (!injector.failed)
			ck_assert_msg(step->calls ? injector.calls >= step->calls : !injector.calls,
				      "%s makes %u calls", step->name, injector.calls);
		if (step->see)
			step->see(&world);
	} else {
		ck_assert_msg(ret == injector.expected, "%s: %d (%s), not %s; %s", when, ret,
			      axvcpu_error_name(ret), axvcpu_error_name(injector.expected),
			      axvcpu_last_error());
		ck_assert_msg(strstr(axvcpu_last_error(), axvcpu_error_name(ret)), "%s: \"%s\"",
			      when, axvcpu_last_error());
		/* Threads leave stacks behind, for the next one. */
		if (step->take != take_post && step->take != take_post_and_wait)
			resources_expect(&resources, when);
		ck_assert_uint_eq(injector.mappings, mappings);
		for (int i = 0; i < VCPUS; i++)
			ck_assert_msg(axvcpu_state(world.vcpus[i]) == states[i], "%s: vCPU %d: %s",
				      when, i, axvcpu_state_name(axvcpu_state(world.vcpus[i])));
		ck_assert_ptr_null(axvcpu_current());
		take(&world, step);
	}
	world_end(&world);
	return injector.failed;
}

START_TEST(each_call_fails)
{
	for (unsigned int i = 0; i < suite_scale(2 * INJECTOR_VARIANTS); i++)
		for (unsigned int n = 1;
		     take_failing(&steps[_i], n, i % INJECTOR_VARIANTS, i >= INJECTOR_VARIANTS);
		     n++)
			;
}
END_TEST

/* --- the runner --------------------------------------------------------------------------------------- */

/* But for those that KVM keeps in a process that has VMs. */
static bool is_kvms(const char *tid)
{
	char path[300], name[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%s/comm", tid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(name, sizeof(name), file))
		name[0] = '\0';
	fclose(file);
	return strncmp(name, "kvm-", 4) == 0;
}

static unsigned int count_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	const struct dirent *entry;
	unsigned int n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.' && !is_kvms(entry->d_name);
	closedir(dir);
	return n;
}

static int ignore(struct axvcpu *vcpu, struct axvcpu_exit *exit, void *ctx)
{
	(void)vcpu;
	(void)exit;
	(void)ctx;
	return AXVM_CONTINUE;
}

/* A thread that has been joined may be on its last steps in the kernel. */
static void expect_threads(unsigned int n)
{
	for (int i = 0; i < 10000 && count_threads() != n; i++)
		usleep(1000);
	ck_assert_uint_eq(count_threads(), n);
}

/* Either all of them run, or none. Returns whether there was an n-th call. */
static bool start_failing(unsigned int n, unsigned int variant)
{
	struct axvm_runner_config config = AXVM_RUNNER_INIT;
	struct axvm_runner *runner = NULL;
	unsigned int threads = count_threads();
	struct world world;
	bool failed;
	int ret, end;

	world_begin(&world, AXVM_IRQCHIP_NONE);
	config.handler = ignore;
	config.vcpus = world.vcpus;
	config.nvcpus = VCPUS;
	config.stack_size = 256 * 1024;
	injector_arm(n, variant, false);
	ret = axvm_runner_start(world.vm, &config, &runner);
	injector_disarm();
	failed = injector.failed;
	if (ret) {
		ck_assert_msg(ret == injector.expected, "call %u (%s): %d, not %d; %s", n,
			      injector.failed ? injector.failed : "none", ret, injector.expected,
			      axvcpu_last_error());
		ck_assert_ptr_nonnull(strstr(axvcpu_last_error(), axvcpu_error_name(ret)));
		ck_assert_ptr_null(runner);
		expect_threads(threads);
		for (int i = 0; i < VCPUS; i++)
			ck_assert_uint_eq(axvcpu_state(world.vcpus[i]), AXVCPU_FREE);
		ck_ok(axvm_runner_start(world.vm, &config, &runner));
		ck_ok(axvm_runner_free(runner));
	} else {
		/* It may have been a call of the runs that have begun. */
		end = axvm_runner_free(runner);
		ck_assert_msg(!end || (!injector.harmless && end == injector.expected),
			      "call %u (%s): the end: %d, %s", n,
			      injector.failed ? injector.failed : "none", end, axvcpu_last_error());
	}
	expect_threads(threads);
	world_end(&world);
	return failed;
}

/* Calls to begin with, by those who start and bind; those of the runs come without an end. */
#define RUNNER_CALLS 12

START_TEST(a_runner_starts_wholly_or_not_at_all)
{
	for (unsigned int variant = 0; variant < INJECTOR_VARIANTS; variant++)
		for (unsigned int n = 1; n <= RUNNER_CALLS; n++)
			start_failing(n, variant);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *all = suite_case(suite, "all");
	TCase *runner = suite_case(suite, "runner");

	tcase_add_loop_test(all, each_call_fails, 0, STEPS);
	tcase_add_test(runner, a_runner_starts_wholly_or_not_at_all);
}

int main(void)
{
	return suite_main("faults, more", true, add_tests);
}
