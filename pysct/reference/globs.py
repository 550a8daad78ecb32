# SPDX-License-Identifier: GPL-2.0-only
"""Does a glob match all of a string?

Braces are written out.  Then, element by element, by the set of all places in
the string that one can have come to: no backtracking, and nothing that could
be got wrong in common with those who do.
"""

ALL = frozenset(range(256))
SLASH = ord("/")

Element = str | int | frozenset  # one of * ? { , } as a word; a byte; some bytes in brackets


def matches(pattern: bytes, text: bytes, path: bool = False) -> bool:
    """Whether the whole text fits; the glob is one that the compiler takes. `path` says that the text is one."""
    return any(len(text) in reached(glob, text, path) for glob in without_braces(elements(pattern)))


def elements(pattern: bytes) -> list[Element]:
    """What a glob consists of."""
    found, rest = [], list(pattern)
    while rest:
        byte = rest.pop(0)
        if byte in b"*?{,}":
            found.append(chr(byte))
        elif byte == ord("["):
            found.append(one_of(rest))
        else:
            found.append(rest.pop(0) if byte == ord("\\") else byte)
    return found


def without_braces(glob: list[Element]) -> list[list[Element]]:
    """The globs that one stands for: the first braces replaced by each of their alternatives, and so on."""
    if "{" not in glob:
        return [glob]
    start, depth, cuts = glob.index("{"), 0, []
    for at, element in enumerate(glob[start:], start):
        depth += (element == "{") - (element == "}")
        if at == start or depth == 0 or depth == 1 and element == ",":
            cuts.append(at)
        if depth == 0:
            break
    parts = [glob[low + 1 : high] for low, high in zip(cuts, cuts[1:])]
    return [each for part in parts for each in without_braces(glob[:start] + part + glob[cuts[-1] + 1 :])]


def reached(glob: list[Element], text: bytes, path: bool) -> set[int]:
    """The places in a text that a glob without braces can lead to from its start."""
    one = ALL - {SLASH} if path else ALL
    places, at = {0}, 0
    while at < len(glob):
        start, element = at, glob[at]
        at += 1
        if element == "*":
            while glob[at : at + 1] == ["*"]:
                at += 1
            deep = at - start > 1
            if path and deep and glob[at : at + 1] == [SLASH] and (start == 0 or glob[start - 1] == SLASH):
                places |= {to for to in behind(places, text, ALL) if to > min(places) and text[to - 1] == SLASH}
                at += 1
            else:
                places = behind(places, text, ALL if deep else one)
            continue
        fits = one if element == "?" else element & one if isinstance(element, frozenset) else {byte_of(element)}
        places = {to + 1 for to in places if to < len(text) and text[to] in fits}
        if not places:
            break
    return places


def byte_of(element: str | int) -> int:
    """A byte; outside braces a comma is one."""
    return element if isinstance(element, int) else ord(element)


def behind(places: set[int], text: bytes, fits: frozenset[int]) -> set[int]:
    """The places, and those behind them as far as all bytes fit."""
    found = set(places)
    for at, byte in enumerate(text):
        if at in found and byte in fits:
            found.add(at + 1)
    return found


def one_of(rest: list[int]) -> frozenset[int]:
    """The bytes that `[…]` means; takes it from the rest of the glob, whose bracket is already taken."""
    negated = rest[0] in b"!^"
    if negated:
        rest.pop(0)
    members = set()
    while True:
        low = high = member(rest)
        if rest[0] == ord("-") and rest[1] != ord("]"):
            rest.pop(0)
            high = member(rest)
        members.update(range(low, high + 1))
        if rest[0] == ord("]"):  # which is a member where it stands first
            rest.pop(0)
            return ALL - members if negated else frozenset(members)


def member(rest: list[int]) -> int:
    """The next byte of a set, perhaps quoted."""
    byte = rest.pop(0)
    return rest.pop(0) if byte == ord("\\") else byte
