/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The sorted ranges of devices: look-ups in one version, and new versions. */
#include <errno.h>

#include "lib/host/sys.h"
#include "lib/machine/devices.h"

/* Returns the number of ranges that begin at or below 'addr'. */
static size_t count_below(const struct axv_device_table *table, uint64_t addr)
{
	size_t low = 0, high = table ? table->count : 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (table->keys[mid].base <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct axv_range *axv_device_find(const struct axv_device_table *table, uint64_t addr,
					unsigned int width)
{
	size_t n = count_below(table, addr);
	const struct axv_range *range = n ? table->keys[n - 1].range : NULL;

	if (range && addr - range->live.base < range->live.offsets[width % WIDTHS])
		return range;
	return NULL;
}

const struct axv_range *axv_device_overlap(const struct axv_device_table *table, uint64_t base,
					   uint64_t last)
{
	size_t n = count_below(table, last);
	const struct axv_range *range = n ? table->keys[n - 1].range : NULL;

	/* The last range that begins there: an earlier one ends before it. */
	if (range && (range->live.base >= base || base - range->live.base < range->len))
		return range;
	return NULL;
}

static struct axv_device_table *table_new(size_t count)
{
	struct axv_device_table *table = axv_sys_calloc(1, sizeof(*table) +
								   count * sizeof(table->keys[0]));

	return table;
}

static void insert(struct axv_device_table *table, struct axv_range *range)
{
	size_t i = table->count++;

	for (; i && table->keys[i - 1].base > range->live.base; i--)
		table->keys[i] = table->keys[i - 1];
	table->keys[i] = (struct axv_device_key){ range->live.base, range };
}

static size_t count_in(const struct axvm_device *device, uint32_t space)
{
	size_t count = 0;

	for (size_t i = 0; i < device->nranges; i++)
		count += device->ranges[i].space == space;
	return count;
}

int axv_device_table_with(const struct axv_device_table *old, struct axvm_device *device,
			  uint32_t space, struct axv_device_table **out)
{
	size_t count = old ? old->count : 0;
	struct axv_device_table *table = table_new(count + count_in(device, space));

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		table->keys[table->count++] = old->keys[i];
	for (size_t i = 0; i < device->nranges; i++)
		if (device->ranges[i].space == space)
			insert(table, &device->ranges[i]);
	*out = table;
	return 0;
}

int axv_device_table_without(const struct axv_device_table *old, const struct axvm_device *device,
			     uint32_t space, struct axv_device_table **out)
{
	size_t count = old->count - count_in(device, space);
	struct axv_device_table *table;

	if (!count) {
		*out = NULL;
		return 0;
	}
	table = table_new(count);
	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < old->count; i++)
		if (old->keys[i].range->live.device != device)
			table->keys[table->count++] = old->keys[i];
	*out = table;
	return 0;
}
