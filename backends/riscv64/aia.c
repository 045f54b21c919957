/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The in-kernel AIA, the RISC-V interrupt architecture: an IMSIC for each vCPU, which receives
 * messages, and one APLIC for the VM, which turns wired interrupts into messages.
 */
#include <errno.h>
#include <inttypes.h>

#include "backends/kvm/device.h"
#include "backends/riscv64/riscv64.h"
#include "lib/base/sized.h"

#define PAGE UINT64_C(4096)

/* Default addresses, as on the QEMU "virt" machine, below guest memory. */
#define APLIC_ADDR UINT64_C(0x0c000000)
#define IMSIC_ADDR UINT64_C(0x28000000)
#define SOURCES 96u
#define IDS 255u

/* --- the config ------------------------------------------------------------------------------- */

/* Returns the number of bits for ids from 0 to n - 1. */
static uint32_t bits_for(uint32_t n)
{
	uint32_t bits = 0;

	while ((n - 1) >> bits)
		bits++;
	return bits;
}

/* Reads the caller's config and fills in the defaults; the default of 'ids' is at most max_ids. */
static int read_config(const struct axvm *vm, const struct axvm_config *config, uint32_t max_ids,
		       struct axvm_riscv64_config *riscv)
{
	int ret = axv_sized_copy(vm, "struct axvm_riscv64_config", riscv, sizeof(*riscv),
				 config->arch_config);

	if (ret)
		return ret;
	if (config->irqchip == AXVM_IRQCHIP_NONE) {
		if (riscv->aplic_gpa || riscv->imsic_gpa || riscv->mode || riscv->sources ||
		    riscv->ids || riscv->hart_bits)
			return axvcpu_fail(vm, -EINVAL,
					   "VM config: an AIA is described, but irqchip is not "
					   "AXVM_IRQCHIP_KERNEL");
		return 0;
	}
	if (!riscv->aplic_gpa)
		riscv->aplic_gpa = APLIC_ADDR;
	if (!riscv->imsic_gpa)
		riscv->imsic_gpa = IMSIC_ADDR;
	if (!riscv->ids)
		riscv->ids = max_ids < IDS ? max_ids : IDS;
	if (!riscv->sources)
		riscv->sources = riscv->ids < SOURCES ? riscv->ids : SOURCES;
	if (!riscv->hart_bits)
		riscv->hart_bits = bits_for(config->max_vcpus);
	return 0;
}

static int check_numbers(const struct axvm *vm, const struct axvm_config *config,
			 const struct axvm_riscv64_config *riscv)
{
	if (riscv->mode > AXVM_RISCV64_AIA_HWACCEL)
		return axvcpu_fail(vm, -EINVAL, "VM config: unknown AIA mode %" PRIu32,
				   riscv->mode);
	if (riscv->ids % 64 != 63 || riscv->ids >= KVM_DEV_RISCV_AIA_IDS_MAX)
		return axvcpu_fail(vm, -EINVAL,
				   "VM config: ids is %" PRIu32
				   "; it must be one less than a multiple of 64, up to %d",
				   riscv->ids, KVM_DEV_RISCV_AIA_IDS_MAX - 1);
	if (riscv->sources > riscv->ids || riscv->sources >= KVM_DEV_RISCV_AIA_SRCS_MAX)
		return axvcpu_fail(vm, -EINVAL,
				   "VM config: sources is %" PRIu32
				   "; the maximum is %d, and ids, which is %" PRIu32,
				   riscv->sources, KVM_DEV_RISCV_AIA_SRCS_MAX - 1, riscv->ids);
	if (riscv->hart_bits >= KVM_DEV_RISCV_AIA_HART_BITS_MAX ||
	    riscv->hart_bits < bits_for(config->max_vcpus))
		return axvcpu_fail(vm, -EINVAL,
				   "VM config: hart_bits is %" PRIu32 "; %" PRIu32
				   " vCPUs need %" PRIu32 ", and the maximum is %d",
				   riscv->hart_bits, config->max_vcpus, bits_for(config->max_vcpus),
				   KVM_DEV_RISCV_AIA_HART_BITS_MAX - 1);
	return 0;
}

