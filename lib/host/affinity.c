/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Pins a thread to host CPUs, with CPU sets of any size. */
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

/* A cpu_set_t of any size is an array of unsigned long. */
#define WORD_BITS (sizeof(unsigned long) * CHAR_BIT)
/* Exceeds the kernel's limit of 8192 CPUs, with room to grow. */
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

	if (!config->cpu_set && size)
		return axvcpu_fail(vm, -EINVAL, "vCPU %u: cpu_set is NULL but cpu_set_size is %zu",
				   config->id, size);
	if (!config->cpu_set)
		return 0;
	if (!size || size > SET_SIZE_MAX || size % sizeof(unsigned long))
		return axvcpu_fail(vm, -EINVAL,
				   "vCPU %u: cpu_set_size is %zu, which is not a cpu_set_t's size",
				   config->id, size);
	affinity->set = axv_sys_calloc(1, size);
	if (!affinity->set)
		return axvcpu_fail(vm, -ENOMEM, "vCPU %u: allocating its cpu_set", config->id);
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

/* The HAL hooks; called inside an operation on the vCPU, so without cancellation. */
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

/* Finds the kernel's CPU set size by trying larger ones: -EINVAL means too small. */
static int save(const struct axvm *vm, struct axv_affinity *affinity)
{
	int ret = -EINVAL;

	for (size_t size = 128; ret == -EINVAL && size <= SET_SIZE_MAX; size *= 2) {
		unsigned char *set = axv_sys_calloc(1, size);

		if (!set)
			return axvcpu_fail(vm, -ENOMEM, "saving the thread's CPU set");
		ret = get_affinity(vm, set, size);
		if (!ret) {
			/* An earlier bind whose rollback failed may have left one. */
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
	/* A failed rollback, perhaps in another thread, may have left one. */
	free(affinity->saved);
	affinity->saved = NULL;
	ret = save(vm, affinity);
	if (ret)
		return ret;
	ret = -EINVAL;
	if (favor >= 0)
		ret = pin_to_favor(vm, affinity, (unsigned int)favor);
	/* If the favoured CPU is not usable, the set is used; other errors are returned. */
	if (ret == -EINVAL && affinity->set)
		ret = set_affinity(vm, affinity->set, affinity->set_size);
	else if (ret == -EINVAL)
		ret = 0; /* not usable, and no set: any CPU will do */
	if (!ret)
		return 0;
	free(affinity->saved);
	affinity->saved = NULL;
	return axvcpu_fail(vm, ret, "pinning the thread%s",
			   ret == -EINVAL ? ": no CPU of the vCPU's cpu_set is usable" : "");
}

/* Requests all CPUs: the kernel reduces that to those of the thread's cpuset. */
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
	/* The thread's cpuset has lost all of these CPUs since bind. */
	if (ret == -EINVAL)
		ret = unpin(vm, affinity->saved_size);
	if (ret)
		return axvcpu_fail(vm, ret, "restoring the thread's CPU set");
	free(affinity->saved);
	affinity->saved = NULL;
	return 0;
}
