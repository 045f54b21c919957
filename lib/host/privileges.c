/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#ifdef HAVE_CONFIG_H
#include <config.h>
#endif

#include "axvcpu/privileges.h"

#include <errno.h>

#include "axvcpu/arch.h"

#ifndef HAVE_LIBCAP_NG

int axvcpu_drop_privileges(const struct axvcpu_privileges *privileges)
{
	(void)privileges;
	return axvcpu_fail(NULL, -ENOTSUP,
			   "privileges: libaxvcpu was built without libcap-ng; install it "
			   "(Debian: libcap-ng-dev, Fedora: libcap-ng-devel) and configure again");
}

#else

#include <cap-ng.h>
#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/sized.h"
#include "lib/host/sys.h"

#define CAP(n) (UINT64_C(1) << (n))

/* Root is nobody special, a change of user moves no capability, and so it stays. */
#define SECUREBITS \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | \
	 SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | \
	 SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

/* Where a thread is to go, and the way there. */
struct target {
	struct axvcpu_privileges want;
	/* want.groups, sorted as the kernel shows them */
	uint32_t *groups;
	/* the caller may cut its bounding set and set its securebits */
	bool setpcap;
	/* it has still to become the user */
	bool change_user;
};

/* What /proc says of a thread. */
struct axv_thread {
	uint64_t inheritable, permitted, effective, bounding, ambient;
	bool no_new_privs;
	/* it is target's user; true if any user will do */
	bool user;
};

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
	SEEN_ALL = 511
};

/* --- reading /proc --------------------------------------------------------------------------- */

/* All four ids of a line (real, effective, saved, file system) are 'id'. */
static bool ids_are(const char *text, uint32_t id)
{
	unsigned int ids[4];

	return sscanf(text, "%u %u %u %u", &ids[0], &ids[1], &ids[2], &ids[3]) == 4 &&
	       ids[0] == id && ids[1] == id && ids[2] == id && ids[3] == id;
}

static bool groups_are(const char *text, const struct target *target)
{
	size_t n = 0;

	for (;;) {
		char *end;
		unsigned long gid = strtoul(text, &end, 10);

		if (end == text)
			return n == target->want.ngroups;
		if (n == target->want.ngroups || gid != target->groups[n])
			return false;
		n++;
		text = end;
	}
}

/* Takes in one line of a status file. Returns which SEEN_* it was, or 0. */
static int parse_line(const char *line, const struct target *target, struct axv_thread *thread)
{
	const bool any_user = !(target->want.flags & AXVCPU_PRIVILEGES_USER);
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

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		if (!strncmp(line, sets[i].name, strlen(sets[i].name)))
			return sscanf(line + strlen(sets[i].name), "%" SCNx64, sets[i].set) == 1
				       ? sets[i].seen
				       : 0;
	if (!strncmp(line, "NoNewPrivs:", 11)) {
		thread->no_new_privs = strtoul(line + 11, NULL, 10) == 1;
		return SEEN_NNP;
	}
	if (!strncmp(line, "Uid:", 4)) {
		thread->user &= any_user || ids_are(line + 4, target->want.uid);
		return SEEN_UID;
	}
	if (!strncmp(line, "Gid:", 4)) {
		thread->user &= any_user || ids_are(line + 4, target->want.gid);
		return SEEN_GID;
	}
	if (!strncmp(line, "Groups:", 7)) {
		thread->user &= any_user || groups_are(line + 7, target);
		return SEEN_GROUPS;
	}
	return 0;
}

