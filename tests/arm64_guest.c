/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "arm64_guest.h"

#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "suite.h"

void a64_start(struct guest *guest, const struct axvm_config *config, const void *code, size_t len,
	       uint64_t arg, const struct axvcpu_arm64_setup *arm64)
{
	struct axvcpu_setup_config setup = guest_setup_config(0);

	guest_create(guest, config, code, len);
	setup.arg = arg;
	setup.arch = arm64;
	ck_ok(axvcpu_setup(guest->vcpu, GUEST_CODE, 0, &setup));
	ck_ok(axvcpu_bind(guest->vcpu));
}

/* --- calls ----------------------------------------------------------------------------------- */

uint64_t a64_calls(struct axvm *vm, uint32_t id, const struct a64_call *calls, size_t n)
{
	const struct a64_call end = { .conduit = A64_CALL_END };
	uint64_t list = A64_LIST + id * 0x1000u;

	ck_assert_uint_lt(n, 0x1000 / sizeof(end));
	ck_ok(axvm_write(vm, list, calls, n * sizeof(end)));
	ck_ok(axvm_write(vm, list + n * sizeof(end), &end, sizeof(end)));
	return list;
}

uint64_t a64_call_result(struct guest *guest)
{
	uint64_t result;

	guest_expect(guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(guest->exit.u.mmio.addr, GUEST_MMIO);
	result = guest->exit.u.mmio.data;
	guest_expect(guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(guest->exit.u.mmio.addr, GUEST_MMIO + 8);
	return result;
}

/* --- the GIC --------------------------------------------------------------------------------- */

#define GICD_CTLR 0x0u
#define GICD_CTLR_ON_V2 0x1u
#define GICD_CTLR_ON_V3 0x12u /* affinity routing, group 1 */
#define GIC_ISENABLER 0x100u
#define GICD_ITARGETSR 0x800u
#define GICR_SGI_PAGE 0x10000u

#define FIRST_SPI 32u
#define NIRQS_MAX 992u
/* GICD_CTLR, each ISENABLER and ITARGETSR, and some more. */
#define STORES_MAX (1 + NIRQS_MAX / 32 + NIRQS_MAX / 4 + 64)

/* Also before the tests begin, where nothing may be asserted. */
bool a64_has_gic(uint32_t version)
{
	struct kvm_create_device device = { .flags = KVM_CREATE_DEVICE_TEST };
	struct axvm *vm;
	bool has;

	device.type = version == 3 ? KVM_DEV_TYPE_ARM_VGIC_V3 : KVM_DEV_TYPE_ARM_VGIC_V2;
	if (axvm_new(NULL, &vm))
		return false;
	has = ioctl(axvm_fd(vm), KVM_CREATE_DEVICE, &device) == 0;
	axvm_free(vm);
	return has;
}

uint32_t a64_gic_version(void)
{
	return a64_has_gic(3) ? 3 : 2;
}

static uint32_t version_of(const struct axvm_arm64_config *config)
{
	return config && config->gic_version ? config->gic_version : a64_gic_version();
}

static uint64_t gicd_of(const struct axvm_arm64_config *config)
{
	return config && config->gicd_gpa ? config->gicd_gpa : AXVM_ARM64_GICD;
}

static uint64_t gicc_of(const struct axvm_arm64_config *config)
{
	return config && config->gicc_gpa ? config->gicc_gpa : AXVM_ARM64_GICC;
}

/* Where the registers of each CPU's own interrupts are; those of the others the distributor has. */
static uint64_t own_of(const struct axvm_arm64_config *config)
{
	uint64_t gicr = config && config->gicr_gpa ? config->gicr_gpa : AXVM_ARM64_GICR;

	return version_of(config) == 3 ? gicr + GICR_SGI_PAGE : gicd_of(config);
}

void a64_gic_list(struct axvm *vm, const struct axvm_arm64_config *config, bool timer,
		  const struct a64_store *stores, size_t n)
{
	const uint64_t words[] = { timer, version_of(config) == 2 ? gicc_of(config) : 0 };
	const struct a64_store end = { .addr = 0 };
	uint64_t at = A64_LIST + sizeof(words);

	ck_ok(axvm_write(vm, A64_LIST, words, sizeof(words)));
	ck_ok(axvm_write(vm, at, stores, n * sizeof(end)));
	ck_ok(axvm_write(vm, at + n * sizeof(end), &end, sizeof(end)));
}

void a64_gic_list_all(struct axvm *vm, const struct axvm_arm64_config *config, bool timer,
		      const struct a64_store *extra, size_t nextra)
{
	uint32_t nirqs = config && config->nirqs ? config->nirqs : 256;
	bool v3 = version_of(config) == 3;
	uint64_t gicd = gicd_of(config), own = own_of(config);
	struct a64_store stores[STORES_MAX];
	size_t n = 0;

	stores[n++] = (struct a64_store){ gicd + GICD_CTLR, 4,
					  v3 ? GICD_CTLR_ON_V3 : GICD_CTLR_ON_V2 };
	/* 32 at a time. */
	for (uint32_t i = 0; i < nirqs / 32; i++)
		stores[n++] = (struct a64_store){ (i ? gicd + 4 * i : own) + GIC_ISENABLER, 4,
						  UINT32_MAX };
	/* Four at a time. A GICv3 begins so: with affinity 0. */
	for (uint32_t intid = FIRST_SPI; !v3 && intid < nirqs; intid += 4)
		stores[n++] = (struct a64_store){ gicd + GICD_ITARGETSR + intid, 4, 0x01010101 };
	ck_assert_uint_le(n + nextra, STORES_MAX);
	for (size_t i = 0; i < nextra; i++)
		stores[n++] = extra[i];
	a64_gic_list(vm, config, timer, stores, n);
}

void a64_start_gic(struct guest *guest, const struct axvm_arm64_config *given, bool timer,
		   const struct a64_store *extra, size_t nextra)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvcpu_setup_config setup = guest_setup_config(0);

	config.irqchip = AXVM_IRQCHIP_KERNEL;
	config.arch_config = given;
	guest_create(guest, &config, PROGRAM(gic));
	a64_gic_list_all(guest->vm, given, timer, extra, nextra);
	setup.arg = A64_LIST;
	ck_ok(axvcpu_setup(guest->vcpu, GUEST_CODE, 0, &setup));
	ck_ok(axvcpu_bind(guest->vcpu));
	guest_expect_write(guest, GUEST_MMIO, timer);
}

void a64_expect_irq(struct guest *guest, uint32_t intid)
{
	guest_expect_write(guest, GUEST_MMIO + 8, intid);
}

/* --- the ITS ---------------------------------------------------------------------------------- */

/* Pages of the guest's, for the ITS and the redistributor. */
#define ITS_COMMANDS (A64_TABLES + 0x00000u)
#define ITS_DEVICES (A64_TABLES + 0x10000u)
#define ITS_COLLECTIONS (A64_TABLES + 0x20000u)
#define ITS_TRANSLATIONS (A64_TABLES + 0x30000u)
#define LPI_CONFIG (A64_TABLES + 0x40000u)
#define LPI_PENDING (A64_TABLES + 0x50000u)

#define VALID (UINT64_C(1) << 63)

struct its_command {
	uint64_t words[4];
};

static void write_commands(struct axvm *vm)
{
	struct its_command commands[2 + A64_ITS_EVENTS + 1] = {
		/* MAPD: device, bits of an event less one, its table. */
		{ { 0x08 | (uint64_t)A64_ITS_DEVICE << 32, 3, VALID | ITS_TRANSLATIONS, 0 } },
		/* MAPC: collection 0 is redistributor 0. */
		{ { 0x09, 0, VALID, 0 } },
	};

	/* MAPTI: event i is LPI 8192 + i, in collection 0. */
	for (uint64_t i = 0; i < A64_ITS_EVENTS; i++)
		commands[2 + i] = (struct its_command){ { 0x0a | (uint64_t)A64_ITS_DEVICE << 32,
							  i | (A64_LPI + i) << 32, 0, 0 } };
	/* INVALL: the redistributor reads which of them are on. */
	commands[2 + A64_ITS_EVENTS] = (struct its_command){ { 0x0d, 0, 0, 0 } };
	ck_ok(axvm_write(vm, ITS_COMMANDS, commands, sizeof(commands)));
}

static const struct a64_store its_stores[] = {
	/* GICD_CTLR: affinity routing, group 1. */
	{ AXVM_ARM64_GICD, 4, 0x12 },
	/* GICR_PROPBASER: 14 bits of numbers; GICR_PENDBASER; GICR_CTLR: LPIs on. */
	{ AXVM_ARM64_GICR + 0x70, 8, LPI_CONFIG | 13 },
	{ AXVM_ARM64_GICR + 0x78, 8, LPI_PENDING | UINT64_C(1) << 62 },
	{ AXVM_ARM64_GICR + 0x00, 4, 1 },
	/* GITS_BASER: devices and collections, a page of 64 KiB each. */
	{ AXVM_ARM64_GITS + 0x100, 8, VALID | ITS_DEVICES | 2 << 8 },
	{ AXVM_ARM64_GITS + 0x108, 8, VALID | ITS_COLLECTIONS | 2 << 8 },
	/* GITS_CBASER, GITS_CTLR, GITS_CWRITER. */
	{ AXVM_ARM64_GITS + 0x80, 8, VALID | ITS_COMMANDS },
	{ AXVM_ARM64_GITS + 0x00, 4, 1 },
	{ AXVM_ARM64_GITS + 0x88, 8, (2 + A64_ITS_EVENTS + 1) * sizeof(struct its_command) },
};

void a64_start_its(struct guest *guest)
{
	struct axvm_arm64_config config = AXVM_ARM64_CONFIG_INIT;
	struct axvm_config vm_config = AXVM_CONFIG_INIT;
	unsigned char on[A64_ITS_EVENTS];

	config.flags = AXVM_ARM64_ITS;
	vm_config.irqchip = AXVM_IRQCHIP_KERNEL;
	vm_config.arch_config = &config;
	guest_create(guest, &vm_config, PROGRAM(gic));
	a64_gic_list(guest->vm, &config, false, its_stores,
		     sizeof(its_stores) / sizeof(its_stores[0]));
	/* Each LPI: enabled, priority 0xa0. */
	memset(on, 0xa1, sizeof(on));
	ck_ok(axvm_write(guest->vm, LPI_CONFIG, on, sizeof(on)));
	write_commands(guest->vm);
	guest_setup(guest, AXVCPU_MODE_64);
	ck_ok(axvcpu_set_gpr(guest->vcpu, 0, A64_LIST));
	ck_ok(axvcpu_bind(guest->vcpu));
	guest_expect_write(guest, GUEST_MMIO, 0);
}

/* --- messages --------------------------------------------------------------------------------- */

bool guest_has_messages(void)
{
	return a64_has_gic(3);
}

void guest_start_messages(struct guest *guest)
{
	a64_start_its(guest);
}

struct axvm_msi guest_message(unsigned int n)
{
	return (struct axvm_msi){ A64_ITS_TRANSLATER, n, A64_ITS_DEVICE };
}

unsigned int guest_next_message(struct guest *guest)
{
	guest_expect(guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(guest->exit.u.mmio.addr, GUEST_MMIO + 8);
	return (unsigned int)guest->exit.u.mmio.data - A64_LPI;
}

/* --- others ---------------------------------------------------------------------------------- */

void a64_start_piece(struct guest *guest, const struct axvm_config *config,
		     const struct axvcpu_arm64_setup *arm64, uint64_t piece)
{
	a64_start(guest, config, PROGRAM(faults), piece, arm64);
	ck_ok(axvm_write(guest->vm, A64_PIECES, PROGRAM(pieces)));
	guest_expect_write(guest, GUEST_MMIO, (uint32_t)piece);
}
