# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""QEMU: fetched, not installed, and the command line of a machine.

QEMU is of the Debian release that the machine's kernel is of, so it is the same version everywhere
and no old one: QEMU 7.2 sometimes runs stale code when one CPU patches code that another runs, as a
kernel does when the first VM of KVM starts or the last one ends, and the kernel then panics.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .architecture import SUITE, Architecture, Variant
from .debian import Apt, package_version
from .process import TOOL_LIMIT, Failure, say, tool
from .store import Store

# All at once: most of their files are the same ones.
PACKAGES = ["qemu-system-x86", "qemu-system-arm", "qemu-system-riscv"]

# The virtio-serial ports of "init". QEMU writes each into a file of that name.
PORTS = ("status", "log", "out", "err")


@dataclass(frozen=True)
class Command:
    """A program, its first arguments, and its environment."""

    argv: list[str]
    env: dict[str, str]


def prepare(store: Store, arch: Architecture) -> Command:
    """Fetches QEMU, unless AXVCPU_QEMU names one."""
    own = os.environ.get("AXVCPU_QEMU")
    if own:
        return Command([*_tied(), own], dict(os.environ))
    folder = store.cache / "emulator"

    def fetch() -> None:
        apt = Apt(store.cache)
        apt.update(tool(["dpkg", "--print-architecture"]).strip(), SUITE)
        apt.fetch_all(folder, PACKAGES)

    store.fetch(folder, "QEMU", fetch)
    say(f"nested {arch.name}: QEMU {package_version(folder, arch.qemu_package)}")
    return _fetched(folder, arch.qemu)


def _fetched(folder: Path, name: str) -> Command:
    """The fetched program, with its own dynamic loader and libraries."""
    program = folder / "usr" / "bin" / name
    loader = re.search(r"program interpreter: (.*)\]", tool(["readelf", "-l", program]))
    library = next((folder / "usr" / "lib").rglob("libglib-2.0.so.0"), None)
    if not loader or not library:
        raise Failure(f"{program} is not complete; scripts/nested -r fetches it again")
    argv = [*_tied(), f"{folder}/usr{loader[1]}", "--inhibit-cache"]
    argv += ["--library-path", str(library.parent), str(program)]
    argv += ["-L", f"{folder}/usr/share/qemu", "-L", f"{folder}/usr/share/seabios"]
    return Command(argv, {**os.environ, "QEMU_MODULE_DIR": f"{library.parent}/qemu"})


def _tied() -> list[str]:
    """Makes the kernel end QEMU if this program is killed without a chance to do so."""
    prefix = ["setpriv", "--pdeathsig", "KILL"]
    if not shutil.which("setpriv"):
        return []
    # Some implementations of setpriv do not have the option.
    trial = subprocess.run([*prefix, "true"], capture_output=True, timeout=TOOL_LIMIT, check=False)
    return [] if trial.returncode else prefix


def machine_options(arch: Architecture, variant: Variant) -> list[str]:
    """QEMU's options. The files are in the current directory."""
    options = f"{arch.qemu_machine} {variant.machine}".split()
    options += "-accel tcg,thread=multi -smp 2 -m 2048 -nic none -no-reboot -nodefaults".split()
    options += "-no-user-config -display none -monitor none -serial file:console.log".split()
    options += ["-device", arch.qemu_serial]
    for port in PORTS:
        options += ["-chardev", f"file,id={port},path={port}"]
        options += ["-device", f"virtserialport,chardev={port},name={port}"]
    options += ["-kernel", "kernel", "-initrd", "initrd"]
    options += ["-append", f"{arch.kernel_options} panic=-1 oops=panic"]
    return options + os.environ.get("AXVCPU_QEMU_OPTIONS", "").split()
