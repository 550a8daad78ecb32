# SPDX-License-Identifier: GPL-2.0-only
"""Which parts of a condition come out one way whatever the call is, and what was probably meant?

Who lowers a condition collects what these functions find, at each of its points; none of it changes its code.
"""

from collections.abc import Sequence
from typing import NamedTuple

from pysct import ir, meant, possible, reach, tree
from pysct.check import Rule
from pysct.diagnostics import Diagnostics
from pysct.ir import Int, Str, StrRef
from pysct.reach import Reach

ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "~"})

EMPTY = frozenset({"SPRE", "SSUF", "SCON"})  # true of any string where the text is empty


class Decided(NamedTuple):
    """A part of a condition that always has the same outcome.

    `reach` is what it compares, or what it is; `wide` says that it does so with a number which no 32-bit variable can
    have. Of conditions joined by && or ||, those in `clashing` exclude each other, or one of them is always true.
    `within` is the operator whose operand a `constant` is; `of` is what an element of a set is compared with. `value` is
    the number that something is compared with, if it is known now; `hint` says what was meant where that is known.
    """

    node: tree.Node
    outcome: bool
    reach: Reach = Reach(0, 0)
    wide: bool = False
    clashing: tuple[tree.Node, ...] = ()
    within: tree.Node | None = None
    of: tree.Node | None = None
    constant: bool = False
    value: int | None = None
    hint: str | None = None


def comparison(node: tree.Node, op: str, left, right, of: tree.Node | None = None) -> Decided | None:
    """What is known of a comparison; its node is one of a set's elements where `of` is the set's operand."""
    outcome = reach.decide(op, left, right)
    if outcome is None or outcome and (ir.names_ancestor(left) or ir.names_ancestor(right) or isinstance(node, tree.Range)):
        return None  # who has no ancestor has none of which it is true; a range has another end
    if isinstance(node, tree.Binary) and node.op == "!=" and op == "==":
        outcome = not outcome
    variable, other = (right, left) if isinstance(left, Int) else (left, right)
    value = other.value if isinstance(other, Int) else None
    return Decided(node, outcome, reach.reach(variable), is_wide(other) or left == right, of=of, value=value)


def strings(node: tree.Node, op: str, left, right, of: tree.Node | None = None) -> Decided | None:
    """What is known of a test of two strings, `op` as in ir.StrTest; its node is an element of a set where `of` is the set's operand."""
    opposite = isinstance(node, tree.Binary) and node.op in ("!=", "!~")
    if isinstance(left, StrRef) and left == right and not ir.names_ancestor(left):
        return Decided(node, not opposite, wide=True, of=of, hint="both sides are the same")
    string, text = (left, right) if isinstance(left, StrRef) else (right, left)
    if not isinstance(string, StrRef) or not isinstance(text, Str):
        return None
    if not text.value and op in EMPTY and not ir.names_ancestor(string):
        return Decided(node, True, hint='an empty text is in every string: `== ""` asks for an empty one')
    why = possible.never(string, op, text.value)
    return Decided(node, opposite, of=of, hint=why) if why else None


def is_wide(other) -> bool:
    """Whether a 32-bit variable is not compared with what one can have."""
    return not (isinstance(other, Int) and -(1 << 31) <= other.value < 1 << 32)


def condition(node: tree.Node, found, within: tree.Node | None) -> Decided | None:
    """What is known of a condition that is no comparison; that ABI == "i386" is known at each point is no news."""
    if isinstance(found, Int):
        return Decided(node, found.value != 0, within=within, constant=True) if is_constant(node) else None
    outcome = reach.truth(found)
    if outcome is None or outcome and ir.names_ancestor(found):
        return None
    wide = isinstance(found, ir.Op) and any(isinstance(one, Int) and is_wide(one) for one in found.operands)
    return Decided(node, outcome, reach.reach(found), wide)


def is_constant(node: tree.Node) -> bool:
    """Whether a number known now was written as one. A definition that is 1 or 0 is a switch, which is meant."""
    if isinstance(node, tree.Number):
        return node.source is None or node.value not in (0, 1)
    if isinstance(node, tree.Unary | tree.Binary):
        return node.op in ARITHMETIC and all(isinstance(each, tree.Number) or is_constant(each) for each in tree.below(node))
    return isinstance(node, tree.Name)


def members(node: tree.Member, operand, constant: list[tuple[tree.Node, tuple[int, int]]]) -> list[Decided]:
    """What is known of a number and those elements of a set that are known now, each with its node."""
    outcome = reach.among(operand, [bounds for _, bounds in constant])
    found, wide = reach.reach(operand), {id(at): any(is_wide(Int(end)) for end in bounds) for at, bounds in constant}
    if outcome is not None and len(constant) == len(node.elements):
        mean_it = outcome and ir.names_ancestor(operand)
        return [] if mean_it else [Decided(node, outcome, found, any(wide.values()))]
    never = [(at, bounds) for at, bounds in constant if reach.among(operand, [bounds]) is False]
    return [Decided(at, False, found, wide[id(at)], of=node.operand, value=low if low == high else None) for at, (low, high) in never]


# ------------------------------------------------------------------ warnings


def warn_decided(rule: Rule, decided: Sequence[dict[int, Decided]], diagnostics: Diagnostics):
    """Warn of what comes out the same at all points of an ABI, whatever the call is.

    That a 32-bit number never reaches what only a 64-bit one can is no news.
    """
    by_abi: dict[str, list[dict[int, Decided]]] = {}
    for point, at in zip(rule.points, decided):
        by_abi.setdefault(point.abi, []).append(at)
    for key in dict.fromkeys(key for at in decided for key in at):
        same = {}  # by ABI
        for abi, at in by_abi.items():
            if all(key in each and each[key].outcome == at[0][key].outcome for each in at):
                same[abi] = at[0][key]
        everywhere = len(same) == len(by_abi)
        for outcome in (False, True):
            some = {abi: one for abi, one in same.items() if one.outcome == outcome}
            if some and (everywhere or not all(one.wide for one in some.values())):
                warn_same(rule, some, "" if len(some) == len(by_abi) else f" in {', '.join(some)}", diagnostics)


def warn_same(rule: Rule, some: dict[str, Decided], where: str, diagnostics: Diagnostics):
    """Warn of one part with one outcome in some ABIs."""
    first = next(iter(some.values()))
    source = first.node.source or rule.source
    said = f"`{source.said(first.node.span)}`"
    how = "always" if first.outcome else "never"
    message = f"{said} is {how} true{where}"
    if first.of is not None:
        message = f"`{(first.of.source or rule.source).said(first.of.span)}` is {how} {said}{where}"
    low, high = min(one.reach.low for one in some.values()), max(one.reach.high for one in some.values())
    found = first._replace(reach=first.reach._replace(low=low, high=high))
    diagnostics.warning(source, first.node.span, message, meant.why(found, rule.source))
