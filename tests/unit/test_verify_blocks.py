# SPDX-License-Identifier: GPL-2.0-only
"""Which blocks for each ancestor does the verifier take, and what do they cost?"""

import pytest
from parts import insn, one

from pysct.abi import ERRORS, FIELDS, OPCODES, Limit
from pysct.judge import verify

UID, COMM = FIELDS["ANCESTOR.UID"].number, FIELDS["ANCESTOR.COMM"].number
PARENT = FIELDS["PARENT.UID"].number
LDI, RET = insn("LDI", 0, imm=1), insn("RET")
LOAD = insn("LDF", 1, imm=UID)
NEXT = insn("NEXT", a=1)


def each(length: int) -> list[int]:
    return insn("EACH", 1, imm=length)


TAKEN = {
    "of one instruction": [each(2), LOAD, NEXT, RET],
    "of none": [each(1), NEXT, RET],
    "a string": [each(2), insn("SEQ", 1, a=COMM), NEXT, RET],
    "two strings": [each(2), insn("SEQS", 1, a=COMM, b=COMM), NEXT, RET],
    "a jump to its end": [each(4), LOAD, insn("JT", a=1, imm=1), LOAD, NEXT, RET],
    "a jump past a part of it": [each(4), LOAD, insn("JMP", imm=1), LOAD, NEXT, RET],
    "passed without a condition": [LDI, insn("JMP", imm=3), each(2), LOAD, NEXT, RET],
    "one behind the other": [each(2), LOAD, NEXT, each(2), LOAD, NEXT, RET],
    "passed by a jump": [LDI, insn("JF", a=0, imm=3), each(2), LOAD, NEXT, RET],
    "reached by a jump": [LDI, insn("JF", a=0, imm=1), LDI, each(2), LOAD, NEXT, RET],
    "what it computed, behind it": [each(2), LOAD, NEXT, insn("NOT", 1, a=1), RET],
    "the parent outside": [insn("LDF", 0, imm=PARENT), RET],
    "the parent inside": [each(2), insn("LDF", 1, imm=PARENT), NEXT, RET],
    "all registers set before": [*(insn("LDI", at, imm=1) for at in range(Limit.REGS)), each(2), LOAD, NEXT, RET],
}
REFUSED = {
    "an ancestor outside": ("BLOCK", 0, [insn("LDF", 0, imm=UID), RET]),
    "an ancestor behind": ("BLOCK", 3, [each(2), LOAD, NEXT, insn("LDF", 0, imm=UID), RET]),
    "a string of an ancestor outside": ("BLOCK", 0, [insn("SEQ", 0, a=COMM), RET]),
    "a second string of an ancestor outside": ("BLOCK", 0, [insn("SEQS", 0, a=FIELDS["COMM"].number, b=COMM), RET]),
    "no end": ("BLOCK", 0, [each(2), LOAD, LOAD, RET]),
    "an end with another register": ("BLOCK", 1, [LDI, each(2), LOAD, insn("NEXT", a=0), RET]),
    "an end behind the program": ("BLOCK", 0, [each(3), LOAD, NEXT, RET]),
    "an end far behind the program": ("BLOCK", 0, [each(2**31 - 1), LOAD, NEXT, RET]),
    "an end without beginning": ("BLOCK", 1, [insn("LDI", 1, imm=1), NEXT, RET]),
    "an end at the very beginning": ("UNSET", 0, [NEXT, RET]),
    "a second end": ("BLOCK", 3, [each(2), LOAD, NEXT, NEXT, RET]),
    "an early end": ("BLOCK", 2, [each(3), LOAD, NEXT, NEXT, RET]),
    "a block inside": ("BLOCK", 1, [each(4), each(2), LOAD, NEXT, NEXT, RET]),
    "a rule that matches inside": ("BLOCK", 1, [each(2), insn("MATCH", a=1), NEXT, RET]),
    "the program's end inside": ("END", 1, [each(3), RET, LOAD, NEXT, RET]),
    "a jump out": ("BLOCK", 2, [each(3), LOAD, insn("JT", a=1, imm=1), NEXT, RET]),
    "a jump out without a condition": ("BLOCK", 2, [each(3), LOAD, insn("JMP", imm=1), NEXT, RET]),
    "a jump far out": ("BLOCK", 1, [each(3), insn("JMP", imm=2**31 - 1), LOAD, NEXT, RET]),
    "a jump in without a condition": ("BLOCK", 2, [LDI, insn("JMP", imm=2), each(3), LOAD, LOAD, NEXT, RET]),
    "a jump without a condition to its end from outside": ("BLOCK", 2, [LDI, insn("JMP", imm=2), each(2), LOAD, NEXT, RET]),
    "a jump in from what nothing leads to": ("BLOCK", 3, [LDI, insn("JMP", imm=1), insn("JT", a=0, imm=1), each(2), LOAD, NEXT, RET]),
    "a jump in": ("BLOCK", 2, [LDI, insn("JF", a=0, imm=2), each(3), LOAD, LOAD, NEXT, RET]),
    "a jump to the first inside": ("BLOCK", 2, [LDI, insn("JF", a=0, imm=1), each(2), LOAD, NEXT, RET]),
    "a jump to its end from outside": ("BLOCK", 2, [LDI, insn("JF", a=0, imm=2), each(2), LOAD, NEXT, RET]),
    "a register set inside, read behind": ("UNSET", 4, [each(3), LOAD, insn("LDI", 5, imm=1), NEXT, insn("NOT", 0, a=5), RET]),
    "length 0": ("OPERAND", 0, [each(0), NEXT, RET]),
    "length -1": ("OPERAND", 0, [each(-1), NEXT, RET]),
    "to register 16": ("OPERAND", 0, [insn("EACH", 16, imm=1), NEXT, RET]),
    "an operand": ("OPERAND", 0, [insn("EACH", 1, a=1, imm=1), NEXT, RET]),
    "an end with a number": ("OPERAND", 1, [each(1), insn("NEXT", a=1, imm=1), RET]),
}


