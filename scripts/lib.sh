# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# Shared by demo, debian and check. The one who sources it has set $top, the root of the tree.

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# quoted WORD...: as shell source.
quoted() {
	for _word in "$@"; do
		printf "'%s' " "$(printf '%s\n' "$_word" | sed "s/'/'\\\\''/g")"
	done
	echo
}

# logged LOG COMMAND...: runs it quietly; shows the end of the log if it fails.
logged() {
	_log=$1
	shift
	mkdir -p "$(dirname "$_log")"
	if "$@" >"$_log" 2>&1 </dev/null; then
		return 0
	fi
	printf -- '--- the end of %s\n' "$_log"
	tail -n 40 "$_log"
	printf -- '---\n'
	return 1
}

# show_failure LOG: of a test that has failed: its cases that did, if it says so, and its end.
show_failure() {
	grep -a -A 24 '^not ok ' "$1" | head -n 100
	tail -n 40 "$1"
}

# What configure and libtool run under: by themselves they take bash where Debian's sh does not count
# lines, and that needs half as much time again.
: "${CONFIG_SHELL:=/bin/sh}"
export CONFIG_SHELL

# locked FILE COMMAND...: as the only one that has locked this file, where there is flock.
locked() (
	exec 8>>"$1"
	if command -v flock >/dev/null && ! flock -n 8; then
		echo "waiting for another one who has locked $1"
		flock 8
	fi
	shift
	"$@"
)

bootstrap_if_stale() {
	: "${top:?}"
	if [ ! -e "$top/configure" ] || [ ! -e "$top/Makefile.in" ] ||
		[ -n "$(find "$top/configure.ac" "$top/Makefile.am" -newer "$top/configure")" ]; then
		"$top/bootstrap"
	fi
}

# Makes configure unless it is there and newer than what it is made from. Who comes second finds it made.
bootstrap_tree() {
	if [ -e "$top/config.status" ]; then
		echo "the source tree itself is configured; run 'make distclean' there first" >&2
		return 1
	fi
	locked "$top/configure.ac" bootstrap_if_stale
}

# configure_and_build DIR [TARGET]: in an if, where set -e is off.
configure_and_build() {
	if [ ! -e "$1/config.status" ]; then
		(cd "$1" && "$top/configure" --disable-tests --disable-shared --enable-silent-rules) || return
	fi
	make -C "$1" -j "$(nproc)" "${2:-all}"
}

# step LOG WHAT COMMAND...
step() {
	echo "== $2"
	_step_log=$1
	shift 2
	logged "$_step_log" "$@" || die "that failed"
}

# build_examples DIR [TARGET]: for this machine: the library, axrun, the guests and the examples, or only
# that target of make.
build_examples() {
	mkdir -p "$1"
	echo "== dependencies"
	"$top/scripts/install-deps" build
	step "$1.log" "bootstrap" bootstrap_tree
	step "$1.log" "configure and make ${2-}${2:+, }in ${1#"$top"/}" configure_and_build "$@"
}

# kvm_speed: prints "fast", "slow" if this machine's KVM interprets guest code, or "none" if it is not
# usable; on stderr the reason, if it is not fast. By axvcpu-info, which is built for that. Tests name
# another program by AXVCPU_INFO.
kvm_speed() {
	if [ -z "${AXVCPU_INFO-}" ]; then
		AXVCPU_INFO=$top/build/demo/examples/axvcpu-info/axvcpu-info
		build_examples "$top/build/demo" examples/axvcpu-info/axvcpu-info >&2
	fi
	# The status says again whether it is usable.
	_speed=$("$AXVCPU_INFO" --kvm-speed) || true
	case $_speed in
	fast | slow | none) echo "$_speed" ;;
	*) die "$AXVCPU_INFO --kvm-speed: no answer" ;;
	esac
}
