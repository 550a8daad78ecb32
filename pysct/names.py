# SPDX-License-Identifier: GPL-2.0-only
"""What does a name in a condition stand for, at each system call of the rule?"""

from collections.abc import Container
from dataclasses import dataclass, field
from functools import cache

from pysct import ir, lookup as lookups, members, resolved, tree
from pysct.abi import FIELDS, KINDS, STATICS
from pysct.constants import CONSTANTS
from pysct.definitions import RESERVED, Definition, Used, exists, nowhere
from pysct.diagnostics import Diagnostics
from pysct.differences import calls, differing, missing, mixed
from pysct.paths import argument_is_path, field_is_path
from pysct.points import Point
from pysct.reading import bounds
from pysct.source import Source, Span

INT, STR, ADDR4, ADDR6 = "a number", "a string", "an IPv4 address", "an IPv6 address"
NONE: Used = {}
ANYWHERE = Point("x86_64", -1, "", ())  # for what is the same at all calls
FIELD_LEAVES = {
    name: ir.StrRef(f.number, field_is_path(name)) if f.type == "str" else ir.Load("LDF", f.number) for name, f in FIELDS.items()
}


@dataclass(slots=True)
class Names:
    """`leaves` has the meaning of each name at each point of the rule, in their order; `types` says INT or STR.

    Both lack names of which enough was said.
    """

    leaves: dict[str | int, list] = field(default_factory=dict)
    types: dict[str | int, str] = field(default_factory=dict)

    def at(self, index: int) -> dict:
        """What each name means at one point."""
        return {key: leaves[index] for key, leaves in self.leaves.items()}


@cache
def argument_leaf(index: int, kind: str, path: bool):
    """What an argument of this kind yields; `index` counts from 0, `path` says whether it is one."""
    if kind == "str":
        return ir.StrRef(index, path)
    bits, signed = KINDS[kind].bits, KINDS[kind].signed
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return ir.Load("LDA", index, low, high)


def argument_of(point: Point, index: int):
    """What an argument of a call yields, by its place from 0: of data its bytes."""
    name, kind = point.args[index]
    if data := members.data(point.abi, point.call, name):
        return ir.StrRef(data.readings[0])
    return argument_leaf(index, kind, argument_is_path(point.call, name, kind))


@cache
def member_leaf(abi: str, call: str, key: str):
    """What a member of an argument yields; None if there is no such."""
    member = members.find(abi, call, key)
    if member is None:
        return None
    if member.form == "text":
        return ir.StrRef(member.readings[0], key.endswith(".sun_path"))
    loads = tuple(ir.Load("LDS", reading, *bounds(reading.kind)) for reading in member.readings)
    return loads[0] if member.form == "number" else ir.Addr(loads)


def is_member(key: str) -> bool:
    """Whether a name is written as that of a member, or of an element of a list."""
    return "." in key or key.endswith("]")


def lookup(key: str | int, point: Point):
    """The meaning of a name, or of PARAMS[key], at a point; None if it has none there."""
    if isinstance(key, int):
        return argument_of(point, key - 1) if key <= len(point.args) else None
    if key in FIELD_LEAVES:
        return FIELD_LEAVES[key]
    if key in STATICS:
        return ir.Str((point.call if key == "SYSCALL" else point.abi).encode())
    if resolved.is_one(key):
        reading = lookups.find(point.abi, point.call, key)
        return reading and ir.StrRef(reading, True)
    if is_member(key):
        return member_leaf(point.abi, point.call, key)
    for index, (name, _) in enumerate(point.args):
        if name == key:
            return argument_of(point, index)
    value = CONSTANTS.get(key)
    if isinstance(value, dict):
        value = value.get(point.abi)
    return None if value is None else ir.Int(value)


def type_of(leaf) -> str:
    if isinstance(leaf, ir.Addr):
        return ADDR4 if leaf.bits == 32 else ADDR6
    return STR if isinstance(leaf, ir.Str | ir.StrRef) else INT


