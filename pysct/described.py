# SPDX-License-Identifier: GPL-2.0-only
"""Which memory has the caller of an event in which structures are written by their members, data and strings as they are?"""

from dataclasses import dataclass, field

from pysct import members
from pysct.abi import ABIS, KINDS, SourceFlag
from pysct.abi import Source as What
from pysct.layouts import ARGUMENTS, POINTERS
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
        self.sized: dict[int, int] = {}  # size of the structure, or how many there are, by the argument that says it
        self.open: set[str] = set()  # arguments and members that are arrays of which not all is known

    def address(self, index: int) -> int:
        """Where the structure of an argument lies; it is there, and empty, once this was asked for."""
        at = APART * (index + 1)
        self.areas.setdefault(at, Area())
        return at

    def write(self, index: int, path: str, value: int | bytes) -> None:
        """Write one member; raises Unfit, or LookupError if there is none. An internet address is its number.

        The path begins with a place in brackets where that is one in an array.
        """
        name = self.arguments[index] + "." * (path[0] != "[") + path
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
        self.given.add(members.shown(self.abi, self.call, first))

    def most(self, index: int) -> int:
        """How many structures an argument can be of which rules name members; 0 if it is no array."""
        return members.most(ARGUMENTS[self.abi].get(self.call, {}).get(self.arguments[index], ("",))[-1])

    def end(self, index: int, name: str, count: int, more: bool) -> None:
        """An array has so many elements, of which nobody may have written anything, and perhaps more; LookupError if it is none."""
        last = f"{name}[{max(count - 1, 0)}]."
        found = [members.find(self.abi, self.call, each) for each in members.names(self.abi, self.call) if each.startswith(last)]
        if not found:
            raise LookupError(name)
        for reading in (member.readings[0] for member in found):
            area = self.area(index, reading)
            area.used = max(area.used, reading.offset + 1 if count else 0)
        if more:
            self.open.add(name)

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
        at = self.inner(index, reading)
        outer.write(reading.via, at.to_bytes(ABIS[self.abi].bits // 8, "little"))
        return self.areas.setdefault(at, Area())

    def inner(self, index: int, reading: Reading) -> int:
        """Where that lies what a pointer in a structure leads to."""
        return APART * (index + 1) + INSIDE + ROOM * (reading.via // 4)

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
            index = self.arguments.index(members.argument_of(name))
            if APART * (index + 1) not in self.areas:
                continue
            reading = members.find(self.abi, self.call, name).readings[0]
            self.finish_sizes(index, name, reading)
            if name.endswith(".sa_family") and name not in self.given and (area := self.found(index, reading)) and area.family:
                area.write(0, area.family.to_bytes(2, "little"))
                self.given.add(name)

    def finish_sizes(self, index: int, name: str, reading: Reading) -> None:
        outer, inner = self.areas[APART * (index + 1)], self.found(index, reading)
        if reading.size and self.arguments[index] not in self.open:
            self.sized[reading.size - 1] = size_of(outer, reading)
        if reading.flags & SourceFlag.VIA_SIZE and inner:
            pointer, said = self.way(name)
            if said not in self.given and pointer not in self.open:
                width = ABIS[self.abi].bits // 8 if reading.each else 4
                outer.write(reading.via_size, size_of(inner, reading).to_bytes(width, "little"))
                self.given.add(said)

    def way(self, name: str) -> tuple[str, str]:
        """The names of the pointer behind which a member lies, and of what says how large that is, or how many there are."""
        argument, pointer, _ = members.plain(name).split(".", 2)
        _, size, count = POINTERS[pointer]
        return f"{argument}.{pointer}", f"{argument}.{size or count}"

    def found(self, index: int, reading: Reading) -> Area | None:
        return self.areas.get(self.inner(index, reading) if reading.flags & SourceFlag.VIA else APART * (index + 1))

    def is_behind(self, index: int, name: str, reading: Reading, args: dict[int, int]) -> bool:
        """Whether a member lies behind the last element of an array, of which the size is known."""
        if not reading.each:
            return False
        if not reading.flags & SourceFlag.VIA:
            count = args.get(reading.size - 1)
            kind = KINDS[CALLS[self.abi][self.call][1][reading.size - 1][1]]
            count = None if count is None else count % (1 << kind.bits)
        elif self.way(name)[1] in self.given:
            held = self.areas[APART * (index + 1)].bytes[reading.via_size :]
            count = int.from_bytes(held[: ABIS[self.abi].bits // 8], "little")
        else:
            count = None
        return count is not None and reading.offset // reading.each >= count

    def missing(self, index: int, args: dict[int, int]) -> set[str]:
        """The members of a structure of which nothing is known: not those that its family does not have, or that are behind the
        last element of an array; `args` are the arguments that are known."""
        found = set()
        for name in members.names(self.abi, self.call):
            if members.argument_of(name) != self.arguments[index] or name in self.given:
                continue
            reading = members.find(self.abi, self.call, name).readings[0]
            if self.is_behind(index, name, reading, args):
                continue
            area = self.found(index, reading)
            if area is None or not area.family or reading.family in (0, area.family):
                found.add(name)
        return found

    def held(self) -> dict[int, bytes]:
        """All of it, by address."""
        return {at: bytes(area.bytes) for at, area in self.areas.items()}


def size_of(area: Area, reading: Reading) -> int:
    """The bytes of a structure, or how many there are in a row."""
    return -(-area.used // reading.each) if reading.each else area.size
