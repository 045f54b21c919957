#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# Debian's kernel under axrun with a user at the keyboard: a shell, its job control, the keys that
# are axrun's own, pasted text; and a terminal that goes away.
# Text in single quotes is expanded by the guest.
# shellcheck disable=SC2016
# shellcheck source=tests/boot-lib.sh
. "${0%/*}/boot-lib.sh"

ctrl_a=$(printf '\001')
ctrl_c=$(printf '\003')
ctrl_d=$(printf '\004')
enter=$(printf '\r')

# typed NAME WORDS STEP...: a guest on a terminal; see pty_run.c.
typed() {
	name=$1
	words=$2
	shift 2
	: >"$out"
	timeout -k 5 $((4 * LIMIT)) "$HELPERS/pty_run" within $LIMIT "$@" -- \
		"$AXRUN" --kernel "$BOOT/$kernel" --initrd "$BOOT/initrd" \
		--append "$append axtest=$words" --cpus 2 >"$out" 2>"$err"
	status=$?
	ends "$name" 0
}

# Three kilobytes: a terminal buffers four unread kilobytes. More of it, 20000 characters, goes to a program
# that reads while they come, and gives all of them back, in order.
pasted=
while [ ${#pasted} -lt 3072 ]; do
	pasted="${pasted}All of what is pasted reaches the program that waits for it now$enter"
done

# The command to interrupt announces itself: the shell may still be on its way to it.
typed "a shell" then=shell raw expect 'guest# ' \
	send "echo \$((6 * 7))$enter" expect 42 expect 'guest# ' \
	send "sh -c 'echo as\$((1))leep; exec sleep 1000'$enter" expect as1leep \
	send "$ctrl_c" expect 'guest# ' \
	send "echo al\$((1))ive$enter" expect al1ive expect 'guest# ' \
	send "echo re\$((1))ady; wc -c$enter" expect re1ady send "$pasted$ctrl_d" \
	expect ${#pasted} expect 'guest# ' \
	send "stty raw -echo; printf wa%sting i; head -c 20000; head -c 1; stty sane$enter" expect waiting \
	paste 20000 send . expect 'guest# ' \
	send "seq 500; echo la\$((1))st; exit$enter" expect la1st expect 'boot: end' exit 0 cooked
typed "Ctrl-A h, and Ctrl-A x" then=hang raw expect 'boot: hang' \
	send "${ctrl_a}h" expect 'prints this text' send "${ctrl_a}x" exit 122 cooked
# While it boots: see below.
typed "a hang-up later" then=hang raw expect 'boot: hang' hangup killed 1
typed "SIGINT later" then=hang raw expect 'boot: hang' signal 2 killed 2 cooked
typed "a reboot" then=reboot raw exit 123 cooked
# A panic is one of the cases of boot-power.sh.

# dies WHAT STEP...: on a terminal, at some time in the first four seconds, but not before it is axrun.
dies() {
	what=$1
	shift
	some
	number=$((number + 1))
	typed "$what on a terminal after 0.1 s times $number" then=hang pause $number "$@"
	nothing_left "$name"
}

if alone; then
	dies SIGKILL signal 9 killed 9 cooked
	dies SIGTERM signal 15 killed 15 cooked
	dies "a hang-up" hangup killed 1
fi

all_done
