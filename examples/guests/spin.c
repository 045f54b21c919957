/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * spin [TEXT...]: prints its arguments, without a newline, and loops forever, to test --timeout and
 * ^C.
 */
#include "arch.h"
#include "runtime/guest.h"

int guest_main(void)
{
	guest_print(guest_args());
	for (;;)
		guest_relax();
}
