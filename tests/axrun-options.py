#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""axrun runs images of each kind and in each mode, and each option has its effect: statistics, traces, CPUs, guests
by their names, the result as JSON, privileges, the time limit. Needs a usable /dev/kvm; some cases need root."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from axrun import (
    AXRUN, GUESTS, at, axrun, cases, checks, elf, flat, guest, here, refused, start, times_out, x86
)
from cases import LIMIT, WORK, Run

# --- images and modes ------------------------------------------------------------------------------

answer = flat("answer", here.answer)
answer_len = answer.stat().st_size
axrun(answer).ends("flat image, mode auto", 42, "")
axrun("--mode", "64", answer).ends("flat image, mode 64", 42, "")
small = ["--memory", "64K", "--load"]
axrun(*small, at(0), answer).ends("flat image at the begin of memory", 42, "")
axrun(*small, at(65536 - answer_len), answer).ends("flat image at the end of memory", 42, "")
refused("flat image beyond the end of memory", "does not fit", *small, at(65536 - answer_len + 4), answer)

if not x86:
    # An image without a declared end: the device tree is far away from it, but not too far.
    tree = flat("tree", here.tree_mib)
    axrun(tree).ends("flat image: the device tree is at the end of memory", 15, "")
    axrun("--memory", "1G", tree).ends("flat image: and in the first 512 MiB of it", 255, "")

# Two programs, one behind the other.
wider = flat("wider", here.wider)
wider_len = wider.stat().st_size
two = flat("two", here.wider + here.answer)
axrun(two).ends("flat image: entry where it is loaded", 255, "")
axrun("--entry", at(65536 + wider_len), two).ends("--entry", 42, "")
axrun("--load", at(131072), "--entry", at(131072 + wider_len), two).ends("--load and --entry", 42, "")
axrun(wider).ends("exit device: 32 bits, modulo 256", 255, "")

for kind in ("good64", "empty-segment", "other-segments", "high-half", "low-memory"):
    axrun(elf(kind)).ends(f"ELF: {kind}", 42, "")
axrun("--memory", "4G", elf("good64")).ends("memory of 4 GiB", 42, "")

if x86:
    axrun(elf("good32")).ends("ELF: good32", 42, "")
    axrun("--mode", "32", elf("good64")).ends("ELF64 image in mode 32", 42, "")
    for mode in ("32", "16"):
        axrun("--mode", mode, answer).ends(f"flat image, mode {mode}", 42, "")
    axrun("--mode", "16", "--load", "0x1000", answer).ends("flat image in the way of the boot page", 42, "")
    # Where a reset begins, 16 bytes before the end: mov al, 44; out 0xf4, al; hlt
    firmware = flat("firmware", "b0 2c e6 f4" + 12 * " f4")
    axrun("--mode", "raw", firmware).ends("firmware in mode raw", 44, "")
    # mov ax, 0x1234; out 0xf4, ax
    axrun("--mode", "16", flat("wide", "b8 34 12 e7 f4 f4")).ends("exit device: 16 bits, modulo 256", 52, "")
    run = axrun("--json", flat("halt", "f4")).ends("halt", 0, "")
    run.says("halt: result", '"result": "halt", "status": 0')
else:
    refused("ELF: good32", "another machine", elf("good32"))

# --- options ---------------------------------------------------------------------------------------

OPTIONS = (
    "list memory mode load entry cpus irqchip dump-dtb dump-acpi cpu-list drop-privileges reboot raw-keys timeout "
    "stats trace json log-level clone save save-at restore repeat verify help version"
)
run = axrun("--help").ends("--help", 0)
for option in OPTIONS.split():
    cases.check(f"--help: --{option}", f"--{option}" in run.out, "missing")
run = axrun("--version").ends("--version", 0)
if not re.fullmatch(r"axrun [0-9.]* \(libaxvcpu [0-9.]*\)\n", run.out):
    cases.not_ok("--version: text", "other text", run.evidence)

run = axrun("--stats", guest("hello")).ends("--stats", 0)
run.says("--stats: rate", "^axrun: [0-9]* exits in [0-9.]* s, [0-9]* exits/s$")
run.says("--stats: kinds", "^axrun: *[0-9]* [A-Z]*_WRITE$")

