# SPDX-License-Identifier: GPL-2.0-only
"""What do operators make of numbers and strings that are known now?

Arithmetic is that of the opcodes; comparisons are those of mathematics.
"""

from pysct import glob
from pysct.ir import S64_MAX, U64_MAX


def wrap(value: int, unsigned: bool) -> int:
    """The value modulo 2^64, signed or unsigned."""
    value &= U64_MAX
    return value if unsigned or value <= S64_MAX else value - (1 << 64)


def quotient(a: int, b: int) -> int:
    """a / b towards zero."""
    return abs(a) // abs(b) * (-1 if (a < 0) != (b < 0) else 1)


ARITHMETIC = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": quotient,
    "%": lambda a, b: a - quotient(a, b) * b,
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
    "<<": lambda a, b: a << (b & 63),
    ">>": lambda a, b: a >> (b & 63),
}

COMPARISON = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}

STRINGS = {
    "SEQ": lambda a, b: a == b,
    "SPRE": lambda a, b: a.startswith(b),
    "SSUF": lambda a, b: a.endswith(b),
    "SCON": lambda a, b: b in a,
    "SGLOB": lambda a, b: glob.automaton(b, False).fits(a),
    "SPATH": lambda a, b: glob.automaton(b, True).fits(a),
}


def arithmetic(op: str, a: int, b: int, unsigned: bool) -> int:
    """The result of a C operator; b is not 0 where it divides."""
    if op != ">>":
        a, b = wrap(a, unsigned), wrap(b, unsigned)
    return wrap(ARITHMETIC[op](a, b), unsigned)
