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
#include <inttypes.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "lib/base/sized.h"
#include "lib/host/sys.h"
#include "lib/host/thread_status.h"

#define CAP(n) (UINT64_C(1) << (n))

/* Root has no special rights, a change of user moves no capability, and both are locked. */
#define SECUREBITS \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | \
	 SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | \
	 SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

/* The privileges to reach, and the steps that the caller needs for them. */
struct target {
	struct axvcpu_privileges want;
	/* want.groups, in ascending order */
	uint32_t *groups;
	/* uid, gid and groups of 'want'; with AXVCPU_PRIVILEGES_USER */
	struct axv_user user;
	/* the caller may reduce its bounding set and set its securebits */
	bool setpcap;
	/* the caller must still become the user */
	bool change_user;
};

/* Why another thread prevents the drop; NULL if it does not. */
static const char *objection(const struct axv_thread_status *thread, const void *ctx)
{
	const struct target *target = ctx;
	uint64_t has = thread->inheritable | thread->permitted | thread->effective |
		       thread->ambient;

	if (has & ~target->want.keep)
		return "holds capabilities other than those to keep";
	if (!thread->no_new_privs)
		return "does not have no_new_privs set";
	if (!thread->is_user)
		return "has another user or other groups";
	return NULL;
}

static const struct axv_user *wanted_user(const struct target *target)
{
	return target->want.flags & AXVCPU_PRIVILEGES_USER ? &target->user : NULL;
}

static int read_self(const struct target *target, struct axv_thread_status *self)
{
	return axv_thread_status_self(wanted_user(target), self);
}

/* All threads except 'self' must have been dropped already. */
static int check_others(const struct target *target, const struct axv_thread_status *self)
{
	return axv_thread_status_check_others(wanted_user(target), self, objection, target);
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
		return axvcpu_fail(NULL, -EINVAL, "privileges: the reserved field must be 0");
	/* A forgotten flag must not leave root in place. */
	if (!(want->flags & AXVCPU_PRIVILEGES_USER) &&
	    (want->uid || want->gid || want->groups || want->ngroups))
		return axvcpu_fail(NULL, -EINVAL,
				   "privileges: a user needs AXVCPU_PRIVILEGES_USER");
	if (want->uid == UINT32_MAX || want->gid == UINT32_MAX)
		return axvcpu_fail(NULL, -EINVAL, "privileges: -1 is not a user or group id");
	if (want->ngroups > NGROUPS_MAX)
		return axvcpu_fail(NULL, -EINVAL, "privileges: ngroups is %zu; the maximum is %d",
				   want->ngroups, NGROUPS_MAX);
	if (want->ngroups && !want->groups)
		return axvcpu_fail(NULL, -EINVAL, "privileges: groups is NULL, ngroups %zu",
				   want->ngroups);
	return 0;
}

static int copy_user(struct target *target)
{
	const struct axvcpu_privileges *want = &target->want;

	if (want->ngroups) {
		target->groups = axv_sys_calloc(want->ngroups, sizeof(*target->groups));
		if (!target->groups)
			return axvcpu_fail(NULL, -ENOMEM, "privileges: allocating %zu groups",
					   want->ngroups);
		memcpy(target->groups, want->groups, want->ngroups * sizeof(*target->groups));
		qsort(target->groups, want->ngroups, sizeof(*target->groups), compare_gids);
	}
	target->user = (struct axv_user){ want->uid, want->gid, target->groups, want->ngroups };
	return 0;
}

/* Checks that the caller can reach the target, before anything is changed. */
static int check_rights(struct target *target)
{
	const uint64_t need = CAP(CAP_SETUID) | CAP(CAP_SETGID);
	struct axv_thread_status self;
	uint64_t missing;
	int err = read_self(target, &self);

	if (err)
		return err;
	missing = target->want.keep & ~self.permitted;
	if (missing) {
		unsigned int n = (unsigned int)__builtin_ctzll(missing);
		const char *name = capng_capability_to_name(n);

		return axvcpu_fail(
			NULL, -EPERM,
			"privileges: capability %u (%s) cannot be kept, as the caller lacks it", n,
			name ? name : "unknown");
	}
	target->setpcap = self.effective & CAP(CAP_SETPCAP);
	target->change_user = !self.is_user;
	if (target->change_user && (self.effective & need) != need)
		return axvcpu_fail(NULL, -EPERM,
				   "privileges: becoming user %u needs CAP_SETUID and CAP_SETGID",
				   target->want.uid);
	return check_others(target, &self);
}

/* --- the drop -------------------------------------------------------------------------------- */

