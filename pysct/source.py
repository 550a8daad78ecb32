# SPDX-License-Identifier: GPL-2.0-only
"""Where in which file does a piece of rule text stand?"""

import re
from bisect import bisect_right
from functools import cached_property
from pathlib import Path
from typing import NamedTuple


ESCAPE = re.compile(r"\\(?:x[0-9A-Fa-f]{2}|.)|.", re.DOTALL)


class Span(NamedTuple):
    """Characters start to end - 1 of a source's text."""

    start: int
    end: int


class Position(NamedTuple):
    """Line and column, both from 1; the column counts characters."""

    line: int
    column: int


class Source:
    """A rule file: `data` is its bytes, `text` the same decoded so that encode() gives the bytes back.

    File names are bytes in Linux, and rules name files: bytes that are not UTF-8 are kept as lone surrogates.
    """

    def __init__(self, name: str, data: bytes | str):
        self.name = name
        self.data = encode(data) if isinstance(data, str) else bytes(data)
        self.text = self.data.decode("utf-8", "surrogateescape")

    @classmethod
    def read(cls, path) -> "Source":
        """The file at `path`. Raises OSError."""
        return cls(str(path), Path(path).read_bytes())

    @cached_property
    def starts(self) -> list[int]:
        """Offset of each line."""
        starts, at = [0], self.text.find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = self.text.find("\n", at + 1)
        return starts

    @property
    def lines(self) -> int:
        """How many lines, the last one counted even if it has no newline."""
        return len(self.starts) - (self.text.endswith("\n") or not self.text)

    def position(self, offset: int) -> Position:
        line = bisect_right(self.starts, offset)
        return Position(line, offset - self.starts[line - 1] + 1)

    def place(self, span: Span) -> str:
        """Where something stands, within a sentence."""
        return f"{self.name}, line {self.position(span.start).line}"

    def said(self, span: Span, most: int = 80) -> str:
        """The text at a span on one line, cut short."""
        text = " ".join(self.text[span.start : span.end].split())
        return text if len(text) <= most else text[: most - 1] + "…"

    def line(self, number: int) -> str:
        """The text of a line without its newline; empty behind the last one."""
        if number > len(self.starts):
            return ""
        start = self.starts[number - 1]
        end = self.starts[number] - 1 if number < len(self.starts) else len(self.text)
        return self.text[start:end]


def encode(text: str) -> bytes:
    """The bytes that Source decoded to `text`."""
    return text.encode("utf-8", "surrogateescape")


def within(source: Source, quoted: Span, start: int, end: int) -> Span:
    """The place of some bytes, start to end - 1, of those that a string in quotes means."""
    places: list[int] = []
    for found in ESCAPE.finditer(source.text, quoted.start + 1, quoted.end - 1):
        places += [found.start()] * (1 if found[0][0] == "\\" else len(encode(found[0])))
    places.append(quoted.end - 1)
    return Span(places[min(start, len(places) - 1)], places[min(end, len(places) - 1)])
