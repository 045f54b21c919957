/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Binding a thread to host CPUs, with CPU sets of any size. */
#include "lib/host/affinity.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "axvcpu/vcpu.h"
#include "lib/base/cancel.h"
#include "lib/host/sys.h"
#include "lib/machine/object.h"

/* A cpu_set_t is an array of unsigned long, whatever its size. */
#define WORD_BITS (sizeof(unsigned long) * CHAR_BIT)
/* The kernel knows no more than 8192 CPUs; leave it room to grow. */
#define SET_SIZE_MAX (UINT32_C(1) << 16)

static bool set_has(const unsigned char *set, size_t size, unsigned int cpu)
{
	unsigned long word;
	size_t at = cpu / WORD_BITS * sizeof(word);

	if (at + sizeof(word) > size)
		return false;
	memcpy(&word, set + at, sizeof(word));
	return word >> cpu % WORD_BITS & 1;
}

int axv_affinity_init(const struct axvm *vm, struct axv_affinity *affinity,
		      const struct axvcpu_config *config)
{
	size_t size = config->cpu_set_size;
	bool empty = true;

	if (!config->cpu_set)
		return size ? axvcpu_fail(vm, -EINVAL, "vCPU %u: cpu_set is NULL, its size is %zu",
					  config->id, size)
			    : 0;
	if (!size || size > SET_SIZE_MAX || size % sizeof(unsigned long))
		return axvcpu_fail(vm, -EINVAL,
				   "vCPU %u: a cpu_set of %zu bytes is not a cpu_set_t", config->id,
				   size);
	affinity->set = axv_sys_calloc(1, size);
	if (!affinity->set)
		return axvcpu_fail(vm, -ENOMEM, "vCPU %u: cpu_set", config->id);
	memcpy(affinity->set, config->cpu_set, size);
	affinity->set_size = size;
	for (size_t i = 0; i < size; i++)
		empty = empty && !affinity->set[i];
	if (empty) {
		axv_affinity_destroy(affinity);
		return axvcpu_fail(vm, -EINVAL, "vCPU %u: cpu_set is empty", config->id);
	}
	return 0;
}

void axv_affinity_destroy(struct axv_affinity *affinity)
{
	free(affinity->set);
	free(affinity->saved);
	*affinity = (struct axv_affinity){ 0 };
}

/* The hooks, by a thread that is inside the vCPU. */
static int get_affinity(const struct axvm *vm, void *set, size_t size)
{
	int cancel = axv_cancel_disable();
	int ret = vm->hal.get_affinity(vm->hal.ctx, set, size);

	axv_cancel_restore(cancel);
	return ret;
}

static int set_affinity(const struct axvm *vm, const void *set, size_t size)
{
	int cancel = axv_cancel_disable();
	int ret = vm->hal.set_affinity(vm->hal.ctx, set, size);

	axv_cancel_restore(cancel);
	return ret;
}

/* The kernel's own width of a set is found by trying. */
static int save(const struct axvm *vm, struct axv_affinity *affinity)
{
	int ret = -EINVAL;

	for (size_t size = 128; ret == -EINVAL && size <= SET_SIZE_MAX; size *= 2) {
		unsigned char *set = axv_sys_calloc(1, size);

		if (!set)
			return axvcpu_fail(vm, -ENOMEM, "saving the thread's CPU set");
		ret = get_affinity(vm, set, size);
		if (!ret) {
			/* One is left from a bind whose roll-back failed, too. */
			free(affinity->saved);
			affinity->saved = set;
			affinity->saved_size = size;
			return 0;
		}
		free(set);
	}
	return axvcpu_fail(vm, ret, "reading the thread's CPU set");
}

static int pin_to_favor(const struct axvm *vm, const struct axv_affinity *affinity,
			unsigned int favor)
{
	size_t size = (favor / WORD_BITS + 1) * sizeof(unsigned long);
	unsigned long *set;
	int ret;

	if (affinity->set && !set_has(affinity->set, affinity->set_size, favor))
		return -EINVAL;
	set = axv_sys_calloc(1, size);
	if (!set)
		return -ENOMEM;
	set[favor / WORD_BITS] = 1ul << favor % WORD_BITS;
	ret = set_affinity(vm, set, size);
	free(set);
	return ret;
}

int axv_affinity_pin(const struct axvm *vm, struct axv_affinity *affinity, int favor)
{
	int ret = -EINVAL;

	if (favor < 0 && !affinity->set)
		return 0;
	/* Left by a roll-back that failed, perhaps in another thread. */
	free(affinity->saved);
	affinity->saved = NULL;
	ret = save(vm, affinity);
	if (ret)
		return ret;
	ret = -EINVAL;
	if (favor >= 0)
		ret = pin_to_favor(vm, affinity, (unsigned int)favor);
	/* Only a CPU that may not be used falls back to the set. */
	if (ret == -EINVAL && affinity->set)
		ret = set_affinity(vm, affinity->set, affinity->set_size);
	else if (ret == -EINVAL)
		ret = 0; /* a wish that cannot be granted, and no set: any CPU will do */
	if (!ret)
		return 0;
	free(affinity->saved);
	affinity->saved = NULL;
	return axvcpu_fail(vm, ret, "pinning the thread%s",
			   ret == -EINVAL ? ": it may use no CPU of the vCPU's cpu_set" : "");
}

/* All CPUs, of which the kernel gives the thread those that its cpuset has. */
static int unpin(const struct axvm *vm, size_t size)
{
	unsigned char *all = axv_sys_calloc(1, size);
	int ret;

	if (!all)
		return -ENOMEM;
	memset(all, 0xff, size);
	ret = set_affinity(vm, all, size);
	free(all);
	return ret;
}

int axv_affinity_restore(const struct axvm *vm, struct axv_affinity *affinity)
{
	int ret;

	if (!affinity->saved)
		return 0;
	ret = set_affinity(vm, affinity->saved, affinity->saved_size);
	/* The cpuset has lost all of them since bind. */
	if (ret == -EINVAL)
		ret = unpin(vm, affinity->saved_size);
	if (ret)
		return axvcpu_fail(vm, ret, "giving the thread its CPU set back");
	free(affinity->saved);
	affinity->saved = NULL;
	return 0;
}
