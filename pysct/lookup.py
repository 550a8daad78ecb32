# SPDX-License-Identifier: GPL-2.0-only
"""How does the kernel find out where an argument leads?

It looks it up before the call, as the call will: kmod/rules/paths.c.
"""

from functools import cache

from pysct import members, resolved
from pysct.abi import Last, Limit, SourceFlag
from pysct.abi import Source as What
from pysct.constants import CONSTANTS
from pysct.layouts import ARGUMENTS
from pysct.reading import Reading
from pysct.tables import CALLS, LAST


@cache
def find(abi: str, call: str, name: str) -> Reading | None:
    """How what path(argument) or fdpath(argument) means is found at a call of an ABI; None if it means nothing there."""
    place = resolved.find(abi, call, name)
    if place is None:
        return None
    function, index = place
    if function == "path":
        return of_path(abi, call, index)
    return Reading(What.DESCRIPTOR, index, flags=SourceFlag.AFTER * (name == resolved.RESULT), limit=Limit.STRING)


def of_path(abi: str, call: str, index: int) -> Reading:
    arguments = CALLS[abi][call][1]
    places = [argument for argument, _ in arguments]
    name = f"{call}.{places[index]}"
    flags = LAST["flags"].get(name, {})
    last = Last.ENTRY if name in LAST["entry"] else Last.FOLLOWED
    if name in LAST["held"] or flags.get("held"):
        last = Last.HELD
    how = ARGUMENTS[abi].get(call, {}).get(flags.get("argument"))
    starts = index and arguments[index - 1][1] == "fd" and name not in LAST["apart"]
    return Reading(
        What.PATH,
        index,
        size=index if starts else 0,
        family=places.index(flags["argument"]) + 1 if flags else 0,
        other=last,
        offset=together(abi, flags.get("any", ())),
        via=together(abi, flags.get("all", ())),
        via_size=places.index(how[2]) + 1 if how else 0,
        limit=Limit.STRING,
    )


def before(abi: str, call: str, reading: Reading) -> tuple[Reading, ...]:
    """What is read before this, since it depends on it: a path's flags, where they lie in a struct open_how."""
    if reading.what != What.PATH or not reading.via_size:
        return ()
    how = CALLS[abi][call][1][reading.family - 1][0]
    return tuple(members.find(abi, call, f"{how}.{name}").readings[0] for name in ("flags", "resolve"))


def together(abi: str, names: list[str]) -> int:
    """All these flags."""
    total = 0
    for name in names:
        value = CONSTANTS[name]
        total |= value[abi] if isinstance(value, dict) else value
    return total
