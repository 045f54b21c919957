/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "forge.h"

#include "lib/host/sys.h"
#include "suite.h"

struct forge forge;

int __real_axv_sys_mmap(size_t len, int prot, int flags, int fd, uint64_t offset, void **addr);
int __wrap_axv_sys_mmap(size_t len, int prot, int flags, int fd, uint64_t offset, void **addr);
int __wrap_axv_sys_mmap(size_t len, int prot, int flags, int fd, uint64_t offset, void **addr)
{
	int ret = __real_axv_sys_mmap(len, prot, flags, fd, offset, addr);

	/* The only descriptor that is mapped. */
	if (!ret && fd >= 0)
		forge.run = *addr;
	return ret;
}

int __real_axv_sys_ioctl(int fd, unsigned long request, uintptr_t arg);
int __wrap_axv_sys_ioctl(int fd, unsigned long request, uintptr_t arg);
int __wrap_axv_sys_ioctl(int fd, unsigned long request, uintptr_t arg)
{
	int result;

	if (request != KVM_RUN || !forge.exit) {
		if (forge.answer && forge.answer(fd, request, &arg, &result))
			return result;
		return __real_axv_sys_ioctl(fd, request, arg);
	}
	forge.exit();
	forge.exit = NULL;
	return forge.result;
}

void forge_start(void)
{
	guest_start(&forge.guest, AXVCPU_MODE_64, PROGRAM(chatter));
	ck_assert_ptr_nonnull(forge.run);
}

void forge_expect(void (*exit)(void), int ret, enum axvcpu_exit_kind kind, uint64_t raw_code)
{
	struct guest *guest = &forge.guest;

	forge.exit = exit;
	forge.result = ret;
	memset(&guest->exit, 0x55, sizeof(guest->exit));
	guest_expect(guest, kind);
	ck_assert(!forge.exit);
	ck_assert_uint_eq(guest->exit.raw_reason, forge.run->exit_reason);
	ck_assert_uint_eq(guest->exit.raw_code, raw_code);
	ck_assert_uint_eq(guest->exit.answerable, 0);
	ck_assert_int_eq(axvcpu_state(guest->vcpu), AXVCPU_READY);
}

void forge_end(void)
{
	guest_expect_write(&forge.guest, GUEST_MMIO, GUEST_VALUE);
	guest_end(&forge.guest);
}
