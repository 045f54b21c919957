#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# Builds as users make them whose compiler, libc or tools are not those of the other tests: nothing warns,
# and the libraries have the same names. configure names a missing dependency, also when it
# continues without it. Needs bootstrap's configure.
set -u

top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/lib.sh
. "$top/scripts/lib.sh"
# shellcheck source=tests/cases.sh
. "$top/tests/cases.sh"
builds=$top/build/builds
rm -rf "$builds"

# use_build NAME: a folder for it.
use_build() {
	name=$1
	work=$builds/$1
	mkdir -p "$work"
}

# configured OPTION...: leaves its output in $work/log, its last line in $summary.
configured() {
	(cd "$work" && "$top/configure" --enable-silent-rules "$@") >"$work/log" 2>&1 </dev/null
	_status=$?
	summary=$(tail -n 1 "$work/log")
	return $_status
}

# builds WHAT OPTION...: make WHAT without a warning.
builds() {
	_what=$1
	shift
	# shellcheck disable=SC2086 # words, on purpose
	configured --enable-werror "$@" && make -C "$work" -j "$(nproc)" $_what >"$work/log" 2>&1
	_status=$?
	result "$name: it builds" $_status
	[ $_status -eq 0 ] || return
	grep 'warning:' "$work/log" >"$work/warnings"
	mv "$work/warnings" "$work/log"
	none_wrong "$name: nothing warns"
}

# has_names: those of the headers alone.
has_names() {
	top_srcdir=$top top_builddir=$work python3 "$top/tests/symbols.py" >"$work/log" 2>&1
	result "$name: the libraries have the API's names" $?
}

# --- compilers ------------------------------------------------------------------------------------

use_build lto
builds all CC=gcc "CFLAGS=-g -O2 -flto" "LDFLAGS=-flto=$(nproc)" --disable-tests && has_names

use_build lld
if command -v clang >/dev/null && command -v ld.lld >/dev/null && command -v llvm-ar >/dev/null; then
	builds libaxvcpu.la CC=clang AR=llvm-ar NM=llvm-nm RANLIB=llvm-ranlib "CFLAGS=-O2 -flto" \
		LDFLAGS=-fuse-ld=lld --disable-tests --disable-examples && has_names
else
	skip "$name" "there are no clang, ld.lld and llvm-ar"
fi

# --- musl -----------------------------------------------------------------------------------------

# Its compiler knows none of the kernel's headers, and would take others of glibc with them.
use_build musl
if command -v musl-gcc >/dev/null; then
	mkdir "$work/kernel"
	for folder in linux asm asm-generic; do
		for include in /usr/include "/usr/include/$(gcc -print-multiarch)"; do
			[ ! -d "$include/$folder" ] || ln -s "$include/$folder" "$work/kernel/"
		done
	done
	if builds libaxvcpu.la CC=musl-gcc "CPPFLAGS=-idirafter $work/kernel" --without-libcap-ng \
		--disable-tests --disable-examples && has_names; then
		musl-gcc -I "$top/include" -static -o "$work/minimal" "$top/examples/minimal.c" \
			"$top/examples/tutorial/guests-$(uname -m).S" \
			"$work/.libs/libaxvcpu.a" >"$work/log" 2>&1
		result "$name: the README's program builds" $?
		"$work/minimal" >"$work/log" 2>&1 || grep -q '^minimal: .*/dev/kvm' "$work/log"
		result "$name: it runs, or says that there is no /dev/kvm" $?
	fi
else
	skip "$name" "there is no musl-gcc (Debian: musl-tools)"
fi

# --- missing parts --------------------------------------------------------------------------------

# refuses NAME PATTERN OPTION...
refuses() {
	_name=$1
	_pattern=$2
	shift 2
	! configured "$@" && grep -q "^configure: error: $_pattern" "$work/log"
	result "$_name" $?
}

use_build nothing
refuses "without pkg-config it says so" 'pkg-config, .* is missing' CC=gcc PKG_CONFIG=
set -- "--cache-file=$work/cache" CC=gcc "PKG_CONFIG_LIBDIR=$work" PYTHON=no --disable-examples
configured "$@"
result "without libcap-ng, Check and Python it goes on" $?
grep -q '^configure: WARNING: libcap-ng is missing' "$work/log"
result "and says that libcap-ng is missing" $?
case $summary in
*'libcap-ng no'*'tests no (Check is missing'*'manual pages '[ns]*) ok "and sums it up" ;;
*) not_ok "and sums it up" "$summary" ;;
esac
refuses "--enable-tests without Check is refused" 'Check, .* is missing' "$@" --enable-tests

all_done
