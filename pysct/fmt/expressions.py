# SPDX-License-Identifier: GPL-2.0-only
"""How is an expression laid out: on one line, or broken where it is loosest?"""

from pysct.fmt.trivia import Piece
from pysct.fmt.writer import WIDTH, Writer

OPERANDS = frozenset({"ADDRESS", "NAME", "MEMBER", "NUMBER", "STRING", "RPAR", "RSQB", "CLOSE", "VALUE"})  # ends of operands
PREFIXES = frozenset({"NOT", "NOGLOB", "MINUS", "TILDE"})  # some only where no operand comes before
OPENING = frozenset({"LPAR", "LSQB", "OPEN"})
CLOSING = frozenset({"RPAR", "RSQB", "CLOSE"})
TIGHT_BEHIND = frozenset({"LPAR", "LSQB", "DOTS"})
TIGHT_BEFORE = frozenset({"MEMBER", "RPAR", "LSQB", "RSQB", "COMMA", "DOTS"})
STEP = 2


def flat(pieces: list[Piece]) -> str | None:
    """All on one line, without a blank before it; None where comments do not allow that."""
    out = []
    for at, piece in enumerate(pieces):
        if piece.breaks_line or "\n" in piece.text:
            return None
        space = at > 0 and spaced(pieces, at)
        for comment in piece.comments:
            out.append(" " + comment.text)
            space = True
        out.append(" " * space + piece.text)
    return "".join(out).lstrip(" ")


def spaced(pieces: list[Piece], at: int) -> bool:
    """Whether a blank stands between a piece and the one before it."""
    before, here = pieces[at - 1].kind, pieces[at].kind
    if before in PREFIXES and (at < 2 or pieces[at - 2].kind not in OPERANDS):
        return False
    if (before, here) == ("NAME", "LPAR"):
        return False
    return before not in TIGHT_BEHIND and here not in TIGHT_BEFORE


def write_expression(writer: Writer, pieces: list[Piece], indent: int, lead: bool = False, room: int = 0):
    """An expression from where the writer is; further lines of it start at `indent`.

    `lead`: a blank comes before it. `room`: for what comes behind it on the line.
    """
    text = flat(pieces)
    if text is not None and writer.column + len(text) + lead + room <= WIDTH:
        writer.put(" " * lead * bool(text) + text)
        return
    parts = chain(pieces)
    if len(parts) == 1:
        write_broken(writer, pieces, indent, lead)
        return
    for at, part in enumerate(parts):
        if at:
            writer.start_line(part[0], indent, False)
        operand = part[1:] if at else part
        further = indent + STEP if len(chain(operand)) > 1 else indent
        write_expression(writer, operand, further, lead=at > 0 or lead)


def chain(pieces: list[Piece]) -> list[list[Piece]]:
    """The operands of the loosest && or || outside all brackets, each but the first with its operator."""
    depth, found = 0, {"OROR": [], "ANDAND": []}
    for at, piece in enumerate(pieces):
        depth += (piece.kind in OPENING) - (piece.kind in CLOSING)
        if depth == 0 and piece.kind in found:
            found[piece.kind].append(at)
    ends = [*(found["OROR"] or found["ANDAND"]), len(pieces)]
    return [pieces[start:end] for start, end in zip([0, *ends], ends)]


def write_broken(writer: Writer, pieces: list[Piece], indent: int, lead: bool):
    """What is too long, or has comments, piece by piece; brackets that do not fit are broken inside."""
    at = 0
    while at < len(pieces):
        piece = pieces[at]
        space = lead if at == 0 else spaced(pieces, at)
        writer.indent = indent
        writer.follow(piece, space)
        end = closing(pieces, at) if piece.kind in OPENING else at
        if end > at:
            write_inside(writer, pieces[at + 1 : end + 1], indent, piece.kind == "OPEN")
        at = end + 1


def write_inside(writer: Writer, pieces: list[Piece], indent: int, is_set: bool):
    """What stands between brackets, and the closing one: on the line if it fits, else on lines of their own."""
    text = flat(pieces)
    if text is not None and writer.column + is_set + len(text) <= WIDTH:
        writer.put(" " * is_set + text)
        return
    *pieces, end = pieces
    first, *more = elements(pieces) if is_set else [pieces]
    writer.start_line(Piece("", "", first[0].comments), indent + STEP, False)
    first[0].comments = []
    write_expression(writer, first, indent + STEP)
    for element in more:
        writer.follow(element[0], False)
        text = flat(element[1:])
        if text is None or writer.column + 1 + len(text) + 1 > WIDTH:
            writer.start_line(Piece("", "", element[1].comments), indent + STEP, False)
            element[1].comments = []
            write_expression(writer, element[1:], indent + STEP, room=1)
        else:
            writer.put(" " + text)
    writer.start_line(end, indent, False)


def elements(pieces: list[Piece]) -> list[list[Piece]]:
    """The elements of a set, each but the first with its comma."""
    depth, ends = 0, []
    for at, piece in enumerate(pieces):
        depth += (piece.kind in OPENING) - (piece.kind in CLOSING)
        if depth == 0 and piece.kind == "COMMA":
            ends.append(at)
    ends.append(len(pieces))
    return [pieces[start:end] for start, end in zip([0, *ends], ends)]


def closing(pieces: list[Piece], at: int) -> int:
    """Where the bracket at `at` is closed."""
    depth = 0
    while True:
        depth += (pieces[at].kind in OPENING) - (pieces[at].kind in CLOSING)
        if depth == 0:
            return at
        at += 1
