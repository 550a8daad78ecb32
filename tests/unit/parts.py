# SPDX-License-Identifier: GPL-2.0-only
"""An image in its parts, each of which a test can break before they are put together."""

import struct
import zlib
from dataclasses import dataclass, field

import random_programs as programs

from pysct import abi, image

KIND = {name: kind.number for name, kind in abi.KINDS.items()}
ACTION = {name: action.mask for name, action in abi.ACTIONS.items()}
FLAG = abi.SourceFlag
BEFORE, AFTER = abi.PHASES["before"], abi.PHASES["after"]


def insn(name: str, dst: int = 0, a: int = 0, b: int = 0, imm: int = 0) -> list[int]:
    """An instruction."""
    return [abi.OPCODES[name].number, dst, a, b, imm]


def change(struct_made, **members):
    """Sets members of a structure, which must exist."""
    for name, value in members.items():
        assert hasattr(type(struct_made), name), name
        setattr(struct_made, name, value)
    return struct_made


def prog(insns: int, kinds: tuple[str, ...] = (), nr: int = 0, phase: int = BEFORE, first: int = 0, **others) -> abi.ProgStruct:
    """A program of `insns` instructions; its cost is made right in the end unless it is given."""
    numbers = [KIND[kind] for kind in kinds]
    made = abi.ProgStruct(nr=nr, phase=phase, nargs=len(numbers), insn=first, insns=insns)
    made.kinds[: len(numbers)] = numbers
    return change(made, **others)


def rule(**others) -> abi.RuleStruct:
    """A rule that logs, named by string 0."""
    return abi.RuleStruct(**{"name": 0, "template": abi.NONE, "line": 1, "actions": ACTION["LOG"], **others})


def source(what: str = "NUMBER", arg: int = 2, kind: str = "", **others) -> abi.SourceStruct:
    """A source, of argument 2 unless it says another."""
    known = getattr(abi.Source, what)
    if what == "NUMBER":
        kind = kind or "u32"
    else:
        others = {"limit": 108, **others}
    return change(abi.SourceStruct(what=known, arg=arg, kind=KIND[kind] if kind else 0), **others)


@dataclass
class Parts:
    """A sound image, unless something is changed: one rule that always matches, in one program."""

    insns: list[list[int]] = field(default_factory=lambda: [insn("LDI", 0, imm=1), insn("MATCH", imm=0), insn("RET")])
    progs: list[abi.ProgStruct] = field(default_factory=lambda: [prog(3, ("str", "s32"))])
    rules: list[abi.RuleStruct] = field(default_factory=lambda: [rule()])
    consts: tuple[int, ...] = (7,)
    sources: list[abi.SourceStruct] = field(default_factory=list)
    strings: list[bytes] = field(default_factory=lambda: [b"rule"])
    source: bytes = b"rule"
    sections: dict = field(default_factory=dict)
    """Sections to be taken as they are: {name: (bytes, count)}."""

    def bytes(self) -> bytes:
        """The image."""
        for made in self.progs:
            if not made.cost:
                made.cost = programs.cost_of(self.insns[made.insn : made.insn + made.insns], self.strings)
        return image.encode({
            "progs": (b"".join(map(bytes, self.progs)), len(self.progs)),
            "rules": (b"".join(map(bytes, self.rules)), len(self.rules)),
            "insns": (b"".join(struct.pack(abi.INSN_FORMAT, *entry) for entry in self.insns), len(self.insns)),
            "consts": (struct.pack(f"<{len(self.consts)}q", *self.consts), len(self.consts)),
            "sources": (b"".join(map(bytes, self.sources)), len(self.sources)),
            **image.string_sections(self.strings),
            "source": (self.source, len(self.source)),
            **self.sections,
        })  # fmt: skip


def summed(data: bytes) -> bytes:
    """The same bytes with the checksum made right."""
    return data[: abi.ImageStruct.crc.offset] + struct.pack("<I", zlib.crc32(data[image.BEHIND_CRC :])) + data[image.BEHIND_CRC :]


