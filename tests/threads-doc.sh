#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# The table of system calls in docs/threads.md is the one that tests/test_sandbox.c holds the library to.
set -u
# shellcheck source=tests/cases.sh
. "${0%/*}/cases.sh"

: "${top_srcdir:=.}"
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

# A line "PHASE: CALLS[ malloc]" for each phase.
tr -s '\n\t ' ' ' <"$top_srcdir/tests/test_sandbox.c" |
	grep -o '{ "[a-z]*", "[a-z0-9_ ]*", \(true\|false\), act_' |
	sed 's/{ "\(.*\)", "\(.*\)", \(.*\), act_/\1: \2 \3/; s/ true$/ malloc/; s/ false$//' |
	tr -s ' ' >"$work/tested"
# shellcheck disable=SC2016 # backquotes of the page
awk '/^\| phase \| / { table = 1; getline; next } table && !/^\|/ { exit } table' \
	"$top_srcdir/docs/threads.md" |
	awk -F ' *[|] *' '{ print $2 ": " $4 ($5 == "yes" ? " malloc" : "") }' |
	sed 's/`//g; s/: none/: /' | tr -s ' ' >"$work/written"

: >"$work/log"
[ "$(wc -l <"$work/tested")" -ge 11 ] || cp "$work/tested" "$work/log"
none_wrong "the test has phases"

diff "$work/tested" "$work/written" >"$work/log"
none_wrong "the page has the system calls of each phase that are tested"

all_done
