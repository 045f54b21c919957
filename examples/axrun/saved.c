/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "saved.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "message.h"

struct axvm_checkpoint *saved_read(const char *option, const char *path)
{
	struct axvm_checkpoint *checkpoint = NULL;
	/* O_NONBLOCK and O_NOCTTY: opening a pipe or a terminal must have no effect. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0) {
		fail("%s %s: %s", option, path, strerror(errno));
		return NULL;
	}
	if (axvm_checkpoint_read(fd, &checkpoint))
		fail("%s %s: %s", option, path, axvcpu_last_error());
	close(fd);
	return checkpoint;
}

/* Makes the file safe under its own name: an older one stays until this one is complete. */
static int finish_file(int fd, const char *new, const char *path)
{
	if (fsync(fd) || rename(new, path))
		return fail("--save %s: %s", path, strerror(errno));
	return 0;
}

int saved_write(const char *path, const struct axvm_checkpoint *checkpoint)
{
	char new[PATH_MAX];
	int err, fd;

	if (snprintf(new, sizeof(new), "%s.XXXXXX", path) >= (int)sizeof(new))
		return fail("--save: the file name is too long");
	fd = mkostemp(new, O_CLOEXEC);
	if (fd < 0)
		return fail("--save %s: cannot create a file beside it: %s", path, strerror(errno));
	if (axvm_checkpoint_write(checkpoint, fd))
		err = fail("--save %s: %s", path, axvcpu_last_error());
	else
		err = finish_file(fd, new, path);
	close(fd);
	if (err)
		unlink(new);
	return err;
}

static int print_info(const char *path, const struct axvm_checkpoint *checkpoint)
{
	struct axvm_checkpoint_info info = AXVM_CHECKPOINT_INFO_INIT;

	if (axvm_checkpoint_get_info(checkpoint, &info))
		return fail("--verify %s: %s", path, axvcpu_last_error());
	printf("%s: ok: %" PRIu32 " vCPUs, %" PRIu32 " devices, %" PRIu64
	       " KiB of memory, of which %" PRIu64 " KiB are in the file\n",
	       path, info.vcpus, info.devices, info.memory / 1024, info.memory_held / 1024);
	if (fflush(stdout) == EOF)
		return fail("cannot write to stdout");
	return 0;
}

int saved_verify(const char *path)
{
	struct axvm_checkpoint *checkpoint = saved_read("--verify", path);
	int err;

	if (!checkpoint)
		return -1;
	if (axvm_checkpoint_verify(checkpoint))
		err = fail("--verify %s: %s", path, axvcpu_last_error());
	else
		err = print_info(path, checkpoint);
	axvm_checkpoint_free(checkpoint);
	return err;
}
