/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "generation.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "message.h"

#define ID_SIZE 16
/* A page of any host. */
#define REGION_SIZE 0x10000u

static int draw(struct axvm *vm, const struct platform *platform)
{
	uint8_t id[ID_SIZE];

	/* Does not block: right after boot the host may have no random numbers yet. */
	if (getrandom(id, sizeof(id), GRND_NONBLOCK) != sizeof(id))
		return fail("no random numbers for the guest: %s", strerror(errno));
	if (axvm_write(vm, platform->generation_gpa, id, sizeof(id)))
		return fail("cannot write the generation id: %s", axvcpu_last_error());
	return 0;
}

int generation_make(struct axvm *vm, const struct platform *platform)
{
	struct axvm_region region = AXVM_REGION_INIT;

	region.gpa = platform->generation_gpa;
	region.len = REGION_SIZE;
	/* A PC has memory there, which its memory map reserves. */
	if (platform->generation_gpa < platform->ram_gpa && axvm_map(vm, &region))
		return fail("cannot map the page of the generation id: %s", axvcpu_last_error());
	return draw(vm, platform);
}

bool generation_exists(struct axvm *vm, const struct platform *platform)
{
	uint8_t id[ID_SIZE];

	return !axvm_read(vm, platform->generation_gpa, id, sizeof(id));
}

int generation_renew(struct axvm *vm, const struct platform *platform)
{
	if (draw(vm, platform))
		return -1;
	if (axvm_pulse_irq(vm, platform->generation_gsi))
		return fail("cannot interrupt the guest: %s", axvcpu_last_error());
	return 0;
}
