/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "lib/base/sized.h"

#include <errno.h>
#include <string.h>

#include "axvcpu/arch.h"

int axv_sized_copy(const struct axvm *vm, const char *what, void *own, size_t own_size,
		   const void *given)
{
	const unsigned char *bytes = given;
	size_t size;

	memset(own, 0, own_size);
	if (!given) {
		memcpy(own, &own_size, sizeof(own_size));
		return 0;
	}
	memcpy(&size, given, sizeof(size));
	if (size < sizeof(size))
		return axvcpu_fail(vm, -EINVAL,
				   "%s: size is %zu; initialise the struct with its *_INIT macro",
				   what, size);
	if (size > SIZED_MAX)
		return axvcpu_fail(vm, -E2BIG, "%s: size is %zu; the maximum is %d", what, size,
				   SIZED_MAX);
	for (size_t i = own_size; i < size; i++)
		if (bytes[i])
			return axvcpu_fail(
				vm, -E2BIG,
				"%s: byte %zu is non-zero, but this library version does not know "
				"that field",
				what, i);
	memcpy(own, given, size < own_size ? size : own_size);
	memcpy(own, &own_size, sizeof(own_size));
	return 0;
}

int axv_sized_check(const struct axvm *vm, const char *what, const void *given)
{
	size_t size;

	memcpy(&size, given, sizeof(size));
	if (size <= sizeof(size))
		return axvcpu_fail(vm, -EINVAL,
				   "%s: size is %zu; initialise the struct with its *_INIT macro",
				   what, size);
	return 0;
}

void axv_sized_give(void *given, const void *own)
{
	size_t size, own_size;

	memcpy(&size, given, sizeof(size));
	memcpy(&own_size, own, sizeof(own_size));
	if (size > own_size)
		size = own_size;
	memcpy((unsigned char *)given + sizeof(size), (const unsigned char *)own + sizeof(size),
	       size - sizeof(size));
}
