/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The queue of requests, as run, unbind and free use it. */
#ifndef LIB_REQUEST_H
#define LIB_REQUEST_H

#include "axvcpu/request.h"

struct axv_request_queue;

void axv_queue_init(struct axv_request_queue *queue);
/* Senders that wait get -ECANCELED. */
void axv_queue_destroy(struct axv_request_queue *queue);
/* Carries out all requests. Called by the owner, inside an operation. */
void axv_queue_drain(struct axvcpu *vcpu);
/* The same for a vCPU that may just have lost its owner. Called outside of any operation. */
void axv_queue_drain_unowned(struct axvcpu *vcpu);

#endif
