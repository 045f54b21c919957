/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file privileges.h
 * Dropping privileges before a guest runs.
 *
 * A guest that escapes from the VMM then has none. First open everything that needs privileges
 * (/dev/kvm, images, taps). Then drop them, create the threads, and run the guest. KVM needs no
 * privileges once its descriptors are open. Threads that are created later inherit the remaining
 * privileges.
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

/** Change the user: `uid`, `gid` and `groups` are valid. */
#define AXVCPU_PRIVILEGES_USER (1u << 0)

/** Privileges that remain after the drop. Initialise with AXVCPU_PRIVILEGES_INIT. */
struct axvcpu_privileges {
	/** sizeof(struct axvcpu_privileges) */
	size_t size;
	/** AXVCPU_PRIVILEGES_* */
	uint32_t flags;
	/** With AXVCPU_PRIVILEGES_USER: real, effective and saved user id. */
	uint32_t uid;
	/** With AXVCPU_PRIVILEGES_USER: real, effective and saved group id. */
	uint32_t gid;
	uint32_t reserved;
	/** Capabilities to keep: bit n stands for capability n of linux/capability.h. 0: none. */
	uint64_t keep;
	/** With AXVCPU_PRIVILEGES_USER: supplementary groups; NULL: none. */
	const uint32_t *groups;
	/** Number of elements of `groups`. */
	size_t ngroups;
};
#define AXVCPU_PRIVILEGES_INIT AXVCPU_INIT(struct axvcpu_privileges)

/**
 * Drops the privileges of the process, and verifies that they are gone.
 *
 * It drops all capabilities except those to keep, changes the user if requested, and sets
 * no_new_privs. Then it reads from /proc that every thread of the process has dropped its
 * privileges.
 *
 * Kept capabilities remain effective and permitted. Programs that are executed do not inherit them.
 * If the caller has CAP_SETPCAP, its bounding set is reduced too, and its securebits are set and
 * locked, so that user id 0 never gives capabilities again. Without that capability neither is
 * possible nor needed: under no_new_privs, no program gets privileges that its caller did not have.
 *
 * Capabilities belong to threads, and a thread can only drop its own. So every other thread of the
 * process must already have dropped its privileges: only kept capabilities, no_new_privs, the same
 * user. It is best to call this function before other threads exist.
 *
 * All preconditions are checked first. Once something has changed, a failure is -ENOTRECOVERABLE.
 * The process has then lost as many privileges as possible, including the capabilities to keep. It
 * is unknown how many remain, so it must exit. After any other error nothing has changed. Do not
 * run a guest in either case.
 *
 * The function can be called again, to drop more.
 *
 * @param privileges the privileges that remain; NULL: no capability, the same user.
 * @return 0; -EINVAL, -E2BIG: the config is not valid; -EBUSY: another thread still has privileges,
 *         and the message names the thread and the privilege; -EPERM: a capability to keep is
 *         missing, or one that changing the user needs (CAP_SETUID, CAP_SETGID); -ENOTSUP: the
 *         library was built without libcap-ng; -ENOMEM; -EIO: /proc is not readable as expected;
 *         -ENOTRECOVERABLE; errnos of the kernel.
 *
 * Threads: any, one at a time.
 */
AXVCPU_API int axvcpu_drop_privileges(const struct axvcpu_privileges *privileges);

#ifdef __cplusplus
}
#endif

#endif
