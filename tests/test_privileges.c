/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * axvcpu_drop_privileges(). Every case is a child process, which drops its privileges and checks
 * the result; its findings come back as text. Linked with the injector, which makes each system
 * call fail in turn. Needs libcap-ng; most tests need root, and one needs /dev/kvm: they are left
 * out where these are missing.
 */
#ifdef HAVE_CONFIG_H
#include <config.h>
#endif

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "injector.h"
#include "suite.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#endif

#ifndef HAVE_LIBCAP_NG

int main(void)
{
	int err = axvcpu_drop_privileges(NULL);

	if (err != -ENOTSUP || !strstr(axvcpu_last_error(), "libcap-ng-dev")) {
		fprintf(stderr, "without libcap-ng: %d, %s\n", err, axvcpu_last_error());
		return 1;
	}
	return suite_skip_all("there is no libcap-ng");
}

#elif defined(__SANITIZE_THREAD__)

int main(void)
{
	return suite_skip_all("ThreadSanitizer has a thread of its own, which keeps privileges");
}

#else

#define CAP(n) (UINT64_C(1) << (n))
#define NOBODY 65534u
#define LOCKS \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | \
	 SECBIT_NO_SETUID_FIXUP_LOCKED)

/* --- children -------------------------------------------------------------------------------- */

static int report_fd;

__attribute__((format(printf, 2, 3))) static void expect(bool good, const char *fmt, ...)
{
	char text[400];
	va_list args;
	int len;

	if (good)
		return;
	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (write(report_fd, text, (size_t)len) != len)
		_exit(2);
	/* No atexit handlers: a leak checker cannot work in a process that has dropped its rights. */
	_exit(1);
}

/* Runs 'body' in a child; fails the test with the unexpected findings of the child. */
static void in_child(void (*body)(void))
{
	char text[400] = "";
	int pipe_fds[2];
	ssize_t len;
	int status;
	pid_t pid;

	ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		report_fd = pipe_fds[1];
		body();
		_exit(0);
	}
	close(pipe_fds[1]);
	len = read(pipe_fds[0], text, sizeof(text) - 1);
	close(pipe_fds[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(len <= 0, "%s", text);
	ck_assert_msg(WIFEXITED(status) && !WEXITSTATUS(status), "wait status %#x", status);
}

/* A field of a status file, as text. */
static void field(const char *path, const char *name, char *value, size_t size)
{
	char line[1024];
	FILE *file = fopen(path, "re");
	bool found = false;

	expect(file, "%s: %s", path, strerror(errno));
	while (!found && fgets(line, sizeof(line), file))
		found = !strncmp(line, name, strlen(name)) && line[strlen(name)] == ':';
	fclose(file);
	expect(found, "%s: no %s", path, name);
	snprintf(value, size, "%s", line + strlen(name) + 1);
	value[strcspn(value, "\n")] = '\0';
}

static uint64_t caps(const char *name)
{
	char text[64];

	field("/proc/thread-self/status", name, text, sizeof(text));
	return strtoull(text, NULL, 16);
}

static void expect_caps(uint64_t keep)
{
	static const char *const gone[] = { "CapInh", "CapAmb" };
	static const char *const kept[] = { "CapPrm", "CapEff" };

	for (size_t i = 0; i < 2; i++) {
		expect(caps(gone[i]) == 0, "%s %#" PRIx64, gone[i], caps(gone[i]));
		expect(caps(kept[i]) == keep, "%s %#" PRIx64, kept[i], caps(kept[i]));
	}
	expect(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, "no_new_privs is not set");
}

static void expect_result(int got, int want)
{
	expect(got == want, "%s, not %s: %s", axvcpu_error_name(got), axvcpu_error_name(want),
	       got ? axvcpu_last_error() : "");
}

static void expect_drop(const struct axvcpu_privileges *privileges, int want)
{
	expect_result(axvcpu_drop_privileges(privileges), want);
}

/* State that a refused drop must not have changed. */
struct snapshot {
	char text[8][128];
	int securebits;
};

static void take_snapshot(struct snapshot *snapshot)
{
	static const char *const names[] = { "Uid",    "Gid",	 "CapInh", "CapPrm",
					     "CapEff", "CapBnd", "CapAmb", "NoNewPrivs" };

	memset(snapshot, 0, sizeof(*snapshot));
	for (size_t i = 0; i < 8; i++)
		field("/proc/thread-self/status", names[i], snapshot->text[i],
		      sizeof(snapshot->text[i]));
	snapshot->securebits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
}

static void expect_refused(const struct axvcpu_privileges *privileges, int want)
{
	struct snapshot before;
	struct snapshot after;

	take_snapshot(&before);
	expect_drop(privileges, want);
	take_snapshot(&after);
	expect(!memcmp(&before, &after, sizeof(before)), "a refused drop changed something");
}

static struct axvcpu_privileges to_nobody(void)
{
	struct axvcpu_privileges privileges = AXVCPU_PRIVILEGES_INIT;

	privileges.flags = AXVCPU_PRIVILEGES_USER;
	privileges.uid = NOBODY;
	privileges.gid = NOBODY;
	return privileges;
}

/* An ordinary process, as most VMMs are. */
static void become_ordinary(void)
{
	expect(geteuid() || (!setgroups(0, NULL) && !setresgid(NOBODY, NOBODY, NOBODY) &&
			     !setresuid(NOBODY, NOBODY, NOBODY)),
	       "setresuid: %s", strerror(errno));
}

/* Makes a system call fail with EPERM, for a prctl only where its option is `option`. */
static void break_syscall(unsigned int number, unsigned int option)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, option, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(filter) / sizeof(filter[0]), .filter = filter };

	expect(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0), "seccomp: %s",
	       strerror(errno));
}

