# SPDX-License-Identifier: GPL-2.0-only
r"""Does a string match a glob, as the opcode SGLOB decides it?

`*` is any bytes, `?` one byte, `[a-z]` one of some bytes and `[!a-z]` one of
the others, `\` makes the next byte itself.
"""

import re
from functools import lru_cache

BYTE = rb"(?:\\[\x00-\xff]|[^\\])"
SET = re.compile(
    rb"\[(?P<negated>[!^]?+)(?P<members>" + BYTE + rb"(?:(?!\])" + BYTE + rb")*)\]"
)  # a first ] is a member
RANGE = re.compile(rb"(" + BYTE + rb")(?:-(" + BYTE + rb"))?")


class GlobError(ValueError):
    """The pattern is no glob; the text says why, `hint` perhaps what to do."""

    def __init__(self, message: str, hint: str | None = None):
        super().__init__(message)
        self.hint = hint


@lru_cache(maxsize=4096)
def compile_glob(pattern: bytes) -> re.Pattern:
    """A regular expression whose fullmatch() decides the same. Raises GlobError."""
    first, *others = segments(pattern)
    if not others:
        return re.compile(first, re.DOTALL)
    # What an earlier star took does not matter once the next segment fits, hence atomic groups: no backtracking.
    middle = b"".join(b"(?>.*?" + segment + b")" for segment in others[:-1] if segment)
    return re.compile(first + middle + b".*" + others[-1], re.DOTALL)


def without_glob(pattern: bytes) -> tuple[str, bytes] | None:
    """The opcode and the text of a cheaper test that decides the same, if there is one."""
    text = pattern.strip(b"*")
    if re.search(rb"[*?\[]", text) or b"\\" in pattern:
        return None
    if pattern.endswith(b"*"):
        return "SCON" if text and pattern.startswith(b"*") else "SPRE", text
    return "SSUF" if pattern.startswith(b"*") else "SEQ", text


def segments(pattern: bytes) -> list[bytes]:
    """The parts between the stars, as regular expressions."""
    out, at = [b""], 0
    while at < len(pattern):
        byte = pattern[at : at + 1]
        if byte == b"[":
            found = SET.match(pattern, at)
            if not found:
                raise GlobError("a `[` in the glob is not closed", "`\\\\[` in quotes is a plain `[`")
            out[-1] += one_of(found["members"], bool(found["negated"]))
            at = found.end()
            continue
        if byte == b"*":
            out.append(b"")
        elif byte == b"?":
            out[-1] += b"."
        else:
            if byte == b"\\":
                at += 1
                byte = pattern[at : at + 1]
                if not byte:
                    raise GlobError("the glob ends in a backslash that has nothing to quote")
            out[-1] += re.escape(byte)
        at += 1
    return out


def one_of(members: bytes, negated: bool) -> bytes:
    """What stands in brackets as a regular expression."""
    out = b""
    for found in RANGE.finditer(members):
        low, high = found[1][-1], (found[2] or found[1])[-1]
        if low > high:
            raise GlobError(f"the range {chr(low)}-{chr(high)} in the glob is empty")
        out += b"\\x%02x-\\x%02x" % (low, high)
    return b"[" + b"^" * negated + out + b"]"
