#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# axvcpu-info from outside: command lines, devices that are no KVM, missing permission; with a usable
# /dev/kvm also the report on that. Arguments are the interrupt controllers that KVM has here, or "none";
# without them, those of the usual machine of scripts/nested, and elsewhere any. Runs from the top of a
# build tree, or of such a machine.
set -u
# shellcheck source=tests/cases.sh
. "${0%/*}/cases.sh"

INFO=${INFO:-$PWD/examples/axvcpu-info/axvcpu-info}
unset AXVCPU_KVM_MIPS
work=$(mktemp -d) || exit 1
# Another user must reach the devices in it.
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
status=0

evidence() {
	echo "status: $status"
	sed 's/^/stdout: /' "$work/out"
	sed 's/^/stderr: /' "$work/err"
}

# info ARG...: leaves $status, $work/out and $work/err. The time is that of a hang.
info() {
	timeout -k 5 120 "$INFO" "$@" >"$work/out" 2>"$work/err"
	status=$?
}

# ends NAME STATUS [FILE PATTERN]: out or err has a line with the pattern.
ends() {
	if [ "$status" -ne "$2" ]; then
		not_ok "$1" "expected status $2"
	elif [ $# -gt 2 ] && ! grep -q -e "$4" "$work/$3"; then
		not_ok "$1" "std$3 lacks $4"
	else
		ok "$1"
	fi
}

# refused NAME PATTERN ARG...: status 2, and nothing on stdout.
refused() {
	_name="refused: $1"
	_pattern=$2
	shift 2
	info "$@"
	if [ -s "$work/out" ]; then
		not_ok "$_name" "something on stdout"
	else
		ends "$_name" 2 err "$_pattern"
	fi
}

# json NAME: its value in the report, a string without quotes.
json() {
	sed -n "s/.*[{ ]\"$1\": \"\{0,1\}\([^\",}]*\).*/\1/p" "$work/out"
}

# obstacle NAME CODES [COMMAND...]: the latter's report says, by one of these words, why KVM is unusable.
obstacle() {
	_name=$1
	_codes=$2
	shift 2
	timeout -k 5 120 "$@" >"$work/out" 2>"$work/err"
	status=$?
	case " $_codes " in
	*" $(json obstacle) "*) ends "$_name" 1 out '"usable": false, "speed": "none"' ;;
	*) not_ok "$_name" "obstacle '$(json obstacle)', not $_codes" ;;
	esac
}

# --- the command line -----------------------------------------------------------------------------

info --help
ends "--help" 0 out '^Usage: axvcpu-info'
info --version
ends "--version" 0 out '^axvcpu-info [0-9.]* (libaxvcpu [0-9.]*)$'
refused "an unknown option" 'no-such' --no-such
refused "two devices" 'more than one DEVICE: b' a b
refused "two formats" 'cannot be combined' --json --kvm-speed
for mips in x 1x 0 -1 nan inf; do
	AXVCPU_KVM_MIPS=$mips
	export AXVCPU_KVM_MIPS
	refused "AXVCPU_KVM_MIPS=$mips" "must be a number above 0, but is $mips" --kvm-speed
done
unset AXVCPU_KVM_MIPS
if [ -w /dev/full ]; then
	"$INFO" --json /dev/null >/dev/full 2>"$work/err"
	status=$?
	: >"$work/out"
	ends "a full disk" 2 err 'stdout: No space left'
else
	skip "a full disk" "there is no /dev/full"
fi

# --- devices that are no KVM ----------------------------------------------------------------------

missing="no_extension no_nested_virtualization module_not_loaded not_in_container no_node no_el2"
: >"$work/file"
obstacle "a file" not_kvm "$INFO" --json "$work/file"
obstacle "a folder" not_kvm "$INFO" --json "$work"
obstacle "a device that is no KVM" not_kvm "$INFO" --json /dev/null
obstacle "no device" "$missing" "$INFO" --json "$work/none"
obstacle "no folder" "$missing" "$INFO" --json "$work/file/none"
if command -v python3 >/dev/null; then
	python3 -m json.tool <"$work/out" >"$work/err" 2>&1
	status=$?
	ends "the report is JSON" 0
fi

info "$work/file"
ends "for a person" 1 out "^KVM is not usable: $work/file is not a character device\\.\$"
if [ "$(grep -c '^  [A-Z]' "$work/out")" -ge 1 ] && [ ! -s "$work/err" ]; then
	ok "for a person: advice"
else
	not_ok "for a person: advice" "none, or something on stderr"
