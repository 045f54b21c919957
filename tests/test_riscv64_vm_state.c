/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * riscv64: the saved state of an AIA: guests find their IMSICs and the APLIC as they were, in
 * another VM and after a load in place, with one hart and two, with IMSICs in memory and, where the
 * host has them, in guest files; states of another shape are refused. Needs a working /dev/kvm.
 */
#include <errno.h>
#include <stdlib.h>

#include "riscv64_guest.h"
#include "suite.h"

#define PAGE 0x1000u
#define IMSIC 0x28000000u
#define SOURCES 96u
#define IDS 255u

/* Registers of an IMSIC. */
#define EIDELIVERY 0x70
#define EITHRESHOLD 0x72
#define EIP0 0x80
#define EIE0 0xc0

/* Registers of the APLIC. */
#define APLIC 0x0c000000u
#define DOMAINCFG APLIC
#define SOURCECFG(source) (APLIC + 4 * (source))
#define SETIP(word) (APLIC + 0x1c00 + 4 * (word))
#define SETIPNUM (APLIC + 0x1cdc)
#define SETIE(word) (APLIC + 0x1e00 + 4 * (word))
#define SETIENUM (APLIC + 0x1edc)
#define TARGET(source) (APLIC + 0x3000 + 4 * (source))

#define DOMAIN_ON 0x100
#define INACTIVE 0
#define EDGE_RISE 4
#define EDGE_FALL 5
#define LEVEL_HIGH 6
#define LEVEL_LOW 7

/* --- machines --------------------------------------------------------------------------------- */

#define HARTS 2

/* A VM whose harts run "aia". The calling thread owns one of them at a time. */
struct machine {
	struct guest harts[HARTS];
	unsigned int n;
};

static struct machine machine, other;

static const struct variant {
	uint32_t mode;
	unsigned int harts;
} variants[] = {
	{ AXVM_RISCV64_AIA_EMUL, 1 },
	{ AXVM_RISCV64_AIA_EMUL, 2 },
	/* With guest files if the host has them. */
	{ AXVM_RISCV64_AIA_AUTO, 1 },
	{ AXVM_RISCV64_AIA_AUTO, 2 },
};
#define VARIANTS 4

static void create(struct machine *m, const struct axvm_riscv64_config *riscv, unsigned int harts)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.irqchip = AXVM_IRQCHIP_KERNEL;
	config.arch_config = riscv;
	config.max_vcpus = 4;
	m->n = harts;
	m->harts[0].vm = guest_vm(&config, PROGRAM(aia));
	for (unsigned int i = 0; i < harts; i++) {
		m->harts[i].vm = m->harts[0].vm;
		m->harts[i].vcpu = guest_vcpu(m->harts[0].vm, i, 0);
	}
}

static void create_variant(struct machine *m, const struct variant *variant)
{
	struct axvm_riscv64_config riscv = AXVM_RISCV64_CONFIG_INIT;

	riscv.mode = variant->mode;
	create(m, &riscv, variant->harts);
	ck_ok(axvm_finalize(m->harts[0].vm));
}

/* The same, and all harts are on. */
static void start_variant(struct machine *m, const struct variant *variant)
{
	create_variant(m, variant);
	for (unsigned int i = 1; i < m->n; i++)
		ck_ok(axvcpu_start(m->harts[i].vcpu, GUEST_CODE, 0));
}

static void end(struct machine *m)
{
	for (unsigned int i = 0; i < m->n; i++) {
		if (axvcpu_state(m->harts[i].vcpu) == AXVCPU_READY)
			ck_ok(axvcpu_unbind(m->harts[i].vcpu));
		ck_ok(axvcpu_free(m->harts[i].vcpu));
	}
	ck_ok(axvm_free(m->harts[0].vm));
}

/* --- what the guest does ------------------------------------------------------------------------ */

