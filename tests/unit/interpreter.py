# SPDX-License-Identifier: GPL-2.0-only
"""What does the specification say that a program does?  Slowly, from its words, to compare the judge with.

Registers are Python integers modulo 2^64, or None where they are unknown.
"""

import re
from dataclasses import dataclass, field
from functools import cache

import memory

from pysct import abi
from pysct.image import Image, Prog
from pysct.judge import Call, Process

BITS = 64
MASK = (1 << BITS) - 1
OPCODES = {opcode.number: opcode for opcode in abi.OPCODES.values()}
FIELDS = {field.number: field for field in abi.FIELDS.values()}
KINDS = {kind.number: kind for kind in abi.KINDS.values()}


@dataclass
class Outcome:
    """What a program says of a call, and how many steps it took."""

    matched: list[int] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)
    steps: int = 0


def run(image: Image, prog: int, call: Call) -> Outcome:
    """Runs a program of an image."""
    program, outcome, regs = image.progs[prog], Outcome(), {}
    at = ancestor = block = 0
    doubt = False
    while True:
        number, dst, a, b, imm = program.insns[at]
        opcode = OPCODES[number]
        outcome.steps += cost(image, opcode, imm)
        at += 1
        match opcode.name:
            case "RET":
                return outcome
            case "MATCH":
                if regs[a] is None:
                    outcome.unknown.append(imm)
                elif regs[a]:
                    outcome.matched.append(imm)
                    if not image.rules[imm].flags & abi.RuleFlag.CONTINUE:
                        return outcome
            case "JF":
                at += imm if regs[a] == 0 else 0
            case "JT":
                at += imm if regs[a] else 0
            case "JMP":
                at += imm
            case "LDI":
                regs[dst] = imm & MASK
            case "LDC":
                regs[dst] = image.consts[imm] & MASK
            case "EACH":
                regs[dst], block, ancestor, doubt = 0, at, 0, False
                at += 0 if call.ancestors else imm
            case "NEXT":
                doubt, ancestor = doubt or regs[a] is None, ancestor + 1
                if regs[a]:
                    regs[a] = 1
                elif ancestor < min(len(call.ancestors), abi.Limit.ANCESTORS):
                    at = block
                else:
                    regs[a] = None if doubt or len(call.ancestors) > abi.Limit.ANCESTORS else 0
            case "LDF":
                regs[dst] = value_of(call, imm, ancestor)
            case "LDA":
                regs[dst] = widen(call.args[imm] if imm < len(call.args) else 0, program.kinds[imm])
            case "LDS":
                regs[dst] = memory.number(program, call, imm)
            case name if opcode.form in ("strconst", "strstr"):
                other = image.strings[imm] if opcode.form == "strconst" else text_of(program, call, b, ancestor)
                regs[dst] = compare(name, text_of(program, call, a, ancestor), other)
            case name if opcode.form == "unary":
                regs[dst] = unary(name, regs[a])
            case name:
                regs[dst] = binary(name, regs[a], regs[b])


def cost(image: Image, opcode: abi.Opcode, imm: int) -> int:
    """Steps of one instruction."""
    return opcode.cost * (min(max(len(image.strings[imm]), 1), abi.Limit.STRING) if opcode.scales else 1)


def signed(value: int) -> int:
    """A register as a signed number."""
    return value - (1 << BITS) if value >> (BITS - 1) else value


def widen(register: int, kind: int) -> int:
    """An argument register, by its kind, as a register of a program."""
    digits = f"{register & MASK:064b}"[-KINDS[kind].bits :]
    return int((digits[0] if KINDS[kind].signed else "0") * (BITS - len(digits)) + digits, 2)


def of_other(call: Call, number: int, ancestor: int) -> tuple[Process, int]:
    """The process that a field of PARENT or ANCESTOR is about, and the field's number among its own."""
    subject, _, name = FIELDS[number].name.partition(".")
    at = ancestor if subject == "ANCESTOR" else 0
    return call.ancestors[at] if at < len(call.ancestors) else Process(), abi.FIELDS[name].number


def value_of(call: Call, number: int, ancestor: int) -> int | None:
    if not FIELDS[number].subject:
        return call.fields.get(number, 0) & MASK
    process, own = of_other(call, number, ancestor)
    return process.fields[own] & MASK if own in process.fields else None


def text_of(program: Prog, call: Call, operand: int, ancestor: int) -> bytes | None:
    """What a string operand says, or None where it cannot be known."""
    if operand >= abi.SOURCE_OPERAND:
        return memory.text(program, call, operand - abi.SOURCE_OPERAND)
    if operand in FIELDS and FIELDS[operand].subject:
        process, own = of_other(call, operand, ancestor)
        text = process.strings.get(own)
    else:
        text = call.strings.get(operand)
    return text if isinstance(text, bytes) and len(text) < abi.Limit.STRING else None