/* 'path' is a status file. -ENOENT, -ESRCH: the thread is gone, and there is no message. */
static int read_thread(const char *path, const struct target *target, struct axv_thread *thread)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	int seen = 0;
	int err;

	*thread = (struct axv_thread){ .user = true };
	if (!file) {
		err = -errno;
	} else {
		errno = 0;
		while (getline(&line, &size, file) > 0)
			seen |= parse_line(line, target, thread);
		err = ferror(file) || errno ? -errno : 0;
		fclose(file);
		free(line);
	}
	if (err == -ENOENT || err == -ESRCH)
		return err;
	if (err)
		return axvcpu_fail(NULL, err, "privileges: cannot read %s", path);
	if (seen != SEEN_ALL)
		return axvcpu_fail(NULL, -EIO, "privileges: %s lacks fields that Linux 4.10 has",
				   path);
	return 0;
}

/* The calling thread itself. */
static int read_self(const struct target *target, struct axv_thread *self)
{
	int err = read_thread("/proc/thread-self/status", target, self);

	if (err == -ENOENT || err == -ESRCH)
		return axvcpu_fail(NULL, err,
				   "privileges: no /proc/thread-self/status; is /proc mounted?");
	return err;
}

/* In the kernel's flags of a thread: it is on its way out, and executes nothing of the program any more. */
#define PF_EXITING 0x4u

/*
 * Whether a thread is as good as gone: who has joined one can still find it in /proc for a moment,
 * with all that it had.
 */
static bool is_leaving(const char *tid)
{
	char path[sizeof("/proc/self/task//stat") + NAME_MAX];
	char text[1024];
	unsigned int flags = 0;
	const char *fields;
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "/proc/self/task/%s/stat", tid);
	file = fopen(path, "re");
	if (!file)
		return errno == ENOENT || errno == ESRCH;
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	/* The kernel has nothing to say of one that is gone. */
	if (!len)
		return true;
	text[len] = '\0';
	/* The name before it is the program's, and may hold anything. */
	fields = strrchr(text, ')');
	return fields && sscanf(fields + 1, " %*c %*d %*d %*d %*d %*d %u", &flags) == 1 &&
	       (flags & PF_EXITING);
}

/* Why a thread that is not the caller may not go on; NULL if it may. */
static const char *objection(const struct target *target, const struct axv_thread *thread)
{
	uint64_t has = thread->inheritable | thread->permitted | thread->effective |
		       thread->ambient;

	if (has & ~target->want.keep)
		return "holds capabilities that are not to be kept";
	if (!thread->no_new_privs)
		return "has no no_new_privs";
	if (!thread->user)
		return "is another user, or has other groups";
	return NULL;
}

/* The caller's number as /proc counts, which may be that of another pid namespace. */
static int own_tid(char *tid, size_t size)
{
	char link[64];
	ssize_t len = readlink("/proc/thread-self", link, sizeof(link) - 1);
	const char *slash;

	if (len < 0) {
		int err = -errno;

		return axvcpu_fail(NULL, err,
				   "privileges: no /proc/thread-self; is /proc mounted?");
	}
	link[len] = '\0';
	slash = strrchr(link, '/');
	if (!slash || snprintf(tid, size, "%s", slash + 1) >= (int)size)
		return axvcpu_fail(NULL, -EIO, "privileges: /proc/thread-self is %s", link);
	return 0;
}

/*
 * Sees that all threads but the caller are down already. A thread that comes to be meanwhile
 * inherits from one that is looked at, and /proc lists in order of birth.
 */
static int check_others(const struct target *target)
{
	char self[32];
	char path[sizeof("/proc/self/task//status") + NAME_MAX];
	struct dirent *entry;
	DIR *dir;
	int err = own_tid(self, sizeof(self));

	if (err)
		return err;
	dir = opendir("/proc/self/task");
	if (!dir) {
		err = -errno;
		return axvcpu_fail(NULL, err, "privileges: cannot list /proc/self/task");
	}
	while (!err && (errno = 0, entry = readdir(dir))) {
		struct axv_thread thread;
		const char *why;

		if (entry->d_name[0] == '.' || !strcmp(entry->d_name, self))
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/status", entry->d_name);
		err = read_thread(path, target, &thread);
		if (err == -ENOENT || err == -ESRCH)
			err = 0;
		else if (!err && (why = objection(target, &thread)) && !is_leaving(entry->d_name))
			err = axvcpu_fail(NULL, -EBUSY,
					  "privileges: thread %s %s; drop before creating threads",
					  entry->d_name, why);
	}
	if (!err && errno) {
		err = -errno;
		axvcpu_fail(NULL, err, "privileges: cannot list /proc/self/task");
	}
	closedir(dir);
	return err;
}

