# SPDX-License-Identifier: GPL-2.0-only
"""Is each thing that can be wrong with an image found, and named?"""

import errno
from ctypes import c_uint8, sizeof

import pytest
from parts import ACTION, AFTER, KIND, Parts, change, insn, one, patched, prog, rule, summed
from parts import everything as everything_image

from pysct import abi
from pysct.abi import ImageStruct, Limit, SectionStruct
from pysct.judge import verify
from pysct.native import library

NUMBER = {error.name: error.number for error in abi.ERRORS.values()}
LAST = NUMBER["MATCHES"]
"""Errors behind this one are found by other parts of the kernel, and those of sources in test_verify_sources.py."""

SOUND, BODY = Parts().bytes(), sizeof(ImageStruct)
RET, LDI, MATCH = insn("RET"), insn("LDI", 0, imm=1), insn("MATCH", imm=0)


def section(name: str, member: str, value: int) -> bytes:
    """The sound image with a descriptor changed."""
    return patched(SOUND, getattr(ImageStruct, name).offset + getattr(SectionStruct, member).offset, "<I", value)


def at(name: str) -> int:
    """Where a section of the sound image starts."""
    return getattr(ImageStruct.from_buffer_copy(SOUND), name).offset


def with_text(table: bytes, count: int, text: bytes) -> Parts:
    """An image whose strings are these bytes."""
    return Parts(sections={"strings": (table, count), "text": (text, len(text))})


def two(raw_kinds: tuple[int, ...] = (), **second) -> Parts:
    """Two programs, nr 1 and what `second` says."""
    second |= {"kinds": (c_uint8 * Limit.ARGS)(*raw_kinds)} if raw_kinds else {}
    parts = Parts(insns=[LDI, MATCH, RET, RET], progs=[prog(3, ("str",), nr=1), prog(1, nr=second.pop("nr", 2), first=second.pop("first", 3))])
    change(parts.progs[1], **second)
    return parts


def unset(*insns, register: int, index: int, **others):
    return ("UNSET", one(*insns, RET, **others), index, register)


GLOB = abi.OPCODES["SGLOB"].cost
MANY = Limit.COST // (GLOB * Limit.STRING) + 1  # globs as long as can be, and one more than is allowed


def dearest(steps: int) -> Parts:
    """A program of globs that costs just so much."""
    whole, left = divmod(steps - 1, GLOB * Limit.STRING)
    length, rest = divmod(left, GLOB)
    insns = [insn("SGLOB", 0, imm=1)] * whole + [insn("SGLOB", 0, imm=2)] * (length > 0) + [LDI] * rest
    return one(*insns, RET, strings=[b"r", LONG, b"b" * length])


U32 = (4).to_bytes(4, "little")
LONG = b"a" * Limit.STRING

