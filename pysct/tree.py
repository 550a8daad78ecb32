# SPDX-License-Identifier: GPL-2.0-only
"""What does a rule file say, before anybody asks whether it makes sense?"""

from dataclasses import dataclass, field

from pysct.source import Source, Span


@dataclass(slots=True)
class Node:
    """Part of an expression. `depth` is the height of the tree below it, `enclosed` that it stood in parentheses."""

    span: Span
    depth: int = field(default=1, kw_only=True)
    enclosed: bool = field(default=False, kw_only=True)


@dataclass(slots=True)
class Number(Node):
    value: int


@dataclass(slots=True)
class Text(Node):
    value: bytes


@dataclass(slots=True)
class Name(Node):
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
    """One rule of a file; `keyword` is the span of the word `rule`."""

    span: Span
    source: Source
    keyword: Span
    entries: list[Setting | Block | Action | Filter]
