/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The guest sees its GIC and ITS as they were when the VM was saved: after a move into another VM,
 * and after a load in place over a changed state. States that do not fit are refused before the VM is
 * changed. With GICv2 or GICv3, whichever KVM has; the ITS needs a GICv3. Needs a working /dev/kvm.
 */
#include <errno.h>
#include <stdio.h>

#include "arm64_guest.h"
#include "suite.h"

#define FIRST_SPI 32u
#define VTIMER 27u
#define VCPUS_MAX 2u

/* --- VMs and their states ------------------------------------------------------------------------ */

static struct machine {
	struct axvm *vm;
	struct guest cpus[VCPUS_MAX];
	uint32_t vcpus;
} machine, other;

/* Exceeds the states of these VMs. */
#define ROOM 0x20000
static struct snapshot {
	struct axvm_clock clock;
	unsigned char vm[ROOM];
	size_t vm_size;
	unsigned char cpus[VCPUS_MAX][ROOM];
	size_t cpu_sizes[VCPUS_MAX];
	unsigned char memory[GUEST_MEMORY];
} snapshot;

/* The list of a CPU, its argument. */
static uint64_t list_of(uint32_t id)
{
	return A64_LIST + 0x1000u * id;
}

/* Set up and not finalized. */
static void create(struct machine *of, const struct axvm_arm64_config *gic, uint32_t vcpus,
		   const void *code, size_t len)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.irqchip = gic ? AXVM_IRQCHIP_KERNEL : AXVM_IRQCHIP_NONE;
	config.arch_config = gic;
	config.max_vcpus = vcpus;
	of->vm = guest_vm(&config, code, len);
	of->vcpus = vcpus;
	for (uint32_t id = 0; id < vcpus; id++)
		of->cpus[id] = (struct guest){ .vm = of->vm,
					       .vcpu = guest_vcpu_on(of->vm, id, list_of(id)) };
}

static void start(struct machine *of, const struct axvm_arm64_config *gic, uint32_t vcpus,
		  const void *code, size_t len)
{
	create(of, gic, vcpus, code, len);
	ck_ok(axvm_finalize(of->vm));
}

static void end(struct machine *of)
{
	for (uint32_t id = 0; id < of->vcpus; id++) {
		if (axvcpu_state(of->cpus[id].vcpu) == AXVCPU_READY)
			ck_ok(axvcpu_unbind(of->cpus[id].vcpu));
		ck_ok(axvcpu_free(of->cpus[id].vcpu));
	}
	ck_ok(axvm_free(of->vm));
}

static size_t save_vm(struct machine *of, unsigned char *to)
{
	int ret = axvm_save(of->vm, to, ROOM);

	ck_ok(ret);
	ck_assert_int_le(ret, ROOM);
	return (size_t)ret;
}

static void save(struct machine *of)
{
	snapshot.clock = (struct axvm_clock)AXVM_CLOCK_INIT;
	ck_ok(axvm_get_clock(of->vm, &snapshot.clock));
	snapshot.vm_size = save_vm(of, snapshot.vm);
	for (uint32_t id = 0; id < of->vcpus; id++) {
		int ret = axvcpu_save(of->cpus[id].vcpu, snapshot.cpus[id], ROOM);

		ck_ok(ret);
		ck_assert_int_le(ret, ROOM);
		snapshot.cpu_sizes[id] = (size_t)ret;
	}
	ck_ok(axvm_read(of->vm, GUEST_BASE, snapshot.memory, GUEST_MEMORY));
}

static void load_all_but_vm(struct machine *to)
{
	ck_ok(axvm_set_clock(to->vm, &snapshot.clock, AXVM_TIME_FREEZE));
	for (uint32_t id = 0; id < to->vcpus; id++)
		ck_ok(axvcpu_load(to->cpus[id].vcpu, snapshot.cpus[id], snapshot.cpu_sizes[id],
				  NULL));
	ck_ok(axvm_write(to->vm, GUEST_BASE, snapshot.memory, GUEST_MEMORY));
}

static void load(struct machine *to)
{
	load_all_but_vm(to);
	ck_ok(axvm_load(to->vm, snapshot.vm, snapshot.vm_size, NULL));
}

/* The VM goes on as another one, of the same config. */
static void move(const struct axvm_arm64_config *gic, const void *code, size_t len)
{
	save(&machine);
	start(&other, gic, machine.vcpus, code, len);
	load(&other);
	end(&machine);
	machine = other;
}

static struct guest *cpu0(struct machine *of)
{
	if (axvcpu_state(of->cpus[0].vcpu) == AXVCPU_FREE)
		ck_ok(axvcpu_bind(of->cpus[0].vcpu));
	return &of->cpus[0];
}

