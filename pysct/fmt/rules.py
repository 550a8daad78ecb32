# SPDX-License-Identifier: GPL-2.0-only
"""How is a rule laid out: which of its parts get lines of their own?"""

from pysct.fmt.expressions import flat, write_expression
from pysct.fmt.trivia import Piece
from pysct.fmt.writer import WIDTH, Writer

STEP = 3  # blanks by which a rule's entries are indented
INNER = 2  # and what stands inside those
ON_ONE_LINE = 2  # clauses of an action that may share a line


def write_item(writer: Writer, pieces: list[Piece], first: bool):
    """A rule, with an empty line before it; what is no rule takes a line like an expression."""
    writer.start_line(pieces[0], 0, None if first else True)
    if pieces[0].kind != "RULE":
        write_expression(writer, pieces[1:], 0, lead=True)
        return
    writer.follow(pieces[1], True)
    write_entries(writer, pieces[2:-1], STEP)
    write_close(writer, pieces[-1], 0)


def write_entries(writer: Writer, pieces: list[Piece], indent: int):
    """What stands between a block's brackets, each entry on a line."""
    for at, entry in enumerate(entries(pieces)):
        writer.start_line(entry[0], indent, False if at == 0 else None)
        match [piece.kind for piece in entry[:2]]:
            case ["FILTER", "OPEN"]:
                write_filter(writer, entry, indent)
            case ["ACTION", "OPEN"]:
                write_action(writer, entry, indent)
            case [_, "OPEN"]:
                writer.follow(entry[1], True)
                writer.put("".join(piece.text for piece in entry[2:]))  # raw up to its bracket
            case _:
                write_list(writer, entry[1:], indent)


def write_close(writer: Writer, close: Piece, indent: int):
    """A closing bracket on its own line; the comments before it stand where what it closes does."""
    inner = STEP if indent == 0 else indent + INNER
    if close.comments:
        writer.start_line(Piece("", "", close.comments), inner)
    writer.start_line(Piece(close.kind, close.text), indent, False)


def write_filter(writer: Writer, entry: list[Piece], indent: int):
    """On one line, if there is room for all of it, and nobody began a new one."""
    _, opening, *inside, closing = entry
    writer.follow(opening, True)
    text = flat([*inside, closing])
    if not inside[0].fresh and text is not None and writer.column + 1 + len(text) <= WIDTH:
        writer.put(" " + text)
        return
    writer.start_line(Piece("", "", inside[0].comments), indent + INNER, False)
    inside[0].comments = []
    write_expression(writer, inside, indent + INNER)
    write_close(writer, closing, indent)


def write_action(writer: Writer, entry: list[Piece], indent: int):
    """On one line, if it has few clauses, there is room, and nobody began a new one."""
    _, opening, *inside, closing = entry
    writer.follow(opening, True)
    clauses = list(entries(inside))
    text = " ".join(flat_clause(clause) or "\n" for clause in [*clauses, [closing]])
    if (
        not [*inside, closing][0].fresh
        and len(clauses) <= ON_ONE_LINE
        and "\n" not in text
        and writer.column + 1 + len(text) <= WIDTH
    ):
        writer.put(" " + text)
        return
    write_entries(writer, inside, indent + INNER)
    write_close(writer, closing, indent)


def flat_clause(pieces: list[Piece]) -> str | None:
    """A clause of an action on one line; None if it does not fit on one."""
    if any(piece.comments for piece in pieces):
        return None
    if [piece.kind for piece in pieces[1:3]] == ["OPEN", "RAW"]:
        return f"{pieces[0].text} {''.join(piece.text for piece in pieces[1:])}"
    return flat(pieces)


def write_list(writer: Writer, pieces: list[Piece], indent: int):
    """`= value, value` or `, name`, on as many lines as it takes."""
    writer.indent = indent + INNER
    for piece in pieces:
        if piece.kind in ("VALUE", "NAME") and writer.column + len(piece.text) + 2 > WIDTH and not piece.comments:
            writer.break_line()
        writer.follow(piece, piece.kind != "COMMA")


def entries(pieces: list[Piece]):
    """The pieces of each entry of a block: settings, blocks and bare lists."""
    at = 0
    while at < len(pieces):
        end = end_of_entry(pieces, at)
        yield pieces[at:end]
        at = end


def end_of_entry(pieces: list[Piece], at: int) -> int:
    """Behind the entry that starts at `at`."""
    end, depth = at + 1, 0
    if end < len(pieces) and pieces[end].kind == "OPEN":
        while True:
            depth += (pieces[end].kind == "OPEN") - (pieces[end].kind == "CLOSE")
            end += 1
            if depth == 0:
                return end
    if end < len(pieces) and pieces[end].kind == "EQ":
        end += 2
    while end < len(pieces) and pieces[end].kind == "COMMA":
        end += 2
    return end