WRONG = {
    # SHORT to CRC: the head
    "empty": ("SHORT", b"", 0, 0),
    "one byte": ("SHORT", b"S", 0, 1),
    "a head less one byte": ("SHORT", SOUND[: BODY - 1], 0, BODY - 1),
    "another magic": ("MAGIC", summed(b"ELF!" + SOUND[4:]), 0, 0x21464C45),
    "next version": ("VERSION", patched(SOUND, ImageStruct.version.offset, "<H", abi.VERSION + 1), 0, abi.VERSION + 1),
    "larger head": ("VERSION", patched(SOUND, ImageStruct.head.offset, "<H", BODY + 8), 0, abi.VERSION),
    "a byte more than it says": ("SIZE", summed(SOUND + b"\0"), 0, len(SOUND)),
    "a byte less than it says": ("SIZE", SOUND[:-1], 0, len(SOUND)),
    "nothing behind the head": ("SIZE", SOUND[:BODY], 0, len(SOUND)),
    "eight bytes behind the last section": (
        "SIZE", patched(SOUND + bytes(8), ImageStruct.size.offset, "<I", len(SOUND) + 8), 0, len(SOUND) + 8),
    "checksum": ("CRC", SOUND[:12] + bytes([SOUND[12] ^ 1]) + SOUND[13:], 0, 0),
    "a letter of the source": ("CRC", SOUND[:-8] + b"R" + SOUND[-7:], 0, 0),
    # SECTION
    "a section too early": ("SECTION", section("rules", "offset", at("rules") - 8), 1, at("rules") - 8),
    "a section too late": ("SECTION", section("rules", "offset", at("rules") + 8), 1, at("rules") + 8),
    "the first section elsewhere": ("SECTION", section("progs", "offset", 0), 0, 0),
    "an offset near 2^32": ("SECTION", section("insns", "offset", 2**32 - 8), 2, 2**32 - 8),
    "more than there is": ("SECTION", section("source", "count", 2**20), 7, at("source")),
    "as many as there may be": ("SECTION", section("progs", "count", Limit.PROGS), 0, BODY),
    # LIMIT
    **{
        f"too many {name}": ("LIMIT", section(name, "count", most + 1), index, most + 1)
        for index, (name, most) in enumerate(
            [("progs", Limit.PROGS), ("rules", Limit.RULES), ("insns", Limit.INSNS), ("consts", Limit.CONSTS),
             ("sources", Limit.SOURCES), ("strings", Limit.STRINGS), ("text", Limit.IMAGE), ("source", Limit.IMAGE)])
    },
    "2^32 - 1 rules": ("LIMIT", section("rules", "count", 2**32 - 1), 1, 2**32 - 1),
    # PADDING
    "behind the programs": ("PADDING", patched(SOUND, at("rules") - 1, "<B", 1), 0, at("rules") - 1),
    "behind the source": ("PADDING", patched(SOUND, len(SOUND) - 4, "<B", 255), 0, len(SOUND) - 4),
    # STRING
    "a string that starts too late": ("STRING", with_text(U32 + U32, 1, b"rule\0ru\0"), 0, 4),
    "strings that overlap": ("STRING", with_text(bytes(4) + U32 + bytes(4) + U32, 2, b"rule\0"), 1, 4),
    "a NUL inside": ("STRING", with_text(bytes(4) + U32, 1, b"r\0le\0"), 0, 4),
    "no NUL behind": ("STRING", with_text(bytes(4) + U32, 1, b"rules"), 0, 4),
    "no room for a NUL": ("STRING", with_text(bytes(4) + U32, 1, b"rule"), 0, 4),
    "4 GiB long": ("STRING", with_text(bytes(4) + b"\xff" * 4, 1, b"rule\0"), 0, 2**32 - 1),
    "text that belongs to no string": ("STRING", with_text(bytes(4) + U32, 1, b"rule\0more\0"), 1, 10),
    "text without a string": ("STRING", with_text(b"", 0, b"\0"), 0, 1),
    # RULE
    "a name that is no string": ("RULE", Parts(rules=[rule(), rule(name=1)]), 1, 0),
    "no name": ("RULE", Parts(rules=[rule(name=abi.NONE)]), 0, 0),
    "an empty name": ("RULE", Parts(strings=[b""]), 0, 0),
    "a long name": ("RULE", Parts(strings=[b"n" * (Limit.NAME + 1)]), 0, 0),
    "a template that is no string": ("RULE", Parts(rules=[rule(template=1)]), 0, 0),
    "a long template": ("RULE", Parts(rules=[rule(template=1)], strings=[b"r", b"t" * (Limit.TEMPLATE + 1)]), 0, 0),
    "no action": ("RULE", Parts(rules=[rule(actions=0)]), 0, 0),
    "an unknown action": ("RULE", Parts(rules=[rule(actions=0x11)]), 0, 0),
    "an unknown flag": ("RULE", Parts(rules=[rule(flags=0x80)]), 0, 0),
    "an unknown phase": ("RULE", Parts(rules=[rule(phase=2)]), 0, 0),
    "a refusal that says 0": ("RULE", Parts(rules=[rule(actions=ACTION["FAIL"])]), 0, 0),
    "a refusal that says 1": ("RULE", Parts(rules=[rule(actions=ACTION["FAIL"], error=1)]), 0, 0),
    "a refusal that is no errno": ("RULE", Parts(rules=[rule(actions=ACTION["FAIL"], error=-Limit.ERRNO - 1)]), 0, 0),
    "an error without a refusal": ("RULE", Parts(rules=[rule(error=-1)]), 0, 0),
    "a refusal after the call": ("RULE", Parts(rules=[rule(), rule(actions=ACTION["FAIL"], error=-1, phase=AFTER)]), 1, 0),
    # PROG
    "an unknown ABI": ("PROG", two(abi=5), 1, 0),
    "a number of no call": ("PROG", two(nr=1024), 1, 0),
    "a phase of no program": ("PROG", two(phase=2), 1, 0),
    "an unknown flag of a program": ("PROG", two(flags=4), 1, 0),
    "a point whose phases differ in flags": ("PROG", two(raw_kinds=(KIND["str"],), nargs=1, nr=1, phase=AFTER, flags=1), 1, 0),
    "a point whose phases differ in arguments": ("PROG", two(nr=1, phase=AFTER), 1, 0),
    "the same point twice": ("PROG", two(raw_kinds=(KIND["str"],), nargs=1, nr=1), 1, 0),
    "points out of order": ("PROG", two(nr=0), 1, 0),
    "ABIs out of order": ("PROG", Parts(insns=[RET] * 2, progs=[prog(1, abi=1, nr=1), prog(1, nr=2, first=1)]), 1, 0),
    "phases out of order": (
        "PROG", Parts(insns=[RET] * 2, progs=[prog(1, nr=1, phase=AFTER), prog(1, nr=1, first=1)]), 1, 0),
    "seven arguments": ("PROG", two(nargs=7), 1, 0),
    "a kind behind the last argument": ("PROG", two((0, 1)), 1, 0),
    "no kind": ("PROG", two(nargs=1), 1, 0),
    "an unknown kind": ("PROG", two((12,), nargs=1), 1, 0),
    "a gap between programs": ("PROG", Parts(insns=[RET] * 3, progs=[prog(1), prog(1, nr=1, first=2)]), 1, 0),
    "programs that overlap": ("PROG", two(first=2), 1, 0),
    "no instruction": ("PROG", two(insns=0), 1, 0),
    "instructions behind the last": ("PROG", two(insns=2), 1, 0),
    "2^32 - 1 instructions": ("PROG", two(insns=2**32 - 1), 1, 0),
    "instructions of no program": ("PROG", Parts(insns=[LDI, MATCH, RET, RET]), 1, 3),
    # OPCODE
    **{f"opcode {op:#x}": ("OPCODE", one(LDI, [op, 0, 0, 0, 0], RET), 1, op) for op in (0x00, 0x06, 0x54, 0x66, 0xFF)},
    # UNSET
    "a match of nothing": unset(MATCH, register=0, index=0),
    "a jump upon nothing": unset(LDI, insn("JT", a=15, imm=1), LDI, register=15, index=1),
    "one operand": unset(LDI, insn("ADD", 1, 0, 1), register=1, index=1),
    "the first of two operands": unset(LDI, insn("ADD", 1, 9, 0), register=9, index=1),
    "the other operand": unset(insn("NEG", 1, 9), register=9, index=0),
    "set on one way only": unset(LDI, insn("JF", imm=1), insn("LDI", 3), insn("MATCH", a=3), register=3, index=3),
    "set on the way that jumps only": unset(
        LDI, insn("JT", imm=2), insn("LDI", 5), insn("JF", imm=1), LDI, insn("NOT", 1, 5), register=5, index=5),
    "what another program set": ("UNSET", Parts(insns=[LDI, RET, MATCH, RET], progs=[prog(2), prog(2, nr=1, first=2)]), 2, 0),
    # JUMP
    "past the end": ("JUMP", one(LDI, insn("JT", imm=2), LDI, RET), 1, 2),
    "to the first behind the end": ("JUMP", one(LDI, insn("JF", imm=1), RET), 1, 1),
    "JMP behind the end": ("JUMP", one(LDI, insn("JMP", imm=1), RET), 1, 1),
    "far away": ("JUMP", one(LDI, insn("JF", imm=2**31 - 1), RET), 1, 2**31 - 1),
    "into the next program": (
        "JUMP", Parts(insns=[LDI, insn("JF", imm=1), RET, RET], progs=[prog(3), prog(1, nr=1, first=3)]), 1, 1),
    # END
    "a last one that goes on": ("END", one(LDI), 0, 0),
    "a match at the end": ("END", one(LDI, MATCH), 0, 1),
    "a return in the middle": ("END", one(LDI, RET, RET), 0, 1),
    # COST
    "a step less than it takes": ("COST", Parts(progs=[prog(3, cost=2)]), 0, 3),
    "a step more": ("COST", Parts(progs=[prog(3, cost=4)]), 0, 3),
    "more than is allowed": (  # it is not counted further
        "COST", one(*[insn("SGLOB", 0, imm=1)] * MANY, RET, strings=[b"r", LONG]), 0, Limit.COST + 1),
    "a step more than is allowed": ("COST", dearest(Limit.COST + 1), 0, Limit.COST + 1),
    "the longer of two ways": (  # by the jump two instructions of one step, on the other way 64 steps more
        "COST", Parts(insns=[LDI, insn("JT", imm=2), insn("SEQ", 1), insn("JMP", imm=1), LDI, RET], progs=[prog(6, ("str",), cost=5)]), 0, 68),
    # MATCHES
    "64 rules that continue": (
        "MATCHES", Parts(insns=[LDI, *[MATCH] * 64, RET], progs=[prog(66)], rules=[rule(flags=1)]), 0, 64),
}  # fmt: skip