/* --- before ---------------------------------------------------------------------------------- */

static int compare_gids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int check_config(const struct axvcpu_privileges *want)
{
	if (want->flags & ~AXVCPU_PRIVILEGES_USER)
		return axvcpu_fail(NULL, -EINVAL, "privileges: unknown flags %#x",
				   want->flags & ~AXVCPU_PRIVILEGES_USER);
	if (want->reserved)
		return axvcpu_fail(NULL, -EINVAL, "privileges: the reserved field is not 0");
	/* A forgotten flag must not leave root in place. */
	if (!(want->flags & AXVCPU_PRIVILEGES_USER) &&
	    (want->uid || want->gid || want->groups || want->ngroups))
		return axvcpu_fail(NULL, -EINVAL,
				   "privileges: a user is given without AXVCPU_PRIVILEGES_USER");
	if (want->uid == UINT32_MAX || want->gid == UINT32_MAX)
		return axvcpu_fail(NULL, -EINVAL, "privileges: -1 is no user or group id");
	if (want->ngroups > NGROUPS_MAX)
		return axvcpu_fail(NULL, -EINVAL, "privileges: %zu groups, of at most %d",
				   want->ngroups, NGROUPS_MAX);
	if (want->ngroups && !want->groups)
		return axvcpu_fail(NULL, -EINVAL, "privileges: %zu groups at NULL", want->ngroups);
	return 0;
}

static int copy_groups(struct target *target)
{
	const struct axvcpu_privileges *want = &target->want;

	if (!want->ngroups)
		return 0;
	target->groups = axv_sys_calloc(want->ngroups, sizeof(*target->groups));
	if (!target->groups)
		return axvcpu_fail(NULL, -ENOMEM, "privileges: %zu groups", want->ngroups);
	memcpy(target->groups, want->groups, want->ngroups * sizeof(*target->groups));
	qsort(target->groups, want->ngroups, sizeof(*target->groups), compare_gids);
	return 0;
}

/* Whether the caller can get there. Nothing has changed yet. */
static int check_rights(struct target *target)
{
	const uint64_t need = CAP(CAP_SETUID) | CAP(CAP_SETGID);
	struct axv_thread self;
	uint64_t missing;
	int err = read_self(target, &self);

	if (err)
		return err;
	missing = target->want.keep & ~self.permitted;
	if (missing) {
		unsigned int n = (unsigned int)__builtin_ctzll(missing);
		const char *name = capng_capability_to_name(n);

		return axvcpu_fail(NULL, -EPERM,
				   "privileges: capability %u (%s) is to be kept, but is not held",
				   n, name ? name : "unknown");
	}
	target->setpcap = self.effective & CAP(CAP_SETPCAP);
	target->change_user = !self.user;
	if (target->change_user && (self.effective & need) != need)
		return axvcpu_fail(NULL, -EPERM,
				   "privileges: becoming user %u needs CAP_SETUID and CAP_SETGID",
				   target->want.uid);
	return check_others(target);
}

/* --- the drop -------------------------------------------------------------------------------- */

/* A failed step. Once anything has changed there is no way back, so it goes down all the way. */
static int step_failed(bool changed, int err, const char *what)
{
	const char *left = "";

	if (!changed)
		return axvcpu_fail(NULL, err, "privileges: %s", what);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	capng_clear(CAPNG_SELECT_ALL);
	if (capng_apply(CAPNG_SELECT_CAPS))
		left = ", with capabilities left";
	return axvcpu_fail(NULL, -ENOTRECOVERABLE,
			   "privileges: half dropped%s, the process must exit: %s: %s", left, what,
			   axvcpu_error_name(err));
}

