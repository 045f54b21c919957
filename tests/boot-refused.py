#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""axrun refuses to boot files with one line, the reason, and status 125, whether the fault is the kernel's, the
initramfs's, the command line's or the machine's. With "no-controller": on a host where KVM has no interrupt
controller, that alone. Needs a usable /dev/kvm and Debian's kernels."""

from __future__ import annotations

import os
import sys

from boots import BOOT, INITRD, KERNEL, cases
from axrun import MACHINE, refused, x86
from cases import WORK

image = BOOT / KERNEL
kernel = ["--kernel", image]
initrd = ["--initrd", INITRD]

if sys.argv[1:] == ["no-controller"]:
    refused("a host without an interrupt controller for guests", "AIA", *kernel, *initrd)
    sys.exit(cases.end())

# Zeros that take no room.
large = WORK / "large"
large.touch()
for mib, name in ((300, "is larger than the memory"), (250, "does not fit beside the kernel")):
    os.truncate(large, mib << 20)
    refused(f"an initrd that {name}", "initrd|large", *kernel, "--initrd", large, "--memory", "256M")
refused("an initrd that is not there", "nowhere", *kernel, "--initrd", WORK / "nowhere")
refused("an initrd that is a folder", f"boot|{BOOT}|directory", *kernel, "--initrd", BOOT)

# The limit of Linux is lower, and differs: 256 bytes on no architecture, 64 KiB on all.
long = 70000 * "x"
refused("a command line that is too long", "command line|append|too long", *kernel, *initrd, "--append", long)

for memory in ("64K", "1M", "8M"):
    refused(f"too little memory: {memory}", "memory|fit", *kernel, *initrd, "--memory", memory)

size = image.stat().st_size
part = WORK / "kernel"
for length in (0, 1, 63, 64, 512, 1023, 4096, 65536, size // 2, size - size // 16):
    part.write_bytes(image.read_bytes()[:length])
    refused(f"a kernel of which only {length} bytes are there", "kernel", "--kernel", part, *initrd)
refused("a kernel that is not there", "nowhere", "--kernel", WORK / "nowhere")
refused("a kernel that is an initramfs", "kernel|kind|format", "--kernel", INITRD)

if x86:
    nowhere, not_a_folder = "dump-acpi.*No such file", "dump-acpi.*Not a directory"
    refused("--dump-acpi into a folder that is not there", nowhere, *kernel, "--dump-acpi", "/nowhere/folder")
    refused("--dump-acpi to what is no folder", not_a_folder, *kernel, "--dump-acpi", part)
else:
    refused("--dump-acpi", "only a Linux kernel on x86_64", *kernel, "--dump-acpi", WORK / "acpi")

# Kernels of the other architectures: a megabyte of zeros with the magic numbers that a loader looks for.
SIZES = {16: (1 << 20).to_bytes(8, "little"), 24: (10).to_bytes(8, "little")}
FOREIGN = {
    "arm64": ("aarch64", "arm64|aarch64|architecture|kernel", {56: b"ARMd", **SIZES}),
    "riscv64": ("riscv64", "riscv64|architecture|kernel", {48: b"RISCV\0\0\0RSC\5", 16: SIZES[16]}),
    "x86_64": ("x86_64", "x86|architecture|kernel", {497: b"\x27", 510: b"\x55\xaa", 514: b"HdrS\x0f\x02"}),
}
for arch, (machine, reason, patches) in FOREIGN.items():
    if machine == MACHINE:
        continue
    header = bytearray(1 << 20)
    for offset, content in patches.items():
        header[offset : offset + len(content)] = content
    part.write_bytes(header)
    refused(f"a kernel for {arch}", reason, "--kernel", part)

sys.exit(cases.end())
