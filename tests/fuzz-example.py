#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""The example fuzzer finds the bug of the guest "parse", the same one with the same seed, and the saved input
repeats it; AFL's protocol and libFuzzer drive it, too. Needs a usable /dev/kvm. Outside of the emulated machines it
also finds the bug from an empty input, which takes some ten thousand cases. libFuzzer needs clang, and a build without
a sanitizer."""

from __future__ import annotations

import os
import re
import signal
import struct
import subprocess
import sys
from pathlib import Path

from axrun import axrun, cases, guest
from cases import LIMIT, WORK, Run, output

try:
    import ctypes
except ImportError:
    # The emulated machines have a smaller Python.
    ctypes = None

FUZZ = os.environ.get("FUZZ", "./examples/fuzz/fuzz")
PARSE = guest("parse")
EMULATED = int(os.environ.get("AXVCPU_TEST_SCALE") or 1) > 1
# No case takes that long, even on a machine that does a hundred other things.
LONG = ["-t", str(LIMIT)]


def fuzz(*arguments: str | Path) -> Run:
    return cases.run(FUZZ, *LONG, *arguments)


def folder(name: str) -> Path:
    path = WORK / name
    path.mkdir()
    return path


def file(name: str, contents: bytes) -> Path:
    path = WORK / name
    path.write_bytes(contents)
    return path


# A swap with memory that is not a slot, but exists: one digit more is a crash.
near = file("near", b"=0,7;~0,70000;")
harmless = file("harmless", b"=0,7;=1,5;+0,1;~0,1;")
bug = file("bug", b"~0,99999999;")

# --- the guest ------------------------------------------------------------------------------------

axrun(PARSE, "=0,7;=1,5;+0,1;~0,1;").ends("parse", 0, "parse: 5 12 0 0 0 0 0 0\n")
for bad in ("=8,1;", "=0,1", "?0,1;", "+0,8;"):
    axrun(PARSE, bad).ends(f"parse {bad}", 1, "parse: not a command\n")

# --- one case at a time ---------------------------------------------------------------------------

fuzz("-r", PARSE, harmless).ends("-r: an input without the bug", 0, f"{harmless}: ok\n")
run = fuzz("-r", PARSE, bug, harmless, bug, near).ends("-r: an input with the bug", 1)
kinds = [line.split(": ")[1] for line in run.out.splitlines()]
cases.check("-r: each case begins in the same state", kinds == ["crash", "ok", "crash", "ok"], run.evidence)
reports = {line for line in run.out.splitlines() if ": crash: " in line}
cases.check("-r: an input has the same crash each time", len(reports) == 1, run.evidence)

# --- the engine -----------------------------------------------------------------------------------

run = fuzz("-n", "300", PARSE, harmless).ends("no finding in 300 cases", 0, "")
totals = run.matches(r"^fuzz: 300 cases, [0-9]*/s, ([0-9]+) counters reached, ([0-9]+) inputs kept$")
cases.check("new coverage is found, and its inputs are kept", totals and int(totals[2]) > 3, run.evidence)
again = fuzz("-n", "300", PARSE, harmless)
same = totals and totals[0].split("/s")[1] in again.err
cases.check("the same seed leads to the same cases", same, run.evidence, again.evidence)


def finds(name: str, *arguments: str | Path) -> bytes:
    """Cases: the fuzzer finds the bug, and the input that it saved has the same crash. Returns the input."""
    found = folder(name)
    run = fuzz("-n", "200000", "-o", found, PARSE, *arguments).ends(f"{name}: the bug is found", 1, "")
    saved = sorted(found.iterdir())
    one = len(saved) == 1 and saved[0].name.startswith("crash-")
    cases.check(f"{name}: one input is saved", one, " ".join(map(str, saved)), run.evidence)
    if not one:
        return b""
    run.says(f"{name}: its file is named", f"^fuzz: crash after [0-9]* cases, saved as {saved[0]}$")
    repeated = fuzz("-r", PARSE, *saved).ends(f"{name}: the saved input repeats it", 1)
    report = repeated.out.strip().rpartition(": crash: ")[2]
    cases.check(f"{name}: the crash is the same", report and report in run.err, repeated.evidence, run.evidence)
    return saved[0].read_bytes()


first = finds("from a near input", near)
cases.check("the same seed finds the same input", first == finds("again", near))
if EMULATED:
    cases.skip("from an empty input", "it takes ten thousands of cases")
else:
    finds("from an empty input")

# --- refusals -------------------------------------------------------------------------------------

fuzz(guest("hello")).ends("a guest that takes no input", 2).says(
    "a guest that takes no input: reason", "^fuzz: .*hello: it has not called the fuzzer: "
)
fuzz(near).ends("not an ELF file", 2).says("not an ELF file: reason", "^fuzz: .*not an ELF file")
fuzz("-n", "x", PARSE).ends("-n x", 2)
fuzz(PARSE, WORK / "missing").ends("a missing seed", 2).says("a missing seed: reason", "missing: No such file")
fuzz().ends("no guest", 2)

# --- AFL's protocol -------------------------------------------------------------------------------

CONTROL, STATUS = 198, 199


def attach_map() -> tuple[int, int]:
    """The id of a coverage map, and its address; as afl-fuzz makes it."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_void_p
    libc.shmat.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
    ident = libc.shmget(0, 65536, 0o1600)
    address = libc.shmat(ident, None, 0)
    # It goes when its last user ends.
    libc.shmctl(ident, 0, None)
    return ident, address


