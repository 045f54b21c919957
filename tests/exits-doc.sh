#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# docs/exits.md has a row for every kind of exit. Each says of each architecture which tests produce
# it, which are that architecture's, or why KVM cannot.
set -u
# shellcheck source=tests/cases.sh
. "${0%/*}/cases.sh"

: "${top_srcdir:=.}"
header=$top_srcdir/include/axvcpu/exit.h
# shellcheck source=tests/exits.sh
. "$top_srcdir/tests/exits.sh"
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

sed -n 's/^[[:space:]]*AXVCPU_EXIT_\([A-Z0-9_]*\) = [0-9]*,.*/\1/p' "$header" |
	sort >"$work/kinds"
exits_column x86_64 | cut -d '|' -f 1 | sort >"$work/rows"

: >"$work/log"
[ "$(wc -l <"$work/kinds")" -ge 20 ] || echo "only these: $(cat "$work/kinds")" >"$work/log"
none_wrong "exit.h has kinds"

comm -23 "$work/kinds" "$work/rows" >"$work/log"
none_wrong "every kind has a row"

comm -13 "$work/kinds" "$work/rows" >"$work/log"
uniq -d "$work/rows" >>"$work/log"
none_wrong "every row is a kind, once"

printf '%s\n' arm64 riscv64 x86_64 >"$work/expected"
exits_architectures | sort | diff - "$work/expected" >"$work/log"
none_wrong "every architecture has a column"

for arch in $(exits_architectures); do
	exits_column "$arch" >"$work/column"

	# shellcheck disable=SC2016 # backquotes of the page
	grep -vE '`test_[a-z0-9_]*: [a-z0-9_]*`|[|]KVM cannot: because .' "$work/column" |
		cut -d '|' -f 1 >"$work/log"
	none_wrong "every kind is tested on $arch, or KVM cannot"

	: >"$work/log"
	exits_tests <"$work/column" >"$work/tests"
	while IFS= read -r line; do
		suite=${line%%: *}
		grep -q "^START_TEST(${line#*: })" "$top_srcdir/tests/$suite.c" 2>/dev/null ||
			echo "$line: there is no such test" >>"$work/log"
		grep -q "^	tests/$suite\( \\\\\)\?$" "$top_srcdir/tests/local.mk" ||
			echo "$line: the suite is not built" >>"$work/log"
		exits_is_of "$suite" "$arch" || echo "$line: not of $arch" >>"$work/log"
	done <"$work/tests"
	none_wrong "every test that is named for $arch is one of its own"
done

# What the rest of the page names: answers and the like.
grep -v '^| kind | x86_64' "$page" | exits_tests >"$work/tests"
: >"$work/log"
while IFS= read -r line; do
	grep -q "^START_TEST(${line#*: })" "$top_srcdir/tests/${line%%: *}.c" 2>/dev/null ||
		echo "$line" >>"$work/log"
done <"$work/tests"
none_wrong "every test that is named exists"

all_done
