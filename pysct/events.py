# SPDX-License-Identifier: GPL-2.0-only
"""What do the bytes of the log device say?

Nothing here raises, whatever the bytes are: damage is data, as everything
else is.  Record types that are not known are stepped over.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from pysct import abi

BUFFER = 256 * 1024
"""Bytes for one read of the log; the device answers EINVAL to less than one record."""

_RECORD = struct.Struct("<HHIQQ")
_ITEM = struct.Struct("<BBH")
_NUMBERS = frozenset(entry.number for entry in abi.FIELDS.values() if entry.type == "int")


@dataclass(frozen=True)
class String:
    """A string of a record; state is one of abi.State, data is whole only if that is WHOLE."""

    state: int
    data: bytes


@dataclass(frozen=True)
class Event:
    """A call that a LOG rule matched.

    rule is the index in rule set `generation`; time is in nanoseconds since
    1970 (CLOCK_REALTIME); args are the registers, not yet narrowed to their
    kinds; strings are by argument, from 0; fields are those that the rule
    shows beside the members here, by number; sources by struct sct_source, a
    number as the bytes of an s64; torn: the record is damaged and some
    strings, fields and sources may be missing.
    """

    rule: int
    generation: int
    time: int
    retval: int
    args: tuple[int, ...]
    kinds: tuple[int, ...]
    pid: int
    tid: int
    ppid: int
    uid: int
    euid: int
    suid: int
    fsuid: int
    gid: int
    egid: int
    sgid: int
    fsgid: int
    cpu: int
    abi: int
    nr: int
    actions: int
    phase: int
    comm: bytes
    name: bytes = b""
    template: bytes | None = None
    cwd: String | None = None
    strings: dict[int, String] = field(default_factory=dict)
    sources: dict[bytes, String] = field(default_factory=dict)
    fields: dict[int, String | int] = field(default_factory=dict)
    torn: bool = False


@dataclass(frozen=True)
class Lost:
    """`count` events of a rule that did not reach this reader; cause is one of abi.Cause.

    The name is empty where the kernel had to put several rules together.
    """

    rule: int
    generation: int
    time: int
    count: int
    cause: int
    name: bytes = b""


@dataclass(frozen=True)
class Moved:
    """A point that somebody took away, or that holds again; state is one of abi.Point."""

    time: int
    abi: int
    nr: int
    mechanism: int
    state: int


@dataclass(frozen=True)
class Torn:
    """Bytes at `offset` that are no record: what follows in this read cannot be understood."""

    offset: int
    text: str


def split(data: bytes) -> Iterator[bytes | Torn]:
    """The records of one read, each whole; a Torn ends them."""
    offset = 0
    while offset < len(data):
        left = len(data) - offset
        if left < _RECORD.size:
            yield Torn(offset, f"{left} bytes are too few for a record")
            return
        size = struct.unpack_from("<H", data, offset)[0]
        if size < _RECORD.size or size % 8 or size > left:
            yield Torn(offset, f"a record says that it has {size} bytes, {left} are left")
            return
        yield data[offset : offset + size]
        offset += size


def decode(record: bytes) -> Event | Lost | Moved | Torn | None:
    """What one record says; None if its type is not known here."""
    if len(record) < _RECORD.size:
        return Torn(0, f"{len(record)} bytes are too few for a record")
    kind = _RECORD.unpack_from(record)[1]
    if kind == abi.Record.EVENT:
        return _event(record)
    if kind == abi.Record.LOST:
        return _lost(record)
    if kind == abi.Record.POINT:
        return _moved(record)
    return None


def read_all(data: bytes) -> Iterator[Event | Lost | Moved | Torn]:
    """Everything that one read of the log device says."""
    for record in split(data):
        said = record if isinstance(record, Torn) else decode(record)
        if said is not None:
            yield said


_SAME = ("pid", "tid", "ppid", "uid", "euid", "suid", "fsuid", "gid", "egid", "sgid", "fsgid", "cpu")


def _event(record: bytes) -> Event | Torn:
    if len(record) < abi.EventStruct.SIZE:
        return Torn(0, f"an event of {len(record)} bytes is cut short")
    head = abi.EventStruct.from_buffer_copy(record)
    count = min(head.nargs, abi.Limit.ARGS)
    sources: dict[bytes, String] = {}
    fields: dict[int, String | int] = {}
    items, torn = _items(record, abi.EventStruct.SIZE, sources, fields)
    name, template = items.get(abi.Item.NAME), items.get(abi.Item.TEMPLATE)
    return Event(
        rule=head.record.rule,
        generation=head.record.generation,
        time=head.record.time,
        retval=head.retval,
        args=tuple(head.args[:count]),
        kinds=tuple(head.kinds[:count]),
        abi=head.abi,
        nr=head.nr,
        actions=head.actions,
        phase=head.phase,
        comm=head.comm,
        name=name.data if name else b"",
        template=template.data if template else None,
        cwd=items.get(abi.Item.CWD),
        strings={n: items[abi.Item.ARG + n] for n in range(count) if abi.Item.ARG + n in items},
        sources=sources,
        fields=fields,
        torn=torn or head.nargs > abi.Limit.ARGS,
        **{field_name: getattr(head, field_name) for field_name in _SAME},
    )


def _lost(record: bytes) -> Lost | Torn:
    if len(record) < abi.LostStruct.SIZE:
        return Torn(0, f"a note of lost events of {len(record)} bytes is cut short")
    head = abi.LostStruct.from_buffer_copy(record)
    name = _items(record, abi.LostStruct.SIZE)[0].get(abi.Item.NAME)
    return Lost(
        rule=head.record.rule,
        generation=head.record.generation,
        time=head.record.time,
        count=head.count,
        cause=head.cause,
        name=name.data if name else b"",
    )


def _moved(record: bytes) -> Moved | Torn:
    if len(record) < abi.MovedStruct.SIZE:
        return Torn(0, f"a note of a point of {len(record)} bytes is cut short")
    head = abi.MovedStruct.from_buffer_copy(record)
    return Moved(head.record.time, head.abi, head.nr, head.mechanism, head.state)


def _items(
    record: bytes, offset: int, sources: dict[bytes, String] | None = None, fields: dict[int, String | int] | None = None
) -> tuple[dict[int, String], bool]:
    """The strings behind a record's head, by what they are, and whether they ran over its end; fills in the others."""
    items: dict[int, String] = {}
    while len(record) - offset >= _ITEM.size:
        what, state, length = _ITEM.unpack_from(record, offset)
        if what == 0:  # the zeros that fill the record up to a multiple of 8
            break
        offset += _ITEM.size
        if length > len(record) - offset:
            return items, True
        held = record[offset : offset + length]
        if what == abi.Item.SOURCE and sources is not None:
            sources.setdefault(held[: abi.SourceStruct.SIZE], String(state, held[abi.SourceStruct.SIZE :]))
        elif what == abi.Item.FIELD and fields is not None and length:
            fields.setdefault(held[0], _field(held[0], state, held[1:]))
        else:
            items.setdefault(what, String(state, held))
        offset += length
    return items, False


def _field(number: int, state: int, data: bytes) -> String | int:
    """A field of which nothing is known here is a string."""
    whole_number = number in _NUMBERS and state == abi.State.WHOLE and len(data) == 8
    return int.from_bytes(data, "little", signed=True) if whole_number else String(state, data)
