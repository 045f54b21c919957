#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# How a Debian kernel under axrun ends, and axrun's exit status then: reboot, panic, triple fault,
# a time limit, signals; many boots, and several at once.
# shellcheck source=tests/boot-lib.sh
. "${0%/*}/boot-lib.sh"
# shellcheck source=tests/boot-memory.sh
. "${0%/*}/boot-memory.sh"

# --- by itself ------------------------------------------------------------------------------------

# A reboot is one of the cases of boot-console.sh. With panic=-1 a kernel that panics reboots at once.
boot $kernel then=panic
ends "panic" 123
if grep -q 'Kernel panic' "$out"; then
	ok "panic: all of its words come out"
else
	not_ok "panic: all of its words come out" "they do not"
fi
if [ "$(uname -m)" = x86_64 ]; then
	# With this option such a kernel reboots by a triple fault.
	append="$append reboot=t"
	boot $kernel then=reboot
	append=${append% *}
	ends "triple fault" 126
else
	skip "triple fault" "only x86_64 has it"
fi
boot $kernel then=hang --timeout 3
ends "--timeout" 124

start $kernel then=reboot --reboot
if said 'boot: userspace' 2; then
	ok "--reboot: it boots again"
else
	not_ok "--reboot: it boots again" "it does not"
fi
kib=$(beyond_guest $pid)
if [ "$kib" -gt 0 ] && [ "$kib" -le 5120 ]; then
	ok "--reboot: at most 5 MiB are resident besides the guest's memory"
else
	not_ok "--reboot: at most 5 MiB are resident besides the guest's memory" "it is $kib KiB"
fi
kill -15 $pid
ended
ends "--reboot: ends by a signal" 143

# --- again and again ------------------------------------------------------------------------------

# Without it, the boots of boot-kernels.sh are enough.
if [ -n "${AXVCPU_TEST_LONG-}" ]; then
	for n in $(seq 50); do
		boot $kernel then=poweroff --cpus 2
		off "boot $n in a row"
	done
fi

# at_once N: a guest with files of its own.
at_once() (
	out=$tmp/out.$1
	err=$tmp/err.$1
	boot $kernel checks,cpus=2 --cpus 2
)
at_once 1 &
first=$!
at_once 2 &
wait $! $first
for n in 1 2; do
	out=$tmp/out.$n
	read -r status <"$out.status"
	err=$tmp/err.$n
	if grep -q 'FAILED' "$out" || ! grep -q 'boot: messages: ok' "$out"; then
		not_ok "two guests at once: the $n." "not all is well"
	else
		off "two guests at once: the $n."
	fi
done
out=$tmp/out
err=$tmp/err

# --- signals --------------------------------------------------------------------------------------

# dies SIGNAL: at some time in the first four seconds.
dies() {
	some
	start $kernel then=hang --cpus 2
	sleep $((number / 10)).$((number % 10))
	kill -"$1" $pid
	ended
	name="signal $1 after 0.1 s times $number"
	ends "$name" $((128 + $1))
	nothing_left "$name"
}

if alone; then
	for signal in 9 15 1; do
		dies $signal
	done
fi

all_done
