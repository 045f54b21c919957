# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""Shared by the tests that boot Debian's kernels under axrun, in addition to tests/axrun.py:
    BOOT     the folder with Debian's kernels and "initrd"; "scripts/debian -k FOLDER" makes one
Without kernels all is skipped, and where AXVCPU_TEST_NO_BOOT gives a reason: scripts/check sets it where
KVM interprets guest code, and a kernel would take minutes, or fail.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import threading
import time
from pathlib import Path

from cases import LIMIT, Cases, Process, Run

if os.environ.get("AXVCPU_TEST_NO_BOOT"):
    Cases().skip_all(os.environ["AXVCPU_TEST_NO_BOOT"])

from axrun import cases, start  # noqa: E402

BOOT = Path(os.environ.get("BOOT", "./boot"))
INITRD = BOOT / "initrd"
if not INITRD.exists():
    cases.skip_all(f"there are no kernels in {BOOT}; scripts/debian -k {BOOT} puts some there")
# The one that boots where any will do: the smallest there is.
KERNEL = "debian13-cloud" if (BOOT / "debian13-cloud").exists() else "debian13"
# What tests/boot/init looks at with the word "checks".
CHECKS = ["cpus", "topology", "memory", "timer", "clocksource", "clock", "uart", "messages"]

# --- boots ----------------------------------------------------------------------------------------


def arguments(kernel: str | Path, words: str, append: str = "") -> list[str | Path]:
    """Of axrun, for a kernel of BOOT, or a file with its path; the words are those that tests/boot/init knows."""
    command_line = f"console=ttyS0 quiet panic=-1 {append} axtest={words}"
    return ["--kernel", BOOT / kernel, "--initrd", INITRD, "--append", command_line]


def start_guest(kernel: str, words: str, *options: str) -> Process:
    return start(*arguments(kernel, words), *options)


class Boot(Run):
    """A guest that has ended, and its lines, each with the time when it came."""

    def __init__(self, run: Run, lines: list[tuple[float, str]]) -> None:
        super().__init__(cases, run.status, "".join(f"{line}\n" for _, line in lines), run.err)
        self.lines = lines

    @property
    def whole(self) -> bool:
        """The output is complete up to the power-off: that of the first program and that of the kernel."""
        end = r"boot: end\n.*reboot: Power down\n\Z"
        return self.status == 0 and bool(self.matches(end, "out"))

    def off(self, name: str) -> Boot:
        """A case: the guest has turned itself off."""
        cases.check(name, self.whole, "expected status 0, and the guest's last words", self.evidence)
        return self


def lost(text: str, memory: int | None) -> bool:
    """Whether an emulated processor lost the guest of which axrun wrote this; it has that many MiB. QEMU's, 10.0 and
    11.1, on a loaded machine now and then ends a run of the guest twice, and the second time stores the host's own
    registers as the guest's: those of the guest are lost. Where its page tables are then tells, for the guest has no
    memory there, or that no exception could be delivered through them: SHUTDOWN, after which KVM has no registers."""
    if "QEMU TCG" not in Path("/proc/cpuinfo").read_text():
        return False
    if re.search("crashed: vCPU [0-9]+: SHUTDOWN", text) and "state lost" in text:
        return True
    tables = re.findall(r"^.* cr3 *(0x[0-9a-f]*)", text.replace(r"\r\n", "\n"), re.MULTILINE)
    return memory is not None and any(int(address, 16) >= memory << 20 for address in tables)


def _memory(options: tuple[str, ...]) -> int | None:
    """In MiB; None: as much as the host has, where the place of page tables does not tell."""
    memory = options[options.index("--memory") + 1] if "--memory" in options else "256M"
    return int(memory[:-1]) if memory.endswith("M") else None


def _boot_once(command: list[str | Path]) -> Boot:
    # The first limit ends a hanging guest, the second a hanging axrun.
    process = start(*command, stdout=subprocess.PIPE)
    end = threading.Timer(LIMIT + 20, process.popen.kill)
    end.start()
    output = process.popen.stdout
    assert output
    lines = [(time.monotonic(), line.decode("latin-1").rstrip("\r\n")) for line in output]
    run = process.wait()
    end.cancel()
    return Boot(run, lines)


def say_lost(guest: str, evidence: str) -> None:
    print(f"an emulated processor lost this guest; once more: {guest}\n{evidence}")


def boot(kernel: str | Path, words: str, *options: str, append: str = "") -> Boot:
    """A guest to its end; once more if it was lost."""
    command = [*arguments(kernel, words, append), "--timeout", str(LIMIT), *options]
    done = _boot_once(command)
    if done.status in (124, 126) and lost(done.err, _memory(options)):
        say_lost(f"{kernel} {words} {' '.join(options)}", done.err)
        done = _boot_once(command)
    return done


# --- effects of signals ---------------------------------------------------------------------------

_random = None


def some() -> int:
    """A number below 40, another one each time."""
    global _random
    if not _random:
        seed = os.environ.get("AXVCPU_TEST_SEED") or int(time.time())
        print(f"seed: {seed} (AXVCPU_TEST_SEED)")
        _random = random.Random(str(seed))
    return _random.randrange(40)


def _left_behind() -> dict[Path, str]:
    """The names of axrun's processes, threads and zombies among them."""
    found = {}
    for task in Path("/proc").glob("[0-9]*/task/*"):
        try:
            name = (task / "comm").read_text().strip()
        except (FileNotFoundError, ProcessLookupError):
            continue
        # "lt-axrun" in a build tree with a shared library, "axrun-guard" beside a terminal.
        if name.startswith("axrun") or name == "lt-axrun":
            found[task] = name
    return found


def alone() -> bool:
    """No axrun of another user runs, which would look like one left behind."""
    if not _left_behind():
        return True
    cases.skip("signals", "another user's axrun is running")
    return False


def nothing_left(name: str) -> None:
    """A case: nothing is left at once, except a guard, which ends when it has seen that axrun has."""
    end = time.monotonic() + LIMIT
    while "axrun-guard" in _left_behind().values() and time.monotonic() < end:
        time.sleep(0.1)
    left = _left_behind()
    cases.check(f"{name}: nothing is left", not left, *map(str, left))


def beyond_guest(pid: int) -> int:
    """KiB of axrun that are resident and not guest memory, by tests/boot-memory.sh."""
    script = f'. "{Path(__file__).parent}/boot-memory.sh"; beyond_guest {pid}'
    return int(subprocess.run(["sh", "-c", script], stdout=subprocess.PIPE, timeout=LIMIT, check=True).stdout)
