/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Functions that are called when the guest ends an interrupt. The hypervisor reports the end by an
 * eventfd, for which a thread waits, or by an exit of the vCPU.
 */
#include "lib/machine/irq_end.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "axvcpu/interrupt.h"
#include "lib/base/cancel.h"
#include "lib/base/compiler.h"
#include "lib/base/signals.h"
#include "lib/host/sys.h"
#include "lib/machine/object.h"

/* Marks the eventfd that ends the thread; the others have their gsis, of 32 bits. */
#define STOP UINT64_MAX

struct axv_irq_end {
	struct axv_irq_end *next;
	uint32_t gsi;
	/* AXVM_IRQ_END_* */
	int source;
	void (*fn)(struct axvm *vm, uint32_t gsi, void *ctx);
	void *ctx;
	/* AXVM_IRQ_END_RESAMPLE: the eventfd that raises the input, and the one for the end. */
	int raise_fd;
	int end_fd;
};

/* The VM whose end function the thread is in. */
static _Thread_local const struct axvm *inside;

void axv_irq_ends_init(struct axv_irq_ends *ends)
{
	pthread_rwlock_init(&ends->lock, NULL);
	ends->epoll = -1;
	ends->stop = -1;
}

void axv_irq_ends_destroy(struct axv_irq_ends *ends)
{
	pthread_rwlock_destroy(&ends->lock);
}

static struct axv_irq_end *find(const struct axv_irq_ends *ends, uint32_t gsi)
{
	struct axv_irq_end *end = ends->first;

	while (end && end->gsi != gsi)
		end = end->next;
	return end;
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		axv_sys_close(fd);
}

/* --- calls ------------------------------------------------------------------------------------ */

bool axv_irq_end_calls(const struct axvm *vm)
{
	return inside == vm;
}

/* With the lock held for reading, which the function may take again. */
static void call(struct axvm *vm, const struct axv_irq_end *end)
{
	const struct axvm *outer = inside;

	inside = vm;
	end->fn(vm, end->gsi, end->ctx);
	inside = outer;
}

void axv_irq_ended(struct axvm *vm, uint64_t vector)
{
	struct axv_irq_ends *ends = &vm->irq_ends;
	int cancel = axv_cancel_disable();

	pthread_rwlock_rdlock(&ends->lock);
	for (const struct axv_irq_end *end = ends->first; end; end = end->next) {
		struct axvm_route route;

		if (end->source == AXVM_IRQ_END_EXIT && axv_routes_find(vm, end->gsi, &route) > 0 &&
		    vm->ops->route_ends(&route, vector))
			call(vm, end);
	}
	pthread_rwlock_unlock(&ends->lock);
	axv_cancel_restore(cancel);
}

/* An eventfd for the end of this interrupt was signalled; the function may be gone meanwhile. */
static void ended_by_eventfd(struct axvm *vm, uint32_t gsi)
{
	struct axv_irq_ends *ends = &vm->irq_ends;
	const struct axv_irq_end *end;
	uint64_t count;

	pthread_rwlock_rdlock(&ends->lock);
	end = find(ends, gsi);
	if (end && axv_sys_read(end->end_fd, &count, sizeof(count)) > 0)
		call(vm, end);
	pthread_rwlock_unlock(&ends->lock);
}

static void *wait_for_ends(void *arg)
{
	struct axvm *vm = arg;
	uint64_t data;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	pthread_setname_np(pthread_self(), "axvm-irq-end");
	for (;;) {
		int ret = axv_sys_epoll_wait(vm->irq_ends.epoll, &data);

		if (ret == -EINTR)
			continue;
		if (ret < 0)
			axvcpu_fail(vm, ret, "irq_end: epoll_wait");
		if (ret < 0 || data == STOP)
			return NULL;
		ended_by_eventfd(vm, (uint32_t)data);
	}
}

/* --- eventfds and the thread ------------------------------------------------------------------ */

