/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The credentials of the threads of this process, as /proc shows them. */
#ifndef LIB_HOST_THREAD_STATUS_H
#define LIB_HOST_THREAD_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct axv_user {
	/* All four ids of a thread must have this value: real, effective, saved, file system. */
	uint32_t uid, gid;
	/* In ascending order, as the kernel lists them. */
	const uint32_t *groups;
	size_t ngroups;
};

struct axv_thread_status {
	/* Its id in the pid namespace of /proc, which may differ from the caller's. */
	uint32_t tid;
	uint64_t inheritable, permitted, effective, bounding, ambient;
	bool no_new_privs;
	/* Whether it has the given user and groups; true if none were given. */
	bool is_user;
};

/* Reads the calling thread's status. 'user' may be NULL. Returns 0, or an errno with a message. */
int axv_thread_status_self(const struct axv_user *user, struct axv_thread_status *self);

/*
 * Reads the status of all threads except 'self'. Returns -EBUSY, with a message, if 'objection'
 * returns a reason for a thread that is not exiting; or another negative errno.
 */
int axv_thread_status_check_others(const struct axv_user *user,
				   const struct axv_thread_status *self,
				   const char *(*objection)(const struct axv_thread_status *thread,
							    const void *ctx),
				   const void *ctx);

#endif
