/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file privileges.h
 * Giving up rights before a guest runs, so that a guest that breaks out of the VMM finds none.
 *
 * Open first what needs rights (/dev/kvm, images, taps), drop, then create the threads and run:
 * KVM needs no right once its descriptors are open. Threads created later inherit what is left.
 */
#ifndef AXVCPU_PRIVILEGES_H
#define AXVCPU_PRIVILEGES_H

#include <stddef.h>
#include <stdint.h>

#include <axvcpu/error.h>
#include <axvcpu/init.h>

#ifdef __cplusplus
extern "C" {
#endif

/** `uid`, `gid` and the groups are valid: become that user. */
#define AXVCPU_PRIVILEGES_USER (1u << 0)

/** What is left after the drop. Initialise with AXVCPU_PRIVILEGES_INIT. */
struct axvcpu_privileges {
	/** sizeof(struct axvcpu_privileges) */
	size_t size;
	/** AXVCPU_PRIVILEGES_* */
	uint32_t flags;
	/** With AXVCPU_PRIVILEGES_USER: the real, effective and saved user id. */
	uint32_t uid;
	/** With AXVCPU_PRIVILEGES_USER: the real, effective and saved group id. */
	uint32_t gid;
	uint32_t reserved;
	/** Capabilities to keep: bit n is the capability n of linux/capability.h. 0: none. */
	uint64_t keep;
	/** With AXVCPU_PRIVILEGES_USER: the supplementary groups; NULL: none. */
	const uint32_t *groups;
	/** Elements of `groups`. */
	size_t ngroups;
};
#define AXVCPU_PRIVILEGES_INIT AXVCPU_INIT(struct axvcpu_privileges)

/**
 * Drops every capability that is not to be kept, changes the user if asked to, sets no_new_privs,
 * and then reads back from /proc that every thread of the process is down.
 *
 * Kept capabilities stay effective and permitted, and are not handed to programs that are
 * executed. A caller with CAP_SETPCAP also has its bounding set cut down, and its securebits set
 * and locked: root without special rights, for ever. Without that capability neither is possible,
 * nor needed: under no_new_privs no program gets what its caller did not have.
 *
 * Capabilities belong to threads, and a thread can only drop its own. So every other thread of the
 * process must be where the caller is to go: nothing but kept capabilities, no_new_privs, the same
 * user. Best is to call this before there are other threads.
 *
 * All that can be checked is checked first. Once something has changed, a failure is
 * -ENOTRECOVERABLE: the process has then lost as much as it could be made to lose, kept
 * capabilities included, nobody knows how much, and must exit. After any other error it is as it
 * was: do not run a guest then, either.
 *
 * It may be called again, to drop more.
 *
 * @param privileges what is left; NULL: no capability, the same user.
 * @return 0: done and verified;
 *         -EINVAL, -E2BIG: the config;
 *         -EBUSY: another thread is not down; the message says which and why;
 *         -EPERM: a capability to be kept is not there, or one that changing the user needs
 *         (CAP_SETUID, CAP_SETGID);
 *         -ENOTSUP: built without libcap-ng;
 *         -ENOMEM; -EIO: /proc is not readable as expected; errnos of the kernel;
 *         -ENOTRECOVERABLE: half done, and the process must exit.
 *
 * Threads: any, one at a time; better before there are others.
 */
AXVCPU_API int axvcpu_drop_privileges(const struct axvcpu_privileges *privileges);

#ifdef __cplusplus
}
#endif

#endif
