# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""Which tests run, what init reports about them, and the results."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO

import tap

from .architecture import Architecture, Variant
from .process import TOOL_LIMIT, Failure
from .tree import Tree

# --- the plan -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Test:
    """A test program or script and its arguments."""

    name: str
    arguments: str = ""

    @property
    def line(self) -> str:
        """A line of the plan that init reads: the name, and the command in the machine."""
        interpreter = {".sh": "sh ", ".py": "python3 "}.get(Path(self.name).suffix, "")
        return f"{self.name} {interpreter}/{self.name} {self.arguments}".rstrip() + "\n"


def choose(built: list[str], arch: Architecture, variant: Variant, only: str | None) -> list[Test]:
    """The tests to run: those with 'only' in their name, those of the variant, or all."""
    if only:
        chosen = [Test(name) for name in built if only in name]
        if not chosen:
            raise Failure(f"no test has '{only}' in its name")
        return chosen
    if not variant.name:
        return [Test(name) for name in built]
    chosen = [Test(*line.split(maxsplit=1)) for line in variant.tests]
    for test in chosen:
        if test.name not in built:
            raise Failure(
                f"{arch.name}.toml names {test.name} for {variant.name}, and there is no such test"
            )
    return chosen


# --- the conversation with init -------------------------------------------------------------------


class Tail:
    """Reads a file that grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def read(self) -> bytes:
        """The bytes that were added since the last call."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            added = file.read()
        self._offset += len(added)
        return added

    def lines(self) -> list[str]:
        """The complete lines that were added."""
        added = self.read()
        end = added.rfind(b"\n") + 1
        self._offset -= len(added) - end
        return added[:end].decode(errors="replace").splitlines()


# Called when a test is done: its name, its status, and the seconds that it took.
OnDone = Callable[[str, str, str], None]


class Conversation:
    """The reports of init in one boot. "init" describes the lines of the port "status"."""

    def __init__(self, folder: Path, on_done: OnDone) -> None:
        self.ready = False
        self.no_kvm = False
        # The test that is running, and the status with which all ended.
        self.current: str | None = None
        self.ended: int | None = None
        self._on_done = on_done
        self._status = Tail(folder / "status")
        self._outputs: list[tuple[Tail, BinaryIO]] = [
            (Tail(folder / "out"), sys.stdout.buffer),
            (Tail(folder / "err"), sys.stderr.buffer),
        ]

    def pump(self) -> None:
        """Reads new reports and output. The output of a command goes to stdout and stderr."""
        for line in self._status.lines():
            self._record(line.split())
        for tail, output in self._outputs:
            added = tail.read()
            if added:
                output.write(added)
                output.flush()

    def _record(self, words: list[str]) -> None:
        match words:
            case ["ready"]:
                self.ready = True
            case ["no-kvm"]:
                self.no_kvm = True
            case ["start", name]:
                self.current = name
            case ["done", name, status, seconds]:
                self.current = None
                self._on_done(name, status, seconds)
            case ["end", status]:
                self.ended = int(status)


# --- results --------------------------------------------------------------------------------------


def section(log: bytes, name: str) -> bytes:
    """The output of one test in the port "log", where it begins with a line "@@ NAME"."""
    inside = False
    lines = []
    for line in log.splitlines(keepends=True):
        if line.startswith(b"@@ "):
            inside = line.split()[1:2] == [name.encode()]
        elif inside:
            lines.append(line)
    return b"".join(lines)


def in_words(report: tap.Report) -> str:
    """The numbers of cases that are not zero."""
    named = asdict(report.counts).items()
    return ", ".join(f"{number} {outcome}" for outcome, number in named if number)


@dataclass
class Results:
    """The tests that are done. Each has its output in logs/NAME.log, with a line "ERROR: NAME - WHY"
    as automake's driver writes it if the test did not end well; scripts/check counts these."""

    tree: Tree
    # The port "log" of the machine.
    log: Path
    logs: Path
    words: dict[str, str] = field(default_factory=dict)

    def count(self, word: str) -> int:
        """How many tests have that result: PASS, FAIL or SKIP."""
        return list(self.words.values()).count(word)

    def record(self, name: str, status: str, seconds: str = "0") -> None:
        """A test is done or given up. 'status' is its exit status, or says why there is none."""
        output = section(self.log.read_bytes(), name)
        error = ""
        if status != "0":
            error = f"exited with status {status}" if status.isdecimal() else status
            output += f"ERROR: {name} - {error}\n".encode()
        path = self.logs / f"{name}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(output)
        report = tap.read(output.decode(errors="replace"))
        word = {"passed": "PASS", "failed": "FAIL", "skipped": "SKIP"}[report.outcome]
        self.words[name] = word
        details = [text for text in (error, in_words(report), f"{seconds} s") if text]
        print(f"{word}: {name} ({', '.join(details)})", flush=True)
        if word == "FAIL":
            show = self.tree.library("show_failure", path)
            subprocess.run(show, stdin=subprocess.DEVNULL, timeout=TOOL_LIMIT, check=False)
        elif word == "SKIP":
            print(report.cases[0].why, flush=True)
