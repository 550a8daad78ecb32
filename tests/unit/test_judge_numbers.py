# SPDX-License-Identifier: GPL-2.0-only
"""Does the kernel's judge calculate as the specification says, at every edge?

A program shows a register by 64 rules, one for each of its bits.
"""

import struct
from functools import cache
from itertools import product

import interpreter
import pytest
import random_programs as programs

from pysct import abi, image
from pysct.judge import Call, Judge

U64 = abi.KINDS["u64"].number
BINARY = [name for name, opcode in abi.OPCODES.items() if opcode.form == "binary"]
UNARY = [name for name, opcode in abi.OPCODES.items() if opcode.form == "unary"]
LEAST, MOST = 2**63, 2**63 - 1  # the most negative number and the most positive, as registers
MINUS_1 = 2**64 - 1
UNKNOWN = None


def insn(name: str, dst: int = 0, a: int = 0, b: int = 0, imm: int = 0) -> tuple[int, int, int, int, int]:
    return (abi.OPCODES[name].number, dst, a, b, imm)


def shower(kinds: tuple[int, ...], before: list) -> Judge:
    """Rules that show what `before` leaves in register 2."""
    insns = [*before, insn("LDI", 0, imm=1)]
    for bit in range(64):
        insns += [insn("AND", 1, 2, 0), insn("MATCH", a=1, imm=bit), insn("SHR", 2, 2, 0)]
    insns.append(insn("RET"))
    rules = [programs.rule_bytes(bit, 0, bit < 63) for bit in range(64)]
    data = image.encode({
        "progs": (programs.prog_bytes(0, 0, kinds, 0, insns, []), 1),
        "rules": (b"".join(rules), len(rules)),
        "insns": (b"".join(struct.pack(abi.INSN_FORMAT, *entry) for entry in insns), len(insns)),
        "consts": (struct.pack("<q", -(2**63)), 1),
        **image.string_sections([b"rule"]),
        "source": (b"", 0),
    })  # fmt: skip
    return Judge(data)


def show(rules: Judge, *args: int) -> int | None:
    """The register that a shower shows."""
    verdict = rules.judge(0, 0, 0, Call(args))
    if verdict.unknown:
        assert len(verdict.unknown) == 64 and not verdict.matched
        return UNKNOWN
    return sum(1 << bit for bit in verdict.matched)


@cache
def operation(name: str) -> Judge:
    """Register 2 = argument 0 `name` argument 1; unknown operands are made of a division by zero."""
    load = [insn("LDA", 0, imm=0), insn("LDA", 1, imm=1)]
    return shower((U64, U64), [*load, insn(name, 2, 0, 1 if name in BINARY else 0)])


@pytest.mark.parametrize("name", [*BINARY, *UNARY])
def test_every_edge(name):
    for a, b in product(programs.EDGES, programs.EDGES if name in BINARY else (0,)):
        expected = interpreter.binary(name, a, b) if name in BINARY else interpreter.unary(name, a)
        assert show(operation(name), a, b) == expected, (name, a, b)


@pytest.mark.parametrize(
    "name, a, b, result",
    [
        ("DIV", LEAST, MINUS_1, LEAST),
        ("MOD", LEAST, MINUS_1, 0),
        ("DIV", -7 % 2**64, 2, -3 % 2**64),
        ("MOD", -7 % 2**64, 2, MINUS_1),
        ("MOD", 7, -2 % 2**64, 1),
        ("DIVU", MINUS_1, 2, MOST),
        ("MODU", LEAST, MINUS_1, LEAST),
        *[(name, 5, 0, UNKNOWN) for name in ("DIV", "MOD", "DIVU", "MODU")],
        *[(name, LEAST, 0, UNKNOWN) for name in ("DIV", "MOD", "DIVU", "MODU")],
        ("SHL", 1, 63, LEAST),
        ("SHL", 1, 64, 1),
        ("SHL", 1, 65, 2),
        ("SHL", 1, MINUS_1, LEAST),
        ("SHR", LEAST, 63, 1),
        ("SHR", LEAST, 127, 1),
        ("SAR", LEAST, 63, MINUS_1),
        ("SAR", LEAST, 64, LEAST),
        ("SAR", MOST, 255, 0),
        ("MUL", LEAST, MINUS_1, LEAST),
        ("NEG", LEAST, 0, LEAST),
        ("LT", LEAST, MOST, 1),
        ("LTU", LEAST, MOST, 0),
    ],
)
def test_named_edges(name, a, b, result):
    assert show(operation(name), a, b) == result


TRUTHS = {"false": 0, "true": 1, "unknown": None}


def truth(register: int, value: int | None) -> list:
    """Instructions that make a register false, true or unknown; the number of an unknown one is 0 or not."""
    if value is not None:
        return [insn("LDI", register, imm=value * 6)]
    return [insn("LDI", register, imm=6), insn("LDI", 15, imm=0), insn("DIV", register, register, 15)]


@pytest.mark.parametrize("name", [*BINARY, *UNARY])
def test_unknown_operands(name):
    for a, b in product(TRUTHS.values(), repeat=2):
        expected = (
            interpreter.binary(name, *(value and 6 for value in (a, b))) if name in BINARY else interpreter.unary(name, a and 6)
        )
        rules = shower((), [*truth(3, a), *truth(4, b), insn(name, 2, 3, 4 if name in BINARY else 0)])
        assert show(rules) == expected, (name, a, b)


@pytest.mark.parametrize("name", ["ALL", "ANY"])
def test_a_number_behind_an_unknown_register_does_not_count(name):
    """The same with a register that was 6 and not 0 when it became unknown."""
    for known in (0, 1):
        made = [insn("LDI", 3, imm=6), *truth(4, None), insn("ADD", 3, 3, 4), *truth(5, known)]
        expected = interpreter.binary(name, None, known)
        assert show(shower((), [*made, insn(name, 2, 3, 5)])) == expected
        assert show(shower((), [*made, insn(name, 2, 5, 3)])) == expected


@pytest.mark.parametrize("kind", abi.KINDS.values(), ids=lambda kind: kind.name)
def test_widening(kind):
    rules = shower((kind.number,), [insn("LDA", 2, imm=0)])
    for value in (*programs.EDGES, 0x123456789ABCDEF0, 0xFEDCBA9876543210):
        low = value % 2**kind.bits
        expected = low - 2**kind.bits if kind.signed and low >= 2 ** (kind.bits - 1) else low
        assert show(rules, value) == expected % 2**64, value


def test_immediates_and_constants():
    assert show(shower((), [insn("LDI", 2, imm=-1)])) == MINUS_1
    assert show(shower((), [insn("LDI", 2, imm=-(2**31))])) == 2**64 - 2**31
    assert show(shower((), [insn("LDC", 2, imm=0)])) == LEAST