/* Handles a failed step. A change cannot be undone: after one, all capabilities are dropped. */
static int step_failed(bool changed, int err, const char *what)
{
	const char *left = "";

	if (!changed)
		return axvcpu_fail(NULL, err, "privileges: %s", what);
	axv_sys_prctl(PR_SET_NO_NEW_PRIVS, 1);
	capng_clear(CAPNG_SELECT_ALL);
	if (capng_apply(CAPNG_SELECT_CAPS))
		left = ", with capabilities left";
	return axvcpu_fail(NULL, -ENOTRECOVERABLE,
			   "privileges: half dropped%s, the process must exit: %s: %s", left, what,
			   axvcpu_error_name(err));
}

/* Without the securebits, leaving root would drop the capabilities to keep. */
static int set_keepcaps(const struct target *target, bool on)
{
	if (target->setpcap || !target->want.keep)
		return 0;
	return axv_sys_prctl(PR_SET_KEEPCAPS, on);
}

/* Changes the calling thread only. check_others() has checked the others. */
static int become_user(const struct target *target, bool *changed)
{
	const struct axvcpu_privileges *want = &target->want;
	int err = axv_sys_setgroups(want->ngroups, target->groups);

	if (err)
		return step_failed(*changed, err, "setgroups");
	*changed = true;
	err = axv_sys_setgid(want->gid);
	if (err)
		return step_failed(true, err, "setresgid");
	err = set_keepcaps(target, true);
	if (err)
		return step_failed(true, err, "prctl(PR_SET_KEEPCAPS)");
	err = axv_sys_setuid(want->uid);
	if (err)
		return step_failed(true, err, "setresuid");
	err = set_keepcaps(target, false);
	if (err)
		return step_failed(true, err, "prctl(PR_SET_KEEPCAPS)");
	return 0;
}

/* Gives libcap-ng the capabilities to keep, for capng_apply(). */
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
		int bits = axv_sys_prctl(PR_GET_SECUREBITS, 0);

		if (bits < 0)
			return step_failed(changed, bits, "prctl(PR_GET_SECUREBITS)");
		err = axv_sys_prctl(PR_SET_SECUREBITS, (unsigned long)bits | SECUREBITS);
		if (err)
			return step_failed(changed, err, "prctl(PR_SET_SECUREBITS)");
		changed = true;
		if (capng_apply(CAPNG_SELECT_BOUNDS))
			return step_failed(changed, -EPERM, "libcap-ng: bounding set");
	}
	if (target->change_user) {
		err = become_user(target, &changed);
		if (err)
			return err;
	}
	err = axv_sys_prctl(PR_SET_NO_NEW_PRIVS, 1);
	if (err)
		return step_failed(changed, err, "prctl(PR_SET_NO_NEW_PRIVS)");
	changed = true;
	/* Also clears the inheritable capabilities, and with them the ambient ones. */
	if (capng_apply(CAPNG_SELECT_CAPS))
		return step_failed(changed, -EPERM, "libcap-ng: capabilities");
	return 0;
}

/* --- after ----------------------------------------------------------------------------------- */

static int verify(const struct target *target)
{
	const uint64_t keep = target->want.keep;
	struct axv_thread_status self;
	int err = read_self(target, &self);

	if (err)
		return step_failed(true, err, "cannot verify");
	if (self.permitted != keep || self.effective != keep || self.inheritable || self.ambient)
		return step_failed(true, -EIO, "the capabilities are not as requested");
	if (!self.no_new_privs || !self.is_user)
		return step_failed(true, -EIO, "no_new_privs or the user is not as requested");
	if (target->setpcap) {
		int bits = axv_sys_prctl(PR_GET_SECUREBITS, 0);

		if (bits < 0)
			return step_failed(true, bits, "cannot verify: prctl(PR_GET_SECUREBITS)");
		if (self.bounding & ~keep || (bits & SECUREBITS) != SECUREBITS)
			return step_failed(true, -EIO,
					   "bounding set or securebits are not as requested");
	}
	err = check_others(target, &self);
	if (err)
		return step_failed(true, err, "another thread has not dropped its privileges");
	return 0;
}

int axvcpu_drop_privileges(const struct axvcpu_privileges *privileges)
{
	struct target target = { .groups = NULL };
	int err = axv_sized_copy(NULL, "privileges", &target.want, sizeof(target.want), privileges);

	if (err)
		return err;
	err = check_config(&target.want);
	if (err)
		return err;
	err = copy_user(&target);
	if (err)
		goto out;
	err = check_rights(&target);
	if (err)
		goto out;
	err = drop(&target);
	if (err)
		goto out;
	err = verify(&target);

out:
	free(target.groups);
	return err;
}

#endif
