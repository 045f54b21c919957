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
#define CLONES_MAX 64u

struct options {
	/* The guest image, as on the command line; NULL with `restore_path`. */
	const char *guest;
	/* Path of an installed guest; NULL: `guest` is the path. */
	char *guest_path;
	/*
	 * Contents of the image, for image_load(); empty if the file was not read or is unreadable.
	 */
	struct file file;
	/* The guest is a Linux kernel; with `restore_path`, known when the machine exists. */
	bool kernel;
	/* Path of the initial RAM disk, or NULL. */
	const char *initrd_path;
	bool append_given;
	/* The guest's arguments joined by blanks, or a kernel's command line. */
	char args[GUEST_ARGS_MAX];
	/* Bytes of guest memory; 0: depends on the kind of guest. */
	uint64_t memory;
	/* Back guest memory with huge pages. */
	bool huge_pages;
	/* enum axvcpu_mode; if not given, depends on the image. */
	bool mode_given;
	uint32_t mode;
	/* Load address of a flat image. */
	bool load_given;
	uint64_t load;
	/* Entry point. */
	bool entry_given;
	uint64_t entry;
	/* Number of virtual CPUs; 0: not given. */
	uint32_t cpus;
	/* enum axvm_irqchip; if not given, depends on the platform. */
	bool irqchip_given;
	uint32_t irqchip;
	/* The files to save the machine to and to restore it from, or NULL. */
	const char *save_path;
	const char *restore_path;
	/* Machines to run from `restore_path` side by side; 0: one, in this process. */
	uint32_t clones;
	/* When to save besides on request: at the guest's doorbell; after this time, if not 0. */
	bool save_at_doorbell;
	uint64_t save_after_ns;
	/* Rounds between the guest's first two doorbells; 0: the doorbell has no effect. */
	uint64_t repeat;
	/* A reset restarts the machine. */
	bool reboot;
	/* On a terminal, pass every key to the guest except the escape. */
	bool raw_keys;
	bool drop_privileges;
	/* User to become then; NULL: root becomes an unprivileged user. */
	const char *user;
	/* A cpu_set_t of cpu_set_size bytes; NULL: all CPUs. */
	void *cpu_set;
	size_t cpu_set_size;
	/* Where to write the device tree, or NULL. */
	const char *dtb_path;
	/* Directory for the ACPI tables, or NULL. */
	const char *acpi_path;
	/* 0: no limit. */
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
	/* All is done: --help, --version, --list, --verify. */
	OPTIONS_DONE,
	/* fail() has been called. */
	OPTIONS_ERROR,
};

/* Parses the command line. Call options_free() in either case. */
enum options_result options_parse(int argc, char **argv, struct options *options);

/*
 * Fills in the platform's defaults. Returns 0, or -1 after fail() if the platform lacks something
 * that the options ask for.
 */
int options_resolve(struct options *options, const struct platform *platform);

void options_free(struct options *options);

#endif
