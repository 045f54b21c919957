#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# Checks that the tests that tests/exits.map names for an architecture have run and passed. A test that this
# KVM cannot run, and that says why, is reported as skipped.
#
#     tests/exits-ran.sh ARCH DIRECTORY
#
# DIRECTORY has the output of each test program, tests/NAME.log, as a build tree and scripts/nested
# keep it; CK_VERBOSITY=verbose must have been in the environment, so that Check names what passes.
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

# result SUITE TEST: prints passed, failed, did not run, or "skipped: WHY". Check prints a line for each
# iteration of a loop test.
result() {
	if [ ! -e "$logs/tests/$1.log" ]; then
		echo "there is no $logs/tests/$1.log"
		return
	fi
	LC_ALL=C awk -F : -v test="$2" '
		$3 ~ /^[PFE]$/ && $5 == test { seen[$3]++ }
		$1 == "skip " test { reason = $2 }
		# Check counts such a test as passed.
		$1 == "skipped inside " test { reason = $2; seen["P"]-- }
		END {
			if (seen["F"] + seen["E"])
				print "failed"
			else if (!seen["P"] && reason)
				print "skipped:" reason
			else
				print seen["P"] ? "passed" : "did not run"
		}' "$logs/tests/$1.log"
}

named=$(exits_tests "$arch")
results=$(echo "$named" | while IFS=: read -r suite test; do
	echo "$suite: $test: $(result "$suite" "$test")"
done)
echo "$results" | sed -n 's/^\(.*\): skipped: /skip \1: /p'
wrong=$(echo "$results" | grep -v -e ': passed$' -e ': skipped: ')
count=$(echo "$named" | grep -c .)
if [ -n "$wrong" ] || [ "$count" -eq 0 ]; then
	echo "not ok the $count tests that tests/exits.map names for $arch have run and passed"
	echo "$wrong"
	exit 1
fi
echo "ok the $count tests that tests/exits.map names for $arch have run and passed, or say why they cannot"
