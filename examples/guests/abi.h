/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The interface between axrun and its guests: the boot page and the devices. Described in
 * docs/guests.md.
 *
 * The guest gets the guest-physical address of the boot page in rdi (x86_64), x1 (arm64) or a2
 * (riscv64). Everything is little-endian. Later versions only append fields; `size` tells which
 * exist.
 */
#ifndef GUEST_ABI_H
#define GUEST_ABI_H

#include <stdint.h>

/* "axguest\0", in memory order. */
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
	/* Size of this structure in bytes. */
	uint32_t size;
	/*
	 * The arguments, joined by blanks: offset in this page, and length without the final NUL.
	 */
	uint32_t args_offset;
	uint32_t args_len;
	/* Number of elements of `memory` in use. */
	uint32_t nranges;
	uint32_t reserved;
	/* Address of the test device's MMIO registers. */
	uint64_t test_gpa;
	/*
	 * Memory that the guest must not overwrite: this page, the first stack, the first page
	 * tables, the device tree.
	 */
	struct guest_range boot;
	/* All memory, in ascending order; it includes the guest's image and `boot`. */
	struct guest_range memory[GUEST_RANGES];
	/* Version 2: number of CPUs. They are numbered from 0; CPU 0 runs at the start. */
	uint32_t ncpus;
	/* GUEST_IRQCHIP_* */
	uint32_t irqchip;
	/* Version 3. riscv64: frequency of `time` in Hz. 0 elsewhere: the CPU itself has it. */
	uint64_t timer_hz;
};

/* No interrupt controller: axrun injects interrupts, and there is the timer device. */
#define GUEST_IRQCHIP_NONE 0u
/* The architecture's usual controllers: LAPICs, IOAPIC and PICs; a GIC; an AIA. */
#define GUEST_IRQCHIP_KERNEL 1u
/* x86_64: only the LAPICs. */
#define GUEST_IRQCHIP_SPLIT 2u

/* Size of the rest of the page, for the arguments and their final NUL. */
#define GUEST_ARGS_MAX (GUEST_PAGE_SIZE - sizeof(struct guest_boot))

/*
 * The I/O ports of an x86_64 machine: an 8250, the exit device, the test device, the byte queue,
 * the power device, the checkpoint device, the timers, and the doorbell for hypercalls. The doorbell's port fits into the
 * instruction, as dx holds an argument.
 */
#define GUEST_PORT_CONSOLE 0x3f8u
#define GUEST_PORT_EXIT 0xf4u
#define GUEST_PORT_TEST 0x500u
#define GUEST_PORT_QUEUE 0x530u
#define GUEST_PORT_POWER 0x540u
#define GUEST_PORT_CHECKPOINT 0x550u
#define GUEST_PORT_TIMER 0x600u
#define GUEST_PORT_DOORBELL 0xe0u

/*
 * The arm64 and riscv64 machines have these devices as MMIO, as there are no ports. No other
 * devices are in the lowest 2 GiB. The UART has adjacent byte registers.
 */
#define GUEST_GPA_CONSOLE 0x10000000u
#define GUEST_GPA_EXIT 0x10001000u
#define GUEST_GPA_QUEUE 0x10002000u
#define GUEST_GPA_TIMER 0x10003000u
#define GUEST_GPA_TEST 0x10004000u
#define GUEST_GPA_CHECKPOINT 0x10006000u

/* Addresses of RAM and interrupt controllers on these machines. */
#define GUEST_GPA_RAM 0x80000000u
#define GUEST_GPA_GICD 0x08000000u /* arm64: the distributor */
#define GUEST_GPA_GICC 0x08010000u /* GICv2: the CPU interface */
#define GUEST_GPA_GITS 0x08080000u /* GICv3: the ITS */
#define GUEST_GPA_GICR 0x080a0000u /* GICv3: the redistributors, in CPU order */
#define GUEST_GPA_APLIC 0x0c000000u /* riscv64: the APLIC */
#define GUEST_GPA_IMSIC 0x28000000u /* and the IMSICs, one page per CPU */

/* The console's interrupt, if there is a controller: an SPI of the GIC or a source of the APLIC. */
#define GUEST_GSI_CONSOLE 1u
/*
 * The same on x86_64, with GUEST_IRQCHIP_KERNEL: a pin of the IOAPIC. It is not routed to the PICs.
 */
#define GUEST_GSI_COM1 4u

/*
 * A Linux kernel's generation id: its interrupt, an edge; and on arm64 and riscv64 its page, which
 * is memory, but none of the ranges of memory. On x86_64 the page is in the memory below 1 MiB.
 */
#define GUEST_GSI_GENERATION 2u
#define GUEST_GSI_GENERATION_X86 5u
#define GUEST_GPA_GENERATION 0x10010000u

/* The test device: 8 KiB of MMIO; the first 32 bytes are also I/O ports. */
#define GUEST_TEST_SIZE 0x2000u
#define GUEST_TEST_PORTS 0x20u

/* Its registers, by offset. All widths and alignments are allowed; numbers are little-endian. */
#define GUEST_TEST_ID 0x00u /* 4 bytes, read-only: GUEST_TEST_MAGIC */
#define GUEST_TEST_WIDTH 0x04u /* 4 bytes, read-only: width in bytes of the latest write */
#define GUEST_TEST_WRITES 0x08u /* 8 bytes, read-only: number of writes, including this one */
#define GUEST_TEST_SCRATCH 0x10u /* from here to the end: keeps the bytes written */

