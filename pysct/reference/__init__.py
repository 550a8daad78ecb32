# SPDX-License-Identifier: GPL-2.0-only
"""What do rules say of a call, straight from their syntax tree?

A second opinion on the compiler, for tests and for explanations: it shares the
parser with it and the tables of calls and constants, and nothing behind them.
It is slow, and leaves it to the compiler to find what is wrong with a rule.
"""

from collections.abc import Iterable

from pysct import tree
from pysct.judge import Call, Verdict
from pysct.reference.condition import Defined, Evaluation
from pysct.reference.names import Meaning
from pysct.reference.selection import is_about, setting


def evaluate(rule: tree.Rule, abi: str, call: str, event: Call, defined: Defined | None = None) -> Evaluation:
    """The rule's condition at a call that it is about; `defined` has the definitions above it."""
    condition = next((entry.condition for entry in rule.entries if isinstance(entry, tree.Filter)), None)
    return Evaluation(condition, Meaning(abi, call, event), defined)


def judge(items: Iterable[tree.Item], abi: str, call: str, phase: str, event: Call) -> Verdict:
    """Which rules match a call, by their indices, and which are unknown before a match ends the search.

    A rule with `when = both` is two, one for each phase. Includes are written out: see pysct.reference.files.
    """
    matched, unknown, ahead = [], [], 0
    defined: Defined = {}
    for item in items:
        if isinstance(item, tree.Let | tree.Set):
            defined[item.name] = item
            continue
        both = setting(item, "when") == ["both"]
        index, ahead = ahead + (both and phase == "after"), ahead + 1 + both
        if not is_about(item, abi, call, phase):
            continue
        outcome = evaluate(item, abi, call, event, defined).outcome
        if outcome is None:
            unknown.append(index)
        elif outcome:
            matched.append(index)
            if setting(item, "continue") != ["yes"]:
                break
    return Verdict(tuple(matched), tuple(unknown))
