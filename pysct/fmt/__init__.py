# SPDX-License-Identifier: GPL-2.0-only
"""How is a rule file written neatly, with all that it says and all its comments?

The lexer of rule files gives the tokens, and what stands between them is
comments.  The layout follows from these alone, so that it does not change when
it is made again.
"""

from dataclasses import fields
from functools import cache
from itertools import zip_longest

from pysct.collector import without_collector
from pysct.diagnostics import Diagnostics
from pysct.failures import Failure
from pysct.fmt.rules import write_item
from pysct.fmt.trivia import items_of
from pysct.fmt.writer import Writer
from pysct.parse import parse
from pysct.source import Source, Span, encode


@without_collector()
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
    if not all(same(*pair) for pair in zip_longest(trees, parse(Source("", data), diagnostics))):
        raise Failure(
            f"{source.name}: written neatly it would mean something else",
            "report it, with the file; it was not changed",
        )
    return data


def same(one, other) -> bool:
    """Whether two syntax trees say the same, wherever it stands."""
    if one.__class__ is not other.__class__:
        return False
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    names = said(one.__class__)
    return one == other if names is None else all(same(getattr(one, name), getattr(other, name)) for name in names)


@cache
def said(kind: type) -> tuple[str, ...] | None:
    """The names of what a node says, all but its places; None where it is a value."""
    if issubclass(kind, Span | Source):
        return ()
    return tuple(field.name for field in fields(kind)) if hasattr(kind, "__dataclass_fields__") else None
