/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Interrupt routes. The backend can only replace all of them, so the library keeps the table. A
 * change is made to a copy, which takes the place of the table if the backend accepts it.
 *
 * While a route is masked, the backend does not have it, and its eventfds are detached: their
 * signals stay in their counts, and attaching an eventfd with a count sends the interrupt.
 */
#include "lib/machine/routes.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "axvcpu/interrupt.h"
#include "axvcpu/vcpu_state.h"
#include "lib/base/cancel.h"
#include "lib/host/sys.h"
#include "lib/machine/object.h"
#include "lib/text/error.h"

struct axv_route {
	struct axvm_route route;
	bool masked;
};

/* An eventfd that the caller has attached. */
struct axv_irqfd {
	struct axv_irqfd *next;
	struct axvm_irqfd config;
	/* The backend has it: its route is not masked. */
	bool attached;
};

void axv_routes_init(struct axv_routes *routes)
{
	pthread_mutex_init(&routes->lock, NULL);
}

void axv_routes_destroy(struct axv_routes *routes)
{
	pthread_mutex_destroy(&routes->lock);
}

void axv_routes_free(struct axv_routes *routes)
{
	struct axv_irqfd *next;

	for (struct axv_irqfd *irqfd = routes->irqfds; irqfd; irqfd = next) {
		next = irqfd->next;
		free(irqfd);
	}
	free(routes->table);
}

/* --- the table -------------------------------------------------------------------------------- */

static struct axv_route *find(const struct axv_routes *routes, uint32_t gsi)
{
	for (size_t i = 0; i < routes->count; i++)
		if (routes->table[i].route.gsi == gsi)
			return &routes->table[i];
	return NULL;
}

static int no_route(const struct axvm *vm, const char *what, uint32_t gsi)
{
	return axvcpu_fail(vm, -ENOENT, "%s: gsi %" PRIu32 " has no route", what, gsi);
}

static int no_memory(const struct axvm *vm, size_t count)
{
	return axvcpu_fail(vm, -ENOMEM, "routes: allocating %zu routes", count);
}

/* Reads the default routes from the backend, once. */
static int load(struct axvm *vm)
{
	struct axv_routes *routes = &vm->routes;
	struct axvm_route *defaults;
	size_t count;
	int ret;

	if (routes->loaded)
		return 0;
	if (!HAS_OP(vm->ops, vm_default_routes) || !HAS_OP(vm->ops, vm_set_routes))
		return axv_vm_not_supported(vm, "routes");
	ret = vm->ops->vm_default_routes(vm->arch, NULL, 0, &routes->first, &routes->end);
	if (ret < 0)
		return ret;
	count = (size_t)ret;
	defaults = axv_sys_calloc(count + 1, sizeof(*defaults));
	routes->table = axv_sys_calloc(count + 1, sizeof(routes->table[0]));
	if (!defaults || !routes->table) {
		free(defaults);
		free(routes->table);
		routes->table = NULL;
		return no_memory(vm, count);
	}
	vm->ops->vm_default_routes(vm->arch, defaults, count, &routes->first, &routes->end);
	for (size_t i = 0; i < count; i++)
		routes->table[i].route = defaults[i];
	free(defaults);
	routes->count = count;
	routes->loaded = true;
	return 0;
}

/* Begins a change of the table. If it fails, nothing has to be ended. */
static int begin(struct axvm *vm, int *cancel)
{
	int ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	*cancel = axv_cancel_disable();
	pthread_mutex_lock(&vm->routes.lock);
	ret = load(vm);
	if (!ret)
		return 0;
	pthread_mutex_unlock(&vm->routes.lock);
	axv_cancel_restore(*cancel);
	return ret;
}

static int end(struct axvm *vm, int cancel, int ret)
{
	pthread_mutex_unlock(&vm->routes.lock);
	axv_cancel_restore(cancel);
	return ret;
}

/* Gives the routes that are not masked to the backend. */
static int give(struct axvm *vm, const struct axv_route *table, size_t count)
{
	struct axvm_route *given = axv_sys_calloc(count + 1, sizeof(*given));
	size_t n = 0;
	int ret;

	if (!given)
		return no_memory(vm, count);
	for (size_t i = 0; i < count; i++)
		if (!table[i].masked)
			given[n++] = table[i].route;
	ret = vm->ops->vm_set_routes(vm->arch, given, n);
	free(given);
	return ret;
}

