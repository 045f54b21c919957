#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""Reads TAP, the form in which all tests here report, and counts.

    tests/tap.py [FILE]...

Prints the cases that failed in these files, or on stdin, and how many there were of each kind. A file may
be a log of "make check" or of scripts/nested: there a line "ERROR: TEST - WHY" follows the output of a test
that did not end well. The status is 0 if at least one case passed and none failed.
"""

from __future__ import annotations

import re
import sys
from dataclasses import astuple, dataclass, field
from pathlib import Path

RESULT = re.compile(r"(not )?ok\b(?: (\d+))?(?: -)? *(.*?)(?: *# *(skip)\b *(.*))?$", re.IGNORECASE)
PLAN = re.compile(r"1\.\.(\d+)(?: *# *(?:skip)?\b *(.*))?$", re.IGNORECASE)
ERROR = re.compile(r"(?:ERROR: .*? - |Bail out! *)(.*)$")


@dataclass(frozen=True)
class Case:
    name: str
    # "passed", "failed" or "skipped", and why it was skipped.
    outcome: str
    why: str = ""


@dataclass(frozen=True)
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Counts) -> Counts:
        numbers = zip(astuple(self), astuple(other))
        return Counts(*(one + another for one, another in numbers))

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"

    @property
    def status(self) -> int:
        """An exit status."""
        return int(self.passed == 0 or self.failed > 0)


@dataclass
class Report:
    """The cases of one test."""

    cases: list[Case] = field(default_factory=list)

    @property
    def counts(self) -> Counts:
        outcomes = [case.outcome for case in self.cases]
        return Counts(*map(outcomes.count, ("passed", "failed", "skipped")))

    @property
    def outcome(self) -> str:
        """The outcome of the test as a whole: "skipped" if all cases are."""
        counts = self.counts
        return "failed" if counts.failed else "passed" if counts.passed else "skipped"

    def fail(self, what: str) -> None:
        """Adds a failure that no case stands for."""
        self.cases.append(Case(what, "failed"))


def read(text: str, error: str = "") -> Report:
    """Output of a test. 'error' says how it ended, if that was not well: that, a missing plan, and another
    number of cases than planned count as a failure, a status that follows from failed cases does not."""
    report = Report()
    plans: list[int] = []
    for line in text.splitlines():
        if match := RESULT.match(line):
            failed, _, name, skip, why = match.groups()
            outcome = "failed" if failed else "skipped" if skip else "passed"
            report.cases.append(Case(name, outcome, why or ""))
        elif match := PLAN.match(line):
            plans.append(int(match[1]))
            if plans == [0] and not report.cases:
                report.cases.append(Case("all", "skipped", match[2] or ""))
                plans = [1]
        elif match := ERROR.match(line):
            error = error or match[1]
    if not plans:
        report.fail("there is no plan" + (f"; {error}" if error else ""))
    elif plans != [len(report.cases)]:
        planned = " and ".join(map(str, plans))
        report.fail(f"{len(report.cases)} results, of {planned} planned")
    elif error and not report.counts.failed:
        report.fail(error)
    return report


def main(paths: list[str]) -> int:
    total = Counts()
    for path in paths or ["-"]:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(errors="replace")
        report = read(text)
        total += report.counts
        for case in report.cases:
            if case.outcome == "failed":
                print(f"{path}: {case.name}")
    print(total)
    return total.status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