run = axrun("--trace", answer).ends("--trace", 42)
run.says("--trace: exit", "^axrun: trace: [0-9.]* [A-Z]*_WRITE .* width 1 .*data 0x2a")

axrun("--log-level", "debug", answer).ends("--log-level debug", 42)
unclaimed = flat("unclaimed", here.unclaimed)
axrun("--log-level", "debug", unclaimed).says(
    "--log-level debug: unclaimed access", f"^axrun: debug: no device at {here.unclaimed_is}$"
)
run = axrun("--log-level", "info", unclaimed)
cases.check("--log-level info is less", run.status == 0 and not run.err, run.evidence)

cpu = min(os.sched_getaffinity(0))
axrun("--cpu-list", str(cpu), answer).ends(f"--cpu-list {cpu}", 42, "")
axrun("--cpu-list", f"{cpu},{cpu + 1}-{cpu + 3}", answer).ends("--cpu-list with a range", 42, "")
refused("CPUs that are not there", "cpu", "--cpu-list", "60000", answer)
checks("--cpu-list and --cpus", axrun("--cpus", "3", "--cpu-list", f"{cpu},60000", guest("smp")))

# --- guests by their names -------------------------------------------------------------------------

AXRUN_PATH = os.path.abspath(shutil.which(AXRUN) or AXRUN)
EMPTY, FOLDER = WORK / "empty-folder", WORK / "folder"
EMPTY.mkdir()
FOLDER.mkdir()


def in_folder(folder: Path, guests: Path, *arguments: Any) -> Run:
    """axrun in a folder, with the other one in AXRUN_GUESTS."""
    env = {**os.environ, "AXRUN_GUESTS": str(guests.absolute())}
    return cases.run(AXRUN_PATH, *arguments, cwd=folder, env=env)


run = in_folder(EMPTY, GUESTS, "hello", "there")
run.ends("a guest by its name", 0, f"Hello from a guest on {here.arch}!\nArguments: there\n")
in_folder(EMPTY, GUESTS, "--json", "hello").says("a guest by its name: JSON", '"guest": "hello", ')
shutil.copy(answer, FOLDER / "hello")
in_folder(FOLDER, GUESTS, "hello").ends("a file that is here comes first", 42, "")
in_folder(EMPTY, GUESTS, "./hello").ends("what has a slash is a path", 125, "")
in_folder(EMPTY, GUESTS, "--kernel", "hello").ends("a kernel is a path", 125, "")
run = in_folder(EMPTY, FOLDER, "nothing").ends("neither a file nor a guest", 125, "")
run.says("neither a file nor a guest: reason", f"^axrun: nothing: .*no such guest in {FOLDER}; .*--list$")
run = in_folder(EMPTY, GUESTS, "--list").ends("--list", 0)
listed = run.out.splitlines()
for line in listed:
    name = line.split()[0].removesuffix(":")
    if not os.access(guest(name), os.X_OK):
        cases.not_ok(f"--list: {name}", "there is no such guest")
there = [path for path in GUESTS.iterdir() if path.is_file() and os.access(path, os.X_OK)]
described = [line for line in listed if re.match("[a-z]*( .*)?: ..*", line)]
cases.check(
    "--list: a line for each guest",
    len(listed) == len(there) == len(described) and run.matches(r"^hello \[ARG\.\.\.\]: prints a greeting", "out"),
    f"{len(listed)} lines for {len(there)} guests",
)
run = in_folder(EMPTY, FOLDER, "--list").ends("--list without a list", 125, "")
run.says("--list without a list: reason", f"^axrun: {FOLDER}/guests.txt: No such file")

# --- the result, in JSON ---------------------------------------------------------------------------

# The document is the last line on stderr, or a file.
json = WORK / "json"
traced = axrun("--json", "--trace", answer).ends("--json", 42)
run = axrun(f"--json={json}", answer).ends("--json=FILE", 42)
if run.err:
    cases.not_ok("--json=FILE: nothing on stderr", "but there is", run.evidence)
