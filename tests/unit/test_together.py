# SPDX-License-Identifier: GPL-2.0-only
"""Is a rule that several earlier ones leave nothing told of, with their names, and no other one?"""

import random
import time

from opinions import Event, judged
from rounds import ROUNDS

from pysct.compiler import compile_sources
from pysct.source import Source

HEAD = "rule {{ syscall_name = {} abi = x86_64 rule_name = r{} action {{ LOG }} filter_expression {{ {} }} }}\n"
REACH = range(-3, 16)


def unreached(conditions: list[str], call: str = "close") -> dict[int, str]:
    """The numbers of the rules with these conditions that are never reached, and what is said of them."""
    text = "".join(HEAD.format(call, at, condition) for at, condition in enumerate(conditions))
    said = [one for one in compile_sources([Source("t", text)], "x86_64").diagnostics if "never reached" in one.message]
    return {one.source.position(one.span.start).line - 1: one.message.partition("before it, ")[2] for one in said}


def draw(chance: random.Random) -> tuple[str, set[int]]:
    """A condition on one number, and for which it is true."""
    at = chance.randrange(-2, 14)
    match chance.randrange(4):
        case 0:
            return f"fd < {at}", {fd for fd in REACH if fd < at}
        case 1:
            return f"fd >= {at}", {fd for fd in REACH if fd >= at}
        case 2:
            return f"fd == {at}", {at}
    ranges = [(low, low + chance.randrange(5)) for low in chance.sample(range(-2, 11), chance.randrange(1, 4))]
    return f"fd in {{ {', '.join(f'{low}..{high}' for low, high in ranges)} }}", {fd for low, high in ranges for fd in range(low, high + 1)}


def test_it_is_told_exactly_where_nothing_is_left():
    chance, seen = random.Random(11 if ROUNDS == 1 else None), 0
    for _ in range(150 * ROUNDS):
        drawn = [draw(chance) for _ in range(chance.randrange(2, 9))]
        taken, expected = set(), set()
        for at, (_, wanted) in enumerate(drawn):
            expected |= {at} if wanted <= taken else set()
            taken |= wanted
        found = unreached([condition for condition, _ in drawn])
        assert set(found) == expected, drawn
        seen += sum("together" in said for said in found.values())
    assert seen > 30


def test_all_are_named():
    assert unreached(["fd == 1", "fd == 9", "fd == 2", "fd in { 1, 2 }"]) == {3: "`r0` and `r2` together take all that it would match"}
    assert unreached(["fd < 1", "fd > 0", "UID == 3"]) == {2: "`r0` and `r1` together take every call"}


def test_what_can_be_unknown_is_not_taken_as_a_whole():
    conditions = ["PARENT.UID < 5", "PARENT.UID >= 5", "fd == 3", "PARENT.UID in { 3..7 }"]
    assert list(unreached(conditions)) == [3]
    text = "".join(HEAD.format("close", at, condition) for at, condition in enumerate(conditions))
    assert judged(text, Event("close", (3,)))[0] == ["r2"]


def test_a_rule_that_goes_on_takes_nothing():
    text = HEAD.format("close", 0, "fd < 5").replace("action", "continue = yes action") + "".join(
        HEAD.format("close", at, condition) for at, condition in ((1, "fd >= 5"), (2, "UID == 0"))
    )
    assert judged(text, Event("close", (3,), fields={"UID": 0}))[0] == ["r0", "r2"]


def test_many_rules_take_no_time_that_grows_faster_than_they_do():
    def seconds(count: int) -> float:
        conditions = [f"fd == {3 * at}" for at in range(count)] + [f"fd in {{ {3 * at}, {3 * at + 3} }}" for at in range(count)]
        start = time.process_time()
        unreached(conditions)
        return time.process_time() - start

    few = seconds(500)
    assert seconds(4000) < 8 * few * 3 + 1
