# SPDX-License-Identifier: GPL-2.0-only
"""How is a rule file written neatly, with all that it says and all its comments?

The lexer of rule files gives the tokens, and what stands between them is
comments.  The layout follows from these alone, so that it does not change when
it is made again.
"""

from dataclasses import fields, is_dataclass

from pysct.diagnostics import Diagnostics
from pysct.failures import Failure
from pysct.fmt.rules import write_item
from pysct.fmt.trivia import items_of
from pysct.fmt.writer import Writer
from pysct.parse import parse
from pysct.source import Source, Span, encode


def format_source(source: Source, diagnostics: Diagnostics) -> bytes | None:
    """The file, written neatly; None after reporting that it is no rule file."""
    trees = list(parse(source, diagnostics))
    if diagnostics.errors:
        return None
    items, end = items_of(source)
    writer = Writer()
    for at, item in enumerate(items):
        write_item(writer, item, first=at == 0)
    writer.finish(end)
    data = encode(writer.text())
    if shape(list(parse(Source("", data), diagnostics))) != shape(trees):
        raise Failure(
            f"{source.name}: written neatly it would mean something else",
            "report it, with the file; it was not changed",
        )
    return data


def shape(node):
    """What a syntax tree says, without where it stands."""
    if isinstance(node, list):
        return [shape(part) for part in node]
    if is_dataclass(node):
        return type(node).__name__, [shape(getattr(node, field.name)) for field in fields(node)]
    return None if isinstance(node, Span | Source) else node
