#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""The built files have the flags that configure chose: the library and axrun are hardened as far as the compiler
can and the user's flags do not say otherwise, guests are not, and --enable-werror stops at a warning of the
assembler."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

sys.dont_write_bytecode = True
from cases import BUILD, Cases, output, tool  # noqa: E402

CC = tool("CC", "cc")
NM = tool("NM", "nm")
READELF = tool("READELF", "readelf")
HARDEN = os.environ.get("HARDEN", "")
WARN_FLAGS = tool("WARN_FLAGS")
USER_FLAGS = tool("USER_FLAGS")
cases = Cases()


# --- properties of a file -------------------------------------------------------------------------


def is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def has_fixed_relocations(path: Path) -> bool:
    now = re.search(r"BIND_NOW|Flags:.* NOW", output(*READELF, "-dW", path))
    return now is not None and "GNU_RELRO" in output(*READELF, "-lW", path)


def has_protected_stacks(path: Path) -> bool:
    return " U __stack_chk_fail" in output(*NM, "-D", path)


def has_checked_functions(path: Path) -> bool:
    return re.search(r" U __.*_chk", output(*NM, "-D", path)) is not None


def has_protected_branches(path: Path) -> bool:
    notes = output(*READELF, "-nW", path)
    return re.search(r"x86 feature:.*IBT|AArch64 feature:.*BTI", notes) is not None


def is_plain(path: Path) -> bool:
    calls = re.search(r"__stack_chk|__\w*_chk$", output(*NM, path), re.MULTILINE)
    return calls is None and not has_protected_branches(path)


# --- cases ----------------------------------------------------------------------------------------


def each(name: str, paths: Iterable[Path], has_it: Callable[[Path], bool]) -> None:
    files = list(paths)
    wrong = [str(path) for path in files if not has_it(path)]
    cases.none_wrong(name, wrong if files else ["there are no files"])


def hardened(
    name: str, flag: str, contrary: list[str], paths: list[Path], has_it: Callable[[Path], bool]
) -> None:
    """If configure chose this flag, and the user's have none of the contrary words."""
    undone = [word for word in contrary if word in " ".join(USER_FLAGS)]
    if flag not in HARDEN:
        cases.skip(name, f"configure did not choose {flag}")
    elif undone:
        cases.skip(name, f"the user's flags have {undone[0]}")
    else:
        each(name, paths, has_it)


def main() -> int:
    # Some of these are scripts of libtool's.
    linked = [BUILD / ".libs/libaxvcpu.so"]
    linked += [BUILD / "examples/axrun/.libs/axrun", BUILD / "examples/axrun/axrun"]
    linked = [path for path in linked if path.exists() and is_elf(path)]
    objects = [*(BUILD / "lib").rglob("*.o"), *(BUILD / "backends").rglob("*.o")]
    guests = [path for path in (BUILD / "examples/guests").glob("*") if path.is_file() and not path.suffix]

    hardened("relocations are read-only, and done at the start", "-z,relro", ["norelro", "-z,lazy"],
             linked, has_fixed_relocations)
    hardened("stacks are protected", "-fstack-protector-strong", ["-fno-stack-protector"],
             linked, has_protected_stacks)
    name = "libc's functions are checked where it optimizes"
    if "1" in output(*CC, *USER_FLAGS, "-E", "-P", "-x", "c", "-", text="__OPTIMIZE__"):
        hardened(name, "fortify.h", ["_FORTIFY_SOURCE"], linked, has_checked_functions)
    else:
        cases.skip(name, "it does not optimize")
    hardened("indirect branches are protected", "-protection", ["-protection="],
             objects, has_protected_branches)
    if guests:
        each("guests are not hardened", guests, is_plain)
    else:
        cases.skip("guests are not hardened", "there are none (--disable-examples)")

    name = "a warning of the assembler is an error"
    if "-Werror" in WARN_FLAGS:
        command = [*CC, *WARN_FLAGS, "-c", "-o", os.devnull, "-x", "assembler", "-"]
        done = subprocess.run(command, input='\t.warning "this"\n', text=True, capture_output=True, check=False)
        cases.none_wrong(name, [] if done.returncode else ["it was accepted"])
    else:
        cases.skip(name, "configure was not told --enable-werror")
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
