# SPDX-License-Identifier: GPL-2.0-only
"""By which words is a constant of a program said: O_CREAT, 10.0.0.0, EACCES?"""

from functools import cache
from ipaddress import IPv4Address, IPv6Address

from pysct import calls, members, values, words
from pysct.abi import FIELDS, KINDS
from pysct.constants import CONSTANTS, FAMILIES
from pysct.image import Image, Prog
from pysct.operands import BITS, Use, uses
from pysct.reading import Reading, decode
from pysct.shown import ARGUMENTS

FIELDS_BY_NUMBER = {field.number: field for field in FIELDS.values()}
KINDS_BY_NUMBER = {kind.number: kind for kind in KINDS.values()}
PLAIN = 0xFFFF  # larger numbers are shown in hexadecimal as well
ALIKE = 9  # of bits, those that are no number of one digit
NAMED = BITS | {"EQ", "NE"}


class Meanings:
    """Those of one program."""

    def __init__(self, image: Image, prog: Prog, arguments: tuple[str, ...]):
        self.prog, self.arguments = prog, arguments
        self.abi, self.call = calls.abi_name(prog.abi), calls.call_name(prog.abi, prog.nr)
        self.uses = uses(prog, image.consts)

    def said(self, at: int, value: int) -> str:
        """What the constant that is loaded at an instruction means; empty if the number says as much."""
        found = {self.met(use, value) for use in self.uses.get(at, ())}
        text = found.pop() if len(found) == 1 else None
        if text is None:
            return hex(value) if value > PLAIN else ""
        return "" if text == str(value) else text

    def met(self, use: Use, value: int) -> str | None:
        """What a constant means where it meets something; None if nothing is known of it."""
        subject, number = use.subject, use.subject.number
        text = None
        if subject.what == "field" and number in FIELDS_BY_NUMBER:
            text = of_field(use.op, FIELDS_BY_NUMBER[number].name, value)
        elif subject.what == "arg" and 0 <= number < len(self.prog.kinds):
            name = ARGUMENTS.get(self.call, {}).get(self.arguments[number])
            text = self.of_number(use, name, self.prog.kinds[number], value)
        elif subject.what == "source" and 0 <= number < len(self.prog.sources):
            text = self.of_source(use, decode(self.prog.sources[number]), value)
        return text or (hex(value) if use.op in BITS and value > ALIKE else None)

    def of_number(self, use: Use, name: str | None, kind: int, value: int) -> str | None:
        """Of a number of the call, which is shown by the set of constants of this name."""
        known = KINDS_BY_NUMBER.get(kind)
        if known is None or known.name in ("ptr", "str"):
            return values.pointer(value)
        if name is None or use.op not in NAMED:
            return None
        if use.op in BITS:
            return words.bits_of(name, self.abi, value, known.bits)
        return words.part(name, self.abi, value, known.bits, use.subject.mask)

    def of_source(self, use: Use, reading: Reading, value: int) -> str | None:
        """Of a member of a structure."""
        path = members.shown(self.abi, self.call, reading)
        member = members.named(self.abi, self.call).get(path) if path else None
        if member is None:
            return None
        if member.form == "in_addr":
            return str(IPv4Address(value & (1 << 32) - 1))
        if member.form == "in6_addr":
            upper = reading == member.readings[0]
            address = IPv6Address((value & (1 << 64) - 1) << (64 if upper else 0))
            return f"{address}, {'upper' if upper else 'lower'} half"
        return self.of_number(use, member.words, reading.kind, value)


def of_field(op: str, name: str, value: int) -> str | None:
    """Of a field: an error's name, or that of a bit in a set of them."""
    if op in NAMED and (text := values.field_words(name, value)):
        return text
    return bit_names(FIELDS[name].set).get(value) if op == "SHR" and FIELDS[name].set else None


@cache
def bit_names(family: str) -> dict[int, str]:
    """The constants of a family by their values, which are the same in all ABIs."""
    return {CONSTANTS[name]: name for name, of in FAMILIES.items() if of == family}
