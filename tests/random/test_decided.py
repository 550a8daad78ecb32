# SPDX-License-Identifier: GPL-2.0-only
"""Does what the compiler says to come out one way do so, whatever a kernel hands over?

Random conditions, near the edges of what there can be, are judged by the reference evaluator, which knows the value of
each of their parts. Fields have numbers that a kernel can have there: elsewhere rules are tried with others as well.
"""

import random
from collections import Counter

import pytest
from opinions import Event
from rounds import ROUNDS

from pysct import lower, tree
from pysct.abi import FIELDS
from pysct.compiler import compile_sources
from pysct.reference.condition import Evaluation
from pysct.reference.names import Meaning
from pysct.source import Source

CALLS = {"openat": ("dfd", "flags", "mode"), "pread64": ("fd", "count")}
NUMBERS = ("UID", "PID", "LOGINUID", "ERRNO", "RETVAL", "CAPS", "PARENT.UID", "ANCESTOR.UID", "ANCESTOR.PID")
CONSTANTS = ("O_CREAT", "O_ACCMODE", "O_RDONLY", "-1", "0", "1", "2", "3", "7", "10", "0777", "4095", "4096", "-ENOENT")
EDGES = (0, 1, 2, 3, 7, 64, 0o777, 4095, 4194304, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, (1 << 63) - 1, 1 << 63)
ABIS = ("x86_64", "i386")


class Draw:
    """Conditions about a call."""

    def __init__(self, chance: random.Random, call: str):
        self.chance, self.names = chance, (*NUMBERS, *CALLS[call])

    def constant(self) -> str:
        edge = str(self.chance.choice(EDGES) * self.chance.choice((1, 1, -1)))
        return self.chance.choice((edge, *self.chance.sample(CONSTANTS, 3)))

    def number(self, depth: int) -> str:
        if not depth or self.chance.random() < 0.3:
            return self.constant() if self.chance.random() < 0.3 else self.chance.choice(self.names)
        op = self.chance.choice(("&", "&", "|", "^", "%", "+", "-", "*", "/", "<<", ">>", "~", "-x"))
        if op in ("~", "-x"):
            return f"({op[0]}{self.number(depth - 1)})"
        right = str(self.chance.randrange(64)) if op in ("<<", ">>") else self.chance.choice((self.constant(), self.number(depth - 1)))
        return f"({self.number(depth - 1)} {op} {'5' if op in '/%' and right in ('0', 'O_RDONLY') else right})"

    def condition(self, depth: int = 2) -> str:
        kind = self.chance.randrange(9 if depth else 7)
        number = self.number(2)
        if kind < 4:
            return f"({number} {self.chance.choice(('==', '!=', '<', '<=', '>', '>='))} {self.chance.choice((self.constant(), self.number(1)))})"
        if kind < 6:
            ends = sorted(int(self.chance.choice(EDGES)) for _ in range(2))
            elements = [self.constant(), f"{ends[0]}..{ends[1]}", f"-{ends[1]}..-1", self.number(0), f"{self.number(0)}..{ends[1]}"]
            return f"({number} in {{ {', '.join(self.chance.sample(elements, self.chance.randrange(1, 4)))} }})"
        if kind == 6:
            return number
        if kind == 7:
            return f"!({self.condition(depth - 1)})"
        return f"({self.chance.choice((' && ', ' || ')).join(self.condition(depth - 1) for _ in range(2))})"

    def event(self, call: str, abi: str) -> Event:
        args = tuple(self.chance.choice((*EDGES, (1 << 64) - 1, self.chance.getrandbits(64))) for _ in range(4))
        above = [{name: self.field(name) for name in ("UID", "PID")} for _ in range(self.chance.randrange(3))]
        fields = {name: self.field(name) for name in NUMBERS if "." not in name}
        return Event(call, args, "after", fields, abi, ancestors=tuple(above))

    def field(self, name: str) -> int:
        low, high = FIELDS[name].low, FIELDS[name].high
        return self.chance.choice([low, high, *(edge for edge in EDGES if edge <= high), self.chance.randint(low, high)])


def compare(one: lower.Decided, values: dict, event: Event) -> bool:
    """Whether one part that was decided is known; fails if it came to something else."""
    found = values.get(id(one.node))
    if isinstance(one.node, tree.Range):
        low, high, operand = (values.get(id(node)) for node in (one.node.low, one.node.high, one.of))
        assert None in (low, high, operand) or not low.value <= operand.value <= high.value, (one, event)
    elif found is not None and one.of is None:
        assert (found.value != 0) == one.outcome, (one, event)
    elif found is not None and values[id(one.of)] is not None:
        assert (found.value == values[id(one.of)].value) == one.outcome, (one, event)
    return found is not None


@pytest.mark.timeout(120 * ROUNDS)
def test_what_is_decided_comes_out_so():
    chance, seen = random.Random(5 if ROUNDS == 1 else None), Counter()
    for _ in range(150 * ROUNDS):
        call = chance.choice(sorted(CALLS))
        draw = Draw(chance, call)
        head = f"rule {{ syscall_name = {call} abi = {', '.join(ABIS)} when = after action {{ LOG }} filter_expression {{"
        text = "".join(f"{head} {draw.condition()} }} }}\n" for _ in range(8))
        for rule in compile_sources([Source("t", text)]).rules:
            for at, point in enumerate(rule.points):
                lowering = lower.Lowering(rule.names.at(at))
                try:
                    lowering.truth(rule.condition)
                except lower.Refused:
                    continue
                for event in [draw.event(call, point.abi) for _ in range(12 if lowering.decided else 0)]:
                    values = Evaluation(rule.condition, Meaning(point.abi, call, event.seen())).values
                    for one in lowering.decided.values():
                        seen[one.outcome, one.of is None] += compare(one, values, event)
    assert all(seen[outcome, True] > 2000 for outcome in (True, False)) and seen[False, False] > 500, seen
