# SPDX-License-Identifier: GPL-2.0-only
"""What differs between kernels of one architecture and of another?"""

import platform
from dataclasses import dataclass


@dataclass(frozen=True)
class Arch:
    """One architecture, by the names that others have for it."""

    machine: str
    """What `uname -m` says, and QEMU."""
    emulator: str
    """Debian package of the QEMU for it."""
    prefix: str
    """How the names of Debian's cross compilers for it begin: CROSS_COMPILE."""
    source: str
    """What the kernel's source calls it."""
    target: str
    """What of the kernel is booted: a target of its make."""
    board: str
    """QEMU's name of a machine of it."""
    processor: str
    """QEMU's name of a processor of it, where it is emulated."""
    console: tuple[str, ...]
    """Kernel command line: where that machine's serial line is."""


ARCHES = {
    "amd64": Arch(
        "x86_64",
        "qemu-system-x86",
        "x86_64-linux-gnu-",
        source="x86",
        target="bzImage",
        board="q35",
        processor="max",
        console=("console=ttyS0", "earlyprintk=ttyS0"),
    ),
    "arm64": Arch(
        "aarch64",
        "qemu-system-arm",
        "aarch64-linux-gnu-",
        source="arm64",
        target="Image",
        board="virt",
        # Emulating it is many times faster than `-cpu max`, and it runs 32-bit programs as well.
        processor="cortex-a72",
        console=("console=ttyAMA0", "earlycon=pl011,0x9000000"),
    ),
}
"""By Debian's name."""


def native() -> str:
    """Debian's name of this machine's architecture."""
    return next(name for name, arch in ARCHES.items() if arch.machine == platform.machine())


def is_foreign(name: str) -> bool:
    """Whether programs of that architecture do not run here."""
    return name != native()
