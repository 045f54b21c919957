/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The command line. */
#ifndef AXRUN_OPTIONS_H
#define AXRUN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../guests/abi.h"
#include "file.h"
#include "platform.h"

#define DEFAULT_MEMORY (UINT64_C(16) << 20)
#define DEFAULT_MEMORY_LINUX (UINT64_C(256) << 20)

struct options {
	/* The image, as on the command line. */
	const char *guest;
	/* Its path, if it is an installed guest's; NULL: `guest` is one. */
	char *guest_path;
	/* The image, as image_load() takes it; without data if it could not be read, or was not yet. */
	struct file file;
	/* The guest is a Linux kernel. */
	bool kernel;
	/* Its initial RAM disk; NULL: none. */
	const char *initrd_path;
	bool append_given;
	/* Its arguments, joined by blanks; a kernel's command line. */
	char args[GUEST_ARGS_MAX];
	/* Bytes of guest memory; if 0, the kind of the guest decides. */
	uint64_t memory;
	/* Of huge pages. */
	bool huge_pages;
	/* enum axvcpu_mode; if not given, the image decides. */
	bool mode_given;
	uint32_t mode;
	/* Where a flat image goes. */
	bool load_given;
	uint64_t load;
	/* First instruction. */
	bool entry_given;
	uint64_t entry;
	/* Virtual CPUs. */
	uint32_t cpus;
	/* enum axvm_irqchip; if not given, the platform decides. */
	bool irqchip_given;
	uint32_t irqchip;
	/* A reset starts the machine again. */
	bool reboot;
	/* On a terminal every key is the guest's, but for the escape. */
	bool raw_keys;
	bool drop_privileges;
	/* Whom to become then; NULL: nobody in particular. */
	const char *user;
	/* A cpu_set_t of that many bytes; NULL: all CPUs. */
	void *cpu_set;
	size_t cpu_set_size;
	/* Where the device tree is to be written; NULL: nowhere. */
	const char *dtb_path;
	/* The directory for the ACPI tables; NULL: they are not written. */
	const char *acpi_path;
	/* 0: none. */
	uint64_t timeout_ns;
	bool stats;
	bool trace;
	bool json;
	/* NULL: stderr. */
	const char *json_path;
	/* enum axvcpu_log_level; 0: no log. */
	int log_level;
};

enum options_result {
	/* Run the guest. */
	OPTIONS_RUN,
	/* Help, version or the list of guests was asked for and has been printed. */
	OPTIONS_DONE,
	/* fail() has been called. */
	OPTIONS_ERROR,
};

/* Reads the command line; options_free() in any case. */
enum options_result options_parse(int argc, char **argv, struct options *options);

/*
 * Fills in what the platform decides. Returns 0, or -1 after fail(): it lacks what the options ask
 * for.
 */
int options_resolve(struct options *options, const struct platform *platform);

void options_free(struct options *options);

#endif
