# SPDX-License-Identifier: GPL-2.0-only
r"""Which strings does a glob mean?

`{a,b}` are alternatives, each a glob; what has none is what the opcodes SGLOB
and SPATH take: `*` is any bytes, `?` one byte, `[a-z]` one of some bytes and
`[!a-z]` one of the others, `\` makes the next byte itself.  In a path nothing
of that is a `/`, but `**` is any bytes, and `/**/` is also a single `/`.
"""

import re
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from pysct.abi import Limit

BYTE = rb"(?:\\[\x00-\xff]|[^\\])"
SET = re.compile(
    rb"\[(?P<negated>[!^]?+)(?P<members>" + BYTE + rb"(?:(?!\])" + BYTE + rb")*)\]"
)  # a first ] is a member
RANGE = re.compile(rb"(" + BYTE + rb")(?:-(" + BYTE + rb"))?")
SPECIAL = re.compile(rb"[*?\[{}]")  # what makes a word a glob, but for the backslash
STARS = re.compile(rb"\*+")
ANY, SLASH = (1 << 256) - 1, 1 << ord("/")
OPCODES = frozenset({"SGLOB", "SPATH"})  # those whose text is a glob


class GlobError(ValueError):
    """The pattern is no glob; the text says why, `hint` perhaps what to do, `start` and `end` where, in bytes."""

    def __init__(self, message: str, hint: str | None, start: int, end: int):
        super().__init__(message)
        self.hint, self.start, self.end = hint, start, end


class Test(NamedTuple):
    """An opcode that compares strings, and its text."""

    op: str
    text: bytes


# -------------------------------------------------------------- alternatives


@lru_cache(maxsize=4096)
def alternatives(pattern: bytes) -> tuple[bytes, ...]:
    """The globs without braces that a glob stands for, each once. Raises GlobError."""
    choices, end = sequence(pattern, 0, 0)
    if end < len(pattern):
        raise GlobError("a `}` in the glob closes nothing", "`\\\\}` in quotes is a plain `}`", end, end + 1)
    if count(choices) > Limit.GLOBS:
        message = f"the glob stands for {count(choices)} globs, and {Limit.GLOBS} is the most"
        raise GlobError(message, "write several comparisons", 0, len(pattern))
    return tuple(dict.fromkeys(written(choices)))


def sequence(pattern: bytes, at: int, depth: int) -> tuple[list, int]:
    """Parts from a place up to the end of an alternative, and where that is: bytes, and lists of alternatives."""
    parts: list = [b""]
    while at < len(pattern):
        byte = pattern[at : at + 1]
        if byte == b"}" or byte == b"," and depth:
            break
        if byte == b"{":
            group, at = braces(pattern, at, depth + 1)
            parts += [group, b""]
            continue
        end = behind(pattern, at)
        parts[-1] += pattern[at:end]
        at = end
    return parts, at


def braces(pattern: bytes, start: int, depth: int) -> tuple[list, int]:
    """What stands in braces, and where it goes on behind them."""
    if depth > Limit.DEPTH:
        message = f"braces in the glob are more than {Limit.DEPTH} levels deep"
        raise GlobError(message, None, start, start + 1)
    group, at = [], start
    while at == start or pattern[at : at + 1] == b",":
        parts, at = sequence(pattern, at + 1, depth)
        group.append(parts)
    if at == len(pattern):
        raise GlobError("a `{` in the glob is not closed", "`\\\\{` in quotes is a plain `{`", start, start + 1)
    return group, at + 1


def behind(pattern: bytes, at: int) -> int:
    """Where the element of a glob ends that starts at a place; braces apart."""
    byte = pattern[at : at + 1]
    if byte == b"[":
        return members(pattern, at)[1]
    if byte == b"\\" and at + 1 == len(pattern):
        raise GlobError("the glob ends in a backslash that has nothing to quote", "`\\\\\\\\` in quotes is a plain backslash", at, at + 1)
    return at + 1 + (byte == b"\\")


def count(parts: list) -> int:
    """How many globs some parts stand for."""
    total = 1
    for part in parts:
        total *= sum(map(count, part)) if isinstance(part, list) else 1
    return total


def written(parts: list) -> list[bytes]:
    """The globs that some parts stand for."""
    ways = ([text for each in part for text in written(each)] if isinstance(part, list) else [part] for part in parts)
    return [b"".join(chosen) for chosen in product(*ways)]


# ------------------------------------------------------------------ elements


def members(pattern: bytes, start: int) -> tuple[int, int]:
    """The bytes that `[…]` at a place means, as bits, and where it ends. Raises GlobError."""
    found = SET.match(pattern, start)
    if not found:
        raise GlobError("a `[` in the glob is not closed", "`\\\\[` in quotes is a plain `[`", start, start + 1)
    bits = 0
    for each in RANGE.finditer(pattern, *found.span("members")):
        low, high = each[1][-1], (each[2] or each[1])[-1]
        if low > high:
            raise GlobError(f"the range {chr(low)}-{chr(high)} in the glob is empty", "the lower one comes first", *each.span())
        bits |= (1 << high + 1) - (1 << low)
    return ANY & ~bits if found["negated"] else bits, found.end()


