#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""axrun refuses what it cannot run: wrong options, images that are missing, damaged or for another machine, and a
/dev/kvm that is not usable. Each time it ends with 125 and prints one line with the reason. Needs a usable /dev/kvm;
the last cases need root."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys

from axrun import AXRUN, at, axrun, cases, elf, flat, guest, here, refused, x86
from cases import WORK

answer = flat("answer", here.answer)

# --- options ----------------------------------------------------------------------------------------

refused("no guest", "no guest")
refused("unknown option", "no such option", "--nonsense", answer)
refused("unknown short option", "no such option", "-x", answer)
refused("option without its argument", "needs an argument", "--memory")
refused("option with an argument too many", "--stats=1", "--stats=1", answer)
refused("option that is two", "^axrun: --cpu: ambiguous: --cpu-list or --cpus;", "--cpu", "1", answer)
refused("option that is two, with =", "^axrun: --cpu=1: ambiguous: --cpu-list or --cpus;", "--cpu=1", answer)
mistyped = r"^axrun: --memroy=1M: no such option; is it --memory\?"
refused("option that is mistyped", mistyped, "--memroy=1M", answer)
refused("option that is none", "^axrun: --nonsense: no such option; see", "--nonsense", answer)
long = 5000 * "x"
refused("long option", "no such option", f"--{long}", answer)
for size in ("1GiB", "0.5G", "16.5M", "32Mi", "0x1000K"):
    axrun("--memory", size, answer).ends(f"--memory {size}", 42, "")

BAD = [
    # An option, a part of the reason, and its bad values.
    ("--memory", "memory", ["", "0", "-1", "x", "16X", "1MB", "1.5", "1.M", "0.000001K", "5000", " 1M", "1 ",
                            "99999999999999999999", "18446744073709551615", "17592186044416M"]),
    ("--mode", "expected", ["", "65", "real"]),
    ("--load", "expected", ["", "x", "-1", "0x", "0xg", "0x10000000000000000", "1M"]),
    ("--entry", "expected", ["", "x", "-1", "0x", "0xg", "0x10000000000000000", "1M"]),
    ("--timeout", "expected", ["", "0", "0.0", "-1", "1e3", "inf", "nan", "1.", ".5", "0x1", "1s",
                               "99999999999999999999"]),
    ("--cpu-list", "expected", ["", ",", "1,", ",1", "1-", "-1", "3-1", "a", "0x1", "1-2-3", "99999999999", "65536"]),
    ("--cpus", "expected", ["", "0", "65", "-1", "x", "1x", "4294967297"]),
    ("--irqchip", "expected", ["", "on", "1"]),
]
for option, reason, values in BAD:
    for value in values:
        refused(f"{option} '{value}'", reason, option, value, answer)
refused("more memory than there are addresses", "exceed the physical address space", "--memory", "16777215T", answer)
refused("--load that wraps around", "wrap", "--load", "0xfffffffffffffffe", answer)
refused("--load of an ELF image", "flat", "--load", "0x1000", elf("good64"))
refused("--entry outside of memory", "entry", "--entry", at(16777216), answer)
if x86:
    refused("entry beyond real mode", "1 MiB", "--mode", "16", "--load", "0x200000", answer)
refused("--log-level", "expected", "--log-level", "loud", answer)
refused("--json=", "empty", "--json=", answer)

# --- files ------------------------------------------------------------------------------------------

none = WORK / "none"
refused("missing image", "No such file", none)
for option in (f"--initrd={answer}", "--append=x"):
    name = option.partition("=")[0]
    refused(f"missing image, {name}", "none: No such file", option, none)
    refused(f"missing kernel, {name}", "none: No such file", option, "--kernel", none)
    refused(f"no kernel, {name}", "not a Linux kernel, which", option, answer)