/* The hart, which the calling thread then owns. */
static struct guest *hart(struct machine *m, unsigned int id)
{
	for (unsigned int i = 0; i < m->n; i++)
		if (i != id && axvcpu_state(m->harts[i].vcpu) == AXVCPU_READY)
			ck_ok(axvcpu_unbind(m->harts[i].vcpu));
	if (axvcpu_state(m->harts[id].vcpu) == AXVCPU_FREE)
		ck_ok(axvcpu_bind(m->harts[id].vcpu));
	return &m->harts[id];
}

/* The hart asks for a command, and did not take a message before. It gets none yet. */
static void quiet(struct guest *of)
{
	guest_expect_read(of, GUEST_MMIO + 0x10);
	ck_ok(axvcpu_complete_value(of->vcpu, 0));
}

static void message(struct guest *of, uint64_t identity)
{
	guest_expect_write(of, GUEST_MMIO + 8, identity);
}

static void command(struct guest *of, uint64_t what, uint64_t value)
{
	guest_expect_read(of, GUEST_MMIO + 0x10);
	ck_ok(axvcpu_complete_value(of->vcpu, what));
	guest_expect_read(of, GUEST_MMIO + 0x18);
	ck_ok(axvcpu_complete_value(of->vcpu, value));
}

static uint64_t ask(struct guest *of, uint64_t what)
{
	command(of, what, 0);
	guest_expect(of, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(of->exit.u.mmio.addr, GUEST_MMIO + 0x20);
	return of->exit.u.mmio.data;
}

/* The hart writes to its IMSIC or to the APLIC; messages that follow are the caller's to expect. */
static void set_imsic_loudly(struct guest *of, uint64_t reg, uint64_t value)
{
	command(of, reg << 2 | GUEST_AIA_SET, value);
}

static void set_aplic_loudly(struct guest *of, uint64_t addr, uint64_t value)
{
	command(of, addr | GUEST_AIA_WRITE, value);
}

static void set_imsic(struct guest *of, uint64_t reg, uint64_t value)
{
	set_imsic_loudly(of, reg, value);
	quiet(of);
}

static void set_aplic(struct guest *of, uint64_t addr, uint64_t value)
{
	set_aplic_loudly(of, addr, value);
	quiet(of);
}

static uint64_t get_imsic(struct guest *of, uint64_t reg)
{
	return ask(of, reg << 2 | GUEST_AIA_GET);
}

static uint64_t get_aplic(struct guest *of, uint64_t addr)
{
	return ask(of, addr | GUEST_AIA_READ);
}

static void send(struct machine *m, unsigned int to, uint32_t identity)
{
	const struct axvm_msi msi = { .address = IMSIC + to * PAGE, .data = identity };

	ck_assert_int_eq(axvm_signal_msi(m->harts[0].vm, &msi), 1);
}

static void line(struct machine *m, uint32_t source, bool level)
{
	ck_ok(axvm_set_irq_line(m->harts[0].vm, source, level));
}

/* --- saving and loading ----------------------------------------------------------------------- */

#define ROOM 0x40000
static unsigned char state[ROOM], again[ROOM], harts[HARTS][ROOM];
static size_t size, sizes[HARTS];
static unsigned char memory[GUEST_MEMORY];

static size_t save_vm(struct machine *m, unsigned char *to)
{
	int ret = axvm_save(m->harts[0].vm, to, ROOM);

	ck_ok(ret);
	ck_assert_int_le(ret, ROOM);
	ck_assert_int_eq(axvm_save(m->harts[0].vm, NULL, 0), ret);
	return (size_t)ret;
}

static void save(struct machine *m)
{
	size = save_vm(m, state);
	for (unsigned int i = 0; i < m->n; i++) {
		int ret = axvcpu_save(m->harts[i].vcpu, harts[i], ROOM);

		ck_ok(ret);
		ck_assert_int_le(ret, ROOM);
		sizes[i] = (size_t)ret;
	}
	ck_ok(axvm_read(m->harts[0].vm, GUEST_BASE, memory, sizeof(memory)));
}

static void load_harts(struct machine *m)
{
	for (unsigned int i = 0; i < m->n; i++)
		ck_ok(axvcpu_load(m->harts[i].vcpu, harts[i], sizes[i], NULL));
	ck_ok(axvm_write(m->harts[0].vm, GUEST_BASE, memory, sizeof(memory)));
}

static int load_vm(struct machine *m)
{
	return axvm_load(m->harts[0].vm, state, size, NULL);
}

/* The VM would be saved as these bytes. */
static void expect_state(struct machine *m, const unsigned char *bytes)
{
	ck_assert_uint_eq(save_vm(m, again), size);
	ck_assert_mem_eq(again, bytes, size);
}

static void load(struct machine *m)
{
	load_harts(m);
	ck_ok(load_vm(m));
	expect_state(m, state);
}

static void copy_clock(struct machine *to, struct machine *from)
{
	struct axvm_clock clock = AXVM_CLOCK_INIT;

	ck_ok(axvm_get_clock(from->harts[0].vm, &clock));
	ck_ok(axvm_set_clock(to->harts[0].vm, &clock, AXVM_TIME_FREEZE));
}

/* --- scenarios -------------------------------------------------------------------------------- */

static struct guest *first(struct machine *m)
{
	return hart(m, 0);
}

static struct guest *last(struct machine *m)
{
	return hart(m, m->n - 1);
}

/* Messages that wait until each hart takes them. */
static void prepare_held_messages(struct machine *m)
{
	for (unsigned int i = 0; i < m->n; i++) {
		set_imsic(hart(m, i), EITHRESHOLD, 20);
		set_imsic(hart(m, i), EIE0, 1 << 3 | 1 << 9 | 1 << 25);
		send(m, i, 3);
		send(m, i, 9 + i);
		send(m, i, 12);
		send(m, i, 25);
		quiet(hart(m, i));
	}
}

static void expect_held_messages(struct machine *m)
{
	for (unsigned int i = 0; i < m->n; i++) {
		struct guest *of = hart(m, i);

		ck_assert_uint_eq(get_imsic(of, EIDELIVERY), 0);
		ck_assert_uint_eq(get_imsic(of, EITHRESHOLD), 20);
		ck_assert_uint_eq(get_imsic(of, EIE0), 1 << 3 | 1 << 9 | 1 << 25);
		ck_assert_uint_eq(get_imsic(of, EIP0), 1 << 3 | 1 << (9 + i) | 1 << 12 | 1 << 25);
		set_imsic_loudly(of, EIDELIVERY, 1);
		message(of, 3);
		if (!i)
			message(of, 9);
		quiet(of);
		set_imsic_loudly(of, EITHRESHOLD, 0);
		message(of, 25);
		quiet(of);
		set_imsic_loudly(of, EIE0, 1 << 12);
		message(of, 12);
		quiet(of);
	}
}

/* One that the hart takes at once. */
static void prepare_a_message_in_flight(struct machine *m)
{
	for (unsigned int i = 0; i < m->n; i++) {
		set_imsic(hart(m, i), EIE0, 1 << 7);
		set_imsic(hart(m, i), EIDELIVERY, 1);
		send(m, i, 7);
	}
}

static void expect_a_message_in_flight(struct machine *m)
{
	for (unsigned int i = 0; i < m->n; i++) {
		message(hart(m, i), 7);
		quiet(hart(m, i));
		send(m, i, 7);
		message(hart(m, i), 7);
		quiet(hart(m, i));
	}
}

/* All identities that a test uses. */
static void enable_messages(struct machine *m)
{
	for (unsigned int i = 0; i < m->n; i++) {
		set_imsic(hart(m, i), EIE0, 0x7ffffffe);
		set_imsic(hart(m, i), EIDELIVERY, 1);
	}
}

/* Identity of a wire, which is one of the first 13. */
#define IDENTITY(source) ((source) + 10u)

static void wire(struct machine *m, uint32_t source, uint32_t mode, unsigned int to)
{
	set_aplic(first(m), SOURCECFG(source), mode);
	set_aplic(first(m), TARGET(source), to << 18 | IDENTITY(source));
}

static uint64_t pending[2];

static void prepare_wires(struct machine *m)
{
	enable_messages(m);
	set_aplic(first(m), DOMAINCFG, DOMAIN_ON);
	/* High, and taken. */
	wire(m, 5, EDGE_RISE, 0);
	set_aplic(first(m), SETIENUM, 5);
	line(m, 5, true);
	message(first(m), IDENTITY(5));
	wire(m, 6, LEVEL_HIGH, m->n - 1);
	set_aplic(first(m), SETIENUM, 6);
	line(m, 6, true);
	message(last(m), IDENTITY(6));
	/* Low, and taken. */
	wire(m, 7, LEVEL_LOW, 0);
	line(m, 7, true);
	set_aplic(first(m), SETIENUM, 7);
	line(m, 7, false);
	message(first(m), IDENTITY(7));
	/* Masked and pending: an edge that has passed, a level, a level that KVM remembers. */
	wire(m, 8, EDGE_RISE, 0);
	line(m, 8, true);
	line(m, 8, false);
	wire(m, 9, LEVEL_HIGH, m->n - 1);
	line(m, 9, true);
	wire(m, 10, LEVEL_HIGH, 0);
	line(m, 10, true);
	line(m, 10, false);
	wire(m, 13, LEVEL_LOW, 0);
	line(m, 13, true);
	line(m, 13, false);
	/* High, and inactive. */
	line(m, 11, true);
	/* High, and nothing happened yet. */
	line(m, 12, true);
	wire(m, 12, EDGE_FALL, 0);
	set_aplic(first(m), SETIENUM, 12);
	/* In another word. */
	wire(m, 40, EDGE_RISE, 0);
	set_aplic(first(m), TARGET(40), IDENTITY(4));
	line(m, 40, true);
	for (unsigned int i = 0; i < 2; i++)
		pending[i] = get_aplic(first(m), SETIP(i));
	ck_assert_uint_eq(pending[0] & ~(1u << 10), 1 << 8 | 1 << 9 | 1 << 13);
	ck_assert_uint_eq(pending[1], 1 << (40 - 32));
	quiet(first(m));
}

/* The pending source is enabled. */
static void expect_unmasked(struct machine *m, uint32_t source, unsigned int to, uint32_t identity)
{
	set_aplic_loudly(first(m), SETIENUM, source);
	if (!to)
		message(first(m), identity);
	quiet(first(m));
	if (to)
		message(hart(m, to), identity);
	quiet(first(m));
}

/* A guest that has served a level sets its pending bit, which KVM ignores unless it is active. */
static void expect_again(struct machine *m, uint32_t source, unsigned int to, bool is_active)
{
	set_aplic_loudly(first(m), SETIPNUM, source);
	if (is_active && !to)
		message(first(m), IDENTITY(source));
	quiet(first(m));
	if (is_active && to)
		message(hart(m, to), IDENTITY(source));
	quiet(first(m));
}

static void expect_wires(struct machine *m)
{
	ck_assert_uint_eq(get_aplic(first(m), DOMAINCFG) & DOMAIN_ON, DOMAIN_ON);
	ck_assert_uint_eq(get_aplic(first(m), SOURCECFG(13)), LEVEL_LOW);
	ck_assert_uint_eq(get_aplic(first(m), SOURCECFG(11)), INACTIVE);
	ck_assert_uint_eq(get_aplic(first(m), TARGET(6)), (m->n - 1) << 18 | IDENTITY(6));
	ck_assert_uint_eq(get_aplic(first(m), SETIE(0)), 1 << 5 | 1 << 6 | 1 << 7 | 1 << 12);
	for (unsigned int i = 0; i < 2; i++)
		ck_assert_uint_eq(get_aplic(first(m), SETIP(i)), pending[i]);
	/* The edge was before. */
	line(m, 5, true);
	quiet(first(m));
	line(m, 5, false);
	quiet(first(m));
	line(m, 5, true);
	message(first(m), IDENTITY(5));
	quiet(first(m));
	/* Levels that are still active, and then are not. */
	expect_again(m, 6, m->n - 1, true);
	line(m, 6, false);
	expect_again(m, 6, m->n - 1, false);
	expect_again(m, 7, 0, true);
	line(m, 7, true);
	expect_again(m, 7, 0, false);
	expect_unmasked(m, 8, 0, IDENTITY(8));
	expect_unmasked(m, 9, m->n - 1, IDENTITY(9));
	expect_again(m, 9, m->n - 1, true);
	expect_unmasked(m, 13, 0, IDENTITY(13));
	expect_again(m, 13, 0, true);
	expect_unmasked(m, 40, 0, IDENTITY(4));
	/* Its line was high while it was inactive. */
	wire(m, 11, LEVEL_HIGH, 0);
	set_aplic(first(m), SETIENUM, 11);
	expect_again(m, 11, 0, true);
	line(m, 12, false);
	message(first(m), IDENTITY(12));
	quiet(first(m));
}

/* Pending and enabled, and held by the whole domain. */
static void prepare_a_domain_that_is_off(struct machine *m)
{
	enable_messages(m);
	wire(m, 5, EDGE_RISE, m->n - 1);
	set_aplic(first(m), SETIENUM, 5);
	line(m, 5, true);
	quiet(first(m));
}

static void expect_a_domain_that_is_off(struct machine *m)
{
	quiet(last(m));
	set_aplic_loudly(first(m), DOMAINCFG, DOMAIN_ON);
	if (m->n == 1)
		message(first(m), IDENTITY(5));
	quiet(first(m));
	if (m->n > 1)
		message(last(m), IDENTITY(5));
	quiet(last(m));
}

static const struct scenario {
	void (*prepare)(struct machine *m);
	void (*expect)(struct machine *m);
} scenarios[] = {
	{ prepare_held_messages, expect_held_messages },
	{ prepare_a_message_in_flight, expect_a_message_in_flight },
	{ prepare_wires, expect_wires },
	{ prepare_a_domain_that_is_off, expect_a_domain_that_is_off },
};
#define SCENARIOS 4

/* Everything is different. */
static void disturb(struct machine *m)
{
	for (unsigned int i = 0; i < m->n; i++) {
		set_imsic(hart(m, i), EIDELIVERY, 0);
		set_imsic(hart(m, i), EITHRESHOLD, 5);
		set_imsic(hart(m, i), EIE0, 0x55555554);
		send(m, i, 4);
		send(m, i, 30);
		send(m, i, 200);
	}
	set_aplic(first(m), DOMAINCFG, 0);
	for (uint32_t source = 1; source <= 41; source++) {
		set_aplic(first(m), SOURCECFG(source), source % 2 ? LEVEL_HIGH : EDGE_FALL);
		set_aplic(first(m), TARGET(source), 31);
		line(m, source, true);
		line(m, source, source % 4 < 2);
	}
	set_aplic(first(m), SETIP(0), 0xaaaaaaaa);
	/* Pending bits of inactive sources. */
	for (uint32_t source = 14; source < 20; source++)
		set_aplic(first(m), SOURCECFG(source), INACTIVE);
	set_aplic(first(m), SETIE(0), 0xffffffff);
	set_aplic(first(m), SETIE(1), 0xffffffff);
}

START_TEST(a_guest_finds_its_aia_in_another_vm)
{
	const struct scenario *scenario = &scenarios[_i / VARIANTS];
	const struct variant *variant = &variants[_i % VARIANTS];

	start_variant(&machine, variant);
	scenario->prepare(&machine);
	/* Twice: the second time, the first VM has not run since it was loaded. */
	for (int round = 0; round < 2; round++) {
		create_variant(&other, variant);
		copy_clock(&other, &machine);
		save(&machine);
		end(&machine);
		load(&other);
		machine = other;
	}
	scenario->expect(&machine);
	end(&machine);
}
END_TEST

START_TEST(a_guest_finds_its_aia_after_a_load_in_place)
{
	const struct scenario *scenario = &scenarios[_i / VARIANTS];

	start_variant(&machine, &variants[_i % VARIANTS]);
	scenario->prepare(&machine);
	save(&machine);
	for (int round = 0; round < 2; round++) {
		scenario->expect(&machine);
		disturb(&machine);
		load(&machine);
	}
	scenario->expect(&machine);
	end(&machine);
}
END_TEST

/* --- identities from 32 up -------------------------------------------------------------------- */

/* The content of a section of 'state', which may be changed. */
static unsigned char *content(const char *name, size_t *len)
{
	struct axvcpu_saved_section section;

	for (unsigned int n = 0; !axvcpu_saved_get_section(state, size, n, &section); n++)
		if (!strcmp(section.name, name)) {
			*len = section.len;
			return state + ((const unsigned char *)section.data - state);
		}
	ck_abort_msg("the state has no section %s", name);
	return NULL;
}

static uint64_t get_word(const char *name, size_t n)
{
	uint64_t word;
	size_t len;

	memcpy(&word, content(name, &len) + 8 * n, 8);
	return word;
}

/* Words of section "imsic", all with 64 bits. */
#define WORD_IDS 0
#define WORD_VCPUS 1
#define WORD_VCPU 2
#define WORD_EIE0 6

static unsigned int refusals;

static int accept_refusal(void *ctx, struct axvcpu *vcpu, const struct axvcpu_refusal *refusal)
{
	(void)ctx;
	ck_assert_ptr_null(vcpu);
	ck_assert_str_eq(refusal->section, "imsic");
	ck_assert_uint_eq(refusal->id, EIE0);
	ck_assert_int_eq(refusal->error, -ENOTSUP);
	refusals++;
	return 0;
}

/*
 * An IMSIC in memory of KVM of Linux 6.12 has only the lower halves of its registers. All others
 * have whole registers, which such a KVM refuses before the first run.
 */
START_TEST(upper_halves_are_kept_or_refused_by_name)
{
	struct axvcpu_load_config config = AXVCPU_LOAD_CONFIG_INIT;
	const struct variant *variant = &variants[_i];
	bool is_whole;
	int ret;

	start_variant(&machine, variant);
	set_imsic(first(&machine), EIE0, UINT64_C(1) << 40);
	is_whole = get_imsic(first(&machine), EIE0);
	set_imsic(first(&machine), EIE0, UINT64_MAX - 1);
	ck_assert_uint_eq(get_imsic(first(&machine), EIE0) | 1, UINT64_MAX);
	set_imsic(first(&machine), EIDELIVERY, 1);
	save(&machine);
	ck_assert_uint_eq(get_word("imsic", WORD_EIE0), is_whole ? UINT64_MAX - 1 : 0xfffffffe);
	/* In place they are kept. */
	disturb(&machine);
	load(&machine);
	ck_assert_uint_eq(get_imsic(first(&machine), EIE0) | 1, UINT64_MAX);
	if (is_whole) {
		send(&machine, 0, 40);
		message(first(&machine), 40);
	}
	send(&machine, 0, 31);
	message(first(&machine), 31);
	/* In another VM. */
	create_variant(&other, variant);
	load_harts(&other);
	ret = load_vm(&other);
	if (ret) {
		ck_assert(is_whole);
		ck_fails_saying(ret, ENOTSUP, "register 0xc0 of vCPU 0");
		config.refused = accept_refusal;
		ck_ok(axvm_load(other.harts[0].vm, state, size, &config));
		ck_assert_uint_eq(refusals, 1);
		ck_assert_uint_eq(get_imsic(first(&other), EIE0) & 0xffffffff, 0xfffffffe);
	} else {
		expect_state(&other, state);
		ck_assert_uint_eq(get_imsic(first(&other), EIE0) | 1, UINT64_MAX);
	}
	send(&other, 0, 31);
	message(first(&other), 31);
	end(&other);
	end(&machine);
}
END_TEST

/* --- refusals --------------------------------------------------------------------------------- */

static unsigned char before[ROOM];

/* The load fails and changes nothing. */
static void expect_refused(struct machine *m, int err, const char *text)
{
	size_t len = save_vm(m, before);

	ck_fails_saying(load_vm(m), err, text);
	ck_assert_uint_eq(save_vm(m, again), len);
	ck_assert_mem_eq(again, before, len);
	ck_assert_int_eq(axvcpu_state(m->harts[0].vcpu), AXVCPU_FREE);
}

static void create_plain(struct machine *m, uint32_t sources, uint32_t ids, unsigned int n)
{
	struct axvm_riscv64_config riscv = AXVM_RISCV64_CONFIG_INIT;

	riscv.sources = sources;
	riscv.ids = ids;
	create(m, &riscv, n);
}

START_TEST(state_of_another_shape_is_refused)
{
	static const struct {
		uint32_t sources, ids;
		unsigned int n;
		const char *text;
	} shapes[] = {
		{ SOURCES - 1, IDS, 1, "section aplic" },
		{ SOURCES + 1, IDS, 1, "section aplic" },
		{ 63, 63, 1, "section imsic" },
		{ SOURCES, IDS - 64, 1, "section imsic" },
		{ SOURCES, IDS, 2, "vCPUs" },
	};

	create_plain(&machine, SOURCES, IDS, 1);
	ck_ok(axvm_finalize(machine.harts[0].vm));
	line(&machine, 5, true);
	save(&machine);
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		create_plain(&other, shapes[i].sources, shapes[i].ids, shapes[i].n);
		ck_ok(axvm_finalize(other.harts[0].vm));
		expect_refused(&other, EINVAL, shapes[i].text);
		end(&other);
	}
	end(&machine);
}
END_TEST

