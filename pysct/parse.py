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
from pysct.recovery import Recovery, damaged_definition
from pysct.slips import explain
from pysct.source import Source, Span
from pysct.syntax import GRAMMAR
from pysct.tokens import Patterns, Token


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
    """The items of a file in order. Errors are reported to `diagnostics`; what has one comes as far as it can be read."""
    parser, builder, patterns = machinery()

    def parse_tokens(tokens: list[Token]) -> tree.Item:
        builder.begin(source, diagnostics)  # each time: between two items of this file others may be parsed
        parsed = parser.parse(tokens)
        if not builder.good:
            raise Unusable
        return parsed

    for item in Lexer(source, diagnostics, patterns).items():
        errors, unexpected, parsed = diagnostics.errors, None, None
        try:
            parsed = None if item.marks else parse_tokens(item.tokens)
        except Unusable:
            pass
        except UnexpectedToken as error:
            unexpected = error
        if parsed:
            if item.torn:
                parsed.damaged = frozenset({""})
            yield parsed
            continue

        def say(index: int, error: UnexpectedToken):
            report(item.tokens, index, error, source, diagnostics)

        if item.tokens[0].type == "RULE":
            yield Recovery(item, source, parse_tokens, say).rule()
        elif found := damaged_definition(item):
            yield found
        if unexpected and diagnostics.errors == errors:
            say(index_of(unexpected, item.tokens), unexpected)


def index_of(error: UnexpectedToken, tokens: list[Token]) -> int:
    return len(tokens) if error.token.type == "$END" else tokens.index(error.token)


def report(tokens: list[Token], index: int, error: UnexpectedToken, source: Source, diagnostics: Diagnostics):
    span = tokens[index].span if index < len(tokens) else Span(tokens[0].start, tokens[-1].end)
    message, hint = explain(tokens, index, error.expected)
    diagnostics.error(source, span, message, hint)
