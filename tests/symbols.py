#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""The libraries export the functions that the headers declare: all of them, and nothing else."""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True
from cases import BUILD, SOURCE, Cases, output, tool  # noqa: E402

VERSION = "AXVCPU_0.1"
PUBLIC = r"(?:axvcpu|axvm|axpercpu)_[a-z0-9_]+"
cases = Cases()


def declarations() -> tuple[set[str], list[str]]:
    """The functions that the headers export, and those declared without AXVCPU_API. As the compiler sees
    them, so that comments and line breaks do not matter."""
    headers = sorted((SOURCE / "include/axvcpu").glob("*.h"))
    source = "".join(f"#include <axvcpu/{header.name}>\n" for header in headers)
    text = output(*tool("CC", "cc"), "-E", "-P", f"-I{SOURCE}/include", "-", text=source)
    exported: set[str] = set()
    others = []
    for part in re.split("[;{}]", text.replace("\n", " ")):
        plain = re.sub(r"__attribute__ *\(\(.*?\)\) *(?=\w|\*|$)", "", part)
        name = re.match(r"[^(=]*[ *](\w+) *\(", plain)
        if re.search(r'visibility *\( *"default" *\)', part) and name:
            exported.add(name[1])
        # Calls in inline functions are no declarations.
        elif name and re.fullmatch(PUBLIC, name[1]) and not re.match(r" *(return|static)\b", plain):
            others.append(" ".join(part.split()))
    return exported, others


def symbols(path: Path, *options: str) -> list[list[str]]:
    """The fields of nm's lines: of the symbols that a program which links the file can see."""
    lines = output(*tool("NM", "nm"), "-g", "--defined-only", *options, path).splitlines()
    return [line.split()[-2:] for line in lines if len(line.split()) == 3]


def same(where: str, declared: set[str], found: set[str]) -> None:
    cases.none_wrong(f"every function of the headers is {where}", sorted(declared - found))
    cases.none_wrong(f"nothing is {where} that no header declares", sorted(found - declared))


def main() -> int:
    declared, others = declarations()
    cases.none_wrong("every function of the headers is declared with AXVCPU_API", others)
    cases.none_wrong("the headers declare functions", [] if len(declared) >= 40 else declared)

    script = (SOURCE / "lib/libaxvcpu.map").read_text()
    nodes = re.findall("global:(.*?)local:", script, re.DOTALL)
    listed = re.findall(r"(\S+);", "".join(nodes))
    same("in lib/libaxvcpu.map", declared, set(listed))
    twice = sorted({name for name in listed if listed.count(name) > 1})
    cases.none_wrong("lib/libaxvcpu.map lists each function once", twice)

    library = BUILD / ".libs/libaxvcpu.so"
    if library.exists():
        found = symbols(library, "-D")
        names = {name.partition("@")[0] for _, name in found} - {VERSION}
        same("exported", declared, names)
        version = re.escape(VERSION)
        right = f"T {PUBLIC}@@{version}|A {version}(@@{version})?"
        wrong = [" ".join(it) for it in found if not re.fullmatch(right, " ".join(it))]
        cases.none_wrong(f"every symbol is a function of the library's own, of version {VERSION}", wrong)
    else:
        cases.skip("the shared library", "it was not built (--disable-shared)")

    archive = BUILD / ".libs/libaxvcpu.a"
    if archive.exists():
        same("global in the static library", declared, {name for _, name in symbols(archive)})
    else:
        cases.skip("the static library", "it was not built (--disable-static)")
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
