# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""Locks, and downloads that several trees share."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .process import Failure, say


@contextmanager
def locked(path: Path, busy: str | None = None) -> Iterator[None]:
    """Holds the lock of a file, as "flock" takes it. With 'busy', fails at once if it is taken."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if busy:
                raise Failure(busy) from None
            say(f"waiting for the lock of {path}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class Store:
    """The cache. A directory in it is complete once it has a file "packages"."""

    cache: Path
    # Also fetch what is complete.
    refresh: bool = False

    def fetch(self, target: Path, what: str, fetch: Callable[[], None]) -> None:
        """Unless 'target' is complete, calls 'fetch', which must complete it."""
        with locked(self.cache / "lock"):
            if not self.refresh and (target / "packages").exists():
                return
            say(f"fetching {what} from Debian")
            try:
                fetch()
            except Failure as failure:
                say(str(failure))
                raise Failure(f"there is no {what}; see above") from failure
