# SPDX-License-Identifier: GPL-2.0-only
"""Where in the source text of an image does each of its rules stand, and what is its condition?

Nothing in an image is trusted: what is not found is not said.
"""

import re
from collections import defaultdict
from collections.abc import Iterable

from pysct.diagnostics import Diagnostics, TooManyErrors, printable
from pysct.image import Image
from pysct.lexer import Lexer
from pysct.parse import machinery
from pysct.source import Source, Span
from pysct.tokens import Item

INCLUDED = re.compile(r'^# include ("[^\n]*"): (begins|ends)', re.MULTILINE)  # see pysct.include


def places(image: Image) -> list[str]:
    """Where each rule stands, as `line 12`, or, in an included file, `line 12, in "people.conf"`."""
    files = included(Source("", image.source).text)
    return [f"line {rule.line}" + (f", in {files[rule.line]}" if rule.line in files else "") for rule in image.rules]


def included(text: str) -> dict[int, str]:
    """The file, as the text names it in quotes, of each line of an included one."""
    files, stack = {}, []
    if not INCLUDED.search(text):
        return files
    for number, line in enumerate(text.split("\n"), 1):
        if found := INCLUDED.match(line):
            stack = [*stack, printable(found[1])] if found[2] == "begins" else stack[:-1]
        elif stack:
            files[number] = stack[-1]
    return files


def conditions(image: Image) -> list[str]:
    """The condition of each rule on one line, cut short; empty where it has none, or two rules begin on a line."""
    source, found = Source("", image.source), defaultdict(list)
    for item in items(source):
        if item.tokens and item.tokens[0].type == "RULE":
            found[source.position(item.tokens[0].start).line].append(condition(source, item))
    return [found[rule.line][0] if len(found[rule.line]) == 1 else "" for rule in image.rules]


def items(source: Source) -> Iterable[Item]:
    try:
        yield from Lexer(source, Diagnostics(), machinery()[2]).items()
    except TooManyErrors:
        return


def condition(source: Source, item: Item) -> str:
    """What stands in filter_expression { }."""
    kinds = [token.type for token in item.tokens]
    if "FILTER" not in kinds or "OPEN" not in kinds[kinds.index("FILTER") :]:
        return ""
    start = kinds.index("OPEN", kinds.index("FILTER"))
    depth = 0
    for token in item.tokens[start:]:
        depth += {"OPEN": 1, "CLOSE": -1}.get(token.type, 0)
        if not depth:
            return printable(source.said(Span(item.tokens[start].end, token.start)))
    return ""
