#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""Debian's kernels boot under axrun, with one CPU and several, and find the machine as it should be: see
tests/boot/init for the checks. With arguments, those of looks(), it is that boot alone. Needs a usable /dev/kvm and
Debian's kernels; huge pages need root."""

from __future__ import annotations

import os
import re
import struct
import sys
from pathlib import Path

from boots import BOOT, CHECKS, KERNEL, Boot, boot, cases
from axrun import axrun, x86
from cases import WORK


def clock_error(run: Boot) -> str:
    """The guest's clock is as fast as the host's; else the reason. The times are those of five lines of the guest's,
    and of another five two seconds later. A line may come late, but not early: of each five the one counts that
    was the least late."""
    late = [
        when - float(match[1])
        for when, line in run.lines
        if (match := re.search("boot: the clock says ([0-9.]+)$", line))
    ]
    if len(late) != 10:
        return f"the clock was read {len(late)} times, not ten times"
    gained = min(late[:5]) - min(late[5:])
    return "" if abs(gained) <= 0.4 else f"it has gained {gained} s on the host"


def looks(kernel: str | Path, cpus: int, mib: int, *options: str) -> tuple[str, Boot]:
    """A boot with so many CPUs and so much memory, and all that it finds. Returns the name of its cases."""
    words = f"checks,cpus={cpus},memory={mib}"
    options = ("--cpus", str(cpus), "--memory", f"{mib}M", *options)
    name = f"{Path(kernel).name}, {' '.join(options)}"
    run = boot(kernel, words, *options).off(f"{name}: boots and turns itself off")
    for check in CHECKS:
        found = run.matches(f"boot: {check}:.*", "out")
        result = found[0] if found else "no word of it"
        cases.check(f"{name}: {check}", result == f"boot: {check}: ok", result)
    # On a busy host all five may be late; a clock that is wrong is so again.
    again = run
    if clock_error(run):
        print(f"{name}: {clock_error(run)}; once more")
        again = boot(kernel, words, *options)
    cases.check(f"{name}: the clock is as fast as the host's", not clock_error(again), clock_error(again))
    return name, run


if len(sys.argv) > 1:
    looks(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
    sys.exit(cases.end())

# --- each kernel once, and each number of CPUs ------------------------------------------------------

HUGE_PAGES = Path("/proc/sys/vm/nr_hugepages")


def meminfo(name: str) -> int:
    """That number of the host's; 0 if it has none."""
    match = re.search(rf"^{name}: *([0-9]+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return int(match[1]) if match else 0


def make_pool(mib: int) -> bool:
    """Makes that much of the host's pool of huge pages free."""
    free = meminfo("HugePages_Free")
    missing = mib * 1024 // (meminfo("Hugepagesize") or 1024) - free
    if missing <= 0:
        return True
    try:
        HUGE_PAGES.write_text(str(int(HUGE_PAGES.read_text()) + missing))
    except OSError:
        return False
    return meminfo("HugePages_Free") >= free + missing


# CPU 0 is there on every host; several on one would wait for each other most of the time.
pool = HUGE_PAGES.read_text() if HUGE_PAGES.exists() else ""
if make_pool(256):
    looks(KERNEL, 1, 256, "--cpu-list", "0", "--huge-pages")
else:
    cases.skip("--huge-pages", "the host has no room for a pool of 256 MiB, or this is not root")
    looks(KERNEL, 1, 256, "--cpu-list", "0")
if pool and os.access(HUGE_PAGES, os.W_OK):
    HUGE_PAGES.write_text(pool)
if KERNEL == "debian13-cloud":
    looks("debian13", 2, 256)
    looks(KERNEL, 4, 512)
    looks("debian12", 2, 256)
else:
    looks(KERNEL, 2, 256)
    looks(KERNEL, 4, 512)
long = os.environ.get("AXVCPU_TEST_LONG")
if long:
    for image in sorted(BOOT.glob("debian*")):
        looks(image.name, 8, 512)
# On x86_64 that is memory on both sides of the hole below 4 GiB.
if long or x86:
    looks(KERNEL, 2, 5120)

if (BOOT / f"{KERNEL}.gz").exists():
    boot(f"{KERNEL}.gz", "then=poweroff").ends("a compressed kernel", 0)

# --- x86_64: ELF kernels, and ACPI tables -----------------------------------------------------------


def loader(name: str, run: Boot, kind: int) -> None:
    """A case: the boot loader that the kernel detected, which shows the entry it was started by."""
    found = run.matches("boot: loader:.*", "out")
    result = found[0] if found else "no word of it"
    cases.check(name, result == f"boot: loader: {kind}", result)


def elf_kernel(kernel: Path) -> None:
    """An ELF kernel by both of its entries: by that for PVH, where Linux itself sets the type of loader; and by the
    one of the ELF header, if there are no notes, with the type that axrun's zero page has."""
    if not kernel.exists():
        cases.skip("an ELF kernel", f"there is no {kernel}")
        return
    name, run = looks(kernel.name, 2, 256)
    loader(f"{name}: it was started by PVH", run, 176)
    image = bytearray(kernel.read_bytes())
    # The types of the program headers, of 56 bytes each; that of notes is 4.
    notes = next((at for at in range(64, 64 + 20 * 56, 56) if struct.unpack_from("<I", image, at)[0] == 4), None)
    if notes is None:
        cases.not_ok(f"{kernel.name} without notes", "it has none")
        return
    image[notes] = 0
    without = WORK / f"{kernel.name}-without-notes"
    without.write_bytes(image)
    name, run = looks(without, 1, 256)
    loader(f"{name}: it was started with a zero page", run, 255)
    without.unlink()


def acpi_table(name: str, signature: bytes, length_at: int) -> None:
    """A case: a table that has its signature, its length there, and a good checksum."""
    path = WORK / "acpi" / name
    table = path.read_bytes() if path.exists() else b""
    if not table:
        why = "it is not there"
    elif not table.startswith(signature):
        why = f"it does not begin with {signature!r}"
    elif struct.unpack_from("<I", table, length_at)[0] != len(table):
        why = "its length is another"
    elif sum(table) % 256:
        why = f"its bytes add up to {sum(table)}"
    else:
        why = ""
    cases.check(f"--dump-acpi: {name}", not why, why)


if x86:
    elf_kernel(BOOT / f"{KERNEL}.vmlinux")
    # The tables are there before the kernel runs; it has nothing to boot to.
    options = ["--kernel", BOOT / KERNEL, "--cpus", "2", "--dump-acpi", WORK / "acpi", "--timeout", "1"]
    axrun(*options).ends("--dump-acpi: the kernel runs", 124)
    acpi_table("rsdp.dat", b"RSD PTR ", 20)
    for name in ("xsdt", "facp", "apic", "dsdt"):
        acpi_table(f"{name}.dat", name.upper().encode(), 4)
    # The first version of the root pointer ended after 20 bytes, and has a checksum of its own.
    first = (WORK / "acpi/rsdp.dat").read_bytes()[:20]
    cases.check("--dump-acpi: the first checksum of rsdp.dat", sum(first) % 256 == 0, "it is wrong")

# --- the checks do find something: two CPUs, said to be three, half of the memory, and a message ------

run = boot(KERNEL, "checks,fault,cpus=3,memory=512", "--cpus", "2", "--memory", "256M")
for check in ("cpus", "topology", "memory", "messages"):
    name = f"what is not as it should be is found: {check}"
    cases.check(name, f"boot: {check}: FAILED" in run.out, "it is not")

sys.exit(cases.end())
