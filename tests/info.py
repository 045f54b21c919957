#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""axvcpu-info refuses wrong command lines, names the obstacle for devices that are no KVM and for missing permission,
and reports on a usable KVM. Runs from the top of a build tree, or of the machine of scripts/nested. The cases of a
usable KVM need a usable /dev/kvm, those of permission need root.

Arguments are the interrupt controllers that KVM has here, or "none"; without them, those of the usual machine of
scripts/nested, and elsewhere any.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from cases import WORK, Cases, Run

INFO = os.environ.get("INFO") or os.path.abspath("examples/axvcpu-info/axvcpu-info")
os.environ.pop("AXVCPU_KVM_MIPS", None)
cases = Cases()


def info(*arguments: str | Path, mips: str | None = None, **options: Any) -> Run:
    """axvcpu-info, with that speed of KVM instead of the measured one."""
    env = dict(os.environ) if mips is None else {**os.environ, "AXVCPU_KVM_MIPS": mips}
    return cases.run(INFO, *arguments, env=env, **options)


def ends(name: str, run: Run, status: int, pattern: str, where: str = "out") -> None:
    """A case: it ended with that status, and its output has a line with the pattern."""
    good = run.status == status and run.matches(pattern, where)
    cases.check(name, good, f"expected status {status}, and on std{where}: {pattern}", run.evidence)


def refused(name: str, pattern: str, run: Run) -> None:
    """A case: status 2, and nothing on stdout."""
    if run.out:
        cases.not_ok(f"refused: {name}", "something on stdout", run.evidence)
    else:
        ends(f"refused: {name}", run, 2, pattern, "err")


def report(run: Run) -> dict[str, Any]:
    """The report of --json."""
    try:
        return json.loads(run.out)
    except ValueError:
        return {}


def obstacle(name: str, codes: str, run: Run) -> Run:
    """A case: the report says, by one of these words, why KVM is unusable."""
    code = report(run).get("obstacle", "")
    if code in codes.split():
        ends(name, run, 1, '"usable": false, "speed": "none"')
    else:
        cases.not_ok(name, f"obstacle '{code}', not {codes}", run.evidence)
    return run


# --- the command line -----------------------------------------------------------------------------

ends("--help", info("--help"), 0, "^Usage: axvcpu-info")
ends("--version", info("--version"), 0, r"^axvcpu-info [0-9.]* \(libaxvcpu [0-9.]*\)$")
refused("an unknown option", "no-such", info("--no-such"))
refused("two devices", "more than one DEVICE: b", info("a", "b"))
refused("two formats", "cannot be combined", info("--json", "--kvm-speed"))
for mips in ("x", "1x", "0", "-1", "nan", "inf"):
    refused(f"AXVCPU_KVM_MIPS={mips}", f"must be a number above 0, but is {mips}", info("--kvm-speed", mips=mips))
if os.access("/dev/full", os.W_OK):
    run = info("--json", "/dev/null", stdout=os.open("/dev/full", os.O_WRONLY))
    ends("a full disk", run, 2, "stdout: No space left", "err")
else:
    cases.skip("a full disk", "there is no /dev/full")

# --- devices that are no KVM ----------------------------------------------------------------------

MISSING = "no_extension no_nested_virtualization module_not_loaded not_in_container no_node no_el2"
file = WORK / "file"
file.touch()
obstacle("a file", "not_kvm", info("--json", file))
obstacle("a folder", "not_kvm", info("--json", WORK))
obstacle("a device that is no KVM", "not_kvm", info("--json", "/dev/null"))
obstacle("no device", MISSING, info("--json", WORK / "none"))
run = obstacle("no folder", MISSING, info("--json", file / "none"))
cases.check("the report is JSON", report(run), run.evidence)

run = info(file)
ends("for a person", run, 1, rf"^KVM is not usable: {file} is not a character device\.$")
cases.check("for a person: advice", run.matches("^  [A-Z]", "out") and not run.err, run.evidence)
for mips in ("", "1", "1000"):
    run = info("--kvm-speed", "/dev/null", mips=mips)
    name = f"--kvm-speed: none{mips and f', AXVCPU_KVM_MIPS={mips}'}"
    if run.out != "none\n":
        cases.not_ok(name, "not the word", run.evidence)
    else:
        ends(name, run, 1, "^KVM is not usable: /dev/null can be opened, but is not KVM", "err")

