# SPDX-License-Identifier: GPL-2.0-only
"""What does a member of a structure, data, or an element of a list, say that an argument of one call points to?

Straight from the layouts, the way a person would look it up in a dump of memory.
"""

import re

from pysct.abi import ABIS, KINDS, Limit
from pysct.constants import CONSTANTS
from pysct.judge import Call
from pysct.layouts import ANSWERS, ARGUMENTS, COMPAT, DATA, FAMILIES, LAYOUTS, LISTS, POINTERS, SIZES
from pysct.reference.address import Address
from pysct.reference.number import Number
from pysct.tables import CALLS

ANY_SIZE = 1 << 64
PAGE = 4096  # what is there and what is not differs from one to the next
INDEXED = re.compile(r"(.+)\[([0-9]+)\]")


class Unreadable(Exception):
    """It is not there."""


class Dump:
    """The memory of one call, of an ABI."""

    def __init__(self, abi: str, call: str, event: Call):
        self.abi, self.event = abi, event
        self.arguments = CALLS[abi][call][1]
        self.structures = ARGUMENTS[abi].get(call, {})
        self.buffers = DATA[abi].get(call, {})
        self.lists = LISTS[abi].get(call, ())
        self.layouts, self.sizes = LAYOUTS[ABIS[abi].machine], SIZES[ABIS[abi].machine]
        self.width = ABIS[abi].bits // 8

    def has(self, name: str) -> bool:
        """Whether a name is that of a member of some argument's structure, or of an element of a list."""
        if name.endswith("]"):
            return name.partition("[")[0] in self.lists
        argument, _, path = name.partition(".")
        return bool(path) and self.argument(argument) in self.structures

    def canonical(self, name: str) -> str:
        """The name by which an event lacks a member, or an element: with a place where it is one of an array."""
        if name.endswith("]"):
            return name
        said, _, path = name.partition(".")
        argument, place = self.argument(said), self.place(said)
        step, _, rest = path.partition(".")
        if POINTERS.get(step, ("", "", ""))[2]:
            path = f"{step}[0].{rest}" if rest else step
        return f"{argument}[{place}].{path}" if self.structures[argument][-1] else f"{argument}.{path}"

    def argument(self, said: str) -> str:
        """An argument's name, for PARAMS[n] and for an element of an array as well."""
        if said.startswith("PARAMS["):
            index = int(said[len("PARAMS[") : said.index("]")]) - 1
            return self.arguments[index][0] if index < len(self.arguments) else ""
        return said.partition("[")[0]

    def place(self, said: str) -> int:
        """The place in an array that stands behind an argument, or PARAMS[n]; where none does it is the first."""
        found = INDEXED.fullmatch(said)
        return int(found[2]) if found and found[1] != "PARAMS" else 0

    def of(self, name: str) -> Number | bytes | Address | None:
        """What a member says, or an element; None if it is unknown."""
        if name.endswith("]"):
            argument, _, number = name[:-1].partition("[")
            try:
                return self.element(self.register(argument), int(number))
            except Unreadable:
                return None
        said, _, path = name.partition(".")
        argument, place = self.argument(said), self.place(said)
        struct, filled, size, extends, count = self.structures[argument]
        try:
            if (filled or path in ANSWERS.get(struct, ())) and self.event.fields.get(30):  # ERRNO: a call that fails fills nothing in
                raise Unreadable
            at = self.register(argument)
            if count:
                at = self.one_of(struct, at, place, count if isinstance(count, int) else self.size(count))
            return self.member(struct, path, at, self.size(size), extends)
        except Unreadable:
            return None

    def data(self, argument: str) -> bytes | None:
        """The first bytes of what a call writes or has read, as far as they are there; None if none is that should be."""
        size, filled = self.buffers[argument]
        count = self.size(size)
        if filled:
            if self.event.fields.get(30):  # ERRNO
                return None
            count = min(count, self.event.fields.get(29, 0) % ANY_SIZE)  # RETVAL
        at, left, found = self.register(argument), min(count, Limit.DATA), b""
        while left:
            part = min(left, PAGE - at % PAGE)
            try:
                found += self.bytes(at, part)
            except Unreadable:
                return found or None
            at, left = at + part, left - part
        return found

    def element(self, at: int, number: int) -> bytes:
        """A string of a list, whose addresses end with a null."""
        if not at:
            raise Unreadable
        for place in range(number + 1):
            string = self.number((at + place * self.width) % ANY_SIZE, self.width)
            if not string:
                raise Unreadable
        found = b""
        while b"\0" not in found and len(found) < Limit.STRING:
            start = string + len(found)
            found += self.bytes(start, min(PAGE - start % PAGE, Limit.STRING - len(found)))
        text, nul, _ = found.partition(b"\0")
        if not nul:
            raise Unreadable  # it is too long
        return text

    def register(self, argument: str) -> int:
        index = [name for name, _ in self.arguments].index(argument)
        return self.event.args[index] if index < len(self.event.args) else 0

    def size(self, argument: str) -> int:
        if not argument:
            return ANY_SIZE
        kind = KINDS[dict(self.arguments)[argument]]
        if kind.name == "ptr":
            return self.number(self.register(argument), 4, signed=True, least=0)
        value = self.register(argument) % (1 << kind.bits)
        if kind.signed and value >> kind.bits - 1:
            raise Unreadable
        return value

    def bytes(self, at: int, count: int) -> bytes:
        for start, held in self.event.memory.items():
            if start <= at and at + count <= start + len(held):
                return held[at - start : at - start + count]
        raise Unreadable

    def number(self, at: int, count: int, signed: bool = False, order: str = "little", least: int | None = None) -> int:
        value = int.from_bytes(self.bytes(at, count), order, signed=signed)
        if least is not None and value < least:
            raise Unreadable
        return value

    def one_of(self, struct: str, at: int, place: int, count: int) -> int:
        """Where one of so many structures in a row is."""
        if not at or place >= count:
            raise Unreadable
        return (at + place * self.sizes[struct]) % ANY_SIZE

    def member(self, struct: str, path: str, at: int, size: int, extends: bool):
        """The member at `path` of the structure at an address, of which `size` bytes are there."""
        if not at:
            raise Unreadable
        if struct == "sockaddr":
            return self.of_address(path, at, size)
        layout = self.layouts[struct]
        if path in layout:
            return self.value(*layout[path], at, size, extends)
        said, _, rest = path.partition(".")
        pointer, place = said.partition("[")[0], self.place(said)
        to, size_member, count_member = POINTERS[pointer]
        to = COMPAT.get(to, to) if self.width == 4 else to
        inner = self.value(layout[pointer][0], f"u{8 * self.width}", at, size, False).value
        inner_size = ANY_SIZE
        if size_member:
            inner_size = self.value(layout[size_member][0], "s32", at, size, False).value
            if inner_size < 0:
                raise Unreadable
        if count_member:
            count = self.value(layout[count_member][0], f"u{8 * self.width}", at, size, False).value
            inner = self.one_of(to, inner, place, count)
        return self.member(to, rest, inner, inner_size, False)

    def of_address(self, path: str, at: int, size: int):
        family = self.value(0, "u16", at, size, False)
        if path == "sa_family":
            return family
        struct, wanted = next((name, number) for name, number in FAMILIES if path in self.layouts[name])
        if family.value not in (CONSTANTS["AF_UNSPEC"], wanted):
            raise Unreadable
        offset, form = self.layouts[struct][path]
        if path == "sun_path":
            return self.path(at + offset, size - offset, int(form.removeprefix("chars:")))
        return self.value(offset, form, at, size, False)

    def path(self, at: int, count: int, most: int) -> bytes:
        """The path of a Unix socket: up to a NUL or the end; an abstract one starts with a NUL, shown as @."""
        if count < 0 or count > most:
            raise Unreadable
        held = self.bytes(at, count) if count else b""
        return b"@" + held[1:] if held[:1] == b"\0" else held.split(b"\0")[0]

    def value(self, offset: int, form: str, at: int, size: int, extends: bool):
        if form.startswith("chars:"):
            count = min(int(form.removeprefix("chars:")), Limit.STRING, max(size - offset, 0))
            return self.bytes(at + offset, count).split(b"\0")[0]
        if form in ("in_addr", "in6_addr"):
            count = 4 if form == "in_addr" else 16
            if offset + count > size:
                raise Unreadable
            return Address(8 * count, self.number(at + offset, count, order="big"))
        if extends and offset >= size:
            return Number(0)
        kind = KINDS[form.removesuffix("be")]
        if offset + kind.bits // 8 > size:
            raise Unreadable
        order = "big" if form.endswith("be") else "little"
        return Number(self.number(at + offset, kind.bits // 8, kind.signed, order), kind.bits == 64 and not kind.signed)
