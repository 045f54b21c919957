# shellcheck shell=sh disable=SC2034
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# Shared by the tests that run axrun. They run from the top of a build tree, or of the machine that
# scripts/nested boots, or with these in the environment:
#   AXRUN    the program
#   HELPERS  the folder with mkelf and pty_run
# Without a usable /dev/kvm all is skipped.
set -u
# shellcheck source=tests/cases.sh
. "${0%/*}/cases.sh"

AXRUN=${AXRUN:-./examples/axrun/axrun}
HELPERS=${HELPERS:-./tests}
# Seconds after which a run of axrun hangs: none takes that long, even where guests are interpreted and other
# processes use the processors. AXVCPU_TEST_PATIENCE is as in tests/suite.h.
LIMIT=$((150 * ${AXVCPU_TEST_PATIENCE:-1}))

if ! [ -r /dev/kvm ] || ! [ -w /dev/kvm ]; then
	skip_all "/dev/kvm is missing or not for this user"
fi

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
status=0
out=$tmp/out
err=$tmp/err

evidence() {
	echo "status: $status"
	tail -n 30 "$out" | sed 's/^/stdout: /'
	tail -n 30 "$err" | sed 's/^/stderr: /'
}

# Runs axrun, with $input on its stdin, if that is a file. Leaves $status, $out and $err.
axrun() {
	timeout -k 5 "$LIMIT" "$AXRUN" "$@" <"${input:-/dev/null}" >"$out" 2>"$err"
	status=$?
}

# ends NAME STATUS [OUTPUT]: the last run had that status, and, if given, exactly that output, as printf
# takes it.
ends() {
	# shellcheck disable=SC2059 # it is a format
	if [ "$status" -ne "$2" ]; then
		not_ok "$1" "expected status $2"
	elif [ $# -gt 2 ] && ! printf "$3" | cmp -s - "$out"; then
		not_ok "$1" "other output"
	else
		ok "$1"
	fi
}

# refused NAME PATTERN [ARG]...: axrun ends with 125 and one line, which has the pattern.
refused() {
	_name="refused: $1"
	_pattern=$2
	shift 2
	axrun "$@"
	if [ "$status" -ne 125 ]; then
		not_ok "$_name" "expected status 125"
	elif [ -s "$out" ]; then
		not_ok "$_name" "something on stdout"
	elif [ "$(wc -l <"$err")" -ne 1 ] || ! grep -q '^axrun: ' "$err"; then
		not_ok "$_name" "expected one line"
	elif ! grep -q -i -e "$_pattern" "$err"; then
		not_ok "$_name" "stderr lacks: $_pattern"
	else
		ok "$_name"
	fi
}