/* The versions that KVM has here. */
static struct axvm_arm64_config gic_of(uint32_t version)
{
	struct axvm_arm64_config gic = AXVM_ARM64_CONFIG_INIT;

	gic.gic_version = version;
	return gic;
}

/* --- what a guest sees: "view" ------------------------------------------------------------------- */

#define VALUES_MAX 64
#define STORES_MAX 32

struct view {
	uint64_t values[VALUES_MAX];
	size_t n;
};

static uint64_t own_base(uint32_t version, uint32_t id)
{
	return version == 2 ? AXVM_ARM64_GICD : AXVM_ARM64_GICR + 0x20000u * id + 0x10000u;
}

/* CTLR, then interrupts 32 to 63: IGROUPR, ISENABLER, ISPENDR, ISACTIVER, priorities, ICFGR. */
static const uint32_t dist_offsets[] = { 0x000, 0x084, 0x104, 0x204, 0x304,
					 0x420, 0x424, 0x428, 0xc08, 0xc0c };
/* The same for interrupts 0 to 31. */
static const uint32_t own_offsets[] = { 0x080, 0x100, 0x200, 0x300, 0x400, 0x404,
					0x410, 0x414, 0x418, 0xc00, 0xc04 };
/* Of a GICv2: targets, senders of SGIs. */
static const uint32_t v2_offsets[] = { 0x820, 0x824, 0xf20 };
/* Its CPU interface: CTLR, PMR, BPR, RPR, APR0. */
static const uint32_t v2_cpu_offsets[] = { 0x00, 0x04, 0x08, 0x14, 0xd0 };
/* Routes of the first two SPIs, of a GICv3. */
static const uint32_t v3_offsets[] = { 0x6100, 0x6108 };

#define ADD(addresses, n, base, offsets) \
	for (size_t add = 0; add < sizeof(offsets) / sizeof(*(offsets)); add++) \
	(addresses)[(n)++] = (base) + (offsets)[add]

/* Tells a CPU of a guest "view" to do this; it reads the same registers each time. */
static void tell(struct machine *of, uint32_t version, uint32_t id, uint64_t command,
		 const struct a64_store *stores, size_t n)
{
	const uint64_t words[] = { command, version == 2 ? AXVM_ARM64_GICC : 0 };
	uint64_t addresses[VALUES_MAX + 1], at = list_of(id), zero = 0;
	size_t count = 0;

	ADD(addresses, count, AXVM_ARM64_GICD, dist_offsets);
	ADD(addresses, count, own_base(version, id), own_offsets);
	if (version == 2) {
		ADD(addresses, count, AXVM_ARM64_GICD, v2_offsets);
		ADD(addresses, count, AXVM_ARM64_GICC, v2_cpu_offsets);
	} else {
		ADD(addresses, count, AXVM_ARM64_GICD, v3_offsets);
	}
	addresses[count++] = 0;
	ck_ok(axvm_write(of->vm, at, words, sizeof(words)));
	at += sizeof(words);
	ck_ok(axvm_write(of->vm, at, stores, n * sizeof(*stores)));
	at += n * sizeof(*stores);
	ck_ok(axvm_write(of->vm, at, &zero, sizeof(zero)));
	ck_ok(axvm_write(of->vm, at + sizeof(zero), addresses, count * sizeof(*addresses)));
}

/* Runs a CPU for a round, and returns what it reports. */
static struct view look(struct machine *of, uint32_t id)
{
	struct guest *cpu = &of->cpus[id];
	struct view view = { .n = 0 };

	ck_ok(axvcpu_bind(cpu->vcpu));
	for (;;) {
		guest_expect(cpu, AXVCPU_EXIT_MMIO_WRITE);
		if (cpu->exit.u.mmio.addr == GUEST_MMIO)
			break;
		ck_assert_uint_lt(view.n, VALUES_MAX);
		view.values[view.n++] = cpu->exit.u.mmio.data;
	}
	ck_ok(axvcpu_unbind(cpu->vcpu));
	return view;
}

static struct view tell_and_look(struct machine *of, uint32_t version, uint32_t id,
				 uint64_t command, const struct a64_store *stores, size_t n)
{
	tell(of, version, id, command, stores, n);
	return look(of, id);
}

static struct view look_only(struct machine *of, uint32_t version, uint32_t id)
{
	return tell_and_look(of, version, id, 0, NULL, 0);
}

static void expect_same(const struct view *now, const struct view *then, uint32_t id)
{
	ck_assert_uint_eq(now->n, then->n);
	for (size_t i = 0; i < then->n; i++)
		ck_assert_msg(now->values[i] == then->values[i],
			      "CPU %u: value %zu is %#jx; it was %#jx", id, i,
			      (uintmax_t)now->values[i], (uintmax_t)then->values[i]);
}

