# SPDX-License-Identifier: GPL-2.0-only
"""By which constants does the log show which argument or member? `load()` joins shown.toml with the calls, layouts and constants.

Pure: reads the data files of grammar/, nothing else.
"""

import re
import tomllib
from collections import defaultdict
from functools import cache
from pathlib import Path

import kinds
import structures

CONSTANTS = Path(__file__).resolve().parent.parent / "constants"
KEYS = {"family", "one", "mask", "flags", "except", "prefer", "octal", "loose", "args", "members"}
SHOWN = kinds.INTEGERS | {"fd"}

Values = dict[str, list[int | None]]  # of a constant, in each ABI


class ShownError(ValueError):
    """shown.toml contradicts the tables; the message names set, cause and way out."""


@cache
def constants() -> dict[str, tuple[str, list[int | None]]]:
    """Family and values of each constant."""
    rows = [line.split("\t") for line in (CONSTANTS / "constants.tsv").read_text().splitlines() if line[0] != "#"]
    width = len(kinds.ABIS)
    return {row[0]: (row[1], [int(cell) if cell else None for cell in (row[2:] + [""] * width)[:width]]) for row in rows}


def value(constant: str) -> int | dict[str, int]:
    """What a constant is worth, by ABI where they differ."""
    values = constants()[constant][1]
    if len(set(values)) == 1:
        return values[0]
    return {abi: each for abi, each in zip(kinds.ABIS, values) if each is not None}


def chosen(name: str, entry: dict, key: str) -> list[str]:
    """The constants that a regular expression of a set means, no two of one value."""
    families = entry["family"] if isinstance(entry["family"], list) else [entry["family"]]
    if key not in entry:
        return []
    left_out = re.compile(entry.get("except", "(?!)"))
    found = {
        constant: values
        for constant, (family, values) in constants().items()
        if family in families and re.fullmatch(entry[key], constant) and not left_out.fullmatch(constant)
    }
    if not found:
        raise ShownError(f"set {name}: {key} means no constant of {families}; correct or remove it")
    return sorted(found.keys() - doubles(name, found, entry.get("prefer", []), entry.get("loose", False)))


def doubles(name: str, found: Values, prefer: list[str], loose: bool) -> set[str]:
    """Those of some constants that are not shown because another one has their value."""
    out: set[str] = set()
    for column in range(len(kinds.ABIS)):
        same = defaultdict(list)
        for constant, values in found.items():
            if values[column] is not None:
                same[values[column]].append(constant)
        for value, names in same.items():
            first = next((one for one in prefer if one in names), None)
            if len(names) > 1 and not first and not loose:
                raise ShownError(f"set {name}: {', '.join(names)} are all {value}: say in `prefer` or `except` which one is shown")
            out |= {one for one in names if len(names) > 1 and one != first}
    return out


def arguments(sets: dict, calls: list) -> dict[str, dict[str, str]]:
    """{call: {argument: set}}; an argument by its call's name goes before one of all calls."""
    known = {(call.name, arg.name) for call in calls for arg in call.args if arg.kind in SHOWN}
    own, everywhere = {}, {}
    for name, entry in sets.items():
        for word in entry.get("args", ()):
            call, arg = word.split(".")
            of, key = (everywhere, arg) if call == "*" else (own, (call, arg))
            if key in of:
                raise ShownError(f"set {name}: {word} is in {of[key]} as well; keep one")
            if not any(arg == other and call in ("*", of_call) for of_call, other in known):
                raise ShownError(f"set {name}: {word} is no number of any call; correct or remove it")
            of[key] = name
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for call, arg in sorted(known):
        if shown := own.get((call, arg), everywhere.get(arg)):
            found[call][arg] = shown
    return dict(found)


def numbers() -> dict[str, set[str]]:
    """{structure: its members that are numbers}, of any machine; of a socket address, what all families have."""
    found: dict[str, set[str]] = defaultdict(set, {"sockaddr": {"sa_family"}})
    for layouts in structures.layouts().values():
        for struct, members in layouts.items():
            found[struct] |= {member for member, (_, form) in members.items() if re.fullmatch(r"[su]\d+(be)?", form)}
    return found


def members(sets: dict) -> dict[str, dict[str, str]]:
    """{structure: {member: set}}."""
    known = numbers()
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for name, entry in sets.items():
        for word in entry.get("members", ()):
            struct, member = word.split(".", 1)
            having = [each for each in known if struct in ("*", each) and member in known[each]]
            if not having:
                raise ShownError(f"set {name}: {word} is no number of any structure; correct or remove it")
            for each in having:
                if member in found[each]:
                    raise ShownError(f"set {name}: {each}.{member} is in {found[each][member]} as well; keep one")
                found[each][member] = name
    return dict(found)


@cache
def load(path: Path = CONSTANTS / "shown.toml") -> dict:
    """{"sets": {name: {one, mask, flags, octal, mask_name}}, "arguments": {call: {argument: set}}, "members":
    {structure: {member: set}}}. Raises ShownError.
    """
    raw = tomllib.loads(path.read_text(encoding="utf-8"))["sets"]
    sets = {}
    for name, entry in raw.items():
        if strange := entry.keys() - KEYS:
            raise ShownError(f"set {name}: unknown {', '.join(sorted(strange))}; a set has {', '.join(sorted(KEYS))}")
        mask = entry.get("mask")
        if isinstance(mask, str) and (mask not in constants() or not isinstance(value(mask), int)):
            raise ShownError(f"set {name}: mask {mask} is no constant of one value; correct it")
        sets[name] = {
            "one": [(each, value(each)) for each in chosen(name, entry, "one")],
            "mask": value(mask) if isinstance(mask, str) else mask,
            "flags": [(each, value(each)) for each in chosen(name, entry, "flags")],
            "octal": entry.get("octal", False),
            "mask_name": mask if isinstance(mask, str) else None,
        }
    calls = [call for abi in kinds.ABIS for call in kinds.load(abi)]
    return {"sets": sets, "arguments": arguments(raw, calls), "members": members(raw)}
