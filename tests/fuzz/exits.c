/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Exits of a broken KVM, on the backend of this architecture. The target takes the place of KVM: the input
 * begins with the config of a VM, and is then the data of each ioctl in turn, above all of KVM_RUN. Whatever
 * KVM writes, each access must be inside of the mappings, each exit must have the form that exit.h
 * describes, and a device only gets accesses inside of its ranges.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "backends/kvm/kvm.h"
#include "fuzz.h"

#define PAGES 3
#define COALESCED_PAGE 2
#define RING_ENTRIES 16
#define MEMORY 0x10000
#define DEVICE 0x100000
#define DEVICE_LEN (UINT64_C(1) << 28)
#define PORTS 0x100
#define PORTS_LEN 0x1000

static const uint8_t *input;
static size_t input_left;

/* Takes bytes of the input; at its end, zeroes. */
static void take(void *to, size_t len)
{
	size_t n = len < input_left ? len : input_left;

	memset(to, 0, len);
	memcpy(to, input, n);
	input += n;
	input_left -= n;
}

/* --- KVM ---------------------------------------------------------------------------------------- */

/* The mappings of the vCPU: struct kvm_run, and the dirty ring. In heap blocks, for the sanitizer. */
static struct {
	unsigned char *at;
	size_t len;
} maps[2];
static struct axvcpu *vcpu;

/* What a KVM_RUN does, followed by 'len' bytes. */
struct step {
	/* Index of 'results'. */
	uint8_t result;
	uint8_t reason;
	/* Index of 'places'; and KICK. */
	uint8_t place;
	uint8_t len;
};

#define KICK 0x80

static const int results[] = {
	0,    0,       -EINTR,	    -EAGAIN,  -EFAULT, -EHWPOISON,
	-EIO, -EINVAL, -EOPNOTSUPP, -ENOEXEC, -EPERM,  -ENOSYS,
};

/* The parts of the mappings that KVM writes. */
static const struct {
	unsigned int map;
	size_t offset;
} places[] = {
	{ 0, offsetof(struct kvm_run, hw) },
	{ 0, offsetof(struct kvm_run, ready_for_interrupt_injection) },
	{ 0, offsetof(struct kvm_run, s) },
	{ 0, COALESCED_PAGE * 4096 },
	{ 0, PAGES * 4096 - 255 },
	{ 1, 0 },
};

static int kvm_run(void)
{
	struct kvm_run *run = (void *)maps[0].at;
	struct step step;
	size_t place, len;

	/* Not one of the exits after which the library enters again. */
	if (!input_left) {
		run->exit_reason = KVM_EXIT_UNKNOWN;
		return 0;
	}
	take(&step, sizeof(step));
	run->exit_reason = step.reason < 0x80 ? step.reason : step.reason * 0x01010101u;
	place = (step.place & (KICK - 1)) % ARRAY_SIZE(places);
	len = maps[places[place].map].len - places[place].offset;
	take(maps[places[place].map].at + places[place].offset, step.len < len ? step.len : len);
	/* As by another thread. */
	if (step.place & KICK)
		ck_assert_int_eq(axvcpu_kick(vcpu), 0);
	return results[step.result % ARRAY_SIZE(results)];
}

static int check_extension(uintptr_t capability)
{
	switch (capability) {
	case KVM_CAP_COALESCED_MMIO:
		return COALESCED_PAGE;
	case KVM_CAP_NR_MEMSLOTS:
		return 32;
	case KVM_CAP_ARM_VM_IPA_SIZE:
	case KVM_CAP_VM_GPA_BITS:
		return 48;
	default:
		/* All flags. */
		return 0xffff;
	}
}

int __wrap_axv_sys_ioctl(int fd, unsigned long request, uintptr_t arg);
int __wrap_axv_sys_ioctl(int fd, unsigned long request, uintptr_t arg)
{
	const struct kvm_one_reg *reg = (const void *)arg;
	uint8_t count;

	(void)fd;
	switch (request) {
	case KVM_GET_API_VERSION:
		return KVM_API_VERSION;
	case KVM_GET_VCPU_MMAP_SIZE:
		return PAGES * 4096;
	case KVM_CREATE_VM:
	case KVM_CREATE_VCPU:
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	case KVM_CHECK_EXTENSION:
		return check_extension(arg);
	case KVM_RUN:
		return kvm_run();
	case KVM_GET_ONE_REG:
		take((void *)(uintptr_t)reg->addr, axvcpu_reg_size(reg->id));
		return 0;
	case KVM_RESET_DIRTY_RINGS:
		take(&count, sizeof(count));
		return count;
	default:
		if (_IOC_DIR(request) & _IOC_READ)
			take((void *)arg, _IOC_SIZE(request));
		return 0;
	}
}

