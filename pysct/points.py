# SPDX-License-Identifier: GPL-2.0-only
"""Which system calls does a rule name?"""

import platform
import re
from functools import cache
from typing import NamedTuple

from pysct import glob
from pysct.abi import ABIS
from pysct.diagnostics import Diagnostics, suggest
from pysct.source import Source, encode, within
from pysct.tables import CALLS, CLASSES, UNIMPLEMENTED
from pysct.tree import Word

ENTRY = re.compile(r"^(?:__\w+?_)?(?:sys_)?")  # what the kernel calls the entry function: __x64_sys_unlink
OTHER_NAMES = {  # of an ABI, where others speak of it
    **dict.fromkeys(("amd64", "x64", "64"), "x86_64"),
    **dict.fromkeys(("ia32", "i686", "x86", "32"), "i386"),
    **{"arm64": "aarch64", "arm": "aarch32", "armhf": "aarch32"},
}
LONGEST = 255  # characters of a pattern that is looked at; no name of a call is half as long


class Point(NamedTuple):
    """A system call of one ABI; `args` are (name, kind)."""

    abi: str
    nr: int
    call: str
    args: tuple[tuple[str, str], ...]


def abis_of(machine: str | None = None) -> tuple[str, ...]:
    """The ABIs of a rule that does not say `abi = …`: all of its machine, as `uname -m` names it; else of this one.

    Rules can be checked on a machine that they cannot be used on: there they are meant for amd64.
    """
    machine = machine or platform.machine()
    found = tuple(name for name, abi in ABIS.items() if abi.machine == machine)
    return found or abis_of("x86_64")


@cache
def point(abi: str, call: str) -> Point:
    nr, args = CALLS[abi][call]
    return Point(abi, nr, call, args)


@cache
def calls_of_class(name: str) -> frozenset[str]:
    """All calls of a class, in whatever ABI; classes take in other classes."""
    found = set()
    for member in CLASSES[name][1]:
        if member == "*":
            found.update(call for calls in CALLS.values() for call in calls)
        elif member.startswith("@"):
            found |= calls_of_class(member[1:])
        else:
            found.add(member)
    return frozenset(found)


def matching(word: str, abis: tuple[str, ...]) -> set[str]:
    """The calls of some ABIs whose names fit a glob. Raises glob.GlobError."""
    pattern = encode(word)
    return {call for abi in abis for call in CALLS[abi] if glob.matches(pattern, call.encode())}


@cache
def named(word: str, abis: tuple[str, ...], impossible: frozenset[str] = frozenset()) -> tuple[Point, ...]:
    """The points that a name, glob or @class stands for; none if it stands for nothing.

    What no supported kernel implements is left out, unless it is all that a name stands for; and a glob or class leaves
    out what is impossible.
    Raises glob.GlobError.
    """
    if word.startswith("@"):
        members = calls_of_class(word[1:]) if word[1:] in CLASSES else ()
    elif is_pattern(word):
        members = matching(word, abis) if len(word) <= LONGEST else ()
    else:
        there = [abi for abi in abis if word in CALLS[abi]]
        return tuple(point(abi, word) for abi in [a for a in there if word not in UNIMPLEMENTED[a]] or there)
    return tuple(
        point(abi, call)
        for abi in abis
        for call in members
        if call in CALLS[abi] and call not in UNIMPLEMENTED[abi] and call not in impossible
    )


def is_pattern(word: str) -> bool:
    """Does a word stand for whatever calls there are, instead of naming one?"""
    return word.startswith("@") or glob.SPECIAL.search(encode(word)) is not None


def select(
    words: list[Word],
    abis: tuple[str, ...],
    says_abis: bool,
    phase: str,
    refuses: bool,
    source: Source,
    diagnostics: Diagnostics,
) -> dict[Point, bool]:
    """The points of a rule, in the order of the image, and whether it names the call; what stands for none is reported.

    `says_abis`: the rule does, so that what is reported does as well; `refuses`: the rule can keep a call from being made.
    """
    chosen = {}
    impossible = calls_of_class("noreturn") if phase == "after" else calls_of_class("ending") if refuses else frozenset()
    for word in words:
        text = word.text
        try:
            found = named(text, abis, impossible)
        except glob.GlobError as error:
            where = within(source, word.span, error.start, error.end) if word.quoted else word.span
            diagnostics.error(source, where, str(error), error.hint)
            continue
        if text in impossible:
            diagnostics.error(source, word.span, *_impossible(text, phase))
        if not found and text[1:] in CLASSES and calls_of_class(text[1:]) <= impossible:
            diagnostics.error(source, word.span, *_impossible(f"each call of {text}", phase))
        elif not found:
            diagnostics.error(source, word.span, *nothing(text, abis, says_abis))
        for p in found:
            chosen[p] = chosen.get(p, False) or not is_pattern(text)
    return {p: chosen[p] for p in sorted(chosen, key=lambda p: (ABIS[p.abi].number, p.nr))}


def _impossible(call: str, phase: str) -> tuple[str, str]:
    """Message and hint for a rule that names a call and cannot do with it what it wants."""
    if phase == "after":
        return f"{call} does not return, so that nothing comes after it", "judge it with `when = before`"
    return f"{call} ends its thread, and cannot be refused", "log it, and refuse what leads to it"


def nothing(text: str, abis: tuple[str, ...], says_abis: bool) -> tuple[str, str | None]:
    """Message and hint for a word that names no system call of these ABIs."""
    where = ", ".join(abis)
    of_abis = f" of {where}" if says_abis else ""
    if text.startswith("@"):
        if text[1:] in CLASSES:
            return f"no call of the class `{text}` exists in {where}", None
        near = suggest(text, ["@" + name for name in CLASSES], "grammar/syscalls/classes.toml says which there are")
        return f"unknown class of system calls `{text}`", near
    if is_pattern(text):
        return f"`{text}` matches no system call{of_abis}", None
    others = [abi for abi in CALLS if text in CALLS[abi]]
    if others:
        return (
            f"`{text}` is not a system call of {where}",
            f"it exists in {', '.join(others)}: write `abi = {others[0]}`",
        )
    if "," in text or " " in text:
        return f"unknown system call `{text}`", "names stand without quotes, with commas between them: unlink, unlinkat"
    if text in CLASSES:
        return f"unknown system call `{text}`", f"write `@{text}` for the calls of that class"
    calls = {call for abi in abis for call in CALLS[abi]}
    return f"unknown system call `{text}`", suggest(ENTRY.sub("", text), sorted(calls))
