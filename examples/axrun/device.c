/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "device.h"

#include "message.h"

int device_add(struct axvm *vm, struct axvm_device_config config, struct place place, uint64_t len)
{
	const struct axvm_device_range range = {
		.base = place.base,
		.len = len,
		.space = place.space,
	};

	config.ranges = &range;
	config.nranges = 1;
	if (axvm_add_device(vm, &config, NULL))
		return fail("cannot add a device: %s", axvcpu_last_error());
	return 0;
}
