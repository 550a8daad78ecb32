# SPDX-License-Identifier: GPL-2.0-only
"""Which numbers can a part of a condition yield, by what fields can be and by what operators leave?

Only warnings look at this, and what leaves out rules that never match, of which
one warns: what it knows of fields is what kernels do, so that other code which
relied on it would judge otherwise where one did something else.
"""

from collections.abc import Iterable
from typing import NamedTuple

from pysct import fold, ir, simplify
from pysct.abi import FIELDS
from pysct.implied import merged, within
from pysct.ir import S64_MAX, S64_MIN, U64_MAX, Int, Load, Op

SIGN = 1 << 63
FIELD_BY_NUMBER = {field.number: field for field in FIELDS.values()}


class Reach(NamedTuple):
    """The numbers from low to high, of whose 64 bits only those in `may` can be set, and those in `must` are."""

    low: int
    high: int
    may: int = U64_MAX
    must: int = 0

    def has(self, value: int) -> bool:
        """Whether a number can be among them."""
        bits = value & U64_MAX
        return self.low <= value <= self.high and not bits & ~self.may and not self.must & ~bits


def reach(node) -> Reach:
    """What a node that yields a number can yield where it is known."""
    match node:
        case Int(value=value):
            return Reach(value, value, value & U64_MAX, value & U64_MAX)
        case Load(op="LDF", index=index):
            field = FIELD_BY_NUMBER[index]
            return between(max(node.low, field.low), min(node.high, field.high))
        case Op(op=op, operands=operands) if op in OPERATORS:
            found = OPERATORS[op](*map(reach, operands), *kind_of(node))
            return clipped(found, node.low, node.high)
    return between(node.low, node.high)


def decide(op: str, left, right) -> bool | None:
    """What a comparison of two nodes yields by that, whatever the call is; None if it depends.

    op: == != < <=, as mathematics has them.
    """
    if left == right:
        return op in ("==", "<=")
    one, other = reach(left), reach(right)
    if one.low == one.high == other.low == other.high:
        return op in ("==", "<=")
    outcome = simplify.decide(op, one, other)
    if outcome is None and op in ("==", "!="):
        pairs = ((one, right), (other, left))
        return op == "!=" if any(isinstance(value, Int) and not side.has(value.value) for side, value in pairs) else None
    return outcome


def truth(node) -> bool | None:
    """What a number yields as a condition, whatever the call is; None if it depends."""
    found = reach(node)
    if not found.has(0):
        return True
    return False if found.low == found.high or not found.may else None


def among(node, ranges: Iterable[tuple[int, int]]) -> bool | None:
    """Whether a number lies in one of some ranges, whatever the call is; None if it depends."""
    found, ranges = reach(node), merged(ranges)
    if not any(may_lie(found, low, high) for low, high in ranges):
        return False
    return True if within(((found.low, found.high),), ranges) else None


def may_lie(found: Reach, low: int, high: int) -> bool:
    """Whether one of the numbers can be between two."""
    return found.has(low) if low == high else max(low, found.low) <= min(high, found.high)


# ----------------------------------------------------------------- operators


def between(low: int, high: int) -> Reach:
    """All numbers of a range."""
    return Reach(low, high, (1 << high.bit_length()) - 1 if low >= 0 else U64_MAX)


def kind_of(node: Op) -> tuple[int, int]:
    """The least and the greatest number of an operation's 64 bits, taken with a sign or without."""
    return (0, U64_MAX) if node.high > S64_MAX else (S64_MIN, S64_MAX)


def clipped(found: Reach, low: int, high: int) -> Reach:
    return found._replace(low=max(found.low, low), high=min(found.high, high))


def of_bits(may: int, must: int, low: int) -> Reach:
    """Numbers by their bits; `low` says whether the uppermost is a sign."""
    if low >= 0:
        return Reach(must, may, may, must)
    least = must | may & SIGN
    most = may if must & SIGN else may & ~SIGN
    return Reach(fold.wrap(least, False), fold.wrap(most, False), may, must)


