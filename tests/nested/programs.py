# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""The build for the machine, and an initramfs with its programs, the libraries that they need, and
the task of the next boot: a plan of tests, or a command."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from .architecture import Architecture
from .cross import Cross
from .image import archive
from .process import TOOL_LIMIT, Log, say, tool
from .tree import Tree

# Without a shared library, axrun and the examples are programs and not libtool's scripts.
CONFIGURE_OPTIONS = ["--enable-werror", "--disable-shared", "--enable-silent-rules"]


class Selection(Enum):
    """The programs of the build that go into the machine."""

    ALL = "all"
    # axrun, the guests and the examples.
    EXAMPLES = "examples"
    NONE = "none"


@dataclass
class Programs:
    """The build tree of an architecture and the root of the second initramfs."""

    tree: Tree
    arch: Architecture
    cross: Cross
    selection: Selection
    # The test programs and scripts; known once they are built.
    tests: list[str] = field(default_factory=list)
    _helpers: list[str] = field(default_factory=list)

    @property
    def _work(self) -> Path:
        return self.tree.work(self.arch)

    @property
    def root(self) -> Path:
        """The root of the initramfs."""
        return self._work / "programs.root"

    def prepare(self, files: list[Path]) -> None:
        """Builds the programs, and puts them, these files and their libraries into the root."""
        self.cross.prepare()
        if self.selection is not Selection.NONE:
            say(f"nested {self.arch.name}: building in {self.tree.relative(self._work)}/build")
            bootstrap(self.tree, self.arch)
            self._build(Log(self._work / "build.log"))
        shutil.rmtree(self.root, ignore_errors=True)
        for name in ("bin", "lib", "examples/guests"):
            (self.root / name).mkdir(parents=True)
        if self.selection is not Selection.NONE:
            self._install()
        for file in files:
            is_library = re.match(r"lib.*\.so", file.name)
            shutil.copy(file, self.root / ("lib" if is_library else "bin"))
        self._add_libraries()

    def write(self, initramfs: Path) -> None:
        """Writes the initramfs."""
        archive(self.root, initramfs)

    # --- building ---------------------------------------------------------------------------------

    def _build(self, log: Log) -> None:
        failed = "it does not build"
        build = self._work / "build"
        make: list[str | Path] = ["make", "-C", build, "-j", str(len(os.sched_getaffinity(0)))]
        self._configure(build, log)
        log.run([*make, "all"], failed)
        if self.selection is Selection.ALL:
            # Builds the tests and runs none. -O0 takes a third of the time of -O2, and the tested
            # library is built already.
            log.run([*make, "check", "TESTS=", "CFLAGS=-g -O0"], failed)
            listing = ["make", "-s", "-C", str(build), "--no-print-directory"]
            self.tests = tool([*listing, "list-tests"]).split()
            self._helpers = tool([*listing, "list-helpers"]).split()

    def _configure(self, build: Path, log: Log) -> None:
        """Configures the build tree, unless that was done with the same options."""
        record = build / "options"
        was = shlex.split(record.read_text()) if record.exists() else []
        options = [*CONFIGURE_OPTIONS, *self.cross.configure_options()]
        # A tree with tests has all that the examples need.
        if was == [*options, "--enable-tests"]:
            return
        tests = "--enable-tests" if self.selection is Selection.ALL else "--disable-tests"
        options.append(tests)
        if was == options:
            return
        shutil.rmtree(build, ignore_errors=True)
        build.mkdir(parents=True)
        configure = self.tree.library(self.tree.top / "configure", *options)
        log.run(configure, "it does not build", cwd=build)
        record.write_text(shlex.join(options) + "\n")

    # --- installing -------------------------------------------------------------------------------

    def _install(self) -> None:
        """Copies the programs to where the build tree has them."""
        build = self._work / "build"
        examples = [
            *(build / "examples").iterdir(),
            build / "examples/axrun/axrun",
            build / "examples/axvcpu-info/axvcpu-info",
            *(build / "examples/guests").iterdir(),
            *(build / "examples/tutorial").iterdir(),
        ]
        programs = [path for path in examples if path.is_file() and os.access(path, os.X_OK)]
        _copy([*programs, build / "examples/guests/guests.txt"], build, self.root)
        for name in sorted({*self.tests, *self._helpers}):
            source = self.tree.top if name.endswith((".sh", ".py")) else build
            _copy([source / name], source, self.root)
        if self.tests:
            samples = (self.tree.top / "tests/checkpoints").glob("checkpoint-*")
            _copy(samples, self.tree.top, self.root)

    def _add_libraries(self) -> None:
        """Adds the shared libraries that the root's programs need, and those that they need."""
        # No program names libgcc_s: the C library opens it when a thread is cancelled or exits.
        needed = ["libgcc_s.so.1"] if self.selection is Selection.ALL else []
        files = [
            path
            for path in self.root.rglob("*")
            if path.is_file() and not path.is_symlink() and path.stat().st_mode & 0o100
        ]
        while files:
            needed += _needed_by(files)
            files = []
            for name in needed:
                # The dynamic loader is named by its path, and by its name as well.
                copy = Path(f"{self.root}{name}") if name[0] == "/" else self.root / "lib" / name
                if not copy.exists():
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(self.cross.find_library(Path(name).name), copy)
                    files.append(copy)
            needed = []


def bootstrap(tree: Tree, arch: Architecture) -> None:
    """Makes configure, if it is missing or older than its sources."""
    log = Log(tree.work(arch) / "bootstrap.log")
    log.run(tree.library("bootstrap_tree"), "bootstrap failed")


def _copy(files: Iterable[Path], source: Path, target: Path) -> None:
    """Copies files from one directory to another, with their paths in it."""
    for file in files:
        copy = target / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)


def _needed_by(files: list[Path]) -> list[str]:
    """The shared libraries and the dynamic loaders that ELF files name."""
    # It fails for scripts, which need none.
    command = ["readelf", "-d", "-l", *map(str, files)]
    done = subprocess.run(command, capture_output=True, timeout=TOOL_LIMIT, check=False)
    names = re.findall(rb"\(NEEDED\).*\[(.*)\]|program interpreter: (.*)\]", done.stdout)
    return sorted({(library or loader).decode() for library, loader in names})