/* Makes 'table', which is allocated, the table of the VM; frees it if the backend refuses it. */
static int replace(struct axvm *vm, struct axv_route *table, size_t count)
{
	int ret = give(vm, table, count);

	if (ret) {
		free(table);
		return ret;
	}
	free(vm->routes.table);
	vm->routes.table = table;
	vm->routes.count = count;
	return 0;
}

/* Replaces the table by one without the routes of 'without', if any, and with 'added', if any. */
static int change(struct axvm *vm, const uint32_t *without, const struct axv_route *added)
{
	const struct axv_routes *routes = &vm->routes;
	struct axv_route *table = axv_sys_calloc(routes->count + 1, sizeof(*table));
	size_t count = 0;

	if (!table)
		return no_memory(vm, routes->count + 1);
	for (size_t i = 0; i < routes->count; i++)
		if (!without || routes->table[i].route.gsi != *without)
			table[count++] = routes->table[i];
	if (added)
		table[count++] = *added;
	return replace(vm, table, count);
}

/* --- eventfds --------------------------------------------------------------------------------- */

static int set_irqfd(struct axvm *vm, const struct axvm_irqfd *config, uint32_t flags)
{
	struct axvm_irqfd irqfd = *config;

	irqfd.flags |= flags;
	return vm->ops->vm_irqfd(vm->arch, &irqfd);
}

/* Attaches all eventfds of the number. */
static int attach(struct axvm *vm, uint32_t gsi)
{
	for (struct axv_irqfd *irqfd = vm->routes.irqfds; irqfd; irqfd = irqfd->next) {
		int ret;

		if (irqfd->config.gsi != gsi || irqfd->attached)
			continue;
		ret = set_irqfd(vm, &irqfd->config, 0);
		if (ret)
			return ret;
		irqfd->attached = true;
	}
	return 0;
}

/* Detaches all eventfds of the number. If one fails, those before it are detached. */
static int detach(struct axvm *vm, uint32_t gsi)
{
	for (struct axv_irqfd *irqfd = vm->routes.irqfds; irqfd; irqfd = irqfd->next) {
		int ret;

		if (irqfd->config.gsi != gsi || !irqfd->attached)
			continue;
		ret = set_irqfd(vm, &irqfd->config, AXVM_EVENT_REMOVE);
		if (ret)
			return ret;
		irqfd->attached = false;
	}
	return 0;
}

/* Forgets eventfds. NULL: those of any number; -1: those with any descriptor. */
static void forget(struct axv_routes *routes, const uint32_t *gsi, int fd)
{
	struct axv_irqfd **at = &routes->irqfds;

	while (*at) {
		struct axv_irqfd *irqfd = *at;

		if ((gsi && irqfd->config.gsi != *gsi) || (fd >= 0 && irqfd->config.fd != fd)) {
			at = &irqfd->next;
			continue;
		}
		*at = irqfd->next;
		free(irqfd);
	}
}

static struct axv_irqfd *find_irqfd(const struct axv_routes *routes, uint32_t gsi, int fd)
{
	struct axv_irqfd *irqfd = routes->irqfds;

	while (irqfd && (irqfd->config.gsi != gsi || (fd >= 0 && irqfd->config.fd != fd)))
		irqfd = irqfd->next;
	return irqfd;
}

static bool is_masked(const struct axv_routes *routes, uint32_t gsi)
{
	const struct axv_route *route = find(routes, gsi);

	return route && route->masked;
}

static int add_irqfd(struct axvm *vm, const struct axvm_irqfd *config)
{
	struct axv_routes *routes = &vm->routes;
	struct axv_irqfd *irqfd = axv_sys_calloc(1, sizeof(*irqfd));
	int ret = 0;

	if (!irqfd)
		return axvcpu_fail(vm, -ENOMEM, "irqfd: allocating it");
	irqfd->config = *config;
	irqfd->attached = !is_masked(routes, config->gsi);
	if (irqfd->attached)
		ret = set_irqfd(vm, config, 0);
	if (ret) {
		free(irqfd);
		return ret;
	}
	/* An eventfd has one number. Earlier ones with this descriptor were closed. */
	forget(routes, NULL, config->fd);
	irqfd->next = routes->irqfds;
	routes->irqfds = irqfd;
	return 0;
}

