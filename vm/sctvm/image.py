# SPDX-License-Identifier: GPL-2.0-only
"""Where is a supported kernel's image, and its headers, unpacked?"""

import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import programs, source, toolchain
from .apt import Apt, unpack
from .arches import native
from .error import VmError
from .kernels import Kernel
from .places import cache, locked

OF_THE_KERNEL = re.compile(r"linux-(image|binary|modules|headers|kbuild|base-)")
"""Packages that make up an image or its headers; what else they depend on concerns an installed system."""


@dataclass(frozen=True)
class Image:
    """An unpacked kernel: `home` is its own directory in the cache, `root` holds its files."""

    kernel: Kernel
    home: Path

    @property
    def root(self) -> Path:
        return self.home / "root"

    @property
    def modules(self) -> Path:
        """Its own modules: lib/modules/<release>."""
        return _only(self.root, "lib/modules/*/modules.dep", "usr/lib/modules/*/modules.dep").parent

    @property
    def release(self) -> str:
        """What `uname -r` says in it."""
        return self.modules.name

    @property
    def vmlinuz(self) -> Path:
        return _only(self.root, "boot/vmlinuz-*", "usr/lib/modules/*/vmlinuz")

    @property
    def headers(self) -> Path:
        """Where modules are built against it: `make -C`."""
        return self.root / "usr" / "src" / f"linux-headers-{self.release}"

    @property
    def tools(self) -> Path | None:
        """Where the compiler is that came with it, if one did."""
        return self.root / "usr" / "bin" if self.kernel.own_tools else None


def _only(root: Path, *patterns: str) -> Path:
    for pattern in patterns:
        if found := sorted(root.glob(pattern)):
            return found[0]
    raise VmError(f"{root}: no {' or '.join(patterns)}; remove the directory {root.parent} and run again")


def obtain(kernel: Kernel, newest: bool = False) -> Image:
    """The kernel from the cache. What is missing there, or may be newer, is downloaded; nothing is installed."""
    home = cache() / "kernels" / kernel.name
    current = home / "current"
    with locked(home):
        if newest or not current.exists() or not _is_of(kernel, current.resolve().name):
            print(f"{kernel.name}: downloading the kernel into {home}", file=sys.stderr)
            version = _unpack(kernel, home)
            current.unlink(missing_ok=True)
            current.symlink_to(version)
        return Image(kernel, current.resolve())


def _is_of(kernel: Kernel, version: str) -> bool:
    """Whether what is in the cache has been built with the configuration that the kernel has now."""
    return not kernel.source or version.endswith(f"-{source.digest(kernel)}")


def _unpack(kernel: Kernel, home: Path) -> str:
    """Downloads and unpacks, or builds, the newest version; returns it once its directory is complete."""
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=home) as scratch:
        apt = Apt(Path(scratch, "apt"), tuple(dict.fromkeys((native(), kernel.arch))), kernel.suites)
        apt.update()
        partial = Path(scratch, "kernel")
        root = partial / "root"
        root.mkdir(parents=True)
        if kernel.source:
            version = f"{apt.version(kernel.source)}-{source.digest(kernel)}"
            (package,) = apt.download([kernel.source], Path(scratch, "debs"))
            source.build(kernel, package, Path(scratch), root)
        else:
            packages, version = _packages(apt, kernel)
            _take(apt, kernel, packages, root, home / version)
        _index(root)
        if (home / version).exists():
            shutil.rmtree(home / version)
        partial.rename(home / version)
    return version


def _take(apt: Apt, kernel: Kernel, packages: list[str], root: Path, final: Path) -> None:
    """Downloads the packages and unpacks them below `root`; they are used once all lies at `final`."""
    debs = set(apt.download(packages, root.parent.parent / "debs"))
    if kernel.own_tools:
        tools = toolchain.packages(apt, kernel.arch, packages)
        debs.update(apt.download_all(tools, root.parent.parent / "tools"))
    for deb in {deb.name: deb for deb in sorted(debs)}.values():
        unpack(deb, root)
    _relocate(root)
    if kernel.own_tools:
        toolchain.bind(root, final / "root")


def _packages(apt: Apt, kernel: Kernel) -> tuple[list[str], str]:
    """What has to be unpacked, and the kernel's version."""
    found: dict[str, None] = {}
    todo = [kernel.image, kernel.headers]
    while todo:
        name = todo.pop()
        # Programs of the build run here, whatever the kernel's architecture.
        qualified = name if re.search(r"kbuild|-common", name) else f"{name}:{kernel.arch}"
        if qualified not in found:
            found[qualified] = None
            todo += [other for other in apt.depends(qualified) if OF_THE_KERNEL.match(other)]
    image = next(name for name in found if re.match(r"linux-image-\d", name))
    return list(found), apt.version(image)


def _relocate(root: Path) -> None:
    """Debian's headers name their other half by its installed path: name it by its place beside them."""
    for makefile in root.glob("usr/src/linux-headers-*/Makefile"):
        text = makefile.read_text()
        if "/usr/src/linux-headers-" in text:
            beside = "SCT_BESIDE := $(realpath $(dir $(lastword $(MAKEFILE_LIST)))..)\n"
            makefile.write_text(beside + text.replace("/usr/src/linux-headers-", "$(SCT_BESIDE)/linux-headers-"))


def _index(root: Path) -> None:
    """Writes modules.dep, which the package leaves to its installation."""
    for modules in [*root.glob("lib/modules/*/kernel"), *root.glob("usr/lib/modules/*/kernel")]:
        base = modules.parents[3] if modules.parents[2].name == "lib" else root
        programs.run(["depmod", "-b", base, modules.parent.name], "kmod")
