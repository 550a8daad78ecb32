# SPDX-License-Identifier: GPL-2.0-only
"""Which kernel does a release such as 6.1.0-56-amd64 stand for?"""

import argparse
import platform
import re

from pysct.abi import ABIS

Kernel = tuple[int, int]
"""The first two numbers of a release."""


def of(text: str) -> Kernel | None:
    """The kernel of a release; None if that is none."""
    found = re.match(r"(\d{1,4})\.(\d{1,4})(?!\d)", text, re.ASCII)
    return (int(found[1]), int(found[2])) if found else None


def running() -> Kernel | None:
    """The kernel that runs here; None where rules cannot be used anyway."""
    usable = platform.machine() in {abi.machine for abi in ABIS.values()}
    return of(platform.release()) if usable else None


def shown(kernel: Kernel) -> str:
    return f"{kernel[0]}.{kernel[1]}"


def add_option(command: argparse.ArgumentParser) -> None:
    """Lets a command be told for which kernel rules are; None: the one that runs here."""
    about = "warn of what this kernel lacks, as in 6.1 (default: the one that runs here)"
    command.add_argument("--kernel", type=_wanted, metavar="RELEASE", help=about)


def _wanted(text: str) -> Kernel:
    kernel = of(text)
    if kernel is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no release of a kernel such as 6.1 or 6.1.0-56-amd64")
    return kernel
