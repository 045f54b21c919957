/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* hello [ARG...]: prints a greeting and its arguments. */
#include "runtime/guest.h"

int guest_main(void)
{
	guest_print("Hello from a guest on ");
	guest_print(guest_arch);
	guest_print("!\n");
	if (*guest_args()) {
		guest_print("Arguments: ");
		guest_print(guest_args());
		guest_print("\n");
	}
	return 0;
}