int __real_axv_sys_mmap(size_t len, int prot, int flags, int fd, uint64_t offset, void **addr);
int __wrap_axv_sys_mmap(size_t len, int prot, int flags, int fd, uint64_t offset, void **addr);
int __wrap_axv_sys_mmap(size_t len, int prot, int flags, int fd, uint64_t offset, void **addr)
{
	if (fd < 0)
		return __real_axv_sys_mmap(len, prot, flags, fd, offset, addr);
	maps[offset > 0].at = calloc(1, len);
	maps[offset > 0].len = len;
	*addr = maps[offset > 0].at;
	return 0;
}

int __real_axv_sys_munmap(void *addr, size_t len);
int __wrap_axv_sys_munmap(void *addr, size_t len);
int __wrap_axv_sys_munmap(void *addr, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		if (addr == maps[i].at) {
			ck_assert_uint_eq(len, maps[i].len);
			free(addr);
			return 0;
		}
	}
	return __real_axv_sys_munmap(addr, len);
}

/* --- the backend: what comes before the first run and after the last one is not of interest ------- */

static int setup(void *arch_vcpu, const struct axvcpu_setup_config *config)
{
	struct axk_vcpu *arch = arch_vcpu;

	(void)config;
	arch->is_setup = true;
	return 0;
}

static int reset(void *arch_vcpu, uint64_t entry, uint64_t arg, bool start)
{
	(void)entry;
	(void)arg;
	(void)start;
	return axk_drop_exits(arch_vcpu);
}

static int set_entry(void *arch_vcpu, uint64_t entry)
{
	(void)arch_vcpu;
	(void)entry;
	return 0;
}

/* --- the VM --------------------------------------------------------------------------------------- */

/* The first bytes of the input. */
struct choices {
	/* AXVM_FORWARD_*, as far as this architecture has them. */
	uint32_t forward;
	uint8_t coalesced;
	/* Whether the device handles accesses. */
	uint8_t dispatch;
};

static struct choices choices;
static struct axvm *vm;
static _Alignas(4096) unsigned char memory[MEMORY];

static struct axvm_device_range ranges[] = {
	{ .space = AXVM_SPACE_MMIO, .base = DEVICE, .len = DEVICE_LEN },
	{ .space = AXVM_SPACE_SYSREG, .base = 0, .len = UINT32_MAX },
	/* The last one: not each architecture has ports. */
	{ .space = AXVM_SPACE_PORT, .base = PORTS, .len = PORTS_LEN },
};

/* ctx: the range. */
static int device_read(struct axvcpu *by, void *ctx, uint64_t offset, unsigned int width,
		       uint64_t *value)
{
	const struct axvm_device_range *range = ctx;
	/* Its length is a number of registers. */
	const bool sysreg = range->space == AXVM_SPACE_SYSREG;

	(void)by;
	ck_assert(sysreg ? width == 8 : width >= 1 && width <= 8);
	ck_assert(offset < range->len && (sysreg ? 1 : width) <= range->len - offset);
	*value = offset;
	return (int)(offset % 3);
}

static int device_write(struct axvcpu *by, void *ctx, uint64_t offset, unsigned int width,
			uint64_t value)
{
	return device_read(by, ctx, offset, width, &value);
}

static void add_device(void)
{
	struct axvm_device_config config = AXVM_DEVICE_CONFIG_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		ranges[i].ctx = &ranges[i];
		if (ranges[i].space != AXVM_SPACE_SYSREG)
			ranges[i].flags = choices.coalesced & 1 ? AXVM_RANGE_COALESCED : 0;
	}
	config.name = "device";
	config.ranges = ranges;
	config.nranges = ARRAY_SIZE(ranges) - !axk_arch_has_ports();
	config.read = device_read;
	config.write = device_write;
	ck_assert_msg(!axvm_add_device(vm, &config, NULL), "%s", axvcpu_last_error());
}

static void map_memory(void)
{
	struct axvm_region region = AXVM_REGION_INIT;

	region.len = sizeof(memory);
	region.backing = AXVM_MEM_CALLER;
	region.hva = memory;
	region.flags = AXVM_MEM_LOG_DIRTY;
	ck_assert_int_eq(axvm_map(vm, &region), 0);
}

