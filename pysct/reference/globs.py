# SPDX-License-Identifier: GPL-2.0-only
"""Does a glob match all of a string?

By the set of all places in the glob that one can have come to: no backtracking,
and nothing that could be got wrong in common with those who do.
"""

STAR = None
ALL = frozenset(range(256))


def matches(pattern: bytes, text: bytes) -> bool:
    """Whether the whole text fits; the glob is one that the compiler takes."""
    steps = parse(pattern)
    places = beyond_stars({0}, steps)
    for byte in text:
        here = {at for at in places if at < len(steps)}
        moved = {at + 1 for at in here if steps[at] is not STAR and byte in steps[at]}
        places = beyond_stars(moved | {at for at in here if steps[at] is STAR}, steps)
    return len(steps) in places


def beyond_stars(places: set[int], steps: list) -> set[int]:
    """The places, and those that are reached from them without a byte."""
    for at in sorted(places):
        while at < len(steps) and steps[at] is STAR:
            at += 1
            places.add(at)
    return places


def parse(pattern: bytes) -> list[frozenset[int] | None]:
    """The bytes that fit at each place, or STAR."""
    steps, rest = [], list(pattern)
    while rest:
        byte = rest.pop(0)
        if byte == ord("*"):
            steps.append(STAR)
        elif byte == ord("?"):
            steps.append(ALL)
        elif byte == ord("["):
            steps.append(one_of(rest))
        else:
            steps.append(frozenset({rest.pop(0) if byte == ord("\\") else byte}))
    return steps


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