/* The same number of vCPUs, of which one has another id. */
START_TEST(state_of_other_vcpus_is_refused)
{
	create_plain(&machine, SOURCES, IDS, 2);
	ck_ok(axvm_finalize(machine.harts[0].vm));
	save(&machine);
	create_plain(&other, SOURCES, IDS, 1);
	other.harts[1].vm = other.harts[0].vm;
	other.harts[1].vcpu = guest_vcpu(other.harts[0].vm, 2, 0);
	other.n = 2;
	ck_ok(axvm_finalize(other.harts[0].vm));
	expect_refused(&other, EINVAL, "no vCPU 2");
	end(&other);
	end(&machine);
}
END_TEST

START_TEST(vm_that_is_not_finalized_is_refused)
{
	create_plain(&machine, SOURCES, IDS, 1);
	ck_fails_saying(axvm_save(machine.harts[0].vm, state, ROOM), EBADFD, "axvm_finalize");
	ck_ok(axvm_finalize(machine.harts[0].vm));
	save(&machine);
	create_plain(&other, SOURCES, IDS, 1);
	ck_fails_saying(load_vm(&other), EBADFD, "axvm_finalize");
	ck_ok(axvm_finalize(other.harts[0].vm));
	ck_ok(load_vm(&other));
	end(&other);
	end(&machine);
}
END_TEST

