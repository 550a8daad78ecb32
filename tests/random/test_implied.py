# SPDX-License-Identifier: GPL-2.0-only
"""Is what is said to follow from a condition true of every call of which the condition is?

Conditions over small numbers and few strings are drawn and tried with all
calls that there can be, one of which has no string that can be read.
"""

import itertools
import random
from collections import Counter

import pytest
from rounds import ROUNDS

from pysct import fold
from pysct.always import outcome
from pysct.implied import clash, implies, ranges
from pysct.ir import Chain, Int, Load, Member, Op, StrRef, StrTest
from pysct.shadow import may_follow, part_of
from pysct.simplify import chain, negate, number_member

X, Y = Load("LDF", 16, -4, 4), Load("LDF", 17, 0, 7)
S = StrRef(0)
TEXTS = [b"", b"a", b"b", b"ab", b"ba", b"aa", b"abab", b"/a", b"/a/b"]
CALLS = [(x, y, s) for x in range(-4, 5) for y in (0, 1, 3, 7) for s in (*TEXTS, None)]
COMPARE = {
    "EQ": lambda a, b: a == b,
    "NE": lambda a, b: a != b,
    "LT": lambda a, b: a < b,
    "LE": lambda a, b: a <= b,
    "AND": lambda a, b: a & b,
}


def value(node, call):
    """What a node is for one call; None if that is unknown."""
    x, y, s = call
    match node:
        case Int():
            return node.value
        case Load():
            return x if node == X else y
        case StrTest():
            return None if s is None else int(fold.STRINGS[node.op](s, node.text))
        case Member(operand=StrRef()):
            return None if s is None else int(s in node.elements)
        case Member():
            return int(any(low <= value(node.operand, call) <= high for low, high in node.elements))
        case Op(op="FALSE" | "TRUE"):
            inner = value(node.operands[0], call)
            return None if inner is None else int((inner != 0) == (node.op == "TRUE"))
        case Op():
            return int(COMPARE[node.op](*(value(operand, call) for operand in node.operands)))
    parts = [value(operand, call) for operand in node.operands]
    decides = node.op == "ANY"
    if any(part is not None and bool(part) == decides for part in parts):
        return int(decides)
    return None if None in parts else int(not decides)


def draw(chance: random.Random, depth: int):
    """Some condition."""
    kind = chance.randrange(10 if depth else 7)
    number = chance.choice((X, Y, Op("AND", (Y, Int(3)), 0, 3)))
    match kind:
        case 0 | 1:
            pair = number, Int(chance.randrange(max(number.low, -5), min(number.high, 8)))
            return Op(chance.choice(("EQ", "NE", "LT", "LE")), pair if chance.random() < 0.7 else pair[::-1], 0, 1)
        case 2:
            low = [chance.randrange(-5, 6) for _ in range(chance.randrange(1, 3))]
            return number_member(number, [(at, at + chance.randrange(3)) for at in low])
        case 3 | 4:
            return StrTest(
                chance.choice(("SEQ", "SPRE", "SSUF", "SCON", "SGLOB")), S, chance.choice(TEXTS + [b"a*", b"*b?"])
            )
        case 5:
            return Member(S, tuple(chance.sample(TEXTS, chance.randrange(1, 4))))
        case 6:
            return chance.choice((number, Op("TRUE", (number,), 0, 1)))
        case 7:
            return negate(draw(chance, depth - 1))
    parts = [draw(chance, depth - 1) for _ in range(chance.randrange(2, 4))]
    return chain(chance.choice(("ALL", "ANY")), parts)


def test_what_follows_is_true():
    chance = random.Random(1 if ROUNDS == 1 else None)
    found = 0
    for _ in range(1500 * ROUNDS):
        one = draw(chance, 2)
        other = draw(chance, 2) if chance.random() < 0.6 else chain("ANY", [one, draw(chance, 1)])
        if implies(one, other):
            found += one != other
            assert not [call for call in CALLS if value(one, call) and not value(other, call)], (one, other)
    assert found > 100, "hardly anything was said to follow"