/* The value that the guest read from this register of the distributor. */
static uint64_t dist_value(const struct view *view, uint32_t version, uint32_t offset)
{
	/* A GICv3 reports six registers of its CPU interface first, and both the taken interrupt. */
	const size_t first = version == 2 ? 1 : 7;

	for (size_t i = 0; i < sizeof(dist_offsets) / sizeof(dist_offsets[0]); i++)
		if (dist_offsets[i] == offset)
			return view->values[first + i];
	ck_abort_msg("%#x is not read", offset);
	return 0;
}

/* Stores of CPU 'id': its own interrupts; CPU 0 also those of the distributor. */
static size_t own_stores(uint32_t version, uint32_t id, struct a64_store *to)
{
	const uint64_t own = own_base(version, id);
	size_t n = 0;

	to[n++] = (struct a64_store){ own + 0x080, 4, version == 2 ? 0 : UINT32_MAX };
	to[n++] = (struct a64_store){ own + 0x100, 4, 0x00f000ff + id };
	to[n++] = (struct a64_store){ own + 0x400, 4, 0x40302010 };
	to[n++] = (struct a64_store){ own + 0x414, 4, 0x80706050 + 8 * id };
	/* Pending: SGI 3, PPI 22. */
	if (version == 2)
		to[n++] = (struct a64_store){ own + 0xf20, 4, UINT64_C(1) << (24 + id) };
	to[n++] = (struct a64_store){ own + 0x200, 4, 1u << 3 | 1u << 22 };
	/* Active: SGI 5, PPI 23. */
	to[n++] = (struct a64_store){ own + 0x300, 4, 1u << 5 | 1u << 23 };
	return n;
}

static size_t dist_stores(uint32_t version, uint32_t vcpus, struct a64_store *to)
{
	const uint64_t gicd = AXVM_ARM64_GICD;
	const uint64_t last = vcpus - 1;
	size_t n = 0;

	to[n++] = (struct a64_store){ gicd, 4, version == 2 ? 1 : 0x12 };
	/* Edges: 32, 33, 34. */
	to[n++] = (struct a64_store){ gicd + 0xc08, 4, 0x2a };
	to[n++] = (struct a64_store){ gicd + 0x420, 4, 0xb0a89088 };
	to[n++] = (struct a64_store){ gicd + 0x424, 4, 0xa0c0e0d0 };
	to[n++] = (struct a64_store){ gicd + 0x104, 4, 0x800000ff };
	/* Pending: 33, an edge; 36, a level, latched. Active: 34, 38. */
	to[n++] = (struct a64_store){ gicd + 0x204, 4, 1u << 1 | 1u << 4 };
	to[n++] = (struct a64_store){ gicd + 0x304, 4, 1u << 2 | 1u << 6 };
	if (version == 2)
		to[n++] = (struct a64_store){ gicd + 0x820, 4, 0x01010101u << last };
	else
		to[n++] = (struct a64_store){ gicd + 0x6108, 8, last };
	return n;
}

/* Levels: 37 is high, and 32, an edge; of CPU 0, PPI 21. */
static void raise_lines(struct machine *of, bool level)
{
	ck_ok(axvm_set_irq_line(of->vm, 5, level));
	ck_ok(axvm_set_irq_line(of->vm, 0, level));
	ck_ok(axvcpu_set_irq_line(of->cpus[0].vcpu, 21, level));
}

/* A VM whose interrupts are enabled, pending and active; each CPU has taken one. */
static void start_view(const struct axvm_arm64_config *gic, uint32_t vcpus, struct view *views)
{
	const uint32_t version = gic->gic_version;
	struct a64_store stores[STORES_MAX];

	start(&machine, gic, vcpus, PROGRAM(view));
	for (uint32_t id = 0; id < vcpus; id++) {
		size_t n = own_stores(version, id, stores);

		if (!id)
			n += dist_stores(version, vcpus, stores + n);
		tell_and_look(&machine, version, id, A64_VIEW_ON, stores, n);
		tell_and_look(&machine, version, id, A64_VIEW_TAKE, NULL, 0);
	}
	raise_lines(&machine, true);
	for (uint32_t id = 0; id < vcpus; id++)
		views[id] = look_only(&machine, version, id);
}

static void expect_views(struct machine *of, uint32_t version, const struct view *then)
{
	for (uint32_t id = 0; id < of->vcpus; id++) {
		const struct view now = look_only(of, version, id);

		expect_same(&now, &then[id], id);
	}
}

#define ISPENDR 0x204u

/*
 * A level whose line is lowered is no longer pending, one that is latched is. The edge that was high
 * is pending until it is taken, and becomes so again only by a new edge.
 */