static void put(const char *name, size_t offset, unsigned char byte, const char *text)
{
	size_t len;
	unsigned char *at = content(name, &len) + offset, old = *at;

	ck_assert_uint_lt(offset, len);
	*at = byte;
	expect_refused(&machine, EINVAL, text);
	*at = old;
}

START_TEST(damaged_state_is_refused)
{
	const size_t whole = 0x20;
	size_t good;

	create_plain(&machine, SOURCES, IDS, 1);
	ck_ok(axvm_finalize(machine.harts[0].vm));
	line(&machine, 5, true);
	save(&machine);
	good = size;
	for (size = 0; size < good; size += size < whole ? 1 : 37)
		ck_fails(load_vm(&machine), EINVAL);
	size = good;
	put("imsic", 8 * WORD_IDS, 63, "63 ids");
	put("imsic", 8 * WORD_IDS + 4, 1, "ids");
	put("imsic", 8 * WORD_VCPUS, 2, "2 vCPUs");
	put("imsic", 8 * WORD_VCPU, 1, "no vCPU 0");
	put("imsic", 8 * WORD_VCPU + 7, 1, "no vCPU 0");
	put("aplic", 0, SOURCES + 1, "97 sources");
	put("aplic", 3, 1, "sources");
	put("lines", 0, 1, "gsi 0 is raised");
	put("lines", (SOURCES + 1) / 8, 1 << (SOURCES + 1) % 8, "gsi 97 is raised");
	/* A section that is missing. */
	content("imsic", &good)[-32] = 'x';
	expect_refused(&machine, EINVAL, "no section imsic");
	content("xmsic", &good)[-32] = 'i';
	content("aplic", &good)[-32] = 'x';
	expect_refused(&machine, EINVAL, "no section aplic");
	content("xplic", &good)[-32] = 'a';
	content("lines", &good)[-32] = 'x';
	expect_refused(&machine, EINVAL, "no section lines");
	content("xines", &good)[-32] = 'l';
	ck_ok(load_vm(&machine));
	end(&machine);
}
END_TEST

