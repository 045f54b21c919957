#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# Whether the tests that docs/exits.md names for an architecture have run, and passed. One that this KVM
# cannot run, and that says why, is named as skipped.
#
#     tests/exits-ran.sh ARCH DIRECTORY
#
# DIRECTORY has the output of each test program, tests/NAME.log, as a build tree and scripts/nested
# keep it.
set -u

if [ $# -ne 2 ] || [ ! -d "$2" ]; then
	echo "usage: tests/exits-ran.sh ARCH DIRECTORY-WITH-LOGS" >&2
	exit 2
fi
arch=$1
logs=$2
top_srcdir=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/exits.sh
. "$top_srcdir/tests/exits.sh"

if ! exits_architectures | grep -qxF "$arch"; then
	echo "Bail out! docs/exits.md has no column for $arch"
	exit 1
fi

# result SUITE TEST: what became of it. Of a loop, every turn is a line.
result() {
	if [ ! -e "$logs/tests/$1.log" ]; then
		echo "there is no $logs/tests/$1.log"
		return
	fi
	LC_ALL=C awk -F ' # SKIP ' -v test="$2" '
		$1 !~ /^(not )?ok / || $1 !~ "[-:] " test "$" { next }
		/^not / { failed = 1 }
		/^ok / && NF == 1 { passed = 1 }
		NF > 1 { reason = $2 }
		END {
			if (failed)
				print "failed"
			else if (passed)
				print "passed"
			else
				print reason ? "skipped: " reason : "did not run"
		}' "$logs/tests/$1.log"
}

named=$(exits_named "$arch")
became=$(echo "$named" | while IFS= read -r line; do
	echo "$line: $(result "${line%%: *}" "${line#*: }")"
done)
echo "$became" | sed -n 's/^\(.*\): skipped: \(.*\)/ok - \1 # SKIP \2/p'
wrong=$(echo "$became" | grep -v -e ': passed$' -e ': skipped: ')
count=$(echo "$named" | grep -c .)
if [ -n "$wrong" ] || [ "$count" -eq 0 ]; then
	echo "not ok - the $count tests that docs/exits.md names for $arch have run and passed"
	echo "$wrong" | sed 's/^/# /'
else
	echo "ok - the $count tests that docs/exits.md names for $arch have run and passed, or say why they cannot"
fi
echo "1..$((1 + $(echo "$became" | grep -c ': skipped: ')))"
[ -z "$wrong" ]
