# SPDX-License-Identifier: GPL-2.0-only
"""Why does a part of a condition come out one way, and how is what was probably meant written?"""

from collections.abc import Callable

from pysct import tree
from pysct.source import Source

UNSIGNED = frozenset({(1 << 32) - 1, (1 << 64) - 1})
Said = Callable[[tree.Node], str]


def why(one, source: Source) -> str:
    """The hint for a pysct.decided.Decided of a rule in a source."""

    def said(node: tree.Node) -> str:
        return (node.source or source).said(node.span, 40)

    if one.hint:
        return one.hint
    if one.clashing:
        first, second = (f"`{said(each)}`" for each in one.clashing)
        return f"one of {first} and {second} is always true: `&&`?" if one.outcome else f"{first} and {second} exclude each other"
    if one.constant:
        return of_constant(one, said) if one.outcome else of_zero(one, said)
    if differences := [each for each in (*getattr(one.node, "elements", ()), one.node) if is_difference(each)]:
        return f"from one number to another one is written `{said(differences[0].left)}..{said(differences[0].right)}`"
    if one.of is not None:
        return of_number(one, one.node, said)
    match one.node:
        case tree.Member(operand=tree.Unary(op="!", operand=operand, enclosed=False)):
            return f"`!` comes first: write `!({said(operand)} in {{ … }})`"
        case tree.Binary(op="|", left=left, right=right) if one.outcome:
            return f"`|` sets bits; `&` asks for them: `{said(left)} & {said(right)}`"
        case tree.Binary(op="&", right=tree.Name() as right):
            return f"`{said(right)}` has no bit that can be set there: compare, as in `(flags & O_ACCMODE) == O_RDONLY`"
        case tree.Binary(left=left, right=right) if tree.canonical(left) == tree.canonical(right):
            return "both sides are the same"
        case tree.Binary(op="==" | "!=", left=left, right=right):
            return of_number(one, right, said, left)
    return of_range(one)


def is_difference(node: tree.Node) -> bool:
    """Whether a number is written as one less another one."""
    match node:
        case tree.Binary(op="-", left=tree.Number(), right=tree.Number()):
            return True
    return False


def of_range(one) -> str:
    low, high = one.reach.low, one.reach.high
    return f"what it compares is always {low}" if low == high else f"what it compares is at least {low} and at most {high}"


def of_number(one, number: tree.Node, said: Said, variable: tree.Node | None = None) -> str:
    """Of a number that something never equals."""
    value, found = one.value, one.reach
    if value is None:
        return of_range(one)
    if value == 1 and isinstance(variable, tree.Binary) and variable.op == "&":
        return f"what it compares is 0 or more than 1: write `{said(variable)}` alone"
    if found.low <= value <= found.high:
        return f"what it compares has no bits but {found.may:#x}"
    if value < 0 and found.low == 0:
        if isinstance(number, tree.Unary) and isinstance(number.operand, tree.Name) and -value <= found.high:
            return f"{of_range(one)}: write `{said(number.operand)}`"
        if found.high in UNSIGNED and -value <= found.high:
            return f"{of_range(one)}: {value} is {value + found.high + 1} there"
    return of_range(one)


def of_zero(one, said: Said) -> str:
    """Of a 0 where a condition is expected."""
    if isinstance(one.within, tree.Unary):
        return "`!` makes 1 of it"
    name = said(one.node)
    return f"it is 0: compare it, as in `(flags & O_ACCMODE) == {name}`" if isinstance(one.node, tree.Name) else "0 is false"


def of_constant(one, said: Said) -> str:
    """Of another number known now where a condition is expected."""
    name = said(one.node)
    if isinstance(one.within, tree.Unary):
        return f"`!` makes 0 of it: `!(x & {name})` asks for a bit that is not set"
    if one.within is None:
        return "each number but 0 is true: a rule for every call has no filter_expression"
    return f"each number but 0 is true: {instead(one, name, said)}"


def instead(one, name: str, said: Said) -> str:
    """What to write in place of a constant among other conditions."""
    operands = one.within.operands
    at = next(number for number, each in enumerate(operands) if each is one.node)
    match operands[at - 1 if at else 1]:
        case tree.Binary(op="&", left=left, right=right):
            return f"write `{said(left)} & ({said(right)} | {name})`"
        case tree.Binary(op="==", left=left, right=right):
            bits = f"; of bits `{said(left)} & ({said(right)} | {name})`" if isinstance(one.node, tree.Name) else ""
            return f"write `{said(left)} in {{ {said(right)}, {name} }}`{bits}"
        case tree.Name() | tree.Param() as before if one.within.op == "&&":
            return f"`&` asks for bits, as in `{said(before)} & {name}`"
    return "compare it with something"
