/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Saving and loading a VM: the in-kernel PICs, IOAPIC and PIT, and the lines that are high. With a
 * split irqchip, and without one, there is nothing of the kind in KVM.
 */
#include <errno.h>
#include <string.h>

#include "backends/kvm/state.h"
#include "backends/x86_64/x86_64.h"

/* A section for each: the first bytes of kvm_irqchip.chip. */
static const struct chip {
	const char *name;
	uint32_t id;
	size_t len;
} chips[] = {
	{ "pic-master", KVM_IRQCHIP_PIC_MASTER, sizeof(struct kvm_pic_state) },
	{ "pic-slave", KVM_IRQCHIP_PIC_SLAVE, sizeof(struct kvm_pic_state) },
	{ "ioapic", KVM_IRQCHIP_IOAPIC, sizeof(struct kvm_ioapic_state) },
};

#define PIT "pit"

/* --- saving ----------------------------------------------------------------------------------- */

static int save_chip(const struct axk_vm *kvm, struct axvcpu_saver *saver, const struct chip *chip)
{
	struct kvm_irqchip state = { .chip_id = chip->id };
	int ret = axk_vm_ioctl(kvm, KVM_GET_IRQCHIP, &state);

	return ret ? ret : axvcpu_save_section(saver, chip->name, 1, 0, &state.chip, chip->len);
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
	for (size_t i = 0; !ret && i < ARRAY_SIZE(chips); i++)
		ret = save_chip(kvm, saver, &chips[i]);
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

	for (size_t i = 0; !ret && i < ARRAY_SIZE(chips); i++) {
		saved->chips[i].chip_id = chips[i].id;
		ret = axk_find_state(loader, chips[i].name, &saved->chips[i].chip, chips[i].len);
		if (!ret)
			return axvcpu_fail(kvm->vm, -EINVAL, "load: the state has no section %s",
					   chips[i].name);
		if (ret > 0)
			ret = 0;
	}
	return ret ? ret : find_pit(kvm, loader, saved);
}

/*
 * KVM sends an interrupt for each input that is set in 'irr', unless it is masked or waits for its
 * end. An unmasked edge was sent when it came, or is lost since it came while the input was masked:
 * KVM sets the bit again if a line is raised that is high.
 */
static void drop_edges(struct kvm_ioapic_state *ioapic)
{
	for (size_t pin = 0; pin < ARRAY_SIZE(ioapic->redirtbl); pin++)
		if (!ioapic->redirtbl[pin].fields.mask && !ioapic->redirtbl[pin].fields.trig_mode)
			ioapic->irr &= ~(1u << pin);
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
	for (size_t i = 0; !ret && i < ARRAY_SIZE(chips); i++)
		ret = axk_loaded(loader, chips[i].name,
				 axk_ioctl(kvm->fd, KVM_SET_IRQCHIP, &saved->chips[i]),
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
	int ret = 0;

	if (kvm->irqchip == AXVM_IRQCHIP_KERNEL)
		ret = find(kvm, loader, &saved);
	if (!ret)
		ret = axvcpu_load_begin(loader);
	if (ret || kvm->irqchip != AXVM_IRQCHIP_KERNEL)
		return ret;
	drop_edges(&saved.chips[KVM_IRQCHIP_IOAPIC].chip.ioapic);
	return load(kvm, loader, &saved);
}
