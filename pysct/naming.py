# SPDX-License-Identifier: GPL-2.0-only
"""By which names would the log show a number that a rule asks of a call?"""

from pysct import members, tree, values, words
from pysct.abi import FIELDS, KINDS
from pysct.names import is_member
from pysct.points import Point
from pysct.tables import CALLS


def in_words(abi: str, call: str, key: str | int, value: int) -> str | None:
    """What a name, or PARAMS[key], is where it has this value, as O_WRONLY|O_CREAT; None if the log shows the number."""
    if key in FIELDS:
        return values.field_words(key, value)
    if isinstance(key, str) and is_member(key):
        member = members.find(abi, call, key)
        known = member is not None and member.form == "number" and member.words
        return words.by_set(member.words, abi, value, KINDS_BY_NUMBER[member.kind].bits) if known else None
    args = CALLS[abi][call][1]
    name, kind = next(((name, kind) for at, (name, kind) in enumerate(args, 1) if key in (name, at)), (None, "ptr"))
    return None if kind in ("ptr", "str") else words.shown(call, name, abi, value, KINDS[kind].bits)


def everywhere(points: list[Point], key: str | int, value: int) -> str | None:
    """The same at all points of a rule; None if it is not the same."""
    found = {in_words(point.abi, point.call, key, value) for point in points}
    return found.pop() if len(found) == 1 else None


def key_of(node: tree.Node) -> str | int | None:
    """The name, or the number of an argument, that a node is; None if it is something else."""
    return node.number if isinstance(node, tree.Param) else node.name if isinstance(node, tree.Name) else None


KINDS_BY_NUMBER = {kind.number: kind for kind in KINDS.values()}
