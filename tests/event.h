/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Event descriptors: those that raise interrupts, and those that guest stores signal. */
#ifndef TESTS_EVENT_H
#define TESTS_EVENT_H

#include <stdint.h>

#include <axvcpu/axvcpu.h>

/* One that has counted nothing and does not block; close() it. */
int event_new(void);

void event_signal(int fd);

/* The count since the last read. */
uint64_t event_count(int fd);

/* axvm_set_ioeventfd() with these; 'flags' are AXVM_EVENT_*. */
int event_set_ioeventfd(struct axvm *vm, uint32_t flags, int fd, uint64_t address, uint32_t width,
			uint64_t value);

#endif
