/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Saving and loading a VM: the in-kernel PICs, IOAPIC and PIT, and the lines that are high. With
 * AXVM_IRQCHIP_SPLIT or AXVM_IRQCHIP_NONE, KVM has none of these.
 */
#include <errno.h>
#include <string.h>

#include "backends/kvm/state.h"
#include "backends/x86_64/x86_64.h"

/* A section for each controller, by its KVM number: the first bytes of kvm_irqchip.chip. */
static const struct {
	const char *name;
	size_t len;
} chips[KVM_NR_IRQCHIPS] = {
	[KVM_IRQCHIP_PIC_MASTER] = { "pic-master", sizeof(struct kvm_pic_state) },
	[KVM_IRQCHIP_PIC_SLAVE] = { "pic-slave", sizeof(struct kvm_pic_state) },
	[KVM_IRQCHIP_IOAPIC] = { "ioapic", sizeof(struct kvm_ioapic_state) },
};

#define PIT "pit"

/* --- saving ----------------------------------------------------------------------------------- */

static int save_chip(const struct axk_vm *kvm, struct axvcpu_saver *saver, uint32_t id)
{
	struct kvm_irqchip state = { .chip_id = id };
	int ret = axk_vm_ioctl(kvm, KVM_GET_IRQCHIP, &state);

	if (ret)
		return ret;
	return axvcpu_save_section(saver, chips[id].name, 1, 0, &state.chip, chips[id].len);
}

static int save_pit(const struct axk_vm *kvm, struct axvcpu_saver *saver)
{
	struct kvm_pit_state2 pit;
	int ret = axk_x86_get_pit(kvm, &pit);

	return ret <= 0 ? ret : axvcpu_save_section(saver, PIT, 1, 0, &pit, sizeof(pit));
}

int axk_x86_vm_save(void *arch_vm, struct axvcpu_saver *saver)
{
	struct axk_vm *kvm = arch_vm;
	int ret;

	if (kvm->irqchip != AXVM_IRQCHIP_KERNEL)
		return 0;
	ret = axk_save_lines(kvm, saver);
	for (uint32_t id = 0; !ret && id < ARRAY_SIZE(chips); id++)
		ret = save_chip(kvm, saver, id);
	return ret ? ret : save_pit(kvm, saver);
}

/* --- loading ---------------------------------------------------------------------------------- */

/* The content of the sections. */
struct saved {
	uint64_t lines[AXK_LINES_WORDS];
	struct kvm_irqchip chips[ARRAY_SIZE(chips)];
	bool has_pit;
	struct kvm_pit_state2 pit;
};

static int find_pit(const struct axk_vm *kvm, struct axvcpu_loader *loader, struct saved *saved)
{
	struct kvm_pit_state2 present;
	int has_pit = axk_x86_get_pit(kvm, &present), ret;

	if (has_pit < 0)
		return has_pit;
	ret = axk_find_state(loader, PIT, &saved->pit, sizeof(saved->pit));
	if (ret < 0)
		return ret;
	saved->has_pit = has_pit;
	if (ret == has_pit)
		return 0;
	return axvcpu_fail(kvm->vm, -EINVAL,
			   "load: the VM has %s PIT (AXVM_X86_PIT); the state has %s",
			   has_pit ? "a" : "no", ret ? "one" : "none");
}

static int find(const struct axk_vm *kvm, struct axvcpu_loader *loader, struct saved *saved)
{
	int ret = axk_find_lines(kvm, loader, saved->lines);

	for (uint32_t id = 0; !ret && id < ARRAY_SIZE(chips); id++) {
		saved->chips[id].chip_id = id;
		ret = axk_find_state(loader, chips[id].name, &saved->chips[id].chip, chips[id].len);
		if (!ret)
			return axvcpu_fail(kvm->vm, -EINVAL, "load: the state has no section %s",
					   chips[id].name);
		if (ret > 0)
			ret = 0;
	}
	return ret ? ret : find_pit(kvm, loader, saved);
}

/*
 * KVM sends an interrupt for each input that is set in 'irr', unless it is masked or waits for its
 * end. If it is edge-triggered and not masked, the saved VM would have sent none: the edge came while
 * the input was masked, and KVM loses it; or the line was high, and was raised again.
 */
static void drop_edges(struct kvm_ioapic_state *ioapic)
{
	for (size_t pin = 0; pin < ARRAY_SIZE(ioapic->redirtbl); pin++)
		if (!ioapic->redirtbl[pin].fields.mask && !ioapic->redirtbl[pin].fields.trig_mode)
			ioapic->irr &= ~(1u << pin);
}

/*
 * Returns 1 if the VM has the saved state already, as after the run of a guest without interrupts;
 * 0 if not, or a PIT counts; or a negative errno. KVM then need not look for interrupts to send.
 */
static int is_present(const struct axk_vm *kvm, const struct saved *saved)
{
	if (saved->has_pit)
		return 0;
	for (size_t i = 0; i < AXK_LINES_WORDS; i++)
		if (atomic_load(&kvm->raised[i]) != saved->lines[i])
			return 0;
	for (uint32_t id = 0; id < ARRAY_SIZE(chips); id++) {
		struct kvm_irqchip present = { .chip_id = id };
		int ret = axk_vm_ioctl(kvm, KVM_GET_IRQCHIP, &present);

		if (ret)
			return ret;
		if (memcmp(&present.chip, &saved->chips[id].chip, chips[id].len))
			return 0;
	}
	return 1;
}

static int load(struct axk_vm *kvm, struct axvcpu_loader *loader, const struct saved *saved)
{
	/* Neither the present PIT nor a change of a line may send an interrupt. */
	int ret = axk_x86_reset_ioapic(kvm);

	if (!ret && saved->has_pit)
		ret = axk_x86_reset_pit(kvm);
	/* Before the controllers, whose state has the edges and levels that they remember. */
	if (!ret)
		ret = axk_load_lines(kvm, saved->lines);
	for (uint32_t id = 0; !ret && id < ARRAY_SIZE(chips); id++)
		ret = axk_loaded(loader, chips[id].name,
				 axk_ioctl(kvm->fd, KVM_SET_IRQCHIP, &saved->chips[id]),
				 "KVM_SET_IRQCHIP");
	/* Last: it may send an interrupt at once. */
	if (!ret && saved->has_pit)
		ret = axk_loaded(loader, PIT, axk_ioctl(kvm->fd, KVM_SET_PIT2, &saved->pit),
				 "KVM_SET_PIT2");
	return ret;
}

int axk_x86_vm_load(void *arch_vm, struct axvcpu_loader *loader)
{
	struct axk_vm *kvm = arch_vm;
	struct saved saved = { .has_pit = false };
	int ret;

	if (kvm->irqchip != AXVM_IRQCHIP_KERNEL)
		return axvcpu_load_begin(loader);
	ret = find(kvm, loader, &saved);
	if (!ret)
		ret = axvcpu_load_begin(loader);
	if (!ret)
		ret = is_present(kvm, &saved);
	if (ret)
		return ret < 0 ? ret : 0;
	drop_edges(&saved.chips[KVM_IRQCHIP_IOAPIC].chip.ioapic);
	return load(kvm, loader, &saved);
}
