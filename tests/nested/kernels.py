# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""The guests that tests boot: Debian kernels, without the rest of their packages, and an initramfs
whose first program, tests/boot/init, looks at the guest from inside."""

from __future__ import annotations

import gzip
import lzma
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from .architecture import SUITE, Architecture
from .debian import Apt
from .image import System, archive
from .process import TOOL_LIMIT, Failure
from .store import Store
from .tree import Tree

# The commands of tests/boot/init.
TOOLS = """sh awk cat dmesg echo grep ls mount ps reboot poweroff sed setsid sleep stty tr uname
wc""".split()


class GuestKernels:
    """The kernels of an architecture, and the initramfs for them."""

    def __init__(self, tree: Tree, store: Store, arch: Architecture) -> None:
        self._tree = tree
        self._store = store
        self._arch = arch

    def write(self, folder: Path, system: System) -> None:
        """Writes the kernels, by their names, and "initrd" to a folder, which is made anew."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name, (suite, package) in self._arch.guest_kernels.items():
            shutil.copy(self._fetch(name, suite, package), folder / name)
        for name in self._arch.guest_compressed:
            data = (folder / name).read_bytes()
            (folder / f"{name}.gz").write_bytes(gzip.compress(data, 1, mtime=0))
        for name in self._arch.guest_vmlinux:
            data = (folder / name).read_bytes()
            (folder / f"{name}.vmlinux").write_bytes(unpack_vmlinux(data, name))
        with TemporaryDirectory(dir=self._tree.work(self._arch), prefix="guest.") as root:
            self._make_root(Path(root), system)
            archive(Path(root), folder / "initrd")

    def _fetch(self, name: str, suite: str, package: str) -> Path:
        """The file of a kernel. The one that the usual machine boots is fetched once."""
        place = self._tree.store(self._arch) / "debian" / "boot"
        if (suite, package) != (SUITE, self._arch.kernel_package) or not place.exists():
            place = self._tree.store(self._arch) / "kernels" / name

            def fetch() -> None:
                apt = Apt(self._store.cache)
                apt.update(self._arch.debian_arch, suite)
                apt.fetch_files(place, "./boot/vmlinu[xz]-*", apt.kernel(package))

            self._store.fetch(place, f"{package} of {suite} for {self._arch.name}", fetch)
        found = next(place.glob("vmlinu[xz]-*"), None)
        if found is None:
            raise Failure(f"there is no kernel in {place}")
        return found

    def _make_root(self, root: Path, system: System) -> None:
        root.chmod(0o755)
        for name in ("bin", "dev", "proc", "sys"):
            (root / name).mkdir()
        shutil.copy(system.busybox, root / "bin" / "busybox")
        for name in TOOLS:
            (root / "bin" / name).symlink_to("busybox")
        shutil.copy(self._tree.top / "tests" / "boot" / "init", root / "init")
        (root / "init").chmod(0o755)
        allowed = (self._tree.top / "tests" / "boot" / "allowed").read_text().splitlines(True)
        (root / "allowed").write_text("".join(x for x in allowed if not x.startswith("#")))


def unpack_vmlinux(image: bytes, name: str) -> bytes:
    """The ELF kernel in a bzImage.

    Its place is in the setup header (Documentation/arch/x86/boot.rst). Its last four bytes are its
    unpacked size, which the gzip format includes and the other formats do not.
    """

    def word(offset: int) -> int:
        return int.from_bytes(image[offset : offset + 4], "little")

    start = (image[497] + 1) * 512 + word(584)
    packed = image[start : start + word(588)]
    if packed.startswith(b"\x1f\x8b"):
        kernel = gzip.decompress(packed)
    elif packed.startswith(b"\xfd7zX"):
        kernel = lzma.decompress(packed[:-4])
    elif packed.startswith(b"\x28\xb5\x2f\xfd"):
        unpack = ["zstd", "-dc"]
        kernel = subprocess.run(
            unpack, input=packed[:-4], stdout=subprocess.PIPE, timeout=TOOL_LIMIT, check=True
        ).stdout
    else:
        raise Failure(f"{name}: the kernel is packed in an unknown format")
    if len(kernel) != int.from_bytes(packed[-4:], "little"):
        raise Failure(f"{name}: the unpacked kernel does not have the size in its header")
    return kernel
