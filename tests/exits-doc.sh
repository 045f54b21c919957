#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# docs/exits.md has a row for each exit kind. For each architecture, tests/exits.map names tests of that
# architecture that produce the kind, or the page says why KVM cannot ("n/a: ...").
set -u
# shellcheck source=tests/cases.sh
. "${0%/*}/cases.sh"

: "${top_srcdir:=.}"
# shellcheck source=tests/exits.sh
. "$top_srcdir/tests/exits.sh"
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

sed -n 's/^[[:space:]]*AXVCPU_EXIT_\([A-Z0-9_]*\) = [0-9]*,.*/\1/p' \
	"$top_srcdir/include/axvcpu/exit.h" | sort >"$work/kinds"
exits_cells x86_64 | cut -d '|' -f 1 | sort >"$work/rows"

: >"$work/log"
[ "$(wc -l <"$work/kinds")" -ge 20 ] || echo "only these: $(cat "$work/kinds")" >"$work/log"
none_wrong "exit.h has kinds"

comm -23 "$work/kinds" "$work/rows" >"$work/log"
none_wrong "every kind has a row"

comm -13 "$work/kinds" "$work/rows" >"$work/log"
uniq -d "$work/rows" >>"$work/log"
none_wrong "every row is a kind, once"

awk -F ' *[|] *' '/^\|/ { for (i = 1; i <= NF; i++) if (length($i) > 200) print length($i) ": " $i }' \
	"$page" >"$work/log"
none_wrong "no cell has more than 200 characters"

grep -v '^#' "$map" >"$work/map"
grep -vE '^(x86_64|arm64|riscv64) ([A-Z_]+|[a-z]+)( test_[a-z0-9_]+:[a-z0-9_]+)+$' "$work/map" >"$work/log"
cut -d ' ' -f 1,2 "$work/map" | sort | uniq -d >>"$work/log"
cut -d ' ' -f 2 "$work/map" | grep '[A-Z]' | sort -u | comm -23 - "$work/kinds" >>"$work/log"
none_wrong "every line of tests/exits.map is an architecture, a kind and tests, once"

for arch in x86_64 arm64 riscv64; do
	exits_cells "$arch" | while IFS='|' read -r kind cell; do
		tests=$(exits_tests "$arch" "$kind")
		case $cell:$tests in
		:*) echo "$kind: the cell is empty" ;;
		n/a:*:) ;;
		n/a:*) echo "$kind: n/a, but there are tests" ;;
		*:) echo "$kind: there are no tests" ;;
		esac
	done >"$work/log"
	none_wrong "every kind is tested on $arch, or KVM cannot produce it"

	exits_tests "$arch" | while IFS=: read -r suite test; do
		case $suite:$arch in
		test_x86_*:x86_64 | test_arm64_*:arm64 | test_riscv64_*:riscv64) ;;
		test_x86_* | test_arm64_* | test_riscv64_*) echo "$suite: not a suite of $arch" ;;
		esac
		grep -q "^START_TEST($test)" "$top_srcdir/tests/$suite.c" 2>/dev/null ||
			echo "$suite:$test: there is no such test"
		grep -qE "^	tests/$suite( \\\\)?\$" "$top_srcdir/Makefile.am" ||
			echo "$suite: the suite is not built"
	done >"$work/log"
	none_wrong "every test named for $arch exists and is built there"
done

all_done
