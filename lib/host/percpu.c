/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The state of a host CPU: what may be done with it when, and whether there is such a CPU. */
#include "axvcpu/percpu.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/sized.h"
#include "lib/host/sys.h"
#include "lib/machine/object.h"
#include "lib/text/error.h"

/* --- host CPUs -------------------------------------------------------------------------------- */

#define PRESENT_CPUS "/sys/devices/system/cpu/present"

/* A number at *text, which moves on; -1 if there is none. More digits than a CPU has end up large. */
static int64_t parse_number(const char **text)
{
	int64_t n = 0;

	if (**text < '0' || **text > '9')
		return -1;
	for (; **text >= '0' && **text <= '9'; (*text)++)
		n = n > UINT32_MAX ? n : n * 10 + (**text - '0');
	return n;
}

/* Whether a list as the kernel writes them, "0-3,8", has the number; -EIO if it is no such list. */
static int list_has(const char *text, uint32_t cpu)
{
	bool found = false;

	do {
		int64_t first = parse_number(&text);
		int64_t last = first;

		if (first >= 0 && *text == '-') {
			text++;
			last = parse_number(&text);
		}
		if (first < 0 || last < first)
			return -EIO;
		found |= cpu >= first && cpu <= last;
	} while (*text++ == ',');
	return text[-1] == '\n' || !text[-1] ? found : -EIO;
}

/* Reads all of a small file, as a string; -E2BIG if it does not fit. */
static int read_text(const char *path, char *text, size_t size)
{
	size_t len = 0;
	int fd = axv_sys_open(path, O_RDONLY | O_CLOEXEC);
	int ret = fd;

	if (fd < 0)
		return fd;
	while (len < size && (ret = axv_sys_read(fd, text + len, size - len)) > 0)
		len += (size_t)ret;
	axv_sys_close(fd);
	if (ret < 0)
		return ret;
	if (len == size)
		return -E2BIG;
	text[len] = '\0';
	return 0;
}

/* Whether the host has the CPU, be it online or not. */
static int cpu_present(uint32_t cpu)
{
	/* A page is what the kernel writes at most. */
	char text[4096 + 1];
	int ret = read_text(PRESENT_CPUS, text, sizeof(text));
	long ncpus;

	if (!ret)
		ret = list_has(text, cpu);
	if (ret >= 0)
		return ret;
	/* No /sys here. Where there is none, nobody has taken a CPU out: they have no gaps. */
	ncpus = sysconf(_SC_NPROCESSORS_CONF);
	return ncpus > 0 && cpu < (unsigned long)ncpus;
}

/* --- life cycle ------------------------------------------------------------------------------- */

int axpercpu_init(struct axpercpu *percpu, uint32_t cpu, const struct axvcpu_arch_ops *arch)
{
	struct axpercpu own;
	int ret = axv_sized_copy(NULL, "struct axpercpu", &own, sizeof(own), percpu);

	if (ret)
		return ret;
	if (percpu->size < sizeof(own))
		return axvcpu_fail(NULL, -EINVAL, "struct axpercpu: its size is %zu, not %zu",
				   percpu->size, sizeof(own));
	if (percpu->initialised)
		return axvcpu_fail(NULL, -EBADFD, "per-CPU state of CPU %" PRIu32 ": initialised",
				   percpu->cpu);
	if (!arch)
		arch = axvcpu_host_arch();
	if (arch->size < sizeof(arch->size) || !HAS_OP(arch, name))
		return axvcpu_fail(NULL, -EINVAL, "per-CPU state: arch has no size or no name");
	if (!HAS_OP(arch, percpu_enable) || !HAS_OP(arch, percpu_disable))
		return axvcpu_fail(NULL, -ENOTSUP, "%s: there is no per-CPU state", arch->name);
	if (!cpu_present(cpu))
		return axvcpu_fail(NULL, -EINVAL, "per-CPU state: the host has no CPU %" PRIu32,
				   cpu);
	percpu->arch = arch;
	percpu->cpu = cpu;
	percpu->initialised = 1;
	percpu->enabled = 0;
	memset(percpu->data, 0, sizeof(percpu->data));
	return 0;
}

/* 0, or why an object that should be enabled, or not, is no good. */
static int check(const struct axpercpu *percpu, const char *what)
{
	if (!percpu->initialised)
		return axvcpu_fail(NULL, -EBADFD, "%s: the per-CPU state is not initialised", what);
	return 0;
}

static int check_enabled(const struct axpercpu *percpu, const char *what)
{
	int ret = check(percpu, what);

	if (!ret && !percpu->enabled)
		return axvcpu_fail(NULL, -EBADFD, "%s: CPU %" PRIu32 " is not enabled", what,
				   percpu->cpu);
	return ret;
}

int axpercpu_enable(struct axpercpu *percpu)
{
	uint64_t data[4] = { 0 };
	unsigned int failures = axv_error_count;
	int ret = check(percpu, "enable");

	if (ret)
		return ret;
	if (percpu->enabled)
		return axvcpu_fail(NULL, -EALREADY, "enable: CPU %" PRIu32 " is enabled",
				   percpu->cpu);
	ret = percpu->arch->percpu_enable(percpu->cpu, data);
	if (ret) {
		/* It should have said why, and then there is nothing to add. */
		if (axv_error_count == failures)
			axvcpu_fail(NULL, ret, "%s: enabling CPU %" PRIu32, percpu->arch->name,
				    percpu->cpu);
		return ret;
	}
	memcpy(percpu->data, data, sizeof(data));
	percpu->enabled = 1;
	return 0;
}

static void disable(struct axpercpu *percpu)
{
	percpu->arch->percpu_disable(percpu->data);
	memset(percpu->data, 0, sizeof(percpu->data));
	percpu->enabled = 0;
}

int axpercpu_disable(struct axpercpu *percpu)
{
	int ret = check_enabled(percpu, "disable");

	if (!ret)
		disable(percpu);
	return ret;
}

bool axpercpu_is_enabled(const struct axpercpu *percpu)
{
	return percpu->initialised && percpu->enabled;
}

void axpercpu_destroy(struct axpercpu *percpu)
{
	if (!percpu || !percpu->initialised)
		return;
	if (percpu->enabled)
		disable(percpu);
	percpu->arch = NULL;
	percpu->cpu = 0;
	percpu->initialised = 0;
}

/* --- what is known of an enabled one ---------------------------------------------------------- */

static int not_there(const struct axpercpu *percpu, const char *what)
{
	return axvcpu_fail(NULL, -ENOTSUP, "%s: host CPUs have no %s", percpu->arch->name, what);
}

int axpercpu_guest_page_table_levels(const struct axpercpu *percpu)
{
	int ret = check_enabled(percpu, "guest page-table levels");

	if (ret)
		return ret;
	if (!HAS_OP(percpu->arch, percpu_guest_page_table_levels))
		return not_there(percpu, "guest page-table levels");
	return percpu->arch->percpu_guest_page_table_levels(percpu->data);
}

int axpercpu_capability(const struct axpercpu *percpu, unsigned int capability)
{
	int ret = check_enabled(percpu, "capability");

	if (ret)
		return ret;
	if (!HAS_OP(percpu->arch, percpu_capability))
		return not_there(percpu, "capabilities");
	return percpu->arch->percpu_capability(percpu->data, capability);
}

int axpercpu_fd(const struct axpercpu *percpu)
{
	int ret = check_enabled(percpu, "descriptor");

	if (ret)
		return ret;
	if (!HAS_OP(percpu->arch, percpu_fd))
		return not_there(percpu, "descriptor");
	return percpu->arch->percpu_fd(percpu->data);
}
