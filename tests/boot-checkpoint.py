#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""A Debian kernel that is saved and restored 20 times while it boots and looks at its machine finds it as one that was
not; and it mixes the new generation ids into its random numbers. Needs a usable /dev/kvm and Debian's kernels."""

from __future__ import annotations

import re
import signal
import sys

from boots import CHECKS, KERNEL, arguments, cases, lost, say_lost
from axrun import start
from cases import LIMIT, WORK, Run

SAVED = 121
SAVES = 20
# So many at any time, in growing intervals; if the first program has not started then, one as it starts; the others
# during its checks, which take three seconds.
EARLY = 12
FILE = WORK / "machine"
USERSPACE = "boot: userspace"


def step(saves: int, seconds: float, started: bool) -> Run:
    """From one save to the next, or to the end of the guest."""
    options = ["--save", FILE] if saves < SAVES else []
    waits = saves == EARLY and not started
    if options and not waits:
        options += ["--save-at", f"{seconds:.3f}"]
    boots = [*arguments(KERNEL, "checks,generation,cpus=2"), "--cpus", "2"]
    process = start(*options, "--timeout", str(LIMIT), *(["--restore", FILE] if saves else boots))
    if waits and process.appears(USERSPACE):
        process.kill(signal.SIGUSR1)
    return process.wait()


def interrupted() -> tuple[int, str, Run]:
    """A guest that is saved and restored: how often, its output, and its last run."""
    out, saves, seconds, again = "", 0, 0.05, True
    while True:
        started = USERSPACE in out
        run = step(saves, 0.2 if started else seconds, started)
        if again and run.status in (124, 126) and lost(run.err, 256):
            say_lost(f"{KERNEL}, after {saves} saves", run.err)
            again = False
            continue
        out += run.out
        if run.status != SAVED:
            return saves, out.replace("\r", ""), run
        saves += 1
        print(f"save {saves}: {FILE.stat().st_blocks // 2} KiB", "userspace" if USERSPACE in out else "", flush=True)
        seconds *= 1.2


saves, out, last = interrupted()
cases.check(f"it was saved and restored {SAVES} times", saves == SAVES, f"{saves} times", last.evidence)
for check in CHECKS:
    found = re.search(f"^boot: {check}:.*", out, re.MULTILINE)
    result = found[0] if found else "no word of it"
    cases.check(check, result == f"boot: {check}: ok", result)
ends = last.status == 0 and re.search(r"^boot: end\n.*reboot: Power down\n\Z", out, re.MULTILINE)
cases.check("it turned itself off", ends, out, last.evidence)

# Before the driver starts, a change is not announced.
found = re.search("boot: generation: ([0-9]+) times", out)
cases.check("the kernel has seen new generations", found and 1 <= int(found[1]) <= SAVES, str(found and found[0]))

sys.exit(cases.end())
