/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The results of the guest's calls: kept until the next entry, which writes them to x0 and x1. */
#include "backends/arm64/arm64.h"

void axk_arm64_preset_result(struct axk_vcpu *vcpu, uint64_t value)
{
	vcpu->arch.results[0] = value;
	vcpu->arch.nresults = 1;
	vcpu->has_pending_work = true;
}

int axk_arm64_write_results(struct axk_vcpu *vcpu)
{
	struct axk_vcpu_arch *arch = &vcpu->arch;
	int ret = 0;

	for (uint32_t i = 0; !ret && i < arch->nresults; i++)
		ret = axk_set_one_reg(vcpu, ARM64_GPR(i), &arch->results[i]);
	if (!ret)
		arch->nresults = 0;
	return ret;
}
