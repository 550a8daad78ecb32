# SPDX-License-Identifier: GPL-2.0-only
"""Which texts can a string of a call never be, or begin with, whoever calls?

Of what a caller writes anything is possible: this is about what the kernel says by itself.
"""

from pysct import glob
from pysct.abi import FIELDS
from pysct.abi import Source as What
from pysct.ir import StrRef
from pysct.paths import field_is_path
from pysct.reading import Reading

FIELD_BY_NUMBER = {field.number: field for field in FIELDS.values()}
DOTS = frozenset({b".", b".."})
WHOLE, BEGINNING = "SEQ", "SPRE"


def never(string: StrRef, op: str, text: bytes) -> str | None:
    """Why a test of a string, SGLOB with a glob as it was written, is never true, with what to write; None if it may be."""
    if op != "SGLOB":
        return of_text(string, op, text)
    whys = [of_text(string, *plain(*test)) for test in glob.tests(text, string.path)]
    return whys[0] if None not in whys else None


def plain(op: str, text: bytes) -> tuple[str, bytes]:
    """What a test of a glob asks for at least."""
    return (BEGINNING, glob.ends(text)[0]) if op in glob.OPCODES else (op, text)


def of_text(string: StrRef, op: str, text: bytes) -> str | None:
    """The same of a test with a text as it stands."""
    if isinstance(string.operand, Reading):
        by_kind = {What.PATH: path, What.DESCRIPTOR: descriptor}
        return by_kind[string.operand.what](op, text) if string.operand.what in by_kind else None
    field = FIELD_BY_NUMBER.get(string.operand)
    if field is None:
        return None
    if field.longest and len(text) > field.longest:
        cut = f': write "{shown(text[: field.longest])}"' if op in (WHOLE, BEGINNING) else ""
        return f"it has at most {field.longest} bytes{cut}"
    if field.name == "TTY" and op in (WHOLE, BEGINNING) and text.startswith(b"/"):
        return "it is a name below /dev, as `pts/0`"
    return path(op, text) if field_is_path(field.name) else None


def path(op: str, text: bytes) -> str | None:
    """The same of a path that the kernel made. Names with a colon can be those of no file: /memfd:a//b."""
    if op not in (WHOLE, BEGINNING) or b":" in text:
        return None
    parts = text.split(b"/")
    whole = parts if op == WHOLE else parts[:-1]  # what comes last may go on
    slash = op == WHOLE and len(text) > 1 and text.endswith(b"/")
    if b"//" in text or not DOTS.isdisjoint(whole):
        return "it has neither `//` nor `.` nor `..` in it: write where that leads"
    return f'it has no `/` at its end: write "{shown(text.rstrip(b"/"))}"' if slash else None


def descriptor(op: str, text: bytes) -> str | None:
    """The same of what a descriptor is open on: a path, or something like pipe:[1]."""
    if op == WHOLE and text and not text.startswith(b"/") and b":" not in text:
        return "it is a path from / on, or has a colon, as in `pipe:[4711]`"
    return path(op, text)


def shown(text: bytes) -> str:
    return text.decode("utf-8", "replace")
