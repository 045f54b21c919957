/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file riscv64.h
 * Options of riscv64 guests: the AIA, extensions of the instruction set and of SBI.
 *
 * The id of a vCPU is its hart id, which the guest receives in a0. vCPU 0 is on. The others wait in
 * the kernel until the guest starts them by the HSM extension of SBI, and wait again after they
 * stop themselves. axvcpu_power() returns ON for them, as the guest controls their power.
 * axvcpu_reset() starts one without the guest. A vCPU with AXVCPU_F_START_OFF waits for
 * axvcpu_start() instead.
 */
#ifndef AXVCPU_RISCV64_H
#define AXVCPU_RISCV64_H

#include <stddef.h>
#include <stdint.h>

#include <axvcpu/init.h>
#include <axvcpu/regs.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- the VM ---------------------------------------------------------------------------------- */

/** Implementation of the IMSICs. */
enum axvm_riscv64_aia_mode {
	/** By the IMSICs of the host if they have guest interrupt files, otherwise emulated. */
	AXVM_RISCV64_AIA_AUTO = 0,
	/** Emulated: every access leaves the guest. */
	AXVM_RISCV64_AIA_EMUL = 1,
	/**
	 * By the IMSICs of the host only. FAIL_ENTRY if there are not enough guest interrupt files.
	 */
	AXVM_RISCV64_AIA_HWACCEL = 2,
};

/**
 * The in-kernel AIA: `arch_config` of struct axvm_config. Initialise with AXVM_RISCV64_CONFIG_INIT.
 *
 * It is used with AXVM_IRQCHIP_KERNEL. Otherwise all its members must be 0.
 */
struct axvm_riscv64_config {
	/** sizeof(struct axvm_riscv64_config) */
	size_t size;
	/**
	 * Guest-physical address of the APLIC (16 KiB), which takes wired interrupts: a multiple of
	 * 4 KiB; 0: 0x0c000000.
	 */
	uint64_t aplic_gpa;
	/**
	 * Guest-physical address of the IMSIC of the first hart, which takes messages; the IMSIC of
	 * each following hart is 4 KiB further. A multiple of 4 KiB << hart_bits; 0: 0x28000000.
	 */
	uint64_t imsic_gpa;
	/** enum axvm_riscv64_aia_mode */
	uint32_t mode;
	/**
	 * Number of sources (wired interrupts) of the APLIC, which are numbered from 1. At most
	 * 1023 and at most `ids`; 0: 96, or `ids` if that is less.
	 */
	uint32_t sources;
	/**
	 * Number of message identities of each IMSIC, which are numbered from 1: 63, 127 and so on
	 * to 2047; 0: 255, or the number of the host's IMSICs if that is less. With an IMSIC that
	 * KVM emulates, guests can use only identities whose lower 6 bits are below 32, as KVM
	 * loses writes to the upper halves of its registers.
	 */
	uint32_t ids;
	/**
	 * Number of address bits of an IMSIC that select the hart; 0: as many as max_vcpus needs.
	 */
	uint32_t hart_bits;
};
#define AXVM_RISCV64_CONFIG_INIT AXVCPU_INIT(struct axvm_riscv64_config)

/* --- the vCPU -------------------------------------------------------------------------------- */

/**
 * Extensions of the instruction set in the order of KVM's numbers (KVM_RISCV_ISA_EXT_*, up to Linux
 * 7.0), each as X(NAME, "name").
 */
