# SPDX-License-Identifier: GPL-2.0-only
"""What does a name in a condition say of one call?"""

from collections.abc import Collection

from pysct.abi import FIELDS, KINDS, STATICS, Field, Limit
from pysct.constants import CONSTANTS
from pysct.judge import Call
from pysct.reference.memory import Dump
from pysct.reference.number import Number
from pysct.tables import ABSOLUTE, CALLS, NO_PATHS, PATHS


class Meaning:
    """Names at one call of an ABI: fields before arguments, arguments before constants. What is missing is unknown.

    `asked_in_vain` are the missing names that were asked for.
    """

    def __init__(self, abi: str, call: str, event: Call, missing: Collection[str] = ()):
        self.abi, self.call, self.event, self.missing = abi, call, event, missing
        self.asked_in_vain: set[str] = set()
        self.ancestor = 0  # of which ANCESTOR speaks
        self.arguments = CALLS[abi][call][1]
        self.memory = Dump(abi, call, event)

    def of(self, name: str) -> Number | bytes | None:
        """A number or a string; None if it is unknown.  Raises LookupError if it means nothing here."""
        if self.memory.has(name):
            name = self.memory.canonical(name)
        if name.endswith(")"):
            return self.leads_to(*name[:-1].split("("))
        if self.lacks(name):
            return None
        if name in FIELDS and FIELDS[name].subject:
            return self.of_other(FIELDS[name].subject, FIELDS[name.partition(".")[2]])
        if name in FIELDS:
            field = FIELDS[name]
            return self.text(field.number) if field.type == "str" else Number(self.event.fields.get(field.number, 0))
        if name in STATICS:
            return {"SYSCALL": self.call, "ABI": self.abi}[name].encode()
        if self.memory.has(name):
            return self.memory.of(name)
        names = [argument for argument, _ in self.arguments]
        if name in names:
            return self.argument(names.index(name))
        value = CONSTANTS[name]
        return Number.literal(value[self.abi] if isinstance(value, dict) else value)

    def leads_to(self, function: str, said: str) -> bytes | None:
        """Where an argument leads, or the result; a call that fails has none."""
        argument = self.memory.argument(said)
        index = Limit.ARGS if said == "RETVAL" else [name for name, _ in self.arguments].index(argument)
        failed = said == "RETVAL" and self.event.fields.get(FIELDS["ERRNO"].number)
        if failed or self.lacks(f"{function}({argument})"):
            return None
        found = self.event.paths.get((function, index))
        return found if isinstance(found, bytes) and len(found) < Limit.STRING else None

    def of_other(self, subject: str, field: Field) -> Number | bytes | None:
        """A field of the parent, or of the ancestor whose turn it is."""
        at = self.ancestor if subject == "ANCESTOR" else 0
        if at >= len(self.event.ancestors):
            return None
        found = self.event.ancestors[at]
        value = (found.strings if field.type == "str" else found.fields).get(field.number)
        if isinstance(value, bytes):
            return value if len(value) < Limit.STRING else None
        return Number(value) if field.type == "int" and value is not None else None

    def argument(self, index: int) -> Number | bytes | None:
        """An argument by its place, from 0."""
        name, kind = self.arguments[index][0], KINDS[self.arguments[index][1]]
        if self.lacks(name):
            return None
        if kind.name == "str":
            return self.text(index)
        if name in self.memory.buffers:
            return self.memory.data(name)
        register = self.event.args[index] if index < len(self.event.args) else 0
        value = register % (1 << kind.bits)
        if kind.signed and value >= 1 << (kind.bits - 1):
            value -= 1 << kind.bits
        return Number(value, unsigned=kind.bits == 64 and not kind.signed)

    def is_path(self, name: str) -> bool:
        """Whether a field or argument is a path."""
        if name.endswith(")"):
            return True
        if self.memory.has(name):
            return name.endswith(".sun_path")
        if name in FIELDS:
            return (name.partition(".")[2] if FIELDS[name].subject else name) in ABSOLUTE
        return name in PATHS and (name, "str") in self.arguments and name not in NO_PATHS.get(self.call, ())

    def lacks(self, name: str) -> bool:
        """Whether nothing is known of a field or argument, which is noted."""
        if name in self.missing:
            self.asked_in_vain.add(name)
        return name in self.missing

    def text(self, operand: int) -> bytes | None:
        """A string of the call, by its operand."""
        found = self.event.strings.get(operand)
        return found if isinstance(found, bytes) and len(found) < Limit.STRING else None
