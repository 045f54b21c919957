#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""scripts/nested with its emulator: the status and the messages when the command fails, the kernel
panics, the machine does not come to an end, it has no KVM, or a signal ends scripts/nested."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import unittest
from functools import partial
from pathlib import Path

sys.dont_write_bytecode = True
TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests"))

from cases import run_unittests  # noqa: E402
from nested.cases import wait_for  # noqa: E402

NESTED = TOP / "scripts" / "nested"
RUN = TOP / "build" / "nested" / "x86_64" / "run"
# For a download, too.
LIMIT = 3600
CONSOLE = "--- the end of build/nested/x86_64/run/console.log\n"


class Machines(unittest.TestCase):
    """Machines of x86_64 without programs of this tree."""

    def nested(self, *words: str, qemu_options: str = "") -> tuple[int, str, str]:
        """Status, stdout and stderr. Each failed assertion shows them."""
        done = subprocess.run(
            [NESTED, "-n", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={**os.environ, "AXVCPU_QEMU_OPTIONS": qemu_options},
            timeout=LIMIT,
            check=False,
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace")

    def test_status_and_output_are_those_of_the_command(self) -> None:
        script = "echo its output; echo error >&2; exit 7"
        status, out, err = self.nested("x86_64", "sh", "-c", script)
        self.assertEqual((status, out), (7, "its output\n"), err)
        self.assertIn("\nerror\n", err)

    def test_a_panic_is_reported(self) -> None:
        script = "echo c >/proc/sysrq-trigger; sleep 1000"
        status, _, err = self.nested("x86_64", "sh", "-c", script)
        self.assertEqual(status, 125, err)
        for text in ("nested x86_64: its kernel panicked\n", CONSOLE, "Kernel panic"):
            self.assertIn(text, err)

    def test_a_hang_is_reported(self) -> None:
        status, _, err = self.nested("-t", "30", "x86_64", "sleep", "1000")
        self.assertEqual(status, 125, err)
        for text in ("nested x86_64: not done after 30 s\n", CONSOLE):
            self.assertIn(text, err)

    def test_without_kvm_in_the_machine_nothing_is_run(self) -> None:
        status, out, err = self.nested("x86_64", "echo", "not run", qemu_options="-cpu max,-svm")
        self.assertEqual((status, out), (125, ""), err)
        shown = "nested x86_64: there is no /dev/kvm in it\n", CONSOLE, "init: there is no /dev/kvm"
        for text in shown:
            self.assertIn(text, err)

    def test_a_signal_ends_the_machine(self) -> None:
        status = RUN / "status"
        for number in (signal.SIGINT, signal.SIGTERM):
            status.unlink(missing_ok=True)
            command = [str(NESTED), "-n", "x86_64", "sleep", "1000"]
            # Ignored signals are inherited: from nohup(1), and by what a shell starts with "&".
            heed = partial(signal.signal, number, signal.SIG_DFL)
            with subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=heed
            ) as run:
                ready = wait_for(lambda: status.exists() and b"ready" in status.read_bytes(), LIMIT)
                run.send_signal(number)
                _, err = run.communicate(timeout=LIMIT)
            self.assertTrue(ready, err)
            self.assertEqual(run.returncode, 128 + number, err)
            self.assertEqual(machines_in(RUN), [])


def machines_in(folder: Path) -> list[str]:
    """The processes that work in a directory, as QEMU does."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(process / "cwd") == str(folder):
                found.append(process.name)
        except OSError:
            continue
    return found


if __name__ == "__main__":
    sys.exit(run_unittests(sys.modules[__name__]))
