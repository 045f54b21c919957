#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""axrun runs the example guests with each mode of --irqchip: several CPUs, their IPIs, the timer's interrupt and
the console's; the device tree describes the controller. Needs a usable /dev/kvm. Arguments are the only modes to
test; "none" alone says that KVM has no interrupt controllers here."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

from axrun import MACHINE, axrun, cases, check_guests, checks, crash_kinds, guest, here, refused, start, times_out, x86
from cases import WORK

irqchips = sys.argv[1:] or here.irqchips

# The device tree name of --irqchip kernel, and the number of CPUs that KVM supports. Of an arm64 host's GICs
# axrun takes the newest, which is the host's own; if that is a GICv2, no VM has more CPUs than one takes.
CONTROLLERS = ["arm,gic-v3", "arm,cortex-a15-gic", "riscv,aplic"]
controller = ""
most = 64
if MACHINE == "riscv64":
    controller = "riscv,aplic"
elif MACHINE == "aarch64":
    controller = "arm,gic-v3"
    if "GICv3" not in Path("/proc/interrupts").read_text():
        controller = "arm,cortex-a15-gic"
        most = 8

# --- host features -------------------------------------------------------------------------------

axrun(guest("hello")).ends("no --irqchip", 0)
if irqchips == ["none"]:
    refused("--irqchip kernel", "this KVM has no", "--irqchip", "kernel", guest("hello"))

# --- several CPUs, and interrupts -----------------------------------------------------------------

guests = check_guests()
for irqchip in irqchips:
    option = ["--irqchip", irqchip]
    name = " ".join(option)
    run = axrun(*option, guest("hello"))
    if run.status == 125 and "lacks" in run.err:
        cases.skip(name, run.err.strip())
        continue
    run.ends(name, 0)
    checks(f"{name}: interrupt", axrun(*option, guest("interrupt")))
    for cpus in (1, 2, 4):
        several = [*option, "--cpus", str(cpus)]
        numbers = " ".join(several)
        run = checks(f"{numbers}: smp", axrun(*several, guest("smp")))
        total = cpus * (cpus + 1) // 2 * 100
        if not run.matches(f"^smp: {cpus} CPUs*, sum {total}$", "out"):
            cases.not_ok(f"{numbers}: smp: sum", "another one", run.evidence)
        checks(f"{numbers}: ipi", axrun(*several, guest("ipi"), "2"))
        if not x86:
            checks(f"{numbers}: power", axrun(*several, guest("power"), "cpus"))
    run = axrun(*option, "--cpus", "3", guest("crash"), crash_kinds()[0], "2")
    run.ends(f"{name}: crash of a CPU", 126, "")
    run.says(f"{name}: crash of a CPU: which", "^axrun: the guest crashed: vCPU 2: ")
    times_out(f"{name}: --timeout", "partial", *option, "--cpus", "2", guest("spin"), "partial")
    for check in guests:
        checks(f"{name}: {check}", axrun(*option, "--cpus", "2", guest(check)))
    checks(f"{name}: {most} CPUs", axrun(*option, "--cpus", str(most), guest("smp"), "3"))
    if most < 64:
        limit = f"KVM_CAP_MAX_VCPUS is {most}"
        refused(f"{name}: more than {most} CPUs", limit, *option, "--cpus", str(most + 1), guest("smp"))

# --- device tree nodes ---------------------------------------------------------------------------

# Bytes of the nodes, in hexadecimal: addresses and sizes; and interrupts, each of which is a PPI, a level, and
# has a bit for each CPU.
NODES = {
    "arm,gic-v3": {
        "GICv3: distributor, two redistributors":
            "0000000008000000 0000000000010000 00000000080a0000 0000000000040000",
    },
    "arm,cortex-a15-gic": {
        "GICv2: distributor, CPU interface":
            "0000000008000000 0000000000001000 0000000008010000 0000000000002000",
        "GICv2: the timer's interrupts go to both CPUs": "00000001 0000000d 00000304 00000001 0000000e 00000304",
    },
}
if not x86:
    dtb = WORK / "dtb"
    for irqchip in irqchips:
        name = f"--dump-dtb, --irqchip {irqchip}"
        axrun("--irqchip", irqchip, "--dump-dtb", dtb, "--cpus", "2", guest("hello"), "x").ends(name, 0)
        tree = dtb.read_bytes()
        cases.check(f"{name}: a device tree", tree.startswith(bytes.fromhex("d00dfeed")), "it is none")
        found = re.findall("|".join(CONTROLLERS), tree.decode("latin-1"))
        expected = [] if irqchip == "none" else [controller]
        cases.check(f"{name}: controller: {' '.join(expected) or 'none'}", found == expected, *found)
        for node in expected:
            for what, content in NODES.get(node, {}).items():
                cases.check(what, bytes.fromhex(content) in tree, f"the tree lacks {content}")

# --- the console's interrupt: at once, later, at the end of stdin, and for more than any buffer holds --

if x86:
    axrun("--irqchip", "split", guest("echo"), "asleep").ends("echo asleep: no line", 2)
axrun("--irqchip", "none", guest("echo"), "asleep").ends("echo asleep: no interrupt", 2)
if irqchips == ["none"]:
    sys.exit(cases.end())
asleep = ["--irqchip", "kernel", "--stats", guest("echo"), "asleep"]
axrun(*asleep, text="one\ntwo").ends("echo asleep", 0, "one\ntwo")
text = "".join(f"line {n}\n" for n in range(600))
axrun("--irqchip", "kernel", guest("echo"), "asleep", text=text).ends("echo asleep: 5 kB", 0, text)
reader, writer = os.pipe()
process = start(*asleep, stdin=reader)
for key in (b"a", b"b"):
    time.sleep(0.5)
    os.write(writer, key)
os.close(writer)
run = process.wait().ends("echo asleep: slow stdin", 0, "ab")
run.says("echo asleep: it does not ask", "^axrun: [0-9][0-9] exits")

sys.exit(cases.end())
