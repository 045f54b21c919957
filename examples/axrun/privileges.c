/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "privileges.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include <axvcpu/axvcpu.h>

#include "message.h"

/* Whom root becomes, unless it is told: somebody who owns nothing. */
#define DEFAULT_USER "nobody"

static int find_user(const char *name, struct axvcpu_privileges *privileges)
{
	const struct passwd *user;

	errno = 0;
	user = getpwnam(name);
	if (!user)
		return fail("--drop-privileges: user %s: %s", name,
			    errno ? strerror(errno) : "there is none; --drop-privileges=USER");
	/* Root without capabilities still owns nearly every file. */
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
