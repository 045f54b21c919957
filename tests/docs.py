#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""The pages agree with the tests. The transcripts of README.md and docs/demo.md have the commands that
scripts/demo runs; each other command line of a page is run by a test, or tests/commands says why not. The table
of system calls in docs/threads.md is the one that tests/test_sandbox.c holds the library to."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.dont_write_bytecode = True
from cases import SOURCE, Cases, output, table  # noqa: E402

# Commands that the pages use, beside the programs of this tree.
COMMANDS = r"(.*/)?configure|axrun|axvcpu-.*|cc|make|mkdir|cd|sudo|git|[A-Z].*=.*"
cases = Cases()


def read(name: str) -> str:
    return (SOURCE / name).read_text()


# --- the transcripts ------------------------------------------------------------------------------


def demo_commands() -> set[str]:
    """The commands that the scripts of the demo show, with programs that do nothing."""
    with tempfile.TemporaryDirectory() as folder:
        programs, guests = Path(folder, "bin"), Path(folder, "guests")
        programs.mkdir()
        guests.mkdir()
        for name in ("axrun", "axvcpu-info", "custom_backend", "minimal"):
            (programs / name).write_text("#!/bin/sh\ncase $* in *crash) exit 126 ;; esac\n")
            (programs / name).chmod(0o755)
        for guest in (SOURCE / "examples/guests").glob("*.c"):
            (guests / guest.stem).touch()
        scripts = (SOURCE / "scripts").resolve()
        run = f"cd '{guests}' && '{scripts}/show' && '{scripts}/boot-debian' /boot checks,then=poweroff"
        shown = output("env", f"PATH={programs}:{os.environ['PATH']}", "sh", "-c", f"{run} 2>&1")
    return set(re.findall(r"^ *\$ (.*)", shown, re.MULTILINE))


def check_transcripts() -> None:
    shown = demo_commands()
    transcript: set[str] = set()
    for page in ("README.md", "docs/demo.md"):
        transcript = set(re.findall(r"^(?:    )?\$ (.*)", read(page), re.MULTILINE))
        cases.none_wrong(f"{page} has a transcript", [] if len(transcript) >= 3 else transcript)
        name = f"scripts/demo runs each command of the transcript in {page}"
        cases.none_wrong(name, sorted(transcript - shown))
    cases.none_wrong("docs/demo.md has each command that scripts/demo runs", sorted(shown - transcript))


# --- all other commands ---------------------------------------------------------------------------


def is_command(line: str) -> bool:
    word = line.partition(" ")[0]
    program = SOURCE / re.sub(r"^(\.+/)*", "", word)
    return bool(re.fullmatch(COMMANDS, word)) or program.is_file() and os.access(program, os.X_OK)


def commands(page: str) -> Iterator[str]:
    """The command lines of the indented blocks, without comments, and without the README's transcript and
    install section, which tests/roots.sh types."""
    line = section = ""
    for text in read(page).splitlines():
        if text.startswith("## "):
            section = text
        if not text.startswith("    "):
            continue
        if page == "README.md" and (text.startswith("    $ ") or section == "## Install and link"):
            continue
        line += re.sub(r"  +#.*", "", text.strip().removeprefix("$ "))
        if line.endswith("\\"):
            line = line[:-1]
            continue
        if is_command(line):
            yield line
        line = ""


def check_commands() -> None:
    pages = [name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
    pages += [f"docs/{path.name}" for path in (SOURCE / "docs").glob("*.md")]
    found = {line for page in pages for line in commands(page)}
    lines = [line for line in read("tests/commands").splitlines() if not line.startswith("#")]
    listed = [line.partition(" => ")[0] for line in lines]
    cases.none_wrong("the pages have commands", [] if len(found) >= 15 else found)
    cases.none_wrong("each command of the pages is in tests/commands", sorted(found - set(listed)))
    wrong = [line for line in listed if line not in found or listed.count(line) > 1]
    cases.none_wrong("each command in tests/commands is in a page, once", wrong)
    wrong = []
    for line in lines:
        how = re.search(r" => (?:by (\S+)|not: .+)$", line)
        if not how or how[1] and not (SOURCE / how[1]).is_file():
            wrong.append(line)
    cases.none_wrong("tests/commands names files that are there, or a reason", wrong)


# --- system calls ---------------------------------------------------------------------------------


def check_system_calls() -> None:
    joined = re.sub(r'"\s+"', "", read("tests/test_sandbox.c"))
    phases = re.findall(r'{\s*"([a-z]*)",\s*"([a-z0-9_\s]*)",\s*(true|false),\s*act_', joined)
    tested = [(phase, calls.split(), malloc == "true") for phase, calls, malloc in phases]
    written = []
    for row in table(read("docs/threads.md"), "phase"):
        phase, _, calls, malloc = [*row.values()][:4]
        written.append((phase, calls.replace("none", "").split(), malloc == "yes"))
    cases.none_wrong("test_sandbox.c has phases", [] if len(tested) >= 11 else map(str, tested))
    wrong = [str(it) for it in [*tested, *written] if it not in tested or it not in written]
    cases.none_wrong("docs/threads.md has the system calls of each phase that are tested", wrong)


if __name__ == "__main__":
    check_transcripts()
    check_commands()
    check_system_calls()
    sys.exit(cases.end())
