# SPDX-License-Identifier: GPL-2.0-only
"""Is no part of a condition ever what it was said that it cannot be?

Numbers are computed by the judge's own arithmetic, for random operands; what fields can be is read from the kernel's
headers where these say it.
"""

import random
import re

import pytest
from rounds import ROUNDS

from pysct import fold, ir, reach
from pysct.abi import FIELDS
from pysct.ir import S64_MAX, S64_MIN, U64_MAX, Int, Load, Op
from pysct.simplify import compute

LOADS = [
    Load("LDA", 0, -(1 << 31), (1 << 31) - 1),
    Load("LDA", 1, 0, (1 << 32) - 1),
    Load("LDA", 2, 0, U64_MAX),
    Load("LDA", 3),
    Load("LDF", FIELDS["UID"].number),
    Load("LDF", FIELDS["PID"].number),
    Load("LDF", FIELDS["RETVAL"].number),
]
EDGES = [0, 1, 2, 3, 5, 7, 8, 64, 0o777, 0x8000, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, S64_MAX, 1 << 63, U64_MAX]
OPS = {"ADD": "+", "SUB": "-", "MUL": "*", "DIV": "/", "MOD": "%", "AND": "&", "OR": "|", "XOR": "^", "SHL": "<<"}


def some(chance: random.Random, low: int, high: int) -> int:
    """A number of a range, often one at an edge of something."""
    near = [low, high, *(sign * edge for edge in EDGES for sign in (1, -1))]
    fitting = [value for value in near if low <= value <= high]
    return chance.choice(fitting) if chance.random() < 0.7 else chance.randint(low, high)


def draw(chance: random.Random, depth: int):
    """Something that yields a number, made as the compiler makes it."""
    if not depth or chance.random() < 0.2:
        if chance.random() < 0.4:
            return Int(some(chance, S64_MIN, U64_MAX))
        return chance.choice(LOADS)
    left = draw(chance, depth - 1)
    unsigned = ir.is_unsigned(left)
    kind = chance.randrange(8)
    if kind == 0:
        return compute(chance.choice(("NEG", "NOT")), (left,), unsigned)
    if kind == 1:
        right = Int(chance.randrange(64))
        return compute(chance.choice(("SHL", "SHR" if unsigned else "SAR")), (left, right), unsigned)
    op = chance.choice([op for op in OPS if op != "SHL"])
    right = draw(chance, depth - 1)
    if op in ("DIV", "MOD") and right == Int(0):
        right = Int(3)
    unsigned = unsigned or ir.is_unsigned(right)
    return compute(op + ("U" if unsigned and op in ("DIV", "MOD") else ""), (left, right), unsigned)


def value(node, call: dict) -> int | None:
    """What a node is for one call; None if that is unknown."""
    if isinstance(node, Int):
        return node.value
    if isinstance(node, Load):
        return call[node]
    operands = [value(operand, call) for operand in node.operands]
    unsigned = node.high > S64_MAX
    if None in operands:
        return None
    if node.op in ("NEG", "NOT"):
        return fold.wrap(-operands[0] if node.op == "NEG" else ~operands[0], unsigned)
    if node.op in ("SHR", "SAR"):
        return fold.arithmetic(">>", *operands, unsigned)
    op = OPS[node.op.removesuffix("U")]
    if op in "/%" and fold.wrap(operands[1], unsigned) == 0:
        return None
    return fold.arithmetic(op, *operands, unsigned)


def drawn_call(chance: random.Random) -> dict:
    """A number for each load, of those that a kernel can hand over."""
    fields = {field.number: field for field in FIELDS.values()}
    bounds = {load: (fields[load.index] if load.op == "LDF" else load) for load in LOADS}
    return {load: some(chance, bound.low, bound.high) for load, bound in bounds.items()}


def decided(chance: random.Random, node):
    """What is said of a node, and how to see whether it is so."""
    kind, found = chance.randrange(3), reach.reach(node)
    if kind == 0:
        return reach.truth(node), lambda number: number != 0
    if kind == 1:
        op, other = chance.choice(sorted(fold.COMPARISON)), some(chance, S64_MIN, U64_MAX)
        other = chance.choice((other, found.low, found.high, found.low - 1, found.high + 1, other & found.may))
        other = min(max(other, S64_MIN), U64_MAX)
        pair = (node, Int(other)) if chance.random() < 0.5 else (Int(other), node)
        in_order = pair[0] is node
        return reach.decide(op, *pair), lambda number: fold.COMPARISON[op](*((number, other) if in_order else (other, number)))
    lows = [some(chance, S64_MIN, U64_MAX) for _ in range(2)]
    ranges = [(low, chance.choice((low, low, low + 9))) for low in lows]
    if chance.random() < 0.3:
        ranges.append((found.low - 1, found.high))
    return reach.among(node, ranges), lambda number: any(low <= number <= high for low, high in ranges)


def test_what_is_said_to_come_out_one_way_does():
    chance = random.Random(4 if ROUNDS == 1 else None)
    said = {True: 0, False: 0}
    for _ in range(2500 * ROUNDS):
        node = draw(chance, 3)
        found = reach.reach(node)
        outcome, holds = decided(chance, node)
        if outcome is not None:
            said[outcome] += 1
        for _ in range(12):
            call = drawn_call(chance)
            number = value(node, call)
            if number is None:
                continue
            assert found.has(number), (node, call, number, found)
            assert outcome is None or holds(number) == outcome, (node, call, number, outcome)
    assert min(said.values()) > 100, f"hardly anything was said: {said}"


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (Op("AND", (LOADS[0], Int(0o777))), (0, 0o777)),
        (Op("AND", (LOADS[5], Op("NOT", (LOADS[0],)))), (0, 4194304)),
        (Op("OR", (LOADS[1], Int(64))), (64, (1 << 32) - 1)),
        (Op("MOD", (LOADS[4], Int(10))), (0, 9)),
        (Op("MOD", (LOADS[0], Int(10))), (-9, 9)),
        (Op("MUL", (LOADS[4], Int(2))), (0, 2 * ((1 << 32) - 1))),
        (Op("SUB", (LOADS[5], LOADS[5])), (-4194304, 4194304)),
        (Op("ADD", (LOADS[3], Int(1))), (S64_MIN, S64_MAX)),
        (Op("SAR", (LOADS[0], Int(4))), (-(1 << 27), (1 << 27) - 1)),
        (Op("SHL", (LOADS[1], Int(40))), (S64_MIN, 0x7FFFFF << 40)),
        (Op("DIV", (LOADS[5], Int(4))), (0, 1 << 20)),
        (Op("NEG", (LOADS[5],)), (-4194304, 0)),
    ],
)
def test_what_should_be_seen_is_seen(node, expected):
    found = reach.reach(node)
    assert (found.low, found.high) == expected


def test_every_field_that_a_kernel_bounds_has_bounds():
    """RETVAL is whatever a call returns; all others are bounded, by one of these."""
    numbers = [field for field in FIELDS.values() if field.type == "int"]
    assert {field.name for field in numbers if field.low < 0} == {"RETVAL"}
    ids = re.compile(r"(.*\.)?(E|S|FS|LOGIN)?[UG]ID")
    assert {field.high for field in numbers if ids.fullmatch(field.name)} == {(1 << 32) - 1}
    assert all(field.low <= 0 and field.high >= 4095 for field in numbers)