/* --- privileges that root loses -------------------------------------------------------------- */

static void root_drops_all(void)
{
	expect_drop(NULL, 0);
	expect_caps(0);
	expect(caps("CapBnd") == 0, "CapBnd %#" PRIx64, caps("CapBnd"));
	expect((prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) & LOCKS) == LOCKS, "securebits not locked");
	expect(geteuid() == 0, "the user changed unasked");
}

START_TEST(root_without_a_config_loses_every_capability_and_is_locked)
{
	in_child(root_drops_all);
}
END_TEST

static void root_executes(void)
{
	char line[128] = "";
	FILE *pipe;

	expect_drop(NULL, 0);
	pipe = popen("grep -E '^Cap(Prm|Eff|Bnd)' /proc/self/status | tr '\\n' ' '", "re");
	expect(pipe && fgets(line, sizeof(line), pipe), "popen");
	for (const char *p = strchr(line, ':'); p; p = strchr(p + 1, ':'))
		expect(strtoull(p + 1, NULL, 16) == 0, "executed: %s", line);
}

START_TEST(a_program_executed_by_dropped_root_gets_no_capability_back)
{
	in_child(root_executes);
}
END_TEST

static const uint64_t two = CAP(CAP_NET_RAW) | CAP(CAP_KILL);

static void root_keeps_two(void)
{
	struct axvcpu_privileges privileges = AXVCPU_PRIVILEGES_INIT;

	privileges.keep = two;
	expect_drop(&privileges, 0);
	expect_caps(two);
	expect(caps("CapBnd") == two, "CapBnd %#" PRIx64, caps("CapBnd"));
}

START_TEST(named_capabilities_are_kept_and_no_others)
{
	in_child(root_keeps_two);
}
END_TEST

static void root_drops_twice(void)
{
	struct axvcpu_privileges privileges = AXVCPU_PRIVILEGES_INIT;

	privileges.keep = two;
	expect_drop(&privileges, 0);
	privileges.keep = CAP(CAP_KILL);
	expect_drop(&privileges, 0);
	expect_caps(CAP(CAP_KILL));
	privileges.keep = two;
	expect_refused(&privileges, -EPERM);
}

START_TEST(a_second_call_drops_more_and_gives_nothing_back)
{
	in_child(root_drops_twice);
}
END_TEST

/* --- another user ---------------------------------------------------------------------------- */

