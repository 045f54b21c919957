#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# Installs into a separate directory and uses the installed files, as another project would:
# with pkg-config and a compiler, and nothing of this tree except sources of programs.
set -u
# shellcheck source=tests/cases.sh
. "${0%/*}/cases.sh"

: "${top_srcdir:=.}" "${top_builddir:=.}" "${CC:=cc}" "${CXX:=}" "${PKG_CONFIG:=pkg-config}"
: "${NM:=nm}" "${READELF:=readelf}" "${MAKE:=make}" "${EXAMPLES:=yes}" "${VERSION:=}"
case $top_srcdir in
/*) ;;
*) top_srcdir=$PWD/$top_srcdir ;;
esac
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
root=$work/root

# check NAME COMMAND...
check() {
	check_name=$1
	shift
	"$@" >"$work/log" 2>&1
	result "$check_name" $?
}

# --- install -------------------------------------------------------------------------------------

# Not a part of the make that may have started this: no job server, no flags.
unset MAKEFLAGS MFLAGS MAKELEVEL DESTDIR
check "make install" "$MAKE" -C "$top_builddir" install "DESTDIR=$root"
[ "$failed" -eq 0 ] || all_done

pc=$(find "$root" -name axvcpu.pc)
so=$(find "$root" -name libaxvcpu.so)
if [ -z "$pc" ]; then
	not_ok "axvcpu.pc is installed" "there is none"
	all_done
fi
libdir=$(dirname "$(dirname "$pc")")

for header in "$top_srcdir"/include/axvcpu/*.h; do
	find "$root" -path "*/include/axvcpu/${header##*/}" | grep -q . || echo "${header##*/}"
done >"$work/log"
none_wrong "all headers are installed"

PKG_CONFIG_PATH=$(dirname "$pc")
PKG_CONFIG_SYSROOT_DIR=$root
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
# pkg-config leaves out the compilers' default directories; they do not look into our root.
PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1
PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS PKG_CONFIG_ALLOW_SYSTEM_LIBS

have_pkg_config=no
if command -v "$PKG_CONFIG" >/dev/null; then
	have_pkg_config=yes
	cflags=$("$PKG_CONFIG" --cflags axvcpu 2>"$work/log") &&
		libs=$("$PKG_CONFIG" --libs axvcpu 2>"$work/log")
	result "pkg-config knows axvcpu" $?
	static_libs=$("$PKG_CONFIG" --static --libs axvcpu)
	check "pkg-config needs no other package's file" \
		env PKG_CONFIG_LIBDIR="$PKG_CONFIG_PATH" "$PKG_CONFIG" --static --cflags --libs axvcpu
	if [ -n "$VERSION" ]; then
		check "pkg-config says version $VERSION" \
			test "$("$PKG_CONFIG" --modversion axvcpu)" = "$VERSION"
	fi
else
	skip consumers "there is no pkg-config"
fi

# shellcheck disable=SC2317 # check calls it
no_rpath() {
	! grep -E 'RPATH|RUNPATH' "$work/dynamic"
}

# --- the shared library --------------------------------------------------------------------------

if [ -n "$so" ]; then
	"$READELF" -d "$so" >"$work/dynamic"
	soname=$(sed -n 's/.*(SONAME).*\[\(.*\)\].*/\1/p' "$work/dynamic")
	check "the soname is libaxvcpu.so.N" expr "x$soname" : 'xlibaxvcpu\.so\.[0-9][0-9]*$'
	check "the soname is installed" test -e "$libdir/$soname"
	check "no library is looked for in a build directory" no_rpath
fi

# --- consumers -----------------------------------------------------------------------------------

# Both languages; says why when there is no KVM, which is no failure of the installation.
cat >"$work/consumer.c" <<'END'
#include <axvcpu/axvcpu.h>

#include <stdio.h>
#include <string.h>

int main(void)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm *vm = NULL;
	int ret = axvm_new(&config, &vm);

	if (ret < 0) {
		printf("no KVM: %s\n", axvcpu_last_error());
		return strcmp(axvcpu_error_name(ret), "ENODEV") &&
		       strcmp(axvcpu_error_name(ret), "EACCES");
	}
	printf("KVM works\n");
	return axvm_free(vm) != 0;
}
END
cp "$work/consumer.c" "$work/consumer.cc"

# own_names: a program with variables by all names that the library's objects share, the API's aside, and
# by some that any program may have.
own_names() {
	cat "$work/consumer.c"
	printf '#include <pthread.h>\npthread_t thread;\nint memory_init;\n'
	# NM: libtool finds "nm -B".
	# shellcheck disable=SC2086
	$NM -g --defined-only "$top_builddir/.libs/libaxvcpu-base.a" \
		"$top_builddir"/lib/libaxvcpu_la-*.o |
		sed -n 's/^[0-9a-f]* [A-Z] //p' | sort -u |
		grep -vxF -e thread -e memory_init \
			-e "$(sed -n 's/^[[:space:]]*\([a-z0-9_]*\);$/\1/p' "$top_srcdir/lib/libaxvcpu.map")" |
		sed 's/.*/int &;/'
}

