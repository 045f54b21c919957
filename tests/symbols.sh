#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# The libraries export what the headers declare: all of it, and nothing else.
set -u
# shellcheck source=tests/cases.sh
. "${0%/*}/cases.sh"

: "${top_srcdir:=.}" "${top_builddir:=.}" "${CC:=cc}" "${NM:=nm}"
map=$top_srcdir/lib/libaxvcpu.map
library=$top_builddir/.libs/libaxvcpu.so
archive=$top_builddir/.libs/libaxvcpu.a
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

# What the compiler sees, so that comments and line breaks do not matter.
for header in "$top_srcdir"/include/axvcpu/*.h; do
	echo "#include <axvcpu/${header##*/}>"
done >"$work/all.c"
# shellcheck disable=SC2086 # CC may be a command with flags
$CC -E -P "-I$top_srcdir/include" "$work/all.c" >"$work/preprocessed" || exit 99
tr '\n' ' ' <"$work/preprocessed" | tr ';' '\n' | tr '{' '\n' | tr '}' '\n' >"$work/parts"
grep 'visibility *( *"default" *)' "$work/parts" |
	sed 's/__attribute__ *(([^;]*"default" *))*//; s/__attribute__.*//' |
	sed -n 's/^[^(]*[ *]\([A-Za-z_0-9]*\) *(.*/\1/p' | sort -u >"$work/declared"
# Calls in inline functions are no declarations.
sed -n 's/^[^(=]*[ *]\(\(axvcpu\|axvm\|axpercpu\)_[a-z0-9_]*\) *(.*/\1 &/p' "$work/parts" |
	grep -vE '^[^ ]* *(return|static) |visibility' >"$work/log"
none_wrong "every function of the headers is declared with AXVCPU_API"

# same_names WHAT FILE: these are the functions that the headers declare.
same_names() {
	comm -23 "$work/declared" "$2" >"$work/log"
	none_wrong "every function of the headers is $1"
	comm -13 "$work/declared" "$2" >"$work/log"
	none_wrong "nothing is $1 that no header declares"
}

# global_names FILE [OPTION]...: those that a program which links it can see, as nm has them.
global_names() {
	# NM, too: libtool finds "nm -B".
	# shellcheck disable=SC2086
	$NM -g --defined-only "$@" >"$work/nm" || exit 99
	sed -n 's/^[0-9a-f]* [A-Z] \([^@]*\).*/\1/p' "$work/nm" | sort -u
}

: >"$work/log"
[ "$(wc -l <"$work/declared")" -ge 40 ] || echo "only these: $(cat "$work/declared")" >"$work/log"
none_wrong "the headers declare functions"

# --- the version script ---------------------------------------------------------------------------

sed -n '/global:/,/local:/s/^[[:space:]]*\([^[:space:]]*\);$/\1/p' "$map" >"$work/listed"
sort -u "$work/listed" >"$work/mapped"
same_names "in lib/libaxvcpu.map" "$work/mapped"
sort "$work/listed" | uniq -d >"$work/log"
none_wrong "lib/libaxvcpu.map lists each function once"

# --- the shared library ---------------------------------------------------------------------------

if [ -e "$library" ]; then
	global_names "$library" -D | grep -v '^AXVCPU_0\.1$' >"$work/exported"
	same_names "exported" "$work/exported"
	grep -vE '^[0-9a-f]+ T (axvcpu|axvm|axpercpu)_[a-z0-9_]+@@AXVCPU_0\.1$' "$work/nm" |
		grep -vE '^[0-9a-f]+ A AXVCPU_0\.1(@@AXVCPU_0\.1)?$' >"$work/log"
	none_wrong "every symbol is a function of the library's own, of version AXVCPU_0.1"
else
	skip "the shared library" "it was not built (--disable-shared)"
fi

# --- the static library ---------------------------------------------------------------------------

if [ -e "$archive" ]; then
	global_names "$archive" >"$work/static"
	same_names "global in the static library" "$work/static"
else
	skip "the static library" "it was not built (--disable-static)"
fi

all_done
