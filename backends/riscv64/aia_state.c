/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Saving and loading the in-kernel AIA of a VM. */
#include <errno.h>
#include <inttypes.h>

#include "backends/riscv64/aia.h"

static int check_ready(const struct axk_vm *kvm, const char *what)
{
	if (axk_riscv_aia_is_ready(kvm))
		return 0;
	return axvcpu_fail(kvm->vm, -EBADFD, "%s: the AIA is not ready before axvm_finalize()",
			   what);
}

int axk_riscv_vm_save(void *arch_vm, struct axvcpu_saver *saver)
{
	struct axk_vm *kvm = arch_vm;
	int ret;

	if (!kvm->kernel_irqchip)
		return 0;
	ret = check_ready(kvm, "save");
	if (!ret)
		ret = axk_riscv_imsics_save(kvm, saver);
	if (!ret)
		ret = axk_riscv_aplic_save(kvm, saver);
	return ret ? ret : axk_save_lines(kvm, saver);
}

/* The inputs of the APLIC can be neither read nor written: the record of lines replaces them. */
static int find_lines(const struct axk_vm *kvm, struct axvcpu_loader *loader,
		      uint64_t lines[AXK_LINES_WORDS])
{
	int ret = axk_find_lines(kvm, loader, lines);

	for (uint32_t gsi = 0; !ret && gsi < KVM_GSIS_MAX; gsi++)
		if ((!gsi || gsi > kvm->arch.sources) && lines[gsi / 64] >> gsi % 64 & 1)
			ret = axvcpu_fail(kvm->vm, -EINVAL,
					  "load: gsi %" PRIu32
					  " is raised; the APLIC has sources 1 to %" PRIu32,
					  gsi, kvm->arch.sources);
	return ret;
}

int axk_riscv_vm_load(void *arch_vm, struct axvcpu_loader *loader)
{
	struct axvcpu_saved_section imsics, aplic;
	uint64_t lines[AXK_LINES_WORDS];
	struct axk_vm *kvm = arch_vm;
	int ret;

	if (!kvm->kernel_irqchip)
		return axvcpu_load_begin(loader);
	ret = check_ready(kvm, "load");
	if (!ret)
		ret = axk_riscv_imsics_find(kvm, loader, &imsics);
	if (!ret)
		ret = axk_riscv_aplic_find(kvm, loader, &aplic);
	if (!ret)
		ret = find_lines(kvm, loader, lines);
	if (!ret)
		ret = axvcpu_load_begin(loader);
	if (!ret)
		ret = axk_riscv_imsics_load(kvm, loader, &imsics);
	/* Last: it sends the messages of lines that are pending and enabled. */
	return ret ? ret : axk_riscv_aplic_load(kvm, aplic.data, lines);
}
