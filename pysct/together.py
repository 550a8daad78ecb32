# SPDX-License-Identifier: GPL-2.0-only
"""Which numbers do several rules take together, and which rules are that?"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

from pysct.check import Rule
from pysct.implied import Ranges, meet, outside

WORK = 1_000_000  # pairs of ranges that are compared to find names, in all


@dataclass(slots=True)
class Taken:
    """What is taken of one number: ranges that lie apart, in order, by their ends; and by which rule which."""

    lows: list[int] = field(default_factory=list)
    highs: list[int] = field(default_factory=list)
    by: list[tuple[Rule, Ranges]] = field(default_factory=list)

    def add(self, rule: Rule, some: Ranges):
        self.by.append((rule, some))
        for low, high in some:
            first, last = bisect_left(self.highs, low - 1), bisect_right(self.lows, high + 1)
            if first < last:  # these become one
                low, high = min(low, self.lows[first]), max(high, self.highs[last - 1])
            self.lows[first:last], self.highs[first:last] = [low], [high]

    def has(self, some: Ranges) -> bool:
        """Whether all of these numbers are taken."""
        places = ((bisect_right(self.lows, low) - 1, high) for low, high in some)
        return all(at >= 0 and high <= self.highs[at] for at, high in places)


@dataclass(slots=True)
class Work:
    """How much can still be done."""

    left: int = WORK


@dataclass(slots=True)
class Together:
    """What rules of one point take that ask for nothing but one number, by that number."""

    work: Work
    numbers: dict[object, Taken] = field(default_factory=dict)

    def add(self, rule: Rule, operand, some: Ranges) -> tuple[Rule, ...]:
        """Takes in what a rule takes of a number; the rules that now take all of it, none if some is left."""
        taken = self.numbers.setdefault(operand, Taken())
        taken.add(rule, some)
        return self.rules(operand, ((operand.low, operand.high),))

    def rules(self, operand, wanted: Ranges) -> tuple[Rule, ...]:
        """The rules that together take all of some numbers, in order; none if some are left, or it is too much work to tell."""
        taken, found, left = self.numbers.get(operand), {}, wanted
        if taken is None or not wanted or not taken.has(wanted):
            return ()
        for rule, some in taken.by:
            self.work.left -= len(left) * len(some) + 1
            if self.work.left < 0:
                return ()
            if meet([left, some]):
                found[id(rule)] = rule
                left = meet([left, outside(some, operand)])
            if not left:
                break
        return tuple(found.values())
