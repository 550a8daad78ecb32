# SPDX-License-Identifier: GPL-2.0-only
"""How is a machine started that is of another architecture, or slow, or has its files in its memory?

Not through virtme-ng, which can do it: its init for foreign guests, a shell script of some hundred programs that come
through an uncached share, takes a minute under emulation where guest/boot.sh takes seconds.
"""

import lzma
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from . import programs
from .accel import is_emulated
from .arches import ARCHES
from .image import Image
from .places import GUEST, TREE
from .settings import Settings

DRIVERS = ("virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay")
"""Kernel modules that boot.sh needs; the rest is found in the guest."""
BUSYBOX = "usr/bin/busybox"
HOST = "/run/sct/host"
"""Where the guest sees this machine's files."""
LEFT_OUT = ("usr/share/doc", "usr/share/locale", "usr/share/man", ".git")
"""What nobody needs in a guest's memory: below the userland, or the tree."""


def command(image: Image, settings: Settings, userland: Path, scratch: Path) -> list[str]:
    """The words that start QEMU, up to the guest's shares. The console is our standard error.

    A guest that has its files in its memory has the userland's and this source tree.
    """
    arch = ARCHES[image.kernel.arch]
    emulated = is_emulated(image.kernel.arch, settings.icount)
    processor = ("-cpu", arch.processor) if emulated else ("-accel", "kvm", "-cpu", "host")
    host = "" if settings.in_memory else HOST
    words = [*arch.console, *settings.kernel_words((f"sct_host={host}", f"sct_agent={host}{GUEST}/agent.py"))]
    contents = _whole if settings.in_memory else _initramfs
    return [
        *(programs.find(f"qemu-system-{arch.machine}", arch.emulator), "-machine", arch.board, *processor),
        *("-name", "sct-vm", "-nodefaults", "-display", "none", "-no-reboot"),
        *("-m", f"{settings.memory}M", "-smp", str(settings.cpus)),
        *("-chardev", "file,id=console,path=/proc/self/fd/2", "-serial", "chardev:console"),
        *("-kernel", str(image.vmlinuz), "-initrd", str(contents(image, userland, scratch))),
        *("-append", " ".join(f'"{word}"' if " " in word else word for word in words)),
    ]


def _initramfs(image: Image, userland: Path, scratch: Path) -> Path:
    """An initramfs of the userland's busybox, the drivers, and boot.sh, which is its init."""
    tree = _start(image, scratch)
    (tree / "bin").mkdir()
    shutil.copy2(userland / BUSYBOX, tree / "bin" / "busybox")
    (tree / "bin" / "sh").symlink_to("busybox")
    return _archive(scratch, (tree, tree))


def _whole(image: Image, userland: Path, scratch: Path) -> Path:
    """An initramfs of the userland, this source tree, the drivers, and boot.sh."""
    tree = _start(image, scratch)
    (tree / str(image.modules).lstrip("/")).mkdir(parents=True)  # Empty: what is not built in is not there.
    return _archive(scratch, (userland, userland), (tree, tree), (Path("/"), TREE))


def _start(image: Image, scratch: Path) -> Path:
    """What every initramfs has."""
    tree = scratch / "initramfs"
    for directory in ("dev", "modules", "proc", "sys"):
        (tree / directory).mkdir(parents=True)
    shutil.copyfile(GUEST / "boot.sh", tree / "init")
    (tree / "init").chmod(0o755)
    for number, driver in enumerate(_drivers(image)):
        data = driver.read_bytes()
        plain = lzma.decompress(data) if driver.suffix == ".xz" else data
        (tree / "modules" / f"{number:02}-{driver.name.removesuffix('.xz')}").write_bytes(plain)
    return tree


def _archive(scratch: Path, *parts: tuple[Path, Path]) -> Path:
    """An archive of each of the second directories, in which the first of the pair is /."""
    archive = scratch / "initramfs.cpio"
    for number, (root, top) in enumerate(parts):
        names = "\0".join(os.path.relpath(path, root) for path in (*reversed(top.parents), *_below(top)) if path.is_relative_to(root))
        words = ["cpio", "--create", *(["--append"] if number else []), "--null", "--format=newc", "--quiet", "--file", archive]
        programs.run(words, "cpio", input=names, cwd=root)
    return archive


def _below(top: Path) -> Iterator[Path]:
    """The directory and all that is in it, each behind what it is in."""
    for here, directories, others in os.walk(top):
        directories[:] = [name for name in directories if str(Path(here, name).relative_to(top)) not in LEFT_OUT]
        links = (name for name in directories if Path(here, name).is_symlink())
        yield Path(here)
        yield from (Path(here, name) for name in (*links, *others))


def _drivers(image: Image) -> list[Path]:
    """The files of the drivers and of what they need, in the order in which they have to be loaded."""
    words = ["modprobe", "--config", "/var/empty", "--dirname", image.modules.parents[2]]
    words += ["--set-version", image.release, "--show-depends", "--all", *DRIVERS]
    # A line is `insmod FILE`, or `builtin NAME`.
    lines = [line.split(maxsplit=1) for line in programs.run(words, "kmod").splitlines()]
    return [Path(what.strip()) for how, what in dict.fromkeys(map(tuple, lines)) if how == "insmod"]
