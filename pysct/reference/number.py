# SPDX-License-Identifier: GPL-2.0-only
"""What is a number of the rule language, and what do its operators make of two?"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Number:
    """64 bits, signed or unsigned."""

    value: int
    unsigned: bool = False

    @classmethod
    def literal(cls, value: int) -> "Number":
        """A number as it stands in a rule: unsigned if it has to be."""
        return cls(value, unsigned=value >= 1 << 63)

    @classmethod
    def wrapped(cls, value: int, unsigned: bool) -> "Number":
        """What 64 bits keep of a number of any size."""
        value %= 1 << 64
        return cls(value if unsigned or value < 1 << 63 else value - (1 << 64), unsigned)


def truth(value: bool | None) -> Number | None:
    """A truth value as a number, 0 or 1; None, as all that is unknown, stays None."""
    return None if value is None else Number(int(value))


COMPARISONS = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def compute(op: str, left: Number, right: Number) -> Number | None:
    """An operator on two numbers; None where the result is unknown."""
    if op in COMPARISONS:
        return truth(COMPARISONS[op](left.value, right.value))
    if op in ("<<", ">>"):
        factor = 2 ** (right.value % 64)
        return Number.wrapped(left.value * factor if op == "<<" else left.value // factor, left.unsigned)
    unsigned = left.unsigned or right.unsigned
    a, b = Number.wrapped(left.value, unsigned).value, Number.wrapped(right.value, unsigned).value
    if op in ("/", "%"):
        if b == 0:
            return None
        quotient = abs(a) // abs(b) if (a < 0) == (b < 0) else -(abs(a) // abs(b))
        return Number.wrapped(quotient if op == "/" else a - quotient * b, unsigned)
    result = {"+": a + b, "-": a - b, "*": a * b, "&": a & b, "|": a | b, "^": a ^ b}[op]
    return Number.wrapped(result, unsigned)
