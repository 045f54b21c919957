# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""Builds for another architecture: the distribution's cross compiler, with headers and libraries
of Debian packages that are unpacked below the store (the sysroot)."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from shlex import quote

from .architecture import SUITE, Architecture
from .debian import Apt
from .process import Failure, tool
from .store import Store
from .tree import Tree

# The packages that the library, axrun and the tests need to build; apt adds the dependencies.
SYSROOT_PACKAGES = [
    "libc6-dev",
    "libgcc-s1",
    "libcap-ng-dev",
    "libfdt-dev",
    "zlib1g-dev",
    "libzstd-dev",
    "liblzma-dev",
    "check",
]

PKG_CONFIG = """\
unset PKG_CONFIG_PATH
PKG_CONFIG_SYSROOT_DIR={sysroot}
PKG_CONFIG_LIBDIR={libraries}
export PKG_CONFIG_SYSROOT_DIR PKG_CONFIG_LIBDIR
exec pkg-config "$@"
"""


class Cross:
    """The compiler for an architecture; on a machine of that architecture the usual one."""

    def __init__(self, tree: Tree, store: Store, arch: Architecture) -> None:
        self._arch = arch
        self._store = store
        self._sysroot = tree.store(arch) / "sysroot"
        self._tools = tree.store(arch) / "tools"

    def prepare(self) -> None:
        """Makes the sysroot and the tools, if the architecture needs them."""
        if self._arch.is_native:
            return
        if not shutil.which(f"{self._arch.triplet}-gcc"):
            raise Failure(
                f"there is no {self._arch.triplet}-gcc, which builds for {self._arch.name}; "
                "scripts/install-deps cross"
            )
        if not self._is_complete():
            (self._sysroot / "packages").unlink(missing_ok=True)
        what = f"the libraries for {self._arch.name}"
        self._store.fetch(self._sysroot, what, self._fetch_sysroot)
        self._make_tools()

    def configure_options(self) -> list[str]:
        """Options that make configure build for the architecture."""
        if self._arch.is_native:
            return []
        triplet = self._arch.triplet
        return [
            f"--host={triplet}",
            f"CC={self._tools}/{triplet}-gcc",
            f"PKG_CONFIG={self._tools}/{triplet}-pkg-config",
        ]

    def find_library(self, name: str) -> Path:
        """The file of a library, where the compiler finds it."""
        compiler = os.environ.get("CC") or "cc"
        if not self._arch.is_native:
            compiler = f"{self._tools}/{self._arch.triplet}-gcc"
        found = Path(tool([*compiler.split(), f"-print-file-name={name}"]).strip())
        if not found.is_absolute():
            raise Failure(f"the programs need {name}, and {compiler} does not find it")
        return found

    def _is_complete(self) -> bool:
        """Whether the sysroot has the whole list; an older version of it may have been shorter."""
        try:
            lines = (self._sysroot / "packages").read_text().splitlines()
        except FileNotFoundError:
            return False
        return {line.split("_", maxsplit=1)[0] for line in lines}.issuperset(SYSROOT_PACKAGES)

    def _fetch_sysroot(self) -> None:
        apt = Apt(self._store.cache)
        apt.update(self._arch.debian_arch, SUITE)
        apt.fetch_all(self._sysroot, SYSROOT_PACKAGES)
        # Linker scripts name files by these; Debian makes them in a package that is not here.
        for name in ("bin", "lib", "lib64"):
            if (self._sysroot / "usr" / name).exists() and not (self._sysroot / name).exists():
                (self._sysroot / name).symlink_to(f"usr/{name}")
        make_links_relative(self._sysroot)

    def _make_tools(self) -> None:
        """Writes a compiler and a pkg-config that know the sysroot.

        A Debian cross compiler searches the files of its own release first, others do not know
        Debian's directories: so the command line names all of them.
        """
        triplet = self._arch.triplet
        libraries = self._sysroot / "usr" / "lib" / triplet
        headers = self._sysroot / "usr" / "include"
        own_headers = tool([f"{triplet}-gcc", "-print-file-name=include"]).strip()
        compiler = [f"{triplet}-gcc", f"--sysroot={self._sysroot}", "-nostdinc"]
        for folder in (own_headers, headers / triplet, headers):
            compiler += ["-isystem", str(folder)]
        compiler += [f"-B{libraries}", f"-L{libraries}"]
        self._write_tool("gcc", f'exec {" ".join(map(quote, compiler))} "$@"\n')
        search = f"{libraries}/pkgconfig:{self._sysroot}/usr/share/pkgconfig"
        self._write_tool(
            "pkg-config",
            PKG_CONFIG.format(sysroot=quote(str(self._sysroot)), libraries=quote(search)),
        )

    def _write_tool(self, name: str, script: str) -> None:
        """By renaming: another tree may be running the tool."""
        self._tools.mkdir(parents=True, exist_ok=True)
        path = self._tools / f"{self._arch.triplet}-{name}"
        new = path.with_name(f"{path.name}.{os.getpid()}.new")
        new.write_text(f"#!/bin/sh\n{script}")
        new.chmod(0o755)
        new.rename(path)


def make_links_relative(root: Path) -> None:
    """Makes each absolute link lead into the sysroot."""
    for folder, directories, files in os.walk(root):
        for name in directories + files:
            link = Path(folder, name)
            if link.is_symlink() and os.readlink(link).startswith("/"):
                target = os.path.relpath(f"{root}{os.readlink(link)}", folder)
                link.unlink()
                link.symlink_to(target)