def test_what_follows_is_not_passed_over_for_its_values():
    chance, found = random.Random(6 if ROUNDS == 1 else None), Counter()
    for _ in range(4000 * ROUNDS):
        one, other = (chain("ALL", [draw(chance, 0) for _ in range(chance.randrange(1, 4))]) for _ in range(2))
        may = isinstance(one, Int) or isinstance(other, Int) or may_follow(part_of(one).few, part_of(other).few)
        found[implies(one, other), may] += 1
    assert not found[True, False] and found[True, True] > 100 and found[False, False] > 500, found


def test_what_clashes_is_never_true_and_alternatives_are_never_all_false():
    chance = random.Random(2 if ROUNDS == 1 else None)
    found = 0
    for _, alternatives in itertools.product(range(1000 * ROUNDS), (False, True)):
        parts = [draw(chance, 1) for _ in range(chance.randrange(2, 4))]
        if pair := clash(parts, alternatives):
            found += 1
            whole = Chain("ANY" if alternatives else "ALL", tuple(parts))
            wrong = [
                call for call in CALLS if (value(whole, call) == 0) == alternatives and value(whole, call) is not None
            ]
            assert not wrong and pair[0] < pair[1], (parts, alternatives)
    assert found > 60, "hardly anything was said to clash"


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_what_comes_out_one_way_does_so_at_all_calls(depth):
    """X is a field that is never negative, and a condition that is never unknown in between has its outcome."""
    chance = random.Random(4 if ROUNDS == 1 else None)
    seen = Counter()
    for _ in range(4000 * ROUNDS):
        node = chain(chance.choice(("ALL", "ANY")), [draw(chance, depth) for _ in range(chance.randrange(2, 4))])
        found, certain = outcome(node)
        if found is not None and not isinstance(node, Int):
            seen[found, certain] += 1
            known = (int(found),) if certain else (None, int(found))
            assert not [call for call in CALLS if call[0] >= 0 and value(node, call) not in known], (node, found)
    assert len(seen) == 4 and min(seen.values()) > 10, seen


def test_ranges_are_those_of_which_a_test_is_true():
    chance = random.Random(3)
    for _ in range(2000):
        node = draw(chance, 0)
        if found := ranges(node):
            operand, some = found
            for call in CALLS:
                number = value(operand, call)
                assert any(low <= number <= high for low, high in some) == bool(value(node, call)), node


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (StrTest("SEQ", S, b"/etc/passwd"), StrTest("SPRE", S, b"/etc/")),
        (StrTest("SPRE", S, b"/etc/a"), StrTest("SPRE", S, b"/etc/")),
        (StrTest("SSUF", S, b".conf"), StrTest("SCON", S, b"con")),
        (Member(S, (b"a", b"b")), Member(S, (b"b", b"c", b"a"))),
        (StrTest("SEQ", S, b"a"), negate(StrTest("SEQ", S, b"b"))),
        (StrTest("SPRE", S, b"/a"), negate(StrTest("SPRE", S, b"/b"))),
        (negate(StrTest("SPRE", S, b"/a")), negate(StrTest("SEQ", S, b"/ab"))),
        (chain("ALL", [Op("LT", (X, Int(3)), 0, 1), Op("LE", (Int(0), X), 0, 1)]), Member(X, ((0, 3),))),
        (negate(chain("ANY", [X, Y])), Op("EQ", (Y, Int(0)), 0, 1)),
    ],
)
def test_what_should_be_seen_is_seen(one, other):
    assert implies(one, other) and not implies(other, one)


def test_long_conditions_are_given_up_not_waited_for():
    long = chain("ANY", [chain("ALL", [X, StrTest("SCON", S, b"%d" % at)]) for at in range(3000)])
    assert implies(long, long) and not implies(long, chain("ANY", [*long.operands[1:], Y]))
