/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* ISA and SBI extensions: enabled and disabled by name or number, before the first run. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "backends/riscv64/riscv64.h"

/* Names by KVM number. */
#define NAME(id, name) name,
static const char *const isa_names[] = { AXVCPU_RISCV64_ISA_EXTENSIONS(NAME) };
static const char *const sbi_names[] = { AXVCPU_RISCV64_SBI_EXTENSIONS(NAME) };
#undef NAME

_Static_assert(ARRAY_SIZE(isa_names) <= RISCV_EXTENSIONS_MAX, "isa_names");
_Static_assert((int)AXVCPU_RISCV64_ISA_ZICBOM == (int)KVM_RISCV_ISA_EXT_ZICBOM, "KVM's numbers");

/* The extensions of one kind, and the caller's list for it. */
struct switches {
	const char *what;
	/* KVM_REG_RISCV_* */
	uint64_t type;
	const char *const *names;
	size_t nnames;
	const struct axvcpu_riscv64_extension *list;
	size_t count;
	/* Bitmap of the extensions that apply() has changed. */
	uint64_t changed[RISCV_EXTENSIONS_MAX / 64];
	/* The list as bitmaps: the last element for an extension counts. */
	struct axk_riscv_switched asked;
};

static int find(const struct switches *switches, const char *name)
{
	for (size_t i = 0; i < switches->nnames; i++)
		if (!strcmp(switches->names[i], name))
			return (int)i;
	return -1;
}

/* Returns the KVM number of an element of the list, or a negative errno. */
static int number(const struct axk_vcpu *vcpu, const struct switches *switches, size_t i)
{
	const struct axvcpu_riscv64_extension *extension = &switches->list[i];
	int n = -1;

	if (extension->name)
		n = find(switches, extension->name);
	else if (extension->id < RISCV_EXTENSIONS_MAX)
		n = (int)extension->id;
	if (n >= 0)
		return n;
	if (extension->name)
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "setup: vCPU %" PRIu32 ": unknown %s extension '%s'", vcpu->id,
				   switches->what, extension->name);
	return axvcpu_fail(vcpu->vm->vm, -EINVAL,
			   "setup: vCPU %" PRIu32 ": %s extension number %" PRIu32
			   " is out of range",
			   vcpu->id, switches->what, extension->id);
}

/* Leaves a message that names the extension. Returns 'err'. */
static int refuse(const struct axk_vcpu *vcpu, const struct switches *switches, int n, int err,
		  const char *why)
{
	if ((size_t)n < switches->nnames)
		return axvcpu_fail(vcpu->vm->vm, err,
				   "setup: vCPU %" PRIu32 ": %s extension %s: %s", vcpu->id,
				   switches->what, switches->names[n], why);
	return axvcpu_fail(vcpu->vm->vm, err, "setup: vCPU %" PRIu32 ": %s extension %d: %s",
			   vcpu->id, switches->what, n, why);
}

/* Whether the errno means that KVM lacks the extension. It differs with the kernel version. */
static bool is_missing(int ret)
{
	return ret == -ENOENT || ret == -EINVAL || ret == -EOPNOTSUPP;
}

static int access_one(const struct axk_vcpu *vcpu, const struct switches *switches, bool set, int n,
		      uint64_t *value)
{
	const struct kvm_one_reg reg = { .id = RISCV_REG(switches->type, (unsigned int)n),
					 .addr = (uintptr_t)value };

	if (set)
		return axk_ioctl(vcpu->fd, KVM_SET_ONE_REG, &reg);
	return axk_ioctl(vcpu->fd, KVM_GET_ONE_REG, &reg);
}

static int switch_one(const struct axk_vcpu *vcpu, struct switches *switches, int n, bool on)
{
	uint64_t wanted = on;
	uint64_t value;
	int ret = access_one(vcpu, switches, false, n, &value);

	/* A missing extension is off. */
	if (is_missing(ret) && !on)
		return 0;
	if (is_missing(ret))
		return refuse(vcpu, switches, n, -ENOTSUP, "this host or its KVM lacks it");
	if (ret)
		return refuse(vcpu, switches, n, ret, "KVM_GET_ONE_REG");
	if (value == wanted)
		return 0;
	ret = access_one(vcpu, switches, true, n, &wanted);
	if (is_missing(ret))
		return refuse(vcpu, switches, n, -ENOTSUP,
			      on ? "KVM cannot enable it" : "KVM cannot disable it");
	if (ret)
		return refuse(vcpu, switches, n, ret, "KVM_SET_ONE_REG");
	switches->changed[n / 64] ^= UINT64_C(1) << n % 64;
	return 0;
}

static void note(struct switches *switches, int n, bool on)
{
	const uint64_t bit = UINT64_C(1) << n % 64;

	switches->asked.any[n / 64] |= bit;
	switches->asked.on[n / 64] &= ~bit;
	if (on)
		switches->asked.on[n / 64] |= bit;
}

/* Best effort: an extension that could be changed can be changed back. */
static void undo(const struct axk_vcpu *vcpu, const struct switches *switches)
{
	for (int n = 0; n < (int)RISCV_EXTENSIONS_MAX; n++) {
		uint64_t value;

		if (!(switches->changed[n / 64] >> n % 64 & 1) ||
		    access_one(vcpu, switches, false, n, &value))
			continue;
		value = !value;
		access_one(vcpu, switches, true, n, &value);
	}
}

static int apply(const struct axk_vcpu *vcpu, struct switches *switches)
{
	int ret = 0;

	if (switches->count && !switches->list)
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "setup: vCPU %" PRIu32
				   ": the list of %s extensions is NULL, its count %zu",
				   vcpu->id, switches->what, switches->count);
	for (size_t i = 0; !ret && i < switches->count; i++) {
		int n = number(vcpu, switches, i);

		if (n < 0)
			ret = n;
		else if (switches->list[i].on > 1)
			ret = refuse(vcpu, switches, n, -EINVAL, "'on' must be 0 or 1");
		else
			ret = switch_one(vcpu, switches, n, switches->list[i].on);
		if (!ret)
			note(switches, n, switches->list[i].on);
	}
	if (ret)
		undo(vcpu, switches);
	return ret;
}

int axk_riscv_set_extensions(struct axk_vcpu *vcpu, const struct axvcpu_riscv64_setup *config)
{
	struct switches isa = { .what = "ISA",
				.type = KVM_REG_RISCV_ISA_EXT,
				.names = isa_names,
				.nnames = ARRAY_SIZE(isa_names),
				.list = config->isa,
				.count = config->nisa };
	struct switches sbi = { .what = "SBI",
				.type = KVM_REG_RISCV_SBI_EXT,
				.names = sbi_names,
				.nnames = ARRAY_SIZE(sbi_names),
				.list = config->sbi,
				.count = config->nsbi };
	int ret = apply(vcpu, &isa);

	if (ret)
		return ret;
	ret = apply(vcpu, &sbi);
	if (ret) {
		undo(vcpu, &isa);
		return ret;
	}
	vcpu->arch.isa = isa.asked;
	vcpu->arch.sbi = sbi.asked;
	return 0;
}
