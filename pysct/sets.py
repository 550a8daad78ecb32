# SPDX-License-Identifier: GPL-2.0-only
"""Which instructions find out whether a value is one of many?

Those that have a beginning in common, or lie in one half of the numbers, are
passed at once.  All ways meet at the end, where the register holds the test
that decided, or is unknown.
"""

from itertools import groupby
from os.path import commonprefix

from pysct.implied import merged
from pysct.ir import Member, StrRef, is_unsigned

FEW = 4  # elements that are tried one by one
LEVELS = 12  # of beginnings inside each other


class Search:
    """Writes into a Generator's code whether a value is in a set; `ends` are jumps to the end."""

    def __init__(self, generator, reg: int):
        self.generator, self.reg, self.ends = generator, reg, []

    def leap(self, jumps: list[int], op: str = "JMP"):
        """A jump that is one of some that will land together."""
        jumps.append(len(self.generator.code))
        self.generator.emit(op, 0, 0 if op == "JMP" else self.reg)

    def land(self, jumps: list[int]):
        self.generator.land(jumps, len(self.generator.code))

    def test(self, op: str, string: StrRef, text: bytes):
        self.generator.emit(op, self.reg, string.operand, imm=self.generator.pool.string(text))

    def texts(self, string: StrRef, some: list[bytes], levels: int = LEVELS):
        """Leaps to the end as soon as one of some sorted texts fits; behind it the register is false."""
        known = len(commonprefix((some[0], some[-1])))
        for _, group in groupby(some, lambda text: text[: known + 1]):
            part = list(group)
            if len(part) < FEW or not levels:
                for text in part:
                    self.test("SEQ", string, text)
                    self.leap(self.ends, "JT")
                continue
            passed: list[int] = []
            self.test("SPRE", string, commonprefix((part[0], part[-1])))
            self.leap(passed, "JF")
            self.texts(string, part, levels - 1)
            self.leap(self.ends)
            self.land(passed)

    def ranges(self, some: list[tuple[int, int]], less: str):
        """The same of the next register and some sorted ranges."""
        if len(some) < FEW:
            for bounds in some:
                self.generator.within(bounds, self.reg)
                self.leap(self.ends, "JT")
            return
        middle, passed = len(some) // 2, []
        self.generator.number(some[middle][0], self.reg)
        self.generator.emit(less, self.reg, self.reg + 1, self.reg)
        self.leap(passed, "JF")
        self.ranges(some[:middle], less)
        self.leap(self.ends)
        self.land(passed)
        self.ranges(some[middle:], less)


def find(generator, node: Member, reg: int):
    """Computes into `reg` whether a string, or the number in the register behind it, is in a set."""
    search = Search(generator, reg)
    if isinstance(node.elements[0], bytes):
        search.test("SPRE", node.operand, b"")  # one that is unknown would be tried in all places
        generator.emit("JT", 0, reg, 0, 1)
        search.leap(search.ends)
        search.texts(node.operand, sorted(node.elements))
    else:
        search.ranges(list(merged(node.elements)), "LTU" if is_unsigned(node.operand) else "LT")
    # Truth values stay as they are: a jump goes further than to the next instruction, and not behind the last one.
    generator.emit("TRUE", reg, reg)
    search.land(search.ends)
    generator.emit("TRUE", reg, reg)
