#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""The layers of docs/architecture.md: no file of lib/ and backends/ needs, directly or through others,
a file that needs it, and the internal names that objects share begin with axv_ or axk_.

Reads the symbols of the build tree's objects, in the current directory.
"""

import re
import sys
from pathlib import Path

from cases import Cases, output, tool

PREFIXES = ("axv_", "axk_", "axvcpu_", "axvm_", "axpercpu_")


def read_objects() -> tuple[dict[str, set[str]], dict[str, str]]:
    """The names that each file uses, and the file that defines each name."""
    uses: dict[str, set[str]] = {}
    defined: dict[str, str] = {}
    for path in sorted([*Path("lib").rglob("*.o"), *Path("backends").rglob("*.o")]):
        # fast_run.c is built twice: of the two, that for the tests. libtool has the objects of a shared
        # library in .libs.
        match = re.fullmatch(r"libaxvcpu_(?:base|core)_la-(.*)\.o", path.name)
        if not match:
            continue
        name = str(path.parent / match[1]).replace("/.libs/", "/")
        uses.setdefault(name, set())
        for line in output(*tool("NM", "nm"), path).splitlines():
            *_, kind, symbol = line.split()
            if kind == "U":
                uses[name].add(symbol)
            elif kind in "TDBRVWC":
                defined[symbol] = name
    return uses, defined


def cycle(needs: dict[str, set[str]]) -> list[str]:
    """A cycle of the graph, or an empty list."""
    done: set[str] = set()

    def search(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        for other in sorted(needs[name]):
            found = search(other, [*path, name])
            if found:
                return found
        done.add(name)
        return []

    for name in sorted(needs):
        found = search(name, [])
        if found:
            return found
    return []


def main() -> int:
    cases = Cases()
    uses, defined = read_objects()
    needs = {
        name: {defined[symbol] for symbol in symbols if symbol in defined} - {name}
        for name, symbols in uses.items()
    }
    cases.none_wrong("the build tree has the objects of the library", [] if uses else ["no objects"])
    cases.none_wrong("no cycle between files", cycle(needs))
    foreign = sorted(name for name in defined if not name.startswith(PREFIXES))
    cases.none_wrong("shared names have a prefix", foreign)
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
