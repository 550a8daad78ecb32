# SPDX-License-Identifier: GPL-2.0-only
"""How is a machine started that is of another architecture, or slow?

Not through virtme-ng, which can do it: its init for foreign guests, a shell script of some hundred programs that come
through an uncached share, takes a minute under emulation where guest/boot.sh takes seconds.
"""

import lzma
import shutil
from pathlib import Path

from . import programs
from .accel import is_emulated
from .arches import ARCHES
from .image import Image
from .places import GUEST
from .settings import Settings

DRIVERS = ("virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay")
"""Kernel modules that boot.sh needs; the rest is found in the guest."""
BUSYBOX = "usr/bin/busybox"
HOST = "/run/sct/host"
"""Where the guest sees this machine's files."""


def command(image: Image, settings: Settings, userland: Path, scratch: Path) -> list[str]:
    """The words that start QEMU, up to the guest's shares. The console is our standard error."""
    arch = ARCHES[image.kernel.arch]
    emulated = is_emulated(image.kernel.arch, settings.icount)
    processor = ("-cpu", arch.processor) if emulated else ("-accel", "kvm", "-cpu", "host")
    words = [*arch.console, *settings.kernel_words((f"sct_agent={HOST}{GUEST}/agent.py",))]
    return [
        *(programs.find(f"qemu-system-{arch.machine}", arch.emulator), "-machine", arch.board, *processor),
        *("-name", "sct-vm", "-nodefaults", "-display", "none", "-no-reboot"),
        *("-m", f"{settings.memory}M", "-smp", str(settings.cpus)),
        *("-chardev", "file,id=console,path=/proc/self/fd/2", "-serial", "chardev:console"),
        *("-kernel", str(image.vmlinuz), "-initrd", str(_initramfs(image, userland, scratch))),
        *("-append", " ".join(f'"{word}"' if " " in word else word for word in words)),
    ]


def _initramfs(image: Image, userland: Path, scratch: Path) -> Path:
    """An initramfs of the userland's busybox, the drivers, and boot.sh, which is its init."""
    tree = scratch / "initramfs"
    for directory in ("bin", "dev", "modules", "proc", "sys"):
        (tree / directory).mkdir(parents=True)
    shutil.copy2(userland / BUSYBOX, tree / "bin" / "busybox")
    (tree / "bin" / "sh").symlink_to("busybox")
    shutil.copyfile(GUEST / "boot.sh", tree / "init")
    (tree / "init").chmod(0o755)
    for number, driver in enumerate(_drivers(image)):
        data = driver.read_bytes()
        plain = lzma.decompress(data) if driver.suffix == ".xz" else data
        (tree / "modules" / f"{number:02}-{driver.name.removesuffix('.xz')}").write_bytes(plain)
    archive = scratch / "initramfs.cpio"
    names = "\0".join(str(path.relative_to(tree)) for path in sorted(tree.rglob("*")))
    words = ["cpio", "--create", "--null", "--format=newc", "--quiet", "--file", archive]
    programs.run(words, "cpio", input=names, cwd=tree)
    return archive


def _drivers(image: Image) -> list[Path]:
    """The files of the drivers and of what they need, in the order in which they have to be loaded."""
    words = ["modprobe", "--config", "/var/empty", "--dirname", image.modules.parents[2]]
    words += ["--set-version", image.release, "--show-depends", "--all", *DRIVERS]
    # A line is `insmod FILE`, or `builtin NAME`.
    lines = [line.split(maxsplit=1) for line in programs.run(words, "kmod").splitlines()]
    return [Path(what.strip()) for how, what in dict.fromkeys(map(tuple, lines)) if how == "insmod"]
