#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""docs/exits.md has a row for each exit kind. For each architecture, tests/exits.map names tests that produce
the kind there, or the page says why KVM cannot ("n/a: ...").

    tests/exits.py                  compares the page, the map, exit.h and the tests
    tests/exits.py ARCH DIRECTORY   whether the tests named for ARCH have run and passed: DIRECTORY has their
                                    logs, tests/NAME.log, as a build tree and scripts/nested keep them
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True
import tap  # noqa: E402
from cases import SOURCE, Cases, table  # noqa: E402

# When it runs by itself, the source tree is known by its own place.
TOP = SOURCE if SOURCE != Path(".") else Path(__file__).resolve().parent.parent
ARCHITECTURES = ("x86_64", "arm64", "riscv64")
cases = Cases()


class Map:
    """tests/exits.map: lines "ARCH KIND SUITE:TEST..."."""

    def __init__(self) -> None:
        text = (TOP / "tests/exits.map").read_text()
        self.lines = [line for line in text.splitlines() if not line.startswith("#")]
        self.tests: dict[tuple[str, str], list[str]] = {}
        self.wrong = []
        for line in self.lines:
            arch, kind, *tests = line.split()
            right = re.fullmatch(r"\S+ ([A-Z_]+|[a-z]+)( test_[a-z0-9_]+:[a-z0-9_]+)+", line)
            if not right or arch not in ARCHITECTURES or (arch, kind) in self.tests:
                self.wrong.append(line)
            self.tests[arch, kind] = tests

    def named(self, arch: str) -> list[str]:
        """All tests of an architecture."""
        return sorted({test for (its, _), tests in self.tests.items() if its == arch for test in tests})


def wrong_test(name: str, arch: str, built: set[str]) -> str:
    """Why the map may not name this test for this architecture; empty if it may."""
    suite, _, test = name.partition(":")
    source = TOP / f"tests/{suite}.c"
    of_arch = re.match("test_(x86|arm64|riscv64)_", suite)
    if of_arch and not arch.startswith(of_arch[1]):
        return f"{name}: not a suite of {arch}"
    if not source.exists() or f"\nSTART_TEST({test})\n" not in source.read_text():
        return f"{name}: there is no such test"
    return "" if f"tests/{suite}" in built else f"{name}: the suite is not built"


def wrong_cell(kind: str, cell: str, tests: list[str]) -> str:
    if not cell:
        return f"{kind}: the cell is empty"
    if cell.startswith("n/a:"):
        return f"{kind}: n/a, but there are tests" if tests else ""
    return "" if tests else f"{kind}: there are no tests"


def check_page(exits: Map) -> None:
    header = (TOP / "include/axvcpu/exit.h").read_text()
    page = (TOP / "docs/exits.md").read_text()
    kinds = re.findall(r"^\s*AXVCPU_EXIT_([A-Z0-9_]*) = \d+,", header, re.MULTILINE)
    rows = table(page, "kind")
    named = [row["kind"] for row in rows]
    cases.none_wrong("exit.h has kinds", [] if len(kinds) >= 20 else kinds)
    cases.none_wrong("every kind has a row", [kind for kind in kinds if kind not in named])
    wrong = [kind for kind in named if kind not in kinds or named.count(kind) > 1]
    cases.none_wrong("every row is a kind, once", wrong)
    cells = [cell for line in page.splitlines() if line.startswith("|") for cell in line.split("|")]
    long = [cell for cell in cells if len(cell.strip()) > 200]
    cases.none_wrong("no cell has more than 200 characters", long)
    wrong = [kind for _, kind in exits.tests if kind.isupper() and kind not in kinds]
    name = "every line of tests/exits.map is an architecture, a kind and tests, once"
    cases.none_wrong(name, exits.wrong + wrong)

    built = set((TOP / "tests/local.mk").read_text().split())
    for arch in ARCHITECTURES:
        mistakes = [wrong_cell(row["kind"], row[arch], exits.tests.get((arch, row["kind"]), [])) for row in rows]
        cases.none_wrong(f"every kind is tested on {arch}, or KVM cannot produce it", filter(None, mistakes))
        mistakes = [wrong_test(test, arch, built) for test in exits.named(arch)]
        cases.none_wrong(f"every test named for {arch} exists and is built there", filter(None, mistakes))


def check_results(exits: Map, arch: str, logs: Path) -> None:
    """In a loop, every turn is a result. A test that this KVM cannot run, and that says why, is skipped."""
    wrong = []
    for name in exits.named(arch):
        suite, _, test = name.partition(":")
        log = logs / f"tests/{suite}.log"
        results = tap.read(log.read_text(errors="replace")).cases if log.exists() else []
        outcomes = {it.outcome: it.why for it in results if it.name.rpartition(": ")[2] == test}
        if outcomes.keys() == {"skipped"}:
            cases.skip(name, outcomes["skipped"])
        elif "failed" in outcomes or not outcomes:
            wrong.append(f"{name}: {'failed' if outcomes else 'did not run'}")
    title = f"the tests that tests/exits.map names for {arch} have run and passed, or say why they cannot"
    cases.none_wrong(title, wrong or ([] if exits.named(arch) else ["there are none"]))


def main(arguments: list[str]) -> int:
    if not arguments:
        check_page(Map())
    elif len(arguments) == 2 and arguments[0] in ARCHITECTURES:
        check_results(Map(), arguments[0], Path(arguments[1]))
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return cases.end()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
