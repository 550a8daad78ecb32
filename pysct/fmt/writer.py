# SPDX-License-Identifier: GPL-2.0-only
"""How do pieces and their comments become lines?"""

from itertools import takewhile

from pysct.fmt.trivia import Piece

WIDTH = 100


class Writer:
    """Collects text. A comment that ends its line makes what follows start a new one."""

    def __init__(self):
        self.parts: list[str] = []
        self.column, self.indent = 0, 0
        self.ended = False  # by a comment
        self.is_apart = False  # by an empty line

    def text(self) -> str:
        return "".join(self.parts)

    def put(self, text: str):
        """Write text where a line may be begun, and go on behind it."""
        if not text:
            return
        if self.ended:
            self.break_line()
        if self.column == 0:
            text = " " * self.indent + text
        self.parts.append(text)
        self.is_apart = False
        last = text.rfind("\n")
        self.column = len(text) - last - 1 if last >= 0 else self.column + len(text)

    def break_line(self, blank: bool = False):
        """End the line, if there is one; then perhaps leave an empty one."""
        if self.column:
            self.parts.append("\n")
        if blank and self.parts and not self.is_apart:
            self.parts.append("\n")
            self.is_apart = True
        self.column, self.ended = 0, False

    def comments(self, piece: Piece, blanks: bool = False):
        """The comments before a piece; `blanks` keeps empty lines between them."""
        for comment in piece.comments:
            if comment.behind and self.column and not self.ended:
                self.put(" ")
            else:
                self.break_line(blanks and comment.blank)
            self.put(comment.text)
            self.ended = comment.ends_line

    def follow(self, piece: Piece, space: bool):
        """A piece on the same line, if its comments let it."""
        self.comments(piece)
        if space and self.column and not self.ended:
            self.put(" ")
        self.put(piece.text)

    def start_line(self, piece: Piece, indent: int, blank: bool | None = None):
        """The comments before a piece, and the piece on a line of its own.

        `blank` says whether an empty line comes first; None leaves that to who wrote it.
        """
        self.indent = indent
        behind = list(takewhile(lambda comment: comment.behind, piece.comments))
        own = piece.comments[len(behind) :]
        self.comments(Piece("", "", behind))
        if own:
            self.break_line(own[0].blank if blank is None else blank)
            self.comments(Piece("", "", own), blanks=True)
            blank = None
        self.break_line(piece.blank if blank is None else blank)
        self.put(piece.text)

    def finish(self, end: Piece):
        """The comments at the end, and the end of the last line."""
        end.blank = False
        self.start_line(end, 0, False if all(comment.behind for comment in end.comments) else None)
