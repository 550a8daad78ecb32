# SPDX-License-Identifier: GPL-2.0-only
"""How does a rule set become the bytes that the kernel takes, and what do such bytes say?"""

import struct
import zlib
from ctypes import sizeof
from dataclasses import dataclass, field

from pysct.abi import (
    INSN_FORMAT,
    MAGIC,
    NONE,
    VERSION,
    ImageStruct,
    ProgStruct,
    RuleStruct,
    SectionStruct,
    SourceStruct,
    StringStruct,
)

SECTIONS = {
    "progs": sizeof(ProgStruct),
    "rules": sizeof(RuleStruct),
    "insns": struct.calcsize(INSN_FORMAT),
    "consts": 8,
    "sources": sizeof(SourceStruct),
    "strings": sizeof(StringStruct),
    "text": 1,
    "source": 1,
}  # bytes of an element
BEHIND_CRC = ImageStruct.crc.offset + ImageStruct.crc.size


class ImageError(ValueError):
    """These bytes are no image; the text says why."""


@dataclass(slots=True)
class Prog:
    """The program of one point.

    `insns` are (op, dst, a, b, imm), `kinds` those of the call's arguments, `sources` entries: see pysct.reading.
    """

    abi: int
    nr: int
    phase: int
    kinds: tuple[int, ...]
    insns: list[tuple[int, int, int, int, int]]
    cost: int
    sources: tuple[bytes, ...] = ()


@dataclass(slots=True)
class ImageRule:
    """A rule as the image has it; see struct sct_rule."""

    name: bytes
    digest: int
    line: int
    phase: int
    actions: int
    error: int
    flags: int
    template: bytes | None
    shows: bytes = b""


@dataclass(slots=True)
class Image:
    """What an image says."""

    progs: list[Prog] = field(default_factory=list)
    rules: list[ImageRule] = field(default_factory=list)
    consts: tuple[int, ...] = ()
    strings: list[bytes] = field(default_factory=list)
    source: bytes = b""


def encode(sections: dict[str, tuple[bytes, int]]) -> bytes:
    """The image of some sections, given as {name: (bytes, number of elements)}; those that are not given are empty."""
    head = ImageStruct(magic=MAGIC, version=VERSION, head=sizeof(ImageStruct))
    body, offset = [], sizeof(ImageStruct)
    for name in SECTIONS:
        data, count = sections.get(name, (b"", 0))
        setattr(head, name, SectionStruct(offset, count))
        data += bytes(-len(data) % 8)
        body.append(data)
        offset += len(data)
    head.size = offset
    rest = b"".join([bytes(head)[BEHIND_CRC:], *body])
    head.crc = zlib.crc32(rest)
    return bytes(head)[:BEHIND_CRC] + rest


def string_sections(strings: list[bytes]) -> dict[str, tuple[bytes, int]]:
    """The sections that hold some strings."""
    table, text, at = [], [], 0
    for string in strings:
        table.append(struct.pack("<II", at, len(string)))
        text += (string, b"\0")
        at += len(string) + 1
    return {"strings": (b"".join(table), len(strings)), "text": (b"".join(text), at)}


def decode(data: bytes) -> Image:
    """What an image says, which the kernel need not accept. Raises ImageError, and nothing else, if it is damaged."""
    head = check_head(data)
    raw = {name: section(data, getattr(head, name), width, name) for name, width in SECTIONS.items()}
    strings = [part(raw["text"], offset, size, "string") for offset, size in struct.iter_unpack("<II", raw["strings"])]
    insns = list(struct.iter_unpack(INSN_FORMAT, raw["insns"]))
    width = SECTIONS["sources"]
    sources = [raw["sources"][at : at + width] for at in range(0, len(raw["sources"]), width)]
    image = Image(
        consts=tuple(number for (number,) in struct.iter_unpack("<q", raw["consts"])),
        strings=strings,
        source=raw["source"],
    )
    for at in range(head.rules.count):
        image.rules.append(decode_rule(RuleStruct.from_buffer_copy(raw["rules"], at * sizeof(RuleStruct)), strings))
    for at in range(head.progs.count):
        prog = ProgStruct.from_buffer_copy(raw["progs"], at * sizeof(ProgStruct))
        image.progs.append(
            Prog(
                prog.abi,
                prog.nr,
                prog.phase,
                tuple(prog.kinds[: prog.nargs]),
                part(insns, prog.insn, prog.insns, "program"),
                prog.cost,
                tuple(part(sources, prog.source, prog.sources, "source")),
            )
        )
    return image


def check_head(data: bytes) -> ImageStruct:
    if len(data) < sizeof(ImageStruct):
        raise ImageError(f"it is cut short: {len(data)} bytes")
    head = ImageStruct.from_buffer_copy(data)
    if head.magic != MAGIC:
        raise ImageError("it does not start as an image does")
    if head.version != VERSION or head.head != sizeof(ImageStruct):
        raise ImageError(f"it has version {head.version}, and this program knows version {VERSION}")
    if head.size != len(data):
        raise ImageError(f"it should have {head.size} bytes and has {len(data)}")
    if head.crc != zlib.crc32(data[BEHIND_CRC:]):
        raise ImageError("it is damaged: its checksum does not fit")
    return head


def section(data: bytes, at: SectionStruct, width: int, name: str) -> bytes:
    return part(data, at.offset, at.count * width, f"section {name}")


def part(whole, start: int, count: int, what: str):
    """`count` elements of a sequence, all of which must exist."""
    if start + count > len(whole):
        raise ImageError(f"it has a {what} that lies outside")
    return whole[start : start + count]


def decode_rule(rule: RuleStruct, strings: list[bytes]) -> ImageRule:
    (name,) = part(strings, rule.name, 1, "rule name")
    template = None if rule.template == NONE else part(strings, rule.template, 1, "log_format")[0]
    shows = part(strings, rule.shows - 1, 1, "list of fields")[0] if rule.shows else b""
    return ImageRule(name, rule.digest, rule.line, rule.phase, rule.actions, rule.error, rule.flags, template, shows)