static void expect_lines_work(struct machine *of, uint32_t version)
{
	struct view view;

	view = look_only(of, version, 0);
	ck_assert_uint_eq(dist_value(&view, version, ISPENDR),
			  1u << 0 | 1u << 1 | 1u << 4 | 1u << 5);
	raise_lines(of, false);
	view = look_only(of, version, 0);
	ck_assert_uint_eq(dist_value(&view, version, ISPENDR), 1u << 0 | 1u << 1 | 1u << 4);
	ck_ok(axvm_set_irq_line(of->vm, 6, true));
	view = look_only(of, version, 0);
	ck_assert_uint_eq(dist_value(&view, version, ISPENDR),
			  1u << 0 | 1u << 1 | 1u << 4 | 1u << 6);
	ck_ok(axvm_set_irq_line(of->vm, 6, false));
}

/* What "view" reported as the interrupt that it took. */
static uint64_t taken(const struct view *view, uint32_t version)
{
	return view->values[version == 2 ? 0 : 6] & 0x3ff;
}

/* Ends the interrupt of a CPU, and takes and ends the others that its GIC signals. */
static void expect_end(struct machine *of, uint32_t version, uint32_t id, const struct view *then)
{
	const uint64_t first = taken(then, version);
	uint64_t previous = first;
	struct view view;

	tell_and_look(of, version, id, A64_VIEW_END, NULL, 0);
	for (int i = 0; i < 16; i++) {
		view = tell_and_look(of, version, id, A64_VIEW_TAKE, NULL, 0);
		if (taken(&view, version) == 1023)
			return;
		/* The first one is not pending any more, none comes twice. */
		ck_assert_uint_ne(taken(&view, version), first);
		ck_assert_uint_ne(taken(&view, version), previous);
		previous = taken(&view, version);
		tell_and_look(of, version, id, A64_VIEW_END, NULL, 0);
	}
	ck_abort_msg("CPU %u: interrupts without end", id);
}

/* _i: the version, and a second CPU. */
static uint32_t version_of(int i)
{
	return (uint32_t)i / 2;
}

static uint32_t vcpus_of(int i)
{
	return (uint32_t)i % 2 + 1;
}

START_TEST(the_guest_sees_the_same_gic_after_a_move)
{
	const struct axvm_arm64_config gic = gic_of(version_of(_i));
	struct view views[VCPUS_MAX];

	start_view(&gic, vcpus_of(_i), views);
	move(&gic, PROGRAM(view));
	expect_views(&machine, gic.gic_version, views);
	expect_lines_work(&machine, gic.gic_version);
	for (uint32_t id = 0; id < machine.vcpus; id++)
		expect_end(&machine, gic.gic_version, id, &views[id]);
	end(&machine);
}
END_TEST

/* Everything else than it was: enabled, pending, active, priorities, configuration, lines. */
static void change(const struct axvm_arm64_config *gic)
{
	const uint32_t version = gic->gic_version;

	raise_lines(&machine, false);
	for (uint32_t gsi = 0; gsi < 16; gsi += 3)
		ck_ok(axvm_set_irq_line(machine.vm, gsi, true));
	ck_ok(axvcpu_set_irq_line(machine.cpus[0].vcpu, 20, true));
	for (uint32_t id = 0; id < machine.vcpus; id++) {
		const uint64_t own = own_base(version, id), gicd = AXVM_ARM64_GICD;
		const struct a64_store stores[] = {
			{ own + 0x180, 4, 0x00a000f0 },	 { own + 0x100, 4, 0xf0f0ff00 },
			{ own + 0x280, 4, UINT32_MAX },	 { own + 0x200, 4, 0x00a08080 },
			{ own + 0x380, 4, UINT32_MAX },	 { own + 0x300, 4, 0x00300006 },
			{ own + 0x400, 4, 0x08182838 },	 { own + 0x414, 4, 0xf8f8f8f8 },
			{ gicd + 0x184, 4, UINT32_MAX }, { gicd + 0x104, 4, 0xff00ff00 },
			{ gicd + 0x284, 4, UINT32_MAX }, { gicd + 0x204, 4, 0x0f0f0f0e },
			{ gicd + 0x384, 4, UINT32_MAX }, { gicd + 0x304, 4, 0xf000000f },
			{ gicd + 0x420, 4, 0x08080808 }, { gicd + 0xc08, 4, 0xa8a8a8a8 },
		};

		tell_and_look(&machine, version, id, A64_VIEW_END, stores,
			      sizeof(stores) / sizeof(stores[0]));
		tell_and_look(&machine, version, id, A64_VIEW_TAKE, NULL, 0);
	}
}

