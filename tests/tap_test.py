#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""Tests of tests/tap.py, and of the code that writes TAP: tests/suite.c, tests/cases.sh and tests/cases.py."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import unittest
from dataclasses import astuple
from pathlib import Path

sys.dont_write_bytecode = True
import tap  # noqa: E402
from cases import BUILD, Cases, run_unittests  # noqa: E402

TESTS = Path(__file__).resolve().parent


def counts(*lines: str, error: str = "") -> tuple[int, ...]:
    return astuple(tap.read("\n".join(lines), error).counts)


class Counting(unittest.TestCase):
    def test_each_case_counts_by_its_outcome(self) -> None:
        lines = ("ok 1 - a", "other output", "not ok 2 - b", "# why", "ok 3 - c # SKIP no KVM", "1..3")
        self.assertEqual(counts(*lines), (1, 1, 1))

    def test_the_plan_may_come_first(self) -> None:
        self.assertEqual(counts("1..2", "ok 1 - a", "ok 2 - b"), (2, 0, 0))

    def test_a_name_may_contain_a_number_sign(self) -> None:
        case = tap.read("ok 1 - a # b\n1..1").cases[0]
        self.assertEqual((case.name, case.outcome), ("a # b", "passed"))

    def test_a_skipped_case_has_its_reason(self) -> None:
        case = tap.read("ok 1 - a # SKIP no KVM\n1..1").cases[0]
        self.assertEqual((case.name, case.outcome, case.why), ("a", "skipped", "no KVM"))

    def test_a_test_that_is_skipped_as_a_whole_counts_once(self) -> None:
        report = tap.read("1..0 # SKIP no KVM")
        self.assertEqual((str(report.counts), report.outcome), ("0 passed, 0 failed, 1 skipped", "skipped"))

    def test_a_failed_case_is_not_skipped(self) -> None:
        self.assertEqual(counts("not ok 1 - a # SKIP no KVM", "1..1"), (0, 1, 0))

    def test_words_that_begin_with_ok_are_no_results(self) -> None:
        self.assertEqual(counts("okay", "ok 1 - a", "1..1"), (1, 0, 0))


class Ends(unittest.TestCase):
    """A test that did not come to its end has failed."""

    def test_a_missing_plan_is_a_failure(self) -> None:
        self.assertEqual(counts("ok 1 - a"), (1, 1, 0))
        self.assertEqual(counts(""), (0, 1, 0))

    def test_a_plan_with_more_or_fewer_cases_is_a_failure(self) -> None:
        self.assertEqual(counts("1..3", "ok 1 - a"), (1, 1, 0))
        self.assertEqual(counts("1..1", "ok 1 - a", "ok 2 - b"), (2, 1, 0))

    def test_two_plans_are_a_failure(self) -> None:
        self.assertEqual(counts("1..1", "ok 1 - a", "1..1"), (1, 1, 0))

    def test_a_status_is_a_failure_if_no_case_explains_it(self) -> None:
        self.assertEqual(counts("ok 1 - a", "1..1", error="status 139"), (1, 1, 0))
        self.assertEqual(counts("not ok 1 - a", "1..1", error="status 1"), (0, 1, 0))

    def test_a_log_says_how_the_test_ended(self) -> None:
        ended = "ERROR: tests/test_x - exited with status 139 (terminated by signal 11?)"
        self.assertEqual(counts("ok 1 - a", "1..1", ended), (1, 1, 0))
        self.assertEqual(counts("ok 1 - a", ended), (1, 1, 0))

    def test_a_test_that_gives_up_has_failed(self) -> None:
        self.assertEqual(counts("1..1", "ok 1 - a", "Bail out! no memory"), (1, 1, 0))


class Programs(unittest.TestCase):
    """By tests/suite_example.c."""

    def report(self, *arguments: str) -> tuple[tap.Report, int, str]:
        program = BUILD / "tests/suite_example"
        if not program.exists():
            self.skipTest("it is not built")
        done = subprocess.run(
            [program.resolve(), *arguments], capture_output=True, text=True, timeout=300
        )
        return tap.read(done.stdout), done.returncode, done.stdout

    def test_a_suite_reports_all_outcomes(self) -> None:
        report, status, text = self.report()
        self.assertEqual((astuple(report.counts), status), ((2, 3, 2), 1))
        cases = {case.name: case for case in report.cases}
        self.assertEqual(cases["first: is_skipped"].why, "there is no KVM")
        self.assertEqual(cases["is_left_out"].why, "there is no GIC")
        self.assertIn("- first: fails\n# two\n# lines\n", text)

    def test_a_result_behind_an_incomplete_line_is_missed(self) -> None:
        report, status, _ = self.report("torn")
        self.assertEqual((astuple(report.counts), status), ((2, 4, 2), 1))

    def test_a_suite_that_is_killed_has_no_plan(self) -> None:
        report, status, _ = self.report("dies")
        self.assertEqual((report.cases[-1].name, status), ("there is no plan", -9))


class Writers(unittest.TestCase):
    def test_shell_functions_report_all_outcomes(self) -> None:
        script = (
            f". {TESTS}/cases.sh; work=/nonexistent; evidence() {{ echo shown; }}\n"
            'ok a; not_ok b "two\nlines"; skip c "no KVM"; all_done'
        )
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=60)
        self.assertEqual(counts(done.stdout), (1, 1, 1))
        self.assertEqual(done.returncode, 1)
        self.assertIn("# two\n# lines\n# shown\n", done.stdout)

    def test_a_skipped_script_succeeds(self) -> None:
        script = f'. {TESTS}/cases.sh; skip_all "no KVM"'
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=60)
        self.assertEqual((counts(done.stdout), done.returncode), ((0, 0, 1), 0))

    def test_python_functions_report_all_outcomes(self) -> None:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            cases = Cases()
            cases.ok("a")
            cases.none_wrong("b", ["line 1", "line 2"])
            cases.skip("c", "no KVM")
            self.assertEqual(cases.end(), 1)
        self.assertEqual(counts(out.getvalue()), (1, 1, 1))
        self.assertIn("# line 1\n# line 2\n", out.getvalue())


if __name__ == "__main__":
    sys.exit(run_unittests(sys.modules[__name__]))