static int remove_irqfd(struct axvm *vm, const struct axvm_irqfd *config)
{
	const struct axv_irqfd *irqfd = find_irqfd(&vm->routes, config->gsi, config->fd);
	int ret = irqfd && !irqfd->attached ? 0 : vm->ops->vm_irqfd(vm->arch, config);

	/* A descriptor that is closed, or that is no eventfd any more, is detached. */
	if (!ret || ret == -EBADF || ret == -EINVAL)
		forget(&vm->routes, &config->gsi, config->fd);
	return ret;
}

int axv_routes_set_irqfd(struct axvm *vm, const struct axvm_irqfd *irqfd)
{
	int ret, cancel = axv_cancel_disable();

	pthread_mutex_lock(&vm->routes.lock);
	if (irqfd->flags & AXVM_EVENT_REMOVE)
		ret = remove_irqfd(vm, irqfd);
	else
		ret = add_irqfd(vm, irqfd);
	return end(vm, cancel, ret);
}

/* --- changes ---------------------------------------------------------------------------------- */

static int check_kind(const struct axvm *vm, const char *what, const struct axvm_route *route)
{
	if (route->kind == AXVM_ROUTE_PIN || route->kind == AXVM_ROUTE_MSI)
		return 0;
	return axvcpu_fail(vm, -EINVAL, "%s: gsi %" PRIu32 ": unknown kind %" PRIu32, what,
			   route->gsi, route->kind);
}

/* A number has one message, or pins of different controllers. */
static int check_conflicts(const struct axvm *vm, const struct axvm_route *route)
{
	for (size_t i = 0; i < vm->routes.count; i++) {
		const struct axvm_route *other = &vm->routes.table[i].route;

		if (other->gsi != route->gsi ||
		    (other->kind == AXVM_ROUTE_PIN && route->kind == AXVM_ROUTE_PIN &&
		     other->u.pin.controller != route->u.pin.controller))
			continue;
		return axvcpu_fail(vm, -EEXIST,
				   "add_route: gsi %" PRIu32
				   " has a route already; use axvm_change_route()",
				   route->gsi);
	}
	return 0;
}

static int choose_gsi(const struct axvm *vm, uint32_t *gsi)
{
	const struct axv_routes *routes = &vm->routes;

	for (*gsi = routes->first; *gsi < routes->end; ++*gsi)
		if (!find(routes, *gsi) && !find_irqfd(routes, *gsi, -1))
			return 0;
	return axvcpu_fail(vm, -ENOSPC, "add_route: gsis %" PRIu32 " to %" PRIu32 " are in use",
			   routes->first, routes->end - 1);
}

static int add(struct axvm *vm, const struct axvm_route *route)
{
	struct axv_route added = { .route = *route };
	int ret = check_kind(vm, "add_route", route);

	if (ret)
		return ret;
	if (route->gsi == AXVM_GSI_ANY)
		ret = choose_gsi(vm, &added.route.gsi);
	else if (route->gsi >= vm->routes.end)
		ret = axvcpu_fail(vm, -EINVAL,
				  "add_route: gsi is %" PRIu32 "; the maximum is %" PRIu32,
				  route->gsi, vm->routes.end - 1);
	else
		ret = check_conflicts(vm, route);
	if (ret)
		return ret;
	ret = change(vm, NULL, &added);
	return ret ? ret : (int)added.route.gsi;
}

int axvm_add_route(struct axvm *vm, const struct axvm_route *route)
{
	int cancel, ret = begin(vm, &cancel);

	return ret ? ret : end(vm, cancel, add(vm, route));
}

static int change_one(struct axvm *vm, const struct axvm_route *route)
{
	const struct axv_route *old = find(&vm->routes, route->gsi);
	struct axv_route new = { .route = *route };
	int ret = check_kind(vm, "change_route", route);

	if (ret)
		return ret;
	if (!old)
		return no_route(vm, "change_route", route->gsi);
	new.masked = old->masked;
	if (new.masked && route->kind != AXVM_ROUTE_MSI)
		return axvcpu_fail(vm, -EINVAL,
				   "change_route: gsi %" PRIu32
				   " is masked; a route to a pin cannot be",
				   route->gsi);
	/* The backend has no masked route, so it does not check the new one before it is unmasked. */
	return change(vm, &route->gsi, &new);
}

int axvm_change_route(struct axvm *vm, const struct axvm_route *route)
{
	int cancel, ret = begin(vm, &cancel);

	return ret ? ret : end(vm, cancel, change_one(vm, route));
}