/* A guest can write any value, too. */
START_TEST(any_registers_can_be_loaded_and_replaced)
{
	static const char *const names[] = { "imsic", "aplic", "lines" };
	static unsigned char good[ROOM];
	unsigned int seed = 1;
	size_t len;

	start_variant(&machine, &variants[_i]);
	prepare_wires(&machine);
	save(&machine);
	memcpy(good, state, size);
	for (unsigned int i = 0; i < 5 + suite_scale(1000); i++) {
		unsigned char *section = content(names[i % 3], &len);

		for (int j = 0; j < 20; j++)
			section[(size_t)rand_r(&seed) % len] ^= (unsigned char)rand_r(&seed);
		(void)load_vm(&machine);
		for (unsigned int n = 0; n < machine.n; n++)
			ck_assert_int_ne(axvcpu_state(machine.harts[n].vcpu), AXVCPU_INVALID);
		memcpy(state, good, size);
		load(&machine);
	}
	expect_wires(&machine);
	end(&machine);
}
END_TEST

/* --- without an AIA --------------------------------------------------------------------------- */

START_TEST(vm_without_an_irqchip_has_an_empty_state)
{
	struct axvcpu_saved_section section;
	int ret;

	guest_start(&machine.harts[0], AXVCPU_MODE_64, PROGRAM(chatter));
	ret = axvm_save(machine.harts[0].vm, state, ROOM);
	ck_ok(ret);
	size = (size_t)ret;
	ck_ok(axvcpu_saved_get_section(state, size, 0, &section));
	ck_assert_int_eq(axvcpu_saved_get_section(state, size, 1, &section), -ENOENT);
	ck_ok(load_vm(&machine));
	guest_expect_write(&machine.harts[0], GUEST_MMIO, GUEST_VALUE);
	guest_end(&machine.harts[0]);
}
END_TEST

