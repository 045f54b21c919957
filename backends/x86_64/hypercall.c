/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Hypercalls: KVM hypercalls, all hypercalls by KVM's Xen support, and the doorbell port. */
#include <errno.h>
#include <linux/kvm_para.h>

#include "backends/x86_64/x86_64.h"

/* KVM's result for an unknown hypercall; unanswered hypercalls return it. */
#define NO_SUCH_CALL ((uint64_t)-KVM_ENOSYS)

/*
 * The MSR by which a Xen guest requests its hypercall page; KVM's Xen support needs one, in the
 * range of hypervisor MSRs. Other guests never use it, as CPUID does not announce Xen.
 */
#define XEN_PAGE_MSR 0x4ffff000u

/* --- at the VM's creation ------------------------------------------------------------------------- */

static int map_gpa_range_init(const struct axk_vm *kvm)
{
	const int call = 1 << KVM_HC_MAP_GPA_RANGE;
	int ret = axk_vm_require(kvm, KVM_CAP_EXIT_HYPERCALL, "KVM_CAP_EXIT_HYPERCALL",
				 "AXVM_FORWARD_MAP_GPA_RANGE");

	if (ret < 0)
		return ret;
	if (!(ret & call))
		return axvcpu_fail(
			kvm->vm, -ENOTSUP,
			"VM config: AXVM_FORWARD_MAP_GPA_RANGE needs KVM_HC_MAP_GPA_RANGE in "
			"KVM_CAP_EXIT_HYPERCALL, which this KVM lacks");
	return axk_vm_enable(kvm, KVM_CAP_EXIT_HYPERCALL, (uint64_t)call, "KVM_CAP_EXIT_HYPERCALL");
}

static int xen_init(const struct axk_vm *kvm)
{
	const struct kvm_xen_hvm_config xen = { .flags = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL,
						.msr = XEN_PAGE_MSR };
	int ret = axk_vm_require(kvm, KVM_CAP_XEN_HVM, "KVM_CAP_XEN_HVM",
				 "AXVM_FORWARD_HYPERCALLS");

	if (ret < 0)
		return ret;
	if (!(ret & KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL))
		return axvcpu_fail(
			kvm->vm, -ENOTSUP,
			"VM config: AXVM_FORWARD_HYPERCALLS needs "
			"KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL in KVM_CAP_XEN_HVM, which this "
			"KVM lacks");
	return axk_vm_ioctl(kvm, KVM_XEN_HVM_CONFIG, &xen);
}

static int doorbell_init(struct axk_vm *kvm, const struct axvm_config *config)
{
	int ret = axk_vm_require(kvm, KVM_CAP_SYNC_REGS, "KVM_CAP_SYNC_REGS",
				 "AXVM_FORWARD_DOORBELL");

	if (ret < 0)
		return ret;
	kvm->arch.doorbell_port = (uint16_t)config->doorbell_port;
	return 0;
}

int axk_x86_hypercall_init(struct axk_vm *kvm, const struct axvm_config *config)
{
	const uint32_t both = AXVM_FORWARD_HYPERCALLS | AXVM_FORWARD_MAP_GPA_RANGE;
	int ret;

	/* Not both: Xen hypercalls pass their arguments in other registers. */
	if ((config->forward & both) == both)
		return axvcpu_fail(
			kvm->vm, -EINVAL,
			"VM config: AXVM_FORWARD_HYPERCALLS and AXVM_FORWARD_MAP_GPA_RANGE "
			"cannot be combined");
	if (config->forward & AXVM_FORWARD_MAP_GPA_RANGE) {
		ret = map_gpa_range_init(kvm);
		if (ret)
			return ret;
	}
	if (config->forward & AXVM_FORWARD_HYPERCALLS) {
		ret = xen_init(kvm);
		if (ret)
			return ret;
	}
	if (config->forward & AXVM_FORWARD_DOORBELL)
		return doorbell_init(kvm, config);
	return 0;
}

/* --- exits ------------------------------------------------------------------------------------------ */

