/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "riscv64_guest.h"

#include <errno.h>

bool riscv64_host_has_aia(void)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm *vm;

	config.irqchip = AXVM_IRQCHIP_KERNEL;
	if (axvm_new(&config, &vm))
		return false;
	axvm_free(vm);
	return true;
}
