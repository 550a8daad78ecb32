# SPDX-License-Identifier: GPL-2.0-only
"""Is a whole condition never true, or never false, by what its parts leave of numbers together?

What fields and arguments can be is looked at.  A rule that is left out for this is always told of; the code of no
other one relies on what fields can be.
"""

from collections.abc import Iterator

from pysct import possible
from pysct.implied import Ranges, clash, inward, is_chain, meet, ranges, weight
from pysct.ir import Chain, Each, Int, Member, Mixed, Op, StrRef, StrTest, may_be_unknown
from pysct.reach import among, decide, reach, truth
from pysct.simplify import chain, negate

MOST = 256  # parts of a condition that are looked at
FEW = 64  # ranges of a number that are told apart
COMPARED = {"EQ": "==", "NE": "!=", "LT": "<", "LE": "<=", "LTU": "<", "LEU": "<="}
Left = dict[object, Ranges]
"""The numbers of which something is known, and what is left of each."""


def is_worth_it(condition) -> bool:
    """Whether something can come of it that was not seen in a part: two tests at least are about numbers, or in chains."""
    if not isinstance(condition, Chain):
        return False
    return sum(1 + isinstance(part, Chain) for part in condition.operands if not is_text(part)) > 1


def is_text(part) -> bool:
    return isinstance(part, StrTest) or isinstance(part, Member) and isinstance(part.operand, StrRef)


def outcome(condition) -> tuple[bool | None, bool]:
    """What a condition is wherever it is known, None if it depends on the call; and whether it is known at all calls."""
    if weight(condition) <= MOST:
        for found, opposite in ((False, inward(condition)), (True, inward(negate(condition)))):
            if never(opposite, {}):
                sure = certain(opposite)
                return found, sure is not None and never(sure, {})
    return None, False


def certain(node):
    """What is true where a condition is, and cannot be unknown; None if it has no such part."""
    if not isinstance(node, Chain):
        return None if may_be_unknown(node) else node
    parts = [certain(part) for part in node.operands]
    if node.op == "ANY" and None in parts:
        return None
    return chain(node.op, [part for part in parts if part is not None]) if any(part is not None for part in parts) else None


def never(node, left: Left) -> bool:
    """Whether a condition, with each negation inside it, is not true where numbers are what is `left` of them."""
    if isinstance(node, Int):
        return not node.value
    if is_chain(node, "ANY"):
        return all(never(part, left) for part in node.operands)
    if is_chain(node, "ALL"):
        left, parts = dict(left), list(flat(node))
        for part in parts:
            narrow(left, part)
        if not all(left.values()) or clash(parts, alternatives=False):
            return True
        return any(never(part, left if isinstance(part, Chain) else {}) for part in parts)
    return excluded(node) or bool(left) and narrow(dict(left), node) == ()


def flat(node) -> Iterator:
    """The parts of an ALL, those of such as are parts of it as well."""
    for part in node.operands:
        yield from flat(part) if is_chain(part, "ALL") else (part,)


def narrow(left: Left, test) -> Ranges | None:
    """Takes what a test excludes from what is left of the number that it is about, and returns the rest; None if it is about none."""
    found = ranges(test)
    if not found or len(found[1]) > FEW or len(left.get(found[0], ())) > FEW:
        return None
    operand, here = found
    can = reach(operand)
    left[operand] = meet([left.get(operand, ((can.low, can.high),)), here])
    return left[operand]


def excluded(test) -> bool:
    """Whether a single test is true of no call."""
    match test:
        case Op(op="FALSE", operands=(Op() | Mixed() | Member() as inner,)):
            return single(inner) is True
        case Each(operand=operand):
            return never(inward(operand), {})
        case StrTest(op=op, operand=operand, text=text):
            return possible.of_text(operand, *possible.plain(op, text)) is not None
    return single(test) is False


def single(test) -> bool | None:
    """What a test of numbers yields by what each of them can be; None if it depends."""
    match test:
        case Op(op=op, operands=(one, other)) if op in COMPARED:
            return decide(COMPARED[op], one, other)
        case Mixed(op=op, operands=(one, other)):
            return decide(COMPARED[op], one, other)
        case Member(operand=operand, elements=elements) if not isinstance(operand, StrRef):
            return among(operand, elements)
        case Op(op="TRUE", operands=(inner,)) | (Op() as inner):
            return truth(inner)
    return None
