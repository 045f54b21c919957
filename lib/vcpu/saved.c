/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Writes and reads the format of saved states. The reader trusts nothing: each offset and
 * length is checked against the size of the buffer before it is used.
 */
#include "lib/vcpu/saved.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "axvcpu/arch.h"
#include "lib/base/cancel.h"
#include "lib/base/sized.h"
#include "lib/host/sys.h"

#define FORMAT_VERSION 1u
#define ALIGNMENT 8u

static const char magic[8] = { 'a', 'x', 'v', 'c', 'p', 'u', 's', 't' };

struct header {
	char magic[8];
	uint32_t version;
	uint32_t size;
	char arch[AXVCPU_SAVED_NAME];
};

struct section_header {
	char name[AXVCPU_SAVED_NAME];
	uint32_t version;
	uint32_t flags;
	uint32_t len;
	uint32_t zero;
};

_Static_assert(sizeof(struct header) == 32 && sizeof(struct section_header) == 32,
	       "no padding, and a multiple of the alignment");
_Static_assert(AXVCPU_SAVED_SECTIONS <= 64, "'known' is a bitmap of 64");

static size_t padded(size_t len)
{
	return (len + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

bool axv_saved_is_name(const char *field)
{
	size_t len = strnlen(field, AXVCPU_SAVED_NAME);

	if (!len || len == AXVCPU_SAVED_NAME)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-_", field[i]))
			return false;
	for (size_t i = len; i < AXVCPU_SAVED_NAME; i++)
		if (field[i])
			return false;
	return true;
}

void axv_saved_set_name(char field[AXVCPU_SAVED_NAME], const char *name)
{
	memset(field, 0, AXVCPU_SAVED_NAME);
	memcpy(field, name, strnlen(name, AXVCPU_SAVED_NAME - 1));
}

/* --- writing ---------------------------------------------------------------------------------- */

/* Appends 'len' bytes, and zeros up to the alignment. */
static void append(struct axvcpu_saver *saver, const void *data, size_t len)
{
	size_t total = padded(len);

	if (total && saver->used <= saver->size && total <= saver->size - saver->used) {
		memcpy(saver->buf + saver->used, data, len);
		memset(saver->buf + saver->used + len, 0, total - len);
	}
	saver->used += total;
}

int axv_saver_begin(struct axvcpu_saver *saver, const struct axvm *vm, const char *arch, void *buf,
		    size_t size)
{
	struct header header = { .version = htole32(FORMAT_VERSION) };

	*saver = (struct axvcpu_saver){ .vm = vm, .buf = buf, .size = size };
	memcpy(header.magic, magic, sizeof(magic));
	axv_saved_set_name(header.arch, arch);
	if (!axv_saved_is_name(header.arch))
		return axvcpu_fail(vm, -EINVAL,
				   "save: the backend's name \"%s\" is not of a-z, 0-9, - and _",
				   arch);
	append(saver, &header, sizeof(header));
	return 0;
}

int axvcpu_save_section(struct axvcpu_saver *saver, const char *name, uint32_t version,
			uint32_t flags, const void *data, size_t len)
{
	struct section_header header = { .version = htole32(version), .flags = htole32(flags) };

	axv_saved_set_name(header.name, name);
	if (!axv_saved_is_name(header.name) || strcmp(header.name, name) || !version)
		return axvcpu_fail(saver->vm, -EINVAL,
				   "save: section \"%s\", version %" PRIu32
				   ": the name must be 1 to 15 of a-z, 0-9, - and _; the version "
				   "must not be 0",
				   name, version);
	if (saver->sections == AXVCPU_SAVED_SECTIONS ||
	    len > AXVCPU_SAVED_MAX - sizeof(header) - ALIGNMENT ||
	    saver->used > AXVCPU_SAVED_MAX - sizeof(header) - padded(len))
		return axvcpu_fail(saver->vm, -ENOSPC,
				   "save: section %s with %zu bytes: a state has at most %d "
				   "sections and %d bytes",
				   name, len, AXVCPU_SAVED_SECTIONS, AXVCPU_SAVED_MAX);
	header.len = htole32((uint32_t)len);
	append(saver, &header, sizeof(header));
	append(saver, data, len);
	saver->sections++;
	return 0;
}

int axv_saver_end(struct axvcpu_saver *saver)
{
	const uint32_t size = htole32((uint32_t)saver->used);

	if (saver->used <= saver->size)
		memcpy(saver->buf + offsetof(struct header, size), &size, sizeof(size));
	return (int)saver->used;
}

/* --- reading ---------------------------------------------------------------------------------- */

static int check_header(const struct axvm *vm, const unsigned char *state, size_t size,
			struct header *header)
{
	if (!state || size < sizeof(*header) || size > AXVCPU_SAVED_MAX)
		return axvcpu_fail(vm, -EINVAL,
				   "saved state: %zu bytes cannot be one; it has %zu to %d", size,
				   sizeof(*header), AXVCPU_SAVED_MAX);
	memcpy(header, state, sizeof(*header));
	header->version = le32toh(header->version);
	header->size = le32toh(header->size);
	if (memcmp(header->magic, magic, sizeof(magic)))
		return axvcpu_fail(vm, -EINVAL, "saved state: the first bytes are not its magic");
	if (!header->version || header->version > FORMAT_VERSION)
		return axvcpu_fail(vm, -ENOTSUP,
				   "saved state: format %" PRIu32
				   "; this library supports up to %u",
				   header->version, FORMAT_VERSION);
	if (header->size != size)
		return axvcpu_fail(vm, -EINVAL,
				   "saved state: its header has %" PRIu32
				   " bytes, the buffer has %zu",
				   header->size, size);
	if (!axv_saved_is_name(header->arch))
		return axvcpu_fail(vm, -EINVAL,
				   "saved state: the architecture's name is not valid");
	return 0;
}

/*
 * Reads the section at '*offset', which is at most 'size', and moves the offset behind it. Returns
 * 1, 0 at the end, or -EINVAL.
 */
static int next_section(const struct axvm *vm, const unsigned char *state, size_t size,
			size_t *offset, struct axvcpu_saved_section *section)
{
	size_t left = size - *offset, len;
	struct section_header header;

	if (!left)
		return 0;
	if (left < sizeof(header))
		return axvcpu_fail(vm, -EINVAL, "saved state: a section's header ends behind it");
	memcpy(&header, state + *offset, sizeof(header));
	left -= sizeof(header);
	len = le32toh(header.len);
	if (!axv_saved_is_name(header.name) || !header.version || header.zero ||
	    (le32toh(header.flags) & ~AXVCPU_SECTION_OPTIONAL))
		return axvcpu_fail(vm, -EINVAL,
				   "saved state: the section at byte %zu has no valid header",
				   *offset);
	/* 'len' before its padding, which could overflow. */
	if (len > left || padded(len) > left)
		return axvcpu_fail(vm, -EINVAL,
				   "saved state: section %s has %zu bytes; %zu are left",
				   header.name, len, left);
	*section = (struct axvcpu_saved_section){
		.version = le32toh(header.version),
		.flags = le32toh(header.flags),
		.data = state + *offset + sizeof(header),
		.len = len,
	};
	memcpy(section->name, header.name, sizeof(section->name));
	*offset += sizeof(header) + padded(len);
	return 1;
}

int axv_saved_check(const struct axvm *vm, const void *state, size_t size, char *arch)
{
	char names[AXVCPU_SAVED_SECTIONS][AXVCPU_SAVED_NAME];
	struct axvcpu_saved_section section;
	struct header header;
	size_t offset = sizeof(header);
	int n = 0, ret = check_header(vm, state, size, &header);

	if (ret)
		return ret;
	while ((ret = next_section(vm, state, size, &offset, &section)) > 0) {
		for (int i = 0; i < n; i++)
			if (!strcmp(names[i], section.name))
				return axvcpu_fail(vm, -EINVAL,
						   "saved state: two sections are named %s",
						   section.name);
		if (n == AXVCPU_SAVED_SECTIONS)
			return axvcpu_fail(vm, -EINVAL, "saved state: more than %d sections",
					   AXVCPU_SAVED_SECTIONS);
		memcpy(names[n++], section.name, sizeof(section.name));
	}
	if (ret)
		return ret;
	if (arch)
		memcpy(arch, header.arch, sizeof(header.arch));
	return n;
}

int axvcpu_saved_check(const void *state, size_t size, char *arch)
{
	return axv_saved_check(NULL, state, size, arch);
}

int axvcpu_saved_get_section(const void *state, size_t size, unsigned int n,
			     struct axvcpu_saved_section *section)
{
	struct axvcpu_saved_section found;
	size_t offset = sizeof(struct header);
	int ret = axv_saved_check(NULL, state, size, NULL);

	if (ret < 0)
		return ret;
	/* No message at the end of the list: callers count up to it. */
	if (n >= (unsigned int)ret)
		return -ENOENT;
	for (unsigned int i = 0; i <= n; i++)
		next_section(NULL, state, size, &offset, &found);
	*section = found;
	return 0;
}

/* --- loading ---------------------------------------------------------------------------------- */

int axv_load_config(const struct axvm *vm, const struct axvcpu_load_config *given,
		    struct axvcpu_load_config *config)
{
	int ret = axv_sized_copy(vm, "struct axvcpu_load_config", config, sizeof(*config), given);

	if (ret)
		return ret;
	if ((config->flags & ~AXVCPU_LOAD_NO_ROLLBACK) || (config->without & ~AXVCPU_PARTS))
		return axvcpu_fail(vm, -EINVAL,
				   "load: unknown flags %#" PRIx32 ", or unknown parts %#" PRIx32,
				   config->flags & ~AXVCPU_LOAD_NO_ROLLBACK,
				   config->without & ~AXVCPU_PARTS);
	return 0;
}

int axv_loader_begin(struct axvcpu_loader *loader, struct axvcpu *vcpu, struct axvm *vm,
		     const char *arch, const void *state, size_t size,
		     const struct axvcpu_load_config *config)
{
	char saved[AXVCPU_SAVED_NAME], own[AXVCPU_SAVED_NAME];
	int ret = axv_saved_check(vm, state, size, saved);

	if (ret < 0)
		return ret;
	axv_saved_set_name(own, arch);
	if (strcmp(saved, own))
		return axvcpu_fail(vm, -EINVAL, "load: the state is of architecture %s, not of %s",
				   saved, own);
	*loader = (struct axvcpu_loader){ .vcpu = vcpu,
					  .vm = vm,
					  .config = *config,
					  .state = state,
					  .size = size,
					  .sections = (unsigned int)ret };
	return 0;
}

void axv_loader_begin_prepared(struct axvcpu_loader *loader, struct axvcpu *vcpu, struct axvm *vm,
			       const struct axv_prepared *prepared,
			       const struct axvcpu_load_config *config)
{
	*loader = (struct axvcpu_loader){
		.vcpu = vcpu, .vm = vm, .config = *config, .prepared = prepared->memory
	};
}

int axv_loader_begin_backup(struct axvcpu_loader *loader, const struct axvcpu_loader *failed,
			    const char *arch)
{
	const struct axvcpu_load_config config = AXVCPU_LOAD_CONFIG_INIT;

	if (!failed->backup)
		return -ENOENT;
	return axv_loader_begin(loader, failed->vcpu, failed->vm, arch, failed->backup,
				failed->backup_size, &config);
}

int axvcpu_load_section(struct axvcpu_loader *loader, const char *name, uint32_t version,
			size_t min, size_t max, struct axvcpu_saved_section *section)
{
	struct axvcpu_saved_section found = { .version = 0 };
	size_t offset = sizeof(struct header);
	unsigned int n = 0;

	memset(section, 0, sizeof(*section));
	while (n < loader->sections) {
		if (next_section(loader->vm, loader->state, loader->size, &offset, &found) <= 0)
			return 0;
		if (!strcmp(found.name, name))
			break;
		n++;
	}
	if (n == loader->sections)
		return 0;
	if (found.version > version)
		return axvcpu_fail(loader->vm, -ENOTSUP,
				   "load: section %s has version %" PRIu32
				   "; this library supports up to %" PRIu32,
				   name, found.version, version);
	if (found.len < min || found.len > max)
		return axvcpu_fail(loader->vm, -ENOTSUP,
				   "load: section %s has %zu bytes; this host supports %zu to %zu",
				   name, found.len, min, max);
	loader->known |= UINT64_C(1) << n;
	*section = found;
	return 1;
}

uint32_t axvcpu_load_parts(const struct axvcpu_loader *loader)
{
	return AXVCPU_PARTS & ~loader->config.without;
}

void *axvcpu_load_alloc(struct axvcpu_loader *loader, size_t size)
{
	loader->memory = axv_sys_calloc(1, size);
	if (!loader->memory)
		axvcpu_fail(loader->vm, -ENOMEM, "load: allocating %zu bytes for the checked state",
			    size);
	return loader->memory;
}

void *axvcpu_load_prepared(const struct axvcpu_loader *loader)
{
	return loader->prepared;
}

/* Saves the present state. */
static int back_up(struct axvcpu_loader *loader)
{
	int ret = loader->save(loader, NULL, 0);

	if (ret < 0)
		return ret;
	loader->backup_size = (size_t)ret;
	loader->backup = axv_sys_calloc(1, loader->backup_size);
	if (!loader->backup)
		return axvcpu_fail(loader->vm, -ENOMEM,
				   "load: allocating %zu bytes for the present state",
				   loader->backup_size);
	ret = loader->save(loader, loader->backup, loader->backup_size);
	if (ret < 0 || (size_t)ret == loader->backup_size)
		return ret < 0 ? ret : 0;
	return axvcpu_fail(loader->vm, -EIO,
			   "load: the size of the present state changes by itself");
}

int axvcpu_load_begin(struct axvcpu_loader *loader)
{
	struct axvcpu_saved_section section;
	size_t offset = sizeof(struct header);
	int ret;

	for (unsigned int n = 0; n < loader->sections; n++) {
		if (next_section(loader->vm, loader->state, loader->size, &offset, &section) <= 0)
			break;
		if (!(loader->known >> n & 1) && !(section.flags & AXVCPU_SECTION_OPTIONAL))
			return axvcpu_fail(loader->vm, -ENOTSUP,
					   "load: section %s is unknown to this library, or "
					   "belongs to a feature that the host or the VM lacks",
					   section.name);
	}
	if (loader->check_only) {
		loader->checked = true;
		return -ECANCELED;
	}
	ret = loader->save ? back_up(loader) : 0;
	if (ret)
		return ret;
	loader->begun = true;
	return loader->load_first ? loader->load_first(loader) : 0;
}

int axvcpu_load_refused(struct axvcpu_loader *loader, const char *section, uint64_t id, int err,
			const char *fmt, ...)
{
	char message[256];
	const struct axvcpu_refusal refusal = { .size = sizeof(refusal),
						.section = section,
						.id = id,
						.error = err,
						.message = message };
	va_list args;
	int cancel, ret;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	if (!loader->config.refused)
		return axvcpu_fail(loader->vm, err, "load: section %s: %s", section, message);
	cancel = axv_cancel_disable();
	ret = loader->config.refused(loader->config.ctx, loader->vcpu, &refusal);
	axv_cancel_restore(cancel);
	if (ret >= 0)
		return 0;
	return axvcpu_fail(loader->vm, ret, "load: section %s: %s", section, message);
}
