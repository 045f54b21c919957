/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * What axrun and its guests agree on: the boot page and the devices. docs/guests.md is the prose.
 *
 * The guest finds the guest-physical address of the boot page in rdi (x86_64), x1 (arm64) or a2
 * (riscv64). Everything is little-endian. A later version only appends fields; `size` tells which there are.
 */
#ifndef GUEST_ABI_H
#define GUEST_ABI_H

#include <stdint.h>

/* "axguest\0", as the bytes lie in memory. */
#define GUEST_BOOT_MAGIC UINT64_C(0x0074736575677861)
#define GUEST_BOOT_VERSION 3u

#define GUEST_PAGE_SIZE 4096u
#define GUEST_RANGES 4
#define GUEST_CPUS_MAX 64u

struct guest_range {
	uint64_t gpa;
	uint64_t size;
};

struct guest_boot {
	uint64_t magic;
	uint32_t version;
	/* Bytes of this structure. */
	uint32_t size;
	/* The arguments, joined by blanks: where in this page, how long without the final NUL. */
	uint32_t args_offset;
	uint32_t args_len;
	/* Used elements of `memory`. */
	uint32_t nranges;
	uint32_t reserved;
	/* Where the test device has its MMIO registers. */
	uint64_t test_gpa;
	/*
	 * Memory not to be overwritten: this page, the first stack, the first page tables, the
	 * device tree.
	 */
	struct guest_range boot;
	/* All memory, ascending; the guest's own image and `boot` lie in it. */
	struct guest_range memory[GUEST_RANGES];
	/* Version 2: CPUs, numbered from 0, of which the first runs. */
	uint32_t ncpus;
	/* GUEST_IRQCHIP_* */
	uint32_t irqchip;
	/* Version 3. riscv64: how often `time` counts in a second. 0: the CPU itself knows. */
	uint64_t timer_hz;
};

/* Nobody: interrupts come as axrun injects them. There is the timer device. */
#define GUEST_IRQCHIP_NONE 0u
/* All that this architecture usually has: LAPICs, IOAPIC, PICs; a GIC; an AIA. */
#define GUEST_IRQCHIP_KERNEL 1u
/* x86_64: only the LAPICs. */
#define GUEST_IRQCHIP_SPLIT 2u

/* What is left of the page for the arguments, with their final NUL. */
#define GUEST_ARGS_MAX (GUEST_PAGE_SIZE - sizeof(struct guest_boot))

/*
 * The I/O ports of an x86_64 machine: an 8250, the exit device, the test device, the byte queue,
 * the power device, the timers, and the doorbell for hypercalls. The last one fits into the
 * instruction: the register for ports is an argument.
 */
#define GUEST_PORT_CONSOLE 0x3f8u
#define GUEST_PORT_EXIT 0xf4u
#define GUEST_PORT_TEST 0x500u
#define GUEST_PORT_QUEUE 0x530u
#define GUEST_PORT_POWER 0x540u
#define GUEST_PORT_TIMER 0x600u
#define GUEST_PORT_DOORBELL 0xe0u

/*
 * The arm64 and riscv64 machines have no ports, and these devices in memory: the lowest 2 GiB have
 * no other. The UART's registers are bytes, one after the other.
 */
#define GUEST_GPA_CONSOLE 0x10000000u
#define GUEST_GPA_EXIT 0x10001000u
#define GUEST_GPA_QUEUE 0x10002000u
#define GUEST_GPA_TIMER 0x10003000u
#define GUEST_GPA_TEST 0x10004000u

/* There, RAM and the interrupt controllers are here. */
#define GUEST_GPA_RAM 0x80000000u
#define GUEST_GPA_GICD 0x08000000u /* arm64: the distributor */
#define GUEST_GPA_GICC 0x08010000u /* GICv2: the CPU interface */
#define GUEST_GPA_GITS 0x08080000u /* GICv3: the ITS */
#define GUEST_GPA_GICR 0x080a0000u /* GICv3: the redistributors, CPU by CPU */
#define GUEST_GPA_APLIC 0x0c000000u /* riscv64: the APLIC */
#define GUEST_GPA_IMSIC 0x28000000u /* and the IMSICs, a page for each CPU */

/* The console's interrupt, if there is a controller: this SPI of the GIC, this source of the APLIC. */
#define GUEST_GSI_CONSOLE 1u
/* On x86_64, with GUEST_IRQCHIP_KERNEL: this pin of the IOAPIC. The PICs have none. */
#define GUEST_GSI_COM1 4u

/* The test device: 8 KiB by MMIO, of which the first 32 bytes are also ports. */
#define GUEST_TEST_SIZE 0x2000u
#define GUEST_TEST_PORTS 0x20u

