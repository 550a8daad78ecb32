# SPDX-License-Identifier: GPL-2.0-only
"""Which kernels are supported?"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from .error import VmError
from .places import TREE

LIST = TREE / "vm" / "kernels.toml"


@dataclass(frozen=True)
class Kernel:
    """One entry of kernels.toml, whose head explains the fields."""

    name: str
    about: str
    arch: str
    suites: tuple[str, ...]
    image: str
    headers: str
    own_tools: bool = False
    make: tuple[str, ...] = ()
    default: bool = False


def load(path: Path = LIST) -> dict[str, Kernel]:
    """The list, in file order. Raises VmError for an entry that is not as its head says."""
    with open(path, "rb") as file:
        tables = tomllib.load(file)
    kernels = {name: _entry(path, name, table) for name, table in tables.items()}
    if sum(kernel.default for kernel in kernels.values()) != 1:
        raise VmError(f"{path}: exactly one kernel must say `default = true`")
    return kernels


def _entry(path: Path, name: str, table: dict) -> Kernel:
    table = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    try:
        return Kernel(name=name, **table)
    except TypeError as error:
        raise VmError(f"{path}: [{name}]: {error}; the head of the file lists the fields") from None


def pick(name: str | None) -> Kernel:
    """The kernel of that name, or the default one."""
    kernels = load()
    if name is None:
        return next(kernel for kernel in kernels.values() if kernel.default)
    if name not in kernels:
        raise VmError(f"--kernel {name}: not in {LIST}; it has: {', '.join(kernels)}", status=2)
    return kernels[name]
