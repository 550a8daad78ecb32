# SPDX-License-Identifier: GPL-2.0-only
"""Where does the kernel ask its LSMs about what it has read itself? `load()` reads checkpoints.toml.

Pure: reads the data files of grammar/syscalls, nothing else.
"""

import tomllib
from functools import cache
from pathlib import Path

import kinds


class CheckpointError(ValueError):
    """checkpoints.toml contradicts the tables; the message names place, cause and way out."""


def check(raw: dict, known: frozenset[str], where: str) -> dict:
    """The parsed file, every argument of which is one that a rule can judge."""
    for name, judged in raw["checkpoints"].items():
        if strange := set(judged) - known:
            raise CheckpointError(f"{where}: {name}: {', '.join(sorted(strange))}: no memory of a call; correct or remove it")
        if twice := {argument for argument in judged if judged.count(argument) > 1}:
            raise CheckpointError(f"{where}: {name}: {', '.join(sorted(twice))}: stands twice; remove one")
    if strange := {*raw["acl"]["of"], *raw["apparmor"]} - set(raw["checkpoints"]):
        raise CheckpointError(f"{where}: {', '.join(sorted(strange))}: no checkpoint; correct or remove it")
    return raw


@cache
def load(path: Path = kinds.DATA / "checkpoints.toml") -> dict:
    """{"checkpoints": {name: ["call.argument"]}, "newer": {name: the first release}, "apparmor": [name]}. Raises CheckpointError."""
    calls = [call for abi in kinds.ABIS for call in kinds.load(abi)]
    known = frozenset(f"{call.name}.{arg.name}" for call in calls for arg in call.args if arg.kind in ("ptr", "str"))
    raw = check(tomllib.loads(path.read_text(encoding="utf-8")), known, str(path))
    found, acl = {}, raw["acl"]
    for name, judged in raw["checkpoints"].items():
        found[name] = judged
        if name in acl["of"]:
            found[acl["of"][name]] = judged
    return {"checkpoints": found, "newer": {name: acl["since"] for name in acl["of"].values()}, "apparmor": raw["apparmor"]}