/* Whether two ranges overlap; neither wraps around. */
static bool overlap(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return a < b + b_len && b < a + a_len;
}

static int check_addresses(const struct axvm *vm, const struct axvm_config *config,
			   const struct axvm_riscv64_config *riscv)
{
	uint64_t file = PAGE << riscv->hart_bits;
	uint64_t pages = (uint64_t)config->max_vcpus * PAGE;

	if (riscv->aplic_gpa % PAGE)
		return axvcpu_fail(vm, -EINVAL,
				   "VM config: aplic_gpa %#" PRIx64 " is not aligned to 4 KiB",
				   riscv->aplic_gpa);
	/* The hart number is part of the address of its IMSIC. */
	if (riscv->imsic_gpa % file)
		return axvcpu_fail(vm, -EINVAL,
				   "VM config: imsic_gpa %#" PRIx64 " is not aligned to %#" PRIx64
				   ", a page for each hart",
				   riscv->imsic_gpa, file);
	if (riscv->aplic_gpa > UINT64_MAX - KVM_DEV_RISCV_APLIC_SIZE)
		return axvcpu_fail(vm, -EINVAL, "VM config: aplic_gpa %#" PRIx64 " wraps around",
				   riscv->aplic_gpa);
	if (riscv->imsic_gpa > UINT64_MAX - file)
		return axvcpu_fail(vm, -EINVAL, "VM config: imsic_gpa %#" PRIx64 " wraps around",
				   riscv->imsic_gpa);
	if (overlap(riscv->aplic_gpa, KVM_DEV_RISCV_APLIC_SIZE, riscv->imsic_gpa, pages))
		return axvcpu_fail(vm, -EINVAL,
				   "VM config: the APLIC at %#" PRIx64
				   " +0x4000 overlaps the IMSICs at %#" PRIx64 " +%#" PRIx64,
				   riscv->aplic_gpa, riscv->imsic_gpa, pages);
	return 0;
}

int axk_riscv_aia_check(const struct axvm *vm, const struct axvm_config *config)
{
	struct axvm_riscv64_config riscv;
	int ret = read_config(vm, config, IDS, &riscv);

	if (ret || config->irqchip == AXVM_IRQCHIP_NONE)
		return ret;
	ret = check_numbers(vm, config, &riscv);
	if (ret)
		return ret;
	return check_addresses(vm, config, &riscv);
}

static int check_width(const struct axk_vm *kvm, const char *what, uint64_t addr, uint64_t len,
		       uint32_t gpa_bits)
{
	if (addr + (len - 1) <= axk_last_gpa(gpa_bits))
		return 0;
	return axvcpu_fail(kvm->vm, -EINVAL,
			   "VM config: %s %#" PRIx64 " +%#" PRIx64 " ends beyond the %" PRIu32
			   " bits of guest-physical addresses",
			   what, addr, len, gpa_bits);
}

/* --- the device ------------------------------------------------------------------------------- */

static int get_number(const struct axk_vm *kvm, uint64_t attr, uint32_t *value)
{
	return axk_device_get(kvm, kvm->arch.aia, KVM_DEV_RISCV_AIA_GRP_CONFIG, attr, value,
			      "KVM_DEV_RISCV_AIA_GRP_CONFIG, read");
}

static int set_number(const struct axk_vm *kvm, uint64_t attr, uint32_t value, const char *what)
{
	return axk_device_set(kvm, kvm->arch.aia, KVM_DEV_RISCV_AIA_GRP_CONFIG, attr, &value, what);
}

/*
 * KVM's default, AUTO, uses the guest files of the host's IMSICs if there are any. If there are
 * none, KVM refuses to set AUTO or HWACCEL, so AUTO is not set, and HWACCEL is checked first.
 */