static int set_irqfd(struct axvm *vm, const struct axv_irq_end *end, uint32_t flags)
{
	const struct axvm_irqfd irqfd = {
		.size = sizeof(irqfd),
		.flags = AXVM_EVENT_RESAMPLE | flags,
		.gsi = end->gsi,
		.fd = end->raise_fd,
		.resample_fd = end->end_fd,
	};

	return vm->ops->vm_irqfd(vm->arch, &irqfd);
}

/* Opens the descriptors that the thread waits for. */
static int open_epoll(struct axvm *vm)
{
	struct axv_irq_ends *ends = &vm->irq_ends;
	int ret;

	ends->epoll = axv_sys_epoll_create();
	if (ends->epoll < 0)
		return axvcpu_fail(vm, ends->epoll, "set_irq_end: epoll_create1");
	ends->stop = axv_sys_eventfd();
	if (ends->stop < 0)
		return axvcpu_fail(vm, ends->stop, "set_irq_end: eventfd");
	ret = axv_sys_epoll_add(ends->epoll, ends->stop, STOP);
	if (ret)
		return axvcpu_fail(vm, ret, "set_irq_end: epoll_ctl");
	return 0;
}

static void close_epoll(struct axv_irq_ends *ends)
{
	close_if_open(ends->epoll);
	close_if_open(ends->stop);
	ends->epoll = ends->stop = -1;
}

static int open_eventfds(struct axvm *vm, struct axv_irq_end *end)
{
	int ret;

	end->raise_fd = axv_sys_eventfd();
	if (end->raise_fd < 0)
		return axvcpu_fail(vm, end->raise_fd, "set_irq_end: eventfd");
	end->end_fd = axv_sys_eventfd();
	if (end->end_fd < 0)
		return axvcpu_fail(vm, end->end_fd, "set_irq_end: eventfd");
	ret = axv_sys_epoll_add(vm->irq_ends.epoll, end->end_fd, end->gsi);
	if (ret)
		return axvcpu_fail(vm, ret, "set_irq_end: epoll_ctl");
	return set_irqfd(vm, end, 0);
}

/* Closing the eventfds detaches them, if they are attached. */
static void close_eventfds(const struct axv_irq_end *end)
{
	close_if_open(end->raise_fd);
	close_if_open(end->end_fd);
}

static int start_thread(struct axvm *vm)
{
	struct axv_irq_ends *ends = &vm->irq_ends;
	sigset_t old;
	int ret;

	axv_signals_block(&old);
	ret = axv_sys_thread_create(&ends->thread, NULL, wait_for_ends, vm);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (ret)
		return axvcpu_fail(vm, ret, "set_irq_end: creating a thread");
	ends->has_thread = true;
	return 0;
}

/* Connects the interrupt to eventfds, and starts the thread if it is the first one. */
static int connect(struct axvm *vm, struct axv_irq_end *end)
{
	struct axv_irq_ends *ends = &vm->irq_ends;
	int ret = ends->has_thread ? 0 : open_epoll(vm);

	if (!ret)
		ret = open_eventfds(vm, end);
	if (!ret && !ends->has_thread)
		ret = start_thread(vm);
	if (!ret)
		return 0;
	close_eventfds(end);
	if (!ends->has_thread)
		close_epoll(ends);
	return ret;
}

/* --- changes ---------------------------------------------------------------------------------- */

static int new_end(struct axvm *vm, uint32_t gsi, struct axv_irq_end **out)
{
	struct axvm_route route;
	struct axv_irq_end *end;
	int ret, source;

	if (!HAS_OP(vm->ops, vm_irq_end))
		return axv_vm_not_supported(vm, "set_irq_end");
	ret = axv_routes_find(vm, gsi, &route);
	if (ret < 0)
		return ret;
	if (!ret)
		return axvcpu_fail(vm, -ENOENT, "set_irq_end: gsi %" PRIu32 " has no route", gsi);
	source = vm->ops->vm_irq_end(vm->arch, &route);
	if (source < 0)
		return source;
	end = axv_sys_calloc(1, sizeof(*end));
	if (!end)
		return axvcpu_fail(vm, -ENOMEM, "set_irq_end: allocating it");
	*end = (struct axv_irq_end){ .gsi = gsi, .source = source, .raise_fd = -1, .end_fd = -1 };
	ret = source == AXVM_IRQ_END_RESAMPLE ? connect(vm, end) : 0;
	if (ret) {
		free(end);
		return ret;
	}
	end->next = vm->irq_ends.first;
	vm->irq_ends.first = end;
	*out = end;
	return 0;
}