/*
 * KVM does not fill in the arguments beyond the three of MAP_GPA_RANGE, its only call that exits.
 */
static void decode_kvm_call(struct kvm_run *run, struct axvcpu_exit_hypercall *hypercall)
{
	*hypercall = (struct axvcpu_exit_hypercall){
		.nr = run->hypercall.nr,
		.args = { run->hypercall.args[0], run->hypercall.args[1], run->hypercall.args[2] },
	};
	run->hypercall.ret = NO_SUCH_CALL;
}

static void decode_xen_call(struct kvm_run *run, struct axvcpu_exit_hypercall *hypercall)
{
	hypercall->nr = run->xen.u.hcall.input;
	for (unsigned int i = 0; i < ARRAY_SIZE(hypercall->args); i++)
		hypercall->args[i] = run->xen.u.hcall.params[i];
	run->xen.u.hcall.result = NO_SUCH_CALL;
}

void axk_x86_decode_hypercall(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	struct kvm_run *run = vcpu->run;

	if (run->exit_reason == KVM_EXIT_HYPERCALL) {
		decode_kvm_call(run, &exit->u.hypercall);
	} else if (run->xen.type == KVM_EXIT_XEN_HCALL) {
		decode_xen_call(run, &exit->u.hypercall);
		/* Only a Xen hypercall may come from guest user mode. */
		exit->raw_code = run->xen.u.hcall.cpl;
	} else {
		axk_exit_plain(exit, AXVCPU_EXIT_UNHANDLED);
		exit->raw_code = run->xen.type;
		return;
	}
	exit->kind = AXVCPU_EXIT_HYPERCALL;
	exit->answerable = 1;
}

/* --- the doorbell ------------------------------------------------------------------------------------- */

/*
 * KVM_CAP_SYNC_REGS: KVM stores the registers with the exit and loads them with the entry, so a
 * doorbell costs no further system call. KVM completes the OUT after it has loaded the registers,
 * so rip must not be changed.
 */
void axk_x86_doorbell_setup(struct axk_vcpu *vcpu)
{
	if (vcpu->forward & AXVM_FORWARD_DOORBELL)
		vcpu->run->kvm_valid_regs = KVM_SYNC_X86_REGS;
}

static void set_rax(struct kvm_run *run, uint64_t value)
{
	run->s.regs.regs.rax = value;
	run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
}

void axk_x86_decode_doorbell(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	const struct kvm_regs *regs = &vcpu->run->s.regs.regs;
	const struct axvcpu_exit_io *io = &exit->u.io;

	/* OUTS writes data from memory, and rax does not have the number. */
	if (io->port != vcpu->vm->arch.doorbell_port || io->width != 4 || io->count != 1 ||
	    io->data != (uint32_t)regs->rax)
		return;
	exit->kind = AXVCPU_EXIT_HYPERCALL;
	exit->answerable = 1;
	exit->u.hypercall = (struct axvcpu_exit_hypercall){
		.nr = (uint32_t)regs->rax,
		.args = { regs->rdi, regs->rsi, regs->rdx, regs->rcx, regs->r8, regs->r9 },
	};
	/* The answer goes to rax, not to the OUT's buffer. */
	vcpu->answer = NULL;
	set_rax(vcpu->run, NO_SUCH_CALL);
}

int axk_x86_complete_hypercall(struct axk_vcpu *vcpu, const struct axvcpu_answer *answer)
{
	struct kvm_run *run = vcpu->run;

	if (answer->kind != AXVCPU_ANSWER_VALUE)
		return axvcpu_fail(vcpu->vm->vm, -EINVAL, "complete: a hypercall takes a value");
	if (run->exit_reason == KVM_EXIT_HYPERCALL)
		run->hypercall.ret = answer->u.value;
	else if (run->exit_reason == KVM_EXIT_XEN)
		run->xen.u.hcall.result = answer->u.value;
	else
		set_rax(run, answer->u.value);
	return 0;
}
