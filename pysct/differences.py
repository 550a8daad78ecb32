# SPDX-License-Identifier: GPL-2.0-only
"""How is somebody told that a name means nothing, or not the same, at some points of a rule?

The same call in several ABIs is one call to the reader, unless its ABIs differ.
"""

import re

from pysct import members, resolved
from pysct.abi import FIELDS, STATICS, SUBJECTS, Limit
from pysct.constants import CONSTANTS
from pysct.diagnostics import suggest
from pysct.points import Point
from pysct.tables import CALLS

# Names that other languages have.
LITERALS = {
    "true": "a condition that is always true is left out",
    "false": "a rule that shall not hold is taken out, or put into a comment",
    **dict.fromkeys(("null", "nil", "none"), "an address that leads nowhere is 0"),
    "root": "users are numbers: root is 0",
}


def calls(some: list[Point], among: list[Point]) -> str:
    """Some of a rule's points by the names of their calls; with the ABIs where the rule has the call in others as well."""
    found: dict[str, list[str]] = {}
    for point in some:
        found.setdefault(point.call, []).append(point.abi)
    whole: dict[str, int] = {}
    for point in among:
        whole[point.call] = whole.get(point.call, 0) + 1
    names = [call if len(abis) == whole[call] else f"{call} ({', '.join(abis)})" for call, abis in found.items()]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def missing(key: str | int, points: list[Point], lacking: list[Point]) -> tuple[str, str | None]:
    """Message and hint for a name, or PARAMS[key], that `lacking` of the points do not have."""
    few = calls(lacking, points)
    if isinstance(key, int):
        return f"PARAMS[{key}] does not exist: {few} {count(lacking)}", narrowed(points, lacking)
    if key == "PARAMS":
        return "PARAMS needs an index", "PARAMS[1] is the first argument"
    if key in CONSTANTS:
        abis = ", ".join(dict.fromkeys(point.abi for point in lacking))
        return f"`{key}` has no value in the ABI {abis}", narrowed(points, lacking)
    if "(" in key:
        return no_path(key, points, lacking)
    if key.partition(".")[0] in SUBJECTS:
        return no_process(key)
    argument = key.partition(".")[0].partition("[")[0]
    if argument != key and (owners := elsewhere(key, argument, points)):
        return f"`{argument}` is not an argument of {few}", narrowed(points, lacking) or f"it is one of {owners}"
    if "." in key and len(lacking) == len(points):
        return no_member(key, points)
    if len(lacking) < len(points):
        apart = "write one rule for the calls that have it and one for the others"
        return f"`{key}` is not an argument of {few}", narrowed(points, lacking) or apart
    if key.lower() in LITERALS:
        return f"unknown name `{key}`", LITERALS[key.lower()]
    known = [*FIELDS, *STATICS, "PARAMS", *dict.fromkeys(name for point in points for name, _ in point.args)]
    return f"unknown name `{key}`", suggest(key, known) or suggest(key, CONSTANTS) or arguments(points)


def elsewhere(key: str, argument: str, points: list[Point]) -> str | None:
    """The calls that know a member or an element, if those of a rule do not even have the argument."""
    if any(argument == name for point in points for name, _ in point.args):
        return None
    known = [call for call in sorted(CALLS[points[0].abi]) if members.find(points[0].abi, call, key)]
    return ", ".join(known[:5]) + (f" and {len(known) - 5} more" if len(known) > 5 else "") or None


def no_path(key: str, points: list[Point], lacking: list[Point]) -> tuple[str, str | None]:
    """Message and hint for path(…) or fdpath(…) where it means nothing."""
    function = key.partition("(")[0]
    if function not in resolved.WHAT:
        return f"`{function}` is no function", "path(argument) is where a path leads, fdpath(argument) what a descriptor is open on"
    known = list(dict.fromkeys(name for point in points for name in resolved.names(point.abi, point.call)))
    known = [name for name in known if name.startswith(f"{function}(") and name != key]
    hint = narrowed(points, lacking) or suggest(key, known) or (f"it has {', '.join(known)}" if known else None)
    if key == resolved.RESULT:
        return f"`{key}`: {calls(lacking, points)} returns no descriptor", "docs/reference.md lists the calls that do, under Paths"
    what = "a path" if function == "path" else "a descriptor"
    return f"`{key}`: {calls(lacking, points)} has no such argument that is {what}", hint


def no_process(key: str) -> tuple[str, str | None]:
    """Message and hint for a field that another process than the caller does not have."""
    subject, _, name = key.partition(".")
    if name.partition(".")[0] in SUBJECTS:
        return f"unknown name `{key}`", "PARENT is the caller's, and ANCESTOR any process above it: of those above others nothing is asked"
    if name in FIELDS:
        return f"`{name}` is only known of the caller", f"what is known of others: see `{subject}.` in docs/reference.md"
    if name:
        return f"unknown name `{key}`", suggest(key, FIELDS)
    return f"`{key}` is a process", f"name what you want to know of it: {key}.EXE, {key}.COMM, {key}.UID"


