#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# What configure chose as flags is in what was built: the library and axrun are hardened as far as the
# compiler can and the user's flags do not say otherwise, guests are not, and --enable-werror stops at a
# warning of the assembler.
set -u
# shellcheck source=tests/cases.sh
. "${0%/*}/cases.sh"

: "${top_srcdir:=.}" "${top_builddir:=.}" "${CC:=cc}" "${NM:=nm}" "${READELF:=readelf}"
: "${WARN_FLAGS:=}" "${HARDEN:=}" "${USER_FLAGS:=}"
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

# What is linked and is not libtool's script.
linked=
for file in "$top_builddir/.libs/libaxvcpu.so" "$top_builddir/examples/axrun/.libs/axrun" \
	"$top_builddir/examples/axrun/axrun"; do
	if "$READELF" -h "$file" >/dev/null 2>&1; then
		linked="$linked $file"
	fi
done
objects=$(find "$top_builddir/lib" "$top_builddir/backends" -name '*.o')
guests=$(find "$top_builddir/examples/guests" -maxdepth 1 -type f ! -name '*.*' 2>/dev/null)

# chosen NAME FLAG [WORD...]: whether configure chose this flag, and the user's have none of these words.
chosen() {
	chosen_name=$1
	case $HARDEN in
	*"$2"*) ;;
	*)
		skip "$chosen_name" "configure did not choose $2"
		return 1
		;;
	esac
	shift 2
	for word in "$@"; do
		case $USER_FLAGS in
		*"$word"*)
			skip "$chosen_name" "the user's flags have $word"
			return 1
			;;
		esac
	done
}

# each WHAT FILE...: WHAT, a command, is true of each file; else names it in $work/log.
each() {
	each_what=$1
	shift
	[ $# -ne 0 ] || echo "there are no files"
	for file in "$@"; do
		$each_what "$file" || echo "$file"
	done
}

# shellcheck disable=SC2317 # each calls these
{
	relro() { "$READELF" -lW "$1" | grep -q GNU_RELRO; }
	now() { "$READELF" -dW "$1" | grep -qE 'BIND_NOW|Flags:.* NOW'; }
	# NM: libtool finds "nm -B".
	# shellcheck disable=SC2086
	protected() { $NM -D "$1" | grep -q ' U __stack_chk_fail'; }
	# shellcheck disable=SC2086
	fortified() { $NM -D "$1" | grep -q ' U __.*_chk'; }
	branches() { "$READELF" -nW "$1" | grep -qE 'x86 feature:.*IBT|AArch64 feature:.*BTI'; }
	plain() { ! branches "$1" && ! $NM "$1" | grep -qE '__stack_chk|__.*_chk$'; }
}

# shellcheck disable=SC2086 # lists
{
	name="relocations are read-only, and done at the start"
	if chosen "$name" -z,relro norelro -z,lazy; then
		{ each relro $linked && each now $linked; } >"$work/log"
		none_wrong "$name"
	fi

	name="stacks are protected"
	if chosen "$name" -fstack-protector-strong -fno-stack-protector; then
		each protected $linked >"$work/log"
		none_wrong "$name"
	fi

	name="libc's functions are checked where it optimizes"
	if ! echo __OPTIMIZE__ | $CC $USER_FLAGS -E -P -x c - | grep -q 1; then
		skip "$name" "it does not optimize"
	elif chosen "$name" fortify.h _FORTIFY_SOURCE; then
		each fortified $linked >"$work/log"
		none_wrong "$name"
	fi

	name="indirect branches are protected"
	if chosen "$name" -protection -protection=; then
		each branches $objects >"$work/log"
		none_wrong "$name"
	fi

	name="guests are not hardened"
	if [ -n "$guests" ]; then
		each plain $guests >"$work/log"
		none_wrong "$name"
	else
		skip "$name" "there are none (--disable-examples)"
	fi
}

# --- warnings -------------------------------------------------------------------------------------

name="a warning of the assembler is an error"
case " $WARN_FLAGS " in
*' -Werror '*)
	printf '\t.warning "this"\n' >"$work/warns.S"
	# shellcheck disable=SC2086
	! $CC $WARN_FLAGS -c -o "$work/warns.o" "$work/warns.S" >"$work/log" 2>&1
	result "$name" $?
	;;
*) skip "$name" "configure was not told --enable-werror" ;;
esac

all_done
