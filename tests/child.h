/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Forked children of a test, and their checks of the parent's VMs. */
#ifndef TESTS_CHILD_H
#define TESTS_CHILD_H

#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <axvcpu/axvcpu.h>

/* A child reports its findings as text, as only the parent can use Check's assertions. */
#define child_expect(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "child, %s:%d: %s; %s\n", __FILE__, __LINE__, #condition, \
				axvcpu_last_error()); \
			_exit(1); \
		} \
	} while (0)

#define child_expect_eperm(call) \
	do { \
		child_expect((call) == -EPERM); \
		child_expect(strstr(axvcpu_last_error(), "belongs to process")); \
		child_expect(strstr(axvcpu_last_error(), "EPERM")); \
	} while (0)

enum child_way {
	CHILD_FORK,
	/* By the bare system call, without the fork handlers of libc and libraries. */
	CHILD_RAW,
	CHILD_WAYS,
};

/* A child that calls 'fn' and ends; it has half the time that a test has. */
pid_t child_start(enum child_way way, void (*fn)(void));
/* Waits for it; fails the test if the child found anything wrong. */
void child_end(pid_t pid);
/* Both. */
void child_run(enum child_way way, void (*fn)(void));

/* In a child: every function that can return -EPERM does so. 'runner' may be NULL. */
void child_calls_all(struct axvm *vm, struct axvcpu *vcpu, struct axvm_runner *runner);

#endif