static int set_mask(struct axvm *vm, uint32_t gsi, bool masked)
{
	struct axv_route new = *find(&vm->routes, gsi);

	if (new.masked == masked)
		return 0;
	new.masked = masked;
	return change(vm, &gsi, &new);
}

/* Attaches the eventfds again after a change has failed with 'ret'. Returns that. */
static int undo_detach(struct axvm *vm, uint32_t gsi, int ret)
{
	char message[256];

	axv_error_keep(message);
	if (!attach(vm, gsi))
		return ret;
	return axvcpu_fail(vm, ret, "%s; eventfds of gsi %" PRIu32 " stay detached", message, gsi);
}

/* The eventfds first: a signal of an attached eventfd without a route would be lost. */
static int mask(struct axvm *vm, uint32_t gsi)
{
	int ret = detach(vm, gsi);

	if (!ret)
		ret = set_mask(vm, gsi, true);
	return ret ? undo_detach(vm, gsi, ret) : 0;
}

static int unmask(struct axvm *vm, uint32_t gsi)
{
	int ret = set_mask(vm, gsi, false);
	char message[256];

	if (!ret)
		ret = attach(vm, gsi);
	if (!ret || is_masked(&vm->routes, gsi))
		return ret;
	axv_error_keep(message);
	if (!detach(vm, gsi) && !set_mask(vm, gsi, true))
		return ret;
	return axvcpu_fail(vm, ret, "%s; gsi %" PRIu32 " stays unmasked", message, gsi);
}

static int mask_one(struct axvm *vm, uint32_t gsi, bool masked)
{
	const struct axv_route *route = find(&vm->routes, gsi);

	if (!route)
		return no_route(vm, "mask_route", gsi);
	if (route->route.kind != AXVM_ROUTE_MSI)
		return axvcpu_fail(vm, -EINVAL,
				   "mask_route: gsi %" PRIu32
				   " has a route to a pin, which the guest masks",
				   gsi);
	if (masked)
		return mask(vm, gsi);
	return unmask(vm, gsi);
}

int axvm_mask_route(struct axvm *vm, uint32_t gsi, bool masked)
{
	int cancel, ret = begin(vm, &cancel);

	return ret ? ret : end(vm, cancel, mask_one(vm, gsi, masked));
}

static int remove_one(struct axvm *vm, uint32_t gsi)
{
	bool masked = is_masked(&vm->routes, gsi);
	int ret;

	if (!find(&vm->routes, gsi))
		return no_route(vm, "remove_route", gsi);
	ret = detach(vm, gsi);
	if (!ret)
		ret = change(vm, &gsi, NULL);
	if (ret)
		return masked ? ret : undo_detach(vm, gsi, ret);
	forget(&vm->routes, &gsi, -1);
	return 0;
}

int axvm_remove_route(struct axvm *vm, uint32_t gsi)
{
	int cancel, ret = begin(vm, &cancel);

	return ret ? ret : end(vm, cancel, remove_one(vm, gsi));
}

static int set_all(struct axvm *vm, const struct axvm_route *routes, size_t count)
{
	struct axv_route *table;

	for (size_t i = 0; i < vm->routes.count; i++)
		if (vm->routes.table[i].masked)
			return axvcpu_fail(vm, -EBUSY,
					   "set_routes: gsi %" PRIu32
					   " is masked; unmask or remove its route first",
					   vm->routes.table[i].route.gsi);
	table = axv_sys_calloc(count + 1, sizeof(*table));
	if (!table)
		return no_memory(vm, count);
	for (size_t i = 0; i < count; i++)
		table[i].route = routes[i];
	return replace(vm, table, count);
}

int axvm_set_routes(struct axvm *vm, const struct axvm_route *routes, size_t count)
{
	int cancel, ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	if (count && !routes)
		return axvcpu_fail(vm, -EINVAL, "set_routes: routes is NULL, count %zu", count);
	for (size_t i = 0; i < count; i++)
		if (routes[i].kind != AXVM_ROUTE_PIN && routes[i].kind != AXVM_ROUTE_MSI)
			return axvcpu_fail(vm, -EINVAL,
					   "set_routes: route %zu: unknown kind %" PRIu32, i,
					   routes[i].kind);
	if (!HAS_OP(vm->ops, vm_set_routes))
		return axv_vm_not_supported(vm, "set_routes");
	/* Without its default routes, no route is ever added to these. */
	if (!HAS_OP(vm->ops, vm_default_routes))
		return vm->ops->vm_set_routes(vm->arch, routes, count);
	ret = begin(vm, &cancel);
	return ret ? ret : end(vm, cancel, set_all(vm, routes, count));
}