static void create(void)
{
	static struct axvcpu_arch_ops ops;
	struct axvcpu_setup_config setup_config = AXVCPU_SETUP_CONFIG_INIT;
	struct axvm_config config = AXVM_CONFIG_INIT;

	ops = *axvcpu_host_arch();
	ops.setup = setup;
	ops.reset = reset;
	ops.set_entry = set_entry;
	config.arch = &ops;
	/* Any descriptor. */
	config.flags = AXVM_F_KVM_FD;
	config.kvm_fd = 0;
	config.dirty_ring_entries = RING_ENTRIES;
	config.forward = choices.forward & KVM_ARCH_FORWARDS;
	/* One of the two. */
	if (config.forward & AXVM_FORWARD_HYPERCALLS)
		config.forward &= ~AXVM_FORWARD_MAP_GPA_RANGE;
	if (config.forward & AXVM_FORWARD_DOORBELL)
		config.doorbell_port = 0xf5;
	if (config.forward & AXVM_FORWARD_POWER_OFF)
		config.poweroff_width = 1;
	ck_assert_msg(!axvm_new(&config, &vm), "%s", axvcpu_last_error());
	map_memory();
	add_device();
	ck_assert_msg(!axvcpu_new(vm, NULL, &vcpu), "%s", axvcpu_last_error());
	ck_assert_msg(!axvcpu_setup(vcpu, 0, 0, &setup_config), "%s", axvcpu_last_error());
	ck_assert_msg(!axvcpu_bind(vcpu), "%s", axvcpu_last_error());
}

static void take_dirty(void)
{
	struct axvm_dirty_range range;
	uint64_t cursor = 0;

	while (axvm_take_dirty(vm, &cursor, 1, &range) > 0)
		ck_assert(range.gpa < MEMORY && range.len <= MEMORY - range.gpa);
}

static void destroy(void)
{
	take_dirty();
	axvm_flush_coalesced(vm);
	/* It may have to complete an exit. */
	input_left = 0;
	ck_assert_msg(!axvcpu_unbind(vcpu), "%s", axvcpu_last_error());
	ck_assert_msg(!axvcpu_free(vcpu), "%s", axvcpu_last_error());
	ck_assert_msg(!axvm_free(vm), "%s", axvcpu_last_error());
	maps[0].at = maps[1].at = NULL;
}

/* --- running -------------------------------------------------------------------------------------- */

/* So that the compiler keeps the reads. */
static void read_bytes(const void *bytes, size_t len)
{
	static volatile unsigned char sink;

	for (size_t i = 0; i < len; i++)
		sink = ((const unsigned char *)bytes)[i];
	(void)sink;
}

static void check_io(const struct axvcpu_exit_io *io)
{
	ck_assert(io->is_write <= 1);
	ck_assert(io->width == 1 || io->width == 2 || io->width == 4);
	read_bytes(io->buf, (size_t)io->width * io->count);
	for (uint32_t i = 0; i < io->count && !io->is_write; i++)
		ck_assert_int_eq(axvcpu_io_put(io, i, i), 0);
}

static void check_exit(const struct axvcpu_exit *exit)
{
	char text[512];
	int len = axvcpu_exit_describe(exit, text, sizeof(text));

	ck_assert(len > 0 && len < (int)sizeof(text));
	ck_assert_str_ne(axvcpu_exit_name(exit->kind), "?");
	ck_assert(exit->kicked <= 1 && exit->answerable <= 1);
	switch (exit->kind) {
	case AXVCPU_EXIT_MMIO_READ:
	case AXVCPU_EXIT_MMIO_WRITE:
		ck_assert(exit->u.mmio.width >= 1 && exit->u.mmio.width <= 8);
		ck_assert(!exit->u.mmio.reg_known);
		break;
	case AXVCPU_EXIT_IO_READ:
	case AXVCPU_EXIT_IO_WRITE:
		check_io(&exit->u.io);
		break;
	case AXVCPU_EXIT_INTERNAL_ERROR:
		ck_assert(exit->u.internal.ndata <= ARRAY_SIZE(exit->u.internal.data));
		ck_assert(exit->u.internal.ninsn <= ARRAY_SIZE(exit->u.internal.insn));
		break;
	case AXVCPU_EXIT_SYSTEM_CRASH:
		ck_assert(exit->u.crash.ndata <= ARRAY_SIZE(exit->u.crash.data));
		break;
	default:
		break;
	}
}

/* An answer of any kind, which may be the wrong one. */
static void answer(const struct axvcpu_exit *exit)
{
	static const unsigned char bytes[PAGES * 4096];
	struct axvcpu_answer answer = { .kind = AXVCPU_ANSWER_VALUE };

	take(&answer.kind, 1);
	answer.kind %= AXVCPU_ANSWER_BYTES + 2;
	if (answer.kind == AXVCPU_ANSWER_BYTES) {
		answer.u.bytes.ptr = bytes;
		if (exit->kind == AXVCPU_EXIT_IO_READ)
			answer.u.bytes.len = (size_t)exit->u.io.width * exit->u.io.count;
	}
	axvcpu_complete(vcpu, &answer);
}