static int set_mode(const struct axk_vm *kvm, uint32_t mode)
{
	uint32_t best;
	int ret;

	if (mode == AXVM_RISCV64_AIA_AUTO)
		return 0;
	if (mode == AXVM_RISCV64_AIA_EMUL)
		return set_number(kvm, KVM_DEV_RISCV_AIA_CONFIG_MODE, KVM_DEV_RISCV_AIA_MODE_EMUL,
				  "KVM_DEV_RISCV_AIA_CONFIG_MODE");
	ret = get_number(kvm, KVM_DEV_RISCV_AIA_CONFIG_MODE, &best);
	if (ret)
		return ret;
	if (best == KVM_DEV_RISCV_AIA_MODE_EMUL)
		return axvcpu_fail(
			kvm->vm, -ENOTSUP,
			"VM config: AXVM_RISCV64_AIA_HWACCEL: the IMSICs of this host have no "
			"guest files");
	return set_number(kvm, KVM_DEV_RISCV_AIA_CONFIG_MODE, KVM_DEV_RISCV_AIA_MODE_HWACCEL,
			  "KVM_DEV_RISCV_AIA_CONFIG_MODE");
}

/* Checks the numbers against the limit of the host's hardware, before the device is configured. */
static int check_ids(const struct axk_vm *kvm, const struct axvm_riscv64_config *riscv,
		     uint32_t max)
{
	if (riscv->ids > max || riscv->sources > max)
		return axvcpu_fail(kvm->vm, -ENOTSUP,
				   "VM config: ids is %" PRIu32 " and sources is %" PRIu32
				   "; the IMSICs of this host have %" PRIu32 " identities",
				   riscv->ids, riscv->sources, max);
	return 0;
}

static int configure(struct axk_vm *kvm, const struct axvm_riscv64_config *riscv)
{
	int ret = set_mode(kvm, riscv->mode);

	if (ret)
		return ret;
	ret = set_number(kvm, KVM_DEV_RISCV_AIA_CONFIG_IDS, riscv->ids,
			 "KVM_DEV_RISCV_AIA_CONFIG_IDS");
	if (ret)
		return ret;
	ret = set_number(kvm, KVM_DEV_RISCV_AIA_CONFIG_SRCS, riscv->sources,
			 "KVM_DEV_RISCV_AIA_CONFIG_SRCS");
	if (ret)
		return ret;
	ret = set_number(kvm, KVM_DEV_RISCV_AIA_CONFIG_HART_BITS, riscv->hart_bits,
			 "KVM_DEV_RISCV_AIA_CONFIG_HART_BITS");
	if (ret)
		return ret;
	ret = axk_device_set(kvm, kvm->arch.aia, KVM_DEV_RISCV_AIA_GRP_ADDR,
			     KVM_DEV_RISCV_AIA_ADDR_APLIC, &riscv->aplic_gpa,
			     "KVM_DEV_RISCV_AIA_ADDR_APLIC");
	if (ret)
		return ret;
	kvm->arch.aplic = riscv->aplic_gpa;
	kvm->arch.imsic = riscv->imsic_gpa;
	kvm->arch.sources = riscv->sources;
	kvm->arch.ids = riscv->ids;
	return 0;
}

/* Reads the limits of the new device, checks the whole config against them, then configures it. */
static int set_up(struct axk_vm *kvm, const struct axvm_config *config, uint32_t gpa_bits)
{
	struct axvm_riscv64_config riscv;
	uint32_t max = 0;
	int ret = get_number(kvm, KVM_DEV_RISCV_AIA_CONFIG_IDS, &max);

	if (ret)
		return ret;
	ret = read_config(kvm->vm, config, max, &riscv);
	if (ret)
		return ret;
	ret = check_width(kvm, "aplic_gpa", riscv.aplic_gpa, KVM_DEV_RISCV_APLIC_SIZE, gpa_bits);
	if (ret)
		return ret;
	ret = check_width(kvm, "imsic_gpa", riscv.imsic_gpa, kvm->max_vcpus * PAGE, gpa_bits);
	if (ret)
		return ret;
	ret = check_ids(kvm, &riscv, max);
	if (ret)
		return ret;
	return configure(kvm, &riscv);
}

