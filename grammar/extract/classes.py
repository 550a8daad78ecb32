# SPDX-License-Identifier: GPL-2.0-only
"""Which system calls does a class such as @delete contain? `load()` reads classes.toml and resolves nested classes.

Pure: reads the data files of grammar/syscalls, nothing else.
"""
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import kinds


class ClassError(ValueError):
    """classes.toml contradicts itself or the tables; the message names class, cause and way out."""


@dataclass(frozen=True)
class SyscallClass:
    """A class: its name without @, its one-line description, the names of its members in any ABI, sorted."""
    name: str
    doc: str
    members: tuple[str, ...]


def resolve(raw: dict[str, dict], known: frozenset[str], where: str) -> dict[str, SyscallClass]:
    """The classes of a parsed classes.toml, where `known` are the call names of all ABIs and `where` names the file."""
    def members(name: str, path: tuple[str, ...]) -> set[str]:
        if name in path:
            raise ClassError(f"{where}: class @{name} contains itself ({' → '.join(path)}); take one of them out")
        if name not in raw:
            raise ClassError(f"{where}: @{name} in @{path[-1]} is no class; define it or correct the name")
        found: set[str] = set()
        for word in raw[name]["members"]:
            if word == "*":
                found |= known
            elif word.startswith("@"):
                found |= members(word[1:], (*path, name))
            elif word in known:
                found.add(word)
            else:
                raise ClassError(f"{where}: {word} in @{name} is a system call of no ABI; correct or remove it")
        return found

    return {name: SyscallClass(name, entry["doc"], tuple(sorted(members(name, ())))) for name, entry in raw.items()}


@cache
def load(path: Path = kinds.DATA / "classes.toml") -> dict[str, SyscallClass]:
    """All classes by name. Raises ClassError."""
    known = frozenset(call.name for abi in kinds.ABIS for call in kinds.load(abi))
    return resolve(tomllib.loads(path.read_text(encoding="utf-8")), known, str(path))
