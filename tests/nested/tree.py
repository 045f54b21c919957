# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""The directories of this program, and the functions that it shares with the shell scripts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from . import process
from .architecture import Architecture


@dataclass(frozen=True)
class Tree:
    """The source tree, and the directory of downloads, which several trees may share."""

    top: Path
    cache: Path

    @property
    def nested(self) -> Path:
        """The directory of this package."""
        return self.top / "tests" / "nested"

    def store(self, arch: Architecture) -> Path:
        """Downloads for an architecture."""
        return self.cache / arch.name

    def work(self, arch: Architecture) -> Path:
        """Builds for an architecture."""
        return self.top / "build" / "nested" / arch.name

    def relative(self, path: Path) -> str:
        """A path for messages."""
        return os.path.relpath(path, self.top) if path.is_relative_to(self.top) else str(path)

    def library(self, *command: str | Path) -> list[str]:
        """The argv of a function of scripts/lib.sh, or of a program in the environment it sets."""
        script = 'top=$1; shift; . "$top/scripts/lib.sh"; "$@"'
        return ["sh", "-c", script, "nested", str(self.top), *map(str, command)]


def find_tree(top: Path) -> Tree:
    """The tree with this top directory, and the cache that the environment names."""
    cache = os.environ.get("AXVCPU_CACHE")
    return Tree(top, Path(cache).absolute() if cache else top / "build" / "nested")


def measure_patience(tree: Tree) -> int:
    """AXVCPU_TEST_PATIENCE: by how much limits must be longer on this machine than on an idle one.

    It is measured if it is not set, and then set for the programs started from here.
    """
    patience = os.environ.get("AXVCPU_TEST_PATIENCE")
    if not patience:
        patience = process.tool(tree.library("machine_patience")).strip()
        os.environ["AXVCPU_TEST_PATIENCE"] = patience
    if not patience.isdecimal() or patience.startswith("0"):
        raise process.Failure(f"AXVCPU_TEST_PATIENCE: '{patience}' is not a positive number")
    return int(patience)