int axk_riscv_aia_init(struct axk_vm *kvm, const struct axvm_config *config, uint32_t gpa_bits)
{
	int ret;

	kvm->arch.aia = -1;
	if (!kvm->kernel_irqchip)
		return 0;
	ret = axk_device_new(kvm, KVM_DEV_TYPE_RISCV_AIA, "AIA (KVM_DEV_TYPE_RISCV_AIA)");
	if (ret < 0)
		return ret;
	kvm->arch.aia = ret;
	ret = set_up(kvm, config, gpa_bits);
	if (ret)
		axv_sys_close(kvm->arch.aia);
	return ret;
}

void axk_riscv_aia_destroy(struct axk_vm *kvm)
{
	if (kvm->arch.aia >= 0)
		axv_sys_close(kvm->arch.aia);
}

/* KVM needs the IMSIC address of every vCPU, including freed ones, which it keeps. */
int axk_riscv_vm_finalize(void *arch_vm)
{
	struct axk_vm *kvm = arch_vm;
	struct axk_vm_arch *arch = &kvm->arch;
	int ret;

	if (!kvm->kernel_irqchip)
		return 0;
	for (uint32_t i = 0; i < arch->ncreated; i++) {
		uint64_t addr = arch->imsic + arch->created[i] * PAGE;

		ret = axk_device_set(kvm, arch->aia, KVM_DEV_RISCV_AIA_GRP_ADDR,
				     KVM_DEV_RISCV_AIA_ADDR_IMSIC(i), &addr,
				     "KVM_DEV_RISCV_AIA_ADDR_IMSIC");
		if (ret)
			return ret;
	}
	ret = axk_device_set(kvm, arch->aia, KVM_DEV_RISCV_AIA_GRP_CTRL,
			     KVM_DEV_RISCV_AIA_CTRL_INIT, NULL, "KVM_DEV_RISCV_AIA_CTRL_INIT");
	if (ret)
		return ret;
	atomic_store(&arch->aia_ready, true);
	return 0;
}

/* Refuses memory that would hide the APLIC or the IMSICs from the guest. */
int axk_riscv_vm_map(void *arch_vm, const struct axvm_region *region, uint32_t slot)
{
	struct axk_vm *kvm = arch_vm;
	const struct axk_vm_arch *arch = &kvm->arch;
	const char *what = NULL;

	if (kvm->kernel_irqchip &&
	    overlap(region->gpa, region->len, arch->aplic, KVM_DEV_RISCV_APLIC_SIZE))
		what = "APLIC";
	if (kvm->kernel_irqchip &&
	    overlap(region->gpa, region->len, arch->imsic, kvm->max_vcpus * PAGE))
		what = "IMSICs";
	if (what)
		return axvcpu_fail(kvm->vm, -EEXIST,
				   "map: %#" PRIx64 " +%#" PRIx64 " overlaps the %s at %#" PRIx64,
				   region->gpa, region->len, what,
				   *what == 'A' ? arch->aplic : arch->imsic);
	return axk_vm_map(arch_vm, region, slot);
}

/* --- wires and messages ----------------------------------------------------------------------- */

/* The AIA accepts no interrupts and routes before the VM is finalized. */
static int check_ready(const struct axk_vm *kvm, const char *what)
{
	if (!kvm->kernel_irqchip || atomic_load(&kvm->arch.aia_ready))
		return 0;
	return axvcpu_fail(kvm->vm, -EBUSY, "%s: the AIA is not ready before axvm_finalize()",
			   what);
}