static void root_becomes_nobody(void)
{
	struct axvcpu_privileges privileges = to_nobody();
	unsigned int ids[6];

	expect_drop(&privileges, 0);
	expect_caps(0);
	expect(!getresuid(&ids[0], &ids[1], &ids[2]) && !getresgid(&ids[3], &ids[4], &ids[5]),
	       "getres[ug]id");
	for (size_t i = 0; i < 6; i++)
		expect(ids[i] == NOBODY, "id %zu is %u", i, ids[i]);
	expect(getgroups(0, NULL) == 0, "groups are left");
	expect(setuid(0) && errno == EPERM, "root again");
	expect(open("/etc/shadow", O_RDONLY | O_CLOEXEC) < 0, "still opens /etc/shadow");
}

START_TEST(another_user_has_no_way_back_to_root)
{
	in_child(root_becomes_nobody);
}
END_TEST

static void root_joins_groups(void)
{
	static const uint32_t groups[] = { 4000000000u, 7, 36, 7 };
	struct axvcpu_privileges privileges = to_nobody();
	char text[128];

	privileges.groups = groups;
	privileges.ngroups = 4;
	expect_drop(&privileges, 0);
	field("/proc/thread-self/status", "Groups", text, sizeof(text));
	expect(strstr(text, "7 ") && strstr(text, "36 ") && strstr(text, "4000000000"), "groups %s",
	       text);
}

START_TEST(supplementary_groups_are_those_given_in_any_order)
{
	in_child(root_joins_groups);
}
END_TEST

static void root_becomes_nobody_with_two(void)
{
	struct axvcpu_privileges privileges = to_nobody();

	privileges.keep = two;
	expect_drop(&privileges, 0);
	expect(geteuid() == NOBODY, "uid %u", geteuid());
	expect_caps(two);
	expect(!kill(getppid(), 0), "CAP_KILL does not work: %s", strerror(errno));
}

START_TEST(kept_capabilities_survive_the_change_of_user)
{
	in_child(root_becomes_nobody_with_two);
}
END_TEST

static void lose_setpcap(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };
	const uint64_t set = two | CAP(CAP_SETUID) | CAP(CAP_SETGID);

	data[0].effective = data[0].permitted = (uint32_t)set;
	expect(!syscall(SYS_capset, &header, data), "capset: %s", strerror(errno));
}

static void without_setpcap(void)
{
	struct axvcpu_privileges privileges = to_nobody();

	lose_setpcap();
	privileges.keep = two;
	expect_drop(&privileges, 0);
	expect(geteuid() == NOBODY, "uid %u", geteuid());
	expect_caps(two);
}

START_TEST(kept_capabilities_survive_the_change_of_user_without_setpcap_too)
{
	in_child(without_setpcap);
}
END_TEST

static void vm_after_drop(void)
{
	struct axvcpu_privileges privileges = to_nobody();
	struct axvm_region region = AXVM_REGION_INIT;
	struct axvcpu *vcpu;
	struct axvm *vm;

	expect_result(axvm_new(NULL, &vm), 0);
	expect_drop(&privileges, 0);
	region.len = 1 << 20;
	expect_result(axvm_map(vm, &region), 0);
	expect_result(axvcpu_new(vm, NULL, &vcpu), 0);
	expect_result(axvcpu_free(vcpu), 0);
	expect_result(axvm_free(vm), 0);
}

START_TEST(a_vm_from_before_the_drop_works_after_it)
{
	in_child(vm_after_drop);
}
END_TEST

/* --- other threads --------------------------------------------------------------------------- */

struct other {
	pthread_t thread;
	void (*prepare)(void);
	pthread_barrier_t ready, done;
};

static void *other_thread(void *arg)
{
	struct other *other = arg;

	if (other->prepare)
		other->prepare();
	pthread_barrier_wait(&other->ready);
	pthread_barrier_wait(&other->done);
	return NULL;
}

static void start_other(struct other *other, void (*prepare)(void))
{
	other->prepare = prepare;
	pthread_barrier_init(&other->ready, NULL, 2);
	pthread_barrier_init(&other->done, NULL, 2);
	expect(!pthread_create(&other->thread, NULL, other_thread, other), "pthread_create");
	pthread_barrier_wait(&other->ready);
}

static void stop_other(struct other *other)
{
	pthread_barrier_wait(&other->done);
	pthread_join(other->thread, NULL);
}

static void drop_caps_of_thread(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	expect(!syscall(SYS_capset, &header, data), "capset: %s", strerror(errno));
}

