/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Finds the address of a fault for which KVM_RUN failed because of the guest. KVM returns only an
 * errno, and does not provide the registers of the trap. So this decodes the instruction at the
 * program counter: either the code itself is outside of memory, or the instruction is an access
 * that KVM could not emulate.
 */
#include <errno.h>

#include "backends/riscv64/riscv64.h"

/* A memory access, as encoded in an instruction. */
struct access {
	/* The register with the base address, and the offset. */
	unsigned int base;
	int64_t offset;
	/* In bytes; 0 if unknown. */
	uint32_t size;
	/* AXVCPU_ACCESS_* */
	uint32_t access;
};

/* --- instructions ----------------------------------------------------------------------------- */

#define BITS(insn, high, low) ((insn) >> (low) & ((UINT32_C(1) << ((high) - (low) + 1)) - 1))

#define OPCODE_LOAD 0x03u
#define OPCODE_LOAD_FP 0x07u
#define OPCODE_MISC_MEM 0x0fu
#define OPCODE_STORE 0x23u
#define OPCODE_STORE_FP 0x27u
#define OPCODE_AMO 0x2fu

#define AMO_LR 0x02u
#define AMO_SC 0x03u
#define MISC_MEM_CBO 2u

static bool is_compressed(uint32_t insn)
{
	return (insn & 3) != 3;
}

static int64_t sign_extend12(uint32_t value)
{
	return (int64_t)(value & 0xfff) - ((value & 0x800) << 1);
}

/* Size of a floating-point access: 1 to 4 are 2 to 16 bytes; others are vectors of unknown size. */
static uint32_t fp_size(uint32_t funct3)
{
	return funct3 >= 1 && funct3 <= 4 ? 1u << funct3 : 0;
}

static uint32_t amo_access(uint32_t insn)
{
	switch (BITS(insn, 31, 27)) {
	case AMO_LR:
		return AXVCPU_ACCESS_READ;
	case AMO_SC:
		return AXVCPU_ACCESS_WRITE;
	default:
		return AXVCPU_ACCESS_READ | AXVCPU_ACCESS_WRITE;
	}
}

/* Decodes a 4-byte instruction. Returns false if it does not access memory. */
static bool decode_whole(uint32_t insn, struct access *access)
{
	const int64_t load_offset = sign_extend12(BITS(insn, 31, 20));
	const int64_t store_offset = sign_extend12(BITS(insn, 31, 25) << 5 | BITS(insn, 11, 7));
	uint32_t funct3 = BITS(insn, 14, 12);
	unsigned int base = BITS(insn, 19, 15);
	/* Vector accesses have no offset: these bits have another meaning. */
	bool scalar = fp_size(funct3);

	switch (insn & 0x7f) {
	case OPCODE_LOAD:
		*access = (struct access){ base, load_offset, 1u << (funct3 & 3),
					   AXVCPU_ACCESS_READ };
		return true;
	case OPCODE_STORE:
		*access = (struct access){ base, store_offset, 1u << (funct3 & 3),
					   AXVCPU_ACCESS_WRITE };
		return true;
	case OPCODE_LOAD_FP:
		*access = (struct access){ base, scalar ? load_offset : 0, fp_size(funct3),
					   AXVCPU_ACCESS_READ };
		return true;
	case OPCODE_STORE_FP:
		*access = (struct access){ base, scalar ? store_offset : 0, fp_size(funct3),
					   AXVCPU_ACCESS_WRITE };
		return true;
	case OPCODE_AMO:
		*access = (struct access){ base, 0, 1u << (funct3 & 7), amo_access(insn) };
		return true;
	case OPCODE_MISC_MEM:
		*access = (struct access){ base, 0, 0, AXVCPU_ACCESS_WRITE };
		return funct3 == MISC_MEM_CBO;
	default:
		return false;
	}
}

/* Offsets of compressed instructions, for 4 and 8 bytes; relative to a register, and to sp. */
static int64_t offset_word(uint32_t insn)
{
	return BITS(insn, 12, 10) << 3 | BITS(insn, 6, 6) << 2 | BITS(insn, 5, 5) << 6;
}

static int64_t offset_double(uint32_t insn)
{
	return BITS(insn, 12, 10) << 3 | BITS(insn, 6, 5) << 6;
}

static int64_t offset_load_sp(uint32_t insn, bool word)
{
	if (word)
		return BITS(insn, 12, 12) << 5 | BITS(insn, 6, 4) << 2 | BITS(insn, 3, 2) << 6;
	return BITS(insn, 12, 12) << 5 | BITS(insn, 6, 5) << 3 | BITS(insn, 4, 2) << 6;
}

