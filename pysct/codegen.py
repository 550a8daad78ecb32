# SPDX-License-Identifier: GPL-2.0-only
"""Which instructions decide a condition?

A node's value is computed into the register it is given; those above it are
free.  In three-valued logic ALL and ANY need both operands unless one decides,
but their order never matters: the cheap ones are tested first.
"""

import struct
from dataclasses import dataclass

from pysct import fold, sets
from pysct.abi import INSN_FORMAT, OPCODES, SOURCE_OPERAND, Limit
from pysct.ir import Chain, Each, Int, Load, Member, Mixed, Op, StrPair, StrRef, StrTest, is_truth, may_be_unknown
from pysct.pool import Pool
from pysct.reading import Reading
from pysct.steps import MANY, Steps

NUMBERS = {name: opcode.number for name, opcode in OPCODES.items()}
pack = struct.Struct(INSN_FORMAT).pack
INSN = struct.calcsize(INSN_FORMAT)
OPERAND, INDEX = struct.Struct("<B"), struct.Struct("<i")  # how an instruction means a source: as a, as b, as imm
PLACES = ((2, OPERAND), (3, OPERAND), (4, INDEX))  # of a, b and imm in an instruction
RET = pack(NUMBERS["RET"], 0, 0, 0, 0)


class TooComplex(Exception):
    """The condition needs more registers than there are."""


@dataclass(frozen=True, slots=True)
class Code:
    """Instructions as bytes.

    Which of its program's sources an instruction means is filled in at last: `readings` are (where in the bytes, how, what).
    """

    insns: bytes
    readings: tuple[tuple[int, struct.Struct, Reading], ...] = ()

    def finished(self, sources: dict[Reading, int]) -> bytes:
        """The instructions of a program with these sources."""
        if not self.readings:
            return self.insns
        insns = bytearray(self.insns)
        for at, form, reading in self.readings:
            form.pack_into(insns, at, sources[reading] + (0 if form is INDEX else SOURCE_OPERAND))
        return bytes(insns)


def compile_rule(condition, rule: int, pool: Pool) -> Code | None:
    """The code that tells whether rule number `rule` matches; None if it never does. Raises TooComplex."""
    if isinstance(condition, Int) and not condition.value:
        return None
    try:
        return Generator(pool, frugal=False).rule(condition, rule)
    except TooComplex:
        return Generator(pool, frugal=True).rule(condition, rule)


def compile_test(condition, insns: int, pool: Pool) -> Code:
    """The code that passes over the next `insns` instructions where a condition is false. Raises TooComplex."""
    try:
        return Generator(pool, frugal=False).test(condition, insns)
    except TooComplex:
        return Generator(pool, frugal=True).test(condition, insns)


def compile_known(string: StrRef, insns: int, pool: Pool) -> Code:
    """The code that passes over the next `insns` instructions where a string is known; there register 0 is unknown."""
    generator = Generator(pool, frugal=False)
    generator.value(StrTest("SPRE", string, b""), 0)
    generator.emit("JT", 0, 0, 0, insns)
    return generator.made()


def match(rule: int) -> Code:
    """The code that lets rule number `rule` be what register 0 says."""
    return Code(pack(NUMBERS["MATCH"], 0, 0, 0, rule))


def jump(insns: int) -> Code:
    """The code that passes over the next `insns` instructions."""
    return Code(pack(NUMBERS["JMP"], 0, 0, 0, insns))


def length(codes: list[Code]) -> int:
    """How many instructions some code has."""
    return sum(len(code.insns) for code in codes) // INSN


