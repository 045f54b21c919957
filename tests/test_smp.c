/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Four vCPUs on two host CPUs: they see one memory, none starves, and each has its own exits. Needs
 * a working /dev/kvm.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "guest.h"
#include "suite.h"

#define VCPUS GUEST_RING_VCPUS
#define HOST_CPUS 2

static struct axvm *vm;
static struct axvcpu *vcpus[VCPUS];
static struct axvm_runner *runner;

/* --- a token that goes round ------------------------------------------------------------------ */

#define TURNS (suite_long() ? 40000u : 10000u)
/* Each vCPU some, however busy the host's CPUs are. */
#define FEW_TURNS (25u * VCPUS)

static unsigned int turns, few_turns;
/* The latest turn, and the number of turns of each. */
static atomic_uint latest;
static atomic_uint had[VCPUS];

static void create(const void *code, size_t len)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.max_vcpus = VCPUS;
	vm = guest_vm(&config, code, len);
}

/* vCPU 'id', which may run on no more than two of the CPUs that this process has. */
static void add_vcpu(uint32_t id, uint64_t arg)
{
	struct axvcpu_setup_config setup = guest_setup_config(id);
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;
	cpu_set_t all, some;
	int n = 0;

	ck_assert_int_eq(sched_getaffinity(0, sizeof(all), &all), 0);
	CPU_ZERO(&some);
	for (size_t cpu = 0; cpu < CPU_SETSIZE && n < HOST_CPUS; cpu++) {
		if (CPU_ISSET(cpu, &all)) {
			CPU_SET(cpu, &some);
			n++;
		}
	}
	config.id = id;
	config.cpu_set = &some;
	config.cpu_set_size = sizeof(some);
	/* Else the kernel keeps all but the first one waiting, on two of three architectures. */
	config.flags = id ? AXVCPU_F_START_OFF : 0;
	setup.arg = arg;
	ck_ok(axvcpu_new(vm, &config, &vcpus[id]));
	ck_ok(axvcpu_setup(vcpus[id], GUEST_CODE, 0, &setup));
	if (id)
		ck_ok(axvcpu_start(vcpus[id], GUEST_CODE, arg));
}

static void destroy(void)
{
	for (int i = 0; i < VCPUS; i++) {
		ck_assert_int_eq(axvcpu_state(vcpus[i]), AXVCPU_FREE);
		ck_ok(axvcpu_free(vcpus[i]));
	}
	ck_ok(axvm_free(vm));
}

static void start(int (*handler)(struct axvcpu *, struct axvcpu_exit *, void *))
{
	struct axvm_runner_config config = AXVM_RUNNER_CONFIG_INIT;

	config.handler = handler;
	config.vcpus = vcpus;
	config.nvcpus = VCPUS;
	ck_ok(axvm_runner_start(vm, &config, &runner));
}