fi
for mips in '' 1 1000; do
	AXVCPU_KVM_MIPS=$mips "$INFO" --kvm-speed /dev/null >"$work/out" 2>"$work/err"
	status=$?
	[ "$(cat "$work/out")" = none ] || status="$status, and not the word"
	[ "$status" = 1 ] || not_ok "--kvm-speed: none${mips:+, AXVCPU_KVM_MIPS=$mips}" "$status"
	[ "$status" != 1 ] || ends "--kvm-speed: none${mips:+, AXVCPU_KVM_MIPS=$mips}" 1 err \
		'^KVM is not usable: /dev/null can be opened, but is not KVM'
done

# --- no permission --------------------------------------------------------------------------------

if [ "$(id -u)" -ne 0 ] || ! mknod "$work/kvm" c 10 232 2>/dev/null; then
	skip "permission" "it takes root to create a device"
elif ! su -s /bin/sh nobody -c "'$INFO' --version" >/dev/null 2>&1; then
	skip "permission" "user nobody cannot run $INFO"
else
	for mode in 000 600 640 660; do
		chmod $mode "$work/kvm"
		code=mode
		[ $mode != 660 ] || code=group
		obstacle "mode $mode, user nobody" "$code" \
			su -s /bin/sh nobody -c "'$INFO' --json '$work/kvm'"
	done
fi

# --- a usable KVM ---------------------------------------------------------------------------------

info --json
if [ "$status" -ne 0 ]; then
	skip "a usable KVM" "$(json message)"
	all_done
fi
ends "the report" 0 out '"usable": true'
speed=$(json speed)
mips=$(json mips)
flavour=$(json flavour)
case $(json arch)-$flavour in
x86_64-vmx | x86_64-svm | arm64-vhe | arm64-nvhe | riscv64-h | *-interpreted) ok "flavour: $flavour" ;;
*) not_ok "flavour" "$flavour" ;;
esac
# An interpreted guest is slow, and no other.
case $speed-$flavour in
slow-interpreted) ;;
fast-interpreted | slow-*) speed= ;;
esac
if [ -n "$speed" ] && awk "BEGIN { exit !(($mips < 10) == (\"$speed\" == \"slow\")) }"; then
	ok "speed: $speed, $mips million instructions per second"
else
	not_ok "speed" "$mips million instructions per second"
fi
if [ -e /plan ]; then
	[ "$speed" = fast ]
	result "an emulated machine's KVM is fast" $?
	if [ $# -eq 0 ]; then
		case $(json arch) in
		x86_64) set -- kernel split ;;
		arm64) set -- gicv3 its ;;
		riscv64) set -- aia ;;
		esac
	fi
fi
echo "an exit: $(json exit_ns) ns, $(json exit)"
for name in exit_ns gpa_bits page_table_levels max_vcpus recommended_vcpus memory_slots page_size; do
	if awk "BEGIN { exit !($(json $name) > 0) }"; then
		ok "report: $name"
	else
		not_ok "report: $name" "$(json $name)"
	fi
done
if [ $# -gt 0 ]; then
	irqchips=$(sed 's/.*"irqchips": {\([^}]*\)}.*/\1/' "$work/out" | tr -d '":' | tr ',' '\n' |
		sed -n 's/^ *\([a-z0-9]*\) true$/\1/p' | tr '\n' ' ')
	if [ "$irqchips" = "${*:+$* }" ] || [ "$*-$irqchips" = none- ]; then
		ok "irqchips: $*"
	else
		not_ok "irqchips: $*" "$irqchips"
	fi
fi

info
ends "for a person: usable" 0 out '^KVM is usable: '
for title in "speed  *$speed: " exit guest-physical vCPUs 'memory slots' irqchips forwards capabilities; do
	ends "for a person: $title" 0 out "^  $title"
done

# decision MIPS WORD
decision() {
	AXVCPU_KVM_MIPS=$1
	export AXVCPU_KVM_MIPS
	info --kvm-speed
	ends "--kvm-speed: AXVCPU_KVM_MIPS=$1: $2" 0 out "^$2\$"
	info --json
	[ "$(json speed)" = "$2" ]
	result "--json: AXVCPU_KVM_MIPS=$1: $2" $?
	unset AXVCPU_KVM_MIPS
}
decision 1 slow
decision 9.99 slow
decision 10 fast
AXVCPU_KVM_MIPS=1
export AXVCPU_KVM_MIPS
info --kvm-speed
ends "slow: the reason" 0 err '^KVM is usable, but interprets guest code: 1\.0 million'
info
ends "slow: the flavour" 0 out '^  flavour  *interpreted'
unset AXVCPU_KVM_MIPS
info --kvm-speed
if [ "$status" -eq 0 ] && [ "$(cat "$work/out")" = "$speed" ]; then
	ok "--kvm-speed: measured"
else
	not_ok "--kvm-speed: measured" "not $speed"
fi

all_done
