# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# What tests that are scripts share: each case prints "ok NAME", "not ok NAME: WHY" or "skip NAME: WHY",
# and the script ends by all_done. $work is its own folder.
cases=0
failed=0

ok() {
	cases=$((cases + 1))
	echo "ok $1"
}

# What not_ok shows; a script that has more to show defines its own.
evidence() {
	tail -n 30 "$work/log"
}

not_ok() {
	cases=$((cases + 1))
	failed=$((failed + 1))
	echo "not ok $1: $2"
	evidence | sed 's/^/   /'
}

# skip NAME WHY: what cannot be tried here, and counts as nothing.
skip() {
	echo "skip $1: $2"
}

# result NAME STATUS: of a command that has put what it says into $work/log.
result() {
	if [ "$2" -eq 0 ]; then
		ok "$1"
	else
		not_ok "$1" "status $2"
	fi
}

# none_wrong NAME: $work/log is empty, or has a line for each that is.
none_wrong() {
	if [ -s "$work/log" ]; then
		not_ok "$1" "these are wrong"
	else
		ok "$1"
	fi
}

all_done() {
	echo "$cases cases, $failed failed"
	[ "$failed" -eq 0 ]
	exit
}
