# SPDX-License-Identifier: GPL-2.0-only
"""How does the program of a point test many rules without trying each?

Rules that begin with the same test share it, and a test of which the failure
of many rules follows guards them: one jump passes them all.  Nothing that
could be seen changes: neither which rules match nor which are unknown.  Rules
change places only where they exclude each other, as two of different texts of
one string do; and a test that is unknown guards nothing, so that all behind it
are tried.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from os.path import commonprefix

from pysct import codegen, ir
from pysct.codegen import Code, compile_rule, compile_test
from pysct.implied import ranges, tests
from pysct.ir import Int, Op, StrTest, may_be_unknown
from pysct.pool import Pool
from pysct.simplify import chain

SHARED = 2  # rules in a row that share a test which is never unknown
DOUBTED = 6  # the same of one that can be, and so is tried again behind the guard
TEXTS = 12  # rules in a row, each with a text of one string, that are found by its beginning
VALUES = 6  # the same by the value of one number
GUARDED = 4  # rules that are worth a guard
LEVELS = 12  # of guards inside each other
NOTHING: frozenset = frozenset()


@dataclass(frozen=True, slots=True)
class Leaf:
    """A rule of a program; `code` is that of its whole condition."""

    rule: int
    condition: object
    code: Code


class Arranger:
    """Arranges the programs of one image; what several points have alike is made once."""

    def __init__(self, pool: Pool):
        self.pool = pool
        self.made: dict[tuple, list[Code]] = {}

    def program(self, leaves: list[Leaf]) -> list[Code]:
        """The code of some rules, in order of being tried."""
        key = tuple((leaf.rule, id(leaf.condition)) for leaf in leaves)
        if key not in self.made:
            self.made[key] = self.sharing(leaves, LEVELS)
        return self.made[key]

    # ------------------------------------------------------------ equal tests

    def sharing(self, leaves: list[Leaf], levels: int, passed: frozenset = NOTHING) -> list[Code]:
        """Rules in a row that have tests in common, behind one guard that is all of these.

        Behind it those of them that are never unknown are true; the others have to be tried again, and are `passed`.
        """
        out: list[Code] = []
        alone: list[Leaf] = []
        for run, common in runs(leaves, lambda leaf: left(leaf, passed), SHARED if levels else len(leaves) + 1):
            same = shared(run, passed) if common else []
            if not same:
                alone += run
                continue
            out += self.looked_up(alone, levels)
            alone = []
            sure = {test for test in same if not may_be_unknown(test)}
            inner = self.sharing([self.without(leaf, sure) for leaf in run], levels - 1, passed | set(same))
            out += self.guard(chain("ALL", same), inner)
        return out + self.looked_up(alone, levels)

    def without(self, leaf: Leaf, known: set) -> Leaf:
        """The rule where some of its tests are known to be true."""
        if not known:
            return leaf
        condition = chain("ALL", [test for test in tests(leaf.condition) if test not in known])
        return Leaf(leaf.rule, condition, compile_rule(condition, leaf.rule, self.pool))

    # ---------------------------------------------------- texts and numbers

    def looked_up(self, leaves: list[Leaf], levels: int) -> list[Code]:
        """Rules in a row that ask for some text of one string, or some value of one number, behind guards."""
        out: list[Code] = []
        for run, string in runs(leaves, texts, TEXTS):
            if string:
                found = sorted(((texts(leaf)[string], leaf.code) for leaf in run), key=lambda pair: pair[0])
                inner = self.by_text(string, found, levels - 1)
                begins = commonprefix((found[0][0], found[-1][0]))
                # That a path starts with / is hardly worth a test.
                out += self.guard(StrTest("SPRE", string, begins), inner) if levels and len(begins) > 1 else inner
                continue
            for part, number in runs(run, numbers, VALUES):
                if number:
                    found = sorted(((numbers(leaf)[number], leaf.code) for leaf in part), key=lambda pair: pair[0])
                    out += self.by_number(number, found, levels)
                else:
                    out += [leaf.code for leaf in part]
        return out

    def by_text(self, string: ir.StrRef, found: list[tuple[bytes, Code]], levels: int) -> list[Code]:
        """Rules in the order of their texts; those of one beginning behind a test of that."""
        if len(found) < GUARDED or levels <= 0 or found[0][0] == found[-1][0]:
            return [code for _, code in found]
        known = len(commonprefix((found[0][0], found[-1][0])))
        out: list[Code] = []
        at = 0
        while at < len(found):
            start, here = at, found[at][0][: known + 1]
            while at < len(found) and found[at][0][: known + 1] == here:
                at += 1
            part = found[start:at]
            inner = self.by_text(string, part, levels - 1)
            if len(part) < GUARDED:
                out += inner
            else:
                out += self.guard(StrTest("SPRE", string, commonprefix((part[0][0], part[-1][0]))), inner)
        return out

    def by_number(self, number, found: list[tuple[int, Code]], levels: int) -> list[Code]:
        """Rules in the order of their values, halved."""
        middle = len(found) // 2
        while middle and found[middle - 1][0] == found[middle][0]:
            middle -= 1
        if len(found) < GUARDED or not levels or not middle:
            return [code for _, code in found]
        below, above = found[:middle], found[middle:]
        unsigned = "U" if ir.is_unsigned(number) else ""
        edge = Int(below[-1][0])
        return [
            *self.guard(Op("LE" + unsigned, (number, edge), 0, 1), self.by_number(number, below, levels - 1)),
            *self.guard(Op("LT" + unsigned, (edge, number), 0, 1), self.by_number(number, above, levels - 1)),
        ]

    def guard(self, test, inner: list[Code]) -> list[Code]:
        """Some code that is passed over where a test is false."""
        insns = sum(len(code.insns) for code in inner) // codegen.INSN
        return [compile_test(test, insns, self.pool), *inner]


def runs(leaves: list[Leaf], keys: Callable[[Leaf], Iterable], least: int) -> list[tuple[list[Leaf], object]]:
    """Rules in a row that have a key in common, with that key; those between with None."""
    having = list(map(keys, leaves))
    out: list[tuple[list[Leaf], object]] = []
    at = 0
    while at < len(leaves):
        end, best = at + 1, None
        for key in having[at]:
            behind = at + 1
            while behind < len(leaves) and key in having[behind]:
                behind += 1
            if behind - at >= least and behind > end:
                end, best = behind, key
        if best is None and out and out[-1][1] is None:
            out[-1][0].append(leaves[at])
        else:
            out.append((leaves[at:end], best))
        at = end
    return out


def left(leaf: Leaf, passed: frozenset) -> list:
    """The tests of a rule, except some."""
    return [test for test in tests(leaf.condition) if not isinstance(test, Int) and test not in passed]


def shared(run: list[Leaf], passed: frozenset) -> list:
    """The tests that all rules of a run have in common and that are worth a guard."""
    same = set.intersection(*(set(left(leaf, passed)) for leaf in run))
    return [test for test in left(run[0], passed) if test in same and (len(run) >= DOUBTED or not may_be_unknown(test))]


def texts(leaf: Leaf) -> dict[ir.StrRef, bytes]:
    """The strings that have to be one text, and which."""
    found = [test for test in tests(leaf.condition) if isinstance(test, StrTest) and test.op == "SEQ"]
    return {test.operand: test.text for test in reversed(found)}


def numbers(leaf: Leaf) -> dict:
    """The numbers that have to be one value, and which."""
    found = {}
    for test in tests(leaf.condition):
        about = None if may_be_unknown(test) else ranges(test)
        if about and len(about[1]) == 1 and about[1][0][0] == about[1][0][1]:
            found[about[0]] = about[1][0][0]
    return found