START_TEST(state_without_an_irqchip_is_not_that_of_an_aia)
{
	guest_create(&machine.harts[0], NULL, PROGRAM(chatter));
	size = (size_t)axvm_save(machine.harts[0].vm, state, ROOM);
	guest_end(&machine.harts[0]);
	create_variant(&other, &variants[0]);
	expect_refused(&other, EINVAL, "irqchip 0");
	end(&other);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *without = suite_case(suite, "without");
	TCase *guests = suite_case(suite, "guests");
	TCase *refused = suite_case(suite, "refused");

	tcase_add_test(without, vm_without_an_irqchip_has_an_empty_state);
	if (!riscv64_host_has_aia())
		return;
	tcase_add_test(without, state_without_an_irqchip_is_not_that_of_an_aia);
	tcase_add_loop_test(guests, a_guest_finds_its_aia_in_another_vm, 0, SCENARIOS * VARIANTS);
	tcase_add_loop_test(guests, a_guest_finds_its_aia_after_a_load_in_place, 0,
			    SCENARIOS * VARIANTS);
	tcase_add_loop_test(guests, upper_halves_are_kept_or_refused_by_name, 0, VARIANTS);
	tcase_add_loop_test(guests, any_registers_can_be_loaded_and_replaced, 0, VARIANTS);
	tcase_add_test(refused, state_of_another_shape_is_refused);
	tcase_add_test(refused, state_of_other_vcpus_is_refused);
	tcase_add_test(refused, vm_that_is_not_finalized_is_refused);
	tcase_add_test(refused, damaged_state_is_refused);
}

int main(void)
{
	return suite_main("riscv64, VM state", true, add_tests);
}