START_TEST(the_guest_sees_the_same_gic_after_a_load_in_place)
{
	const struct axvm_arm64_config gic = gic_of(version_of(_i));
	struct view views[VCPUS_MAX];

	start_view(&gic, vcpus_of(_i), views);
	save(&machine);
	for (unsigned int round = 0; round < 2 + suite_scale(100); round++) {
		if (round % 2)
			ck_ok(axvm_reset(machine.vm, 0));
		else
			change(&gic);
		load(&machine);
		expect_views(&machine, gic.gic_version, views);
		expect_lines_work(&machine, gic.gic_version);
		for (uint32_t id = 0; id < machine.vcpus; id++)
			expect_end(&machine, gic.gic_version, id, &views[id]);
	}
	end(&machine);
}
END_TEST

/* The state is that of the snapshot. */
static void expect_same_state(const unsigned char *state, size_t size)
{
	struct axvcpu_saved_section now, then;
	uint64_t words[2];
	unsigned int i = 0;

	for (; !axvcpu_saved_get_section(snapshot.vm, snapshot.vm_size, i, &then); i++) {
		ck_ok(axvcpu_saved_get_section(state, size, i, &now));
		ck_assert_str_eq(now.name, then.name);
		ck_assert_uint_eq(now.len, then.len);
		for (size_t at = 0; at + 8 <= now.len; at += 8) {
			memcpy(&words[0], (const unsigned char *)now.data + at, 8);
			memcpy(&words[1], (const unsigned char *)then.data + at, 8);
			ck_assert_msg(words[0] == words[1],
				      "section %s: word %zu is %#jx; it was %#jx", now.name, at / 8,
				      (uintmax_t)words[0], (uintmax_t)words[1]);
		}
	}
	ck_assert_uint_gt(i, 0);
	ck_assert_uint_eq(size, snapshot.vm_size);
}

START_TEST(a_loaded_gic_is_saved_as_the_same_state)
{
	static unsigned char again[ROOM];
	const struct axvm_arm64_config gic = gic_of(version_of(_i));
	struct view views[VCPUS_MAX];

	start_view(&gic, vcpus_of(_i), views);
	ck_assert_int_eq(axvm_save(machine.vm, NULL, 0), (int)save_vm(&machine, again));
	move(&gic, PROGRAM(view));
	expect_same_state(again, save_vm(&machine, again));
	end(&machine);
}
END_TEST

/* --- what a guest gets: "gic" -------------------------------------------------------------------- */

/*
 * The guest takes all interrupts. Of 32 to 47, all but the first are levels. 60 and then 61 have
 * priorities below the others.
 */
static void start_taking(const struct axvm_arm64_config *gic, bool timer)
{
	const struct a64_store stores[] = { { AXVM_ARM64_GICD + 0xc08, 4, 2u },
					    { AXVM_ARM64_GICD + 0x43c, 4, 0x8040 } };

	start(&machine, gic, 1, PROGRAM(gic));
	a64_gic_list_all(machine.vm, gic, timer, stores, 2);
	guest_expect_write(cpu0(&machine), GUEST_MMIO, timer);
}

/* An edge of interrupt 'intid' is the next. */
static void expect_next(uint32_t intid)
{
	ck_ok(axvm_pulse_irq(machine.vm, intid - FIRST_SPI));
	a64_expect_irq(cpu0(&machine), intid);
}

/* Pending: an edge, 60 and 61; a line that is high, 40. The guest takes them in this order. */
static void make_pending(void)
{
	ck_ok(axvm_pulse_irq(machine.vm, 61 - FIRST_SPI));
	ck_ok(axvm_pulse_irq(machine.vm, 60 - FIRST_SPI));
	ck_ok(axvm_set_irq_line(machine.vm, 40 - FIRST_SPI, true));
}

static void expect_pending(void)
{
	for (int i = 0; i < 3; i++)
		a64_expect_irq(cpu0(&machine), 40);
	ck_ok(axvm_set_irq_line(machine.vm, 40 - FIRST_SPI, false));
	a64_expect_irq(cpu0(&machine), 60);
	a64_expect_irq(cpu0(&machine), 61);
	expect_next(FIRST_SPI);
}

START_TEST(an_edge_comes_once_and_a_level_until_it_is_lowered)
{
	const struct axvm_arm64_config gic = gic_of((uint32_t)_i);

	start_taking(&gic, false);
	make_pending();
	move(&gic, PROGRAM(gic));
	expect_pending();
	end(&machine);
	start_taking(&gic, false);
	make_pending();
	save(&machine);
	for (unsigned int round = 0; round < 1 + suite_scale(100); round++) {
		expect_pending();
		ck_ok(axvm_set_irq_line(machine.vm, 41 - FIRST_SPI, true));
		ck_ok(axvcpu_inject_interrupt(machine.cpus[0].vcpu, 70));
		load(&machine);
	}
	expect_pending();
	end(&machine);
}
END_TEST