def patched(data: bytes, offset: int, form: str, value: int) -> bytes:
    """The same bytes with a number changed, and the checksum made right."""
    changed = bytearray(data)
    struct.pack_into(form, changed, offset, value)
    return summed(bytes(changed))


def one(*insns: list[int], kinds: tuple[str, ...] = ("str", "s32"), phase: int = BEFORE, **others) -> Parts:
    """An image with one program of these instructions."""
    return Parts(insns=list(insns), progs=[prog(len(insns), kinds, phase=phase)], rules=[rule(phase=phase)], **others)


def everything() -> bytes:
    """A small image with all there is in one: every opcode, both phases, all actions, strings, constants, padding."""
    names = [name for name in abi.OPCODES if abi.OPCODES[name].form not in ("none", "match", "jump", "goto", "each", "next")]
    operands = {"const": {"imm": 1}, "field": {"imm": 16}, "strconst": {"a": 0, "imm": 1}, "strstr": {"a": 0, "b": 27},
                "source": {"imm": 1}}
    before = [insn(name, 2, **operands.get(abi.OPCODES[name].form, {})) for name in ("LDA", "LDC", "LDF")]
    before += [insn("LDI", 0, imm=3)]
    before += [insn(name, 1, **operands.get(abi.OPCODES[name].form, {})) for name in names]
    before += [insn("SEQ", 1, a=abi.SOURCE_OPERAND, imm=1), insn("SEQS", 1, a=abi.SOURCE_OPERAND, b=abi.SOURCE_OPERAND + 2)]
    before += [insn("SCON", 1, a=abi.SOURCE_OPERAND + 5, imm=1), insn("SPRE", 1, a=abi.SOURCE_OPERAND + 6, imm=1)]
    before += [insn("LDS", 1, imm=3), insn("LDS", 1, imm=4)]
    ancestors = abi.FIELDS["ANCESTOR.UID"].number
    before += [insn("EACH", 2, imm=2), insn("LDF", 2, imm=ancestors), insn("NEXT", a=2)]
    before += [insn("JT", a=1, imm=2), insn("MATCH", a=0, imm=0), insn("JF", a=0, imm=1), insn("MATCH", a=1, imm=1)]
    before += [insn("JMP", imm=1), insn("MATCH", a=9, imm=1), insn("RET")]
    after = [insn("LDF", 3, imm=29), insn("LDS", 4), insn("MATCH", a=3, imm=2), insn("RET")]
    return Parts(
        insns=before + after,
        progs=[
            prog(len(before), ("str", "s8", "ptr", "u16", "ptr"), nr=87, sources=9),
            prog(len(after), ("str", "ptr"), nr=263, phase=AFTER, first=len(before), source=9, sources=1),
        ],
        rules=[
            rule(flags=abi.RuleFlag.CONTINUE | abi.RuleFlag.LOG_CWD, template=1),
            rule(actions=sum(ACTION.values()), error=-1, line=2, digest=2),
            rule(phase=AFTER, line=3, digest=2**64 - 1),
        ],
        consts=(-1, 2**63 - 1),
        sources=[
            source("UNIX", size=4, family=1, offset=2),
            source(kind="u16", flags=FLAG.BIG | FLAG.LOG, size=4, family=2, other=10, offset=2),
            source("CHARS", flags=FLAG.VIA | FLAG.VIA_SIZE, via=8, via_size=16, limit=65),
            source(kind="s64", flags=FLAG.EXTENDS, size=2, offset=8),
            source(kind="u8", flags=FLAG.SIZE_AT, size=5, offset=1),
            source("DATA", size=4, limit=abi.Limit.DATA),
            source("ELEMENT", offset=abi.Limit.ELEMENTS - 1, limit=abi.Limit.STRING),
            source(kind="u64", size=4, each=16, offset=16 * (abi.Limit.ELEMENTS - 1) + 8),
            source(kind="u32", flags=FLAG.VIA | FLAG.VIA_SIZE, via=16, via_size=24, each=8, offset=12),
            source(arg=1, kind="s32", flags=FLAG.AFTER, offset=48),
        ],
        strings=[b"rule", b"/e*[a-c]", b""],
        source=b"rule { }\n",
    ).bytes()
