/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Coalesced MMIO and ports: KVM puts writes to registered zones into a ring, which all vCPUs of a
 * VM share. Each of them has it in its mapping of struct kvm_run. If the ring is full, the next
 * write is an exit.
 */
#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "backends/kvm/kvm.h"

/* Finds out where the ring is. */
static int find_ring(struct axk_vm *kvm)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int ret;

	if (kvm->ring_entries)
		return 0;
	ret = axk_ioctl_value(kvm->fd, KVM_CHECK_EXTENSION, KVM_CAP_COALESCED_MMIO);
	if (ret < 0)
		return axvcpu_fail(kvm->vm, ret, "KVM_CHECK_EXTENSION of KVM_CAP_COALESCED_MMIO");
	if (!ret)
		return axvcpu_fail(
			kvm->vm, -ENOTSUP,
			"AXVM_RANGE_COALESCED needs KVM_CAP_COALESCED_MMIO, which this KVM lacks");
	if (((size_t)ret + 1) * page > kvm->run_size)
		return axvcpu_fail(kvm->vm, -EIO,
				   "KVM_CAP_COALESCED_MMIO: page %d is beyond the mapping of a vCPU",
				   ret);
	kvm->ring_offset = (size_t)ret * page;
	kvm->ring_entries = (uint32_t)((page - sizeof(struct kvm_coalesced_mmio_ring)) /
				       sizeof(struct kvm_coalesced_mmio));
	return 0;
}

static int check_ports(const struct axk_vm *kvm)
{
	int ret;

	if (!axk_arch_has_ports())
		return axvcpu_fail(kvm->vm, -ENOTSUP,
				   "AXVM_RANGE_COALESCED: this architecture has no I/O ports");
	ret = axk_ioctl_value(kvm->fd, KVM_CHECK_EXTENSION, KVM_CAP_COALESCED_PIO);
	if (ret < 0)
		return axvcpu_fail(kvm->vm, ret, "KVM_CHECK_EXTENSION of KVM_CAP_COALESCED_PIO");
	if (!ret)
		return axvcpu_fail(kvm->vm, -ENOTSUP,
				   "AXVM_RANGE_COALESCED for ports needs KVM_CAP_COALESCED_PIO, "
				   "which this KVM lacks");
	return 0;
}

int axk_coalesce(void *arch_vm, uint32_t space, uint64_t base, uint64_t len, bool on)
{
	struct axk_vm *kvm = arch_vm;
	const bool port = space == AXVM_SPACE_PORT;
	const struct kvm_coalesced_mmio_zone zone = {
		.addr = base,
		.size = (uint32_t)len,
		.pio = port,
	};
	int ret;

	if (!on)
		return axk_vm_ioctl(kvm, KVM_UNREGISTER_COALESCED_MMIO, &zone);
	if (len > UINT32_MAX)
		return axvcpu_fail(kvm->vm, -EINVAL,
				   "AXVM_RANGE_COALESCED: %#" PRIx64 " bytes; the maximum is %#x",
				   len, UINT32_MAX);
	ret = find_ring(kvm);
	if (!ret && port)
		ret = check_ports(kvm);
	return ret ? ret : axk_vm_ioctl(kvm, KVM_REGISTER_COALESCED_MMIO, &zone);
}

static void decode(const struct kvm_coalesced_mmio *entry, struct axvcpu_exit *write)
{
	uint64_t data = axk_load(entry->data, entry->len);

	if (entry->pio) {
		write->kind = AXVCPU_EXIT_IO_WRITE;
		write->u.io = (struct axvcpu_exit_io){
			.data = data,
			.is_write = 1,
			.width = (uint8_t)entry->len,
			.port = (uint16_t)entry->phys_addr,
			.count = 1,
		};
	} else {
		write->kind = AXVCPU_EXIT_MMIO_WRITE;
		write->u.mmio = (struct axvcpu_exit_mmio){
			.addr = entry->phys_addr,
			.data = data,
			.width = (uint8_t)entry->len,
		};
	}
}

int axk_take_coalesced(void *arch_vcpu, struct axvcpu_exit *write)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	const struct axk_vm *kvm = vcpu->vm;
	struct kvm_coalesced_mmio_ring *ring = (void *)((unsigned char *)vcpu->run +
							kvm->ring_offset);
	const uint32_t entries = kvm->ring_entries;
	struct kvm_coalesced_mmio entry;
	uint32_t first, last;

	if (!entries)
		return 0;
	first = ring->first;
	/* KVM stores it after the entry. */
	last = __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE);
	if (first == last)
		return 0;
	if (first >= entries || last >= entries)
		return axvcpu_fail(kvm->vm, -EIO,
				   "coalesced writes: the ring of %" PRIu32
				   " entries has indexes %" PRIu32 " and %" PRIu32,
				   entries, first, last);
	entry = ring->coalesced_mmio[first];
	/* KVM may use the entry again. */
	__atomic_store_n(&ring->first, (first + 1) % entries, __ATOMIC_RELEASE);
	if (!entry.len || entry.len > sizeof(entry.data))
		return axvcpu_fail(kvm->vm, -EIO, "coalesced writes: a write of %" PRIu32 " bytes",
				   entry.len);
	decode(&entry, write);
	return (int)((last + entries - first) % entries);
}
