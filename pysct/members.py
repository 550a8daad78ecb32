# SPDX-License-Identifier: GPL-2.0-only
"""Which member of which structure does a name like addr.sin_port mean, which data one like buf, and how is it read?"""

import re
from dataclasses import dataclass, replace
from functools import cache

from pysct.abi import ABIS, KINDS, Limit, SourceFlag
from pysct.abi import Source as What
from pysct.layouts import ANSWERS, ARGUMENTS, COMPAT, DATA, FAMILIES, LAYOUTS, LISTS, POINTERS, SIZES
from pysct.reading import Reading
from pysct.shown import MEMBERS
from pysct.tables import CALLS

PATH = re.compile(r"(?:PARAMS\[([0-9]{1,3})\]|([A-Za-z_]\w*))(?:\[([0-9]{1,9})\])?\.([\w.\[\]]+)", re.ASCII)
STEP = re.compile(r"(\w+)(?:\[([0-9]{1,9})\])?\.(.+)", re.ASCII)  # from a structure through a pointer
PLACE = re.compile(r"\[[0-9]+\]")
ELEMENT = re.compile(r"([A-Za-z_]\w*)\[([0-9]{1,9})\]", re.ASCII)
LISTED = frozenset(name for calls in LISTS.values() for names in calls.values() for name in names)
ADDRESS_FORMS = {"in_addr": ("u32",), "in6_addr": ("u64", "u64")}  # an address is one or more numbers, the upper first


@dataclass(frozen=True, slots=True)
class Member:
    """What a name means: `form` is number, text, in_addr or in6_addr; an in6_addr has two readings, its upper half first.

    `words` is the set of constants (pysct.shown) of which a number consists, if there is one.
    """

    form: str
    readings: tuple[Reading, ...]
    filled: bool
    words: str | None = None

    @property
    def kind(self) -> int:
        return self.readings[0].kind


@cache
def find(abi: str, call: str, name: str) -> Member | None:
    """The member, or element of a list, that a name means at a call of an ABI; None if it means none there."""
    if name.endswith("]"):
        return element(abi, call, name)
    said = PATH.fullmatch(name)
    arguments = [argument for argument, _ in CALLS[abi][call][1]]
    if not said:
        return None
    number, argument, at, path = said.groups()
    index = int(number) - 1 if number else arguments.index(argument) if argument in arguments else -1
    found = ARGUMENTS[abi].get(call, {}).get(arguments[index]) if 0 <= index < len(arguments) else None
    if found is None or int(at or 0) >= (most(found[-1]) if at else 1):
        return None
    struct, filled, size, extends, count = found
    flags = SourceFlag.AFTER * filled
    if size:
        kind = CALLS[abi][call][1][arguments.index(size)][1]
        flags |= SourceFlag.SIZE_AT * (kind == "ptr") | SourceFlag.EXTENDS * extends
    each = SIZES[ABIS[abi].machine][struct] if count else 0
    base = Reading(What.NUMBER, index, flags=flags, offset=int(at or 0) * each)
    if size or isinstance(count, str) and count:
        base = replace(base, size=arguments.index(size or count) + 1, each=each)
    return of_struct(ABIS[abi].machine, ABIS[abi].bits, struct, path, base)


def most(count: str | int) -> int:
    """How many structures in a row a rule can name, where they are counted so; 0 where there is one."""
    return count if isinstance(count, int) else Limit.ELEMENTS if count else 0


def element(abi: str, call: str, name: str) -> Member | None:
    """The string of a list that a name like argv[1] means."""
    said = ELEMENT.fullmatch(name)
    if not said or said[1] not in LISTS[abi].get(call, ()) or int(said[2]) >= Limit.ELEMENTS:
        return None
    index = [argument for argument, _ in CALLS[abi][call][1]].index(said[1])
    return Member("text", (Reading(What.ELEMENT, index, offset=int(said[2]), limit=Limit.STRING),), False)


def elements(abi: str, call: str, argument: str) -> list[str]:
    """The names of all elements of an argument that a rule can name; none if it is no list."""
    return [f"{argument}[{at}]" for at in range(Limit.ELEMENTS) if argument in LISTS.get(abi, {}).get(call, ())]


@cache
def data(abi: str, call: str, argument: str) -> Member | None:
    """The bytes that an argument of a call of an ABI points to; None if it is nothing of the kind."""
    found = DATA.get(abi, {}).get(call, {}).get(argument)
    if found is None:
        return None
    size, filled = found
    arguments = [name for name, _ in CALLS[abi][call][1]]
    reading = Reading(
        What.DATA, arguments.index(argument), flags=SourceFlag.AFTER * filled, size=arguments.index(size) + 1, limit=Limit.DATA
    )
    return Member("text", (reading,), filled)


