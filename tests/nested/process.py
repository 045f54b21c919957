# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""Programs that this one starts: each has a time limit and ends when this program ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO, NoReturn

# Seconds. Small tools, which do not wait for anything; and those that download or build.
TOOL_LIMIT = 300
LONG_LIMIT = 3 * 3600


class Failure(Exception):
    """A message for the user. The program ends with status 1."""


def say(text: str) -> None:
    """A line on stderr; stdout is for the results, or for the command in the machine."""
    print(text, file=sys.stderr, flush=True)


def exit_on_signals() -> None:
    """Makes SIGHUP, SIGINT and SIGTERM raise SystemExit, so that all cleanup code runs."""
    handled = [
        number
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
        if signal.getsignal(number) is not signal.SIG_IGN
    ]

    def leave(number: int, _frame: FrameType | None) -> None:
        # A second signal must not interrupt the cleanup.
        for other in handled:
            signal.signal(other, signal.SIG_IGN)
        raise SystemExit(128 + number)

    for number in handled:
        signal.signal(number, leave)


def run_main(name: str, main: Callable[[], int]) -> NoReturn:
    """Ends the program with the status that 'main' returns, or with a message."""
    exit_on_signals()
    try:
        status = main()
        sys.stdout.flush()
    except Failure as failure:
        say(f"{name}: {failure}")
        status = 1
    except BrokenPipeError:
        # As if SIGPIPE had ended it. Python must not try to write the rest of its output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 128 + signal.SIGPIPE
    except (OSError, subprocess.SubprocessError) as error:
        say(f"{name}: {error}")
        status = 1
    sys.exit(status)


# --- process groups -------------------------------------------------------------------------------


def _has_exited(process: subprocess.Popen[bytes]) -> bool:
    """Leaves the process a zombie, so that its process group id is not given to others."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def end_group(process: subprocess.Popen[bytes], grace: float = 2.0) -> None:
    """Ends a process that group() started, and its children: SIGTERM, then SIGKILL."""
    if process.returncode is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while not _has_exited(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def group(
    argv: Sequence[str | Path],
    output: IO[bytes],
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Starts a program as the leader of a new process group, which ends with the block."""
    process = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=cwd,
        env=env,
        process_group=0,
    )
    try:
        yield process
    finally:
        end_group(process)


# --- single commands ------------------------------------------------------------------------------


def tool(argv: Sequence[str | Path], limit: float = TOOL_LIMIT, cwd: Path | None = None) -> str:
    """Runs a tool that starts no others; returns its output, which is in English."""
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            cwd=cwd,
            env={**os.environ, "LC_ALL": "C"},
            timeout=limit,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Failure(f"{argv[0]}: {error}") from error
    return done.stdout.decode(errors="replace")


def last_lines(path: Path, count: int) -> bytes:
    """The last lines of a file, without carriage returns."""
    with path.open("rb") as file:
        # Enough for the lines of any log here.
        file.seek(max(0, file.seek(0, os.SEEK_END) - 1000 * count))
        lines = file.read().replace(b"\r", b"").splitlines(keepends=True)
    return b"".join(lines[-count:])


def show_end(path: Path, name: str) -> None:
    """Prints the end of a log on stderr."""
    say(f"--- the end of {name}")
    sys.stderr.buffer.write(last_lines(path, 40))
    say("---")


class Log:
    """A file with the output of commands. If one fails, the end of the file is shown."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")

    def run(
        self,
        argv: Sequence[str | Path],
        what: str,
        limit: float = LONG_LIMIT,
        cwd: Path | None = None,
    ) -> None:
        """Runs a command. If it fails, or is not done in time, raises Failure(what)."""
        with self.path.open("ab") as output, group(argv, output, cwd) as process:
            try:
                status = process.wait(limit)
            except subprocess.TimeoutExpired:
                output.write(f"\n{argv[0]}: not done after {limit} s\n".encode())
                output.flush()
                status = None
        if status != 0:
            show_end(self.path, str(self.path))
            raise Failure(what)
