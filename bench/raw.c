/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* x86_64: a VM and its vCPU, as a program without a library makes them. */
#include "raw.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define CPUID_ENTRIES 256
#define PAGE 4096u
#define GIBS 4u

int raw_ioctl(int fd, unsigned long request, uintptr_t arg, const char *what)
{
	int ret = ioctl(fd, request, arg);

	if (ret < 0)
		die("%s: %s", what, strerror(errno));
	return ret;
}

static void *map(size_t len, int flags, int fd)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (p == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	return p;
}

static void set_memory(struct raw_vm *raw)
{
	struct kvm_userspace_memory_region region = { .memory_size = raw->memory_size };

	raw->memory = map(raw->memory_size, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	region.userspace_addr = (uintptr_t)raw->memory;
	RAW_IOCTL(raw->vm, KVM_SET_USER_MEMORY_REGION, &region);
}

/* A GDT, and an identity map of 4 GiB in 2 MiB pages behind it. Returns the map's root. */
static uint64_t write_tables(unsigned char *memory, uint64_t code_descriptor)
{
	const uint64_t gdt[] = { 0, 0x00cf9b000000ffff, code_descriptor, 0x00cf93000000ffff };
	uint64_t *tables = (void *)(memory + GUEST_BOOT + PAGE);

	memcpy(memory + GUEST_BOOT, gdt, sizeof(gdt));
	tables[0] = (GUEST_BOOT + 2 * PAGE) | 3;
	for (uint64_t i = 0; i < GIBS; i++)
		tables[512 + i] = (GUEST_BOOT + (3 + i) * PAGE) | 3;
	for (uint64_t i = 0; i < GIBS * 512; i++)
		tables[1024 + i] = i << 21 | 0x83;
	return GUEST_BOOT + PAGE;
}

static void set_registers(struct raw_vm *raw, enum axvcpu_mode mode)
{
	const struct kvm_segment data = { .limit = 0xffffffff,
					  .selector = 0x18,
					  .type = 3,
					  .present = 1,
					  .db = 1,
					  .s = 1,
					  .g = 1 };
	const struct kvm_regs regs = { .rip = GUEST_CODE, .rsp = GUEST_STACK, .rflags = 2 };
	struct kvm_segment code = data;
	struct kvm_sregs sregs;

	code.selector = 0x10;
	code.type = 11;
	RAW_IOCTL(raw->vcpu, KVM_GET_SREGS, &sregs);
	sregs.cr0 = 0x33;
	sregs.cr4 = 0;
	if (mode == AXVCPU_MODE_64) {
		code.db = 0;
		code.l = 1;
		sregs.cr3 = write_tables(raw->memory, 0x00af9b000000ffff);
		sregs.cr0 |= 1u << 31;
		sregs.cr4 = 0x620;
		sregs.efer = 0x500;
		sregs.gdt.base = GUEST_BOOT;
		sregs.gdt.limit = 31;
	}
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	RAW_IOCTL(raw->vcpu, KVM_SET_SREGS, &sregs);
	RAW_IOCTL(raw->vcpu, KVM_SET_REGS, &regs);
}

void raw_new(struct raw_vm *raw, const struct guest_code *code)
{
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) +
						     CPUID_ENTRIES * sizeof(cpuid->entries[0]));
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (!cpuid || kvm < 0)
		die("/dev/kvm: %s", strerror(errno));
	raw->vm = RAW_IOCTL(kvm, KVM_CREATE_VM, 0);
	cpuid->nent = CPUID_ENTRIES;
	RAW_IOCTL(kvm, KVM_GET_SUPPORTED_CPUID, cpuid);
	raw->run_size = (size_t)RAW_IOCTL(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	close(kvm);

	raw->memory_size = code->memory ? code->memory : GUEST_MEMORY;
	set_memory(raw);
	memcpy(raw->memory + GUEST_CODE, code->code, code->len);
	raw->vcpu = RAW_IOCTL(raw->vm, KVM_CREATE_VCPU, 0);
	raw->run = map(raw->run_size, MAP_SHARED, raw->vcpu);
	RAW_IOCTL(raw->vcpu, KVM_SET_CPUID2, cpuid);
	free(cpuid);
	set_registers(raw, code->mode);
}

void raw_free(struct raw_vm *raw)
{
	munmap(raw->run, raw->run_size);
	close(raw->vcpu);
	close(raw->vm);
	munmap(raw->memory, raw->memory_size);
}
