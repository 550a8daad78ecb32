# SPDX-License-Identifier: GPL-2.0-only
"""What does a condition mean for one system call, every name replaced by what it stands for there?

Numbers are 64 bits wide. A node that yields one has `low` and `high`, the
range that it cannot leave; where that reaches above 2^63 - 1 the number is
unsigned, everywhere else signed, except that a number known now says so itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from pysct.abi import FIELDS
from pysct.reading import Reading

S64_MIN, S64_MAX, U64_MAX = -(1 << 63), (1 << 63) - 1, (1 << 64) - 1
OF_OTHERS = frozenset(field.number for field in FIELDS.values() if field.subject)
OF_ANCESTORS = frozenset(field.number for field in FIELDS.values() if field.subject == "ANCESTOR")


@dataclass(frozen=True, slots=True)
class Int:
    """A number known now; `unsigned` says that it was computed as such, and may be small."""

    value: int
    unsigned: bool = field(default=False, compare=False)

    @property
    def low(self):
        return self.value

    high = low


@dataclass(frozen=True, slots=True)
class Str:
    """A string known now."""

    value: bytes


@dataclass(frozen=True, slots=True)
class StrRef:
    """A string of the call: an argument or a field, as string operands are numbered, or what an argument points to.

    `path` says that it is one.
    """

    operand: int | Reading
    path: bool = False


@dataclass(frozen=True, slots=True)
class Load:
    """A number of the call: opcode LDA or LDF and its index, or LDS and what is read."""

    op: str
    index: int | Reading
    low: int = S64_MIN
    high: int = S64_MAX


@dataclass(frozen=True, slots=True)
class Addr:
    """An internet address of the call: its bits in one number or two, the upper first."""

    parts: tuple[Load, ...]

    @property
    def bits(self) -> int:
        return 32 if len(self.parts) == 1 else 128


@dataclass(frozen=True, slots=True)
class Net:
    """An internet address known now, or all that begin with its first `prefix` bits."""

    bits: int
    value: int
    prefix: int


@dataclass(frozen=True, slots=True)
class Op:
    """An opcode on one or two numbers."""

    op: str
    operands: tuple
    low: int = S64_MIN
    high: int = S64_MAX


@dataclass(frozen=True, slots=True)
class Mixed:
    """EQ, LT or LE of a signed and an unsigned number, as mathematics has it."""

    op: str
    operands: tuple
    low = 0
    high = 1


@dataclass(frozen=True, slots=True)
class StrTest:
    """SEQ, SPRE, SSUF, SCON, SGLOB or SPATH of a string of the call with one known now."""

    op: str
    operand: StrRef
    text: bytes
    low = 0
    high = 1


@dataclass(frozen=True, slots=True)
class StrPair:
    """Whether two strings of the call are equal."""

    left: StrRef
    right: StrRef
    low = 0
    high = 1


@dataclass(frozen=True, slots=True)
class Each:
    """Whether a truth value that names an ancestor is true for one of them; unknown if that is not known."""

    operand: object
    low = 0
    high = 1


@dataclass(frozen=True, slots=True)
class Chain:
    """ALL or ANY of two or more truth values, in three-valued logic, whose order does not matter."""

    op: str
    operands: tuple
    low = 0
    high = 1


@dataclass(frozen=True, slots=True)
class Member:
    """Whether a string is one of `elements`, or a number in one of these (low, high) ranges."""

    operand: object
    elements: tuple
    low = 0
    high = 1


def reads(node) -> Iterator[StrRef | Load]:
    """All that a condition depends on."""
    match node:
        case StrRef() | Load():
            yield node
        case StrTest(operand=operand) | Member(operand=operand) | Each(operand=operand):
            yield from reads(operand)
        case StrPair(left=left, right=right):
            yield from (left, right)
        case Op(operands=parts) | Chain(operands=parts) | Mixed(operands=parts):
            for part in parts:
                yield from reads(part)


def names_ancestor(node) -> bool:
    """Whether a node means something else for each ancestor; what Each has made of that does not."""
    match node:
        case Load(op="LDF", index=index) | StrRef(operand=index):
            return index in OF_ANCESTORS
        case StrTest(operand=operand) | Member(operand=operand):
            return names_ancestor(operand)
        case StrPair(left=left, right=right):
            return names_ancestor(left) or names_ancestor(right)
        case Op(operands=operands) | Chain(operands=operands) | Mixed(operands=operands):
            return any(map(names_ancestor, operands))
    return False


def asks_each(node) -> bool:
    """Whether an Each is a part of a node."""
    match node:
        case Each():
            return True
        case Member(operand=operand):
            return asks_each(operand)
        case Op(operands=operands) | Chain(operands=operands) | Mixed(operands=operands):
            return any(map(asks_each, operands))
    return False


def is_truth(node) -> bool:
    """Whether the node is 0 or 1 (or unknown)."""
    return node.low >= 0 and node.high <= 1


def is_unsigned(node) -> bool:
    return node.high > S64_MAX or isinstance(node, Int) and node.unsigned


def may_be_unknown(node) -> bool:
    """Whether the node can be neither true nor false. Errs towards yes."""
    if isinstance(node, Int | Load):
        return isinstance(node, Load) and (node.op == "LDS" or node.op == "LDF" and node.index in OF_OTHERS)
    if isinstance(node, Op):
        divides = node.op in ("DIV", "DIVU", "MOD", "MODU") and not isinstance(node.operands[1], Int)
        return divides or any(may_be_unknown(operand) for operand in node.operands)
    if isinstance(node, Each):  # there may be more than are looked at
        return True
    if isinstance(node, Chain | Mixed):
        return any(may_be_unknown(operand) for operand in node.operands)
    return not isinstance(node, Member) or isinstance(node.operand, StrRef) or may_be_unknown(node.operand)