documents = [traced.err.splitlines()[-1], json.read_text().removesuffix("\n")]
good = [re.search(r'^\{.*"result": "exit", "status": 42, "stats": \{.*\}\}$', text, re.M) for text in documents]
cases.check("--json: document", all(good), *documents)
run = axrun("--json", guest("crash")).ends("--json: crash", 126)
run.says("--json: crash report", r'"result": "crash", "status": 126, "crash": \{"kind": "[A-Z_]*"')
if run.err.count("\n") != 1:
    cases.not_ok("--json: one line", "more", run.evidence)
name = os.fsencode(WORK) + b'/a"b\\c\nd\351e\303\251'
shutil.copy(answer, os.fsdecode(name))
axrun("--json", os.fsdecode(name)).says("--json: escapes", r'a\\"b\\\\c\\u000ad\\ufffde\\u00e9"')
run = axrun("--json", WORK / "none").ends("--json: error", 125, "")
run.says("--json: error as JSON", r'^\{.*"result": "error", "status": 125, "message": ".*none')
refused("--json into a folder that is not there", "json", "--json=/nowhere/file", answer)

# --- privileges -----------------------------------------------------------------------------------

refused("--drop-privileges=", "empty", "--drop-privileges=", answer)
refused("a user that there is not", "no-such-user", "--drop-privileges=no-such-user", answer)
refused("root as the user", "root", "--drop-privileges=root", answer)
run = axrun("--drop-privileges", guest("hello"))
if run.status == 125 and "libcap-ng" in run.err:
    cases.skip("--drop-privileges", run.err.strip())
else:
    run.ends("--drop-privileges", 0)
    for irqchip in here.irqchips:
        options = ["--drop-privileges", "--irqchip", irqchip]
        checks(f"{' '.join(options)}: smp", axrun(*options, "--cpus", "2", "--stats", guest("smp")))
        checks(f"{' '.join(options)}: interrupt", axrun(*options, guest("interrupt")))
    options = ["--drop-privileges", "--timeout", str(LIMIT)]
    run = axrun(*options, "--cpu-list", str(cpu), f"--json={json}", guest("crash"))
    run.ends("--drop-privileges: crash", 126)
    if '"registers": {"' not in json.read_text() and '"state_lost": true' not in json.read_text():
        cases.not_ok("--drop-privileges: crash report", "no registers", json.read_text())
    process = start(*options, "--cpus", "2", guest("spin"), "running")
    process.appears("running")
    threads = [path.read_text() for path in Path(f"/proc/{process.pid}/task").glob("*/status")]
    down = [
        re.search("^NoNewPrivs:.1$", text, re.M)
        and not re.search("^Cap(Eff|Prm|Amb|Inh):.*[^0\\s]", text, re.M)
        and not re.search(r"^[UG]id:.*\b0\b", text, re.M)
        for text in threads
    ]
    cases.check("--drop-privileges: every thread is down", len(threads) >= 4 and all(down), *threads)
    process.kill(15).wait().ends("--drop-privileges: dies of a signal", 143, "running")

# --- time ------------------------------------------------------------------------------------------

run, seconds = times_out("--timeout", "partial", guest("spin"), "partial")
run.says("--timeout: message", f"did not end within {seconds} s")
run.says("--timeout: where", f"^axrun: vCPU 0 was at {here.pc} 0x[0-9a-f]*, {here.tables} 0x[0-9a-f]*$")
axrun("--timeout", "0.000001", guest("spin"), "partial").ends("--timeout 0.000001", 124)
axrun("--timeout", str(LIMIT), answer).ends("--timeout that is not reached", 42, "")
run = axrun("--json", "--timeout", "0.2", guest("spin"))
run.says("--timeout: JSON", '"result": "timeout", "status": 124')
where = f'"{here.pc}": "0x[0-9a-f]*", "{here.tables}": "0x[0-9a-f]*"'
run.says("--timeout: JSON: where", rf'"vcpus": \{{"0": \{{{where}\}}\}}')
# Waiting for input that does not come.
reader, _writer = os.pipe()
axrun("--timeout", "0.5", guest("echo"), stdin=reader).ends("--timeout while waiting for input", 124, "")

sys.exit(cases.end())
