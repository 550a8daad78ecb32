# SPDX-License-Identifier: GPL-2.0-only
"""What is the ir of an operation on some nodes, taken literally?

The counterpart of pysct.simplify: nothing is worked out, left out or put in
another order, so that tests can tell whether that changes what a rule means.
"""

from functools import reduce

from pysct import fold, glob
from pysct.ir import Int, Op, Str, StrPair, StrRef, StrTest
from pysct.simplify import compute, mixed

__all__ = ["FOLDS", "chain", "compute", "decide", "equal", "mixed", "negate", "string_member", "strings", "within"]

FOLDS = False


def decide(op: str, left, right) -> None:
    """Nothing is decided before the call comes."""
    return None


def equal(wanted: bool, left, right) -> Op:
    return Op("EQ" if wanted else "NE", (left, right), 0, 1)


def negate(node) -> Op:
    return Op("FALSE", (node,), 0, 1)


def chain(op: str, operands) -> Op:
    """ALL or ANY of some nodes, in their order, each of which is computed."""
    return reduce(lambda left, right: Op(op, (left, right), 0, 1), operands, Int(int(op == "ALL")))


def strings(op: str, left, right):
    """A test of two strings; one of two that are known has to be worked out, since there is no opcode for it."""
    if op == "SGLOB" and isinstance(left, StrRef):
        globs = glob.alternatives(right.value)
        return chain("ANY", [StrTest("SPATH" if left.path else "SGLOB", left, each) for each in globs])
    if isinstance(right, Str) and isinstance(left, StrRef):
        return StrTest(op, left, right.value)
    if isinstance(left, Str) and isinstance(right, StrRef):
        return StrTest(op, right, left.value)
    if isinstance(left, StrRef):
        return StrPair(left, right)
    texts = glob.alternatives(right.value) if op == "SGLOB" else (right.value,)
    return Int(int(any(fold.STRINGS[op](left.value, text) for text in texts)))


def string_member(operand, texts: tuple[bytes, ...]):
    """Whether a string is one of some that are known now."""
    return chain("ANY", [strings("SEQ", operand, Str(text)) for text in texts])


def within(number, low: int, high: int):
    """Whether a number that is read lies between two, both of which have its upper bits."""
    same = Op("AND", (number, Int(~(high - low) % (1 << 64), True)), 0, (1 << 64) - 1)
    return Op("EQ", (same, Int(low, True)), 0, 1)