/* --- saving and loading ----------------------------------------------------------------------- */

#define SECTION "routes"
#define SECTION_VERSION 1u
/* Several pins of different controllers may have one number. */
#define ROUTES_PER_GSI 4u

/* A route in the section. Little-endian. */
struct saved_route {
	uint32_t gsi;
	/* enum axvm_route_kind */
	uint32_t kind;
	uint32_t masked;
	/* The sender of the message, or the controller of the pin. */
	uint32_t device;
	/* Of the message. */
	uint64_t address;
	/* The data of the message, or the number of the pin. */
	uint64_t data;
};
_Static_assert(sizeof(struct saved_route) == 32, "no padding");

static struct saved_route encode(const struct axv_route *from)
{
	const struct axvm_route *route = &from->route;
	struct saved_route saved = { .gsi = htole32(route->gsi),
				     .kind = htole32(route->kind),
				     .masked = htole32(from->masked) };

	if (route->kind == AXVM_ROUTE_PIN) {
		saved.device = htole32(route->u.pin.controller);
		saved.data = htole64(route->u.pin.pin);
	} else {
		saved.device = htole32(route->u.msi.device);
		saved.address = htole64(route->u.msi.address);
		saved.data = htole64(route->u.msi.data);
	}
	return saved;
}

/* Returns whether the route is valid. */
static bool decode(const struct axvm *vm, struct saved_route saved, struct axv_route *to)
{
	struct axvm_route *route = &to->route;

	to->masked = le32toh(saved.masked);
	route->gsi = le32toh(saved.gsi);
	route->kind = le32toh(saved.kind);
	if (route->kind == AXVM_ROUTE_PIN) {
		route->u.pin.controller = le32toh(saved.device);
		route->u.pin.pin = (uint32_t)le64toh(saved.data);
	} else {
		route->u.msi.device = le32toh(saved.device);
		route->u.msi.address = le64toh(saved.address);
		route->u.msi.data = (uint32_t)le64toh(saved.data);
	}
	/* Everything that a route can have, and nothing else, is encoded in the same way again. */
	return (route->kind == AXVM_ROUTE_MSI || (route->kind == AXVM_ROUTE_PIN && !to->masked)) &&
	       route->gsi < vm->routes.end &&
	       !memcmp(&saved, &(struct saved_route[]){ encode(to) }, sizeof(saved));
}

/* A VM without an interrupt controller in the hypervisor has no routes. */
static bool has_routes(const struct axvm *vm)
{
	return HAS_OP(vm->ops, vm_default_routes) && HAS_OP(vm->ops, vm_set_routes) &&
	       vm->config.irqchip != AXVM_IRQCHIP_NONE;
}

/* As begin(), but returns 1 if the VM must be finalized first: then the backend refuses by itself. */
static int begin_if_ready(struct axvm *vm, int *cancel)
{
	const int ret = begin(vm, cancel);

	return ret == -EBUSY ? 1 : ret;
}

int axv_routes_save(struct axvm *vm, struct axvcpu_saver *saver)
{
	const struct axv_routes *routes = &vm->routes;
	struct saved_route *saved;
	int cancel, ret;

	if (!has_routes(vm))
		return 0;
	ret = begin_if_ready(vm, &cancel);
	if (ret)
		return ret < 0 ? ret : 0;
	saved = axv_sys_calloc(routes->count + 1, sizeof(*saved));
	if (!saved)
		return end(vm, cancel, no_memory(vm, routes->count));
	for (size_t i = 0; i < routes->count; i++)
		saved[i] = encode(&routes->table[i]);
	ret = axvcpu_save_section(saver, SECTION, SECTION_VERSION, 0, saved,
				  routes->count * sizeof(*saved));
	free(saved);
	return end(vm, cancel, ret);
}

