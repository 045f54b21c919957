/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The runtime of the example guests. The functions of the first part are implemented per
 * architecture, in a directory of that name; the others are shared.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../abi.h"

/* --- implemented per architecture ------------------------------------------------------------- */

/* Name of the architecture, for output. */
extern const char guest_arch[];

/* Writes a character to the console. */
void guest_putc(char c);

/* Waits for a character from the console. GUEST_EOF is the end of input. */
int guest_getc(void);
#define GUEST_EOF 0x04

/* Whether the console has received a character. */
bool guest_received(void);

/*
 * Enables the console's receive interrupt in the UART. The interrupt controller is set up
 * separately.
 */
void guest_console_listen(void);

/* Ends the run. axrun exits with the status modulo 256. */
_Noreturn void guest_exit(unsigned int status);

/* Stops the CPU forever. */
_Noreturn void guest_halt(void);

/* The crash kinds of this architecture; the first one is the default. */
struct guest_crash {
	const char *name;
	void (*crash)(void);
};
extern const struct guest_crash guest_crashes[];
extern const size_t guest_ncrashes;

/* --- start ------------------------------------------------------------------------------------ */

/* The guest program. The return value is its exit status. */
int guest_main(void);

/* Called by entry.S, on the first stack. */
_Noreturn void guest_start(const struct guest_boot *page);

/* --- the boot page ---------------------------------------------------------------------------- */

/* The boot page. */
const struct guest_boot *guest_boot_page(void);

/* The arguments, joined by blanks. */
const char *guest_args(void);

/* Sets `*ranges` to all memory; returns the number of ranges. */
size_t guest_memory(const struct guest_range **ranges);

/* Whether the page at this address is in use by the guest's image or its boot area. */
bool guest_page_in_use(uint64_t gpa);

/* Finds the n-th word of the arguments. Returns its length; 0 if there are fewer words. */
size_t guest_word(unsigned int n, const char **word);

/* Whether the n-th word equals this text. */
bool guest_word_is(unsigned int n, const char *text);

/* Converts the n-th word from decimal; returns false if it is not a number. */
bool guest_word_number(unsigned int n, uint64_t *value);

/* --- printing --------------------------------------------------------------------------------- */

void guest_print(const char *text);
void guest_print_dec(uint64_t value);
void guest_print_hex(uint64_t value);

/* Prints "NAME: ok" or "NAME: FAILED", and returns `passed`. */
bool guest_check(const char *name, bool passed);

/* --- called by compiler-generated code -------------------------------------------------------- */

void *memcpy(void *restrict to, const void *restrict from, size_t len);
void *memset(void *to, int byte, size_t len);

#endif