START_TEST(an_interrupt_that_was_taken_is_ended_after_a_move)
{
	const struct axvm_arm64_config gic = gic_of((uint32_t)_i);

	start_taking(&gic, false);
	ck_ok(axvm_pulse_irq(machine.vm, 60 - FIRST_SPI));
	ck_ok(axvm_pulse_irq(machine.vm, 61 - FIRST_SPI));
	/* In its handler; pending again meanwhile. */
	a64_expect_irq(cpu0(&machine), 60);
	ck_ok(axvm_pulse_irq(machine.vm, 60 - FIRST_SPI));
	move(&gic, PROGRAM(gic));
	a64_expect_irq(cpu0(&machine), 60);
	move(&gic, PROGRAM(gic));
	a64_expect_irq(cpu0(&machine), 61);
	expect_next(FIRST_SPI);
	end(&machine);
}
END_TEST

/* KVM ignores writes of the active state of its timers. */
START_TEST(a_timer_that_is_due_interrupts_again_after_a_load)
{
	const struct axvm_arm64_config gic = gic_of((uint32_t)_i);

	start_taking(&gic, true);
	save(&machine);
	for (int round = 0; round < 3; round++) {
		/* In its handler. */
		a64_expect_irq(cpu0(&machine), VTIMER);
		/* Or behind it. */
		if (round == 1)
			expect_next(FIRST_SPI);
		load(&machine);
	}
	move(&gic, PROGRAM(gic));
	a64_expect_irq(cpu0(&machine), VTIMER);
	move(&gic, PROGRAM(gic));
	expect_next(FIRST_SPI);
	end(&machine);
}
END_TEST

/* --- the ITS ------------------------------------------------------------------------------------- */

static struct axvm_arm64_config its_config(void)
{
	struct axvm_arm64_config gic = gic_of(3);

	gic.flags = AXVM_ARM64_ITS;
	return gic;
}

/* The guest has mapped a device, and waits for its messages. */
static void start_its(void)
{
	machine.vcpus = 1;
	a64_start_its(&machine.cpus[0]);
	machine.vm = machine.cpus[0].vm;
}

static void send(unsigned int n)
{
	const struct axvm_msi msi = guest_message(n);

	ck_assert_int_eq(axvm_signal_msi(machine.vm, &msi), 1);
}

static void expect_message(unsigned int n)
{
	ck_assert_uint_eq(guest_next_message(cpu0(&machine)), n);
}

START_TEST(messages_arrive_after_a_move)
{
	const struct axvm_arm64_config gic = its_config();

	start_its();
	send(3);
	send(1);
	/* Nothing is pending in the second round. */
	for (int round = 0; round < 2; round++) {
		move(&gic, PROGRAM(gic));
		if (!round) {
			expect_message(1);
			expect_message(3);
		}
		for (unsigned int n = 0; n < GUEST_MESSAGES; n++) {
			send(n);
			expect_message(n);
		}
	}
	end(&machine);
}
END_TEST

START_TEST(messages_arrive_after_a_load_in_place)
{
	start_its();
	send(2);
	save(&machine);
	for (unsigned int round = 0; round < 3 + suite_scale(100); round++) {
		expect_message(2);
		send(5);
		/* The ITS has forgotten the device. */
		if (round % 2)
			ck_ok(axvm_reset(machine.vm, 0));
		load(&machine);
	}
	expect_message(2);
	send(6);
	expect_message(6);
	end(&machine);
}
END_TEST

/* --- refusals ------------------------------------------------------------------------------------ */

/* Whether a move into a VM of this config is refused, which leaves that VM as it was. */
static void expect_refused(const struct axvm_arm64_config *gic, uint32_t vcpus, int err,
			   const char *text)
{
	start(&other, gic, vcpus, PROGRAM(gic));
	ck_fails_saying(axvm_load(other.vm, snapshot.vm, snapshot.vm_size, NULL), err, text);
	ck_assert_int_eq(axvcpu_state(other.cpus[0].vcpu), AXVCPU_FREE);
	end(&other);
}

START_TEST(a_gic_of_another_shape_is_refused)
{
	struct axvm_arm64_config gic = gic_of(a64_gic_version());

	start(&machine, &gic, 1, PROGRAM(gic));
	save(&machine);
	expect_refused(NULL, 1, EINVAL, "irqchip");
	expect_refused(&gic, 2, EINVAL, "vCPUs");
	gic.nirqs = 128;
	expect_refused(&gic, 1, EINVAL, "with 128");
	gic.nirqs = 0;
	for (uint32_t version = 2; version <= 3; version++) {
		gic.gic_version = version;
		if (version != a64_gic_version() && a64_has_gic(version))
			expect_refused(&gic, 1, EINVAL, "this is a GICv");
	}
	if (a64_has_gic(3)) {
		gic = its_config();
		expect_refused(&gic, 1, EINVAL, "this is a GICv3");
	}
	end(&machine);
}
END_TEST

