/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The format of a saved state of a vCPU or a VM: header and sections, all numbers little-endian.
 *
 *    header    magic[8]  version u32  size u32  arch[16]
 *    section   name[16]  version u32  flags u32  len u32  zero u32  data[len]  zeros to 8 bytes
 */
#ifndef LIB_VCPU_SAVED_H
#define LIB_VCPU_SAVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "axvcpu/vcpu_state.h"

struct axvcpu_saver {
	const struct axvm *vm;
	unsigned char *buf;
	/* Room in 'buf'. */
	size_t size;
	/* Bytes of the state so far; those beyond 'size' are counted and not written. */
	size_t used;
	unsigned int sections;
};

/* The section of the library in the state of a vCPU. Little-endian in the state. */
struct axv_vcpu_section {
	uint32_t id;
	/* enum axvcpu_power */
	uint32_t power;
	/* Whether the latest exit was a terminal one, and its kind. */
	uint32_t terminal;
	uint32_t terminal_kind;
};

/* A state that is loaded into one vCPU many times: what the first load has found and checked. */
struct axv_prepared {
	/* The form of the backend; NULL: nothing is prepared. The owner of this struct frees it. */
	void *memory;
	struct axv_vcpu_section section;
};

struct axvcpu_loader {
	/* NULL: the VM is loaded. */
	struct axvcpu *vcpu;
	struct axvm *vm;
	struct axvcpu_load_config config;
	const unsigned char *state;
	size_t size;
	/* Number of sections, and a bitmap of those that were found. */
	unsigned int sections;
	uint64_t known;
	/* The prepared form that an earlier load has left, or NULL; that of this load, or NULL. */
	void *prepared;
	void *memory;
	/* Saves the present state, as axvcpu_save(). axvcpu_load_begin() calls it unless it is NULL. */
	int (*save)(const struct axvcpu_loader *loader, void *buf, size_t size);
	/*
	 * Loads the part of the library that comes first, with 'first' as its argument; clears
	 * 'begun' if it fails and has changed nothing. axvcpu_load_begin() calls it unless it is
	 * NULL.
	 */
	int (*load_first)(struct axvcpu_loader *loader);
	void *first;
	/*
	 * Nothing is loaded: axvcpu_load_begin() fails with -ECANCELED. 'checked': it was called, so the
	 * backend has found all that it checks.
	 */
	bool check_only;
	bool checked;
	/* axvcpu_load_begin() has succeeded: the backend may have made changes. */
	bool begun;
	/* The state before, in memory that the caller must free; NULL: it was not saved. */
	void *backup;
	size_t backup_size;
};

/* Begins a state. 'arch' is the name of the ops table. */
int axv_saver_begin(struct axvcpu_saver *saver, const struct axvm *vm, const char *arch, void *buf,
		    size_t size);
/* Completes the header. Returns the number of bytes of the state. */
int axv_saver_end(struct axvcpu_saver *saver);

/* Whether a field of AXVCPU_SAVED_NAME bytes is a name: padded by zeros, with at least one. */
bool axv_saved_is_name(const char *field);
/* Fills a field with a name, which is cut if it is too long. */
void axv_saved_set_name(char field[AXVCPU_SAVED_NAME], const char *name);

/* axvcpu_saved_check() with messages to the log hook of 'vm', which may be NULL. */
int axv_saved_check(const struct axvm *vm, const void *state, size_t size, char *arch);
/* Checks the state, and that it is of this architecture. 'config' is complete. */
int axv_loader_begin(struct axvcpu_loader *loader, struct axvcpu *vcpu, struct axvm *vm,
		     const char *arch, const void *state, size_t size,
		     const struct axvcpu_load_config *config);
/* The same for a state that was prepared. */
void axv_loader_begin_prepared(struct axvcpu_loader *loader, struct axvcpu *vcpu, struct axvm *vm,
			       const struct axv_prepared *prepared,
			       const struct axvcpu_load_config *config);
/*
 * Begins to load the state that was there before 'failed' began, without a backup. Returns -ENOENT,
 * and keeps the latest message, if it was not saved.
 */
int axv_loader_begin_backup(struct axvcpu_loader *loader, const struct axvcpu_loader *failed,
			    const char *arch);
/* Completes and checks the config of a caller, which may be NULL. */
int axv_load_config(const struct axvm *vm, const struct axvcpu_load_config *given,
		    struct axvcpu_load_config *config);

#endif