def both_bits(a: Reach, b: Reach, low: int, high: int) -> Reach:
    found = of_bits(a.may & b.may, a.must & b.must, low)
    least = min((side.high for side in (a, b) if side.low >= 0), default=high)  # neither has more bits than that
    return found._replace(high=min(found.high, least))


def either_bits(a: Reach, b: Reach, low: int, high: int) -> Reach:
    return of_bits(a.may | b.may, a.must | b.must, low)


def other_bits(a: Reach, b: Reach, low: int, high: int) -> Reach:
    known = (~a.may | a.must) & (~b.may | b.must)
    ones = (a.must ^ b.must) & known
    return of_bits((ones | ~known) & U64_MAX, ones & U64_MAX, low)


def no_bits(a: Reach, low: int, high: int) -> Reach:
    return of_bits(~a.must & U64_MAX, ~a.may & U64_MAX, low)


def exact(least: int, most: int, low: int, high: int) -> Reach:
    """The range, unless some of its numbers have more than 64 bits, and so wrap."""
    return between(least, most) if low <= least and most <= high else between(low, high)


def fits(sides: Iterable[Reach], low: int, high: int) -> bool:
    """Whether numbers are themselves where they are taken with a sign or without."""
    return all(low <= side.low and side.high <= high for side in sides)


def of_corners(operate):
    """An operator whose least and greatest results are those of its operands' bounds."""

    def made(a: Reach, b: Reach, low: int, high: int) -> Reach:
        if not fits((a, b), low, high):
            return between(low, high)
        corners = [operate(x, y) for x in (a.low, a.high) for y in (b.low, b.high)]
        return exact(min(corners), max(corners), low, high)

    return made


def negative(a: Reach, low: int, high: int) -> Reach:
    return exact(-a.high, -a.low, low, high) if fits((a,), low, high) else between(low, high)


def quotient(a: Reach, b: Reach, low: int, high: int) -> Reach:
    """By a positive number only."""
    if not fits((a, b), low, high) or b.low <= 0:
        return between(low, high)
    corners = [fold.quotient(x, y) for x in (a.low, a.high) for y in (b.low, b.high)]
    return between(min(corners), max(corners))


def rest(a: Reach, b: Reach, low: int, high: int) -> Reach:
    """By a positive number only: it has the sign of what is divided."""
    if not fits((a, b), low, high) or b.low <= 0:
        return between(low, high)
    return between(max(min(a.low, 0), 1 - b.high), min(max(a.high, 0), b.high - 1))


def to_left(a: Reach, b: Reach, low: int, high: int) -> Reach:
    if b.low != b.high:
        return between(low, high)
    count = b.low & 63
    return of_bits(a.may << count & U64_MAX, a.must << count & U64_MAX, low)


def to_right(a: Reach, b: Reach, low: int, high: int) -> Reach:
    if b.low != b.high or not fits((a,), low, high):
        return between(low, high)
    count = b.low & 63
    found = between(a.low >> count, a.high >> count)
    return found._replace(may=found.may & a.may >> count, must=a.must >> count) if a.low >= 0 else found


def to_right_unsigned(a: Reach, b: Reach, low: int, high: int) -> Reach:
    return to_right(a, b, low, high) if a.low >= 0 else between(low, high)


OPERATORS = {
    "AND": both_bits,
    "OR": either_bits,
    "XOR": other_bits,
    "NOT": no_bits,
    "NEG": negative,
    "ADD": of_corners(lambda a, b: a + b),
    "SUB": of_corners(lambda a, b: a - b),
    "MUL": of_corners(lambda a, b: a * b),
    "DIV": quotient,
    "DIVU": quotient,
    "MOD": rest,
    "MODU": rest,
    "SHL": to_left,
    "SHR": to_right_unsigned,
    "SAR": to_right,
}
