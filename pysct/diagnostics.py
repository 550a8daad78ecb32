# SPDX-License-Identifier: GPL-2.0-only
"""What is wrong with a rule file, where, and what is the way out?

Diagnostics are data: stages add them to a Diagnostics, and only the command
line prints them.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from pysct.source import Source, Span

MAX_ERRORS = 50  # a file with more is not a rule file, or has one mistake many times
LENGTH = 300  # characters of a message or hint
WIDTH = 120  # columns of an excerpt
FEW = 16  # known names of which one is meant by one of its words


class TooManyErrors(Exception):
    """Enough was said: the run ends with what was collected."""


@dataclass(frozen=True)
class Diagnostic:
    """One error, warning or note. `span` is None where it concerns the whole source, `source` where it concerns none."""

    severity: str  # "error", "warning" or "note"
    message: str
    source: Source | None = None
    span: Span | None = None
    hint: str | None = None

    def to_json(self) -> dict:
        """The same as a dictionary for json.dumps; line and column count from 1, end_column is behind the last."""
        data = {
            "severity": self.severity,
            "message": printable(self.message),
            "hint": printable(self.hint) if self.hint else None,
            "file": printable(self.source.name) if self.source else None,
        }
        if self.source and self.span:
            start, end = self.source.position(self.span.start), self.source.position(self.span.end)
            data |= {"line": start.line, "column": start.column, "end_line": end.line, "end_column": end.column}
        return data


class Diagnostics:
    """Collects what the stages find, each thing once. `errors` counts those that were found again as well."""

    def __init__(self):
        self.found: dict[Diagnostic, None] = {}
        self.errors = self.shown = 0

    def __iter__(self):
        return iter(self.found)

    def add(self, diagnostic: Diagnostic):
        """Raises TooManyErrors when there is no point in going on."""
        error = diagnostic.severity == "error"
        self.errors += error
        if diagnostic in self.found:
            return
        self.found[diagnostic] = None
        if error:
            self.shown += 1
            if self.shown >= MAX_ERRORS:
                self.found[Diagnostic("error", f"too many errors: the first {MAX_ERRORS} are shown")] = None
                raise TooManyErrors

    def error(self, source: Source | None, span: Span | None, message: str, hint: str | None = None):
        self.add(Diagnostic("error", cut(message), source, span, cut(hint)))

    def warning(self, source: Source | None, span: Span | None, message: str, hint: str | None = None):
        self.add(Diagnostic("warning", cut(message), source, span, cut(hint)))

    def note(self, message: str, hint: str | None = None):
        """Say something about the rule set as a whole that is no mistake."""
        self.add(Diagnostic("note", cut(message), None, None, cut(hint)))


def cut(text: str | None) -> str | None:
    """The text as far as somebody would read it: it may quote a name of a million characters."""
    return text if text is None or len(text) <= LENGTH else text[:LENGTH] + "…"


@lru_cache(maxsize=256)
def closest(word: str, known: tuple[str, ...]) -> str | None:
    """The known name that `word` was probably meant to be."""
    folded = {name.lower(): name for name in known}
    if word.lower() in folded:
        return folded[word.lower()]
    near = difflib.get_close_matches(word[:64], known, 1, 0.7)
    if near or len(known) > FEW:
        return near[0] if near else None
    parts = [name for name in known if word.lower() in name.split("_")]  # filter is filter_expression
    return parts[0] if len(parts) == 1 else None


def suggest(word: str, known: Iterable[str], otherwise: str | None = None) -> str | None:
    """The hint that names the closest known name, or else what `otherwise` says."""
    near = closest(word, tuple(known))
    return f"did you mean `{near}`?" if near else otherwise


def printable(text: str) -> str:
    """The text with everything that would move the cursor, or that is no character, escaped."""
    return "".join(c if c.isprintable() else escape(c) for c in text)


def escape(char: str) -> str:
    code = ord(char)
    if char == "\t":
        return " "  # one column, as the caret counts
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"  # a byte that was not UTF-8
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def excerpt(source: Source, span: Span) -> str:
    """The source line and, below it, a caret under what is meant; long lines are cut around it."""
    line, column = source.position(span.start)
    text = source.line(line).rstrip("\r")
    start = min(column - 1, len(text))
    end = min(max(start + (span.end - span.start), start + 1), max(len(text), start + 1))
    left = max(0, min(start - WIDTH // 3, len(text) - WIDTH)) if len(text) > WIDTH else 0
    right = left + WIDTH
    lead = ("…" if left else "") + printable(text[left:start])
    meant = printable(text[start : min(end, right)])
    rest = printable(text[end:right]) + ("…" if right < len(text) else "")
    return f"    {lead}{meant}{rest}".rstrip() + f"\n    {' ' * len(lead)}^{'~' * (max(len(meant), 1) - 1)}"


def format_text(diagnostic: Diagnostic) -> str:
    """`file:line:column: error: …` with the line, a caret and the hint; several lines, no newline at the end."""
    source, span = diagnostic.source, diagnostic.span
    place = ""
    if source:
        place = f"{printable(source.name)}: "
        if span:
            line, column = source.position(span.start)
            place = f"{printable(source.name)}:{line}:{column}: "
    lines = [f"{place}{diagnostic.severity}: {printable(diagnostic.message)}"]
    if source and span:
        lines.append(excerpt(source, span))
    if diagnostic.hint:
        lines.append(f"hint: {printable(diagnostic.hint)}")
    return "\n".join(lines)