START_TEST(a_gic_that_is_not_finalized_has_no_state)
{
	struct axvm_arm64_config gic = gic_of(a64_gic_version());
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;
	struct axvcpu *vcpu;

	start(&machine, &gic, 1, PROGRAM(gic));
	save(&machine);
	create(&other, &gic, 1, PROGRAM(gic));
	ck_fails_saying(axvm_save(other.vm, NULL, 0), EBADFD, "axvm_finalize()");
	ck_fails_saying(axvm_load(other.vm, snapshot.vm, snapshot.vm_size, NULL), EBADFD,
			"axvm_finalize()");
	end(&other);
	/* A vCPU that is not set up. */
	config.id = 0;
	ck_ok(axvm_new(&(struct axvm_config){ .size = sizeof(struct axvm_config),
					      .irqchip = AXVM_IRQCHIP_KERNEL,
					      .arch_config = &gic },
		       &other.vm));
	ck_ok(axvcpu_new(other.vm, &config, &vcpu));
	ck_ok(axvm_finalize(other.vm));
	ck_fails_saying(axvm_save(other.vm, NULL, 0), EBADFD, "not set up");
	ck_fails_saying(axvm_load(other.vm, snapshot.vm, snapshot.vm_size, NULL), EBADFD,
			"not set up");
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(other.vm));
	end(&machine);
}
END_TEST

START_TEST(a_vm_without_a_gic_has_an_empty_state)
{
	create(&machine, NULL, 1, PROGRAM(chatter));
	save(&machine);
	create(&other, NULL, 1, PROGRAM(chatter));
	load(&other);
	end(&machine);
	machine = other;
	guest_expect_write(cpu0(&machine), GUEST_MMIO, GUEST_VALUE);
	save(&machine);
	load(&machine);
	guest_expect_write(cpu0(&machine), GUEST_MMIO, GUEST_VALUE);
	end(&machine);
}
END_TEST

static unsigned char *section_of(const char *name, size_t *len)
{
	struct axvcpu_saved_section section;

	for (unsigned int i = 0;; i++) {
		ck_ok(axvcpu_saved_get_section(snapshot.vm, snapshot.vm_size, i, &section));
		if (strcmp(section.name, name))
			continue;
		*len = section.len;
		return snapshot.vm + ((const unsigned char *)section.data - snapshot.vm);
	}
}

/* The section loses its last 8 bytes, and the state remains well-formed. */
static void shorten(const char *name)
{
	size_t len;
	unsigned char *data = section_of(name, &len);
	/* The header of a section has its length 8 bytes before its end; that of the state at 12. */
	const uint32_t section_len = (uint32_t)len - 8, size = (uint32_t)snapshot.vm_size - 8;

	memcpy(data - 8, &section_len, sizeof(section_len));
	memmove(data + len - 8, data + len,
		(size_t)(snapshot.vm + snapshot.vm_size - (data + len)));
	memcpy(snapshot.vm + 12, &size, sizeof(size));
	snapshot.vm_size = size;
}

static const char *const sections[] = { "gic", "lines", "gic-dist", "gic-cpus", "its" };

START_TEST(a_truncated_state_is_refused_and_changes_nothing)
{
	const uint32_t version = a64_gic_version();
	const struct axvm_arm64_config gic = version == 3 ? its_config() : gic_of(version);
	struct view view, now;
	size_t len;

	start(&machine, &gic, 1, PROGRAM(view));
	view = look_only(&machine, version, 0);
	save(&machine);
	for (size_t size = 0; size < snapshot.vm_size; size += 1 + size / 16)
		ck_fails(axvm_load(machine.vm, snapshot.vm, size, NULL), EINVAL);
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]) - (version == 2); i++) {
		save(&machine);
		shorten(sections[i]);
		ck_fails_saying(axvm_load(machine.vm, snapshot.vm, snapshot.vm_size, NULL), ENOTSUP,
				sections[i]);
		/* Without the section. */
		save(&machine);
		section_of(sections[i], &len)[-32] = 'x';
		ck_fails_saying(axvm_load(machine.vm, snapshot.vm, snapshot.vm_size, NULL), EINVAL,
				"load:");
	}
	/* Another CPU; a line that the GIC does not have. */
	save(&machine);
	section_of("gic-cpus", &len)[4] ^= 1;
	ck_fails_saying(axvm_load(machine.vm, snapshot.vm, snapshot.vm_size, NULL), EINVAL,
			"gic-cpus");
	save(&machine);
	section_of("lines", &len)[300 / 8] = 1;
	ck_fails_saying(axvm_load(machine.vm, snapshot.vm, snapshot.vm_size, NULL), EINVAL,
			"is raised");
	now = look_only(&machine, version, 0);
	expect_same(&now, &view, 0);
	end(&machine);
}
END_TEST

