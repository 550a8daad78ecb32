# SPDX-License-Identifier: GPL-2.0-only
"""Of which items, and of which text, does a rule set consist when included files stand in place of their names?

The text that travels with an image has included files written out, between
comments that name them, so that it needs no other file to be compiled again.
"""

import os
import stat
from collections.abc import Iterator

from pysct import tree
from pysct.abi import Limit
from pysct.diagnostics import Diagnostics
from pysct.parse import parse
from pysct.source import Source, encode

BEGIN, END, ABOVE = "# include {}: begins\n", "# include {}: ends", "# include {}: stands above"


class Refused(Exception):
    """A file cannot be included: the arguments are message and hint."""


class RuleText:
    """The text of a rule set, put together piece by piece; lines count from 1."""

    def __init__(self):
        self.parts: list[bytes] = []
        self.line = 1
        self.pieces: dict[Source, list[tuple[int, int]]] = {}  # (offset in the source, line of the whole)

    @property
    def data(self) -> bytes:
        return b"".join(self.parts)

    def begin(self, source: Source, offset: int):
        """What follows is the source's text from an offset on."""
        self.pieces.setdefault(source, []).append((offset, self.line))

    def add(self, text: str):
        data = encode(text)
        self.parts.append(data)
        self.line += data.count(b"\n")

    def end_line(self):
        """The next piece starts on a line of its own."""
        last = next((part for part in reversed(self.parts) if part), b"\n")
        if not last.endswith(b"\n"):
            self.add("\n")

    def line_of(self, source: Source, offset: int) -> int:
        """The line of the whole on which a place of a source stands."""
        start, line = [piece for piece in self.pieces[source] if piece[0] <= offset][-1]
        return line + source.position(offset).line - source.position(start).line


class Includer:
    """Goes through the items of some sources, and of the files that they include; problems go to `diagnostics`."""

    def __init__(self, sources: list[Source], diagnostics: Diagnostics):
        self.given, self.diagnostics = sources, diagnostics
        self.text = RuleText()
        self.sources: list[Source] = []  # in the order in which they were met
        self.empty: list[Source] = []  # without any item
        self.done: set[bytes] = set()
        self.open: list[bytes] = []
        self.left = Limit.INCLUDE_SIZE

    def items(self) -> Iterator[tree.Rule | tree.Let | tree.Set]:
        """All rules and definitions, in order; a file that was included before does not come again."""
        for source in self.given:
            identity = os.path.realpath(os.fsencode(source.name))
            if identity in self.done:
                continue
            self.text.end_line()
            yield from self.of_source(source, identity)

    def of_source(self, source: Source, identity: bytes) -> Iterator[tree.Rule | tree.Let | tree.Set]:
        self.sources.append(source)
        self.open.append(identity)
        self.text.begin(source, 0)
        at, count = 0, 0
        for item in parse(source, self.diagnostics):
            count += 1
            if not isinstance(item, tree.Include):
                yield item
                continue
            self.text.add(source.text[at : item.span.start])
            yield from self.of_include(item)
            at = item.span.end
            if source.text[at:].lstrip(" \t\r;")[:1] not in ("", "\n"):
                self.text.add("\n")
            self.text.begin(source, at)
        self.text.add(source.text[at:])
        if not count:
            self.empty.append(source)
        self.open.pop()
        self.done.add(identity)

    def of_include(self, item: tree.Include) -> Iterator[tree.Rule | tree.Let | tree.Set]:
        """The items of an included file; its text takes the place of the statement."""
        path = os.path.join(os.path.dirname(os.fsencode(item.source.name)), item.path)
        identity = os.path.realpath(path)
        self.text.end_line()
        if identity in self.done:
            self.text.add(ABOVE.format(item.quoted))
            return
        try:
            source = self.read(item, path, identity)
        except Refused as refused:
            self.diagnostics.error(item.source, item.path_span, *refused.args)
            return
        self.text.add(BEGIN.format(item.quoted))
        yield from self.of_source(source, identity)
        self.text.end_line()
        self.text.add(END.format(item.quoted))

    def read(self, item: tree.Include, path: bytes, identity: bytes) -> Source:
        """The file to be included; raises Refused."""
        shown = os.fsdecode(path)
        if identity in self.open:
            way = " includes ".join(
                os.path.basename(os.fsdecode(one)) for one in self.open[self.open.index(identity) :]
            )
            raise Refused(
                "the file includes itself", f"{way} includes {os.path.basename(shown)}: leave one of these out"
            )
        if len(self.open) > Limit.INCLUDE_DEPTH:
            raise Refused(f"more than {Limit.INCLUDE_DEPTH} files include one another", "include from fewer levels")
        try:
            mode = os.stat(path).st_mode
            if not stat.S_ISREG(mode):
                what = "is a directory" if stat.S_ISDIR(mode) else "is no plain file"
                raise Refused(f"{shown} {what}", "include each file of rules by its name")
            with open(path, "rb") as file:
                data = file.read(self.left + 1)
        except OSError as error:
            hint = None if os.path.isabs(item.path) else "names are relative to the file that includes"
            raise Refused(f"{shown or item.quoted}: {error.strerror}", hint) from None
        if len(data) > self.left:
            raise Refused(
                f"the included files have more than {Limit.INCLUDE_SIZE} bytes together", "is it a file of rules?"
            )
        self.left -= len(data)
        return Source(shown, data)
