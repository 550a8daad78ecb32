# SPDX-License-Identifier: GPL-2.0-only
"""Of what consists an argument, in the log, that points to a structure or a list of strings?"""

from functools import cache

from pysct import members
from pysct.abi import ABIS, Limit
from pysct.layouts import ADDRESSES, ARGUMENTS, BRIEF, COMPAT, FAMILIES, LAYOUTS, LISTS, POINTERS
from pysct.reading import Reading


@cache
def arguments(abi: str, call: str) -> tuple[str, ...]:
    """The arguments of a call that the log can show as more than an address, data left out."""
    found = [*ARGUMENTS.get(abi, {}).get(call, {}), *LISTS.get(abi, {}).get(call, ())]
    return tuple(name for name in found if (call, name) not in ADDRESSES and parts(abi, call, name))


@cache
def parts(abi: str, call: str, argument: str) -> tuple[str, ...]:
    """The names of the members or elements that are shown of one of these; of a list, one more says whether there are more."""
    if listed := members.elements(abi, call, argument):
        return tuple(listed[: Limit.LISTED + 1])
    struct, *_, count = ARGUMENTS[abi][call][argument]
    paths = below(ABIS[abi].machine, ABIS[abi].bits, struct)
    return tuple(f"{first}.{path}" for first in members.row(argument, count)[: Limit.LISTED] for path in paths)


def below(machine: str, bits: int, struct: str) -> list[str]:
    """The members of a structure that are shown, and those of what its pointers lead to."""
    if struct == "sockaddr":
        return ["sa_family", *(path for name, _ in FAMILIES for path in kept(machine, name))]
    found = []
    for path in kept(machine, struct):
        inner = below(machine, bits, target(path, bits)) if path in POINTERS else []
        found += [path, *(f"{path}.{name}" for name in inner)]
    return found


def kept(machine: str, struct: str) -> tuple[str, ...]:
    """The members of a structure that are shown."""
    return BRIEF[struct] if struct in BRIEF else tuple(LAYOUTS[machine][struct])


def target(path: str, bits: int) -> str:
    """The structure that a member leads to."""
    to = POINTERS[path][0]
    return COMPAT.get(to, to) if bits == 32 else to


def readings(abi: str, call: str, argument: str, phase: str) -> list[Reading]:
    """What is read for it; nothing before the call of what that fills in, which is an address then."""
    found = [members.find(abi, call, name) for name in parts(abi, call, argument)]
    return [reading for member in found if phase == "after" or not member.filled for reading in member.readings]
