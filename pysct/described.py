# SPDX-License-Identifier: GPL-2.0-only
"""Which memory has the caller of an event in which structures are written by their members, data and strings as they are?"""

from dataclasses import dataclass, field

from pysct import members
from pysct.abi import ABIS, KINDS, SourceFlag
from pysct.abi import Source as What
from pysct.reading import Reading, bounds
from pysct.tables import CALLS

ROOM = 512  # bytes of a structure; all that nobody wrote are 0
APART = 0x10000  # of what different arguments point to
INSIDE = 0x1000  # of what a structure and its pointers lead to
NOWHERE = 1  # an address at which nothing can be read
LEAST = {2: 16, 10: 28}  # bytes of a socket address by its family, however few of them were written
WIDTHS = {kind.number: kind.bits // 8 for kind in KINDS.values()}


class Unfit(Exception):
    """A value that its member cannot have; the argument says why."""


@dataclass
class Area:
    """A structure in memory; `used` is how many bytes of it were written."""

    bytes: bytearray = field(default_factory=lambda: bytearray(ROOM))
    used: int = 0
    family: int | None = None

    def write(self, offset: int, data: bytes) -> None:
        if offset + len(data) > ROOM:
            raise Unfit("there is no room for it")
        self.bytes[offset : offset + len(data)] = data
        self.used = max(self.used, offset + len(data))

    @property
    def size(self) -> int:
        return max(self.used, LEAST.get(self.family, 0))


class Memory:
    """What the arguments of one call point to."""

    def __init__(self, abi: str, call: str):
        self.abi, self.call = abi, call
        self.arguments = [name for name, _ in CALLS[abi][call][1]]
        self.areas: dict[int, Area] = {}
        self.given: set[str] = set()
        self.sized: dict[int, int] = {}  # size of the structure, by the argument that says it

    def address(self, index: int) -> int:
        """Where the structure of an argument lies; it is there, and empty, once this was asked for."""
        at = APART * (index + 1)
        self.areas.setdefault(at, Area())
        return at

    def write(self, index: int, path: str, value: int | bytes) -> None:
        """Write one member; raises Unfit, or LookupError if there is none. An internet address is its number."""
        name = f"{self.arguments[index]}.{path}"
        member = members.find(self.abi, self.call, name)
        if member is None:
            raise LookupError(name)
        first = member.readings[0]
        area = self.area(index, first)
        if (member.form == "text") != isinstance(value, bytes):
            raise Unfit("it is a string" if member.form == "text" else "it is no string")
        if member.form == "text":
            area.write(first.offset, self.text(first, value))
        else:
            self.number(area, member, value)
        if first.family and area.family is None:
            area.family = first.family
        if path.endswith("sa_family"):
            area.family = value
        self.given.add(name)

    def data(self, index: int) -> members.Member | None:
        """What an argument means as data; None if it is none."""
        return members.data(self.abi, self.call, self.arguments[index])

    def hold(self, index: int, value: bytes) -> int:
        """Where the data of an argument lies, which are these bytes."""
        self.areas[APART * (index + 1)] = Area(bytearray(value), len(value))
        self.sized[self.data(index).readings[0].size - 1] = len(value)
        return APART * (index + 1)

    def hold_list(self, index: int, values: list[bytes | None]) -> int:
        """Where a list of strings lies; one that is None cannot be read. Raises Unfit if there is no room for it."""
        width, at = ABIS[self.abi].bits // 8, APART * (index + 1)
        strings, addresses = bytearray(), []
        for value in values:
            addresses.append(NOWHERE if value is None else at + INSIDE + len(strings))
            strings += b"" if value is None else value + b"\0"
        list_ = b"".join(address.to_bytes(width, "little") for address in [*addresses, 0])
        if len(list_) > INSIDE or len(strings) > APART - 2 * INSIDE:
            raise Unfit("there is no room for it")
        strings += bytes(-len(strings) % INSIDE)  # what is read of the page behind
        self.areas[at], self.areas[at + INSIDE] = Area(bytearray(list_), len(list_)), Area(strings, len(strings))
        return at

    def area(self, index: int, reading: Reading) -> Area:
        """The structure that has a member; the pointer to it, where there is one, is made as well."""
        outer = self.areas[self.address(index)]
        if not reading.flags & SourceFlag.VIA:
            return outer
        at = self.address(index) + INSIDE + reading.via
        outer.write(reading.via, at.to_bytes(ABIS[self.abi].bits // 8, "little"))
        return self.areas.setdefault(at, Area())

    def text(self, reading: Reading, value: bytes) -> bytes:
        if len(value) > reading.limit - (reading.what == What.UNIX):
            raise Unfit(f"it has at most {reading.limit - 1} bytes")
        if reading.what == What.UNIX and value.startswith(b"@"):
            return b"\0" + value[1:]
        return value + b"\0"

    def number(self, area: Area, member: members.Member, value: int) -> None:
        """One number, or the parts of an address, the upper first."""
        bits = sum(8 * WIDTHS[reading.kind] for reading in member.readings)
        low, high = bounds(member.kind) if len(member.readings) == 1 else (0, (1 << bits) - 1)
        if not min(low, -(1 << bits - 1)) <= value <= max(high, (1 << bits) - 1):
            raise Unfit(f"{value} does not fit: it has {bits} bits")
        order = "big" if member.readings[0].flags & SourceFlag.BIG else "little"
        area.write(member.readings[0].offset, (value % (1 << bits)).to_bytes(bits // 8, order))

    def finish(self) -> None:
        """Families and sizes that nobody wrote follow from what was."""
        for name in members.names(self.abi, self.call):
            index = self.arguments.index(name.partition(".")[0])
            if APART * (index + 1) not in self.areas:
                continue
            reading = members.find(self.abi, self.call, name).readings[0]
            self.finish_sizes(index, name, reading)
            if name.endswith(".sa_family") and name not in self.given and (area := self.found(index, reading)) and area.family:
                area.write(0, area.family.to_bytes(2, "little"))
                self.given.add(name)

    def finish_sizes(self, index: int, name: str, reading: Reading) -> None:
        if reading.size:
            self.sized[reading.size - 1] = self.areas[APART * (index + 1)].size
        if reading.flags & SourceFlag.VIA_SIZE and (inner := self.found(index, reading)):
            outer = self.areas[APART * (index + 1)]
            if not int.from_bytes(outer.bytes[reading.via_size : reading.via_size + 4], "little"):
                outer.write(reading.via_size, inner.size.to_bytes(4, "little"))

    def found(self, index: int, reading: Reading) -> Area | None:
        at = APART * (index + 1)
        return self.areas.get(at + INSIDE + reading.via if reading.flags & SourceFlag.VIA else at)

    def missing(self, index: int) -> set[str]:
        """The members of a structure of which nothing is known: not those that its family does not have."""
        found = set()
        for name in members.names(self.abi, self.call):
            if name.partition(".")[0] != self.arguments[index] or name in self.given:
                continue
            reading = members.find(self.abi, self.call, name).readings[0]
            area = self.found(index, reading)
            if area is None or not area.family or reading.family in (0, area.family):
                found.add(name)
        return found

    def held(self) -> dict[int, bytes]:
        """All of it, by address."""
        return {at: bytes(area.bytes) for at, area in self.areas.items()}
