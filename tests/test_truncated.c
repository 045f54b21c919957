/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Guest memory backed by a file that another process truncates: accesses return an errno instead of
 * causing SIGBUS, and the map remains usable. Needs no KVM.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mock.h"
#include "suite.h"

#define GPA (UINT64_C(1) << 30)
#define PAGES 4u

static size_t page, len;
static struct axvm *vm;
static int file_fd;

static void create(const struct axvcpu_hal *hal)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	page = (size_t)sysconf(_SC_PAGESIZE);
	len = PAGES * page;
	mock_reset();
	config.arch = &mock_ops;
	config.hal = hal;
	ck_ok(axvm_new(&config, &vm));
	file_fd = memfd_create("file", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ck_assert_int_ge(file_fd, 0);
	ck_assert_int_eq(ftruncate(file_fd, (off_t)len), 0);
}

static void setup(void)
{
	create(NULL);
}

static void teardown(void)
{
	ck_ok(axvm_free(vm));
	close(file_fd);
}

static int map_fd(uint64_t gpa, int fd, uint32_t flags)
{
	struct axvm_region region = AXVM_REGION_INIT;

	region.gpa = gpa;
	region.len = len;
	region.backing = AXVM_MEM_FILE;
	region.flags = flags;
	region.fd = fd;
	return axvm_map(vm, &region);
}

/* The flags that are listed for the only region. */
static uint32_t listed_flags(void)
{
	struct axvm_region region = AXVM_REGION_INIT;

	ck_assert_int_eq(axvm_regions(vm, 0, 1, &region), 1);
	return region.flags;
}

static void cut(size_t to)
{
	ck_assert_int_eq(ftruncate(file_fd, (off_t)to), 0);
}

/* As long as a region, where pages have 64 KiB. */
static unsigned char buf[PAGES * 65536];

static int do_read(uint64_t gpa, uint64_t n)
{
	return axvm_read(vm, gpa, buf, n);
}

static int do_write(uint64_t gpa, uint64_t n)
{
	return axvm_write(vm, gpa, buf, n);
}

static int do_set(uint64_t gpa, uint64_t n)
{
	return axvm_set(vm, gpa, 'x', n);
}

static int (*const accesses[])(uint64_t gpa, uint64_t n) = { do_read, do_write, do_set };
#define ACCESSES (sizeof(accesses) / sizeof(accesses[0]))

/* That no reader was left behind: else the unmap would wait for it. */
static void check_that_all_goes_on(void)
{
	ck_ok(axvm_unmap(vm, GPA, len));
	cut(len);
	ck_ok(map_fd(GPA, file_fd, AXVM_MEM_SHARED));
	for (size_t i = 0; i < ACCESSES; i++)
		ck_ok(accesses[i](GPA, len));
}

START_TEST(an_access_to_a_truncated_file_is_an_errno)
{
	static const uint32_t flags[] = { 0, AXVM_MEM_SHARED };

	ck_assert_uint_le(len, sizeof(buf));
	for (size_t f = 0; f < 2; f++) {
		cut(len);
		ck_ok(map_fd(GPA, file_fd, flags[f]));
		ck_assert_uint_eq(listed_flags(), flags[f] | AXVM_MEM_TRUNCATABLE);
		ck_ok(accesses[_i](GPA, page));
		cut(page);
		ck_ok(accesses[_i](GPA, page));
		/* At its end, across it, and beyond. */
		ck_fails_saying(accesses[_i](GPA + page, 1), EIO, "truncated");
		ck_fails_saying(accesses[_i](GPA + page - 8, 16), EIO, "truncated");
		ck_fails_saying(accesses[_i](GPA, len), EIO, "truncated");
		ck_fails(accesses[_i](GPA + len - 1, 1), EIO);
		/* The range is still guest memory; other ranges have another errno. */
		ck_fails(accesses[_i](GPA + len - 1, 2), EFAULT);
		cut(0);
		ck_fails(accesses[_i](GPA, 1), EIO);
		/* A file that has grown again is there again. */
		cut(len);
		ck_ok(accesses[_i](GPA, len));
		ck_ok(axvm_unmap(vm, GPA, len));
	}
	ck_ok(map_fd(GPA, file_fd, AXVM_MEM_SHARED));
	check_that_all_goes_on();
}
END_TEST

