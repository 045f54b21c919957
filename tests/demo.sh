#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# scripts/demo: which part runs where, with programs in place of axvcpu-info that answer fast, slow and
# none; and that the plan is what runs, in a copy of the tree where each part only notes that it did.
set -u

: "${top_srcdir:=.}"
top_srcdir=$(cd "$top_srcdir" && pwd)
# shellcheck source=tests/cases.sh
. "$top_srcdir/tests/cases.sh"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
unset AXVCPU_INFO AXVCPU_KVM_MIPS AXVCPU_CACHE
status=0

case $(uname -m) in
aarch64) here=arm64 ;;
*) here=$(uname -m) ;;
esac
others=
for arch in arm64 riscv64 x86_64; do
	[ $arch = "$here" ] || others="$others $arch"
done
# shellcheck disable=SC2086 # a list
emulated=$(printf 'emulated %s guest+linux\n' $others)

# --- programs replaced by others ------------------------------------------------------------------

# program FILE: executable, with stdin as its text.
program() {
	mkdir -p "${1%/*}"
	{
		printf '#!/bin/sh\n'
		cat
	} >"$1"
	chmod 755 "$1"
}

for speed in fast slow none; do
	usable=0
	[ $speed != none ] || usable=1
	program "$work/bin/$speed" <<-END
		[ "\$*" = --kvm-speed ] || exit 2
		echo "the reason for $speed" >&2
		echo $speed
		exit $usable
	END
done
program "$work/bin/silent" <<-END
	exit 1
END

