# SPDX-License-Identifier: GPL-2.0-only
"""What do today's programs call, and which strings are paths? `load()` reads families.toml.

Pure: reads the data files of grammar/syscalls, nothing else.
"""

import tomllib
from functools import cache
from pathlib import Path

import kinds


NARROW = ("i386", "aarch32")
WIDER = ("32", "64", "_64", "_time64")
"""What the names of calls end in that came later to the ABIs in NARROW, in place of others."""


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
    if strange := set(raw["descriptors"]["returned"]) - known:
        raise FamilyError(f"{where}: descriptors: {', '.join(sorted(strange))}: a call of no ABI; correct or remove it")
    if strange := {call for calls in raw["io_uring"].values() for call in calls} - known:
        raise FamilyError(f"{where}: io_uring: {', '.join(sorted(strange))}: a call of no ABI; correct or remove it")
    paths = raw["paths"]
    names = {name for _, name in arguments}
    if strange := {*paths["arguments"], *(name for names in paths["except"].values() for name in names)} - names:
        raise FamilyError(f"{where}: paths: {', '.join(sorted(strange))}: an argument of no call; correct or remove it")
    last = paths["last"]
    said = [*last["entry"], *last["held"], *last["flags"]]
    used = said + last["apart"] + [f"{name.split('.')[0]}.{entry['argument']}" for name, entry in last["flags"].items()]
    if strange := {name for name in used if tuple(name.split(".")) not in arguments}:
        raise FamilyError(f"{where}: paths.last: {', '.join(sorted(strange))}: no argument of the call; correct or remove it")
    if twice := {name for name in said if said.count(name) > 1}:
        raise FamilyError(f"{where}: paths.last: {', '.join(sorted(twice))}: stands twice; remove one")
    return raw


def with_wider(families: list[dict], abis: dict[str, frozenset[str]]) -> list[dict]:
    """The same, and the calls that came later for wider ids, offsets or times, which programs of these ABIs make instead."""
    found = [{**family, "by": dict(family["by"])} for family in families]
    pairs = {(call, call + end) for calls in abis.values() for call in calls for end in WIDER if call + end in calls}
    for call, wider in sorted(pairs):
        if not any(call in family["names"] for family in found):
            found.append({"doc": f"`{wider}`, which takes the place of `{call}`", "names": [call], "by": {}})
        for family in (family for family in found if call in (*family["names"], *family["by"])):
            if wider not in family["by"]:
                family["by"][wider] = "32-bit programs"
    return found


@cache
def load(path: Path = kinds.DATA / "families.toml") -> dict:
    """The file, checked. Raises FamilyError."""
    calls = [call for abi in kinds.ABIS for call in kinds.load(abi)]
    arguments = frozenset((call.name, argument.name) for call in calls for argument in call.args)
    raw = check(
        tomllib.loads(path.read_text(encoding="utf-8")), frozenset(call.name for call in calls), arguments, str(path)
    )
    narrow = {abi: frozenset(call.name for call in kinds.load(abi)) for abi in NARROW}
    return {**raw, "family": with_wider(raw["family"], narrow)}
