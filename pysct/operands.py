# SPDX-License-Identifier: GPL-2.0-only
"""What does each constant of a program stand for: with what is it compared or combined?

Goes through a program once, from the top: jumps go forward.  What a register
holds where ways meet is known if all of them agree.
"""

from collections import defaultdict
from dataclasses import dataclass

from pysct.abi import OPCODES
from pysct.image import Prog

OPS = {opcode.number: opcode for opcode in OPCODES.values()}
ORDERED = frozenset({"EQ", "NE", "LT", "LE", "LTU", "LEU", "SUB"})  # a range is x - low <= high - low
BITS = frozenset({"AND", "OR", "XOR"})
WRITTEN = {"imm": 1, "const": 1, "field": 1, "arg": 1, "source": 1, "unary": 1, "binary": 1, "strconst": 1, "strstr": 1, "each": 1, "next": 2}
"""By form, the place in an instruction of the register that it writes."""
ALL_BITS = -1


@dataclass(frozen=True)
class Number:
    """A constant, loaded at an instruction."""

    at: int
    value: int


@dataclass(frozen=True)
class Subject:
    """What is read of a call: `what` is field, arg or source, `number` which; only the bits of `mask` are left of it."""

    what: str
    number: int
    mask: int = ALL_BITS


@dataclass(frozen=True)
class Use:
    """A constant meets what is read of the call; `op` is the opcode's name."""

    op: str
    subject: Subject


Held = dict[int, Number | Subject]


def uses(prog: Prog, consts: tuple[int, ...]) -> dict[int, set[Use]]:
    """By the place of each instruction that loads a constant: what it meets.  A constant that meets nothing is left out."""
    found: dict[int, set[Use]] = defaultdict(set)
    coming: dict[int, Held] = {}
    held: Held | None = {}
    above: Held | None = None
    for at, (op, dst, a, b, imm) in enumerate(prog.insns):
        held = met(held, coming.pop(at, None))
        form = OPS[op].form if op in OPS else ""
        if form == "each":
            above = held
        if form in ("jump", "goto"):
            coming[at + 1 + imm] = met(held, coming.get(at + 1 + imm))
            held = None if form == "goto" else held
            continue
        made = None
        if form in ("imm", "const"):
            value = imm if form == "imm" else consts[imm] if 0 <= imm < len(consts) else None
            made = None if value is None else Number(at, value)
        elif form in ("field", "arg", "source"):
            made = Subject(form, imm)
        elif form == "binary":
            made = combined(OPS[op].name, held.get(a), held.get(b), found)
        if form in WRITTEN:
            held = {**held, (op, dst, a, b, imm)[WRITTEN[form]]: made}
        if form == "next":
            held = met(held, above)  # there may be no ancestor
        held = None if form == "none" else held
    return found


def met(one: Held | None, other: Held | None) -> Held:
    """What registers hold where two ways meet; None is no way."""
    if one is None or other is None:
        return one or other or {}
    return {register: what for register, what in one.items() if other.get(register) == what}


def combined(op: str, a: Number | Subject | None, b: Number | Subject | None, found: dict[int, set[Use]]) -> Subject | None:
    """Notes that a constant meets something; what of that is left."""
    number, subject = (a, b) if isinstance(a, Number) else (b, a)
    if not isinstance(number, Number) or not isinstance(subject, Subject):
        return None
    if op in ORDERED | BITS or op == "SHR" and number is b:
        found[number.at].add(Use(op, subject))
    return Subject(subject.what, subject.number, subject.mask & number.value) if op == "AND" else None
