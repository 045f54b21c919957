# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""The boots of a machine, from the first to the exit status.

    command:        boot --> init reports the end --> the status of the command
                         `-> anything else ---------> 125

    plan of tests:  boot --> init reports the end --> 1 if a test failed, or 0
                     ^   |-> the machine died in a test: the test has failed, or with option -a is
                     |   |   tried once more; the tests that are left run in a new machine
                     |   |            |
                     +---|--(at most MOST_DEATHS times)
                         `-> anything else ---------> 125

A machine that fails before it is ready is booted again, up to MOST_BOOTS times, in both cases.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .machine import Machine
from .suites import Conversation, Results, Test

# Exit statuses.
SKIPPED = 77
MACHINE_FAILED = 125

MOST_BOOTS = 3
MOST_DEATHS = 3


@dataclass
class Session:
    """Runs a plan of tests, or a command if there is no plan."""

    machine: Machine
    results: Results
    plan: list[Test] | None
    # Writes the initramfs of the machine with another plan.
    replace_plan: Callable[[list[Test]], None]
    # A test in which the machine dies is tried once more.
    again: bool = False
    # The suite of a machine that is skipped if it does not boot.
    optional: str | None = None
    _begin: float = field(default_factory=time.monotonic, init=False)
    _deaths: int = field(default=0, init=False)
    # With "again", the test in which the last machine died.
    _suspect: str | None = field(default=None, init=False)

    def run(self) -> int:
        """Returns the exit status."""
        fault, last = self._boot()
        if self.optional and not last.ready and not last.no_kvm:
            self._show_end()
            self.machine.say(f"skipped: its kernel of {self.optional} does not boot")
            return SKIPPED
        while fault and self.plan and last.current and not self._enough():
            self._show_end()
            self._leave_out(last.current)
            fault, last = self._boot()
        if fault:
            self._show_end()
        if self.plan is not None:
            self._finish_plan()
        if fault or last.ended is None:
            return MACHINE_FAILED
        # The last machine knows nothing of tests that failed in those before.
        return 1 if self.results.count("FAIL") else last.ended

    @property
    def _deadline(self) -> float:
        return self._begin + self.machine.limits.total

    def _enough(self) -> bool:
        return self._deaths >= MOST_DEATHS or time.monotonic() >= self._deadline

    def _boot(self) -> tuple[str | None, Conversation]:
        """One boot; more if the machine fails before it has run a program, as that says nothing
        about the programs. Returns what went wrong, if anything, and what init reported."""
        for attempt in range(1, MOST_BOOTS + 1):
            conversation = Conversation(self.machine.folder, self.results.record)
            fault = self.machine.run(conversation, self._deadline)
            if fault:
                self.machine.say(fault)
            if conversation.ready or conversation.no_kvm or attempt == MOST_BOOTS:
                break
            if time.monotonic() >= self._deadline:
                break
            self._show_end()
            self.machine.say("it did not boot; once more")
        if conversation.no_kvm:
            fault = "there is no /dev/kvm in it"
            self.machine.say(fault)
        elif conversation.ended is None:
            where = f" in {conversation.current}" if conversation.current else ""
            fault = f"it stopped{where} before the end"
            self.machine.say(fault)
        return fault, conversation

    def _leave_out(self, died: str) -> None:
        """Prepares a new machine with the tests that are not done, after one died in a test."""
        self._deaths += 1
        if not self.again:
            self.results.record(died, "its machine died in it")
        elif died == self._suspect:
            self.results.record(died, "two machines died in it")
        else:
            self._suspect = died
            self.machine.say(f"once more from {died} on, in a new machine")
        self.replace_plan(self._left())

    def _left(self) -> list[Test]:
        return [test for test in self.plan or [] if test.name not in self.results.words]

    def _finish_plan(self) -> None:
        """Tests that did not run to their end have failed. Prints the summary."""
        for test in self._left():
            self.results.record(test.name, "it did not end")
        passed, failed, skipped = map(self.results.count, ("PASS", "FAIL", "SKIP"))
        print(
            f"nested {self.machine.name}: {passed} tests passed, {failed} failed, {skipped} "
            f"skipped in {time.monotonic() - self._begin:.0f} s; their output is in "
            f"{self.results.tree.relative(self.results.logs)}"
        )
        if self._deaths:
            print(f"nested {self.machine.name}: machines that died: {self._deaths}; see above")

    def _show_end(self) -> None:
        self.machine.show_end(self.results.tree.relative(self.machine.folder))