static int find_saved(struct axvm *vm, struct axvcpu_loader *loader, struct axv_route **table,
		      size_t *count)
{
	struct axvcpu_saved_section section;
	struct saved_route saved;
	int ret = axvcpu_load_section(loader, SECTION, SECTION_VERSION, 0,
				      sizeof(saved) * ROUTES_PER_GSI * vm->routes.end, &section);

	if (ret < 0)
		return ret;
	if (!ret || section.len % sizeof(saved))
		return axvcpu_fail(vm, -EINVAL,
				   "load: the state has no section " SECTION " of whole routes");
	*count = section.len / sizeof(saved);
	*table = axv_sys_calloc(*count + 1, sizeof(**table));
	if (!*table)
		return no_memory(vm, *count);
	for (size_t i = 0; i < *count; i++) {
		memcpy(&saved, (const char *)section.data + i * sizeof(saved), sizeof(saved));
		if (!decode(vm, saved, &(*table)[i]))
			return axvcpu_fail(vm, -EINVAL, "load: route %zu is not valid", i);
	}
	return 0;
}

int axv_routes_find_saved(struct axvm *vm, struct axvcpu_loader *loader, struct axv_route **table,
			  size_t *count)
{
	int cancel, ret;

	*table = NULL;
	*count = 0;
	if (!has_routes(vm))
		return 0;
	ret = begin_if_ready(vm, &cancel);
	if (ret)
		return ret < 0 ? ret : 0;
	return end(vm, cancel, find_saved(vm, loader, table, count));
}

/* Whether the eventfds of a number must be attached with this table. */
static bool wants_eventfds(const struct axv_route *table, size_t count, uint32_t gsi)
{
	for (size_t i = 0; i < count; i++)
		if (table[i].route.gsi == gsi)
			return !table[i].masked;
	return true;
}

/* Whether the table of the VM is this one. */
static bool is_present(const struct axv_routes *routes, const struct axv_route *table, size_t count)
{
	if (!routes->table || count != routes->count)
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct saved_route ours = encode(&routes->table[i]);
		const struct saved_route theirs = encode(&table[i]);

		if (memcmp(&ours, &theirs, sizeof(ours)))
			return false;
	}
	return true;
}

/* Lowers the lines: once their routes are gone, a line that is high stays high at its pin. */
static int lower_lines(struct axvm *vm)
{
	const struct axv_routes *routes = &vm->routes;
	int ret = 0;

	for (size_t i = 0; !ret && i < routes->count; i++)
		if (routes->table[i].route.kind == AXVM_ROUTE_PIN &&
		    HAS_OP(vm->ops, vm_set_irq_line))
			ret = vm->ops->vm_set_irq_line(vm->arch, routes->table[i].route.gsi, false);
	return ret;
}

static int load_table(struct axvm *vm, struct axv_route *table, size_t count, bool *changed)
{
	int ret = 0;

	/* Whether the backend accepts it, before lines change; they are lowered by their own routes. */
	if (!is_present(&vm->routes, table, count)) {
		ret = give(vm, table, count);
		*changed = !ret;
		if (!ret)
			ret = give(vm, vm->routes.table, vm->routes.count);
	}
	if (ret || !*changed) {
		free(table);
		return ret;
	}
	ret = lower_lines(vm);
	/* As mask() does: before their routes are gone. */
	for (struct axv_irqfd *irqfd = vm->routes.irqfds; !ret && irqfd; irqfd = irqfd->next)
		if (!wants_eventfds(table, count, irqfd->config.gsi))
			ret = detach(vm, irqfd->config.gsi);
	if (ret)
		free(table);
	else
		ret = replace(vm, table, count);
	for (struct axv_irqfd *irqfd = vm->routes.irqfds; irqfd; irqfd = irqfd->next)
		if (!is_masked(&vm->routes, irqfd->config.gsi)) {
			const int failed = attach(vm, irqfd->config.gsi);

			ret = ret ? ret : failed;
		}
	return ret;
}

int axv_routes_load(struct axvm *vm, struct axv_route *table, size_t count, bool *changed)
{
	int cancel, ret = begin(vm, &cancel);

	*changed = false;
	if (!ret)
		return end(vm, cancel, load_table(vm, table, count, changed));
	free(table);
	return ret;
}

/* --- for other files -------------------------------------------------------------------------- */

int axv_routes_find(struct axvm *vm, uint32_t gsi, struct axvm_route *out)
{
	const struct axv_route *route;
	int cancel, ret = begin(vm, &cancel);

	if (ret)
		return ret;
	route = find(&vm->routes, gsi);
	if (route)
		*out = route->route;
	return end(vm, cancel, route != NULL);
}
