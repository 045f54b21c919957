# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# What docs/exits.md says, for tests/exits-doc.sh and tests/exits-ran.sh.
: "${top_srcdir:=.}"
page=$top_srcdir/docs/exits.md

# The first table alone: from its head to the next line that is none of it.
exits_table() {
	awk '/^\| kind \| / { table = 1 } table && !/^\|/ { exit } table' "$page"
}

# The columns' architectures.
exits_architectures() {
	exits_table | sed -n '1s/^| kind | \(.*\) |$/\1/p' | tr '|' '\n' | tr -d ' '
}

# exits_column ARCH: a line "KIND|what it says" for each row.
exits_column() {
	exits_table | awk -F ' *[|] *' -v arch="$1" '
		NR == 1 { for (i = 3; i < NF; i++) if ($i == arch) column = i }
		NR > 2 { kind = $2; gsub(/`/, "", kind); print kind "|" (column ? $column : "") }'
}

# Of what comes in, the tests that it names: a line "SUITE: TEST" each.
exits_tests() {
	# shellcheck disable=SC2016 # backquotes of the page
	grep -o '`test_[a-z0-9_]*: [a-z0-9_]*`' | tr -d '`' | sort -u
}

# exits_is_of SUITE ARCH: it is that architecture's own, or of all.
exits_is_of() {
	case $1:$2 in
	test_x86_*:x86_64 | test_arm64_*:arm64 | test_riscv64_*:riscv64) return 0 ;;
	test_x86_* | test_arm64_* | test_riscv64_*) return 1 ;;
	*) return 0 ;;
	esac
}

# exits_named ARCH: the tests that the page names and that run there: in the architecture's column, and in
# the rest of the page, which is answers and the like.
exits_named() {
	{
		exits_column "$1" | exits_tests
		grep -vxF -e "$(exits_table)" "$page" | exits_tests |
			while IFS= read -r _line; do
				! exits_is_of "${_line%%: *}" "$1" || echo "$_line"
			done
	} | sort -u
}
