# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""Shared by the tests that are Python programs, as tests/cases.sh is by scripts: they print TAP."""

from __future__ import annotations

import os
import subprocess
import sys
import unittest
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

SOURCE = Path(os.environ.get("top_srcdir", "."))
BUILD = Path(os.environ.get("top_builddir", "."))


def tool(variable: str, default: str = "") -> list[str]:
    """A program that make names in the environment, with its options: libtool finds "nm -B"."""
    return os.environ.get(variable, default).split()


def output(*command: str | Path, text: str = "") -> str:
    """Output of a command that gets this text as its input."""
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True, check=False)
    return done.stdout


def table(page: str, first: str) -> list[dict[str, str]]:
    """The rows of a page's table with that first column, without backquotes."""
    lines = page[page.index(f"\n| {first} |") + 1 :].splitlines()
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.replace("`", "").strip("|").split("|")])
    return [dict(zip(rows[0], row)) for row in rows[2:]]


class Cases:
    """Prints a line for each case."""

    def __init__(self) -> None:
        self.done = 0
        self.failed = 0

    def ok(self, name: str) -> None:
        self.done += 1
        print(f"ok {self.done} - {name}", flush=True)

    def not_ok(self, name: str, *why: str) -> None:
        self.done += 1
        self.failed += 1
        print(f"not ok {self.done} - {name}")
        for line in "\n".join(why).splitlines():
            print(f"# {line}")
        sys.stdout.flush()

    def skip(self, name: str, why: str) -> None:
        self.ok(f"{name} # SKIP {why}")

    def none_wrong(self, name: str, wrong: Iterable[str]) -> None:
        """The case passes if there are no mistakes."""
        wrong = list(wrong)
        if wrong:
            self.not_ok(name, "these are wrong:", *wrong)
        else:
            self.ok(name)

    def end(self) -> int:
        """Prints the plan; returns the exit status."""
        print(f"1..{self.done}", flush=True)
        return int(self.failed > 0)


class _Result(unittest.TestResult):
    def __init__(self, cases: Cases) -> None:
        super().__init__()
        self._cases = cases

    def addSuccess(self, test: unittest.TestCase) -> None:
        self._cases.ok(_name(test))

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addFailure(test, err)
        self._cases.not_ok(_name(test), self.failures[-1][1])

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        super().addError(test, err)
        self._cases.not_ok(_name(test), self.errors[-1][1])

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        self._cases.skip(_name(test), reason)


def _name(test: unittest.TestCase) -> str:
    return test.id().rpartition(".")[2].removeprefix("test_")


def run_unittests(module: ModuleType) -> int:
    """Runs the unit tests of a module; returns the exit status."""
    cases = Cases()
    unittest.defaultTestLoader.loadTestsFromModule(module).run(_Result(cases))
    return cases.end()
