# SPDX-License-Identifier: GPL-2.0-only
"""Does a rule say the same as another one did?"""

from hashlib import blake2b

from pysct import tree
from pysct.check import Rule


def digest(rule: Rule) -> int:
    """A number that stays the same as long as the rule says the same, wherever it stands."""
    points = sorted((point.abi, point.nr) for point in rule.points)
    condition = canonical(rule.condition) if rule.condition else None
    meaning = (
        rule.name,
        points,
        rule.phase,
        condition,
        rule.actions.mask,
        rule.actions.error,
        rule.actions.template,
        rule.flags,
    )
    return int.from_bytes(blake2b(repr(meaning).encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def canonical(node: tree.Node):
    """A condition without its places, for repr()."""
    match node:
        case tree.Number(value=value) | tree.Text(value=value):
            return value
        case tree.Name(name=name):
            return ("name", name)
        case tree.Param(number=number):
            return ("param", number)
        case tree.Unary(op=op, operand=operand):
            return (op, canonical(operand))
        case tree.Binary(op=op, left=left, right=right):
            return (op, canonical(left), canonical(right))
        case tree.Logical(op=op, operands=operands):
            return (op, *map(canonical, operands))
        case tree.Range(low=low, high=high):
            return ("..", canonical(low), canonical(high))
        case tree.Member(operand=operand, elements=elements):
            return ("in", canonical(operand), *map(canonical, elements))
