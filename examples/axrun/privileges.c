/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "privileges.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include <axvcpu/axvcpu.h>

#include "message.h"

/* The user that root becomes by default: it owns no files. */
#define DEFAULT_USER "nobody"

static int find_user(const char *name, struct axvcpu_privileges *privileges)
{
	const struct passwd *user;

	errno = 0;
	user = getpwnam(name);
	if (!user && errno)
		return fail("--drop-privileges: user %s: %s", name, strerror(errno));
	if (!user)
		return fail("--drop-privileges: no user %s; choose one with --drop-privileges=USER",
			    name);
	/* Even without capabilities, root owns nearly all files. */
	if (user->pw_uid == 0)
		return fail("--drop-privileges: user %s is root", name);
	privileges->flags |= AXVCPU_PRIVILEGES_USER;
	privileges->uid = user->pw_uid;
	privileges->gid = user->pw_gid;
	return 0;
}

int privileges_drop(const struct options *options)
{
	struct axvcpu_privileges privileges = AXVCPU_PRIVILEGES_INIT;
	const char *name = options->user;

	if (!options->drop_privileges)
		return 0;
	if (!name && (geteuid() == 0 || getuid() == 0))
		name = DEFAULT_USER;
	if (name && find_user(name, &privileges))
		return -1;
	if (axvcpu_drop_privileges(&privileges))
		return fail("--drop-privileges: %s", axvcpu_last_error());
	return 0;
}
