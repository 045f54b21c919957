# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""The system of the machine: a stock Debian kernel, and an initramfs with busybox, the kernel's
modules and "init". The programs come in an initramfs of their own (programs.py)."""

from __future__ import annotations

import lzma
import re
import shutil
import subprocess
from pathlib import Path

from .architecture import SUITE, Architecture, Variant
from .debian import Apt
from .process import TOOL_LIMIT, Failure, say
from .store import Store
from .tree import Tree

FOLDERS = ("bin", "dev", "proc", "sys", "tmp", "root", "etc", "modules", "run", "var")


def archive(root: Path, file: Path) -> None:
    """Writes an initramfs. Its files belong to root."""
    names = [".", *sorted(str(path.relative_to(root)) for path in root.rglob("*"))]
    command = ["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"]
    new = file.with_name(f"{file.name}.new")
    with new.open("wb") as output:
        try:
            subprocess.run(
                command,
                input="".join(f"{name}\n" for name in names).encode(),
                stdout=output,
                cwd=root,
                timeout=TOOL_LIMIT,
                check=True,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise Failure(f"{file.name} could not be written: {error}") from error
    new.rename(file)


class System:
    """The machine's kernel and its first initramfs."""

    def __init__(self, tree: Tree, store: Store, arch: Architecture, variant: Variant) -> None:
        self._tree = tree
        self._store = store
        self._arch = arch
        self._suite = variant.suite
        folder = "debian" if variant.suite == SUITE else f"debian-{variant.suite}"
        self.packages = tree.store(arch) / folder

    @property
    def busybox(self) -> Path:
        """A static program of the architecture."""
        return self.packages / "usr" / "bin" / "busybox"

    @property
    def kernel(self) -> Path:
        """The kernel's file."""
        for pattern in ("boot/vmlinu[xz]-*", "usr/lib/modules/*/vmlinu[xz]*"):
            for path in self.packages.glob(pattern):
                return path
        raise Failure(f"there is no kernel in {self.packages}")

    def fetch(self) -> None:
        """Fetches the kernel's package and busybox."""

        def fetch() -> None:
            apt = Apt(self._store.cache)
            apt.update(self._arch.debian_arch, self._suite)
            kernel = apt.kernel(self._arch.kernel_package)
            apt.fetch(self.packages, [*apt.kernel_parts(kernel), "busybox-static"])

        what = f"{self._arch.kernel_package} and busybox-static for {self._arch.name}"
        self._store.fetch(self.packages, what, fetch)

    def write(self, initramfs: Path) -> None:
        """Writes the initramfs."""
        root = initramfs.with_suffix(".root")
        shutil.rmtree(root, ignore_errors=True)
        for name in FOLDERS:
            (root / name).mkdir(parents=True)
        modules = Modules(next((self.packages / "usr" / "lib" / "modules").iterdir()))
        for name in self._arch.kernel_modules:
            modules.add(name, root / "modules")
        (root / "modules" / "order").write_text("".join(f"{name}\n" for name in modules.order))
        shutil.copy(self.busybox, root / "bin" / "busybox")
        (root / "bin" / "sh").symlink_to("busybox")
        shutil.copy(self._tree.nested / "init", root / "init")
        (root / "init").chmod(0o755)
        _write_accounts(root / "etc")
        archive(root, initramfs)
        packages = (self.packages / "packages").read_text()
        version = re.search("^linux-image-([^_]*)_", packages, re.MULTILINE)
        say(
            f"nested {self._arch.name}: Linux {version[1] if version else '(unknown)'}, "
            f"modules: {' '.join(modules.order)}"
        )


def _write_accounts(etc: Path) -> None:
    (etc / "passwd").write_text(
        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
    )
    (etc / "group").write_text("root:x:0:\nnogroup:x:65534:\n")
    (etc / "shadow").write_text("root:*:::::::\n")
    (etc / "shadow").chmod(0o600)


class Modules:
    """Modules of a kernel, in the order in which they are loaded."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.order: list[str] = []

    def add(self, name: str, target: Path) -> None:
        """Adds a module behind those that it depends on. Built-in ones are left out."""
        # In file names "-" and "_" are the same.
        pattern = re.sub("[-_]", "[-_]", name)
        path = next(self._folder.rglob(f"{pattern}.ko*"), None)
        if path is None:
            builtin = self._folder / "modules.builtin"
            # The packages of Debian 14 have no such list.
            if builtin.exists() and not re.search(
                f"/{pattern}\\.ko$", builtin.read_text(), re.MULTILINE
            ):
                say(f"there is no kernel module {name}")
            return
        file = path.name.removesuffix(".xz")
        if file in self.order:
            return
        data = path.read_bytes()
        if path.suffix == ".xz":
            data = lzma.decompress(data)
        # The section .modinfo has strings KEY=VALUE, each with a zero behind it.
        needed = re.search(rb"\0depends=([^\0]*)\0", data)
        for other in needed[1].decode().split(",") if needed else []:
            if other:
                self.add(other, target)
        (target / file).write_bytes(data)
        self.order.append(file)
