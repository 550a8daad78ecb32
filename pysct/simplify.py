# SPDX-License-Identifier: GPL-2.0-only
"""What is the simplest ir that means an operation on some nodes?"""

from pysct import fold, glob, ir
from pysct.ir import Chain, Int, Member, Mixed, Op, Str, StrPair, StrTest

FOLDS = True  # what is known now is worked out now
INVERSE = {"EQ": "NE", "NE": "EQ"}
CROSSED = {"LT": "LE", "LE": "LT", "LTU": "LEU", "LEU": "LTU"}  # !(a < b) is b <= a


def number_member(operand, ranges: list[tuple[int, int]]):
    """Whether a number lies in one of some ranges; those that it cannot reach are left out."""
    if isinstance(operand, Int):
        return Int(int(any(low <= operand.value <= high for low, high in ranges)))
    clipped = ((max(low, operand.low), min(high, operand.high)) for low, high in ranges)
    reached = tuple(dict.fromkeys((low, high) for low, high in clipped if low <= high))
    return Member(operand, reached) if reached else known(False, operand)


def within(number, low: int, high: int) -> Member:
    """Whether a number that is read lies between two."""
    return Member(number, ((low, high),))


def string_member(operand, texts: tuple[bytes, ...]):
    """Whether a string is one of some that are known now."""
    return Int(int(operand.value in texts)) if isinstance(operand, Str) else Member(operand, texts)


def compute(op: str, operands: tuple, unsigned: bool) -> Op:
    return Op(op, operands, 0, ir.U64_MAX) if unsigned else Op(op, operands)


def strings(op: str, left, right):
    """A test of two strings, of which any may be known now."""
    if op == "SGLOB":
        return glob_test(left, right.value)
    if isinstance(left, Str) and isinstance(right, Str):
        return Int(int(fold.STRINGS[op](left.value, right.value)))
    if isinstance(right, Str):
        return StrTest(op, left, right.value)
    if isinstance(left, Str):  # only == and != have names on both sides
        return StrTest(op, right, left.value)
    return StrPair(left, right)


def glob_test(left, pattern: bytes):
    """Whether a string fits a glob, by tests that cost less where there are some: "/etc/**" only looks at the start."""
    if isinstance(left, Str):
        return Int(int(glob.matches(pattern, left.value)))
    return chain("ANY", [StrTest(op, left, text) for op, text in glob.tests(pattern, left.path)])


def decide(op: str, left, right) -> bool | None:
    """What a comparison yields whatever the operands are, by their ranges; None if it depends."""
    if op in ("==", "!="):
        return op == "!=" if left.high < right.low or right.high < left.low else None
    strict = op == "<"
    if left.high < right.low or not strict and left.high == right.low:
        return True
    if left.low > right.high or strict and left.low == right.high:
        return False
    return None


def equal(wanted: bool, left, right):
    """Whether two numbers are equal, or differ."""
    for one, other in ((left, right), (right, left)):
        if one == Int(0):
            return Op("FALSE", (other,), 0, 1) if wanted else truth(other)
    return Op("EQ" if wanted else "NE", (left, right), 0, 1)


def mixed(op: str, left, right):
    """A comparison of which one side may be negative and the other one too large for a signed number."""
    if op in ("==", "!="):
        found = Mixed("EQ", (left, right) if left.low < 0 else (right, left))
        return negate(found) if op == "!=" else found
    if left.low < 0:
        return Mixed("LT" if op == "<" else "LE", (left, right))
    return negate(Mixed("LE" if op == "<" else "LT", (right, left)))  # a < b is !(b <= a)


def known(outcome: bool, *operands):
    """A truth value that no number can change, but which is unknown where an operand is."""
    doubtful = [operand for operand in operands if ir.may_be_unknown(operand)]
    if not doubtful:
        return Int(int(outcome))
    zeros = [Op("AND", (operand, Int(0)), 0, 0) for operand in doubtful]
    zero = zeros[0] if len(zeros) == 1 else Op("OR", tuple(zeros), 0, 0)
    return Op("EQ" if outcome else "NE", (zero, Int(0)), 0, 1)


def truth(node):
    """The node as 0 or 1."""
    if isinstance(node, Int):
        return Int(int(node.value != 0))
    return node if ir.is_truth(node) else Op("TRUE", (node,), 0, 1)


def negate(node):
    """Not the node, unknown where it is."""
    if isinstance(node, Int):
        return Int(int(node.value == 0))
    if isinstance(node, Op) and node.op in INVERSE:
        return Op(INVERSE[node.op], node.operands, 0, 1)
    if isinstance(node, Op) and node.op in CROSSED:
        return Op(CROSSED[node.op], node.operands[::-1], 0, 1)
    if isinstance(node, Op) and node.op == "FALSE":
        return truth(node.operands[0])
    return Op("FALSE", (node,), 0, 1)


def gathered(operands: list) -> list:
    """The same alternatives, those that ask for values of one number or texts of one string as one set."""
    found: dict[object, list] = {}
    for operand in operands:
        if about := elements(operand):
            found.setdefault(about[0], []).extend(about[1])
    if len(found) == sum(1 for operand in operands if elements(operand)):
        return operands
    out: dict[object, None] = {}
    for operand in operands:
        about = elements(operand)
        if about is None:
            out[operand] = None
        elif about[0] in found:
            out[Member(about[0], tuple(dict.fromkeys(found.pop(about[0]))))] = None
    return list(out)


def elements(node) -> tuple[object, tuple] | None:
    """What a test compares with a set, or with one value, and the set's elements as those of Member."""
    match node:
        case Member():
            return node.operand, node.elements
        case StrTest(op="SEQ"):
            return node.operand, (node.text,)
        case Op(op="EQ", operands=(operand, Int(value=value))) | Op(op="EQ", operands=(Int(value=value), operand)):
            return operand, ((value, value),)
    return None


def chain(op: str, operands):
    """ALL or ANY of some nodes, without those that decide nothing."""
    neutral = int(op == "ALL")
    kept = []
    for operand in operands:
        if isinstance(operand, Int):
            if (operand.value != 0) != neutral:
                return Int(1 - neutral)
        elif isinstance(operand, Chain) and operand.op == op:
            kept += operand.operands
        else:
            kept.append(operand)
    if op == "ANY":
        kept = gathered(kept)
    if not kept:
        return Int(neutral)
    return truth(kept[0]) if len(kept) == 1 else Chain(op, tuple(kept))
