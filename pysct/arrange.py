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

from pysct import codegen, glob, ir
from pysct.codegen import Code, compile_rule, compile_test
from pysct.implied import ranges, tests
from pysct.ir import Int, Op, StrTest, may_be_unknown
from pysct.pool import Pool
from pysct.simplify import chain

SHARED = 2  # rules in a row that share a test which is never unknown
DOUBTED = 6  # the same of one that can be, and so is tried again behind the guard
TEXTS = 12  # rules in a row, each with a beginning or end of one string, that are found by it
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
    continues: bool = False


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
        return Leaf(leaf.rule, condition, compile_rule(condition, leaf.rule, self.pool), leaf.continues)

    # ---------------------------------------------------- texts and numbers

    def looked_up(self, leaves: list[Leaf], levels: int) -> list[Code]:
        """Rules in a row that ask for some beginning or end of one string, or some value of one number, behind guards."""
        out: list[Code] = []
        for run, some in runs(leaves, asked, VALUES if levels else len(leaves) + 1):
            having = [asked(leaf) for leaf in run]
            keys = [key for key in having[0] if all(key in each for each in having)] if some else []
            # What tells most of them apart; and a number before a text.
            best = max(keys, key=lambda key: (len({each[key] for each in having}), not is_part(key)), default=None)
            entries = [(each[best], leaf) for each, leaf in zip(having, run)] if keys else []
            if best and not is_part(best):
                values = sorted(((value, leaf.code) for value, leaf in entries), key=lambda pair: pair[0])
                out += self.by_number(best, values, levels)
            elif len(entries) >= TEXTS:
                out += self.by_part(Found(*best, entries), levels)
            else:
                out += [leaf.code for leaf in run]
        return out

    def by_part(self, found: "Found", levels: int) -> list[Code]:
        """Rules that are false unless a string begins, or ends, with something; none is tried where it is unknown."""
        run, string = [leaf for _, leaf in found.entries], found.string
        inner = self.behind(found, found.entries, 0, levels)
        if len(inner) == len(run):
            return inner
        alone = [leaf for leaf in run if asks_only(leaf.condition, string)]  # first, while register 0 is unknown
        others = [leaf.code for leaf in run if not asks_only(leaf.condition, string)]
        unknown = [*(codegen.match(leaf.rule) for leaf in alone), *others]
        unknown.append(codegen.jump(codegen.length(inner)))
        return [codegen.compile_known(string, codegen.length(unknown), self.pool), *unknown, *inner]

    def behind(self, found: "Found", entries: list[tuple[bytes, Leaf]], known: int, levels: int) -> list[Code]:
        """The code of rules in their order, all of whose parts have the same `known` bytes, which were found.

        A rule that asks for no more keeps those before it from those behind it.
        """
        out: list[Code] = []
        row: list[tuple[bytes, Leaf]] = []
        for entry in entries:
            if len(entry[0]) > known:
                row.append(entry)
                continue
            out += [*self.apart(found, row, known, levels), entry[1].code]
            row = []
        return out + self.apart(found, row, known, levels)

    def apart(self, found: "Found", entries: list[tuple[bytes, Leaf]], known: int, levels: int) -> list[Code]:
        """Rules that ask for more than the `known` bytes: by the next byte they exclude each other, in any order."""
        if len(entries) < GUARDED or levels <= 0:
            return [leaf.code for _, leaf in entries]
        groups: dict[bytes, list[tuple[bytes, Leaf]]] = {}
        for entry in entries:
            groups.setdefault(entry[0][: known + 1], []).append(entry)
        alone = [leaf.code for group in groups.values() if not worthwhile(group) for _, leaf in group]
        out: list[Code] = alone
        for group in groups.values():
            if worthwhile(group):
                text = commonprefix([part for part, _ in group])
                inner = self.behind(found, group, len(text), levels - 1)
                if out:
                    inner.append(codegen.jump(codegen.length(out)))
                out = [*self.guard(found.test(text), inner), *out]
        return out

    def by_number(self, number, found: list[tuple[int, Code]], levels: int) -> list[Code]:
        """Rules in the order of their values, halved."""
        middle = len(found) // 2
        while middle and found[middle - 1][0] == found[middle][0]:
            middle -= 1
        if len(found) < GUARDED or not levels or not middle:
            return [code for _, code in found]
        below, above = (self.by_number(number, half, levels - 1) for half in (found[:middle], found[middle:]))
        test = Op("LEU" if ir.is_unsigned(number) else "LE", (number, Int(found[middle - 1][0])), 0, 1)
        return [*self.guard(test, [*below, codegen.jump(codegen.length(above))]), *above]

    def guard(self, test, inner: list[Code]) -> list[Code]:
        """Some code that is passed over where a test is false."""
        return [compile_test(test, codegen.length(inner), self.pool), *inner]


@dataclass(frozen=True, slots=True)
class Found:
    """Rules by the beginnings of a string, or by its ends, which are then written backwards."""

    string: ir.StrRef
    side: str
    entries: list[tuple[bytes, Leaf]]

    def test(self, text: bytes) -> StrTest:
        """Whether the string has a part."""
        return StrTest(self.side, self.string, text if self.side == "SPRE" else text[::-1])


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


def asked(leaf: Leaf) -> dict:
    """What a rule asks for that others may ask for in other ways: see parts() and numbers()."""
    # A rule that continues counts for each place in the program that it has, and by_part() gives it two.
    return numbers(leaf) | ({} if leaf.continues else parts(leaf))


def is_part(key) -> bool:
    return isinstance(key, tuple)


def parts(leaf: Leaf) -> dict[tuple[ir.StrRef, str], bytes]:
    """What strings have to begin and to end with, by the string and the opcode that says so; ends are written backwards."""
    found: dict[tuple[ir.StrRef, str], bytes] = {}
    for test in tests(leaf.condition):
        if isinstance(test, StrTest):
            first, last = glob.ends(test.text) if test.op in glob.OPCODES else (test.text, test.text)
            for side, text in (("SPRE", first), ("SSUF", last[::-1])):
                if text and test.op in {*glob.OPCODES, "SEQ", side}:
                    found.setdefault((test.operand, side), text)
    return found


def worthwhile(group: list[tuple[bytes, Leaf]]) -> bool:
    """Whether some rules cost more than a guard: many, or a glob or the like."""
    return len(group) >= GUARDED or any(is_dear(leaf.condition) for _, leaf in group)


def is_dear(node) -> bool:
    """Whether a condition has a test whose cost grows with its text, or one for each ancestor."""
    match node:
        case StrTest(op=op):
            return codegen.OPCODES[op].scales
        case ir.Chain(operands=operands) | Op(operands=operands) | ir.Mixed(operands=operands):
            return any(map(is_dear, operands))
        case ir.Each():
            return True
    return False


def asks_only(node, string: ir.StrRef) -> bool:
    """Whether a condition is unknown wherever one string is."""
    match node:
        case StrTest(operand=operand) | ir.Member(operand=operand):
            return operand == string
        case ir.Chain(operands=operands):
            return all(asks_only(operand, string) for operand in operands)
        case Op(op="FALSE" | "TRUE", operands=(operand,)):
            return asks_only(operand, string)
    return False


def numbers(leaf: Leaf) -> dict:
    """The numbers that have to be one value, and which."""
    found = {}
    for test in tests(leaf.condition):
        about = None if may_be_unknown(test) else ranges(test)
        if about and len(about[1]) == 1 and about[1][0][0] == about[1][0][1]:
            found[about[0]] = about[1][0][0]
    return found
