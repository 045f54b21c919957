/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"

#define REASON_MAX 128

static const char *type_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a directory";
	case S_IFIFO:
		return "a pipe";
	case S_IFCHR:
	case S_IFBLK:
		return "a device";
	case S_IFSOCK:
		return "a socket";
	}
	return "not a regular file";
}

static int refuse(char *reason, const char *text)
{
	snprintf(reason, REASON_MAX, "%s", text);
	return -1;
}

static int check(struct file *file, int fd, char *reason)
{
	struct stat st;

	if (fstat(fd, &st))
		return refuse(reason, strerror(errno));
	if (!S_ISREG(st.st_mode)) {
		snprintf(reason, REASON_MAX, "%s, not an image", type_name(st.st_mode));
		return -1;
	}
	if (st.st_size <= 0)
		return refuse(reason, "empty");
	if ((uint64_t)st.st_size > FILE_MAX) {
		snprintf(reason, REASON_MAX, "too large: %jd bytes; an image has at most %" PRIu64,
			 (intmax_t)st.st_size, FILE_MAX);
		return -1;
	}
	file->size = (size_t)st.st_size;
	return 0;
}

static int read_all(struct file *file, int fd, char *reason)
{
	size_t done = 0;
	uint8_t *data;

	if (check(file, fd, reason))
		return -1;
	data = mmap(NULL, file->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		return refuse(reason, strerror(errno));
	file->data = data;
	/* Only a hint, for fewer page faults. */
	madvise(data, file->size, MADV_HUGEPAGE);
	while (done < file->size) {
		ssize_t n = read(fd, data + done, file->size - done);

		if (n == 0)
			return refuse(reason, "became shorter while it was read");
		if (n < 0 && errno != EINTR)
			return refuse(reason, strerror(errno));
		if (n > 0)
			done += (size_t)n;
	}
	return 0;
}

/* Writes the reason of a failure to `reason`, of REASON_MAX bytes. */
static int open_and_read(struct file *file, const char *name, char *reason)
{
	int fd, ret;

	*file = (struct file){ .name = name };
	/* O_NONBLOCK and O_NOCTTY: opening a pipe or a terminal must have no effect. */
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return refuse(reason, strerror(errno));
	ret = read_all(file, fd, reason);
	close(fd);
	return ret;
}

int file_read(struct file *file, const char *name)
{
	char reason[REASON_MAX];

	if (!open_and_read(file, name, reason))
		return 0;
	return fail("%s: %s", *name ? name : "the file name is empty", reason);
}

int file_try(struct file *file, const char *name)
{
	char reason[REASON_MAX];

	return open_and_read(file, name, reason);
}

void file_free(struct file *file)
{
	if (file->data)
		munmap((void *)(uintptr_t)file->data, file->size);
	*file = (struct file){ .name = NULL };
}