#define GUEST_TEST_MAGIC 0x54535854u /* "TXST" */

/* The byte queue: bytes are read back in the order of the writes. Each access takes effect once. */
#define GUEST_QUEUE_DATA 0x00u /* a write of n bytes appends n bytes, a read removes n bytes */
#define GUEST_QUEUE_LENGTH 0x04u /* 4 bytes: number of bytes in the queue; any write empties it */
#define GUEST_QUEUE_SIZE 0x08u
#define GUEST_QUEUE_MAX 65536u /* capacity; further bytes are dropped */
#define GUEST_QUEUE_NOTHING 0xeeu /* read from an empty queue */

/*
 * x86_64: the power device, with the one-byte registers of hardware-reduced ACPI. Sleep states
 * other than power-off are ignored.
 */
#define GUEST_POWER_SLEEP 0x00u /* write GUEST_POWER_OFF */
#define GUEST_POWER_STATUS 0x01u /* reads 0 */
#define GUEST_POWER_RESET 0x02u /* write GUEST_POWER_RESET_VALUE */
#define GUEST_POWER_SIZE 0x04u
#define GUEST_POWER_OFF_STATE 5u /* S5 */
#define GUEST_POWER_OFF (1u << 5 | GUEST_POWER_OFF_STATE << 2)
#define GUEST_POWER_RESET_VALUE 1u

/*
 * The checkpoint device. A write to the doorbell is where axrun saves the machine (--save-at
 * doorbell), or takes a checkpoint and later returns to it (--repeat); otherwise it has no effect.
 * In a restored machine the guest continues behind that write.
 */
#define GUEST_CHECKPOINT_DOORBELL 0x00u /* 4 bytes, write-only: any value */
#define GUEST_CHECKPOINT_RESTORED 0x04u /* 4 bytes, read-only: how often this state was restored */
#define GUEST_CHECKPOINT_SIZE 0x08u

/*
 * The timers, without an interrupt controller. The registers of CPU n are at offset n times 16. All
 * have 4 bytes.
 */
#define GUEST_TIMER_VECTOR 0x00u /* the interrupt number that the CPU gets */
#define GUEST_TIMER_ONCE 0x04u /* one-shot delay in microseconds; 0: off */
#define GUEST_TIMER_EVERY 0x08u /* period in microseconds, at least 100; 0: off */
/*
 * arm64 and riscv64, where a CPU has an interrupt line without a number: a read takes the CPU's
 * pending interrupt with the highest number, a write of n makes interrupt n pending. The line is
 * high while any is pending.
 */
#define GUEST_TIMER_INTERRUPT 0x0cu
#define GUEST_TIMER_NOTHING 0xffffffffu /* none is pending */
#define GUEST_TIMER_SIZE 0x10u

/*
 * Hypercalls have up to six arguments and one result. x86_64: by the doorbell. arm64: by HVC; call
 * n, up to 0xffff, is function GUEST_SMCCC_BASE + n. riscv64: by ECALL; call n is function n of SBI
 * extension GUEST_SBI_EXTENSION, the result is the value, and the error is always 0.
 */
#define GUEST_SMCCC_BASE 0xc3000000u /* 64-bit fast calls of the OEM service */
#define GUEST_SBI_EXTENSION 0x08415852u /* in the experimental range */
#define GUEST_CALL_ADD 1u /* returns the sum of the first two arguments */
#define GUEST_CALL_PICK 2u /* argument n, where n is argument 0; or GUEST_CALL_ERROR */
#define GUEST_CALL_CPU 3u /* returns the number of the calling CPU */
#define GUEST_CALL_ERROR UINT64_C(0xfffffffffffffc18) /* -1000: unknown call */
/*
 * For examples/fuzz; axrun does not know it. The arguments: the address of a struct guest_input,
 * the size of its `bytes`, the address of the coverage counters, and their number. The counters
 * have one byte each. The call returns 0 for each input, with the guest in the same state each time.
 */
#define GUEST_CALL_FUZZ 0x46u

struct guest_input {
	/* Number of bytes in use. */
	uint64_t len;
	uint8_t bytes[GUEST_PAGE_SIZE - sizeof(uint64_t)];
};

/* System registers that axrun emulates: MSRs of x86_64. Accesses to others fault. */
#define GUEST_SYSREG_BASE 0x4f584100u
#define GUEST_SYSREG_ID 0u /* read-only: GUEST_SYSREG_MAGIC */
#define GUEST_SYSREG_SCRATCH 1u /* keeps the value written; one per CPU */
#define GUEST_SYSREG_SHARED 2u /* likewise, but shared by all CPUs */
#define GUEST_SYSREGS 8u /* the rest of the range faults */
#define GUEST_SYSREG_MAGIC UINT64_C(0x5347455258415858) /* "XXAXREGS" */

/* riscv64: the CSR of the entropy source (Zkr), if the hypervisor forwards it to axrun. */
#define GUEST_CSR_SEED 0x015u
#define GUEST_SEED_STATE 0xc0000000u /* state of the source */
#define GUEST_SEED_BUSY 0x40000000u /* no entropy now, try again */
#define GUEST_SEED_READY 0x80000000u /* the low 16 bits are entropy */

#endif
