# SPDX-License-Identifier: GPL-2.0-only
"""Which items does a file hold: rules, definitions, includes?"""

from collections.abc import Iterator
from functools import cache

from lark import Lark
from lark.exceptions import UnexpectedToken
from lark.lexer import Lexer as LarkLexer

from pysct import tree
from pysct.build import Builder, Unusable
from pysct.diagnostics import Diagnostics
from pysct.lexer import Lexer
from pysct.slips import explain
from pysct.source import Source, Span
from pysct.syntax import GRAMMAR
from pysct.tokens import Item, Patterns


class Ready(LarkLexer):
    """Gives lark the tokens that pysct.lexer made."""

    def __init__(self, lexer_conf):
        pass

    def lex(self, tokens):
        return iter(tokens)


@cache
def machinery() -> tuple[Lark, Builder, Patterns]:
    """The parser, what it builds with, and the terminals of its grammar; made once, when first needed."""
    builder = Builder()
    parser = Lark(GRAMMAR, parser="lalr", lexer=Ready, start="item", transformer=builder)
    terminals = {t.name: (t.pattern.to_regexp(), t.pattern.type == "re") for t in parser.terminals if t.pattern}
    return parser, builder, Patterns(terminals)


def parse(source: Source, diagnostics: Diagnostics) -> Iterator[tree.Item]:
    """The items of a file in order; those with errors are reported to `diagnostics` and left out."""
    parser, builder, patterns = machinery()
    for item in Lexer(source, diagnostics, patterns).items():
        if item.broken:
            continue
        builder.begin(source, diagnostics)  # each time: between two items of this file others may be parsed
        try:
            parsed = parser.parse(item.tokens)
        except Unusable:
            continue
        except UnexpectedToken as error:
            report(item, error, source, diagnostics)
            continue
        yield parsed


def report(item: Item, error: UnexpectedToken, source: Source, diagnostics: Diagnostics):
    if error.token.type == "$END":
        index, span = len(item.tokens), Span(item.tokens[0].start, item.tokens[-1].end)
    else:
        index, span = item.tokens.index(error.token), error.token.span
    message, hint = explain(item.tokens, index, error.expected)
    diagnostics.error(source, span, message, hint)