#define AXVCPU_RISCV64_ISA_EXTENSIONS(X) \
	X(A, "a") \
	X(C, "c") \
	X(D, "d") \
	X(F, "f") \
	X(H, "h") \
	X(I, "i") \
	X(M, "m") \
	X(SVPBMT, "svpbmt") \
	X(SSTC, "sstc") \
	X(SVINVAL, "svinval") \
	X(ZIHINTPAUSE, "zihintpause") \
	X(ZICBOM, "zicbom") \
	X(ZICBOZ, "zicboz") \
	X(ZBB, "zbb") \
	X(SSAIA, "ssaia") \
	X(V, "v") \
	X(SVNAPOT, "svnapot") \
	X(ZBA, "zba") \
	X(ZBS, "zbs") \
	X(ZICNTR, "zicntr") \
	X(ZICSR, "zicsr") \
	X(ZIFENCEI, "zifencei") \
	X(ZIHPM, "zihpm") \
	X(SMSTATEEN, "smstateen") \
	X(ZICOND, "zicond") \
	X(ZBC, "zbc") \
	X(ZBKB, "zbkb") \
	X(ZBKC, "zbkc") \
	X(ZBKX, "zbkx") \
	X(ZKND, "zknd") \
	X(ZKNE, "zkne") \
	X(ZKNH, "zknh") \
	X(ZKR, "zkr") \
	X(ZKSED, "zksed") \
	X(ZKSH, "zksh") \
	X(ZKT, "zkt") \
	X(ZVBB, "zvbb") \
	X(ZVBC, "zvbc") \
	X(ZVKB, "zvkb") \
	X(ZVKG, "zvkg") \
	X(ZVKNED, "zvkned") \
	X(ZVKNHA, "zvknha") \
	X(ZVKNHB, "zvknhb") \
	X(ZVKSED, "zvksed") \
	X(ZVKSH, "zvksh") \
	X(ZVKT, "zvkt") \
	X(ZFH, "zfh") \
	X(ZFHMIN, "zfhmin") \
	X(ZIHINTNTL, "zihintntl") \
	X(ZVFH, "zvfh") \
	X(ZVFHMIN, "zvfhmin") \
	X(ZFA, "zfa") \
	X(ZTSO, "ztso") \
	X(ZACAS, "zacas") \
	X(SSCOFPMF, "sscofpmf") \
	X(ZIMOP, "zimop") \
	X(ZCA, "zca") \
	X(ZCB, "zcb") \
	X(ZCD, "zcd") \
	X(ZCF, "zcf") \
	X(ZCMOP, "zcmop") \
	X(ZAWRS, "zawrs") \
	X(SMNPM, "smnpm") \
	X(SSNPM, "ssnpm") \
	X(SVADE, "svade") \
	X(SVADU, "svadu") \
	X(SVVPTC, "svvptc") \
	X(ZABHA, "zabha") \
	X(ZICCRSE, "ziccrse") \
	X(ZAAMO, "zaamo") \
	X(ZALRSC, "zalrsc") \
	X(ZICBOP, "zicbop") \
	X(ZFBFMIN, "zfbfmin") \
	X(ZVFBFMIN, "zvfbfmin") \
	X(ZVFBFWMA, "zvfbfwma") \
	X(ZCLSD, "zclsd") \
	X(ZILSD, "zilsd") \
	X(ZALASR, "zalasr")

/**
 * Extensions of SBI in the order of KVM's numbers (KVM_RISCV_SBI_EXT_*), each as X(NAME, "name").
 */
#define AXVCPU_RISCV64_SBI_EXTENSIONS(X) \
	X(V01, "v01") \
	X(TIME, "time") \
	X(IPI, "ipi") \
	X(RFENCE, "rfence") \
	X(SRST, "srst") \
	X(HSM, "hsm") \
	X(PMU, "pmu") \
	X(EXPERIMENTAL, "experimental") \
	X(VENDOR, "vendor") \
	X(DBCN, "dbcn") \
	X(STA, "sta") \
	X(SUSP, "susp") \
	X(FWFT, "fwft") \
	X(MPXY, "mpxy")

#define AXVCPU_RISCV64_ENUM_(id, name) AXVCPU_RISCV64_ISA_##id,
/** KVM's numbers of instruction set extensions, from AXVCPU_RISCV64_ISA_EXTENSIONS. */
enum axvcpu_riscv64_isa { AXVCPU_RISCV64_ISA_EXTENSIONS(AXVCPU_RISCV64_ENUM_) };
#undef AXVCPU_RISCV64_ENUM_
#define AXVCPU_RISCV64_ENUM_(id, name) AXVCPU_RISCV64_SBI_##id,
/** KVM's numbers of SBI extensions, from AXVCPU_RISCV64_SBI_EXTENSIONS. */
enum axvcpu_riscv64_sbi { AXVCPU_RISCV64_SBI_EXTENSIONS(AXVCPU_RISCV64_ENUM_) };
#undef AXVCPU_RISCV64_ENUM_

/** Enables or disables one extension. */
struct axvcpu_riscv64_extension {
	/** Name of the extension in lower case, as in the lists above; NULL: `id` selects it. */
	const char *name;
	/** KVM's number, for extensions that the lists do not have. */
	uint32_t id;
	/** 1: enabled; 0: disabled. */
	uint32_t on;
};

/**
 * CPU features: `arch` of struct axvcpu_setup_config. Initialise with AXVCPU_RISCV64_SETUP_INIT.
 */
struct axvcpu_riscv64_setup {
	/** sizeof(struct axvcpu_riscv64_setup) */
	size_t size;
	/**
	 * Changes of the instruction set extensions, in order. By default the guest has every
	 * extension that KVM supports on this host. axvcpu_setup() fails with -ENOTSUP, and names
	 * the extension, if it does not exist or cannot be disabled: KVM can hide an extension only
	 * if the hardware can.
	 */
	const struct axvcpu_riscv64_extension *isa;
	/** Number of elements of `isa`. */
	size_t nisa;
	/**
	 * Changes of the SBI extensions, in order. By default KVM enables all of them except those
	 * that it forwards completely: "dbcn" (debug console), "susp" (system suspend) and "mpxy"
	 * (message proxy). If these are enabled, their calls are HYPERCALL exits, as calls of the
	 * experimental and vendor extensions always are.
	 */
	const struct axvcpu_riscv64_extension *sbi;
	/** Number of elements of `sbi`. */
	size_t nsbi;
};
#define AXVCPU_RISCV64_SETUP_INIT AXVCPU_INIT(struct axvcpu_riscv64_setup)

#ifdef __cplusplus
}
#endif

#endif
