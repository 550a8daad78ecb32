# SPDX-License-Identifier: GPL-2.0-only
"""If one condition is true, must another one be?

`implies` says yes only where that is certain; it looks at equal parts, at
ranges of one number and at texts of one string, and knows nothing else.
"""

from pysct import fold, glob, ir
from pysct.ir import Chain, Int, Member, Op, StrRef, StrTest
from pysct.simplify import negate

MOST = 4096  # pairs of parts that are compared before it is given up
FEW = 100  # conditions that are compared with each other
COMPARISONS = frozenset({"EQ", "NE", "LT", "LE", "LTU", "LEU"})
Ranges = tuple[tuple[int, int], ...]


def implies(one, other) -> bool:
    """Whether `other` is true whenever `one` is."""
    return implies_inward(inward(one), inward(other))


def implies_inward(one, other) -> bool:
    """The same of conditions that inward() returned."""
    return one == other or weight(one) * weight(other) <= MOST and follows(one, other)


def follows(one, other) -> bool:
    if one == other or isinstance(one, Int) and not one.value:
        return True
    if isinstance(other, Int):
        return other.value != 0
    if is_chain(other, "ALL"):
        return all(follows(one, part) for part in other.operands)
    if is_chain(one, "ANY"):
        return all(follows(part, other) for part in one.operands)
    if is_chain(other, "ANY") and any(follows(one, part) for part in other.operands):
        return True
    if is_chain(one, "ALL"):
        return any(follows(part, other) for part in one.operands) or narrowed(one.operands, other)
    if isinstance(other, StrTest):
        return text_follows(one, other)
    return narrowed((one,), other) or text_follows(one, other)


def narrowed(parts, other) -> bool:
    """Whether the ranges that all parts together leave a number are within those that `other` is about."""
    wanted = ranges(other)
    if wanted is None:
        return False
    left = meet([found[1] for part in parts if (found := ranges(part)) and found[0] == wanted[0]])
    return left is not None and within(left, wanted[1])


def clash(conditions, alternatives: bool) -> tuple[int, int] | None:
    """Which two of some conditions cannot both be true; or, as alternatives, cannot both be false.

    The numbers that several of them leave are looked at together: then these are the last two of them.
    """
    parts = [inward(negate(one)) if alternatives else inward(one) for one in conditions[:FEW]]
    left: dict[object, tuple[int, Ranges]] = {}
    for at, part in enumerate(parts):
        found = ranges(part)
        if found:
            operand, here = found
            before, now = left.get(operand, (None, here))
            now = meet([now, here])
            if before is not None and not now:
                return before, at
            left[operand] = at, now
        elif (test := test_of(part)) is not None:
            for before in range(at):
                other = test_of(parts[before])
                if other and other[0] == test[0] and text_follows(part, inward(negate(parts[before]))):
                    return before, at
    return None


# ------------------------------------------------------------------- numbers


def ranges(node) -> tuple[object, Ranges] | None:
    """The number that a condition is about alone, and for which of its values it is true."""
    if isinstance(node, Member) and not isinstance(node.operand, StrRef):
        return node.operand, merged(node.elements)
    if isinstance(node, Op) and node.op in ("FALSE", "TRUE"):
        inner = ranges(node.operands[0])
        return (inner[0], outside(inner[1], inner[0])) if inner and node.op == "FALSE" else inner
    found = compared(node) if isinstance(node, Op) and node.op in COMPARISONS else None
    if found is None and isinstance(node, Op | ir.Load):
        return node, outside(((0, 0),), node)
    return found


def compared(node: Op) -> tuple[object, Ranges] | None:
    """The same of a comparison with a number known now."""
    left, right = node.operands
    if isinstance(right, Int):
        value, lower = right.value, True
        operand = left
    elif isinstance(left, Int):
        value, lower = left.value, False
        operand = right
    else:
        return None
    if node.op in ("EQ", "NE"):
        same = ((value, value),)
        return operand, (same if node.op == "EQ" else outside(same, operand))
    strict = node.op in ("LT", "LTU")
    low, high = (operand.low, value - strict) if lower else (value + strict, operand.high)
    return operand, (((low, high),) if low <= high else ())


def merged(some) -> Ranges:
    """The same numbers in ranges that lie apart, in order."""
    out: list[tuple[int, int]] = []
    for low, high in sorted(some):
        if out and low <= out[-1][1] + 1:
            out[-1] = out[-1][0], max(high, out[-1][1])
        else:
            out.append((low, high))
    return tuple(out)


