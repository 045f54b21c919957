# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""For tests of this package: the output of processes, and waiting for them."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# No test passes by being faster than this many seconds.
HANG = 120


@dataclass
class Captured:
    """The output of this process and its children."""

    out: str = ""
    err: str = ""


@contextmanager
def captured() -> Iterator[Captured]:
    """Redirects the descriptors 1 and 2, so also the output of other processes."""
    result = Captured()
    sys.stdout.flush()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        kept = os.dup(1), os.dup(2)
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        try:
            yield result
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, old in zip((1, 2), kept):
                os.dup2(old, number)
                os.close(old)
            out.seek(0)
            err.seek(0)
            result.out = out.read().decode()
            result.err = err.read().decode()


def wait_for(condition: Callable[[], bool], limit: float = HANG) -> bool:
    """Whether it becomes true, in any time that is not a hang."""
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def runs(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
