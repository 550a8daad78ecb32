# SPDX-License-Identifier: GPL-2.0-only
"""Are members of a socket address asked for that it cannot have together?"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from pysct import ir, members, tree
from pysct.check import Rule
from pysct.constants import CONSTANTS
from pysct.diagnostics import Diagnostics
from pysct.points import Point

ANY = CONSTANTS["AF_UNSPEC"]
NAMES = {CONSTANTS[name]: name for name in ("AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET")}
OTHERS = {"sin_port": "sin6_port", "sin_addr": "sin6_addr", "sin6_port": "sin_port", "sin6_addr": "sin_addr"}

Place = tuple[int, int]
"""Of an address: its argument, and where in that its pointer stands."""


@dataclass(slots=True)
class Asked:
    """What conditions that all have to be true ask of one address: members, and the families that it is said to have."""

    members: list[tuple[tree.Node, int]] = field(default_factory=list)
    said: list[tuple[tree.Node, frozenset[int]]] = field(default_factory=list)


def advise_families(rule: Rule, diagnostics: Diagnostics):
    """Warn of each condition that asks for members of two families, or of another one than it says."""
    if rule.condition is None or not any(str(name).count(".") for name in rule.names.types):
        return
    inner = {id(each) for node in tree.walk(rule.condition) if is_all(node) for each in node.operands if is_all(each)}
    for node in tree.walk(rule.condition):
        if is_all(node) and id(node) not in inner:
            for asked in asked_together(node, rule).values():
                warn(asked, rule, diagnostics)


def is_all(node: tree.Node) -> bool:
    return isinstance(node, tree.Logical) and node.op == "&&"


def asked_together(node: tree.Logical, rule: Rule) -> dict[Place, Asked]:
    """What all operands of && ask, by the address."""
    found: dict[Place, Asked] = {}
    for test in conjuncts(node):
        if said := family_said(test, rule):
            found.setdefault(said[0], Asked()).said.append((test, said[1]))
        for name in needed(test):
            place, family = member_of(name, rule.points[0]) or (None, 0)
            if family:
                found.setdefault(place, Asked()).members.append((name, family))
    return found


def conjuncts(node: tree.Node) -> Iterator[tree.Node]:
    for operand in node.operands:
        yield from conjuncts(operand) if is_all(operand) else (operand,)


def needed(test: tree.Node) -> Iterator[tree.Node]:
    """The names without which a test is unknown."""
    match test:
        case tree.Name():
            yield test
        case tree.Unary(operand=operand) | tree.Member(operand=operand):
            yield from needed(operand)
        case tree.Binary(left=left, right=right):
            yield from needed(left)
            yield from needed(right)


def member_of(name: tree.Name, point: Point) -> tuple[Place, int] | None:
    """The address of which a name is a member, and the member's family, 0 of sa_family; None if it is another name."""
    found = members.find(point.abi, point.call, name.name) if "." in name.name else None
    last = name.name.rpartition(".")[2]
    if found is None or not found.readings[0].family and last != "sa_family":
        return None
    return (found.readings[0].arg, found.readings[0].via), found.readings[0].family


def family_said(test: tree.Node, rule: Rule) -> tuple[Place, frozenset[int]] | None:
    """The families of which a test says that an address has one; None if it says nothing of the kind."""
    match test:
        case tree.Binary(op="==", left=left, right=right):
            name, values = (left, [right]) if isinstance(left, tree.Name) and left.name.endswith(".sa_family") else (right, [left])
        case tree.Member(operand=name, elements=values):
            pass
        case _:
            return None
    found = member_of(name, rule.points[0]) if isinstance(name, tree.Name) else None
    numbers = [number(value, rule) for value in values]
    if not found or found[1] or None in numbers or ANY in numbers:
        return None
    return found[0], frozenset(numbers)


def number(node: tree.Node, rule: Rule) -> int | None:
    if isinstance(node, tree.Name) and isinstance(leaf := rule.names.leaves[node.name][0], ir.Int):
        return leaf.value
    return node.value if isinstance(node, tree.Number) else None


def warn(asked: Asked, rule: Rule, diagnostics: Diagnostics):
    """Warn of the first member that does not go with what stands beside it."""

    def shown(node: tree.Node) -> str:
        return f"`{(node.source or rule.source).said(node.span, 60)}`"

    for name, family in asked.members:
        last = name.name.rpartition(".")[2]
        for test, said in asked.said:
            if family not in said:
                other = OTHERS.get(last)
                hint = f"there it is `{other}`" if other and family_of(other) in said else "join what is of each family by `||`"
                message = f"{shown(name)} is of {NAMES[family]}, and unknown where {shown(test)}"
                diagnostics.warning(name.source or rule.source, name.span, message, hint)
                return
    for name, family in asked.members[1:]:
        first, of_first = asked.members[0]
        if family != of_first and not asked.said:
            message = f"{shown(name)} is of {NAMES[family]}, and {shown(first)} of {NAMES[of_first]}: no address has both, but one of AF_UNSPEC"
            diagnostics.warning(name.source or rule.source, name.span, message, "join what is of each family by `||`")
            return


def family_of(member: str) -> int:
    """The family that has a member."""
    return CONSTANTS["AF_INET6" if member.startswith("sin6_") else "AF_INET"]
