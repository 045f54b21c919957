# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""Python for the machine, whose test scripts are Python programs: Debian's, with its own C library, as
the programs of this machine's architecture are built with the libraries of this machine."""

from __future__ import annotations

import shutil
from pathlib import Path

from .architecture import SUITE, Architecture
from .debian import Apt
from .process import Failure
from .store import Store
from .tree import Tree

WRAPPER = """\
#!/bin/sh
PYTHONHOME=/python/usr exec /python/{loader} --library-path /python/{libraries} /python/{program} "$@"
"""


class Interpreter:
    """The packages, and /bin/python3 in an initramfs."""

    def __init__(self, tree: Tree, store: Store, arch: Architecture) -> None:
        self._store = store
        self._arch = arch
        self._packages = tree.store(arch) / "python"

    def fetch(self) -> None:
        """Fetches the packages."""

        def fetch() -> None:
            apt = Apt(self._store.cache)
            apt.update(self._arch.debian_arch, SUITE)
            apt.fetch(self._packages, apt.python_parts())

        self._store.fetch(self._packages, f"Python for {self._arch.name}", fetch)

    def install(self, root: Path) -> None:
        """Puts Python into a root."""
        libraries = Path("usr/lib") / self._arch.triplet
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(
            self._packages / "usr",
            root / "python" / "usr",
            symlinks=True,
            ignore=shutil.ignore_patterns("gconv", "share"),
        )
        loader = self._find(f"{libraries}/ld-linux-*")
        program = self._find("usr/bin/python3.*")
        wrapper = root / "bin" / "python3"
        wrapper.parent.mkdir()
        wrapper.write_text(WRAPPER.format(loader=loader, libraries=libraries, program=program))
        wrapper.chmod(0o755)

    def _find(self, pattern: str) -> Path:
        for path in self._packages.glob(pattern):
            return path.relative_to(self._packages)
        raise Failure(f"there is no {pattern} in {self._packages}")
