/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The in-kernel APLIC and its lines: saving, loading, and resets, which load zeros. */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backends/kvm/device.h"
#include "backends/riscv64/aia.h"

/* --- registers -------------------------------------------------------------------------------- */

/* Offsets. GENMSI is not part of the state, because a write to it sends a message. */
#define DOMAINCFG 0x0u
#define SOURCECFG 0x4u
#define SETIP 0x1c00u
#define CLRIP 0x1d00u
#define SETIE 0x1e00u
#define CLRIE 0x1f00u
#define TARGET 0x3004u

#define DOMAINCFG_IE (UINT32_C(1) << 8)
#define SOURCECFG_EDGE_RISE 4u

static int get_reg(const struct axk_vm *kvm, uint32_t offset, uint32_t *value)
{
	return axk_device_get(kvm, kvm->arch.aia, KVM_DEV_RISCV_AIA_GRP_APLIC, offset, value,
			      "KVM_DEV_RISCV_AIA_GRP_APLIC, read");
}

static int set_reg(const struct axk_vm *kvm, uint32_t offset, uint32_t value)
{
	return axk_device_set(kvm, kvm->arch.aia, KVM_DEV_RISCV_AIA_GRP_APLIC, offset, &value,
			      "KVM_DEV_RISCV_AIA_GRP_APLIC");
}

static int set_regs(const struct axk_vm *kvm, uint32_t offset, uint32_t count, uint32_t value)
{
	int ret = 0;

	for (uint32_t n = 0; !ret && n < count; n++)
		ret = set_reg(kvm, offset + 4 * n, value);
	return ret;
}

/* Registers with a bit for each source, from source 0 up, which does not exist. */
static uint32_t bitmap_words(const struct axk_vm *kvm)
{
	return kvm->arch.sources / 32 + 1;
}

/* --- the section ------------------------------------------------------------------------------ */

/* An array of u32: these, and then the arrays of registers. */
enum { SOURCES, DOMAIN, ARRAYS };

/* In the order of loading. */
static const struct array {
	uint32_t offset;
	/* A word for 32 sources, or else for each. */
	bool is_bitmap;
} arrays[] = {
	{ SETIP, true },
	{ SOURCECFG, false },
	{ TARGET, false },
	{ SETIE, true },
};
#define NARRAYS (sizeof(arrays) / sizeof(arrays[0]))

static uint32_t array_words(const struct axk_vm *kvm, const struct array *array)
{
	return array->is_bitmap ? bitmap_words(kvm) : kvm->arch.sources;
}

static size_t section_words(const struct axk_vm *kvm)
{
	size_t words = ARRAYS;

	for (size_t i = 0; i < NARRAYS; i++)
		words += array_words(kvm, &arrays[i]);
	return words;
}

static int read_arrays(const struct axk_vm *kvm, uint32_t *word)
{
	uint32_t value;

	for (size_t i = 0; i < NARRAYS; i++) {
		for (uint32_t n = 0; n < array_words(kvm, &arrays[i]); n++) {
			int ret = get_reg(kvm, arrays[i].offset + 4 * n, &value);

			if (ret)
				return ret;
			*word++ = htole32(value);
		}
	}
	return 0;
}

int axk_riscv_aplic_save(const struct axk_vm *kvm, struct axvcpu_saver *saver)
{
	const size_t words = section_words(kvm);
	uint32_t *state = axv_sys_calloc(words, sizeof(*state)), domain = 0;
	int ret;

	if (!state)
		return axvcpu_fail(kvm->vm, -ENOMEM, "save: allocating %zu words for the APLIC",
				   words);
	ret = get_reg(kvm, DOMAINCFG, &domain);
	state[SOURCES] = htole32(kvm->arch.sources);
	state[DOMAIN] = htole32(domain & DOMAINCFG_IE);
	if (!ret)
		ret = read_arrays(kvm, state + ARRAYS);
	if (!ret)
		ret = axvcpu_save_section(saver, AXK_RISCV_APLIC, 1, 0, state,
					  words * sizeof(*state));
	free(state);
	return ret;
}

static uint32_t get_u32(const unsigned char *data, size_t n)
{
	uint32_t value;

	memcpy(&value, data + n * sizeof(value), sizeof(value));
	return le32toh(value);
}

int axk_riscv_aplic_find(const struct axk_vm *kvm, struct axvcpu_loader *loader,
			 struct axvcpu_saved_section *section)
{
	uint32_t sources;
	int ret = axvcpu_load_section(loader, AXK_RISCV_APLIC, 1, ARRAYS * sizeof(uint32_t),
				      AXVCPU_SAVED_MAX, section);

	if (ret < 0)
		return ret;
	if (!ret)
		return axvcpu_fail(kvm->vm, -EINVAL,
				   "load: the state has no section " AXK_RISCV_APLIC);
	sources = get_u32(section->data, SOURCES);
	if (sources != kvm->arch.sources || section->len != section_words(kvm) * sizeof(uint32_t))
		return axvcpu_fail(kvm->vm, -EINVAL,
				   "load: section " AXK_RISCV_APLIC " has %zu bytes, of %" PRIu32
				   " sources; the VM has %" PRIu32 " sources",
				   section->len, sources, kvm->arch.sources);
	return 0;
}

/* --- loading ---------------------------------------------------------------------------------- */

static int load_arrays(const struct axk_vm *kvm, const unsigned char *state)
{
	size_t word = ARRAYS;
	int ret = 0;

	for (size_t i = 0; i < NARRAYS; i++)
		for (uint32_t n = 0; !ret && n < array_words(kvm, &arrays[i]); n++, word++)
			ret = set_reg(kvm, arrays[i].offset + 4 * n,
				      state ? get_u32(state, word) : 0);
	return ret;
}

/*
 * Pending bits are cleared and set while all sources are edges. KVM changes none of an inactive
 * source; it sets one of a level only while the input is active, but keeps it longer; and before
 * Linux 6.13 it does not clear one of a level.
 */
int axk_riscv_aplic_load(struct axk_vm *kvm, const unsigned char *state,
			 const uint64_t lines[AXK_LINES_WORDS])
{
	const uint32_t words = bitmap_words(kvm), sources = kvm->arch.sources;
	/* Until the last write, no message is sent. */
	int ret = set_reg(kvm, DOMAINCFG, 0);

	if (!ret)
		ret = set_regs(kvm, CLRIE, words, UINT32_MAX);
	if (!ret)
		ret = set_regs(kvm, SOURCECFG, sources, SOURCECFG_EDGE_RISE);
	/* Each one: an eventfd has raised lines without a record. */
	for (uint32_t gsi = 1; !ret && gsi <= sources; gsi++)
		ret = axk_set_irq_line(kvm, gsi, lines[gsi / 64] >> gsi % 64 & 1);
	if (!ret)
		ret = set_regs(kvm, CLRIP, words, UINT32_MAX);
	if (!ret)
		ret = load_arrays(kvm, state);
	if (!ret)
		ret = set_reg(kvm, DOMAINCFG, state ? get_u32(state, DOMAIN) : 0);
	return ret;
}

int axk_riscv_vm_reset(void *arch_vm)
{
	const uint64_t low[AXK_LINES_WORDS] = { 0 };
	struct axk_vm *kvm = arch_vm;

	return axk_riscv_aia_is_ready(kvm) ? axk_riscv_aplic_load(kvm, NULL, low) : 0;
}
