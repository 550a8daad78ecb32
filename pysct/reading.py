# SPDX-License-Identifier: GPL-2.0-only
"""How does a program find what an argument points to: a member of a structure, for example?

What struct sct_source says; kmod/rules/reading.c does it.
"""

from dataclasses import dataclass, fields
from functools import cache

from pysct.abi import KINDS, SourceFlag, SourceStruct
from pysct.abi import Source as What

RESOLVED = frozenset({What.PATH, What.DESCRIPTOR})
"""Those that are no memory: the file system is asked."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One source of a program, as struct sct_source has it; that the log shows it is no part of it."""

    what: int
    arg: int
    kind: int = 0
    flags: int = 0
    size: int = 0
    family: int = 0
    other: int = 0
    each: int = 0
    offset: int = 0
    via: int = 0
    via_size: int = 0
    limit: int = 0

    @cache
    def entry(self, shown: bool = False) -> bytes:
        """struct sct_source; `shown`: in the events of its program."""
        made = SourceStruct(**{each.name: getattr(self, each.name) for each in fields(self)})
        made.flags |= SourceFlag.LOG * shown
        return bytes(made)


@cache
def decode(entry: bytes) -> Reading:
    """What a struct sct_source says."""
    made = SourceStruct.from_buffer_copy(entry)
    values = {each.name: getattr(made, each.name) for each in fields(Reading)}
    return Reading(**values | {"flags": made.flags & ~SourceFlag.LOG})


def bounds(kind: int) -> tuple[int, int]:
    """The least and the greatest number of a kind."""
    known = next(entry for entry in KINDS.values() if entry.number == kind)
    return (-(1 << known.bits - 1), (1 << known.bits - 1) - 1) if known.signed else (0, (1 << known.bits) - 1)
