/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Writes AML, the byte code of ACPI tables: the subset that describes devices, with methods that
 * only notify. Nested elements are closed in reverse order. Names have four characters.
 */
#ifndef AXRUN_AML_H
#define AXRUN_AML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Maximum depth of open packages. */
#define AML_DEPTH 8

struct aml {
	uint8_t *bytes;
	size_t size;
	size_t len;
	/* Something did not fit; `len` stays as it was. */
	bool full;
	/* Offsets of the lengths of open packages. */
	size_t open[AML_DEPTH];
	unsigned int depth;
};

/* Opens a scope, such as "\\_SB_", or a device in it. */
void aml_scope_begin(struct aml *aml, const char *path);
void aml_device_begin(struct aml *aml, const char *name);

/* Opens a package of that many elements, as a name's value. */
void aml_package_begin(struct aml *aml, uint8_t elements);

/* Opens a buffer of resources, as a name's value. */
void aml_resources_begin(struct aml *aml);
void aml_resources_end(struct aml *aml);

/* Opens a method with that number of arguments. */
void aml_method_begin(struct aml *aml, const char *name, uint8_t args);

/* In a method: notifies a device, which is named without a path. */
void aml_notify(struct aml *aml, const char *device, uint8_t value);

/* Closes a scope, a device, a package or a method. */
void aml_end(struct aml *aml);

/* Name(name, ...): the value is written next. */
void aml_name(struct aml *aml, const char *name);

/* Values. An EISA id has three letters and four hexadecimal digits: "PNP0501". */
void aml_number(struct aml *aml, uint32_t value);
void aml_string(struct aml *aml, const char *text);
void aml_eisa_id(struct aml *aml, const char *id);

/* Resources: I/O ports; an active-high interrupt, triggered by its level or by its edge. */
void aml_ports(struct aml *aml, uint16_t base, uint8_t len);
void aml_interrupt(struct aml *aml, uint32_t gsi);
void aml_edge_interrupt(struct aml *aml, uint32_t gsi);

#endif