static int on_turn(struct axvcpu *vcpu, struct axvcpu_exit *exit, void *ctx)
{
	const uint32_t id = axvcpu_id(vcpu);
	uint64_t turn = exit->u.mmio.data;

	(void)ctx;
	if (exit->kind == AXVCPU_EXIT_NOTHING)
		return AXVM_CONTINUE;
	ck_assert_uint_eq(exit->kind, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(exit->u.mmio.addr, GUEST_MMIO);
	/* Each reports its own turns, which come one after the other. */
	ck_assert_uint_eq(turn % VCPUS, id);
	ck_assert_uint_eq(turn, atomic_exchange(&latest, (unsigned int)turn + 1));
	atomic_fetch_add(&had[id], 1);
	return suite_enough((unsigned int)turn + 1, few_turns, turns) ? AXVM_STOP : AXVM_CONTINUE;
}

START_TEST(a_token_goes_round_four_vcpus_on_two_host_cpus)
{
	turns = suite_scale(TURNS);
	few_turns = turns < FEW_TURNS ? turns : FEW_TURNS;
	create(PROGRAM(ring));
	for (uint32_t id = 0; id < VCPUS; id++)
		add_vcpu(id, id);
	start(on_turn);
	ck_ok(axvm_runner_join(runner, -1));
	ck_ok(axvm_runner_free(runner));
	ck_assert_uint_ge(atomic_load(&latest), few_turns);
	for (int i = 0; i < VCPUS; i++)
		ck_assert_uint_ge(atomic_load(&had[i]), atomic_load(&latest) / VCPUS);
	destroy();
}
END_TEST

/* --- each on its own -------------------------------------------------------------------------- */

static int expect_nothing(struct axvcpu *vcpu, struct axvcpu_exit *exit, void *ctx)
{
	(void)vcpu;
	(void)ctx;
	ck_assert_uint_eq(exit->kind, AXVCPU_EXIT_NOTHING);
	return AXVM_CONTINUE;
}

static uint32_t counted(uint32_t id)
{
	uint32_t count = 0;

	ck_ok(axvm_read(vm, GUEST_CELL_OF(id), &count, sizeof(count)));
	return count;
}

START_TEST(no_vcpu_starves_without_voluntary_exits)
{
	create(PROGRAM(count));
	for (uint32_t id = 0; id < VCPUS; id++)
		add_vcpu(id, GUEST_CELL_OF(id));
	start(expect_nothing);
	for (int round = 0; round < 3; round++) {
		uint32_t before[VCPUS];

		for (uint32_t id = 0; id < VCPUS; id++)
			before[id] = counted(id);
		/* The test's time limit ends this. */
		for (uint32_t id = 0; id < VCPUS; id++)
			while (counted(id) == before[id])
				usleep(1000);
	}
	ck_ok(axvm_runner_free(runner));
	destroy();
}
END_TEST

/* --- a storm of exits and kicks --------------------------------------------------------------- */

#define EXITS (suite_long() ? 100000u : 20000u)
#define FEW_EXITS 100u

static unsigned int exits;
static atomic_uint seen[VCPUS];
static atomic_uint kicked;

static int answer(struct axvcpu *vcpu, struct axvcpu_exit *exit, void *ctx)
{
	const uint32_t id = axvcpu_id(vcpu);
	unsigned int n = atomic_load(&seen[id]);

	(void)ctx;
	atomic_fetch_add(&kicked, exit->kicked);
	switch (exit->kind) {
	case AXVCPU_EXIT_NOTHING:
		return AXVM_CONTINUE;
	case AXVCPU_EXIT_MMIO_READ:
		/* A value of its own. */
		ck_ok(axvcpu_complete_value(vcpu, n * VCPUS + id));
		return AXVM_CONTINUE;
	default:
		ck_assert_uint_eq(exit->kind, AXVCPU_EXIT_MMIO_WRITE);
		ck_assert_uint_eq(exit->u.mmio.data, n * VCPUS + id);
		atomic_store(&seen[id], n + 1);
		return suite_enough(n, FEW_EXITS, exits) ? AXVM_STOP : AXVM_CONTINUE;
	}
}

static void *kick_all(void *arg)
{
	atomic_bool *finish = arg;

	while (!atomic_load(finish)) {
		for (int i = 0; i < VCPUS; i++)
			ck_ok(axvcpu_kick(vcpus[i]));
		usleep(200);
	}
	return NULL;
}

START_TEST(answers_reach_their_own_vcpu_in_a_storm_of_kicks)
{
	atomic_bool finish = false;
	pthread_t kicker;

	exits = suite_scale(EXITS);
	create(PROGRAM(echo));
	for (uint32_t id = 0; id < VCPUS; id++)
		add_vcpu(id, 0);
	start(answer);
	ck_assert_int_eq(pthread_create(&kicker, NULL, kick_all, &finish), 0);
	ck_ok(axvm_runner_join(runner, -1));
	atomic_store(&finish, true);
	pthread_join(kicker, NULL);
	ck_ok(axvm_runner_free(runner));
	ck_assert_uint_gt(atomic_load(&kicked), 0);
	for (int i = 0; i < VCPUS; i++)
		ck_assert_uint_gt(atomic_load(&seen[i]), 0);
	destroy();
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tcase = suite_case(suite, "smp");

	tcase_add_test(tcase, a_token_goes_round_four_vcpus_on_two_host_cpus);
	tcase_add_test(tcase, no_vcpu_starves_without_voluntary_exits);
	tcase_add_test(tcase, answers_reach_their_own_vcpu_in_a_storm_of_kicks);
}

int main(void)
{
	return suite_main("smp", true, add_tests);
}
