# SPDX-License-Identifier: GPL-2.0-only
"""What do rules say of a call, straight from their syntax tree?

A second opinion on the compiler, for tests and for explanations: it shares the
parser with it and the tables of calls and constants, and nothing behind them.
It is slow, and leaves it to the compiler to find what is wrong with a rule.
"""

from collections.abc import Iterable

from pysct import tree
from pysct.judge import Call, Verdict
from pysct.reference.condition import Evaluation
from pysct.reference.names import Meaning
from pysct.reference.selection import is_about, setting


def evaluate(rule: tree.Rule, abi: str, call: str, event: Call) -> Evaluation:
    """The rule's condition at a call that it is about."""
    condition = next((entry.condition for entry in rule.entries if isinstance(entry, tree.Filter)), None)
    return Evaluation(condition, Meaning(abi, call, event))


def judge(rules: Iterable[tree.Rule], abi: str, call: str, phase: str, event: Call) -> Verdict:
    """Which rules match a call, by their indices, and which are unknown before a match ends the search."""
    matched, unknown = [], []
    for index, rule in enumerate(rules):
        if not is_about(rule, abi, call, phase):
            continue
        outcome = evaluate(rule, abi, call, event).outcome
        if outcome is None:
            unknown.append(index)
        elif outcome:
            matched.append(index)
            if setting(rule, "continue") != ["yes"]:
                break
    return Verdict(tuple(matched), tuple(unknown))