class Generator:
    """Writes the code of one rule. `frugal` saves registers where it would else save time."""

    def __init__(self, pool: Pool, frugal: bool):
        self.pool, self.frugal = pool, frugal
        self.cost_of = Steps().of
        self.needs: dict[int, int] = {}
        self.code: list[tuple[str, int, int | Reading, int | Reading, int | Reading]] = []

    def need(self, node) -> int:
        """How many registers it takes to compute a node, in the best order (Sethi and Ullman)."""
        found = self.needs.get(id(node))
        if found is None:
            found = self.needs[id(node)] = self.count_need(node)
        return found

    def count_need(self, node) -> int:
        match node:
            case Chain():
                first, second, *_ = sorted(map(self.need, node.operands), reverse=True)
                return max(first, 1 + second)
            case Op(operands=(left, right)) | Mixed(operands=(left, right)):
                left, right = self.need(left), self.need(right)
                least = 3 if isinstance(node, Mixed) else 2
                return max(left, right, least) if left != right else max(left + 1, least)
            case Op(operands=(operand,)) | Each(operand=operand):
                return self.need(operand)
            case Member():
                return 1 if isinstance(node.elements[0], bytes) else max(1 + self.need(node.operand), 3)
        return 1

    def rule(self, condition, rule: int) -> Code:
        self.value(condition, 0, leave=1)
        self.emit("MATCH", 0, 0, 0, rule)
        return self.made()

    def test(self, condition, insns: int) -> Code:
        self.value(condition, 0)
        self.emit("JF", 0, 0, 0, insns)
        return self.made()

    def made(self) -> Code:
        insns, readings = [], []
        for op, dst, *operands in self.code:
            for (place, form), operand in zip(PLACES, operands):
                if isinstance(operand, Reading):
                    readings.append((len(insns) * INSN + place, form, operand))
            insns.append(pack(NUMBERS[op], dst, *(0 if isinstance(each, Reading) else each for each in operands)))
        return Code(b"".join(insns), tuple(readings))

    def emit(self, op: str, dst: int, a=0, b=0, imm=0):
        """Append an instruction; a, b and imm are numbers, or a Reading for the source that they mean."""
        self.code.append((op, dst, a, b, imm))

    def value(self, node, reg: int, leave: int = 0):
        """Compute a node into `reg`. A condition that is false may skip `leave` instructions behind it."""
        if reg >= Limit.REGS:
            raise TooComplex
        match node:
            case Int():
                self.number(node.value, reg)
            case Load():
                self.emit(node.op, reg, imm=node.index)
            case StrTest():
                self.emit(node.op, reg, node.operand.operand, imm=self.pool.string(node.text))
            case StrPair():
                self.emit("SEQS", reg, node.left.operand, node.right.operand)
            case Op(operands=(operand,)):
                self.value(operand, reg)
                self.emit(node.op, reg, reg)
            case Op():
                self.emit(node.op, reg, *self.operands(node, reg))
            case Each():
                self.each(node, reg)
            case Mixed():
                self.mixed(node, reg)
            case Chain():
                self.chain(node, reg, leave)
            case Member():
                self.member(node, reg)

    def each(self, node: Each, reg: int):
        """A block, which may run for each of the ancestors."""
        at = len(self.code)
        self.emit("EACH", reg)
        self.value(node.operand, reg)
        self.emit("NEXT", 0, reg)
        self.land([at], len(self.code))

    def number(self, value: int, reg: int):
        value = fold.wrap(value, unsigned=False)
        short = -(1 << 31) <= value < 1 << 31
        self.emit("LDI" if short else "LDC", reg, imm=value if short else self.pool.const(value))

    def operands(self, node: Op | Mixed, reg: int) -> tuple[int, int]:
        """Compute two operands into `reg` and the next one; which of these holds the left one, and which the right."""
        left, right = node.operands
        if self.need(right) > self.need(left):
            self.value(right, reg)
            self.value(left, reg + 1)
            return reg + 1, reg
        self.value(left, reg)
        self.value(right, reg + 1)
        return reg, reg + 1

    def mixed(self, node: Mixed, reg: int):
        """The unsigned comparison is right unless the left side is negative.

        Joined by AND and OR, of bits: an unknown operand makes all of it unknown.
        """
        signed, unsigned = self.operands(node, reg)
        if reg + 2 >= Limit.REGS:
            raise TooComplex
        self.number(0, reg + 2)
        self.emit("LT", reg + 2, signed, reg + 2)
        if node.op == "EQ":
            self.emit("FALSE", reg + 2, reg + 2)
        self.emit({"EQ": "EQ", "LT": "LTU", "LE": "LEU"}[node.op], reg, signed, unsigned)
        self.emit("AND" if node.op == "EQ" else "OR", reg, reg, reg + 2)

    def chain(self, node: Chain, reg: int, leave: int):
        """Each operand that decides jumps to the end, where `reg` holds what it decided.

        Behind the jump an operand that is known has nothing more to say: the next one takes its register.
        """
        order = (lambda operand: -self.need(operand)) if self.frugal else self.cost_of
        jump = "JF" if node.op == "ALL" else "JT"
        jumps, known, last = [], True, len(node.operands) - 1
        for index, operand in enumerate(sorted(node.operands, key=order)):
            if index:
                jumps.append(len(self.code))
                self.emit(jump, 0, reg)
            self.value(operand, reg if known else reg + 1)
            if not known:
                self.emit(node.op, reg, reg, reg + 1)
            elif not (leave or is_truth(operand)) and (node.op == "ANY" or index == last):  # the result is 0 or 1
                self.emit("TRUE", reg, reg)
            known = known and not may_be_unknown(operand)
        self.land(jumps, len(self.code) + (leave if node.op == "ALL" else 0))

    def member(self, node: Member, reg: int):
        """Elements are known now, so that they are all unknown together: each test overwrites the one before."""
        strings = isinstance(node.elements[0], bytes)
        if not strings:
            self.value(node.operand, reg + 1)
        if len(node.elements) >= MANY:
            sets.find(self, node, reg)
            return
        jumps = []
        for index, element in enumerate(node.elements):
            if index:
                jumps.append(len(self.code))
                self.emit("JT", 0, reg)
            if strings:
                self.emit("SEQ", reg, node.operand.operand, imm=self.pool.string(element))
            else:
                self.within(element, reg)
        self.land(jumps, len(self.code))

    def within(self, bounds: tuple[int, int], reg: int):
        """Whether register `reg` + 1 lies within bounds: by one unsigned comparison of its distance from the lower."""
        low, high = bounds
        if low == high:
            self.number(low, reg)
            self.emit("EQ", reg, reg + 1, reg)
            return
        if reg + 2 >= Limit.REGS:
            raise TooComplex
        self.number(low, reg)
        self.emit("SUB", reg, reg + 1, reg)
        self.number(high - low, reg + 2)
        self.emit("LEU", reg, reg, reg + 2)

    def land(self, jumps: list[int], end: int):
        for at in jumps:
            op, dst, a, b, _ = self.code[at]
            self.code[at] = (op, dst, a, b, end - at - 1)
