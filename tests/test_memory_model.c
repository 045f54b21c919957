/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The memory map against a model that is too simple to be wrong: an array with an entry for every
 * page and one with every byte. Random operations go to both, and both must say the same.
 *
 * AXVCPU_TEST_SEED in the environment runs one seed, as a failure prints it. Needs no KVM.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mock.h"
#include "suite.h"

#define PAGES 512
#define STEPS 20000
#define SEEDS 8

struct model_region {
	uint64_t first;
	uint64_t pages;
	/* Where it is in this process. */
	unsigned char *hva;
	bool readonly;
	/* The backend has it. */
	bool known;
};

static struct {
	uint64_t seed;
	uint64_t state;
	unsigned int step;

	struct axvm *vm;
	uint64_t page;
	/* Address of page 0. */
	uint64_t base;
	/* By page: 0, or the number of its region. */
	uint16_t owner[PAGES];
	/* By number. A page's region never has the number of another. */
	struct model_region regions[PAGES + 1];
	/* The guest's memory; PAGES pages. */
	unsigned char *bytes;
	/* The caller's memory; a page of it stands behind the page of the same number. */
	unsigned char *own;
} m;

/* Check's own assertions keep a record each, which takes longer than the code under test. */
#define must(condition, ...) \
	do { \
		if (!(condition)) \
			failed(__LINE__, #condition, __VA_ARGS__); \
	} while (0)

static void AXVCPU_PRINTF(3, 4) failed(int line, const char *condition, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	ck_abort_msg("AXVCPU_TEST_SEED=%" PRIu64 " step %u, line %d: %s: %s; %s", m.seed, m.step,
		     line, condition, text, axvcpu_last_error());
}

/* xorshift64* */
static uint64_t rnd(uint64_t below)
{
	m.state ^= m.state >> 12;
	m.state ^= m.state << 25;
	m.state ^= m.state >> 27;
	return (m.state * UINT64_C(0x2545f4914f6cdd1d) >> 11) % below;
}

/* --- a backend that checks its arguments ------------------------------------------------------ */

static struct model_region *by_gpa(uint64_t gpa)
{
	uint64_t n = (gpa - m.base) / m.page;

	must(gpa >= m.base && n < PAGES && m.owner[n], "the backend is told of %#" PRIx64, gpa);
	return &m.regions[m.owner[n]];
}

static int backend_unmap(void *arch, const struct axvm_region *info, uint32_t slot)
{
	struct model_region *region = by_gpa(info->gpa);

	(void)arch;
	(void)slot;
	must(region->known, "%#" PRIx64 " is unmapped twice", info->gpa);
	must(info->len == region->pages * m.page, "%#" PRIx64, info->gpa);
	must(info->hva == region->hva, "%#" PRIx64, info->gpa);
	region->known = false;
	return 0;
}

/* Compares with the call that the model has announced. */
static int backend_map(void *arch, const struct axvm_region *info, uint32_t slot)
{
	struct model_region *region = by_gpa(info->gpa);

	(void)arch;
	(void)slot;
	must(!region->known, "%#" PRIx64 " is mapped twice", info->gpa);
	must(info->len == region->pages * m.page, "%#" PRIx64, info->gpa);
	region->hva = info->hva;
	region->known = true;
	return 0;
}

/* --- the operations --------------------------------------------------------------------------- */

static bool range_free(uint64_t first, uint64_t pages)
{
	for (uint64_t i = first; i < first + pages; i++)
		if (m.owner[i])
			return false;
	return true;
}

static void set_owner(uint64_t first, uint64_t pages, uint16_t owner)
{
	for (uint64_t i = first; i < first + pages; i++)
		m.owner[i] = owner;
}

static uint16_t unused_number(void)
{
	uint16_t n = 1;

	while (m.regions[n].pages)
		n++;
	return n;
}

static void do_map(void)
{
	struct axvm_region info = AXVM_REGION_INIT;
	uint64_t first = rnd(PAGES), pages = 1 + rnd(rnd(4) ? 4 : 24);
	bool fits;
	int ret;

	if (first + pages > PAGES)
		pages = PAGES - first;
	info.gpa = m.base + first * m.page;
	info.len = pages * m.page;
	info.backing = rnd(2) ? AXVM_MEM_CALLER : AXVM_MEM_ANONYMOUS;
	info.flags = rnd(4) ? 0 : AXVM_MEM_READONLY;
	info.hva = m.own + first * m.page;

	fits = range_free(first, pages);
	if (fits) {
		uint16_t n = unused_number();

		m.regions[n] = (struct model_region){
			.first = first,
			.pages = pages,
			.readonly = info.flags && info.backing == AXVM_MEM_CALLER,
		};
		set_owner(first, pages, n);
		memset(m.bytes + first * m.page, 0, pages * m.page);
		memset(m.own + first * m.page, 0, pages * m.page);
	}
	ret = axvm_map(m.vm, &info);
	must(ret == (fits ? 0 : -EEXIST), "map of page %" PRIu64 " +%" PRIu64 ": %d", first, pages,
	     ret);
}

static void do_unmap(void)
{
	uint64_t first = rnd(PAGES), pages = 1 + rnd(4);
	uint16_t n = m.owner[first];
	const struct model_region *region = &m.regions[n];
	bool exact;
	int ret;

	if (n && rnd(2)) {
		first = region->first;
		pages = region->pages;
	}
	exact = n && region->first == first && region->pages == pages;
	ret = axvm_unmap(m.vm, m.base + first * m.page, pages * m.page);
	must(ret == (exact ? 0 : -ENOENT), "unmap of page %" PRIu64 " +%" PRIu64 ": %d", first,
	     pages, ret);
	if (exact) {
		must(!region->known, "the backend still has page %" PRIu64, first);
		set_owner(first, pages, 0);
		m.regions[n].pages = 0;
	}
}

/* An offset from page 0 and a length, often at the edges of pages. */
static void any_range(uint64_t *offset, uint64_t *len)
{
	*offset = rnd(PAGES) * m.page + (rnd(2) ? rnd(m.page) : rnd(2) * (m.page - 1));
	*len = 1 + rnd(rnd(2) ? 64 : 4 * m.page);
	if (*len > PAGES * m.page - *offset)
		*len = PAGES * m.page - *offset;
}

static void do_translate(void)
{
	const struct model_region *region;
	uint64_t offset, len;
	void *untouched = &m, *p = untouched;
	bool whole;
	int ret;

	any_range(&offset, &len);
	region = &m.regions[m.owner[offset / m.page]];
	whole = m.owner[offset / m.page] &&
		offset + len <= (region->first + region->pages) * m.page;
	ret = axvm_translate(m.vm, m.base + offset, len, &p);
	must(ret == (whole ? 0 : -EFAULT), "translate of %#" PRIx64 " +%#" PRIx64 ": %d", offset,
	     len, ret);
	if (whole)
		must(p == region->hva + (offset - region->first * m.page), "%#" PRIx64 ": %p",
		     offset, p);
	else
		must(p == untouched, "%#" PRIx64, offset);
}

/* Expected result of a copy of this range. */
static int expected(uint64_t offset, uint64_t len, bool write)
{
	for (uint64_t i = offset / m.page; i <= (offset + len - 1) / m.page; i++) {
		if (!m.owner[i])
			return -EFAULT;
		if (write && m.regions[m.owner[i]].readonly)
			return -EROFS;
	}
	return 0;
}

static void do_copy(void)
{
	static unsigned char buf[4 * 65536 + 64], before[sizeof(buf)];
	uint64_t offset, len, kind = rnd(3);
	int ret, want;

	any_range(&offset, &len);
	must(len <= sizeof(buf), "pages of %" PRIu64 " bytes", m.page);
	want = expected(offset, len, kind > 0);
	for (uint64_t i = 0; i < len; i++)
		before[i] = buf[i] = (unsigned char)rnd(256);
	switch (kind) {
	case 0:
		ret = axvm_read(m.vm, m.base + offset, buf, len);
		must(!memcmp(buf, ret ? before : m.bytes + offset, len), "read of %#" PRIx64,
		     offset);
		break;
	case 1:
		ret = axvm_write(m.vm, m.base + offset, buf, len);
		if (!want)
			memcpy(m.bytes + offset, buf, len);
		break;
	default:
		ret = axvm_set(m.vm, m.base + offset, buf[0], len);
		if (!want)
			memset(m.bytes + offset, buf[0], len);
		break;
	}
	must(ret == want, "copy %" PRIu64 " of %#" PRIx64 " +%#" PRIx64 ": %d, not %d", kind,
	     offset, len, ret, want);
}

/* The listed regions equal those of the model, in place and contents. */
static void check_all(void)
{
	static struct axvm_region list[PAGES];
	uint16_t last = 0;
	int n = 0, total;

	list[0].size = sizeof(list[0]);
	total = axvm_regions(m.vm, 0, PAGES, list);
	for (uint64_t i = 0; i < PAGES; i++) {
		const struct model_region *region = &m.regions[m.owner[i]];

		if (m.owner[i] && m.owner[i] != last) {
			must(n < total, "the list has only %d", total);
			must(list[n].gpa == m.base + i * m.page, "%d: %#" PRIx64, n, list[n].gpa);
			must(list[n].len == region->pages * m.page, "%d", n);
			must(list[n].hva == region->hva, "%d", n);
			must(!memcmp(region->hva, m.bytes + i * m.page, region->pages * m.page),
			     "the bytes of page %" PRIu64, i);
			n++;
		}
		last = m.owner[i];
	}
	must(n == total, "the list has %d, not %d", total, n);
}

static void start(void)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	static struct axvcpu_arch_ops ops;
	size_t bytes;

	memset(&m, 0, sizeof(m));
	memset(&mock, 0, sizeof(mock));
	m.page = (uint64_t)sysconf(_SC_PAGESIZE);
	bytes = PAGES * m.page;
	ops = mock_ops;
	ops.vm_map = backend_map;
	ops.vm_unmap = backend_unmap;
	config.arch = &ops;
	ck_ok(axvm_new(&config, &m.vm));
	m.bytes = calloc(1, bytes);
	ck_assert_ptr_nonnull(m.bytes);
	m.own = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(m.own, MAP_FAILED);
}

