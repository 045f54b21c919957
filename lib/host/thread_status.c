/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "lib/host/thread_status.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "axvcpu/arch.h"
#include "lib/host/sys.h"

#define TASKS "/proc/self/task"

enum {
	SEEN_INH = 1,
	SEEN_PRM = 2,
	SEEN_EFF = 4,
	SEEN_BND = 8,
	SEEN_AMB = 16,
	SEEN_NNP = 32,
	SEEN_UID = 64,
	SEEN_GID = 128,
	SEEN_GROUPS = 256,
	SEEN_PID = 512,
	SEEN_ALL = 1023
};

/* --- files ----------------------------------------------------------------------------------- */

/* A buffer for a file of /proc. It grows as needed; its owner frees 'data'. */
struct text {
	char *data;
	size_t size;
};

/* Only a thread with many groups has a longer status file. */
#define TEXT_MIN 4096u

static int text_grow(struct text *text, size_t used)
{
	size_t size = text->size ? text->size * 2 : TEXT_MIN;
	char *data = axv_sys_calloc(size, 1);

	if (!data)
		return -ENOMEM;
	if (text->data)
		memcpy(data, text->data, used);
	free(text->data);
	*text = (struct text){ data, size };
	return 0;
}

/* Reads a whole file, and adds a NUL. Returns its length, or a negative errno without a message. */
static int read_file(const char *path, struct text *text)
{
	int fd = axv_sys_open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	int n;

	if (fd < 0)
		return fd;
	do {
		n = text->size - len < 2 ? text_grow(text, len) : 0;
		if (!n)
			n = axv_sys_read(fd, text->data + len, text->size - len - 1);
		if (n > 0)
			len += (size_t)n;
	} while (n > 0);
	axv_sys_close(fd);
	if (n < 0)
		return n;
	text->data[len] = '\0';
	return (int)len;
}

/* --- a thread's status ----------------------------------------------------------------------- */

/* All four ids of a line (real, effective, saved, file system) are 'id'. */
static bool ids_are(const char *line, uint32_t id)
{
	unsigned int ids[4];

	return sscanf(line, "%u %u %u %u", &ids[0], &ids[1], &ids[2], &ids[3]) == 4 &&
	       ids[0] == id && ids[1] == id && ids[2] == id && ids[3] == id;
}

static bool groups_are(const char *line, const struct axv_user *user)
{
	size_t n = 0;

	for (;;) {
		char *end;
		unsigned long gid = strtoul(line, &end, 10);

		if (end == line)
			return n == user->ngroups;
		if (n == user->ngroups || gid != user->groups[n])
			return false;
		n++;
		line = end;
	}
}

/* Parses one line of a status file. Returns its SEEN_*, or 0. */
static int parse_line(const char *line, const struct axv_user *user,
		      struct axv_thread_status *thread)
{
	const struct {
		const char *name;
		uint64_t *set;
		int seen;
	} sets[] = {
		{ "CapInh:", &thread->inheritable, SEEN_INH },
		{ "CapPrm:", &thread->permitted, SEEN_PRM },
		{ "CapEff:", &thread->effective, SEEN_EFF },
		{ "CapBnd:", &thread->bounding, SEEN_BND },
		{ "CapAmb:", &thread->ambient, SEEN_AMB },
	};

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		const char *name = sets[i].name;

		if (strncmp(line, name, strlen(name)))
			continue;
		if (sscanf(line + strlen(name), "%" SCNx64, sets[i].set) != 1)
			return 0;
		return sets[i].seen;
	}
	if (!strncmp(line, "Pid:", 4))
		return sscanf(line + 4, "%" SCNu32, &thread->tid) == 1 ? SEEN_PID : 0;
	if (!strncmp(line, "NoNewPrivs:", 11)) {
		thread->no_new_privs = strtoul(line + 11, NULL, 10) == 1;
		return SEEN_NNP;
	}
	if (!strncmp(line, "Uid:", 4)) {
		thread->is_user &= !user || ids_are(line + 4, user->uid);
		return SEEN_UID;
	}
	if (!strncmp(line, "Gid:", 4)) {
		thread->is_user &= !user || ids_are(line + 4, user->gid);
		return SEEN_GID;
	}
	if (!strncmp(line, "Groups:", 7)) {
		thread->is_user &= !user || groups_are(line + 7, user);
		return SEEN_GROUPS;
	}
	return 0;
}

/* Reads a status file. -ENOENT, -ESRCH, without a message: the thread has ended. */
static int read_status(const char *path, const struct axv_user *user, struct text *text,
		       struct axv_thread_status *thread)
{
	int ret = read_file(path, text);
	char *rest = NULL;
	int seen = 0;

