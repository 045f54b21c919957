# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""Debian packages of any architecture, fetched without root and unpacked, not installed.

A private apt below one directory uses the mirrors and settings of this machine's apt; the sources,
lists and packages of the latter are not touched. No program of a fetched package runs.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from .process import Failure, Log, say, tool

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SUITES = "bullseye|bookworm|trixie|forky|sid|(?:old)*stable|testing|unstable"

CONFIGURATION = """\
#clear APT::Update;
#clear APT::Architectures;
APT::Architecture "{arch}";
APT::Architectures {{ "{arch}"; }};
APT::Sandbox::User "root";
Acquire::Languages "none";
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "{folder}/empty";
Dir::Etc::preferences "{folder}/none";
Dir::Etc::preferencesparts "{folder}/empty";
Dir::State "{folder}";
Dir::State::lists "{folder}/lists";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
"""


def mirrors() -> list[str]:
    """The one that the environment names, or all of this machine's apt sources."""
    named = os.environ.get("AXVCPU_DEBIAN_MIRROR")
    if named:
        return [named]
    # Names the files that an update would fetch, whatever the format of the sources.
    files = tool(["apt-get", "--print-uris", "update"])
    found = re.findall(rf"^'(.*)/dists/(?:{SUITES})/", files, re.MULTILINE)
    return list(dict.fromkeys(found))


def package_version(target: Path, package: str) -> str:
    """The version of a package that was unpacked to 'target'."""
    found = re.search(rf"^{package}_(.*)_", (target / "packages").read_text(), re.MULTILINE)
    return found[1].replace("%3a", ":") if found else "of an unknown version"


@dataclass(frozen=True)
class Apt:
    """The private apt. Every fetch begins with update()."""

    cache: Path

    @property
    def _folder(self) -> Path:
        return self.cache / "apt"

    def _command(self, program: str, *words: str) -> list[str]:
        return [program, "-c", str(self._folder / "apt.conf"), *words]

    def _run(self, words: list[str], cwd: Path | None = None) -> None:
        command = self._command("apt-get", *words)
        Log(self.cache / "apt.log").run(command, f"apt-get {' '.join(words)}: failed", cwd=cwd)

    def _configure(self, arch: str, suite: str, mirror: str) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        for name in ("lists/partial", "cache/archives/partial", "empty"):
            (self._folder / name).mkdir(parents=True)
        (self._folder / "status").touch()
        (self._folder / "sources.list").write_text(
            f"deb [arch={arch} signed-by={KEYRING}] {mirror} {suite} main\n"
        )
        (self._folder / "apt.conf").write_text(
            CONFIGURATION.format(arch=arch, folder=self._folder)
        )

    def update(self, arch: str, suite: str) -> None:
        """Gets the lists of packages from the first mirror that has them."""
        if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
            raise Failure("apt-get and dpkg-deb are missing: they fetch the Debian packages")
        if not os.access(KEYRING, os.R_OK):
            raise Failure(f"{KEYRING} is missing; Debian: debian-archive-keyring")
        found = mirrors()
        if not found:
            raise Failure(
                "this machine's apt sources have no Debian mirror; name one in AXVCPU_DEBIAN_MIRROR"
            )
        for mirror in found:
            self._configure(arch, suite, mirror)
            try:
                self._run(["-o", "APT::Update::Error-Mode=any", "update"])
                return
            except Failure:
                say(f"no {suite} for {arch} from {mirror}")
        raise Failure(f"no mirror has {suite} for {arch}")

    def _depends(self, package: str, pattern: str) -> str | None:
        """The first dependency whose name fits."""
        lines = tool(self._command("apt-cache", "depends", package))
        found = re.search(rf"^ *Depends: ({pattern})$", lines, re.MULTILINE)
        return found[1] if found else None

    def kernel(self, package: str) -> str:
        """The package of the kernel that a metapackage stands for."""
        found = self._depends(package, "linux-image-[0-9].*")
        if not found:
            raise Failure(f"Debian has no {package} for this architecture")
        return found

    def kernel_parts(self, kernel: str) -> list[str]:
        """It, and the packages of its file and modules, which are separate from Debian 14 on."""
        version = kernel.removeprefix("linux-image-")
        separate = [f"linux-binary-{version}", f"linux-modules-{version}"]
        return [kernel, *(part for part in separate if self._depends(kernel, re.escape(part)))]

    def python_parts(self) -> list[str]:
        """Python, and the libraries that the interpreter needs, without those of some modules."""
        python = self._depends("python3", "python3[.][0-9]+")
        if not python:
            raise Failure("Debian has no Python for this architecture")
        parts = [f"{python}-minimal", f"lib{python}-minimal", f"lib{python}-stdlib"]
        return [*parts, "libc6", "libexpat1", "zlib1g"]

    def _download(self, packages: list[str]) -> list[Path]:
        folder = self._folder / "packages"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._run(["download", *packages], cwd=folder)
        return sorted(folder.glob("*.deb"))

    def fetch(self, target: Path, packages: list[str]) -> None:
        """Unpacks these packages and no others."""
        _unpack(target, self._download(packages))
        self._clean()

    def fetch_all(self, target: Path, packages: list[str]) -> None:
        """Unpacks these packages and all that they depend on."""
        archives = self._folder / "cache" / "archives"
        shutil.rmtree(archives, ignore_errors=True)
        (archives / "partial").mkdir(parents=True)
        self._run(["-y", "--no-install-recommends", "--download-only", "install", *packages])
        _unpack(target, sorted(archives.glob("*.deb")))
        self._clean()

    def fetch_files(self, target: Path, pattern: str, package: str) -> None:
        """Takes only the files of a package that fit, without their directories."""
        downloaded = self._download([package])
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for path in downloaded:
            _extract(path, target, pattern)
        _note(target, downloaded)
        self._clean()

    def _clean(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _unpack(target: Path, packages: list[Path]) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for path in packages:
        tool(["dpkg-deb", "-x", path, target])
    for name in ("doc", "man", "locale"):
        shutil.rmtree(target / "usr" / "share" / name, ignore_errors=True)
    _note(target, packages)


def _extract(package: Path, target: Path, pattern: str) -> None:
    command: list[str | Path] = ["dpkg-deb", "--fsys-tarfile", package]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as contents:
        try:
            with tarfile.open(fileobj=contents.stdout, mode="r|") as archive:
                for member in archive:
                    source = archive.extractfile(member) if fnmatch(member.name, pattern) else None
                    if source:
                        with (target / Path(member.name).name).open("wb") as copy:
                            shutil.copyfileobj(source, copy)
        except tarfile.TarError as error:
            raise Failure(f"{package}: {error}") from error


def _note(target: Path, packages: list[Path]) -> None:
    """Lists the packages in a file; a directory of the store without it is not complete."""
    new = target / "packages.new"
    new.write_text("".join(f"{path.stem}\n" for path in packages))
    new.rename(target / "packages")