tree=$work/tree
mkdir -p "$tree/scripts" "$tree/tests/nested"
cp "$top_srcdir/scripts/demo" "$top_srcdir/scripts/lib.sh" "$tree/scripts"
cp "$top_srcdir"/tests/nested/*.toml "$tree/tests/nested"
: >"$tree/configure.ac"
: >"$tree/Makefile.am"
: >"$tree/Makefile.in"
program "$tree/configure" <<-END
	: >config.status
	mkdir -p examples/guests
	printf '%s\n' 'all:' 'examples/axvcpu-info/axvcpu-info:' \
		'	mkdir -p examples/axvcpu-info && cp $work/bin/none \$@' >Makefile
END
# Says which packages are missing, if $lacking has the set; only root can install them.
program "$tree/scripts/install-deps" <<-END
	for set in "\$@"; do
		case " \$lacking " in
		*" \$set "*)
			echo "install-deps: this needs root: \$set" >&2
			exit 1
			;;
		esac
	done
END
for script in debian show; do
	program "$tree/scripts/$script" <<-END
		echo "$script \$*" >>$work/calls
	END
done
# The architecture, and those of the commands for its machine.
program "$tree/scripts/nested" <<-END
	while [ "\${1#-}" != "\$1" ]; do
		case \$1 in -t | -f) shift ;; esac
		shift
	done
	commands=
	for word in show hello boot-debian; do
		case \$4 in *\$word*) commands="\$commands \$word" ;; esac
	done
	echo "nested \$1:\$commands" >>$work/calls
	# All that reads has to leave the plan to the demo.
	cat >/dev/null
	[ "\$1" != "\${failing-}" ] || exit 3
END

# demo ARG...: leaves $status, $work/out and $work/err.
demo() {
	: >"$work/calls"
	(cd "$work" && "$tree/scripts/demo" "$@") </dev/null >"$work/out" 2>"$work/err"
	status=$?
}

evidence() {
	echo "status: $status"
	sed 's/^/stdout: /' "$work/out"
	sed 's/^/stderr: /' "$work/err"
	sed 's/^/ran: /' "$work/calls"
}

# is NAME FILE TEXT: the file is that text, after status 0.
is() {
	if [ "$status" -ne 0 ]; then
		not_ok "$1" "status $status"
	elif [ "$(cat "$2")" != "$3" ]; then
		not_ok "$1" "not: $3"
	else
		ok "$1"
	fi
}

# says NAME FILE PATTERN
says() {
	grep -q -e "$3" "$2"
	result "$1" $?
}

# --- the command line -----------------------------------------------------------------------------

: >"$work/calls"
demo --help
says "--help" "$work/out" '^usage: scripts/demo'
demo --no-such
if [ "$status" -eq 2 ] && [ ! -s "$work/out" ] && [ ! -s "$work/calls" ]; then
	ok "an unknown option"
else
	not_ok "an unknown option" "not refused"
fi

# --- the plan -------------------------------------------------------------------------------------

# plan SPEED: the plan without its comments.
plan() {
	AXVCPU_INFO=$work/bin/$1
	export AXVCPU_INFO
	demo --dry-run
	grep -E '^(native|emulated) ' "$work/out" >"$work/plan"
}

plan fast
is "the plan where KVM is fast" "$work/out" "native $here guests
native $here linux
$emulated"
plan slow
is "the plan where KVM is slow" "$work/plan" "native $here guests
emulated $here linux
$emulated"
says "slow: why" "$work/err" '^the reason for slow$'
says "slow: what follows" "$work/out" "^So Debian's kernel runs in an emulated machine"
plan none
is "the plan where KVM is not usable" "$work/plan" "emulated $here guests+linux
$emulated"
says "none: why" "$work/err" '^the reason for none$'
says "none: what follows" "$work/out" '^So the guests run on KVM in an emulated machine'
if [ ! -s "$work/calls" ] && [ ! -e "$tree/build" ]; then
	ok "a plan runs and builds nothing"
else
	not_ok "a plan runs and builds nothing" "it does"
fi
plan silent
if [ "$status" -eq 1 ] && grep -q 'no answer$' "$work/err" && [ ! -s "$work/out" ]; then
	ok "no plan without an answer"
else
	not_ok "no plan without an answer" "there is one"
fi

# --- steps run ------------------------------------------------------------------------------------

# shellcheck disable=SC2086 # a list
ran=$(printf 'nested %s: hello boot-debian\n' $others)

AXVCPU_INFO=$work/bin/fast
demo
is "fast: all of this machine's is native" "$work/calls" "show 
debian 
$ran"
AXVCPU_INFO=$work/bin/slow
demo
is "slow: the guests are native, Linux is not" "$work/calls" "show 
nested $here: boot-debian
$ran"
AXVCPU_INFO=$work/bin/none
demo
is "none: nothing is native" "$work/calls" "nested $here: show boot-debian
$ran"
unset AXVCPU_INFO
demo
is "without AXVCPU_INFO axvcpu-info is built" "$work/calls" "nested $here: show boot-debian
$ran"

# --- failures -------------------------------------------------------------------------------------

AXVCPU_INFO=$work/bin/fast
failing=arm64
[ "$here" != arm64 ] || failing=riscv64
export AXVCPU_INFO failing
demo
if [ "$status" -eq 1 ] && [ "$(wc -l <"$work/calls")" -eq 3 ]; then
	says "a failing part ends the demo" "$work/err" "^demo: $failing: status 3\$"
else
	not_ok "a failing part ends the demo" "it went on"
fi
unset failing

# --- missing parts --------------------------------------------------------------------------------

# lacking SET SPEED STATUS CALLS: install-deps cannot install that set.
lacking() {
	lacking=$1
	AXVCPU_INFO=$work/bin/$2
	export lacking AXVCPU_INFO
	demo
	if [ "$status" -ne "$3" ]; then
		not_ok "$2, without $1" "not status $3"
	elif [ "$(cat "$work/calls")" != "$4" ]; then
		not_ok "$2, without $1" "something else ran"
	else
		says "$2, without $1" "$work/err" "^install-deps: this needs root: $1\$"
	fi
	unset lacking
}
lacking=build
export lacking
unset AXVCPU_INFO
demo
if [ "$status" -eq 1 ] && [ ! -s "$work/calls" ] && [ ! -s "$work/out" ]; then
	says "without build nothing can be asked" "$work/err" "^install-deps: this needs root: build\$"
else
	not_ok "without build nothing can be asked" "it went on"
fi
lacking build fast 1 ""
lacking build none 1 ""
lacking nested fast 0 "show "
says "fast, without nested: the rest is not shown" "$work/out" "are not shown: that takes these packages"
lacking nested slow 0 "show "
lacking nested none 1 ""
lacking cross none 0 "nested $here: show boot-debian"
lacking cross fast 0 "show 
debian "

all_done
