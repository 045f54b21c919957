#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# The manual pages: complete, without warnings, without dangling references, and the same each time. The
# program in axvcpu(7) compiles.
set -u
# shellcheck source=tests/cases.sh
. "${0%/*}/cases.sh"

: "${top_srcdir:=.}" "${top_builddir:=.}" "${CC:=cc}"
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

pages=$top_builddir/docs/man/pages
[ -d "$pages" ] || pages=$top_srcdir/docs/man/pages
if ! [ -d "$pages" ]; then
	skip "manual pages" "there are none: Python 3 was missing"
	all_done
fi

# same NAME LIST LIST: the two lists have the same lines.
same() {
	diff "$2" "$3" >"$work/log"
	result "$1" $?
}

# names SECTION: of the pages of that section, without those that only refer to another page.
names() {
	grep -L '^\.so ' "$pages"/man*/*."$1" | sed 's/.*\///; s/\.[^.]*$//' | LC_ALL=C sort
}

# --- each function and type has a page, and each page its function ----------------------------------

headers=$top_srcdir/include/axvcpu
sed -n 's/^[[:space:]]*\(ax[a-z0-9_]*\);$/\1/p' "$top_srcdir/lib/libaxvcpu.map" >"$work/exported"
sed -n 's/^static inline .*[ *]\(ax[a-z0-9_]*\)(.*/\1/p' "$headers"/*.h >"$work/inline"
LC_ALL=C sort "$work/exported" "$work/inline" >"$work/functions"
names 3 >"$work/pages3"
count=$(wc -l <"$work/exported")
if [ "$count" -ge 90 ]; then
	ok "the library exports functions"
else
	not_ok "the library exports functions" "only $count are found"
fi
same "exactly the functions of the library have pages" "$work/functions" "$work/pages3"

sed -n 's/^\(struct\|enum\) \(ax[a-z0-9_]*\) {.*/\2/p' "$headers"/*.h | LC_ALL=C sort >"$work/types"
names 3type >"$work/pages3type"
same "exactly the structs and enums of the headers have pages" "$work/types" "$work/pages3type"

# --- each page is whole --------------------------------------------------------------------------------

# lacks SECTION HEADING: the pages of that section without that heading.
lacks() {
	grep -L "^\.so \|^\.SH $2\$" "$pages"/man*/*."$1" | sed "s/\$/: no $2/"
}
{
	for heading in NAME LIBRARY SYNOPSIS DESCRIPTION 'SEE ALSO'; do
		for section in 3 3type 7; do
			lacks $section "$heading"
		done
	done
	lacks 3 THREADS
	for heading in NAME SYNOPSIS DESCRIPTION OPTIONS 'EXIT STATUS' 'SEE ALSO'; do
		lacks 1 "$heading"
	done
} >"$work/log"
none_wrong "each page has its sections"

# Parameters, return value and errors of one of them, as a sample.
sample=$pages/man3/axvcpu_block.3
for line in '.SH PARAMETERS' '\fItimeout_ns\fR' '.SH RETURN VALUE' '.SH ERRORS' '\fB\-ETIMEDOUT\fR' \
	'.SH STATES' '\fB#include <axvcpu/axvcpu.h>\fR'; do
	grep -qxF -e "$line" "$sample" || echo "$sample: no $line"
done >"$work/log"
none_wrong "axvcpu_block(3) has parameters, return value, errors and states"

# Errors that the comment in the header lists, and no others.
sed -n '/^\.SH ERRORS/,/^\.SH STATES/s/^\\fB\\\(-E[A-Z]*\)\\fR$/\1/p' "$sample" >"$work/errors"
printf '%s\n' -ETIMEDOUT -EINTR -EBADFD -EBUSY -EPERM >"$work/expected"
same "axvcpu_block(3) lists its errors" "$work/expected" "$work/errors"

# --- references ------------------------------------------------------------------------------------------

# In the text, such as \fBaxvm_new\fR(3), and by macros.
sed -n 's/\\-/-/g; s/\\f[BIRP]//g; s/^\.BR \([^ ]*\) \(([0-9][a-z]*)\).*/\1\2/
	s/[^a-z0-9_-]*\(ax[a-z0-9_-]*([0-9][a-z]*)\)/\n\1\n/gp' "$pages"/man*/*.* |
	grep '^ax[a-z0-9_-]*(.*)$' | LC_ALL=C sort -u >"$work/references"
while read -r reference; do
	section=${reference#*\(}
	section=${section%)}
	# shellcheck disable=SC2144 # one file
	[ -e "$pages/man${section%type}/${reference%\(*}.$section" ] || echo "$reference"
done <"$work/references" >"$work/log"
none_wrong "each page that is referred to exists"
if [ "$(wc -l <"$work/references")" -ge 100 ]; then
	ok "the pages refer to each other"
else
	not_ok "the pages refer to each other" "few references are found"
fi

sed -n 's/^\.so //p' "$pages"/man*/*.* >"$work/included"
while read -r page; do
	[ -e "$pages/$page" ] || echo "$page"
done <"$work/included" >"$work/log"
none_wrong "each page that another one includes exists"

grep -oh 'href="[^"#]*"' "$pages"/html/*.html | sed 's/href="//; s/"$//' | LC_ALL=C sort -u >"$work/links"
while read -r link; do
	[ -e "$pages/html/$link" ] || echo "$link"
done <"$work/links" >"$work/log"
none_wrong "each link of the HTML leads to a page"
(cd "$pages" && echo man*/*.* | tr ' ' '\n' | xargs grep -L '^\.so ' | sed 's/^man.\///; s/$/.html/') |
	LC_ALL=C sort >"$work/expected"
