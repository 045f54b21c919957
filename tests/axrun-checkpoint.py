#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""Example guests that are saved go on in a second axrun with the same output, also on a terminal; clones share the
memory of the file; --repeat returns to the first write to the doorbell; damaged files and options that do not fit are
refused. Needs a usable /dev/kvm."""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from axrun import AXRUN, EOT, axrun, cases, guest, here, on_terminal, refused, start
from cases import LIMIT, WORK

SAVED = 121
FILE = WORK / "machine"


def lines(*words: str) -> str:
    """The output of the guest "checkpoint"."""
    return "".join(f"checkpoint: {word}\n" for word in words)


FIRST = lines("begin")


def round_of(restored: int) -> str:
    return lines("as before: ok", f"restored: {restored}")


run = axrun(guest("checkpoint"))
run.ends("without options the doorbell has no effect", 0, FIRST + round_of(0) + lines("end"))

# --- at the doorbell ------------------------------------------------------------------------------


def words(arguments: Iterable[str | Path]) -> str:
    """Arguments as part of a name, which is the same in each run."""
    return " ".join(each.name if isinstance(each, Path) else each for each in arguments)


def save(*arguments: str | Path, file: Path = FILE, **options: str) -> None:
    """Saves the guest "checkpoint" at its first write to the doorbell."""
    run = axrun("--save", file, "--save-at", "doorbell", *arguments, **options)
    run.ends(f"saved at the doorbell: {words(arguments)}", SAVED, FIRST)


def exists(irqchip: str) -> bool:
    run = axrun("--irqchip", irqchip, guest("checkpoint"))
    return run.status != 125 or not run.matches("lacks|this KVM has no")


for irqchip in here.irqchips:
    for cpus in ("1", "4"):
        options = ["--irqchip", irqchip, "--cpus", cpus]
        name = f"irqchip {irqchip}, {cpus} CPUs"
        if not exists(irqchip):
            cases.skip(name, "the host's KVM has no such interrupt controller")
            continue
        save(*options, guest("checkpoint"))
        for n in (1, 2):
            run = axrun("--restore", FILE)
            run.ends(f"{name}: restored, time {n}", 0, round_of(1) + lines("end"))

mode = stat.S_IMODE(FILE.stat().st_mode)
cases.check("only the owner may read the file", mode == 0o600, oct(mode))
beside = [path.name for path in WORK.glob("machine.*")]
cases.check("no other file is left", not beside, *beside)

save(guest("checkpoint"))
SECOND = WORK / "second"
run = axrun("--restore", FILE, "--save", SECOND, "--save-at", "doorbell")
run.ends("a restored machine is saved", SAVED, round_of(1))
axrun("--restore", SECOND).ends("and restored", 0, lines("end"))
run = axrun("--restore", FILE, "--save", FILE, "--save-at", "doorbell")
run.ends("a restored machine is saved to its own file", SAVED, round_of(1))
axrun("--restore", FILE).ends("and restored from there", 0, lines("end"))

save(guest("checkpoint"), "input", text="xyz")
run = axrun("--restore", FILE, text="q")
run.ends("input that was not read before comes from the new stdin", 0, round_of(1) + lines("input: q", "end"))

save(guest("checkpoint"))
run = axrun("--restore", FILE, "--json")
result = json.loads(run.err.splitlines()[-1])
cases.check("--json: how often it was restored", result.get("checkpoint") == {"restored": 1}, run.evidence)
cases.check("--json: the result", result.get("result") == "exit", run.evidence)
before = axrun("--json", guest("checkpoint"))
exits = [json.loads(each.err.splitlines()[-1])["stats"]["exits"] for each in (run, before)]
# The stop itself may be another exit or two, and so may a kick.
cases.check("statistics go on", exits[0] >= exits[1] - 1, str(exits))

# --- at any time ----------------------------------------------------------------------------------


def finish(out: str) -> str:
    """The rest of a guest that was saved, from one file to the next; in many steps."""
    for _ in range(20):
        run = axrun("--restore", FILE, "--save", FILE, "--save-at", "0.05")
        out += run.out
        if run.status != SAVED:
            break
    if run.status == SAVED:
        run = axrun("--restore", FILE)
        out += run.out
    return out if run.status == 0 else run.evidence


for name, *arguments in (
    ("memory",),
    ("mmio",),
    ("hypercall", "2000"),
    ("interrupt",),
    ("smp",),
    ("ipi",),
):
    cpus = "4" if name in ("smp", "ipi") else "1"
    expected = axrun("--cpus", cpus, guest(name), *arguments)
    run = axrun("--cpus", cpus, "--save", FILE, "--save-at", "0.02", guest(name), *arguments)
    if run.status != SAVED:
        cases.skip(f"{name}: saved while it runs", "it ended before")
        continue
    out = finish(run.out)
    # Those that measure print figures.
    good = "FAILED" not in out and len(out.splitlines()) == len(expected.out.splitlines())
    cases.check(f"{name}: saved while it runs, and finished elsewhere", good, out)

process = start("--save", FILE, guest("spin"), "here")
process.appears("here")
process.kill(signal.SIGUSR1).wait().ends("SIGUSR1 saves", SAVED, "here")
axrun("--restore", FILE, "--timeout", "0.5").ends("and it goes on", 124, "")
process = start(guest("spin"), "here")
process.appears("here")
process.kill(signal.SIGUSR1).wait().ends("without --save SIGUSR1 ends axrun", 128 + signal.SIGUSR1)

# --- on a terminal --------------------------------------------------------------------------------

ESCAPE = "\1"
for name, *arguments in (("polls", "--irqchip", "none"), ("sleeps", "--irqchip", "kernel")):
    if not exists(arguments[1]):
        cases.skip(f"terminal: a guest that {name}", "the host's KVM has no such interrupt controller")
        continue
    echo = [guest("echo"), *(["asleep"] if name == "sleeps" else [])]
    on_terminal(
        f"terminal: a guest that {name}: Ctrl-A s saves",
        [AXRUN, "--raw-keys", "--save", FILE, *arguments, *echo],
        lambda t: t.all_keys().send("ab").expect("ab").send(ESCAPE + "s").exits(SAVED).cooked(),
    )
    on_terminal(
        f"terminal: a guest that {name}: restored",
        [AXRUN, "--restore", FILE],
        lambda t: t.raw().send("c\rd").expect("c").expect("d").send(EOT).exits(0).cooked(),
    )
    on_terminal(
        f"terminal: a guest that {name}: restored, with all keys, and saved",
        [AXRUN, "--raw-keys", "--restore", FILE, "--save", FILE],
        lambda t: t.all_keys().send("e\3").expect("e\3").send(ESCAPE + "s").exits(SAVED).cooked(),
    )
    on_terminal(
        f"terminal: a guest that {name}: restored again",
        [AXRUN, "--raw-keys", "--restore", FILE],
        lambda t: t.all_keys().send("f").expect("f").send(EOT).exits(0).cooked(),
    )
on_terminal(
    "terminal: Ctrl-A s without --save",
    [AXRUN, "--raw-keys", guest("echo")],
    lambda t: t.all_keys().send(ESCAPE + "s").expect("without --save").send("g").expect("g").send(EOT).exits(0),
)

# --- side by side ---------------------------------------------------------------------------------


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def shared_kib(pid: str) -> int:
    """How much of the file a process has in common with others."""
    file, kib = False, 0
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        key, *values = line.split()
        if not key.endswith(":"):
            file = line.endswith(str(FILE))
        elif file and key in ("Shared_Clean:", "Shared_Dirty:"):
            kib += int(values[0])
    return kib


save(guest("checkpoint"))
run = axrun("--restore", FILE, "--clone", "5")
found = run.out.splitlines()
for n in range(1, 6):
    mine = "".join(line.removeprefix(f"{n}: ") + "\n" for line in found if line.startswith(f"{n}: "))
    good = run.status == 0 and mine == round_of(1) + lines("end")
    cases.check(f"--clone: the output of clone {n}", good, run.evidence)
cases.check("--clone: there is no other output", len(found) == 5 * 3, run.evidence)
process = start("--save", FILE, guest("spin"), "here")
process.appears("here")
process.kill(signal.SIGUSR1).wait().ends("spin is saved", SAVED)
run = axrun("--restore", FILE, "--clone", "3", "--timeout", "0.5")
run.ends("--clone: the status is that of the clones", 124, "")
process = start("--restore", FILE, "--clone", "3")
end = time.monotonic() + LIMIT
pages: list[int] = []
while (len(pages) < 3 or 0 in pages) and time.monotonic() < end:
    time.sleep(0.1)
    pages = [shared_kib(pid) for pid in children(process.pid)]
cases.check("--clone: pages of the file are in all clones", len(pages) == 3 and all(pages), f"{pages} KiB")
process.kill(signal.SIGTERM).wait().ends("--clone: a signal ends all", 128 + signal.SIGTERM, "")

# --- rounds ---------------------------------------------------------------------------------------

run = axrun("--repeat", "5", guest("checkpoint"))
run.ends("--repeat 5", 0, FIRST + "".join(map(round_of, range(5))) + lines("end"))
run = axrun("--repeat", "1", guest("checkpoint"))
run.ends("--repeat 1", 0, FIRST + round_of(0) + lines("end"))
run = axrun("--repeat", "3", guest("checkpoint"), "input", text="abc")
run.ends(
    "--repeat: each round reads on in the input",
    0,
    FIRST + "".join(round_of(n) + lines(f"input: {key}") for n, key in enumerate("abc")) + lines("end"),
)
run = axrun("--repeat", "4", "--json", "--cpus", "2", guest("checkpoint"))
result = json.loads(run.err.splitlines()[-1]).get("checkpoint", {})
good = result.get("resets") == 3 and result.get("pages", 0) >= 3 * 8
cases.check("--repeat: --json counts resets and pages", good, run.evidence)
run = axrun("--repeat", "4", "--stats", guest("checkpoint"))
run.says("--repeat: --stats", "^axrun: 3 resets in [0-9.]* s, [0-9]* pages written$")

# --- files ----------------------------------------------------------------------------------------

save(guest("checkpoint"))
axrun("--verify", FILE).ends("--verify", 0).says("--verify: what there is", "^.*: ok: 1 vCPUs, .* KiB", "out")
whole = FILE.read_bytes()
BAD = WORK / "bad"


def refused_file(name: str, contents: bytes, pattern: str = "") -> None:
    BAD.write_bytes(contents)
    refused(f"--restore, {name}", f"--restore .*bad: .*{pattern}", "--restore", BAD)
    refused(f"--verify, {name}", f"--verify .*bad: .*{pattern}", "--verify", BAD)


refused_file("an empty file", b"")
refused_file("a text", b"This is no checkpoint.\n" * 1000)
refused_file("the first half", whole[: len(whole) // 2])
refused_file("a changed header", bytes([whole[0] ^ 1]) + whole[1:])
# Memory is only checked by --verify. Its last page that is not zero is the end of the file.
at = len(whole.rstrip(b"\0")) - 1
BAD.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
refused("--verify, changed memory", "--verify .*bad: ", "--verify", BAD)
PIPE = WORK / "pipe"
os.mkfifo(PIPE)
refused("--restore, a pipe", "--restore .*pipe: ", "--restore", PIPE)
refused("--restore, a directory", "--restore .*: ", "--restore", WORK)
refused("--restore, no such file", "No such file", "--restore", WORK / "none")
run = axrun("--save", WORK / "none/file", "--save-at", "doorbell", guest("checkpoint"))
run.ends("--save, no such directory", 125, FIRST).says("--save: the message", "^axrun: --save .*No such file")

# --- options --------------------------------------------------------------------------------------

for options, pattern in (
    (["--save-at", "doorbell", guest("hello")], "no --save"),
    (["--save", FILE, "--save-at", "never", guest("hello")], "doorbell, or seconds"),
    (["--save", FILE, "--save-at", "0", guest("hello")], "doorbell, or seconds"),
    (["--save", "", guest("hello")], "empty"),
    (["--clone", "2", guest("hello")], "no --restore"),
    (["--restore", FILE, "--clone", "0"], "from 1 to 64"),
    (["--restore", FILE, "--clone", "2", "--json"], "one file"),
    (["--repeat", "0", guest("hello")], "rounds"),
    (["--repeat", "2", "--reboot", guest("hello")], "--reboot"),
    (["--repeat", "2", "--save", FILE, "--save-at", "doorbell", guest("hello")], "both use"),
    (["--restore", FILE, guest("hello")], "guest is in this file"),
    (["--restore", FILE, "--cpus", "2"], "machine is in this file"),
    (["--restore", FILE, "--memory", "1G"], "machine is in this file"),
    (["--restore", FILE, "--reboot"], "machine is in this file"),
):
    refused(words(options), pattern, *options)

sys.exit(cases.end())
