#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""A Debian kernel that is saved and restored again and again while it boots looks at its machine and finds the same as
one that was not; and it mixes the new generation ids into its random numbers. Needs a usable /dev/kvm and Debian's
kernels."""

from __future__ import annotations

import re
import sys
import time

from boots import KERNEL, arguments, boot, cases
from axrun import axrun
from cases import LIMIT, WORK

SAVED = 121
SAVES = 20
FILE = WORK / "machine"


def checked(out: str) -> list[str]:
    """The names of the checks that are ok."""
    return re.findall(r"^boot: ([a-z]+): ok$", out.replace("\r", ""), re.MULTILINE)


def interrupted(seconds: float, *options: str) -> tuple[int, str, str]:
    """A guest that is saved every so many seconds of its run: how often, its output, and of the last run stderr."""
    out, saves = "", 0
    words = [*arguments(KERNEL, "checks,generation,cpus=2"), "--cpus", "2", *options]
    while True:
        again = ["--save", FILE, "--save-at", f"{seconds:.3f}"] if saves < SAVES else []
        run = axrun(*again, "--timeout", str(LIMIT), *words)
        out += run.out
        if run.status != SAVED:
            return saves, out, run.evidence
        saves += 1
        words = ["--restore", FILE]


begin = time.monotonic()
whole = boot(KERNEL, "checks,generation,cpus=2", "--cpus", "2").off("a boot without interruption")
took = time.monotonic() - begin
cases.check("its generation has not changed", "boot: generation: 0 times" in whole.out, whole.evidence)

saves, out, evidence = interrupted(took / (SAVES * 1.5))
cases.check(f"it was saved and restored {SAVES} times", saves == SAVES, f"{saves} times", evidence)
names, expected = checked(out), checked(whole.out)
cases.check("the same checks are ok", names == expected and expected, f"{names}, not {expected}", evidence)
cases.check("it turned itself off", re.search(r"boot: end\r?\n.*reboot: Power down", out), evidence)

# The kernel has the driver since Linux 5.18, for device trees since 6.10; before the driver starts, a change is not
# announced.
found = re.search("boot: generation: ([0-9]+) times", out)
release = re.search(r"boot: this is Linux ([0-9]+)\.([0-9]+)", out)
if not found or not release or (int(release[1]), int(release[2])) < (6, 10):
    cases.skip("the kernel has seen new generations", "it has no driver for them")
else:
    cases.check("the kernel has seen new generations", 1 <= int(found[1]) <= SAVES, found[0])

sys.exit(cases.end())
