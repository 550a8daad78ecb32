# SPDX-License-Identifier: GPL-2.0-only
"""What does a name in a condition say of one call?"""

from pysct.abi import FIELDS, KINDS, STATICS, Limit
from pysct.constants import CONSTANTS
from pysct.judge import Call
from pysct.reference.number import Number
from pysct.tables import CALLS


class Meaning:
    """Names at one call of an ABI: fields before arguments, arguments before constants."""

    def __init__(self, abi: str, call: str, event: Call):
        self.abi, self.call, self.event = abi, call, event
        self.arguments = CALLS[abi][call][1]

    def of(self, name: str) -> Number | bytes | None:
        """A number or a string; None if it is unknown.  Raises LookupError if it means nothing here."""
        if name in FIELDS:
            field = FIELDS[name]
            return self.text(field.number) if field.type == "str" else Number(self.event.fields.get(field.number, 0))
        if name in STATICS:
            return {"SYSCALL": self.call, "ABI": self.abi}[name].encode()
        names = [argument for argument, _ in self.arguments]
        if name in names:
            return self.argument(names.index(name))
        value = CONSTANTS[name]
        return Number.literal(value[self.abi] if isinstance(value, dict) else value)

    def argument(self, index: int) -> Number | bytes | None:
        """An argument by its place, from 0."""
        kind = KINDS[self.arguments[index][1]]
        if kind.name == "str":
            return self.text(index)
        register = self.event.args[index] if index < len(self.event.args) else 0
        value = register % (1 << kind.bits)
        if kind.signed and value >= 1 << (kind.bits - 1):
            value -= 1 << kind.bits
        return Number(value, unsigned=kind.bits == 64 and not kind.signed)

    def text(self, operand: int) -> bytes | None:
        """A string of the call, by its operand."""
        found = self.event.strings.get(operand)
        return found if isinstance(found, bytes) and len(found) < Limit.STRING else None
