# SPDX-License-Identifier: GPL-2.0-only
"""Which comments stand before each token of a rule file?"""

import re
from dataclasses import dataclass, field

from pysct.diagnostics import Diagnostics
from pysct.lexer import Lexer
from pysct.parse import machinery
from pysct.source import Source
from pysct.tokens import Token

GAP = re.compile(r"(?P<comment>#[^\n]*|//[^\n]*|/\*.*?\*/)|(?P<line>\n)|.", re.DOTALL)


@dataclass(slots=True)
class Comment:
    """`behind`: on the line of what it follows; `blank`: an empty line stands before it."""

    text: str
    behind: bool
    blank: bool

    @property
    def ends_line(self) -> bool:
        """Whether nothing can follow on its line, or nothing should."""
        return not self.text.startswith("/*") or not self.behind or "\n" in self.text


@dataclass(slots=True)
class Piece:
    """A token and the comments before it.

    `blank`: an empty line stands right before it; `fresh`: it, or the first comment before it, began a line.
    """

    kind: str
    text: str
    comments: list[Comment] = field(default_factory=list)
    blank: bool = False
    fresh: bool = False

    @property
    def breaks_line(self) -> bool:
        """Whether a comment before it keeps it from standing on the line of what comes before."""
        return any(comment.ends_line for comment in self.comments)


def items_of(source: Source) -> tuple[list[list[Piece]], Piece]:
    """The pieces of each item of a sound file, and one without text for its end."""
    items, at = [], 0
    for item in Lexer(source, Diagnostics(), machinery()[2]).items():
        pieces = []
        for token in item.tokens:
            pieces.append(piece(source.text, at, token))
            at = token.end
        items.append(kept(pieces))
    return items, piece(source.text, at, Token("END", "", len(source.text), len(source.text)))


def piece(text: str, at: int, token: Token) -> Piece:
    """The token with the comments between `at` and it."""
    comments, lines, fresh = [], 0, False
    first = at == 0
    for found in GAP.finditer(text, at, token.start):
        if found["line"]:
            lines += 1
            fresh = fresh or not comments
        elif found["comment"]:
            alone = lines or first or bool(comments) and comments[-1].ends_line
            comments.append(Comment(found["comment"].rstrip(), not alone, lines > 1))
            lines, first = 0, False
    return Piece(token.type, token.value, comments, lines > 1, fresh)


def kept(pieces: list[Piece]) -> list[Piece]:
    """Without what says nothing: `;`, and `=` before a bracket of a rule. Their comments go to the next piece."""
    out, carried = [], []
    for at, one in enumerate(pieces):
        one.comments = carried + one.comments
        if one.kind == "_SEMI" or one.kind == "EQ" and pieces[at + 1].kind == "OPEN" and pieces[0].kind != "SET":
            carried = one.comments
        else:
            out.append(one)
            carried = []
    return out
