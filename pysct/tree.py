# SPDX-License-Identifier: GPL-2.0-only
"""What does a rule file say, before anybody asks whether it makes sense?"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from pysct.source import Source, Span


@dataclass(slots=True)
class Node:
    """Part of an expression. `depth` is the height of the tree below it, `enclosed` that it stood in parentheses.

    `source` is where `span` is meant, if that is not the rule: in an expression that stands for a definition's name.
    """

    span: Span
    depth: int = field(default=1, kw_only=True)
    enclosed: bool = field(default=False, kw_only=True)
    source: Source | None = field(default=None, kw_only=True)


@dataclass(slots=True)
class Number(Node):
    value: int


@dataclass(slots=True)
class Text(Node):
    value: bytes


@dataclass(slots=True)
class Address(Node):
    """An internet address of `bits` bits, or all that begin with its first `prefix` bits; None: it stands for itself."""

    bits: int
    value: int
    prefix: int | None = None


@dataclass(slots=True)
class Name(Node):
    """`name` is all that it takes to name one thing, without blanks: UID, addr.sin_port, PARAMS[2].sin_port, path(pathname)."""

    name: str


@dataclass(slots=True)
class Param(Node):
    """PARAMS[number], number from 1."""

    number: int


@dataclass(slots=True)
class Unary(Node):
    op: str
    operand: Node


@dataclass(slots=True)
class Binary(Node):
    op: str
    left: Node
    right: Node
    where: Span  # of the operator


@dataclass(slots=True)
class Logical(Node):
    """Two or more operands of one && or || chain."""

    op: str
    operands: list[Node]


@dataclass(slots=True)
class Range(Node):
    """low..high, both included; only an element of Member."""

    low: Node
    high: Node


@dataclass(slots=True)
class Member(Node):
    """operand in { elements }."""

    operand: Node
    elements: list[Node]


@dataclass(slots=True)
class SetName(Node):
    """The name behind `in`; the only element of its Member. That of a defined set is gone after the check stage."""

    name: str


@dataclass(slots=True)
class Word:
    """A value behind `=`; `quoted` says how it was written, the text is without the quotes."""

    span: Span
    text: str
    quoted: bool = False


@dataclass(slots=True)
class Setting:
    """key = value, …; in an action also bare values, whose key is `type`."""

    span: Span
    key: str
    values: list[Word]


@dataclass(slots=True)
class Block:
    """key { raw text }; `inner` is the span of the text."""

    span: Span
    key: str
    text: str
    inner: Span


@dataclass(slots=True)
class Action:
    span: Span
    clauses: list[Setting | Block]


@dataclass(slots=True)
class Filter:
    span: Span
    condition: Node


@dataclass(slots=True)
class Rule:
    """One rule of a file; `keyword` is the span of the word `rule`.

    `damaged`: keys whose entries are missing here, because errors in them were reported; `type` is that of actions, and
    an empty one says that any may be missing.
    """

    span: Span
    source: Source
    keyword: Span
    entries: list[Setting | Block | Action | Filter]
    damaged: frozenset[str] = frozenset()


@dataclass(slots=True)
class Let:
    """let name = body; `name_span` is the place of the name."""

    span: Span
    source: Source
    name: str
    name_span: Span
    body: Node


@dataclass(slots=True)
class Set:
    """set name = { elements }, as those of Member."""

    span: Span
    source: Source
    name: str
    name_span: Span
    elements: list[Node]


@dataclass(slots=True)
class Include:
    """include "path"; `quoted` is the path as it is written, with its quotes, and `path_span` its place."""

    span: Span
    source: Source
    path: bytes
    quoted: str
    path_span: Span


@dataclass(slots=True)
class Damaged:
    """What would define `name`, were it not for the errors that were reported of it."""

    span: Span
    name: str


Item = Rule | Let | Set | Include | Damaged


def below(node: Node) -> tuple[Node, ...]:
    """The nodes of which a node consists, in the order of the text."""
    match node:
        case Unary():
            return (node.operand,)
        case Binary():
            return (node.left, node.right)
        case Logical():
            return tuple(node.operands)
        case Range():
            return (node.low, node.high)
        case Member():
            return (node.operand, *node.elements)
    return ()


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it, in the order of the text."""
    todo = [node]
    while todo:
        node = todo.pop()
        yield node
        todo += reversed(below(node))


def with_below(node: Node, nodes: tuple[Node, ...]) -> Node:
    """A copy of a node that consists of other nodes; those of a Member may be more or fewer."""
    match node:
        case Unary():
            parts = {"operand": nodes[0]}
        case Binary():
            parts = {"left": nodes[0], "right": nodes[1]}
        case Logical():
            parts = {"operands": list(nodes)}
        case Range():
            parts = {"low": nodes[0], "high": nodes[1]}
        case Member():
            parts = {"operand": nodes[0], "elements": list(nodes[1:])}
    return replace(node, depth=1 + max(child.depth for child in nodes), **parts)


def canonical(node: Node):
    """An expression without its places, to compare or for repr()."""
    match node:
        case Number(value=value) | Text(value=value):
            return value
        case Address(bits=bits, value=value, prefix=prefix):
            return ("address", bits, value, prefix)
        case Name(name=name):
            return ("name", name)
        case SetName(name=name):
            return ("bits", name)
        case Param(number=number):
            return ("param", number)
        case Unary(op=op, operand=operand):
            return (op, canonical(operand))
        case Binary(op=op, left=left, right=right):
            return (op, canonical(left), canonical(right))
        case Logical(op=op, operands=operands):
            return (op, *map(canonical, operands))
        case Range(low=low, high=high):
            return ("..", canonical(low), canonical(high))
        case Member(operand=operand, elements=elements):
            return ("in", canonical(operand), *map(canonical, elements))
