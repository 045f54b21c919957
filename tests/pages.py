#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""The pages agree with the tree: docs/kvm-map.md has each ioctl and exit reason that backends/ uses; functions and
files that a page names exist; programs, guests and excerpts that a page shows are those of the tree; the pages keep
the language rule of CONTRIBUTING.md. Needs the compiler, for the ioctls of <linux/kvm.h>."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from difflib import unified_diff
from itertools import zip_longest

sys.dont_write_bytecode = True
from cases import SOURCE, Cases, output, tool  # noqa: E402

cases = Cases()
PAGES = ["README.md", "CONTRIBUTING.md", "SECURITY.md", *(f"docs/{path.name}" for path in SOURCE.glob("docs/*.md"))]


def read(name: str) -> str:
    return (SOURCE / name).read_text()


def read_all(*patterns: str) -> str:
    paths = [path for pattern in patterns for path in SOURCE.glob(pattern) if path.is_file()]
    return "".join(path.read_text() for path in paths)


text = {page: read(page) for page in sorted(PAGES)}
all_pages = "".join(text.values())

# --- docs/kvm-map.md ------------------------------------------------------------------------------

KVM_NAME = "KVM_[A-Z0-9_]+"
macros = output(*tool("CC", "cc"), "-E", "-dM", "-", text="#include <linux/kvm.h>\n")
ioctls = set(re.findall(rf"^#define ({KVM_NAME}) _IO[RW]*\(", macros, re.MULTILINE))
used = set(re.findall(KVM_NAME, read_all("backends/**/*")))
mapped = set(re.findall(KVM_NAME, text["docs/kvm-map.md"]))

wrong = (used & ioctls) - mapped
if len(used & ioctls) < 40:
    wrong |= {f"only these are used: {' '.join(sorted(used & ioctls))}"}
cases.none_wrong("docs/kvm-map.md has each ioctl that backends/ uses", sorted(wrong))
exits = {name for name in used if name.startswith("KVM_EXIT_")}
cases.none_wrong("docs/kvm-map.md has each exit reason that backends/ uses", sorted(exits - mapped))
cells = [line.split("|")[1] for line in text["docs/kvm-map.md"].splitlines() if "not used" in line and "|" in line]
unused = set(re.findall(KVM_NAME, "\n".join(cells)))
wrong = sorted(unused & used & ioctls)
cases.none_wrong("backends/ uses no ioctl that docs/kvm-map.md says is not used", wrong)

# --- names ----------------------------------------------------------------------------------------

# Exported functions, and those that are inline.
functions = set(re.findall(r"^\s*([a-z0-9_]*);$", read("lib/libaxvcpu.map"), re.MULTILINE))
functions |= set(re.findall(r"^static inline [^(\n]*[ *]([a-z0-9_]*)\(", read_all("include/axvcpu/*.h"), re.MULTILINE))
named = set(re.findall(r"((?:axvcpu|axvm|axpercpu)_[a-z0-9_]+)\(\)", all_pages))
cases.none_wrong("each function that a page names exists", sorted(named - functions))

FOLDERS = "backends|bench|docs|examples|include|lib|scripts|tests"
lists = read_all("*/local.mk", "examples/*/local.mk")


def exists(name: str) -> bool:
    """A file of the tree, or of a build; or a name that stands for such files."""
    if re.search("/ARCH|/NAME|/mine$|^tests/test$", name):
        return True
    return any((SOURCE / f"{name}{end}").exists() for end in ("", ".c")) or bool(
        re.search(rf"\b{re.escape(name)}\b", lists)
    )


files = set(re.findall(rf"(?:{FOLDERS})/[A-Za-z0-9_./-]*[a-z0-9]", all_pages))
cases.none_wrong("each file that a page names exists", sorted(name for name in files if not exists(name)))

links = [(page, link) for page, content in text.items() for link in re.findall(r"\]\(([^)#\n]+)", content)]
wrong = [
    f"{page}: {link}"
    for page, link in links
    if not link.startswith("https:") and not ((SOURCE / page).parent / link).exists() and not (SOURCE / link).exists()
]
cases.none_wrong("each link between pages leads to a file", wrong)

# --- language -------------------------------------------------------------------------------------

# Phrases that CONTRIBUTING.md replaces by plainer ones; that page quotes them.
PHRASES = "but for|for ever|nobody|somebody|sees to|seen to|is told of|told of|takes but|but a moment"


def phrases() -> Iterator[str]:
    for page in [*text, "CHANGELOG.md"]:
        if page == "CONTRIBUTING.md":
            continue
        for number, line in enumerate(read(page).splitlines(), 1):
            if re.search(rf"\b(?:{PHRASES})\b", re.sub("`[^`]*`", "", line), re.IGNORECASE):
                yield f"{page}:{number}: {line}"


cases.none_wrong("no page has a phrase that the language rule replaces", phrases())

# --- programs and guests --------------------------------------------------------------------------


def blocks(page: str, kind: str) -> list[tuple[str, str]]:
    """The argument and the text of each fenced block of that kind, as "```KIND ARGUMENT"."""
    return re.findall(rf"^```{kind} (.*)\n((?:(?!```).*\n)*)", text[page], re.MULTILINE)


def guest(name: str, machine: str) -> list[str]:
    """Its instructions, in columns."""
    source = read(f"examples/tutorial/guests-{machine}.S")
    match = re.search(rf"^guest {name}\n((?:.*\n)*?)end {name}$", source, re.MULTILINE)
    rows = [(line.split("\t") + ["", ""])[:3] for line in (match[1] if match else "").splitlines()]
    return [f"{label:<4}{instruction:<8}{operands}" for label, instruction, operands in rows]


def guest_columns(name: str) -> str:
    """The same of all machines, side by side, as a page shows them."""
    columns = (guest(name, machine) for machine in ("x86_64", "aarch64", "riscv64"))
    rows = [("x86_64", "arm64", "riscv64"), ("", "", ""), *zip_longest(*columns, fillvalue="")]
    return "".join(f"{x86:<37}{arm:<35}{riscv}".rstrip() + "\n" for x86, arm, riscv in rows)


def differs(shown: str, true: str) -> list[str]:
    return list(unified_diff(shown.splitlines(), true.splitlines(), lineterm=""))


excerpts = blocks("docs/testing.md", "excerpt")
wrong = [f"{file}: excerpt {n} differs" for n, (file, shown) in enumerate(excerpts, 1) if shown not in read(file)]
name = "docs/testing.md shows parts of the tests as they are"
cases.none_wrong(name, wrong if excerpts else ["no excerpts"])

for page in ("README.md", "docs/tutorial.md"):
    programs = blocks(page, "c")
    guests = blocks(page, "guest")
    cases.none_wrong(f"{page} has programs and guests", [] if programs and guests else ["no blocks"])
    for file, shown in programs:
        # Except the license, and the comment that names it.
        source = "".join(read(file).splitlines(keepends=True)[2:])
        cases.none_wrong(f"{page} shows {file}", differs(shown, source))
    for name, shown in guests:
        cases.none_wrong(f"{page} shows the guest {name}", differs(shown, guest_columns(name)))

sys.exit(cases.end())
