# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""The steps of scripts/nested, from its options to its exit status."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from . import emulator, suites
from .architecture import Architecture, Variant
from .cross import Cross
from .image import System, archive
from .interpreter import Interpreter
from .kernels import GuestKernels
from .machine import Limits, Machine
from .process import LONG_LIMIT, Failure, say
from .programs import Programs, Selection
from .session import SKIPPED, Session
from .store import Store, locked
from .suites import Results, Test
from .tree import Tree, measure_patience

# Variables of the environment that tests and Check read.
PASSED_ON = (
    "AXVCPU_TEST_PATIENCE",
    "AXVCPU_TEST_SEED",
    "AXVCPU_TEST_LONG",
    "CK_RUN_SUITE",
    "CK_RUN_CASE",
    "CK_VERBOSITY",
    "CK_FORK",
    "CK_TIMEOUT_MULTIPLIER",
)


@dataclass(frozen=True)
class Request:
    """The options and arguments of scripts/nested."""

    arch: Architecture
    variant: Variant
    selection: Selection
    # The command; without one, tests run: those with 'only' in their name, if it is set.
    command: list[str]
    only: str | None
    again: bool
    # Files for the machine, and whether guest kernels are in its /boot.
    files: list[Path]
    boots: bool
    refresh: bool
    # Seconds; None is the default.
    limit: int | None
    total: int | None
    scale: int

    @property
    def machine(self) -> str:
        """The name of the machine."""
        return "-".join(filter(None, (self.arch.name, self.variant.name)))


def install_packages(tree: Tree, *sets: str) -> None:
    """By scripts/install-deps, which may ask for a password: so in this process group."""
    command = [f"{tree.top}/scripts/install-deps", *sets]
    if subprocess.run(command, stdout=sys.stderr, timeout=LONG_LIMIT, check=False).returncode:
        raise Failure("packages are missing; see above")


def write_boot_folder(tree: Tree, arch: Architecture, folder: Path) -> None:
    """Writes Debian's kernels and the initramfs for guests to a folder. The caller has called
    scripts/install-deps."""
    tree.work(arch).mkdir(parents=True, exist_ok=True)
    store = Store(tree.cache)
    system = System(tree, store, arch, Variant())
    system.fetch()
    GuestKernels(tree, store, arch).write(folder, system)


def run(tree: Tree, request: Request) -> int:
    """Boots a machine, and runs the tests or the command. Returns the exit status."""
    arch = request.arch
    if request.selection is not Selection.ALL and not request.command:
        raise Failure("without the tests there must be a command")
    patience = measure_patience(tree)
    limits = Limits(
        boot=120 * patience,
        program=request.limit or 300 * patience,
        total=request.total or 1200 * patience,
    )
    sets = ["build", "nested"]
    sets += [] if arch.is_native else ["cross"]
    sets += ["test"] if request.selection is Selection.ALL else []
    install_packages(tree, *sets)
    work = tree.work(arch)
    with locked(work / "lock", busy=f"another scripts/nested for {arch.name} is running"):
        return Run(tree, request, limits).execute()


class Run:
    """One run, which has the lock of the architecture."""

    def __init__(self, tree: Tree, request: Request, limits: Limits) -> None:
        self._tree = tree
        self._request = request
        self._limits = limits
        self._store = Store(tree.cache, request.refresh)
        self._work = tree.work(request.arch)
        kept = tree.top / "build" / "nested" / request.machine
        self._folder = kept / "run"
        self._logs = kept / "logs"
        arch, variant = request.arch, request.variant
        self._system = System(tree, self._store, arch, variant)
        cross = Cross(tree, self._store, arch)
        self._programs = Programs(tree, arch, cross, request.selection)

    def execute(self) -> int:
        """Prepares and boots the machine. Returns the exit status."""
        request = self._request
        begin = time.monotonic()
        command = emulator.prepare(self._store, request.arch)
        try:
            self._system.fetch()
        except Failure as failure:
            if not request.variant.optional:
                raise
            say(str(failure))
            missing = f"there is no {request.arch.kernel_package} of {request.variant.suite}"
            say(f"nested {request.machine}: skipped: {missing}")
            return SKIPPED
        plan = self._prepare()
        shutil.rmtree(self._logs, ignore_errors=True)
        say(f"nested {request.machine}: ready to boot after {time.monotonic() - begin:.0f} s")
        machine = Machine(
            request.machine,
            self._folder,
            command,
            emulator.machine_options(request.arch, request.variant),
            self._limits,
        )
        return Session(
            machine,
            Results(self._tree, self._folder / "log", self._logs),
            plan,
            self._write_plan,
            request.again,
            request.variant.suite if request.variant.optional else None,
        ).run()

    def _prepare(self) -> list[Test] | None:
        """Makes all that the machine boots. Returns the plan of tests, if there is no command."""
        request = self._request
        self._system.write(self._work / "system.cpio")
        self._programs.prepare(request.files)
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        shutil.copy(self._system.kernel, self._folder / "kernel")
        self._write_settings()
        plan = None
        boots = request.boots
        if not request.command:
            plan = suites.choose(
                self._programs.tests, request.arch, request.variant, request.only
            )
            boots = boots or any(test.name.startswith("tests/boot-") for test in plan)
        python = plan is not None and any(test.name.endswith(".py") for test in plan)
        if python:
            interpreter = Interpreter(self._tree, self._store, request.arch)
            interpreter.fetch()
            interpreter.install(self._work / "python.root")
            archive(self._work / "python.root", self._python)
        else:
            self._python.unlink(missing_ok=True)
        if boots:
            guests = self._work / "guests.root"
            kernels = GuestKernels(self._tree, self._store, request.arch)
            kernels.write(guests / "boot", self._system)
            archive(guests, self._guests)
        else:
            self._guests.unlink(missing_ok=True)
        if plan is None:
            text = f"exec {shlex.join(request.command)}\n"
            (self._programs.root / "command").write_text(text)
            self._write_initramfs()
        else:
            self._write_plan(plan)
        return plan

    @property
    def _guests(self) -> Path:
        """The initramfs with the guest kernels, if this run has them."""
        return self._work / "guests.cpio"

    @property
    def _python(self) -> Path:
        """The initramfs with Python, if a test of this run needs it."""
        return self._work / "python.cpio"

    def _write_settings(self) -> None:
        """The file that init and, through it, the tests get their environment from."""
        # Output and errors of a command keep their order where both go to one place.
        together = os.readlink("/proc/self/fd/1") == os.readlink("/proc/self/fd/2")
        lines = [
            f"limit={self._limits.program:.0f}",
            f"together={'yes' if together else ''}",
            f"export AXVCPU_TEST_SCALE={self._request.scale}",
        ]
        for name in PASSED_ON:
            value = os.environ.get(name)
            if value:
                lines.append(f"export {name}={shlex.quote(value)}")
        (self._programs.root / "settings").write_text("\n".join(lines) + "\n")

    def _write_plan(self, plan: list[Test]) -> None:
        text = "".join(test.line for test in plan)
        (self._programs.root / "plan").write_text(text)
        self._write_initramfs()

    def _write_initramfs(self) -> None:
        """The kernel takes several archives in one file."""
        programs = self._work / "programs.cpio"
        self._programs.write(programs)
        with (self._folder / "initrd").open("wb") as initrd:
            for part in (self._work / "system.cpio", programs, self._python, self._guests):
                if part.exists():
                    with part.open("rb") as source:
                        shutil.copyfileobj(source, initrd)
