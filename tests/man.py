#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""The manual pages are complete, without warnings, without dangling references, and the same each time. The program
in axvcpu(7) compiles. Needs the pages of the build or of a release tarball; groff, man and mandoc check them where
they are installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

sys.dont_write_bytecode = True
from cases import BUILD, SOURCE, WORK, Cases, output, tool  # noqa: E402

cases = Cases()
folder = BUILD / "docs/man/pages"
if not folder.is_dir():
    folder = SOURCE / "docs/man/pages"
if not folder.is_dir():
    cases.skip("manual pages", "there are none: Python 3 was missing")
    sys.exit(cases.end())
folder = folder.resolve()
# Their texts, by names such as man3/axvm_new.3.
pages = {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.glob("man*/*.*"))}
# Without those that only refer to another page.
whole = {page: text for page, text in pages.items() if not text.startswith(".so ")}


def same(name: str, expected: Iterable[str], found: Iterable[str]) -> None:
    """A case: the two have the same elements."""
    expected, found = set(expected), set(found)
    cases.none_wrong(name, [f"missing: {text}" for text in sorted(expected - found)]
                     + [f"unexpected: {text}" for text in sorted(found - expected)])


def names(section: str) -> list[str]:
    return [Path(page).stem for page in whole if page.endswith(f".{section}")]


def between(text: str, begin: str, end: str) -> str:
    return text.partition(begin)[2].partition(end)[0]


# --- each function and type has a page, and each page its function ----------------------------------

headers = "".join(path.read_text() for path in (SOURCE / "include/axvcpu").glob("*.h"))
exported = re.findall(r"^\s*(ax[a-z0-9_]*);$", (SOURCE / "lib/libaxvcpu.map").read_text(), re.MULTILINE)
inline = re.findall(r"^static inline .*[ *](ax[a-z0-9_]*)\(", headers, re.MULTILINE)
types = re.findall(r"^(?:struct|enum) (ax[a-z0-9_]*) {", headers, re.MULTILINE)
cases.check("the library exports functions", len(exported) >= 90, f"only {len(exported)} are found")
same("exactly the functions of the library have pages", exported + inline, names("3"))
same("exactly the structs and enums of the headers have pages", types, names("3type"))

# --- each page is whole --------------------------------------------------------------------------------

COMMON = ["NAME", "LIBRARY", "SYNOPSIS", "DESCRIPTION", "SEE ALSO"]
SECTIONS = {
    "3": [*COMMON, "THREADS"],
    "3type": COMMON,
    "7": COMMON,
    "1": ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "SEE ALSO"],
}
lacking = [
    f"{page}: no {heading}"
    for page, text in whole.items()
    for heading in SECTIONS[page.rpartition(".")[2]]
    if f"\n.SH {heading}\n" not in text
]
cases.none_wrong("each page has its sections", lacking)

# Parameters, return value and errors of one of them, as a sample.
SAMPLE = pages["man3/axvcpu_block.3"]
LINES = [".SH PARAMETERS", r"\fItimeout_ns\fR", ".SH RETURN VALUE", ".SH ERRORS", r"\fB\-ETIMEDOUT\fR", ".SH STATES",
         r"\fB#include <axvcpu/axvcpu.h>\fR"]
lacking = [line for line in LINES if line not in SAMPLE.splitlines()]
cases.none_wrong("axvcpu_block(3) has parameters, return value, errors and states", lacking)
# Errors that the comment in the header lists, and no others.
errors = re.findall(r"^\\fB\\(-E[A-Z]*)\\fR$", between(SAMPLE, "\n.SH ERRORS", "\n.SH STATES"), re.MULTILINE)
expected = ["-ETIMEDOUT", "-EINTR", "-EBADFD", "-EBUSY", "-EPERM"]
cases.check("axvcpu_block(3) lists its errors", errors == expected, *errors)

# --- references ------------------------------------------------------------------------------------------

# In the text, such as \fBaxvm_new\fR(3), and by macros.
plain = re.sub(r"\\f[BIRP]", "", "".join(pages.values()).replace(r"\-", "-"))
plain = re.sub(r"^\.BR (\S*) (\([0-9][a-z]*\))", r"\1\2", plain, flags=re.MULTILINE)
references = set(re.findall(r"(?<![a-z0-9_-])(ax[a-z0-9_-]*)\(([0-9])([a-z]*)\)", plain))
dangling = [
    f"{name}({number}{kind})"
    for name, number, kind in sorted(references)
    if f"man{number}/{name}.{number}{kind}" not in pages
]
cases.none_wrong("each page that is referred to exists", dangling)
cases.check("the pages refer to each other", len(references) >= 100, "few references are found")
included = re.findall(r"^\.so (.*)", "".join(pages.values()), re.MULTILINE)
cases.none_wrong("each page that another one includes exists", [page for page in included if page not in pages])

