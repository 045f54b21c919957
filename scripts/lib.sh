# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# What demo and check share. The one who sources it has set $top, the root of the tree.

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

# Makes configure unless it is there and newer than what it is made from.
bootstrap_tree() {
	: "${top:?}"
	if [ -e "$top/config.status" ]; then
		echo "the source tree itself is configured; run 'make distclean' there first" >&2
		return 1
	fi
	if [ ! -e "$top/configure" ] || [ ! -e "$top/Makefile.in" ] ||
		[ -n "$(find "$top/configure.ac" "$top/Makefile.am" -newer "$top/configure")" ]; then
		"$top/bootstrap"
	fi
}
