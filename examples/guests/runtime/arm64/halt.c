/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "../guest.h"

const char guest_arch[] = "arm64";

_Noreturn void guest_halt(void)
{
	for (;;)
		__asm__ volatile("msr daifset, #15\n\twfi");
}