html = {path.name: path.read_text() for path in (folder / "html").iterdir()}
links = {page: set(re.findall(r'href="([^"#]*)"', text)) for page, text in html.items()}
dangling = sorted(link for link in set().union(*links.values()) if link not in html)
cases.none_wrong("each link of the HTML leads to a page", dangling)
expected = [f"{Path(page).name}.html" for page in whole]
same("index.html has a link to each page", expected, links["index.html"])
same("each page is there as HTML", expected, html.keys() - {"index.html"})

# --- man and groff --------------------------------------------------------------------------------------


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)


if shutil.which("groff"):
    done = run("groff", "-man", "-ww", "-Kutf8", "-Tutf8", "-I", ".", *pages)
    cases.none_wrong("groff has no warning", done.stderr.splitlines())
    lines = done.stdout.count("\n")
    cases.check("groff prints the pages", lines > 5000, f"only {lines} lines")
else:
    cases.skip("groff", "there is none")
if shutil.which("man"):
    # All at once. It fails if it does not find one of them.
    done = run("man", "-M", folder, "-w", *sorted({Path(page).stem for page in pages}))
    cases.check("man finds each page", done.returncode == 0, done.stderr)
    # One of each section, and one that includes another.
    some = ["man1/axrun.1", "man3/axvcpu_run.3", "man3/AXVM_CONFIG_INIT.3type", "man7/axvcpu.7"]
    done = run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", *some)
    cases.none_wrong("man has no warning", done.stderr.splitlines())
    included_page = re.search("^ *axvm_config, AXVM_CONFIG_INIT - ", done.stdout, re.MULTILINE)
    cases.check("man prints the page that another one includes", included_page, "it does not")
else:
    cases.skip("man", "there is none")
if shutil.which("mandoc"):
    done = run("mandoc", "-Tlint", "-Werror", *pages)
    cases.none_wrong("mandoc has no error", (done.stdout + done.stderr).splitlines())
else:
    cases.skip("mandoc", "there is none")

# --- the options of the programs -------------------------------------------------------------------------

for name in ("axrun", "axvcpu-info"):
    case = f"{name}(1) has the options of {name} --help"
    program = BUILD / "examples" / name / name
    if not os.access(program, os.X_OK):
        cases.skip(case, "it is not built")
        continue
    options = re.findall("--[a-z][a-z-]*", output(program.resolve(), "--help"))
    section = between(pages[f"man1/{name}.1"].replace(r"\-", "-"), "\n.SH OPTIONS", "\n.SH EXIT")
    same(case, options, re.findall(r"^(?:\.B |\\fB)(--[a-z-]*)", section, re.MULTILINE))

# --- the same each time -------------------------------------------------------------------------------


def build(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, source / "docs/man/build.py", source, target)


source = SOURCE.resolve()
done = build(source, WORK / "again")
cases.check("the pages are made again", done.returncode == 0, done.stdout, done.stderr)
done = run("diff", "-r", "-x", "stamp", folder, WORK / "again")
cases.check("they are the same", done.returncode == 0, done.stdout)

# A comment that is not complete makes no page.
broken = WORK / "broken"
for name in ("docs/man", "include/axvcpu"):
    shutil.copytree(source / name, broken / name, copy_function=shutil.copyfile)
header = broken / "include/axvcpu/vcpu.h"
header.write_text(re.sub(".*@param timeout_ns longest time to sleep.*\n", "", header.read_text()))
done = build(broken, WORK / "none")
named = re.search("vcpu.h:[0-9]*: axvcpu_block: .*timeout_ns", done.stdout + done.stderr)
cases.check("a parameter without a description is an error", done.returncode != 0 and named, done.stdout, done.stderr)

# --- the example of axvcpu(7) -----------------------------------------------------------------------------

example = between(pages["man7/axvcpu.7"].partition("\n.SH EXAMPLES")[2], "\n.EX\n", "\n.EE")
for roff, text in ((r"\-", "-"), (r"\&", ""), (r"\e", "\\")):
    example = example.replace(roff, text)
program = WORK / "example.c"
program.write_text(f"{example}\n")
warnings = "-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror".split()
done = run(*tool("CC", "cc"), "-std=c11", *warnings, f"-I{source}/include", "-fsyntax-only", program)
cases.check("the example of axvcpu(7) compiles", done.returncode == 0, done.stderr)

sys.exit(cases.end())
