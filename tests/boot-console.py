#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""A user at the keyboard of Debian's kernel under axrun has a shell, its job control, the keys that are axrun's own,
and pasted text; axrun leaves the terminal as it was, and survives one that goes away. Needs a usable /dev/kvm and
Debian's kernels."""

from __future__ import annotations

import sys
from collections.abc import Callable

from boots import KERNEL, alone, arguments, cases, lost, nothing_left, say_lost, some
from axrun import AXRUN, EOT, Terminal, terminal


def typed(name: str, words: str, steps: Callable[[Terminal], object]) -> None:
    """A case: a guest on a terminal; once more if it was lost."""
    command = [AXRUN, *arguments(KERNEL, words), "--cpus", "2"]
    why = terminal(command, steps)
    if lost(why, 256):
        say_lost(name, why)
        why = terminal(command, steps)
    cases.check(name, not why, why)


def in_shell(t: Terminal) -> None:
    # Three kilobytes: a terminal buffers four unread kilobytes. More of it, 20000 characters, goes to a program
    # that reads while they come, and gives all of them back, in order.
    line = "All of what is pasted reaches the program that waits for it now\r"
    pasted = line * (3072 // len(line) + 1)
    prompt = "guest# "
    t.raw().expect(prompt)
    t.send("echo $((6 * 7))\r").expect("42").expect(prompt)
    # The command to interrupt announces itself: the shell may still be on its way to it.
    t.send("sh -c 'echo as$((1))leep; exec sleep 1000'\r").expect("as1leep").send("\3").expect(prompt)
    t.send("echo al$((1))ive\r").expect("al1ive").expect(prompt)
    t.send("echo re$((1))ady; wc -c\r").expect("re1ady").send(pasted + EOT).expect(str(len(pasted))).expect(prompt)
    t.send("stty raw -echo; printf wa%sting i; head -c 20000; head -c 1; stty sane\r").expect("waiting")
    t.paste(20000).send(".").expect(prompt)
    t.send("seq 500; echo la$((1))st; exit\r").expect("la1st").expect("boot: end").exits(0).cooked()


typed("a shell", "then=shell", in_shell)
typed(
    "Ctrl-A h, and Ctrl-A x",
    "then=hang",
    lambda t: t.raw().expect("boot: hang").send("\1h").expect("prints this text").send("\1x").exits(122).cooked(),
)
# While it boots: see below.
typed("a hang-up later", "then=hang", lambda t: t.raw().expect("boot: hang").hangup().killed(1))
typed("SIGINT later", "then=hang", lambda t: t.raw().expect("boot: hang").signal(2).killed(2).cooked())
typed("a reboot", "then=reboot", lambda t: t.raw().exits(123).cooked())
# A panic is one of the cases of boot-power.py.


def dies(what: str, steps: Callable[[Terminal], object]) -> None:
    """On a terminal, at some time in the first four seconds, but not before it is axrun."""
    number = some() + 1
    name = f"{what} on a terminal after 0.1 s times {number}"
    typed(name, "then=hang", lambda t: steps(t.pause(number / 10)))
    nothing_left(name)


if alone():
    dies("SIGKILL", lambda t: t.signal(9).killed(9).cooked())
    dies("SIGTERM", lambda t: t.signal(15).killed(15).cooked())
    dies("a hang-up", lambda t: t.hangup().killed(1))

sys.exit(cases.end())