def used(condition: tree.Node) -> dict[str | int, Span]:
    """Every name and PARAMS index that the rule itself says, not a definition; with the place where it comes first."""
    found: dict[str | int, Span] = {}
    todo = [condition]
    while todo:
        node = todo.pop()
        if isinstance(node, tree.Name | tree.SetName | tree.Param) and node.source is None:
            found.setdefault(node.number if isinstance(node, tree.Param) else node.name, node.span)
        elif node.source is None:
            todo += reversed(tree.below(node))
    return found


def resolve(
    condition: tree.Node,
    points: list[Point],
    phase: str,
    source: Source,
    diagnostics: Diagnostics,
    defined: Used = NONE,
    bad: Container[str] = (),
) -> Names:
    """The names of a condition; those that mean nothing, or not the same everywhere, are reported.

    `defined` has those that definitions brought in; `bad` those of which enough was said. Where there are no points, since
    the rule's calls are not known, only what means nothing anywhere is reported.
    """
    names = Names()
    places = {key: (span, None) for key, span in used(condition).items()}
    for key, (span, definition) in (defined | places).items():
        if key in bad:
            continue
        if not points:
            if definition is None and isinstance(key, str) and not exists(key):
                diagnostics.error(source, span, *nowhere(key))
            elif known := lookup(key, ANYWHERE) if key in RESERVED else None:
                names.types[key] = type_of(known)
            continue
        leaves = [lookup(key, point) for point in points]
        problem = None
        if None in leaves:
            problem = missing(key, points, [point for point, leaf in zip(points, leaves) if leaf is None])
            if definition and isinstance(key, str) and not any(leaves) and key not in CONSTANTS:  # other calls have it
                problem = f"`{key}` is not an argument of {calls(points, points)}", problem[1]
            elif not any(leaves) and beside_text(condition, key, points[0]):
                problem = problem[0], f'a string stands in double quotes: "{key}"'
        elif key in FIELDS and FIELDS[key].phase not in ("any", phase):
            problem = f"`{key}` is only known {FIELDS[key].phase} the call", f"write `when = {FIELDS[key].phase}`"
        elif phase == "before" and key == resolved.RESULT:
            problem = f"`{key}` is only known after the call", "write `when = after`"
        elif phase == "before" and (filled := [p for p in points if fills(p, key)]):
            shown = f"PARAMS[{key}]" if isinstance(key, int) else key
            problem = f"`{shown}` is only known after the call: {calls(filled, points)} fills it in", "write `when = after`"
        elif len(types := {type_of(leaf) for leaf in leaves}) > 1:
            by_type = [[p for p, leaf in zip(points, leaves) if type_of(leaf) == wanted] for wanted in (STR, INT)]
            problem = mixed(key, points, *by_type)
        elif isinstance(key, int) and (doubt := differing(key, points)):
            diagnostics.warning(source, span, *doubt)
        if problem:
            diagnostics.error(source, span, *(through(definition, *problem) if definition else problem))
        else:
            names.leaves[key], names.types[key] = leaves, types.pop()
    return names


def beside_text(condition: tree.Node, key: str | int, point: Point) -> bool:
    """Whether a name that means nothing is compared with a string: then it was probably meant as one."""
    for node in tree.walk(condition):
        parts = tree.below(node) if isinstance(node, tree.Binary | tree.Member) else ()
        if any(isinstance(part, tree.Name) and part.name == key for part in parts):
            others = (part.number if isinstance(part, tree.Param) else getattr(part, "name", "") for part in parts)
            if any((leaf := lookup(other, point)) is not None and type_of(leaf) == STR for other in others):
                return True
    return False


def fills(point: Point, key: str | int) -> bool:
    """Whether a name, or PARAMS[key], is that of what the call fills in."""
    if isinstance(key, int):
        key = point.args[key - 1][0]
    of_kind = members.find if is_member(key) else members.data
    member = None if key in FIELD_LEAVES else of_kind(point.abi, point.call, key)
    return member is not None and member.filled


def through(definition: Definition, message: str, hint: str | None) -> tuple[str, str]:
    """Message and hint for what a definition brings into a rule."""
    via = f"`{definition.item.name}`, defined in {definition.place}, uses it"
    return message, f"{via}; {hint}" if hint else via
