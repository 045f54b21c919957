#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# The shared library exports what its headers declare: all of it, and nothing else.
set -u
# shellcheck source=tests/cases.sh
. "${0%/*}/cases.sh"

: "${top_srcdir:=.}" "${top_builddir:=.}" "${CC:=cc}" "${NM:=nm}"
library=$top_builddir/.libs/libaxvcpu.so
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

if [ ! -e "$library" ]; then
	skip symbols "$library was not built (--disable-shared)"
	exit 77
fi

# What the compiler sees, so that comments and line breaks do not matter.
# shellcheck disable=SC2086 # CC may be a command with flags
$CC -E -P "-I$top_srcdir/include" \
	-x c "$top_srcdir/include/axvcpu/axvcpu.h" >"$work/preprocessed" || exit 99
tr '\n' ' ' <"$work/preprocessed" | tr ';' '\n' | tr '{' '\n' | tr '}' '\n' >"$work/parts"
grep 'visibility *( *"default" *)' "$work/parts" |
	sed 's/__attribute__ *(([^;]*"default" *))*//; s/__attribute__.*//' |
	sed -n 's/^[^(]*[ *]\([A-Za-z_0-9]*\) *(.*/\1/p' | sort -u >"$work/declared"
# Calls in inline functions are no declarations.
sed -n 's/^[^(=]*[ *]\(\(axvcpu\|axvm\|axpercpu\)_[a-z0-9_]*\) *(.*/\1 &/p' "$work/parts" |
	grep -vE '^[^ ]* *(return|static) |visibility' >"$work/log"
none_wrong "every function of the headers is declared with AXVCPU_API"

# NM, too: libtool finds "nm -B".
# shellcheck disable=SC2086
$NM -D --defined-only "$library" >"$work/nm" || exit 99
sed -n 's/^[0-9a-f]* T \([^@]*\).*/\1/p' "$work/nm" | sort -u >"$work/exported"

: >"$work/log"
[ "$(wc -l <"$work/declared")" -ge 40 ] || echo "only these: $(cat "$work/declared")" >"$work/log"
none_wrong "the headers declare functions"

comm -23 "$work/declared" "$work/exported" >"$work/log"
none_wrong "every function of the headers is exported"

comm -13 "$work/declared" "$work/exported" >"$work/log"
none_wrong "nothing is exported that no header declares"

grep -vE '^[0-9a-f]+ T (axvcpu|axvm|axpercpu)_[a-z0-9_]+@@AXVCPU_0\.1$' "$work/nm" |
	grep -vE '^[0-9a-f]+ A AXVCPU_0\.1(@@AXVCPU_0\.1)?$' >"$work/log"
none_wrong "every symbol is a function of the library's own, of version AXVCPU_0.1"

# Every exported function is also in the static library, which has no version script.
if [ -e "$top_builddir/.libs/libaxvcpu.a" ]; then
	# shellcheck disable=SC2086
	$NM --defined-only "$top_builddir/.libs/libaxvcpu.a" 2>/dev/null |
		sed -n 's/^[0-9a-f]* T //p' | sort -u >"$work/static"
	comm -23 "$work/declared" "$work/static" >"$work/log"
	none_wrong "every function of the headers is in the static library"
fi

all_done
