/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* arm64: what the common suites cannot know. tests/guest.h says what each is. */
#include "../guest.h"
#include "../suite.h"

/* Without an MMU, all addresses are physical. */
uint64_t guest_reach(struct guest *guest, uint64_t gpa)
{
	(void)guest;
	return gpa;
}

/* It brings its vectors. */
void guest_work_prepare(struct axvm *vm)
{
	(void)vm;
}

/* A line that somebody lowers again: IRQ or FIQ. */
int guest_work_interrupt(struct axvcpu_request *request, unsigned int dice)
{
	request->kind = AXVCPU_REQUEST_IRQ_LINE;
	request->u.line.line = dice % 2;
	request->u.line.level = 1;
	return 0;
}