# consume NAME COMPILER SOURCE LIBS: compiles, links, runs. Leaves its output in $work/out.
consume() {
	# shellcheck disable=SC2086 # words, on purpose
	$2 $cflags -o "$work/program" "$3" $4 >"$work/log" 2>&1 &&
		LD_LIBRARY_PATH=$libdir "$work/program" >"$work/out" 2>>"$work/log"
	result "$1" $?
}

# needs_library NAME yes|no: whether the latest program loads the shared library.
needs_library() {
	found=no
	"$READELF" -d "$work/program" | grep -q 'NEEDED.*libaxvcpu' && found=yes
	check "$1" test "$found" = "$2"
}

if [ $have_pkg_config = yes ]; then
	kvm=no
	if [ -n "$so" ]; then
		consume "a C program with the shared library" "$CC" "$work/consumer.c" "$libs"
		needs_library "it loads the shared library" yes
		grep -q '^KVM works$' "$work/out" && kvm=yes
		if [ -n "$CXX" ] && command -v "${CXX%% *}" >/dev/null; then
			consume "a C++ program with the shared library" "$CXX" "$work/consumer.cc" \
				"$libs"
		else
			skip "a C++ program" "there is no C++ compiler"
		fi
		tutorial=$(find "$root" -path '*/tutorial/start.h' -exec dirname {} +)
		guests=$tutorial/guests-$(uname -m).S
		if [ "$EXAMPLES" = yes ]; then
			for program in "$tutorial"/*.c; do
				# A guest is no program for this system.
				[ "${program##*/}" != lines.c ] || continue
				# shellcheck disable=SC2086 # words, on purpose
				check "the tutorial's ${program##*/} is installed and compiles" \
					$CC $cflags -o "$work/program" "$program" "$guests" $libs
			done
			if [ $kvm = yes ]; then
				consume "the README's example" "$CC" \
					"$top_srcdir/examples/minimal.c" "$guests $libs"
				check "it says Hi" grep -q '^Hi$' "$work/out"
			else
				skip "the README's example" "$(cat "$work/out")"
			fi
		fi
	fi
	if [ -e "$libdir/libaxvcpu.a" ]; then
		static_libs=$(echo "$static_libs" | sed 's/-laxvcpu/-l:libaxvcpu.a/')
		consume "a C program with the static library" "$CC" "$work/consumer.c" \
			"$static_libs"
		needs_library "it needs no shared library" no
		own_names >"$work/names.c"
		check "the library has internal names" test "$(grep -c '^int' "$work/names.c")" -gt 50
		consume "a C program with variables of these names" "$CC" \
			"$work/names.c" "$static_libs"
		if [ -n "$CXX" ] && command -v "${CXX%% *}" >/dev/null; then
			consume "a C++ program with the static library" "$CXX" \
				"$work/consumer.cc" "$static_libs"
		fi
	fi
fi

# --- the manual ----------------------------------------------------------------------------------

pages=$top_builddir/docs/man/pages
[ -d "$pages" ] || pages=$top_srcdir/docs/man/pages
if [ -d "$pages" ]; then
	sections='man3 man7'
	[ "$EXAMPLES" = no ] || sections="man1 $sections"
	page=$(find "$root" -path '*/man3/axvm_new.3')
	man=$(dirname "$(dirname "$page")")
	for section in $sections; do
		diff -r "$pages/$section" "$man/$section" 2>&1
	done >"$work/log"
	none_wrong "the manual pages are installed"
	html=$(dirname "$(find "$root" -path '*/doc/*/html/index.html')")
	check "the manual is installed as HTML" diff -r "$pages/html" "$html"
	if command -v man >/dev/null; then
		check "man finds a function, a type and the overview" \
			man -M "$man" -w axvm_new axvm_config axvcpu
	else
		skip "man finds the manual" "there is no man"
	fi
else
	skip "the manual is installed" "there is none: Python 3 was missing"
fi

# --- the programs and the guests -----------------------------------------------------------------

if [ "$EXAMPLES" = yes ]; then
	axrun=$(find "$root" -path '*/bin/axrun')
	check "axrun is installed and runs" env "LD_LIBRARY_PATH=$libdir" "$axrun" --version
	info=$(find "$root" -path '*/bin/axvcpu-info')
	check "axvcpu-info is installed and runs" env "LD_LIBRARY_PATH=$libdir" "$info" --version
	find "$root" -path '*/libexec/axvcpu/guests/hello' >"$work/guests"
	check "guests are installed" test -s "$work/guests"
	guests=$(dirname "$(cat "$work/guests")")
	check "axrun knows where" sh -c \
		"LD_LIBRARY_PATH='$libdir' '$axrun' --help | grep -F '${guests#"$root"}'"
	check "axrun lists them" sh -c "LD_LIBRARY_PATH='$libdir' AXRUN_GUESTS='$guests' '$axrun' --list |
		grep '^hello '"
fi

# --- and out again -------------------------------------------------------------------------------

check "make uninstall" "$MAKE" -C "$top_builddir" uninstall "DESTDIR=$root"
find "$root" ! -type d >"$work/log"
none_wrong "nothing is left"

all_done