/* KVM_IRQ_LINE goes to the APLIC, regardless of the routes. */
int axk_riscv_vm_set_irq_line(void *arch_vm, uint32_t gsi, bool level)
{
	const struct axk_vm *kvm = arch_vm;
	int ret = check_ready(kvm, "set_irq_line");

	if (ret)
		return ret;
	if (kvm->kernel_irqchip && (!gsi || gsi > kvm->arch.sources))
		return axvcpu_fail(kvm->vm, -EINVAL,
				   "set_irq_line: gsi is %" PRIu32
				   "; the APLIC has sources 1 to %" PRIu32,
				   gsi, kvm->arch.sources);
	return axk_set_irq_line(arch_vm, gsi, level);
}

/* Whether the address is in the IMSIC of an existing vCPU. */
static bool is_imsic(const struct axk_vm *kvm, uint64_t address)
{
	const struct axk_vm_arch *arch = &kvm->arch;
	uint64_t id = (address - arch->imsic) / PAGE;

	if (address < arch->imsic)
		return false;
	for (uint32_t i = 0; i < arch->ncreated; i++)
		if (arch->created[i] == id)
			return true;
	return false;
}

/* KVM returns 0 both if it has delivered the message and if it has dropped it. */
int axk_riscv_vm_signal_msi(void *arch_vm, const struct axvm_msi *msi)
{
	const struct axk_vm *kvm = arch_vm;
	int ret = check_ready(kvm, "signal_msi");

	if (!ret && kvm->kernel_irqchip && !is_imsic(kvm, msi->address))
		return 0;
	if (!ret)
		ret = axk_signal_msi(arch_vm, msi);
	return ret < 0 ? ret : 1;
}

/* Initialising the AIA replaces all routes by those of the APLIC's sources. */
int axk_riscv_vm_set_routes(void *arch_vm, const struct axvm_route *routes, size_t count)
{
	int ret = check_ready(arch_vm, "set_routes");

	if (ret)
		return ret;
	return axk_set_routes(arch_vm, routes, count);
}

int axk_riscv_vm_irqfd(void *arch_vm, const struct axvm_irqfd *irqfd)
{
	const struct axk_vm *kvm = arch_vm;
	int ret = check_ready(kvm, "irqfd");

	if (ret)
		return ret;
	/* KVM accepts it, and then never signals the resample descriptor. */
	if (irqfd->flags & AXVM_EVENT_RESAMPLE)
		return axvcpu_fail(
			kvm->vm, -ENOTSUP,
			"irqfd: gsi %" PRIu32
			": AXVM_EVENT_RESAMPLE is not supported, as an AIA does not observe "
			"the end of an interrupt",
			irqfd->gsi);
	return axk_irqfd(arch_vm, irqfd);
}

int axk_riscv_default_routes(void *arch_vm, struct axvm_route *routes, size_t count,
			     uint32_t *first, uint32_t *end)
{
	const struct axk_vm *kvm = arch_vm;
	int ret = check_ready(kvm, "routes");

	if (ret)
		return ret;
	return axk_default_pins(kvm, 1, kvm->arch.sources, routes, count, first, end);
}

/* KVM sends the messages of the APLIC, and does not learn when the guest has handled them. */
int axk_riscv_irq_end(void *arch_vm, const struct axvm_route *route)
{
	const struct axk_vm *kvm = arch_vm;

	return axvcpu_fail(kvm->vm, -ENOTSUP,
			   "set_irq_end: gsi %" PRIu32
			   ": an AIA does not observe the end of an interrupt",
			   route->gsi);
}

/* --- one vCPU --------------------------------------------------------------------------------- */

int axk_riscv_aia_send(struct axk_vcpu *vcpu, uint32_t identity)
{
	const struct axk_vm_arch *arch = &vcpu->vm->arch;
	const struct axvm_msi msi = { .address = arch->imsic + vcpu->id * PAGE, .data = identity };
	int ret;

	if (!identity || identity > arch->ids)
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "inject: vCPU %" PRIu32 ": identity %" PRIu32
				   "; the IMSIC has 1 to %" PRIu32,
				   vcpu->id, identity, arch->ids);
	ret = check_ready(vcpu->vm, "inject");
	if (!ret)
		ret = axk_signal_msi(vcpu->vm, &msi);
	if (ret < 0)
		return ret;
	return 0;
}
