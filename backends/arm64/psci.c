/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * PSCI calls that control the power of CPUs, with AXVM_FORWARD_POWER. CPU_ON and CPU_OFF are exits,
 * which the caller carries out. AFFINITY_INFO, and a CPU_ON that must fail, only depend on
 * axvcpu_power(), and are answered here.
 */
#include <errno.h>
#include <stdlib.h>

#include "axvcpu/power.h"
#include "backends/arm64/arm64.h"

#define CPU_OFF 0x84000002u
#define CPU_ON 0x84000003u
#define AFFINITY_INFO 0x84000004u
/* Bit of a function number: its arguments have 64 bits. */
#define CALL_64 (1u << 30)

/* Results of AFFINITY_INFO other than errors. */
#define INFO_ON 0
#define INFO_OFF 1
#define INFO_ON_PENDING 2

/* The affinity fields Aff3, Aff2, Aff1 and Aff0 of MPIDR_EL1 and of a target_cpu. */
#define AFFINITY_MASK UINT64_C(0xff00ffffff)
#define AFFINITY_LEVELS 4u

/* --- the CPUs -------------------------------------------------------------------------------- */

int axk_arm64_psci_init(struct axk_vm *kvm)
{
	kvm->arch.cpus = axv_sys_calloc(kvm->max_vcpus, sizeof(kvm->arch.cpus[0]));
	if (!kvm->arch.cpus)
		return axvcpu_fail(kvm->vm, -ENOMEM, "VM: allocating the table of CPUs");
	pthread_mutex_init(&kvm->arch.lock, NULL);
	return 0;
}

void axk_arm64_psci_destroy(struct axk_vm *kvm)
{
	pthread_mutex_destroy(&kvm->arch.lock);
	free(kvm->arch.cpus);
}

static void set_cpu(const struct axk_vcpu *vcpu, const struct axvcpu *public_vcpu)
{
	struct axk_vm_arch *arch = &vcpu->vm->arch;

	pthread_mutex_lock(&arch->lock);
	arch->cpus[vcpu->id] = (struct axk_arm64_cpu){
		.vcpu = public_vcpu,
		.kvm_vcpu = public_vcpu ? vcpu : NULL,
		.caller = ARM64_NO_CPU,
	};
	pthread_mutex_unlock(&arch->lock);
}

int axk_arm64_psci_add(struct axk_vcpu *vcpu)
{
	uint64_t mpidr;
	int ret = axk_get_one_reg(vcpu, ARM64_SYS_REG(3, 0, 0, 0, 5), &mpidr);

	if (ret)
		return ret;
	vcpu->arch.affinity = mpidr & AFFINITY_MASK;
	set_cpu(vcpu, axvcpu_current());
	return 0;
}

void axk_arm64_psci_remove(struct axk_vcpu *vcpu)
{
	/* In a forked child, a thread that the child does not have may hold the lock. */
	if (!vcpu->is_setup || axvm_is_copy(vcpu->vm->vm))
		return;
	axk_arm64_end_cpu_on(vcpu);
	set_cpu(vcpu, NULL);
}

/*
 * Returns the state of the CPUs whose masked affinity is 'affinity': INFO_ON if one of them is on,
 * else INFO_ON_PENDING if one is starting, else INFO_OFF; or a PSCI error. *id receives the last of
 * them. The caller holds the lock.
 */
static int64_t look_up(struct axk_vm *kvm, uint64_t affinity, uint64_t mask, uint32_t *id)
{
	bool on = false, starting = false, any = false;

	for (uint32_t i = 0; i < kvm->max_vcpus; i++) {
		const struct axk_arm64_cpu *cpu = &kvm->arch.cpus[i];
		enum axvcpu_power power;

		if (!cpu->vcpu || (cpu->kvm_vcpu->arch.affinity & mask) != affinity)
			continue;
		any = true;
		*id = i;
		power = axvcpu_power(cpu->vcpu);
		on |= power == AXVCPU_POWER_ON;
		starting |= power == AXVCPU_POWER_STARTING || cpu->caller != ARM64_NO_CPU;
	}
	if (!any)
		return AXVCPU_PSCI_INVALID_PARAMETERS;
	if (on)
		return INFO_ON;
	return starting ? INFO_ON_PENDING : INFO_OFF;
}

/* --- a CPU_ON that is an exit ---------------------------------------------------------------- */

/*
 * A CPU_ON exit claims its target until the caller's vCPU continues; a start of the target ends the
 * claim earlier. So if two CPUs start a third, one call exits and the other returns ON_PENDING. A
 * claim that has ended before the vCPU continues means that the target was started, even if it is
 * off again.
 */
static int64_t claim(struct axk_vcpu *vcpu, uint64_t affinity)
{
	struct axk_vm_arch *arch = &vcpu->vm->arch;
	uint32_t target = ARM64_NO_CPU;
	int64_t info;

	pthread_mutex_lock(&arch->lock);
	info = look_up(vcpu->vm, affinity, AFFINITY_MASK, &target);
	if (info == INFO_OFF) {
		arch->cpus[target].caller = vcpu->id;
		vcpu->arch.starts = target;
	}
	pthread_mutex_unlock(&arch->lock);
	return info;
}

