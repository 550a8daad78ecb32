# SPDX-License-Identifier: GPL-2.0-only
"""Which argument of a call do path(argument) and fdpath(argument) mean?

The one is where a path leads, the other what a descriptor is open on; fdpath(RETVAL) is what the call has opened.
"""

import re
from collections.abc import Mapping
from functools import cache

from pysct.abi import Limit, SourceStruct
from pysct.abi import Source as What
from pysct.events import String
from pysct.paths import argument_is_path
from pysct.reading import Reading, decode
from pysct.tables import CALLS, OPENERS

NAME = re.compile(r"(path|fdpath)\((?:PARAMS\[([0-9]{1,3})\]|([A-Za-z_]\w*))\)", re.ASCII)
WHAT = {"path": What.PATH, "fdpath": What.DESCRIPTOR}

RESULT = "fdpath(RETVAL)"

Place = tuple[str, int]
"""The function, and the argument from 0; Limit.ARGS is the result."""


def is_one(name: str) -> bool:
    """Whether a name has the form of one."""
    return NAME.fullmatch(name) is not None


def is_path(name: str) -> bool:
    """Whether a name is that of where a path leads, which starts with / always; what a descriptor is open on may not."""
    return is_one(name) and name.startswith("path")


@cache
def find(abi: str, call: str, name: str) -> Place | None:
    """What a name means at a call of an ABI; None if it means nothing there."""
    said = NAME.fullmatch(name)
    arguments = CALLS[abi][call][1]
    names = [argument for argument, _ in arguments]
    if not said:
        return None
    if name == RESULT:
        return ("fdpath", Limit.ARGS) if call in OPENERS else None
    function, number, argument = said.groups()
    index = int(number) - 1 if number else names.index(argument) if argument in names else -1
    if not 0 <= index < len(arguments):
        return None
    argument, kind = arguments[index]
    if function == "fdpath":
        return (function, index) if kind == "fd" else None
    return (function, index) if argument_is_path(call, argument, kind) else None


@cache
def names(abi: str, call: str) -> tuple[str, ...]:
    """All such names at a call of an ABI; none if that is not known."""
    if call not in CALLS.get(abi, {}):
        return ()
    arguments = CALLS[abi][call][1]
    made = [f"{function}({argument})" for argument, _ in arguments for function in WHAT] + [RESULT]
    return tuple(name for name in made if find(abi, call, name))


@cache
def everywhere() -> frozenset[str]:
    """All such names of all calls."""
    return frozenset(name for abi, calls in CALLS.items() for call in calls for name in names(abi, call))


def exists(name: str) -> bool:
    """Whether a name is one at some call."""
    said = NAME.fullmatch(name)
    return said is not None and (said[2] is not None or name in everywhere())


def shown(abi: str, call: str, reading: Reading) -> str | None:
    """The name of what is found so; None if it is none of these."""
    for name in names(abi, call):
        function, index = find(abi, call, name)
        if (WHAT[function], index) == (reading.what, reading.arg):
            return name
    return None


def told(sources: Mapping[bytes, String], place: Place) -> String | None:
    """What an event says of it, whose sources are these."""
    function, index = place
    for entry, held in sources.items():
        reading = decode(entry) if len(entry) == SourceStruct.SIZE else None  # the record may be damaged
        if reading and (reading.what, reading.arg) == (WHAT[function], index):
            return held
    return None
