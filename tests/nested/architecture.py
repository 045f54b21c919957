# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""The architectures: a file ARCH.toml for each, with its emulated machine and the variants of that.

The keys of the file are the fields of Architecture, a table [variants.NAME] those of Variant.
"""

from __future__ import annotations

import platform
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from .process import Failure

# The Debian release of QEMU, of the machine's kernel and of the libraries.
SUITE = "trixie"


@dataclass(frozen=True)
class Variant:
    """One machine of an architecture: the usual one, without a name, or another for option -v."""

    name: str = ""
    # QEMU options that follow, and so override, those of the usual machine.
    machine: str = ""
    # The Debian suite of the machine's kernel.
    suite: str = SUITE
    # The machine is skipped if its kernel is not available or does not boot.
    optional: bool = False
    # The tests about the difference, each with its arguments. The usual machine runs all tests.
    tests: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Architecture:
    """Names and options of one architecture."""

    name: str
    # The prefix of the cross compiler, and Debian's name of the architecture.
    triplet: str
    debian_arch: str
    # The package of the machine's kernel: the smallest that has KVM.
    kernel_package: str
    # Modules to load; those that they depend on are loaded first, built-in ones are left out.
    kernel_modules: list[str]
    kernel_options: str
    # The program, its package, and the options that make the machine.
    qemu: str
    qemu_package: str
    qemu_machine: str
    qemu_serial: str
    # Kernels that guests boot: their suite and package.
    guest_kernels: dict[str, list[str]]
    # Those that guests also boot compressed by gzip, and unpacked from a bzImage.
    guest_compressed: list[str] = field(default_factory=list)
    guest_vmlinux: list[str] = field(default_factory=list)
    variants: dict[str, Variant] = field(default_factory=dict)

    @property
    def is_native(self) -> bool:
        """Whether this machine is of that architecture."""
        return platform.machine() in (self.name, self.triplet.split("-", maxsplit=1)[0])

    def variant(self, name: str | None) -> Variant:
        """The variant of that name; None is the usual machine."""
        if name is None:
            return Variant()
        if name not in self.variants:
            others = " ".join(self.variants) or "none but the usual one"
            raise Failure(f"{self.name} has no machine '{name}'; there is: {others}")
        return self.variants[name]


def names(folder: Path) -> list[str]:
    """All architectures."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def load(folder: Path, name: str) -> Architecture:
    """Reads ARCH.toml."""
    if name not in names(folder):
        known = " ".join(names(folder))
        raise Failure(f"there is no architecture '{name}'; there is: {known}")
    with (folder / f"{name}.toml").open("rb") as file:
        table = tomllib.load(file)
    table["variants"] = {
        key: Variant(name=key, **value) for key, value in table.get("variants", {}).items()
    }
    return Architecture(name=name, **table)
