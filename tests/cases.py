# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""Shared by the tests that are Python programs, as tests/cases.sh is by scripts: they print TAP, and run programs.

These tests also run in the machines of scripts/nested, where Python needs seconds to load a large module.
"""

from __future__ import annotations

import atexit
import itertools
import os
import re
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

SOURCE = Path(os.environ.get("top_srcdir", "."))
BUILD = Path(os.environ.get("top_builddir", "."))
# As in tests/suite.h: by how much limits are longer on this machine.
PATIENCE = int(os.environ.get("AXVCPU_TEST_PATIENCE") or 1)
# Seconds after which a program hangs: none takes that long, even where guests are interpreted and other
# processes use the processors.
LIMIT = 150 * PATIENCE
# The status of a program that did not end within the limit.
HANG = -1000

_work = tempfile.TemporaryDirectory()
# A folder for the files of this test. Another user may enter it.
WORK = Path(_work.name)
WORK.chmod(0o755)


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

    def check(self, name: str, passed: object, *why: str) -> None:
        """'why' explains a failure."""
        if passed:
            self.ok(name)
        else:
            self.not_ok(name, *why)

    def skip(self, name: str, why: str) -> None:
        self.ok(f"{name} # SKIP {why}")

    def skip_all(self, why: str) -> NoReturn:
        """No case can run here."""
        print(f"1..0 # SKIP {why}")
        sys.exit(0)

    def none_wrong(self, name: str, wrong: Iterable[str]) -> None:
        """The case passes if there are no mistakes."""
        wrong = list(wrong)
        if wrong:
            self.not_ok(name, "these are wrong:", *wrong)
        else:
            self.ok(name)

    def start(self, *command: str | Path, **options: Any) -> Process:
        return Process(self, command, **options)

    def run(self, *command: str | Path, **options: Any) -> Run:
        """A program to its end."""
        return self.start(*command, **options).wait()

    def end(self) -> int:
        """Prints the plan; returns the exit status."""
        print(f"1..{self.done}", flush=True)
        return int(self.failed > 0)


class Process:
    """A program that was started. Its output goes to files, and is read as one character for each byte.

    The options are those of subprocess.Popen, and 'text', which is in a file that is its stdin.
    """

    _numbers = itertools.count()

    def __init__(self, cases: Cases, command: Sequence[str | Path], text: str = "", **options: Any) -> None:
        number = next(self._numbers)
        self._cases = cases
        self.out, self.err, source = (WORK / f"{number}.{name}" for name in ("out", "err", "in"))
        source.write_bytes(text.encode("latin-1"))
        with self.out.open("wb") as out, self.err.open("wb") as err, source.open("rb") as file:
            files = {"stdin": file if text else subprocess.DEVNULL, "stdout": out, "stderr": err}
            self.popen = subprocess.Popen([str(word) for word in command], **{**files, **options})
        source.unlink()
        # None is left running.
        atexit.register(self.popen.kill)
        self.pid = self.popen.pid

    def appears(self, pattern: str, count: int = 1, where: str = "out") -> bool:
        """Waits until a pattern was written that often; False if the program has ended, or hangs."""
        end = time.monotonic() + LIMIT
        ended = False
        while len(re.findall(pattern, read_text(getattr(self, where)), re.MULTILINE)) < count:
            if ended or time.monotonic() > end:
                return False
            ended = self.popen.poll() is not None
            time.sleep(0.1)
        return True

    def kill(self, number: int) -> Process:
        self.popen.send_signal(number)
        return self

    def wait(self) -> Run:
        """Its end; that of a program that hangs is forced, and has no status that a test expects."""
        ends = True
        if self.popen.poll() is None:
            # Popen.wait() with a limit looks for the end only now and then.
            pidfd = os.pidfd_open(self.pid)
            ends = bool(select.select([pidfd], [], [], LIMIT)[0])
            os.close(pidfd)
        if not ends:
            self.popen.kill()
        status = self.popen.wait()
        run = Run(self._cases, status if ends else HANG, read_text(self.out), read_text(self.err))
        self.out.unlink()
        self.err.unlink()
        return run


class Run:
    """A program that has ended. A status above 128 is that of one that died of a signal, as in a shell."""

    def __init__(self, cases: Cases, status: int, out: str, err: str) -> None:
        self._cases = cases
        self.status = 128 - status if HANG < status < 0 else status
        self.out = out
        self.err = err

    @property
    def evidence(self) -> str:
        lines = [f"it did not end within {LIMIT} s" if self.status == HANG else f"status: {self.status}"]
        for name, text in (("stdout", self.out), ("stderr", self.err)):
            lines += [f"{name}: {line}" for line in text.splitlines()[-30:]]
        return "\n".join(lines).encode("ascii", "backslashreplace").decode()

    def ends(self, name: str, status: int, out: str | None = None) -> Run:
        """A case: it ended with that status, and, if given, exactly that output."""
        if self.status != status:
            self._cases.not_ok(name, f"expected status {status}", self.evidence)
        elif out not in (None, self.out):
            self._cases.not_ok(name, "other output", self.evidence)
        else:
            self._cases.ok(name)
        return self

    def says(self, name: str, pattern: str, where: str = "err") -> Run:
        """A case: stderr, or stdout, has a line with that pattern."""
        if self.matches(pattern, where):
            self._cases.ok(name)
        else:
            self._cases.not_ok(name, f"std{where} lacks: {pattern}", self.evidence)
        return self

    def matches(self, pattern: str, where: str = "err") -> re.Match[str] | None:
        return re.search(pattern, getattr(self, where), re.MULTILINE)


def read_text(path: Path) -> str:
    """Text of any encoding: one character for each byte."""
    return path.read_bytes().decode("latin-1")


def run_unittests(module: ModuleType) -> int:
    """Runs the unit tests of a module; returns the exit status."""
    import unittest

    def name(test: unittest.TestCase) -> str:
        return test.id().rpartition(".")[2].removeprefix("test_")

    class Result(unittest.TestResult):
        def addSuccess(self, test: unittest.TestCase) -> None:
            cases.ok(name(test))

        def addFailure(self, test: unittest.TestCase, err: Any) -> None:
            super().addFailure(test, err)
            cases.not_ok(name(test), self.failures[-1][1])

        def addError(self, test: unittest.TestCase, err: Any) -> None:
            super().addError(test, err)
            cases.not_ok(name(test), self.errors[-1][1])

        def addSkip(self, test: unittest.TestCase, reason: str) -> None:
            cases.skip(name(test), reason)

    cases = Cases()
    unittest.defaultTestLoader.loadTestsFromModule(module).run(Result())
    return cases.end()