static void end(void)
{
	ck_ok(axvm_free(m.vm));
	free(m.bytes);
	munmap(m.own, PAGES * m.page);
}

START_TEST(random_operations_agree_with_the_model)
{
	const char *given = getenv("AXVCPU_TEST_SEED");
	uint64_t bases[3];

	start();
	m.seed = given ? strtoull(given, NULL, 0) : (uint64_t)_i + 1;
	m.state = m.seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	bases[0] = 0;
	bases[1] = (UINT64_C(1) << 32) - PAGES / 2 * m.page;
	/* Up to the last byte that there is. */
	bases[2] = -(PAGES * m.page);
	m.base = bases[m.seed % 3];
	for (m.step = 0; m.step < suite_scale(STEPS); m.step++) {
		uint64_t dice = rnd(16);

		if (dice < 3)
			do_map();
		else if (dice < 6)
			do_unmap();
		else if (dice < 12)
			do_translate();
		else
			do_copy();
		if (m.step % 512 == 0)
			check_all();
	}
	check_all();
	end();
}
END_TEST

/* --- many ------------------------------------------------------------------------------------- */

#define MANY 8000

static uint64_t many_gpa(uint64_t i)
{
	/* With gaps that differ, but none that is none. */
	return (i * 4 + i % 2) * m.page;
}

