/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "guests.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "message.h"

#define LIST "guests.txt"

const char *guests_folder(void)
{
	const char *folder = getenv(GUESTS_VARIABLE);

	return folder && *folder ? folder : AXRUN_GUESTSDIR;
}

static char *path_of(const char *name)
{
	const char *folder = guests_folder();
	size_t size = strlen(folder) + strlen(name) + 2;
	char *path = malloc(size);

	if (path)
		snprintf(path, size, "%s/%s", folder, name);
	return path;
}

static bool missing(const char *path)
{
	return access(path, F_OK) && errno == ENOENT;
}

bool guests_is_name(const char *name)
{
	return *name && !strchr(name, '/') && missing(name);
}

char *guests_find(const char *name)
{
	char *path;

	if (!guests_is_name(name))
		return NULL;
	path = path_of(name);
	if (path && !missing(path))
		return path;
	free(path);
	return NULL;
}

int guests_read_list(struct file *list)
{
	char *path = path_of(LIST);
	int err;

	*list = (struct file){ .name = NULL };
	if (!path)
		return fail("out of memory for the path of the guest list");
	err = file_read(list, path);
	list->name = NULL;
	free(path);
	return err;
}
