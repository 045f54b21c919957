/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "resources.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "suite.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OTHERS_MAP 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(OTHERS_MAP)
static const bool others_map = true;
#else
static const bool others_map = false;
#endif

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void read_fds(struct resources *resources)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir))) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] == '.' || fd == dirfd(dir))
			continue;
		ck_assert_uint_lt(resources->nfds, RESOURCES_FDS);
		resources->fds[resources->nfds++] = fd;
	}
	closedir(dir);
	qsort(resources->fds, resources->nfds, sizeof(int), by_number);
}

static void read_maps(struct resources *resources)
{
	FILE *file = fopen("/proc/self/maps", "re");
	char line[512];

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file)) {
		uint64_t start, end, inode;
		char name[256] = "";

		ck_assert_int_ge(sscanf(line,
					"%" SCNx64 "-%" SCNx64 " %*s %*s %*s %" SCNu64 " %255s",
					&start, &end, &inode, name),
				 3);
		if (inode)
			resources->file_maps++;
		else if (!name[0] && !others_map)
			resources->anonymous += end - start;
	}
	fclose(file);
}

void resources_read(struct resources *resources)
{
	memset(resources, 0, sizeof(*resources));
	read_fds(resources);
	read_maps(resources);
}

static void list_fds(const char *what, const struct resources *resources)
{
	fprintf(stderr, "%s:", what);
	for (size_t i = 0; i < resources->nfds; i++) {
		char path[64], target[128] = "";

		snprintf(path, sizeof(path), "/proc/self/fd/%d", resources->fds[i]);
		if (readlink(path, target, sizeof(target) - 1) < 0)
			strcpy(target, "closed");
		fprintf(stderr, " %d=%s", resources->fds[i], target);
	}
	fprintf(stderr, "\n");
}

void resources_expect(const struct resources *before, const char *when)
{
	struct resources now;

	resources_read(&now);
	if (now.nfds != before->nfds || memcmp(now.fds, before->fds, now.nfds * sizeof(int))) {
		list_fds("before", before);
		list_fds("now", &now);
		ck_abort_msg("%s: %zu descriptors, before %zu", when, now.nfds, before->nfds);
	}
	ck_assert_msg(now.file_maps == before->file_maps, "%s: %zu mappings of files, before %zu",
		      when, now.file_maps, before->file_maps);
	ck_assert_msg(now.anonymous == before->anonymous,
		      "%s: %" PRIu64 " bytes mapped, before %" PRIu64, when, now.anonymous,
		      before->anonymous);
}
