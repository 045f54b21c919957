# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# Shared by the tests that are scripts. They write TAP: a line "ok N - NAME", "ok N - NAME # SKIP WHY" or
# "not ok N - NAME" for each case. A script ends with all_done or skip_all. $work is its temporary folder.
cases=0
failed=0

ok() {
	cases=$((cases + 1))
	echo "ok $cases - $1"
}

# Prints details that explain a failure; a script that has more to show defines its own.
evidence() {
	tail -n 30 "$work/log"
}

# not_ok NAME WHY
not_ok() {
	cases=$((cases + 1))
	failed=$((failed + 1))
	echo "not ok $cases - $1"
	{
		echo "$2"
		evidence
	} | sed 's/^/# /'
}

# skip NAME WHY: the case cannot run here.
skip() {
	ok "$1 # SKIP $2"
}

# skip_all WHY: no case can run here.
skip_all() {
	echo "1..0 # SKIP $1"
	exit
}

# result NAME STATUS: of a command whose output is in $work/log.
result() {
	if [ "$2" -eq 0 ]; then
		ok "$1"
	else
		not_ok "$1" "status $2"
	fi
}

# none_wrong NAME: $work/log has a line for each mistake.
none_wrong() {
	if [ -s "$work/log" ]; then
		not_ok "$1" "these are wrong"
	else
		ok "$1"
	fi
}

all_done() {
	echo "1..$cases"
	[ "$failed" -eq 0 ]
	exit
}