void axk_arm64_psci_started(struct axk_vcpu *vcpu)
{
	struct axk_vm_arch *arch = &vcpu->vm->arch;

	pthread_mutex_lock(&arch->lock);
	arch->cpus[vcpu->id].caller = ARM64_NO_CPU;
	pthread_mutex_unlock(&arch->lock);
}

int64_t axk_arm64_end_cpu_on(struct axk_vcpu *vcpu)
{
	struct axk_vm_arch *arch = &vcpu->vm->arch;
	struct axk_arm64_cpu *target;
	enum axvcpu_power power = AXVCPU_POWER_OFF;
	bool started = false;

	if (vcpu->arch.starts == ARM64_NO_CPU)
		return AXVCPU_PSCI_INTERNAL_FAILURE;
	target = &arch->cpus[vcpu->arch.starts];
	vcpu->arch.starts = ARM64_NO_CPU;
	pthread_mutex_lock(&arch->lock);
	if (target->vcpu) {
		/* A start that is still in the target's request queue has not ended the claim. */
		power = axvcpu_power(target->vcpu);
		started = target->caller != vcpu->id || power == AXVCPU_POWER_STARTING ||
			  power == AXVCPU_POWER_ON;
	}
	if (target->caller == vcpu->id)
		target->caller = ARM64_NO_CPU;
	pthread_mutex_unlock(&arch->lock);
	return started ? AXVCPU_PSCI_SUCCESS : AXVCPU_PSCI_INTERNAL_FAILURE;
}

/* --- calls ----------------------------------------------------------------------------------- */

bool axk_arm64_is_power_call(const struct axk_vcpu *vcpu, uint32_t nr)
{
	if (!(vcpu->forward & AXVM_FORWARD_POWER))
		return false;
	return nr == CPU_OFF || (nr & ~CALL_64) == CPU_ON || (nr & ~CALL_64) == AFFINITY_INFO;
}

static int read_args(struct axk_vcpu *vcpu, uint32_t nr, uint64_t *args, unsigned int n)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < n; i++) {
		ret = axk_get_one_reg(vcpu, ARM64_GPR(i + 1), &args[i]);
		if (!(nr & CALL_64))
			args[i] = (uint32_t)args[i];
	}
	return ret;
}

/* Answers the call without an exit. */
static int answer(struct axk_vcpu *vcpu, int64_t result)
{
	return axk_arm64_set_return_value(vcpu, (uint64_t)result);
}

static int decode_affinity_info(struct axk_vcpu *vcpu, uint32_t nr)
{
	/* Affinity, and the lowest affinity level to compare. */
	uint64_t args[2];
	uint64_t mask;
	uint32_t id;
	int64_t info;
	int ret = read_args(vcpu, nr, args, ARRAY_SIZE(args));

	if (ret)
		return ret;
	if ((args[0] & ~AFFINITY_MASK) || args[1] >= AFFINITY_LEVELS)
		return answer(vcpu, AXVCPU_PSCI_INVALID_PARAMETERS);
	mask = AFFINITY_MASK & UINT64_MAX << 8 * args[1];
	pthread_mutex_lock(&vcpu->vm->arch.lock);
	info = look_up(vcpu->vm, args[0] & mask, mask, &id);
	pthread_mutex_unlock(&vcpu->vm->arch.lock);
	return answer(vcpu, info);
}

static int decode_cpu_on(struct axk_vcpu *vcpu, uint32_t nr, struct axvcpu_exit *exit)
{
	/* Affinity, entry, argument. */
	uint64_t args[3];
	int64_t info;
	int ret = read_args(vcpu, nr, args, ARRAY_SIZE(args));

	if (ret)
		return ret;
	info = claim(vcpu, args[0]);
	if (info == INFO_ON)
		return answer(vcpu, AXVCPU_PSCI_ALREADY_ON);
	if (info == INFO_ON_PENDING)
		return answer(vcpu, AXVCPU_PSCI_ON_PENDING);
	if (info != INFO_OFF)
		return answer(vcpu, info);
	exit->kind = AXVCPU_EXIT_CPU_UP;
	exit->answerable = 1;
	exit->u.cpu_up = (struct axvcpu_exit_cpu_up){
		.target_cpu = args[0],
		.entry_point = args[1],
		.arg = args[2],
	};
	/* If it is not answered, axk_arm64_finish_call() replaces this result. */
	axk_arm64_preset_result(vcpu, (uint64_t)AXVCPU_PSCI_INTERNAL_FAILURE);
	return 1;
}

/* The call returns to the guest only if it fails. */
static void decode_cpu_off(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	exit->kind = AXVCPU_EXIT_CPU_DOWN;
	exit->answerable = 1;
	exit->u.cpu_down.state = 0;
	axk_arm64_preset_result(vcpu, (uint64_t)AXVCPU_PSCI_DENIED);
}

int axk_arm64_decode_power_call(struct axk_vcpu *vcpu, uint32_t nr, struct axvcpu_exit *exit)
{
	if (nr == CPU_OFF) {
		decode_cpu_off(vcpu, exit);
		return 1;
	}
	if ((nr & ~CALL_64) == CPU_ON)
		return decode_cpu_on(vcpu, nr, exit);
	return decode_affinity_info(vcpu, nr);
}