def outside(some: Ranges, operand) -> Ranges:
    """The numbers that an operand can be beside some."""
    out, at = [], operand.low
    for low, high in some:
        if low > at:
            out.append((at, low - 1))
        at = max(at, high + 1)
    if at <= operand.high:
        out.append((at, operand.high))
    return tuple(out)


def meet(all_of: list[Ranges]) -> Ranges | None:
    """The numbers that are in each of some ranges; None if there are no ranges."""
    if not all_of:
        return None
    left, *others = all_of
    for other in others:
        left = overlap(left, other)
    return left


def overlap(some: Ranges, others: Ranges) -> Ranges:
    """The numbers in both; of either, ranges lie apart and in order."""
    out, one, other = [], 0, 0
    while one < len(some) and other < len(others):
        low, high = max(some[one][0], others[other][0]), min(some[one][1], others[other][1])
        if low <= high:
            out.append((low, high))
        one, other = (one + 1, other) if some[one][1] < others[other][1] else (one, other + 1)
    return tuple(out)


def within(some: Ranges, others: Ranges) -> bool:
    return overlap(some, others) == tuple(some)


# ------------------------------------------------------------------- strings


def texts(node) -> tuple[StrRef, tuple[bytes, ...]] | None:
    """The string that a condition is about, and the only texts for which it is true."""
    if isinstance(node, Member) and isinstance(node.operand, StrRef):
        return node.operand, node.elements
    if isinstance(node, StrTest) and node.op == "SEQ":
        return node.operand, (node.text,)
    return None


def test_of(node) -> tuple[StrRef, object, bool] | None:
    """The string and the test of it that a condition is, or (False) of which it is the opposite."""
    wanted = not (isinstance(node, Op) and node.op == "FALSE")
    node = node if wanted else node.operands[0]
    if isinstance(node, StrTest) or isinstance(node, Member) and isinstance(node.operand, StrRef):
        return node.operand, node, wanted
    return None


def text_follows(one, other) -> bool:
    """Whether one test of a string implies another one of the same string."""
    first, second = test_of(one), test_of(other)
    if first is None or second is None or first[0] != second[0]:
        return False
    if first[2] and texts(one):
        return all(holds(second[1], text) == second[2] for text in texts(one)[1])
    if first[2] and second[2]:
        return part_follows(one, other)
    if not first[2] and not second[2]:  # both are known together, so that this is the same question backwards
        return text_follows(second[1], first[1])
    if first[2] and texts(second[1]):
        return not any(holds(one, text) for text in texts(second[1])[1])
    return first[2] and excludes(first[1], second[1])


def holds(test, text: bytes) -> bool:
    """Whether a test is true of a text."""
    return text in test.elements if isinstance(test, Member) else fold.STRINGS[test.op](text, test.text)


def part_follows(one: StrTest, other) -> bool:
    """Of a test of a part of a string."""
    if not isinstance(other, StrTest):
        return False
    known, asked = one.text, other.text
    if one.op in glob.OPCODES:
        first, last = glob.ends(known)
        return (
            other.op == "SPRE"
            and first.startswith(asked)
            or other.op == "SSUF"
            and last.endswith(asked)
            or other.op == "SCON"
            and (asked in first or asked in last)
        )
    return (
        one.op == other.op == "SPRE"
        and known.startswith(asked)
        or one.op == other.op == "SSUF"
        and known.endswith(asked)
        or one.op in ("SPRE", "SSUF", "SCON")
        and other.op == "SCON"
        and asked in known
    )


def excludes(one, other) -> bool:
    """Whether no string has both of two beginnings, or ends."""
    if not (isinstance(one, StrTest) and isinstance(other, StrTest) and one.op == other.op):
        return False
    if one.op == "SPRE":
        return not (one.text.startswith(other.text) or other.text.startswith(one.text))
    return one.op == "SSUF" and not (one.text.endswith(other.text) or other.text.endswith(one.text))


# --------------------------------------------------------------------- parts


def is_chain(node, op: str) -> bool:
    return isinstance(node, Chain) and node.op == op


def inward(node):
    """The same with each negation of a chain inside it, where it is one of single tests."""
    if isinstance(node, Chain):
        return Chain(node.op, tuple(map(inward, node.operands)))
    if isinstance(node, Op) and node.op == "FALSE" and isinstance(node.operands[0], Chain):
        inner = node.operands[0]
        return inward(Chain("ANY" if inner.op == "ALL" else "ALL", tuple(map(negate, inner.operands))))
    return node


def tests(condition) -> tuple:
    """The tests all of which have to be true."""
    return condition.operands if is_chain(condition, "ALL") else (condition,)


def weight(node) -> int:
    """How many tests a condition has."""
    return sum(map(weight, node.operands)) if isinstance(node, Chain) else 1
