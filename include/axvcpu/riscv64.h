/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file riscv64.h
 * What only riscv64 guests have: the AIA's places, extensions of the instruction set and of SBI.
 *
 * A vCPU's id is its hart id, which it finds in a0. vCPU 0 is on; the others wait in the kernel until
 * the guest starts them by SBI's HSM extension, and come back to that when they stop themselves. So
 * axvcpu_power() says ON of them: their power is the guest's affair. To start one without the guest's
 * doing is axvcpu_reset(). One made with AXVCPU_F_START_OFF waits for axvcpu_start() instead.
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

/** How the IMSICs come to be. */
enum axvm_riscv64_aia_mode {
	/** By the host's own IMSICs where they have files for guests, else emulated. */
	AXVM_RISCV64_AIA_AUTO = 0,
	/** Emulated: every access to one leaves the guest. */
	AXVM_RISCV64_AIA_EMUL = 1,
	/** By the host's own, or not at all: FAIL_ENTRY when there are too few of their files. */
	AXVM_RISCV64_AIA_HWACCEL = 2,
};

/**
 * `arch_config` of struct axvm_config. With AXVM_IRQCHIP_KERNEL, all of it is about the AIA; without,
 * all of it must be 0. Initialise with AXVM_RISCV64_CONFIG_INIT.
 */
struct axvm_riscv64_config {
	/** sizeof(struct axvm_riscv64_config) */
	size_t size;
	/** Of the APLIC, 16 KiB, which takes wires: a multiple of 4 KiB; 0: 0x0c000000. */
	uint64_t aplic_gpa;
	/**
	 * Of the first hart's IMSIC, which takes messages; each following hart's is 4 KiB further. A
	 * multiple of 4 KiB << hart_bits; 0: 0x28000000.
	 */
	uint64_t imsic_gpa;
	/** enum axvm_riscv64_aia_mode */
	uint32_t mode;
	/** Wires: the APLIC's sources, numbered from 1; up to 1023 and `ids`; 0: 96, or `ids`. */
	uint32_t sources;
	/**
	 * Identities of messages at each IMSIC, from 1: 63, 127 and so on to 2047; 0: 255, or as many as
	 * the host's IMSICs have if these are fewer. Of an IMSIC that KVM emulates, guests can use only
	 * those whose lower 6 bits are below 32, as KVM loses what they write to the upper halves of its
	 * registers.
	 */
	uint32_t ids;
	/** Bits of an IMSIC's address that number the hart; 0: as many as max_vcpus needs. */
	uint32_t hart_bits;
};
#define AXVM_RISCV64_CONFIG_INIT AXVCPU_INIT(struct axvm_riscv64_config)

/* --- the vCPU -------------------------------------------------------------------------------- */

/**
 * Extensions of the instruction set, in the order of KVM's numbers: X(number's name, name).
 * KVM_RISCV_ISA_EXT_* up to Linux 7.0.
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

/** Extensions of SBI, likewise: KVM_RISCV_SBI_EXT_*. */
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
/** KVM's numbers: AXVCPU_RISCV64_ISA_A and so on. */
enum axvcpu_riscv64_isa { AXVCPU_RISCV64_ISA_EXTENSIONS(AXVCPU_RISCV64_ENUM_) };
#undef AXVCPU_RISCV64_ENUM_
#define AXVCPU_RISCV64_ENUM_(id, name) AXVCPU_RISCV64_SBI_##id,
/** KVM's numbers: AXVCPU_RISCV64_SBI_V01 and so on. */
enum axvcpu_riscv64_sbi { AXVCPU_RISCV64_SBI_EXTENSIONS(AXVCPU_RISCV64_ENUM_) };
#undef AXVCPU_RISCV64_ENUM_

/** Switches one extension. */
struct axvcpu_riscv64_extension {
	/** Its name, in lower case as in the lists above; NULL: `id` says which. */
	const char *name;
	/** KVM's number, for those that these lists do not have. */
	uint32_t id;
	/** 1: on; 0: off. */
	uint32_t on;
};

/** `arch` of struct axvcpu_setup_config. Initialise with AXVCPU_RISCV64_SETUP_INIT. */
struct axvcpu_riscv64_setup {
	/** sizeof(struct axvcpu_riscv64_setup) */
	size_t size;
	/**
	 * The guest has every extension that KVM lets it have on this host. These are switched, in
	 * order; -ENOTSUP names the one that is not there, or has no switch: only where the hardware
	 * has one can KVM keep guests from using what is there.
	 */
	const struct axvcpu_riscv64_extension *isa;
	/** Elements of `isa`. */
	size_t nisa;
	/**
	 * Of SBI, KVM has switched on all that it has but those that it forwards whole: "dbcn", the
	 * debug console, "susp", system suspend, and "mpxy", the message proxy. Their calls are
	 * HYPERCALL exits then, as those of the experimental and the vendor's extensions are already.
	 */
	const struct axvcpu_riscv64_extension *sbi;
	/** Elements of `sbi`. */
	size_t nsbi;
};
#define AXVCPU_RISCV64_SETUP_INIT AXVCPU_INIT(struct axvcpu_riscv64_setup)

#ifdef __cplusplus
}
#endif

#endif
