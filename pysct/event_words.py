# SPDX-License-Identifier: GPL-2.0-only
"""What does one word of a described call mean: a number, a constant, some of them, a set of bits, or a string?"""

from collections.abc import Iterator

from lark import Token, Tree

from pysct import tokens
from pysct.abi import Field
from pysct.build import Builder
from pysct.constants import CONSTANTS
from pysct.diagnostics import Diagnostics, suggest
from pysct.source import Source, Span, encode


class Words:
    """Reads the words of one event, for `abi` once that is known.  All methods raise Unusable after reporting what is wrong."""

    def __init__(self, source: Source, diagnostics: Diagnostics):
        self.builder = Builder()
        self.builder.begin(source, diagnostics)
        self.refuse = self.builder.refuse
        self.abi = ""

    def number_of(self, field: Field, value: Token) -> int:
        number = self.bits_in(value) if field.set else self.number_in(value)
        if number >> 63 not in (0, -1):
            self.refuse(span(value), f"{number} does not fit into a signed number of 64 bits")
        if not field.set and not field.low <= number <= field.high:
            wrapped = f": {number} is {number + field.high + 1} there" if number < 0 <= number + field.high else ""
            self.refuse(span(value), f"{field.name} is never {number}", f"it is at least {field.low} and at most {field.high}{wrapped}")
        return number

    def word(self, value: Token) -> bytes | None:
        """A string, in quotes or not; `?` is one that cannot be read."""
        if value.type == "STRING":
            return self.builder.unescape(ours(value))
        return None if value.value == "?" else encode(value.value)

    def number_in(self, word: Token) -> int:
        """A number or the name of a constant, perhaps behind a minus sign."""
        sign = -1 if word.value.startswith("-") else 1
        bare = Token("WORD", word.value.removeprefix("-"), start_pos=word.start_pos, end_pos=word.end_pos)
        return sign * (self.number(bare) if bare[:1].isdigit() else self.constant(bare))

    def bits_in(self, word: Token) -> int:
        """A set of bits: a number, or the names of their places with | between them."""
        bits, at = 0, word.start_pos
        if word[:1].isdigit():
            return self.number_in(word)
        for name in word.value.split("|"):
            token = Token("WORD", name, start_pos=at, end_pos=at + len(name))
            bits |= 1 << (self.constant(token) & 63)
            at += len(name) + 1
        return bits

    def number(self, token: Token) -> int:
        return self.builder.number([ours(token)]).value

    def constant(self, token: Token) -> int:
        value = 0 if token.value == "NULL" else CONSTANTS.get(token.value)
        if isinstance(value, dict):
            value = value.get(self.abi)
        if value is None:
            self.refuse(span(token), f"`{token}` is no number and no constant of {self.abi}", suggest(token, CONSTANTS))
        return value

    def flags(self, part: Tree) -> int:
        """Numbers and constants with | between them."""
        value = 0
        for term in part.children:
            *minus, token = term.children
            number = self.number(token) if term.data == "number" else self.constant(token)
            value |= -number if minus else number
        return value


def span(token: Token) -> Span:
    return Span(token.start_pos, token.end_pos)


def ours(token: Token) -> tokens.Token:
    """A token of lark's as our builder takes it."""
    return tokens.Token(token.type, token.value, token.start_pos, token.end_pos)


def is_row(value: Token | Tree) -> bool:
    """Whether the value of a member is an array."""
    return isinstance(value, Tree) and value.data == "row"


def is_cut(value: Token | Tree) -> bool:
    """Whether only the beginning of a string is given."""
    return isinstance(value, Tree) and value.data == "cut"


def is_open(row: Tree) -> bool:
    """Whether a list or array ends with `...`."""
    return bool(row.children) and row.children[-1].data == "more"


def elements_of(row: Tree) -> list[Tree]:
    """What is written of a list or array."""
    return [each for each in row.children if each.data != "more"]


def written(structure: Tree) -> Iterator[tuple[Token, str, Token | Tree]]:
    """Members of a structure, and of those in braces inside it: the name, the whole path, the value; none that was cut.

    Behind those of the elements of an array comes that itself, the value of which is its row.
    """
    for name, value in (member.children for member in structure.children):
        kind = value.data if isinstance(value, Tree) else ""
        for at, inner in enumerate(elements_of(value) if kind == "row" else [value] if kind == "inner" else []):
            place = f"[{at}]" * (kind == "row")
            plain = inner.children if inner.data == "inner" else []
            told = [member.children for member in plain if not is_cut(member.children[1])]
            yield from ((below, f"{name}{place}.{below}", each) for below, each in told)
        if kind not in ("inner", "cut"):
            yield name, name.value, value
