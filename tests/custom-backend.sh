#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# The example of a backend without KVM runs its guest. From the top of a build tree, or of the machine that
# scripts/nested boots.
set -u
# shellcheck source=tests/cases.sh
. "${0%/*}/cases.sh"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
examples/custom_backend >"$work/log" 2>&1
result "custom_backend runs its guest to the end" $?
all_done