# --- no permission --------------------------------------------------------------------------------


def made_device() -> bool:
    try:
        os.mknod(WORK / "kvm", 0o020600, os.makedev(10, 232))
    except OSError:
        return False
    return True


def as_nobody(command: str) -> Run:
    return cases.run("su", "-s", "/bin/sh", "nobody", "-c", command)


if os.geteuid() != 0 or not made_device():
    cases.skip("permission", "it takes root to create a device")
elif as_nobody(f"'{INFO}' --version").status != 0:
    cases.skip("permission", f"user nobody cannot run {INFO}")
else:
    for mode in ("000", "600", "640", "660"):
        os.chmod(WORK / "kvm", int(mode, 8))
        code = "group" if mode == "660" else "mode"
        obstacle(f"mode {mode}, user nobody", code, as_nobody(f"'{INFO}' --json '{WORK}/kvm'"))

# --- a usable KVM ---------------------------------------------------------------------------------

usable = info("--json")
kvm = report(usable)
if usable.status != 0:
    cases.skip("a usable KVM", kvm.get("message", "no report"))
    sys.exit(cases.end())
ends("the report", usable, 0, '"usable": true')
arch, speed, mips, flavour = (kvm.get(name) for name in ("arch", "speed", "mips", "flavour"))
FLAVOURS = {"x86_64": ["vmx", "svm"], "arm64": ["vhe", "nvhe"], "riscv64": ["h"]}
if flavour in [*FLAVOURS.get(arch, []), "interpreted"]:
    cases.ok(f"flavour: {flavour}")
else:
    cases.not_ok("flavour", str(flavour))
# An interpreted guest is slow, and no other.
slow = flavour == "interpreted"
if speed == ("slow" if slow else "fast") and (mips < 10) == slow:
    cases.ok(f"speed: {speed}, {mips} million instructions per second")
else:
    cases.not_ok("speed", f"{mips} million instructions per second")
controllers = sys.argv[1:]
if Path("/plan").exists():
    cases.check("an emulated machine's KVM is fast", speed == "fast", speed)
    usual = {"x86_64": ["kernel", "split"], "arm64": ["gicv3", "its"], "riscv64": ["aia"]}
    controllers = controllers or usual[arch]
print(f"an exit: {kvm.get('exit_ns')} ns, {kvm.get('exit')}")
for name in "exit_ns gpa_bits page_table_levels max_vcpus recommended_vcpus memory_slots page_size".split():
    cases.check(f"report: {name}", kvm.get(name, 0) > 0, str(kvm.get(name)))
if controllers:
    found = [name for name, there in kvm["irqchips"].items() if there]
    expected = [] if controllers == ["none"] else controllers
    cases.check(f"irqchips: {' '.join(controllers)}", found == expected, *found)

run = info()
ends("for a person: usable", run, 0, "^KVM is usable: ")
for title in (f"speed  *{speed}: ", "exit", "guest-physical", "vCPUs", "memory slots", "irqchips", "forwards",
              "capabilities"):
    ends(f"for a person: {title}", run, 0, f"^  {title}")

for mips, word in (("1", "slow"), ("9.99", "slow"), ("10", "fast")):
    ends(f"--kvm-speed: AXVCPU_KVM_MIPS={mips}: {word}", info("--kvm-speed", mips=mips), 0, f"^{word}$")
    run = info("--json", mips=mips)
    cases.check(f"--json: AXVCPU_KVM_MIPS={mips}: {word}", report(run).get("speed") == word, run.evidence)
run = info("--kvm-speed", mips="1")
ends("slow: the reason", run, 0, r"^KVM is usable, but interprets guest code: 1\.0 million", "err")
ends("slow: the flavour", info(mips="1"), 0, "^  flavour  *interpreted")
run = info("--kvm-speed")
good = run.status == 0 and run.out == f"{speed}\n"
cases.check("--kvm-speed: measured", good, f"not {speed}", run.evidence)

sys.exit(cases.end())
