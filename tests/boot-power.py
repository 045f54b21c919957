#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""A Debian kernel under axrun ends by reboot, panic, triple fault, time limit and signals, each with its exit status;
many boots in a row and several at once succeed. Needs a usable /dev/kvm and Debian's kernels."""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from boots import KERNEL, alone, beyond_guest, boot, cases, nothing_left, some, start_guest
from axrun import x86

# --- by itself ------------------------------------------------------------------------------------

# A reboot is one of the cases of boot-console.py. With panic=-1 a kernel that panics reboots at once.
run = boot(KERNEL, "then=panic").ends("panic", 123)
cases.check("panic: all of its words come out", "Kernel panic" in run.out, run.evidence)
if x86:
    # With this option such a kernel reboots by a triple fault.
    boot(KERNEL, "then=reboot", append="reboot=t").ends("triple fault", 126)
else:
    cases.skip("triple fault", "only x86_64 has it")
boot(KERNEL, "then=hang", "--timeout", "3").ends("--timeout", 124)

process = start_guest(KERNEL, "then=reboot", "--reboot")
cases.check("--reboot: it boots again", process.appears("boot: userspace", 2), "it does not")
kib = beyond_guest(process.pid)
cases.check(
    "--reboot: at most 5 MiB are resident besides the guest's memory", 0 < kib <= 5120, f"it is {kib} KiB"
)
process.kill(15).wait().ends("--reboot: ends by a signal", 143)

# --- again and again ------------------------------------------------------------------------------

# Without it, the boots of boot-kernels.py are enough.
if os.environ.get("AXVCPU_TEST_LONG"):
    for n in range(1, 51):
        boot(KERNEL, "then=poweroff", "--cpus", "2").off(f"boot {n} in a row")

with ThreadPoolExecutor(2) as both:
    runs = list(both.map(lambda _: boot(KERNEL, "checks,cpus=2", "--cpus", "2"), range(2)))
for n, run in enumerate(runs, 1):
    name = f"two guests at once: the {n}."
    if "FAILED" in run.out or "boot: messages: ok" not in run.out:
        cases.not_ok(name, "not all is well", run.evidence)
    else:
        run.off(name)

# --- signals --------------------------------------------------------------------------------------

if alone():
    for number in (9, 15, 1):
        # At some time in the first four seconds.
        tenths = some()
        process = start_guest(KERNEL, "then=hang", "--cpus", "2")
        time.sleep(tenths / 10)
        name = f"signal {number} after 0.1 s times {tenths}"
        process.kill(number).wait().ends(name, 128 + number)
        nothing_left(name)

sys.exit(cases.end())