static void shuffle(uint16_t *order, size_t n)
{
	for (size_t i = n - 1; i > 0; i--) {
		size_t j = rnd(i + 1);
		uint16_t t = order[i];

		order[i] = order[j];
		order[j] = t;
	}
}

static void many_map(uint64_t i)
{
	struct axvm_region info = AXVM_REGION_INIT;

	info.gpa = many_gpa(i);
	info.len = (1 + i % 2) * m.page;
	info.backing = AXVM_MEM_CALLER;
	/* Regions may show the same memory. */
	info.hva = m.own + i % (PAGES - 1) * m.page;
	must(!axvm_map(m.vm, &info), "region %" PRIu64, i);
}

static void many_check(const bool *there)
{
	for (uint64_t i = 0; i < MANY; i++) {
		uint64_t len = (1 + i % 2) * m.page;
		void *p = NULL;
		int ret = axvm_translate(m.vm, many_gpa(i) + len - 1, 1, &p);

		must(ret == (there[i] ? 0 : -EFAULT), "region %" PRIu64, i);
		if (there[i])
			must(p == m.own + i % (PAGES - 1) * m.page + len - 1, "region %" PRIu64, i);
		must(axvm_translate(m.vm, many_gpa(i) + len, 1, &p) == -EFAULT, "region %" PRIu64,
		     i);
	}
}

START_TEST(thousands_of_regions)
{
	static uint16_t order[MANY];
	static bool there[MANY];

	start();
	/* The mock's own: the model has not so many pages. */
	ck_ok(axvm_free(m.vm));
	{
		struct axvm_config config = AXVM_CONFIG_INIT;

		config.arch = &mock_ops;
		ck_ok(axvm_new(&config, &m.vm));
	}
	m.state = m.seed = 99;
	for (uint16_t i = 0; i < MANY; i++)
		order[i] = i;
	shuffle(order, MANY);
	for (size_t i = 0; i < MANY; i++) {
		many_map(order[i]);
		there[order[i]] = true;
	}
	ck_assert_int_eq(axvm_regions(m.vm, 0, 0, NULL), MANY);
	many_check(there);

	shuffle(order, MANY);
	for (size_t i = 0; i < MANY / 2; i++) {
		uint64_t n = order[i];

		must(!axvm_unmap(m.vm, many_gpa(n), (1 + n % 2) * m.page), "region %" PRIu64, n);
		there[n] = false;
	}
	many_check(there);
	for (size_t i = 0; i < MANY / 2; i++) {
		many_map(order[i]);
		there[order[i]] = true;
	}
	many_check(there);
	ck_assert_int_eq(axvm_regions(m.vm, 0, 0, NULL), MANY);
	end();
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *model = suite_case(suite, "model");

	tcase_add_loop_test(model, random_operations_agree_with_the_model, 0, SEEDS);
	tcase_add_test(model, thousands_of_regions);
}

int main(void)
{
	return suite_main("memory_model", false, add_tests);
}
