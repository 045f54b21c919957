#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""scripts/nested without an emulator: shell scripts stand in for QEMU, and write what init would
write into the files of its ports. Needs no downloads and takes seconds."""

from __future__ import annotations

import gzip
import lzma
import os
import signal
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Callable
from pathlib import Path

sys.dont_write_bytecode = True
TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests"))

from cases import run_unittests  # noqa: E402
from nested import architecture, cross, image, kernels, suites  # noqa: E402
from nested.cases import HANG, Captured, captured, runs, wait_for  # noqa: E402
from nested.emulator import Command  # noqa: E402
from nested.interpreter import Interpreter  # noqa: E402
from nested.machine import Limits, Machine  # noqa: E402
from nested.process import Failure, Log, group  # noqa: E402
from nested.session import Session  # noqa: E402
from nested.store import Store, locked  # noqa: E402
from nested.suites import Conversation, Results, Test  # noqa: E402
from nested.tree import Tree  # noqa: E402

PASSING = "ok 1 - x\n1..1"

# Functions of the shell scripts that stand in for QEMU.
INIT = """
ready() { echo ready >>status; }
begin() { echo "start $1" >>status; echo "@@ $1" >>log; }
ends() { echo "done $1 $2 5" >>status; }
test_with() { begin "$1"; echo "$3" >>log; ends "$1" "$2"; }
end() { echo "end $1" >>status; exit 0; }
"""


class Folder(unittest.TestCase):
    """Tests with a temporary directory."""

    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)


class Sessions(Folder):
    """The boots of a machine, and the exit status."""

    def session(
        self,
        boots: list[str],
        plan: list[str] | None = None,
        limits: Limits = Limits(boot=HANG, program=HANG, total=HANG),
        again: bool = False,
        optional: str | None = None,
    ) -> tuple[int, Captured]:
        """Runs a session in which each boot is one of these scripts."""
        run = self.folder / "run"
        run.mkdir()
        for number, script in enumerate(boots, start=1):
            (self.folder / f"boot{number}").write_text(INIT + script)
        qemu = self.folder / "qemu"
        qemu.write_text('echo >>../boots; exec sh "../boot$(wc -l <../boots)"\n')
        self.plans: list[list[str]] = []
        tree = Tree(TOP, self.folder)
        session = Session(
            Machine("arm64-test", run, Command(["sh", str(qemu)], dict(os.environ)), [], limits),
            Results(tree, run / "log", self.folder / "logs"),
            None if plan is None else [Test(name) for name in plan],
            lambda left: self.plans.append([test.name for test in left]),
            again,
            optional,
        )
        with captured() as output:
            status = session.run()
        return status, output

    def boots(self) -> int:
        return len((self.folder / "boots").read_text())

    def log(self, name: str) -> str:
        return (self.folder / "logs" / f"{name}.log").read_text()

    def test_a_command_gives_its_output_and_its_status(self) -> None:
        status, output = self.session(["ready; echo one >out; echo two >err; end 7"])
        self.assertEqual((status, output.out, output.err), (7, "one\n", "two\n"))

    def test_tests_that_pass_give_status_0(self) -> None:
        status, output = self.session(
            [f"ready; test_with tests/a 0 '{PASSING}'; test_with tests/b.sh 0 '{PASSING}'; end 0"],
            ["tests/a", "tests/b.sh"],
        )
        self.assertEqual(status, 0)
        self.assertIn("PASS: tests/a (1 passed, 5 s)\nPASS: tests/b.sh (1 passed, 5 s)\n", output.out)
        summary = r"(?m)^nested arm64-test: 2 tests passed, 0 failed, 0 skipped in \d+ s; "
        self.assertRegex(output.out, summary)
        self.assertEqual(self.log("tests/a"), PASSING + "\n")

    def test_a_failing_test_makes_the_command_fail(self) -> None:
        failing = "ok 1 - x\nnot ok 2 - y\n1..2"
        skipped = "1..0 # SKIP no KVM"
        status, output = self.session(
            [f"ready; test_with tests/a 1 '{failing}'; test_with tests/b 0 '{skipped}'; end 1"],
            ["tests/a", "tests/b"],
        )
        self.assertEqual(status, 1)
        self.assertIn("FAIL: tests/a (exited with status 1, 1 passed, 1 failed, 5 s)", output.out)
        self.assertIn(f"\n{failing}\n", output.out)
        self.assertIn("SKIP: tests/b (1 skipped, 5 s)\nno KVM\n", output.out)
        error = "ERROR: tests/a - exited with status 1"
        self.assertEqual(self.log("tests/a"), f"{failing}\n{error}\n")

    def test_a_test_without_a_plan_has_failed(self) -> None:
        status, output = self.session(
            ["ready; test_with tests/a 0 'ok 1 - x'; end 0"], ["tests/a"]
        )
        self.assertEqual(status, 1)
        self.assertIn("FAIL: tests/a (1 passed, 1 failed, 5 s)", output.out)

    def test_a_test_in_which_the_machine_dies_has_failed_and_the_others_run(self) -> None:
        status, output = self.session(
            [
                f"ready; test_with tests/a 0 '{PASSING}'; begin tests/b; "
                "echo 'Kernel panic' >console.log",
                f"ready; test_with tests/c 0 '{PASSING}'; end 0",
            ],
            ["tests/a", "tests/b", "tests/c"],
        )
        self.assertEqual(status, 1)
        self.assertIn("FAIL: tests/b (its machine died in it, 1 failed, 0 s)", output.out)
        self.assertIn("PASS: tests/c", output.out)
        self.assertIn("nested arm64-test: machines that died: 1; see above\n", output.out)
        self.assertIn("nested arm64-test: its kernel panicked\n", output.err)
        self.assertRegex(output.err, "--- the end of .*/run/console.log\nKernel panic\n---\n")
        self.assertEqual(self.plans, [["tests/c"]])

    def test_with_again_a_test_passes_in_the_second_machine(self) -> None:
        status, output = self.session(
            ["ready; begin tests/a; exit 0", f"ready; test_with tests/a 0 '{PASSING}'; end 0"],
            ["tests/a"],
            again=True,
        )
        self.assertEqual(status, 0)
        self.assertIn("once more from tests/a on, in a new machine", output.err)
        self.assertIn("machines that died: 1; see above", output.out)
        self.assertEqual(self.plans, [["tests/a"]])

    def test_with_again_a_test_that_kills_two_machines_has_failed(self) -> None:
        dies = "ready; begin tests/a; exit 0"
        status, output = self.session(
            [dies, dies, f"ready; test_with tests/b 0 '{PASSING}'; end 0"],
            ["tests/a", "tests/b"],
            again=True,
        )
        self.assertEqual(status, 1)
        self.assertIn("FAIL: tests/a (two machines died in it, 1 failed, 0 s)", output.out)
        self.assertEqual(self.plans, [["tests/a", "tests/b"], ["tests/b"]])

    def test_no_fifth_machine_boots_and_the_tests_left_have_failed(self) -> None:
        names = [f"tests/{letter}" for letter in "abcdef"]
        status, output = self.session([f"ready; begin {name}; exit 0" for name in names], names)
        self.assertEqual(status, 125)
        self.assertEqual(self.boots(), 4)
        self.assertIn("FAIL: tests/f (it did not end, 1 failed, 0 s)", output.out)
        self.assertIn("0 tests passed, 6 failed, 0 skipped", output.out)

    def test_a_machine_that_ends_early_without_a_test_has_failed(self) -> None:
        status, output = self.session([f"ready; test_with tests/a 0 '{PASSING}'"], ["tests/a"])
        self.assertEqual(status, 125)
        self.assertIn("nested arm64-test: it stopped before the end\n", output.err)

    def test_a_machine_that_does_not_boot_is_booted_three_times(self) -> None:
        status, output = self.session(["exit 3", "exit 3", "exit 3"])
        self.assertEqual((status, self.boots()), (125, 3))
        self.assertIn("nested arm64-test: QEMU ended with status 3\n", output.err)
        self.assertIn("nested arm64-test: it did not boot; once more\n", output.err)

    def test_a_machine_that_boots_the_second_time_is_fine(self) -> None:
        status, _ = self.session(["exit 3", "ready; end 0"])
        self.assertEqual((status, self.boots()), (0, 2))

    def test_an_optional_machine_that_does_not_boot_is_skipped(self) -> None:
        status, output = self.session(["exit 0"] * 3, ["tests/a"], optional="sid")
        self.assertEqual((status, output.out), (77, ""))
        skipped = "nested arm64-test: skipped: its kernel of sid does not boot\n"
        self.assertTrue(output.err.endswith(skipped))

    def test_without_kvm_nothing_runs_and_nothing_is_tried_again(self) -> None:
        status, output = self.session(["echo no-kvm >status; exit 0"])
        self.assertEqual((status, output.out, self.boots()), (125, "", 1))
        self.assertIn("nested arm64-test: there is no /dev/kvm in it\n", output.err)

    def test_a_silent_machine_is_ended_with_its_processes(self) -> None:
        limits = Limits(boot=HANG, program=0, total=HANG, margin=1)
        script = "trap '' TERM; sleep 9999 & echo $! >../child; echo $$ >../qemu.pid; ready; wait"
        status, output = self.session([script], ["tests/a"], limits=limits)
        self.assertEqual(status, 125)
        self.assertIn("nested arm64-test: it hangs: no output for 1 s\n", output.err)
        self.assertIn("FAIL: tests/a (it did not end, 1 failed, 0 s)", output.out)
        for name in ("child", "qemu.pid"):
            pid = int((self.folder / name).read_text())
            self.assertTrue(wait_for(lambda: not runs(pid)))

    def test_a_guest_that_never_ends_is_ended(self) -> None:
        limits = Limits(boot=HANG, program=HANG, total=1)
        script = "ready; begin tests/a; while :; do echo x >>console.log; sleep 0.2; done"
        status, output = self.session([script], ["tests/a"], limits=limits)
        self.assertEqual((status, self.boots()), (125, 1))
        self.assertIn("nested arm64-test: not done after 1 s\n", output.err)
        self.assertIn("FAIL: tests/a (it did not end, 1 failed, 0 s)", output.out)


class Reports(Folder):
    """The reports of init."""

    def test_a_section_is_the_output_of_one_test(self) -> None:
        log = b"lost\n@@ tests/ab\n1\n@@ tests/a\n2\n\xff @@ no\n@@ tests/c\n3"
        self.assertEqual(suites.section(log, "tests/a"), b"2\n\xff @@ no\n")
        self.assertEqual(suites.section(log, "tests/c"), b"3")
        self.assertEqual(suites.section(log, "tests/d"), b"")

    def test_a_line_counts_when_it_is_complete(self) -> None:
        for name in ("status", "out", "err"):
            (self.folder / name).touch()
        done: list[tuple[str, ...]] = []
        conversation = Conversation(self.folder, lambda *words: done.append(words))
        with (self.folder / "status").open("w", buffering=1) as status:
            status.write("ready\nstart tests/a\ndone tests/a 1")
            status.flush()
            conversation.pump()
            self.assertEqual((conversation.ready, conversation.current), (True, "tests/a"))
            self.assertEqual(done, [])
            status.write("39 7\nnonsense\nend 1\n")
            conversation.pump()
        self.assertEqual(done, [("tests/a", "139", "7")])
        self.assertEqual((conversation.current, conversation.ended), (None, 1))


class Plans(unittest.TestCase):
    """Which tests run."""

    BUILT = ["tests/test_a", "tests/test_ab", "tests/info.py", "tests/a.sh"]
    ARCH = architecture.load(TOP / "tests" / "nested", "arm64")

    def choose(self, variant: list[str] | None, only: str | None) -> list[str]:
        machine = architecture.Variant("other" if variant else "", tests=variant or [])
        return [test.line for test in suites.choose(self.BUILT, self.ARCH, machine, only)]

    def test_the_usual_machine_runs_all_tests(self) -> None:
        plan = ["tests/test_a /tests/test_a\n", "tests/test_ab /tests/test_ab\n"]
        scripts = ["tests/info.py python3 /tests/info.py\n", "tests/a.sh sh /tests/a.sh\n"]
        self.assertEqual(self.choose(None, None), [*plan, *scripts])

    def test_a_variant_runs_its_own_with_their_arguments(self) -> None:
        plan = self.choose(["tests/info.py gicv2 x", "tests/test_a"], None)
        shown = ["tests/info.py python3 /tests/info.py gicv2 x\n", "tests/test_a /tests/test_a\n"]
        self.assertEqual(plan, shown)

    def test_a_text_selects_among_all_tests(self) -> None:
        self.assertEqual(self.choose(["tests/test_a"], "_ab"), ["tests/test_ab /tests/test_ab\n"])
        with self.assertRaisesRegex(Failure, "no test has 'xyz' in its name"):
            self.choose(None, "xyz")

    def test_a_variant_names_no_test_that_is_missing(self) -> None:
        with self.assertRaisesRegex(Failure, "names tests/gone for other, and there is no such"):
            self.choose(["tests/gone"], None)

    def test_each_architecture_is_complete(self) -> None:
        folder = TOP / "tests" / "nested"
        self.assertEqual(architecture.names(folder), ["arm64", "riscv64", "x86_64"])
        for name in architecture.names(folder):
            arch = architecture.load(folder, name)
            self.assertTrue({*arch.guest_compressed, *arch.guest_vmlinux} <= {*arch.guest_kernels})
            for variant in arch.variants.values():
                self.assertTrue(variant.tests)
                self.assertTrue(variant.machine or variant.suite != architecture.SUITE)

    def test_an_unknown_name_is_refused_with_the_known_ones(self) -> None:
        with self.assertRaisesRegex(Failure, "'m68k'; there is: arm64 riscv64 x86_64"):
            architecture.load(TOP / "tests" / "nested", "m68k")
        with self.assertRaisesRegex(Failure, "'gicv9'; there is: gicv2 sid"):
            self.ARCH.variant("gicv9")


class CommandLine(unittest.TestCase):
    """scripts/nested and its options; tests/scripts.sh has more."""

    def nested(self, *words: str) -> tuple[int, str, str]:
        command = [str(TOP / "scripts" / "nested"), *words]
        done = subprocess.run(command, capture_output=True, timeout=HANG, check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def test_a_refusal_names_the_reason(self) -> None:
        refusals: list[tuple[list[str], int, str]] = [
            ([], 2, "error: ARCH is missing"),
            (["-t", "0", "arm64"], 2, "error: argument -t: '0' is not a positive number"),
            (["-f", "/no/file", "arm64"], 2, "error: argument -f: there is no file /no/file"),
            (["m68k"], 1, "nested: there is no architecture 'm68k'; there is: arm64 "),
            (["-v", "x", "x86_64"], 1, "nested: x86_64 has no machine 'x'; there is: sid"),
            (["-n", "arm64"], 1, "nested: without the tests there must be a command"),
        ]
        for words, status, reason in refusals:
            got, out, err = self.nested(*words)
            self.assertEqual((got, out), (status, ""), err)
            self.assertIn(reason, err)

    def test_variants_are_listed(self) -> None:
        self.assertEqual(self.nested("--variants", "arm64"), (0, "gicv2\nsid\n", ""))


class Stores(Folder):
    """Downloads and locks."""

    def fetch(self, refresh: bool, fetch: Callable[[], None]) -> Captured:
        with captured() as output:
            Store(self.folder, refresh).fetch(self.folder / "it", "it", fetch)
        return output

    def test_what_is_complete_is_fetched_only_on_request(self) -> None:
        calls: list[int] = []

        def fetch() -> None:
            calls.append(1)
            (self.folder / "it").mkdir(exist_ok=True)
            (self.folder / "it" / "packages").touch()

        self.assertEqual(self.fetch(False, fetch).err, "fetching it from Debian\n")
        self.assertEqual(self.fetch(False, fetch).err, "")
        self.assertEqual(len(calls), 1)
        self.fetch(True, fetch)
        self.assertEqual(len(calls), 2)

    def test_a_failed_download_is_reported_and_the_lock_is_free(self) -> None:
        def fetch() -> None:
            raise Failure("no network")

        for _ in range(2):
            with self.assertRaisesRegex(Failure, "there is no it; see above"):
                self.fetch(False, fetch)

    def test_a_lock_that_is_taken_is_refused(self) -> None:
        path = self.folder / "lock"
        with locked(path):
            taken = subprocess.run(["flock", "-n", path, "true"], timeout=HANG, check=False)
            self.assertEqual(taken.returncode, 1)
            with self.assertRaisesRegex(Failure, "it is taken"), locked(path, "it is taken"):
                pass
        with locked(path, "it is free"):
            pass


class Images(Folder):
    """Kernels and modules."""

    def bzimage(self, packed: bytes) -> bytes:
        header = bytearray(1024)
        header[497] = 1
        header[584:592] = (512).to_bytes(4, "little") + len(packed).to_bytes(4, "little")
        return bytes(header) + bytes(512) + packed + b"behind"

    def test_a_bzimage_is_unpacked_by_its_format(self) -> None:
        kernel = b"\x7fELF" + bytes(1000)
        size = len(kernel).to_bytes(4, "little")
        for packed in (gzip.compress(kernel), lzma.compress(kernel) + size):
            self.assertEqual(kernels.unpack_vmlinux(self.bzimage(packed), "it"), kernel)

    def test_a_damaged_bzimage_is_refused(self) -> None:
        with self.assertRaisesRegex(Failure, "it: the kernel is packed in an unknown format"):
            kernels.unpack_vmlinux(self.bzimage(b"abcdabcd"), "it")
        with self.assertRaisesRegex(Failure, "it: the unpacked kernel does not have the size"):
            kernels.unpack_vmlinux(self.bzimage(lzma.compress(b"x") + b"\x02\0\0\0"), "it")

    def test_modules_follow_those_that_they_depend_on(self) -> None:
        for name, needed in (("kvm-amd", b"kvm,ccp"), ("kvm", b""), ("ccp", b"kvm")):
            data = b"\x7fELF\0name=x\0depends=" + needed + b"\0"
            (self.folder / f"{name}.ko.xz").write_bytes(lzma.compress(data))
        (self.folder / "modules.builtin").write_text("kernel/drivers/virtio_pci.ko\n")
        target = self.folder / "target"
        target.mkdir()
        modules = image.Modules(self.folder)
        with captured() as output:
            for name in ("kvm_amd", "kvm", "virtio-pci", "none"):
                modules.add(name, target)
        self.assertEqual(modules.order, ["kvm.ko", "ccp.ko", "kvm-amd.ko"])
        self.assertEqual(output.err, "there is no kernel module none\n")
        self.assertTrue((target / "ccp.ko").read_bytes().startswith(b"\x7fELF"))


class Interpreters(Folder):
    """Python in the machine."""

    def test_it_runs_with_its_own_libraries(self) -> None:
        tree = Tree(self.folder, self.folder)
        arch = architecture.load(TOP / "tests" / "nested", "riscv64")
        libraries = "usr/lib/riscv64-linux-gnu"
        for name in (f"{libraries}/ld-linux-x.so.1", f"{libraries}/gconv/UTF-7.so", "usr/bin/python3.99"):
            file = tree.store(arch) / "python" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        root = self.folder / "root"
        Interpreter(tree, Store(self.folder), arch).install(root)
        command = f"/python/{libraries}/ld-linux-x.so.1 --library-path /python/{libraries} /python/usr/bin/python3.99"
        self.assertIn(command, (root / "bin/python3").read_text())
        self.assertTrue((root / "python/usr/bin/python3.99").exists())
        self.assertFalse((root / "python" / libraries / "gconv").exists())


class Sysroots(Folder):
    """Headers and libraries of another architecture."""

    def test_absolute_links_lead_into_the_sysroot(self) -> None:
        (self.folder / "usr/lib").mkdir(parents=True)
        (self.folder / "lib").symlink_to("usr/lib")
        (self.folder / "usr/lib/libx.so").symlink_to("/lib/libx.so.1")
        cross.make_links_relative(self.folder)
        self.assertEqual(os.readlink(self.folder / "usr/lib/libx.so"), "../../lib/libx.so.1")
        self.assertEqual(os.readlink(self.folder / "lib"), "usr/lib")


class Processes(Folder):
    """Limits of time, and signals."""

    def test_a_command_that_takes_too_long_has_failed(self) -> None:
        log = Log(self.folder / "log")
        with captured() as output, self.assertRaisesRegex(Failure, "it failed"):
            log.run(["sleep", "9999"], "it failed", limit=1)
        self.assertIn("sleep: not done after 1 s\n", output.err)

    def test_a_group_ends_with_its_block(self) -> None:
        pidfile = self.folder / "pid"
        script = f"trap '' TERM; sleep 9999 & echo $! >{pidfile}.1; mv {pidfile}.1 {pidfile}; wait"
        with open(os.devnull, "wb") as null, group(["sh", "-c", script], null):
            self.assertTrue(wait_for(pidfile.exists))
        pid = int(pidfile.read_text())
        self.assertTrue(wait_for(lambda: not runs(pid)))

    def test_a_failed_command_shows_the_end_of_its_log(self) -> None:
        log = Log(self.folder / "log")
        with captured() as output, self.assertRaisesRegex(Failure, "it failed"):
            log.run(["sh", "-c", "seq 100; exit 3"], "it failed")
        shown = "".join(f"{number}\n" for number in range(61, 101))
        self.assertEqual(output.err, f"--- the end of {self.folder}/log\n{shown}---\n")

    def test_a_signal_ends_the_machine_and_removes_temporary_files(self) -> None:
        script = f"""
import signal, sys, tempfile
from pathlib import Path
sys.path.insert(0, {str(TOP / "tests")!r})
sys.dont_write_bytecode = True
from nested.process import group, run_main
# Ignored signals are inherited: from nohup(1), and by what a shell starts with "&".
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
def main():
    with tempfile.TemporaryDirectory(dir={str(self.folder)!r}), open("/dev/null", "wb") as null:
        with group(["sh", "-c", "cd {self.folder}; echo $$ >new; mv new pid; sleep 9999; :"],
                   null) as process:
            process.wait(9999)
run_main("it", main)
"""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            pidfile = self.folder / "pid"
            with subprocess.Popen([sys.executable, "-c", script]) as program:
                self.assertTrue(wait_for(pidfile.exists))
                program.send_signal(number)
                self.assertEqual(program.wait(HANG), 128 + number)
            self.assertFalse(runs(int(pidfile.read_text())))
            pidfile.unlink()
            self.assertEqual(list(self.folder.iterdir()), [])


if __name__ == "__main__":
    sys.exit(run_unittests(sys.modules[__name__]))