def check(pattern: bytes, path: bool) -> None:
    """Whether it is a glob of a path, or of another string. Raises GlobError."""
    alternatives(pattern)
    at = 0
    while path and at < len(pattern):
        if pattern[at : at + 1] != b"[":
            at += 1 + (pattern[at : at + 1] == b"\\")
            continue
        bits, end = members(pattern, at)
        if bits == SLASH:
            message = "`[…]` in the glob of a path never is a `/`"
            raise GlobError(message, "write the `/` without brackets", at, end)
        at = end


class Automaton:
    """A glob without braces, each of its places a bit.

    `steps` says for each byte which places it leads on from, and `stays` where it leads to the same place.
    """

    def __init__(self, pattern: bytes, path: bool):
        self.stars = self.skips = 0  # places that lead to the next one without a byte, and to the one behind "**/"
        accepted, at = [], 0
        while at < len(pattern):
            byte, here = pattern[at : at + 1], 1 << len(accepted)
            if byte == b"*":
                end = STARS.match(pattern, at).end()
                self.stars |= here
                if path and end - at > 1 and pattern[end : end + 1] == b"/" and (at == 0 or pattern[at - 1 : at] == b"/"):
                    self.skips |= here
                    self.stars |= here << 1
                    accepted.append((0, False))
                accepted.append((ANY if end - at > 1 or not path else ANY & ~SLASH, True))
                at = end
                continue
            bits, end = (ANY, at + 1) if byte == b"?" else members(pattern, at) if byte == b"[" else (0, behind(pattern, at))
            bits = bits & ~SLASH if path else bits
            accepted.append((bits or 1 << pattern[end - 1], False))
            at = end
        self.end = 1 << len(accepted)
        self.stays = [sum(1 << n for n, (bits, star) in enumerate(accepted) if star and bits >> c & 1) for c in range(256)]
        self.steps = [sum(1 << n for n, (bits, star) in enumerate(accepted) if not star and bits >> c & 1) for c in range(256)]

    def fits(self, text: bytes) -> bool:
        places = self.reached(1)
        for byte in text:
            places = self.reached(places & self.stays[byte] | (places & self.steps[byte]) << 1)
        return bool(places & self.end)

    def reached(self, places: int) -> int:
        """The places, and those that are reached from them without a byte."""
        while more := ((places & self.stars) << 1 | (places & self.skips) << 3) & ~places:
            places |= more
        return places


@lru_cache(maxsize=4096)
def automaton(pattern: bytes, path: bool) -> Automaton:
    return Automaton(pattern, path)


def matches(pattern: bytes, text: bytes, path: bool = False) -> bool:
    """Whether a whole text fits a glob. Raises GlobError."""
    return any(automaton(each, path).fits(text) for each in alternatives(pattern))


# --------------------------------------------------------------------- tests


@lru_cache(maxsize=4096)
def tests(pattern: bytes, path: bool) -> tuple[Test, ...]:
    """The cheapest tests one of which is true where a glob fits. Raises GlobError."""
    return tuple(dict.fromkeys(test for each in alternatives(pattern) for test in cheapest(each, path)))


def cheapest(pattern: bytes, path: bool) -> list[Test]:
    """The same of a glob without braces."""
    kinds, text = outline(pattern, path)
    if kinds in ("", "L"):
        return [Test("SEQ", text)]
    if kinds in ("S", "LS"):
        return [Test("SPRE", text)]
    if kinds not in ("SL", "SLS"):
        return [Test("SPATH" if path else "SGLOB", pattern)]
    op, start = ("SSUF", "SEQ") if kinds == "SL" else ("SCON", "SPRE")
    top = [Test(start, text[1:])] if path and text.startswith(b"/") else []  # where no directory is before it
    return [*top, Test(op, text)]


def outline(pattern: bytes, path: bool) -> tuple[str, bytes]:
    """The kinds of a glob's elements in a row, L for bytes, S for a star that takes any, W for others; and its bytes."""
    kinds, text, at = "", b"", 0
    while at < len(pattern):
        end = STARS.match(pattern, at).end() if pattern[at : at + 1] == b"*" else behind(pattern, at)
        kind = "W" if pattern[at] in b"?[" or path and pattern[at:end] == b"*" else "S" if pattern[at] == ord("*") else "L"
        text += pattern[end - 1 : end] * (kind == "L")
        kinds += kind * (kinds[-1:] != kind)
        at = end
    return kinds, text


@lru_cache(maxsize=65536)
def ends(pattern: bytes) -> tuple[bytes, bytes]:
    """The bytes with which all texts begin that fit a glob without braces, and those with which they end."""
    found, last, at = [b""], b"", 0
    while at < len(pattern):
        end = STARS.match(pattern, at).end() if pattern[at : at + 1] == b"*" else behind(pattern, at)
        if pattern[at] in b"*?[":
            found.append(b"")
        else:
            found[-1] += pattern[end - 1 : end]
        last, at = pattern[at:end] if pattern[at] in b"*?[" else last, end
    tail = found[-1]
    return found[0], tail[1:] if len(last) > 1 and last[:1] == b"*" and tail[:1] == b"/" else tail
