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
from dataclasses import dataclass, field
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


@dataclass
class Report:
    """The cases of one test."""

    cases: list[Case] = field(default_factory=list)

    def count(self, outcome: str) -> int:
        return sum(case.outcome == outcome for case in self.cases)

    @property
    def counts(self) -> tuple[int, int, int]:
        """The numbers of cases that passed, failed and were skipped."""
        return self.count("passed"), self.count("failed"), self.count("skipped")

    @property
    def outcome(self) -> str:
        """Of the test as a whole: "skipped" if all cases are."""
        passed, failed, _ = self.counts
        return "failed" if failed else "passed" if passed else "skipped"

    def fail(self, what: str) -> None:
        """Adds a failure that no case stands for."""
        self.cases.append(Case(what, "failed"))


def read(text: str, error: str = "") -> Report:
    """What a test printed. 'error' says how it ended, if that was not well: that, a missing plan, and another
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
    elif error and not report.count("failed"):
        report.fail(error)
    return report


def main(paths: list[str]) -> int:
    total = [0, 0, 0]
    for path in paths or ["-"]:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(errors="replace")
        report = read(text)
        total = [a + b for a, b in zip(total, report.counts)]
        for case in report.cases:
            if case.outcome == "failed":
                print(f"{path}: {case.name}")
    print("{} passed, {} failed, {} skipped".format(*total))
    return int(not total[0] or total[1] > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