def of_struct(machine: str, bits: int, struct: str, path: str, base: Reading) -> Member | None:
    """A member of a structure, of which `base` says where it is."""
    if struct == "sockaddr":
        return of_address(machine, path, base)
    layout = LAYOUTS[machine][struct]
    if path in layout:
        return read(struct, path, *layout[path], base)
    said = STEP.fullmatch(path)
    if not said or said[1] not in POINTERS or said[1] not in layout:
        return None
    to, size, count = POINTERS[said[1]]
    at, to = int(said[2] or 0), COMPAT.get(to, to) if bits == 32 else to
    if at >= (most(count) if said[2] else 1):
        return None
    base = replace(base, flags=(base.flags | SourceFlag.VIA) & ~SourceFlag.EXTENDS, via=layout[said[1]][0])
    if size or count:
        base = replace(base, flags=base.flags | SourceFlag.VIA_SIZE, via_size=layout[size or count][0])
    if count:
        base = replace(base, each=SIZES[machine][to], offset=at * SIZES[machine][to])
    return of_struct(machine, bits, to, said[3], base)


def of_address(machine: str, path: str, base: Reading) -> Member | None:
    """The same of a socket address."""
    if path == "sa_family":
        return read("sockaddr", path, 0, "u16", base)
    for struct, family in FAMILIES:
        if path in LAYOUTS[machine][struct]:
            return read(struct, path, *LAYOUTS[machine][struct][path], replace(base, family=family))
    return None


def read(struct: str, name: str, offset: int, form: str, base: Reading) -> Member:
    base = replace(base, flags=base.flags | SourceFlag.AFTER * (name in ANSWERS.get(struct, ())))
    filled, offset = bool(base.flags & SourceFlag.AFTER), base.offset + offset
    if form in ADDRESS_FORMS:
        made, flags = [], base.flags | SourceFlag.BIG
        for kind in ADDRESS_FORMS[form]:
            made.append(replace(base, kind=KINDS[kind].number, flags=flags, offset=offset))
            offset += KINDS[kind].bits // 8
        return Member(form, tuple(made), filled)
    if form.startswith("chars:"):
        what = What.UNIX if name == "sun_path" else What.CHARS
        limit = min(int(form.removeprefix("chars:")), Limit.STRING)
        flags = base.flags & ~SourceFlag.EXTENDS
        return Member("text", (replace(base, what=what, flags=flags, offset=offset, limit=limit),), filled)
    flags = base.flags | SourceFlag.BIG * form.endswith("be")
    reading = replace(base, kind=KINDS[form.removesuffix("be")].number, flags=flags, offset=offset)
    return Member("number", (reading,), filled, MEMBERS.get(struct, {}).get(name))


@cache
def named(abi: str, call: str) -> dict[str, Member]:
    """What the names of members, elements and data at a call of an ABI mean."""
    lists = LISTS.get(abi, {}).get(call, ())
    every = [*names(abi, call), *(name for argument in lists for name in elements(abi, call, argument))]
    found = {name: find(abi, call, name) for name in every}
    return found | {argument: data(abi, call, argument) for argument in DATA.get(abi, {}).get(call, {})}


@cache
def names(abi: str, call: str) -> tuple[str, ...]:
    """The names of all members at a call of an ABI; none if these are not known."""
    found = []
    for argument, (struct, *_, count) in ARGUMENTS.get(abi, {}).get(call, {}).items():
        below = paths(ABIS[abi].machine, ABIS[abi].bits, struct)
        found += [f"{first}.{path}" for first in row(argument, count) for path in below]
    return tuple(found)


def row(name: str, count: str | int) -> list[str]:
    """The names of structures in a row; of one that stands alone its own."""
    return [f"{name}[{at}]" for at in range(most(count))] or [name]


def paths(machine: str, bits: int, struct: str) -> list[str]:
    if struct == "sockaddr":
        return ["sa_family", *(path for name, _ in FAMILIES for path in LAYOUTS[machine][name])]
    found = []
    for path in LAYOUTS[machine][struct]:
        found.append(path)
        if path in POINTERS:
            to, _, count = POINTERS[path]
            below = paths(machine, bits, COMPAT.get(to, to) if bits == 32 else to)
            found += [f"{first}.{rest}" for first in row(path, count) for rest in below]
    return found


@cache
def everywhere() -> frozenset[str]:
    """The names of all members of all calls, without places in arrays."""
    return frozenset(plain(name) for abi, calls in ARGUMENTS.items() for call in calls for name in names(abi, call))


def plain(name: str) -> str:
    """A member's name as that of the first of an array may be written: without the place."""
    return PLACE.sub("", name)


def argument_of(name: str) -> str:
    """The argument that a name of a member or element begins with."""
    return re.split(r"[.\[]", name, maxsplit=1)[0]


def exists(name: str) -> bool:
    """Whether a name is that of a member, or of an element, at some call."""
    if listed := ELEMENT.fullmatch(name):
        return listed[1] in LISTED
    said = PATH.fullmatch(name)
    if not said:
        return False
    number, argument, _, path = said.groups()
    path = plain(path)
    return any(other.endswith(f".{path}") for other in everywhere()) if number else f"{argument}.{path}" in everywhere()


@cache
def by_reading(abi: str, call: str) -> dict[Reading, str]:
    """Names by what is read; halves of an address have the name of the whole."""
    return {reading: name for name, member in reversed(named(abi, call).items()) for reading in member.readings}


def shown(abi: str, call: str, reading: Reading) -> str | None:
    """The name of what is read; None if it is neither a member, nor an element, nor data."""
    return by_reading(abi, call).get(reading) if call in CALLS.get(abi, {}) else None
