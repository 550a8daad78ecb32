# SPDX-License-Identifier: GPL-2.0-only
"""What of all that rules name does the kernel lack that they are for?

A kernel is known by the first two numbers of its release. What was found on supported kernels (docs/coverage.md, and
the headers of each) is certain there; what came or went between two of them may be there, or not, in between.
"""

from collections.abc import Sequence
from functools import cache

from pysct import tree
from pysct.check import Rule
from pysct.constants import SINCE
from pysct.diagnostics import Diagnostics
from pysct.ir import Int
from pysct.points import Point, is_pattern
from pysct.release import Kernel, shown
from pysct.tables import LACKING, MEASURED

HAS, PERHAPS, LACKS = range(3)
SAYS = {
    LACKS: ("has no", "and will refuse the rules", "has none", "does not have"),
    PERHAPS: ("may have no", "and refuses the rules then", "may have none", "may not have"),
}
KNOWN = tuple(sorted({kernel for kernels in MEASURED.values() for kernel in kernels}))


def lacking(kernel: Kernel, measured: tuple[Kernel, ...], without: tuple[Kernel, ...]) -> int:
    """Whether a kernel has something, which some of those that were looked at are without.

    Of one that is older than all of these it is only certain that it lacks what came later.
    """
    below = next((each for each in reversed(measured) if each <= kernel), None)
    above = next((each for each in measured if each >= kernel), None)
    if below is None:
        return HAS if above not in without else PERHAPS if measured[-1] in without else LACKS
    found = {each in without for each in (below, above) if each is not None}
    return PERHAPS if len(found) > 1 else LACKS if found == {True} else HAS


@cache
def lacks_call(kernel: Kernel, abi: str, call: str) -> int:
    """Whether a kernel has a call in an ABI."""
    without = LACKING.get(abi, {}).get(call, ())
    return lacking(kernel, MEASURED[abi], without) if without else HAS


def history(measured: tuple[Kernel, ...], without: tuple[Kernel, ...], way_out: str | None = None) -> str:
    """Which kernels lack something and which have it, as a hint."""
    having = [each for each in measured if each not in without]
    if not having:
        return "no supported kernel has it: take it out"
    lack, have = "lacks" if len(without) == 1 else "lack", "has" if len(having) == 1 else "have"
    past = f"{listed(without)} {lack} it, {listed(having)} {have} it"
    return f"{past}; {way_out}" if way_out else past


def listed(kernels: Sequence[Kernel]) -> str:
    """As 6.1, 6.12 and 7.2."""
    *first, last = map(shown, kernels)
    return f"{', '.join(first)} and {last}" if first else last


def advise_kernel(rules: list[Rule], kernel: Kernel, diagnostics: Diagnostics):
    """Warn of calls and constants that are not there in a kernel."""
    if rules and kernel < KNOWN[0]:
        oldest = f"Linux {shown(kernel)} is older than {shown(KNOWN[0])}, the oldest supported kernel"
        diagnostics.note(f"{oldest}: more may be missing in it than is said here")
    for rule in rules:
        states = {point: lacks_call(kernel, point.abi, point.call) for point in rule.points}
        if any(states.values()):
            advise_calls(rule, states, kernel, diagnostics)
        for name in rule.names.leaves.keys() & SINCE.keys():
            advise_constant(rule, name, kernel, diagnostics)


def advise_calls(rule: Rule, states: dict[Point, int], kernel: Kernel, diagnostics: Diagnostics):
    """Warn of calls that a rule names itself, and of a rule whose patterns and classes stand for nothing there."""
    named = [word for word in rule.words if not is_pattern(word.text)]
    for word in named:
        points = [point for point in rule.points if point.call == word.text]
        worst = max(states[point] for point in points)
        if worst == HAS:
            continue
        out = [point.abi for point in points if states[point] == worst]
        has_no, consequence, *_ = SAYS[worst]
        where = "" if len(out) == len(points) else f" of {', '.join(out)}"
        way_out = f'take it out, or write `"{{{word.text}}}"`: a pattern leaves out what a kernel lacks'
        message = f"Linux {shown(kernel)} {has_no} {word.text}{where}, {consequence}"
        hint = history(MEASURED[out[0]], LACKING[out[0]][word.text], way_out)
        diagnostics.warning(rule.source, word.span, message, hint)
    best = min(states.values())
    if not named and best != HAS:
        message = f"Linux {shown(kernel)} {SAYS[best][2]} of the calls that the rule is for, {SAYS[best][1]}"
        diagnostics.warning(rule.source, rule.words[0].span, message, "take the rule out where it is for such a kernel")


def advise_constant(rule: Rule, name: str, kernel: Kernel, diagnostics: Diagnostics):
    """Warn of a constant that came later: what it asks for is refused there, or not heard."""
    without = tuple(each for each in KNOWN if each < SINCE[name])
    state = lacking(kernel, KNOWN, without)
    if state == HAS or not any(isinstance(leaf, Int) for leaf in rule.names.leaves[name]):
        return
    names = (node for node in tree.walk(rule.condition) if isinstance(node, tree.Name | tree.SetName))
    node = next(node for node in names if node.name == name)
    message = f"Linux {shown(kernel)} {SAYS[state][3]} {name}: what it means is refused there, or ignored"
    diagnostics.warning(node.source or rule.source, node.span, message, history(KNOWN, without))