static void run(void)
{
	struct axvcpu_exit exit;
	int ret;

	memset(&exit, 0x55, sizeof(exit));
	ret = axvcpu_run(vcpu, &exit);
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_READY);
	if (ret) {
		ck_assert(ret < 0 && ret > -4096 && axvcpu_last_error()[0]);
		axvcpu_reset(vcpu, 0, 0);
		return;
	}
	check_exit(&exit);
	if (choices.dispatch & 1) {
		ret = axvcpu_dispatch(vcpu, &exit);
		ck_assert(ret >= -4095 && ret <= AXVM_FAULT);
	}
	if (exit.answerable)
		answer(&exit);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input = data;
	input_left = 0;
	if (size < sizeof(choices))
		return -1;
	memcpy(&choices, data, sizeof(choices));
	create();
	input = data + sizeof(choices);
	input_left = size - sizeof(choices);
	while (input_left)
		run();
	destroy();
	return 0;
}

/* --- seeds ---------------------------------------------------------------------------------------- */

static void seed(const char *name, uint32_t reason, uint32_t forward, const void *data, size_t len)
{
	const struct choices with = { .forward = forward, .dispatch = 1 };
	const struct step step = { .reason = (uint8_t)reason, .len = (uint8_t)len };
	unsigned char bytes[sizeof(with) + sizeof(step) + 255];

	memcpy(bytes, &with, sizeof(with));
	memcpy(bytes + sizeof(with), &step, sizeof(step));
	memcpy(bytes + sizeof(with) + sizeof(step), data, len);
	fuzz_seed(name, bytes, sizeof(with) + sizeof(step) + len);
}

#define SEED(name, reason, forward, member, ...) \
	do { \
		struct kvm_run run = { .member = __VA_ARGS__ }; \
		seed((name), (reason), (forward), &run.member, sizeof(run.member)); \
	} while (0)

void fuzz_seeds(void)
{
	SEED("mmio-read", KVM_EXIT_MMIO, 0, mmio, { .phys_addr = DEVICE, .len = 4 });
	SEED("mmio-write", KVM_EXIT_MMIO, 0, mmio,
	     { .phys_addr = DEVICE, .len = 8, .is_write = 1 });
	SEED("port-read", KVM_EXIT_IO, 0, io,
	     { .size = 1, .port = PORTS, .count = 1, .data_offset = 0x1000 });
	SEED("port-write", KVM_EXIT_IO, UINT32_MAX, io,
	     { .direction = 1, .size = 4, .port = 0xf5, .count = 1, .data_offset = 0x1000 });
	SEED("port-string", KVM_EXIT_IO, 0, io,
	     { .size = 2, .port = PORTS, .count = 16, .data_offset = 0x1000 });
	SEED("read-msr", KVM_EXIT_X86_RDMSR, UINT32_MAX, msr, { .index = 0x830 });
	SEED("write-msr", KVM_EXIT_X86_WRMSR, UINT32_MAX, msr, { .index = 0x830, .data = 0x4500 });
	SEED("hypercall", KVM_EXIT_HYPERCALL, UINT32_MAX, hypercall, { .nr = 0x84000003 });
	SEED("sbi", KVM_EXIT_RISCV_SBI, UINT32_MAX, riscv_sbi, { .extension_id = 0x09000000 });
	SEED("csr", KVM_EXIT_RISCV_CSR, 0, riscv_csr, { .csr_num = 0x15, .write_mask = 1 });
	SEED("event", KVM_EXIT_SYSTEM_EVENT, 0, system_event, { .type = KVM_SYSTEM_EVENT_CRASH });
	SEED("internal", KVM_EXIT_INTERNAL_ERROR, 0, internal,
	     { .suberror = KVM_INTERNAL_ERROR_EMULATION, .ndata = 5, .data = { 1 } });
	SEED("entry", KVM_EXIT_FAIL_ENTRY, 0, fail_entry, { .cpu = 1 });
	SEED("nisv", KVM_EXIT_ARM_NISV, 0, arm_nisv, { .fault_ipa = 0x1000 });
	SEED("debug", KVM_EXIT_DEBUG, 0, hw, { 0 });
	SEED("halt", KVM_EXIT_HLT, 0, hw, { 0 });
	SEED("ring-full", KVM_EXIT_DIRTY_RING_FULL, 0, hw, { 0 });
}