static int64_t offset_store_sp(uint32_t insn, bool word)
{
	if (word)
		return BITS(insn, 12, 9) << 2 | BITS(insn, 8, 7) << 6;
	return BITS(insn, 12, 10) << 3 | BITS(insn, 9, 7) << 6;
}

/* Decodes accesses to bytes and halfwords (Zcb). */
static bool decode_small(uint32_t insn, struct access *access)
{
	bool byte = !(BITS(insn, 12, 10) & 1);

	access->size = byte ? 1 : 2;
	access->offset = byte ? BITS(insn, 6, 6) | BITS(insn, 5, 5) << 1 : BITS(insn, 5, 5) << 1;
	access->access = BITS(insn, 12, 10) & 2 ? AXVCPU_ACCESS_WRITE : AXVCPU_ACCESS_READ;
	return !BITS(insn, 12, 12);
}

/*
 * Decodes a 2-byte instruction. In both quadrants, functions 1 to 3 are loads and 5 to 7 stores, of
 * 8 bytes except integer words.
 */
static bool decode_compressed(uint32_t insn, struct access *access)
{
	uint32_t funct3 = BITS(insn, 15, 13);
	bool store = funct3 > 4;
	bool word = (funct3 & 3) == 2;

	if ((insn & 3) == 1 || !funct3)
		return false;
	*access = (struct access){ .size = word ? 4 : 8,
				   .access = store ? AXVCPU_ACCESS_WRITE : AXVCPU_ACCESS_READ };
	if (!(insn & 3)) {
		access->base = 8 + BITS(insn, 9, 7);
		access->offset = word ? offset_word(insn) : offset_double(insn);
		return funct3 == 4 ? decode_small(insn, access) : true;
	}
	access->base = 2;
	access->offset = store ? offset_store_sp(insn, word) : offset_load_sp(insn, word);
	return funct3 != 4;
}

/* --- the fault -------------------------------------------------------------------------------- */

/*
 * Reads 2 bytes of code. Returns false if they are outside of memory; 'fault' then has the address.
 */
static bool fetch(struct axk_vcpu *vcpu, uint64_t satp, uint64_t pc, uint16_t *piece,
		  struct axvcpu_exit_page_fault *fault)
{
	struct axvcpu_translation code;

	if (!axk_riscv_walk(vcpu, satp, pc, &code))
		return false;
	if (axk_riscv_read(vcpu, code.gpa, piece, sizeof(*piece)))
		return true;
	fault->addr = code.gpa;
	fault->access = AXVCPU_ACCESS_EXEC;
	return false;
}

/* Reads the instruction at 'pc'. Returns as fetch() does. */
static bool fetch_instruction(struct axk_vcpu *vcpu, uint64_t satp, uint64_t pc, uint32_t *insn,
			      struct axvcpu_exit_page_fault *fault)
{
	uint16_t piece;

	if (!fetch(vcpu, satp, pc, &piece, fault))
		return false;
	*insn = piece;
	if (is_compressed(*insn))
		return true;
	if (!fetch(vcpu, satp, pc + sizeof(piece), &piece, fault))
		return false;
	*insn |= (uint32_t)piece << 16;
	return true;
}

void axk_arch_locate_fault(struct axk_vcpu *vcpu, struct axvcpu_exit_page_fault *fault)
{
	struct access access;
	struct axvcpu_translation data;
	uint64_t pc, satp, base = 0;
	uint32_t insn;

	/* With EFAULT or EHWPOISON, reading guest memory here could fault as well. */
	if (fault->error != EIO && fault->error != EOPNOTSUPP)
		return;
	if (axk_riscv_get(vcpu, RISCV_CORE(regs.pc), &pc) ||
	    axk_riscv_get(vcpu, RISCV_CSR(satp), &satp) ||
	    !fetch_instruction(vcpu, satp, pc, &insn, fault))
		return;
	if (is_compressed(insn) ? !decode_compressed(insn, &access) : !decode_whole(insn, &access))
		return;
	if (access.base && axk_riscv_get(vcpu, RISCV_X(access.base), &base))
		return;
	fault->access = access.access;
	fault->size = access.size;
	if (axk_riscv_walk(vcpu, satp, base + (uint64_t)access.offset, &data))
		fault->addr = data.gpa;
}
