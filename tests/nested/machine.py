# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""One boot of a machine: its QEMU process, the files that it reads and writes, its time limits."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from .emulator import PORTS, Command
from .process import group, last_lines, say, show_end
from .suites import Conversation

# Seconds between two looks at the machine.
INTERVAL = 0.5


@dataclass(frozen=True)
class Limits:
    """Seconds."""

    # How long the machine may be silent until it reports "ready".
    boot: float
    # How long one test program may take.
    program: float
    # How long everything may take, from the first boot on.
    total: float
    # Added for a program whose own limit is the longest silence.
    margin: float = 60

    def silence(self, conversation: Conversation) -> float:
        """How long the machine may be silent now: a program may be as long as it runs."""
        return self.program + self.margin if conversation.ready else self.boot


@dataclass(frozen=True)
class Machine:
    """A machine that can be booted. Its directory has "kernel" and "initrd", which it boots, a file
    for each port of init, "console.log" for the kernel and "qemu.log" for QEMU's own messages."""

    name: str
    folder: Path
    emulator: Command
    options: list[str]
    limits: Limits

    def say(self, text: str) -> None:
        """A message about the machine."""
        say(f"nested {self.name}: {text}")

    def run(self, conversation: Conversation, deadline: float) -> str | None:
        """Boots, and waits until the machine has turned itself off: None. Otherwise returns what
        went wrong; QEMU does not run any more in any case."""
        for name in (*PORTS, "console.log"):
            (self.folder / name).write_bytes(b"")
        argv = [*self.emulator.argv, *self.options]
        with (self.folder / "qemu.log").open("wb") as output:
            with group(argv, output, cwd=self.folder, env=self.emulator.env) as process:
                fault = self._watch(process, conversation, deadline)
        conversation.pump()
        if fault:
            return fault
        if b"Kernel panic" in (self.folder / "console.log").read_bytes():
            return "its kernel panicked"
        if process.returncode != 0:
            return f"QEMU ended with status {process.returncode}"
        return None

    def _watch(
        self, process: subprocess.Popen[bytes], conversation: Conversation, deadline: float
    ) -> str | None:
        """Returns None when QEMU has ended, or the reason why it must be ended."""
        sizes: list[int] = []
        heard = time.monotonic()
        while True:
            try:
                process.wait(INTERVAL)
                return None
            except subprocess.TimeoutExpired:
                pass
            now = time.monotonic()
            was, sizes = sizes, self._sizes()
            if sizes != was:
                heard = now
                conversation.pump()
            silence = self.limits.silence(conversation)
            if now - heard >= silence:
                return f"it hangs: no output for {silence:.0f} s"
            if now >= deadline:
                return f"not done after {self.limits.total:.0f} s"

    def _sizes(self) -> list[int]:
        """They change with everything that the machine says."""
        return [(self.folder / name).stat().st_size for name in (*PORTS, "console.log")]

    def show_end(self, shown_as: str) -> None:
        """Prints the last lines of the console and of QEMU's messages."""
        show_end(self.folder / "console.log", f"{shown_as}/console.log")
        messages = last_lines(self.folder / "qemu.log", 10)
        if messages:
            say("--- QEMU's messages")
            sys.stderr.buffer.write(messages)
            say("---")