def compare(name: str, text: bytes | None, other: bytes | None) -> int | None:
    """An opcode that compares strings."""
    if text is None or other is None:
        return None
    match name:
        case "SEQ" | "SEQS":
            return int(text == other)
        case "SPRE":
            return int(text[: len(other)] == other)
        case "SSUF":
            return int(len(other) <= len(text) and text[len(text) - len(other) :] == other)
        case "SCON":
            return int(any(text[at : at + len(other)] == other for at in range(len(text) + 1)))
        case "SGLOB" | "SPATH":
            return int(glob(other, text, name == "SPATH"))
    raise AssertionError(f"an opcode of no known meaning: {name}")


def unary(name: str, a: int | None) -> int | None:
    """An opcode with one register."""
    if a is None:
        return None
    match name:
        case "NEG":
            return -a & MASK
        case "NOT":
            return a ^ MASK
        case "FALSE":
            return 0 if a else 1
        case "TRUE":
            return 1 if a else 0
    raise AssertionError(f"an opcode of no known meaning: {name}")


def binary(name: str, a: int | None, b: int | None) -> int | None:
    """An opcode with two registers."""
    if name == "ALL":
        return 0 if a == 0 or b == 0 else None if a is None or b is None else 1
    if name == "ANY":
        return 1 if a or b else None if a is None or b is None else 0
    if a is None or b is None:
        return None
    if name in ("DIV", "MOD", "DIVU", "MODU"):
        return divide(name, a, b)
    x, y = signed(a), signed(b)
    table = {
        "ADD": a + b, "SUB": a - b, "MUL": a * b, "AND": a & b, "OR": a | b, "XOR": a ^ b,
        "SHL": a * 2 ** (b % 64), "SHR": a // 2 ** (b % 64), "SAR": x // 2 ** (b % 64),
        "EQ": a == b, "NE": a != b, "LT": x < y, "LE": x <= y, "LTU": a < b, "LEU": a <= b,
    }  # fmt: skip
    return int(table[name]) & MASK


def divide(name: str, a: int, b: int) -> int | None:
    """Division and remainder."""
    if b == 0:
        return None
    if name == "DIVU":
        return a // b
    if name == "MODU":
        return a % b
    x, y = signed(a), signed(b)
    quotient = abs(x) // abs(y)
    quotient = -quotient if (x < 0) != (y < 0) else quotient
    return (quotient if name == "DIV" else x - quotient * y) & MASK


def glob(pattern: bytes, text: bytes, path: bool = False) -> bool:
    """Does a glob match all of a text?"""
    return expression(pattern, path).fullmatch(text) is not None


@cache
def expression(pattern: bytes, path: bool = False) -> re.Pattern[bytes]:
    """The regular expression that means the same as a glob, each set written out."""
    out, at, slash = b"", 0, b"[^/]" if path else b"."
    while at < len(pattern):
        byte, start = pattern[at], at
        at += 1
        if byte == ord("*"):
            while at < len(pattern) and pattern[at] == byte:
                at += 1
            deep = at > start + 1
            if path and deep and pattern[at : at + 1] == b"/" and (start == 0 or pattern[start - 1] == ord("/")):
                out += b"(?:.*/)?"
                at += 1
            else:
                out += (b"." if deep else slash) + b"*"
        elif byte == ord("?"):
            out += slash
        elif byte == ord("["):
            members, at = members_of(pattern, at)
            members = [member for member in members if not path or member != ord("/")]
            out += b"[" + b"".join(b"\\x%02x" % member for member in members) + b"]" if members else b"(?!)"
        else:
            if byte == ord("\\") and at < len(pattern):
                byte = pattern[at]
                at += 1
            out += b"\\x%02x" % byte
    return re.compile(out, re.DOTALL)


def members_of(pattern: bytes, at: int) -> tuple[list[int], int]:
    """The bytes that a set holds which starts behind its bracket at `at`, and where it ends.

    A first ] is a member, and so is a - that stands first or last; a set that
    is not closed ends with the pattern.
    """
    negated = pattern[at : at + 1] in (b"!", b"^")
    at += negated
    first, tokens = at, []
    while at < len(pattern) and (at == first or pattern[at] != ord("]")):
        at += pattern[at] == ord("\\") and at + 1 < len(pattern)
        low = high = pattern[at]
        at += 1
        if pattern[at : at + 1] == b"-" and at + 1 < len(pattern) and pattern[at + 1] != ord("]"):
            at += 1
            at += pattern[at] == ord("\\") and at + 1 < len(pattern)
            high = pattern[at]
            at += 1
        tokens.append(range(low, high + 1))
    members = {byte for token in tokens for byte in token}
    return [byte for byte in range(256) if (byte in members) != negated], at + 1
