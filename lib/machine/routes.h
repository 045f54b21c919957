/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* A VM's table of interrupt routes, and the eventfds that are attached to their numbers. */
#ifndef LIB_MACHINE_ROUTES_H
#define LIB_MACHINE_ROUTES_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct axvcpu_loader;
struct axvcpu_saver;
struct axvm;
struct axvm_irqfd;
struct axvm_route;
struct axv_irqfd;
struct axv_route;

struct axv_routes {
	/* Guards the fields below, and orders the changes that the backend gets. */
	pthread_mutex_t lock;
	/* The default routes have been read. */
	bool loaded;
	struct axv_route *table;
	size_t count;
	/* Numbers are below 'end'; axvm_add_route() chooses from 'first' on. */
	uint32_t first;
	uint32_t end;
	struct axv_irqfd *irqfds;
};

void axv_routes_init(struct axv_routes *routes);
void axv_routes_destroy(struct axv_routes *routes);
/* Releases everything except the lock: in a forked child another thread may hold it. */
void axv_routes_free(struct axv_routes *routes);

/* Attaches or detaches an eventfd; the config has been checked. */
int axv_routes_set_irqfd(struct axvm *vm, const struct axvm_irqfd *irqfd);
/* Stores the first route of the number. Returns 1, or 0 if it has none. */
int axv_routes_find(struct axvm *vm, uint32_t gsi, struct axvm_route *route);

/* Appends the section of the routes, if the VM can have any now. */
int axv_routes_save(struct axvm *vm, struct axvcpu_saver *saver);
/*
 * Finds the section and checks it. Stores the routes in an array that the caller must free; NULL:
 * the state has none.
 */
int axv_routes_find_saved(struct axvm *vm, struct axvcpu_loader *loader, struct axv_route **table,
			  size_t *count);
/*
 * Makes 'table' the table of the VM, and frees it if that fails. Eventfds stay with their numbers.
 * Stores whether anything has changed.
 */
int axv_routes_load(struct axvm *vm, struct axv_route *table, size_t count, bool *changed);

#endif
