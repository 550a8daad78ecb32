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
    board: tuple[str, ...] = ()
    """QEMU's words for a machine of it that is emulated on another; without any, it is not."""
    console: tuple[str, ...] = ()
    """Kernel command line: where that machine's serial line is."""


ARCHES = {
    "amd64": Arch("x86_64", "qemu-system-x86", "x86_64-linux-gnu-"),
    # Emulating this processor is many times faster than `-cpu max`, and it runs 32-bit programs as well.
    "arm64": Arch(
        "aarch64",
        "qemu-system-arm",
        "aarch64-linux-gnu-",
        board=("-machine", "virt", "-cpu", "cortex-a72"),
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