static int pass_over(void *ctx, struct axvcpu *vcpu, const struct axvcpu_refusal *refusal)
{
	unsigned int *calls = ctx;

	ck_assert_ptr_null(vcpu);
	ck_assert_int_lt(refusal->error, 0);
	(*calls)++;
	return 0;
}

/* The last byte of GICD_IIDR is KVM's product number. */
START_TEST(a_value_that_kvm_refuses_leaves_the_former_state)
{
	const uint32_t version = a64_gic_version();
	const struct axvm_arm64_config gic = gic_of(version);
	struct axvcpu_load_config config = AXVCPU_LOAD_CONFIG_INIT;
	struct view views[VCPUS_MAX];
	unsigned int calls = 0;
	size_t len;

	start_view(&gic, 1, views);
	save(&machine);
	section_of("gic-dist", &len)[8 + 3] ^= 0xff;
	ck_fails_saying(axvm_load(machine.vm, snapshot.vm, snapshot.vm_size, NULL), EINVAL,
			"section gic-dist: register 0x8");
	ck_assert_int_eq(axvcpu_state(machine.cpus[0].vcpu), AXVCPU_FREE);
	expect_views(&machine, version, views);
	config.refused = pass_over;
	config.ctx = &calls;
	ck_ok(axvm_load(machine.vm, snapshot.vm, snapshot.vm_size, &config));
	ck_assert_uint_eq(calls, 1);
	expect_views(&machine, version, views);
	end(&machine);
}
END_TEST

/* The tables of the former one are no longer in guest memory. */
START_TEST(an_its_in_use_is_not_rolled_back)
{
	const struct axvm_arm64_config gic = its_config();
	size_t len;

	start_its();
	save(&machine);
	/* GITS_CREADR is beyond the queue. */
	section_of("its", &len)[2 * 8 + 2] = 0xff;
	start(&other, &gic, 1, PROGRAM(gic));
	load_all_but_vm(&other);
	ck_fails_saying(axvm_load(other.vm, snapshot.vm, snapshot.vm_size, NULL), EINVAL, "its");
	ck_assert_int_eq(axvcpu_state(other.cpus[0].vcpu), AXVCPU_FREE);
	end(&other);
	ck_fails(axvm_load(machine.vm, snapshot.vm, snapshot.vm_size, NULL), EINVAL);
	ck_assert_int_eq(axvcpu_state(machine.cpus[0].vcpu), AXVCPU_INVALID);
	end(&machine);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *view = suite_case(suite, "view");
	TCase *take = suite_case(suite, "take");
	TCase *its = suite_case(suite, "its");
	TCase *refused = suite_case(suite, "refused");
	const int from = a64_has_gic(2) ? 2 : 3, end = a64_has_gic(3) ? 4 : 3;

	if (from == 3)
		suite_left_out("a GICv2", "this KVM makes none");
	if (end == 3)
		suite_left_out("a GICv3 and its ITS", "this KVM makes none");
	tcase_add_loop_test(view, the_guest_sees_the_same_gic_after_a_move, 2 * from, 2 * end);
	tcase_add_loop_test(view, the_guest_sees_the_same_gic_after_a_load_in_place, 2 * from,
			    2 * end);
	tcase_add_loop_test(view, a_loaded_gic_is_saved_as_the_same_state, 2 * from, 2 * end);
	tcase_add_loop_test(take, an_edge_comes_once_and_a_level_until_it_is_lowered, from, end);
	tcase_add_loop_test(take, an_interrupt_that_was_taken_is_ended_after_a_move, from, end);
	tcase_add_loop_test(take, a_timer_that_is_due_interrupts_again_after_a_load, from, end);
	if (end == 4) {
		tcase_add_test(its, messages_arrive_after_a_move);
		tcase_add_test(its, messages_arrive_after_a_load_in_place);
		tcase_add_test(its, an_its_in_use_is_not_rolled_back);
	}
	tcase_add_test(refused, a_gic_of_another_shape_is_refused);
	tcase_add_test(refused, a_gic_that_is_not_finalized_has_no_state);
	tcase_add_test(refused, a_vm_without_a_gic_has_an_empty_state);
	tcase_add_test(refused, a_truncated_state_is_refused_and_changes_nothing);
	tcase_add_test(refused, a_value_that_kvm_refuses_leaves_the_former_state);
}

int main(void)
{
	return suite_main("arm64: VM state", true, add_tests);
}
