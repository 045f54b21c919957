#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# axrun and the example guests with each of the modes of --irqchip: several CPUs, their IPIs,
# the timer's interrupt and the console's. With modes as arguments with these alone; "none" says
# that KVM has no interrupt controllers here.
#
# Option lists are split on purpose, and sums are of integers.
# shellcheck disable=SC2086,SC2017
# shellcheck source=tests/guests-lib.sh
. "${0%/*}/guests-lib.sh"

[ $# -eq 0 ] || irqchips=$*

# The device tree name of --irqchip kernel, and the number of CPUs that KVM supports. Of an arm64 host's GICs
# axrun takes the newest, which is the host's own; if that is a GICv2, no VM has more CPUs than one takes.
controller=
most=64
if [ $arch = riscv64 ]; then
	controller=riscv,aplic
elif [ $arch = arm64 ] && grep -q GICv3 /proc/interrupts; then
	controller=arm,gic-v3
elif [ $arch = arm64 ]; then
	controller=arm,cortex-a15-gic
	most=8
fi

# --- host features -------------------------------------------------------------------------------

axrun "$GUESTS/hello"
ends "no --irqchip" 0
if [ "$irqchips" = none ]; then
	refused "--irqchip kernel" "this KVM has no" --irqchip kernel "$GUESTS/hello"
fi

# --- several CPUs, and interrupts -----------------------------------------------------------------

sum()
{
	printf '%d' $(($1 * ($1 + 1) / 2 * $2))
}
for irqchip in $irqchips; do
	axrun --irqchip $irqchip "$GUESTS/hello"
	if [ "$status" -eq 125 ] && grep -q 'lacks' "$err"; then
		skip "--irqchip $irqchip" "$(cat "$err")"
		continue
	fi
	ends "--irqchip $irqchip" 0
	axrun --irqchip $irqchip "$GUESTS/interrupt"
	checks "--irqchip $irqchip: interrupt"
	for cpus in 1 2 4; do
		axrun --irqchip $irqchip --cpus $cpus "$GUESTS/smp"
		checks "--irqchip $irqchip --cpus $cpus: smp"
		if ! grep -q "^smp: $cpus CPUs*, sum $(sum $cpus 100)$" "$out"; then
			not_ok "--irqchip $irqchip --cpus $cpus: smp: sum" "another one"
		fi
		axrun --irqchip $irqchip --cpus $cpus "$GUESTS/ipi" 2
		checks "--irqchip $irqchip --cpus $cpus: ipi"
		x86 && continue
		axrun --irqchip $irqchip --cpus $cpus "$GUESTS/power" cpus
		checks "--irqchip $irqchip --cpus $cpus: power"
	done
	axrun --irqchip $irqchip --cpus 3 "$GUESTS/crash" "$crash_kind" 2
	ends "--irqchip $irqchip: crash of a CPU" 126 ''
	says "--irqchip $irqchip: crash of a CPU: which" '^axrun: the guest crashed: vCPU 2: '
	times_out "--irqchip $irqchip: --timeout" partial --irqchip $irqchip --cpus 2 "$GUESTS/spin" partial
	for guest in $guests; do
		axrun --irqchip $irqchip --cpus 2 "$GUESTS/$guest"
		checks "--irqchip $irqchip: $guest"
	done
	axrun --irqchip $irqchip --cpus $most "$GUESTS/smp" 3
	checks "--irqchip $irqchip: $most CPUs"
	if [ $most -lt 64 ]; then
		refused "--irqchip $irqchip: more than $most CPUs" "KVM_CAP_MAX_VCPUS is $most" \
			--irqchip $irqchip --cpus $((most + 1)) "$GUESTS/smp"
	fi
done

# --- device tree nodes ---------------------------------------------------------------------------

# has NAME BYTES: the tree has these, in hexadecimal; blanks are for the eye.
has()
{
	if od -v -A n -t x1 "$tmp/dtb" | tr -d ' \n' | grep -q "$(echo "$2" | tr -d ' ')"; then
		ok "$1"
	else
		not_ok "$1" "the tree lacks $2"
	fi
}

if ! x86; then
	for irqchip in $irqchips; do
		axrun --irqchip $irqchip --dump-dtb "$tmp/dtb" --cpus 2 "$GUESTS/hello" x
		ends "--dump-dtb, --irqchip $irqchip" 0
		has "--dump-dtb, --irqchip $irqchip: a device tree" '^d00dfeed'
		found=$(tr '\0' '\n' <"$tmp/dtb" | grep -a -o -e arm,gic-v3 \
			-e arm,cortex-a15-gic -e riscv,aplic)
		expected=$controller
		[ $irqchip != none ] || expected=
		if [ "$found" = "$expected" ]; then
			ok "--dump-dtb, --irqchip $irqchip: controller: ${expected:-none}"
		else
			not_ok "--dump-dtb, --irqchip $irqchip: controller: ${expected:-none}" "$found"
		fi
		case $expected in
		arm,gic-v3)
			has "GICv3: distributor, two redistributors" \
				'0000000008000000 0000000000010000 00000000080a0000 0000000000040000'
			;;
		arm,cortex-a15-gic)
			has "GICv2: distributor, CPU interface" \
				'0000000008000000 0000000000001000 0000000008010000 0000000000002000'
			# Each is a PPI, a level, and has a bit for each CPU.
			has "GICv2: the timer's interrupts go to both CPUs" \
				'00000001 0000000d 00000304 00000001 0000000e 00000304'
			;;
		esac
	done
fi

# --- the console's interrupt: at once, later, at the end of stdin, and for more than any buffer holds --

if x86; then
	axrun --irqchip split "$GUESTS/echo" asleep
	ends "echo asleep: no line" 2
fi
axrun --irqchip none "$GUESTS/echo" asleep
ends "echo asleep: no interrupt" 2
if [ "$irqchips" = none ]; then
	all_done
fi
printf 'one\ntwo' >"$tmp/text"
input=$tmp/text
axrun --irqchip kernel --stats "$GUESTS/echo" asleep
ends "echo asleep" 0 'one\ntwo'
awk 'BEGIN { for (i = 0; i < 600; i++) print "line", i }' >"$tmp/text"
axrun --irqchip kernel "$GUESTS/echo" asleep
if [ "$status" -eq 0 ] && cmp -s "$tmp/text" "$out"; then
	ok "echo asleep: 5 kB"
else
	not_ok "echo asleep: 5 kB" "not echoed"
fi
input=
{ sleep 0.5; printf a; sleep 0.5; printf b; } |
	timeout $LIMIT "$AXRUN" --irqchip kernel --stats "$GUESTS/echo" asleep >"$out" 2>"$err"
status=$?
ends "echo asleep: slow stdin" 0 'ab'
says "echo asleep: it does not ask" '^axrun: [0-9][0-9] exits'

all_done