def no_member(key: str, points: list[Point]) -> tuple[str, str | None]:
    """Message and hint for a name with a dot that is no member anywhere."""
    argument, _, path = key.partition(".")
    if said := re.fullmatch(r"PARAMS\[([0-9]+)\](.*)", argument):
        index = int(said[1]) - 1
        if any(index >= len(point.args) for point in points):
            return missing(index + 1, points, [point for point in points if index >= len(point.args)])
        argument = points[0].args[index][0] + said[2]
        key = f"{argument}.{path}"
    elif (said := re.fullmatch(r"(\w+)\[[0-9]+\]", argument)) and said[1] in SUBJECTS:
        return f"`{argument}` cannot be named: ANCESTOR is any process above the caller, PARENT the nearest", f"write `{said[1]}.{path}`"
    known = list(dict.fromkeys(members.plain(name) for point in points for name in members.names(point.abi, point.call)))
    if members.plain(key) in known:
        return no_element(key, points[0])
    own = [name.partition(".")[2] for name in known if name.startswith(f"{members.plain(argument)}.")]
    hint = suggest(key, [f"{argument}.{name}" for name in own] or known) or (f"its members are {', '.join(own)}" if own else None)
    if own:
        return f"`{argument}` has no member `{path}`", hint
    return f"`{argument}` has no members that rules can name", hint or suggest(key, FIELDS)


def no_element(key: str, point: Point) -> tuple[str, str | None]:
    """Message and hint for a member that is known, but not at this place of an array."""
    for said in re.finditer(r"\[([0-9]+)\]", key):
        name, behind = key[: said.start()], members.plain(key[said.end() :])
        if members.find(point.abi, point.call, f"{name}[{said[1]}]{behind}"):
            continue
        most = 0
        while members.find(point.abi, point.call, f"{name}[{most}]{behind}"):
            most += 1
        if not most:
            return f"`{name}` is one structure, and no array", f"write `{name}{behind}`"
        if most == Limit.ELEMENTS:
            return f"a rule sees the first {most} of `{name}`", "that is the limit ELEMENTS; they are counted from 0"
        return f"`{name}` has {most} elements", "they are counted from 0"
    return f"`{key}` is no member", None


def mixed(key: str | int, points: list[Point], strings: list[Point], numbers: list[Point]) -> tuple[str, str | None]:
    """Message and hint for a name that is a string at some points and a number at the others."""
    shown = f"PARAMS[{key}]" if isinstance(key, int) else f"`{key}`"
    return (
        f"{shown} is a string in {calls(strings, points)} and a number in {calls(numbers, points)}",
        "use the argument's own name where they share one, or write a rule for each call",
    )


def differing(index: int, points: list[Point]) -> tuple[str, str] | None:
    """Message and hint if PARAMS[index] of a call is another argument in another ABI; all points have it."""
    found: dict[str, dict[str, list[str]]] = {}
    for point in points:
        found.setdefault(point.call, {}).setdefault(point.args[index - 1][0], []).append(point.abi)
    for call, names in found.items():
        if len(names) > 1:
            shown = " and ".join(f"`{name}` in {', '.join(abis)}" for name, abis in names.items())
            return f"PARAMS[{index}] of {call} is {shown}", "use the argument's own name, or narrow the rule by `abi = …`"
    return None


def count(points: list[Point]) -> str:
    """How many arguments these points have, as the rest of a sentence."""
    most = max(len(point.args) for point in points)
    arguments = "no arguments" if not most else "1 argument" if most == 1 else f"{most} arguments"
    same = len({point.call for point in points}) == 1 and all(len(point.args) == most for point in points)
    return f"{'has' if same else 'have at most'} {arguments}"


def narrowed(points: list[Point], lacking: list[Point]) -> str | None:
    """The hint to leave out some ABIs, if the others have what these points lack."""
    without = {point.abi for point in lacking}
    left = [point for point in points if point.abi not in without]
    if {point.call for point in left} != {point.call for point in points}:
        return None
    having, where = (", ".join(dict.fromkeys(point.abi for point in some)) for some in (left, lacking))
    hint = f"write `abi = {having}`, and another rule for {where}"
    return f"{hint}: {arguments(lacking)}" if len({point.call for point in lacking}) == 1 else hint


def arguments(points: list[Point]) -> str | None:
    """What the arguments of one call are named; None if these are several calls."""
    if len({point.call for point in points}) != 1:
        return None
    ways: dict[tuple, list[Point]] = {}
    for point in points:
        ways.setdefault(tuple(name for name, _ in point.args), []).append(point)
    shown = [
        (calls(having, points), ", ".join(f"`{name}`" for name in names) or "no arguments")
        for names, having in ways.items()
    ]
    return "; ".join(f"{call} has {names}" for call, names in shown)