/* Until it is killed. */
static pid_t start_truncating(void)
{
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		if (ftruncate(file_fd, (off_t)page) || ftruncate(file_fd, (off_t)len))
			_exit(1);
}

START_TEST(a_file_may_be_truncated_in_the_middle_of_a_copy)
{
	unsigned int good = 0, gone = 0;
	int status;
	pid_t peer;

	ck_ok(map_fd(GPA, file_fd, AXVM_MEM_SHARED));
	peer = start_truncating();
	/* The time limit of a test ends this, if one of them never comes. */
	while (good < suite_scale(2000) || gone < suite_scale(2000)) {
		int ret = accesses[_i](GPA, len);

		ck_assert_msg(!ret || ret == -EIO, "%d: %s", ret, axvcpu_last_error());
		good += !ret;
		gone += !!ret;
	}
	kill(peer, SIGKILL);
	ck_assert_int_eq(waitpid(peer, &status, 0), peer);
	ck_assert(WIFSIGNALED(status));
	check_that_all_goes_on();
}
END_TEST

START_TEST(copies_through_the_kernel_are_copies)
{
	const size_t odd = page - 3;
	char byte = 0;

	ck_ok(map_fd(GPA, file_fd, AXVM_MEM_SHARED));
	/* The same file, where the host need not take care; so copies go across both kinds. */
	ck_assert_int_eq(fcntl(file_fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	ck_ok(map_fd(GPA + len, file_fd, AXVM_MEM_SHARED));
	for (size_t i = 0; i < len; i++)
		buf[i] = (unsigned char)(i / 3);
	ck_ok(axvm_write(vm, GPA + odd, buf, len));
	memset(buf, 0, len);
	ck_ok(axvm_read(vm, GPA + odd, buf, len));
	/* The last bytes went to the second mapping, and so to the beginning of the file. */
	for (size_t i = 0; i < len; i++)
		ck_assert_uint_eq(buf[i], (unsigned char)(i / 3));
	ck_assert_int_eq(pread(file_fd, &byte, 1, 0), 1);
	ck_assert_uint_eq((unsigned char)byte, (unsigned char)((len - odd) / 3));
	ck_ok(axvm_set(vm, GPA + 1, 'q', len - 2));
	for (size_t i = 1; i < len - 1; i++) {
		ck_ok(axvm_read(vm, GPA + i, &byte, 1));
		ck_assert_int_eq(byte, 'q');
		i += i % 977;
	}
	ck_assert_int_eq(pread(file_fd, &byte, 1, (off_t)len - 1), 1);
	ck_assert_int_ne(byte, 'q');
}
END_TEST

/* --- no precautions needed -------------------------------------------------------------------- */

START_TEST(a_file_that_cannot_shrink_is_memory_like_any_other)
{
	int fd;

	ck_assert_int_eq(fcntl(file_fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	ck_ok(map_fd(GPA, file_fd, AXVM_MEM_SHARED));
	ck_assert_uint_eq(listed_flags(), AXVM_MEM_SHARED);
	ck_ok(axvm_unmap(vm, GPA, len));

	fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_ok(map_fd(GPA, fd, 0));
	ck_assert_uint_eq(listed_flags(), 0);
	close(fd);
}
END_TEST

START_TEST(memfds_of_the_library_keep_their_size)
{
	struct axvm_region region = AXVM_REGION_INIT;

	region.gpa = GPA;
	region.len = len;
	region.backing = AXVM_MEM_MEMFD;
	ck_ok(axvm_map(vm, &region));
	ck_assert_int_eq(axvm_regions(vm, 0, 1, &region), 1);
	ck_assert_uint_eq(region.flags, 0);
	ck_assert_int_eq(fcntl(region.fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW);
	ck_assert_int_eq(ftruncate(region.fd, (off_t)page), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(ftruncate(region.fd, (off_t)(2 * len)), -1);
	ck_ok(do_set(GPA, len));
	/* Who shares it may seal it further. */
	ck_assert_int_eq(fcntl(region.fd, F_ADD_SEALS, F_SEAL_SEAL), 0);
}
END_TEST

START_TEST(the_internal_flag_is_refused)
{
	ck_fails_saying(map_fd(GPA, file_fd, AXVM_MEM_TRUNCATABLE), EINVAL, "unknown flags");
}
END_TEST

/* --- the HAL's own files ---------------------------------------------------------------------- */

static unsigned char *hidden;

static int hook_map(void *ctx, struct axvm_region *region)
{
	(void)ctx;
	region->hva = hidden;
	region->flags |= AXVM_MEM_TRUNCATABLE;
	return 0;
}

static void hook_unmap(void *ctx, const struct axvm_region *region)
{
	(void)ctx;
	(void)region;
}

START_TEST(a_hal_can_say_that_its_memory_may_vanish)
{
	struct axvcpu_hal hal = AXVCPU_HAL_INIT;
	struct axvm_region region = AXVM_REGION_INIT;

	hal.map_memory = hook_map;
	hal.unmap_memory = hook_unmap;
	create(&hal);
	hidden = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(hidden, MAP_FAILED);
	region.gpa = GPA;
	region.len = len;
	ck_ok(axvm_map(vm, &region));
	for (size_t i = 0; i < ACCESSES; i++)
		ck_fails(accesses[i](GPA, 1), EIO);
	ck_assert_int_eq(mprotect(hidden, len, PROT_READ | PROT_WRITE), 0);
	for (size_t i = 0; i < ACCESSES; i++)
		ck_ok(accesses[i](GPA, len));
	ck_assert_uint_eq(hidden[len - 1], 'x');
	teardown();
	munmap(hidden, len);
}
END_TEST

/* --- sandboxes -------------------------------------------------------------------------------- */

/* From now on this process cannot have the kernel copy. Whether it worked. */
static bool forbid_copies(int err)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)err),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

START_TEST(a_sandbox_that_forbids_the_call_gets_plain_copies)
{
	static const int errnos[] = { EPERM, EACCES, ENOSYS };

	ck_ok(map_fd(GPA, file_fd, AXVM_MEM_SHARED));
	if (!forbid_copies(errnos[_i])) {
		suite_skip("this kernel has no seccomp filters");
		return;
	}
	memset(buf, 0x11, sizeof(buf));
	ck_ok(axvm_write(vm, GPA, buf, len));
	ck_ok(axvm_set(vm, GPA + 1, 0x22, len - 2));
	ck_ok(axvm_read(vm, GPA, buf, len));
	ck_assert_uint_eq(buf[0], 0x11);
	ck_assert_uint_eq(buf[1], 0x22);
	ck_assert_uint_eq(buf[len - 2], 0x22);
	ck_assert_uint_eq(buf[len - 1], 0x11);
}
END_TEST

/* ---------------------------------------------------------------------------------------------- */

static void add_tests(Suite *suite)
{
	TCase *file = suite_case(suite, "file");
	TCase *hal = suite_case(suite, "hal");

	tcase_add_checked_fixture(file, setup, teardown);
	tcase_add_loop_test(file, an_access_to_a_truncated_file_is_an_errno, 0, ACCESSES);
	tcase_add_loop_test(file, a_file_may_be_truncated_in_the_middle_of_a_copy, 0, ACCESSES);
	tcase_add_test(file, copies_through_the_kernel_are_copies);
	tcase_add_test(file, a_file_that_cannot_shrink_is_memory_like_any_other);
	tcase_add_test(file, memfds_of_the_library_keep_their_size);
	tcase_add_test(file, the_internal_flag_is_refused);
	tcase_add_loop_test(file, a_sandbox_that_forbids_the_call_gets_plain_copies, 0, 3);

	tcase_add_test(hal, a_hal_can_say_that_its_memory_may_vanish);
}

int main(void)
{
	return suite_main("truncated", false, add_tests);
}
