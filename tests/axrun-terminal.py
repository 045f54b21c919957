#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""axrun shows output at once, dies of signals, leaves a terminal as it was however it ends, gives the keys to the
guest, survives its terminal, and reports output that it cannot write. Needs a usable /dev/kvm."""

from __future__ import annotations

import os
import signal
import sys

from axrun import AXRUN, EOT, axrun, cases, flat, guest, here, on_terminal, refused, start, terminal
from cases import LIMIT

answer = flat("answer", here.answer)
SPIN = guest("spin")

# Output of the guest must appear while it runs.
process = start(SPIN, "at once")
process.appears("at once")
cases.check("output without a newline comes out", process.out.read_bytes() == b"at once", "other output")

# --- signals ---------------------------------------------------------------------------------------

process.kill(15).wait()
for number in (15, 2, 1, 3, 10, 14):
    process = start(SPIN, "running")
    process.appears("running")
    process.kill(number).wait().ends(f"dies of signal {number}", 128 + number, "running")
process = start(
    "--timeout", str(LIMIT), SPIN, "running", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)
)
process.appears("running")
# Of two signals that are pending, the one with the lower number is taken first.
process.kill(signal.SIGHUP).kill(signal.SIGTERM)
process.wait().ends("a signal that was ignored stays so", 143, "running")

# --- the terminal ----------------------------------------------------------------------------------

ESCAPE = "\1"
STOP = signal.SIGTSTP
echo = [AXRUN, guest("echo")]
spin = [AXRUN, SPIN, "abc"]
asleep = [AXRUN, "--irqchip", "kernel", guest("echo"), "asleep"]
raw_echo = [AXRUN, "--raw-keys", guest("echo")]
raw_spin = [AXRUN, "--raw-keys", SPIN, "abc"]
raw_asleep = [AXRUN, "--raw-keys", "--irqchip", "kernel", guest("echo"), "asleep"]

on_terminal("terminal: echo and ^D", echo, lambda t: t.raw().send("hello").expect("hello").send(EOT).exits(0))
on_terminal(
    "terminal: Enter is a newline", echo, lambda t: t.raw().send("a\rb").expect("a").expect("b").send(EOT).exits(0)
)
on_terminal("terminal: crash", [AXRUN, guest("crash")], lambda t: t.expect("crashed").exits(126).cooked())
for seconds in ("2.5", "10.5", "40.5"):
    why = terminal([AXRUN, "--timeout", seconds, SPIN, "abc"], lambda t: t.expect("abc").exits(124))
    if not why:
        break
cases.check("terminal: timeout", not why, why)
on_terminal("terminal: bad image", [AXRUN, "/dev/null"], lambda t: t.exits(125))
on_terminal("terminal: ^C", spin, lambda t: t.expect("abc").raw().send("\3").killed(2))
sanitized = ["env"] + [f"{name}_OPTIONS=handle_segv=0:handle_abort=0" for name in ("ASAN", "TSAN")]
for number in (1, 2, 3, 6, 10, 11, 14, 15, 24):
    on_terminal(
        f"terminal: signal {number}",
        sanitized + spin,
        lambda t: t.expect("abc").raw().signal(number).killed(number).cooked(),
    )
on_terminal("terminal: signal 9", spin, lambda t: t.expect("abc").raw().signal(9).killed(9).cooked())
on_terminal(
    "terminal: signal 9, when stopped",
    echo,
    lambda t: t.raw().signal(STOP).stopped().cooked().signal(9).killed(9).cooked(),
)
on_terminal(
    "terminal: stop and continue",
    echo,
    lambda t: t.raw().send("x").expect("x").signal(STOP).stopped().cooked()
    .resume().raw().send("y").expect("y").send(EOT).exits(0),
)
on_terminal(
    "terminal: ^Z", echo, lambda t: t.raw().send("\x1a").stopped().cooked().resume().raw().send(EOT).exits(0)
)
on_terminal(
    "terminal: stop, then a signal",
    echo,
    lambda t: t.raw().signal(STOP).stopped().cooked().signal(15).resume().killed(15),
)
on_terminal("terminal: paste", echo, lambda t: t.raw().paste(12000).send(EOT).exits(0))
on_terminal(
    "terminal: paste, and an interrupt for it", asleep, lambda t: t.raw().paste(6000).send(EOT).exits(0)
)

# All keys go to the guest, except the escape; whatever the guest does, and though stdin is full.
keys = "a\3\x1a\x1c\rb"
on_terminal("terminal: --raw-keys", raw_echo, lambda t: t.all_keys().send(keys).expect(keys).send(EOT).exits(0))
# First the rest of the line that says how to leave.
on_terminal(
    "terminal: --raw-keys: paste",
    raw_echo,
    lambda t: t.all_keys().expect("helps\r\n").paste(6000).send(EOT).exits(0),
)
on_terminal(
    "terminal: Ctrl-A x", raw_spin, lambda t: t.expect("abc").all_keys().send(ESCAPE + "x").exits(122).cooked()
)
on_terminal(
    "terminal: Ctrl-A x, asleep",
    raw_asleep,
    lambda t: t.all_keys().send("x").expect("x").send(ESCAPE + "x").exits(122).cooked(),
)
on_terminal(
    "terminal: Ctrl-A x: result",
    [AXRUN, "--raw-keys", "--json", SPIN, "abc"],
    lambda t: t.expect("abc").send(ESCAPE + "x").expect('"result": "quit", "status": 122').exits(122).cooked(),
)
on_terminal(
    "terminal: how to leave",
    raw_echo,
    lambda t: t.expect("Ctrl-A h helps").all_keys().send(EOT).exits(0).cooked(),
)
on_terminal(
    "terminal: Ctrl-A h",
    raw_echo,
    lambda t: t.all_keys().send(ESCAPE + "h").expect("prints this text").send("x").expect("x").send(EOT).exits(0),
)
on_terminal(
    "terminal: Ctrl-A twice",
    raw_echo,
    lambda t: t.all_keys().send(ESCAPE + ESCAPE + "x").expect(ESCAPE + "x").send(EOT).exits(0),
)
on_terminal(
    "terminal: Ctrl-A is a key otherwise",
    echo,
    lambda t: t.raw().send(ESCAPE + "x").expect(ESCAPE + "x").send(EOT).exits(0),
)
on_terminal(
    "terminal: --raw-keys: stop and continue",
    raw_echo,
    lambda t: t.all_keys().signal(STOP).stopped().cooked()
    .resume().all_keys().send("y").expect("y").send(EOT).exits(0),
)
on_terminal(
    "terminal: --raw-keys: signal", raw_spin, lambda t: t.expect("abc").all_keys().signal(15).killed(15).cooked()
)

# A user who closes the window leaves no process behind. The end of stdin may be faster than the signal.
on_terminal("terminal: hang-up", spin, lambda t: t.expect("abc").raw().hangup().killed(1))
on_terminal(
    "terminal: hang-up, --raw-keys",
    [AXRUN, "--raw-keys", "--irqchip", "kernel", "--cpus", "2", SPIN, "abc"],
    lambda t: t.expect("abc").all_keys().hangup().killed(1),
)
on_terminal(
    "terminal: hang-up of one that exits",
    [AXRUN, "--raw-keys", guest("flood"), "1000000000"],
    lambda t: t.all_keys().hangup().killed(1),
)
on_terminal("terminal: hang-up of one that reads", echo, lambda t: t.raw().hangup().ended())
on_terminal("terminal: hang-up of one that sleeps", asleep, lambda t: t.raw().hangup().ended())
# To a program that ignores the signal it is the end of stdin.
ignoring = ["sh", "-c", 'trap "" HUP; exec "$0" "$@"']
on_terminal("terminal: hang-up, ignored", ignoring + echo, lambda t: t.raw().hangup().exits(0))
on_terminal("terminal: hang-up, ignored: asleep", ignoring + asleep, lambda t: t.raw().hangup().exits(0))
on_terminal(
    "terminal: stdin is no terminal",
    ["sh", "-c", '"$0" "$1" </dev/null', AXRUN, guest("hello")],
    lambda t: t.expect("Hello").exits(0).cooked(),
)

# --- output that goes nowhere ----------------------------------------------------------------------

reader, writer = os.pipe()
os.close(reader)
run = axrun(guest("flood"), "20000", stdout=writer).ends("broken pipe", 125)
run.says("broken pipe: message", "^axrun: cannot write .*Broken pipe$")
if os.access("/dev/full", os.W_OK):
    full = os.open("/dev/full", os.O_WRONLY)
    run = axrun(guest("hello"), stdout=full).ends("full device", 125)
    run.says("full device: message", "^axrun: cannot write .*No space left on device$")
    axrun(guest("crash"), "list", stdout=full).ends("full device outranks the guest's status", 125)
    axrun("--help", stdout=full).ends("full device: --help", 125)
    refused("JSON to a full device", "json", "--json=/dev/full", answer)
    for image in (answer, guest("crash")):
        axrun("--json", image, stderr=full).ends(f"JSON to a full stderr: {image.name}", 125)
axrun("--json", answer, preexec_fn=lambda: os.close(2)).ends("JSON to a closed stderr", 125, "")
axrun(guest("hello"), preexec_fn=lambda: os.close(1)).ends("closed stdout", 125)
axrun(answer, preexec_fn=lambda: os.close(1)).ends("closed stdout, and nothing to write", 42)
axrun(guest("crash"), preexec_fn=lambda: os.close(2)).ends("closed stderr", 126)
# A reader that does not read, and a guest that writes more than a pipe holds.
reader, writer = os.pipe()
run = axrun("--timeout", "5", guest("echo"), text=12000 * "0123456\n", stdout=writer)
run.ends("--timeout while nobody reads", 124)

sys.exit(cases.end())