/* Its registers, by offset. All widths and alignments are allowed; bytes are little-endian. */
#define GUEST_TEST_ID 0x00u /* 4 bytes, read-only: GUEST_TEST_MAGIC */
#define GUEST_TEST_WIDTH 0x04u /* 4 bytes, read-only: width of the latest write in bytes */
#define GUEST_TEST_WRITES 0x08u /* 8 bytes, read-only: how many writes there were, this one too */
#define GUEST_TEST_SCRATCH 0x10u /* from here to the end: keeps what is written */

#define GUEST_TEST_MAGIC 0x54535854u /* "TXST" */

/* The byte queue: what is written comes out again, in order. Each access counts by itself. */
#define GUEST_QUEUE_DATA 0x00u /* as many bytes as the access has: puts them in, takes them out */
#define GUEST_QUEUE_LENGTH 0x04u /* 4 bytes: how many are in it; a write of anything empties it */
#define GUEST_QUEUE_SIZE 0x08u
#define GUEST_QUEUE_MAX 65536u /* what does not fit is lost */
#define GUEST_QUEUE_NOTHING 0xeeu /* what comes out of an empty one */

/*
 * x86_64: the power device, with the registers of ACPI's hardware-reduced machines, of a byte each.
 * Others than the state for power-off do nothing.
 */
#define GUEST_POWER_SLEEP 0x00u /* write GUEST_POWER_OFF */
#define GUEST_POWER_STATUS 0x01u /* reads 0 */
#define GUEST_POWER_RESET 0x02u /* write GUEST_POWER_RESET_VALUE */
#define GUEST_POWER_SIZE 0x04u
#define GUEST_POWER_OFF_STATE 5u /* S5 */
#define GUEST_POWER_OFF (1u << 5 | GUEST_POWER_OFF_STATE << 2)
#define GUEST_POWER_RESET_VALUE 1u

/*
 * The timers, without an interrupt controller: CPU n has its own n times 16 further. All registers
 * have 4 bytes.
 */
#define GUEST_TIMER_VECTOR 0x00u /* which interrupt the CPU gets */
#define GUEST_TIMER_ONCE 0x04u /* in so many microseconds; 0: never */
#define GUEST_TIMER_EVERY 0x08u /* every so many microseconds, at least 100; 0: never */
/*
 * arm64 and riscv64, where a CPU has an interrupt line but gets no number with it: a read takes the
 * highest of the interrupts that wait for the CPU, a write of n lets interrupt n wait for it. The
 * line is up while any does.
 */
#define GUEST_TIMER_INTERRUPT 0x0cu
#define GUEST_TIMER_NOTHING 0xffffffffu /* none waits */
#define GUEST_TIMER_SIZE 0x10u

/*
 * Hypercalls: up to six arguments, one result. x86_64: by the doorbell. arm64: by HVC, call n is
 * the function GUEST_SMCCC_BASE + n, up to 0xffff. riscv64: by ECALL, call n is the function n of
 * the SBI extension GUEST_SBI_EXTENSION; the result is the value, and there is no error.
 */
#define GUEST_SMCCC_BASE 0xc3000000u /* fast calls, 64 bits, of the OEM */
#define GUEST_SBI_EXTENSION 0x08415852u /* experimental */
#define GUEST_CALL_ADD 1u /* the sum of the first two arguments */
#define GUEST_CALL_PICK 2u /* argument n, if n is the first; GUEST_CALL_ERROR if there is none */
#define GUEST_CALL_CPU 3u /* the number of the CPU that calls */
#define GUEST_CALL_ERROR UINT64_C(0xfffffffffffffc18) /* -1000: no such call */

/* System registers that are axrun's: MSRs of x86_64. An access to one that is not there faults. */
#define GUEST_SYSREG_BASE 0x4f584100u
#define GUEST_SYSREG_ID 0u /* read-only: GUEST_SYSREG_MAGIC */
#define GUEST_SYSREG_SCRATCH 1u /* keeps what is written; each CPU has its own */
#define GUEST_SYSREG_SHARED 2u /* likewise, but all CPUs have this one together */
#define GUEST_SYSREGS 8u /* the others fault */
#define GUEST_SYSREG_MAGIC UINT64_C(0x5347455258415858) /* "XXAXREGS" */

/* riscv64: the CSR of the entropy source, where the hypervisor leaves it to axrun (Zkr). */
#define GUEST_CSR_SEED 0x015u
#define GUEST_SEED_STATE 0xc0000000u /* what state the source is in */
#define GUEST_SEED_BUSY 0x40000000u /* there is nothing now */
#define GUEST_SEED_READY 0x80000000u /* the low 16 bits are entropy */

#endif