	if (ret == -ENOENT || ret == -ESRCH)
		return ret;
	if (ret < 0)
		return axvcpu_fail(NULL, ret, "privileges: cannot read %s", path);
	*thread = (struct axv_thread_status){ .is_user = true };
	for (char *line = strtok_r(text->data, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		seen |= parse_line(line, user, thread);
	if (seen != SEEN_ALL)
		return axvcpu_fail(NULL, -EIO, "privileges: %s lacks fields that Linux 4.10 has",
				   path);
	return 0;
}

int axv_thread_status_self(const struct axv_user *user, struct axv_thread_status *self)
{
	struct text text = { NULL, 0 };
	int ret = read_status("/proc/thread-self/status", user, &text, self);

	free(text.data);
	if (ret == -ENOENT || ret == -ESRCH)
		return axvcpu_fail(NULL, ret,
				   "privileges: no /proc/thread-self/status; is /proc mounted?");
	return ret;
}

/* --- the others ------------------------------------------------------------------------------ */

/* A flag of the kernel: the thread is exiting, and executes no code of the program any more. */
#define PF_EXITING 0x4u

/*
 * Whether a thread is exiting or has ended. After a join, the thread can still appear in /proc for
 * a short time, with all its credentials.
 */
static bool is_exiting(uint32_t tid, struct text *text)
{
	char path[sizeof(TASKS "//stat") + 10];
	unsigned int flags = 0;
	const char *fields;
	int ret;

	snprintf(path, sizeof(path), TASKS "/%" PRIu32 "/stat", tid);
	ret = read_file(path, text);
	if (ret < 0)
		return ret == -ENOENT || ret == -ESRCH;
	/* The file of an ended thread is empty. */
	if (!ret)
		return true;
	/* The name before the fields may contain any character. */
	fields = strrchr(text->data, ')');
	return fields && sscanf(fields + 1, " %*c %*d %*d %*d %*d %*d %u", &flags) == 1 &&
	       (flags & PF_EXITING);
}

/* The arguments of axv_thread_status_check_others(), and a buffer. */
struct check {
	const struct axv_user *user;
	const struct axv_thread_status *self;
	const char *(*objection)(const struct axv_thread_status *thread, const void *ctx);
	const void *ctx;
	struct text text;
};

static int check_thread(struct check *check, const char *name)
{
	char path[sizeof(TASKS "//status") + NAME_MAX];
	struct axv_thread_status thread;
	const char *why;
	int ret;

	/* "." and ".." give 0. */
	thread.tid = (uint32_t)strtoul(name, NULL, 10);
	if (!thread.tid || thread.tid == check->self->tid)
		return 0;
	snprintf(path, sizeof(path), TASKS "/%s/status", name);
	ret = read_status(path, check->user, &check->text, &thread);
	if (ret == -ENOENT || ret == -ESRCH)
		return 0;
	if (ret)
		return ret;
	why = check->objection(&thread, check->ctx);
	if (!why || is_exiting(thread.tid, &check->text))
		return 0;
	return axvcpu_fail(NULL, -EBUSY,
			   "privileges: thread %" PRIu32 " %s; drop before creating threads",
			   thread.tid, why);
}

/* As libc has it. Between two calls, the kernel can skip a thread if another one has ended. */
#define LIST_BYTES 32768

/*
 * A thread that is created meanwhile inherits the credentials of a thread that is checked, and the
 * kernel lists threads in the order of their creation.
 */
static int check_list(struct check *check, int fd)
{
	_Alignas(struct dirent) char entries[LIST_BYTES];
	int n;

	while ((n = axv_sys_getdents(fd, entries, sizeof(entries))) > 0) {
		for (int at = 0; at < n;) {
			const struct dirent *entry = (const void *)(entries + at);
			int ret = check_thread(check, entry->d_name);

			if (ret)
				return ret;
			at += entry->d_reclen;
		}
	}
	if (n)
		return axvcpu_fail(NULL, n, "privileges: cannot list " TASKS);
	return 0;
}

int axv_thread_status_check_others(const struct axv_user *user,
				   const struct axv_thread_status *self,
				   const char *(*objection)(const struct axv_thread_status *thread,
							    const void *ctx),
				   const void *ctx)
{
	struct check check = { user, self, objection, ctx, { NULL, 0 } };
	int fd = axv_sys_open(TASKS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return axvcpu_fail(NULL, fd, "privileges: cannot list " TASKS);
	ret = check_list(&check, fd);
	axv_sys_close(fd);
	free(check.text.data);
	return ret;
}
