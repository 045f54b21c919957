/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The runtime of the example guests: what a guest program may call. The functions of the first
 * part are written once per architecture, in the folder of its name; the others are common.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../abi.h"

/* --- per architecture ------------------------------------------------------------------------- */

/* Its name, as people write it. */
extern const char guest_arch[];

/* Writes a character to the console. */
void guest_putc(char c);

/* Waits for a character from the console. GUEST_EOF means that there will be no more. */
int guest_getc(void);
#define GUEST_EOF 0x04

/* Whether a character waits there. */
bool guest_received(void);

/* Lets the console interrupt while there is a character; where that goes is not its business. */
void guest_console_listen(void);

/* Ends the run; axrun exits with the status, modulo 256. */
_Noreturn void guest_exit(unsigned int status);

/* Stops the CPU for good. */
_Noreturn void guest_halt(void);

/* How this architecture can crash; the first kind is the default. */
struct guest_crash {
	const char *name;
	void (*crash)(void);
};
extern const struct guest_crash guest_crashes[];
extern const size_t guest_ncrashes;

/* --- start ------------------------------------------------------------------------------------ */

/* The guest program. What it returns is its exit status. */
int guest_main(void);

/* What start.S calls, on a stack of its own. */
_Noreturn void guest_start(const struct guest_boot *page);

/* --- what axrun says -------------------------------------------------------------------------- */

/* The boot page. */
const struct guest_boot *guest_boot_page(void);

/* The arguments, joined by blanks. */
const char *guest_args(void);

/* All memory; returns the number of ranges. */
size_t guest_memory(const struct guest_range **ranges);

/* Whether the page at this address holds something that the guest needs to run. */
bool guest_page_in_use(uint64_t gpa);

/* The n-th word of the arguments: returns its length, 0 if there are not so many. */
size_t guest_word(unsigned int n, const char **word);

/* Whether the n-th word is this text. */
bool guest_word_is(unsigned int n, const char *text);

/* The n-th word as a decimal number; false if it is none. */
bool guest_word_number(unsigned int n, uint64_t *value);

/* --- printing --------------------------------------------------------------------------------- */

void guest_print(const char *text);
void guest_print_dec(uint64_t value);
void guest_print_hex(uint64_t value);

/* Prints "NAME: ok" or "NAME: FAILED", and returns `passed`. */
bool guest_check(const char *name, bool passed);

/* --- what compilers call ---------------------------------------------------------------------- */

void *memcpy(void *restrict to, const void *restrict from, size_t len);
void *memset(void *to, int byte, size_t len);

#endif
