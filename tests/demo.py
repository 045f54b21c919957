#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""scripts/demo runs each part where it should, with programs in place of axvcpu-info that answer fast, slow and none;
and the plan is what runs, in a copy of the tree where each part only notes that it did. Needs no /dev/kvm."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

sys.dont_write_bytecode = True
from cases import SOURCE, WORK, Cases, Run, read_text  # noqa: E402

cases = Cases()
HERE = {"aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
OTHERS = [arch for arch in ("arm64", "riscv64", "x86_64") if arch != HERE]
TREE = WORK / "tree"
CALLS = WORK / "calls"

# --- programs replaced by others ------------------------------------------------------------------


def program(path: Path, text: str) -> Path:
    """A shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}")
    path.chmod(0o755)
    return path


ANSWER = """\
[ "$*" = --kvm-speed ] || exit 2
echo "the reason for {speed}" >&2
echo {speed}
exit {usable}
"""
INFO = {
    speed: program(WORK / "bin" / speed, ANSWER.format(speed=speed, usable=int(speed == "none")))
    for speed in ("fast", "slow", "none")
}
INFO["silent"] = program(WORK / "bin/silent", "exit 1\n")

(TREE / "tests/nested").mkdir(parents=True)
for path in (SOURCE / "tests/nested").glob("*.toml"):
    shutil.copy(path, TREE / "tests/nested")
# configure is newer than its sources.
for name in ("configure.ac", "Makefile.am", "Makefile.in"):
    (TREE / name).touch()
program(TREE / "configure", f"""\
: >config.status
mkdir -p examples/guests
printf '%s\\n' 'all:' 'examples/axvcpu-info/axvcpu-info:' \\
	'	mkdir -p examples/axvcpu-info && cp {INFO["none"]} $@' >Makefile
""")
# Says which packages are missing, if $lacking has the set; only root can install them.
program(TREE / "scripts/install-deps", """\
for set in "$@"; do
	case " $lacking " in
	*" $set "*)
		echo "install-deps: this needs root: $set" >&2
		exit 1
		;;
	esac
done
""")
for name in ("debian", "show"):
    program(TREE / "scripts" / name, f'echo "{name} $*" >>{CALLS}\n')
# The architecture, and those of the commands for its machine.
program(TREE / "scripts/nested", f"""\
while [ "${{1#-}}" != "$1" ]; do
	case $1 in -t | -f) shift ;; esac
	shift
done
commands=
for word in show hello boot-debian; do
	case $4 in *$word*) commands="$commands $word" ;; esac
done
echo "nested $1:$commands" >>{CALLS}
# All that reads has to leave the plan to the demo.
cat >/dev/null
[ "$1" != "${{failing-}}" ] || exit 3
""")
for name in ("demo", "lib.sh"):
    shutil.copy(SOURCE / "scripts" / name, TREE / "scripts")


def demo(*arguments: str, speed: str = "", lacking: str = "", failing: str = "") -> tuple[Run, str]:
    """scripts/demo, and which parts have run."""
    unset = ("AXVCPU_INFO", "AXVCPU_KVM_MIPS", "AXVCPU_CACHE")
    env = {name: value for name, value in os.environ.items() if name not in unset}
    env |= {"lacking": lacking, "failing": failing}
    if speed:
        env["AXVCPU_INFO"] = str(INFO[speed])
    CALLS.write_text("")
    run = cases.run(TREE / "scripts/demo", *arguments, env=env, cwd=WORK)
    return run, read_text(CALLS)


def shows(name: str, run: Run, found: str, expected: str) -> None:
    """A case: it ended well, and that is what was found."""
    good = run.status == 0 and found == expected
    cases.check(name, good, f"not: {expected}", f"but: {found}", run.evidence)


# --- the command line -----------------------------------------------------------------------------

demo("--help")[0].says("--help", "^usage: scripts/demo", "out")
run, calls = demo("--no-such")
cases.check("an unknown option", run.status == 2 and not run.out and not calls, run.evidence)

# --- the plan -------------------------------------------------------------------------------------

emulated = "".join(f"emulated {arch} guest+linux\n" for arch in OTHERS)


def plan(speed: str) -> tuple[Run, str]:
    """The plan without its comments."""
    run, calls = demo("--dry-run", speed=speed)
    if calls or (TREE / "build").exists():
        plan_effects.append(f"{speed}: {calls}")
    return run, "".join(re.findall("^(?:native|emulated) .*\n", run.out, re.MULTILINE))


plan_effects: list[str] = []
run, _ = plan("fast")
shows("the plan where KVM is fast", run, run.out, f"native {HERE} guests\nnative {HERE} linux\n{emulated}")
run, lines = plan("slow")
shows("the plan where KVM is slow", run, lines, f"native {HERE} guests\nemulated {HERE} linux\n{emulated}")
run.says("slow: why", "^the reason for slow$")
run.says("slow: what follows", "^So Debian's kernel runs in an emulated machine", "out")
run, lines = plan("none")
shows("the plan where KVM is not usable", run, lines, f"emulated {HERE} guests+linux\n{emulated}")
run.says("none: why", "^the reason for none$")
run.says("none: what follows", "^So the guests run on KVM in an emulated machine", "out")
cases.none_wrong("a plan runs and builds nothing", plan_effects)
run, _ = plan("silent")
good = run.status == 1 and run.matches("no answer$") and not run.out
cases.check("no plan without an answer", good, run.evidence)

# --- steps run ------------------------------------------------------------------------------------

others = "".join(f"nested {arch}: hello boot-debian\n" for arch in OTHERS)
all_emulated = f"nested {HERE}: show boot-debian\n"

shows("fast: all of this machine's is native", *demo(speed="fast"), f"show \ndebian \n{others}")
slow = f"show \nnested {HERE}: boot-debian\n{others}"
shows("slow: the guests are native, Linux is not", *demo(speed="slow"), slow)
shows("none: nothing is native", *demo(speed="none"), all_emulated + others)
shows("without AXVCPU_INFO axvcpu-info is built", *demo(), all_emulated + others)

# --- failures -------------------------------------------------------------------------------------

failing = OTHERS[0]
run, calls = demo(speed="fast", failing=failing)
good = run.status == 1 and calls.count("\n") == 3 and run.matches(f"^demo: {failing}: status 3$")
cases.check("a failing part ends the demo", good, calls, run.evidence)

# --- missing parts --------------------------------------------------------------------------------


def lacks(name: str, lacking: str, speed: str, status: int, expected: str) -> Run:
    """A case: install-deps cannot install that set."""
    run, calls = demo(speed=speed, lacking=lacking)
    named = run.matches(f"^install-deps: this needs root: {lacking}$")
    cases.check(name, run.status == status and calls == expected and named, f"ran: {calls}", run.evidence)
    return run


run, calls = demo(lacking="build")
good = run.status == 1 and not calls and not run.out and run.matches("^install-deps: this needs root: build$")
cases.check("without build nothing can be asked", good, calls, run.evidence)
lacks("fast, without build", "build", "fast", 1, "")
lacks("none, without build", "build", "none", 1, "")
run = lacks("fast, without nested", "nested", "fast", 0, "show \n")
run.says("fast, without nested: the rest is not shown", "are not shown: that takes these packages", "out")
lacks("slow, without nested", "nested", "slow", 0, "show \n")
lacks("none, without nested", "nested", "none", 1, "")
lacks("none, without cross", "cross", "none", 0, all_emulated)
lacks("fast, without cross", "cross", "fast", 0, "show \ndebian \n")

sys.exit(cases.end())
