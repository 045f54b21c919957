#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# Where KVM interprets guest code, the tests that boot kernels are skipped, each by its name and with the reason.
set -u
# shellcheck source=tests/cases.sh
. "${0%/*}/cases.sh"

: "${top_srcdir:=.}"
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

for script in "$top_srcdir"/tests/boot-*.py; do
	name=${script##*/}
	AXVCPU_TEST_NO_BOOT="guests are slow" "$script" >"$work/log" 2>&1
	status=$?
	if [ $status -eq 0 ] && [ "$(cat "$work/log")" = "1..0 # SKIP guests are slow" ]; then
		ok "$name is skipped"
	else
		not_ok "$name is skipped" "status $status"
	fi
done

all_done