@pytest.mark.parametrize("what", TAKEN)
def test_taken(what):
    error = verify(one(*TAKEN[what]).bytes())
    assert error is None, (ERRORS[error.code].name, error.index, error.value)


@pytest.mark.parametrize("what", REFUSED)
def test_refused(what):
    name, index, insns = REFUSED[what]
    error = verify(one(*insns).bytes())
    assert error is not None, "it was accepted"
    assert ERRORS[error.code].name == name and (name == "END" or error.index == index)


def test_a_block_costs_as_often_as_it_may_run():
    parts = one(each(2), LOAD, NEXT, RET)
    inside = OPCODES["LDF"].cost + OPCODES["NEXT"].cost
    cost = OPCODES["EACH"].cost + Limit.ANCESTORS * inside + OPCODES["RET"].cost
    for said in (cost - 1, cost, cost + 1):
        parts.progs[0].cost = said
        error = verify(parts.bytes())
        assert (error is None) == (said == cost)


COST = {name: opcode.cost for name, opcode in OPCODES.items()}
AROUND = COST["EACH"] + COST["RET"]
WAYS = {  # a program, and what its longest way costs
    "past a part of the block": (
        [each(6), LOAD, insn("JMP", imm=3), LOAD, LOAD, LOAD, NEXT, RET],
        AROUND + Limit.ANCESTORS * (COST["LDF"] + COST["JMP"] + COST["NEXT"]),
    ),
    "through the block, or past a part": (
        [each(6), LOAD, insn("JT", a=1, imm=3), LOAD, LOAD, LOAD, NEXT, RET],
        AROUND + Limit.ANCESTORS * (4 * COST["LDF"] + COST["JT"] + COST["NEXT"]),
    ),
    "either of two parts": (
        [each(8), LOAD, insn("JT", a=1, imm=3), LOAD, LOAD, insn("JMP", imm=1), LOAD, LOAD, NEXT, RET],
        AROUND + Limit.ANCESTORS * (4 * COST["LDF"] + COST["JT"] + COST["JMP"] + COST["NEXT"]),
    ),
    "past the whole block": (
        [LDI, insn("JMP", imm=3), each(2), LOAD, NEXT, RET],
        COST["LDI"] + COST["JMP"] + COST["RET"],
    ),
    "either of two blocks": (
        [LDI, insn("JF", a=0, imm=4), each(2), LOAD, NEXT, insn("JMP", imm=4), each(3), LOAD, LOAD, NEXT, RET],
        COST["LDI"] + COST["JF"] + AROUND + Limit.ANCESTORS * (2 * COST["LDF"] + COST["NEXT"]),
    ),
}


@pytest.mark.parametrize("what", WAYS)
def test_of_the_ways_through_a_block_the_longest_counts(what):
    insns, cost = WAYS[what]
    parts = one(*insns)
    for said in (cost - 1, cost, cost + 1):
        parts.progs[0].cost = said
        error = verify(parts.bytes())
        assert (error is None) == (said == cost)
        assert error is None or error.value == cost
