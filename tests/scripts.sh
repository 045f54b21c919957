#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# All scripts that a person may start answer alike: -h and --help print the usage to stdout and succeed;
# an option that they do not know prints it to stderr, with status 2.
set -u
# shellcheck source=tests/cases.sh
. "${0%/*}/cases.sh"

: "${top_srcdir:=.}"
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

# answers SCRIPT ARGUMENT: leaves $status, $work/out and $work/err.
answers() {
	"$top_srcdir/$1" "$2" </dev/null >"$work/out" 2>"$work/err"
	status=$?
	cat "$work/out" "$work/err" >"$work/log"
}

for script in "$top_srcdir"/scripts/* "$top_srcdir"/bench/*; do
	# Not the sources of programs, and not sourced files.
	head -n 1 "$script" | grep -qE '^#!.*(sh|python3)$' || continue
	name=${script#"$top_srcdir"/}
	if head -n 1 "$script" | grep -q 'python3$' && ! command -v python3 >/dev/null; then
		skip "$name" "there is no python3"
		continue
	fi
	for option in --help -h; do
		answers "$name" $option
		if [ "$status" -eq 0 ] && head -n 1 "$work/out" | grep -qE "^usage: $name( |\$)" &&
			grep -qE -e '^ +--help +[a-z]' "$work/out" && ! [ -s "$work/err" ]; then
			ok "$name $option"
		else
			not_ok "$name $option" "status $status, or no usage on stdout"
		fi
	done
	answers "$name" --no-such-option
	if [ "$status" -eq 2 ] && grep -qE "^usage: $name( |\$)" "$work/err" && ! [ -s "$work/out" ]; then
		ok "$name: an unknown option"
	else
		not_ok "$name: an unknown option" "status $status, or no usage on stderr"
	fi
done

all_done
