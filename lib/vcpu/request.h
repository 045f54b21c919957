/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The mailbox, as run, unbind and free see it. */
#ifndef LIB_REQUEST_H
#define LIB_REQUEST_H

#include "axvcpu/request.h"

struct mailbox;

void mailbox_init(struct mailbox *mailbox);
/* Whoever waits for a request hears -ECANCELED. */
void mailbox_destroy(struct mailbox *mailbox);
/* Carries all requests out. By the owner, inside an operation. */
void mailbox_drain(struct axvcpu *vcpu);
/* The same for a vCPU that may just have lost its owner. Outside of any operation. */
void mailbox_drain_unowned(struct axvcpu *vcpu);

#endif
