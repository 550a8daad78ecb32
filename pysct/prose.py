# SPDX-License-Identifier: GPL-2.0-only
"""What does a condition say, in words?"""

import re
from dataclasses import dataclass

from pysct import tree
from pysct.abi import FIELDS
from pysct.constants import CONSTANTS
from pysct.naming import everywhere, key_of
from pysct.points import Point
from pysct.source import Source

COMMENTS = re.compile(r'("(?:[^"\\\n]|\\[^\n])*")|#[^\n]*|//[^\n]*|/\*.*?\*/', re.DOTALL)
VERBS = {  # operator: what it says where it holds, and where it does not
    "==": ("is", "is not"),
    "!=": ("is not", "is"),
    "<": ("is less than", "is at least"),
    "<=": ("is at most", "is greater than"),
    ">": ("is greater than", "is at most"),
    ">=": ("is at least", "is less than"),
    "=~": ("fits the glob", "does not fit the glob"),
    "!~": ("does not fit the glob", "fits the glob"),
    "startswith": ("starts with", "does not start with"),
    "endswith": ("ends with", "does not end with"),
    "contains": ("contains", "does not contain"),
}


@dataclass(frozen=True)
class Group:
    """Several things, of which all have to hold, or one."""

    every: bool
    parts: tuple

    def lines(self, indent: str = "") -> list[str]:
        """A list, in which lists stand further right."""
        found = []
        for part in self.parts:
            if isinstance(part, Group):
                found.append(f"{indent}- {'all of these' if part.every else 'one of these'}:")
                found += part.lines(indent + "  ")
            else:
                found.append(f"{indent}- {part}")
        return found


def phrase(node: tree.Node, source: Source, points: list[Point], holds: bool = True) -> Group | str:
    """What it means that a condition holds, or that it does not; negations go inwards.

    Numbers have the names by which the log shows them, where these are the same at all points.
    """
    match node:
        case tree.Unary(op="!", operand=operand):
            return phrase(operand, source, points, not holds)
        case tree.Logical(op=op, operands=operands):
            return group((op == "&&") == holds, [phrase(operand, source, points, holds) for operand in operands])
    if not any(map(differs, [node, *tree.below(node)])):
        return said(node, source, points, holds)
    is_opposite = isinstance(node, tree.Binary) and node.op in ("!=", "!~")
    return f"for {'one' if holds != is_opposite else 'no'} ancestor: {said(node, source, points, not is_opposite)}"


def said(node: tree.Node, source: Source, points: list[Point], holds: bool) -> str:
    """The same, of what has no conditions in it."""
    match node:
        case tree.Binary(op="==" | "!=" as op, left=left, right=right):
            return f"{number(left, right, source, points)} {VERBS[op][not holds]} {number(right, left, source, points)}"
        case tree.Binary(op=op, left=left, right=right) if op in VERBS:
            return f"{text(left, source)} {VERBS[op][not holds]} {text(right, source)}"
        case tree.Binary(op="&", left=left, right=tree.Name(name=name)) if is_bit(name):
            return f"{text(left, source)} has {name} {'' if holds else 'not '}set"
        case tree.Member(operand=operand, elements=[tree.Address(prefix=int()) as network]):
            return f"{text(operand, source)} is {'' if holds else 'not '}in {text(network, source)}"
        case tree.Member(operand=operand, elements=[tree.SetName(name=bits)]):
            return f"{bits} {'has' if holds else 'lacks'} {text(operand, source)}"
        case tree.Member(operand=operand, elements=elements):
            listed = ", ".join(element(one, operand, source, points) for one in elements)
            return f"{text(operand, source)} is {'one' if holds else 'none'} of {listed}"
        case tree.Number(value=value):
            return "always" if bool(value) == holds else "never"
    return f"{text(node, source)} is {'not ' if holds else ''}0"


def differs(node: tree.Node) -> bool:
    """Whether a value is another one for each ancestor; a condition in it asks all of them, and has one outcome."""
    match node:
        case tree.Name(name=name) | tree.SetName(name=name):
            return name in FIELDS and FIELDS[name].subject == "ANCESTOR"
        case tree.Unary(op="-" | "~") | tree.Range():
            return any(map(differs, tree.below(node)))
        case tree.Binary(op=op) if op not in VERBS:
            return any(map(differs, tree.below(node)))
    return False


def group(every: bool, parts: list) -> Group:
    """A group without groups of its own kind in it."""
    flat = []
    for part in parts:
        flat += part.parts if isinstance(part, Group) and part.every == every else [part]
    return Group(every, tuple(flat))


def element(node: tree.Node, of: tree.Node, source: Source, points: list[Point]) -> str:
    if isinstance(node, tree.Range):
        return f"{text(node.low, source)} to {text(node.high, source)}"
    return number(node, of, source, points)


def number(node: tree.Node, other: tree.Node, source: Source, points: list[Point]) -> str:
    """What the rule says there; of a plain number that meets a name, by which names the log shows it as well."""
    key, said = key_of(other), text(node, source)
    names = everywhere(points, key, node.value) if key is not None and isinstance(node, tree.Number) else None
    return said if names in (None, said) else f"{names} ({said})"


def text(node: tree.Node, source: Source) -> str:
    """What the rule says there, without line breaks, comments, and parentheses around it."""
    said = " ".join(COMMENTS.sub(lambda found: found[1] or " ", source.text[node.span.start : node.span.end]).split())
    return said[1:-1].strip() if node.enclosed and isinstance(node, tree.Name | tree.Number | tree.Param) else said


def is_bit(name: str) -> bool:
    """Whether a constant is a single bit, in every ABI."""
    value = CONSTANTS.get(name, 0)
    return all(each > 0 and each & (each - 1) == 0 for each in (value.values() if isinstance(value, dict) else [value]))
