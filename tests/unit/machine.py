# SPDX-License-Identifier: GPL-2.0-only
"""What does an image do with a call?  The bytecode's meaning, in the words of the specification.

For tests of the compiler alone: the kernel's own judge is tested elsewhere.
"""

from dataclasses import dataclass, field

from pysct.abi import ABIS, FIELDS, KINDS, OPCODES, PHASES, RuleFlag
from pysct.glob import compile_glob
from pysct.image import Image, decode
from pysct.tables import CALLS

UNKNOWN = None
MASK = (1 << 64) - 1
NAMES = {opcode.number: opcode.name for opcode in OPCODES.values()}
FIELD_NAMES = {entry.number: entry.name for entry in FIELDS.values()}
KIND_NAMES = {kind.number: kind for kind in KINDS.values()}


@dataclass
class Event:
    """A call: `args` are registers, or what a string argument points to as bytes, UNKNOWN if that cannot be read."""

    call: str
    args: tuple = ()
    phase: str = "before"
    fields: dict = field(default_factory=dict)
    abi: str = "x86_64"


@dataclass
class Verdict:
    """Names of the rules that matched, in order, and of those that were unknown."""

    matched: list[str]
    unknown: list[str]


def signed(value: int) -> int:
    value &= MASK
    return value - (1 << 64) if value >> 63 else value


def divide(a: int, b: int) -> int:
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


NUMERIC = {  # on values modulo 2^64
    "ADD": lambda a, b: a + b,
    "SUB": lambda a, b: a - b,
    "MUL": lambda a, b: a * b,
    "AND": lambda a, b: a & b,
    "OR": lambda a, b: a | b,
    "XOR": lambda a, b: a ^ b,
    "SHL": lambda a, b: a << (b & 63),
    "SHR": lambda a, b: a >> (b & 63),
    "SAR": lambda a, b: signed(a) >> (b & 63),
    "DIV": lambda a, b: divide(signed(a), signed(b)),
    "DIVU": lambda a, b: a // b,
    "MOD": lambda a, b: signed(a) - divide(signed(a), signed(b)) * signed(b),
    "MODU": lambda a, b: a % b,
    "EQ": lambda a, b: a == b,
    "NE": lambda a, b: a != b,
    "LTU": lambda a, b: a < b,
    "LEU": lambda a, b: a <= b,
    "LT": lambda a, b: signed(a) < signed(b),
    "LE": lambda a, b: signed(a) <= signed(b),
    "NEG": lambda a: -a,
    "NOT": lambda a: ~a,
    "FALSE": lambda a: a == 0,
    "TRUE": lambda a: a != 0,
}
STRINGS = {
    "SEQ": lambda a, b: a == b,
    "SEQS": lambda a, b: a == b,
    "SPRE": bytes.startswith,
    "SSUF": bytes.endswith,
    "SCON": lambda a, b: b in a,
    "SGLOB": lambda a, b: compile_glob(b).fullmatch(a) is not None,
}


def all_of(a, b):
    if a == 0 or b == 0:
        return 0
    return UNKNOWN if a is UNKNOWN or b is UNKNOWN else 1


def any_of(a, b):
    if a or b:
        return 1
    return UNKNOWN if a is UNKNOWN or b is UNKNOWN else 0


class Machine:
    """Judges calls by an image."""

    def __init__(self, image: bytes | Image):
        self.image = image if isinstance(image, Image) else decode(image)
        self.progs = {(prog.abi, prog.nr, prog.phase): prog for prog in self.image.progs}

    def judge(self, event: Event) -> Verdict:
        prog = self.progs.get((ABIS[event.abi].number, CALLS[event.abi][event.call][0], PHASES[event.phase]))
        return Run(self.image, prog, event).verdict if prog else Verdict([], [])


class Run:
    """One judgement."""

    def __init__(self, image: Image, prog, event: Event):
        self.image, self.prog, self.event = image, prog, event
        self.regs: dict[int, int | None] = {}
        self.verdict = Verdict([], [])
        at = 0
        while at is not None:
            at = self.step(at, *prog.insns[at])

    def step(self, at: int, op: int, dst: int, a: int, b: int, imm: int) -> int | None:
        name = NAMES[op]
        if name == "RET":
            return None
        if name == "MATCH":
            return self.match(at, self.regs[a], self.image.rules[imm])
        if name in ("JF", "JT"):
            value = self.regs[a]
            taken = value is not UNKNOWN and bool(value) == (name == "JT")
            return at + 1 + imm * taken
        self.regs[dst] = self.compute(name, a, b, imm)
        return at + 1

    def match(self, at: int, value, rule) -> int | None:
        name = rule.name.decode("utf-8", "surrogateescape")
        if value is UNKNOWN:
            self.verdict.unknown.append(name)
        elif value:
            self.verdict.matched.append(name)
            if not rule.flags & RuleFlag.CONTINUE:
                return None
        return at + 1

    def compute(self, name: str, a: int, b: int, imm: int):
        if name == "LDI":
            return imm & MASK
        if name == "LDC":
            return self.image.consts[imm] & MASK
        if name == "LDF":
            return self.event.fields[FIELD_NAMES[imm]] & MASK
        if name == "LDA":
            return self.argument(imm)
        if name in STRINGS:
            text = self.string(a)
            other = self.string(b) if name == "SEQS" else self.image.strings[imm]
            return UNKNOWN if text is UNKNOWN or other is UNKNOWN else int(STRINGS[name](text, other))
        if name in ("ALL", "ANY"):
            return (all_of if name == "ALL" else any_of)(self.regs[a], self.regs[b])
        operands = [self.regs[a], self.regs[b]] if OPCODES[name].form == "binary" else [self.regs[a]]
        if UNKNOWN in operands or name in ("DIV", "DIVU", "MOD", "MODU") and operands[1] == 0:
            return UNKNOWN
        return int(NUMERIC[name](*operands)) & MASK

    def argument(self, index: int) -> int:
        kind = KIND_NAMES[self.prog.kinds[index]]
        value = self.event.args[index] & ((1 << kind.bits) - 1)
        if kind.signed and value >> (kind.bits - 1):
            value -= 1 << kind.bits
        return value & MASK

    def string(self, operand: int):
        return self.event.args[operand] if operand < 6 else self.event.fields[FIELD_NAMES[operand]]
