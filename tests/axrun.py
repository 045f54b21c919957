# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""Shared by the tests that run axrun. They run from the top of a build tree, or of the machine that scripts/nested
boots. These in the environment name others:
    AXRUN    the program
    GUESTS   the folder with the guests
    HELPERS  the folder with mkelf
Without a usable /dev/kvm all is skipped.
"""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import sys
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cases import LIMIT, WORK, Cases, Process, Run

AXRUN = os.environ.get("AXRUN", "./examples/axrun/axrun")
GUESTS = Path(os.environ.get("GUESTS", "./examples/guests"))
HELPERS = Path(os.environ.get("HELPERS", "./tests"))

cases = Cases()


class X86:
    """Values that depend on the architecture, and flat programs, which all end by themselves."""

    arch = "x86_64"
    # The address of memory, and the modes of --irqchip, the default first.
    ram = 0
    irqchips = ["none", "kernel", "split"]
    # In a report: the program counter, and the register with the address of the page tables.
    pc = "rip"
    tables = "cr3"
    # Writes 42 to the exit device: mov al, 42; out 0xf4, al; hlt
    answer = "b0 2a e6 f4 f4"
    # Writes 0x1ff there, with 32 bits: mov eax, 0x1ff; out 0xf4, eax; hlt
    wider = "b8 ff 01 00 00 e7 f4 f4"
    # Reads a byte from where no device is, which a debug log calls so: in al, 0x70; hlt
    unclaimed = "e4 70 f4"
    unclaimed_is = "port 0x70, 1 bytes"
    little = ["--memory", "64K", "--load", "0x8000"]
    flood = "port"


class Arm64:
    arch = "arm64"
    ram = 0x80000000
    irqchips = ["kernel", "none"]
    pc = "pc"
    tables = "ttbr0_el1"
    # mov w0, #42; mov w1, #0x10000000; orr w1, w1, #0x1000; strb w0, [x1]; b .
    answer = "40 05 80 52 01 00 a2 52 21 00 14 32 20 00 00 39 00 00 00 14"
    # In which MiB the device tree is, modulo 256: lsr x0, x0, #20; as above
    tree_mib = "00 fc 54 d3 01 00 a2 52 21 00 14 32 20 00 00 39 00 00 00 14"
    # mov w0, #0x1ff; the address as above; str w0, [x1]; b .
    wider = "e0 3f 80 52 01 00 a2 52 21 00 14 32 20 00 00 b9 00 00 00 14"
    # mov w1, #0x70000000; ldrb w0, [x1]; the address as above; strb wzr, [x1]; b .
    unclaimed = "01 00 ae 52 20 00 40 39 01 00 a2 52 21 00 14 32 3f 00 00 39 00 00 00 14"
    unclaimed_is = "address 0x70000000, 1 bytes"
    little = ["--memory", "16K", "--load", "0x80000000"]
    flood = "mmio"


class Riscv64(Arm64):
    arch = "riscv64"
    tables = "satp"
    # li a0, 42; lui a1, 0x10001; sb a0, 0(a1); j .
    answer = "13 05 a0 02 b7 15 00 10 23 80 a5 00 6f 00 00 00"
    # srli a0, a1, 20; as above
    tree_mib = "13 d5 45 01 b7 15 00 10 23 80 a5 00 6f 00 00 00"
    # lui a1, 0x10001; li a0, 0x1ff; sw a0, 0(a1); j .
    wider = "b7 15 00 10 13 05 f0 1f 23 a0 a5 00 6f 00 00 00"
    # lui a1, 0x70000; lbu a0, 0(a1); lui a1, 0x10001; sb zero, 0(a1); j .
    unclaimed = "b7 05 00 70 03 c5 05 00 b7 15 00 10 23 80 05 00 6f 00 00 00"


if not os.access("/dev/kvm", os.R_OK | os.W_OK):
    cases.skip_all("/dev/kvm is missing or not for this user")
MACHINE = os.uname().machine
here = {"x86_64": X86, "aarch64": Arm64, "riscv64": Riscv64}.get(MACHINE) or cases.skip_all(
    f"there are no programs for {MACHINE} here"
)
x86 = here is X86

EOT = "\4"

# --- runs -----------------------------------------------------------------------------------------


def start(*arguments: str | Path, by: Sequence[str] = (), **options: Any) -> Process:
    """axrun in the background, by another command if that is given; the options are those of cases.Process."""
    return cases.start(*by, AXRUN, *arguments, **options)


def axrun(*arguments: str | Path, **options: Any) -> Run:
    """axrun to its end."""
    return start(*arguments, **options).wait()


def guest(name: str) -> Path:
    return GUESTS / name


def refused(name: str, pattern: str, *arguments: str | Path, **options: Any) -> None:
    """A case: axrun ends with 125 and one line, which has the pattern."""
    run = axrun(*arguments, **options)
    whys = {
        "expected status 125": run.status != 125,
        "something on stdout": run.out,
        "expected one line": run.err.count("\n") != 1 or not run.err.startswith("axrun: "),
        f"stderr lacks: {pattern}": not re.search(pattern, run.err.removesuffix("\n"), re.IGNORECASE),
    }
    wrong = [why for why, applies in whys.items() if applies]
    cases.check(f"refused: {name}", not wrong, *wrong, run.evidence)


def checks(name: str, run: Run) -> Run:
    """A case: the run ended with 0, and every line of its output that is a check says ok."""
    good = run.status == 0 and run.matches(": ok$", "out") and "FAILED" not in run.out
    cases.check(name, good, "expected status 0, and that all of its checks say ok", run.evidence)
    return run


def times_out(name: str, text: str, *arguments: str | Path) -> tuple[Run, float]:
    """A case: axrun ends a guest when the time is up, and what the guest wrote before that is on stdout. How long
    a guest takes to write it depends on the host: there are second tries, with more time, which is returned."""
    for seconds in (2.5, 10.5, 40.5):
        run = axrun("--timeout", str(seconds), *arguments)
        if run.out == text:
            break
    return run.ends(name, 124, text), seconds


# --- images -----------------------------------------------------------------------------------------


def elf(kind: str) -> Path:
    """An ELF image by tests/mkelf.c."""
    image = WORK / kind
    if cases.run(HELPERS / "mkelf", kind, image).status != 0:
        sys.exit(f"mkelf {kind} failed")
    return image


def flat(name: str, program: str) -> Path:
    """A flat image of bytes in hexadecimal."""
    image = WORK / name
    image.write_bytes(bytes.fromhex(program))
    return image


def at(offset: int) -> str:
    """An address in memory."""
    return hex(here.ram + offset)


def check_guests() -> list[str]:
    """The guests that are one check after the other."""
    guests = ["mmio", "hypercall"]
    if x86:
        return [*guests, "pio", "string", "msr"]
    if re.search("^isa.*_zkr", Path("/proc/cpuinfo").read_text(), re.MULTILINE):
        return [*guests, "csr"]
    if MACHINE == "riscv64":
        cases.skip("csr", "this host has no Zkr")
    return guests


def crash_kinds() -> list[str]:
    """The ways of crashing."""
    return axrun(guest("crash"), "list").out.split()


# --- the terminal -----------------------------------------------------------------------------------


class Wrong(Exception):
    """A step that fails."""


class Terminal:
    """A command on a terminal of its own, in the foreground, as a shell with job control would start it. A method
    is a step. It waits for what it describes; that may take any time, as long as there is progress: output
    of the command, or another step that is done."""

    def __init__(self, command: list[str]) -> None:
        # This process leads the session of the terminal. A hang-up sends it SIGHUP, too, and it puts the
        # command into the foreground from the background.
        os.setsid()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        self._master, slave = pty.openpty()
        # The first terminal that the leader opens is that of the session.
        self._slave = os.open(os.ttyname(slave), os.O_RDWR)
        os.close(slave)
        self._before = termios.tcgetattr(self._slave)
        self._written = b""
        self._end = time.monotonic() + 4 * LIMIT
        self._stopped = False
        self._status: int | None = None
        self._command = os.fork()
        if self._command == 0:
            os.setpgid(0, 0)
            os.tcsetpgrp(self._slave, os.getpid())
            for number in (signal.SIGHUP, signal.SIGTTOU, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            for file in range(3):
                os.dup2(self._slave, file)
            try:
                os.execvp(command[0], command)
            finally:
                os._exit(127)
        self._set_foreground()

    def _set_foreground(self) -> None:
        try:
            os.setpgid(self._command, self._command)
        except (PermissionError, ProcessLookupError):
            # It has done so itself.
            pass
        os.tcsetpgrp(self._slave, self._command)

    def _look(self) -> bool:
        """Takes output of the command and its status; whether there is some."""
        output = b""
        if self._master < 0:
            time.sleep(0.005)
        elif select.select([self._master], [], [], 0.005)[0]:
            output = os.read(self._master, 65536)
            self._written += output
        if self._status is None:
            pid, status = os.waitpid(self._command, os.WNOHANG | os.WUNTRACED)
            if pid:
                self._stopped = os.WIFSTOPPED(status)
                self._status = None if self._stopped else os.waitstatus_to_exitcode(status)
        return bool(output)

    def _until(self, what: str, done: Callable[[], bool]) -> Terminal:
        end = time.monotonic() + LIMIT
        while not done():
            if self._look():
                end = time.monotonic() + LIMIT
            if time.monotonic() > min(end, self._end):
                raise Wrong(what)
        return self

    def _is_raw(self) -> bool:
        return not termios.tcgetattr(self._slave)[3] & (termios.ICANON | termios.ECHO)

    def _has_all_keys(self) -> bool:
        iflag, oflag, _, lflag, *_ = termios.tcgetattr(self._slave)
        changes = termios.ICRNL | termios.INLCR | termios.IGNCR | termios.IXON
        keys = termios.ISIG | termios.IEXTEN
        return self._is_raw() and not (iflag & changes or oflag & termios.OPOST or lflag & keys)

    def _is_cooked(self) -> bool:
        return termios.tcgetattr(self._slave) == self._before

    def expect(self, text: str) -> Terminal:
        """The command has written that, after what was expected before."""
        self._until(f"expect {text!r}", lambda: text.encode("latin-1") in self._written)
        self._written = self._written.partition(text.encode("latin-1"))[2]
        return self

    def send(self, text: str) -> Terminal:
        """A user types that."""
        if os.write(self._master, text.encode("latin-1")) != len(text):
            raise Wrong(f"send {text!r}")
        return self

    def raw(self) -> Terminal:
        """The terminal is in the command's hands: no lines, no echo."""
        return self._until("raw", self._is_raw)

    def all_keys(self) -> Terminal:
        """Likewise, and no key makes a signal or becomes another one."""
        return self._until("all keys", self._has_all_keys)

    def cooked(self) -> Terminal:
        """The terminal is as it was before."""
        return self._until("cooked", self._is_cooked)

    def paste(self, count: int) -> Terminal:
        """Characters are typed as fast as they are taken, and the command writes them all, in order, and nothing
        else in between. The text has no period that any buffer has, and no terminal changes it."""
        text = bytes(ord("!") + n * 7 % 89 for n in range(count))
        sent = received = 0

        def all_came_back() -> bool:
            nonlocal sent, received
            os.set_blocking(self._master, False)
            try:
                sent += os.write(self._master, text[sent : sent + 256])
            except BlockingIOError:
                # Bytes that are not taken now are offered again.
                pass
            os.set_blocking(self._master, True)
            back, self._written = self._written, b""
            if back != text[received : min(sent, received + len(back))]:
                raise Wrong(f"paste: {sent} were typed, {received} came back, and then: {back!r}")
            received += len(back)
            return received == count

        return self._until(f"paste {count}", all_came_back)

    def hangup(self) -> Terminal:
        """The terminal is gone, as when its window is closed, and the shell passes on the SIGHUP that it gets;
        there is nothing more to see of the terminal."""
        os.close(self._master)
        self._master = -1
        os.killpg(self._command, signal.SIGHUP)
        return self

    def pause(self, seconds: float) -> Terminal:
        end = time.monotonic() + seconds
        return self._until("pause", lambda: time.monotonic() > end)

    def signal(self, number: int) -> Terminal:
        os.kill(self._command, number)
        return self

    def stopped(self) -> Terminal:
        return self._until("stopped", lambda: self._stopped)

    def resume(self) -> Terminal:
        """The command goes on, in the foreground."""
        self._stopped = False
        self._set_foreground()
        os.kill(self._command, signal.SIGCONT)
        return self

    def ended(self) -> Terminal:
        """The command has ended in whatever way."""
        return self._until("ended", lambda: self._status is not None)

    def exits(self, status: int) -> Terminal:
        self.ended()
        if self._status != status:
            raise Wrong(f"the status is not {status}")
        return self

    def killed(self, number: int) -> Terminal:
        return self.exits(-number)

    def finish(self) -> None:
        """At the end the terminal must be as it was, if there still is one."""
        if self._status is None:
            raise Wrong("the command has not ended")
        if self._master >= 0 and not self._is_cooked():
            raise Wrong("the terminal is not as it was")

    def report(self) -> str:
        if self._status is None:
            os.kill(self._command, signal.SIGKILL)
        return f"the command wrote: {self._written!r}, and its status is {self._status}"


def _lead(command: list[str], steps: Callable[[Terminal], object]) -> str:
    """In a process of its own: returns what went wrong."""
    terminal = Terminal(command)
    try:
        steps(terminal)
        terminal.finish()
    except Exception as wrong:
        return f"{wrong or type(wrong).__name__}\n{terminal.report()}"
    return ""


def terminal(command: list[str | Path], steps: Callable[[Terminal], object]) -> str:
    """Runs a command on a terminal; returns what was wrong, or nothing if each step came true."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        why = "the process that leads the session has failed"
        try:
            why = _lead([str(word) for word in command], steps)
        finally:
            os.write(writer, why.encode()[:4096])
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    os.set_blocking(reader, False)
    with os.fdopen(reader, errors="replace") as pipe:
        return pipe.read()


def on_terminal(name: str, command: list[str | Path], steps: Callable[[Terminal], object]) -> None:
    """A case: a command on a terminal, of which each step comes true."""
    why = terminal(command, steps)
    cases.check(name, not why, why)
