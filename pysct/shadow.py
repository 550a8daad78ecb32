# SPDX-License-Identifier: GPL-2.0-only
"""Which rules can never be reached, because others of the same point match whatever they match?"""

from dataclasses import dataclass, field

from pysct.check import Rule
from pysct.implied import implies, inward, is_chain, ranges, texts
from pysct.ir import Chain, Int, StrTest

FEW = 64  # values and texts of one test by which it is found, and rules that are found by one of them
OTHERS = 32  # rules of a point that are found by no value or text, and so are compared with each later one


@dataclass(slots=True)
class Earlier:
    """Rules of one point and phase that end the search; what each covers is found by a number or text in it."""

    all: Rule | None = None
    by_value: dict[tuple, list[tuple[Rule, object]]] = field(default_factory=dict)
    others: list[tuple[Rule, object]] = field(default_factory=list)

    def add(self, rule: Rule, condition):
        """A rule from here on."""
        for part in alternatives(condition):
            if isinstance(part, Int):
                self.all = self.all or rule
                continue
            ways = [found for test in tests(part) if (found := values(test))]
            keys = min(ways, key=lambda found: len(self.by_value.get(found[0], ())), default=())
            for key in keys:
                self.by_value.setdefault(key, []).append((rule, part))
            if not keys and len(self.others) < OTHERS:
                self.others.append((rule, part))

    def covering(self, condition) -> Rule | None:
        """The rule, or the first of those, that match whatever a condition is true of."""
        if self.all:
            return self.all
        found = [self.covering_part(part) for part in alternatives(condition)]
        return found[0] if None not in found else None

    def covering_part(self, part) -> Rule | None:
        candidates = list(self.others)
        for test in tests(part):
            for key in (values(test) or ())[:1]:
                candidates += self.by_value.get(key, ())[:FEW]
        return next((rule for rule, covers in candidates if implies(part, covers)), None)


def alternatives(condition) -> tuple:
    """The parts of which one has to be true."""
    condition = inward(condition)
    if is_chain(condition, "ANY"):
        return condition.operands
    known = texts(condition)
    if known and len(known[1]) <= FEW:
        return tuple(StrTest("SEQ", known[0], text) for text in known[1])
    return (condition,)


def tests(part) -> tuple:
    """The tests all of which have to be true."""
    return part.operands if isinstance(part, Chain) and part.op == "ALL" else (part,)


def values(test) -> list[tuple] | None:
    """The operand with each number or text for which a test is true, if these are few."""
    known = texts(test)
    if known:
        return [(known[0], text) for text in known[1]] if len(known[1]) <= FEW else None
    found = ranges(test)
    if not found or not found[1] or sum(high - low + 1 for low, high in found[1]) > FEW:
        return None
    return [(found[0], value) for low, high in found[1] for value in range(low, high + 1)]


@dataclass(slots=True)
class Shadows:
    """The rules so far, by point and phase."""

    points: dict[tuple, Earlier] = field(default_factory=dict)

    def of(self, rule: Rule, conditions: list) -> list[Rule | None]:
        """At each of its points, which earlier rule takes all that a rule matches; and takes the rule in.

        `conditions` are what the rule's condition is at its points, None where it makes no sense.
        """
        found = []
        for point, condition in zip(rule.points, conditions, strict=True):
            earlier = self.points.setdefault((point, rule.phase), Earlier())
            never = condition is None or isinstance(condition, Int) and not condition.value
            found.append(None if never else earlier.covering(condition))
            if not rule.continues and not never:
                earlier.add(rule, condition)
        return found
