#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""Each example guest under axrun prints what it should and ends with its status; a reset ends a run, or starts it
again; CPUs halt, start and stop each other. Needs a usable /dev/kvm."""

from __future__ import annotations

import os
import sys
import time

from axrun import EOT, axrun, cases, check_guests, checks, crash_kinds, flat, guest, here, refused, start, x86
from cases import WORK

GREETING = f"Hello from a guest on {here.arch}!\n"

# --- guests ----------------------------------------------------------------------------------------

cases.run(os.environ.get("MINIMAL", "./examples/minimal")).ends("minimal", 0, "Hi\n")

axrun(guest("hello")).ends("hello", 0, GREETING)
axrun(guest("hello"), "--stats", "two words", "").ends(
    "hello: options after the guest are the guest's", 0, f"{GREETING}Arguments: --stats two words \n"
)
refused("too long arguments", "too long", guest("hello"), "x" * 7800)
long = "x" * 3000
axrun(guest("hello"), long).ends("hello: long arguments", 0, f"{GREETING}Arguments: {long}\n")

text = "one\ntwo\0three"
axrun(guest("echo"), text=text).ends("echo: to the end of stdin", 0, text)
axrun(guest("echo"), text=f"one{EOT}two").ends("echo: to ^D", 0, "one")
# More than any buffer on the way holds.
text = "".join(f"line {n}\n" for n in range(1500))
axrun(guest("echo"), text=text).ends("echo: 14 kB", 0, text)
axrun(guest("echo")).ends("echo: empty stdin", 0, "")
axrun(guest("echo"), preexec_fn=lambda: os.close(0)).ends("echo: closed stdin", 0, "")
reader, writer = os.pipe()
echo = start(guest("echo"), stdin=reader)
for key in (b"a", b"b"):
    time.sleep(0.3)
    os.write(writer, key)
os.close(writer)
echo.wait().ends("echo: slow stdin", 0, "ab")

for name in check_guests():
    run = axrun(guest(name)).ends(name, 0)
    lines = run.out.splitlines()
    good = run.matches(f"^{name}: .*: ok$", "out") and all(line.endswith(": ok") for line in lines)
    cases.check(f"{name}: every check", good, run.evidence)

if here.arch == "riscv64":
    run = axrun(guest("csr"), "missing")
    # Seen with QEMU 10 and its firmware: a guest's illegal instruction never becomes an exception of the guest,
    # which instead goes on at an address of the host kernel's, where it has nothing.
    if run.status == 126 and run.matches("NESTED_PAGE_FAULT at 0xffffffff"):
        cases.skip("csr missing", "illegal instructions of guests get lost on this host")
    else:
        run.ends("csr missing", 0, "csr: missing: ok\n")
    run = axrun(guest("dbcn"))
    if run.status == 3:
        cases.skip("dbcn", "this KVM cannot forward the debug console")
    else:
        names = ("write", "write, refused", "read, refused", "nothing")
        oks = "".join(f"dbcn: {name}: ok\n" for name in names)
        run.ends("dbcn", 0, f"written by the firmware\n{'.' * 2999}\n!\n{oks}")
        text = "".join(f"line {n}\n" for n in range(300))
        axrun(guest("dbcn"), "echo", text=text).ends("dbcn echo", 0, text)


def checksum(pages: int) -> str:
    """The checksum of the first pages of memory, as the guest defines it."""
    total = 0
    for page in range(1, pages + 1):
        total = total * 31 + (here.ram // 4096 + page) * 0x9E3779B97F4A7C15
    return f"0x{total % 2**64:016x}"


axrun(guest("memory")).ends("memory: default", 0, f"memory: 16777216 bytes, checksum {checksum(4096)}\n")
axrun("--memory", "2M", guest("memory")).ends(
    "memory: 2M", 0, f"memory: 2097152 bytes, checksum {checksum(512)}\n"
)

for kind in ["", *crash_kinds()]:
    run = axrun(guest("crash"), *kind.split()).ends(f"crash {kind}", 126, "")
    run.says(f"crash {kind}: report", "^axrun: the guest crashed: ")
    registers = run.matches(f"^axrun: .*{here.pc}  *0x") and run.matches("^axrun: code at 0x[0-9a-f]*: ")
    good = registers or "state lost" in run.err
    cases.check(f"crash {kind}: registers and code, or state lost", good, run.evidence)
if "jump" in crash_kinds():
    axrun(guest("crash"), "jump").says("crash: code outside of memory", "not guest memory")
if "emulation" in crash_kinds():
    axrun(guest("crash"), "emulation").says(
        "crash: failed emulation",
        "could not emulate the instruction at 0x[0-9a-f]*, which its .* form: 66 0f fc",
    )
    axrun("--json", guest("crash"), "emulation").says(
        "crash: JSON of a failed emulation", '"error": "EMULATION", "instruction": "660ffc'
    )
axrun(guest("crash"), "nonsense").ends("crash: unknown kind", 2)

if x86:
    for bad in ("x", "4001"):
        axrun(guest("string"), bad).ends(f"string {bad}", 2)
    checks("string 4000", axrun("--stats", guest("string"), "4000"))
    axrun("--stats", guest("msr")).says("msr: statistics", "^axrun: *4 SYSREG_WRITE$")
run = checks("hypercall 100", axrun("--stats", guest("hypercall"), "100"))
run.says("hypercall: statistics", "^axrun: *111 HYPERCALL$")


def flooded(writes: int, kind: str = here.flood) -> str:
    return f"flood: {writes} {kind} writes\nflood: all seen: ok\n"


axrun("--stats", guest("flood")).ends("flood", 0, flooded(1000))
run = axrun("--stats", guest("flood"), "mmio", "321").ends("flood mmio 321", 0, flooded(321, "mmio"))
# Elsewhere the console is in memory, too.
run.says("flood: statistics", f"^axrun: *3{'21' if x86 else '[2-9][0-9]'} MMIO_WRITE$")
axrun(guest("flood"), "0").ends("flood 0", 0, flooded(0))
for bad in ("x", "1x", "18446744073709551616", f"{here.flood} y"):
    axrun(guest("flood"), *bad.split()).ends(f"flood {bad}", 2)

# --- words and powers ------------------------------------------------------------------------------

for bad in ("x", "1x"):
    for name in ("smp", "ipi", "interrupt", "hypercall"):
        axrun(guest(name), bad).ends(f"{name} {bad}", 2)

if not x86:
    run = axrun("--json", guest("power"), "off").ends("power off", 0, "")
    run.says("power off: result", '"result": "power-off", "status": 0')
    run = axrun("--json", guest("power"), "reset").ends("power reset", 123, "")
    run.says("power reset: result", '"result": "reset", "status": 123')
    axrun(guest("power"), "nonsense").ends("power nonsense", 2)
    refused("--dump-dtb into a folder that is not there", "dump-dtb", "--dump-dtb", "/nowhere/file", guest("hello"))
    refused("--dump-dtb without a name", "empty", "--dump-dtb", "", guest("hello"))
    for mode in ("32", "16", "raw"):
        refused(f"--mode {mode}", "supports only mode 64", "--mode", mode, guest("hello"))
else:
    refused("--dump-dtb", "no device tree", "--dump-dtb", WORK / "dtb", guest("hello"))

refused("--dump-acpi for a guest program", "only a Linux kernel", "--dump-acpi", WORK / "acpi", guest("hello"))
refused("--dump-acpi without a name", "empty", "--dump-acpi", "", guest("hello"))

# --- reset, and starting again --------------------------------------------------------------------

# A guest that resets the machine if an "r" is typed, and ends it with a status of its own for any other key.
if x86:
    # mov edx, 0x3fd; in al, dx; test al, 1; jz -5; mov edx, 0x3f8; in al, dx; cmp al, 'r'; jne 12;
    # INIT to the first CPU; hlt; out 0xf4, al; hlt
    key = "ba fd 03 00 00 ec a8 01 74 fb ba f8 03 00 00 ec 3c 72 75 0c "
    image, typed_end = flat("typed", key + "bf 00 03 e0 fe c7 07 00 45 00 00 f4 e6 f4 f4"), 120
    typed = [image]
else:
    image, typed_end = guest("power"), 0
    typed = [image, "typed"]
run = axrun("--json", *typed, text="rrx").ends("a reset ends the run", 123, "")
run.says("a reset ends the run: result", '"result": "reset", "status": 123')
run = axrun("--reboot", "--json", "--stats", *typed, text="rrx").ends("--reboot", typed_end, "")
run.says("--reboot: result", f'"status": {typed_end}, "restarts": 2, ')
# No typed character is lost, and every CPU changes its state.
axrun("--reboot", "--cpus", "2", *typed, text="rrx").ends("--reboot --cpus 2", typed_end, "")
# The time is that of all starts together.
reader, writer = os.pipe()
os.write(writer, b"rr")
run = axrun("--reboot", "--json", "--timeout", "3", *typed, stdin=reader).ends("--reboot and --timeout", 124, "")
run.says("--reboot and --timeout: result", '"result": "timeout", "status": 124, "restarts": [0-9]')
# A missing image ends the run, and is not tried again and again.
gone = WORK / "gone"
gone.write_bytes(image.read_bytes())
reader, writer = os.pipe()
process = start("--reboot", "--trace", gone, *typed[1:], stdin=reader)
process.appears("trace:", where="err")
gone.unlink()
os.write(writer, b"r")
run = process.wait().ends("--reboot without its image", 125, "")
run.says("--reboot without its image: reason", "^axrun: .*gone: No such file")

# --- several CPUs -----------------------------------------------------------------------------------

run = axrun("--stats", "--cpus", "2", guest("smp"))
if x86:
    run.says("--cpus: statistics of HALT", "^axrun: vCPU 1: [0-9]* exits, [0-9]* NOTHING, 1 HALT$")
    run.says("--cpus: statistics of CPU_UP", "^axrun: *2 CPU_UP$")
run.says("--cpus: statistics", "^axrun: vCPU 1: [0-9]* exits")
axrun("--json", "--cpus", "2", guest("smp")).says(
    "--cpus: JSON", r'"by_vcpu": \{"0": \{"exits": [0-9]*, "by_kind": \{.*\}\}, "1": \{.*\}\}\}\}$'
)
axrun("--json", "--cpus", "2", guest("crash"), crash_kinds()[0], "1").says(
    "--cpus: JSON of a crash", r'"crash": \{"kind": ".*", "vcpu": 1, '
)
axrun("--trace", "--cpus", "2", guest("smp")).says(
    "--cpus: --trace", "^axrun: trace: [0-9.]* vCPU 0 [A-Z]*_WRITE"
)

if x86:
    # The first CPU starts the second at the image's begin, where that halts or spins, and halts itself.
    HLT = "f4 "
    SPIN = "eb fe "
    # mov edi, 0xfee00300
    ICR = "bf 00 03 e0 fe "
    # mov edi, 0xfee00310; mov dword [rdi], 1 << 24; and the above
    TO_SECOND = "bf 10 03 e0 fe c7 07 00 00 00 01 " + ICR
    # mov dword [rdi], 0x4610; mov dword [rdi], 0x4500
    STARTUP = "c7 07 10 46 00 00 "
    INIT = "c7 07 00 45 00 00 "
    HALT = '"result": "halt"'

    second = ["--entry", "0x10002", "--json"]
    run = axrun("--cpus", "2", *second, flat("both-halt", HLT + HLT + TO_SECOND + STARTUP + HLT))
    run.ends("all CPUs halt", 0, "").says("all CPUs halt: result", HALT)
    run.says("all CPUs halt: both did", r'"0": \{.*"HALT": 1.*"1": \{.*"HALT": 1')
    one_halts = flat("one-halts", SPIN + TO_SECOND + STARTUP + HLT)
    run = axrun("--cpus", "2", "--entry", "0x10002", "--timeout", "0.5", one_halts)
    run.ends("one CPU halts, and another goes on", 124, "")
    axrun("--cpus", "1", *second, one_halts).ends("a CPU that is not there is not started", 0, "")
    run = axrun("--cpus", "2", *second, flat("stopped", SPIN + TO_SECOND + STARTUP + INIT + HLT))
    run.ends("INIT stops a CPU", 0, "").says("INIT stops a CPU: result", HALT)
    restarted = flat("restarted", SPIN + TO_SECOND + STARTUP + INIT + STARTUP + HLT)
    run = axrun("--cpus", "2", "--entry", "0x10002", "--timeout", "0.5", restarted)
    run.ends("a startup starts a CPU again", 124, "")
    run = axrun("--cpus", "2", "--json", flat("reset", ICR + INIT + HLT))
    run.ends("INIT of the first CPU is a reset", 123, "")
    run.says("INIT of the first CPU: result", '"result": "reset"')

    # A timer wakes a CPU that lets it: mov edx, 0x604; mov eax, 1000000; out dx, eax; (sti;) hlt
    timer = "ba 04 06 00 00 b8 40 42 0f 00 ef "
    run = axrun("--json", flat("deaf", timer + HLT)).ends("a timer does not wake who has interrupts off", 0, "")
    run.says("a timer does not wake: result", HALT)
    run = axrun("--timeout", "0.5", flat("armed", timer + "fb f4"))
    run.ends("who waits for a timer has not ended", 124, "")
    # sti; hlt
    run = axrun("--json", flat("nothing", "fb f4")).ends("who waits for nothing has", 0, "")
    run.says("who waits for nothing has: result", HALT)

sys.exit(cases.end())