grep -o 'href="[^"#]*"' "$pages/html/index.html" | sed 's/href="//; s/"$//' | LC_ALL=C sort >"$work/listed"
same "index.html has a link to each page" "$work/expected" "$work/listed"
(cd "$pages/html" && echo * | tr ' ' '\n' | grep -vx index.html) | LC_ALL=C sort >"$work/html"
same "each page is there as HTML" "$work/expected" "$work/html"

# --- man and groff --------------------------------------------------------------------------------------

if command -v groff >/dev/null; then
	groff -man -ww -Kutf8 -Tutf8 -I "$pages" "$pages"/man*/*.* >"$work/text" 2>"$work/log"
	none_wrong "groff has no warning"
	lines=$(wc -l <"$work/text")
	if [ "$lines" -gt 5000 ]; then
		ok "groff prints the pages"
	else
		not_ok "groff prints the pages" "only $lines lines"
	fi
else
	skip "groff" "there is none"
fi
if command -v man >/dev/null; then
	# All at once. It fails if it does not find one of them.
	(cd "$pages" && echo man*/*.* | tr ' ' '\n' | sed 's/^man.\///; s/\.[^.]*$//' | sort -u) >"$work/all"
	xargs man -M "$pages" -w <"$work/all" >"$work/found" 2>"$work/log"
	result "man finds each page" $?
	# One of each section, and one that includes another.
	(cd "$pages" && man --warnings -E UTF-8 -l -Tutf8 man1/axrun.1 man3/axvcpu_run.3 \
		man3/AXVM_CONFIG_INIT.3type man7/axvcpu.7) >"$work/text" 2>"$work/log"
	none_wrong "man has no warning"
	grep -q '^ *axvm_config, AXVM_CONFIG_INIT - ' "$work/text"
	result "man prints the page that another one includes" $?
else
	skip "man" "there is none"
fi
if command -v mandoc >/dev/null; then
	(cd "$pages" && mandoc -Tlint -Werror man*/*.*) >"$work/log" 2>&1
	none_wrong "mandoc has no error"
else
	skip "mandoc" "there is none"
fi

# --- the options of the programs -------------------------------------------------------------------------

for name in axrun axvcpu-info; do
	program=$top_builddir/examples/$name/$name
	if ! [ -x "$program" ]; then
		skip "$name(1) has the options of $name --help" "it is not built"
		continue
	fi
	"$program" --help | grep -oE -e '--[a-z][a-z-]*' | LC_ALL=C sort -u >"$work/options"
	sed 's/\\-/-/g' "$pages/man1/$name.1" | sed -n '/^\.SH OPTIONS/,/^\.SH EXIT/p' |
		sed -n 's/^\(\.B \|\\fB\)\(--[a-z-]*\).*/\2/p' | LC_ALL=C sort -u >"$work/described"
	same "$name(1) has the options of $name --help" "$work/options" "$work/described"
done

# --- the same each time -------------------------------------------------------------------------------

: "${PYTHON:=python3}"
if [ "$("$PYTHON" -c 'print(1)' 2>/dev/null)" = 1 ]; then
	"$PYTHON" "$top_srcdir/docs/man/build.py" "$top_srcdir" "$work/again" >"$work/log" 2>&1
	result "the pages are made again" $?
	diff -r -x stamp "$pages" "$work/again" >"$work/log"
	result "they are the same" $?

	# A comment that is not complete makes no page.
	mkdir -p "$work/broken/docs" "$work/broken/include"
	cp -R "$top_srcdir/docs/man" "$work/broken/docs/man"
	cp -R "$top_srcdir/include/axvcpu" "$work/broken/include/axvcpu"
	chmod -R u+w "$work/broken"
	sed '/@param timeout_ns longest time to sleep/d' "$headers/vcpu.h" \
		>"$work/broken/include/axvcpu/vcpu.h"
	if "$PYTHON" "$work/broken/docs/man/build.py" "$work/broken" "$work/none" >"$work/log" 2>&1; then
		not_ok "a parameter without a description is an error" "it is none"
	else
		grep -q "vcpu.h:[0-9]*: axvcpu_block: .*timeout_ns" "$work/log"
		result "a parameter without a description is an error" $?
	fi
else
	skip "the pages are made again" "there is no Python"
fi

# --- the example of axvcpu(7) -----------------------------------------------------------------------------

sed -n '/^\.SH EXAMPLES/,$p' "$pages/man7/axvcpu.7" | sed -n '/^\.EX/,/^\.EE/p' |
	sed '/^\.E[XE]/d; s/\\-/-/g; s/\\&//g; s/\\e/\\/g' >"$work/example.c"
# shellcheck disable=SC2086 # CC may have flags
$CC -std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror "-I$top_srcdir/include" -fsyntax-only \
	"$work/example.c" >"$work/log" 2>&1
result "the example of axvcpu(7) compiles" $?

all_done
