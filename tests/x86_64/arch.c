/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* x86_64: the architecture-specific functions of the common suites, declared in tests/guest.h. */
#include <errno.h>

#include "../guest.h"
#include "../suite.h"

#define MSR_STAR 0xc0000081u

/* --- addresses ---------------------------------------------------------------------------------- */

/* Where frames are seen: a large page of the first GiB that nothing else is in. */
#define REACH 0x3fe00000u
#define LARGE UINT64_C(0x200000)
#define LARGE_PAGE_FLAGS 0x83u

static uint64_t entry(struct guest *guest, uint64_t table, uint64_t i)
{
	uint64_t value = 0;

	ck_ok(axvm_read(guest->vm, table + 8 * i, &value, sizeof(value)));
	return value & ~UINT64_C(0xfff);
}

/* Setup's tables know nothing of frames: their chunk gets a page of them, found from CR3. */
uint64_t guest_reach(struct guest *guest, uint64_t gpa)
{
	const uint64_t page = (gpa & ~(LARGE - 1)) | LARGE_PAGE_FLAGS;
	uint64_t directory, was;

	directory = entry(guest, entry(guest, guest_reg(guest, AXVCPU_REG_X86_CR3), 0), 0);
	was = entry(guest, directory, 511);
	ck_assert(was == REACH || was == (page & ~UINT64_C(0xfff)));
	ck_ok(axvm_write(guest->vm, directory + 511 * sizeof(page), &page, sizeof(page)));
	return REACH + (gpa & (LARGE - 1));
}

/* --- interrupts --------------------------------------------------------------------------------- */

#define VECTORS 256u
/* Of the GDT that setup writes. */
#define SELECTOR_CODE 0x10u
#define GATE_PRESENT_INTERRUPT UINT64_C(0x8e)
#define UNDEFINED_INSTRUCTION 6

GUEST_PROGRAM_MARK(work, handler);

void guest_work_prepare(struct axvm *vm)
{
	const uint64_t handler = PROGRAM_AT(work, handler);
	const uint16_t limit = VECTORS * 16 - 1;
	const uint64_t base = WORK_IDT;
	const uint64_t gate[2] = { (handler & 0xffff) | SELECTOR_CODE << 16 |
					   GATE_PRESENT_INTERRUPT << 40 | (handler >> 16) << 48,
				   0 };

	for (uint32_t i = 0; i < VECTORS; i++)
		ck_ok(axvm_write(vm, WORK_IDT + 16 * i, gate, sizeof(gate)));
	ck_ok(axvm_write(vm, WORK_IDTR, &limit, sizeof(limit)));
	ck_ok(axvm_write(vm, WORK_IDTR + 2, &base, sizeof(base)));
}

int guest_work_interrupt(struct axvcpu_request *request, unsigned int dice)
{
	switch (dice % 4) {
	case 0:
		request->kind = AXVCPU_REQUEST_NMI;
		return 0;
	case 1:
		request->kind = AXVCPU_REQUEST_EXCEPTION;
		request->u.exception.vector = UNDEFINED_INSTRUCTION;
		/* Another one waits. */
		return EBUSY;
	default:
		request->kind = AXVCPU_REQUEST_INTERRUPT;
		request->u.vector = 32 + dice / 4 % (VECTORS - 32);
		/* A table, of all that wait. */
		return ENOSPC;
	}
}

/* --- forwarded events --------------------------------------------------------------------------- */

void guest_forward(struct axvm_config *config)
{
	static const struct axvm_sysreg_range range = { MSR_STAR, 3, AXVCPU_ACCESS_READ, 0 };

	config->sysregs = &range;
	config->nsysregs = 1;
	config->forward = AXVM_FORWARD_UNKNOWN_SYSREGS;
	if (config->irqchip == AXVM_IRQCHIP_NONE)
		config->forward |= AXVM_FORWARD_IPIS | AXVM_FORWARD_DOORBELL |
				   AXVM_FORWARD_MAP_GPA_RANGE;
}

/* At CPL 3. */
void guest_make_user(struct guest *guest)
{
	static const uint32_t segments[] = { AXVCPU_X86_SS, AXVCPU_X86_CS };

	for (size_t i = 0; i < 2; i++) {
		struct axvcpu_x86_segment segment;

		ck_ok(axvcpu_x86_get_segment(guest->vcpu, segments[i], &segment));
		segment.selector |= 3;
		segment.attributes |= AXVCPU_X86_SEGMENT_DPL;
		ck_ok(axvcpu_x86_set_segment(guest->vcpu, segments[i], &segment));
	}
}

/* --- registers ---------------------------------------------------------------------------------- */

