#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# What scripts/nested returns and says when the command fails, the machine's kernel panics, it does not
# come to an end, or has no KVM.
set -u

top=$(cd "${0%/*}/../.." && pwd)
# shellcheck source=tests/cases.sh
. "$top/tests/cases.sh"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# nested OPTION...: leaves $status, $work/out and $work/log.
nested() {
	"$top/scripts/nested" "$@" >"$work/out" 2>"$work/log"
	status=$?
}

# ends NAME STATUS PATTERN...: with that status, and with all of that on stderr.
ends() {
	_name=$1
	if [ "$status" -ne "$2" ]; then
		not_ok "$_name" "status $status, not $2"
		return
	fi
	shift 2
	for _pattern in "$@"; do
		if ! grep -qa -e "$_pattern" "$work/log"; then
			not_ok "$_name" "stderr lacks: $_pattern"
			return
		fi
	done
	ok "$_name"
}

nested -n x86_64 sh -c 'echo its output; echo its error >&2; exit 7'
ends "the command's status" 7 '^its error$'
if [ "$(cat "$work/out")" = "its output" ]; then
	ok "the command's output, and no other"
else
	not_ok "the command's output, and no other" "$(head -n 3 "$work/out")"
fi
nested -n x86_64 sh -c 'echo c >/proc/sysrq-trigger; sleep 1000'
ends "a panic" 125 'its kernel panicked' '--- the end of .*console.log' 'Kernel panic'
nested -n -t 30 x86_64 sleep 1000
ends "a hang" 125 'not done after 30 s' '--- the end of .*console.log'

AXVCPU_QEMU_OPTIONS="-cpu max,-svm"
export AXVCPU_QEMU_OPTIONS
nested -n x86_64 echo "this is not run"
ends "no /dev/kvm in the machine" 125 'there is no /dev/kvm in it' '--- the end of .*console.log' \
	'init: there is no /dev/kvm'
if [ -s "$work/out" ]; then
	not_ok "without KVM nothing is run" "$(head -n 3 "$work/out")"
else
	ok "without KVM nothing is run"
fi

all_done
