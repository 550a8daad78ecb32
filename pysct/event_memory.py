# SPDX-License-Identifier: GPL-2.0-only
"""What do the arguments of a described call point to: structures, arrays of them, lists of strings, data?"""

from ipaddress import ip_address

from lark import Token, Tree

from pysct import members
from pysct.abi import KINDS, Limit
from pysct.described import NOWHERE, Memory, Unfit
from pysct.diagnostics import Diagnostics, suggest
from pysct.event_words import Words, elements_of, is_open, is_row, ours, span, written
from pysct.layouts import ARGUMENTS
from pysct.source import Source


class Pointing(Words):
    """Reads them, into `memory`.  All methods raise Unusable after reporting what is wrong, or go on if `builder` says so."""

    memory: Memory

    def __init__(self, source: Source, diagnostics: Diagnostics):
        super().__init__(source, diagnostics)
        self.numbers: dict[str, int] = {}  # fields
        self.structures: set[int] = set()
        self.unlisted: set[str] = set()  # elements behind a `...`, and those of which only the beginning is given
        self.data: dict[int, bytes | None] = {}  # of the arguments that are data; None for what cannot be read

    def missing_members(self, declared: list[str], known: set[str], args: tuple[int, ...]) -> set[str]:
        """The members of which nothing is known: of a structure that is not there all that it has."""
        found = set()
        for argument in ARGUMENTS[self.abi].get(self.memory.call, {}):
            index = declared.index(argument)
            if argument not in known or index in self.structures:
                found |= self.memory.missing(index, {at: value for at, value in enumerate(args) if declared[at] in known})
        return found

    def missing_data(self, declared: list[str], known: set[str]) -> set[str]:
        """The data of which not even the size is known."""
        return {declared[index] for index in self.data if declared[self.size_of(index)] not in known}

    def size_of(self, index: int) -> int:
        """The place of the argument that says how large an argument's data is."""
        return self.memory.data(index).readings[0].size - 1

    def size(self, index: int, kind: str) -> int:
        """The register of an argument that was left out: the size of a structure, or where it stands, if it says one."""
        size = self.memory.sized.get(index)
        if size is None or kind != "ptr":
            return size or 0
        at = self.memory.address(index)
        self.memory.areas[at].write(0, size.to_bytes(4, "little"))
        return at

    def data_given(self, part: Tree, index: int) -> int:
        """The address of data, which is written as a string."""
        self.data[index] = self.builder.unescape(ours(part.children[0]), nul=True) if part.data == "text" else None
        return NOWHERE if self.data[index] is None else self.memory.hold(index, self.data[index])

    def takes_list(self, name: Token, argument: str) -> bool:
        return bool(members.elements(self.abi, name.value, argument))

    def list_given(self, part: Tree, index: int, name: Token, argument: str) -> int:
        """The address of a list of strings."""
        if part.data == "unreadable":
            return NOWHERE
        elements = elements_of(part)
        if any(each.data in ("structure", "unsaid") for each in elements):
            self.refuse(span(name), f"`{argument}` is a list of strings", 'write "a", or `?` for what cannot be read')
        given = [self.builder.unescape(ours(each.children[0])) if each.data == "text" else None for each in elements]
        known = members.elements(self.abi, name.value, argument)
        self.unlisted |= {element for element, each in zip(known, elements) if each.data == "cut"}
        if is_open(part):
            self.unlisted |= set(known[len(given) :])
        try:
            return self.memory.hold_list(index, given)
        except Unfit as unfit:
            return self.refuse(span(name), f"`{argument}` cannot be this", str(unfit))

    def check_data(self, name: Token, registers: list[int], declared: tuple[tuple[str, str], ...]):
        """Whether data has as many bytes as the call has of them."""
        for index, held in self.data.items():
            size, kind = declared[self.size_of(index)]
            count = registers[self.size_of(index)] % (1 << KINDS[kind].bits)
            if self.memory.data(index).filled:
                size, count = "retval", min(count, max(self.numbers.get("RETVAL", 0), 0))
            if held is not None and count > len(held):
                message = f"`{declared[index][0]}` has {len(held)} bytes here, and `{size}` says {count}"
                self.refuse(span(name), message, "write all bytes, or `?` for what cannot be read")

    def array(self, part: Tree, index: int, argument: str, name: Token) -> int:
        """The address of structures in a row."""
        elements = elements_of(part)
        if any(each.data not in ("structure", "unsaid") for each in elements):
            self.refuse(span(name), f"`{argument}` is an array of structures", "write { } for each, or an address for what cannot be read")
        if len(elements) > (most := self.memory.most(index)):
            self.refuse(span(name), f"`{argument}` has more than {most} elements", f"write the first {most}, and `...` for the others")
        for place, each in enumerate(elements):
            if each.data == "structure":
                self.structure(each, index, argument, name.value, f"[{place}].")
        self.structures.add(index)
        self.memory.end(index, argument, len(elements), is_open(part))
        return self.memory.address(index)

    def structure(self, part: Tree, index: int, argument: str, call: str, element: str = "") -> int:
        """The address of a structure that is written by its members, perhaps as an element of an array."""
        self.structures.add(index)
        for name, path, value in written(part):
            try:
                if is_row(value):
                    self.memory.end(index, f"{argument}.{path}", len(elements_of(value)), is_open(value))
                else:
                    self.memory.write(index, element + path, self.member_value(value))
            except Unfit as unfit:
                self.refuse(span(name), f"`{path}` cannot be this", str(unfit))
            except LookupError:
                if is_row(value):
                    self.refuse(span(name), f"`{path}` of `{argument}` is no array of structures")
                names = [members.plain(other) for other in members.names(self.abi, call)]
                known = [other.partition(".")[2] for other in dict.fromkeys(names) if other.startswith(f"{argument}.")]
                self.refuse(span(name), f"`{argument}` has no member `{path}`", suggest(path, known))
        return self.memory.address(index)

    def member_value(self, value: Token | Tree) -> int | bytes:
        """A string, an internet address as its number, or a number."""
        if isinstance(value, Tree):
            return self.flags(value)
        if value.type == "STRING":
            return self.builder.unescape(ours(value))
        try:
            return int(ip_address(value.value))
        except ValueError:
            return self.refuse(span(value), f"`{value}` is not an internet address", "write 10.0.0.1 or 2001:db8::1")
