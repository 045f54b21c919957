# shellcheck shell=sh disable=SC2034
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# Reads docs/exits.md and tests/exits.map, for tests/exits-doc.sh and tests/exits-ran.sh.
: "${top_srcdir:=.}"
page=$top_srcdir/docs/exits.md
map=$top_srcdir/tests/exits.map

# exits_cells ARCH: a line "KIND|CELL" for each row of the page's first table.
exits_cells() {
	awk '/^\| kind \| / { table = 1 } table && !/^\|/ { exit } table' "$page" |
		awk -F ' *[|] *' -v arch="$1" '
			NR == 1 { for (i = 3; i < NF; i++) if ($i == arch) column = i }
			NR > 2 { gsub(/`/, "", $2); print $2 "|" (column ? $column : "") }'
}

# exits_tests ARCH [KIND]: a line "SUITE:TEST" for each test that the map names.
exits_tests() {
	awk -v arch="$1" -v kind="${2-}" '
		$1 == arch && (kind == "" || $2 == kind) { for (i = 3; i <= NF; i++) print $i }' "$map" | sort -u
}
