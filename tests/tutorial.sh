#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# Runs each command that docs/tutorial.md shows. Its output must be the one that the page shows. The build
# takes both from the page: examples/tutorial/outputs has a line "$ COMMAND" and its output for each.
# Needs a usable /dev/kvm, and is skipped without one.
# shellcheck source=tests/axrun-lib.sh
. "${0%/*}/axrun-lib.sh"

PATH=$(cd "${AXRUN%/*}" && pwd):$PATH
outputs=$PWD/examples/tutorial/outputs
grep '^\$ ' "$outputs" | sed 's/^\$ //' >"$tmp/commands"

while IFS= read -r command; do
	(cd examples/tutorial && timeout -k 5 "$LIMIT" sh -c "$command") >"$out" 2>"$err" </dev/null
	status=$?
	COMMAND="$ $command" awk '/^\$ / { on = $0 == ENVIRON["COMMAND"]; next } on' "$outputs" >"$tmp/shown"
	cat "$err" >>"$out"
	if [ "$status" -ne 0 ]; then
		not_ok "$command" "status $status"
	elif ! cmp -s "$tmp/shown" "$out"; then
		not_ok "$command" "other output than the page's"
	else
		ok "$command"
	fi
done <"$tmp/commands"

[ "$(wc -l <"$tmp/commands")" -ge 8 ] || not_ok "the page has commands" "fewer than 8"
all_done
