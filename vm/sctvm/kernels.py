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
    image: str = ""
    headers: str = ""
    source: str = ""
    config: str = ""
    own_tools: bool = False
    make: tuple[str, ...] = ()
    append: tuple[str, ...] = ()
    memory: int = 2048
    small: bool = False
    patience: float = 1.0
    slow: bool = False
    early: bool = False
    default: bool = False

    @property
    def fragment(self) -> Path:
        """The file of its configuration, if it is built here."""
        return LIST.parent / self.config


TESTED = {
    "brief": lambda kernel: not kernel.slow and not kernel.early,
    "all": lambda kernel: not kernel.early,
    "early": lambda kernel: kernel.early,
}
"""Which kernels are tested how: briefly by `make test`, wholly by `make test-all`, only as a warning."""


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
        kernel = Kernel(name=name, **table)
    except TypeError as error:
        raise VmError(f"{path}: [{name}]: {error}; the head of the file lists the fields") from None
    packages, source = (kernel.image, kernel.headers), (kernel.source, kernel.config)
    if not (all(packages) and not any(source) or all(source) and not any(packages)):
        raise VmError(f"{path}: [{name}]: must say either `image` and `headers`, or `source` and `config`")
    return kernel


def pick(name: str | None) -> Kernel:
    """The kernel of that name, or the default one."""
    kernels = load()
    if name is None:
        return next(kernel for kernel in kernels.values() if kernel.default)
    if name not in kernels:
        raise VmError(f"--kernel {name}: not in {LIST}; it has: {', '.join(kernels)}", status=2)
    return kernels[name]