refused(
    "missing image with a long name", r"^axrun: \./.*\.\.\..*none: No such file or directory$", 1000 * "./" + "none"
)
refused("missing image with a name that is too long", "x: File name too long$", long)
refused("missing image with a long name, by name", "File name too long$", "--kernel", 3 * long)
refused("image that is shorter than it says", "became shorter", "/sys/kernel/uevent_seqnum")
packed = WORK / "packed.gz"
packed.write_bytes(gzip.compress(b"neither machine code nor a kernel"))
refused("compressed nonsense", "not a Linux kernel", packed)
foreign = flat("foreign", "02 21 4c 18")
refused("lz4", "lz4 is neither a guest", foreign)
refused("lz4 for a kernel", "lz4 is neither a guest", "--kernel", foreign)
refused("empty file name", "empty", "")
refused("empty image", "empty", flat("empty", ""))
refused("folder", "directory", WORK)
os.mkfifo(WORK / "fifo")
refused("pipe", "pipe", WORK / "fifo")
refused("device", "device", "/dev/zero")
large = flat("large", "")
os.truncate(large, 2 << 30)
refused("oversized image", "too large", large)
os.truncate(large, 20 << 20)
refused("image larger than memory", "does not fit: .* end 4160 KiB beyond guest memory", large)
os.truncate(large, 300 << 10)
if x86:
    refused("oversized firmware", "too large", "--mode", "raw", large)
refused("too little memory", "not enough low memory", *here.little, answer)

BAD_ELF = {
    "cut-ident": "truncated",
    "cut-header": "truncated",
    "cut-phdrs": "truncated",
    "cut-segment": "truncated",
    "all-memory": "not enough low memory",
    "bad-class": "class",
    "big-endian": "little-endian",
    "bad-version": "version",
    "bad-machine": "another machine",
    "mixed-machine": "another machine",
    "dynamic-type": "position-independent",
    "relocatable": "object file",
    "core": "core dump",
    "bad-type": "type",
    "interpreter": "dynamically linked",
    "dynamic": "dynamically linked",
    "no-phdrs": "no program headers",
    "many-phdrs": "beyond the end",
    "bad-phentsize": "program headers of",
    "far-phdrs": "beyond the end",
    "no-load": "no loadable segment",
    "far-segment": "beyond the end",
    "more-in-file": "more bytes in the file",
    "wrapping": "wraps around",
    "overlapping": "overlaps",
    # The address lies differently to memory.
    "outside": "beyond guest memory" if x86 else "not guest memory",
    "too-large": "beyond guest memory",
    "entry-outside": "entry",
}
for kind, reason in BAD_ELF.items():
    refused(f"ELF: {kind}", reason, elf(kind))

# --- /dev/kvm ---------------------------------------------------------------------------------------


def works(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
UNSHARED = ["unshare", "-m", "sh", "-c"]
if os.geteuid() == 0 and shutil.which("setpriv") and shutil.which("unshare"):
    unreadable = flat("unreadable", here.answer)
    unreadable.chmod(0)
    if works(*NOBODY, AXRUN, "--version"):
        refused("unreadable image", "Permission denied", unreadable, by=NOBODY)
        if not works(*NOBODY, "sh", "-c", "[ -r /dev/kvm ] && [ -w /dev/kvm ]"):
            refused("no permission for /dev/kvm", "permission", answer, by=NOBODY)
    if works("unshare", "-m", "true"):
        mounted = 'mount --bind /dev/null /dev/kvm && exec "$0" "$@"'
        refused("/dev/kvm is not KVM", "not KVM", answer, by=[*UNSHARED, mounted])
        # Nothing but that in /dev, which closed files must not need.
        kvm = flat("kvm", "")
        mounted = (
            f"mount --bind /dev/kvm {kvm} && mount -t tmpfs none /dev && : >/dev/kvm && "
            f'mount --bind {kvm} /dev/kvm && exec "$0" "$@" <&- 2>&-'
        )
        run = axrun(guest("hello"), by=[*UNSHARED, mounted])
        run.ends("only kvm in /dev", 0, f"Hello from a guest on {here.arch}!\n")

sys.exit(cases.end())
