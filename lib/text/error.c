/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The failure message: stored per thread, and passed to the VM's log hook. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "axvcpu/arch.h"
#include "lib/base/cancel.h"
#include "lib/machine/object.h"
#include "lib/text/error.h"

static _Thread_local char last_error[256];
_Thread_local unsigned int axv_error_count;

const char *axvcpu_last_error(void)
{
	return last_error;
}

void axv_error_keep(char message[256])
{
	snprintf(message, 256, "%s", last_error);
}

int axvcpu_fail(const struct axvm *vm, int err, const char *fmt, ...)
{
	/* A copy, as an argument may be last_error itself. Leaves room for the errno's name. */
	char text[sizeof(last_error) - 24];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	snprintf(last_error, sizeof(last_error), "%s (%s)", text, axvcpu_error_name(err));
	axv_error_count++;
	if (vm && vm->hal.log) {
		int state = axv_cancel_disable();

		vm->hal.log(vm->hal.ctx, AXVCPU_LOG_ERROR, last_error);
		axv_cancel_restore(state);
	}
	return err;
}
