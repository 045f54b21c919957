# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# Shared by the scripts. The script that sources it has set $top, the root of the tree.

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# Each script defines usage(). help: its text was asked for.
help() {
	usage
	exit 0
}

# misused: wrong options or arguments.
misused() {
	usage >&2
	exit 2
}

# long_option NAME: for getopts with "-:" among its options, which makes NAME of --NAME.
long_option() {
	[ "$1" = help ] || misused
	help
}

# no_options ARG...: for a script that has none except --help.
no_options() {
	case $*:$# in
	:0) ;;
	-h:1 | --help:1) help ;;
	*) misused ;;
	esac
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

# spin: about half a second of a processor's time.
spin() {
	_n=0
	while [ $_n -lt 400000 ]; do
		_n=$((_n + 1))
	done
}

uptime_centiseconds() {
	sed 's/ .*//; s/\.//; s/^0*\(.\)/\1/' /proc/uptime
}

# machine_patience: by how much limits must be longer on this machine now: 1 where all processors, used at
# the same time, are idle and not slow, at most 20.
machine_patience() {
	_begin=$(uptime_centiseconds)
	_cpus=$(nproc)
	while [ "$_cpus" -gt 0 ]; do
		_cpus=$((_cpus - 1))
		spin &
	done
	wait
	_patience=$((($(uptime_centiseconds) - _begin) / 50))
	if [ $_patience -lt 1 ]; then
		_patience=1
	elif [ $_patience -gt 20 ]; then
		_patience=20
	fi
	echo $_patience
}

# measure_patience: exports AXVCPU_TEST_PATIENCE, with which tests and scripts multiply their limits, unless
# it is set.
measure_patience() {
	: "${AXVCPU_TEST_PATIENCE:=$(machine_patience)}"
	case $AXVCPU_TEST_PATIENCE in
	*[!0-9]* | 0*) die "AXVCPU_TEST_PATIENCE: '$AXVCPU_TEST_PATIENCE' is not a positive number" ;;
	esac
	export AXVCPU_TEST_PATIENCE
}

# show_failure LOG: of a test that has failed: its cases that did, if it says so, and its end.
show_failure() {
	grep -a -A 24 '^not ok ' "$1" | head -n 100
	tail -n 40 "$1"
}

# Where downloads are kept: below build/, or in a directory that several trees share.
# shellcheck disable=SC2034 # for the scripts that source this
cache=${AXVCPU_CACHE:-${top:-.}/build/nested}

# architectures: their names in one line.
architectures() {
	for _file in "${top:?}"/tests/nested/*.toml; do
		basename "$_file" .toml
	done | tr '\n' ' '
}

# host_architecture: the architecture of this machine, by its name in this tree.
host_architecture() {
	case $(uname -m) in
	aarch64) echo arm64 ;;
	*) uname -m ;;
	esac
}

# The shell for configure and libtool: by default they use bash where Debian's sh does not count
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
		[ -n "$(find "$top" -path "$top/build" -prune -o '(' -name configure.ac -o -name Makefile.am \
			-o -name local.mk ')' -newer "$top/configure" -print)" ]; then
		"$top/bootstrap"
	fi
}

# Makes configure unless it exists and is newer than its sources. A second process finds it made.
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
