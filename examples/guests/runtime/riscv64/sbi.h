/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Supervisor Binary Interface (SBI): calls by ECALL. */
#ifndef GUEST_SBI_H
#define GUEST_SBI_H

#include "arch.h"

#define SBI_BASE 0x10u
#define SBI_PROBE_EXTENSION 3u

#define SBI_DBCN 0x4442434eu
#define SBI_CONSOLE_WRITE 0u
#define SBI_CONSOLE_READ 1u
#define SBI_CONSOLE_WRITE_BYTE 2u

#define SBI_TIME 0x54494d45u
#define SBI_SET_TIMER 0u

#define SBI_IPI 0x735049u
#define SBI_SEND_IPI 0u

#define SBI_HSM 0x48534du
#define SBI_HART_START 0u
#define SBI_HART_STOP 1u
#define SBI_HART_STATUS 2u
#define SBI_HART_STOPPED 1u

#define SBI_SRST 0x53525354u
#define SBI_SYSTEM_RESET 0u
#define SBI_SHUTDOWN 0u
#define SBI_COLD_REBOOT 1u

#define SBI_ERROR_INVALID (-3)
#define SBI_ERROR_ALREADY_AVAILABLE (-6)

static inline struct guest_sbi guest_sbi_call(uint64_t extension, uint64_t function, uint64_t a,
					      uint64_t b, uint64_t c)
{
	const uint64_t args[6] = { a, b, c };

	return guest_sbi(extension, function, args);
}

#endif
