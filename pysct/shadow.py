# SPDX-License-Identifier: GPL-2.0-only
"""Which rules can never be reached, because others of the same point match whatever they match?"""

from dataclasses import dataclass, field
from typing import NamedTuple

from pysct import glob
from pysct.check import Rule
from pysct.implied import Ranges, implies_inward, inward, is_chain, meet, ranges, tests, texts
from pysct.ir import Chain, Int, Member, StrRef, StrTest, may_be_unknown
from pysct.together import Together, Work

FEW = 64  # values and texts of one test by which it is found, and rules that are found by one of them
OTHERS = 32  # rules of a point that are found by no value or text, and so are compared with each later one
Few = dict[object, frozenset]
"""The values that are left of some operands."""


@dataclass(slots=True)
class Part:
    """One of the alternatives of a condition, and by what it is found.

    `ways` are its tests of few values, each as a list of (operand, value), and `few` has what all tests leave of these;
    `several` are those of more texts than one, each with its operand; `texts` is what one of its tests asks of a
    string, of which one has to be true, as (operand, opcode, text); `known` are such that are true where the part is,
    as far as that is needed to find those that follow.
    """

    condition: object
    ways: list[list[tuple]]
    texts: list[tuple]
    known: list[tuple]
    several: list[tuple]
    few: Few


class Cover(NamedTuple):
    """The rules that match whatever another one would, in their order; none if there are no such.

    `whole`: they match every call, so that the other one is never asked.
    """

    rules: tuple[Rule, ...] = ()
    whole: bool = False


NONE = Cover()


@dataclass(slots=True)
class Earlier:
    """Rules of one point and phase that end the search; what each covers is found by a number or text in it."""

    together: Together
    all: tuple[Rule, ...] = ()
    by_value: dict[tuple, list[tuple[Rule, Part]]] = field(default_factory=dict)
    by_text: dict[tuple, list[tuple[Rule, Part]]] = field(default_factory=dict)
    lengths: dict[tuple, set[int]] = field(default_factory=dict)  # of the texts in by_text, by operand and opcode
    globs: list[tuple[Rule, Part]] = field(default_factory=list)  # some of those in by_text: what a text may fit
    others: list[tuple[Rule, Part]] = field(default_factory=list)

    def add(self, rule: Rule, parts: list[Part]):
        """A rule from here on."""
        for part in parts:
            if isinstance(part.condition, Int):
                self.all = self.all or (rule,)
                continue
            if not (self.all or isinstance(part.condition, Chain)) and (number := ranges(part.condition)):
                found = self.together.add(rule, *number)
                self.all = () if may_be_unknown(number[0]) else found
            if part.ways:
                for key in min(part.ways, key=lambda found: len(self.by_value.get(found[0], ()))):
                    self.by_value.setdefault(key, []).append((rule, part))
            elif part.texts:
                for operand, op, text in part.texts:
                    self.by_text.setdefault((operand, op, text), []).append((rule, part))
                    self.lengths.setdefault((operand, op), set()).add(len(text))
                if len(self.globs) < OTHERS and any(op in glob.OPCODES for _, op, _ in part.texts):
                    self.globs.append((rule, part))
            elif len(self.others) < OTHERS:
                self.others.append((rule, part))

    def covering(self, parts: list[Part], known: dict[tuple, bool]) -> Cover:
        """The rules that match whatever is true of one of the parts.

        `known` says of pairs of parts, by their ids, whether one implies the other: points share them.
        """
        if self.all:
            return Cover(self.all, True)
        found = []
        for part in parts:
            rule = self.covering_part(part, known)
            rules = (rule,) if rule else self.covering_together(part) if part.several or self.together.numbers else ()
            if not rules:
                return NONE
            found += rules
        return Cover(tuple({id(rule): rule for rule in found}.values()))

    def covering_together(self, part: Part) -> tuple[Rule, ...]:
        """The rules that together take all texts of a part's string, or all numbers that it leaves of one."""
        for operand, some in part.several:
            rules = [self.covering_part(part_of(StrTest("SEQ", operand, text)), {}) for text in some]
            if None not in rules:
                return tuple(rules)
        return self.covering_numbers(part) if self.together.numbers else ()

    def covering_numbers(self, part: Part) -> tuple[Rule, ...]:
        left: dict[object, Ranges] = {}
        for number in filter(None, map(ranges, tests(part.condition))):
            operand, here = number
            if operand in self.together.numbers and len(here) <= FEW >= len(left.get(operand, ())):
                left[operand] = meet([left.get(operand, here), here])
        return next(filter(None, (self.together.rules(*number) for number in left.items())), ())

    def covering_part(self, part: Part, known: dict[tuple, bool]) -> Rule | None:
        candidates = self.others
        for found in part.ways:
            if same := self.by_value.get(found[0]):
                candidates = candidates + same[:FEW]
        for operand, op, text in part.known if self.by_text else ():
            candidates = candidates + self.following(operand, op, text)
        for rule, covers in candidates:
            pair = id(part), id(covers)
            if pair not in known:
                known[pair] = may_follow(part.few, covers.few) and implies_inward(part.condition, covers.condition)
            if known[pair]:
                return rule
        return None

    def following(self, operand, op: str, text: bytes) -> list[tuple[Rule, Part]]:
        """The rules that ask for what may be true where one thing is known of a string."""
        found = self.by_text.get((operand, op, text), [])[:FEW]
        if op == "SEQ":
            found += self.globs
        first, last = glob.ends(text) if op in glob.OPCODES else (text, text)
        if op != "SSUF":
            found += self.with_end(operand, first, "SPRE")
        if op != "SPRE":
            found += self.with_end(operand, last, "SSUF")
        return found

    def with_end(self, operand, text: bytes, op: str) -> list[tuple[Rule, Part]]:
        """The rules that ask for the beginning, or end, of a text."""
        found = []
        for length in self.lengths.get((operand, op), ()):
            if length <= len(text):
                end = text[:length] if op == "SPRE" else text[len(text) - length :]
                found += self.by_text.get((operand, op, end), ())[:FEW]
        return found