OPERAND = {
    "RET with a destination": insn("RET", 1),
    "RET with an operand": insn("RET", a=1),
    "RET with a second operand": insn("RET", b=1),
    "RET with a number": insn("RET", imm=1),
    "MATCH with a destination": insn("MATCH", 1),
    "MATCH of register 16": insn("MATCH", a=16),
    "MATCH with a second operand": insn("MATCH", b=1),
    "MATCH of a rule that is not there": insn("MATCH", imm=2),
    "MATCH of rule -1": insn("MATCH", imm=-1),
    "MATCH of a rule of another phase": insn("MATCH", imm=1),
    "JF with a destination": insn("JF", 1, imm=1),
    "JF upon register 255": insn("JF", a=255, imm=1),
    "JT with a second operand": insn("JT", b=1, imm=1),
    "JT to itself": insn("JT", imm=0),
    "JT backwards": insn("JT", imm=-1),
    "LDI to register 16": insn("LDI", 16),
    "LDI with an operand": insn("LDI", a=1),
    "LDI with a second operand": insn("LDI", b=1),
    "LDC of a constant that is not there": insn("LDC", imm=1),
    "LDC of constant -1": insn("LDC", imm=-1),
    "LDC to register 16": insn("LDC", 16),
    "LDF to register 16": insn("LDF", 16, imm=16),
    "LDF of an argument": insn("LDF", imm=0),
    "LDF of a string": insn("LDF", imm=abi.FIELDS["COMM"].number),
    "LDF of a field that is not there": insn("LDF", imm=15),
    "LDF behind the last field": insn("LDF", imm=max(field.number for field in abi.FIELDS.values()) + 1),
    "LDF of how long the call took, before": insn("LDF", imm=abi.FIELDS["DURATION"].number),
    "LDF of a string that needs task context": insn("LDF", imm=abi.FIELDS["EXE"].number),
    "LDF of field -1": insn("LDF", imm=-1),
    "LDF of the result, before": insn("LDF", imm=abi.FIELDS["RETVAL"].number),
    "LDF of the error, before": insn("LDF", imm=abi.FIELDS["ERRNO"].number),
    "LDA of an argument that is not there": insn("LDA", imm=2),
    "LDA of argument -1": insn("LDA", imm=-1),
    "LDA to register 16": insn("LDA", 16),
    "ADD to register 16": insn("ADD", 16),
    "ADD of register 16": insn("ADD", a=16),
    "ADD and register 16": insn("ADD", b=16),
    "ADD with a number": insn("ADD", imm=1),
    "NEG to register 16": insn("NEG", 16),
    "NEG of register 16": insn("NEG", a=16),
    "NEG with a second operand": insn("NEG", b=1),
    "NEG with a number": insn("NEG", imm=1),
    "SEQ to register 16": insn("SEQ", 16),
    "SEQ of a number": insn("SEQ", a=1),
    "SEQ of an argument that is not there": insn("SEQ", a=2),
    "SEQ of operand 6": insn("SEQ", a=6),
    "SEQ of a field that is a number": insn("SEQ", a=abi.FIELDS["UID"].number),
    "JMP backwards": insn("JMP", imm=-1),
    "JMP to itself": insn("JMP", imm=0),
    "JMP with a register": insn("JMP", a=1, imm=1),
    "JMP to a register": insn("JMP", 1, imm=1),
    "SEQ of the first field that is a number again": insn("SEQ", a=abi.FIELDS["LOGINUID"].number),
    "SEQ of source 127": insn("SEQ", a=255),
    "SEQ with a second operand": insn("SEQ", b=1),
    "SEQ with a string that is not there": insn("SEQ", imm=1),
    "SGLOB with string -1": insn("SGLOB", imm=-1),
    "SEQS to register 16": insn("SEQS", 16),
    "SEQS of a number": insn("SEQS", a=1),
    "SEQS and a number": insn("SEQS", b=1),
    "SEQS and a field that is a number": insn("SEQS", b=abi.FIELDS["UID"].number),
    "SEQS with a number": insn("SEQS", imm=1),
}
WRONG |= {
    what: ("OPERAND", Parts(insns=[LDI, broken, LDI, RET], progs=[prog(4, ("str", "s32"))], rules=[rule(), rule(phase=AFTER)]),
           1, broken[0])
    for what, broken in OPERAND.items()
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_it_is_found_and_named(what):
    name, parts, index, value = WRONG[what]
    error = verify(parts if isinstance(parts, bytes) else parts.bytes())
    assert error is not None, "it was accepted"
    assert (abi.ERRORS[error.code].name, error.index, error.value) == (name, index, value)
    assert (error.abi, error.nr) == (0, 0)


def test_all_are_provoked():
    assert {NUMBER[name] for name, *_ in WRONG.values()} == set(range(1, LAST + 1))


def test_each_has_its_errno():
    for error in abi.ERRORS.values():
        assert library().sct_error_errno(error.number) == getattr(errno, error.errno)
    assert library().sct_error_errno(0) == library().sct_error_errno(2**32 - 1) == errno.EINVAL


FITTING = {
    "the image that the others are made of": Parts(),
    "every opcode, both phases, all actions": everything_image(),
    "nothing": Parts([], [], [], (), [], b""),
    "a program without a rule": one(RET),
    "a call of each ABI": Parts(insns=[RET] * 5, progs=[prog(1, abi=at, nr=9 - at, first=at) for at in range(5)]),
    "what need not be there": Parts(progs=[prog(3, flags=abi.ProgFlag.CALL | abi.ProgFlag.ABI)]),
    "both phases of a point": Parts(
        insns=[LDI, MATCH, RET, RET], progs=[prog(3, ("str",), nr=1), prog(1, ("str",), nr=1, phase=AFTER, first=3)]),
    "strings that are empty": Parts(strings=[b"r", b"", b"", b""]),
    "the longest name and template": Parts(rules=[rule(template=1)], strings=[b"n" * Limit.NAME, b"t" * Limit.TEMPLATE]),
    "an empty template": Parts(rules=[rule(template=1)], strings=[b"r", b""]),
    "the last errno": Parts(rules=[rule(actions=ACTION["FAIL"], error=-Limit.ERRNO)]),
    "the last call": Parts(progs=[prog(3, nr=1023)]),
    "the last ABI": Parts(progs=[prog(3, abi=4)]),
    "six arguments": Parts(progs=[prog(3, ("str", "fd", "ptr", "u8", "s64", "u64"))]),
    "the result, after": one(insn("LDF", 15, imm=29), insn("MATCH", a=15), RET, phase=AFTER),
    "set on both ways": one(LDI, insn("JF", imm=1), insn("LDI", 0), MATCH, RET),
    "a jump to the last": one(LDI, insn("JF", imm=1), MATCH, RET),
    "63 rules that continue": Parts([LDI, *[MATCH] * 63, RET], [prog(65)], [rule(flags=1)]),
    "all that is allowed": dearest(Limit.COST),
    "a pattern longer than any text costs no more": one(insn("SGLOB", 0, imm=1), RET, strings=[b"r", LONG * 4]),
}  # fmt: skip


@pytest.mark.parametrize("what", FITTING)
def test_it_is_taken(what):
    parts = FITTING[what]
    error = verify(parts if isinstance(parts, bytes) else parts.bytes())
    assert error is None, (abi.ERRORS[error.code].name, error.index, error.value)
