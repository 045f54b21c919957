/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Kernel resources of this process, descriptors and mappings, to find leaks. */
#ifndef TESTS_RESOURCES_H
#define TESTS_RESOURCES_H

#include <stddef.h>
#include <stdint.h>

#define RESOURCES_FDS 128

struct resources {
	/* Ascending. */
	int fds[RESOURCES_FDS];
	size_t nfds;
	/* Mappings of files, memfds and KVM's vCPUs. */
	size_t file_maps;
	/*
	 * Bytes of anonymous mappings except heap and stack; 0 under a sanitizer, which has its
	 * own.
	 */
	uint64_t anonymous;
};

void resources_read(struct resources *resources);

/* Fails the test if this process holds anything that it did not hold 'before', or misses it. */
void resources_expect(const struct resources *before, const char *when);

#endif