static int set_end(struct axvm *vm, uint32_t gsi,
		   void (*fn)(struct axvm *vm, uint32_t gsi, void *ctx), void *ctx)
{
	struct axv_irq_end *end = find(&vm->irq_ends, gsi);
	int ret = end ? 0 : new_end(vm, gsi, &end);

	if (ret)
		return ret;
	end->fn = fn;
	end->ctx = ctx;
	return 0;
}

static int remove_end(struct axvm *vm, uint32_t gsi)
{
	struct axv_irq_end **at = &vm->irq_ends.first, *end = find(&vm->irq_ends, gsi);
	int ret;

	if (!end)
		return axvcpu_fail(vm, -ENOENT, "set_irq_end: gsi %" PRIu32 " has no end function",
				   gsi);
	ret = end->source == AXVM_IRQ_END_RESAMPLE ? set_irqfd(vm, end, AXVM_EVENT_REMOVE) : 0;
	if (ret)
		return ret;
	while (*at != end)
		at = &(*at)->next;
	*at = end->next;
	close_eventfds(end);
	free(end);
	return 0;
}

int axvm_set_irq_end(struct axvm *vm, uint32_t gsi,
		     void (*fn)(struct axvm *vm, uint32_t gsi, void *ctx), void *ctx)
{
	int cancel, ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	if (axv_irq_end_calls(vm))
		return axvcpu_fail(vm, -EBUSY,
				   "set_irq_end: gsi %" PRIu32 ": called by an end function", gsi);
	cancel = axv_cancel_disable();
	pthread_rwlock_wrlock(&vm->irq_ends.lock);
	ret = fn ? set_end(vm, gsi, fn, ctx) : remove_end(vm, gsi);
	pthread_rwlock_unlock(&vm->irq_ends.lock);
	axv_cancel_restore(cancel);
	return ret;
}

/* With the lock held. */
static int raise_irq(struct axvm *vm, uint32_t gsi)
{
	static const uint64_t one = 1;
	const struct axv_irq_end *end = find(&vm->irq_ends, gsi);
	int ret;

	if (!end)
		return axvcpu_fail(vm, -ENOENT, "raise_irq: gsi %" PRIu32 " has no end function",
				   gsi);
	if (end->source == AXVM_IRQ_END_EXIT)
		return vm->ops->vm_set_irq_line(vm->arch, gsi, true);
	ret = axv_sys_write(end->raise_fd, &one, sizeof(one));
	if (ret < 0)
		return axvcpu_fail(vm, ret, "raise_irq: gsi %" PRIu32 ": write to an eventfd", gsi);
	return 0;
}

int axvm_raise_irq(struct axvm *vm, uint32_t gsi)
{
	int cancel, ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	cancel = axv_cancel_disable();
	pthread_rwlock_rdlock(&vm->irq_ends.lock);
	ret = raise_irq(vm, gsi);
	pthread_rwlock_unlock(&vm->irq_ends.lock);
	axv_cancel_restore(cancel);
	return ret;
}

static void stop_thread(struct axv_irq_ends *ends)
{
	static const uint64_t one = 1;

	if (!ends->has_thread)
		return;
	axv_sys_write(ends->stop, &one, sizeof(one));
	pthread_join(ends->thread, NULL);
}

void axv_irq_ends_free(struct axvm *vm, bool copy)
{
	struct axv_irq_ends *ends = &vm->irq_ends;
	struct axv_irq_end *next;

	/* In a forked child there is no thread, and another one may have been changing the list. */
	if (!copy)
		stop_thread(ends);
	else if (pthread_rwlock_tryrdlock(&ends->lock))
		return;
	for (struct axv_irq_end *end = ends->first; end; end = next) {
		next = end->next;
		close_eventfds(end);
		free(end);
	}
	close_epoll(ends);
}
