# SPDX-License-Identifier: GPL-2.0-only
"""What does a source of a program say of a call?  Slowly, from the specification, to compare the kernel's reading with.

None is unknown.
"""

from pysct import abi
from pysct.image import Prog
from pysct.judge import Call

KINDS = {kind.number: kind for kind in abi.KINDS.values()}
POINTER = {entry.number: entry.bits // 8 for entry in abi.ABIS.values()}
FLAG = abi.SourceFlag
LEADS = {abi.Source.PATH: "path", abi.Source.DESCRIPTOR: "fdpath"}


class Unreadable(Exception):
    """Memory that is not there, or not part of what was asked for."""


class Span:
    """Bytes of a caller from an address on; `size` is None where nobody says how many."""

    def __init__(self, call: Call, at: int, size: int | None = None):
        self.call, self.at, self.size = call, at, size

    def bytes(self, offset: int, count: int) -> bytes:
        if self.size is not None and offset + count > self.size:
            raise Unreadable
        start = (self.at + offset) % 2**64
        for at, held in self.call.memory.items():
            if at <= start and start + count <= at + len(held):
                return held[start - at : start - at + count]
        raise Unreadable

    def number(self, offset: int, count: int, signed: bool = False, order: str = "little") -> int:
        return int.from_bytes(self.bytes(offset, count), order, signed=signed)

    def size_at(self, offset: int) -> int:
        size = self.number(offset, 4, signed=True)
        if size < 0:
            raise Unreadable
        return size


def counted(source: abi.SourceStruct, size: int) -> int:
    """The bytes that a size stands for, which counts the elements of an array or bytes."""
    return size * (source.each or 1)


def argument(program: Prog, call: Call, index: int) -> int:
    """An argument as its kind says."""
    kind = KINDS[program.kinds[index]]
    value = call.args[index] % 2**kind.bits
    return value - 2**kind.bits if kind.signed and value >= 2 ** (kind.bits - 1) else value


def place(program: Prog, call: Call, source: abi.SourceStruct) -> Span:
    """The structure of which a source is a member."""
    if source.flags & FLAG.AFTER and call.fields.get(abi.FIELDS["ERRNO"].number):
        raise Unreadable
    span = Span(call, call.args[source.arg])
    if not span.at and source.what != abi.Source.DATA:
        raise Unreadable
    if source.flags & FLAG.SIZE_AT:
        span.size = Span(call, call.args[source.size - 1]).size_at(0)
    elif source.size:
        span.size = counted(source, argument(program, call, source.size - 1))
    if span.size is not None and span.size < 0:
        raise Unreadable
    if source.flags & FLAG.VIA:
        inner, size = span.number(source.via, POINTER[program.abi]), None
        if source.flags & FLAG.VIA_SIZE and source.each:
            size = counted(source, span.number(source.via_size, POINTER[program.abi]))
        elif source.flags & FLAG.VIA_SIZE:
            size = span.size_at(source.via_size)
        span = Span(call, inner, size)
        if not inner:
            raise Unreadable
    if source.family and span.number(0, 2) not in {0, source.family, source.other}:
        raise Unreadable
    return span


def number(program: Prog, call: Call, index: int) -> int | None:
    """A source that is a number, as a register of a program."""
    source = abi.SourceStruct.from_buffer_copy(program.sources[index])
    kind = KINDS[source.kind]
    try:
        span = place(program, call, source)
        if source.flags & FLAG.EXTENDS and source.offset >= span.size:
            return 0
        order = "big" if source.flags & FLAG.BIG else "little"
        return span.number(source.offset, kind.bits // 8, kind.signed, order) % 2**64
    except Unreadable:
        return None


def text(program: Prog, call: Call, index: int) -> bytes | None:
    """A source that is a text."""
    source = abi.SourceStruct.from_buffer_copy(program.sources[index])
    if source.what in LEADS:
        found = call.paths.get((LEADS[source.what], source.arg))
        return found if isinstance(found, bytes) and len(found) < abi.Limit.STRING else None
    try:
        span = place(program, call, source)
        if source.what == abi.Source.DATA:
            return data(call, source, span)
        if source.what == abi.Source.ELEMENT:
            return element(call, source, span, POINTER[program.abi])
        count = source.limit if span.size is None else span.size - source.offset
        if count < 0 or count > source.limit and source.what == abi.Source.UNIX:
            return None
        count = min(count, source.limit)
        found = span.bytes(source.offset, count) if count else b""
    except Unreadable:
        return None
    if source.what == abi.Source.UNIX and found[:1] == b"\0":
        return b"@" + found[1:]
    return found.split(b"\0")[0]


def data(call: Call, source: abi.SourceStruct, span: Span) -> bytes | None:
    """Byte by byte, up to the end or the first page of which not all can be read that is asked for."""
    count = span.size
    if source.flags & FLAG.AFTER:
        count = min(count, call.fields.get(abi.FIELDS["RETVAL"].number, 0) % 2**64)
    count, found = min(count, source.limit), b""
    for page in range(span.at // 4096, (span.at + count + 4095) // 4096) if count else ():
        start, end = max(span.at, 4096 * page), min(span.at + count, 4096 * (page + 1))
        try:
            found += span.bytes(start - span.at, end - start)
        except Unreadable:
            return found or None
    return found


def element(call: Call, source: abi.SourceStruct, span: Span, width: int) -> bytes | None:
    """A string that a list leads to, unless the list ends before."""
    addresses = [span.number(place * width, width) for place in until_null(span, source.offset + 1, width)]
    if 0 in addresses:
        return None
    string, found = Span(call, addresses[-1]), b""
    while len(found) < source.limit and 0 not in found:
        end = (addresses[-1] + len(found)) // 4096 * 4096 + 4096 - addresses[-1]
        found += string.bytes(len(found), min(end, source.limit) - len(found))
    return found[: found.index(0)] if 0 in found else None


def until_null(span: Span, count: int, width: int) -> range:
    """The places in a list up to its null pointer, at most so many; behind that nothing is looked at."""
    for place in range(count):
        if not span.number(place * width, width):
            return range(place + 1)
    return range(count)