/*
 * The kernel's own calls: those of the C library would change all threads, and abort the process
 * where one of them may not. check_others() has seen to the others.
 */
static int become_user(const struct target *target, bool *changed)
{
	const struct axvcpu_privileges *want = &target->want;

	if (syscall(SYS_setgroups, want->ngroups, target->groups))
		return step_failed(*changed, -errno, "setgroups");
	*changed = true;
	if (syscall(SYS_setresgid, want->gid, want->gid, want->gid))
		return step_failed(true, -errno, "setresgid");
	/* Without the securebits, leaving root would take along what is to be kept. */
	if (!target->setpcap && want->keep && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
		return step_failed(true, -errno, "prctl(PR_SET_KEEPCAPS)");
	if (syscall(SYS_setresuid, want->uid, want->uid, want->uid))
		return step_failed(true, -errno, "setresuid");
	if (!target->setpcap && want->keep && prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0))
		return step_failed(true, -errno, "prctl(PR_SET_KEEPCAPS)");
	return 0;
}

/* Tells libcap-ng what the capabilities are to be. */
static int describe_capabilities(uint64_t keep)
{
	capng_clear(CAPNG_SELECT_ALL);
	for (unsigned int n = 0; n < 64; n++)
		if (keep & CAP(n) &&
		    capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
				 n))
			return -1;
	return 0;
}

static int drop(const struct target *target)
{
	bool changed = false;
	int err;

	if (describe_capabilities(target->want.keep))
		return step_failed(changed, -EINVAL, "libcap-ng does not know a capability");
	if (target->setpcap) {
		int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);

		if (bits < 0 || prctl(PR_SET_SECUREBITS, bits | SECUREBITS, 0, 0, 0))
			return step_failed(changed, -errno, "prctl(PR_SET_SECUREBITS)");
		changed = true;
		if (capng_apply(CAPNG_SELECT_BOUNDS))
			return step_failed(changed, -EPERM, "libcap-ng: bounding set");
	}
	if (target->change_user) {
		err = become_user(target, &changed);
		if (err)
			return err;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return step_failed(changed, -errno, "prctl(PR_SET_NO_NEW_PRIVS)");
	changed = true;
	/* Inheritable ones go too, and with them the ambient ones. */
	if (capng_apply(CAPNG_SELECT_CAPS))
		return step_failed(changed, -EPERM, "libcap-ng: capabilities");
	return 0;
}

/* --- after ----------------------------------------------------------------------------------- */

static int verify(const struct target *target)
{
	const uint64_t keep = target->want.keep;
	struct axv_thread self;
	int err = read_self(target, &self);

	if (err)
		return step_failed(true, err, "cannot verify");
	if (self.permitted != keep || self.effective != keep || self.inheritable || self.ambient)
		return step_failed(true, -EIO, "the capabilities are not as asked for");
	if (!self.no_new_privs || !self.user)
		return step_failed(true, -EIO, "no_new_privs or the user is not as asked for");
	if (target->setpcap && (self.bounding & ~keep ||
				(prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) & SECUREBITS) != SECUREBITS))
		return step_failed(true, -EIO, "bounding set or securebits are not as asked for");
	err = check_others(target);
	if (err)
		return step_failed(true, err, "another thread is not down");
	return 0;
}

int axvcpu_drop_privileges(const struct axvcpu_privileges *privileges)
{
	struct target target = { .groups = NULL };
	int err = axv_sized_copy(NULL, "privileges", &target.want, sizeof(target.want), privileges);

	if (err)
		return err;
	err = check_config(&target.want);
	if (!err)
		err = copy_groups(&target);
	if (!err)
		err = check_rights(&target);
	if (!err)
		err = drop(&target);
	if (!err)
		err = verify(&target);
	free(target.groups);
	return err;
}

#endif
