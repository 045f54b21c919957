#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# docs/exits.md has a row for every kind of exit, and the tests that it names exist.
set -u

: "${top_srcdir:=.}"
header=$top_srcdir/include/axvcpu/exit.h
page=$top_srcdir/docs/exits.md
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
failed=0

# check NAME: $work/log is empty, or says what is wrong.
check() {
	if [ -s "$work/log" ]; then
		echo "not ok $1"
		cat "$work/log"
		failed=1
	else
		echo "ok $1"
	fi
}

sed -n 's/^[[:space:]]*AXVCPU_EXIT_\([A-Z0-9_]*\) = [0-9]*,.*/\1/p' "$header" |
	sort >"$work/kinds"
# The first table alone: from its head to the next line that is none of it.
awk '/^\| kind \| x86_64 \|/ { table = 1 } table && !/^\|/ { exit } table' "$page" |
	sed '1,2d' >"$work/table"
# shellcheck disable=SC2016 # backquotes of the page
sed -n 's/^| `\([A-Z0-9_]*\)` |.*/\1/p' "$work/table" | sort >"$work/rows"

: >"$work/log"
[ "$(wc -l <"$work/kinds")" -ge 20 ] || echo "only these: $(cat "$work/kinds")" >"$work/log"
check "exit.h has kinds"

comm -23 "$work/kinds" "$work/rows" >"$work/log"
check "every kind has a row"

comm -13 "$work/kinds" "$work/rows" >"$work/log"
uniq -d "$work/rows" >>"$work/log"
check "every row is one of a kind"

awk -F '|' 'NF != 6 { print; next }
	{ for (i = 2; i <= 5; i++) if ($i ~ /^ *$/) { print; next } }' "$work/table" >"$work/log"
check "every row says something of every architecture"

# What happens on an architecture is tested there; what does not says so with its first word.
for column in 3:x86_64 4:arm64; do
	awk -F '|' -v column="${column%%:*}" \
		'$column !~ /`test_[a-z0-9_]*: [a-z0-9_]*`/ && $column !~ /^ Never/ { print $2 }' \
		"$work/table" >"$work/log"
	check "every kind that ${column#*:} has names its test"
done

# shellcheck disable=SC2016
grep -o '`test_[^`]*`' "$page" | tr -d '`' | sort -u >"$work/tests"
: >"$work/log"
[ -s "$work/tests" ] || echo "none" >"$work/log"
while IFS= read -r line; do
	suite=${line%%: *}
	grep -q "^START_TEST(${line#*: })" "$top_srcdir/tests/$suite.c" 2>/dev/null ||
		echo "$line" >>"$work/log"
done <"$work/tests"
check "every test that is named exists"

exit $failed
