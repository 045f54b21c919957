/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "event.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "suite.h"

int event_new(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	ck_assert_int_ge(fd, 0);
	return fd;
}

void event_signal(int fd)
{
	const uint64_t one = 1;

	ck_assert_int_eq(write(fd, &one, sizeof(one)), sizeof(one));
}

uint64_t event_count(int fd)
{
	uint64_t count = 0;

	if (read(fd, &count, sizeof(count)) < 0)
		ck_assert_int_eq(errno, EAGAIN);
	return count;
}

int event_set_ioeventfd(struct axvm *vm, uint32_t flags, int fd, uint64_t address, uint32_t width,
			uint64_t value)
{
	struct axvm_ioeventfd config = AXVM_IOEVENTFD_INIT;

	config.flags = flags;
	config.fd = fd;
	config.address = address;
	config.width = width;
	config.value = value;
	return axvm_set_ioeventfd(vm, &config);
}
