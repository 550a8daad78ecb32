# SPDX-License-Identifier: GPL-2.0-only
"""What of an item that has errors can still be read?

A rule consists of sections, each a key and what belongs to it, and so does an
action.  Each is parsed by itself, as if there were no other, so that an error
in one of them hides none in another.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import pairwise

from lark.exceptions import UnexpectedToken

from pysct import tree
from pysct.abi import KEYS
from pysct.build import Unusable
from pysct.slips import HEAD_WORDS
from pysct.source import Source, Span
from pysct.tokens import Item, Token

OF_RULE, OF_ACTION = (frozenset(key.name for key in KEYS.values() if key.place == place) for place in ("rule", "action"))
BLOCKS = {"FILTER": "filter_expression", "ACTION": "action"}
ASSIGNS = frozenset({"EQ", "OPEN"})  # what follows a key, whether or not it is one that there is
BLOCK_KEYS = frozenset(key.name for key in KEYS.values() if key.form == "block")

Parse = Callable[[list[Token]], tree.Item]
Report = Callable[[int, UnexpectedToken], None]


def damaged_definition(item: Item) -> tree.Damaged | None:
    """That a name would be defined, if a name can be read where one belongs."""
    head, *rest = item.tokens
    if head.type in ("LET", "SET") and rest and rest[0].type == "NAME":
        return tree.Damaged(head.span, rest[0].value)
    return None


class Recovery:
    """Reads one rule in pieces: `parse` makes a tree of tokens, `report` tells of an error at the token of a number."""

    def __init__(self, item: Item, source: Source, parse: Parse, report: Report):
        self.item, self.tokens, self.source = item, item.tokens, source
        self.marks = sorted(item.marks)
        self.parse, self.report = parse, report
        self.opened = next(at for at, token in enumerate(item.tokens) if token.type == "OPEN")
        self.damaged = {""} if item.torn else set()

    def rule(self) -> tree.Rule:
        """All of it that can be read; errors in the rest are reported."""
        tokens, last = self.tokens, len(self.tokens) - 1
        around, entries = tokens[: self.opened + 1], []
        for start, stop in self.sections(self.opened + 1, last, OF_RULE):
            if tokens[start].type == "ACTION":
                closed = self.closed(start)
                entries.append(self.action(start, closed, swallows=not tokens[closed].value or stop == last and not tokens[last].value))
                start = closed + 1
            entries += self.piece(start, stop, around, self.key(start, "")) if start < stop else ()
        return tree.Rule(Span(tokens[0].start, tokens[last].end), self.source, tokens[0].span, entries, frozenset(self.damaged))

    def action(self, start: int, closed: int, swallows: bool) -> tree.Action:
        """The action between two tokens; if it `swallows` it may have taken in what follows it in the rule."""
        opened = next(at for at in range(start, len(self.tokens)) if self.tokens[at].type == "OPEN")
        around = self.tokens[: self.opened + 1] + self.tokens[start : opened + 1]
        clauses = []
        for first, stop in self.sections(opened + 1, closed, OF_ACTION):
            key = self.key(first, "type")
            if swallows and (key in OF_RULE or self.tokens[first].type in BLOCKS):
                continue
            for action in self.piece(first, stop, around, key, quiet=swallows):
                clauses += action.clauses
        return tree.Action(self.tokens[start].span, clauses)

    def closed(self, start: int) -> int:
        """The number of the token that closes the block of a key."""
        depth = 0
        for at in range(start, len(self.tokens)):
            kind = self.tokens[at].type
            depth += (kind == "OPEN") - (kind == "CLOSE")
            if kind == "CLOSE" and not depth:
                return at
        return len(self.tokens) - 1

    def sections(self, start: int, stop: int, keys: frozenset[str]) -> Iterator[tuple[int, int]]:
        """Where the sections between two tokens start and stop; what stands before the first key is one as well."""
        cuts, depth = [start], 0
        for at in range(start, stop):
            kind = self.tokens[at].type
            if depth == 0 and (kind in BLOCKS or kind == "NAME" and self.is_key(at, keys, cuts[-1])):
                cuts.append(at)
            depth += (kind == "OPEN") - (kind == "CLOSE")
        return ((first, last) for first, last in pairwise([*cuts, stop]) if first < last)

    def is_key(self, at: int, keys: frozenset[str], before: int | None = None) -> bool:
        """Whether a name starts a section; `before` is where the last one started, which may lack its brackets."""
        if self.tokens[at].value in keys:
            return True
        follows = self.tokens[at - 1]
        other = follows.type in ("EQ", "COMMA") or follows.value in HEAD_WORDS or before is not None and self.is_bare(before)
        return self.tokens[at + 1].type in ASSIGNS and not other

    def is_bare(self, at: int) -> bool:
        """Whether a section is a block that lacks its brackets: what has no key of those that there are may belong to it."""
        return self.tokens[at].value in BLOCK_KEYS and self.tokens[at + 1].type not in ASSIGNS

    def key(self, start: int, otherwise: str) -> str:
        """The key of a section; `otherwise` if it has none."""
        token = self.tokens[start]
        if token.type == "NAME" and self.is_key(start, OF_RULE | OF_ACTION):
            return token.value
        return BLOCKS.get(token.type, otherwise)

    def marked(self, start: int, end: int) -> bool:
        """Whether an error between two places was reported before."""
        return bisect_left(self.marks, start) < bisect_left(self.marks, end)

    def piece(self, start: int, stop: int, around: list[Token], key: str, quiet: bool = False) -> list:
        """The entries that a section makes within the blocks that `around` opens; none if it has an error."""
        tokens, end = self.tokens, self.tokens[stop]
        begins, ends = tokens[start].start, tokens[stop - 1].end
        if not self.marked(begins, ends):
            closing = Token("CLOSE", end.value, end.start, end.end)
            outer = [Token("CLOSE", "", end.end, end.end)] * (sum(token.type == "OPEN" for token in around) - 1)
            try:
                return self.parse([*around, *tokens[start:stop], closing, *outer]).entries
            except Unusable:
                pass
            except UnexpectedToken as error:
                if not quiet and not self.marked(begins, end.start):
                    self.report(next((at for at in range(start, stop) if tokens[at] is error.token), stop), error)
        self.damaged |= {key, ""} if self.is_bare(start) else {key}
        return []