def drive(inputs: list[bytes]) -> list[tuple[int, bytes]]:
    """The wait status and the coverage of each input."""
    ident, address = attach_map()
    control, status = os.pipe(), os.pipe()
    text = file("afl-input", b"")
    results = []

    def pipes() -> None:
        os.dup2(control[0], CONTROL)
        os.dup2(status[1], STATUS)

    with text.open("rb") as stdin:
        child = subprocess.Popen(
            [FUZZ, *LONG, PARSE],
            stdin=stdin,
            env={**os.environ, "__AFL_SHM_ID": str(ident)},
            close_fds=False,
            preexec_fn=pipes,
        )
    os.close(control[0])
    os.close(status[1])
    # A program that does not answer ends this test.
    signal.alarm(2 * LIMIT)
    hello = os.read(status[0], 4)
    for data in inputs:
        text.write_bytes(data)
        ctypes.memset(address, 0, 65536)
        os.write(control[1], bytes(4))
        os.read(status[0], 4)
        ended = os.read(status[0], 4)
        results.append((struct.unpack("<i", ended)[0] if ended else -1, ctypes.string_at(address, 65536)))
    os.close(control[1])
    child.wait()
    signal.alarm(0)
    os.close(status[0])
    cases.check("AFL: the program ends with afl-fuzz", hello == bytes(4) and child.returncode == 0)
    return results


if not ctypes:
    cases.skip("AFL's protocol", "this Python has no ctypes")
else:
    results = drive([harmless.read_bytes(), bug.read_bytes(), harmless.read_bytes()])
    statuses = [status for status, _ in results]
    cases.check("AFL: statuses", statuses == [0, signal.SIGSEGV, 0], str(statuses))
    good = any(results[0][1]) and results[0][1] == results[2][1] != results[1][1]
    cases.check("AFL: an input has the same coverage each time, and others have other", good)

# --- libFuzzer ------------------------------------------------------------------------------------


def has_libfuzzer() -> bool:
    """Whether clang has libFuzzer, and can link objects of this build."""
    make = os.environ.get("MAKE")
    if not make:
        return False
    flags = output(make, "-s", "--eval=flags: ; @echo $(SAN_CFLAGS) $(CFLAGS) $(LDFLAGS)", "flags")
    source = file("probe.c", b"int LLVMFuzzerTestOneInput(const char *p, long n) { return p[n - 1]; }")
    probe = f"clang -fsanitize=fuzzer '{source}' -o '{source}.out'"
    return not re.search("-fsanitize|-flto|--coverage", flags) and cases.run("sh", "-c", probe).status == 0


if has_libfuzzer():
    cases.run(os.environ["MAKE"], "examples/fuzz/libfuzzer").ends("make examples/fuzz/libfuzzer", 0)
    seeds, found = folder("seeds"), folder("found")
    (seeds / "near").write_bytes(near.read_bytes())
    run = cases.run(
        "./examples/fuzz/libfuzzer",
        "-seed=1",
        "-runs=200000",
        f"-artifact_prefix={found}/",
        seeds,
        env={**os.environ, "FUZZ_GUEST": str(PARSE)},
    )
    saved = sorted(found.glob("crash-*"))
    cases.check("libFuzzer: the bug is found", run.status != 0 and len(saved) == 1, run.evidence)
    if saved:
        fuzz("-r", PARSE, *saved).ends("libFuzzer: the saved input repeats it", 1)
else:
    cases.skip("libFuzzer", "it needs clang, make, and a build without a sanitizer and LTO")

sys.exit(cases.end())
