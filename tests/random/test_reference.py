# SPDX-License-Identifier: GPL-2.0-only
"""Does a rule mean the same to the reference evaluator and to the kernel's judge, however it was compiled?

SCT_ROUNDS makes it try harder: one round is some 5000 pairs of a rule and a call, and each of many some 35,000.
`make soak` makes thirty of them, a million pairs.
"""

from collections import Counter

import pytest
from hypothesis import assume, given
from opinions import Rules
from random_calls import SUBJECTS
from random_rules import scene
from rounds import ROUNDS, examples

from pysct.layouts import ARGUMENTS

EVENTS = 24 if ROUNDS == 1 else 150  # compiling takes longer than judging: many rounds have more calls of each rule set


@pytest.mark.timeout(120 * ROUNDS)
def test_all_agree():
    seen = Counter()

    @examples(120)
    @given(scene(EVENTS))
    def agree(drawn):
        text, included, events = drawn
        with Rules(text, included) as rules:
            if rules.errors:
                assert rules.slipped, rules.errors
                seen["refused"] += 1
                assume(False)
            seen["plain"] += bool(rules.ways["plain"])
            for event in events:
                verdict = rules.judge(event)
                seen["pairs"] += len(rules.names)
                seen["matched"] += len(verdict.matched)
                seen["unknown"] += len(verdict.unknown)

    agree()
    print(dict(seen))
    assert seen["matched"] > 200 and seen["unknown"] > 50 and seen["plain"] > 100, f"these rules prove little: {seen}"


def test_there_is_a_call_for_every_kind_of_structure():
    """A structure, or several in a row, filled in by the call or not, with a size or not: on which is a call that random rules are about."""
    kinds = {abi: {call: set(map(kind, each.values())) for call, each in calls.items()} for abi, calls in ARGUMENTS.items()}
    tried = {one for call, abis in SUBJECTS.items() for abi in abis for one in kinds[abi].get(call, ())}
    assert {one for calls in kinds.values() for each in calls.values() for one in each} - tried == set()


def kind(argument: tuple[str, bool, str, bool, str | int]) -> tuple[str, bool, bool, bool, bool]:
    struct, filled, size, extends, count = argument
    return struct, filled, bool(size), extends, bool(count)
