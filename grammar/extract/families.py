# SPDX-License-Identifier: GPL-2.0-only
"""What do today's programs call, and which strings are paths? `load()` reads families.toml.

Pure: reads the data files of grammar/syscalls, nothing else.
"""

import tomllib
from functools import cache
from pathlib import Path

import kinds


class FamilyError(ValueError):
    """families.toml contradicts the tables; the message names place, cause and way out."""


def check(raw: dict, known: frozenset[str], arguments: frozenset[tuple[str, str]], where: str) -> dict:
    """The parsed file, every call and argument of which is one of an ABI."""
    for family in raw["family"]:
        if strange := {*family["names"], *family["by"]} - known:
            raise FamilyError(
                f"{where}: {family['doc']}: {', '.join(sorted(strange))}: a call of no ABI; correct or remove it"
            )
        if not set(family["by"]) - set(family["names"]) and len(family["by"]) < 2:
            raise FamilyError(f"{where}: {family['doc']}: nothing can be missed; name who calls what else")
    paths = raw["paths"]
    names = {name for _, name in arguments}
    if strange := {*paths["arguments"], *(name for names in paths["except"].values() for name in names)} - names:
        raise FamilyError(f"{where}: paths: {', '.join(sorted(strange))}: an argument of no call; correct or remove it")
    last = paths["last"]
    said = [*last["entry"], *last["held"], *last["unknown"], *last["flags"]]
    used = said + last["apart"] + [f"{name.split('.')[0]}.{entry['argument']}" for name, entry in last["flags"].items()]
    if strange := {name for name in used if tuple(name.split(".")) not in arguments}:
        raise FamilyError(f"{where}: paths.last: {', '.join(sorted(strange))}: no argument of the call; correct or remove it")
    if twice := {name for name in said if said.count(name) > 1}:
        raise FamilyError(f"{where}: paths.last: {', '.join(sorted(twice))}: stands twice; remove one")
    return raw


@cache
def load(path: Path = kinds.DATA / "families.toml") -> dict:
    """The file, checked. Raises FamilyError."""
    calls = [call for abi in kinds.ABIS for call in kinds.load(abi)]
    arguments = frozenset((call.name, argument.name) for call in calls for argument in call.args)
    return check(
        tomllib.loads(path.read_text(encoding="utf-8")), frozenset(call.name for call in calls), arguments, str(path)
    )