def parts_of(condition) -> list[Part]:
    """A condition as alternatives; none if it is never true, or makes no sense."""
    if condition is None or isinstance(condition, Int) and not condition.value:
        return []
    return [part_of(one) for one in alternatives(condition)]


def part_of(condition) -> Part:
    some = tuple(sorted(tests(condition), key=commonness))
    if is_chain(condition, "ALL"):
        condition = Chain("ALL", some)
    ways = [found for test in some if (found := values(test))]
    return Part(
        condition,
        sorted(ways, key=lambda found: not isinstance(found[0][1], bytes)),  # fewer rules share a text than a number
        next(filter(None, map(asked, some)), []),
        [known for leaf in leaves(condition) for known in asked(leaf)[:1]],
        [found for test in some if isinstance(test, Member) and (found := texts(test)) and 1 < len(found[1]) <= FEW],
        few_of(some, ways),
    )


def few_of(some, ways: list[list[tuple]]) -> Few:
    """What tests leave of the operands of which those in `ways` leave few values."""
    few: Few = {}
    for found in ways:
        operand, known = found[0][0], frozenset(value for _, value in found)
        few[operand] = few.get(operand, known) & known
    if len(some) > len(ways):
        for operand, here in filter(None, map(ranges, some)):
            known = few.get(operand, ())
            if known:
                few[operand] = frozenset(value for value in known if any(low <= value <= high for low, high in here))
    return few


def may_follow(few: Few, wanted: Few) -> bool:
    """Whether what is `wanted` of operands can follow from what is left of them: cheap to see."""
    return all(few[operand] <= known for operand, known in wanted.items() if operand in few)


def asked(test) -> list[tuple]:
    """What a test asks of strings, of which one has to be true, if that can be looked up: a part from within cannot."""
    found = []
    for one in test.operands if is_chain(test, "ANY") else (test,):
        known = texts(one)
        if known and len(known[1]) <= FEW:
            found += [(known[0], "SEQ", text) for text in known[1]]
        elif isinstance(one, StrTest) and one.op != "SCON":
            found.append((one.operand, one.op, one.text))
        else:
            return []
    return found


def leaves(condition) -> list:
    """Tests that are true where a condition is, if of alternatives the first is: what follows from all follows so."""
    if isinstance(condition, Chain):
        some = condition.operands if condition.op == "ALL" else condition.operands[:1]
        return [leaf for one in some for leaf in leaves(one)]
    return [condition]


def commonness(test) -> int:
    """How likely other rules have a test as well: what they lack is best asked for first."""
    if is_chain(test, "ANY"):
        return max(map(commonness, test.operands))
    return 0 if isinstance(test, StrTest) or isinstance(test, Member) and isinstance(test.operand, StrRef) else 1


def alternatives(condition) -> tuple:
    """The parts of which one has to be true."""
    condition = inward(condition)
    if is_chain(condition, "ANY"):
        return condition.operands
    known = texts(condition)
    if known and len(known[1]) <= FEW:
        return tuple(StrTest("SEQ", known[0], text) for text in known[1])
    return (condition,)


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
    work: Work = field(default_factory=Work)

    def of(self, rule: Rule, conditions: list) -> list[Cover]:
        """At each of its points, which earlier rules take all that a rule matches; and takes the rule in.

        `conditions` are what the rule's condition is at its points, None where it makes no sense.
        """
        made: dict[int, list[Part]] = {}  # of conditions that several points share
        known: dict[tuple, bool] = {}
        found = []
        for point, condition in zip(rule.points, conditions, strict=True):
            if id(condition) not in made:
                made[id(condition)] = parts_of(condition)
            parts = made[id(condition)]
            key = point.abi, point.nr, rule.phase
            earlier = self.points.get(key) or self.points.setdefault(key, Earlier(Together(self.work)))
            found.append(earlier.covering(parts, known) if parts else NONE)
            if not rule.continues:
                earlier.add(rule, parts)
        return found