static void drop_thread(void)
{
	expect(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	drop_caps_of_thread();
}

static void refused_for_other(void)
{
	struct other other;

	start_other(&other, NULL);
	expect_refused(NULL, -EBUSY);
	expect(strstr(axvcpu_last_error(), "capabilities"), "%s", axvcpu_last_error());
	stop_other(&other);
	/* The caller can still act: without that thread it works. */
	expect_drop(NULL, 0);
	expect_caps(0);
}

static void *return_at_once(void *arg)
{
	return arg;
}

/* The kernel lets a joiner go on before the thread is gone from /proc. */
static void joined_threads_do_not_count(void)
{
	pthread_t thread;

	expect(!pthread_create(&thread, NULL, return_at_once, NULL), "pthread_create");
	pthread_join(thread, NULL);
	expect_drop(NULL, 0);
}

START_TEST(joined_threads_are_not_counted)
{
	for (int i = 0; i < 100; i++)
		in_child(joined_threads_do_not_count);
}
END_TEST

START_TEST(a_thread_with_capabilities_is_refused_before_anything_is_dropped)
{
	in_child(refused_for_other);
}
END_TEST

static void refused_for_no_new_privs(void)
{
	struct other other;

	start_other(&other, drop_caps_of_thread);
	expect_refused(NULL, -EBUSY);
	expect(strstr(axvcpu_last_error(), "no_new_privs"), "%s", axvcpu_last_error());
	stop_other(&other);
}

START_TEST(a_thread_without_no_new_privs_is_refused)
{
	in_child(refused_for_no_new_privs);
}
END_TEST

static void refused_for_user(void)
{
	struct axvcpu_privileges privileges = to_nobody();
	struct other other;

	start_other(&other, drop_thread);
	expect_refused(&privileges, -EBUSY);
	expect(strstr(axvcpu_last_error(), "user"), "%s", axvcpu_last_error());
	stop_other(&other);
}

START_TEST(a_thread_of_another_user_is_refused)
{
	in_child(refused_for_user);
}
END_TEST

static void accepted_other(void)
{
	struct other other;

	start_other(&other, drop_thread);
	expect_drop(NULL, 0);
	expect_caps(0);
	stop_other(&other);
}

START_TEST(thread_without_privileges_is_accepted)
{
	in_child(accepted_other);
}
END_TEST

static void expect_inherited(void)
{
	expect_caps(0);
}

static void thread_after_drop(void)
{
	struct other other;

	expect_drop(NULL, 0);
	start_other(&other, expect_inherited);
	expect_drop(NULL, 0);
	stop_other(&other);
}

START_TEST(thread_created_after_the_drop_has_no_privileges)
{
	in_child(thread_after_drop);
}
END_TEST

/* --- failures -------------------------------------------------------------------------------- */

static void fails_at_first_step(void)
{
	break_syscall(SYS_prctl, PR_SET_SECUREBITS);
	expect_refused(NULL, -EPERM);
}

START_TEST(a_failing_first_step_leaves_all_as_it_was)
{
	in_child(fails_at_first_step);
}
END_TEST

static void fails_half_way(void)
{
	struct axvcpu_privileges privileges = to_nobody();

	break_syscall(SYS_setresuid, NOBODY);
	privileges.keep = two;
	expect_drop(&privileges, -ENOTRECOVERABLE);
	expect(strstr(axvcpu_last_error(), "must exit"), "%s", axvcpu_last_error());
	expect_caps(0);
}

START_TEST(a_failure_half_way_drops_kept_capabilities_as_well)
{
	in_child(fails_half_way);
}
END_TEST

/* Which call of axvcpu_drop_privileges() fails, how, and with CAP_SETPCAP or without. */
static struct {
	unsigned int n, way;
	bool setpcap;
	/* Shared with the child, which tells whether there was an n-th call. */
	bool *happened;
} failing;

static void one_call_fails(void)
{
	static const uint32_t groups[] = { 7, 5 };
	struct axvcpu_privileges privileges = to_nobody();
	struct snapshot before, after;
	char when[64];
	long opened;
	int err;

	if (!failing.setpcap)
		lose_setpcap();
	privileges.keep = two;
	privileges.groups = groups;
	privileges.ngroups = 2;
	take_snapshot(&before);
	opened = injector.opened;
	injector_arm(failing.n, failing.way % INJECTOR_VARIANTS, failing.way >= INJECTOR_VARIANTS);
	err = axvcpu_drop_privileges(&privileges);
	injector_disarm();
	take_snapshot(&after);
	*failing.happened = injector.failed;
	snprintf(when, sizeof(when), "way %u, call %u (%s)", failing.way, failing.n,
		 injector.failed ? injector.failed : "none");

	expect(injector.opened == opened, "%s: a descriptor is left open", when);
	if (injector.harmless) {
		expect(!err, "%s: %s", when, axvcpu_error_name(err));
		expect_caps(two);
		return;
	}
	expect(strstr(axvcpu_last_error(), axvcpu_error_name(injector.expected)), "%s: %s", when,
	       axvcpu_last_error());
	expect(strstr(axvcpu_last_error(), axvcpu_error_name(err)), "%s: %s", when,
	       axvcpu_last_error());
	if (!memcmp(&before, &after, sizeof(before))) {
		expect(err == injector.expected, "%s: %s, not %s", when, axvcpu_error_name(err),
		       axvcpu_error_name(injector.expected));
		return;
	}
	expect(err == -ENOTRECOVERABLE, "%s: %s, but something has changed", when,
	       axvcpu_error_name(err));
	expect(!caps("CapPrm") && !caps("CapEff"), "%s: capabilities are left", when);
}

START_TEST(each_failing_call_leaves_all_as_it_was_or_no_capability)
{
	void *shared = mmap(NULL, sizeof(bool), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			    -1, 0);

	ck_assert_ptr_ne(shared, MAP_FAILED);
	failing.happened = shared;
	failing.way = (unsigned int)_i / 2;
	failing.setpcap = _i % 2;
	do {
		failing.n++;
		in_child(one_call_fails);
	} while (*failing.happened);
	/* Four of /proc before and four after, at least, and the steps between. */
	ck_assert_uint_ge(failing.n, 15);
	munmap(shared, sizeof(bool));
}
END_TEST

static void cap_not_held(void)
{
	struct axvcpu_privileges privileges = AXVCPU_PRIVILEGES_INIT;

	become_ordinary();
	privileges.keep = CAP(CAP_SYS_ADMIN);
	expect_refused(&privileges, -EPERM);
	expect(strstr(axvcpu_last_error(), "sys_admin"), "%s", axvcpu_last_error());
	privileges.keep = CAP(63);
	expect_refused(&privileges, -EPERM);
}

START_TEST(a_capability_that_is_not_held_cannot_be_kept)
{
	in_child(cap_not_held);
}
END_TEST

static void user_without_right(void)
{
	struct axvcpu_privileges privileges = to_nobody();

	become_ordinary();
	privileges.uid = privileges.gid = 12345;
	expect_refused(&privileges, -EPERM);
	expect(strstr(axvcpu_last_error(), "CAP_SETUID"), "%s", axvcpu_last_error());
}

START_TEST(an_ordinary_user_cannot_become_another)
{
	in_child(user_without_right);
}
END_TEST

static void ordinary_caller(void)
{
	become_ordinary();
	expect_drop(NULL, 0);
	expect_caps(0);
	expect_drop(NULL, 0);
}

START_TEST(an_ordinary_user_can_drop_and_gets_no_new_privs)
{
	in_child(ordinary_caller);
}
END_TEST

static void already_that_user(void)
{
	struct axvcpu_privileges privileges = AXVCPU_PRIVILEGES_INIT;
	uint32_t groups[256];
	int n;

	become_ordinary();
	n = getgroups(256, groups);
	expect(n >= 0, "getgroups");
	privileges.flags = AXVCPU_PRIVILEGES_USER;
	privileges.uid = getuid();
	privileges.gid = getgid();
	privileges.groups = groups;
	privileges.ngroups = (size_t)n;
	expect_drop(&privileges, 0);
	expect_caps(0);
}

START_TEST(changing_to_the_current_user_needs_no_capability)
{
	in_child(already_that_user);
}
END_TEST

/* --- the config ------------------------------------------------------------------------------ */

static void bad_configs(void)
{
	static const uint32_t group = 1;
	struct axvcpu_privileges bad[8];

	for (size_t i = 0; i < 8; i++)
		bad[i] = to_nobody();
	bad[0].flags = 2;
	bad[1].flags = 0;
	bad[2].uid = UINT32_MAX;
	bad[3].gid = UINT32_MAX;
	bad[4].ngroups = 1;
	bad[5].groups = &group;
	bad[5].ngroups = 65537;
	bad[6].reserved = 1;
	bad[7].size = 3;
	for (size_t i = 0; i < 8; i++) {
		int err = axvcpu_drop_privileges(&bad[i]);

		expect(err == -EINVAL, "config %zu: %s", i, axvcpu_error_name(err));
		expect_refused(&bad[i], -EINVAL);
	}
}

START_TEST(invalid_config_is_refused_before_anything_is_dropped)
{
	in_child(bad_configs);
}
END_TEST

static void other_sizes(void)
{
	struct {
		struct axvcpu_privileges known;
		uint64_t unknown;
	} newer = { AXVCPU_PRIVILEGES_INIT, 1 };
	struct axvcpu_privileges older = AXVCPU_PRIVILEGES_INIT;

	newer.known.size = sizeof(newer);
	expect_refused(&newer.known, -E2BIG);
	newer.unknown = 0;
	expect_drop(&newer.known, 0);
	/* Beyond its size a config has nothing to say. */
	older.size = offsetof(struct axvcpu_privileges, keep);
	older.keep = UINT64_MAX;
	expect_drop(&older, 0);
	expect_caps(0);
}

START_TEST(configs_of_older_and_newer_headers_work)
{
	in_child(other_sizes);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *any = suite_case(suite, "any user");
	TCase *root;

	tcase_add_test(any, a_capability_that_is_not_held_cannot_be_kept);
	tcase_add_test(any, an_ordinary_user_cannot_become_another);
	tcase_add_test(any, an_ordinary_user_can_drop_and_gets_no_new_privs);
	tcase_add_test(any, changing_to_the_current_user_needs_no_capability);
	tcase_add_test(any, invalid_config_is_refused_before_anything_is_dropped);
	tcase_add_test(any, configs_of_older_and_newer_headers_work);

	if (geteuid()) {
		suite_left_out("privileges of root", "this is not root");
		return;
	}
	root = suite_case(suite, "root");
	tcase_add_test(root, root_without_a_config_loses_every_capability_and_is_locked);
	tcase_add_test(root, a_program_executed_by_dropped_root_gets_no_capability_back);
	tcase_add_test(root, named_capabilities_are_kept_and_no_others);
	tcase_add_test(root, a_second_call_drops_more_and_gives_nothing_back);
	tcase_add_test(root, another_user_has_no_way_back_to_root);
	tcase_add_test(root, supplementary_groups_are_those_given_in_any_order);
	tcase_add_test(root, kept_capabilities_survive_the_change_of_user);
	tcase_add_test(root, kept_capabilities_survive_the_change_of_user_without_setpcap_too);
	tcase_add_test(root, a_thread_with_capabilities_is_refused_before_anything_is_dropped);
	tcase_add_test(root, joined_threads_are_not_counted);
	tcase_add_test(root, a_thread_without_no_new_privs_is_refused);
	tcase_add_test(root, a_thread_of_another_user_is_refused);
	tcase_add_test(root, thread_without_privileges_is_accepted);
	tcase_add_test(root, thread_created_after_the_drop_has_no_privileges);
	tcase_add_test(root, a_failing_first_step_leaves_all_as_it_was);
	tcase_add_test(root, a_failure_half_way_drops_kept_capabilities_as_well);
	tcase_add_loop_test(root, each_failing_call_leaves_all_as_it_was_or_no_capability, 0,
			    2 * INJECTOR_WAYS);
	if (access("/dev/kvm", R_OK | W_OK)) {
		suite_left_out("a_vm_from_before_the_drop_works_after_it", "no /dev/kvm");
		return;
	}
	tcase_add_test(root, a_vm_from_before_the_drop_works_after_it);
}

int main(void)
{
	return suite_main("privileges", false, add_tests);
}

#endif
