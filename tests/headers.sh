#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# Each installed header compiles alone, in C and in C++, with every warning an error.
set -u
# shellcheck source=tests/cases.sh
. "${0%/*}/cases.sh"

: "${top_srcdir:=.}" "${CC:=cc}" "${CXX:=}"
include=$top_srcdir/include
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

# The flags that DEVELOPERS of a library with these headers may use, and the dialects.
warnings="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wundef -Wformat=2 -Werror"
# CC may be a command with flags.
c="$CC -std=c11 -pedantic -pedantic-errors $warnings -Wmissing-prototypes -Wstrict-prototypes"
cxx="$CXX -x c++ -std=c++17 -pedantic-errors $warnings"

# c_compiles NAME SOURCE [FLAG...]
c_compiles() {
	c_name=$1
	c_source=$2
	shift 2
	# shellcheck disable=SC2086 # words, on purpose
	$c "$@" "-I$include" -fsyntax-only "$c_source" >"$work/log" 2>&1
	result "$c_name" $?
}

cxx_compiles() {
	cxx_name=$1
	cxx_source=$2
	shift 2
	# shellcheck disable=SC2086
	$cxx "$@" "-I$include" -fsyntax-only "$cxx_source" >"$work/log" 2>&1
	result "$cxx_name" $?
}

have_cxx=no
echo 'int main() { return 0; }' >"$work/probe.c"
# shellcheck disable=SC2086
if [ -n "$CXX" ] && $cxx -fsyntax-only "$work/probe.c" >/dev/null 2>&1; then
	have_cxx=yes
fi

# --- each by itself, twice -----------------------------------------------------------------------

for header in "$include"/axvcpu/*.h; do
	name=${header##*/}
	# ISO C wants a declaration, and not every header has one.
	printf '#include <axvcpu/%s>\n#include <axvcpu/%s>\nextern int alone;\n' \
		"$name" "$name" >"$work/alone.c"
	c_compiles "$name as C11" "$work/alone.c"
	c_compiles "$name as C11 with _GNU_SOURCE" "$work/alone.c" -D_GNU_SOURCE
	if [ $have_cxx = yes ]; then
		# g++ defines _GNU_SOURCE by itself.
		cxx_compiles "$name as C++17" "$work/alone.c" -U_GNU_SOURCE
		cxx_compiles "$name as C++17 with _GNU_SOURCE" "$work/alone.c"
	fi
done

# --- in use: every INIT macro and every inline function ------------------------------------------

cat >"$work/use.c" <<'END'
#include <axvcpu/axvcpu.h>

int use(struct axvcpu *vcpu);

int use(struct axvcpu *vcpu)
{
	struct axvm_config vm = AXVM_CONFIG_INIT;
	struct axvm_limits limits = AXVM_LIMITS_INIT;
	struct axvm_region region = AXVM_REGION_INIT;
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;
	struct axvcpu_setup_config setup = AXVCPU_SETUP_CONFIG_INIT;
	struct axvcpu_x86_setup x86 = AXVCPU_X86_SETUP_INIT;
	struct axvcpu_hal hal = AXVCPU_HAL_INIT;
	struct axvcpu_privileges privileges = AXVCPU_PRIVILEGES_INIT;
	struct axpercpu percpu = AXPERCPU_INIT;
	int ret = 0;

	ret |= vm.size != sizeof(vm) || vm.arch;
	ret |= limits.size != sizeof(limits) || limits.regions;
	ret |= region.size != sizeof(region) || region.hva;
	ret |= config.size != sizeof(config) || config.flags;
	ret |= setup.size != sizeof(setup) || setup.stack;
	ret |= x86.size != sizeof(x86) || x86.ncpuid;
	ret |= hal.size != sizeof(hal) || hal.log;
	ret |= privileges.size != sizeof(privileges) || privileges.keep;
	ret |= percpu.size != sizeof(percpu) || percpu.initialised;
	ret |= axvcpu_complete_value(vcpu, AXVCPU_REG_GPR(1));
	ret |= axvcpu_complete_pair(vcpu, 1, AXVCPU_REG_PC);
	ret |= axvcpu_complete_bytes(vcpu, "", 1);
	ret |= axvcpu_complete_fault(vcpu);
	return ret;
}
END
c_compiles "the INIT macros and the inline functions as C11" "$work/use.c"
if [ $have_cxx = yes ]; then
	cxx_compiles "the INIT macros and the inline functions as C++17" "$work/use.c"
else
	skip "headers as C++" "there is no C++ compiler"
fi

# --- and all there are ---------------------------------------------------------------------------

for header in "$include"/axvcpu/*.h; do
	name=${header##*/}
	case $name in axvcpu.h | crate.h) continue ;; esac
	grep -q "^#include <axvcpu/$name>" "$include/axvcpu/axvcpu.h" || echo "$name"
done >"$work/log"
grep crate.h "$include/axvcpu/axvcpu.h" | grep '#include' >>"$work/log"
none_wrong "axvcpu.h includes all others except crate.h"

all_done