const uint64_t guest_register_ways[] = { AXVCPU_REG_X86_R9, AXVCPU_REG_X86_CR2,
					 AXVCPU_REG_X86_MSR(MSR_STAR) };
const size_t guest_register_nways = sizeof(guest_register_ways) / sizeof(guest_register_ways[0]);

/* The bits of 64-bit state that KVM accepts. Addresses are canonical. */
#define ADDRESS UINT64_C(0x7ffffffff000)

#define SELECTOR(name) \
	{ \
		AXVCPU_REG_X86_##name, 0xfff8, false, "a selector" \
	}
/* Of 4 GiB, in pages; of 64 KiB, in bytes. */
#define PAGES(name) \
	{ \
		AXVCPU_REG_X86_##name##_LIMIT, 0xfffff000, false, "counted in pages" \
	}
#define BYTES(name) \
	{ \
		AXVCPU_REG_X86_##name##_LIMIT, 0xffff, false, "counted in bytes" \
	}
#define AVAILABLE(name) \
	{ \
		AXVCPU_REG_X86_##name##_ATTRIBUTES, AXVCPU_X86_SEGMENT_AVL, false, \
			"the others say what kind of segment it is" \
	}

const struct guest_register_rule guest_register_rules[] = {
	{ AXVCPU_REG_FLAGS, 0xcd5, false, "the others are fixed, or ask for another mode" },
	{ AXVCPU_REG_X86_CR0, 0x0004002a, false, "the others are fixed, or leave long mode" },
	{ AXVCPU_REG_X86_CR3, 0xfffff000, false, "no wider than the host's addresses" },
	{ AXVCPU_REG_X86_CR4, 0x4c, false, "those that every CPU of 64 bits has" },
	{ AXVCPU_REG_X86_CR8, 0xf, false, "there are no others" },
	{ AXVCPU_REG_X86_EFER, 0x1, false,
	  "the others say that this is long mode, or are not there" },
	{ AXVCPU_REG_X86_APIC_BASE, 0xfffff000, false, "the others say what it is" },
	{ AXVCPU_REG_X86_CS_BASE, 0xffffffff, false, "32 bits" },
	{ AXVCPU_REG_X86_DS_BASE, 0xffffffff, false, "32 bits" },
	{ AXVCPU_REG_X86_ES_BASE, 0xffffffff, false, "32 bits" },
	{ AXVCPU_REG_X86_SS_BASE, 0xffffffff, false, "32 bits" },
	{ AXVCPU_REG_X86_FS_BASE, ADDRESS, false, "canonical addresses" },
	{ AXVCPU_REG_X86_GS_BASE, ADDRESS, false, "canonical addresses" },
	{ AXVCPU_REG_X86_TR_BASE, ADDRESS, false, "canonical addresses" },
	{ AXVCPU_REG_X86_GDT_BASE, ADDRESS, false, "canonical addresses" },
	{ AXVCPU_REG_X86_IDT_BASE, ADDRESS, false, "canonical addresses" },
	{ AXVCPU_REG_X86_CS, 0xfff8, false, "a selector, whose low bits are the privilege level" },
	{ AXVCPU_REG_X86_SS, 0xfff8, false, "a selector, whose low bits are the privilege level" },
	SELECTOR(DS),
	SELECTOR(ES),
	SELECTOR(FS),
	SELECTOR(GS),
	SELECTOR(TR),
	SELECTOR(LDT),
	{ AXVCPU_REG_X86_LDT_BASE, ADDRESS, false, "canonical addresses" },
	PAGES(CS),
	PAGES(DS),
	PAGES(ES),
	PAGES(FS),
	PAGES(GS),
	PAGES(SS),
	BYTES(TR),
	BYTES(LDT),
	BYTES(GDT),
	BYTES(IDT),
	AVAILABLE(CS),
	AVAILABLE(DS),
	AVAILABLE(ES),
	AVAILABLE(FS),
	AVAILABLE(GS),
	AVAILABLE(SS),
	AVAILABLE(TR),
	AVAILABLE(LDT),
	{ AXVCPU_REG_X86_FCW, 0xffff, false, "16 bits" },
	{ AXVCPU_REG_X86_FSW, 0xffff, false, "16 bits" },
	{ AXVCPU_REG_X86_FTW, 0xff, false, "8 bits" },
	{ AXVCPU_REG_X86_FOP, 0x7ff, false, "11 bits" },
	{ AXVCPU_REG_X86_MXCSR, 0xffbf, false, "those that every CPU has" },
	{ AXVCPU_REG_X86_XCR0, 2, false, "SSE, without which there is no other" },
};
const size_t guest_register_nrules = sizeof(guest_register_rules) / sizeof(guest_register_rules[0]);
